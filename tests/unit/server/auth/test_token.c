/* Secrets, scopes, lane patterns, and the gate over an index of one token. */
#include "server/auth/gate.h"
#include "server/auth/token.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

Test(token, secrets_are_random_and_have_one_form)
{
	char a[JIC_TOKEN_SECRET_TEXT + 1], b[JIC_TOKEN_SECRET_TEXT + 1];
	struct jic_digest hash, whole;
	cr_assert(jic_token_secret_new(a, NULL) && jic_token_secret_new(b, NULL));
	cr_assert_str_neq(a, b);
	cr_assert_eq(strlen(a), JIC_TOKEN_SECRET_TEXT);
	cr_assert(jic_token_secret_hash(jic_view_of(a), &hash));
	jic_sha256_of(jic_view_of(a), &whole);
	cr_assert(jic_digest_eq(&hash, &whole));
}

Test(token, what_is_not_a_secret_has_no_hash)
{
	char secret[JIC_TOKEN_SECRET_TEXT + 1];
	struct jic_digest hash;
	cr_assert(jic_token_secret_new(secret, NULL));
	cr_assert_not(jic_token_secret_hash(jic_view_head(jic_view_of(secret), JIC_TOKEN_SECRET_TEXT - 1), &hash));
	secret[0] = 'x';
	cr_assert_not(jic_token_secret_hash(jic_view_of(secret), &hash));
	secret[0] = 'j';
	secret[10] = 'G';
	cr_assert_not(jic_token_secret_hash(jic_view_of(secret), &hash));
	cr_assert_not(jic_token_secret_hash(JIC_VIEW(""), &hash));
}

Test(token, scopes_read_back_as_written)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	unsigned scopes;
	cr_assert(jic_scopes_parse(JIC_VIEW("write,read"), &scopes, NULL));
	cr_assert_eq(scopes, JIC_SCOPE_READ | JIC_SCOPE_WRITE);
	jic_scopes_format(scopes, &text);
	cr_assert_str_eq(jic_buf_str(&text), "read,write");
	jic_buf_reset(&text);
	jic_scopes_format(0, &text);
	cr_assert_str_eq(jic_buf_str(&text), "none");
}

Test(token, unknown_scopes_are_refused)
{
	unsigned scopes;
	struct jic_error err = {0};
	cr_assert_not(jic_scopes_parse(JIC_VIEW("read,fly"), &scopes, &err));
	cr_assert_eq(err.code, JIC_EUSAGE);
	cr_assert_not(jic_scopes_parse(JIC_VIEW(""), &scopes, NULL));
	cr_assert_not(jic_scopes_parse(JIC_VIEW("read,"), &scopes, NULL));
	cr_assert_not(jic_scopes_parse(JIC_VIEW("read, write"), &scopes, NULL));
}

static bool matches(const char *patterns, const char *lane)
{
	return jic_lane_patterns_match(jic_view_of(patterns), jic_view_of(lane));
}

Test(token, patterns_match_whole_names)
{
	cr_assert(matches("main", "main"));
	cr_assert(matches("x,main", "main"));
	cr_assert(matches("pr/*", "pr/7"));
	cr_assert(matches("pr/*", "pr/a/b"));
	cr_assert(matches("*", "anything/at/all"));
	cr_assert(matches("*/x*y", "a/b/xzzy"));
	cr_assert_not(matches("main", "main2"));
	cr_assert_not(matches("main", "mai"));
	cr_assert_not(matches("pr/*", "pr"));
	cr_assert_not(matches("pr/*", "xpr/1"));
	cr_assert_not(matches("", "main"));
	cr_assert_not(matches(",", ""));
}

Test(token, many_stars_take_no_time)
{
	char lane[JIC_LANE_NAME_BYTES_MAX + 1];
	memset(lane, 'a', sizeof lane - 1);
	lane[sizeof lane - 1] = '\0';
	cr_assert_not(matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", lane));
}

Test(token, patterns_have_the_characters_of_lanes)
{
	struct jic_error err = {0};
	cr_assert(jic_lane_patterns_check(JIC_VIEW("main,pr/*,v1.2-x_y"), NULL));
	cr_assert_not(jic_lane_patterns_check(JIC_VIEW("main,"), &err));
	cr_assert_eq(err.code, JIC_EUSAGE);
	cr_assert_not(jic_lane_patterns_check(JIC_VIEW(""), NULL));
	cr_assert_not(jic_lane_patterns_check(JIC_VIEW("[a]"), NULL));
	cr_assert_not(jic_lane_patterns_check(JIC_VIEW("a b"), NULL));
}

Test(token, names_have_no_slash)
{
	cr_assert(jic_token_name_valid(JIC_VIEW("ci-1.x")));
	cr_assert_not(jic_token_name_valid(JIC_VIEW("a/b")));
	cr_assert_not(jic_token_name_valid(JIC_VIEW("")));
}

/* ---- the gate */

#define SECRET "jic_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER_SECRET "jic_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct fake_index {
	struct jic_index base;
	struct jic_token token;
	bool broken;
};

static bool fake_find(struct jic_index *ix, const struct jic_digest *hash, struct jic_arena *arena,
                      struct jic_token *out, struct jic_error *err)
{
	struct fake_index *f = (struct fake_index *)(void *)ix;
	(void)arena;
	if (f->broken)
		return jic_fail(err, JIC_EIO, "broken");
	if (!jic_digest_eq(hash, &f->token.hash))
		return jic_fail(err, JIC_ENOTFOUND, "no such token");
	*out = f->token;
	return true;
}

static struct fake_index fake_new(void)
{
	static const struct jic_index_ops ops = {.token_find_by_hash = fake_find};
	struct fake_index f = {
	    .base.ops = &ops,
	    .token = {
		.name = JIC_VIEW("ci"), .scopes = JIC_SCOPE_WRITE, .lanes = JIC_VIEW("main,pr/*"), .expires_s = 5000}};
	jic_sha256_of(JIC_VIEW(SECRET), &f.token.hash);
	return f;
}

struct asked {
	struct jic_caller caller;
	struct jic_error err;
	bool ok;
};

static struct asked ask(struct fake_index *f, struct jic_gate_options o, const char *authorization, bool local,
                        uint64_t now_s)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct asked a = {0};
	o.index = &f->base;
	JIC_AUTO(jic_gate) struct jic_gate *g = jic_gate_new(&o, NULL);
	cr_assert_not_null(g);
	const struct jic_credentials c = {.authorization = jic_view_of(authorization), .local = local};
	a.ok = jic_gate_identify(g, &c, now_s, &arena, &a.caller, &a.err);
	return a;
}

Test(gate, a_known_token_is_recognised)
{
	struct fake_index f = fake_new();
	struct asked a = ask(&f, (struct jic_gate_options){0}, "Bearer " SECRET, false, 1000);
	cr_assert(a.ok, "%s", a.err.text);
	cr_assert(jic_view_is(a.caller.id.name, "ci"));
	cr_assert(jic_identity_may_lane(&a.caller.id, JIC_SCOPE_WRITE, JIC_VIEW("pr/9")));
	cr_assert_not(jic_identity_may_lane(&a.caller.id, JIC_SCOPE_WRITE, JIC_VIEW("other")));
	cr_assert_not(jic_identity_may_lane(&a.caller.id, JIC_SCOPE_READ, JIC_VIEW("main")));
	cr_assert(ask(&f, (struct jic_gate_options){0}, "bearer  " SECRET " ", false, 1000).ok);
}

Test(gate, bad_tokens_are_denied_even_where_none_is_needed)
{
	struct fake_index f = fake_new();
	static const char *const values[] = {"Bearer " OTHER_SECRET, "Bearer x", "Bearer",
	                                     "Basic " SECRET,        SECRET,     "Bearer " SECRET "a"};
	for (size_t i = 0; i < JIC_COUNT(values); i++) {
		struct asked a = ask(&f, (struct jic_gate_options){.anonymous_read = true}, values[i], true, 1000);
		cr_assert_not(a.ok, "%s", values[i]);
		cr_assert_eq(a.err.code, JIC_EDENIED);
	}
}

Test(gate, a_token_ends_when_it_expires)
{
	struct fake_index f = fake_new();
	cr_assert(ask(&f, (struct jic_gate_options){0}, "Bearer " SECRET, false, 4999).ok);
	struct asked a = ask(&f, (struct jic_gate_options){0}, "Bearer " SECRET, false, 5000);
	cr_assert_not(a.ok);
	cr_assert(strstr(a.err.text, "expired"));
	f.token.expires_s = 0;
	cr_assert(ask(&f, (struct jic_gate_options){0}, "Bearer " SECRET, false, UINT64_MAX / 2).ok);
}

Test(gate, trouble_of_the_index_is_not_a_bad_token)
{
	struct fake_index f = fake_new();
	f.broken = true;
	cr_assert_eq(ask(&f, (struct jic_gate_options){0}, "Bearer " SECRET, false, 1).err.code, JIC_EIO);
}

Test(gate, without_a_token_reading_depends_on_the_place_and_writing_is_out)
{
	struct fake_index f = fake_new();
	const struct jic_gate_options none = {0}, require = {.require_token = true}, open = {.anonymous_read = true};
	cr_assert_eq(ask(&f, none, "", true, 1).caller.id.scopes, JIC_SCOPE_READ);
	cr_assert_eq(ask(&f, none, "", false, 1).caller.id.scopes, 0);
	cr_assert_eq(ask(&f, require, "", true, 1).caller.id.scopes, 0);
	cr_assert_eq(ask(&f, open, "", false, 1).caller.id.scopes, JIC_SCOPE_READ);
}

Test(gate, a_certificate_counts_where_no_token_is_shown)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct fake_index f = fake_new();
	struct jic_caller caller;
	const struct jic_gate_options o = {.index = &f.base};
	const struct jic_identity certificate = {.kind = JIC_IDENTITY_CERTIFICATE,
	                                         .name = JIC_VIEW("cert:builder"),
	                                         .lanes = JIC_VIEW("main"),
	                                         .scopes = JIC_SCOPE_WRITE};
	struct jic_credentials c = {.certificate = &certificate, .local = true};
	JIC_AUTO(jic_gate) struct jic_gate *g = jic_gate_new(&o, NULL);
	cr_assert(jic_gate_identify(g, &c, 1000, &arena, &caller, NULL));
	cr_assert(jic_view_is(caller.id.name, "cert:builder"));
	cr_assert(jic_identity_may_lane(&caller.id, JIC_SCOPE_WRITE, JIC_VIEW("main")));
	cr_assert_not(jic_identity_may(&caller.id, JIC_SCOPE_READ), "being local adds nothing to a certificate");
	c.authorization = JIC_VIEW("Bearer " SECRET);
	cr_assert(jic_gate_identify(g, &c, 1000, &arena, &caller, NULL));
	cr_assert(jic_view_is(caller.id.name, "ci"));
	c.authorization = JIC_VIEW("Bearer nonsense");
	cr_assert_not(jic_gate_identify(g, &c, 1000, &arena, &caller, NULL), "a mistake in a token should show");
}

Test(gate, last_use_is_due_once_a_minute)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct fake_index f = fake_new();
	struct jic_caller caller;
	const struct jic_gate_options o = {.index = &f.base};
	JIC_AUTO(jic_gate) struct jic_gate *g = jic_gate_new(&o, NULL);
	const struct jic_credentials value = {.authorization = JIC_VIEW("Bearer " SECRET)};
	cr_assert(jic_gate_identify(g, &value, 1000, &arena, &caller, NULL) && caller.touch_due);
	cr_assert(jic_gate_identify(g, &value, 1059, &arena, &caller, NULL) && !caller.touch_due);
	cr_assert(jic_gate_identify(g, &value, 1060, &arena, &caller, NULL) && caller.touch_due);
	f.token.last_used_s = 1200;
	cr_assert(jic_gate_identify(g, &value, 1259, &arena, &caller, NULL) && !caller.touch_due);
}

static bool local(int family, const char *text)
{
	struct sockaddr_storage s = {.ss_family = (sa_family_t)family};
	void *host = family == AF_INET ? (void *)&((struct sockaddr_in *)&s)->sin_addr
	                               : (void *)&((struct sockaddr_in6 *)&s)->sin6_addr;
	cr_assert_eq(inet_pton(family, text, host), 1);
	return jic_peer_is_local((struct sockaddr *)&s);
}

Test(gate, loopback_has_several_forms)
{
	cr_assert(local(AF_INET, "127.0.0.1") && local(AF_INET, "127.9.9.9"));
	cr_assert(local(AF_INET6, "::1") && local(AF_INET6, "::ffff:127.0.0.1"));
	cr_assert_not(local(AF_INET, "128.0.0.1"));
	cr_assert_not(local(AF_INET6, "::ffff:10.0.0.1"));
	cr_assert_not(local(AF_INET6, "2001:db8::1"));
	cr_assert_not(jic_peer_is_local(&(struct sockaddr){.sa_family = AF_UNIX}));
}
