"""Values in queries: decoded once, slashes too, within bounds; for every resource that takes a lane or a filter."""

import pytest
from conftest import admin
from test_http_errors import refused
from test_http_publish import SYSIMAGE, artefact, publish, runtime_id

LISTS = ["/v1/artefacts", "/v1/packages", "/v1/lanes", "/v1/stats", "/v1/stats/history", "/v1/environments", "/v1/misses"]
SPELLINGS = ["pr/7", "pr%2F7", "pr%2f7", "%70%72%2F%37"]


@pytest.fixture
def child(api):
    """An artefact in a lane with a slash in its name; → its address"""
    admin(api.server, "lane", "create", "--name", "pr/7", "--parent", "main")
    made = artefact(api, "GoldBase", "Ah8jb_uZCRG")[0]
    assert publish(api, made, lane="pr/7").status == 200
    return f"/v1/artefacts/{runtime_id()}/{SYSIMAGE}/{made['key']}"


def test_a_list_takes_a_lane_in_every_spelling(api, child):
    for target in LISTS:
        answers = [api.get(f"{target}?lane={spelling}") for spelling in SPELLINGS]
        assert [answer.status for answer in answers] == [200] * 4, target
        if target in ("/v1/artefacts", "/v1/packages", "/v1/lanes"):
            assert all(answer.json == answers[0].json for answer in answers), target
        refused(api.get(f"{target}?lane=pr%252F7"), 400, "bad-request")
    assert [item["lane"] for item in api.get("/v1/artefacts?lane=pr%2F7").json["artefacts"]] == ["pr/7"]


def test_a_record_and_its_parts_take_a_lane_in_every_spelling(api, child):
    for part in ["", "/about", "/ji", "/image"]:
        bodies = [api.get(f"{child}{part}?lane={spelling}") for spelling in SPELLINGS]
        assert [answer.status for answer in bodies] == [200] * 4 and len({answer.body for answer in bodies}) == 1, part
        assert api.get(f"{child}{part}").status == 404


NO_LANES = ["pr%2F..", "..%2F..", "pr%00", "pr%0A7", "%", "pr%2", "pr%zz", "pr%5C7", "a" * 129, "%61" * 129, "a" * 5000]


def test_a_lane_that_is_none_is_refused(api, child):
    for target in [*LISTS, child]:
        for value in NO_LANES:
            refused(api.get(f"{target}?lane={value}"), 400, "bad-request")


def test_a_search_is_decoded_once_and_means_itself(api, child):
    for text, found in {"Gold%42ase": 1, "gold%2Fbase": 0, "%25": 0, "%5C": 0, "%2B": 0, "%27%22%3B--": 0}.items():
        answer = api.get(f"/v1/packages?search={text}")
        assert answer.status == 200 and len(answer.json["packages"]) == found, text


def test_a_filter_that_is_badly_encoded_or_too_long_is_refused(api):
    for query in ["search=%", "search=%00", "search=" + "a" * 257, "search=" + "%61" * 257, "sort=%0d%0a", "limit=%31%zz",
                  "limit=%2D1", "package=%7f", "julia=%g1", "before=%1"]:
        refused(api.get(f"/v1/artefacts?{query}"), 400, "bad-request")
