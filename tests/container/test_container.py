"""The image of deploy/container: built as it is, run as it should be, and used by a real client from outside."""

import json
import os
import re
import socket
import subprocess
import urllib.request

import pytest

import environment
from engine import BASE, why_not
from processes import ROOT, Machine, wait_until

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no containers here: {why_not()}")

SIZE_MAX = 60 * 1000 * 1000


@pytest.fixture(scope="module")
def world():
    """An environment of six packages, and machine(folder, url, token) that has it installed."""
    path = os.environ.get("JICACHE_TEST_JULIA") or subprocess.run([ROOT / "tests/julia"], check=True, capture_output=True, text=True,
                                                                  stdin=subprocess.DEVNULL).stdout.strip()
    julia = environment.Julia.ask(path)
    packages = environment.main_environment(julia, count=6)
    return packages, lambda folder, url, token: Machine(folder, julia, url, token).install(packages)


@pytest.fixture(scope="module")
def running(podman):
    """As the Dockerfile says how: → the server's URL"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    podman("run", "-d", "--name", "cache", "--pull=never", "--network=host", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
           "--security-opt=no-new-privileges", "--health-interval=disable", "-v", "jicached:/data",
           "-e", f"JICACHED_LISTEN=127.0.0.1:{port}", "jicached")
    wait_until(lambda: "listening on" in podman("logs", "cache"), what="the server's word")
    return f"http://127.0.0.1:{port}"


def test_the_image_is_small(podman):
    size = {name: int(podman("image", "inspect", "--format", "{{.Size}}", name)) for name in (BASE, "jicached")}
    over = size["jicached"] - size[BASE]
    print(f"{over / 1e6:.1f} MB over the base")
    assert 0 < over < SIZE_MAX


def test_it_is_nobody_and_writes_nowhere_but_in_its_volume(podman, running):
    assert podman("exec", "cache", "id", "-u") == "8787"
    status = podman("exec", "cache", "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    for place in ("/", "/tmp", "/usr/bin", "/etc"):
        assert podman.try_("exec", "cache", "touch", f"{place}/x").returncode != 0
    assert podman("exec", "cache", "ls", "/data") != ""


def test_the_health_check_knows_a_server_that_is_ready(podman, running):
    assert podman.try_("healthcheck", "run", "cache").returncode == 0
    assert podman.try_("exec", "-e", "JICACHED_LISTEN=127.0.0.1:9", "cache", "/usr/libexec/jicached-healthcheck").returncode != 0


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def test_the_dashboard_is_in_it(running):
    page = get(f"{running}/")
    [script] = re.findall(r'src="(/assets/app-\w+\.js)"', page)
    [style] = re.findall(r'href="(/assets/app-\w+\.css)"', page)
    assert "Environments" in get(f"{running}{script}") and "@font-face" in get(f"{running}{style}")
    assert json.loads(get(f"{running}/v1/stats"))["server"].startswith("jicached ")


def test_a_client_pushes_and_pulls_through_it(podman, running, world, tmp_path):
    packages, machine = world
    token = podman("exec", "cache", "jicached", "token", "create", "--name", "ci", "--can", "read,write").splitlines()[-1]
    first = machine(tmp_path / "first", running, token)
    assert first.load(packages).status == 0
    assert first.push()["published"] > 0
    second = machine(tmp_path / "second", running, token)
    assert second.pull()["missing"] == 0
    second.load(packages).assert_nothing_compiled()


def test_the_data_outlives_the_container(podman, running):
    status = json.loads(podman("exec", "cache", "jicached", "status", "--json"))
    assert status["tokens"] == 1 and status["artefacts"] > 0
    podman("rm", "-f", "-t", "20", "cache")
    after = podman("run", "--rm", "--pull=never", "--network=none", "--health-interval=disable", "-v", "jicached:/data", "jicached",
                   "status", "--json")
    assert json.loads(after)["artefacts"] == status["artefacts"]


def test_a_mistake_in_the_settings_ends_it_with_a_sentence(podman):
    done = podman.try_("run", "--rm", "--pull=never", "--network=none", "--health-interval=disable", "-e", "JICACHED_LOG_LEVEL=loud",
                       "jicached")
    assert done.returncode == 2 and "log_level" in done.stderr
