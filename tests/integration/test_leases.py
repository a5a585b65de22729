"""Leases over HTTP: granted, held, stored, renewed, ended; whose lanes they are in the way of, and who may."""

import json
import threading

import pytest
from conftest import admin, make_token
from processes import wait_until
from test_http_errors import refused
from test_http_isolation import BASE, MID, Actor
from test_http_publish import SYSIMAGE, artefact, runtime_id

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
LONG = 600  # seconds: longer than any test


def body(*keys, seconds=LONG, lane=None, **more):
    made = {"runtime": runtime_id(), "sysimage": SYSIMAGE, "keys": list(keys), "seconds": seconds, **more}
    return {**made, "lane": lane} if lane else made


class Machine(Actor):
    """One that compiles: with a token of its own, in one lane."""

    def __init__(self, api, name, lane="main", can="read,write"):
        super().__init__(api, name, lane, can)
        self.lane = lane

    def lease(self, *keys, **more):
        return self.api.request("POST", "/v1/leases", body(*keys, **{"lane": self.lane, **more}), token=self.token,
                                valid=True)

    def takes(self, *keys, **more):
        answer = self.lease(*keys, **more).json
        assert answer["state"] == "granted", answer
        return answer

    def state(self, *keys, **more):
        return self.lease(*keys, **more).json["state"]

    def renew(self, lease, seconds=LONG, lane=None):
        return self.api.request("POST", "/v1/leases", {"lease": lease, "seconds": seconds, "lane": lane or self.lane},
                                token=self.token, valid=True)

    def end(self, lease):
        return self.api.request("DELETE", f"/v1/leases/{lease}", token=self.token)


@pytest.fixture
def world(start):
    api = start("--require-token")
    for name, parent in [("pr/7", "main"), ("pr/8", "main"), ("secret", None)]:
        admin(api.server, "lane", "create", "--name", name, *(["--parent", parent] if parent else []))
    return api


@pytest.fixture
def one(world):
    return Machine(world, "one")


@pytest.fixture
def two(world):
    return Machine(world, "two")


# ---- one lane

def test_what_one_holds_another_waits_for(one, two):
    granted = one.takes(A, B)
    assert granted["keys"] == [A, B] and granted["seconds"] == LONG and len(granted["lease"]) == 64
    held = two.lease(B, C).json
    assert (held["state"], held["keys"], held["by"]) == ("held", [B], "one")
    assert 0 < held["seconds"] <= LONG
    assert granted["lease"] not in json.dumps(held)
    two.takes(C)


def test_a_set_is_granted_whole_or_not_at_all(one, two):
    one.takes(B)
    assert two.state(A, B) == "held"
    Machine(one.api, "three").takes(A)


def test_of_many_that_ask_at_once_one_gets_it(world):
    machines = [Machine(world, f"m{i}") for i in range(8)]
    together, states = threading.Barrier(len(machines)), []

    def ask(machine):
        together.wait()
        states.append(machine.state(A, B))

    threads = [threading.Thread(target=ask, args=[machine]) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["granted"] + ["held"] * (len(machines) - 1)


def test_what_is_given_back_is_free_at_once(one, two):
    lease = one.takes(A)["lease"]
    assert one.end(lease).status == 204
    refused(one.end(lease), 404, "not-found", "it has ended")
    two.takes(A)


def test_what_is_not_renewed_ends_by_itself(one, two):
    lease = one.takes(A, seconds=1)["lease"]
    wait_until(lambda: two.state(A) == "granted", what="the lease ends")
    refused(one.renew(lease), 404, "not-found", "it has ended")
    refused(one.end(lease), 404, "not-found")


def test_what_is_renewed_goes_on(one, two):
    granted = one.takes(A, seconds=2)
    again = one.renew(granted["lease"]).json
    assert again == {**granted, "seconds": LONG}
    assert two.lease(A).json["seconds"] > 2


def test_another_runtime_or_system_image_is_another_artefact(one, two):
    one.takes(A)
    assert two.state(A, sysimage="d" * 64) == "granted"
    assert two.state(A, runtime=runtime_id()[:-64] + "e" * 64) == "granted"
    assert two.state(A) == "held"


def test_a_lease_is_of_no_use_to_who_does_not_know_it(one, two):
    lease = one.takes(A)["lease"]
    guess = lease[:-1] + ("0" if lease[-1] != "0" else "1")
    refused(two.renew(guess), 404, "not-found")
    refused(two.end(guess), 404, "not-found")
    assert two.state(A) == "held"


# ---- what is stored

def test_what_was_published_meanwhile_is_stored(one, two):
    base, _, _ = artefact(one, *BASE)
    mid, _, _ = artefact(one, *MID, deps=[base["key"]])
    lease = one.takes(base["key"], mid["key"])["lease"]
    assert two.state(base["key"]) == "held"
    assert one.publish(base, lane="main").status == 200
    assert two.state(base["key"]) == "stored", "published, though the lease is still there"
    assert two.state(base["key"], mid["key"]) == "held"
    assert one.renew(lease).json["keys"] == [mid["key"]]
    assert one.publish(mid, lane="main").status == 200
    assert one.renew(lease).json == {"state": "stored"}
    refused(one.end(lease), 404, "not-found")
    assert two.lease(base["key"], mid["key"]).json == {"state": "stored"}
    assert two.takes(base["key"], A)["keys"] == [A], "those that are not stored"


def test_what_a_parent_has_is_stored_for_a_child_and_not_the_other_way_round(world):
    above, below = Machine(world, "above"), Machine(world, "below", "pr/7")
    base, _, _ = artefact(below, *BASE)
    assert below.publish(base, lane="pr/7").status == 200
    assert below.state(base["key"]) == "stored"
    above.takes(base["key"])
    base, _, _ = artefact(above, *BASE)
    assert above.publish(base, lane="main").status == 200
    assert Machine(world, "beside", "pr/8").state(base["key"]) == "stored"


# ---- lanes

def test_a_pull_request_makes_nobody_above_or_beside_it_wait(world):
    pull_request = Machine(world, "pull-request", "pr/7")
    pull_request.takes(A, B)
    main, beside = Machine(world, "main"), Machine(world, "beside", "pr/8")
    for machine in main, beside:
        assert machine.lease(A, seconds=0).json == {"state": "free", "keys": [A]}
    granted = main.takes(A)
    assert "pull-request" not in json.dumps(granted)
    assert beside.lease(A).json["by"] == "main", "what main compiles is compiled for those below"


def test_what_main_compiles_those_below_wait_for_but_what_they_hold_they_keep(world):
    main, below = Machine(world, "main"), Machine(world, "below", "pr/7")
    lease = below.takes(A)["lease"]
    main.takes(A, B)
    assert below.renew(lease).json["state"] == "granted"
    assert below.state(B) == "held"


def test_a_lane_beside_learns_nothing(world):
    Machine(world, "insider", "secret").takes(A)
    assert Machine(world, "stranger", "pr/7").state(A, seconds=0) == "free"


def test_lanes_are_made_by_leasing_in_them_as_by_publishing(world):
    token = make_token(world.server, "ci", "read,write", "--lanes", "pr/*", "--lane-parent", "main")
    ci = Machine(world, "plain", "pr/*")
    ci.lane = "pr/99"
    refused(ci.lease(A), 404, "not-found")
    ci.token = token
    ci.takes(A)
    assert "pr/99" in admin(world.server, "lane", "list").stdout


def test_leases_go_with_their_lane(world):
    below = Machine(world, "below", "pr/7")
    lease = below.takes(A)["lease"]
    admin(world.server, "lane", "drop", "--name", "pr/7")
    refused(below.renew(lease), 404, "not-found")
    refused(below.end(lease), 404, "not-found")


# ---- who may

def test_who_may_only_read_asks_and_takes_nothing(world, one):
    reader = Machine(world, "reader", "main", can="read")
    assert reader.lease(A, seconds=0).json == {"state": "free", "keys": [A]}
    refused(reader.lease(A), 403, "forbidden")
    lease = one.takes(A)["lease"]
    assert reader.lease(A, seconds=0).json["by"] == "one"
    refused(reader.renew(lease), 403, "forbidden")
    refused(reader.end(lease), 403, "forbidden")
    assert one.renew(lease).status == 200


def test_who_may_write_elsewhere_only_takes_nothing_here(world, one):
    lease = one.takes(A)["lease"]
    stranger = Machine(world, "stranger", "pr/7")
    refused(stranger.lease(A, lane="main"), 403, "forbidden")
    refused(stranger.renew(lease, lane="main"), 403, "forbidden")
    refused(stranger.renew(lease), 404, "not-found")
    refused(stranger.end(lease), 403, "forbidden")
    refused(world.post("/v1/leases", body(A)), 401, "unauthenticated")
    refused(world.request("DELETE", f"/v1/leases/{lease}"), 401, "unauthenticated")


def test_without_a_token_this_machine_may_ask(start):
    api = start()
    assert api.post("/v1/leases", body(A, seconds=0)).json["state"] == "free"
    refused(api.post("/v1/leases", body(A)), 403, "forbidden")


# ---- limits

def test_terms_are_limited(start):
    one = Machine(start("--lease-term-max", "30s"), "one")
    granted = one.takes(A)
    assert granted["seconds"] == 30 and one.renew(granted["lease"]).json["seconds"] == 30
    refused(one.renew(granted["lease"], seconds=0), 400, "bad-request", "seconds")


def test_renewing_does_not_go_on_for_ever(start):
    api = start("--lease-age-max", "2s")
    one, two = Machine(api, "one"), Machine(api, "two")
    granted = one.takes(A)
    assert granted["seconds"] <= 2
    wait_until(lambda: one.renew(granted["lease"]).status == 404, what="the lease is too old to be renewed")
    two.takes(A)


def test_a_writer_holds_only_so_many(start):
    api = start("--leases-per-writer-max", "2")
    one, two = Machine(api, "one"), Machine(api, "two")
    first = one.takes(A)["lease"]
    one.takes(B)
    answer = refused(one.lease(C), 429, "rate-limited", "leases at a time")
    assert int(answer.headers["Retry-After"]) > 0
    two.takes(C)
    assert one.renew(first).status == 200
    one.end(first)
    one.takes(A)


def test_there_are_as_many_keys_as_in_a_resolve(start):
    one = Machine(start("--keys-max", "3"), "one")
    refused(one.lease(*(f"{i:064x}" for i in range(4))), 413, "too-large", "at most 3 keys")
    one.takes(*(f"{i:064x}" for i in range(3)))


@pytest.mark.parametrize("change, text", [
    ({"seconds": None}, "seconds"), ({"seconds": -1}, "seconds"), ({"seconds": 604801}, "seconds"), ({"keys": ["x"]}, "keys[0]"),
    ({"keys": None}, "keys"), ({"runtime": "x"}, "runtime"), ({"sysimage": "x"}, "sysimage"), ({"lease": "x"}, "lease"),
    ({"lane": "../x"}, "lane")])
def test_what_is_malformed_is_refused(api, change, text):
    made = {key: value for key, value in {**body(A), **change}.items() if value is not None}
    answer = api.post("/v1/leases", made, token=api.token)
    assert answer.status in (400, 413) and text in answer.json["detail"], answer.body


def test_answers_are_counted_and_ids_are_not_told(start):
    api = start()
    one = Machine(api, "one")
    lease = one.takes(A)["lease"]
    assert one.state(A) == "held"
    text = api.get("/metrics").body.decode()
    assert 'jicached_leases_total{state="granted"} 1' in text and 'jicached_leases_total{state="held"} 1' in text
    assert lease not in text
