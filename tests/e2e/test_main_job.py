"""The main job on real Julia: one machine compiles, the next ones load. Julia's own word counts (JULIA_DEBUG=loading)."""

import environment
from processes import summary_of


def test_a_second_machine_loads_without_compiling_what_the_first_compiled(published_main, main_server, machine, main):
    first = published_main.loading
    first.assert_loaded(main)
    assert set(first.compiled) >= set(main.names())

    second = machine(main_server.url).install(main, project="elsewhere/my analysis")
    pulled = second.pull("--require")
    assert (pulled["fetched"], pulled["missing"], pulled["server"]) == (pulled["packages"], 0, "reached")
    assert pulled["bytes_fetched"] > 0

    loading = second.load(main)
    loading.assert_loaded(main)
    loading.assert_nothing_compiled()
    assert loading.new_files == []
    assert loading.made == first.made


def test_run_alone_does_the_second_machines_job(published_main, main_server, machine, main):
    loading = machine(main_server.url).install(main).run_load(main, "--require")
    loading.assert_loaded(main)
    loading.assert_nothing_compiled()
    assert loading.made == published_main.loading.made


def test_a_second_pull_fetches_nothing(main_server, machine, main):
    second = machine(main_server.url).install(main)
    fetched = second.pull()["fetched"]
    again = second.pull()
    assert (again["local"], again["fetched"], again["missing"]) == (fetched, 0, 0)
    assert again["server"] == "unused"


def test_a_project_that_shares_half_compiles_only_the_rest(published_main, main_server, machine, main, julia):
    sharing = environment.sharing_environment(julia, main)
    common = {package.name for package in sharing.packages} & set(main.names())
    own = sorted(set(sharing.names()) - common)

    second = machine(main_server.url, main_server.writer).install(sharing)
    loading = second.run_load(sharing)
    loading.assert_loaded(sharing)
    assert [name for name in loading.compiled if name not in sharing.extensions(julia)] == own
    assert loading.rejected == []
    assert {name: loading.made[name] for name in common} == {name: published_main.loading.made[name] for name in common}

    third = machine(main_server.url).install(sharing)
    third.pull("--require")
    third_loading = third.load(sharing)
    third_loading.assert_nothing_compiled()
    assert third_loading.made == loading.made


def test_of_two_machines_that_compiled_alone_the_first_to_push_wins(server, machine, small):
    token = server.token()
    first = machine(server.url, token).install(small)
    second = machine(server.url, token).install(small)
    made_first, made_second = first.load(small).made, second.load(small).made
    assert made_first != made_second

    published = first.push()
    assert (published["superseded"], published.get("refused", [])) == (0, [])
    assert published["published"] >= len(small.packages)

    late = second.push()
    assert late["published"] == 0
    assert set(late["superseded_packages"]) >= set(small.names())

    for one in (first, second):
        one.pull("--require")
        loading = one.load(small)
        loading.assert_loaded(small)
        loading.assert_nothing_compiled()
        assert loading.made == made_first


def test_pushing_again_publishes_nothing(published_small, small_server, machine, small):
    producer = published_small.producer
    producer.url = small_server.url
    again = producer.push()
    assert (again["published"], again["superseded"], again["bytes_sent"]) == (0, 0, 0)
    assert again["existing"] >= len(small.packages)


def test_every_command_ends_with_one_summary_line(small_server, machine, small):
    one = machine(small_server.url).install(small)
    line = summary_of(one.jicache("pull"))
    assert "fetched" in line and "missing" in line
