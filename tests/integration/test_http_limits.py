"""Load: slow clients are cut off and hold nobody up, and who comes when there is too much is told so at once."""

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from processes import bin_dir, wait_until
from test_http_connections import put_head, read_head
from test_http_resources import A

JSON = "POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def logged(api, event):
    return [json.loads(line) for line in api.server.output if f'"{event}"' in line]


def cut_after(s, piece, pause_s=0.05, limit_s=120):
    """Seconds for which the server lets a client go on sending a piece now and then."""
    begin = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - begin < limit_s:
            s.sendall(piece)
            time.sleep(pause_s)
        raise AssertionError(f"not cut off in {limit_s} s")
    return time.monotonic() - begin


# ---- slow clients


def test_headers_that_trickle_in_are_cut_off(start):
    api = start("--header-timeout", "1s")
    with api.socket() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert cut_after(s, b"x") > 0.5
    wait_until(lambda: logged(api, "http.overdue"), what="the log")


def test_a_further_request_has_the_time_of_an_idle_connection(start):
    api = start("--idle-timeout", "2s", "--header-timeout", "1s")
    with api.socket() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_head(s)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert cut_after(s, b"x") > 1


def test_a_json_body_that_trickles_in_is_cut_off(start):
    api = start("--body-timeout", "1s")
    with api.socket() as s:
        s.sendall(JSON.format(10_000).encode())
        assert cut_after(s, b" ") > 0.5
    wait_until(lambda: any(line["end"] == "overdue" for line in logged(api, "http.request")), what="the log")


def test_an_upload_may_take_long_but_not_stand_almost_still(start):
    api = start("--body-timeout", "1s", "--transfer-rate-min", "100k")
    content = os.urandom(1_500_000)
    digest = hashlib.sha256(content).hexdigest()
    with api.socket() as slow, api.socket() as steady:
        slow.sendall(put_head(api, A, 1_000_000))
        steady.sendall(put_head(api, digest, len(content)))
        begin = time.monotonic()
        for offset in range(0, len(content), 50_000):
            steady.sendall(content[offset:offset + 50_000])
            time.sleep(0.1)
        assert b" 201 " in read_head(steady) and time.monotonic() - begin > 2.5
        cut_after(slow, b"x")


@pytest.mark.parametrize("encoding", ["zstd", "identity"])
def test_a_reader_that_takes_almost_nothing_is_cut_off(start, encoding):
    api = start("--body-timeout", "1s", "--transfer-rate-min", "10M")
    content = os.urandom(20_000_000)
    digest, _ = api.put_blob(content)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect((api.host, api.port))
        s.sendall(f"GET /v1/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\n\r\n".encode())
        got, begin = 0, time.monotonic()
        with contextlib.suppress(ConnectionError):
            while (piece := s.recv(2000)) and time.monotonic() - begin < 120:
                got += len(piece)
                time.sleep(0.02 if not logged(api, "http.overdue") else 0)
    assert got < len(content)
    assert [line for line in logged(api, "http.overdue")]


def slow_clients(api, digest, count):
    """Of each kind some: in the middle of headers, of a body, of an answer."""
    clients = []
    for number in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect((api.host, api.port))
        s.sendall([b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", JSON.format(100_000).encode() + b" " * 1000, put_head(api, A, 100_000) + b"x",
                   f"GET /v1/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd\r\n\r\n".encode()][number % 4])
        clients.append(s)
    return clients


def test_slow_clients_hold_no_thread(start):
    """Held threads would answer when a slow client is cut off, which is later than any request here is waited for."""
    api = start("--threads", "1", "--workers", "1", "--header-timeout", "600s", "--body-timeout", "600s", "--idle-timeout", "600s")
    content = os.urandom(2_000_000)
    digest, _ = api.put_blob(content)
    clients = slow_clients(api, digest, 80)
    for _ in range(10):
        assert api.get("/healthz").status == 200
        assert api.get("/readyz").status == 200
    assert api.get(f"/v1/blobs/{digest}").body == content
    for s in clients:
        s.close()


def resident_kib(api):
    status = pathlib.Path(f"/proc/{api.server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_two_hundred_slow_clients_take_little_memory(start):
    """Sanitizers take a multiple of what they watch; what a release takes is measured by tests/bench/bench.py."""
    api = start()
    digest, _ = api.put_blob(os.urandom(2_000_000))
    for s in slow_clients(api, digest, 200):
        s.close()
    before = resident_kib(api)
    clients = slow_clients(api, digest, 200)
    time.sleep(2)
    assert resident_kib(api) - before < 400 * 1024
    for s in clients:
        s.close()


# ---- too much


def test_connections_beyond_the_limit_are_told_so_at_once(start):
    api = start("--connections-max", "8")
    held = [api.socket() for _ in range(8)]
    for s in held:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in read_head(s)
    for _ in range(20):
        refused = api.get("/healthz")
        assert refused.status == 503 and refused.code == "overloaded" and int(refused.headers["Retry-After"]) > 0
    wait_until(lambda: logged(api, "http.refused"), what="the log")
    held.pop().close()
    wait_until(lambda: api.get("/healthz").status == 200, what="a free place")
    for s in held:
        s.close()


def test_a_refused_upload_sees_the_answer_though_it_goes_on_sending(start):
    api = start("--connections-max", "8")
    held = [api.socket() for _ in range(8)]
    time.sleep(0.5)
    with api.socket() as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(put_head(api, A, 100_000) + bytes(100_000))
        assert b" 503 " in read_head(s)
    for s in held:
        s.close()


@contextlib.contextmanager
def writer_held(api):
    """As another process that writes into the index for long."""
    index = sqlite3.connect(next(api.server.data.glob("*.sqlite")), isolation_level=None)
    index.execute("BEGIN IMMEDIATE")
    yield
    index.execute("ROLLBACK")
    index.close()


def begin_put(api, content):
    s = api.socket()
    s.sendall(put_head(api, hashlib.sha256(content).hexdigest(), len(content)) + content)
    return s


def test_a_full_queue_answers_at_once_and_the_rest_goes_on(start):
    api = start("--workers", "2", "--queue-max", "1")
    digest = hashlib.sha256(b"there").hexdigest()
    # The first time writing down the token's use takes the place.
    wait_until(lambda: api.put_blob(b"there")[1].status in (201, 204), what="a blob")
    with writer_held(api):
        waiting = []
        for number in range(2):
            waiting.append(begin_put(api, b"%d" % number))
            time.sleep(0.3)
        for number in range(10):
            _, refused = api.put_blob(b"more %d" % number)
            assert refused.status == 503 and refused.code == "overloaded" and int(refused.headers["Retry-After"]) > 0
            assert api.get("/healthz").status == 200
            found = api.get(f"/v1/blobs/{digest}")
            assert (found.status, found.body) == (200, b"there"), "who reads does not wait for who writes"
    assert [read_head(s).split()[1] for s in waiting] == [b"201"] * 2


def test_who_waited_too_long_is_told_to_come_again(start):
    api = start("--workers", "2", "--queue-timeout", "1s")
    api.put_blob(b"the token's last use is written down with the first request")
    time.sleep(0.5)
    with writer_held(api):
        first, second = begin_put(api, b"one"), None
        time.sleep(0.3)
        second = begin_put(api, b"two")
        time.sleep(2)
    assert b" 201 " in read_head(first)
    assert b" 503 " in read_head(second)


def test_bodies_have_a_limit_all_together(start):
    api = start("--bodies-bytes-max", "100k")
    with api.socket() as held, api.socket() as refused, api.socket() as later:
        held.sendall(JSON.format(90_000).encode() + b" " * 80_000)
        time.sleep(0.5)
        refused.sendall(JSON.format(60_000).encode() + b" " * 60_000)
        assert b" 503 " in read_head(refused)
        held.sendall(b" " * 10_000)
        assert b" 400 " in read_head(held)
        time.sleep(0.2)
        later.sendall(JSON.format(60_000).encode() + b" " * 60_000)
        assert b" 400 " in read_head(later)


def test_uploads_have_a_limit(start):
    api = start("--uploads-max", "2")
    content = b"x" * 1000
    held = [api.socket() for _ in range(2)]
    for s in held:
        s.sendall(put_head(api, A, 1000) + b"x")
    time.sleep(0.5)
    digest, refused = api.put_blob(content)
    assert refused.status == 503 and refused.code == "overloaded"
    held.pop().close()
    wait_until(lambda: api.put_blob(content)[1].status in (201, 204), what="room for an upload")
    held.pop().close()


def test_a_question_has_a_limit(start):
    api = start("--keys-max", "10")
    assert api.get("/v1/info").json["keys_max"] == 10
    ask = lambda count: api.post("/v1/resolve", {"sysimage": A, "runtimes": ["julia-1.11.1-x86_64-linux-gnu-" + A],
                                                 "keys": [f"{n:064x}" for n in range(count)]}, valid=True)
    assert ask(10).status == 200
    assert ask(11).status == 413


def test_headers_have_a_limit(start):
    api = start("--connection-bytes", "8k")
    assert b" 200 " in api.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 2000 + b"\r\n\r\n")
    answer = api.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
    assert answer == b"" or answer.split()[1] in (b"413", b"431"), answer[:100]


# ---- the client at a busy server


@contextlib.contextmanager
def busy_server(times, retry_after):
    """A server that is busy a number of times, and then an empty jicached; (url, requests so far)."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(time.monotonic())
            busy = len(asked) <= times
            body = b"{}" if busy else b'{"server":"fake","protocol":1,"keys_max":1,"blob_bytes_max":1,"body_bytes_max":1,"lanes":[],"can_write":false}'
            self.send_response(503 if busy else 200)
            if busy and retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("times, retry_after, requests, answered, seconds_min", [
    (1, "1", 2, True, 1), (2, "1", 3, True, 2), (9, "1", 3, False, 2), (1, "0", 2, True, 0), (9, "2", 2, False, 2),
    (1, "3", 1, False, 0), (1, "3600", 1, False, 0), (1, "99999999999999999999", 1, False, 0), (1, "-1", 1, False, 0),
    (1, "Sun, 22 Nov 2026 19:00:00 GMT", 1, False, 0), (1, None, 1, False, 0), (10**9, "0", None, False, 2),
])
def test_the_client_waits_as_it_is_told_within_its_limit(tmp_path, times, retry_after, requests, answered, seconds_min):
    with busy_server(times, retry_after) as (url, asked):
        begin = time.monotonic()
        done = subprocess.run([bin_dir() / "jicache", "doctor"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                              env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "JULIA": "/bin/false", "JICACHE_URL": url})
        took = time.monotonic() - begin
    assert ("answers" in done.stdout) is answered, done.stdout
    assert requests is None or len(asked) == requests
    assert took >= seconds_min, took
