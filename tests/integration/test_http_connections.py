"""Connections: slow, broken, many; shutting down while they are under way; memory."""

import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import bin_dir
from processes import ROOT, wait_until
from test_http_errors import blobs_on_disk
from test_http_resources import A


def put_head(api, digest, length, *more, token=True):
    lines = [f"PUT /v1/blobs/{digest} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    if token:
        lines.append(f"Authorization: Bearer {api.token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_head(s):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = s.recv(1)
        if not piece:
            break
        head += piece
    return head


def test_an_upload_that_is_not_allowed_is_refused_before_its_body(api):
    cases = [(dict(token=False), 10, b"401"), ({}, 1 << 40, b"413")]
    for more, length, status in cases:
        with api.socket() as s:
            s.sendall(put_head(api, A, length, "Expect: 100-continue", **more))
            assert read_head(s).split()[1] == status


def test_a_client_that_waits_is_told_to_continue(api):
    content = b"patience"
    with api.socket() as s:
        s.sendall(put_head(api, hashlib.sha256(content).hexdigest(), len(content), "Expect: 100-continue"))
        assert b" 100 " in read_head(s)
        s.sendall(content)
        assert b" 201 " in read_head(s)


def test_a_short_body_of_a_refused_request_does_not_hide_the_answer(api):
    connection = api.connect()
    for _ in range(3):
        answer = api.request("PUT", f"/v1/blobs/{A}", body=bytes(500_000), connection=connection)
        assert answer.status == 401


def test_a_truncated_upload_leaves_nothing(api):
    content = os.urandom(500_000)
    digest = hashlib.sha256(content).hexdigest()
    for cut in [0, 1, 250_000, 499_999]:
        with api.socket() as s:
            s.sendall(put_head(api, digest, len(content)) + content[:cut])
            time.sleep(0.05)
    wait_until(lambda: blobs_on_disk(api) == [], what="no file left of a truncated upload")
    assert api.get(f"/v1/blobs/{digest}").status == 404
    assert api.put_blob(content)[1].status == 201


@pytest.mark.parametrize("head", [
    b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /v1/info HTTP/9.9\r\n\r\n", b"GET /v1/info HTTP/1.1\r\n\r\n",
    b"GET /v1/info HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /v1/info HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
], ids=["binary", "short", "version", "no host", "negative length", "bad chunk", "long header", "long path"])
def test_what_is_not_http_is_refused_and_the_server_goes_on(api, head):
    answer = api.raw(head)
    assert answer == b"" or int(answer.split()[1]) >= 400, answer[:200]
    assert api.get("/healthz").status == 200


def test_the_end_of_a_connection_is_seen_even_when_it_comes_with_the_last_bytes(api):
    for _ in range(50):
        assert b" 200 " in api.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", timeout=10)


def test_a_slow_client_is_served(api):
    with api.socket() as s:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([byte]))
            time.sleep(0.005)
        assert b" 200 " in read_head(s)


def test_a_silent_client_is_dropped(start):
    api = start("--idle-timeout", "1s")
    for sent in [b"", b"GET /v1/in", put_head(api, A, 1000) + b"x" * 10]:
        with api.socket(timeout=15) as s:
            s.sendall(sent)
            s.settimeout(15)
            while s.recv(65536):  # perhaps 408, then the end
                pass
    wait_until(lambda: blobs_on_disk(api) == [], what="no file left of a dropped upload")


def test_a_json_body_that_takes_too_long_is_dropped(start):
    api = start("--body-timeout", "1s")
    with api.socket(timeout=15) as s:
        s.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(100):
                s.sendall(b" ")
                time.sleep(0.05)
    assert api.get("/healthz").status == 200


def test_two_hundred_idle_connections_do_not_matter(api):
    idle = [api.socket() for _ in range(200)]
    connection = api.connect()
    for _ in range(20):
        assert api.get("/healthz", connection=connection).status == 200
    for s in idle:
        s.close()


def test_connections_over_the_limit_are_refused_and_come_back(start):
    api = start("--connections-per-peer-max", "4")
    held = [api.socket() for _ in range(4)]
    for s in held:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_head(s)
    refused = api.get("/healthz")
    assert refused.status == 503 and refused.code == "overloaded" and int(refused.headers["Retry-After"]) > 0
    for s in held:
        s.close()

    def served():
        try:
            return api.get("/healthz").status == 200
        except (OSError, ValueError):
            return False
    wait_until(served, what="a connection after the others were closed")


def test_requests_in_parallel(api):
    contents = [os.urandom(200_000) for _ in range(8)]
    failures = []

    def work(content):
        for _ in range(5):
            digest, put = api.put_blob(content)
            if put.status not in (201, 204) or api.get(f"/v1/blobs/{digest}").body != content:
                failures.append(put.status)

    threads = [threading.Thread(target=work, args=(content,)) for content in contents * 2]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []


def test_sigterm_lets_an_upload_finish(start):
    api = start()
    content = os.urandom(400_000)
    digest = hashlib.sha256(content).hexdigest()
    with api.socket() as s:
        s.sendall(put_head(api, digest, len(content)) + content[:100_000])
        time.sleep(0.3)
        api.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError):
            api.socket(timeout=5)
        s.sendall(content[100_000:])
        head = read_head(s)
        assert b" 201 " in head and b"connection: close" in head.lower()
    assert api.server.process.wait(timeout=20) == 0
    api.server.start()
    assert api.get(f"/v1/blobs/{digest}").body == content


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
def test_sigterm_lets_a_download_finish(start, encoding):
    api = start()
    content = os.urandom(20_000_000)
    digest, _ = api.put_blob(content)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.connect((api.host, api.port))
        s.sendall(f"GET /v1/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n".encode())
        head = read_head(s)
        length = int([line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")][0])
        api.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert api.server.process.poll() is None
        got = bytearray()
        while piece := s.recv(1 << 20):
            got += piece
    assert len(got) == length
    if encoding == "identity":
        assert hashlib.sha256(got).hexdigest() == digest
    assert api.server.process.wait(timeout=20) == 0


def test_sigterm_does_not_wait_for_ever(start):
    api = start("--shutdown-timeout", "1s")
    with api.socket() as s:
        s.sendall(put_head(api, A, 1000) + b"x")
        time.sleep(0.3)
        assert api.server.stop() == 0
    wait_until(lambda: any('"cut_off":1' in line for line in api.server.output), what="the log of what was cut off")


def test_a_second_server_on_the_same_data_is_refused(api):
    second = subprocess.run([bin_dir() / "jicached", "serve", "--data", api.server.data, "--listen", ":0"],
                            capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and "another jicached" in second.stderr


def rss_kib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])


def test_memory_is_flat_for_a_large_upload_and_download(start, monkeypatch):
    release = pathlib.Path(os.environ.get("JICACHE_RELEASE_BIN_DIR", ROOT / "build/release/bin"))
    if not (release / "jicached").exists():
        pytest.skip(f"sanitizers blur memory and {release} has no jicached")
    monkeypatch.setenv("JICACHE_BIN_DIR", str(release))
    api = start()
    api.put_blob(os.urandom(1_000_000))
    before = rss_kib(api.server.process)
    block = os.urandom(1 << 20)
    digest = hashlib.sha256(block * 300).hexdigest()
    put = api.request("PUT", f"/v1/blobs/{digest}", body=(block for _ in range(300)), token=api.token)
    assert put.status == 201
    connection = api.connect()
    connection.request("GET", f"/v1/blobs/{digest}")
    answer, seen = connection.getresponse(), hashlib.sha256()
    while piece := answer.read(1 << 20):
        seen.update(piece)
    assert seen.hexdigest() == digest
    assert rss_kib(api.server.process) - before < 48 * 1024
