"""The hooks: a link named julia, startup.jl with JICache, the Julia of a Python program, `jicache precompile`."""

import fcntl
import functools
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import termios
import time

import pytest
from processes import bin_dir, default_signals, Loading, ROOT, wait_until

JICACHE = ROOT / "client/julia/JICache"
LIBRARY = bin_dir().parent / "lib/libjicache.so"

# A real julia that, when STUB is set, only shows how it was started.
REAL = """#!/bin/sh
[ -z "$STUB" ] || exec sh -c "$STUB"
exec "{julia}" "$@"
"""


@functools.cache
def sanitized():
    return b"libasan" in subprocess.run(["ldd", bin_dir() / "jicache"], capture_output=True, check=True).stdout


@pytest.fixture
def masked(machine, small):
    """A machine on which `julia` is a link to jicache, before the real one on PATH."""

    def make(url="http://127.0.0.1:9", token=None):
        one = machine(url, token).install(small)
        links, real = one.folder / "links", one.folder / "real"
        links.mkdir()
        real.mkdir()
        (links / "julia").symlink_to((bin_dir() / "jicache").resolve(strict=True))
        (real / "julia").write_text(REAL.format(julia=one.julia.path))
        (real / "julia").chmod(0o755)
        one.extra.update(PATH=f"{links}:{real}:{os.environ['PATH']}")
        one.program = "julia"
        return one

    return make


def start(one, *arguments, **options):
    """A Julia of the machine with the streams of a user; the link is found on the machine's own PATH."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    env = {**one.env(), **streams.pop("env", {})}
    return subprocess.Popen(["/usr/bin/env", *one.julia_command(*arguments)], env=env, cwd=one.folder, text=True, **streams)


def finish(one, *arguments, **options):
    process = start(one, *arguments, **options)
    out, err = process.communicate(timeout=300)
    assert "Sanitizer" not in err, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def read_all(terminal):
    """Ends when nobody has the terminal open any more."""
    said = b""
    try:
        while chunk := os.read(terminal, 4096):
            said += chunk
    except OSError:
        pass
    return said.decode(errors="replace")


def ours(one):
    """Files in the depot that jicache placed."""
    return [path for path in one.caches() if path.suffix == ".ji" and not re.search(r"_\w{5}\.ji$", path.name)]


# ---- a link named julia


def test_a_link_named_julia_pulls_and_becomes_julia(small_server, masked, small):
    one = masked(small_server.url)
    loading = one.load(small)
    loading.assert_loaded(small)
    assert loading.compiled == [] and loading.rejected == [], loading.output
    assert ours(one)


def test_it_is_the_same_process(masked):
    one = masked()
    process = start(one, "-e", "print(getpid())")
    out, _ = process.communicate(timeout=120)
    assert int(out) == process.pid


@pytest.mark.parametrize("code, status", [("exit(0)", 0), ("exit(7)", 7), ("error(1)", 1)])
def test_it_ends_as_julia_does(masked, code, status):
    assert finish(masked(), "-e", code).returncode == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_julias_own(masked, number):
    one = masked()

    def ending():
        ready = one.folder / "ready"
        ready.unlink(missing_ok=True)
        code = f'touch("{ready}"); while true; sleep(0.05); end'
        process = start(one, "-e", code, preexec_fn=default_signals)
        wait_until(ready.exists, timeout_s=120, what="Julia starts")
        time.sleep(0.2)
        process.send_signal(number)
        process.communicate(timeout=60)
        return process.returncode

    through_link = ending()
    one.program = str(one.folder / "real/julia")
    assert through_link == ending() != 0


def test_input_from_a_pipe_is_julias(masked):
    process = start(masked(), stdin=subprocess.PIPE)
    out, _ = process.communicate("print(6 * 7)\n", timeout=120)
    assert (process.returncode, out) == (0, "42")


def test_the_terminal_is_julias_and_is_given_back(server, masked, small):
    """A token and packages that are missing: so a publisher waits in the background while Julia has the terminal."""
    one = masked(server.url, server.token())
    main, side = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    code = "print(isa(stdin, Base.TTY), ccall(:tcgetpgrp, Cint, (Cint,), 0) == getpid())"
    process = start(one, "-e", code, stdin=side, stdout=side, stderr=side, preexec_fn=take_terminal)
    os.close(side)
    said = read_all(main)
    assert process.wait(timeout=60) == 0 and "truetrue" in said, said
    os.close(main)


def test_what_was_compiled_is_published_in_the_background(server, masked, machine, small):
    one = masked(server.url, server.token())
    process = start(one, "-e", f"using {', '.join(p.name for p in small.direct)}")
    process.communicate(timeout=300)  # returns when every pipe is closed: nobody holds them
    assert process.returncode == 0
    other = machine(server.url).install(small)
    wait_until(lambda: other.pull() and {path.parent.name for path in ours(other)} >= set(small.names()), timeout_s=120,
               what="the publisher")
    other.load(small).assert_loaded(small)


def test_what_a_session_installs_is_published_too(server, masked, machine, small, julia):
    one = masked(server.url, server.token())
    project = one.project.parent / "made-by-julia"
    code = f"""
        mkpath("{project}")
        cp("{one.project}/Project.toml", "{project}/Project.toml"); cp("{one.project}/Manifest.toml", "{project}/Manifest.toml")
        run(`$(Base.julia_cmd()) --startup-file=no --project={project} -e "using {small.direct[-1].name}"`)
    """
    one.project = project
    done = finish(one, "-e", code)
    assert done.returncode == 0, done.stderr
    other = machine(server.url).install(small)
    wait_until(lambda: other.pull() and ours(other), timeout_s=120, what="the publisher")


def test_without_a_token_nobody_waits_for_the_end(small_server, masked):
    one = masked(small_server.url)
    done = finish(one, "-e", "print(getpid())")
    assert done.returncode == 0
    started = subprocess.run(["pgrep", "-f", str(one.project)], capture_output=True, text=True).stdout
    assert started == ""


def test_disable_leaves_julia_alone(small_server, masked, small):
    one = masked(small_server.url)
    one.extra["JICACHE_DISABLE"] = "1"
    loading = one.load(small)
    loading.assert_loaded(small)
    assert set(loading.compiled) >= set(small.names())
    assert not ours(one) and not (one.home / ".cache/jicache").exists()


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["--help"]])
def test_questions_about_julia_start_nothing(small_server, masked, words):
    one = masked(small_server.url)
    process = subprocess.run(["/usr/bin/env", "julia", *words], env=one.env(), cwd=one.folder, capture_output=True, text=True)
    assert process.returncode == 0 and "julia" in process.stdout.lower() and process.stderr == ""
    assert not ours(one)


def test_without_another_julia_it_says_so(masked):
    one = masked()
    one.extra["PATH"] = f"{one.folder / 'links'}:/usr/bin:/bin"
    if shutil.which("julia", path="/usr/bin:/bin"):
        pytest.skip("this machine has a julia in /usr/bin")
    done = finish(one, "-e", "0")
    assert done.returncode == 127 and "no other julia on PATH" in done.stderr


def test_links_to_two_copies_do_not_find_each_other(masked):
    one = masked()
    copy, second = one.folder / "copy", one.folder / "second"
    copy.mkdir()
    second.mkdir()
    shutil.copy2(bin_dir() / "jicache", copy / "jicache")
    (second / "julia").symlink_to(copy / "jicache")
    one.extra["PATH"] = f"{one.folder / 'links'}:{second}:{one.folder / 'real'}:{os.environ['PATH']}"
    assert finish(one, "-e", "exit(5)").returncode == 5


def test_a_project_that_is_not_there_yet_is_no_trouble(masked):
    one = masked()
    one.project = one.folder / "new"
    done = finish(one, "-e", "print(1)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1", "")


def test_a_manifest_that_can_not_be_read_is_julias_to_refuse(masked):
    one = masked()
    (one.project / "Manifest.toml").write_text("not toml [")
    done = finish(one, "-e", "print(1)")
    assert (done.returncode, done.stdout) == (0, "1")
    assert "Manifest.toml" in done.stderr


def test_julia_starts_with_clean_descriptors_and_signals(small_server, server, masked):
    for one in (masked(small_server.url), masked(server.url, server.token())):
        show = "ls -l /proc/self/fd | grep -v -e ' -> pipe:' -e /dev/null -e /proc/; grep -E 'Sig(Blk|Ign)' /proc/self/status"
        done = finish(one, "-e", "0", env={"STUB": show})
        lines = [line for line in done.stdout.splitlines() if not line.startswith("total")]
        direct = subprocess.run(["sh", "-c", show], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        assert lines == [line for line in direct.splitlines() if not line.startswith("total")]


def test_nobody_is_asked_when_all_is_local(small_server, masked):
    """Neither the server nor Julia: what that costs is measured by tests/bench."""
    one = masked(small_server.url)
    finish(one, "-e", "0")
    one.url = "http://127.0.0.1:1"
    done = finish(one, "-e", "0", env={"STUB": "echo started"})
    assert (done.stdout, done.stderr, done.returncode) == ("started\n", "", 0)


def test_run_does_not_start_the_link(small_server, masked, small):
    one = masked(small_server.url)
    words = [bin_dir() / "jicache", "run", "--", "julia", f"--project={one.project}", "-e", "exit(5)"]
    process = one.start(words)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 5
    assert len([line for line in err.splitlines() if line.startswith("jicache: ")]) == 1, err


def test_the_link_is_not_asked_for_what_julia_is(masked):
    one = masked()
    real = str(one.folder / "real/julia")
    one.extra["JULIA"] = ""
    assert one.report("key")["julia"] == real
    one.extra["JULIA"] = str(one.folder / "links/julia")
    done = one.jicache("key")
    assert "warning" not in done.stderr and done.stderr.count("jicache: ") == 1, done.stderr


# ---- JICache


def julia_package(one):
    """JICache for this machine's Julia, in startup.jl."""
    config = one.depot / "config"
    config.mkdir(exist_ok=True)
    (config / "startup.jl").write_text(f'push!(LOAD_PATH, "{JICACHE}")\nusing JICache\npop!(LOAD_PATH)\nJICache.enable()\n')
    # A sanitizer's library can't be loaded into a Julia: there JICache asks the program.
    one.extra["JICACHE_PROGRAM"] = str(bin_dir() / "jicache")
    one.extra["JICACHE_LIBRARY"] = "/none" if sanitized() else str(LIBRARY)
    return one


def with_startup(one, code, *options):
    words = [one.julia.path, "--history-file=no", *one.julia_args, *options, "-e", code]
    done = subprocess.run(words, env={**one.env(), "JULIA_DEBUG": "loading"}, cwd=one.folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600)
    output = done.stdout + done.stderr
    assert "Sanitizer" not in output, output
    return Loading(done.returncode, output, str(one.depot))


def compiled(loading):
    return [name for name in re.findall(r"Precompiling (\w+) ?\[|✓ (\w+)", loading.output) if "JICache" not in name]


def using(environment):
    return "using " + ", ".join(package.name for package in environment.direct)


def test_the_packages_own_tests_pass(machine, julia):
    one = machine()
    env = {**one.env(), "JULIA_LOAD_PATH": f"{JICACHE}:@stdlib"}
    done = subprocess.run([julia.path, "--startup-file=no", JICACHE / "test/runtests.jl"], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_startup_pulls_for_the_active_project(small_server, machine, small):
    one = julia_package(machine(small_server.url).install(small))
    loading = with_startup(one, using(small), f"--project={one.project}")
    assert loading.status == 0 and compiled(loading) == [], loading.output
    assert ours(one)


def at_prompt(one, lines, *options):
    """What a Julia on a terminal prints when these lines are typed."""
    main, side = pty.openpty()
    process = subprocess.Popen([one.julia.path, "--history-file=no", "-i", "-q", *options], stdin=side, stdout=side, stderr=side,
                               cwd=one.folder, env={**one.env(), "JULIA_DEBUG": "loading", "TERM": "dumb"}, start_new_session=True)
    os.close(side)
    os.write(main, "".join(f"{line}\n" for line in [*lines, "exit()"]).encode())
    said = read_all(main)
    os.close(main)
    return Loading(process.wait(timeout=60), said, str(one.depot))


def test_the_prompt_sees_that_another_project_became_active(small_server, machine, small):
    one = julia_package(machine(small_server.url).install(small))
    # Interactive 1.10 would ask for registries before it compiles JICache itself.
    with_startup(one, "0")
    lines = [f'import Pkg; Pkg.activate("{one.project}")', using(small) + '; println("LOA", "DED")']
    loading = at_prompt(one, lines)
    assert loading.status == 0 and "LOADED" in loading.output, loading.output
    assert compiled(loading) == [] and "Warning: JICache" not in loading.output, loading.output
    assert ours(one)


def test_a_script_that_activates_a_project_is_helped_before_julia_compiles(small_server, machine, small, julia):
    one = julia_package(machine(small_server.url).install(small))
    activate = f'Base.ACTIVE_PROJECT[] = "{one.project}"; '
    code = activate + ("JICache.pull(); " if not (1, 10) <= julia.version[:2] != (1, 11) else "") + using(small)
    loading = with_startup(one, code)
    assert loading.status == 0, loading.output
    assert not re.search(r"Precompiling (%s) ?\[" % "|".join(small.names()), loading.output), loading.output
    left = [path for path in one.caches() if re.search(r"_\w{5}\.ji$", path.name) and path.parent.name in small.names()]
    assert left == [], loading.output


def test_a_server_that_is_away_is_one_warning_at_startup(machine, small):
    one = julia_package(machine("http://127.0.0.1:9").install(small))
    loading = with_startup(one, "JICache.pull(); JICache.status(); print(6 * 7)", f"--project={one.project}")
    assert loading.status == 0 and "42" in loading.output
    assert loading.output.count("going on without it") == 1


def test_a_load_path_that_startup_changed_counts(small_server, machine, small):
    """The packages are in a project that only startup.jl puts on LOAD_PATH."""
    one = julia_package(machine(small_server.url).install(small))
    startup = one.depot / "config/startup.jl"
    startup.write_text(f'push!(LOAD_PATH, "{one.project}")\n' + startup.read_text())
    loading = with_startup(one, using(small))
    assert loading.status == 0 and compiled(loading) == [], loading.output
    assert ours(one)


def test_without_library_and_program_there_is_one_warning(machine, small):
    one = julia_package(machine().install(small))
    one.extra.update(JICACHE_LIBRARY="/none", JICACHE_PROGRAM="/none")
    loading = with_startup(one, "JICache.pull(); print(6 * 7)", f"--project={one.project}")
    assert loading.status == 0 and "42" in loading.output
    assert loading.output.count("Warning: JICache") == 1, loading.output


def test_pull_push_and_precompile_from_julia(server, machine, small):
    token = server.token()
    one = julia_package(machine(server.url, token).install(small))
    (one.depot / "config/startup.jl").write_text(f'push!(LOAD_PATH, "{JICACHE}")\nusing JICache\npop!(LOAD_PATH)\n')
    code = "r = JICache.precompile(); println(\"MISSING \", r.missing); println(\"AGAIN \", JICache.pull().missing)"
    loading = with_startup(one, code, f"--project={one.project}")
    assert loading.status == 0, loading.output
    assert int(re.search(r"MISSING (\d+)", loading.output)[1]) >= len(small.packages)
    other = machine(server.url).install(small)
    assert other.pull()["fetched"] >= len(small.packages)


# ---- jicache precompile


def test_precompile_is_what_ci_calls(server, machine, small):
    one = machine(server.url, server.token()).install(small)
    done = one.jicache("precompile")
    assert "published" in done.stderr
    second = machine(server.url).install(small)
    done = second.jicache("precompile")
    assert int(re.search(r"(\d+) fetched", done.stderr)[1]) >= len(small.packages)
    loading = second.load(small)
    loading.assert_loaded(small)
    assert not set(loading.compiled) & set(small.names()), loading.output


def counted(one):
    """The machine's Julia, as a program that counts how often it is asked to precompile."""
    count, program = one.folder / "count", one.folder / "counted/julia"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *pkg.precompile*) echo once >> "{count}";; esac\nexec "{one.julia.path}" "$@"\n')
    program.chmod(0o755)
    one.extra["JULIA"] = str(program)
    return lambda: len(count.read_text().splitlines()) if count.exists() else 0


def test_packages_that_do_not_compile_are_named_and_tried_once(server, machine, small, julia):
    token = server.token()
    one = machine(server.url, token).install(small)
    broken = small.packages[0]
    entry, = (one.depot / "packages" / broken.name).glob(f"*/src/{broken.name}.jl")
    entry.write_text(entry.read_text().replace("\nend\n", '\nerror("broken on purpose")\nend\n'))
    times = counted(one)
    done = one.jicache("precompile")
    assert times() == 1
    assert broken.name in done.stderr.splitlines()[-1], done.stderr
    assert "Stacktrace" not in done.stderr.split("jicache: warning")[-1]
    assert broken.name in one.jicache("precompile", "--require", status=3).stderr
    # Pkg of 1.5 ends at the first package that fails, so nothing is remembered of the others.
    assert times() == (1 if julia.version >= (1, 6) else 2)


@pytest.mark.parametrize("how", ["kill -TERM $$", "trap 'exit 1' INT; kill -INT $PPID; while :; do sleep 0.1; done"],
                         ids=["julia", "jicache_whose_julia_ends_by_itself"])
def test_precompile_ends_when_it_is_told_to(server, machine, small, how):
    one = machine(server.url).install(small)
    program = one.folder / "killed/julia"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *pkg.precompile*) {how};; esac\nexec "{one.julia.path}" "$@"\n')
    program.chmod(0o755)
    one.extra["JULIA"] = str(program)
    done = one.jicache("precompile", status=None)
    wanted = signal.SIGINT if "-INT" in how else signal.SIGTERM
    assert done.returncode in (-wanted, 128 + wanted), done.stderr
    assert "could not precompile" not in done.stderr


# ---- Python


def python(one, *words, **env):
    process = one.start([bin_dir() / "jicache", "run", "--", *words], **env)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def assert_prepared(one, small):
    loading = one.load(small)
    loading.assert_loaded(small)
    assert not set(loading.compiled) & set(small.names()), loading.output


def test_juliacalls_own_settings_choose_the_environment(small_server, machine, small):
    one = machine(small_server.url).install(small)
    one.extra["JULIA"] = "/none"
    done = python(one, "/usr/bin/python3", "-c", "print(6 * 7)", PYTHON_JULIACALL_EXE=one.julia.path,
                  PYTHON_JULIACALL_PROJECT=str(one.project))
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    del one.extra["JULIA"]
    assert_prepared(one, small)


EMBED = """
import ctypes, sys
julia = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
julia.jl_init()
for code in sys.argv[2:]:
    julia.jl_eval_string(code.encode())
    if ctypes.cast(julia.jl_exception_occurred, ctypes.CFUNCTYPE(ctypes.c_void_p))():
        sys.exit(3)
julia.jl_atexit_hook(0)
"""


def embedded(one, code):
    """A Python that has Julia in its own process, as juliacall and PyJulia have."""
    lib = one.julia.stdlib.parents[3] / "lib/libjulia.so"
    script = one.folder / "embed.py"
    script.write_text(EMBED)
    return ["/usr/bin/python3", script, lib, code]


@pytest.mark.since(1, 10)
def test_an_embedded_julia_finds_its_caches_and_publishes(server, machine, small):
    """It is another executable than julia, with another library path: none of that is in a key."""
    one, two = machine(server.url, server.token()).install(small), machine(server.url).install(small)
    if not pathlib.Path(embedded(one, "")[2]).exists():
        pytest.skip("this Julia has its library elsewhere")
    code = using(small)
    for each in (one, two):
        each.extra["JULIA_PROJECT"] = str(each.project)
    done = python(one, *embedded(one, code), JULIA_DEBUG="loading")
    assert done.returncode == 0, done.stderr
    before = two.caches()
    done = python(two, *embedded(two, code), JULIA_DEBUG="loading")
    loading = Loading(done.returncode, done.stdout + done.stderr, str(two.depot))
    loading.new_files = [str(path) for path in two.caches() - before if path not in ours(two)]
    assert loading.status == 0 and loading.compiled == [] and loading.rejected == [], loading.output
    assert ours(two)
    assert_prepared(two, small)


def test_a_virtual_environment_uses_what_juliapkg_resolved(small_server, machine, small):
    one = machine(small_server.url)
    venv = one.folder / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", venv], check=True)
    one.project = venv / "julia_env"
    small.install(one.project, one.depot, one.julia)
    meta = one.project / "pyjuliapkg/meta.json"
    meta.parent.mkdir()
    meta.write_text(json.dumps({"meta_version": 5, "executable": one.julia.path, "version": "1.0"}))
    done = python(one, venv / "bin/python", "-c", "import sys; sys.exit(4)", JULIA="/none")
    assert done.returncode == 4, done.stderr
    assert_prepared(one, small)
