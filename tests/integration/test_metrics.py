"""GET /metrics: strictly in Prometheus' format, with the numbers of what was done, for who may read them."""

import hashlib
import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import admin, make_token
from processes import ROOT, wait_until

A, B = "a" * 64, "b" * 64
RUNTIME = f"julia-1.11.1-x86_64-linux-gnu-{A}"
UUID = "a1b2c3d4-0001-4000-8000-00000000000a"


def scrape(api, **more):
    answer = api.get("/metrics", **more)
    assert answer.status == 200
    return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}


def value(api, name, labels=None, **more):
    """Of one sample; `name` as it is written, with its _total or _count."""
    for family in scrape(api, **more).values():
        for sample in family.samples:
            if sample.name == name and (labels or {}).items() <= sample.labels.items():
                return sample.value
    return None


def test_every_metric_of_the_table_is_told_and_no_other(api):
    api.get("/healthz")
    told = {name for line in api.get("/metrics").body.decode().splitlines() for name in re.findall(r"^# TYPE (\S+) ", line)}
    table = set(re.findall(r'JIC_METRIC\(\w+, \w+, "(\w+)"', (ROOT / "server/tables/metrics.def").read_text()))
    counters = re.findall(r'JIC_COUNTER\(\w+, "(\w+)"', (ROOT / "server/tables/counters.def").read_text())
    own = counters.index("received_bytes") + 1
    assert told == table | {f"jicached_{name}_total" for name in counters[own:]}


def test_promtool_finds_nothing_to_say(api):
    api.get("/v1/info")
    api.get("/nothing")
    tool = shutil.which("promtool")
    assert tool, "Debian's package prometheus has it"
    done = subprocess.run([tool, "check", "metrics"], input=api.get("/metrics").body, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_requests_are_counted_by_route_and_status(api):
    for _ in range(3):
        api.get("/healthz")
    api.get("/nothing")
    api.get(f"/v1/blobs/{A}")
    requests = "jicached_http_requests_total"
    # A request is counted when the library is done with it, which the client may not wait for.
    wait_until(lambda: value(api, requests, {"route": "/v1/blobs/{digest}", "status": "404"}) == 1, what="the last request")
    assert value(api, requests, {"route": "/healthz", "method": "GET", "status": "200"}) == 3
    assert value(api, requests, {"route": "none", "status": "404"}) == 1
    assert value(api, "jicached_http_request_duration_seconds_count", {"route": "/healthz"}) == 3


def test_bodies_are_counted_in_both_directions(api):
    content = bytes(100_000)
    digest, _ = api.put_blob(content)
    api.get(f"/v1/blobs/{digest}", token=api.token)
    route = {"route": "/v1/blobs/{digest}"}
    received = "jicached_http_request_body_bytes_total"
    wait_until(lambda: value(api, received, route | {"method": "PUT"}) == len(content), what="the upload's end")
    assert value(api, "jicached_blobs") == 1
    assert 0 < value(api, "jicached_stored_bytes") < len(content)
    assert value(api, "jicached_uploads_in_progress") == 0


def test_an_upload_under_way_is_seen(api):
    digest = hashlib.sha256(b"x" * 1000).hexdigest()
    with api.socket() as s:
        s.sendall(f"PUT /v1/blobs/{digest} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
                  f"Content-Length: 1000\r\n\r\n".encode() + b"x" * 500)
        wait_until(lambda: value(api, "jicached_uploads_in_progress") == 1, what="the upload")
    wait_until(lambda: value(api, "jicached_uploads_in_progress") == 0, what="its end")


def test_a_pull_counts_hits_and_misses_with_a_reason_and_other_resolves_do_not(api):
    nodes = [{"name": "Foo", "uuid": UUID, "version": "1.0.0", "deps": []}, {"name": "Bar", "uuid": UUID, "deps": [0]}]
    ask = {"sysimage": A, "runtimes": [RUNTIME], "keys": [A, B]}
    assert api.post("/v1/resolve", ask | {"purpose": "push"}, valid=True).status == 200
    assert api.post("/v1/resolve", ask | {"purpose": "pull", "nodes": nodes}, valid=True).status == 200
    misses = "jicached_resolve_misses_total"
    wait_until(lambda: value(api, misses, {"reason": "new-package"}) == 2, what="the recorder")
    assert value(api, "jicached_resolve_hits_total") == 0
    assert api.post("/v1/resolve", ask, valid=True).status == 200
    wait_until(lambda: value(api, misses, {"reason": "unknown"}) == 2, what="the recorder")


@pytest.mark.parametrize("nodes", [[{"name": "Foo"}], [{"name": "Foo", "uuid": UUID, "deps": []}] * 3,
                                   [{"name": "Foo", "uuid": UUID, "deps": [2]}, {"name": "Bar", "uuid": UUID, "deps": []}]])
def test_nodes_that_do_not_fit_the_keys_are_refused(api, nodes):
    answer = api.post("/v1/resolve", {"sysimage": A, "runtimes": [RUNTIME], "keys": [A, B], "nodes": nodes})
    assert (answer.status, answer.code) in ((400, "bad-request"), (413, "too-large")) and "nodes" in answer.json["detail"]


def test_metrics_need_what_reading_needs(start):
    closed = start("--require-token")
    assert (closed.get("/metrics").status, closed.get("/metrics", token="jic_" + "0" * 64).status) == (401, 401)
    assert closed.get("/metrics", token=make_token(closed.server, "writer", "write")).status == 403
    for can in ("read", "admin"):
        assert closed.get("/metrics", token=make_token(closed.server, f"p-{can}", can)).status == 200
    admin(closed.server, "lane", "create", "--name", "secret")
    for can, lanes, status in ("read", "main", 403), ("read", "*", 200), ("admin", "main", 200):
        name = f"{can}-{len(lanes)}-later"
        assert closed.get("/metrics", token=make_token(closed.server, name, can, "--lanes", lanes)).status == status
    opened = start("--require-token", "--metrics-open", data="other")
    families = scrape(opened)
    assert "jicached_lanes" in families and families["jicached_lane_artefacts"].samples == []
