"""What changes an address, and what does not."""

import shutil

import pytest

DEVELOPED = "Damson"  # of the small environment; checked below


@pytest.fixture
def edited(small_server, machine, small):
    """A machine with the small environment installed, whose sources a test may edit."""
    assert small.package(DEVELOPED).developed
    one = machine(small_server.url, small_server.writer).install(small)
    one.developed = one.project.parent / DEVELOPED
    one.before = one.keys()
    return one


def changed(one):
    after = one.keys()
    assert after.keys() == one.before.keys()
    return sorted(name for name, key in after.items() if key != one.before[name])


def expected(packages, julia, name):
    """The package and all that depend on it, with the extensions of any of them."""
    dependents = packages.dependents(name)
    extensions = [p.extension for p in packages.packages if p.has_extension(julia) and {p.name, p.trigger.name} & set(dependents)]
    return sorted(dependents + extensions)


def test_a_changed_source_of_a_developed_package_misses_with_its_dependents(edited, small, julia):
    with (edited.developed / "src/compute.jl").open("a") as source:
        source.write("\n# another thought\n")
    wanted = expected(small, julia, DEVELOPED)
    assert changed(edited) == wanted

    pulled = edited.pull()
    assert sorted(title.split("/")[-1] for title in pulled["missing_packages"]) == wanted  # an extension: Parent/Name
    loading = edited.run_load(small)
    loading.assert_loaded(small)
    assert loading.compiled == wanted
    assert loading.rejected == []


def test_a_new_source_file_of_a_developed_package_counts(edited, small, julia):
    (edited.developed / "src/new.jl").write_text("# included by nobody yet\n")
    assert changed(edited) == expected(small, julia, DEVELOPED)


@pytest.mark.parametrize("name", ["README.md", "test/runtests.jl", "docs/notes.md", ".git/index"])
def test_what_compilation_can_not_read_changes_nothing(edited, small, name):
    path = edited.developed / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("Other words.\n")
    assert changed(edited) == []
    assert edited.pull()["missing"] == 0
    edited.load(small).assert_nothing_compiled()


def test_a_touched_source_changes_nothing(edited, small):
    source = edited.developed / "src/compute.jl"
    source.write_bytes(source.read_bytes())
    assert changed(edited) == []
    edited.pull("--require")
    edited.load(small).assert_nothing_compiled()


def test_what_the_build_script_left_is_part_of_the_key(machine, small_server, main, julia):
    built = next(package for package in main.packages if package.built)
    one = machine(small_server.url).install(main)
    one.before = one.keys()
    folder, = (one.depot / "packages" / built.name).iterdir()
    (folder / "deps/deps.jl").write_text("const BUILT = 8\n")
    assert changed(one) == expected(main, julia, built.name)


def test_keys_are_the_same_in_every_place(published_small, machine, small):
    here, there = machine().install(small), machine().install(small, project="a/b/c d/ü")
    keys = here.keys()
    assert keys and keys == there.keys() == published_small.producer.keys()


def test_moving_the_project_keeps_what_was_fetched(small_server, machine, small):
    one = machine(small_server.url).install(small)
    one.pull("--require")
    moved = one.folder / "somewhere/else"
    moved.parent.mkdir()
    one.project.parent.rename(moved)
    one.project = moved / one.project.name
    one.pull("--require")
    loading = one.load(small)
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()


def padded_image(julia, one, folder):
    """A copy of the system image that is another file to everybody but the loader: one byte follows what it reads."""
    code = "print(unsafe_string(Base.JLOptions().image_file))"
    out, err = one.start([julia.path, "--startup-file=no", "-e", code]).communicate()
    image = folder / "image.so"
    shutil.copyfile(out, image)
    with image.open("ab") as file:
        file.write(b"\0")
    return image


def test_another_system_image_shares_nothing_and_breaks_nothing(published_small, small_server, machine, small, julia, tmp_path):
    one = machine(small_server.url, small_server.writer).install(small)
    plain = one.report("key")
    one.julia_args = [f"-J{padded_image(julia, one, tmp_path)}"]
    other = one.report("key")
    assert other["sysimage"] != plain["sysimage"]

    pulled = one.pull()
    assert (pulled["fetched"], pulled["missing"]) == (0, pulled["packages"])
    loading = one.run_load(small)
    loading.assert_loaded(small)
    assert set(loading.compiled) >= set(small.names())

    second = machine(small_server.url).install(small)
    second.julia_args = one.julia_args
    second.pull("--require")
    loading_second = second.load(small)
    loading_second.assert_nothing_compiled()
    assert loading_second.made == loading.made

    third = machine(small_server.url).install(small)
    third.pull("--require")
    assert third.load(small).made == published_small.loading.made
