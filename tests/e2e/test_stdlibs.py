"""Stdlibs outside the system image: where a machine compiles one into its own depot, that is a cache like any other."""

import pytest


def stdlibs_of(one, small, julia):
    """Directories of the depot that are of no generated package, nor of an extension of one."""
    ours = set(small.names()) | set(small.extensions(julia))
    folder = one.depot / "compiled" / julia.series
    return {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")} - ours


def share(server, machine, small, julia, prepare):
    if julia.version < (1, 9):
        pytest.skip("all stdlibs are in the system image")
    first = machine(server.url, server.token()).install(small)
    prepare(first)
    loading = first.run_load(small)
    loading.assert_loaded(small)
    second = machine(server.url).install(small)
    prepare(second)
    second.pull("--require")
    loading_second = second.load(small)
    loading_second.assert_loaded(small)
    loading_second.assert_nothing_compiled()
    assert loading_second.made == loading.made
    return stdlibs_of(first, small, julia), stdlibs_of(second, small, julia)


def test_without_the_depot_that_came_with_julia(server, machine, small, julia):
    def hide(one):
        one.extra["JULIA_DEPOT_PATH"] = str(one.depot)

    compiled, fetched = share(server, machine, small, julia, hide)
    assert compiled or julia.version < (1, 11), "Julia found caches that it should not see"
    assert fetched >= compiled


def test_with_flags_that_julia_came_without(server, machine, small, julia):
    def optimise(one):
        one.julia_args = ["--check-bounds=no", "-O3"]

    compiled, fetched = share(server, machine, small, julia, optimise)
    assert (compiled or julia.version < (1, 11)) and fetched >= compiled


def test_those_of_another_depot_path_are_told_apart(server, machine, small, julia):
    """Two builds of each stdlib: the one that came with Julia, and the one in the depot."""
    if julia.version < (1, 9):
        pytest.skip("all stdlibs are in the system image")
    token = server.token()
    hidden, seen = (machine(server.url, token).install(small) for _ in range(2))
    hidden.extra["JULIA_DEPOT_PATH"] = str(hidden.depot)
    for one in (hidden, seen):
        loading = one.run_load(small)
        loading.assert_loaded(small)
        third = machine(server.url).install(small)
        if one is hidden:
            third.extra["JULIA_DEPOT_PATH"] = str(third.depot)
        third.pull("--require")
        loading_third = third.load(small)
        loading_third.assert_nothing_compiled()
        assert loading_third.made == loading.made
