"""The server is killed (SIGKILL) at random points of pushes and pulls, fifty times: what was acknowledged is there, what is
there is coherent, and Julia never fails."""

import json
import os
import random
import time

import pytest
from processes import Server

PUSHES, PULLS = 25, 25


@pytest.fixture(scope="module")
def chance():
    seed = int(os.environ.get("JICACHE_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"JICACHE_TEST_SEED={seed}")
    return random.Random(seed)


def started(one, *words):
    return one.start(one.command(*words))


def duration(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def killed_during(server, process, delay_s):
    """(exit status, standard output) of a client whose server died after delay_s."""
    time.sleep(delay_s)
    server.kill()
    out, err = process.communicate(timeout=120)
    assert "Sanitizer" not in err, err
    return process.returncode, out


def check_store(server, one, small, acknowledged):
    """One transaction: the set is there or it isn't; when it was acknowledged it is. What is there, Julia loads."""
    pulled = one.pull()
    assert pulled["fetched"] in (0, pulled["packages"])
    if acknowledged:
        assert pulled["missing"] == 0
    if pulled["missing"] == 0:
        loading = one.load(small)
        loading.assert_loaded(small)
        loading.assert_nothing_compiled()


def fresh_server(folder, producer):
    server = Server(folder).start()
    producer.url, producer.token = server.url, server.token()
    return server


def test_a_server_killed_while_taking_a_push_keeps_what_it_acknowledged(machine, small, tmp_path, chance):
    producer = machine().install(small)
    producer.load(small).assert_loaded(small)
    whole = fresh_server(tmp_path / "whole", producer)
    producer.jicache("key")  # what the first run asks of Julia is no part of a push
    took_s = duration(producer.push)
    whole.kill()

    stores, acknowledged, outcomes = 0, True, []
    for _ in range(PUSHES):
        if acknowledged:  # else the next push meets what the killed one left
            stores += 1
            server = fresh_server(tmp_path / f"server-{stores}", producer)
        status, out = killed_during(server, started(producer, "push", "--json"), chance.uniform(0.1, 1.3) * took_s)
        assert status in (0, 1)
        report = json.loads(out) if status == 0 else {}
        acknowledged = report.get("published", 0) + report.get("existing", 0) > 0
        outcomes.append(acknowledged)
        server.start(wait_s=5)
        check_store(server, machine(server.url).install(small), small, acknowledged)
        if acknowledged:
            server.kill()
    server.kill()
    print(f"{outcomes.count(True)} pushes were acknowledged, {outcomes.count(False)} were not")
    assert {True, False} == set(outcomes), "every kill came too early or too late"


def test_julia_runs_when_the_server_is_killed_during_a_pull(published_small, small_server, machine, small, chance):
    took_s = duration(lambda: machine(small_server.url).install(small).pull("--require"))
    for _ in range(PULLS):
        one = machine(small_server.url).install(small)
        one.jicache("key")
        before = one.caches()
        status, _ = killed_during(small_server, started(one, "pull"), chance.uniform(0, took_s))
        assert status == 0
        assert all(path.suffix in (".ji", ".so") for path in one.caches() - before)
        loading = one.run_load(small)
        loading.assert_loaded(small)
        assert loading.rejected == []
        small_server.start(wait_s=5)
    whole = machine(small_server.url).install(small)
    whole.pull("--require")
    assert whole.load(small).made == published_small.loading.made
