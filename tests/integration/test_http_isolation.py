"""Lanes as a wall: the writer of a pull request's lane tries to read, to see and to poison what belongs to others.

The stranger's token may read and write pr/7 (below main) and nothing else; `secret` is a lane beside main that is not the
stranger's. Whatever is tried, the answer must be the one that a server would give that never heard of the secret.
"""

import concurrent.futures
import hashlib

import pytest

from conftest import admin, make_token
from test_http_errors import refused
from test_http_publish import SYSIMAGE, artefact, publish_body, runtime, runtime_id
from processes import wait_until

BASE, MID = ("GoldBase", "Ah8jb_uZCRG"), ("GoldMid", "sBuKF_uZCRG")


class Actor:
    """An Api that sends one token with everything."""

    def __init__(self, api, name, lanes, can="read,write"):
        self.api, self.server, self.name = api, api.server, name
        self.token = make_token(api.server, name, can, "--lanes", lanes)

    def get(self, target, **more):
        return self.api.get(target, token=self.token, **more)

    def post(self, target, body):
        return self.api.post(target, body, token=self.token)

    def put_blob(self, content, **more):
        return self.api.put_blob(content, token=self.token, **more)

    def publish(self, *artefacts, lane):
        return self.post("/v1/publish", publish_body(*artefacts, lane=lane))

    def missing(self, *digests):
        return self.post("/v1/blobs/missing", {"digests": list(digests)}).json["missing"]

    def resolve(self, *keys, lane):
        body = {"sysimage": SYSIMAGE, "runtimes": [runtime_id()], "keys": list(keys), "lane": lane}
        return self.post("/v1/resolve", body)

    def keys(self, *keys, lane):
        return {record["key"]: record["lane"] for found in self.resolve(*keys, lane=lane).json["sets"]
                for record in found["records"]}

    def record(self, key, lane, part=""):
        return self.get(f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}/{key}{part}?lane={lane}")


@pytest.fixture
def world(start):
    api = start("--require-token")
    for name, parent in [("pr/7", "main"), ("pr/8", "main"), ("secret", None)]:
        admin(api.server, "lane", "create", "--name", name, *(["--parent", parent] if parent else []))
    return api


@pytest.fixture
def insider(world):
    return Actor(world, "insider", "secret")


@pytest.fixture
def stranger(world):
    return Actor(world, "stranger", "pr/7")


@pytest.fixture
def maintainer(world):
    return Actor(world, "maintainer", "main")


def same(answer, other):
    """Two answers that nobody can tell apart: but for the request's id, and what is said of time."""
    varying = {"x-request-id", "date"}
    def heart(a):
        body = a.body if not a.headers.get("Content-Type", "").endswith("json") else {**a.json, "request_id": ""}
        return a.status, {k: v for k, v in a.headers.items() if k.lower() not in varying}, body
    mine, theirs = heart(answer), heart(other)
    return mine[0] == theirs[0] and str(mine[2]).replace("'", "") == str(theirs[2]).replace("'", "") and \
        set(mine[1]) == set(theirs[1])


# ---- knowing a digest is not enough

def test_a_digest_opens_nothing_that_no_lane_of_mine_refers_to(insider, stranger, maintainer):
    base, ji, image = artefact(insider, *BASE)
    assert insider.publish(base, lane="secret").status == 200
    never = hashlib.sha256(b"never stored").hexdigest()
    for digest in base["ji"], base["image"]:
        for other in stranger, maintainer:
            for headers in {}, {"Accept-Encoding": "zstd"}, {"Range": "bytes=0-0"}, {"If-None-Match": f'"{digest}"'}, \
                    {"If-None-Match": "*"}, {"If-Range": f'"{digest}"', "Range": "bytes=99999999-"}:
                got = other.get(f"/v1/blobs/{digest}", headers=headers)
                assert got.status == 404 and same(got, other.get(f"/v1/blobs/{never}", headers=headers)), headers
            head = other.api.request("HEAD", f"/v1/blobs/{digest}", token=other.token)
            assert head.status == 404
    assert insider.get(f"/v1/blobs/{base['ji']}").body == ji and insider.get(f"/v1/blobs/{base['image']}").body == image
    refused(stranger.api.get(f"/v1/blobs/{base['ji']}"), 401, "unauthenticated")


def test_missing_says_nothing_of_what_others_have(insider, stranger):
    base, _, _ = artefact(insider, *BASE)
    assert insider.missing(base["ji"], base["image"]) == [], "what one has sent oneself need not be sent again"
    assert stranger.missing(base["ji"], base["image"]) == [base["ji"], base["image"]]
    assert insider.publish(base, lane="secret").status == 200
    assert stranger.missing(base["ji"], base["image"]) == [base["ji"], base["image"]]
    assert insider.missing(base["ji"], base["image"]) == []


def test_publishing_a_digest_that_one_only_knows_makes_nothing_readable(insider, stranger):
    base, _, _ = artefact(insider, *BASE)
    before = stranger.publish(base, lane="pr/7")
    refused(before, 409, "conflict", "were not uploaded")
    assert insider.publish(base, lane="secret").status == 200
    after = stranger.publish(base, lane="pr/7")
    assert same(before, after) and after.json["keys"] == [base["key"]]
    unheard = base | {"ji": "0" * 64}
    assert same(stranger.publish(unheard, lane="pr/7"), after)
    assert stranger.get(f"/v1/blobs/{base['ji']}").status == 404
    assert stranger.keys(base["key"], lane="pr/7") == {}


def test_one_half_that_is_mine_does_not_bring_the_other(insider, stranger):
    base, ji, _ = artefact(insider, *BASE)
    insider.publish(base, lane="secret")
    stranger.put_blob(ji)
    refused(stranger.publish(base, lane="pr/7"), 409, "conflict", "were not uploaded")
    assert stranger.get(f"/v1/blobs/{base['image']}").status == 404


def test_sending_bytes_that_are_stored_already_looks_like_sending_new_ones(insider, stranger):
    base, ji, image = artefact(insider, *BASE)
    insider.publish(base, lane="secret")
    _, first = stranger.put_blob(ji)
    _, fresh = stranger.put_blob(b"nobody ever had these bytes")
    assert first.status == fresh.status == 201
    assert stranger.put_blob(ji)[1].status == 204, "the second time they are the stranger's own"
    stranger.put_blob(image)
    assert stranger.get(f"/v1/blobs/{base['ji']}").body == ji
    assert stranger.publish(base, lane="pr/7").status == 200, "who has the bytes may publish them"
    assert insider.record(base["key"], "secret").json["lane"] == "secret"


def test_what_was_sent_and_not_published_is_for_the_sender_alone(insider, stranger, world):
    digest, put = insider.put_blob(b"not published yet")
    assert put.status == 201 and insider.get(f"/v1/blobs/{digest}").status == 200
    assert stranger.get(f"/v1/blobs/{digest}").status == 404
    twin = Actor(world, "twin", "secret")
    assert twin.get(f"/v1/blobs/{digest}").status == 404, "the same lanes, but it is in none yet"


def test_a_parents_blobs_are_readable_below_it_and_not_the_other_way_round(maintainer, stranger, world):
    base, ji, _ = artefact(maintainer, *BASE)
    maintainer.publish(base, lane="main")
    assert stranger.get(f"/v1/blobs/{base['ji']}").body == ji
    assert stranger.missing(base["ji"]) == []
    mid, mid_ji, _ = artefact(stranger, *MID, deps=[base["key"]])
    assert stranger.publish(mid, lane="pr/7").status == 200
    neighbour = Actor(world, "neighbour", "pr/8")
    for other in maintainer, neighbour:
        assert other.get(f"/v1/blobs/{mid['ji']}").status == 404
        assert other.missing(mid["ji"], base["ji"]) == [mid["ji"]]
    assert Actor(world, "everyone", "pr/*").get(f"/v1/blobs/{mid['ji']}").body == mid_ji


def test_writing_alone_does_not_read(world, maintainer):
    base, _, _ = artefact(maintainer, *BASE)
    maintainer.publish(base, lane="main")
    writer = Actor(world, "blind", "main", can="write")
    refused(writer.get(f"/v1/blobs/{base['ji']}"), 403, "forbidden")
    assert writer.missing(base["ji"]) == []


# ---- what is mine is seen by nobody above

def test_a_pull_request_never_shows_in_main(stranger, maintainer, world):
    base, _, _ = artefact(stranger, *BASE)
    mid, _, _ = artefact(stranger, *MID, deps=[base["key"]])
    assert stranger.publish(base, mid, lane="pr/7").status == 200
    neighbour = Actor(world, "neighbour", "pr/8")
    for other, lane in (maintainer, "main"), (neighbour, "pr/8"):
        assert other.resolve(base["key"], mid["key"], lane=lane).json == {"sets": []}
        for part in "", "/ji", "/image":
            refused(other.record(base["key"], lane, part), 404, "not-found")
        node = base["node"] | {"preferences": "x"}
        asked = {"sysimage": SYSIMAGE, "runtime": runtime(), "runtimes": [runtime_id()], "known": [], "lane": lane,
                 "nodes": [{"key": "0" * 64, "node": node}]}
        told = other.post("/v1/explain", asked).json
        assert told["artefacts"] == [] and told["nearest"] == [] and told["runtimes"] == []
        refused(other.record(base["key"], "pr/7"), 403, "forbidden")
        refused(other.resolve(base["key"], lane="pr/7"), 403, "forbidden")
    assert set(stranger.keys(base["key"], mid["key"], lane="pr/7").values()) == {"pr/7"}


def test_other_lanes_are_refused_whether_they_exist_or_not(stranger):
    base, _, _ = artefact(stranger, *BASE)
    for lane in "main", "secret", "pr/8", "pr/70", "nobody":
        refused(stranger.publish(base, lane=lane), 403, "forbidden")
        if lane != "main":
            refused(stranger.resolve(base["key"], lane=lane), 403, "forbidden")
    assert stranger.get("/v1/info").json["lanes"] == ["pr/7"]


def test_a_runtime_that_only_another_lane_has_is_as_unknown_as_any(stranger, maintainer):
    base, _, _ = artefact(stranger, *BASE)
    never = maintainer.record(base["key"], "main")
    stranger.publish(base, lane="pr/7")
    assert same(never, maintainer.record(base["key"], "main"))


def test_what_a_stranger_says_of_a_system_image_binds_nobody_else(stranger, maintainer):
    base, _, _ = artefact(stranger, *BASE)
    body = publish_body(base, lane="pr/7")
    image = body["sysimage_modules"][0]["build_id"][:16]
    body["sysimage_modules"] = body["sysimage_modules"] + [{"name": "Evil", "build_id": image + "0" * 15 + "7"}]
    assert stranger.post("/v1/publish", body).status == 200
    artefact(maintainer, *BASE)
    assert maintainer.publish(base, lane="main").status == 200
    mid, _, _ = artefact(stranger, *MID, deps=[base["key"]])
    body = publish_body(mid, lane="pr/7")
    refused(stranger.post("/v1/publish", body), 422, "bad-artefact", "other modules")


def test_a_dependency_that_only_a_child_has_is_no_dependency_for_main(stranger, maintainer):
    base, _, _ = artefact(stranger, *BASE)
    stranger.publish(base, lane="pr/7")
    mid, _, _ = artefact(maintainer, *MID, deps=[base["key"]])
    refused(maintainer.publish(mid, lane="main"), 422, "incoherent")
    assert maintainer.keys(mid["key"], lane="main") == {}


# ---- races

def together(*calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_parent_and_child_that_publish_the_same_at_once_both_succeed_and_stay_apart(stranger, maintainer):
    base, _, _ = artefact(stranger, *BASE)
    mid, _, _ = artefact(stranger, *MID, deps=[base["key"]])
    artefact(maintainer, *BASE), artefact(maintainer, *MID, deps=[base["key"]])
    answers = together(*[lambda a=actor, l=lane: a.publish(base, mid, lane=l)
                         for _ in range(4) for actor, lane in [(stranger, "pr/7"), (maintainer, "main")]])
    assert {answer.status for answer in answers} == {200}
    assert set(maintainer.keys(base["key"], mid["key"], lane="main").values()) == {"main"}
    assert set(stranger.keys(base["key"], mid["key"], lane="pr/7").values()) == {"main"}, "the parent wins"


def test_the_same_bytes_sent_at_once_belong_to_each_who_sent_them(insider, stranger):
    content = bytes(range(256)) * 4000
    digest = hashlib.sha256(content).hexdigest()
    answers = together(*[lambda a=actor: a.put_blob(content)[1] for _ in range(3) for actor in (insider, stranger)])
    assert {answer.status for answer in answers} <= {201, 204}
    for actor in insider, stranger:
        assert actor.missing(digest) == [] and actor.get(f"/v1/blobs/{digest}").body == content


def test_half_sent_bytes_are_nobodys(insider, stranger):
    content = b"x" * 100_000
    digest = hashlib.sha256(content).hexdigest()
    refused(stranger.api.request("PUT", f"/v1/blobs/{digest}", body=content[:-1] + b"y", token=stranger.token), 422,
            "digest-mismatch")
    insider.put_blob(content)
    assert stranger.missing(digest) == [digest] and stranger.get(f"/v1/blobs/{digest}").status == 404


# ---- tokens

def test_a_revoked_token_is_refused_from_the_next_request_on_an_open_connection(maintainer):
    connection = maintainer.api.connect()
    asked = {"token": maintainer.token, "connection": connection}
    assert maintainer.api.get("/v1/info", **asked).status == 200
    admin(maintainer.server, "token", "revoke", "--name", "maintainer")
    refused(maintainer.api.get("/v1/info", **asked), 401, "unauthenticated", "revoked")


# ---- lists and sums

LISTS = ["/v1/artefacts", "/v1/packages", "/v1/lanes", "/v1/stats", "/v1/stats/history", "/v1/environments", "/v1/misses"]


def told(actor, path):
    """An answer without what changes by itself."""
    answer = actor.get(path)
    assert answer.status == 200
    return {**answer.json, "now_s": 0}


def noted(actor, lane, *keys):
    """Ask for something that is not there, and wait for the note of it, which is written a moment later."""
    assert actor.resolve(*keys, lane=lane).status == 200
    wait_until(lambda: keys[0] in actor.get("/v1/misses").body.decode(), what="a note of a miss")


@pytest.mark.parametrize("path", LISTS)
def test_lists_and_sums_look_as_if_the_others_had_nothing(insider, stranger, path):
    before = told(stranger, path)
    base, _, _ = artefact(insider, *BASE)
    assert insider.publish(base, lane="secret").status == 200
    noted(insider, "secret", "0" * 64, base["key"])
    insider.get(f"/v1/blobs/{base['ji']}")
    assert told(stranger, path) == before
    assert path == "/v1/lanes" or told(insider, path) != {**before, "lanes": None}


def test_sums_of_the_whole_server_are_for_who_sees_all_of_it(insider, stranger, world):
    """Else a stranger who sends bytes could see by what the store holds then whether it had them before."""
    everyone, administrator = Actor(world, "everyone", "*"), Actor(world, "administrator", "pr/7", can="read,admin")
    for actor in everyone, administrator:
        assert {"store", "totals"} <= set(actor.get("/v1/stats").json)
    for actor in insider, stranger:
        assert not {"store", "totals"} & set(actor.get("/v1/stats").json)


def test_sums_do_not_tell_whether_bytes_were_stored_before(insider, stranger):
    base, ji, _ = artefact(insider, *BASE)
    insider.publish(base, lane="secret")
    noted(stranger, "pr/7", "1" * 64)
    nothing = [told(stranger, path) for path in LISTS]
    stranger.put_blob(ji)
    assert [told(stranger, path) for path in LISTS] == nothing
    stranger.put_blob(b"nobody ever had these bytes")
    assert [told(stranger, path) for path in LISTS] == nothing


def test_an_environment_is_shown_where_it_is_listed_and_nowhere_else(insider, stranger, maintainer):
    noted(maintainer, "main", "2" * 64)
    noted(insider, "secret", "3" * 64)
    [mains] = told(stranger, "/v1/environments")["environments"]
    [secrets] = told(insider, "/v1/environments")["environments"]
    assert stranger.get(f"/v1/environments/{mains['id']}").json["lane"] == "main"
    refused(stranger.get(f"/v1/environments/{secrets['id']}"), 404, "not-found")
    never = stranger.get(f"/v1/environments/{'0' * 64}")
    assert same(stranger.get(f"/v1/environments/{secrets['id']}"), never)


def test_what_was_built_below_does_not_show_in_what_is_told_of_an_artefact(stranger, maintainer):
    base, _, _ = artefact(maintainer, *BASE)
    maintainer.publish(base, lane="main")
    before = maintainer.record(base["key"], "main", "/about").json
    mid, _, _ = artefact(stranger, *MID, deps=[base["key"]])
    assert stranger.publish(mid, lane="pr/7").status == 200
    assert maintainer.record(base["key"], "main", "/about").json == before
    assert [other["key"] for other in stranger.record(base["key"], "pr/7", "/about").json["required_by"]] == [mid["key"]]
    refused(maintainer.record(mid["key"], "main", "/about"), 404, "not-found")


def lease(actor, lane, key, seconds=60):
    body = {"lane": lane, "runtime": runtime_id(), "sysimage": SYSIMAGE, "keys": [key], "seconds": seconds}
    return actor.post("/v1/leases", body)


def test_nobody_is_kept_from_compiling_by_a_lane_that_is_not_above(insider, stranger, maintainer):
    key = "4" * 64
    secret = lease(insider, "secret", key).json
    assert lease(stranger, "pr/7", key).json["state"] == "granted"
    assert lease(maintainer, "main", key).json["state"] == "granted"
    refused(lease(stranger, "secret", key, seconds=0), 403, "forbidden")
    refused(lease(stranger, "main", key), 403, "forbidden")
    ended = stranger.api.request("DELETE", f"/v1/leases/{secret['lease']}", token=stranger.token)
    assert ended.status in (403, 404) and lease(insider, "secret", key, seconds=0).json["state"] == "held"


def test_administering_takes_its_own_scope(stranger, insider):
    for actor in stranger, insider:
        refused(actor.get("/v1/tokens"), 403, "forbidden")
        refused(actor.api.request("DELETE", "/v1/tokens/insider", token=actor.token), 403, "forbidden")
