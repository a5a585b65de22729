"""The commands: what they print, their exit status, what they pass through."""

import json
import signal
import subprocess

import pytest
from processes import bin_dir, summary_of, wait_until

COMMANDS = ["pull", "push", "run", "key", "inspect", "status", "why"]


def plain(*words):
    return subprocess.run([bin_dir() / "jicache", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [["--help"]] + [[command, "--help"] for command in COMMANDS])
def test_help_goes_to_standard_output(words):
    done = plain(*words)
    assert done.returncode == 0 and "jicache" in done.stdout and not done.stderr


@pytest.mark.parametrize("words", [[], ["dance"], ["pull", "--dance"], ["pull", "extra"], ["inspect"], ["run"], ["run", "--"],
                                   ["pull", "--url"], ["inspect", "a.ji", "b.ji"]])
def test_wrong_usage_is_status_two(words):
    done = plain(*words)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_key_tells_every_input(machine, small, julia):
    one = machine().install(small)
    report = one.report("key")
    assert report["runtime"]["id"] == report["runtimes"][0]
    assert report["runtime"]["id"].startswith("julia-{}.{}.{}-".format(*julia.version))
    assert len(report["sysimage"]) == 64
    nodes = {node["name"]: node for node in report["nodes"]}
    for package in small.packages:
        node = nodes[package.name]
        assert (node["uuid"], node["state"]) == (str(package.uuid), "shared")
        assert set(node["deps"]) >= {dep.name for dep in package.deps} | set(package.stdlibs)
        if not package.developed:
            assert package.tree_hash(julia) in json.dumps(node["source"])
    text = one.jicache("key").stdout
    assert all(package.name in text for package in small.packages)


def test_key_asks_julia_once(machine, small):
    one = machine().install(small)
    first = one.jicache("key").stdout
    one.extra["JULIA"] = one.julia.path
    asked = one.folder / "asked"
    wrapper = one.folder / "counted-julia"
    wrapper.write_text(f'#!/bin/sh\necho asked >> "{asked}"\nexec "{one.julia.path}" "$@"\n')
    wrapper.chmod(0o755)
    one.extra["JULIA"] = str(wrapper)
    for _ in range(3):
        assert one.jicache("key").stdout.splitlines()[1:] == first.splitlines()[1:]
    assert asked.read_text().count("asked") == 1


def test_status_tells_where_each_package_is(small_server, server, machine, small):
    one = machine(small_server.url).install(small)
    report = one.report("status")
    count = len(report["nodes"])
    assert (report["local"], report["on_server"], report["nowhere"]) == (0, count, 0)
    one.pull()
    report = one.report("status")
    assert report["local"] == count and all(node["local"] and node["server"] for node in report["nodes"])
    one.url = server.url
    assert not any(node["server"] for node in one.report("status")["nodes"])
    one.url = "http://127.0.0.1:9"
    assert all(node["server"] is None for node in one.report("status")["nodes"])


def test_inspect_tells_what_a_cache_says(small_server, machine, small, julia):
    one = machine(small_server.url).install(small)
    one.pull("--require")
    package = small.packages[-1]
    cache, = (one.depot / "compiled" / julia.series / package.name).glob("*.ji")
    text = one.jicache("inspect", cache).stdout
    assert package.name in text and str(package.uuid) in text
    report = json.loads(one.jicache("inspect", cache, "--json").stdout)
    assert package.name in json.dumps(report) and "src/compute.jl" in json.dumps(report)


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b"", lambda b: b"PK" + b[2:], lambda b: b[:-9] + b"x" * 9])
def test_inspect_refuses_what_is_no_cache(small_server, machine, small, julia, damage):
    one = machine(small_server.url).install(small)
    one.pull("--require")
    cache = next((one.depot / "compiled" / julia.series).glob("*/*.ji"))
    bad = one.folder / "bad.ji"
    bad.write_bytes(damage(cache.read_bytes()))
    done = one.jicache("inspect", bad, status=1)
    assert "bad.ji" in done.stderr


@pytest.mark.parametrize("code, status", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 128 + 15)])
def test_run_ends_as_its_command_does(machine, small, code, status):
    one = machine("http://127.0.0.1:9").install(small)
    assert one.jicache("run", "--", "sh", "-c", code, status=None).returncode in (status, 128 - status)


def test_run_says_when_there_is_no_such_command(machine, small):
    one = machine("http://127.0.0.1:9").install(small)
    assert "no-such-command" in one.jicache("run", "--", "no-such-command", status=127).stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_passes_signals_on(machine, small, number):
    one = machine("http://127.0.0.1:9").install(small)
    ready = one.folder / "ready"
    code = f'trap "exit 9" {signal.Signals(number).name[3:]}; touch "{ready}"; while :; do sleep 0.05; done'
    process = one.start(one.command("run", "--", "sh", "-c", code))
    wait_until(ready.exists, what="the command starts")
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 9


def test_run_leaves_the_streams_to_its_command(small_server, machine, small):
    one = machine(small_server.url).install(small)
    done = one.jicache("run", "--", "sh", "-c", "echo out; echo err >&2")
    assert done.stdout == "out\n"
    assert "err\n" in done.stderr


def test_quiet_says_nothing_but_warnings(small_server, machine, small):
    one = machine(small_server.url).install(small)
    assert one.jicache("pull", "--quiet").stderr == ""


def test_two_pulls_at_once_on_one_depot(main_server, machine, main):
    one = machine(main_server.url).install(main)
    both = [one.start(one.command("pull", "--require")) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    loading = one.load(main)
    loading.assert_loaded(main)
    loading.assert_nothing_compiled()


def test_settings_come_from_flag_then_environment_then_file(small_server, server, machine, small):
    one = machine().install(small)
    config = one.home / ".config/jicache/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'url = "{small_server.url}"\n')
    assert one.report("status")["on_server"] > 0
    one.url = server.url
    assert one.report("status")["on_server"] == 0
    assert one.report("status", "--url", small_server.url)["on_server"] > 0

    one.extra["XDG_CONFIG_HOME"] = str(one.folder / "config")
    one.url = None
    other = one.folder / "config/jicache/config.toml"
    other.parent.mkdir(parents=True)
    other.write_text(f'url = "{server.url}"\n')
    assert one.report("status")["on_server"] == 0


def test_an_unknown_setting_names_its_line(machine, small):
    one = machine().install(small)
    config = one.home / ".config/jicache/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('url = "http://127.0.0.1:9"\ncolour = "red"\n')
    assert "config.toml:2" in one.jicache("pull", status=1).stderr


@pytest.mark.parametrize("manifest, word", [
    ("not toml at all [", "Manifest.toml"),
    ('manifest_format = "9.0"\n', "9.0"),
    ('[[{name}]]\ndeps = ["Ghost"]\nuuid = "{uuid}"\ngit-tree-sha1 = "0000000000000000000000000000000000000000"\n', "Ghost"),
])
def test_a_manifest_that_can_not_be_read_is_named(machine, small, manifest, word):
    one = machine("http://127.0.0.1:9").install(small)
    named = small.direct[0]
    (one.project / "Manifest.toml").write_text(manifest.replace("{name}", named.name).replace("{uuid}", str(named.uuid)))
    assert word in one.jicache("key", status=1).stderr
    assert one.jicache("run", "--", "true")


@pytest.fixture
def masked(machine, small, julia):
    """A machine on which `julia` is a link to jicache, and the real one comes later on PATH."""
    one = machine().install(small)
    links = one.folder / "links"
    links.mkdir()
    (links / "julia").symlink_to(bin_dir() / "jicache")
    real = one.folder / "real"
    real.mkdir()
    (real / "julia").write_text(f'#!/bin/sh\nexec "{julia.path}" "$@"\n')
    (real / "julia").chmod(0o755)
    one.program = "julia"
    one.extra = {"PATH": f"{links}:{real}:/usr/bin:/bin", "JULIA": None}
    return one


def test_a_link_named_julia_pulls_and_becomes_julia(masked, published_small, small_server, small):
    masked.url = small_server.url
    # The first call asks Julia about itself: a child, which would count as one of the process that becomes Julia.
    masked.start(["env", *masked.julia_command("-e", "exit(0)")], JICACHE_URL="http://127.0.0.1:9").communicate()
    loading = masked.load(small, through=["env"])
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()
    assert loading.made == published_small.loading.made
    done = masked.start(["env", *masked.julia_command("-e", "exit(5)")])
    done.communicate()
    assert done.returncode == 5


def test_a_link_named_julia_publishes_what_was_compiled(masked, server, machine, small):
    masked.url, masked.token = server.url, server.token()
    made = masked.load(small, through=["env"]).made
    other = machine(server.url).install(small)
    wait_until(lambda: other.pull()["missing"] == 0, what="the background process publishes")
    assert other.load(small).made == made
