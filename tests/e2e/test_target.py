"""--target test: what Pkg.test would compile is there before it starts."""

import pytest
from environment import manifest_lines

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


def test_packages(machine, through=()):
    """Pkg.test(); the packages that it compiled."""
    before = machine.caches()
    done = machine.start([*through, *machine.julia_command("-e", "using Pkg; Pkg.test()")])
    out, err = done.communicate(timeout=600)
    assert done.returncode == 0 and "SUM 3" in out + err, out + err
    return NAMES & {path.parent.name for path in machine.caches() - before}


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
