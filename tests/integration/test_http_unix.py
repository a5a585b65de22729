"""Unix sockets: mode, leftovers of a crash, who is there already, several addresses at once."""

import hashlib
import http.client
import json
import os
import pathlib
import socket
import stat
import subprocess

import pytest

from conftest import make_token
from processes import Server, bin_dir


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method="GET", target="/healthz", body=None, token=None):
    c = Local(path)
    c.request(method, target, body, {"Authorization": f"Bearer {token}"} if token else {})
    answer = c.getresponse()
    return answer.status, answer.read()


def refusal(data, listen, *more):
    done = subprocess.run([bin_dir() / "jicached", "serve", "--data", data, "--listen", listen, *more], capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL)
    assert done.returncode in (1, 2), done.stdout
    return done.stderr


@pytest.fixture
def path():
    """Short: the system allows 107 bytes."""
    folder = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/jic-unix-XXXXXX"], capture_output=True, text=True, check=True).stdout.strip())
    yield folder / "socket"
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture
def serve(tmp_path):
    servers = []

    def begin(listen, *more, data="data"):
        servers.append(Server(tmp_path / data, "--listen", listen, *more))
        return servers[-1].start()

    yield begin
    for s in servers:
        assert s.stop() == 0, "".join(s.output)[-4000:]


def test_requests_come_by_all_addresses_at_once(serve, path):
    server = serve(f"127.0.0.1:0,[::1]:0,unix:{path}")
    urls = [line.split()[-1] for line in server.output if line.startswith("jicached listening")]
    assert [url.split(":")[0] for url in urls] == ["http", "http", "unix"] and urls[2] == f"unix://{path}"
    for url in urls[:2]:
        c = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        c.request("GET", "/healthz")
        assert c.getresponse().status == 200
    assert ask(path)[0] == 200
    content = os.urandom(1_000_000)
    target = f"/v1/blobs/{hashlib.sha256(content).hexdigest()}"
    token = make_token(server, "w", "read,write")
    assert ask(path, "PUT", target, content, token)[0] == 201
    assert ask(path, "GET", target, token=token) == (200, content)
    line = json.loads(next(line for line in server.output if '"PUT"' in line))
    assert line["peer"] == f"uid {os.getuid()} pid {os.getpid()}"


@pytest.mark.parametrize("mode", ["0660", "0600", "0666"])
def test_the_socket_has_the_mode_that_was_asked_for_whatever_the_umask(serve, path, mode):
    before = os.umask(0o077)
    try:
        serve(f"unix:{path}", "--socket-mode", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)


def test_it_is_removed_at_the_end_and_replaced_after_a_crash(serve, path):
    server = serve(f"unix:{path}")
    server.kill()
    assert path.is_socket()
    server.start()
    assert ask(path)[0] == 200
    assert server.stop() == 0
    assert not path.exists()


def test_a_living_server_is_not_pushed_aside(serve, path, tmp_path):
    serve(f"unix:{path}")
    assert f"another server listens on {path}" in refusal(tmp_path / "other", f"unix:{path}")
    assert ask(path)[0] == 200


def test_neither_is_one_of_another_kind(path, tmp_path):
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(path))
        foreign.listen()
        assert f"another server listens on {path}" in refusal(tmp_path / "data", f"unix:{path}")
        assert path.is_socket()


def test_what_is_not_a_socket_is_left_alone(path, tmp_path):
    path.write_text("precious")
    assert "is not a socket" in refusal(tmp_path / "data", f"unix:{path}")
    assert path.read_text() == "precious"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert "is not a socket" in refusal(tmp_path / "data", f"unix:{path}")
    assert path.is_symlink()


@pytest.mark.parametrize("listen, why", [("unix:", "absolute"), ("unix:relative", "absolute"), ("unix:/" + "x" * 200, "less than"),
                                         ("unix:/nonexistent/socket", "/nonexistent/socket"), ("127.0.0.1:0,", "HOST:PORT"),
                                         (",".join(["127.0.0.1:0"] * 17), "at most 16")])
def test_a_list_that_makes_no_sense_is_refused(tmp_path, listen, why):
    assert why in refusal(tmp_path / "data", listen)


@pytest.mark.parametrize("mode", ["rw", "0888", "", "01777"])
def test_a_mode_that_makes_no_sense_is_refused(tmp_path, mode):
    assert "socket_mode" in refusal(tmp_path / "data", "127.0.0.1:0", "--socket-mode", mode)


def test_who_comes_by_it_is_on_this_machine(serve, path):
    serve(f"unix:{path}")
    assert ask(path, target="/v1/blobs/" + "0" * 64)[0] == 404


def test_and_needs_a_token_where_this_machine_does(serve, path):
    serve(f"unix:{path}", "--require-token")
    assert ask(path, target="/v1/blobs/" + "0" * 64)[0] == 401


def test_the_client_finds_it(serve, path, tmp_path):
    server = serve(f"unix:{path}")
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "JULIA": "/bin/false", "JICACHE_TOKEN": make_token(server, "w", "read,write")}
    command = [bin_dir() / "jicache", "doctor"]
    done = subprocess.run(command, env={**env, "JICACHE_URL": f"unix://{path}"}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert f"unix://{path} answers" in done.stdout and "may publish" in done.stdout, done.stdout + done.stderr
    done = subprocess.run(command, env={**env, "JICACHE_URL": f"unix://{path}x"}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert f"server unix://{path}x: " in done.stdout, done.stdout + done.stderr
