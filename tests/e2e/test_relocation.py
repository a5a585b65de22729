"""Caches in other places than those they were made in: files that packages read, depots of every kind, nobody's paths."""

import pathlib
import shutil
import subprocess

import pytest
from processes import bin_dir
from scene import load, run_load, Scene

READS = 'const FILE = joinpath(@__DIR__, "{path}")\ninclude_dependency(FILE{options})\nconst READ = {read}\n'


def reading(s, path, read="read(FILE, String)", options="", name="Low", **more):
    s.package(name, body=READS.format(path=path, options=options, read=read), value="length(READ)", **more)
    s.package("Top", deps=[name])
    s.project("project", ["Top"])
    return ["Top"]


# ---- include_dependency


def on_a_file(s):
    return reading(s, "../data/t.txt", files={"data/t.txt": "one\n"})


def on_a_file_of_a_developed_package(s):
    return reading(s, "../data/t.txt", files={"data/t.txt": "one\n"}, at="dev/Low")


def on_a_directory(s):
    return reading(s, "../data", read="readdir(FILE)", files={f"data/{n}.txt": "x" for n in range(40)})


def on_a_directory_of_a_developed_package(s):
    return reading(s, "../data", read="readdir(FILE)", files={f"data/{n}.txt": "x" for n in range(40)}, at="dev/Low")


SCENES = [on_a_file, on_a_file_of_a_developed_package, on_a_directory, on_a_directory_of_a_developed_package]


@pytest.mark.parametrize("write", SCENES, ids=lambda write: write.__name__)
def test_include_dependency(share, write):
    share(write)


@pytest.mark.since(1, 11)
@pytest.mark.parametrize("write", SCENES, ids=lambda write: write.__name__)
@pytest.mark.parametrize("tracked", ["true", "false"])
def test_include_dependency_with_and_without_content(share, write, tracked, monkeypatch):
    monkeypatch.setitem(globals(), "READS", READS.replace("{options}", f"; track_content={tracked}"))
    share(write)


def test_include_dependency_on_an_absent_file(share, julia):
    if julia.version >= (1, 9):
        pytest.skip("Julia refuses its own cache then")
    share(lambda s: reading(s, "../data/none.txt", read="string(isfile(FILE))", at="dev/Low"))


@pytest.mark.parametrize("at", [None, "dev/Low"])
def test_an_outside_file_can_not_be_published(machines, at):
    def write(s):
        s.write("outside/secret.txt", "x" * 7)
        path = s.base / "outside/secret.txt"
        body = f'const FILE = get(ENV, "OUTSIDE", "")\ninclude_dependency(FILE)\nconst READ = read(FILE, String)\n'
        s.machine.extra["OUTSIDE"] = str(path)
        s.package("Low", body=body, at=at)
        s.package("Top", deps=["Low"])
        s.project("project", ["Top"])
        return ["Top"]

    shared = machines(write)
    load(shared.one, ["Top"])
    report = shared.one.push()
    refused = {each["name"]: each["reason"] for each in report["refused"]}
    assert report["published"] == 0 and set(refused) == {"Low", "Top"}
    assert "secret.txt" in refused["Low"] and "Low" in refused["Top"], refused


def test_a_changed_file_is_another_content(machines):
    shared = machines(on_a_file_of_a_developed_package).publish()
    (shared.two.project.parent / "dev/Low/data/t.txt").write_text("two\n")
    pulled = shared.two.pull()
    assert sorted(pulled["missing_packages"]) == ["Low", "Top"]
    loading = run_load(shared.two, ["Top"])
    assert sorted(loading.compiled) == ["Low", "Top"] and loading.rejected == []


# ---- what deps/build.jl left


def built(s, left):
    s.package("Low", body='include(joinpath(@__DIR__, "..", "deps", "deps.jl"))', files={"deps/build.jl": "0\n"}, value="BUILT")
    s.package("Top", deps=["Low"])
    s.write(s.packages["Low"].folder / "deps/deps.jl", f"const BUILT = {left}\n")
    s.write(s.packages["Low"].folder / "deps/build.log", f"{s.machine.folder}\n")
    s.project("project", ["Top"])
    return ["Top"]


def test_equal_outputs_of_a_build_are_shared(share):
    share(lambda s: built(s, 7))


def test_other_outputs_of_a_build_make_another_key(server, machine):
    one, two = machine(server.url, server.token()), machine(server.url)
    names = built(Scene(one), 7)
    run_load(one, names)
    built(Scene(two), 8)
    assert sorted(two.pull()["missing_packages"]) == ["Low", "Top"]
    loading = run_load(two, names)
    assert sorted(loading.compiled) == ["Low", "Top"] and loading.rejected == []


# ---- nobody's paths in what is published


def everything(s):
    s.package("Trig")
    s.package("Low", at="dev/Low", files={"src/part.jl": "const PART = 4\n", "data/t.txt": "x"},
              body='include("part.jl")\ninclude_dependency(joinpath(@__DIR__, "..", "data", "t.txt"))')
    s.package("Inner", at=s.machine.depot / "dev/Inner")
    s.package("Mine", deps=["Low", "Trig", "Inner", "Dates"], at="Mine", body='include_dependency(joinpath(@__DIR__, "..", "data"))',
              files={"data/a.txt": "x"})
    s.write("Mine/Manifest.toml", s.manifest(s.base / "Mine", ["Low", "Trig", "Inner", "Dates"]))
    s.machine.project = s.base / "Mine"
    return ["Mine"]


def blobs(server):
    """Decompressed, whatever they are."""
    for path in sorted(pathlib.Path(server.data).glob("blobs/**/*")):
        if path.is_file():
            done = subprocess.run(["zstd", "-dcq", path], capture_output=True)
            yield path.name, done.stdout if done.returncode == 0 else path.read_bytes()


def header_of(data):
    """The bytes of a .ji before its data, by what jicache says of it; None for an image."""
    return data if data.startswith(b"\373jli\r\n\032\n") else None


def test_published_headers_have_no_path_of_the_maker(share, server):
    shared = share(everything)
    maker = str(shared.one.folder)
    seen = 0
    for name, data in blobs(server):
        if header_of(data) is None:
            continue
        seen += 1
        place = shared.one.folder / "blob.ji"
        place.write_bytes(data)
        said = subprocess.run([bin_dir() / "jicache", "inspect", "--json", place], capture_output=True, text=True, check=True).stdout
        assert maker not in said, said
    assert seen >= 4


# ---- places


def test_a_depot_behind_a_link(machines):
    """The depot is a link to another place, here and there, of another length."""
    shared = machines(everything)
    for one, name in ((shared.one, "d"), (shared.two, "the real depot of a longer name")):
        real = one.folder / name
        shutil.move(one.depot, real)
        one.depot.symlink_to(real)
    shared.publish().take()


def test_a_home_behind_a_link(machines):
    shared = machines(everything)
    real = shared.two.folder / "real home"
    shutil.move(shared.two.home, real)
    shared.two.home.symlink_to(real)
    shared.publish().take()


def test_the_depot_below_home_by_default(machines, julia):
    """Without JULIA_DEPOT_PATH, and HOME is a link."""
    shared = machines(lambda s: ["Top"])
    for one in (shared.one, shared.two):
        real = one.folder / "real"
        real.mkdir()
        one.home.rmdir()
        one.home.symlink_to(real)
        one.depot = one.home / ".julia"
        one.extra["JULIA_DEPOT_PATH"] = None
        s = Scene(one)
        s.package("Low")
        s.package("Top", deps=["Low"])
        s.project(one.depot / "environments" / julia.series, ["Top"])
    shared.publish().take()


def test_a_project_behind_a_link(machines):
    shared = machines(everything)
    for one in (shared.one, shared.two):
        link = one.project.parent.with_name("link")
        link.symlink_to(one.project.parent)
        one.project = link / one.project.name
    shared.publish().take()


@pytest.mark.parametrize("spelling", ["{depot}/:", "{depot}:/no/where::{folder}/third"], ids=["slash", "several"])
def test_depot_paths_of_every_spelling(machines, spelling):
    shared = machines(everything)
    for one in (shared.one, shared.two):
        one.extra["JULIA_DEPOT_PATH"] = spelling.format(depot=one.depot, folder=one.folder)
    shared.publish().take()


def test_packages_in_a_shared_depot_behind_ones_own(machines):
    """Nobody may write there; what is compiled and fetched goes into one's own."""
    shared = machines(everything)
    for one in (shared.one, shared.two):
        site = one.folder / "site"
        shutil.copytree(one.depot, site)
        shutil.rmtree(one.depot / "packages")
        one.extra["JULIA_DEPOT_PATH"] = f"{one.depot}:{site}:"
    shared.publish()
    site = shared.two.folder / "site"
    subprocess.run(["chmod", "-R", "a-w", site], check=True)
    shared.take()
    assert not (site / "compiled").exists()
    subprocess.run(["chmod", "-R", "u+w", site], check=True)


def test_pull_fills_a_depot_that_many_have_behind_their_own(machines, julia):
    """--depot DIR, made read-only, then used by one who has nothing but it and the packages."""
    shared = machines(everything).publish()
    site = shared.two.folder / "site"
    pulled = shared.two.pull("--require", "--depot", site)
    assert pulled["fetched"] == pulled["packages"] and not shared.two.caches()
    subprocess.run(["chmod", "-R", "a-w", site], check=True)
    shared.two.extra["JULIA_DEPOT_PATH"] = f"{shared.two.depot}:{site}:"
    loading = load(shared.two, shared.names)
    subprocess.run(["chmod", "-R", "u+w", site], check=True)
    loading.assert_nothing_compiled()
    assert loading.new_files == [] and loading.made == shared.first.made
