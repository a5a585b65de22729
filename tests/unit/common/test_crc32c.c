/* CRC-32C: published values, and every way to compute it gives the same. */
#include "common/crc32c.h"
#include "common/attr.h"

#include <criterion/criterion.h>
#include <string.h>

enum { BYTES = 300000 };

/** The definition, one bit at a time. */
static uint32_t bit_by_bit(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static uint8_t *random_bytes(void)
{
	uint64_t state = 1;
	uint8_t *bytes = malloc(BYTES);
	cr_assert_not_null(bytes);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)next_random(&state);
	return bytes;
}

Test(crc32c, agrees_with_rfc_3720)
{
	uint8_t bytes[32];
	cr_expect_eq(jic_crc32c(0, "123456789", 9), 0xe3069283u);
	cr_expect_eq(jic_crc32c_portable(0, "123456789", 9), 0xe3069283u);
	memset(bytes, 0, sizeof bytes);
	cr_expect_eq(jic_crc32c(0, bytes, sizeof bytes), 0x8a9136aau);
	memset(bytes, 0xff, sizeof bytes);
	cr_expect_eq(jic_crc32c(0, bytes, sizeof bytes), 0x62a8ab43u);
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	cr_expect_eq(jic_crc32c(0, bytes, sizeof bytes), 0x46dd794eu);
}

Test(crc32c, both_variants_agree_with_the_definition_at_any_length_and_alignment)
{
	jic_autofree uint8_t *bytes = random_bytes();
	uint64_t state = 2;
	for (size_t len = 0; len < 600; len++) {
		const uint8_t *p = bytes + len % 17;
		uint32_t start = next_random(&state), expected = bit_by_bit(start, p, len);
		cr_expect_eq(jic_crc32c(start, p, len), expected, "length %zu", len);
		cr_expect_eq(jic_crc32c_portable(start, p, len), expected, "length %zu", len);
	}
}

Test(crc32c, variants_agree_around_the_lengths_where_streams_are_joined)
{
	jic_autofree uint8_t *bytes = random_bytes();
	static const size_t joins[] = {3 * 1024, 6 * 1024, 3 * 8192, 3 * 8192 + 3 * 1024, 6 * 8192 + 6 * 1024};
	for (size_t i = 0; i < JIC_COUNT(joins); i++) {
		for (size_t len = joins[i] - 9; len <= joins[i] + 9; len++) {
			const uint8_t *p = bytes + len % 8;
			uint32_t expected = bit_by_bit(0xabcd, p, len);
			cr_expect_eq(jic_crc32c(0xabcd, p, len), expected, "length %zu", len);
			cr_expect_eq(jic_crc32c_portable(0xabcd, p, len), expected, "length %zu", len);
		}
	}
}

Test(crc32c, continuing_is_the_same_as_doing_it_at_once)
{
	jic_autofree uint8_t *bytes = random_bytes();
	uint64_t state = 3;
	uint32_t whole = jic_crc32c(0, bytes, BYTES);
	for (int i = 0; i < 300; i++) {
		size_t cut = next_random(&state) % BYTES;
		uint32_t first = jic_crc32c(0, bytes, cut);
		cr_expect_eq(jic_crc32c(first, bytes + cut, BYTES - cut), whole, "cut at %zu", cut);
	}
}
