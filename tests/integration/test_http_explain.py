"""POST /v1/explain: what is nearest to what was missed, and to whom it is told."""

import pytest

from conftest import admin, make_token
from test_http_errors import refused
from test_http_publish import SYSIMAGE, address_vectors, artefact, publish, runtime, runtime_id


def asked(inputs):
    return {"key": address_vectors.sha(address_vectors.node(inputs)), "node": inputs}


def question(*nodes, **more):
    return {"sysimage": SYSIMAGE, "runtime": runtime(), "runtimes": [runtime_id()], "nodes": list(nodes), "known": []} | more


def explain(api, *nodes, **more):
    return api.post("/v1/explain", question(*nodes, **more), valid=True).json


@pytest.fixture
def pair(api):
    """GoldBase 0.1.0 and GoldMid, published; and as somebody has them whose GoldBase is another."""
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    mid, _, _ = artefact(api, "GoldMid", "sBuKF_uZCRG", deps=[base["key"]])
    base["version"] = "0.1.0"
    assert publish(api, base, mid).status == 200
    my_base = asked(base["node"] | {"source": "git-tree-sha1:" + "1" * 40})
    my_mid = asked(mid["node"] | {"deps": [my_base["key"]]})
    return base, mid, my_base, my_mid


def test_nothing_is_nearest_in_an_empty_store(api):
    node = {"kind": "package", "name": "Nobody", "uuid": "7876af07-990d-54b4-ab0e-23690620f79a", "source": "julia", "deps": []}
    answer = api.post("/v1/explain", question({"key": "a" * 64, "node": node}), valid=True).json
    assert answer == {"runtimes": [], "artefacts": [], "nearest": [], "truncated": False}


def test_the_nearest_is_told_with_all_that_it_was_made_of(api, pair):
    base, _, my_base, _ = pair
    answer = explain(api, my_base)
    assert answer["nearest"] == [{"key": my_base["key"], "artefact": 0}]
    stored, = answer["artefacts"]
    assert stored["key"] == base["key"] and stored["node"] == base["node"]
    assert (stored["version"], stored["lane"], stored["sysimage"]) == ("0.1.0", "main", SYSIMAGE)
    assert stored["provenance"]["run"] == "https://ci.example/1"
    told = answer["runtimes"][stored["runtime"]]
    assert told["id"] == runtime_id()
    assert {key: told[key] for key in runtime() if key != "bundled"} == {k: v for k, v in runtime().items() if k != "bundled"}


def test_dependencies_come_along_unless_they_are_known(api, pair):
    base, mid, my_base, my_mid = pair
    answer = explain(api, my_mid)
    assert [stored["key"] for stored in answer["artefacts"]] == [mid["key"], base["key"]]
    assert answer["nearest"] == [{"key": my_mid["key"], "artefact": 0}]
    assert len(explain(api, my_mid, known=[base["key"]])["artefacts"]) == 1
    assert len(explain(api, my_mid, my_base)["artefacts"]) == 2


def test_another_system_image_is_no_reason_to_keep_quiet(api, pair):
    _, _, my_base, my_mid = pair
    answer = explain(api, my_base, my_mid, sysimage="f" * 64)
    assert len(answer["nearest"]) == 2 and all(stored["sysimage"] == SYSIMAGE for stored in answer["artefacts"])


def test_a_lane_is_told_what_it_sees(api, pair):
    _, _, my_base, _ = pair
    admin(api.server, "lane", "create", "--name", "pr/7", "--parent", "main")
    admin(api.server, "lane", "create", "--name", "alone")
    assert len(explain(api, my_base, lane="pr/7")["nearest"]) == 1
    assert explain(api, my_base, lane="alone")["nearest"] == []
    refused(api.post("/v1/explain", question(my_base, lane="nobody")), 404, "not-found")


def test_only_readers_of_the_lane_may_ask(start):
    api = start("--require-token")
    body = question()
    refused(api.post("/v1/explain", body), 401, "unauthenticated")
    other = make_token(api.server, "other", "read", "--lanes", "pr/*")
    refused(api.post("/v1/explain", body, token=other), 403, "forbidden")
    assert api.post("/v1/explain", body, token=api.token).status == 200


@pytest.mark.parametrize("change, field", [
    ({"nodes": [{"key": "a" * 64}]}, "nodes[0].node"),
    ({"runtime": None}, "runtime"),
    ({"runtimes": ["../x"]}, "runtimes[0]"),
    ({"known": ["x"]}, "known[0]"),
    ({"sysimage": 7}, "sysimage"),
    ({"nodes": {}}, "nodes"),
])
def test_what_is_malformed_is_named(api, change, field):
    answer = api.post("/v1/explain", question(**change))
    refused(answer, 400, "bad-request")
    assert answer.json["detail"].startswith(field)
