"""jicache beside Julias and beside itself on one depot: lock files, several at once, Julia's limit of files for each package."""

import os
import re
import signal
import socket
import threading
import time

import pytest
from processes import wait_until
from scene import load, run_load, Scene

# A source file of so many bytes makes a .ji that takes its time to be written.
LARGE = 60_000_000


def slow(s, seconds):
    """Top needs Low; compiling Low takes so long."""
    s.package("Low", body=f'sleep(parse(Float64, get(ENV, "SLOW", "{seconds}")))')
    s.package("Top", deps=["Low"])
    s.project("project", ["Top", "Low"])
    return ["Top"]


def pidfiles(one, name):
    return list((one.depot / "compiled").glob(f"*/{name}/*.pidfile"))


@pytest.mark.since(1, 10)
def test_a_pull_waits_for_a_julia_that_compiles(machines):
    """What Julia is compiling is left to it; what was fetched then loads, and so does what it compiled."""
    shared = machines(lambda s: slow(s, 0)).publish()
    two = shared.two
    two.jicache("key")
    compiling = two.start(two.julia_command("-e", "using Top"), SLOW="20")
    wait_until(lambda: pidfiles(two, "Low"), timeout_s=60, what="Julia compiles Low")
    report = two.pull()
    assert compiling.poll() is None, "the pull waited to the end of a long compilation"
    assert report["missing"] == report["packages"], report
    out, err = compiling.communicate(timeout=120)
    assert compiling.returncode == 0, err
    loading = load(two, ["Top"])
    loading.assert_nothing_compiled()
    # Afterwards there is nobody to wait for, and the published set is placed whole.
    two.pull("--require")
    loading = load(two, ["Top"])
    loading.assert_nothing_compiled()


@pytest.mark.since(1, 10)
def test_a_short_compilation_is_waited_for_and_what_is_fetched_is_tried_first(machines):
    shared = machines(lambda s: slow(s, 0)).publish()
    two = shared.two
    compiling = two.start(two.julia_command("-e", "using Top"), SLOW="1")
    wait_until(lambda: pidfiles(two, "Low"), timeout_s=60, what="Julia compiles Low")
    two.pull()
    compiling.communicate(timeout=120)
    two.pull()
    loading = load(two, ["Top"])
    loading.assert_nothing_compiled()


@pytest.mark.since(1, 10)
def test_a_julia_waits_for_a_pull_that_places(machines):
    """The pull is stopped while it holds Julia's lock; a Julia that wants the package waits, then loads what was placed."""
    def write(s):
        s.package("Low", files={"src/much.jl": "# " + "x" * 98 + "\n" + ("#" + "y" * 98 + "\n") * (LARGE // 100)}, body='include("much.jl")')
        s.project("project", ["Low"])
        return ["Low"]

    shared = machines(write).publish()
    two = shared.two
    pulling = two.start(two.command("pull"))
    deadline = time.monotonic() + 60
    while not pidfiles(two, "Low"):
        assert time.monotonic() < deadline and pulling.poll() is None, "the lock was never seen"
    pulling.send_signal(signal.SIGSTOP)
    held = pidfiles(two, "Low")
    if not held:
        pulling.send_signal(signal.SIGCONT)
        pulling.communicate(timeout=60)
        pytest.fail("the pull was too quick to be stopped")
    assert held[0].read_text() == f"{pulling.pid} {socket.gethostname()}"
    result = []
    waiting = threading.Thread(target=lambda: result.append(load(two, ["Low"])))
    waiting.start()
    time.sleep(8)
    assert not result, result[0].output
    pulling.send_signal(signal.SIGCONT)
    waiting.join(timeout=120)
    _, err = pulling.communicate(timeout=60)
    assert pulling.returncode == 0, err
    assert result[0].status == 0 and result[0].made == shared.first.made, result[0].output
    assert not [path for path in two.caches() if re.search(r"_\w{5}\.ji$", path.name)]
    assert not pidfiles(two, "Low")


@pytest.mark.since(1, 10)
def test_a_lock_that_its_owner_left_is_taken_over(machines):
    """Of a process that is gone, and older than ten seconds: as Julia judges it."""
    shared = machines(lambda s: slow(s, 0)).publish()
    two = shared.two
    compiling = two.start(two.julia_command("-e", "using Low"), SLOW="30")
    wait_until(lambda: pidfiles(two, "Low"), timeout_s=60, what="Julia compiles Low")
    lock, = pidfiles(two, "Low")
    compiling.kill()
    compiling.communicate()
    old = time.time() - 15
    os.utime(lock, (old, old))
    two.pull("--require")
    assert not lock.exists()
    load(two, ["Top"]).assert_nothing_compiled()


def test_several_pulls_at_once_on_one_depot(small_server, machine, small):
    one = machine(small_server.url).install(small)
    one.jicache("key")
    pulls = [one.start(one.command("pull", "--require")) for _ in range(6)]
    for process in pulls:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0 and "Sanitizer" not in err, err
    assert not [path for path in one.depot.rglob(".jicache-tmp*")]
    assert not [path for path in one.depot.rglob("*.pidfile")]
    loading = one.load(small)
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()


def test_pulls_beside_julias_on_one_depot(small_server, machine, small):
    """Six Julias and six pulls start together on an empty depot: every Julia ends well, and then all is there."""
    one = machine(small_server.url).install(small)
    one.jicache("key")
    names = ", ".join(package.name for package in small.direct)
    started = []
    for _ in range(3):
        started.append(one.start(one.julia_command("-e", f"using {names}")))
        started.append(one.start(one.command("pull")))
    for process in started:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0 and "Sanitizer" not in err, err
    one.pull("--require")
    loading = one.load(small)
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()


@pytest.mark.since(1, 6)
def test_more_projects_than_julia_keeps_files(server, machine):
    """Julia keeps ten files for a package in one directory. Twelve projects have Low with other preferences each."""
    def write(one, base):
        s = Scene(one, base)
        uuid = s.uuid("Low")
        s.package("Low", body=f'const UUID = Base.UUID("{uuid}")\nBase.record_compiletime_preference(UUID, "a")\n'
                              'const ASKED = get(Base.get_preferences(UUID), "a", 0)', value="ASKED")
        for number in range(12):
            s.project(f"project-{number}", ["Low"], text=f"[preferences.Low]\na = {number}\n")
        return s.base

    one, two = machine(server.url, server.token()), machine(server.url)
    one.extra["JULIA_MAX_NUM_PRECOMPILE_FILES"] = "100"
    base, elsewhere = write(one, "work"), write(two, "elsewhere")
    made = []
    for number in range(12):
        one.project = base / f"project-{number}"
        made.append(run_load(one, ["Low"]).made)
    for number in range(12):
        two.project = elsewhere / f"project-{number}"
        two.pull("--require")
    files = [path for path in two.caches() if path.suffix == ".ji"]
    assert len(files) == 12
    stranger = files[0].parent / "jl_Ab12Cd"
    stranger.write_text("a Julia is writing this")
    # One more, which Julia compiles: it removes the oldest.
    s = Scene(two, "elsewhere")
    two.project = elsewhere / "project-0"
    project = two.project / "Project.toml"
    kept = project.read_text()
    project.write_text(kept.replace("a = 0", "a = 99"))
    assert load(two, ["Low"]).compiled == ["Low"]
    project.write_text(kept)
    for number in range(12):
        two.project = s.base / f"project-{number}"
        two.pull("--require")
        loading = load(two, ["Low"])
        loading.assert_nothing_compiled()
        assert loading.made == made[number]
    assert stranger.exists()


def test_an_image_that_is_there_already_is_not_replaced(machines, julia):
    """A Julia may have it mapped, over a network even: only the .ji is written anew."""
    if julia.version < (1, 9):
        pytest.skip("images came with Julia 1.9")
    shared = machines(lambda s: slow(s, 0)).publish().take()
    two = shared.two
    images = {path: path.stat().st_ino for path in two.caches() if path.suffix == ".so"}
    for path in two.caches():
        if path.suffix == ".ji":
            path.unlink()
    shared.take()
    assert images and {path: path.stat().st_ino for path in images} == images
