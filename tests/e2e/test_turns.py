"""Machines that start together compile each package once: `jicache precompile` and JICache.precompile() with leases."""

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import urllib.request

import pytest
from processes import ROOT, Server, bin_dir, default_signals, wait_until
from proxy import Proxy
from scene import Scene

TERM_S = 3  # of leases, where a test waits for one to end
WAITS = re.compile(r"jicache: waiting for (\d+) packages? that (\S+) compiles; at most (?:10 min|\d+ s)(?:, --wait 0 doesn't)?\n")


def compiles(seconds):
    """In a package: says that it is being compiled, and takes its time."""
    return f'write(joinpath(ENV["MARKS"], "compiling"), "")\nsleep(parse(Float64, get(ENV, "SLOW", "{seconds}")))\n'


def write(one, tops=("Top",), base="work", broken=False):
    """Each of `tops` needs Low, which compiles slowly."""
    s = Scene(one, base)
    s.package("Low", body=compiles(4))
    for top in tops:
        s.package(top, deps=["Low"])
    if broken:
        s.package("Bad", body='write(joinpath(ENV["MARKS"], "bad"), "")\nsleep(3)\nerror("broken on purpose")')
    s.project("project", [*tops, "Low", *(["Bad"] if broken else [])])
    marks = one.folder / "marks"
    marks.mkdir()
    one.extra["MARKS"] = str(marks)
    return one


def is_compiling(one):
    return (one.folder / "marks/compiling").exists


def own(one):
    """Packages that this machine's Julia has compiled, each as often as it has; jicache's files have longer names."""
    found = [path for path in one.caches() if path.suffix == ".ji" and path.parent.name in ("Low", "Top", "Other", "Bad")]
    return sorted(path.parent.name for path in found if not re.search(r"_0\w{10}\.ji$", path.name))


class Running:
    """`jicache precompile` on a machine, in a session of its own, with what it says so far."""

    def __init__(self, one, *arguments):
        self.one, self.lines = one, []
        self.process = subprocess.Popen([str(word) for word in one.command("precompile", *arguments)], env=one.env(),
                                        cwd=one.folder, text=True, errors="replace", stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                                        preexec_fn=default_signals)
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()

    @property
    def said(self):
        return "".join(self.lines)

    def waits(self):
        return WAITS.search(self.said)

    def end(self, status=0):
        assert self.process.wait(timeout=600) == status, self.said
        self.reader.join()
        assert "Sanitizer" not in self.said, self.said
        return self

    def kill(self):
        """The machine is gone: nothing is given back."""
        self.clear()
        self.end(-signal.SIGKILL)

    def clear(self):
        """End what is left of it: a Julia that is ended leaves those behind that compile for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def is_complete(one):
    report = one.report("status")
    return report["local"] == len(report["nodes"])


def counted(server, name):
    """A sample of the server's metrics."""
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        return int(re.search(rf"^{re.escape(name)} (\d+)$", answer.read().decode(), re.M)[1])


def state_of(server, one, name):
    """What the server answers to who asks for a package's lease without taking it."""
    report = one.report("key")
    key, = [node["key"] for node in report["nodes"] if node["name"] == name]
    body = {"runtime": report["runtime"]["id"], "sysimage": report["sysimage"], "keys": [key], "seconds": 0}
    request = urllib.request.Request(f"{server.url}/v1/leases", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["state"]


@pytest.fixture
def leases(tmp_path):
    """A server whose leases are short."""
    with Server(tmp_path / "server", "--lease-term-max", f"{TERM_S}s") as running:
        yield running


# ---- all goes well

def test_of_three_that_start_at_the_same_instant_each_package_is_compiled_by_one(server, machine):
    machines = [write(machine(server.url, server.token(f"ci-{i}"))) for i in range(3)]
    for one in machines:
        one.jicache("key")
    runs = [Running(one) for one in machines]
    for run in runs:
        run.end()
    assert sorted(name for one in machines for name in own(one)) == ["Low", "Top"], [run.said for run in runs]
    assert all(is_complete(one) for one in machines)
    assert sum("superseded" in run.said for run in runs) == 0
    waiting = [run.waits() for run in runs if run.waits()]
    assert len(waiting) == 2 and all(found[1] == "2" and found[2].startswith("ci-") for found in waiting)
    counts = [int(count) for run in runs for count in re.findall(r"(\d+) published", run.said)]
    assert sum(counts) == len(machines[0].report("status")["nodes"]) == counted(server, "jicached_published_artefacts_total")
    assert counted(server, 'jicached_leases_total{state="granted"}') == 1


def test_who_comes_later_waits_only_for_what_both_need(server, machine):
    one = write(machine(server.url, server.token("first")), tops=["Top"])
    two = write(machine(server.url, server.token("second")), tops=["Other"])
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    second = Running(two)
    wait_until(second.waits, timeout_s=120, what="the second waits")
    assert second.waits()[1] == "1" and second.waits()[2] == "first"
    first.end()
    second.end()
    assert own(one) == ["Low", "Top"] and own(two) == ["Other"]
    assert is_complete(one) and is_complete(two)


def test_a_machine_that_may_only_read_waits_and_fetches(server, machine):
    one, two = write(machine(server.url, server.token("first"))), write(machine(server.url))
    reader = write(machine(server.url, server.token("reader", can="read")))
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    others = [Running(two), Running(reader)]
    for run in [first, *others]:
        run.end()
    assert [own(two), own(reader)] == [[], []] and is_complete(two) and is_complete(reader)
    assert all(run.waits() for run in others)


def test_a_machine_that_may_only_read_compiles_when_nobody_else_does(server, machine):
    for token in None, server.token("reader", can="read"):
        one = write(machine(server.url, token))
        one.extra["SLOW"] = "0"
        run = Running(one).end()
        assert own(one) == ["Low", "Top"] and not run.waits()


def test_julias_that_precompile_by_jicache_take_turns_too(server, machine):
    machines = [write(machine(server.url, server.token(f"ci-{i}"))) for i in range(2)]
    code = f'push!(LOAD_PATH, "{ROOT}/client/julia/JICache"); using JICache; pop!(LOAD_PATH); JICache.precompile()'
    runs = []
    for one in machines:
        one.extra.update(JICACHE_PROGRAM=str(bin_dir() / "jicache"))
        runs.append(one.start(one.julia_command("-e", code)))
    said = [run.communicate(timeout=600)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sorted(name for one in machines for name in own(one)) == ["Low", "Top"], said
    assert sum(bool(WAITS.search(text)) for text in said) == 1, said
    assert all(is_complete(one) for one in machines)


# ---- and when it doesn't

def test_a_holder_that_dies_is_taken_over(leases, machine):
    one, two = (write(machine(leases.url, leases.token(name))) for name in ("first", "second"))
    one.extra["SLOW"] = "120"
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    two.extra["SLOW"] = "0"
    second = Running(two)
    wait_until(second.waits, timeout_s=120, what="the second waits")
    first.kill()
    second.end()
    assert own(two) == ["Low", "Top"] and is_complete(two)
    assert "published" in second.said


def test_a_lease_goes_on_for_longer_than_its_term(leases, machine):
    one, two = (write(machine(leases.url, leases.token(name))) for name in ("first", "second"))
    one.extra["SLOW"] = str(4 * TERM_S)
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    second = Running(two)
    first.end()
    second.end()
    assert own(one) == ["Low", "Top"] and own(two) == []


def test_a_holder_that_is_ended_gives_it_back(server, machine):
    """The server's leases last for a minute: the second would wait for longer than this test does."""
    one, two = (write(machine(server.url, server.token(name))) for name in ("first", "second"))
    one.extra["SLOW"] = "120"
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    os.kill(first.process.pid, signal.SIGTERM)
    assert first.process.wait(timeout=600) == -signal.SIGTERM, first.said
    first.clear()  # what Julia had started would sleep on
    first.end(-signal.SIGTERM)
    two.extra["SLOW"] = "0"
    second = Running(two).end()
    assert not second.waits() and own(two) == ["Low", "Top"]


def test_what_a_holder_could_not_publish_is_not_waited_for_again(server, machine):
    one, two = (write(machine(server.url, server.token(name)), broken=True) for name in ("first", "second"))
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    second = Running(two)
    wait_until(second.waits, timeout_s=120, what="the second waits")
    first.end()
    wait_until((two.folder / "marks/bad").exists, timeout_s=120, what="the second tries it")
    assert state_of(server, two, "Bad") == "free", "it has given back what it was granted"
    second.end()
    assert own(one) == ["Low", "Top"] and own(two) == []
    assert "Bad" in first.said and "Bad" in second.said.splitlines()[-1]


def test_waiting_has_an_end(server, machine):
    one, two = (write(machine(server.url, server.token(name))) for name in ("first", "second"))
    one.extra["SLOW"] = "120"
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    two.extra["SLOW"] = "0"
    second = Running(two, "--wait", "1s").end()
    assert second.waits() and own(two) == ["Low", "Top"] and first.process.poll() is None
    first.kill()


def test_without_waiting_there_are_no_leases(server, machine):
    machines = [write(machine(server.url, server.token(f"ci-{i}"))) for i in range(2)]
    runs = [Running(one, "--wait", "0") for one in machines]
    for run in runs:
        run.end()
        assert not run.waits()
    assert [own(one) for one in machines] == [["Low", "Top"]] * 2
    assert all(is_complete(one) for one in machines)
    log = server.stop() or "".join(server.output)
    assert "/v1/leases" not in log and "/v1/publish" in log


def test_a_server_that_dies_keeps_nobody_waiting(server, machine):
    one, two = (write(machine(server.url, server.token(name))) for name in ("first", "second"))
    first = Running(one)
    wait_until(is_compiling(one), timeout_s=120, what="the first compiles")
    two.extra["SLOW"] = "0"
    second = Running(two)
    wait_until(second.waits, timeout_s=120, what="the second waits")
    server.kill()
    for run in first, second:
        run.end()
    assert own(one) == own(two) == ["Low", "Top"]


@pytest.mark.parametrize("status, body", [(404, b'{"status":404,"code":"not-found","detail":"no such thing","request_id":"1-1"}'),
                                          (405, b""), (500, b"oops"), (200, b"what?"), (200, b'{"state":"maybe"}')])
def test_a_server_that_knows_no_leases_is_as_good_as_before(server, machine, status, body):
    with without_leases(server, status, body) as url:
        one = write(machine(url))
        one.extra["SLOW"] = "0"
        run = Running(one).end()
    assert own(one) == ["Low", "Top"] and is_complete(one) and not run.waits(), run.said


@contextlib.contextmanager
def without_leases(server, status, body):
    """The server's address, behind something that answers to leases as it likes."""
    with Proxy(server.url) as proxy:
        forward = proxy.server.RequestHandlerClass

        class Handler(forward):
            def do_POST(self):
                if self.path != "/v1/leases":
                    return self.forward()
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

        assert issubclass(forward, http.server.BaseHTTPRequestHandler)
        proxy.server.RequestHandlerClass = Handler
        yield proxy.url
