"""Package extensions: what loads them is in the environment, elsewhere in the stack, in the system image or a stdlib."""

import subprocess

import pytest
from scene import Scene, uuid_of

pytestmark = pytest.mark.since(1, 9)


def one_trigger(s):
    s.package("Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]})
    s.project("project", ["Par", "Trig"])
    return ["Par", "Trig"]


def several_triggers(s):
    for name in ("TrigA", "TrigB", "Base0"):
        s.package(name)
    s.package("Par", deps=["Base0"], weak=["TrigA", "TrigB"],
              extensions={"ParAExt": ["TrigA"], "ParBExt": ["TrigB"], "ParABExt": ["TrigA", "TrigB"]})
    s.package("Top", deps=["Par", "TrigB", "TrigA"])
    s.project("project", ["Top"])
    return ["Top"]


def developed_parent(s):
    s.package("Trig", at="dev/Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]}, at="dev/Par")
    s.package("Top", deps=["Par", "Trig"], at="dev/Top")
    s.project("project", ["Top"])
    return ["Top"]


def in_a_folder_of_its_own(s):
    s.package("Trig")
    s.package("Par", weak=["Trig"])
    made = s.packages["Par"]
    source = s.extension_source("Par", "ParTrigExt", ["Trig"]).replace("value()", 'include("more.jl")\nvalue()', 1)
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]}, at="dev/Par",
              files={"ext/ParTrigExt.jl": "error()", "ext/ParTrigExt/ParTrigExt.jl": source,
                     "ext/ParTrigExt/more.jl": "const MORE = 3\n"})
    assert made.folder != s.packages["Par"].folder
    s.project("project", ["Par", "Trig"])
    return ["Par", "Trig"]


def trigger_in_another_environment(s):
    s.package("Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]})
    s.project(s.machine.depot / "environments" / s.julia.series, ["Trig"], active=False)
    s.project("project", ["Par"])
    return ["Par", "Trig"]


def parent_in_another_environment(s):
    s.package("Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]})
    s.project(s.machine.depot / "environments" / s.julia.series, ["Par"], active=False)
    s.project("project", ["Trig"])
    return ["Trig", "Par"]


def stdlib_trigger(s, name):
    s.package("Par", weak=[name], extensions={f"Par{name}Ext": [name]})
    s.project("project", ["Par", name])
    return ["Par", name]


def stdlib_that_no_project_names(s):
    s.package("Par", weak=["Dates"], extensions={"ParDatesExt": ["Dates"]})
    s.project("project", ["Par"])
    return ["Par", "Dates"]


def triggered_through_a_dependency(s):
    s.package("Trig", deps=["Dates"])
    s.package("Par", weak=["Dates", "Trig"], extensions={"ParDatesExt": ["Dates"], "ParTrigDatesExt": ["Trig", "Dates"]})
    s.package("Top", deps=["Par", "Trig"])
    s.project("project", ["Top"])
    return ["Top"]


def the_project_is_the_parent(s):
    s.package("Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]}, at="Par")
    s.write("Par/Manifest.toml", s.manifest(s.base / "Par", [], only=[]))
    s.project(s.machine.depot / "environments" / s.julia.series, ["Trig"], active=False)
    s.machine.project = s.base / "Par"
    return ["Par", "Trig"]


def extension_of_an_extended(s):
    """The extension of Far needs what is loaded with the extension of Par."""
    s.package("Trig")
    s.package("Par", weak=["Trig"], extensions={"ParTrigExt": ["Trig"]})
    s.package("Far", deps=["Par"], weak=["Trig"], extensions={"FarTrigExt": ["Trig"]})
    s.package("Top", deps=["Far", "Trig"])
    s.package("Over", deps=["Top"])
    s.project("project", ["Over"])
    return ["Over"]


SCENES = [one_trigger, several_triggers, developed_parent, in_a_folder_of_its_own, trigger_in_another_environment,
          parent_in_another_environment, stdlib_that_no_project_names, triggered_through_a_dependency,
          the_project_is_the_parent, extension_of_an_extended]


@pytest.mark.parametrize("write", SCENES, ids=lambda write: write.__name__)
def test_extensions_are_shared(share, write):
    shared = share(write)
    assert any(name.endswith("Ext") for name in shared.second.made), shared.second.output


@pytest.mark.parametrize("name", ["LinearAlgebra", "Random", "Dates", "Statistics", "Test", "SparseArrays", "REPL", "UUIDs"])
def test_a_stdlib_triggers_an_extension(share, name):
    shared = share(lambda s: stdlib_trigger(s, name))
    assert f"Par{name}Ext" in shared.second.made, shared.second.output


def test_extensions_of_stdlibs_that_flags_make_julia_compile(machines):
    def write(s):
        s.package("Top", deps=["Statistics", "SparseArrays"])
        s.project("project", ["Top"])
        return ["Top"]

    shared = machines(write)
    for one in (shared.one, shared.two):
        one.julia_args = ["--inline=no"]
    shared.publish().take()


def test_extensions_have_julias_uuids(machine, julia):
    one = machine()
    several_triggers(Scene(one))
    code = "".join(f'println(Base.uuid5(Base.UUID("{uuid_of("Par")}"), "{name}"));' for name in ("ParAExt", "ParABExt"))
    said = subprocess.run([julia.path, "--startup-file=no", "-e", code], capture_output=True, text=True, check=True).stdout.split()
    nodes = {node["name"].split("/")[-1]: node["uuid"] for node in one.report("key")["nodes"]}
    assert [nodes["ParAExt"], nodes["ParABExt"]] == said
