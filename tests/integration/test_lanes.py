"""`jicached lane` and `jicached token` beside a running server: promote, drop, rotate, revoke, lanes made by use."""

import json
import time

import pytest

from conftest import admin, make_token
from test_http_errors import refused
from test_http_isolation import BASE, MID, Actor
from test_http_publish import artefact


@pytest.fixture
def world(start):
    api = start("--require-token")
    admin(api.server, "lane", "create", "--name", "pr/7", "--parent", "main")
    return api


def failed(done, text, status=1):
    assert done.returncode == status and text in done.stderr, done.stderr
    assert done.stderr.startswith("jicached: ") and done.stdout == ""


# ---- lanes

def test_a_lane_is_promoted_under_the_eyes_of_a_reader(world):
    writer, reader = Actor(world, "writer", "pr/7"), Actor(world, "reader", "main", can="read")
    base, ji, _ = artefact(writer, *BASE)
    mid, _, _ = artefact(writer, *MID, deps=[base["key"]])
    assert writer.publish(base, mid, lane="pr/7").status == 200
    assert reader.keys(base["key"], mid["key"], lane="main") == {}
    done = admin(world.server, "lane", "promote", "--name", "pr/7", "GoldMid")
    assert done.stdout.startswith("2 artefacts promoted from pr/7 to main"), done.stdout
    assert reader.keys(base["key"], mid["key"], lane="main") == {base["key"]: "main", mid["key"]: "main"}
    assert reader.get(f"/v1/blobs/{base['ji']}").body == ji
    assert admin(world.server, "fsck").returncode == 0
    record = reader.record(base["key"], "main").json
    assert record["lane"] == "main" and record["provenance"]["host"] == "builder"


def test_what_a_lane_holds_follows_what_is_promoted(world):
    writer, reader = Actor(world, "writer", "pr/7"), Actor(world, "reader", "main", can="read")
    base, _, _ = artefact(writer, *BASE)
    writer.publish(base, lane="pr/7")
    held = reader.get("/v1/packages").json
    assert "GoldBase" not in json.dumps(held)
    admin(world.server, "lane", "promote", "--name", "pr/7")
    assert "GoldBase" in json.dumps(reader.get("/v1/packages").json)
    admin(world.server, "lane", "drop", "--name", "pr/7")
    assert "GoldBase" in json.dumps(reader.get("/v1/packages").json)


def test_promoting_by_address_and_as_json(world):
    writer = Actor(world, "writer", "pr/7")
    base, _, _ = artefact(writer, *BASE)
    writer.publish(base, lane="pr/7")
    done = admin(world.server, "lane", "promote", "--name", "pr/7", "--json", base["key"])
    assert json.loads(done.stdout) == {"artefacts": 1, "same": 0, "hidden": 0}


def test_what_makes_no_sense_is_refused_in_a_sentence(world):
    def run(*words):
        return admin(world.server, "lane", *words, check=False)
    failed(run("promote"), "--name is missing", status=2)
    failed(run("promote", "--name", "main"), "has no parent to promote to", status=2)
    failed(run("promote", "--name", "nobody"), "there is no lane nobody")
    failed(run("promote", "--name", "pr/7"), "is empty")
    failed(run("promote", "--name", "pr/7", "a b"), "is no package", status=2)
    failed(run("promote", "--name", "pr/7", "Nothing"), "no such artefact")
    failed(run("drop", "--name", "main"), "can't be dropped", status=2)
    failed(run("drop", "--name", "nobody"), "there is no lane nobody")
    admin(world.server, "lane", "create", "--name", "below", "--parent", "pr/7")
    failed(run("drop", "--name", "pr/7"), "has lanes below it", status=2)


def test_a_dropped_lane_is_gone_at_once(world):
    writer = Actor(world, "writer", "pr/7")
    base, _, _ = artefact(writer, *BASE)
    writer.publish(base, lane="pr/7")
    done = admin(world.server, "lane", "drop", "--name", "pr/7")
    assert "1 artefacts withdrawn" in done.stdout and "2 blobs" in done.stdout
    refused(writer.resolve(base["key"], lane="pr/7"), 404, "not-found")
    refused(writer.publish(base, lane="pr/7"), 404, "not-found")
    other = Actor(world, "other", "main")
    assert other.get(f"/v1/blobs/{base['ji']}").status == 404
    assert admin(world.server, "fsck").returncode == 0


def test_a_lane_is_made_by_who_may_write_it_and_names_a_parent(world):
    token = make_token(world.server, "ci", "read,write", "--lanes", "pr/*", "--lane-parent", "main")
    maintainer = Actor(world, "maintainer", "main")
    base, _, _ = artefact(maintainer, *BASE)
    maintainer.publish(base, lane="main")
    ci = Actor(world, "plain", "pr/*")
    refused(ci.resolve(base["key"], lane="pr/99"), 404, "not-found")
    ci.token = token
    assert ci.keys(base["key"], lane="pr/99") == {base["key"]: "main"}
    mid, _, _ = artefact(ci, *MID, deps=[base["key"]])
    assert ci.publish(mid, lane="pr/100").status == 200
    lanes = {lane["name"]: lane.get("parent") for lane in json.loads(admin(world.server, "lane", "list", "--json").stdout)["lanes"]}
    assert lanes["pr/99"] == lanes["pr/100"] == "main"
    refused(ci.resolve(base["key"], lane="release/1"), 403, "forbidden")
    assert "release/1" not in lanes


def test_reading_makes_no_lane(world):
    token = make_token(world.server, "reader", "read", "--lanes", "pr/*", "--lane-parent", "main")
    reader = Actor(world, "x", "pr/*")
    reader.token = token
    refused(reader.resolve("0" * 64, lane="pr/99"), 404, "not-found")


# ---- tokens

def info(api, token):
    return api.get("/v1/info", token=token).status


def test_rotating_a_token_ends_the_old_secret_at_once(world):
    old = make_token(world.server, "ci", "read")
    new = admin(world.server, "token", "rotate", "--name", "ci").stdout.strip()
    assert new != old and new.startswith("jic_")
    assert info(world, old) == 401 and info(world, new) == 200


def test_the_old_secret_stays_valid_for_its_grace(world):
    old = make_token(world.server, "ci", "read")
    done = json.loads(admin(world.server, "token", "rotate", "--name", "ci", "--grace", "2s", "--json").stdout)
    assert info(world, old) == info(world, done["token"]) == 200
    [token] = [t for t in json.loads(admin(world.server, "token", "list", "--json").stdout)["tokens"] if t["name"] == "ci"]
    assert token["old_secret_until_s"] == done["old_secret_until_s"]
    time.sleep(2.5)
    assert info(world, old) == 401 and info(world, done["token"]) == 200


def test_a_second_rotation_ends_the_first_secret(world):
    first = make_token(world.server, "ci", "read")
    second = admin(world.server, "token", "rotate", "--name", "ci", "--grace", "1h").stdout.strip()
    third = admin(world.server, "token", "rotate", "--name", "ci", "--grace", "1h").stdout.strip()
    assert (info(world, first), info(world, second), info(world, third)) == (401, 200, 200)


def test_revoking_ends_both_secrets(world):
    old = make_token(world.server, "ci", "read")
    new = admin(world.server, "token", "rotate", "--name", "ci", "--grace", "1h").stdout.strip()
    assert info(world, old) == info(world, new) == 200
    admin(world.server, "token", "revoke", "--name", "ci")
    assert info(world, old) == info(world, new) == 401


def test_an_expired_token_is_refused_and_rotating_does_not_revive_it(world):
    token = make_token(world.server, "ci", "read", "--expires", "1s")
    time.sleep(1.5)
    assert info(world, token) == 401
    again = admin(world.server, "token", "rotate", "--name", "ci", "--grace", "1h").stdout.strip()
    refused(world.get("/v1/info", token=again), 401, "unauthenticated", "expired")


def test_the_last_use_is_remembered(world):
    token = make_token(world.server, "ci", "read")
    assert info(world, token) == 200
    for _ in range(50):
        [found] = [t for t in json.loads(admin(world.server, "token", "list", "--json").stdout)["tokens"] if t["name"] == "ci"]
        if found["last_used_s"]:
            break
        time.sleep(0.1)
    assert abs(found["last_used_s"] - time.time()) < 60


def test_what_can_not_be_rotated_is_refused_in_a_sentence(world):
    failed(admin(world.server, "token", "rotate", "--name", "nobody", check=False), "there is no token nobody")
    failed(admin(world.server, "token", "rotate", check=False), "--name is missing", status=2)
    failed(admin(world.server, "token", "rotate", "--name", "ci", "--grace", "91d", check=False), "--grace", status=2)
    failed(admin(world.server, "token", "create", "--name", "x", "--lane-parent", "a b", check=False), "--lane-parent", status=2)
