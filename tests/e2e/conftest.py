"""Fixtures of the end-to-end tests: a real Julia, real servers, machines that share nothing but the server."""

import itertools
import os
import shutil
import subprocess

import environment
import pytest
import scene
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


class Shared:
    """Two machines of which the second loaded what the first had compiled; `first` and `second` are what Julia said."""

    def __init__(self, one, two, names):
        self.one, self.two, self.names = one, two, names

    def publish(self, *arguments):
        self.first = scene.run_load(self.one, self.names, *arguments)
        assert self.first.status == 0, self.first.output
        return self

    def take(self, *arguments):
        self.pulled = self.two.pull("--require", *arguments)
        self.second = scene.load(self.two, self.names)
        self.second.assert_nothing_compiled()
        assert self.second.new_files == []
        assert self.second.made == self.first.made
        return self


@pytest.fixture
def machines(server, machine):
    """machines(write): a scene on two machines, the first of which may publish."""

    def make(write):
        one, two = machine(server.url, server.token()), machine(server.url)
        names = write(scene.Scene(one))
        assert write(scene.Scene(two, "some where/d\u00e9j\u00e0")) == names
        return Shared(one, two, names)

    return make


@pytest.fixture
def share(machines):
    """share(write): the first machine compiles and publishes a scene, the second pulls it and compiles nothing."""
    return lambda write, *arguments: machines(write).publish(*arguments).take(*arguments)


@pytest.fixture(autouse=True)
def julias_that_can(request):
    """@pytest.mark.since(1, 9): the feature came with that Julia."""
    since = request.node.get_closest_marker("since")
    if since and request.getfixturevalue("julia").version < since.args:
        pytest.skip(f"came with Julia {'.'.join(map(str, since.args))}")
