/* jicache ls, gc, where, verify: what lies on this machine, laid out for people. */
#include "client/cli/cli.h"

#include <jansson.h>
#include <string.h>

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

enum { SECONDS_MAX = 100 * 366 * 24 * 3600u };

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));
	return text ? text : "";
}

static long long number_of(const json_t *o, const char *field)
{
	return (long long)json_integer_value(json_object_get(o, field));
}

static bool is_true(const json_t *o, const char *field)
{
	return json_is_true(json_object_get(o, field));
}

static json_t *parsed(const struct jic_report *r)
{
	return json_loads(jic_report_json(r), 0, NULL);
}

static const char *bytes_text(long long bytes, char text[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 999.5 && unit + 1 < JIC_COUNT(units); unit++)
		value /= 1000;
	snprintf(text, 32, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static const char *duration_text(long long seconds, char text[32])
{
	if (seconds < 120)
		snprintf(text, 32, "%lld s", seconds < 0 ? 0 : seconds);
	else if (seconds < 2 * 3600)
		snprintf(text, 32, "%lld min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(text, 32, "%lld h", seconds / 3600);
	else
		snprintf(text, 32, "%lld days", seconds / 86400);
	return text;
}

static struct jic_session *open_session(struct jic_cli *cli)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	struct jic_session *s = jic_session_open(&o, &err);
	if (!s)
		jic_cli_fail(&err);
	return s;
}

/* ---- ls */

static void print_environments(const json_t *list)
{
	size_t i;
	json_t *e;
	json_array_foreach(list, i, e)
	{
		const char *project = text_of(e, "project"), *args = text_of(e, "julia_args");
		printf("    for %s (Julia %s%s%s)\n", *project ? project : "no project", text_of(e, "julia"),
		       *args ? " " : "", args);
	}
	if (!json_array_size(list))
		printf("    for no known environment\n");
}

static void print_cache(const json_t *c)
{
	char bytes[32], age[32], unused[32];
	const bool read = strcmp(text_of(c, "kind"), "cache") == 0;
	printf("%s%s%s", text_of(c, "package"), *text_of(c, "version") ? " " : "", text_of(c, "version"));
	if (read)
		printf(", Julia %s, %s%s%s%s", text_of(c, "julia"), text_of(c, "options"),
		       *text_of(c, "options") ? ", " : "", *text_of(c, "cpu") ? text_of(c, "cpu") : "no native code",
		       is_true(c, "image_missing") ? " (its image is missing)" : "");
	else
		printf(", %s", text_of(c, "kind"));
	printf(", %s", bytes_text(number_of(c, "bytes"), bytes));
	if (json_object_get(c, "age_seconds"))
		printf(", %s old", duration_text(number_of(c, "age_seconds"), age));
	printf(", used %s ago, %s\n", duration_text(number_of(c, "unused_seconds"), unused),
	       is_true(c, "ours") ? "from jicache" : "compiled here");
	printf("    %s\n", text_of(c, "file"));
	if (read)
		print_environments(json_object_get(c, "environments"));
}

static void show_list(const struct jic_report *r)
{
	json_t *o = parsed(r), *c;
	size_t i;
	json_array_foreach(json_object_get(o, "caches"), i, c) print_cache(c);
	json_decref(o);
}

int jic_cmd_ls(struct jic_cli *cli)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_session) struct jic_session *s = open_session(cli);
	if (!s)
		return JIC_EXIT_FAILED;
	JIC_AUTO(jic_report)
	struct jic_report *r = jic_session_list(s, jic_options_has(cli->options, "all"), &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_list(r);
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}

/* ---- verify */

static void show_verdicts(const struct jic_report *r)
{
	json_t *o = parsed(r), *f;
	size_t i;
	json_array_foreach(json_object_get(o, "files"), i, f)
	{
		if (is_true(f, "accepted"))
			continue;
		printf("%s: %s\n    %s\n    %s\n", text_of(f, "name"), text_of(f, "reason"), text_of(f, "detail"),
		       text_of(f, "file"));
	}
	json_array_foreach(json_object_get(o, "missing_packages"), i, f)
	    printf("%s: no file that Julia would load\n", json_string_value(f));
	json_decref(o);
}

/* Files that are out of date are ordinary; damaged ones are not. */
int jic_cmd_verify(struct jic_cli *cli)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_session) struct jic_session *s = open_session(cli);
	if (!s)
		return JIC_EXIT_FAILED;
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_verify(s, &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_verdicts(r);
	jic_cli_tell(cli, r);
	return jic_report_counts(r)->refused ? JIC_EXIT_FAILED : JIC_EXIT_DONE;
}

/* ---- gc */

static void print_files(const json_t *files)
{
	size_t i;
	json_t *f;
	char bytes[32];
	json_array_foreach(files, i, f)
	    printf("%s (%s): %s\n", text_of(f, "file"), bytes_text(number_of(f, "bytes"), bytes), text_of(f, "reason"));
}

static void show_collection(const struct jic_report *r)
{
	json_t *o = parsed(r), *v;
	const char *reason;
	size_t i;
	char bytes[32];
	json_array_foreach(json_object_get(o, "forgotten"), i, v)
	    printf("%s is gone: forgotten\n", json_string_value(v));
	printf("%s", json_array_size(json_object_get(o, "removed"))
	                 ? is_true(o, "dry_run") ? "would remove:\n" : "removed:\n"
	                 : "");
	print_files(json_object_get(o, "removed"));
	if (json_array_size(json_object_get(o, "not_removed")))
		printf("could not be removed:\n");
	print_files(json_object_get(o, "not_removed"));
	json_object_foreach(json_object_get(o, "kept"), reason, v) printf(
	    "kept %lld files (%s): %s\n", number_of(v, "files"), bytes_text(number_of(v, "bytes"), bytes), reason);
	json_decref(o);
}

static bool read_limits(const struct jic_cli *cli, struct jic_gc_options *out, struct jic_error *err)
{
	const char *age = jic_options_text(cli->options, "older-than", NULL);
	const char *size = jic_options_text(cli->options, "max-size", NULL);
	if (age && !jic_parse_duration(jic_view_of(age), SECONDS_MAX, &out->older_than_s))
		return jic_fail(err, JIC_EUSAGE, "--older-than takes a duration such as 12h, 30d or 8w, not \"%s\"",
		                age);
	if (size && (!jic_parse_bytes(jic_view_of(size), UINT64_MAX, &out->bytes_max) || !out->bytes_max))
		return jic_fail(err, JIC_EUSAGE, "--max-size takes a size such as 500M or 10G, not \"%s\"", size);
	return true;
}

int jic_cmd_gc(struct jic_cli *cli)
{
	struct jic_error err = {0};
	struct jic_gc_options limits = {.julia = jic_options_has(cli->options, "julia-own"),
	                                .dry_run = jic_options_has(cli->options, "dry-run")};
	if (!read_limits(cli, &limits, &err)) {
		jic_cli_fail(&err);
		return JIC_EXIT_USAGE;
	}
	JIC_AUTO(jic_session) struct jic_session *s = open_session(cli);
	if (!s)
		return JIC_EXIT_FAILED;
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_gc(s, &limits, &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_collection(r);
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}

/* ---- where */

static void print_places(const json_t *places)
{
	size_t i;
	json_t *p;
	char bytes[32];
	json_array_foreach(places, i, p)
	    printf("    %s: %s, %lld file%s, %s\n", text_of(p, "path"), text_of(p, "what"), number_of(p, "files"),
	           number_of(p, "files") == 1 ? "" : "s", bytes_text(number_of(p, "bytes"), bytes));
}

static void print_names(const char *label, const json_t *names)
{
	size_t i;
	json_t *name;
	printf("%s\n", label);
	json_array_foreach(names, i, name) printf("    %s\n", json_string_value(name));
}

static void show_places(const struct jic_report *r)
{
	json_t *o = parsed(r);
	const json_t *config = json_object_get(o, "config");
	printf("settings: %s%s\n", text_of(config, "path"), is_true(config, "exists") ? "" : " (not there)");
	printf("memory: %s\n", text_of(o, "memory_dir"));
	print_places(json_object_get(o, "memory"));
	print_names("depots that are looked into", json_object_get(o, "depots"));
	printf("placed in them\n");
	print_places(json_object_get(o, "placed"));
	print_names("locks", json_object_get(o, "locks"));
	json_decref(o);
}

int jic_cmd_where(struct jic_cli *cli)
{
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_report) struct jic_report *r = jic_where(&o, &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_places(r);
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}
