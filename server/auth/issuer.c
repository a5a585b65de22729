/* From the file to rules, and from claims to an identity. What is wrong in the file is found when it is read. */
#include "server/auth/issuer.h"

#include "common/file.h"
#include "common/options.h"
#include "server/auth/token.h"

enum {
	CONFIG_BYTES_MAX = 1024 * 1024,
	URL_BYTES_MAX = 512,
	SUBJECT_BYTES_MAX = JIC_IDENTITY_NAME_BYTES_MAX - JIC_ISSUER_NAME_BYTES_MAX - 1,
	KEYS_LIFETIME_S = 3600,
	KEYS_INTERVAL_S = 60,
	DAY_S = 86400,
};

struct jic_issuers {
	struct jic_arena arena;
	struct jic_issuer list[JIC_ISSUERS_MAX];
	size_t count;
};

void jic_issuers_free(struct jic_issuers *s)
{
	if (!s)
		return;
	jic_arena_clear(&s->arena);
	free(s);
}

size_t jic_issuers_count(const struct jic_issuers *s)
{
	return s->count;
}

const struct jic_issuer *jic_issuers_get(const struct jic_issuers *s, size_t i)
{
	JIC_ASSERT(i < s->count);
	return &s->list[i];
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool fail_at(struct jic_error *err, const char *file, const struct jic_toml *at, const char *what)
{
	return jic_fail(err, JIC_EUSAGE, "%s:%u: oidc: " JIC_PRIv "%s%s", file, at->line, JIC_ARGv(at->key),
	                at->key.len ? ": " : "", what);
}

/* ---- URLs */

static bool is_loopback(struct jic_view host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		const struct jic_view name = jic_view_of(names[i]);
		if (!jic_view_starts(host, name))
			continue;
		/* Else "127.0.0.1.evil.example" and "127.0.0.1@evil.example" would do. */
		const struct jic_view rest = jic_view_skip(host, name.len);
		if (rest.len == 0 || rest.ptr[0] == '/' || (rest.ptr[0] == ':' && !memchr(rest.ptr, '@', rest.len)))
			return true;
	}
	return false;
}

static bool is_plain(struct jic_view url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] >= 0x7f || strchr("\\\"<>?#@", url.ptr[i]))
			return false;
	return url.len <= URL_BYTES_MAX;
}

bool jic_issuer_url_allowed(const struct jic_issuer *issuer, struct jic_view url)
{
	const struct jic_view https = JIC_VIEW("https://"), http = JIC_VIEW("http://");
	if (!is_plain(url))
		return false;
	if (jic_view_starts(url, https))
		return url.len > https.len;
	return issuer->loopback_http && jic_view_starts(url, http) && is_loopback(jic_view_skip(url, http.len));
}

/* ---- rules */

/*
 * Issuers whose tokens everybody can have: a rule must say whose they are. Each claim here names an owner with what
 * comes before its first slash.
 */
static const struct {
	const char *url, *claims[6];
} public_issuers[] = {
    {"https://token.actions.githubusercontent.com",
     {"repository", "repository_owner", "repository_id", "repository_owner_id", "sub"}},
    {"https://gitlab.com", {"project_path", "namespace_path", "project_id", "namespace_id", "sub"}},
};

static bool names_owner(const struct jic_claim_rule *rule, const char *const *claims)
{
	for (size_t i = 0; i < rule->claims_count; i++)
		for (size_t j = 0; claims[j]; j++)
			if (jic_view_is(rule->claims[i].name, claims[j]) &&
			    jic_claim_pattern_begins_fixed(rule->claims[i].pattern))
				return true;
	return false;
}

static bool check_owner(const struct jic_issuer *issuer, const struct jic_claim_rule *rule, const char *file,
                        const struct jic_toml *at, struct jic_error *err)
{
	for (size_t i = 0; i < JIC_COUNT(public_issuers); i++)
		if (jic_view_is(issuer->url, public_issuers[i].url) && !names_owner(rule, public_issuers[i].claims))
			return fail_at(err, file, at,
			               "everybody can get tokens of this issuer: a rule must say whose, such as "
			               "repository = \"acme/*\" or project_path = \"acme/*\"");
	for (size_t i = 0; i < rule->claims_count; i++)
		if (jic_claim_pattern_begins_fixed(rule->claims[i].pattern))
			return true;
	return fail_at(err, file, at, "a rule must fix what at least one claim begins with");
}

static bool read_claims(const char *file, const struct jic_toml *match, struct jic_arena *arena,
                        struct jic_claim_rule *out, struct jic_captures *captures, struct jic_error *err)
{
	for (const struct jic_toml *e = jic_toml_first(match); e; e = e->next) {
		if (!jic_toml_is_string(e))
			return fail_at(err, file, e, "must be a pattern in quotes");
		if (out->claims_count == JIC_ISSUER_CLAIMS_MAX)
			return fail_at(err, file, e, "too many claims in one rule");
		if (!jic_claim_pattern_check(e->string, captures, err))
			return jic_wrap(err, "%s:%u: oidc: " JIC_PRIv, file, e->line, JIC_ARGv(e->key));
		out->claims[out->claims_count].name = jic_arena_copy(arena, e->key);
		out->claims[out->claims_count++].pattern = jic_arena_copy(arena, e->string);
	}
	return true;
}

/* With "x" in place of every capture. */
static bool check_lanes(const struct jic_grant *grant, const struct jic_captures *captures, struct jic_arena *arena,
                        struct jic_error *err)
{
	struct jic_view lanes;
	return (jic_captures_expand(captures, grant->lanes, arena, &lanes, err) &&
	        jic_lane_patterns_check(lanes, err)) ||
	       jic_wrap(err, "lanes");
}

static bool read_rule(const struct jic_issuer *issuer, const char *file, const struct jic_toml *table,
                      struct jic_arena *arena, struct jic_claim_rule *out, struct jic_error *err)
{
	const struct jic_toml *match = jic_toml_get(table, "match");
	struct jic_captures captures = {0};
	if (!jic_toml_is_table(table) || !jic_toml_is_table(match))
		return fail_at(err, file, table, "a rule needs match = { CLAIM = \"PATTERN\" }");
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next)
		if (e != match && !jic_grant_has(e))
			return fail_at(err, file, e, "is no key of a rule, or has another type");
	if (!read_claims(file, match, arena, out, &captures, err) || !check_owner(issuer, out, file, table, err))
		return false;
	return (jic_grant_read(table, arena, &out->grant, err) && check_lanes(&out->grant, &captures, arena, err)) ||
	       jic_wrap(err, "%s:%u: oidc", file, table->line);
}

static bool read_rules(struct jic_issuer *issuer, const char *file, const struct jic_toml *table,
                       struct jic_arena *arena, struct jic_error *err)
{
	struct jic_claim_rule *rules = jic_arena_array(arena, JIC_ISSUER_RULES_MAX, sizeof *rules);
	const struct jic_toml *list = jic_toml_get(table, "rules");
	if (!rules)
		return out_of_memory(err);
	if (!jic_toml_is_array(list) || !jic_toml_first(list))
		return fail_at(err, file, table, "needs [[oidc.rules]]");
	for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
		if (issuer->rules_count == JIC_ISSUER_RULES_MAX)
			return fail_at(err, file, e, "too many rules");
		if (!read_rule(issuer, file, e, arena, &rules[issuer->rules_count], err))
			return false;
		issuer->rules_count++;
	}
	issuer->rules = rules;
	return true;
}

/* ---- issuers */

static bool read_algorithms(const char *file, const struct jic_toml *list, struct jic_issuer *out,
                            struct jic_error *err)
{
	enum jic_jws_algorithm a;
	if (!list) {
		out->algorithms[JIC_JWS_RS256] = true;
		return true;
	}
	for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
		if (!jic_toml_is_string(e) || !jic_jws_algorithm_parse(e->string, &a))
			return fail_at(err, file, list, "RS256 and ES256 are known");
		out->algorithms[a] = true;
	}
	return jic_toml_first(list) || fail_at(err, file, list, "must be a list of RS256 and ES256");
}

static bool read_seconds(const char *file, const struct jic_toml *value, uint64_t fallback, uint64_t *out,
                         struct jic_error *err)
{
	*out = fallback;
	if (!value)
		return true;
	return (jic_toml_is_string(value) && jic_parse_duration(value->string, DAY_S, out) && *out > 0) ||
	       fail_at(err, file, value, "must be a time in quotes, \"1s\" to \"1d\"");
}

static bool read_flag(const char *file, const struct jic_toml *value, bool *out, struct jic_error *err)
{
	*out = value && value->type == JIC_TOML_BOOLEAN && value->boolean;
	return !value || value->type == JIC_TOML_BOOLEAN || fail_at(err, file, value, "must be true or false");
}

static bool check_keys(const char *file, const struct jic_toml *table, struct jic_error *err)
{
	static const char *const texts[] = {"name", "issuer", "audience", "ca_file"};
	static const char *const others[] = {"algorithms", "rules", "keys_lifetime", "keys_interval", "loopback_http"};
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next) {
		bool known = false;
		for (size_t i = 0; i < JIC_COUNT(texts) && !known; i++)
			known = jic_view_is(e->key, texts[i]) && jic_toml_is_string(e);
		for (size_t i = 0; i < JIC_COUNT(others) && !known; i++)
			known = jic_view_is(e->key, others[i]);
		if (!known)
			return fail_at(err, file, e, "is no key of an issuer, or has another type");
	}
	return true;
}

static bool check_texts(const struct jic_issuer *i, const char *file, const struct jic_toml *table,
                        struct jic_error *err)
{
	if (!jic_token_name_valid(i->name) || i->name.len > JIC_ISSUER_NAME_BYTES_MAX)
		return fail_at(err, file, table, "name must be of letters, digits, \".\", \"_\" and \"-\", at most 64");
	if (!jic_issuer_url_allowed(i, i->url))
		return fail_at(err, file, table, "issuer must be an https:// URL");
	if (i->audience.len == 0)
		return fail_at(err, file, table, "audience is missing: what tokens for this server have as aud");
	return true;
}

static bool read_issuer(const char *file, const struct jic_toml *table, struct jic_arena *arena, struct jic_issuer *out,
                        struct jic_error *err)
{
	if (!jic_toml_is_table(table))
		return fail_at(err, file, table, "must be [[oidc]] tables");
	*out = (struct jic_issuer){
	    .name = jic_arena_copy(arena, jic_toml_string(table, "name", JIC_VIEW(""))),
	    .url = jic_arena_copy(arena, jic_toml_string(table, "issuer", JIC_VIEW(""))),
	    .audience = jic_arena_copy(arena, jic_toml_string(table, "audience", JIC_VIEW(""))),
	    .ca_file = jic_arena_copy(arena, jic_toml_string(table, "ca_file", JIC_VIEW(""))),
	};
	return check_keys(file, table, err) &&
	       read_flag(file, jic_toml_get(table, "loopback_http"), &out->loopback_http, err) &&
	       check_texts(out, file, table, err) &&
	       read_algorithms(file, jic_toml_get(table, "algorithms"), out, err) &&
	       read_seconds(file, jic_toml_get(table, "keys_lifetime"), KEYS_LIFETIME_S, &out->keys_lifetime_s, err) &&
	       read_seconds(file, jic_toml_get(table, "keys_interval"), KEYS_INTERVAL_S, &out->keys_interval_s, err) &&
	       read_rules(out, file, table, arena, err);
}

static bool is_new(const struct jic_issuers *s, const struct jic_issuer *issuer)
{
	for (size_t i = 0; i < s->count; i++)
		if (jic_view_eq(s->list[i].name, issuer->name) || jic_view_eq(s->list[i].url, issuer->url))
			return false;
	return true;
}

static bool read_issuers(struct jic_issuers *s, const char *file, struct jic_view text, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_toml *root = jic_toml_parse(&arena, text, file, err);
	const struct jic_toml *list = jic_toml_get(root, "oidc");
	if (!root)
		return false;
	if (list && !jic_toml_is_array(list))
		return fail_at(err, file, list, "must be [[oidc]] tables");
	for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
		if (s->count == JIC_ISSUERS_MAX)
			return fail_at(err, file, e, "too many issuers");
		if (!read_issuer(file, e, &s->arena, &s->list[s->count], err))
			return false;
		if (!is_new(s, &s->list[s->count]))
			return fail_at(err, file, e, "another entry has this name or this issuer");
		s->count++;
	}
	return !s->arena.failed || out_of_memory(err);
}

struct jic_issuers *jic_issuers_load(const char *file, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	JIC_AUTO(jic_issuers) struct jic_issuers *s = calloc(1, sizeof *s);
	if (!s) {
		(void)out_of_memory(err);
		return NULL;
	}
	if (!file)
		return JIC_TAKE(s);
	if (!jic_file_read(file, CONFIG_BYTES_MAX, &text, err) || !read_issuers(s, file, jic_buf_view(&text), err))
		return NULL;
	return JIC_TAKE(s);
}

/* ---- claims */

static bool rule_matches(const struct jic_claim_rule *rule, const struct jic_jwt *token, struct jic_captures *captures)
{
	for (size_t i = 0; i < rule->claims_count; i++) {
		struct jic_view value;
		if (!jic_jwt_claim(token, rule->claims[i].name.ptr, &value) ||
		    !jic_claim_match(rule->claims[i].pattern, value, captures))
			return false;
	}
	return true;
}

/* It is written into logs and records. */
static bool subject_valid(struct jic_view subject)
{
	for (size_t i = 0; i < subject.len; i++)
		if ((unsigned char)subject.ptr[i] <= ' ' || subject.ptr[i] == 0x7f)
			return false;
	return subject.len > 0 && subject.len <= SUBJECT_BYTES_MAX;
}

static bool apply(const struct jic_issuer *issuer, const struct jic_claim_rule *rule,
                  const struct jic_captures *captures, const struct jic_jwt *token, struct jic_arena *arena,
                  struct jic_identity *out, struct jic_error *err)
{
	*out = (struct jic_identity){
	    .kind = JIC_IDENTITY_JWT,
	    .name = jic_arena_printf(arena, JIC_PRIv ":" JIC_PRIv, JIC_ARGv(issuer->name), JIC_ARGv(token->subject)),
	    .scopes = rule->grant.scopes,
	    .lane_parent = jic_arena_copy(arena, rule->grant.lane_parent)};
	struct jic_error why = {0};
	if (!jic_captures_expand(captures, rule->grant.lanes, arena, &out->lanes, err))
		return false;
	return jic_lane_patterns_check(out->lanes, &why) || jic_fail(err, JIC_EDENIED, "%s", why.text);
}

bool jic_issuer_identify(const struct jic_issuer *issuer, const struct jic_jwt *token, struct jic_arena *arena,
                         struct jic_identity *out, struct jic_error *err)
{
	if (!subject_valid(token->subject))
		return jic_fail(err, JIC_EDENIED, "the web token's sub is too long or has unusual characters");
	for (size_t i = 0; i < issuer->rules_count; i++) {
		struct jic_captures captures = {0};
		if (rule_matches(&issuer->rules[i], token, &captures))
			return apply(issuer, &issuer->rules[i], &captures, token, arena, out, err);
	}
	return jic_fail(err, JIC_EDENIED, "no rule of oidc \"" JIC_PRIv "\" is for \"" JIC_PRIv "\"",
	                JIC_ARGv(issuer->name), JIC_ARGv(token->subject));
}
