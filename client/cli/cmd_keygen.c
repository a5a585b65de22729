/* jicache keygen: the public key on stdout, ready to be pasted; where the private one is, on stderr. */
#include "client/cli/cli.h"

#include <jansson.h>

JIC_DEFINE_AUTO(jic_report, jic_report_free)

int jic_cmd_keygen(struct jic_cli *cli)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_report)
	struct jic_report *r =
	    jic_keygen(jic_options_text(cli->options, "out", NULL), jic_options_text(cli->options, "name", NULL), &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json) {
		json_t *report = json_loads(jic_report_json(r), 0, NULL);
		printf("%s\n", json_string_value(json_object_get(report, "public_key")));
		json_decref(report);
	}
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}
