/* A `julia …` command line is read as Julia reads it: which project, and which options decide about caches. */
#include "client/cli/julia_command.h"

#include <criterion/criterion.h>

#define READ(...) read_command((const char *const[]){"julia", __VA_ARGS__, NULL})

static struct jic_arena arena;

static struct jic_julia_command read_command(const char *const *argv)
{
	struct jic_julia_command command;
	cr_assert(jic_julia_command_read(argv, &arena, &command));
	return command;
}

static void clear(void)
{
	jic_arena_clear(&arena);
}
TestSuite(julia_command, .fini = clear);

static void check(struct jic_julia_command got, const char *project, const char *args)
{
	if (project)
		cr_expect_str_eq(got.project, project);
	else
		cr_expect_null(got.project);
	cr_expect_str_eq(got.args, args);
}

Test(julia_command, julia_is_known_by_its_name)
{
	cr_expect(jic_julia_command_is("julia"));
	cr_expect(jic_julia_command_is("/opt/julia-1.11/bin/julia"));
	cr_expect(jic_julia_command_is("julia-1.10"));
	cr_expect_not(jic_julia_command_is("juliaup"));
	cr_expect_not(jic_julia_command_is("/opt/julia/python"));
	cr_expect_not(jic_julia_command_is("julia/run"));
}

Test(julia_command, a_plain_julia_has_neither_project_nor_options)
{
	check(read_command((const char *const[]){"julia", NULL}), NULL, "");
	check(READ("-i", "-q", "--banner=no"), NULL, "");
}

Test(julia_command, the_project_is_its_value_or_the_current_directorys)
{
	check(READ("--project=env"), "env", "");
	check(READ("--project"), "@.", "");
	check(READ("--project", "main.jl"), "@.", "");
	check(READ("--project=a", "--project=b"), "b", "");
}

Test(julia_command, options_that_decide_about_caches_are_kept)
{
	check(READ("--check-bounds=yes", "-O3", "-g2"), NULL, "'--check-bounds=yes' '-O3' '-g2'");
	check(READ("--check-bounds", "yes", "--inline=no"), NULL, "'--check-bounds' 'yes' '--inline=no'");
	check(READ("-J", "sys.so", "-Cgeneric"), NULL, "'-J' 'sys.so' '-Cgeneric'");
	check(READ("--code-coverage", "--optimize", "x.jl"), NULL, "'--code-coverage' '--optimize'");
}

Test(julia_command, a_value_is_not_taken_for_the_program)
{
	check(READ("-e", "x", "--project=p"), "p", "");
	check(READ("-t", "4", "-L", "a.jl", "--project=p"), "p", "");
	check(READ("--threads", "4", "--eval", "x", "-O1"), NULL, "'-O1'");
}

Test(julia_command, what_is_behind_the_program_is_not_julias)
{
	check(READ("main.jl", "--project=p", "-O3"), NULL, "");
	check(READ("-", "--project=p"), NULL, "");
	check(READ("--", "--project=p"), NULL, "");
	check(READ("-e", "1", "--", "--project=p"), NULL, "");
}

Test(julia_command, an_option_without_its_value_ends_the_line)
{
	check(READ("--project=p", "--sysimage"), "p", "'--sysimage'");
	check(READ("-J"), NULL, "'-J'");
	check(READ("-e"), NULL, "");
}

Test(julia_command, a_version_for_the_launcher_stays_in_front)
{
	check(READ("+1.10", "--project=p", "-O1"), "p", "'+1.10' '-O1'");
	check(READ("--project=p", "+1.10"), "p", "");
}

Test(julia_command, quotes_and_spaces_survive)
{
	check(READ("--sysimage=/a b/it's.so"), NULL, "'--sysimage=/a b/it'\\''s.so'");
}

static void check_script(struct jic_julia_command got, const char *script)
{
	if (script)
		cr_expect_str_eq(got.script, script);
	else
		cr_expect_null(got.script);
}

Test(julia_command, the_first_argument_is_the_program_file)
{
	check_script(READ("app.jl", "other.jl"), "app.jl");
	check_script(READ("-O3", "--project", "sub/app.jl", "-e"), "sub/app.jl");
	check_script(READ("-L", "first.jl", "--", "-app.jl"), "-app.jl");
}

Test(julia_command, code_on_the_command_line_and_standard_input_are_no_program_file)
{
	check_script(READ("-e", "1", "word"), NULL);
	check_script(READ("--eval=1", "word"), NULL);
	check_script(READ("-E1", "word"), NULL);
	check_script(READ("-m", "Module", "word"), NULL);
	check_script(READ("-"), NULL);
	check_script(READ("-i"), NULL);
}
