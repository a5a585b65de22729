/* Results go to stdout, everything else to stderr; the summary line comes always, the bar only on a terminal. */
#include "client/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool jic_cli_is_disabled(void)
{
	const char *off = getenv("JICACHE_DISABLE");
	return off && *off && strcmp(off, "0") != 0;
}

void jic_cli_session_options(struct jic_cli *cli, struct jic_session_options *o)
{
	const struct jic_options *given = cli->options;
	*o = (struct jic_session_options){
	    .url = jic_options_text(given, "url", NULL),
	    .token = jic_options_text(given, "token", NULL),
	    .lane = jic_options_text(given, "lane", NULL),
	    .project = jic_options_text(given, "project", NULL),
	    .julia = jic_options_text(given, "julia", NULL),
	    .julia_args = jic_options_text(given, "julia-args", NULL),
	    .depot = jic_options_text(given, "depot", NULL),
	    .target = jic_options_text(given, "target", NULL),
	    .script = jic_options_text(given, "script", NULL),
	    .ca_file = jic_options_text(given, "ca-file", NULL),
	    .client_certificate = jic_options_text(given, "client-certificate", NULL),
	    .client_key = jic_options_text(given, "client-key", NULL),
	};
	if (!cli->quiet && jic_progress_bar_start(&cli->bar)) {
		o->progress = jic_progress_bar_show;
		o->progress_context = &cli->bar;
	}
}

int jic_cli_fail(const struct jic_error *err)
{
	fprintf(stderr, "jicache: %s\n", err->text);
	return err->code == JIC_EUSAGE ? JIC_EXIT_USAGE : JIC_EXIT_FAILED;
}

void jic_cli_warn(const struct jic_cli *cli, const char *text)
{
	if (!cli->quiet)
		fprintf(stderr, "jicache: warning: %s\n", text);
}

void jic_cli_tell(struct jic_cli *cli, const struct jic_report *report)
{
	const char *warning;
	jic_progress_bar_end(&cli->bar);
	for (size_t i = 0; (warning = jic_report_warning(report, i)); i++)
		jic_cli_warn(cli, warning);
	if (!cli->quiet)
		fprintf(stderr, "jicache: %s\n", jic_report_summary(report));
	if (cli->json)
		printf("%s\n", jic_report_json(report));
}

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

int jic_cli_operate(struct jic_cli *cli, jic_operation_fn *operation, void (*show)(const struct jic_report *report))
{
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&o, &err);
	if (!s)
		return jic_cli_fail(&err);
	JIC_AUTO(jic_report) struct jic_report *r = operation(s, &err);
	jic_progress_bar_end(&cli->bar);
	if (!r)
		return jic_cli_fail(&err);
	if (show && !cli->json)
		show(r);
	jic_cli_tell(cli, r);
	bool incomplete = jic_report_counts(r)->missing || jic_report_server(r) == JIC_SERVER_AWAY;
	return cli->require && incomplete ? JIC_EXIT_MISSING : JIC_EXIT_DONE;
}
