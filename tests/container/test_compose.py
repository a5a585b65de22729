"""deploy/compose, started by podman-compose: the cache and Prometheus in their containers, on the network that compose makes.

The file is the one that is shipped, but for the port of the host. What can't be had here: Prometheus' own image, for which one
of Debian's package stands in under its name, and Grafana, of which there is no package: that its container starts and takes the
provisioned files is not proved; tests/install judges these files by what they name."""

import json
import shutil
import socket
import subprocess
import urllib.request

import pytest
import yaml
from engine import BASE, why_not
from processes import ROOT, wait_until

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no containers here: {why_not()}")

SHIPPED = ROOT / "deploy/compose"
PROMETHEUS = f"""FROM {BASE}
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && mkdir /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
"""


@pytest.fixture(scope="module")
def composed(podman, tmp_path_factory):
    """→ (the cache's URL, compose's prefix of containers)"""
    folder = tmp_path_factory.mktemp("shipped") / "compose"
    shutil.copytree(SHIPPED, folder)
    image = yaml.safe_load((SHIPPED / "compose.yml").read_text())["services"]["prometheus"]["image"]
    (folder / "Prometheus").write_text(PROMETHEUS)
    podman("build", "-q", "--pull=never", "--network=host", "--format=docker", "-t", image, "-f", folder / "Prometheus", folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (folder / "compose.yml").read_text()
    assert '"8787:8787"' in text
    (folder / "compose.yml").write_text(text.replace('"8787:8787"', f'"127.0.0.1:{port}:8787"'))

    def compose(*words):
        return subprocess.run(["podman-compose", "-f", folder / "compose.yml", *words], capture_output=True, text=True, env=podman.env,
                              stdin=subprocess.DEVNULL, timeout=300)
    started = compose("up", "-d", "--no-build", "jicached", "prometheus")
    try:
        running = podman("ps", "--format", "{{.Names}}").split()
        assert {"compose_jicached_1", "compose_prometheus_1"} <= set(running), f"{started.stdout}{started.stderr}"
        wait_until(lambda: "listening on" in podman("logs", "compose_jicached_1"), what="the server's word")
        yield f"http://127.0.0.1:{port}"
    finally:
        compose("down")


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def test_compose_starts_a_cache_that_is_ready(podman, composed):
    assert json.loads(get(f"{composed}/readyz")) == {"status": "ok"}
    assert "/assets/app-" in get(f"{composed}/")
    assert podman("exec", "compose_jicached_1", "id", "-u") == "8787"
    assert podman.try_("exec", "compose_jicached_1", "touch", "/x").returncode != 0


def test_what_is_served_is_served_by_the_settings_that_compose_gives(podman, composed):
    settings = json.loads(podman("exec", "compose_jicached_1", "jicached", "config", "show", "--json"))["settings"]
    of = {setting["key"]: setting for setting in settings}
    assert of["metrics.open"]["origin"] == of["limits.store_bytes_max"]["origin"] == "environment"


def test_prometheus_finds_the_cache_by_its_name(podman, composed):
    def up():
        done = podman.try_("exec", "compose_prometheus_1", "promtool", "query", "instant", "http://127.0.0.1:9090", 'up{job="jicached"}')
        return " => 1 " in done.stdout
    wait_until(up, timeout_s=180, what="a scrape over the network that compose made")
    said = podman("exec", "compose_prometheus_1", "promtool", "query", "instant", "http://127.0.0.1:9090", "jicached_lanes")
    assert 'instance="jicached:8787"' in said
