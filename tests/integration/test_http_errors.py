"""Every error status, with the code that the protocol promises. The contract is checked by the client of conftest.py."""

import hashlib
import json
import os
import pathlib

import pytest

from conftest import admin, make_token
from test_http_resources import A, B, PUBLISH, RESOLVE, RUNTIME

MISSING = {"digests": [A]}


def refused(answer, status, code, text=""):
    assert (answer.status, answer.code) == (status, code), answer.body
    assert text in answer.json["detail"], answer.json["detail"]
    return answer


def blobs_on_disk(api):
    return [path for path in pathlib.Path(api.server.data).rglob("*")
            if path.is_file() and not path.name.startswith(("index.sqlite", "lock"))]


# ---- paths and methods

@pytest.mark.parametrize("path", [
    "/v1", "/v1/", "/v1/nothing", "/v1/info/", "//v1/info", "/v1/../v1/info", "/v1/./info", "/V1/info",
    f"/v1/blobs/{A.upper()}", f"/v1/blobs/{A}/", f"/v1/blobs/{A[1:]}", "/v1/blobs/../../etc/passwd", "/v1/blobs/%2e%2e",
    f"/v1/artefacts/{RUNTIME}/{A}/{A}/jix", f"/v1/artefacts/../{A}/{A}", f"/v1/artefacts/x/{A}/{A}",
    "/v1/%252e%252e/info", "/v1/info;x", "/" + "a/" * 500,
])
def test_no_such_resource(api, path):
    refused(api.get(path), 404, "not-found")


@pytest.mark.parametrize("path", ["/v1%2finfo", "/v1/info%00", "/v1/info%0d%0aX:y", "/v1/%", "/v1/%zz", "/v1\\info", "/v1/info%5c"])
def test_tricks_of_encoding(api, path):
    answer = api.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 "), answer


def test_one_level_of_encoding_is_undone(api):
    assert api.get("/v1/%69nfo").status == 200


def test_versions_that_are_not_spoken(api):
    refused(api.get("/v2/info"), 404, "unsupported-version", "v1")
    refused(api.post("/v0/resolve", RESOLVE), 404, "unsupported-version", "v1")


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/v1/info", "GET, HEAD"), ("POST", "/v1/info", "GET, HEAD"), ("PUT", "/v1/resolve", "POST"),
    ("GET", "/v1/publish", "POST"), ("POST", f"/v1/blobs/{A}", "GET, HEAD, PUT"), ("PATCH", "/healthz", "GET, HEAD"),
    ("OPTIONS", "/v1/blobs/missing", "POST"), ("get", "/v1/info", "GET, HEAD"),
])
def test_methods_that_a_resource_does_not_know(api, method, path, allow):
    answer = refused(api.request(method, path, token=api.token), 405, "method-not-allowed")
    assert answer.headers["Allow"] == allow


# ---- who may

def test_writing_needs_a_token(api):
    for method, path, body in [("PUT", f"/v1/blobs/{A}", b"x"), ("POST", "/v1/blobs/missing", MISSING), ("POST", "/v1/publish", PUBLISH)]:
        refused(api.request(method, path, body=body), 401, "unauthenticated", "token")


def test_a_read_only_token_may_not_write(api):
    token = make_token(api.server, "reader", "read")
    for method, path, body in [("PUT", f"/v1/blobs/{A}", b"x"), ("POST", "/v1/blobs/missing", MISSING), ("POST", "/v1/publish", PUBLISH)]:
        refused(api.request(method, path, body=body, token=token), 403, "forbidden", "writing")
    assert api.post("/v1/resolve", RESOLVE, token=token).status == 200


def test_a_token_that_may_only_write_may_not_read(api):
    token = make_token(api.server, "writer", "write")
    refused(api.post("/v1/resolve", RESOLVE, token=token), 403, "forbidden", "reading")
    assert api.put_blob(b"x", token=token)[1].status == 201


def test_a_token_is_bound_to_its_lanes(api):
    admin(api.server, "lane", "create", "--name", "other")
    admin(api.server, "lane", "create", "--name", "pr/1", "--parent", "main")
    refused(api.post("/v1/publish", PUBLISH | {"lane": "other"}, token=api.token), 403, "forbidden", "other")
    refused(api.post("/v1/resolve", RESOLVE | {"lane": "other"}, token=api.token), 403, "forbidden", "other")
    refused(api.get(f"/v1/artefacts/{RUNTIME}/{A}/{A}?lane=other", token=api.token), 403, "forbidden", "other")
    assert api.post("/v1/publish", PUBLISH | {"lane": "pr/1"}, token=api.token).status == 200


@pytest.mark.parametrize("value", ["Bearer jic_" + "0" * 64, "Bearer x", "Bearer", "Basic dTpw", "jic_" + "0" * 64])
def test_an_unknown_token_is_refused_where_none_is_needed_too(api, value):
    for path in ["/v1/info", f"/v1/blobs/{A}"]:
        refused(api.get(path, headers={"Authorization": value}), 401, "unauthenticated")


def test_a_token_expires(api):
    import time
    token = make_token(api.server, "short", "read", "--expires", "1s")
    time.sleep(1.1)
    refused(api.get("/v1/info", token=token), 401, "unauthenticated", "expired")


def test_a_revoked_token_ends_at_once(api):
    connection = api.connect()
    assert api.get("/v1/info", token=api.token, connection=connection).json["can_write"]
    admin(api.server, "token", "revoke", "--name", "writer0")
    refused(api.get("/v1/info", token=api.token, connection=connection), 401, "unauthenticated", "revoked")


def test_readers_can_be_asked_for_a_token(start):
    api = start("--require-token")
    refused(api.post("/v1/resolve", RESOLVE), 401, "unauthenticated")
    refused(api.get(f"/v1/blobs/{A}"), 401, "unauthenticated")
    assert api.get("/v1/info").json["lanes"] == []
    assert api.post("/v1/resolve", RESOLVE, token=api.token).status == 200
    assert api.get("/healthz").status == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_what_a_proxy_passes_on_is_not_local(start, header):
    refused(start().post("/v1/resolve", RESOLVE, headers={header: "203.0.113.9"}), 401, "unauthenticated")
    open_to_all = start("--anonymous-read", data="other")
    assert open_to_all.post("/v1/resolve", RESOLVE, headers={header: "203.0.113.9"}).status == 200


# ---- bodies

@pytest.mark.parametrize("body, text", [
    (b"", "JSON"), (b"{", "JSON"), (b"[]", "must be an object"), (b"\xff\xfe", "JSON"), (b"{}", "sysimage: is missing"),
    (b"[" * 100, ""), (json.dumps(RESOLVE | {"keys": ["x"]}).encode(), "keys[0]: must be 64"),
    (json.dumps(RESOLVE | {"runtimes": ["../x"]}).encode(), "runtimes[0]"),
    (json.dumps(RESOLVE | {"lane": "../x"}).encode(), "lane"), (json.dumps(RESOLVE)[:-1].encode() + b',"keys":[]}', "JSON"),
])
def test_malformed_bodies_name_the_field(api, body, text):
    answer = api.request("POST", "/v1/resolve", body=body, headers={"Content-Type": "application/json"})
    assert answer.status == (413 if body.startswith(b"[[") else 400), answer.body
    assert answer.code in ("bad-request", "too-large") and text in answer.json["detail"]


def test_more_keys_than_the_limit(api):
    refused(api.post("/v1/resolve", RESOLVE | {"keys": [A] * 8193}), 413, "too-large", "keys")
    assert api.post("/v1/resolve", RESOLVE | {"keys": [f"{i:064x}" for i in range(8192)]}).status == 200


def test_json_has_its_media_type(api):
    for headers in [{"Content-Type": "text/plain"}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}]:
        refused(api.request("POST", "/v1/resolve", body=b"{}", headers=headers), 415, "unsupported-media-type")
    refused(api.request("PUT", f"/v1/blobs/{A}", body=b"x", headers={"Content-Encoding": "gzip"}, token=api.token),
            415, "unsupported-media-type")


def test_a_json_body_over_the_limit(start):
    api = start("--body-bytes-max", "100k")
    headers = {"Content-Type": "application/json"}
    refused(api.request("POST", "/v1/resolve", body=b" " * 102_401, headers=headers), 413, "too-large", "102400")
    pieces = (b" " * 10_000 for _ in range(11))
    refused(api.request("POST", "/v1/resolve", body=pieces, headers=headers), 413, "too-large", "102400")


def test_a_blob_over_the_limit(start):
    api = start("--blob-bytes-max", "500k")
    assert api.put_blob(bytes(512_000))[1].status == 201
    refused(api.put_blob(bytes(512_001))[1], 413, "too-large")
    content = os.urandom(1_000_000)
    digest = hashlib.sha256(content).hexdigest()
    pieces = (content[i:i + 100_000] for i in range(0, len(content), 100_000))
    refused(api.request("PUT", f"/v1/blobs/{digest}", body=pieces, token=api.token), 413, "too-large")
    assert len(blobs_on_disk(api)) == 1


def test_a_small_frame_that_becomes_too_large(start):
    import subprocess
    api = start("--blob-bytes-max", "1M")
    bomb = subprocess.run(["zstd", "-c"], input=bytes(50_000_000), capture_output=True, check=True).stdout
    digest = hashlib.sha256(bytes(50_000_000)).hexdigest()
    refused(api.request("PUT", f"/v1/blobs/{digest}", body=bomb, headers={"Content-Encoding": "zstd"}, token=api.token),
            413, "too-large")
    assert blobs_on_disk(api) == []


def test_bytes_that_are_not_what_their_address_says(api):
    refused(api.request("PUT", f"/v1/blobs/{A}", body=b"other bytes", token=api.token), 422, "digest-mismatch")
    refused(api.request("PUT", f"/v1/blobs/{A}", body=b"not zstd", headers={"Content-Encoding": "zstd"}, token=api.token),
            422, "unprocessable")
    refused(api.get(f"/v1/blobs/{A}"), 404, "not-found")
    assert blobs_on_disk(api) == []


def test_what_is_not_stored_is_not_found(api):
    refused(api.get(f"/v1/blobs/{A}"), 404, "not-found")
    for path in ["", "/ji", "/image"]:
        refused(api.get(f"/v1/artefacts/{RUNTIME}/{A}/{B}{path}"), 404, "not-found")
    refused(api.post("/v1/resolve", RESOLVE | {"lane": "unknown"}), 404, "not-found", "unknown")
    refused(api.get(f"/v1/artefacts/{RUNTIME}/{A}/{B}?lane=unknown"), 404, "not-found")
    refused(api.get(f"/v1/artefacts/{RUNTIME}/{A}/{B}?lane=..%2f"), 400, "bad-request")


def artefact(key, ji):
    return {"key": key, "ji": ji, "node": {"kind": "package", "name": "Example", "uuid": "7876af07-990d-54b4-ab0e-23690620f79a",
                                           "source": "git-tree-sha1:" + "c" * 40, "deps": []}}


def test_an_artefact_that_contradicts_its_address(api):
    digest, _ = api.put_blob(b"not a cache file")
    answer = api.post("/v1/publish", PUBLISH | {"artefacts": [artefact(B, digest)]}, token=api.token, valid=True)
    refused(answer, 422, "bad-artefact")
    assert answer.json["keys"] == [B]


def test_upper_case_digests_in_json_are_refused(api):
    refused(api.post("/v1/blobs/missing", {"digests": ["A" * 64]}, token=api.token), 400, "bad-request", "digests[0]")
