/* jicache key, status, inspect: the reports' JSON, laid out for people. */
#include "client/cli/cli.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));
	return text ? text : "";
}

static json_t *parsed(const struct jic_report *r)
{
	return json_loads(jic_report_json(r), 0, NULL);
}

static void print_list(const char *label, const json_t *list)
{
	size_t i;
	json_t *item;
	if (!json_array_size(list))
		return;
	printf("    %-12s", label);
	json_array_foreach(list, i, item) printf("%s%s", i ? ", " : "", json_string_value(item));
	printf("\n");
}

static void print_line(const char *label, const char *value)
{
	if (*value)
		printf("    %-12s%s\n", label, value);
}

/* ---- key */

static void show_node(const json_t *n)
{
	const char *state = text_of(n, "state");
	bool shared = strcmp(state, "shared") == 0;
	printf("%s%s%s (%s%s%s)\n", text_of(n, "name"), *text_of(n, "version") ? " " : "", text_of(n, "version"),
	       text_of(n, "kind"), shared ? "" : ", ", shared ? "" : state);
	print_line("key", text_of(n, "key"));
	print_line("uuid", text_of(n, "uuid"));
	print_line("source", text_of(n, "source"));
	print_line("build", text_of(n, "build"));
	print_line("preferences", text_of(n, "preferences"));
	print_list("needs", json_object_get(n, "deps"));
	print_list("extensions", json_object_get(n, "extensions"));
	print_line("not shared", text_of(n, "reason"));
}

static void show_key(const struct jic_report *r)
{
	json_t *o = parsed(r), *node;
	const json_t *runtime = json_object_get(o, "runtime");
	size_t i;
	printf("runtime   %s\n", text_of(runtime, "id"));
	printf("  flags   %s\n", *text_of(runtime, "flags") ? text_of(runtime, "flags") : "none");
	printf("  cpu     %s\n", *text_of(runtime, "cpu") ? text_of(runtime, "cpu") : "no native code");
	printf("  bundled %zu caches\n", json_array_size(json_object_get(runtime, "bundled")));
	printf("sysimage  %s\n", text_of(o, "sysimage"));
	printf("project   %s\n\n", *text_of(o, "project") ? text_of(o, "project") : "none");
	json_array_foreach(json_object_get(o, "nodes"), i, node) show_node(node);
	json_decref(o);
}

int jic_cmd_key(struct jic_cli *cli)
{
	return jic_cli_operate(cli, jic_session_key, show_key);
}

/* ---- status */

static void show_status(const struct jic_report *r)
{
	json_t *o = parsed(r), *node;
	size_t i;
	printf("%-32s %-8s %s\n", "package", "local", "server");
	json_array_foreach(json_object_get(o, "nodes"), i, node)
	{
		const json_t *server = json_object_get(node, "server"), *same = json_object_get(node, "same");
		const char *there = json_is_null(server) ? "?" : json_is_true(server) ? "yes" : "no";
		const char *signer = text_of(node, "signer");
		printf("%-32s %-8s %s%s%s\n", text_of(node, "name"),
		       json_is_true(json_object_get(node, "local")) ? "yes" : "no",
		       same && !json_is_true(same) ? "another build" : there, *signer ? ", signed by " : "", signer);
	}
	json_array_foreach(json_object_get(o, "skipped_packages"), i, node)
	    printf("%-32s not shared: %s\n", text_of(node, "name"), text_of(node, "reason"));
	json_array_foreach(json_object_get(o, "failed_packages"), i, node)
	    printf("%-32s no cache: %s\n", text_of(node, "name"), text_of(node, "reason"));
	json_decref(o);
}

int jic_cmd_status(struct jic_cli *cli)
{
	return jic_cli_operate(cli, jic_session_status, show_status);
}

/* ---- inspect */

static void show_modules(const char *label, const json_t *modules)
{
	size_t i;
	json_t *m;
	printf("%s (%zu)\n", label, json_array_size(modules));
	json_array_foreach(modules, i, m)
	    printf("    %-32s %-36s %s\n", text_of(m, "name"), text_of(m, "uuid"), text_of(m, "build_id"));
}

static void show_includes(const json_t *includes)
{
	size_t i;
	json_t *f;
	printf("files read (%zu)\n", json_array_size(includes));
	json_array_foreach(includes, i, f)
	{
		printf("    %s", text_of(f, "path"));
		if (json_object_get(f, "crc32c"))
			printf("  %lld bytes, crc32c %s", (long long)json_integer_value(json_object_get(f, "size")),
			       text_of(f, "crc32c"));
		printf("  mtime %.6f\n", json_number_value(json_object_get(f, "mtime")));
	}
}

static void show_header(const struct jic_report *r)
{
	json_t *o = parsed(r), *v;
	const char *key;
	json_object_foreach(o, key, v)
	{
		if (json_is_string(v) && strcmp(key, "command") != 0 && strcmp(key, "server") != 0)
			printf("%-20s %s\n", key, json_string_value(v));
		else if (json_is_integer(v))
			printf("%-20s %lld\n", key, (long long)json_integer_value(v));
		else if (json_is_boolean(v))
			printf("%-20s %s\n", key, json_is_true(v) ? "yes" : "no");
	}
	show_modules("provides", json_object_get(o, "modules"));
	show_includes(json_object_get(o, "includes"));
	show_modules("was compiled against", json_object_get(o, "required_modules"));
	printf("preferences read (%zu)\n", json_array_size(json_object_get(o, "preferences")));
	print_list("", json_object_get(o, "preferences"));
	json_decref(o);
}

JIC_DEFINE_AUTO(jic_report, jic_report_free)

int jic_cmd_inspect(struct jic_cli *cli)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_inspect(cli->options->positional[0], &err);
	if (!r)
		return jic_cli_fail(&err);
	if (!cli->json)
		show_header(r);
	jic_cli_tell(cli, r);
	return JIC_EXIT_DONE;
}
