/* UTF-8 by the table of well-formed byte sequences; plain ASCII is passed over eight bytes at a time. */
#include "common/utf8.h"

static bool between(uint8_t byte, uint8_t low, uint8_t high)
{
	return byte >= low && byte <= high;
}

/** The range of the second byte depends on the first: that is what excludes overlong forms and surrogates. */
static bool second_byte_fits(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0:
		return between(second, 0xa0, 0xbf);
	case 0xed:
		return between(second, 0x80, 0x9f);
	case 0xf0:
		return between(second, 0x90, 0xbf);
	case 0xf4:
		return between(second, 0x80, 0x8f);
	default:
		return between(second, 0x80, 0xbf);
	}
}

static size_t length_from_first(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (between(first, 0xc2, 0xdf))
		return 2;
	if (between(first, 0xe0, 0xef))
		return 3;
	return between(first, 0xf0, 0xf4) ? 4 : 0;
}

size_t jic_utf8_next(struct jic_view text)
{
	const uint8_t *p = (const uint8_t *)text.ptr;
	if (!text.len)
		return 0;
	size_t len = length_from_first(p[0]);
	if (len > text.len || (len > 1 && !second_byte_fits(p[0], p[1])))
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (!between(p[i], 0x80, 0xbf))
			return 0;
	}
	return len;
}

static size_t ascii_words(const char *p, size_t len)
{
	size_t pos = 0;
	for (; len - pos >= 8; pos += 8) {
		uint64_t word;
		memcpy(&word, p + pos, sizeof word);
		if (word & 0x8080808080808080u)
			break;
	}
	return pos;
}

size_t jic_utf8_valid_len(struct jic_view text)
{
	size_t pos = 0;
	while (pos < text.len) {
		pos += ascii_words(text.ptr + pos, text.len - pos);
		if (pos == text.len)
			break;
		size_t step = jic_utf8_next(jic_view_skip(text, pos));
		if (!step)
			break;
		pos += step;
	}
	return pos;
}

size_t jic_utf8_encode(uint32_t code, char out[4])
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[len] | code);
	return len;
}
