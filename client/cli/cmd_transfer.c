/* jicache pull, jicache push: one operation each, told by its summary. */
#include "client/cli/cli.h"

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

/* What JICache asks for after Pkg.precompile(), where it can't have the library in its process. */
static struct jic_report *pull_compiled(struct jic_session *s, struct jic_error *err)
{
	return jic_session_note_failed(s, err) ? jic_session_pull(s, err) : NULL;
}

int jic_cmd_pull(struct jic_cli *cli)
{
	const bool compiled = jic_options_has(cli->options, "compiled");
	return jic_cli_operate(cli, compiled ? pull_compiled : jic_session_pull, NULL);
}

static int push_if_changed(struct jic_cli *cli, const char *state)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&o, &err);
	JIC_AUTO(jic_report) struct jic_report *r = s ? jic_session_push_changed(s, state, &err) : NULL;
	jic_progress_bar_end(&cli->bar);
	if (!r)
		return jic_cli_fail(&err);
	jic_cli_tell(cli, r);
	return cli->require && jic_report_server(r) == JIC_SERVER_AWAY ? JIC_EXIT_MISSING : JIC_EXIT_DONE;
}

int jic_cmd_push(struct jic_cli *cli)
{
	const char *state = jic_options_text(cli->options, "if-changed", NULL);
	return state ? push_if_changed(cli, state) : jic_cli_operate(cli, jic_session_push, NULL);
}
