"""schema/openapi.yaml as a judge: every answer that a test gets is checked against it, and so is every valid request."""

import pathlib
import re
import urllib.parse

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FREE_HEADERS = {"date", "content-length", "content-type", "connection", "transfer-encoding"}


class Contract:
    def __init__(self, path=ROOT / "schema/openapi.yaml"):
        self.document = yaml.safe_load(path.read_text())
        self.resolver = jsonschema.RefResolver("", self.document)
        self.paths = [(re.compile("^" + re.sub(r"\{\w+\}", "[^/]+", name) + "$"), name) for name in self.document["paths"]]
        # A literal path wins over one with parameters: /v1/blobs/missing.
        self.paths.sort(key=lambda entry: entry[1].count("{"))

    def resolve(self, node):
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def validate(self, value, schema):
        jsonschema.Draft202012Validator(schema, resolver=self.resolver).validate(value)

    def operation(self, method, target):
        """The operation that a request names, None when the contract has no such resource or method."""
        path = urllib.parse.unquote(target.split("?")[0])
        for pattern, name in self.paths:
            if pattern.match(path):
                item = self.document["paths"][name]
                found = item.get("get" if method == "HEAD" else method.lower())
                if found:
                    return found
        return None

    def check_request(self, method, target, body):
        operation = self.operation(method, target)
        content = self.resolve(operation["requestBody"])["content"]
        self.validate(body, content["application/json"]["schema"])

    def response(self, operation, status):
        if operation is None:
            assert status in (400, 404, 405), f"status {status} for what the contract doesn't know"
            return self.document["components"]["responses"]["Problem"]
        responses = operation["responses"]
        # `default` is for errors that any operation may have, not for answers that somebody forgot to write down.
        assert str(status) in responses or status in (400, 404, 405, 408, 429, 500, 503), f"{status} is not in the contract"
        return self.resolve(responses.get(str(status)) or responses["default"])

    def check_headers(self, described, headers):
        for name, header in described.get("headers", {}).items():
            header = self.resolve(header)
            value = headers.get(name)
            assert value is not None or not header.get("required"), f"{name} is missing"
            if value is not None:
                self.validate(value, header["schema"])
        known = {name.lower() for name in described.get("headers", {})} | FREE_HEADERS
        extra = {name.lower() for name in headers} - known - {"cache-control", "accept-encoding"}
        assert not extra, f"not in the contract: {extra}"

    def check_response(self, method, target, status, headers, body, document):
        described = self.response(self.operation(method, target), status)
        self.check_headers(described, headers)
        content = described.get("content")
        if not content:
            assert body == b"", f"{status} must have no body"
            return
        kind = headers.get("Content-Type", "")
        assert kind in content, f"Content-Type {kind!r}"
        if method != "HEAD" and kind.endswith("json"):
            self.validate(document, content[kind]["schema"])
            if status >= 400:
                assert document["status"] == status
                assert document["request_id"] == headers["X-Request-Id"]
