"""Debian's Prometheus scrapes a server, and every query of the Grafana dashboard that is shipped finds data in it."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from processes import ROOT, wait_until
from test_http_publish import artefact, publish, resolve

DASHBOARD = json.loads((ROOT / "deploy/compose/grafana/dashboards/jicached.json").read_text())
QUERIES = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]


class Prometheus:
    def __init__(self, folder, target):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = (ROOT / "deploy/compose/prometheus.yml").read_text()
        (folder / "prometheus.yml").write_text(config.replace("jicached:8787", target).replace("15s", "1s"))
        self.log = open(folder / "prometheus.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [shutil.which("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def query(self, expression):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?query={urllib.parse.quote(expression)}") as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@pytest.fixture
def prometheus(tmp_path, api):
    assert shutil.which("prometheus"), "Debian's package prometheus has it"
    running = Prometheus(tmp_path, api.server.url.removeprefix("http://"))
    yield running
    running.close()


def test_every_query_of_the_dashboard_finds_data(api, prometheus):
    base, _, _ = artefact(api, "GoldBase", "Ah8jb_uZCRG")
    publish(api, base)
    wait_until(lambda: prometheus.query("up == 1"), what="the first scrape")
    # A rate needs two scrapes, with something between them.
    for _ in range(4):
        resolve(api, base["key"], "0" * 64, purpose="pull")
        api.get(f"/v1/blobs/{base['ji']}")
        time.sleep(1.1)
    empty = dict(QUERIES)

    def all_found():
        for title, expression in list(empty.items()):
            if prometheus.query(expression):
                del empty[title]
        return not empty

    wait_until(all_found, timeout_s=20, what=f"data for {sorted(empty)}")
    assert len(QUERIES) > 10
