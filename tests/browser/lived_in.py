"""A server that people have used: what real Julias compiled, pushed and pulled by the real client, in two lanes.

Alder is in both lanes, in two builds, so that what pr/7 built on its own Alder is superseded. One package was published in another
version than the one that people's machines ask for."""

import itertools
import os
import subprocess

import environment
from processes import ROOT, Machine, bin_dir

PACKAGES = 12


class LivedIn:
    def __init__(self, server, folder):
        self.server, self.folder, self.julia = server, folder, real_julia()
        self.numbers = itertools.count(1)
        self.packages = plain(self.julia, last=77)

    def machine(self, token=None, lane="pr/7", packages=None):
        """A new one, with `packages` (else those that people ask for) installed."""
        machine = Machine(self.folder / f"machine-{next(self.numbers)}", self.julia, self.server.url, token)
        machine.extra = {"JICACHE_LANE": lane}
        return machine.install(packages or self.packages)

    def publish(self, name, lane, packages):
        """Compile and push, with a new token that is called `name`."""
        machine = self.machine(self.server.token(name, "read,write", lane), lane, packages)
        assert machine.load(packages).status == 0
        return machine.push()

    def states(self):
        """Package -> what the dashboard has to show of it, from how the environment was made and from nothing else."""
        changed = set(self.packages.dependents(self.packages.packages[-1].name))
        over = set(self.packages.dependents("Alder")) - {"Alder"}
        return {p.name: "missing" if p.name in changed else "superseded" if p.name in over else "stored"
                for p in self.packages.packages}


def real_julia():
    path = os.environ.get("JICACHE_TEST_JULIA") or subprocess.run([ROOT / "tests/julia"], check=True, capture_output=True, text=True,
                                                                  stdin=subprocess.DEVNULL).stdout.strip()
    return environment.Julia.ask(path)


def live(server, folder, count=PACKAGES):
    """Fill `server` (running, empty) with the first `count` packages; nobody asked for anything yet. → LivedIn"""
    subprocess.run([bin_dir() / "jicached", "lane", "create", "--data", server.data, "--name", "pr/7", "--parent", "main"], check=True,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    made = LivedIn(server, folder)
    whole = environment.Environment("whole", plain(made.julia).packages[:count])
    for name, lane, packages in (("pr-runner", "pr/7", whole), ("nightly", "main", environment.Environment("base", whole.packages[:1]))):
        assert made.publish(name, lane, packages)["published"] == len(packages.packages)
    return made


def plain(julia, last=PACKAGES - 1):
    """Generated packages, all from a registry and without an extension; `last` is the number, and so the version, of the last."""
    packages = environment.grow(environment.NAMES[:PACKAGES], julia, [], seed=PACKAGES)
    packages[-1].number = last
    return environment.Environment("lived-in", packages)
