"""Rule 3: never in the way. Whatever is wrong with the server or the disk, the user's Julia runs."""

import contextlib
import os
import socket
import subprocess
import time

import pytest
from processes import Server, bin_dir, summary_of


@pytest.fixture
def warm(machine, small):
    """A machine whose client has asked its Julia before, and has nothing compiled."""
    one = machine("http://127.0.0.1:9").install(small)
    one.jicache("key")
    return one


@contextlib.contextmanager
def listener(backlog=16):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        yield server, "http://127.0.0.1:%d" % server.getsockname()[1]


def timed(one, *arguments, **options):
    start = time.monotonic()
    done = one.jicache(*arguments, **options)
    return done, time.monotonic() - start


def test_a_server_that_is_down_costs_nothing_and_is_said(warm):
    done = warm.jicache("run", "--", "true")
    assert "warning" in done.stderr
    summary_of(done)


def test_a_server_that_does_not_take_the_connection_costs_a_second(warm):
    with listener(backlog=0) as (server, url), contextlib.ExitStack() as stack:
        for _ in range(3):  # fill the queue: the next one's SYN gets no answer
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        warm.url = url
        done = warm.jicache("run", "--", "true", timeout=100)  # by itself the kernel tries for more than two minutes
    assert "warning" in done.stderr


def test_a_server_that_never_answers_is_given_up_after_ten_seconds(warm):
    with listener() as (_, url):
        warm.url = url
        done, took_s = timed(warm, "pull")
    assert took_s > 5  # and not without end
    assert "warning" in done.stderr


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"sets\":[{}]",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    b"\x16\x03\x01garbage\r\n\r\n",
    b"",
])
def test_a_server_that_talks_nonsense_does_no_harm(warm, answer):
    with listener() as (server, url):
        nonsense = subprocess.Popen(["/usr/bin/python3", "-c", NONSENSE, repr(answer)], stdin=server)
        try:
            warm.url = url
            done = warm.jicache("run", "--", "true", timeout=60)
        finally:
            nonsense.kill()
            nonsense.wait()
    assert "warning" in done.stderr


NONSENSE = """
import ast, socket, sys
server = socket.socket(fileno=0)
while True:
    connection = server.accept()[0]
    connection.recv(65536)
    connection.sendall(ast.literal_eval(sys.argv[1]))
    connection.close()
"""


def test_julia_compiles_for_itself_without_a_server(warm, small):
    loading = warm.run_load(small)
    loading.assert_loaded(small)
    assert set(loading.compiled) >= set(small.names())


def test_require_fails_when_something_is_missing(warm, server):
    assert warm.jicache("pull", "--require", status=3)
    warm.url = server.url
    report = warm.pull("--require", status=3)
    assert report["missing"] == report["packages"] > 0
    done = warm.jicache("run", "--require", "--", "echo", "ran", status=3)
    assert "ran" not in done.stdout


def test_without_a_token_reading_works_and_nothing_is_written(small_server, server, machine, small):
    reader = machine(small_server.url).install(small)
    assert reader.pull("--require")["missing"] == 0
    reader.url = server.url
    loading = reader.run_load(small)
    assert loading.status == 0
    assert machine(server.url).install(small).pull()["fetched"] == 0
    assert reader.jicache("push", status=1)


def test_a_token_that_may_only_read_does_not_fail_a_run(server, machine, small):
    one = machine(server.url, server.token("reader", "read")).install(small)
    loading = one.run_load(small)
    loading.assert_loaded(small)
    assert machine(server.url).install(small).pull()["fetched"] == 0


# ---- disks

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounts: needs root")


@contextlib.contextmanager
def mounted(folder, *options):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def tmpfs(folder, size):
    return mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "none")


def fill(path):
    """Write until the disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


@root_only
def test_a_read_only_depot_fails_a_pull_but_no_run(small_server, machine, small):
    one = machine(small_server.url).install(small)
    (one.depot / "compiled").mkdir()
    with mounted(one.depot, "--bind", one.depot):
        subprocess.run(["mount", "-o", "remount,ro,bind", one.depot], check=True)
        assert "Read-only" in one.jicache("pull", status=1).stderr
        assert "warning" in one.jicache("run", "--", "true").stderr
        assert one.jicache("run", "--require", "--", "true", status=3)


def test_a_depot_of_its_own_is_filled_and_given_to_julia(small_server, machine, small, julia):
    one = machine(small_server.url).install(small)
    own = one.folder / "filled"
    assert one.pull("--depot", own, "--require")["missing"] == 0
    assert not (one.depot / "compiled").exists()
    loading = one.run_load(small, "--depot", own, "--require")
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()
    assert loading.new_files == []


@root_only
def test_a_depot_that_nothing_can_be_run_from_is_noticed_before_placing(small_server, machine, small, julia):
    """Julia maps an image's native code executable: there it would fail with what was placed."""
    one = machine(small_server.url).install(small)
    with mounted(one.depot / "compiled", "-t", "tmpfs", "-o", "noexec", "none"):
        if julia.version < (1, 9):
            one.pull("--require")
            return
        failed = one.jicache("pull", status=1).stderr
        assert "noexec" in failed and "--depot" in failed
        assert [path for path in one.caches() if path.suffix in (".ji", ".so")] == []
        assert "warning" in one.jicache("run", "--", "true").stderr
        found, = (f for f in one.report("doctor", status=1)["findings"] if f["topic"] == "depot")
        assert found["level"] == "wrong" and "noexec" in found["text"]
        elsewhere = one.folder / "elsewhere"
        one.pull("--depot", elsewhere, "--require")
        one.julia_args = ["--pkgimages=no"]
        assert one.pull()["missing"] > 0, "without images the depot will do"


@root_only
def test_a_full_disk_under_the_depot_leaves_no_half_file(small_server, machine, small):
    one = machine(small_server.url).install(small)
    with tmpfs(one.depot / "compiled", "128k"):
        assert "No space" in one.jicache("pull", status=1).stderr
        assert one.jicache("run", "--", "true")
        assert {cache.suffix for cache in one.caches()} <= {".ji", ".so"}
        for cache in one.depot.glob("compiled/**/*.ji"):
            one.jicache("inspect", cache)
    one.pull("--require")
    one.load(small).assert_nothing_compiled()


@root_only
def test_a_full_disk_under_the_server_refuses_and_recovers(machine, small, tmp_path):
    with tmpfs(tmp_path / "data", "8m") as data, Server(data) as server:
        one = machine(server.url, server.token()).install(small)
        one.load(small).assert_loaded(small)
        ballast = data / "ballast"
        fill(ballast)
        one.jicache("push", status=1)
        assert one.jicache("run", "--", "true")
        assert machine(server.url).install(small).pull()["fetched"] == 0
        ballast.unlink()
        assert one.push()["published"] >= len(small.packages)
        machine(server.url).install(small).pull("--require")


def test_the_data_directory_has_one_server(server):
    second = subprocess.run([bin_dir() / "jicached", "serve", "--data", server.data, "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert second.returncode == 1 and second.stderr
