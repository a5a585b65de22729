/* jicache why: what missed, grouped by cause; for one package the whole story. */
#include "client/cli/cli.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

enum { LINE_COLUMNS = 100, INDENT = 4 };

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));
	return text ? text : "";
}

static void print_remedy(const json_t *o)
{
	if (*text_of(o, "remedy"))
		printf("%*sto hit: %s\n", INDENT, "", text_of(o, "remedy"));
}

/* Names, as many on a line as fit. */
static void print_names(const json_t *names)
{
	size_t i, column = 0;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		size_t width = json_string_length(name) + 2;
		if (column == 0 || column + width > LINE_COLUMNS) {
			printf("%s%*s", column ? ",\n" : "", INDENT, "");
			column = INDENT;
		} else {
			printf(", ");
		}
		printf("%s", json_string_value(name));
		column += width;
	}
	printf("\n");
}

static void print_nearest(const json_t *nearest)
{
	char when[32] = "";
	time_t published = (time_t)json_integer_value(json_object_get(nearest, "published_s"));
	struct tm utc;
	if (!json_is_object(nearest))
		return;
	if (gmtime_r(&published, &utc))
		strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &utc);
	const char *version = text_of(nearest, "version"), *user = text_of(nearest, "user"),
		   *host = text_of(nearest, "host");
	printf("%*snearest: %s%spublished %s%s%s%s%s into %s%s%s\n", INDENT, "", version, *version ? ", " : "", when,
	       *host ? " by " : "", user, *user && *host ? "@" : "", host, text_of(nearest, "lane"),
	       *text_of(nearest, "run") ? ", " : "", text_of(nearest, "run"));
}

static void print_missed(const json_t *missed)
{
	printf("%s\n", text_of(missed, "text"));
	print_remedy(missed);
	print_nearest(json_object_get(missed, "nearest"));
}

static const json_t *find_missed(const json_t *report, const char *name)
{
	size_t i;
	json_t *missed;
	json_array_foreach(json_object_get(report, "missed"), i, missed)
	{
		if (strcmp(text_of(missed, "name"), name) == 0)
			return missed;
	}
	return NULL;
}

static void print_cause(const json_t *report, const json_t *cause)
{
	const json_t *names = json_object_get(cause, "packages");
	const json_t *only =
	    json_array_size(names) == 1 ? find_missed(report, json_string_value(json_array_get(names, 0))) : NULL;
	if (only) {
		printf("%s\n", text_of(only, "text"));
		print_remedy(only);
		return;
	}
	printf("%zu packages miss because %s\n", json_array_size(names), text_of(cause, "text"));
	print_names(names);
	print_remedy(cause);
}

static void print_no_miss(const json_t *report)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(report, "no_miss"), i, item)
	    printf("%s %s\n", text_of(item, "name"), text_of(item, "reason"));
}

static void show_all(const struct jic_report *r)
{
	size_t i;
	json_t *report = json_loads(jic_report_json(r), 0, NULL), *cause;
	json_array_foreach(json_object_get(report, "causes"), i, cause) print_cause(report, cause);
	print_no_miss(report);
	json_decref(report);
}

static void show_one(const struct jic_report *r)
{
	size_t i;
	json_t *report = json_loads(jic_report_json(r), 0, NULL), *item;
	json_array_foreach(json_object_get(report, "missed"), i, item) print_missed(item);
	print_no_miss(report);
	json_decref(report);
}

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

int jic_cmd_why(struct jic_cli *cli)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	const char *package = cli->options->positional_count ? cli->options->positional[0] : NULL;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&o, &err);
	if (!s)
		return jic_cli_fail(&err);
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_why(s, package, &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		(package ? show_one : show_all)(r);
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}
