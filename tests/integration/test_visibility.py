"""Who sees what in every list: lanes × readers × lists, as a table. main is the parent of pr/7 and pr/8, `secret` stands beside;
each lane holds an artefact of its own, was asked for an environment of its own, and missed a package of its own."""

import pytest

from conftest import Api, admin
from processes import Server, wait_until
from test_http_isolation import Actor
from test_http_publish import SYSIMAGE, artefact, publish_body, runtime_id

LANES = {"main": None, "pr/7": "main", "pr/8": "main", "secret": None}
PACKAGES = {"main": ("GoldBase", "Ah8jb_uZCRG"), "pr/7": ("GoldMid", "sBuKF_uZCRG"), "pr/8": ("GoldMid", "sBuKF_uZCRG"),
            "secret": ("GoldBase", "Ah8jb_uZCRG")}
READERS = {"main": {"main"}, "pr/7": {"main", "pr/7"}, "pr/8": {"main", "pr/8"}, "pr/*": {"main", "pr/7", "pr/8"},
           "secret": {"secret"}, "main,secret": {"main", "secret"}, "*": set(LANES)}


def lanes_of(entry):
    return {item["lane"] for item in entry}


# The lanes that show in a list's answer.
LISTS = {
    "/v1/artefacts": lambda answer: lanes_of(answer["artefacts"]),
    "/v1/environments": lambda answer: lanes_of(answer["environments"]),
    "/v1/misses": lambda answer: lanes_of(answer["misses"]),
    "/v1/lanes": lambda answer: {lane["name"] for lane in answer["lanes"]},
    "/v1/stats": lambda answer: {lane["name"] for lane in answer["lanes"]},
}


def ask(actor, lane, name):
    """A pull that gets nothing: an environment of one package that no lane has."""
    key = f"{sorted(LANES).index(lane):064x}"
    uuid = "5e1d2d8f-0000-4000-8000-000000000001"
    body = {"sysimage": SYSIMAGE, "runtimes": [runtime_id()], "keys": [key], "lane": lane,
            "nodes": [{"name": name, "version": "1.0.0", "uuid": uuid, "deps": []}]}
    answer = actor.post("/v1/resolve", body)
    assert answer.status == 200, answer.body


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("visible") / "data", "--require-token") as server:
        api = Api(server, None)
        for lane, parent in LANES.items():
            if parent or lane == "secret":
                admin(server, "lane", "create", "--name", lane, *(["--parent", parent] if parent else []))
        base = {}
        for number, lane in enumerate(LANES):
            writer = Actor(api, f"writer-{number}", lane)
            found, _, _ = artefact(writer, *PACKAGES[lane], deps=[base["main"]["key"]] if lane.startswith("pr/") else [])
            base[lane] = found
            assert writer.publish(found, lane=lane).status == 200
            ask(writer, lane, f"Wish{number}")
        everybody = Actor(api, "everybody", "*", can="read")
        wait_until(lambda: len(everybody.get("/v1/misses").json["misses"]) == len(LANES), what="what was asked to be written down")
        yield {lanes: Actor(api, f"reader-{number}", lanes, can="read") for number, lanes in enumerate(READERS)}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_list_shows_the_readers_lanes_and_their_parents(world, reader, path):
    assert LISTS[path](world[reader].get(path).json) == READERS[reader]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("lane", LANES)
def test_narrowed_to_a_lane_it_shows_that_one_or_says_no(world, reader, path, lane):
    answer = world[reader].get(f"{path}?lane={lane}")
    if lane in READERS[reader]:
        assert answer.status == 200 and LISTS[path](answer.json) == {lane}
    else:
        absent = world[reader].get(f"{path}?lane=absent")
        assert (answer.status, answer.code) == (absent.status, absent.code) and answer.status in (403, 404)


@pytest.mark.parametrize("reader", READERS)
def test_packages_count_what_the_reader_sees(world, reader):
    packages = {p["name"]: (p["lanes"], p["artefacts"]) for p in world[reader].get("/v1/packages").json["packages"]}
    seen = [PACKAGES[lane][0] for lane in READERS[reader]]
    assert packages == {name: (seen.count(name), seen.count(name)) for name in set(seen)}


@pytest.mark.parametrize("reader", READERS)
def test_sums_are_of_what_the_reader_sees(world, reader):
    stats = world[reader].get("/v1/stats").json
    assert stats["artefacts"] == len(READERS[reader]) == sum(lane["artefacts"] for lane in stats["lanes"])
    assert ("store" in stats) == ("totals" in stats) == (READERS[reader] == set(LANES))
