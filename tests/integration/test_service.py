"""jicached under a service manager, which these tests play: readiness, reload, watchdog, sockets that were opened before."""

import contextlib
import ctypes
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from processes import Server, bin_dir, wait_until


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, path, abstract=False):
        self.name = f"@{path}" if abstract else str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{path}" if abstract else self.name)
        self.socket.settimeout(20)

    def next(self):
        """One message, as a dictionary."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def drain(self):
        """All that came so far."""
        messages = []
        self.socket.setblocking(False)
        try:
            while True:
                messages.append(self.next())
        except BlockingIOError:
            self.socket.settimeout(20)
        return messages

    def wait_for(self, field):
        while True:
            message = self.next()
            if field in message:
                return message


BLOB = f"/v1/blobs/{64 * '0'}"  # 404 for whoever may read, else 401


def events(server, name):
    found = []
    for line in list(server.output):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event["event"] == name:
            found.append(event)
    return found


def get(server, path="/healthz"):
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def configured(tmp_path):
    """configured(toml, **environment) → a started server that reads its settings from tmp_path/jicached.toml"""
    servers = []

    def begin(toml, *arguments, **environment):
        (tmp_path / "jicached.toml").write_text(toml)
        server = Server(tmp_path / "data", "--config", tmp_path / "jicached.toml", *arguments)
        server.extra = environment
        servers.append(server.start())
        return server

    yield begin
    for server in servers:
        assert server.stop() == 0, "".join(server.output)[-4000:]


def reload(server, tmp_path, toml):
    before = len(events(server, "config.reload"))
    (tmp_path / "jicached.toml").write_text(toml)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(events(server, "config.reload")) > before, what="the reload")
    return events(server, "config.reload")[-1]


# ---- reload


def test_what_can_change_at_run_time_changes(configured, tmp_path):
    server = configured('log_level = "info"\n')
    assert get(server, BLOB) == 404
    answer = reload(server, tmp_path, 'log_level = "debug"\nrequire_token = true\n[limits]\nuploads_max = 3\n'
                    'store_bytes_max = "1G"\nunused_artefact_age = "9w"\n[scrub]\nbytes_per_second = 5\n')
    assert answer["level"] == "info" and answer["file"].endswith("jicached.toml")
    changed = {event["key"]: event["value"] for event in events(server, "config.changed")}
    assert changed == {"log_level": '"debug"', "require_token": "true", "limits.uploads_max": "3",
                       "limits.store_bytes_max": str(1 << 30), "limits.unused_artefact_age": str(9 * 7 * 86400),
                       "scrub.bytes_per_second": "5"}
    assert get(server, BLOB) == 401
    reload(server, tmp_path, "")
    assert get(server, BLOB) == 404
    assert len(events(server, "config.changed")) == 2 * len(changed)


def test_a_limit_of_the_store_counts_from_the_reload_on(configured, tmp_path):
    server = configured("")
    token = server.token("ci")
    host, port = server.url.removeprefix("http://").split(":")

    def upload(content):
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("PUT", f"/v1/blobs/{hashlib.sha256(content).hexdigest()}", body=content,
                           headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status

    assert upload(os.urandom(20000)) == 201
    reload(server, tmp_path, "[limits]\nstore_bytes_max = 10000\n")
    wait_until(lambda: upload(os.urandom(20000)) == 507, what="a full store")
    reload(server, tmp_path, "")
    assert upload(os.urandom(20000)) == 201


def test_what_needs_a_restart_is_named_and_goes_on_as_it_was(configured, tmp_path):
    server = configured("[limits]\nthreads = 2\n")
    for _ in range(2):
        reload(server, tmp_path, "[limits]\nthreads = 3\n")
    named = [(event["key"], event["value"], event["where"].rsplit("/", 1)[1]) for event in events(server, "config.needs-restart")]
    assert named == [("limits.threads", "3", "jicached.toml:2")] * 2
    assert get(server) == 200
    reload(server, tmp_path, "[limits]\nthreads = 2\n")
    assert len(events(server, "config.needs-restart")) == 2


@pytest.mark.parametrize("toml, sentence", [
    ("listen = \n", "jicached.toml:1"),
    ("require_tokens = true\n", 'jicached.toml:1: unknown key "require_tokens"'),
    ("require_token = true\nanonymous_read = true\n", "contradict"),
    ('require_token = true\nlog_level = "loud"\n', "not \"loud\""),
])
def test_a_broken_file_keeps_the_settings_that_were_there(configured, tmp_path, toml, sentence):
    server = configured("")
    answer = reload(server, tmp_path, toml)
    assert answer["level"] == "error" and sentence in answer["error"] and answer["kept"]
    assert events(server, "config.changed") == [] and get(server, BLOB) == 404


def test_an_option_stays_above_the_file(configured, tmp_path):
    server = configured("", "--log-level", "info")
    reload(server, tmp_path, 'log_level = "error"\n')
    assert events(server, "config.changed") == []


# ---- the service manager


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_hears_of_start_reload_and_stop(configured, tmp_path, abstract):
    manager = Manager(tmp_path / "notify", abstract)
    server = configured("", NOTIFY_SOCKET=manager.name)
    ready = manager.next()
    assert ready["READY"] == "1" and server.url in ready["STATUS"]
    before_us = time.monotonic_ns() // 1000
    reload(server, tmp_path, "")
    reloading = manager.wait_for("RELOADING")
    assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.next()["READY"] == "1"
    server.process.terminate()
    assert "requests" in manager.wait_for("STOPPING")["STATUS"]
    assert server.process.wait(30) == 0
    server.process = None


def test_a_watchdog_is_fed(configured, tmp_path):
    manager = Manager(tmp_path / "notify")
    configured("", NOTIFY_SOCKET=manager.name, WATCHDOG_USEC="400000")
    manager.wait_for("WATCHDOG")
    for _ in range(3):
        manager.wait_for("WATCHDOG")


def threads(server, name):
    """Ids of the server's threads that are called so; they are ours to stop, as its parent."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
    return [int(task.name) for task in sorted(tasks.iterdir(), key=lambda t: int(t.name)) if (task / "comm").read_text().strip() == name]


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


def trace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(request, thread, None, None) == 0, os.strerror(ctypes.get_errno())


@contextlib.contextmanager
def frozen(thread):
    trace(PTRACE_SEIZE, thread)
    trace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, 0x40000000)  # __WALL: threads too
    try:
        yield
    finally:
        trace(PTRACE_DETACH, thread)


def heard_until(manager, condition):
    """What the manager is told until then; somebody has to read it, or the server waits."""
    heard = []

    def listen():
        heard.extend(field for message in manager.drain() for field in message)
        return condition()
    wait_until(listen, timeout_s=120, what="what the manager waits for")
    return heard


@pytest.mark.parametrize("name, number", [("MHD-worker", 0), ("MHD-worker", 1), ("jicached", -1)], ids=["connections", "others", "acceptor"])
def test_a_watchdog_goes_hungry_when_http_is_stuck(configured, tmp_path, name, number):
    """One thread is stopped, as if it hung; the last one that started is the acceptor. Going on, it is well again."""
    manager = Manager(tmp_path / "notify")
    server = configured("", NOTIFY_SOCKET=manager.name, WATCHDOG_USEC="400000", JICACHED_LIMITS_THREADS="2")
    manager.wait_for("WATCHDOG")
    wait_until(lambda: len(threads(server, "MHD-worker")) == 2, what="threads with names")
    with frozen(threads(server, name)[number]):
        heard_until(manager, lambda: events(server, "http.stuck"))
        seen = len(events(server, "http.stuck"))
        assert heard_until(manager, lambda: len(events(server, "http.stuck")) > seen + 3) == []
    manager.wait_for("WATCHDOG")


def test_a_watchdog_of_another_process_is_not_ours(configured, tmp_path):
    manager = Manager(tmp_path / "notify")
    configured("", NOTIFY_SOCKET=manager.name, WATCHDOG_USEC="20000", WATCHDOG_PID="1")
    manager.wait_for("READY")
    manager.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        manager.next()


ACTIVATE = """import os, sys
first, *command = sys.argv[1:]
for number, fd in enumerate(first.split(",")):
    os.dup2(int(fd), 3 + number, inheritable=True)
os.environ.update(LISTEN_FDS=str(len(first.split(","))), LISTEN_PID=str(os.getpid()))
os.execv(command[0], command)
"""


def activated(tmp_path, sockets, *arguments):
    """Start a server that is handed listening sockets; its listening lines."""
    # High numbers: what is copied to 3 must not be one that is still to be copied.
    high = [os.dup2(s.fileno(), 50 + i, inheritable=True) for i, s in enumerate(sockets)]
    command = [sys.executable, "-c", ACTIVATE, ",".join(map(str, high)), bin_dir() / "jicached", "serve", "--data", tmp_path / "data"]
    process = subprocess.Popen([*map(str, command), *arguments], pass_fds=high, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    for fd in high:
        os.close(fd)
    return process, [process.stdout.readline() for _ in sockets]


def test_sockets_that_the_manager_opened_are_served(tmp_path):
    tcp, local = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    local.bind(str(tmp_path / "s"))
    local.listen()
    port = tcp.getsockname()[1]
    process, lines = activated(tmp_path, [tcp, local], "--listen", "127.0.0.1:1")
    try:
        assert lines == [f"jicached listening on http://127.0.0.1:{port}\n", f"jicached listening on unix://{tmp_path}/s\n"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        over = http.client.HTTPConnection("localhost", timeout=20)
        over.sock = socket.socket(socket.AF_UNIX)
        over.sock.connect(str(tmp_path / "s"))
        over.request("GET", "/healthz")
        assert over.getresponse().status == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
    # Who made the socket removes it; the next server is handed the same.
    assert (tmp_path / "s").is_socket()


def test_a_descriptor_that_is_no_listening_socket_is_refused(tmp_path):
    with socket.socket() as plain:
        process, _ = activated(tmp_path, [plain])
        assert process.wait(30) == 2


def test_sockets_for_another_process_are_not_ours(configured):
    server = configured("", LISTEN_FDS="1", LISTEN_PID="1")
    assert re.match(r"http://127\.0\.0\.1:\d+", server.url) and get(server) == 200


def test_a_migration_is_told_before_it_begins_and_asks_for_time(tmp_path):
    fill = pathlib.Path(__file__).resolve().parents[1] / "bench/fill_old_index.py"
    subprocess.run([sys.executable, fill, tmp_path / "data", "300", "5"], check=True, stdin=subprocess.DEVNULL)
    manager, server = Manager(tmp_path / "notify"), Server(tmp_path / "data")
    server.extra["NOTIFY_SOCKET"] = manager.name
    with server:
        first = manager.next()
        assert int(first["EXTEND_TIMEOUT_USEC"]) >= 30_000_000 and "Migrating" in first["STATUS"]
        assert "READY" in manager.wait_for("READY")
        [told] = events(server, "index.migrate")
        assert (told["from"], told["artefacts"]) == (5, 300) and told["to"] > 10 and told["about_s"] >= 1
        assert server.stop() == 0
    with server:
        assert len(events(server, "index.migrate")) == 1, "there was nothing to migrate"
        assert server.stop() == 0
