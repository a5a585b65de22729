/* SHA-256 against the examples of FIPS 180-4, and hexadecimal. */
#include "common/digest.h"

#include <criterion/criterion.h>

static const char hex_of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char hex_of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void expect_hex(const struct jic_digest *d, const char *expected)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	cr_expect_str_eq(hex, expected);
}

Test(digest, agrees_with_the_published_examples)
{
	struct jic_digest d;
	jic_sha256_of(JIC_VIEW("abc"), &d);
	expect_hex(&d, hex_of_abc);
	jic_sha256_of((struct jic_view){0}, &d);
	expect_hex(&d, hex_of_nothing);
	jic_sha256_of(JIC_VIEW("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &d);
	expect_hex(&d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(digest, of_a_million_letters_in_uneven_pieces_is_the_published_one)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	char letters[997];
	struct jic_digest d;
	cr_assert_not_null(h);
	memset(letters, 'a', sizeof letters);
	for (size_t left = 1000000, piece = 0; left; left -= piece) {
		piece = left < sizeof letters ? left : sizeof letters;
		jic_sha256_update(h, letters, piece);
	}
	jic_sha256_final(h, &d);
	expect_hex(&d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(digest, a_finished_hash_starts_over)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	struct jic_digest d;
	cr_assert_not_null(h);
	jic_sha256_update(h, "something else", 14);
	jic_sha256_final(h, &d);
	jic_sha256_update(h, "abc", 3);
	jic_sha256_update(h, NULL, 0);
	jic_sha256_final(h, &d);
	expect_hex(&d, hex_of_abc);
}

Test(digest, parse_takes_exactly_64_lower_case_digits)
{
	struct jic_digest d, untouched;
	memset(&d, 0x55, sizeof d);
	untouched = d;
	static const char *const bad[] = {
	    "",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
	    "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ",
	    "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	for (size_t i = 0; i < JIC_COUNT(bad); i++) {
		cr_expect_not(jic_digest_parse(jic_view_of(bad[i]), &d), "%s", bad[i]);
		cr_expect(jic_digest_eq(&d, &untouched), "%s", bad[i]);
	}
	cr_assert(jic_digest_parse(jic_view_of(hex_of_abc), &d));
	expect_hex(&d, hex_of_abc);
}

Test(digest, compares_bytewise)
{
	struct jic_digest a = {{0}}, b = {{0}};
	b.bytes[31] = 1;
	cr_expect_lt(jic_digest_cmp(&a, &b), 0);
	cr_expect_gt(jic_digest_cmp(&b, &a), 0);
	cr_expect_not(jic_digest_eq(&a, &b));
	b.bytes[31] = 0;
	cr_expect_eq(jic_digest_cmp(&a, &b), 0);
	cr_expect(jic_digest_eq(&a, &b));
}

Test(digest, hex_reads_back_every_byte_in_either_case)
{
	uint8_t bytes[256], back[256];
	char hex[513];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	jic_hex(bytes, sizeof bytes, hex);
	cr_assert(jic_unhex(jic_view_of(hex), back, sizeof back));
	cr_expect_arr_eq(bytes, back, sizeof bytes);
	cr_assert(jic_unhex(JIC_VIEW("aBCdeF"), back, 3));
	cr_expect(back[0] == 0xab && back[1] == 0xcd && back[2] == 0xef);
}

Test(digest, unhex_refuses_another_length_and_other_characters)
{
	uint8_t back[4] = {1, 2, 3, 4};
	cr_expect_not(jic_unhex(JIC_VIEW("0011"), back, 4));
	cr_expect_not(jic_unhex(JIC_VIEW("001122334"), back, 4));
	cr_expect_not(jic_unhex(JIC_VIEW("0011223/"), back, 4));
	cr_expect_not(jic_unhex(JIC_VIEW("0011223:"), back, 4));
	cr_expect(back[0] == 1 && back[3] == 4);
	cr_expect(jic_unhex((struct jic_view){0}, back, 0));
}
