/*
 * What a caller sends to say who it is, and the patterns that say what it may. The first byte picks the parser.
 * Properties: only secrets of our form have a hash; checked patterns match the lanes that they are names of.
 */
#include "server/auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_secret(struct jic_view text)
{
	struct jic_digest hash;
	if (jic_token_secret_hash(text, &hash))
		JIC_ASSERT(text.len == JIC_TOKEN_SECRET_TEXT && jic_view_starts(text, JIC_VIEW(JIC_TOKEN_PREFIX)));
}

static void check_patterns(struct jic_view text)
{
	if (!jic_lane_patterns_check(text, NULL))
		return;
	JIC_ASSERT(text.len);
	if (jic_lane_name_valid(text))
		JIC_ASSERT(jic_lane_patterns_match(text, text));
	(void)jic_lane_patterns_match(text,
	                              JIC_VIEW("pr/12/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}

static void check_scopes(struct jic_view text)
{
	unsigned scopes;
	if (jic_scopes_parse(text, &scopes, NULL))
		JIC_ASSERT(scopes && !(scopes & ~(unsigned)(JIC_SCOPE_READ | JIC_SCOPE_WRITE | JIC_SCOPE_ADMIN)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct jic_view) = {check_secret, check_patterns, check_scopes};
	if (size)
		checks[data[0] % JIC_COUNT(checks)](jic_view_bytes(data + 1, size - 1));
	return 0;
}
