"""Packages that don't fit: skipped with a word, never retried in a loop, never in anyone's way."""

import re

import pytest
from test_hooks import JICACHE, julia_package

DEVELOPED = "Damson"  # of the small environment: what a test may write into


@pytest.fixture
def spoilt(machine, small):
    """spoilt(url, token, text): a machine on which the developed package begins with `text`."""
    assert small.package(DEVELOPED).developed

    def make(url, token, text):
        one = machine(url, token).install(small)
        one.entry = one.project.parent / DEVELOPED / "src" / f"{DEVELOPED}.jl"
        one.sound = one.entry.read_text()
        one.entry.write_text(text + one.sound)
        return one

    return make


def titles(report, field):
    return {item["name"].split("/")[-1] for item in report.get(field, [])}


def concerned(small, julia):
    extensions = {p.extension for p in small.packages if p.has_extension(julia) and {p.name, p.trigger.name}
                  & set(small.dependents(DEVELOPED))}
    return set(small.dependents(DEVELOPED)) | extensions


def test_what_says_that_it_is_not_to_be_precompiled_is_skipped_with_a_word(server, spoilt, small, julia):
    text = "__precompile__(false)\n"
    first = spoilt(server.url, server.token(), text)
    loading = first.run_load(small)
    loading.assert_loaded(small)

    second = spoilt(server.url, None, text)
    pulled = second.pull("--require")
    others = {package.name for package in small.packages} - concerned(small, julia)
    assert (pulled["missing"], pulled["fetched"]) == (0, pulled["packages"])
    assert titles(pulled, "skipped_packages") == concerned(small, julia)
    assert all("__precompile__(false)" in item["reason"] for item in pulled["skipped_packages"])
    again = second.load(small)
    again.assert_loaded(small)
    assert again.rejected == []
    assert {name: again.made[name] for name in others} == {name: loading.made[name] for name in others}
    assert second.pull()["server"] == "unused"
    assert titles(second.report("why"), "no_miss") == concerned(small, julia)
    assert f"{DEVELOPED} is not shared: it says __precompile__(false)" in second.jicache("why").stdout
    assert f"{DEVELOPED} " in second.jicache("status").stdout
    # Nor is there anything to precompile.
    done = second.jicache("precompile", timeout=600)
    assert "could not" not in done.stderr


@pytest.mark.parametrize("text", ["error(\"no luck today\")\n", "const x = (\n"], ids=["error", "syntax"])
def test_what_fails_to_compile_is_tried_once(server, spoilt, small, julia, text):
    if julia.version < (1, 6):
        pytest.skip("Pkg ends at the first package that fails")
    one = spoilt(server.url, server.token(), text)
    done = one.jicache("precompile", timeout=600)
    assert "could not precompile every package" in done.stderr
    wanted = concerned(small, julia)
    pulled = one.pull()
    assert titles(pulled, "failed_packages") == wanted and pulled["missing"] == len(wanted)
    assert pulled["server"] == "unused", "nobody is asked for what fails"
    assert one.pull("--require", status=3)["server"] == "unused"
    assert titles(one.report("status"), "failed_packages") == wanted
    told = one.report("why")
    assert (titles(told, "no_miss"), told["missing"], told["packages"]) == (wanted, len(wanted), pulled["packages"])
    for command in ("status", "why"):
        said = one.jicache(command).stdout
        assert re.search(rf"^{DEVELOPED} .*it failed to compile .* ago; tried again in \d+ minutes?, or when", said, re.M), said
    said = one.jicache("why", small.dependents(DEVELOPED)[-1]).stdout
    assert "what it depends on failed to compile" in said or small.dependents(DEVELOPED)[-1] == DEVELOPED, said

    again = one.jicache("precompile", timeout=600)
    assert "could not precompile" not in again.stderr, "Julia was started again"
    assert all(name in again.stderr for name in wanted)

    # All that does not stand on it was published.
    second = spoilt(server.url, None, text)
    assert second.pull()["missing"] == len(wanted)

    one.entry.write_text(one.sound)
    mended = one.pull()
    assert (mended["server"], titles(mended, "failed_packages")) == ("reached", set())
    one.jicache("precompile", "--require", timeout=600)
    loading = one.load(small)
    loading.assert_loaded(small)
    loading.assert_nothing_compiled()


@pytest.mark.parametrize("way", ["library", "program"])
def test_the_package_jicache_tries_once_what_fails_to_compile(server, spoilt, small, julia, way):
    if julia.version < (1, 6):
        pytest.skip("Pkg ends at the first package that fails")
    one = julia_package(spoilt(server.url, server.token(), "error(\"no luck today\")\n"))
    if way == "program":
        one.extra["JICACHE_LIBRARY"] = "/none"
    code = f"""push!(LOAD_PATH, "{JICACHE}"); using JICache; pop!(LOAD_PATH); print(JICache.precompile().missing)"""

    def precompile():
        done = one.start(one.julia_command("-e", code))
        out, err = done.communicate(timeout=600)
        assert done.returncode == 0, out + err
        return err

    assert "no luck today" in precompile()
    wanted = concerned(small, julia)
    pulled = one.pull()
    assert (titles(pulled, "failed_packages"), pulled["missing"], pulled["server"]) == (wanted, len(wanted), "unused")
    assert "no luck today" not in precompile(), "it was compiled again"
    # All that does not stand on it was published.
    assert spoilt(server.url, None, "error(\"no luck today\")\n").pull()["missing"] == len(wanted)


def test_a_failing_package_does_not_keep_others_from_being_loaded(server, spoilt, small):
    one = spoilt(server.url, server.token(), "error(\"no luck today\")\n")
    others = [p for p in small.packages if p.name not in small.dependents(DEVELOPED)]
    assert others
    code = "foreach(id -> Base.require(Base.PkgId(Base.UUID(split(id, '=')[2]), String(split(id, '=')[1]))), ARGS)"
    command = one.command("run", "--") + one.julia_command("-e", code, *(f"{p.name}={p.uuid}" for p in others))
    for _ in range(2):
        process = one.start(command)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, out + err
    second = spoilt(server.url, None, "error(\"no luck today\")\n")
    pulled = second.pull()
    assert pulled["fetched"] >= len(others)


def test_a_package_without_a_uuid_is_in_nobodys_way(server, machine, small):
    def make(token):
        one = machine(server.url, token).install(small)
        plain = one.folder / "plain/Plain/src"
        plain.mkdir(parents=True)
        (plain / "Plain.jl").write_text("module Plain\nvalue() = 5\nend\n")
        one.extra["JULIA_LOAD_PATH"] = f"@:@stdlib:{one.folder}/plain"
        return one

    first, second = make(server.token()), make(None)
    code = "import Plain; print(Plain.value()); foreach(name -> Base.require(Main, Symbol(name)), ARGS)"
    names = [package.name for package in small.direct]
    process = first.start(first.command("run", "--") + first.julia_command("-e", code, *names))
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0 and out.startswith("5"), out + err
    second.pull("--require")
    second.load(small).assert_nothing_compiled()
