"""Keys of random environments: what they depend on, and what they don't."""

import hashlib
import json
import os
import random
import shutil
import uuid
from dataclasses import dataclass, replace

import pytest

from corpus import CorpusMachine
from environment import version_slug

SEEDS = range(int(os.environ.get("JICACHE_TEST_ENVIRONMENTS", "12")))


@dataclass(frozen=True)
class Package:
    name: str
    deps: tuple = ()
    triggers: tuple = ()  # of its extension, when there are any
    tree: str = "0"
    developed: bool = False
    source: str = "1"
    built: str = ""
    preference: int = 0

    @property
    def uuid(self):
        return uuid.uuid5(uuid.NAMESPACE_DNS, self.name)

    @property
    def tree_hash(self):
        return hashlib.sha1(f"{self.name} {self.tree}".encode()).hexdigest()


@dataclass
class Layout:
    """How an environment is written down, which is no input of a key."""

    folder: str = "a"
    order: int = 0
    project: str = "Analysis"
    deps_as_tables: bool = False
    nested: bool = False  # the project lies two folders deeper


def some_packages(rng):
    """Dependencies go to earlier packages, triggers to any."""
    names = [f"P{rng.randrange(10**6)}x{i}" for i in range(rng.randint(3, 12))]
    packages = []
    for i, name in enumerate(names):
        deps = tuple(rng.sample(names[:i], rng.randint(0, min(i, 3))))
        rest = [other for other in names if other != name and other not in deps]
        triggers = tuple(rng.sample(rest, min(len(rest), rng.randint(1, 2)))) if rng.random() < 0.3 else ()
        packages.append(Package(name, deps, triggers, developed=rng.random() < 0.2, preference=rng.choice((0, 0, 7))))
    return packages


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def install(machine, packages, layout):
    home = machine.place / layout.folder
    machine.project = home / ("x/y/project" if layout.nested else "project")
    by_name = {p.name: p for p in packages}
    entries, preferences = [], []
    for p in packages:
        where = home / "dev" / p.name if p.developed else machine.depot / "packages" / p.name / version_slug(p.uuid, p.tree_hash)
        write(where / f"src/{p.name}.jl", f"module {p.name}\nconst source = {p.source}\nend\n" if p.developed else "module X end\n")
        extension = f'\n[extensions]\n{p.name}Ext = {json.dumps(list(p.triggers))}\n' if p.triggers else ""
        weak = "".join(f'{t} = "{by_name[t].uuid}"\n' for t in p.triggers)
        deps = "".join(f'{d} = "{by_name[d].uuid}"\n' for d in p.deps)
        write(where / "Project.toml", f'name = "{p.name}"\nuuid = "{p.uuid}"\n[deps]\n{deps}[weakdeps]\n{weak}{extension}')
        if p.triggers:
            write(where / f"ext/{p.name}Ext.jl", f"module {p.name}Ext end\n")
        shutil.rmtree(where / "deps", ignore_errors=True)
        if p.built:
            write(where / "deps/build.jl", "")
            write(where / "deps/deps.jl", p.built)
        if p.preference:
            preferences.append(f"[{p.name}]\ndepth = {p.preference}\n")
        entries.append(manifest_entry(p, by_name, os.path.relpath(where, machine.project), layout))
    rng = random.Random(layout.order)
    for some in (entries, preferences):
        rng.shuffle(some)
    named = [f'{p.name} = "{p.uuid}"\n' for p in packages]
    rng.shuffle(named)
    write(machine.project / "Project.toml", f'name = "{layout.project}"\n[deps]\n{"".join(named)}')
    write(machine.project / "Manifest.toml", 'julia_version = "1.11.1"\nmanifest_format = "2.0"\n\n' + "\n".join(entries))
    write(machine.project / "LocalPreferences.toml", "\n".join(preferences))
    return machine


def manifest_entry(p, by_name, path, layout):
    text = f"[[deps.{p.name}]]\n"
    deps = random.Random(layout.order).sample(p.deps, len(p.deps))
    text += f"deps = {json.dumps(deps)}\n" if deps and not layout.deps_as_tables else ""
    text += f'path = "{path}"\n' if p.developed else f'git-tree-sha1 = "{p.tree_hash}"\n'
    text += f'uuid = "{p.uuid}"\nversion = "1.{layout.order}.0"\n'
    if deps and layout.deps_as_tables:
        text += f"    [deps.{p.name}.deps]\n" + "".join(f'    {d} = "{by_name[d].uuid}"\n' for d in deps)
    if p.triggers:
        text += f"    [deps.{p.name}.extensions]\n    {p.name}Ext = {json.dumps(list(p.triggers))}\n    [deps.{p.name}.weakdeps]\n"
        text += "".join(f'    {t} = "{by_name[t].uuid}"\n' for t in p.triggers)
    return text


def dependents(packages, changed):
    """Nodes whose key has a package's inputs in it: itself, what depends on it, and the extensions of these."""
    found = {changed}
    while more := {p.name for p in packages if p.name not in found and found & set(p.deps)}:
        found |= more
    nodes = set(found)
    for p in packages:
        if p.triggers and found & {p.name, *p.triggers}:
            nodes.add(f"{p.name}Ext")
    return nodes


@pytest.fixture
def environment(request, tmp_path):
    """→ keys_of(packages, **layout), some packages, a generator of random numbers"""
    rng = random.Random(request.param)
    machines = {}

    def keys_of(packages, machine="one", **layout):
        if machine not in machines:
            machines[machine] = CorpusMachine(tmp_path / machine, "1.11.1", tmp_path / machine / ("deep/" * len(machines) + "place"))
        return install(machines[machine], packages, Layout(**layout)).keys()

    return keys_of, some_packages(rng), rng


each_environment = pytest.mark.parametrize("environment", SEEDS, indirect=True)


@each_environment
def test_order_place_and_the_names_of_projects_change_no_key(environment):
    keys_of, packages, _ = environment
    keys = keys_of(packages)
    nodes = {p.name for p in packages} | {f"{p.name}Ext" for p in packages if p.triggers}
    assert set(keys) == nodes and len(set(keys.values())) == len(nodes)
    assert keys_of(packages, order=1) == keys
    assert keys_of(list(reversed(packages)), order=2, folder="b", project="Another", deps_as_tables=True) == keys
    assert keys_of(packages, machine="two", nested=True) == keys


CHANGES = {
    "sources": lambda p: replace(p, source="2") if p.developed else replace(p, tree="1"),
    "what its build left": lambda p: replace(p, built="const library = 2\n"),
    "a preference": lambda p: replace(p, preference=8),
}


@each_environment
@pytest.mark.parametrize("change", CHANGES)
def test_an_input_changes_the_keys_of_its_dependents_and_no_other(environment, change):
    keys_of, packages, rng = environment
    before = keys_of(packages)
    at = rng.randrange(len(packages))
    after = keys_of([CHANGES[change](p) if i == at else p for i, p in enumerate(packages)])
    assert set(after) == set(before)
    assert {name for name in before if before[name] != after[name]} == dependents(packages, packages[at].name)


@each_environment
def test_a_package_more_changes_no_key(environment):
    keys_of, packages, _ = environment
    before = keys_of(packages)
    after = keys_of([*packages, Package("Another")])
    assert {name: key for name, key in after.items() if name != "Another"} == before
