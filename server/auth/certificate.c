/* Rules are read once and kept in an arena of their own; reading them again makes new ones. */
#include "server/auth/certificate.h"

#include "common/file.h"
#include "common/toml.h"
#include "server/auth/grant.h"
#include "server/auth/token.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024 };

struct rule {
	struct jic_view *patterns;
	size_t patterns_count;
	struct jic_grant grant;
};

struct jic_certificate_rules {
	struct jic_arena arena;
	struct rule rules[JIC_CERTIFICATE_RULES_MAX];
	size_t count;
};

void jic_certificate_rules_free(struct jic_certificate_rules *rules)
{
	if (!rules)
		return;
	jic_arena_clear(&rules->arena);
	free(rules);
}

size_t jic_certificate_rules_count(const struct jic_certificate_rules *rules)
{
	return rules->count;
}

/* ---- reading */

static bool known_pattern(struct jic_view pattern)
{
	static const char *const kinds[] = {"CN=", "DN=", "DNS=", "EMAIL=", "URI="};
	for (size_t i = 0; i < JIC_COUNT(kinds); i++)
		if (jic_view_starts(pattern, jic_view_of(kinds[i])) && pattern.len > strlen(kinds[i]))
			return pattern.len <= JIC_CERTIFICATE_NAME_BYTES_MAX;
	return false;
}

static bool read_patterns(const char *file, const struct jic_toml *match, struct jic_arena *arena, struct rule *out,
                          struct jic_error *err)
{
	out->patterns = jic_arena_array(arena, JIC_CERTIFICATE_PATTERNS_MAX, sizeof *out->patterns);
	if (!out->patterns)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (const struct jic_toml *e = jic_toml_first(match); e; e = e->next) {
		if (!jic_toml_is_string(e) || !known_pattern(e->string))
			return jic_fail(
			    err, JIC_EUSAGE,
			    "%s:%u: tls.clients: a pattern begins with CN=, DN=, DNS=, EMAIL= or URI=", file, e->line);
		if (out->patterns_count == JIC_CERTIFICATE_PATTERNS_MAX)
			return jic_fail(err, JIC_EUSAGE, "%s:%u: tls.clients: at most %d patterns in one rule", file,
			                e->line, JIC_CERTIFICATE_PATTERNS_MAX);
		out->patterns[out->patterns_count++] = jic_arena_copy(arena, e->string);
	}
	return out->patterns_count > 0;
}

/* Every entry is known and has its type: a rule that isn't what it looks like must not let anybody in. */
static bool check_entries(const char *file, const struct jic_toml *table, struct jic_error *err)
{
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next)
		if (!(jic_view_is(e->key, "match") && jic_toml_is_array(e)) && !jic_grant_has(e))
			return jic_fail(err, JIC_EFORMAT,
			                "%s:%u: tls.clients: \"" JIC_PRIv "\" is no key of a rule, or has another type",
			                file, e->line, JIC_ARGv(e->key));
	return true;
}

static bool read_rule(const char *file, const struct jic_toml *table, struct jic_arena *arena, struct rule *out,
                      struct jic_error *err)
{
	const struct jic_toml *match = jic_toml_get(table, "match");
	if (!jic_toml_is_table(table) || !jic_toml_is_array(match) || !jic_toml_first(match))
		return jic_fail(err, JIC_EFORMAT, "%s:%u: tls.clients: a rule needs match = [\"CN=…\"]", file,
		                table->line);
	if (!check_entries(file, table, err) || !read_patterns(file, match, arena, out, err))
		return false;
	return (jic_grant_read(table, arena, &out->grant, err) && jic_lane_patterns_check(out->grant.lanes, err)) ||
	       jic_wrap(err, "%s:%u: tls.clients", file, table->line);
}

static bool read_rules(struct jic_certificate_rules *rules, const char *file, struct jic_view text,
                       struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_toml *root = jic_toml_parse(&arena, text, file, err);
	if (!root)
		return false;
	const struct jic_toml *list = jic_toml_get(jic_toml_get(root, "tls"), "clients");
	for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
		if (rules->count == JIC_CERTIFICATE_RULES_MAX)
			return jic_fail(err, JIC_EUSAGE, "%s:%u: tls.clients: at most %d rules", file, e->line,
			                JIC_CERTIFICATE_RULES_MAX);
		if (!read_rule(file, e, &rules->arena, &rules->rules[rules->count], err))
			return false;
		rules->count++;
	}
	return !rules->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

struct jic_certificate_rules *jic_certificate_rules_load(const char *file, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	JIC_AUTO(jic_certificate_rules) struct jic_certificate_rules *rules = calloc(1, sizeof *rules);
	if (!rules) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	if (!file)
		return JIC_TAKE(rules);
	if (!jic_file_read(file, CONFIG_BYTES_MAX, &text, err) || !read_rules(rules, file, jic_buf_view(&text), err))
		return NULL;
	return JIC_TAKE(rules);
}

/* ---- matching */

static const struct jic_view *matching_name(const struct rule *rule, const struct jic_view *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < rule->patterns_count; p++)
			if (names[i].len <= JIC_CERTIFICATE_NAME_BYTES_MAX &&
			    jic_pattern_match(rule->patterns[p], names[i]))
				return &names[i];
	return NULL;
}

bool jic_certificate_identify(const struct jic_certificate_rules *rules, const struct jic_view *names, size_t count,
                              struct jic_arena *arena, struct jic_identity *out, struct jic_error *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];
		const struct jic_view *name = matching_name(rule, names, count);
		if (!name)
			continue;
		*out = (struct jic_identity){.kind = JIC_IDENTITY_CERTIFICATE,
		                             .name = jic_arena_printf(arena, "cert:" JIC_PRIv, JIC_ARGv(*name)),
		                             .lanes = jic_arena_copy(arena, rule->grant.lanes),
		                             .lane_parent = jic_arena_copy(arena, rule->grant.lane_parent),
		                             .scopes = rule->grant.scopes};
		return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
	}
	return jic_fail(err, JIC_EDENIED, "no rule of tls.clients is for this certificate (" JIC_PRIv ")",
	                JIC_ARGv(count ? names[0] : JIC_VIEW("it has no name")));
}
