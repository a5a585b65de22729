"""--target test: what Pkg.test would compile is there before it starts."""

import pytest
from environment import manifest_lines
from scene import Scene

PEAR = "aaaaaaaa-0000-4000-8000-000000000001"
HELPER = "bbbbbbbb-0000-4000-8000-000000000002"
SUBJECT = "dddddddd-0000-4000-8000-000000000004"
NAMES = {"Subject", "Pear", "Helper"}
# Pkg would clone one when there is none.
REGISTRY = 'name = "Empty"\nuuid = "eeeeeeee-0000-4000-8000-000000000009"\nrepo = "none"\n[packages]\n'


def package(name, uuid, deps=""):
    return f'name = "{name}"\nuuid = "{uuid}"\nversion = "0.1.0"\n{deps}'


def manifest(julia, name, path, uuid):
    head = 'julia_version = "{}.{}.{}"\nmanifest_format = "2.0"\n\n'.format(*julia.version) if julia.version >= (1, 7) else ""
    return head + manifest_lines(julia, name, [], path=path, uuid=uuid, version="0.1.0")


def write(machine):
    """A package, its dependency beside it, and another one of its tests: all developed, so that no registry is asked."""
    machine.project = machine.folder / "work/Subject"
    files = {
        "Pear/Project.toml": package("Pear", PEAR),
        "Pear/src/Pear.jl": "module Pear; value() = 1; end\n",
        "Helper/Project.toml": package("Helper", HELPER),
        "Helper/src/Helper.jl": "module Helper; value() = 2; end\n",
        "Subject/Project.toml": package("Subject", SUBJECT, f'[deps]\nPear = "{PEAR}"\n'),
        "Subject/Manifest.toml": manifest(machine.julia, "Pear", "../Pear", PEAR),
        "Subject/src/Subject.jl": "module Subject; using Pear; value() = Pear.value(); end\n",
        "Subject/test/Project.toml": f'[deps]\nHelper = "{HELPER}"\n',
        "Subject/test/Manifest.toml": manifest(machine.julia, "Helper", "../../Helper", HELPER),
        "Subject/test/runtests.jl": 'using Subject, Helper\nprintln("SUM ", Subject.value() + Helper.value())\n',
    }
    for name, text in files.items():
        path = machine.folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    registry = machine.depot / "registries/Empty/Registry.toml"
    registry.parent.mkdir(parents=True)
    registry.write_text(REGISTRY)
    return machine


def test_packages(machine, through=(), options=""):
    """Pkg.test(); the packages that it compiled."""
    before = machine.caches()
    done = machine.start([*through, *machine.julia_command("-e", f"using Pkg; Pkg.test(; {options})")])
    out, err = done.communicate(timeout=600)
    assert done.returncode == 0 and "SUM 3" in out + err, out + err
    new = {path.parent.name for path in machine.caches() - before}
    return {name for name in new if not machine.julia.has_stdlib(name)}


test_packages.__test__ = False


def test_pkg_test_compiles_nothing_after_a_pull(server, machine):
    one, two = write(machine(server.url, server.token())), write(machine(server.url))
    assert test_packages(one, through=one.command("run", "--target", "test", "--")) == NAMES
    report = two.pull("--target", "test", "--require")
    assert (report["packages"], report["fetched"]) == (3, 3), report
    assert test_packages(two) == set()


def test_precompile_compiles_for_the_tests_and_does_not_run_them(server, machine):
    one, two = write(machine(server.url, server.token())), write(machine(server.url))
    done = one.jicache("precompile", "--target", "test", "--require")
    assert "SUM" not in done.stdout + done.stderr
    assert test_packages(one) == set()
    assert two.pull("--target", "test", "--require")["fetched"] == 3


def test_key_has_the_flags_of_pkg_test_unless_others_are_given(machine):
    one = write(machine())
    plain, target = one.report("key"), one.report("key", "--target", "test")
    assert {node["name"] for node in target["nodes"] if node["state"] == "shared"} == NAMES
    given = one.report("key", "--target", "test", "--julia-args=--check-bounds=auto") if one.julia.version >= (1, 8) else plain
    assert given["runtime"] == plain["runtime"]
    assert (target["runtime"] != plain["runtime"]) == (one.julia.version >= (1, 9))


@pytest.mark.parametrize("target, project, said", [("tests", "work/Subject", 'there is no target "tests"'),
                                                   ("test", "work/Subject/test", "is no package")])
def test_wrong_targets_are_wrong_usage(machine, target, project, said):
    one = write(machine())
    one.project = one.folder / project
    assert said in one.jicache("key", "--target", target, status=2).stderr


# ---- other ways to say what tests need


def write_targets(machine):
    """All is developed, so that no registry is asked. [extras] and [targets]: a stdlib, and a package that a dependency needs, too. With preferences for both."""
    s = Scene(machine)
    s.package("Helper", body=ASK.format(uuid=s.uuid("Helper")), at="Helper")
    s.package("Pear", deps=["Helper"], at="Pear")
    extras = f'[extras]\nHelper = "{s.uuid("Helper")}"\nTest = "{s.uuid("Test")}"\n[targets]\ntest = ["Helper", "Test"]\n'
    s.package("Subject", deps=["Pear"], at="Subject", project=extras, files={
        "LocalPreferences.toml": '[Helper]\na = "local"\n',
        "test/runtests.jl": "using Subject, Helper, Test\n@test Subject.value() == 3\nprintln(\"SUM \", Subject.value())\n"})
    s.write("Subject/Manifest.toml", s.manifest(s.base / "Subject", ["Pear"]))
    return settle(machine, s)


def write_project(machine):
    """test/Project.toml without a manifest of its own, with an extension that only the tests trigger."""
    s = Scene(machine)
    s.package("Helper", at="Helper")
    s.package("Pear", deps=["Helper"], at="Pear")
    new = machine.julia.version >= (1, 9)
    s.package("Subject", deps=["Pear"], at="Subject", weak=["Test"] if new else [],
              extensions={"SubjectTestExt": ["Test"]} if new else {}, files={
        "test/runtests.jl": "using Subject, Helper, Test\n@test Subject.value() == 3\nprintln(\"SUM \", Subject.value())\n"})
    s.write("Subject/test/Project.toml", s.table("deps", ["Helper", "Test"]) + "[preferences.Helper]\na = 1\n")
    s.write("Subject/Manifest.toml", s.manifest(s.base / "Subject", ["Pear"]))
    return settle(machine, s)


def write_member(machine):
    """test/ is a member of the package's workspace, as 1.12 recommends."""
    s = Scene(machine)
    s.package("Helper", body=ASK.format(uuid=s.uuid("Helper")))
    s.package("Pear")
    s.package("Subject", deps=["Pear"], at="Subject", project='[workspace]\nprojects = ["test"]\n[preferences.Helper]\na = 2\n', files={
        "test/runtests.jl": "using Subject, Helper, Test\n@test Subject.value() == 2\nprintln(\"SUM \", Subject.value() + 1)\n"})
    s.write("Subject/test/Project.toml", s.table("deps", ["Helper", "Subject", "Test"]))
    s.write("Subject/Manifest.toml", s.manifest(s.base / "Subject", ["Helper", "Subject", "Test"]))
    return settle(machine, s)


# What is compiled depends on it.
ASK = """
const UUID = Base.UUID("{uuid}")
const ASKED = VERSION >= v"1.6" ? (Base.record_compiletime_preference(UUID, "a"); get(Base.get_preferences(UUID), "a", 0)) : 0
"""


def settle(machine, s):
    machine.project = s.base / "Subject"
    registry = machine.depot / "registries/Empty/Registry.toml"
    registry.parent.mkdir(parents=True)
    registry.write_text(REGISTRY)
    return machine


@pytest.mark.parametrize("write", [write_targets, write_project, pytest.param(write_member, marks=pytest.mark.since(1, 12))])
@pytest.mark.parametrize("options", ["", "coverage = true"])
def test_every_kind_of_test_environment_is_prepared(server, machine, write, options):
    arguments = []
    if options and machine().julia.version >= (1, 9):
        arguments = ["--julia-args=--check-bounds=yes --code-coverage=@/nowhere"]
    if options and not arguments:
        pytest.skip("before 1.9 coverage changes no cache")
    one, two = write(machine(server.url, server.token())), write(machine(server.url))
    compiled = test_packages(one, [*one.command("run", "--target", "test", *arguments), "--"], options)
    assert compiled >= NAMES, compiled
    report = two.pull("--target", "test", "--require", *arguments)
    assert report["missing"] == 0, report
    assert test_packages(two, options=options) == set()
