/*
 * jicache run -- COMMAND…: pull, the command with its exit status, push. Whatever goes wrong with the cache, the
 * command runs (rule 3), unless --require asked otherwise.
 *
 * The push sees the environment as the command left it: in a session of its own, which is asked whether anything is
 * other than before.
 */
#include "client/cli/child.h"
#include "client/cli/cli.h"
#include "client/cli/julia_command.h"
#include "client/cli/program.h"
#include "client/cli/python_command.h"

#include <string.h>
#include <sys/wait.h>

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

/* ---- around it */

struct run {
	struct jic_cli *cli;
	const char **argv; /* the command; its program may be replaced */
	struct jic_arena arena;
	struct jic_session_options options;
	const char *state;      /* before the command; NULL: nothing is to be published */
	const char *depot_path; /* JULIA_DEPOT_PATH for the command; NULL: as it is */
	bool complete;
};

/* A Julia on the command line is the Julia that will load, with the project and options that it is started with. */
static bool follow_julia(struct run *r)
{
	struct jic_julia_command command;
	jic_autofree char *real = jic_program_find(r->argv[0]);
	if (!jic_julia_command_read(r->argv, &r->arena, &command))
		return false;
	/* Not the masquerade, which would do all this again. */
	if (real)
		r->argv[0] = jic_arena_copy(&r->arena, jic_view_of(real)).ptr;
	if (!r->options.julia)
		r->options.julia = r->argv[0];
	if (!r->options.julia_args && *command.args)
		r->options.julia_args = command.args;
	if (command.project)
		r->options.project = command.project;
	if (!r->options.script)
		r->options.script = command.script;
	return !r->arena.failed;
}

/* The Julia that a Python program would embed, unless the command line says which. */
static bool follow_python(struct run *r)
{
	struct jic_python_command command;
	if (!jic_python_command_read(r->argv, &r->arena, &command))
		return false;
	if (!r->options.julia)
		r->options.julia = command.julia;
	if (!r->options.julia_args && *command.args)
		r->options.julia_args = command.args;
	if (!r->options.project)
		r->options.project = command.project;
	return true;
}

static bool follow_command(struct run *r)
{
	if (jic_julia_command_is(r->argv[0]))
		return follow_julia(r);
	return !jic_python_command_is(r->argv[0]) || follow_python(r);
}

static bool copy_command(struct run *r, const char *const *argv)
{
	size_t count = 0;
	while (argv[count])
		count++;
	r->argv = jic_arena_array(&r->arena, count + 1, sizeof *r->argv);
	for (size_t i = 0; r->argv && i < count; i++)
		r->argv[i] = argv[i];
	return r->argv != NULL;
}

/* ---- before and after */

static void pull(struct run *r)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&r->options, &err);
	JIC_AUTO(jic_report) struct jic_report *report = s ? jic_session_pull(s, &err) : NULL;
	jic_progress_bar_end(&r->cli->bar);
	if (s && jic_session_depot_path(s))
		r->depot_path = jic_arena_copy(&r->arena, jic_view_of(jic_session_depot_path(s))).ptr;
	if (!report) {
		jic_cli_warn(r->cli, err.text);
		/* The command may be what makes the project. */
		r->state = !s && err.code == JIC_ENOTFOUND ? "none" : NULL;
		return;
	}
	r->complete = jic_report_counts(report)->missing == 0;
	jic_cli_tell(r->cli, report);
	const char *state = jic_session_can_publish(s) ? jic_session_state(s, NULL) : NULL;
	r->state = state ? jic_arena_copy(&r->arena, jic_view_of(state)).ptr : NULL;
}

static void publish(struct run *r)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&r->options, &err);
	JIC_AUTO(jic_report) struct jic_report *report = s ? jic_session_push_changed(s, r->state, &err) : NULL;
	jic_progress_bar_end(&r->cli->bar);
	if (!report)
		jic_cli_warn(r->cli, err.text);
	else if (jic_report_server(report) != JIC_SERVER_UNUSED)
		jic_cli_tell(r->cli, report);
}

static int run(struct run *r)
{
	int status;
	bool disabled = jic_cli_is_disabled();
	jic_cli_session_options(r->cli, &r->options);
	if (!disabled && follow_command(r))
		pull(r);
	if (r->cli->require && !r->complete && !disabled)
		return JIC_EXIT_MISSING;
	if (!jic_child_run(r->argv, r->depot_path, &status, NULL))
		return status;
	if (WIFSIGNALED(status))
		return jic_child_die_of(WTERMSIG(status));
	if (r->state)
		publish(r);
	return WEXITSTATUS(status);
}

int jic_cmd_run(struct jic_cli *cli)
{
	struct run r = {.cli = cli};
	/* The report's JSON would mix with what the command prints. */
	cli->json = false;
	int status = JIC_EXIT_FAILED;
	if (copy_command(&r, cli->options->positional))
		status = run(&r);
	jic_arena_clear(&r.arena);
	return status;
}
