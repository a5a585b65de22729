"""A real jicached on a free port with a fresh data directory, and a client that checks every answer against the contract."""

import errno
import hashlib
import http.client
import json
import pathlib
import socket
import subprocess
import sys
from dataclasses import dataclass

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from contract import Contract  # noqa: E402
from processes import Server, bin_dir  # noqa: E402

CONTRACT = Contract()


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]


class Api:
    """Requests to one server. A token is sent when one is given; `token` is one that may read and write."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.host, port = server.url.removeprefix("http://").split(":")
        self.port = int(port)

    def connect(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def socket(self, timeout=60):
        return socket.create_connection((self.host, self.port), timeout=timeout)

    def request(self, method, target, body=None, headers=None, token=None, connection=None, valid=False):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, (dict, list)):
            if valid:
                CONTRACT.check_request(method, target, body)
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        c = connection or self.connect()
        try:
            c.request(method, target, body=body, headers=headers)
            return self.judge(method, target, c.getresponse())
        finally:
            if connection is None:
                c.close()

    def judge(self, method, target, response):
        answer = Answer(response.status, response.headers, response.read())
        document = answer.json if answer.headers.get("Content-Type", "").endswith("json") and answer.body else None
        CONTRACT.check_response(method, target, answer.status, answer.headers, answer.body, document)
        return answer

    def get(self, target, **more):
        return self.request("GET", target, **more)

    def post(self, target, body, **more):
        return self.request("POST", target, body=body, **more)

    def put_blob(self, content, token=True, **more):
        digest = hashlib.sha256(content).hexdigest()
        return digest, self.request("PUT", f"/v1/blobs/{digest}", body=content, token=self.token if token is True else token, **more)

    def raw(self, head, timeout=20):
        """Bytes as they are, then the end. → everything that came back before the server closed, politely or not"""
        answer = b""
        with self.socket(timeout) as s:
            try:
                s.sendall(head)
                s.shutdown(socket.SHUT_WR)
                while piece := s.recv(65536):
                    answer += piece
            except OSError as problem:
                if problem.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                    raise
        return answer


def admin(server, *arguments, check=True):
    return subprocess.run([bin_dir() / "jicached", *arguments, "--data", server.data], capture_output=True, text=True,
                          check=check, stdin=subprocess.DEVNULL)


def make_token(server, name, can, *more):
    return admin(server, "token", "create", "--name", name, "--can", can, *more).stdout.strip()


@pytest.fixture
def start(tmp_path):
    """start(arguments…) → Api. Every server must end by SIGTERM with status 0."""
    servers = []

    def begin(*arguments, data="data"):
        server = Server(tmp_path / data, *arguments)
        token = make_token(server, f"writer{len(servers)}", "read,write", "--lanes", "main,pr/*")
        servers.append(server.start())
        return Api(server, token)

    yield begin
    for server in servers:
        assert server.stop() == 0, "".join(server.output)[-4000:]


@pytest.fixture
def api(start):
    return start()
