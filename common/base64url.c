/* Four characters for three bytes; the last group may be two or three characters. */
#include "common/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* @return −1 for a character that is none */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool jic_base64url_decode(struct jic_view text, struct jic_arena *arena, struct jic_view *out)
{
	char *bytes = text.len % 4 == 1 ? NULL : jic_arena_alloc(arena, text.len / 4 * 3 + 3);
	uint32_t bits = 0;
	size_t len = 0, pending = 0;
	if (!bytes)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.ptr[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		pending += 6;
		if (pending < 8)
			continue;
		pending -= 8;
		bytes[len++] = (char)(bits >> pending & 0xff);
	}
	if (bits & ((1u << pending) - 1))
		return false;
	bytes[len] = '\0';
	*out = jic_view_bytes(bytes, len);
	return true;
}

void jic_base64url_encode(struct jic_view bytes, struct jic_buf *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t bits = 0;
		size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < count ? (uint8_t)bytes.ptr[i + j] : 0);
		for (size_t j = 0; j <= count; j++)
			jic_buf_putc(out, alphabet[bits >> (18 - 6 * j) & 63]);
	}
}
