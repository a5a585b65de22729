/* One pass over pattern and value, without backtracking across parts: linear, and no surprise about who took what. */
#include "server/auth/claim.h"

#include "common/buf.h"
#include "common/message.h"
#include "server/auth/token.h"

static struct jic_view capture_name(struct jic_view part, bool *rest)
{
	const struct jic_view inside = jic_view_head(jic_view_skip(part, 1), part.len - 2);
	*rest = jic_view_ends(inside, JIC_VIEW("..."));
	return *rest ? jic_view_head(inside, inside.len - 3) : inside;
}

static bool is_capture(struct jic_view part)
{
	return part.len >= 2 && part.ptr[0] == '{' && part.ptr[part.len - 1] == '}';
}

static bool name_valid(struct jic_view name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return name.len > 0;
}

static size_t find(const struct jic_captures *captures, struct jic_view name)
{
	size_t i = 0;
	while (i < captures->count && !jic_view_eq(captures->list[i].name, name))
		i++;
	return i;
}

static bool add(struct jic_captures *captures, struct jic_view name, struct jic_view value)
{
	if (captures->count == JIC_CAPTURES_MAX)
		return false;
	captures->list[captures->count].name = name;
	captures->list[captures->count++].value = value;
	return true;
}

/* ---- checking */

static bool check_capture(struct jic_view part, bool last, struct jic_captures *captures, struct jic_error *err)
{
	bool rest;
	const struct jic_view name = capture_name(part, &rest);
	if (!name_valid(name))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\": a capture's name is of a-z, 0-9 and _",
		                JIC_ARGv(part));
	if (rest && !last)
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" can only come last", JIC_ARGv(part));
	if (find(captures, name) < captures->count)
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is captured twice", JIC_ARGv(name));
	return add(captures, name, JIC_VIEW("x")) ||
	       jic_fail(err, JIC_EUSAGE, "more than %d captures", JIC_CAPTURES_MAX);
}

static bool check_part(struct jic_view part, bool last, struct jic_captures *captures, struct jic_error *err)
{
	if (is_capture(part))
		return check_capture(part, last, captures, err);
	if (part.len && (memchr(part.ptr, '{', part.len) || memchr(part.ptr, '}', part.len)))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\": a capture is a whole part between slashes",
		                JIC_ARGv(part));
	if (jic_view_is(part, "**") && !last)
		return jic_fail(err, JIC_EUSAGE, "\"**\" can only come last");
	return true;
}

bool jic_claim_pattern_check(struct jic_view pattern, struct jic_captures *captures, struct jic_error *err)
{
	struct jic_view part;
	if (pattern.len == 0 || pattern.len > JIC_CLAIM_PATTERN_BYTES_MAX)
		return jic_fail(err, JIC_EUSAGE, "a pattern has 1 to %d bytes", JIC_CLAIM_PATTERN_BYTES_MAX);
	while (jic_view_split(&pattern, '/', &part))
		if (!check_part(part, pattern.ptr == NULL, captures, err))
			return false;
	return true;
}

bool jic_claim_pattern_begins_fixed(struct jic_view pattern)
{
	struct jic_view part;
	return jic_view_split(&pattern, '/', &part) && part.len > 0 && !is_capture(part) &&
	       !memchr(part.ptr, '*', part.len);
}

/* ---- matching */

/* `value` from this part on. */
static bool match_rest(struct jic_view part, struct jic_view value, struct jic_captures *captures)
{
	bool rest;
	if (jic_view_is(part, "**"))
		return value.len > 0;
	const struct jic_view name = capture_name(part, &rest);
	return jic_lane_name_valid(value) && add(captures, name, value);
}

static bool takes_rest(struct jic_view part)
{
	bool rest = false;
	if (is_capture(part))
		capture_name(part, &rest);
	return rest || jic_view_is(part, "**");
}

static bool match_part(struct jic_view part, struct jic_view value, struct jic_captures *captures)
{
	bool rest;
	if (!is_capture(part))
		return jic_pattern_match(part, value);
	return jic_lane_name_valid(value) && add(captures, capture_name(part, &rest), value);
}

bool jic_claim_match(struct jic_view pattern, struct jic_view value, struct jic_captures *captures)
{
	struct jic_view part, have;
	while (jic_view_split(&pattern, '/', &part)) {
		if (!value.ptr)
			return false;
		if (takes_rest(part))
			return match_rest(part, value, captures);
		if (!jic_view_split(&value, '/', &have) || !match_part(part, have, captures))
			return false;
	}
	return value.ptr == NULL;
}

/* ---- expanding */

bool jic_captures_expand(const struct jic_captures *captures, struct jic_view text, struct jic_arena *arena,
                         struct jic_view *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf expanded = {0};
	while (text.len > 0) {
		const char *open = memchr(text.ptr, '{', text.len);
		const char *close = open ? memchr(open, '}', text.len - (size_t)(open - text.ptr)) : NULL;
		if (!close) {
			jic_buf_putv(&expanded, text);
			break;
		}
		const struct jic_view name = jic_view_bytes(open + 1, (size_t)(close - open) - 1);
		size_t i = find(captures, name);
		if (i == captures->count)
			return jic_fail(err, JIC_EUSAGE, "nothing captures \"" JIC_PRIv "\"", JIC_ARGv(name));
		jic_buf_putv(&expanded, jic_view_head(text, (size_t)(open - text.ptr)));
		jic_buf_putv(&expanded, captures->list[i].value);
		text = jic_view_skip(text, (size_t)(close - text.ptr) + 1);
	}
	*out = jic_arena_copy(arena, jic_buf_view(&expanded));
	return jic_buf_ok(&expanded, err) && (!arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory"));
}
