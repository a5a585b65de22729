/* jicached config show|check|reference, and jicached.toml(5): the settings, before a server is started or reloaded with
 * them. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "common/manual.h"

/* ---- show */

static void setting_json(struct jic_json_writer *w, const struct jic_config *c, enum jic_config_name name)
{
	static const char *const sources[] = {[JIC_SOURCE_DEFAULT] = "default",
	                                      [JIC_SOURCE_FILE] = "file",
	                                      [JIC_SOURCE_ENVIRONMENT] = "environment",
	                                      [JIC_SOURCE_FLAG] = "option"};
	const struct jic_setting setting = jic_config_setting(name);
	const struct jic_config_value *v = &c->values[name];
	JIC_CLEAR(jic_buf) struct jic_buf where = {0};
	jic_config_source(c, name, &where);
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "key", jic_view_of(setting.key));
	jic_json_put_text(w, "type", jic_view_of(setting.type));
	if (strcmp(setting.type, "boolean") == 0)
		jic_json_put_bool(w, "value", v->number != 0);
	else if (strcmp(setting.type, "text") == 0 || strcmp(setting.type, "list") == 0)
		jic_json_put_text(w, "value", jic_view_of(v->text));
	else
		jic_json_put_u64(w, "value", v->number);
	jic_json_put_text(w, "default", jic_view_of(setting.fallback));
	jic_json_put_text(w, "origin", jic_view_of(sources[v->source]));
	jic_json_put_text(w, "where", jic_buf_view(&where));
	jic_json_put_bool(w, "reloadable", setting.reloadable);
	jic_json_close(w, '}');
}

bool jic_cmd_config_show(const struct jic_admin *a, struct jic_error *err)
{
	if (!jic_options_has(a->options, "json")) {
		jic_config_print(a->config, a->out);
		return jic_buf_ok(a->out, err);
	}
	struct jic_json_writer w = {.out = a->out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	if (a->config->file)
		jic_json_put_text(&w, "file", jic_view_of(a->config->file));
	jic_json_open(&w, "settings", '[');
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++)
		setting_json(&w, a->config, (enum jic_config_name)i);
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

/* ---- check */

bool jic_cmd_config_check(const struct jic_admin *a, struct jic_error *err)
{
	unsigned set = 0;
	if (!jic_serve_check(a, err))
		return false;
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++)
		set += a->config->values[i].source != JIC_SOURCE_DEFAULT;
	if (jic_options_has(a->options, "json")) {
		struct jic_json_writer w = {.out = a->out, .lossy = true};
		jic_json_open(&w, NULL, '{');
		if (a->config->file)
			jic_json_put_text(&w, "file", jic_view_of(a->config->file));
		jic_json_put_u64(&w, "settings", JIC_CONFIG_COUNT);
		jic_json_put_u64(&w, "set", set);
		jic_json_close(&w, '}');
		jic_buf_putc(a->out, '\n');
		return jic_json_finish(&w, err);
	}
	jic_buf_printf(a->out, "%s: %u of %u settings are not the default\n",
	               a->config->file ? a->config->file : "no file", set, (unsigned)JIC_CONFIG_COUNT);
	return jic_buf_ok(a->out, err);
}

/* ---- reference */

static void put_cell(const char *text, struct jic_buf *out)
{
	for (; *text; text++) {
		if (*text == '|')
			jic_buf_putc(out, '\\');
		jic_buf_putc(out, *text);
	}
}

bool jic_cmd_config_reference(const struct jic_admin *a, struct jic_error *err)
{
	jic_buf_puts(a->out, "| key | flag | default | what it is | reload |\n| --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++) {
		const struct jic_setting s = jic_config_setting((enum jic_config_name)i);
		jic_buf_printf(a->out, "| `%s` | `--%s` | `%s` | ", s.key, s.flag, s.fallback);
		put_cell(s.help, a->out);
		jic_buf_printf(a->out, " | %s |\n", s.reloadable ? "yes" : "");
	}
	return jic_buf_ok(a->out, err);
}

static void manual_setting(const struct jic_setting *s, enum jic_config_name name, struct jic_buf *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf variable = {0};
	jic_config_variable(name, &variable);
	jic_buf_printf(out, ".It Ic %s Pq %s\n", s->key, s->type);
	jic_manual_text(s->help, out);
	jic_buf_printf(out, ".Pp\nDefault:\n.Li %s ;\noption\n.Fl Fl %s ;\nvariable\n.Ev %s%s\n", s->fallback, s->flag,
	               jic_buf_str(&variable), s->reloadable ? " ;\nchanged by a reload." : " .");
}

bool jic_config_manual(struct jic_buf *out, struct jic_error *err)
{
	jic_manual_title("jicached.toml", 5, out);
	jic_buf_puts(out, ".Sh NAME\n.Nm jicached.toml\n.Nd settings of jicached\n.Sh DESCRIPTION\n");
	jic_manual_text("The file that --config or JICACHED_CONFIG names, in TOML. A key with a dot is in a table: "
	                "limits.threads is threads below [limits]. Unknown keys, wrong types and values out of range "
	                "are errors that name file and line. Bytes are numbers or text with k, M, G, T (powers of "
	                "1024), seconds are numbers or text with s, m, h, d, w. An option wins over a variable, a "
	                "variable over the file, the file over the default.\n\nThe settings are:",
	                out);
	jic_buf_puts(out, ".Bl -tag -width Ds\n");
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++) {
		const struct jic_setting s = jic_config_setting((enum jic_config_name)i);
		manual_setting(&s, (enum jic_config_name)i, out);
	}
	jic_buf_puts(out, ".El\n");
	return jic_buf_ok(out, err);
}
