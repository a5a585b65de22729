#include "client/lib/julia/slug.h"

#include "common/crc32c.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

void jic_slug(uint32_t x, unsigned chars, char text[JIC_SLUG_CHARS_MAX + 1])
{
	JIC_ASSERT(chars <= JIC_SLUG_CHARS_MAX);
	for (unsigned i = 0; i < chars; i++) {
		text[i] = ALPHABET[x % 62];
		x /= 62;
	}
	text[chars] = '\0';
}

/* Julia checksums the UUID as a UInt128 in memory: 16 bytes, least significant first. */
static uint32_t uuid_crc(struct jic_uuid uuid)
{
	uint8_t bytes[16];
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(uuid.lo >> (8 * i));
		bytes[8 + i] = (uint8_t)(uuid.hi >> (8 * i));
	}
	return jic_crc32c(0, bytes, sizeof(bytes));
}

void jic_package_slug(struct jic_uuid uuid, char text[JIC_SLUG_CHARS_MAX + 1])
{
	jic_slug(uuid_crc(uuid), 5, text);
}

void jic_version_slug(struct jic_uuid uuid, const uint8_t tree_hash[JIC_TREE_HASH_BYTES], unsigned chars,
                      char text[JIC_SLUG_CHARS_MAX + 1])
{
	jic_slug(jic_crc32c(uuid_crc(uuid), tree_hash, JIC_TREE_HASH_BYTES), chars, text);
}
