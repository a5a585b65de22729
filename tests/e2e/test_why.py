"""`jicache why`: the first input that differs, in words, down to the leaf."""

import environment
import pytest
from test_identity import expected, padded_image


@pytest.fixture
def asker(small_server, machine, small):
    """asker(packages): a machine that has them installed, and a server that has the small environment."""
    return lambda packages=small: machine(small_server.url).install(packages)


@pytest.fixture
def changed_leaf(julia):
    """The small environment with another version of a package that others need; that package."""
    packages = environment.main_environment(julia, count=6)
    needed = [dep for package in packages.packages for dep in package.deps if not dep.developed and not dep.deps]
    leaf = max(needed, key=lambda package: len(packages.dependents(package.name)))
    assert leaf.value  # remembered from now on: what tests of its dependents say, so their sources, stay as they are
    leaf.number += 70
    return packages, leaf


def why(one, packages, *arguments):
    """(missed by name, causes) of the generated packages. Which stdlibs have caches of their own is each Julia's business."""
    report = one.report("why", *arguments)
    names = set(packages.names())
    missed = {item["name"]: item for item in report["missed"] if item["name"].split("/")[0] in names}
    return missed, [cause for cause in report["causes"] if set(cause["packages"]) & missed.keys()]


def test_nothing_missed_has_no_reason(asker, small):
    one = asker()
    assert why(one, small) == ({}, [])
    one.pull()
    assert why(one, small) == ({}, [])
    report = one.report("why")
    assert report["packages"] >= report["on_server"] >= len(small.packages)


def test_another_version_of_a_dependency_is_the_one_cause(asker, changed_leaf, julia):
    packages, leaf = changed_leaf
    one = asker(packages)
    wanted = expected(packages, julia, leaf.name)
    assert len(wanted) >= 2
    missed, (cause,) = why(one, packages)
    said = f"{leaf.name} is 0.{leaf.number}.0 here, 0.{leaf.number - 70}.0 there"
    assert (cause["kind"], cause["text"], sorted(cause["packages"])) == ("source", said, wanted)
    assert "jicache push" in cause["remedy"]

    assert sorted(missed) == wanted
    for name, item in missed.items():
        assert (item["path"][0], item["path"][-1]) == (name, leaf.name)
        assert (item["here"], item["there"]) == (f"0.{leaf.number}.0", f"0.{leaf.number - 70}.0")
        assert item["nearest"]["lane"] == "main"
        above = [f"{step.split('/')[-1]}'s" for step in item["path"][:-1]]
        above[:1] = ["its"] if above else []  # a direct dependency
        assert item["text"] == (f"{name}: {above[-1]} dependency {said}" if above else said)

    text = one.jicache("why").stdout
    assert f"{len(wanted)} packages miss because {said}\n" in text
    assert all(name in text for name in wanted)
    dependent = next(name for name in wanted if name != leaf.name)
    alone = one.jicache("why", dependent).stdout
    assert alone.startswith(missed[dependent]["text"]) and "to hit: " in alone and "nearest: " in alone


def test_what_julia_compiled_meanwhile_is_explained_too(asker, changed_leaf, julia):
    packages, leaf = changed_leaf
    one = asker(packages)
    assert one.run_load(packages).status == 0
    missed, _ = why(one, packages)
    assert sorted(missed) == expected(packages, julia, leaf.name)
    assert all(item["local"] for item in missed.values())


def test_a_changed_source_of_a_developed_package_is_named(asker, small, julia):
    one = asker()
    developed = next(package.name for package in small.packages if package.developed)
    with (one.project.parent / developed / "src/compute.jl").open("a") as source:
        source.write("\n# another thought\n")
    missed, (cause,) = why(one, small)
    assert sorted(title.split("/")[-1] for title in missed) == expected(small, julia, developed)
    assert cause["kind"] == "source" and f"{developed}'s source changed (developed package)" in cause["text"]


def test_another_system_image_is_named(asker, small, julia, tmp_path):
    one = asker()
    plain = one.report("key")["sysimage"]
    one.julia_args = [f"-J{padded_image(julia, one, tmp_path)}"]
    other = one.report("key")["sysimage"]
    missed, (cause,) = why(one, small)
    assert missed.keys() >= set(small.names())
    assert cause["kind"] == "sysimage"
    assert cause["text"] == f"sysimage differs: sha256 {other[:12]}… here, {plain[:12]}… there"


def test_a_package_that_nobody_published_is_said_to_be_so(asker, server, julia, small):
    one = asker(environment.sharing_environment(julia, small))
    own = environment.OTHER_NAMES[0]
    item, = one.report("why", own)["missed"]
    assert (item["kind"], item["nearest"]) == ("never-published", None)
    assert item["text"] == f"{own} was never published by anyone"
    one.url = server.url
    cause, = one.report("why")["causes"]
    assert cause["kind"] == "never-published"


def test_other_flags_are_named(asker, small, julia):
    if julia.version < (1, 9):
        pytest.skip("flags are no part of a cache's identity before Julia 1.9")
    one = asker()
    one.julia_args = ["--check-bounds=yes"]
    missed, (cause,) = why(one, small)
    assert missed.keys() >= set(small.names())
    assert cause["kind"] == "flags"
    assert "--check-bounds=yes` here" in cause["text"] and "--check-bounds=auto" in cause["text"]


def test_another_preference_is_named(asker, small, julia):
    if julia.version < (1, 6):
        pytest.skip("Julia has preferences since 1.6")
    one = asker()
    name = next(package.name for package in small.direct if not package.developed)
    (one.project / "LocalPreferences.toml").write_text(f'[{name}]\nbackend = "fast"\n')
    missed, (cause,) = why(one, small)
    assert name in missed
    assert cause["kind"] == "preference"
    assert cause["text"] == f'preference `backend` of {name} is "fast" here, not set there'


def test_what_did_not_miss_is_said_to_be_fine(asker, small):
    one = asker()
    name = small.packages[0].name
    assert f"{name} is on the server" in one.jicache("why", name).stdout
    one.pull()
    assert f"{name} is here" in one.jicache("why", name).stdout


def test_a_package_that_is_not_in_the_environment_is_an_error(asker):
    assert '"Nobody"' in asker().jicache("why", "Nobody", status=1).stderr


def test_a_server_that_is_away_can_not_say(machine, small):
    one = machine("http://127.0.0.1:9").install(small)
    done = one.jicache("why")
    assert done.stdout == "" and "server away" in done.stderr
