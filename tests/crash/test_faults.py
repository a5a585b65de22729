"""System calls that fail, one at a time or from some moment on: an error in a sentence, nothing half done, and a store in order.

JICACHE_TEST_FAULTS is how many moments of each failure are tried (2; 0: all of them, by hand)."""

import collections
import errno
import http.client
import os
import re
import shutil
import subprocess

import pytest
from judge import assert_clean, assert_nothing_lost, prepare, run
from load import Client, Ledger, push
from preload import preload
from processes import Server, bin_dir

MOMENTS = int(os.environ.get("JICACHE_TEST_FAULTS", "2"))

FAILURES = [
    ("open", errno.EMFILE, ""), ("open", errno.EIO, ""), ("open", errno.EROFS, "+"),
    ("write", errno.ENOSPC, ""), ("write", errno.ENOSPC, "+"), ("write", errno.EIO, ""), ("write", errno.EDQUOT, "+"),
    ("fsync", errno.EIO, ""), ("fsync", errno.ENOSPC, "+"),
    ("rename", errno.EIO, ""), ("rename", errno.ENOSPC, ""),
    ("unlink", errno.EIO, ""), ("unlink", errno.EROFS, "+"),
    ("mkdir", errno.ENOSPC, ""), ("mkdir", errno.EACCES, "+"),
    ("mmap", errno.ENOMEM, ""), ("mmap", errno.ENOMEM, "+"),
    ("ftruncate", errno.EIO, ""), ("ftruncate", errno.ENOSPC, "+"),
    ("statvfs", errno.EIO, ""),
    ("read", errno.EIO, ""), ("read", errno.EIO, "+"),
    ("stat", errno.EIO, ""), ("stat", errno.EACCES, "+"),
    ("opendir", errno.EMFILE, ""), ("flock", errno.ENOLCK, "+"),
    ("thread", errno.EAGAIN, ""), ("socket", errno.EMFILE, ""), ("recv", errno.ECONNRESET, ""), ("send", errno.EPIPE, ""),
]
IDS = [f"{name}-{errno.errorcode[number]}{'-on' if on else ''}" for name, number, on in FAILURES]

# A disk that does not give back what it took is damage: the scrub may take such artefacts out.
LOSES = {"read", "mmap", "open"}


def calls_in(trace):
    return collections.Counter(trace.read_text().split())


def moments(count, chance):
    """Which of `count` calls are to fail."""
    if not MOMENTS or count <= MOMENTS:
        return range(1, count + 1)
    return sorted(chance.sample(range(1, count + 1), MOMENTS))


def assert_sane(status, output):
    """Ended by itself, with a status that says how, and with a sentence when it failed."""
    assert "Sanitizer" not in output and "runtime error" not in output and "assert" not in output.lower(), output[-4000:]
    assert status in (0, 1, 2), f"status {status}\n{output[-4000:]}"
    assert status == 0 or re.search(r"jicached: \S.*\S", output), output[-4000:]


# ---- the server


class Scene:
    """A store that has some artefacts already, copied for each try."""

    def __init__(self, folder, forge):
        self.base, self.forge = folder / "base", forge
        self.token = prepare(self.base)
        self.ledger = Ledger()
        with Server(self.base) as server:
            client = Client(server.url, self.token)
            for _ in range(10):
                push(client, self.ledger, forge)
            client.close()
            assert server.stop() == 0
        assert self.ledger.problems == []

    def copy(self, folder):
        shutil.copytree(self.base, folder)
        ledger = Ledger()
        ledger.runtime, ledger.sysimage = self.ledger.runtime, self.ledger.sysimage
        ledger.kept, ledger.loose = dict(self.ledger.kept), dict(self.ledger.loose)
        return folder, ledger

    def act(self, client, ledger):
        """What a server is asked while its calls fail. Answers are noted; a download may break off."""
        for _ in range(4):
            push(client, ledger, self.forge)
            client.request("GET", "/readyz")
        for digest in list((ledger.kept | ledger.loose).values())[:3]:
            status, _ = client.request("GET", f"/v1/blobs/{digest}")
            assert status in (200, 404, 500, 503)

    def play(self, folder, **settings):
        """Serve under the preload and stop. → (exit status, everything it printed, ledger)"""
        data, ledger = self.copy(folder)
        server = Server(data, "--store-bytes-max", "60k")
        server.extra = preload(data, **settings)
        try:
            server.start(wait_s=20)
        except RuntimeError:
            return server.status, "".join(server.output), ledger
        client = Client(server.url, self.token)
        try:
            self.act(client, ledger)
        except (OSError, http.client.HTTPException) as trouble:
            assert server.process.poll() is None, f"it is dead: {trouble!r} {''.join(server.output)[-4000:]}"
        client.close()
        return server.stop(), "".join(server.output), ledger


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from load import Forge

    forge = Forge(7)
    yield Scene(tmp_path_factory.mktemp("scene"), forge)
    forge.close()


@pytest.fixture(scope="module")
def calls(scene, tmp_path_factory):
    """How often a server without trouble makes each call."""
    folder = tmp_path_factory.mktemp("trace")
    status, _, ledger = scene.play(folder / "data", trace=folder / "trace")
    assert status == 0 and ledger.problems == []
    return calls_in(folder / "trace")


def assert_in_order(data, token, ledger, lenient):
    """A server whose calls work starts on it, without repair, and has what was acknowledged."""
    # 500 is an answer to a call that failed; only its effects matter here.
    ledger.problems = [text for text in ledger.problems if not re.match(r"(upload|publish): 50\d", text)]
    if lenient:
        ledger.kept = {}
    with Server(data) as server:
        assert_clean(data)
        assert_nothing_lost(server, token, ledger)


@pytest.mark.parametrize("failure", FAILURES, ids=IDS)
def test_a_server_whose_calls_fail_loses_nothing(scene, calls, tmp_path, chance, failure):
    name, number, on = failure
    assert calls[name] > 0, "the server never makes this call: the test would test nothing"
    for nth in moments(calls[name], chance):
        folder = tmp_path / f"try-{nth}"
        status, output, ledger = scene.play(folder, fail=f"{name}:{number}:{nth}{on}")
        assert_sane(status, output)
        assert_in_order(folder, scene.token, ledger, lenient=name in LOSES)
        shutil.rmtree(folder)


# ---- commands


COMMANDS = {
    "fsck": ["fsck"],
    "repair": ["fsck", "--repair"],
    "token": ["token", "create", "--name", "another"],
    "lane": ["lane", "create", "--name", "pr/1"],
    "status": ["status", "--json"],
    "backup": ["backup", "COPY"],
    "restore": ["restore", "COPY"],
}


def command(data, words, environment):
    done = subprocess.run([bin_dir() / "jicached", *words, "--data", data], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment}, timeout=120)
    return done.returncode, done.stdout + done.stderr


def stage(scene, folder, words):
    """Where a command finds what it needs. → its data directory, its words"""
    data, _ = scene.copy(folder / "data")
    copy = folder / "copy"
    if words[0] == "restore":
        run(data, "backup", copy)
        data = folder / "restored"
    return data, [str(copy) if word == "COPY" else word for word in words]


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_whose_calls_fail_says_so(scene, tmp_path, chance, words):
    data, made = stage(scene, tmp_path / "traced", words)
    command(data, made, preload(data.parent, trace=tmp_path / "trace"))
    calls = calls_in(tmp_path / "trace")
    for name, number, on in FAILURES:
        for nth in moments(calls[name], chance):
            folder = tmp_path / f"{name}-{number}{on}-{nth}"
            data, made = stage(scene, folder, words)
            status, output = command(data, made, preload(folder, fail=f"{name}:{number}:{nth}{on}"))
            assert_sane(status, output + ("jicached: findings" if words[0] == "fsck" else ""))
            if status == 0:
                assert_clean(folder / "copy" if words[0] == "backup" else data)
            elif words[0] == "restore":
                shutil.rmtree(data, ignore_errors=True)
                run(data, *made)
            if words != COMMANDS["repair"]:
                assert_clean(folder / "data")
            shutil.rmtree(folder)
