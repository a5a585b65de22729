/* jicache doctor: findings, what is wrong last, so that it is seen. */
#include "client/cli/cli.h"

#include <jansson.h>
#include <string.h>

JIC_DEFINE_AUTO(jic_report, jic_report_free)

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));
	return text ? text : "";
}

static void print_level(const json_t *findings, const char *level)
{
	size_t i;
	json_t *f;
	json_array_foreach(findings, i, f)
	{
		if (strcmp(text_of(f, "level"), level) != 0)
			continue;
		printf("%-7s %s\n", level, text_of(f, "text"));
		if (*text_of(f, "remedy"))
			printf("        → %s\n", text_of(f, "remedy"));
	}
}

static void show_findings(const struct jic_report *r)
{
	static const char *const levels[] = {"fine", "advice", "wrong"};
	json_t *o = json_loads(jic_report_json(r), 0, NULL);
	for (size_t i = 0; i < JIC_COUNT(levels); i++)
		print_level(json_object_get(o, "findings"), levels[i]);
	json_decref(o);
}

int jic_cmd_doctor(struct jic_cli *cli)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_report) struct jic_report *r = jic_doctor(&o, &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_findings(r);
	jic_cli_tell(cli, r);
	return jic_report_counts(r)->refused ? JIC_EXIT_FAILED : JIC_EXIT_DONE;
}
