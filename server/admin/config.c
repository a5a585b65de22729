/* From the table to values: four sources, one parser for each kind, whatever the source. */
#include "server/admin/config.h"

#include "common/file.h"
#include "common/toml.h"

#include <ctype.h>

enum { CONFIG_FILE_BYTES_MAX = 1024 * 1024, VARIABLE_BYTES_MAX = 64 };

enum kind { KIND_TEXT, KIND_LIST, KIND_BOOL, KIND_COUNT, KIND_BYTES, KIND_SECONDS };

static const struct setting {
	enum kind kind;
	const char *key, *flag, *fallback;
	uint64_t min, max;
	const char *help;
} settings[] = {
#define JIC_CONFIG(name, kind, key, flag, fallback, min, max, value, help)                                             \
	{KIND_##kind, key, flag, fallback, min, max, help},
#include "server/tables/config.def"
#undef JIC_CONFIG
};

static const bool reloadable[JIC_CONFIG_COUNT] = {
#define JIC_RELOADABLE(name) [JIC_CONFIG_##name] = true,
#include "server/tables/reload.def"
#undef JIC_RELOADABLE
};

struct jic_setting jic_config_setting(enum jic_config_name name)
{
	static const char *const types[] = {
	    [KIND_TEXT] = "text",    [KIND_LIST] = "list",   [KIND_BOOL] = "boolean",
	    [KIND_COUNT] = "number", [KIND_BYTES] = "bytes", [KIND_SECONDS] = "seconds"};
	const struct setting *s = &settings[name];
	return (struct jic_setting){.key = s->key,
	                            .flag = s->flag,
	                            .type = types[s->kind],
	                            .fallback = s->fallback,
	                            .help = s->help,
	                            .min = s->min,
	                            .max = s->max,
	                            .reloadable = reloadable[name]};
}

static void variable_name(const char *key, char name[VARIABLE_BYTES_MAX])
{
	int used = snprintf(name, VARIABLE_BYTES_MAX, "JICACHED_%s", key);
	JIC_ASSERT(used > 0 && used < VARIABLE_BYTES_MAX);
	for (char *c = name; *c; c++)
		*c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

void jic_config_variable(enum jic_config_name name, struct jic_buf *out)
{
	char variable[VARIABLE_BYTES_MAX];
	variable_name(settings[name].key, variable);
	jic_buf_puts(out, variable);
}

void jic_config_source(const struct jic_config *c, enum jic_config_name name, struct jic_buf *out)
{
	switch (c->values[name].source) {
	case JIC_SOURCE_FLAG:
		jic_buf_printf(out, "flag --%s", settings[name].flag);
		return;
	case JIC_SOURCE_ENVIRONMENT:
		jic_buf_puts(out, "environment ");
		jic_config_variable(name, out);
		return;
	case JIC_SOURCE_FILE:
		jic_buf_printf(out, "%s:%u", c->file, c->values[name].line);
		return;
	case JIC_SOURCE_DEFAULT:
		break;
	}
	jic_buf_puts(out, "default");
}

/* ---- one value */

static bool parse_bool(const char *text, uint64_t *out)
{
	static const char *const words[] = {"false", "0", "no", "true", "1", "yes"};
	for (size_t i = 0; i < JIC_COUNT(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i >= JIC_COUNT(words) / 2;
			return true;
		}
	}
	return false;
}

static bool parse_number(const struct setting *s, const char *text, uint64_t *out)
{
	const struct jic_view view = jic_view_of(text);
	bool parsed = s->kind == KIND_BYTES     ? jic_parse_bytes(view, s->max, out)
	              : s->kind == KIND_SECONDS ? jic_parse_duration(view, s->max, out)
	                                        : jic_parse_u64(view, s->max, out);
	return parsed && *out >= s->min;
}

static bool fail_value(const struct jic_config *c, enum jic_config_name name, const char *what, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf where = {0};
	jic_config_source(c, name, &where);
	return jic_fail(err, JIC_EUSAGE, "%s: %s: %s, not \"%s\"", jic_buf_str(&where), settings[name].key, what,
	                c->values[name].text);
}

static bool interpret(struct jic_config *c, enum jic_config_name name, struct jic_error *err)
{
	const struct setting *s = &settings[name];
	struct jic_config_value *v = &c->values[name];
	char what[96];
	switch (s->kind) {
	case KIND_TEXT:
	case KIND_LIST:
		return *v->text || fail_value(c, name, "must not be empty", err);
	case KIND_BOOL:
		return parse_bool(v->text, &v->number) || fail_value(c, name, "must be true or false", err);
	case KIND_COUNT:
	case KIND_BYTES:
	case KIND_SECONDS:
		break;
	}
	snprintf(what, sizeof what, "must be from %llu to %llu%s", (unsigned long long)s->min,
	         (unsigned long long)s->max,
	         s->kind == KIND_BYTES     ? " bytes (k, M, G, T)"
	         : s->kind == KIND_SECONDS ? " seconds (s, m, h, d, w)"
	                                   : "");
	return parse_number(s, v->text, &v->number) || fail_value(c, name, what, err);
}

/* ---- the file */

static bool find_setting(struct jic_view key, enum jic_config_name *out)
{
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++) {
		if (jic_view_is(key, settings[i].key)) {
			*out = (enum jic_config_name)i;
			return true;
		}
	}
	return false;
}

/* Items that aren't strings, or that would be two, can't be told apart later: empty. */
static struct jic_view list_text(const struct jic_toml *list, struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
		if (!jic_toml_is_string(e) || e->string.len == 0 || memchr(e->string.ptr, ',', e->string.len))
			return JIC_VIEW("");
		if (text.len)
			jic_buf_putc(&text, ',');
		jic_buf_putv(&text, e->string);
	}
	arena->failed = arena->failed || text.failed;
	return jic_arena_copy(arena, jic_buf_view(&text));
}

/* The value as the text that a flag would have; empty for a type that no setting has. */
static struct jic_view value_text(const struct jic_toml *v, struct jic_arena *arena)
{
	switch (v->type) {
	case JIC_TOML_STRING:
		return jic_arena_copy(arena, v->string);
	case JIC_TOML_INTEGER:
		return jic_arena_printf(arena, "%lld", (long long)v->integer);
	case JIC_TOML_BOOLEAN:
		return v->boolean ? JIC_VIEW("true") : JIC_VIEW("false");
	case JIC_TOML_ARRAY:
		return list_text(v, arena);
	default:
		return JIC_VIEW("");
	}
}

static bool type_fits(enum kind kind, enum jic_toml_type type)
{
	switch (kind) {
	case KIND_TEXT:
		return type == JIC_TOML_STRING;
	case KIND_LIST:
		return type == JIC_TOML_STRING || type == JIC_TOML_ARRAY;
	case KIND_BOOL:
		return type == JIC_TOML_BOOLEAN;
	case KIND_COUNT:
		return type == JIC_TOML_INTEGER;
	case KIND_BYTES:
	case KIND_SECONDS:
		break;
	}
	return type == JIC_TOML_INTEGER || type == JIC_TOML_STRING;
}

static bool take_entry(struct jic_config *c, const struct jic_toml *entry, struct jic_view key, struct jic_arena *arena,
                       struct jic_error *err)
{
	enum jic_config_name name;
	/* Not settings but rules; read where they are needed: server/auth/certificate.h, issuer.h. */
	if (jic_view_is(key, "tls.clients") || jic_view_is(key, "oidc"))
		return true;
	if (!find_setting(key, &name))
		return jic_fail(err, JIC_EFORMAT, "%s:%u: unknown key \"" JIC_PRIv "\"", c->file, entry->line,
		                JIC_ARGv(key));
	if (!type_fits(settings[name].kind, entry->type))
		return jic_fail(err, JIC_EFORMAT, "%s:%u: %s has the wrong type", c->file, entry->line,
		                settings[name].key);
	struct jic_view text = value_text(entry, arena);
	if (text.len && memchr(text.ptr, '\0', text.len))
		return jic_fail(err, JIC_EFORMAT, "%s:%u: %s contains a NUL", c->file, entry->line, settings[name].key);
	c->values[name] = (struct jic_config_value){.text = text.ptr, .source = JIC_SOURCE_FILE, .line = entry->line};
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* Settings are at the top or one table deep. */
static bool take_table(struct jic_config *c, const struct jic_toml *table, struct jic_arena *arena,
                       struct jic_error *err)
{
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next) {
		struct jic_view key =
		    jic_arena_printf(arena, JIC_PRIv "." JIC_PRIv, JIC_ARGv(table->key), JIC_ARGv(e->key));
		if (!take_entry(c, e, key, arena, err))
			return false;
	}
	return true;
}

static bool take_file(struct jic_config *c, struct jic_arena *arena, struct jic_error *err)
{
	/* Strings of the tree may point into the text, but take_entry() copies what it keeps. */
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(c->file, CONFIG_FILE_BYTES_MAX, &text, err))
		return false;
	const struct jic_toml *root = jic_toml_parse(arena, jic_buf_view(&text), c->file, err);
	if (!root)
		return false;
	for (const struct jic_toml *e = jic_toml_first(root); e; e = e->next) {
		bool taken = jic_toml_is_table(e) ? take_table(c, e, arena, err) : take_entry(c, e, e->key, arena, err);
		if (!taken)
			return false;
	}
	return true;
}

/* ---- all of them */

static void take_defaults(struct jic_config *c)
{
	for (size_t i = 0; i < JIC_CONFIG_COUNT; i++)
		c->values[i] = (struct jic_config_value){.text = settings[i].fallback, .source = JIC_SOURCE_DEFAULT};
}

static void take_environment(struct jic_config *c, char *(*getenv_fn)(const char *name))
{
	for (size_t i = 0; i < JIC_CONFIG_COUNT; i++) {
		char variable[VARIABLE_BYTES_MAX];
		variable_name(settings[i].key, variable);
		const char *text = getenv_fn(variable);
		if (text)
			c->values[i] = (struct jic_config_value){.text = text, .source = JIC_SOURCE_ENVIRONMENT};
	}
}

static void take_flags(struct jic_config *c, const struct jic_options *options)
{
	for (size_t i = 0; i < JIC_CONFIG_COUNT; i++) {
		if (!jic_options_has(options, settings[i].flag))
			continue;
		/* A flag without a value switches something on. */
		const char *text = jic_options_text(options, settings[i].flag, NULL);
		c->values[i] = (struct jic_config_value){.text = text ? text : "true", .source = JIC_SOURCE_FLAG};
	}
}

static bool check_together(const struct jic_config *c, struct jic_error *err)
{
	if (jic_config_is(c, JIC_CONFIG_REQUIRE_TOKEN) && jic_config_is(c, JIC_CONFIG_ANONYMOUS_READ))
		return jic_fail(err, JIC_EUSAGE, "require_token and anonymous_read contradict each other");
	if (!jic_config_path(c, JIC_CONFIG_TLS_CERTIFICATE) != !jic_config_path(c, JIC_CONFIG_TLS_KEY))
		return jic_fail(err, JIC_EUSAGE, "tls.certificate and tls.key need each other");
	if (jic_config_path(c, JIC_CONFIG_TLS_CLIENT_CA) && !jic_config_path(c, JIC_CONFIG_TLS_CERTIFICATE))
		return jic_fail(err, JIC_EUSAGE, "tls.client_ca needs tls.certificate");
	if (jic_config_path(c, JIC_CONFIG_TLS_CLIENT_CRL) && !jic_config_path(c, JIC_CONFIG_TLS_CLIENT_CA))
		return jic_fail(err, JIC_EUSAGE, "tls.client_crl needs tls.client_ca");
	return true;
}

bool jic_config_load(const struct jic_options *options, char *(*getenv_fn)(const char *name), struct jic_arena *arena,
                     struct jic_config *out, struct jic_error *err)
{
	out->file = jic_options_text(options, "config", getenv_fn("JICACHED_CONFIG"));
	take_defaults(out);
	if (out->file && !take_file(out, arena, err))
		return false;
	take_environment(out, getenv_fn);
	take_flags(out, options);
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++)
		if (!interpret(out, (enum jic_config_name)i, err))
			return false;
	return check_together(out, err);
}

/* A basic string of TOML. What TOML can't carry doesn't matter: this is for people. */
static void put_string(const char *text, struct jic_buf *out)
{
	jic_buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			jic_buf_putc(out, '\\');
		jic_buf_putc(out, *text);
	}
	jic_buf_putc(out, '"');
}

void jic_config_value_put(const struct jic_config *c, enum jic_config_name name, struct jic_buf *out)
{
	const struct jic_config_value *v = &c->values[name];
	if (settings[name].kind == KIND_BOOL)
		jic_buf_puts(out, v->number ? "true" : "false");
	else if (settings[name].kind == KIND_TEXT || settings[name].kind == KIND_LIST)
		put_string(v->text, out);
	else
		jic_buf_printf(out, "%llu", (unsigned long long)v->number);
}

void jic_config_print(const struct jic_config *c, struct jic_buf *out)
{
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++) {
		jic_buf_printf(out, "%s = ", settings[i].key);
		jic_config_value_put(c, (enum jic_config_name)i, out);
		jic_buf_puts(out, "  # ");
		jic_config_source(c, (enum jic_config_name)i, out);
		jic_buf_putc(out, '\n');
	}
}
