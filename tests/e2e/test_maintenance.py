"""What lies on a machine: said in words, judged, removed, found wrong."""

import json
import shutil
import subprocess

import pytest


def caches_of(one, julia):
    return sorted((one.depot / "compiled" / julia.series).glob("*/*.ji"))


def findings(report, topic):
    return [finding for finding in report["findings"] if finding["topic"] == topic]


@pytest.fixture
def filled(small_server, machine, small):
    one = machine(small_server.url).install(small)
    one.pull("--require")
    return one


def test_ls_says_what_lies_there_and_for_whom(filled, small, julia):
    report = filled.report("ls")
    assert {cache["file"] for cache in report["caches"]} == {str(path) for path in caches_of(filled, julia)}
    for cache in report["caches"]:
        assert cache["kind"] == "cache" and cache["ours"] and cache["bytes"] > 0
        assert [e["project"] for e in cache["environments"]] == [str(filled.project / "Project.toml")], cache
        assert 0 <= cache["unused_seconds"] < 3600
    text = filled.jicache("ls", "--all").stdout
    for package in small.packages:
        assert package.name in text
    assert "from jicache" in text and str(filled.project) in text


def test_verify_has_nothing_to_say_of_what_was_just_placed(filled, small):
    report = filled.report("verify")
    assert report["refused"] == report["missing"] == 0
    assert len(report["files"]) >= len(small.packages)
    assert all(file["accepted"] and file["loaded"] for file in report["files"])


def test_verify_tells_a_damaged_file_by_julias_words(filled, julia):
    victim = caches_of(filled, julia)[0]
    content = bytearray(victim.read_bytes())
    content[-20] ^= 1
    victim.write_bytes(content)
    report = filled.report("verify", status=1)
    told = {file["file"]: file for file in report["files"]}[str(victim)]
    assert told["damaged"] and told["reason"] in ("invalid checksum", "unreadable")
    assert "invalid checksum" in filled.jicache("verify", status=1).stdout or told["reason"] == "unreadable"


def test_verify_tells_a_changed_source_and_all_that_stood_on_it(filled, small, julia):
    package = next(package for package in small.packages if any(package in other.deps for other in small.packages))
    entry = next(filled.folder.rglob(f"{package.name}/**/src/{package.name}.jl"))
    entry.write_text(entry.read_text() + "\n# changed\n")
    reasons = {file["name"]: file.get("reason") for file in filled.report("verify")["files"]}
    assert reasons[package.name].startswith("include_dependency ")
    for other in small.packages:
        if package in other.deps:
            assert reasons[other.name] == "wrong dep buildid"
    loading = filled.load(small)
    assert package.name in loading.compiled


def test_gc_keeps_what_the_environment_uses(filled, small, julia):
    before = caches_of(filled, julia)
    report = filled.report("gc")
    assert report["removed"] == [] and caches_of(filled, julia) == before
    filled.load(small).assert_nothing_compiled()


def test_gc_removes_what_was_for_a_project_that_is_gone(filled, machine, small, julia):
    before = filled.caches()
    gone = filled.project / "Project.toml"
    shutil.rmtree(filled.project)
    filled.project = filled.folder / "other"
    filled.project.mkdir()
    (filled.project / "Project.toml").write_text("")
    told = filled.report("gc", "--dry-run")
    assert filled.caches() == before and told["dry_run"] and len(told["removed"]) >= len(small.packages)
    assert filled.report("gc", "--older-than", "1h")["removed"] == []
    report = filled.report("gc")
    # A dry run forgets nothing, a real one does, also when it was to spare all that is young.
    assert told["forgotten"] == [str(gone)] and report["forgotten"] == []
    assert [file["file"] for file in report["removed"]] == [file["file"] for file in told["removed"]]
    assert caches_of(filled, julia) == [] and not [path for path in filled.caches() if path.suffix in (".ji", ".so")]


def test_gc_leaves_alone_what_julia_compiled_unless_told(machine, small, julia):
    one = machine("http://127.0.0.1:9").install(small)
    one.pull()
    one.load(small).assert_loaded(small)
    own = caches_of(one, julia)
    shutil.rmtree(one.project)
    one.project.mkdir()
    (one.project / "Project.toml").write_text("")
    assert one.report("gc")["removed"] == [] and caches_of(one, julia) == own
    assert one.report("gc", "--julia-own")["removed"] and caches_of(one, julia) == []


def test_gc_never_takes_a_file_from_a_running_process(filled, julia):
    victim = caches_of(filled, julia)[0]
    shutil.rmtree(filled.project)
    filled.project.mkdir()
    (filled.project / "Project.toml").write_text("")
    holder = subprocess.Popen(["sleep", "60"], stdin=victim.open())
    try:
        filled.report("gc")
        assert victim.exists()
    finally:
        holder.kill()
        holder.wait()
    filled.report("gc")
    assert not victim.exists()


def test_gc_keeps_to_a_size(filled, julia):
    total = filled.report("ls")["bytes"]
    report = filled.report("gc", "--max-size", str(total // 2))
    assert report["removed"] and filled.report("ls")["bytes"] <= total // 2
    assert filled.report("verify")["refused"] == 0


@pytest.mark.parametrize("words", [["--older-than", "soon"], ["--max-size", "0"], ["--max-size", "big"]])
def test_gc_refuses_limits_that_mean_nothing(filled, words):
    assert words[0] in filled.jicache("gc", *words, status=2).stderr


def test_where_names_every_place(filled, julia):
    report = filled.report("where")
    assert report["memory_dir"] == str(filled.home / ".cache/jicache")
    assert {entry["path"].rsplit("/", 1)[1] for entry in report["memory"]} >= {"facts", "history.sqlite"}
    placed, = report["placed"]
    assert placed["path"] == str(filled.depot / "compiled" / julia.series) and placed["files"] == len(caches_of(filled, julia))
    assert report["locks"] == [placed["path"] + "/.jicache.lock"]
    assert str(filled.home) in filled.jicache("where").stdout


def test_doctor_finds_nothing_wrong_where_nothing_is(filled, small_server):
    filled.token = small_server.writer
    report = filled.report("doctor")
    assert report["wrong"] == 0
    for topic in ("julia", "environment", "depot", "room", "memory", "server", "token", "clock"):
        assert [finding["level"] for finding in findings(report, topic)] == ["fine"], topic


def test_doctor_tells_what_is_wrong_and_what_to_do(filled):
    filled.url = "http://127.0.0.1:9"
    wrong, = findings(filled.report("doctor", status=1), "server")
    assert wrong["level"] == "wrong" and wrong["remedy"]
    assert "→" in filled.jicache("doctor", status=1).stdout


def test_doctor_tells_a_bad_token(filled):
    filled.token = "jic_not_a_token"
    wrong, = findings(filled.report("doctor", status=1), "token")
    assert wrong["level"] == "wrong"


def test_doctor_works_without_a_julia(filled):
    filled.extra["JULIA"] = "/nonexistent/julia"
    report = filled.report("doctor", status=1)
    assert findings(report, "session")[0]["level"] == "wrong" and findings(report, "server")[0]["level"] == "fine"


def test_doctor_warns_before_julia_prunes(filled, julia):
    cache = caches_of(filled, julia)[0]
    for number in range(10):
        shutil.copy(cache, cache.with_name(f"{cache.name[:6]}copy{number}.ji"))
    advice, = findings(filled.report("doctor"), "pruning")
    assert advice["level"] == "advice" and cache.parent.name in advice["text"]


def test_the_history_grows_only_when_something_changes(filled):
    history = filled.home / ".cache/jicache/history.sqlite"
    filled.pull()
    before = history.read_bytes()
    for _ in range(3):
        filled.pull()
    assert history.read_bytes() == before


def test_a_damaged_history_stops_gc_and_nothing_else(filled, small, julia):
    history = filled.home / ".cache/jicache/history.sqlite"
    before = caches_of(filled, julia)
    history.write_bytes(b"x" * 5000)
    assert "damaged" in filled.jicache("gc", status=1).stderr
    assert filled.pull()["missing"] == 0 and caches_of(filled, julia) == before
    assert json.loads(filled.jicache("ls", "--json").stdout)["caches"]
