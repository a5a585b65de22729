/* Which Julia an embedded one would be: the rules of juliacall, juliapkg and PyJulia, on a made-up machine. */
#include "client/cli/python_command.h"

#include "client/cli/program.h"
#include "common/file.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define READ(...) read_command((const char *const[]){__VA_ARGS__, NULL})

static struct jic_arena arena;
static char root[] = "/tmp/jic-python-XXXXXX";

static const char *in_root(const char *path)
{
	return jic_arena_printf(&arena, "%s/%s", root, path).ptr;
}

static const char *put(const char *path, const char *text, mode_t mode)
{
	const char *full = in_root(path);
	jic_autofree char *dir = strdup(full);
	*strrchr(dir, '/') = '\0';
	cr_assert(jic_mkdirs(dir, NULL));
	cr_assert(
	    jic_file_write(full, jic_view_of(text), (struct jic_writer_options){.no_sync = true, .mode = mode}, NULL));
	return full;
}

static const char *put_program(const char *path)
{
	return put(path, "#!/bin/sh\n", 0755);
}

static void put_meta(const char *project, const char *version, const char *executable)
{
	put(jic_arena_printf(&arena, "%s/pyjuliapkg/meta.json", project).ptr,
	    jic_arena_printf(&arena, "{\"meta_version\": %s, \"executable\": \"%s\", \"version\": \"1.11.1\"}", version,
	                     executable)
	        .ptr,
	    0644);
}

/* bin/ is on PATH, with python and julia; home/ is HOME; nothing else is set. */
static void start(void)
{
	static const char *const unset[] = {"JULIA", "JULIA_DEPOT_PATH", "VIRTUAL_ENV", "CONDA_PREFIX",
	                                    "JULIA_PROJECT"};
	cr_assert_not_null(mkdtemp(root));
	for (size_t i = 0; i < JIC_COUNT(unset); i++)
		unsetenv(unset[i]);
	put_program("bin/python3");
	put_program("bin/julia");
	setenv("PATH", in_root("bin"), 1);
	setenv("HOME", in_root("home"), 1);
}

static void end(void)
{
	cr_expect(jic_remove_tree(root, NULL));
	jic_arena_clear(&arena);
}
TestSuite(python_command, .init = start, .fini = end);

static struct jic_python_command read_command(const char *const *argv)
{
	struct jic_python_command command;
	cr_assert(jic_python_command_read(argv, &arena, &command));
	return command;
}

static void check(struct jic_python_command got, const char *julia, const char *project, const char *args)
{
	cr_expect_not_null(got.julia);
	if (got.julia)
		cr_expect_str_eq(got.julia, julia);
	cr_expect_eq(got.project == NULL, project == NULL);
	if (got.project && project)
		cr_expect_str_eq(got.project, project);
	cr_expect_str_eq(got.args, args);
}

Test(python_command, python_is_known_by_its_name)
{
	static const char *const yes[] = {"python",   "python3", "python3.12",  "/venv/bin/python", "ipython",
	                                  "ipython3", "jupyter", "jupyter-lab", "python-jl"};
	static const char *const no[] = {"pythonic", "python3-config", "julia", "pytest", "sh", "python/run"};
	for (size_t i = 0; i < JIC_COUNT(yes); i++)
		cr_expect(jic_python_command_is(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < JIC_COUNT(no); i++)
		cr_expect_not(jic_python_command_is(no[i]), "%s", no[i]);
}

Test(python_command, without_any_setting_it_is_julia_on_path)
{
	check(READ("python3", "app.py"), in_root("bin/julia"), NULL, "");
}

Test(python_command, a_link_to_jicache_is_no_julia)
{
	cr_assert_eq(symlink("/proc/self/exe", in_root("bin/julia-1.11")), 0);
	cr_expect(jic_program_is_self(in_root("bin/julia-1.11")));
	cr_expect_null(jic_program_find("julia-1.11"));
	put_program("elsewhere/jicache");
	cr_assert_eq(symlink("../elsewhere/jicache", in_root("bin/julia-1.10")), 0);
	cr_expect_null(jic_program_find("julia-1.10"));
	cr_expect_null(jic_program_find(in_root("bin/none")));
	put_program("later/julia-1.10");
	setenv("PATH", jic_arena_printf(&arena, "%s:%s", in_root("bin"), in_root("later")).ptr, 1);
	jic_autofree char *found = jic_program_find(in_root("bin/julia-1.10"));
	cr_assert_not_null(found);
	cr_expect_str_eq(found, in_root("later/julia-1.10"));
}

Test(python_command, python_jl_says_its_julia)
{
	const char *other = put_program("opt/julia");
	check(READ("python-jl", "--julia", other, "x.py"), other, NULL, "");
	check(READ("python-jl", jic_arena_printf(&arena, "--julia=%s", other).ptr, "x.py"), other, NULL, "");
	check(READ("python-jl", "x.py"), in_root("bin/julia"), NULL, "");
}

Test(python_command, juliacall_takes_executable_and_project_together)
{
	const char *julia = put_program("opt/julia");
	setenv("PYTHON_JULIACALL_EXE", julia, 1);
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	setenv("PYTHON_JULIACALL_PROJECT", in_root("env"), 1);
	check(READ("python3"), julia, in_root("env"), "");
	unsetenv("PYTHON_JULIACALL_EXE");
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	setenv("PYTHON_JULIACALL_BINDIR", in_root("opt"), 1);
	check(READ("python3"), julia, in_root("env"), jic_arena_printf(&arena, "'--home=%s'", in_root("opt")).ptr);
}

Test(python_command, juliacalls_options_become_julias)
{
	setenv("PYTHON_JULIACALL_EXE", "julia", 1);
	setenv("PYTHON_JULIACALL_PROJECT", in_root("env"), 1);
	setenv("PYTHON_JULIACALL_CHECK_BOUNDS", "yes", 1);
	setenv("PYTHON_JULIACALL_OPTIMIZE", "3", 1);
	setenv("PYTHON_JULIACALL_SYSIMAGE", in_root("my sys.so"), 1);
	setenv("PYTHON_JULIACALL_THREADS", "4", 1);
	check(
	    READ("python3"), in_root("bin/julia"), in_root("env"),
	    jic_arena_printf(&arena, "'--sysimage=%s' '--check-bounds=yes' '--optimize=3'", in_root("my sys.so")).ptr);
}

Test(python_command, the_command_line_wins_over_the_environment)
{
	setenv("PYTHON_JULIACALL_EXE", "julia", 1);
	setenv("PYTHON_JULIACALL_PROJECT", in_root("env"), 1);
	setenv("PYTHON_JULIACALL_OPTIMIZE", "3", 1);
	check(READ("python3", "-u", "-W", "error", "-X", "juliacall-optimize=1", "app.py"), in_root("bin/julia"),
	      in_root("env"), "'--optimize=1'");
	check(READ("python3", "-uXjuliacall-optimize=0", "-Xjuliacall-inline=no"), in_root("bin/julia"), in_root("env"),
	      "'--inline=no' '--optimize=0'");
	/* Behind the program, -c and -m the words are the program's. */
	check(READ("python3", "app.py", "-X", "juliacall-optimize=1"), in_root("bin/julia"), in_root("env"),
	      "'--optimize=3'");
	check(READ("python3", "-m", "app", "-Xjuliacall-optimize=1"), in_root("bin/julia"), in_root("env"),
	      "'--optimize=3'");
	check(READ("python3", "-X"), in_root("bin/julia"), in_root("env"), "'--optimize=3'");
}

Test(python_command, juliapkgs_default_project_is_in_the_first_depot)
{
	const char *julia = put_program("opt/julia");
	put_meta("home/.julia/environments/pyjuliapkg", "5", julia);
	check(READ("python3"), julia, in_root("home/.julia/environments/pyjuliapkg"), "");
	setenv("JULIA_DEPOT_PATH", jic_arena_printf(&arena, "%s:/elsewhere", in_root("depot")).ptr, 1);
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	put_meta("depot/environments/pyjuliapkg", "5", julia);
	check(READ("python3"), julia, in_root("depot/environments/pyjuliapkg"), "");
}

Test(python_command, a_virtual_environment_has_its_own_project)
{
	const char *julia = put_program("opt/julia"), *python = put_program("venv/bin/python");
	put("venv/pyvenv.cfg", "", 0644);
	put_meta("venv/julia_env", "5", julia);
	check(READ(python, "app.py"), julia, in_root("venv/julia_env"), "");
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	/* A shim on PATH starts the active environment's Python, a path to another Python does not. */
	setenv("VIRTUAL_ENV", in_root("venv"), 1);
	check(READ("python3"), julia, in_root("venv/julia_env"), "");
	check(READ(in_root("bin/python3")), in_root("bin/julia"), NULL, "");
}

Test(python_command, a_conda_environment_has_its_own_project)
{
	const char *julia = put_program("opt/julia");
	setenv("CONDA_PREFIX", in_root("conda"), 1);
	put_meta("conda/julia_env", "5", julia);
	check(READ("python3"), julia, in_root("conda/julia_env"), "");
}

Test(python_command, juliapkgs_own_settings_win)
{
	const char *julia = put_program("opt/julia"), *other = put_program("opt/other");
	setenv("PYTHON_JULIAPKG_PROJECT", in_root("shared"), 1);
	put_meta("shared", "5", julia);
	check(READ("python3"), julia, in_root("shared"), "");
	setenv("PYTHON_JULIAPKG_EXE", other, 1);
	check(READ("python3"), other, in_root("shared"), "");
	check(READ("python3", "-X", jic_arena_printf(&arena, "juliapkg-project=%s", in_root("none")).ptr),
	      in_root("bin/julia"), NULL, "");
}

Test(python_command, a_resolution_that_can_not_be_read_is_none)
{
	const char *julia = put_program("opt/julia");
	put_meta("home/.julia/environments/pyjuliapkg", "4", julia);
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	put("home/.julia/environments/pyjuliapkg/pyjuliapkg/meta.json", "{\"meta_version\": 5, \"executable\": 7}",
	    0644);
	check(READ("python3"), in_root("bin/julia"), NULL, "");
	put("home/.julia/environments/pyjuliapkg/pyjuliapkg/meta.json", "not json", 0644);
	check(READ("python3"), in_root("bin/julia"), NULL, "");
}

Test(python_command, without_a_julia_there_is_none)
{
	setenv("PATH", in_root("empty"), 1);
	cr_expect_null(READ("python3").julia);
}
