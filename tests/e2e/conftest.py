"""Fixtures of the end-to-end tests: a real Julia, real servers, machines that share nothing but the server."""

import itertools
import os
import shutil
import subprocess

import environment
import pytest
from processes import ROOT, Machine, Server


@pytest.fixture(scope="session")
def julia():
    path = os.environ.get("JICACHE_TEST_JULIA") or subprocess.run([ROOT / "tests/julia"], check=True, capture_output=True,
                                                                  text=True, stdin=subprocess.DEVNULL).stdout.strip()
    return environment.Julia.ask(path)


@pytest.fixture(scope="session")
def main(julia):
    """The environment of 30 packages."""
    return environment.main_environment(julia)


@pytest.fixture(scope="session")
def small(julia):
    """Six packages: for what is done often."""
    return environment.main_environment(julia, count=6)


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "server") as running:
        yield running


@pytest.fixture
def machine(tmp_path, julia):
    """machine(url, token): a new machine each time, its directories at another depth than the last one's."""
    numbers = itertools.count(1)

    def make(url=None, token=None):
        number = next(numbers)
        return Machine(tmp_path.joinpath(*["deeper"] * number, f"machine-{number}"), julia, url, token)

    return make


class Published:
    """A store that holds one environment, and the machine that compiled it. copy() is a server of one's own with it."""

    def __init__(self, folder, julia, packages):
        self.folder, self.environment = folder, packages
        with Server(folder / "server") as running:
            self.token = running.token()
            self.producer = Machine(folder / "producer", julia, running.url, self.token).install(packages)
            self.loading = self.producer.run_load(packages)
            running.stop()

    def copy(self, folder):
        shutil.copytree(self.folder / "server", folder)
        return Server(folder)


@pytest.fixture(scope="session")
def published_main(tmp_path_factory, julia, main):
    return Published(tmp_path_factory.mktemp("published-main"), julia, main)


@pytest.fixture(scope="session")
def published_small(tmp_path_factory, julia, small):
    return Published(tmp_path_factory.mktemp("published-small"), julia, small)


@pytest.fixture
def main_server(published_main, tmp_path):
    with published_main.copy(tmp_path / "main-server") as running:
        running.writer = published_main.token
        yield running


@pytest.fixture
def small_server(published_small, tmp_path):
    with published_small.copy(tmp_path / "small-server") as running:
        running.writer = published_small.token
        yield running
