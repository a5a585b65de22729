"""Images for other processors than the one they were made on: taken where Julia takes them, and nowhere else."""

import environment
import pytest

SEVERAL = "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)"


@pytest.fixture(scope="session")
def tiny(julia):
    if julia.version < (1, 9):
        pytest.skip("no native code in caches")
    return environment.main_environment(julia, count=4)


@pytest.fixture
def compiled_for(server, machine, tiny):
    """compiled_for(target): what a machine published whose JULIA_CPU_TARGET this was."""

    def make(target, *julia_args):
        one = machine(server.url, server.token()).install(tiny)
        one.extra["JULIA_CPU_TARGET"] = target
        one.julia_args = list(julia_args)
        first = one.run_load(tiny)
        first.assert_loaded(tiny)
        assert set(first.compiled) >= set(tiny.names())
        return first

    return make


@pytest.fixture
def second(server, machine, tiny):
    return machine(server.url).install(tiny)


def assert_taken(one, tiny, first):
    pulled = one.pull("--require")
    assert pulled["fetched"] == pulled["packages"] and "unusable" not in pulled
    assert any(path.suffix == ".so" for path in one.caches())
    loading = one.load(tiny)
    loading.assert_loaded(tiny)
    loading.assert_nothing_compiled()
    assert loading.made == first.made


@pytest.mark.parametrize("target", ["generic", "haswell,-rdrnd", "generic;haswell,clone_all", SEVERAL, "sandybridge",
                                    "native,-avx512f"])
def test_a_native_session_takes_what_this_processor_can_run(compiled_for, second, tiny, target):
    assert_taken(second, tiny, compiled_for(target))


@pytest.mark.parametrize("target", ["generic", "generic;haswell,clone_all"])
def test_machines_with_the_same_target_share(compiled_for, second, tiny, target):
    first = compiled_for(target)
    second.extra["JULIA_CPU_TARGET"] = target
    assert_taken(second, tiny, first)


def test_what_a_session_runs_for_is_taken_whatever_it_would_compile_for(compiled_for, second, tiny):
    first = compiled_for("native")
    second.extra["JULIA_CPU_TARGET"] = "generic"
    assert_taken(second, tiny, first)


def test_a_session_for_less_takes_nothing_for_more(compiled_for, second, tiny):
    compiled_for("native")
    second.julia_args = ["-C", "generic"]
    assert second.pull()["fetched"] == 0
    loading = second.load(tiny)
    loading.assert_loaded(tiny)
    assert loading.rejected == []


def test_doctor_names_a_target_that_all_machines_can_share(second, tiny, julia):
    cpu, = (finding for finding in second.report("doctor", status=None)["findings"] if finding["topic"] == "cpu")
    assert cpu["level"] == "advice" and "generic" in cpu["remedy"]
    second.extra["JULIA_CPU_TARGET"] = "generic"
    cpu, = (finding for finding in second.report("doctor", status=None)["findings"] if finding["topic"] == "cpu")
    assert cpu["level"] == "fine"
    second.extra["JULIA_CPU_TARGET"] = "x86-64-v3"
    cpu, = (finding for finding in second.report("doctor", status=None)["findings"] if finding["topic"] == "cpu")
    assert cpu["level"] == "wrong" and "haswell" in cpu["remedy"]
