/* The canonical text form of a UUID, read into and written from its two halves. */
#include "common/uuid.h"
#include "common/digest.h"

/** Byte offsets of the four dashes in 8-4-4-4-12. */
static const size_t dash_at[] = {8, 13, 18, 23};

static bool without_dashes(struct jic_view text, char digits[32])
{
	size_t dashes = 0, count = 0;
	for (size_t i = 0; i < JIC_UUID_TEXT; i++) {
		bool dash_here = dashes < JIC_COUNT(dash_at) && i == dash_at[dashes];
		if (dash_here != (text.ptr[i] == '-'))
			return false;
		if (dash_here)
			dashes++;
		else
			digits[count++] = text.ptr[i];
	}
	return true;
}

static uint64_t big_endian(const uint8_t bytes[8])
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

bool jic_uuid_parse(struct jic_view text, struct jic_uuid *out)
{
	char digits[32];
	uint8_t bytes[16];
	if (text.len != JIC_UUID_TEXT || !without_dashes(text, digits))
		return false;
	if (!jic_unhex(jic_view_bytes(digits, sizeof digits), bytes, sizeof bytes))
		return false;
	*out = (struct jic_uuid){.hi = big_endian(bytes), .lo = big_endian(bytes + 8)};
	return true;
}

void jic_uuid_format(struct jic_uuid u, char text[JIC_UUID_TEXT + 1])
{
	static const char digits[] = "0123456789abcdef";
	size_t dashes = 0;
	unsigned nibble = 0;
	for (size_t i = 0; i < JIC_UUID_TEXT; i++) {
		if (dashes < JIC_COUNT(dash_at) && i == dash_at[dashes]) {
			text[i] = '-';
			dashes++;
			continue;
		}
		uint64_t half = nibble < 16 ? u.hi : u.lo;
		text[i] = digits[half >> (60 - 4 * (nibble % 16)) & 15];
		nibble++;
	}
	text[JIC_UUID_TEXT] = '\0';
}
