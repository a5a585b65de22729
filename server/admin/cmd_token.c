/* jicached token create|list|rotate|revoke. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/auth/token.h"

enum {
	TOKEN_SECONDS_MAX = 10 * 366 * 86400, /* longer is "never" */
	GRACE_SECONDS_MAX = 90 * 86400,
};

/* ---- create */

static bool token_expiry(const struct jic_admin *a, uint64_t now_s, uint64_t *out, struct jic_error *err)
{
	const char *text = jic_options_text(a->options, "expires", NULL);
	uint64_t duration_s;
	*out = 0;
	if (!text || strcmp(text, "never") == 0)
		return true;
	if (!jic_parse_duration(jic_view_of(text), TOKEN_SECONDS_MAX, &duration_s) || duration_s == 0)
		return jic_fail(err, JIC_EUSAGE, "--expires must be \"never\" or a time such as 90d, not \"%s\"", text);
	*out = now_s + duration_s;
	return true;
}

static bool lane_parent(const struct jic_admin *a, struct jic_view *out, struct jic_error *err)
{
	*out = jic_view_of(jic_options_text(a->options, "lane-parent", ""));
	return out->len == 0 || jic_lane_name_valid(*out) ||
	       jic_fail(err, JIC_EUSAGE, "--lane-parent \"" JIC_PRIv "\" is not a lane's name", JIC_ARGv(*out));
}

static bool token_from_options(const struct jic_admin *a, struct jic_token *out, struct jic_error *err)
{
	const char *name = jic_admin_required(a, "name", err);
	if (!name)
		return false;
	*out = (struct jic_token){.name = jic_view_of(name),
	                          .lanes = jic_view_of(jic_options_text(a->options, "lanes", JIC_LANE_MAIN)),
	                          .created_s = jic_admin_now_s()};
	if (!jic_token_name_valid(out->name))
		return jic_fail(err, JIC_EUSAGE, "--name \"%s\": use letters, digits, \".\", \"_\" and \"-\"", name);
	if (!jic_scopes_parse(jic_view_of(jic_options_text(a->options, "can", "read")), &out->scopes, err))
		return jic_wrap(err, "--can");
	if (!jic_lane_patterns_check(out->lanes, err))
		return jic_wrap(err, "--lanes");
	return lane_parent(a, &out->lane_parent, err) && token_expiry(a, out->created_s, &out->expires_s, err);
}

static void put_token(struct jic_json_writer *w, const struct jic_token *t)
{
	JIC_CLEAR(jic_buf) struct jic_buf can = {0};
	jic_scopes_format(t->scopes, &can);
	jic_json_put_text(w, "name", t->name);
	jic_json_put_text(w, "can", jic_buf_view(&can));
	jic_json_put_text(w, "lanes", t->lanes);
	jic_json_put_u64(w, "created_s", t->created_s);
	jic_json_put_u64(w, "expires_s", t->expires_s);
	if (t->lane_parent.len)
		jic_json_put_text(w, "lane_parent", t->lane_parent);
}

static bool new_secret(char secret[JIC_TOKEN_SECRET_TEXT + 1], struct jic_digest *hash, struct jic_error *err)
{
	return jic_token_secret_new(secret, err) && (jic_token_secret_hash(jic_view_of(secret), hash) ||
	                                             jic_fail(err, JIC_EIO, "the new secret is malformed"));
}

bool jic_cmd_token_create(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_token token;
	char secret[JIC_TOKEN_SECRET_TEXT + 1];
	if (!token_from_options(a, &token, err) || !new_secret(secret, &token.hash, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, true, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	if (!index->ops->token_put(index, &token, err))
		return false;
	if (!jic_options_has(a->options, "json")) {
		jic_buf_printf(a->out, "%s\n", secret);
		return true;
	}
	struct jic_json_writer w = {.out = a->out};
	jic_json_open(&w, NULL, '{');
	put_token(&w, &token);
	jic_json_put_text(&w, "token", jic_view_of(secret));
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

/* ---- list */

static bool list_json(const struct jic_token *tokens, size_t count, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "tokens", '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(&w, NULL, '{');
		put_token(&w, &tokens[i]);
		jic_json_put_u64(&w, "last_used_s", tokens[i].last_used_s);
		if (tokens[i].has_old)
			jic_json_put_u64(&w, "old_secret_until_s", tokens[i].old_until_s);
		jic_json_close(&w, '}');
	}
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

static void list_line(const struct jic_token *t, uint64_t now_s, struct jic_buf *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf can = {0};
	jic_scopes_format(t->scopes, &can);
	jic_buf_printf(out, "%-24.*s %-16s ", (int)t->name.len, t->name.ptr, jic_buf_str(&can));
	jic_admin_time(t->expires_s, "never           ", out);
	jic_buf_puts(out, jic_token_expired(t, now_s) ? " (expired)  " : "  ");
	jic_admin_time(t->last_used_s, "never           ", out);
	jic_buf_printf(out, "  " JIC_PRIv "\n", JIC_ARGv(t->lanes));
}

bool jic_cmd_token_list(const struct jic_admin *a, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	const struct jic_token *tokens;
	size_t count;
	if (!index->ops->token_list(index, a->arena, &tokens, &count, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return list_json(tokens, count, a->out, err);
	jic_buf_printf(a->out, "%-24s %-16s %-16s  %-16s  %s\n", "NAME", "CAN", "EXPIRES", "LAST USED", "LANES");
	const uint64_t now_s = jic_admin_now_s();
	for (size_t i = 0; i < count; i++)
		list_line(&tokens[i], now_s, a->out);
	return true;
}

/* ---- rotate */

static bool rotate_json(const struct jic_admin *a, const char *name, const char *secret, uint64_t until_s,
                        struct jic_error *err)
{
	struct jic_json_writer w = {.out = a->out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "name", jic_view_of(name));
	jic_json_put_text(&w, "token", jic_view_of(secret));
	jic_json_put_u64(&w, "old_secret_until_s", until_s);
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_token_rotate(const struct jic_admin *a, struct jic_error *err)
{
	const char *name = jic_admin_required(a, "name", err);
	const char *grace = jic_options_text(a->options, "grace", "0s");
	char secret[JIC_TOKEN_SECRET_TEXT + 1];
	struct jic_digest hash;
	uint64_t grace_s;
	if (!name)
		return false;
	if (!jic_parse_duration(jic_view_of(grace), GRACE_SECONDS_MAX, &grace_s))
		return jic_fail(err, JIC_EUSAGE, "--grace must be a time such as 1d, at most 90d, not \"%s\"", grace);
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !new_secret(secret, &hash, err))
		return false;
	struct jic_index *index = jic_store_index(store);
	const uint64_t until_s = jic_admin_now_s() + grace_s;
	if (!index->ops->token_rotate(index, jic_view_of(name), &hash, until_s, err))
		return jic_wrap(err, "rotate \"%s\"", name);
	if (jic_options_has(a->options, "json"))
		return rotate_json(a, name, secret, until_s, err);
	jic_buf_printf(a->out, "%s\n", secret);
	return jic_buf_ok(a->out, err);
}

/* ---- revoke */

bool jic_cmd_token_revoke(const struct jic_admin *a, struct jic_error *err)
{
	const char *name = jic_admin_required(a, "name", err);
	if (!name)
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	return index->ops->token_delete(index, jic_view_of(name), err) || jic_wrap(err, "revoke \"%s\"", name);
}
