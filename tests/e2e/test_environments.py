"""Every shape of an environment that Julia resolves: stacks, names of files, formats, workspaces, directories."""

import pytest
from scene import Scene

ALPHA_ONE, ALPHA_TWO = "a1a1a1a1-0000-4000-8000-000000000001", "a1a1a1a1-0000-4000-8000-000000000002"


def pair(s, *names, **options):
    """Two packages of which the first needs the second."""
    top, low = names
    s.package(low, **options)
    s.package(top, deps=[low], **options)
    return top


def stack(s, *entries):
    s.machine.extra["JULIA_LOAD_PATH"] = ":".join(str(entry) for entry in entries)


def default_environment(s):
    return s.machine.depot / "environments" / s.julia.series


# ---- stacks


def project_over_default_environment(s):
    s.project("project", [pair(s, "Top", "Low")])
    s.project(default_environment(s), [pair(s, "Tool", "Part")], active=False)
    return ["Top", "Tool"]


def two_projects_at_once(s):
    """Both have Low, each another version: the first one's is loaded, and what needs it is compiled against that."""
    s.package("Low", value="100")
    old = s.packages["Low"].tree_hash
    s.package("Low", value="200")
    s.package("Top", deps=["Low"])
    s.package("Other", deps=["Low"])
    s.project("first", ["Top"])
    second = s.project("second", ["Other", "Low"], active=False)
    manifest = second / "Manifest.toml"
    manifest.write_text(manifest.read_text().replace(s.packages["Low"].tree_hash, old))
    stack(s, "@", second, "@stdlib")
    return ["Other", "Top"]


def second_project_by_its_directory_first(s):
    one = s.project("one", [pair(s, "Top", "Low")], active=False)
    two = s.project("two", [pair(s, "Tool", "Part", at=None)])
    stack(s, one, "@", "@stdlib")
    assert one != two
    return ["Top", "Tool"]


def project_files_in_the_stack(s):
    one = s.project("one", [pair(s, "Top", "Low")], active=False)
    s.project("two", [pair(s, "Tool", "Part")])
    stack(s, one / "Project.toml", "@", "@stdlib")
    return ["Top", "Tool"]


def named_environment(s):
    s.project(s.machine.depot / "environments/tools", [pair(s, "Tool", "Part")], active=False)
    s.project("project", [pair(s, "Top", "Low")])
    stack(s, "@", "@tools", "@stdlib")
    return ["Top", "Tool"]


def named_by_version(s):
    name = "v{}.{}.{}-x".format(*s.julia.version)
    s.project(s.machine.depot / "environments" / name, [pair(s, "Tool", "Part")], active=False)
    s.project("project", [pair(s, "Top", "Low")])
    stack(s, "@", "@v#.#.#-x", "@stdlib")
    return ["Top", "Tool"]


def without_stdlib(s):
    s.package("Low", deps=["Dates"])
    s.package("Top", deps=["Low", "Printf"])
    s.project("project", ["Top"])
    stack(s, "@")
    return ["Top"]


def empty_entry_is_the_default(s):
    s.project(default_environment(s), [pair(s, "Tool", "Part")], active=False)
    s.project("project", [pair(s, "Top", "Low")])
    other = s.project("other", [pair(s, "Far", "Near")], active=False)
    stack(s, other, "")
    return ["Top", "Tool", "Far"]


def broken_environment_behind(s):
    s.project("project", [pair(s, "Top", "Low")])
    s.write(default_environment(s) / "Project.toml", '[deps]\nGone = "a1a1a1a1-0000-4000-8000-00000000dead"\n')
    return ["Top"]


# ---- names and formats of files


def julia_project_and_manifest(s):
    folder = s.project("project", [pair(s, "Top", "Low")], manifest="JuliaManifest.toml")
    (folder / "Project.toml").rename(folder / "JuliaProject.toml")
    s.write("project/Project.toml", "[deps]\n")
    s.write("project/Manifest.toml", "")
    return ["Top"]


def versioned_manifest(s):
    folder = s.project("project", [pair(s, "Top", "Low")])
    (folder / "Manifest.toml").rename(folder / "Manifest-v{}.{}.toml".format(*s.julia.version))
    s.write("project/Manifest.toml", "")
    return ["Top"]


def versioned_julia_manifest(s):
    folder = s.project("project", [pair(s, "Top", "Low")])
    (folder / "Manifest.toml").rename(folder / "JuliaManifest-v{}.{}.toml".format(*s.julia.version))
    s.write("project/Manifest-v{}.{}.toml".format(*s.julia.version), "")
    return ["Top"]


def manifest_key(s):
    s.project("project", [pair(s, "Top", "Low", at=None)], text='manifest = "../locks/one.toml"\n', manifest="../locks/one.toml")
    return ["Top"]


def manifest_key_and_paths(s):
    """Paths are relative to the manifest, not to the project."""
    s.package("Low", at="libs/Low")
    s.package("Top", deps=["Low"], at="libs/Top")
    s.project("deep/project", ["Top"], text='manifest = "../../locks/one.toml"\n', manifest="../../locks/one.toml")
    return ["Top"]


def first_format(s):
    s.project("project", [pair(s, "Top", "Low")], form="1.0")
    return ["Top"]


def first_format_with_a_package_called_deps(s):
    s.package("deps")
    s.package("Top", deps=["deps"])
    s.project("project", ["Top"], form="1.0")
    return ["Top"]


def newest_format(s):
    folder = s.project("project", [pair(s, "Top", "Low")], form="2.1")
    manifest = folder / "Manifest.toml"
    registry = '\n[registries.General]\nuuid = "23338594-aafe-5451-b93e-139f81909106"\nurl = "https://example.org"\n'
    manifest.write_text(manifest.read_text().replace('version = "0.1.0"\n', 'version = "0.1.0"\nregistries = "General"\n') + registry)
    return ["Top"]


def several_of_one_name(s):
    """Alpha of the project and Alpha that Top needs are two packages; the manifest then has UUIDs beside the names."""
    s.package("Alpha", uuid=ALPHA_TWO, value="2000")
    second = s.packages["Alpha"]
    s.package("Top", deps=["Alpha"])
    s.package("Alpha", uuid=ALPHA_ONE, value="1000")
    first = s.packages["Alpha"]
    folder = s.project("project", ["Alpha"], manifest=None)
    (folder / "Project.toml").write_text(f'[deps]\nAlpha = "{ALPHA_ONE}"\nTop = "{s.uuid("Top")}"\n')
    prefix = "deps." if s.julia.version >= (1, 7) else ""
    head = 'manifest_format = "2.0"\n' if prefix else ""
    entries = "".join(f'[[{prefix}Alpha]]\ngit-tree-sha1 = "{p.tree_hash}"\nuuid = "{p.uuid}"\nversion = "0.1.0"\n\n' for p in (first, second))
    top = f'[[{prefix}Top]]\ngit-tree-sha1 = "{s.packages["Top"].tree_hash}"\nuuid = "{s.uuid("Top")}"\n\n    [{prefix}Top.deps]\n    Alpha = "{ALPHA_TWO}"\n'
    (folder / "Manifest.toml").write_text(head + entries + top)
    return ["Top", "Alpha"]


# ---- packages by path


def developed(s):
    s.package("Low", at="libs/Low", files={"src/part.jl": "const PART = 4\n"}, body='include("part.jl")')
    s.package("Top", deps=["Low"], at="project/dev/Top")
    s.package("Over", deps=["Top"])
    s.project("project", ["Over"])
    return ["Over"]


def developed_inside_the_depot(s):
    s.package("Low", at=s.machine.depot / "dev/Low")
    s.package("Top", deps=["Low"])
    s.project("project", ["Top"])
    return ["Top"]


def the_project_itself(s):
    s.package("Low")
    s.package("Mine", deps=["Low", "Dates"], at="Mine", files={"src/part.jl": "const PART = 4\n"}, body='include("part.jl")')
    s.write("Mine/Manifest.toml", s.manifest(s.base / "Mine", ["Low", "Dates"]))
    s.machine.project = s.base / "Mine"
    return ["Mine"]


def the_project_without_dependencies(s):
    s.package("Mine", at="Mine")
    s.machine.project = s.base / "Mine"
    return ["Mine"]


def entry_file_of_another_name(s):
    s.package("Low", at="libs/Low")
    low = s.packages["Low"]
    (low.folder / "src/Low.jl").rename(low.folder / "src/main.jl")
    project = low.folder / "Project.toml"
    project.write_text('entryfile = "src/main.jl"\n' + project.read_text())
    low.extra["entryfile"] = "src/main.jl"
    s.project("project", ["Low"])
    return ["Low"]


def path_to_a_file(s):
    """Before 1.12 a path may be that of the entry file."""
    s.package("Low", at="libs/Low")
    low = s.packages["Low"]
    low.extra["path"] = "../libs/Low/src/Low.jl"
    s.package("Top", deps=["Low"])
    s.project("project", ["Top"])
    return ["Top"]


# ---- package directories


def package_directory(s):
    s.package("Low", at="library/Low")
    s.package("Top", deps=["Low", "Dates"], at="library/Top")
    s.project("project", [])
    stack(s, "@", s.base / "library", "@stdlib")
    return ["Top"]


def package_directory_with_suffix(s):
    s.package("Low", at="library/Low.jl")
    s.package("Top", deps=["Low"], at="library/Top")
    s.project("project", [])
    stack(s, s.base / "library", "@stdlib")
    return ["Top"]


def package_directory_needs_a_project(s):
    s.package("Low")
    s.package("Top", deps=["Low"], at="library/Top")
    s.project("project", ["Low"])
    stack(s, "@", s.base / "library", "@stdlib")
    return ["Top"]


SCENES = [project_over_default_environment, two_projects_at_once, second_project_by_its_directory_first, project_files_in_the_stack,
          named_environment, named_by_version, without_stdlib, empty_entry_is_the_default, broken_environment_behind,
          julia_project_and_manifest, manifest_key, manifest_key_and_paths, first_format, several_of_one_name, developed,
          developed_inside_the_depot, the_project_itself, the_project_without_dependencies, path_to_a_file, package_directory,
          package_directory_with_suffix, package_directory_needs_a_project]


@pytest.mark.parametrize("write", SCENES, ids=lambda write: write.__name__)
def test_environments_of_every_shape_are_shared(share, write):
    shared = share(write)
    assert set(shared.second.made) >= set(shared.names)


@pytest.mark.since(1, 7)
@pytest.mark.parametrize("write", [first_format_with_a_package_called_deps, newest_format], ids=lambda write: write.__name__)
def test_formats_of_manifests(share, write):
    share(write)


@pytest.mark.since(1, 10, 8)
@pytest.mark.parametrize("write", [versioned_manifest, versioned_julia_manifest], ids=lambda write: write.__name__)
def test_manifests_of_one_version(share, write):
    share(write)


@pytest.mark.since(1, 12)
def test_an_entry_file_of_another_name(share):
    share(entry_file_of_another_name)


@pytest.mark.since(1, 11)
def test_sources_of_a_project(share):
    def write(s):
        s.package("Low", at="lib/Low")
        s.package("Top", deps=["Low"], **{"repo-url": "https://example.org/Top.jl", "repo-rev": "main"})
        s.project("project", ["Top", "Low"],
                  text='[sources]\nLow = {path = "../lib/Low"}\nTop = {url = "https://example.org/Top.jl", rev = "main"}\n')
        return ["Top"]

    share(write)


def test_the_project_above_the_working_directory(machines):
    def write(s):
        s.project("project", [pair(s, "Top", "Low")])
        return ["Top"]

    shared = machines(write)
    for one in (shared.one, shared.two):
        one.folder = one.project / "below/it"
        one.folder.mkdir(parents=True)
        one.project = "@."
    shared.publish().take()


# ---- workspaces


def workspace(s, active):
    """A root that is a package, two members, one of them nested, and a member of a member; all share one manifest."""
    s.package("Low")
    s.package("Tool", deps=["Dates"])
    s.package("Deep", deps=["Low"])
    members = '\n[workspace]\nprojects = ["test", "benchmarks/one"]\n'
    s.package("Root", deps=["Low"], at="Root", project=members)
    s.write("Root/Manifest.toml", s.manifest(s.base / "Root", ["Root", "Low", "Tool", "Deep", "Dates"]))
    s.project("Root/test", ["Root", "Tool"], manifest=None)
    s.project("Root/benchmarks/one", ["Root", "Deep"], text='[workspace]\nprojects = ["inner"]\n', manifest=None)
    s.project("Root/benchmarks/one/inner", ["Deep", "Tool"], manifest=None)
    s.machine.project = s.base / active


WORKSPACES = [("Root", ["Root"]), ("Root/test", ["Root", "Tool"]), ("Root/benchmarks/one", ["Root", "Deep"]),
              ("Root/benchmarks/one/inner", ["Deep", "Tool"])]


@pytest.mark.since(1, 12)
@pytest.mark.parametrize("active, names", WORKSPACES, ids=[active for active, _ in WORKSPACES])
def test_projects_of_a_workspace_share_its_manifest(share, active, names):
    def write(s):
        workspace(s, active)
        return names

    shared = share(write)
    assert set(shared.second.made) >= set(names)


@pytest.mark.since(1, 12)
def test_a_workspaces_members_have_each_others_caches(machines):
    def write(s):
        workspace(s, "Root/test")
        return ["Root", "Tool"]

    shared = machines(write).publish()
    shared.two.project = shared.two.folder / "some where/d\u00e9j\u00e0/Root/benchmarks/one"
    pulled = shared.two.pull()
    assert pulled["missing_packages"] == ["Deep"], pulled


# ---- @script


@pytest.mark.since(1, 11)
@pytest.mark.parametrize("entry", ["@script", "@script/../beside"])
def test_a_script_brings_its_environment(server, machine, entry):
    def write(one, base):
        s = Scene(one, base)
        s.project("script" if entry == "@script" else "beside", [pair(s, "Top", "Low")], active=False)
        s.project("project", [])
        stack(s, "@", entry, "@stdlib")
        return s.write("script/sub/app.jl" if entry == "@script" else "script/app.jl", 'using Top\nprintln("MADE ", Top.MADE)\n')

    one, two = machine(server.url, server.token()), machine(server.url)

    def run(one, script):
        done = one.start([*one.command("run", "--"), *one.julia_command(script)], JULIA_DEBUG="loading")
        out, err = done.communicate(timeout=300)
        assert done.returncode == 0, out + err
        return out, err

    first, _ = run(one, write(one, "work"))
    second, said = run(two, write(two, "some where"))
    assert first == second and "Precompiling Top" not in said, said
