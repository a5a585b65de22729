/* Secrets, scopes and lane patterns: text in, decisions out. No state. */
#include "server/auth/token.h"

#include <errno.h>
#include <sys/random.h>

bool jic_token_secret_new(char secret[JIC_TOKEN_SECRET_TEXT + 1], struct jic_error *err)
{
	uint8_t bytes[JIC_TOKEN_SECRET_BYTES];
	ssize_t got;
	do {
		got = getrandom(bytes, sizeof bytes, 0);
	} while (got < 0 && errno == EINTR);
	/* Up to 256 bytes come whole or not at all (getrandom(2)). */
	if (got != (ssize_t)sizeof bytes)
		return jic_fail_errno(err, JIC_EIO, "getrandom");
	memcpy(secret, JIC_TOKEN_PREFIX, sizeof JIC_TOKEN_PREFIX - 1);
	jic_hex(bytes, sizeof bytes, secret + sizeof JIC_TOKEN_PREFIX - 1);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

bool jic_token_secret_hash(struct jic_view secret, struct jic_digest *out)
{
	const struct jic_view prefix = JIC_VIEW(JIC_TOKEN_PREFIX);
	if (secret.len != JIC_TOKEN_SECRET_TEXT || !jic_view_starts(secret, prefix))
		return false;
	struct jic_digest form;
	if (!jic_digest_parse(jic_view_skip(secret, prefix.len), &form))
		return false;
	jic_sha256_of(secret, out);
	return true;
}

bool jic_token_name_valid(struct jic_view name)
{
	return name.len <= JIC_TOKEN_NAME_BYTES_MAX && jic_lane_name_valid(name) && !memchr(name.ptr, '/', name.len);
}

/* ---- lists joined by commas */

static const struct {
	enum jic_scope scope;
	const char *name;
} scope_names[] = {{JIC_SCOPE_READ, "read"}, {JIC_SCOPE_WRITE, "write"}, {JIC_SCOPE_ADMIN, "admin"}};

static unsigned scope_of(struct jic_view name)
{
	for (size_t i = 0; i < JIC_COUNT(scope_names); i++)
		if (jic_view_is(name, scope_names[i].name))
			return scope_names[i].scope;
	return 0;
}

bool jic_scopes_parse(struct jic_view text, unsigned *out, struct jic_error *err)
{
	struct jic_view name;
	unsigned scopes = 0;
	while (jic_view_split(&text, ',', &name)) {
		unsigned scope = scope_of(name);
		if (!scope)
			return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not one of read, write, admin",
			                JIC_ARGv(name));
		scopes |= scope;
	}
	if (!scopes)
		return jic_fail(err, JIC_EUSAGE, "a token must be allowed something: read, write, admin");
	*out = scopes;
	return true;
}

void jic_scopes_format(unsigned scopes, struct jic_buf *out)
{
	const char *separator = "";
	for (size_t i = 0; i < JIC_COUNT(scope_names); i++) {
		if (!(scopes & (unsigned)scope_names[i].scope))
			continue;
		jic_buf_printf(out, "%s%s", separator, scope_names[i].name);
		separator = ",";
	}
	if (!*separator)
		jic_buf_puts(out, "none");
}

/* ---- lane patterns */

static bool pattern_valid(struct jic_view pattern)
{
	if (pattern.len == 0 || pattern.len > JIC_LANE_NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < pattern.len; i++) {
		/* Any character of a lane's name is a lane's name on its own, but for the dot. */
		char c = pattern.ptr[i];
		bool known = c == '*' || c == '/' || c == '.' || jic_lane_name_valid(jic_view_bytes(&c, 1));
		if (!known)
			return false;
	}
	return true;
}

bool jic_lane_patterns_check(struct jic_view patterns, struct jic_error *err)
{
	struct jic_view pattern;
	if (patterns.len == 0 || patterns.len > JIC_TOKEN_LANES_BYTES_MAX)
		return jic_fail(err, JIC_EUSAGE, "lane patterns must have 1 to %d bytes", JIC_TOKEN_LANES_BYTES_MAX);
	while (jic_view_split(&patterns, ',', &pattern))
		if (!pattern_valid(pattern))
			return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not a lane's name or pattern",
			                JIC_ARGv(pattern));
	return true;
}

/*
 * Not fnmatch(3): its time is exponential in the number of stars, and it knows brackets and backslashes that no lane
 * needs. Here a mismatch goes back to the last star only, which is enough: O(pattern × name).
 */
bool jic_pattern_match(struct jic_view pattern, struct jic_view name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;
	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = n;
		} else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool jic_lane_patterns_match(struct jic_view patterns, struct jic_view lane)
{
	struct jic_view pattern;
	while (jic_view_split(&patterns, ',', &pattern))
		if (pattern.len > 0 && jic_pattern_match(pattern, lane))
			return true;
	return false;
}
