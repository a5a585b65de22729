/*
 * jicache run -- COMMAND…: pull, the command with its exit status, push. Whatever goes wrong with the cache, the
 * command runs (rule 3), unless --require asked otherwise.
 */
#include "client/cli/child.h"
#include "client/cli/cli.h"
#include "client/cli/julia_command.h"

#include <string.h>
#include <sys/wait.h>

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

/* ---- around it */

/* A Julia on the command line is the Julia that will load, with the project and options that it is started with. */
static bool follow_julia(const char *const *argv, struct jic_arena *arena, struct jic_session_options *o)
{
	struct jic_julia_command command;
	if (!jic_julia_command_is(argv[0]))
		return true;
	if (!jic_julia_command_read(argv, arena, &command))
		return false;
	if (!o->julia)
		o->julia = argv[0];
	if (!o->julia_args && *command.args)
		o->julia_args = command.args;
	if (command.project)
		o->project = command.project;
	return true;
}

static struct jic_session *prepare(struct jic_cli *cli, const char *const *argv, struct jic_arena *arena,
                                   bool *complete)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	*complete = false;
	jic_cli_session_options(cli, &o);
	if (!follow_julia(argv, arena, &o))
		return NULL;
	struct jic_session *s = jic_session_open(&o, &err);
	if (!s) {
		jic_cli_warn(cli, err.text);
		return NULL;
	}
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_pull(s, &err);
	jic_progress_bar_end(&cli->bar);
	if (!r) {
		jic_cli_warn(cli, err.text);
		return s;
	}
	*complete = jic_report_counts(r)->missing == 0;
	jic_cli_tell(cli, r);
	return s;
}

static void publish(struct jic_cli *cli, struct jic_session *s)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_push_new(s, &err);
	jic_progress_bar_end(&cli->bar);
	if (!r)
		jic_cli_warn(cli, err.text);
	else if (jic_report_server(r) != JIC_SERVER_UNUSED)
		jic_cli_tell(cli, r);
}

static bool is_disabled(void)
{
	const char *off = getenv("JICACHE_DISABLE");
	return off && *off && strcmp(off, "0") != 0;
}

int jic_cmd_run(struct jic_cli *cli)
{
	const char *const *argv = cli->options->positional;
	struct jic_arena arena = {0};
	bool complete = true;
	int status;
	/* The report's JSON would mix with what the command prints. */
	cli->json = false;
	JIC_AUTO(jic_session) struct jic_session *s = is_disabled() ? NULL : prepare(cli, argv, &arena, &complete);
	jic_arena_clear(&arena);
	if (cli->require && !complete)
		return JIC_EXIT_MISSING;
	if (s && jic_session_depot_path(s))
		setenv("JULIA_DEPOT_PATH", jic_session_depot_path(s), 1);
	if (!jic_child_run(argv, &status))
		return status;
	if (WIFSIGNALED(status))
		return jic_child_die_of(WTERMSIG(status));
	if (s)
		publish(cli, s);
	return WEXITSTATUS(status);
}
