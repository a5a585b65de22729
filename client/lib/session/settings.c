/* Settings: four sources, one order. A file that can't be understood is an error, so that a typo is seen. */
#include "client/lib/session/settings.h"

#include "common/file.h"
#include "common/message.h"
#include "common/toml.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024 };

struct setting {
	const char *key, *variable, *fallback;
};
static const struct setting setting_url = {"url", "JICACHE_URL", JIC_URL_DEFAULT};
static const struct setting setting_token = {"token", "JICACHE_TOKEN", ""};
static const struct setting setting_token_file = {"token_file", "JICACHE_TOKEN_FILE", ""};
static const struct setting setting_oidc_audience = {"oidc_audience", "JICACHE_OIDC_AUDIENCE", ""};
static const struct setting setting_lane = {"lane", "JICACHE_LANE", ""};
static const struct setting setting_ca_file = {"ca_file", "JICACHE_CA_FILE", ""};
static const struct setting setting_client_certificate = {"client_certificate", "JICACHE_CLIENT_CERTIFICATE", ""};
static const struct setting setting_client_key = {"client_key", "JICACHE_CLIENT_KEY", ""};
static const struct setting setting_signing_key = {"signing_key", "JICACHE_SIGNING_KEY", ""};
static const struct setting setting_trusted_keys = {"trusted_keys", "JICACHE_TRUSTED_KEYS", ""};

/* $VARIABLE/jicache/leaf, else ~/fallback/jicache/leaf; the XDG base directory specification ignores relative values.
 */
static const char *xdg_path(struct jic_arena *arena, const char *variable, const char *fallback, const char *leaf)
{
	const char *base = getenv(variable);
	if (base && base[0] == '/')
		return jic_arena_printf(arena, "%s/jicache%s", base, leaf).ptr;
	const char *home = getenv("HOME");
	return jic_arena_printf(arena, "%s/%s/jicache%s", home ? home : "", fallback, leaf).ptr;
}

static bool check_keys(const struct jic_toml *root, const char *path, struct jic_error *err)
{
	static const struct setting *const known[] = {
	    &setting_url,         &setting_token,       &setting_token_file,         &setting_oidc_audience,
	    &setting_lane,        &setting_ca_file,     &setting_client_certificate, &setting_client_key,
	    &setting_signing_key, &setting_trusted_keys};
	for (const struct jic_toml *e = jic_toml_first(root); e; e = e->next) {
		size_t i = 0;
		while (i < JIC_COUNT(known) && !jic_view_is(e->key, known[i]->key))
			i++;
		if (i == JIC_COUNT(known))
			return jic_fail(err, JIC_EFORMAT,
			                "%s:%u: unknown setting \"" JIC_PRIv
			                "\" (known: url, token, token_file, oidc_audience, lane, ca_file, "
			                "client_certificate, client_key, "
			                "signing_key, trusted_keys)",
			                path, e->line, JIC_ARGv(e->key));
		if (known[i] == &setting_trusted_keys && e->type == JIC_TOML_ARRAY)
			continue;
		if (e->type != JIC_TOML_STRING)
			return jic_fail(err, JIC_EFORMAT, "%s:%u: \"%s\" must be a string in quotes", path, e->line,
			                known[i]->key);
	}
	return true;
}

static bool read_config(const char *path, struct jic_arena *arena, const struct jic_toml **root, struct jic_error *err)
{
	*root = NULL;
	if (!jic_is_file(path))
		return true;
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(path, CONFIG_BYTES_MAX, &text, err))
		return false;
	*root = jic_toml_parse(arena, jic_arena_copy(arena, jic_buf_view(&text)), path, err);
	return *root && check_keys(*root, path, err);
}

static const char *choose(const struct setting *s, const char *flag, const struct jic_toml *config,
                          struct jic_arena *arena)
{
	const char *variable = getenv(s->variable);
	if (flag)
		return flag;
	if (variable && *variable)
		return variable;
	/* The parser's strings may point into its text without a NUL. */
	struct jic_view value = jic_toml_string(config, s->key, jic_view_of(s->fallback));
	return jic_arena_copy(arena, value).ptr;
}

/* One text of all keys: what the variable has, or the file's list (or string). */
static bool join_keys(const struct jic_toml *config, const char *path, struct jic_buf *out, struct jic_error *err)
{
	const char *variable = getenv(setting_trusted_keys.variable);
	const struct jic_toml *list = jic_toml_get(config, setting_trusted_keys.key);
	if (variable && *variable)
		jic_buf_puts(out, variable);
	else if (jic_toml_is_string(list))
		jic_buf_putv(out, list->string);
	else
		for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
			if (!jic_toml_is_string(e))
				return jic_fail(err, JIC_EFORMAT, "%s:%u: trusted_keys must be a list of strings", path,
				                e->line);
			jic_buf_putv(out, e->string);
			jic_buf_putc(out, '\n');
		}
	return jic_buf_ok(out, err);
}

static bool read_trusted_keys(const struct jic_toml *config, struct jic_arena *arena, struct jic_settings *out,
                              struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_public_key *keys = jic_arena_array(arena, JIC_TRUSTED_KEYS_MAX, sizeof *keys);
	if (!keys)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!join_keys(config, out->config, &text, err))
		return false;
	out->trusted_keys = keys;
	return jic_public_keys_parse(jic_arena_copy(arena, jic_buf_view(&text)), JIC_TRUSTED_KEYS_MAX, keys,
	                             &out->trusted_keys_count, err) ||
	       jic_wrap(err, "trusted_keys (JICACHE_TRUSTED_KEYS or %s)", out->config);
}

static bool check_url(const char *url, struct jic_error *err)
{
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0 || strncmp(url, "unix:///", 8) == 0)
		return true;
	return jic_fail(
	    err, JIC_EFORMAT,
	    "server address \"%s\" does not begin with http://, https:// or unix:/// (--url, JICACHE_URL or `url` in "
	    "config.toml)",
	    url);
}

static const char *without_slash(const char *url, struct jic_arena *arena)
{
	struct jic_view v = jic_view_of(url);
	while (v.len && v.ptr[v.len - 1] == '/')
		v.len--;
	return jic_arena_copy(arena, v).ptr;
}

/* ---- the token */

/* A token becomes a header: nothing that could end the line. */
static bool check_token(struct jic_view token, const char *where, struct jic_error *err)
{
	for (size_t i = 0; i < token.len; i++)
		if ((unsigned char)token.ptr[i] <= ' ' || (unsigned char)token.ptr[i] >= 0x7f)
			return jic_fail(err, JIC_EFORMAT, "%s: spaces and control characters are in no token", where);
	return true;
}

/* The file's text without the white space around it. */
static bool read_token_file(const char *path, struct jic_arena *arena, const char **out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(path, JIC_CI_TOKEN_BYTES_MAX, &text, err))
		return jic_wrap(err, "token_file");
	struct jic_view token = jic_buf_view(&text);
	while (token.len && strchr(" \t\r\n", token.ptr[token.len - 1]))
		token.len--;
	*out = jic_arena_copy(arena, token).ptr;
	return check_token(token, path, err);
}

/*
 * Flag, JICACHE_TOKEN, JICACHE_TOKEN_FILE, `token`, `token_file`: what is nearer wins, and of two as near the one that
 * needs no file.
 */
static bool read_token(const struct jic_session_options *options, const struct jic_toml *config,
                       struct jic_arena *arena, struct jic_settings *out, struct jic_error *err)
{
	out->ci_token = NULL;
	const char *near = choose(&setting_token, options->token, NULL, arena);
	const char *near_file = choose(&setting_token_file, NULL, NULL, arena);
	const char *far = choose(&setting_token, NULL, config, arena);
	const char *file = *near_file || !*far ? choose(&setting_token_file, NULL, config, arena) : "";
	out->token = *near ? near : far;
	if (!*near && *file && !read_token_file(file, arena, &out->token, err))
		return false;
	if (!check_token(jic_view_of(out->token), "the token", err))
		return false;
	if (strcmp(out->token, JIC_TOKEN_OIDC) != 0)
		return true;
	const char *audience = choose(&setting_oidc_audience, NULL, config, arena);
	out->token = "";
	/* A job that may not ask, such as that of a fork, reads what everybody may read. */
	if (jic_ci_token_possible())
		out->ci_token = jic_ci_token_new(*audience ? audience : out->url, arena);
	return true;
}

bool jic_settings_load(const struct jic_session_options *options, struct jic_arena *arena, struct jic_settings *out,
                       struct jic_error *err)
{
	const struct jic_toml *config;
	out->config = xdg_path(arena, "XDG_CONFIG_HOME", ".config", "/config.toml");
	out->memory_dir = xdg_path(arena, "XDG_CACHE_HOME", ".cache", "");
	if (!read_config(out->config, arena, &config, err))
		return false;
	out->url = without_slash(choose(&setting_url, options->url, config, arena), arena);
	if (!read_token(options, config, arena, out, err))
		return false;
	out->lane = choose(&setting_lane, options->lane, config, arena);
	out->ca_file = choose(&setting_ca_file, options->ca_file, config, arena);
	out->client_certificate = choose(&setting_client_certificate, options->client_certificate, config, arena);
	out->client_key = choose(&setting_client_key, options->client_key, config, arena);
	out->signing_key = choose(&setting_signing_key, NULL, config, arena);
	if (arena->failed)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!read_trusted_keys(config, arena, out, err))
		return false;
	if (*out->lane && !jic_lane_name_valid(jic_view_of(out->lane)))
		return jic_fail(err, JIC_EFORMAT,
		                "\"%s\" is no lane name (letters, digits, \".\", \"_\", \"-\", and \"/\")", out->lane);
	if (*out->client_key && !*out->client_certificate)
		return jic_fail(err, JIC_EFORMAT, "client_key is of no use without client_certificate");
	return check_url(out->url, err);
}
