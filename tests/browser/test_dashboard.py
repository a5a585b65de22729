"""The dashboard in a real Chromium, against a store of 100,000 artefacts that fill_store makes, and against one that real Julias and
the real client filled; and Prometheus against /metrics.

JICACHE_PICTURES=docs/images makes the pictures of docs/dashboard.md anew."""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import lived_in as people  # noqa: E402
import npm  # noqa: E402
from processes import Server, bin_dir, wait_until  # noqa: E402


@pytest.fixture(scope="session")
def modules():
    return npm.modules(HERE)


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    data = tmp_path_factory.mktemp("filled") / "data"
    subprocess.run([bin_dir() / "fill_store", data, "100000"], check=True, stdin=subprocess.DEVNULL)
    with Server(data, "--scrub-bytes-per-day", "0") as server:
        yield server


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lived-in")
    with Server(folder / "data", "--scrub-bytes-per-day", "0") as server:
        yield people.live(server, folder)


@pytest.fixture(scope="session")
def asked(lived_in):
    """With one pull of the whole environment. → what it got"""
    return lived_in.machine().pull()


@pytest.fixture
def browse(modules, tmp_path):
    def run(case, server, **values):
        values = {**values, "failed": str(tmp_path), "picture": os.environ.get("JICACHE_PICTURES", "")}
        done = subprocess.run(["node", HERE / "dashboard.mjs", case, server.url, json.dumps(values)], capture_output=True, text=True,
                              env={**os.environ, "JIC_NODE_MODULES": str(modules)}, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\npictures: {tmp_path}"
    return run


@pytest.mark.parametrize("case", ["overview", "filters", "graph", "miss", "script", "dark", "keyboard"])
def test_in_a_browser(browse, filled, case):
    browse(case, filled)


def test_a_pull_appears_while_one_looks(browse, lived_in):
    machine = lived_in.machine()
    browse("arrives", lived_in.server, command=list(map(str, machine.command("pull"))), env=machine.env())


@pytest.mark.parametrize("case", ["lived_overview", "lived_filters", "lived_graph", "lived_miss"])
def test_what_people_did(browse, lived_in, asked, case):
    states = lived_in.states()
    assert set(asked["missing_packages"]) == {name for name, state in states.items() if state != "stored"}
    fir, version = lived_in.packages.package("Fir"), ".".join(map(str, lived_in.julia.version))
    browse(case, lived_in.server, states=states, host=os.uname().nodename, tree=fir.tree_hash(lived_in.julia), julia=version)


def test_the_command_that_the_page_names_tells_more(lived_in, asked):
    assert "Larch" in lived_in.machine().jicache("why", "Larch", status=None).stdout


def test_the_next_push_replaces_what_is_superseded(tmp_path):
    """As the page promises of it."""
    with Server(tmp_path / "data") as server:
        world = people.live(server, tmp_path, count=5)
        packages = type(world.packages)("five", world.packages.packages[:5])
        writer = world.machine(server.token("again", "read,write", "main,pr/7"), packages=packages)
        assert writer.pull()["missing_packages"] == ["Elder"]
        assert writer.load(packages).compiled == ["Elder"]
        assert writer.push()["published"] == 1
        reader = world.machine(packages=packages)
        assert reader.pull()["missing"] == 0
        misses = json.loads(get(server, "/v1/misses")[1])["misses"]
        assert [(miss["name"], miss["reason"], miss["stored"]) for miss in misses] == [("Elder", "superseded", True)]


def test_a_token_is_asked_for_and_an_admin_revokes_one(browse, tmp_path):
    with Server(tmp_path / "data", "--require-token") as server:
        victim = server.token("old-laptop", "read")
        browse("token", server, wrong="jic_" + "0" * 64, admin=server.token("boss", "read,admin"), victim="old-laptop")
        request = urllib.request.Request(f"{server.url}/v1/stats", headers={"Authorization": f"Bearer {victim}"})
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request)


def get(server, path):
    host = server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer, answer.read()


def test_the_page_is_public_and_its_policy_strict(filled):
    answer, body = get(filled, "/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert b"<script type=\"module\" src=\"/assets/" in body and b"http" not in body
    answer, _ = get(filled, "/assets/nothing.js")
    assert answer.status == 404


@pytest.mark.parametrize("path", ["/v1/stats", "/v1/stats/history?step=3600", "/v1/packages?search=a&limit=500", "/v1/artefacts?limit=100",
                                  "/v1/artefacts?julia=1.11.1", "/v1/environments", "/v1/misses", "/metrics"])
def test_what_the_page_asks_for_stays_small(filled, path):
    """Whatever is stored. That nothing behind it walks through all artefacts is for tests/unit/server/store/test_plans.c."""
    answer, body = get(filled, path)
    assert answer.status == 200 and len(body) < 400_000


def test_prometheus_scrapes_the_server(filled, tmp_path):
    target = filled.url.removeprefix("http://")
    port = 9090 + os.getpid() % 500
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: jicached, static_configs: [{{targets: ["{target}"]}}]}}]
""")
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
                                    f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ask(expression):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={expression}", timeout=5) as answer:
                return [result["value"][1] for result in json.load(answer)["data"]["result"]]
        except OSError:
            return []
    try:
        wait_until(lambda: ask("up") == ["1"], timeout_s=40, what="a scrape")
        assert ask("jicached_lanes") == ["4"] and len(ask("jicached_lane_artefacts")) == 4
        assert len(ask("jicached_resolve_misses_total")) == 8
    finally:
        process.terminate()
        process.wait(timeout=30)
