"""The client with system calls that fail, one at a time or from some moment on, and killed at any moment: nothing half done that
Julia could take, nothing that stays for ever, an error or a warning in a sentence, and a next pull that completes.

What real Julia wrote (the shared corpus) is published and pulled; an independent judge says what Julia would load.
JICACHE_TEST_FAULTS is how many moments of each failure are tried (2; 0: all of them, by hand)."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from corpus import CorpusMachine, Maker, caches
from judge import assert_clean
from preload import preload
from processes import Server
from test_faults import calls_in, moments

import ji_file

VERSION = "1.10.5"  # with absolute paths and times: everything is relocated
SHORT = 0           # only half of it is read or written
DAY_S = 24 * 60 * 60

FAILURES = [
    ("open", errno.EMFILE, ""), ("open", errno.EIO, ""), ("open", errno.EACCES, "+"),
    ("read", errno.EIO, ""), ("read", errno.EIO, "+"), ("read", errno.EINTR, ""), ("read", SHORT, "+"),
    ("write", errno.ENOSPC, ""), ("write", errno.ENOSPC, "+"), ("write", errno.EIO, ""), ("write", errno.EDQUOT, "+"),
    ("write", errno.EINTR, ""), ("write", SHORT, "+"),
    ("fsync", errno.EIO, ""), ("fsync", errno.ENOSPC, "+"),
    ("rename", errno.EIO, ""), ("rename", errno.ENOSPC, "+"),
    ("unlink", errno.EIO, ""), ("unlink", errno.EACCES, "+"),
    ("mkdir", errno.ENOSPC, ""), ("mkdir", errno.EACCES, "+"),
    ("flock", errno.ENOLCK, "+"),
    ("stat", errno.EIO, ""), ("stat", errno.EACCES, "+"),
    ("opendir", errno.EMFILE, ""), ("opendir", errno.EIO, "+"),
    ("mmap", errno.ENOMEM, ""), ("mmap", errno.ENOMEM, "+"),
    ("statvfs", errno.EIO, ""),
    ("socket", errno.EMFILE, ""), ("socket", errno.EACCES, "+"),
    ("connect", errno.ECONNREFUSED, ""), ("connect", errno.ENETUNREACH, "+"),
    ("send", errno.ECONNRESET, ""), ("send", SHORT, "+"),
    ("recv", errno.ECONNRESET, ""), ("recv", errno.ECONNRESET, "+"), ("recv", SHORT, "+"),
    ("poll", errno.EINTR, ""), ("poll", errno.ENOMEM, ""),
    ("thread", errno.EAGAIN, ""), ("thread", errno.EAGAIN, "+"),
    ("spawn", errno.EAGAIN, ""),
]


def name_of(failure):
    name, number, on = failure
    return f"{name}-{errno.errorcode.get(number, 'SHORT')}{'-on' if on else ''}"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A server that has the whole corpus. → (its address, a token)"""
    folder = tmp_path_factory.mktemp("published")
    with Server(folder / "data") as server:
        token = server.token()
        with Maker(folder / "maker", VERSION, url=server.url, token=token) as maker:
            assert maker.push()["published"] == len(known())
        yield server.url, token


def known():
    """Package → UUID."""
    modules = [ji_file.parse(path.read_bytes()).modules[0] for path in caches(VERSION)]
    return {module.name: module.uuid for module in modules}


# ---- what must be true afterwards


def loaded(machine):
    """Packages that Julia loads, after it was found that it has nothing to reject."""
    names = set()
    for name, uuid in known().items():
        path, rejected = machine.session().load(name, uuid)
        assert not rejected, f"{name}: {rejected}"
        names |= {name} if path else set()
    return names


def leftovers(machine):
    """Files that are of no use to anybody. Where no lock could be had, an empty one of Julia's kind isn't there either."""
    files = [path for path in machine.depot.glob("compiled/**/*") if path.is_file()]
    images = [path for path in files if path.suffix == ".so" and not path.with_suffix(".ji").exists()]
    return [path for path in files if path.name.startswith(".jicache-tmp") or path.name.endswith(".pidfile")] + images


def age(machine):
    """Make all that is left over look a day old. A lock whose holder died is taken over after ten seconds."""
    for path in leftovers(machine):
        os.utime(path, (time.time() - 2 * DAY_S,) * 2)


def assert_sane(done, statuses=(0, 1)):
    """Ended by itself, with a status of docs/cli.md, and with a sentence when it failed."""
    output = done.stdout + done.stderr
    assert "Sanitizer" not in output and "runtime error" not in output and "assert" not in output.lower(), output[-4000:]
    assert done.returncode in statuses, f"status {done.returncode}\n{output[-4000:]}"
    assert done.returncode == 0 or re.search(r"^jicache: \S.* \S", done.stderr, re.M), output[-4000:]


def assert_told(done, machine):
    """A report that claims success names whatever Julia would not load."""
    if done.returncode:
        return
    report = json.loads(done.stdout)
    told = [report["warnings"]] + [report.get(key) for key in ("unusable", "missing_packages", "skipped_packages", "failed_packages")]
    assert any(told) or loaded(machine) == set(known()), report


def assert_recovers(machine):
    """A pull that nobody disturbs completes, and what was left over goes in time."""
    machine.extra = {}
    age(machine)
    report = machine.pull()
    assert loaded(machine) == set(known()), json.dumps(report, indent=1)
    age(machine)
    machine.jicache("gc")
    assert leftovers(machine) == []
    assert loaded(machine) == set(known())


# ---- pull


def user(folder, published):
    return CorpusMachine(folder, VERSION, url=published[0])


def disturb(machine, under=None, **settings):
    machine.extra = preload(under or machine.folder, program="jicache", **settings)


@pytest.fixture(scope="module")
def pull_calls(published, tmp_path_factory):
    """How often an undisturbed pull makes each call."""
    folder = tmp_path_factory.mktemp("traced")
    machine = user(folder / "machine", published)
    disturb(machine, trace=folder / "trace")
    assert machine.pull()["fetched"] == len(known())
    return calls_in(folder / "trace")


@pytest.mark.parametrize("failure", FAILURES, ids=name_of)
def test_a_pull_whose_calls_fail_leaves_nothing_half_done(published, pull_calls, tmp_path, chance, failure):
    name, number, on = failure
    assert pull_calls[name] > 0, "a pull never makes this call: the test would test nothing"
    for nth in moments(pull_calls[name], chance):
        machine = user(tmp_path / f"try-{nth}", published)
        disturb(machine, fail=f"{name}:{number}:{nth}{on}")
        done = machine.jicache("pull", "--json", status=None)
        assert_sane(done)
        assert_told(done, machine)
        assert name == "unlink" or leftovers(machine) == []
        assert_recovers(machine)
        shutil.rmtree(machine.folder)


def test_a_pull_that_runs_out_of_memory_leaves_nothing_half_done(published, tmp_path, chance):
    machine = user(tmp_path / "traced", published)
    disturb(machine, trace=tmp_path / "trace", memory=1)
    machine.pull()
    for nth in moments(calls_in(tmp_path / "trace")["malloc"], chance):
        machine = user(tmp_path / f"try-{nth}", published)
        disturb(machine, fail=f"malloc:{errno.ENOMEM}:{nth}", memory=1)
        assert_sane(machine.jicache("pull", "--json", status=None))
        assert leftovers(machine) == []
        assert_recovers(machine)
        shutil.rmtree(machine.folder)


def test_a_pull_that_is_killed_leaves_nothing_that_julia_could_take(published, tmp_path, chance):
    undisturbed = user(tmp_path / "undisturbed", published)
    start = time.monotonic()
    undisturbed.pull()
    takes_s = time.monotonic() - start
    for n in range(5 * (len(moments(1000, chance)))):
        machine = user(tmp_path / f"try-{n}", published)
        process = machine.start(machine.command("pull"))
        time.sleep(chance.uniform(0, takes_s))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        loaded(machine)
        assert_recovers(machine)
        shutil.rmtree(machine.folder)


# ---- what else there is


class Command:
    """One command on a machine that has pulled everything: made, disturbed, judged."""

    def __init__(self, *words, statuses=(0, 1)):
        self.words, self.statuses = words, statuses

    def stage(self, folder, published):
        machine = user(folder, published)
        machine.token = published[1]
        machine.pull()
        return machine

    def act(self, machine, **settings):
        disturb(machine, **settings)
        done = machine.jicache(*self.words, status=None)
        assert_sane(done, self.statuses)
        return done

    def judge(self, machine, done, name):
        assert_recovers(machine)


class Run(Command):
    """Whatever fails, the command runs, unless nothing can: that is 126, as of a shell."""

    def __init__(self, *words):
        super().__init__(*words, statuses=(0, 126))

    def judge(self, machine, done, name):
        if name != "spawn":
            assert done.returncode == 0 and "it ran" in done.stdout, done.stdout + done.stderr
        super().judge(machine, done, name)


class Fresh(Run):
    """On a machine that has nothing yet."""

    def stage(self, folder, published):
        machine = super().stage(folder, published)
        shutil.rmtree(machine.depot / "compiled")
        shutil.rmtree(machine.home)
        machine.home.mkdir()
        return machine


class Collect(Command):
    """Something to remove: what an interrupted pull left, and, as there is no room, all the rest."""

    def stage(self, folder, published):
        machine = super().stage(folder, published)
        image = next(machine.depot.glob("compiled/v*/*/*.so"))
        orphan = image.stem[:-1] + ("b" if image.stem[-1] == "a" else "a")
        for name in (".jicache-tmp-1-1", f"{orphan}.so", f"{image.stem}.ji.pidfile"):
            image.with_name(name).write_text("left over")
        age(machine)
        return machine

    def judge(self, machine, done, name):
        """Dependents went before what they depend on: Julia has nothing to reject in what stayed."""
        loaded(machine)
        super().judge(machine, done, name)


COMMANDS = {
    "run": Run("run", "--", "echo", "it ran"),
    "first-run": Fresh("run", "--", "echo", "it ran"),
    "precompile": Command("precompile"),
    "gc": Collect("gc", "--max-size", "1"),
    "verify": Command("verify"),
    "status": Command("status"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_whose_calls_fail_says_so_and_does_no_harm(published, tmp_path, chance, name):
    command = COMMANDS[name]
    machine = command.stage(tmp_path / "traced", published)
    command.act(machine, trace=tmp_path / "trace")
    assert leftovers(machine) == []
    calls = calls_in(tmp_path / "trace")
    assert calls["open"] and calls["stat"]
    for failure in FAILURES:
        call, number, on = failure
        for nth in moments(calls[call], chance):
            machine = command.stage(tmp_path / f"{name_of(failure)}-{nth}", published)
            done = command.act(machine, fail=f"{call}:{number}:{nth}{on}")
            command.judge(machine, done, call)
            shutil.rmtree(machine.folder)


def publish(folder, **settings):
    """Publish the corpus on a server of its own with calls that fail, then without. → how often each call was made"""
    with Server(folder / "data") as server, Maker(folder / "maker", VERSION, url=server.url, token=server.token()) as maker:
        disturb(maker, under=maker.place, **settings)
        done = maker.jicache("push", "--json", status=None)
        assert_sane(done)
        maker.extra = {}
        report = maker.push()
        assert report["published"] + report["existing"] == len(known()), report
        if done.returncode == 0:
            first = json.loads(done.stdout)
            assert first["published"] == first["local"] or first["warnings"] or first.get("refused"), first
        assert_clean(folder / "data")
        user_machine = user(folder / "user", (server.url, None))
        user_machine.pull()
        assert loaded(user_machine) == set(known())


def test_a_push_whose_calls_fail_publishes_whole_sets_or_nothing(tmp_path, chance):
    publish(tmp_path / "traced", trace=tmp_path / "trace")
    calls = calls_in(tmp_path / "trace")
    for failure in FAILURES:
        call, number, on = failure
        for nth in moments(calls[call], chance):
            folder = tmp_path / f"{name_of(failure)}-{nth}"
            publish(folder, fail=f"{call}:{number}:{nth}{on}")
            shutil.rmtree(folder)
