"""`cmake --install` gives a normal system layout, from which programs in C and C++ build against libjicache."""

import os
import re
import subprocess

import pytest
from processes import bin_dir

BUILD = bin_dir().parent
SANITIZE = re.search(r"^JIC_SANITIZE:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M).group(1)
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", *([f"-fsanitize={SANITIZE}"] if SANITIZE else [])]

PROGRAM = """#include <jicache/jicache.h>
#include <stdio.h>

int main(void)
{
	struct jic_session_options options = JIC_SESSION_OPTIONS_INIT;
	struct jic_error error = {JIC_OK, 0, ""};
	options.julia = "/nowhere/julia";
	struct jic_session *session = jic_session_open(&options, &error);
	printf("%s: %s\\n", jic_version(), session ? "opened" : error.text);
	jic_session_free(session);
	return session != NULL;
}
"""

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(jicache REQUIRED)
foreach(kind shared static)
  add_executable(with_${kind} program.c)
  target_link_libraries(with_${kind} PRIVATE jicache::jicache_${kind})
endforeach()
"""


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def libdir(prefix):
    return next(prefix.rglob("libjicache.so")).parent


def test_the_layout_is_a_systems(prefix):
    installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    lib = libdir(prefix).relative_to(prefix)
    assert {"bin/jicache", "bin/jicached", "include/jicache/jicache.h", "include/jicache/error.h", f"{lib}/libjicache.a",
            f"{lib}/libjicache.so", f"{lib}/pkgconfig/jicache.pc", f"{lib}/cmake/jicache/jicacheConfig.cmake"} <= installed
    assert {"share/man/man1/jicache-pull.1", "share/man/man8/jicached-serve.8", "share/man/man5/jicached.toml.5",
            "share/bash-completion/completions/jicached", "share/zsh/site-functions/_jicache",
            "share/fish/vendor_completions.d/jicache.fish", "lib/systemd/system/jicached.service",
            "lib/systemd/system/jicached.socket", "lib/sysusers.d/jicached.conf", "lib/tmpfiles.d/jicached.conf"} <= installed
    assert {name.split("/")[0] for name in installed} <= {"bin", "include", "lib", "share", "etc"}


def test_the_installed_programs_start(prefix):
    for program in ("jicache", "jicached"):
        assert program in run(prefix / "bin" / program, "--version")


def test_nothing_but_the_public_interface_is_visible(prefix):
    symbols = run("nm", "--dynamic", "--defined-only", libdir(prefix) / "libjicache.so").splitlines()
    header = "".join(path.read_text() for path in (prefix / "include/jicache").iterdir())
    names = [line.split()[-1].split("@")[0] for line in symbols if " T " in line]
    assert names and [name for name in names if name not in header] == []


@pytest.mark.parametrize("compiler, suffix, standard", [("cc", "c", "c11"), ("c++", "cpp", "c++11")])
def test_a_program_builds_with_pkg_config(prefix, tmp_path, compiler, suffix, standard):
    source = tmp_path / f"program.{suffix}"
    source.write_text(PROGRAM)
    # The package was configured for another prefix than this temporary one.
    env = {**os.environ, "PKG_CONFIG_PATH": str(libdir(prefix) / "pkgconfig")}
    flags = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "jicache", env=env).split()
    run(compiler, f"-std={standard}", *FLAGS, source, "-o", tmp_path / "program", *flags)
    said = run(tmp_path / "program", env={**os.environ, "LD_LIBRARY_PATH": str(libdir(prefix)), "HOME": str(tmp_path)})
    assert "/nowhere/julia" in said


def test_a_program_builds_with_cmake(prefix, tmp_path):
    (tmp_path / "program.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={' '.join(FLAGS)}")
    run("cmake", "--build", tmp_path / "build")
    for kind in ("shared", "static"):
        assert "/nowhere/julia" in run(tmp_path / "build" / f"with_{kind}", env={**os.environ, "HOME": str(tmp_path)})
