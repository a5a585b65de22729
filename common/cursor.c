/* Bounds-checked little-endian reads. Every reader of a foreign binary format stands on these. */
#include "common/cursor.h"

static bool take(struct jic_cursor *c, size_t len, const uint8_t **out)
{
	if (len > jic_cursor_left(c))
		return false;
	*out = c->ptr + c->pos;
	c->pos += len;
	return true;
}

static uint64_t little_endian(const uint8_t *bytes, int count)
{
	uint64_t v = 0;
	for (int i = 0; i < count; i++)
		v |= (uint64_t)bytes[i] << (8 * i);
	return v;
}

bool jic_cursor_skip(struct jic_cursor *c, size_t len)
{
	const uint8_t *ignored;
	return take(c, len, &ignored);
}

bool jic_cursor_seek(struct jic_cursor *c, size_t pos)
{
	if (pos > c->len)
		return false;
	c->pos = pos;
	return true;
}

bool jic_cursor_bytes(struct jic_cursor *c, size_t len, struct jic_view *out)
{
	const uint8_t *bytes;
	if (!take(c, len, &bytes))
		return false;
	*out = jic_view_bytes(bytes, len);
	return true;
}

bool jic_cursor_zstring(struct jic_cursor *c, struct jic_view *out)
{
	if (!jic_cursor_left(c))
		return false;
	const uint8_t *start = c->ptr + c->pos;
	const uint8_t *nul = memchr(start, 0, jic_cursor_left(c));
	if (!nul)
		return false;
	*out = jic_view_bytes(start, (size_t)(nul - start));
	c->pos += out->len + 1;
	return true;
}

bool jic_cursor_u8(struct jic_cursor *c, uint8_t *out)
{
	const uint8_t *bytes;
	if (!take(c, 1, &bytes))
		return false;
	*out = bytes[0];
	return true;
}

bool jic_cursor_u16le(struct jic_cursor *c, uint16_t *out)
{
	const uint8_t *bytes;
	if (!take(c, 2, &bytes))
		return false;
	*out = (uint16_t)little_endian(bytes, 2);
	return true;
}

bool jic_cursor_u32le(struct jic_cursor *c, uint32_t *out)
{
	const uint8_t *bytes;
	if (!take(c, 4, &bytes))
		return false;
	*out = (uint32_t)little_endian(bytes, 4);
	return true;
}

bool jic_cursor_i32le(struct jic_cursor *c, int32_t *out)
{
	uint32_t bits;
	if (!jic_cursor_u32le(c, &bits))
		return false;
	memcpy(out, &bits, sizeof bits);
	return true;
}

bool jic_cursor_u64le(struct jic_cursor *c, uint64_t *out)
{
	const uint8_t *bytes;
	if (!take(c, 8, &bytes))
		return false;
	*out = little_endian(bytes, 8);
	return true;
}

bool jic_cursor_f64le(struct jic_cursor *c, double *out)
{
	uint64_t bits;
	if (!jic_cursor_u64le(c, &bits))
		return false;
	memcpy(out, &bits, sizeof bits);
	return true;
}
