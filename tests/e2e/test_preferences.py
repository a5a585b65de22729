"""Preferences: where they come from, what they hold, and that Julia's hash over them is ours."""

import pytest
from scene import run_load, Scene

# Preferences.jl does the same: look up, and record that the name was asked for.
ASK = """
function ask(name)
    uuid = Base.UUID("{uuid}")
    Base.record_compiletime_preference(uuid, name)
    get(Base.get_preferences(uuid), name, nothing)
end
const ASKED = string([name => ask(name) for name in {names}])
"""

pytestmark = pytest.mark.since(1, 6)


def asking(s, name, *names, deps=(), **options):
    """A package that asks for these preferences when it is compiled."""
    asked = ASK.format(uuid=s.uuid(name), names="[" + ", ".join(f'"{n}"' for n in names) + "]")
    s.package(name, deps=deps, body=asked, value="length(ASKED)", **options)
    return name


VALUES = {
    "strings": 's = "hello"\nempty = ""\nu = "\u00fcn\u00ef \u2200x\u2208X \U0001f600"\nescaped = "a\\tb\\u0000c\\\\"\nlong = """' + "x" * 300 + '"""',
    "numbers": "i = -42\nz = 0\nbig = 9223372036854775807\nhex = 0xdeadbeef\nf = 2.5\nf2 = 3.0\nminus = -0.0\nhuge = 1e300\ninf = inf\n"
               "two63 = 9223372036854775808.0\ntiny = 1e-320\nn = nan",
    "booleans": "yes = true\nno = false",
    "arrays": 'a = [1, 2, 3]\ne = []\nn = [[1, 2], ["x"], []]\nf = [1.5, 2.0]\nm = [1, "a", 2.5, true]\nt = [{k = 1}, {k = "\u00e9"}]',
    "tables": 'inline = {a = 1, b = [1, 2], c = {d = "e"}}',
    "dates": "d = 2020-01-02\nt = 12:13:14.123\ndt = 2020-01-02T03:04:05\nodt = 2020-01-02T03:04:05.678Z\ntable = {d = 2020-01-02}",
    "arrays of dates": "in = [2020-01-02, 1999-12-31]\nt = [[10:00:00]]",
}


def names_in(text):
    return [line.split(" = ")[0] for line in text.splitlines()]


def holding(s, text, local="LocalPreferences.toml"):
    """Two packages that ask, one developed; one above that doesn't."""
    names = [*names_in(text), "unset"]
    asking(s, "Low", *names)
    asking(s, "Dev", *reversed(names), deps=["Low"], at="dev/Dev")
    s.package("Top", deps=["Dev"])
    s.project("project", ["Top", "Low", "Dev"])
    s.write(f"project/{local}", f"[Low]\n{text}\n[Dev]\n{text}\n")
    return ["Top"]


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_every_kind_are_shared(share, julia, kind):
    if kind == "arrays of dates" and julia.version >= (1, 12):
        pytest.skip("Julia 1.12 can't read these")
    share(lambda s: holding(s, VALUES[kind]))


@pytest.mark.parametrize("local", ["LocalPreferences.toml", "JuliaLocalPreferences.toml"])
def test_both_files_count(share, local):
    share(lambda s: holding(s, 's = "x"', local))


# ---- where they come from


def in_the_project(s):
    asking(s, "Low", "a", "b")
    s.project("project", ["Low"], text='[preferences.Low]\na = 1\nb = [2]\n')
    return ["Low"]


def of_the_project_itself(s):
    asking(s, "Mine", "a", at="Mine", project='[preferences.Mine]\na = "own"\n')
    s.machine.project = s.base / "Mine"
    return ["Mine"]


def local_over_project(s):
    asking(s, "Low", "a", "b", "c", "t")
    text = '[preferences.Low]\na = 1\nb = 2\nc = 3\nt = {x = 1, y = 2, z = {q = 1}}\n'
    s.project("project", ["Low"], text=text)
    s.write("project/LocalPreferences.toml", '[Low]\n__clear__ = ["b"]\nc = 4\nt = {__clear__ = ["x"], z = {r = 2}}\n')
    return ["Low"]


def both_local_files(s):
    in_the_project(s)
    s.write("project/LocalPreferences.toml", "[Low]\na = 5\n")
    s.write("project/JuliaLocalPreferences.toml", "[Low]\na = 6\n")
    return ["Low"]


def through_extras(s):
    asking(s, "Low", "a")
    s.package("Top", deps=["Low"])
    folder = s.project("project", ["Top"])
    with (folder / "Project.toml").open("a") as file:
        file.write(f'\n[extras]\nLow = "{s.uuid("Low")}"\n[preferences.Low]\na = 1\n')
    return ["Top"]


def of_one_nobody_names(s):
    """The project has no say on a package that it doesn't name."""
    asking(s, "Low", "a")
    s.package("Top", deps=["Low"])
    s.project("project", ["Top"], text="[preferences.Low]\na = 1\n")
    return ["Top"]


def merged_over_the_stack(s):
    asking(s, "Low", "a", "b", "c")
    s.package("Top", deps=["Low"])
    s.project("project", ["Top", "Low"], text='[preferences.Low]\na = "first"\n__clear__ = ["c"]\n')
    default = s.machine.depot / "environments" / s.julia.series
    s.project(default, ["Low"], text='[preferences.Low]\na = "second"\nb = "second"\nc = "second"\n', active=False)
    s.write(default / "LocalPreferences.toml", '[Low]\nb = "local"\n')
    return ["Top"]


def of_a_stdlib(s):
    s.package("Low", deps=["Dates"])
    s.project("project", ["Low", "Dates"], text='[preferences.Dates]\nabi = "x"\n')
    return ["Low"]


SCENES = [in_the_project, of_the_project_itself, local_over_project, both_local_files, through_extras, of_one_nobody_names,
          merged_over_the_stack, of_a_stdlib]


@pytest.mark.parametrize("write", SCENES, ids=lambda write: write.__name__)
def test_preferences_from_everywhere_are_shared(share, write):
    share(write)


@pytest.mark.since(1, 9)
def test_preferences_through_weak_dependencies(share):
    def write(s):
        asking(s, "Low", "a")
        s.package("Mine", weak=["Low"], extensions={"MineLowExt": ["Low"]}, at="Mine", project='[preferences.Low]\na = 1\n')
        s.project(s.machine.depot / "environments" / s.julia.series, ["Low"], active=False)
        s.machine.project = s.base / "Mine"
        return ["Low", "Mine"]

    shared = share(write)
    assert "MineLowExt" in shared.second.made


@pytest.mark.since(1, 12)
@pytest.mark.parametrize("active", ["Root", "Root/sub", "Root/sub/inner"])
def test_preferences_of_a_workspace(share, active):
    def write(s):
        asking(s, "Low", "a", "b", "c", "d")
        s.package("Root", deps=["Low"], at="Root",
                  project='[preferences.Low]\na = "root"\nb = "root"\nc = "root"\n[workspace]\nprojects = ["sub"]\n')
        s.write("Root/Manifest.toml", s.manifest(s.base / "Root", ["Root", "Low"]))
        sub = '[workspace]\nprojects = ["inner"]\n[preferences.Low]\nb = "sub"\nc = "sub"\n'
        s.project("Root/sub", ["Low"], text=sub, manifest=None)
        s.project("Root/sub/inner", ["Low"], text='[preferences.Low]\n__clear__ = ["a"]\nc = "inner"\n', manifest=None)
        s.write("Root/LocalPreferences.toml", '[Low]\nd = "local"\n')
        s.machine.project = s.base / active
        return ["Low", "Root"] if active == "Root" else ["Low"]

    share(write)


# ---- keys


def keys(machine, preferences):
    one = machine()
    s = Scene(one)
    asking(s, "Low", "a")
    asking(s, "Other", "a")
    s.package("Top", deps=["Low"])
    s.project("project", ["Top", "Low", "Other"])
    s.write("project/LocalPreferences.toml", preferences)
    return one.keys()


def test_only_a_packages_own_preferences_are_in_its_key(machine):
    none, low, other = keys(machine, ""), keys(machine, "[Low]\na = 1\n"), keys(machine, "[Other]\na = 1\n[Unknown]\nb = 1\n")
    assert {name for name in none if none[name] != low[name]} == {"Low", "Top"}
    assert {name for name in none if none[name] != other[name]} == {"Other"}


def test_a_changed_preference_is_compiled_anew(machines):
    def write(s):
        return in_the_project(s)

    shared = machines(write).publish()
    project = shared.two.project / "Project.toml"
    project.write_text(project.read_text().replace("a = 1", "a = 2"))
    pulled = shared.two.pull()
    assert pulled["missing_packages"] == ["Low"]
    loading = run_load(shared.two, ["Low"])
    assert loading.compiled == ["Low"] and loading.rejected == []
