"""Each set of flags that decides what Julia takes: compiled on one machine, loaded on another, nothing compiled there."""

import shutil

import environment
import pytest
from processes import summary_of

# Flags, and the version since which they are known or decide anything.
FLAGS = [(["--check-bounds=yes"], (1, 5)), (["-O0"], (1, 5)), (["-O1"], (1, 9)), (["-O3"], (1, 5)), (["-g0"], (1, 9)),
         (["-g2"], (1, 5)), (["--inline=no"], (1, 5)), (["--pkgimages=no"], (1, 9)), (["--pkgimages=existing"], (1, 11)),
         (["--code-coverage=user"], (1, 5)), (["--track-allocation=user"], (1, 9)),
         (["--check-bounds=yes", "-O1", "-g2"], (1, 9))]


@pytest.fixture(scope="session")
def tiny(julia):
    """Four packages, one of them with an extension: for what is compiled many times."""
    return environment.main_environment(julia, count=4)


def skip_unknown(julia, since):
    if julia.version < since:
        pytest.skip(f"Julia {julia.version} is older")


@pytest.mark.parametrize("flags, since", FLAGS, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_was_compiled_with_flags_is_loaded_with_them_elsewhere(server, machine, tiny, julia, flags, since):
    skip_unknown(julia, since)
    producer = machine(server.url, server.token()).install(tiny)
    producer.julia_args = flags
    first = producer.run_load(tiny)
    first.assert_loaded(tiny)
    assert set(first.compiled) >= set(tiny.names())

    second = machine(server.url).install(tiny)
    second.julia_args = flags
    pulled = second.pull("--require")
    assert (pulled["missing"], pulled.get("unusable")) == (0, None)
    loading = second.load(tiny)
    loading.assert_loaded(tiny)
    loading.assert_nothing_compiled()
    assert loading.made == first.made


def test_one_depot_serves_several_sets_of_flags(server, machine, tiny, julia):
    skip_unknown(julia, (1, 9))
    sets = [[], ["--check-bounds=yes"], ["-O3"], ["-O1"], ["--pkgimages=no"]]
    producer = machine(server.url, server.token()).install(tiny)
    made = []
    for flags in sets:
        producer.julia_args = flags
        loading = producer.run_load(tiny)
        loading.assert_loaded(tiny)
        made.append(loading.made)
    for flags in sets:
        producer.julia_args = flags
        again = producer.push()
        assert (again["published"], again.get("refused", []), again["superseded"]) == (0, [], 0), flags

    second = machine(server.url).install(tiny)
    for _ in range(2):  # the second time all is there, and only the order in which Julia tries can be wrong
        for flags, expected in zip(sets, made):
            second.julia_args = flags
            second.pull("--require")
            loading = second.load(tiny)
            loading.assert_loaded(tiny)
            loading.assert_nothing_compiled()
            assert loading.made == expected, flags


def test_flags_that_were_compiled_without_a_server_are_published_later(server, machine, tiny, julia):
    """Where Julia stood on what it takes from another set of flags, that is published under the session's."""
    skip_unknown(julia, (1, 9))
    producer = machine("http://127.0.0.1:9").install(tiny)
    first, *rest = tiny.packages
    sets = [["-O3"], ["--check-bounds=yes"], []]
    for flags in sets:
        producer.julia_args = flags
        producer.load(tiny).assert_loaded(tiny)
        if flags == ["-O3"]:  # what is left of it, the default session builds on
            for package in rest:
                shutil.rmtree(producer.depot / "compiled" / julia.series / package.name)
    producer.url, producer.token = server.url, server.token()
    for flags in sets[1:]:
        producer.julia_args = flags
        pushed = producer.push()
        assert pushed["published"] >= len(tiny.packages) and not pushed.get("refused"), flags
        second = machine(server.url).install(tiny)
        second.julia_args = flags
        second.pull("--require")
        second.load(tiny).assert_nothing_compiled()


def test_existing_images_are_fetched_when_there_are_some(server, machine, tiny, julia):
    skip_unknown(julia, (1, 11))
    producer = machine(server.url, server.token()).install(tiny)
    made = producer.run_load(tiny).made
    second = machine(server.url).install(tiny)
    second.julia_args = ["--pkgimages=existing"]
    second.pull("--require")
    assert any(path.suffix == ".so" for path in second.caches())
    loading = second.load(tiny)
    loading.assert_nothing_compiled()
    assert loading.made == made


def test_more_optimisation_is_taken_where_less_is_asked_for(server, machine, tiny, julia):
    skip_unknown(julia, (1, 9))
    producer = machine(server.url, server.token()).install(tiny)
    made = producer.run_load(tiny).made
    second = machine(server.url).install(tiny)
    second.julia_args = ["-O1"]
    second.pull("--require")
    loading = second.load(tiny)
    loading.assert_nothing_compiled()
    assert loading.made == made
    second.julia_args = ["-O3"]
    assert second.pull()["fetched"] == 0
    assert "missing" in summary_of(second.jicache("pull"))
