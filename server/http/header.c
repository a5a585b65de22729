/* Header fields of RFC 9110. Lists are walked in place; nothing is copied. */
#include "server/http/header.h"

#include "common/options.h"

#include <strings.h>

/* ---- small pieces */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct jic_view trim(struct jic_view v)
{
	while (v.len > 0 && is_space(v.ptr[0]))
		v = jic_view_skip(v, 1);
	while (v.len > 0 && is_space(v.ptr[v.len - 1]))
		v.len--;
	return v;
}

/* Cut at the first `separator`: what is before it comes back, `rest` keeps what is behind it. */
static struct jic_view cut(struct jic_view *rest, char separator)
{
	const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	struct jic_view head = jic_view_head(*rest, at ? (size_t)(at - rest->ptr) : rest->len);
	*rest = jic_view_skip(*rest, at ? head.len + 1 : head.len);
	return trim(head);
}

static bool same_word(struct jic_view v, const char *word)
{
	return v.len == strlen(word) && strncasecmp(v.ptr ? v.ptr : "", word, v.len) == 0;
}

/* ---- Accept-Encoding */

/* "0", "0.", "0.0", "0.00", "0.000" (§12.4.2) */
static bool weight_is_zero(struct jic_view q)
{
	for (size_t i = 0; i < q.len; i++)
		if (q.ptr[i] != '0' && !(i == 1 && q.ptr[i] == '.'))
			return false;
	return q.len > 0;
}

static bool parameters_refuse(struct jic_view parameters)
{
	while (parameters.len > 0) {
		struct jic_view value = cut(&parameters, ';');
		struct jic_view name = cut(&value, '=');
		if (same_word(name, "q"))
			return weight_is_zero(trim(value));
	}
	return false;
}

bool jic_http_accepts_zstd(struct jic_view accept_encoding)
{
	while (accept_encoding.len > 0) {
		struct jic_view element = cut(&accept_encoding, ',');
		struct jic_view coding = cut(&element, ';');
		if (same_word(coding, "zstd"))
			return !parameters_refuse(element);
	}
	return false;
}

/* ---- Range */

static struct jic_range suffix_range(struct jic_view digits, uint64_t size)
{
	uint64_t len;
	if (!jic_parse_u64(digits, UINT64_MAX, &len))
		return (struct jic_range){.kind = JIC_RANGE_NONE};
	if (len == 0 || size == 0)
		return (struct jic_range){.kind = JIC_RANGE_UNSATISFIABLE};
	if (len > size)
		len = size;
	return (struct jic_range){.kind = JIC_RANGE_ONE, .first = size - len, .len = len};
}

struct jic_range jic_http_range(struct jic_view range, uint64_t size)
{
	const struct jic_range none = {.kind = JIC_RANGE_NONE};
	struct jic_view unit = cut(&range, '=');
	if (!same_word(unit, "bytes") || range.len == 0 || memchr(range.ptr, ',', range.len) ||
	    !memchr(range.ptr, '-', range.len))
		return none;
	struct jic_view from = cut(&range, '-');
	struct jic_view to = trim(range);
	if (from.len == 0)
		return suffix_range(to, size);
	uint64_t first, last = UINT64_MAX;
	if (!jic_parse_u64(from, UINT64_MAX, &first) || (to.len > 0 && !jic_parse_u64(to, UINT64_MAX, &last)) ||
	    last < first)
		return none;
	if (first >= size)
		return (struct jic_range){.kind = JIC_RANGE_UNSATISFIABLE};
	if (last >= size)
		last = size - 1;
	return (struct jic_range){.kind = JIC_RANGE_ONE, .first = first, .len = last - first + 1};
}

/* ---- entity tags */

void jic_http_etag(const struct jic_digest *digest, bool zstd, char tag[JIC_ETAG_TEXT + 1])
{
	tag[0] = '"';
	jic_digest_hex(digest, tag + 1);
	const char *end = zstd ? "-zst\"" : "\"";
	memcpy(tag + 1 + JIC_DIGEST_HEX, end, strlen(end) + 1);
}

bool jic_http_none_match(struct jic_view if_none_match, struct jic_view etag)
{
	/* Tags of ours contain no comma, so that cutting there can't invent one. */
	while (if_none_match.len > 0) {
		struct jic_view tag = cut(&if_none_match, ',');
		if (jic_view_is(tag, "*"))
			return true;
		if (jic_view_starts(tag, JIC_VIEW("W/")))
			tag = jic_view_skip(tag, 2);
		if (jic_view_eq(tag, etag))
			return true;
	}
	return false;
}

bool jic_http_if_range(struct jic_view if_range, struct jic_view etag)
{
	return if_range.len == 0 || jic_view_eq(trim(if_range), etag);
}

/* ---- the rest */

bool jic_http_media_type_is(struct jic_view content_type, const char *type)
{
	return same_word(cut(&content_type, ';'), type);
}

/* @param path slashes separate segments, and a backslash may do so somewhere behind */
static bool decode(struct jic_view text, bool path, char *out, size_t *len)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool encoded = c == '%';
		if (encoded && (text.len - i < 3 || !jic_unhex(jic_view_bytes(text.ptr + i + 1, 2), &c, 1)))
			return false;
		i += encoded ? 2 : 0;
		/* What separates segments must be seen before decoding, not after. */
		if (c < 0x20 || c == 0x7f || (path && (c == '\\' || (encoded && c == '/'))))
			return false;
		out[n++] = (char)c;
	}
	*len = n;
	return true;
}

bool jic_http_percent_decode(struct jic_view text, char *out, size_t *len)
{
	return decode(text, true, out, len);
}

bool jic_http_query_decode(struct jic_view text, char *out, size_t *len)
{
	return decode(text, false, out, len);
}
