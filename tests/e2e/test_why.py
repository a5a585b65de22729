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


def missed(report):
    return {item["name"]: item for item in report["missed"]}


def test_nothing_missed_has_no_reason(asker):
    one = asker()
    report = one.report("why")
    assert (report["missed"], report["causes"], report["missing"]) == ([], [], 0)
    assert report["on_server"] == report["packages"] > 0
    one.pull("--require")
    assert one.report("why")["missed"] == []


def test_another_version_of_a_dependency_is_the_one_cause(asker, changed_leaf, julia):
    packages, leaf = changed_leaf
    one = asker(packages)
    report = one.report("why")
    wanted = expected(packages, julia, leaf.name)
    assert len(wanted) >= 2
    said = f"{leaf.name} is 0.{leaf.number}.0 here, 0.{leaf.number - 70}.0 there"
    cause, = report["causes"]
    assert (cause["kind"], cause["text"], sorted(cause["packages"])) == ("source", said, wanted)
    assert "jicache push" in cause["remedy"]

    told = missed(report)
    assert sorted(told) == wanted
    for name, item in told.items():
        assert (item["path"][0], item["path"][-1]) == (name, leaf.name)
        assert (item["here"], item["there"]) == (f"0.{leaf.number}.0", f"0.{leaf.number - 70}.0")
        assert item["nearest"]["lane"] == "main"
        above = "its" if len(item["path"]) == 2 else f"{item['path'][-2].split('/')[-1]}'s"
        assert item["text"] == (said if name == leaf.name else f"{name}: {above} dependency {said}")

    text = one.jicache("why").stdout
    assert f"{len(wanted)} packages miss because {said}\n" in text
    assert all(name in text for name in wanted)
    dependent = next(name for name in wanted if name != leaf.name)
    alone = one.jicache("why", dependent).stdout
    assert alone.startswith(told[dependent]["text"]) and "to hit: " in alone and "nearest: " in alone


def test_what_julia_compiled_meanwhile_is_explained_too(asker, changed_leaf, julia):
    packages, leaf = changed_leaf
    one = asker(packages)
    assert one.run_load(packages).status == 0
    report = one.report("why")
    assert report["missing"] == 0
    assert sorted(missed(report)) == expected(packages, julia, leaf.name)
    assert all(item["local"] for item in report["missed"])


def test_a_changed_source_of_a_developed_package_is_named(asker, small, julia):
    one = asker()
    developed = next(package.name for package in small.packages if package.developed)
    with (one.project.parent / developed / "src/compute.jl").open("a") as source:
        source.write("\n# another thought\n")
    report = one.report("why")
    assert sorted(missed(report)) == expected(small, julia, developed)
    cause, = report["causes"]
    assert cause["kind"] == "source" and f"{developed}'s source changed (developed package)" in cause["text"]


def test_another_system_image_is_named(asker, small, julia, tmp_path):
    one = asker()
    plain = one.report("key")["sysimage"]
    one.julia_args = [f"-J{padded_image(julia, one, tmp_path)}"]
    report = one.report("why")
    cause, = report["causes"]
    assert cause["kind"] == "sysimage"
    other = one.report("key")["sysimage"]
    assert cause["text"] == f"sysimage differs: sha256 {other[:12]}… here, {plain[:12]}… there"
    assert len(cause["packages"]) == report["packages"]


def test_a_package_that_nobody_published_is_said_to_be_so(asker, server, julia, small):
    one = asker(environment.sharing_environment(julia, small))
    own = environment.OTHER_NAMES[0]
    item = missed(one.report("why", own))[own]
    assert (item["kind"], item["nearest"]) == ("never-published", None)
    assert item["text"] == f"{own} was never published by anyone"
    one.url = server.url
    cause, = one.report("why")["causes"]
    assert cause["kind"] == "never-published"


def test_other_flags_are_named(asker, julia):
    if julia.version < (1, 9):
        pytest.skip("flags are no part of a cache's identity before Julia 1.9")
    one = asker()
    one.julia_args = ["--check-bounds=yes"]
    report = one.report("why")
    kinds = {cause["kind"]: cause for cause in report["causes"]}
    assert "--check-bounds=yes` here" in kinds["flags"]["text"] and "--check-bounds=auto" in kinds["flags"]["text"]


def test_another_preference_is_named(asker, small, julia):
    if julia.version < (1, 6):
        pytest.skip("Julia has preferences since 1.6")
    one = asker()
    name = next(package.name for package in small.direct if not package.developed)
    (one.project / "LocalPreferences.toml").write_text(f'[{name}]\nbackend = "fast"\n')
    report = one.report("why")
    assert name in missed(report)
    cause, = report["causes"]
    assert cause["kind"] == "preference"
    assert cause["text"] == f'preference `backend` of {name} is "fast" here, not set there'


def test_what_did_not_miss_is_said_to_be_fine(asker, small):
    one = asker()
    name = small.packages[0].name
    assert "on the server" in one.jicache("why", name).stdout
    one.pull("--require")
    assert "is here" in one.jicache("why", name).stdout


def test_a_package_that_is_not_in_the_environment_is_an_error(asker):
    assert '"Nobody"' in asker().jicache("why", "Nobody", status=1).stderr


def test_a_server_that_is_away_can_not_say(machine, small):
    one = machine("http://127.0.0.1:9").install(small)
    done = one.jicache("why")
    assert done.stdout == "" and "server away" in done.stderr
