/* Keys and their text. What a signature proves is tested with what is signed: test_statement.c. */
#include "common/ed25519.h"

#include <criterion/criterion.h>

static struct jic_signing_key *fresh(void)
{
	struct jic_error err = {0};
	struct jic_signing_key *key = jic_signing_key_new(&err);
	cr_assert(key, "%s", err.text);
	return key;
}

Test(ed25519, a_key_survives_its_pem)
{
	JIC_CLEAR(jic_buf) struct jic_buf pem = {0};
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = fresh();
	cr_assert(jic_signing_key_pem(key, &pem, NULL));
	cr_assert(jic_view_starts(jic_buf_view(&pem), JIC_VIEW("-----BEGIN PRIVATE KEY-----\n")));
	JIC_AUTO(jic_signing_key) struct jic_signing_key *again = jic_signing_key_read(jic_buf_view(&pem), NULL);
	cr_assert(again);
	cr_assert(jic_digest_eq(jic_signing_key_public(key), jic_signing_key_public(again)));
}

Test(ed25519, two_new_keys_differ)
{
	JIC_AUTO(jic_signing_key) struct jic_signing_key *a = fresh();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *b = fresh();
	cr_assert(!jic_digest_eq(jic_signing_key_public(a), jic_signing_key_public(b)));
}

Test(ed25519, a_signature_is_of_one_message_and_one_key)
{
	uint8_t signature[JIC_ED25519_BYTES];
	JIC_AUTO(jic_signing_key) struct jic_signing_key *a = fresh();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *b = fresh();
	cr_assert(jic_ed25519_sign(a, JIC_VIEW("words"), signature, NULL));
	cr_assert(jic_ed25519_verify(jic_signing_key_public(a), JIC_VIEW("words"), signature));
	cr_assert(!jic_ed25519_verify(jic_signing_key_public(a), JIC_VIEW("word"), signature));
	cr_assert(!jic_ed25519_verify(jic_signing_key_public(a), JIC_VIEW(""), signature));
	cr_assert(!jic_ed25519_verify(jic_signing_key_public(b), JIC_VIEW("words"), signature));
}

/* Keys of small order verify forged signatures in careless implementations. */
Test(ed25519, a_key_that_is_no_point_verifies_nothing)
{
	uint8_t zeros[JIC_ED25519_BYTES] = {0};
	struct jic_digest ones;
	memset(ones.bytes, 0xff, sizeof ones.bytes);
	cr_assert(!jic_ed25519_verify(&ones, JIC_VIEW("words"), zeros));
}

Test(ed25519, what_is_no_private_key_of_this_kind_is_refused)
{
	static const char *const bad[] = {
	    "",
	    "no PEM",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    /* X25519: another use of the same curve */
	    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIEQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	    "-----END PRIVATE KEY-----\n",
	    /* with a passphrase: must not ask a terminal for it */
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoE\n"
	    "EAAAAAAAAAAAAAAAAAAAAAAEQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	    "AAAAAAAAAAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
	};
	for (size_t i = 0; i < JIC_COUNT(bad); i++) {
		struct jic_error err = {0};
		cr_expect_null(jic_signing_key_read(jic_view_of(bad[i]), &err), "%zu", i);
		cr_expect_eq(err.code, JIC_EFORMAT, "%zu", i);
	}
	jic_autofree char *large = calloc(1, JIC_SIGNING_KEY_BYTES_MAX + 1);
	cr_expect_null(jic_signing_key_read(jic_view_bytes(large, JIC_SIGNING_KEY_BYTES_MAX + 1), NULL));
}

/* ---- the text of a public key */

static void format(const struct jic_public_key *key, struct jic_buf *out)
{
	jic_public_key_format(key, out);
	cr_assert(jic_buf_ok(out, NULL));
}

Test(ed25519, a_public_key_survives_its_text)
{
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = fresh();
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_public_key read;
	struct jic_error err = {0};
	format(&(struct jic_public_key){.name = JIC_VIEW("ci@build-1.example"), .key = *jic_signing_key_public(key)},
	       &text);
	cr_assert_leq(text.len, JIC_KEY_TEXT_BYTES_MAX);
	cr_assert(jic_public_key_parse(jic_buf_view(&text), &read, &err), "%s", err.text);
	cr_assert(jic_view_is(read.name, "ci@build-1.example"));
	cr_assert(jic_digest_eq(&read.key, jic_signing_key_public(key)));
}

Test(ed25519, a_mistake_in_any_digit_of_a_public_key_is_found)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_public_key key = {.name = JIC_VIEW("n"), .key = {{1, 2, 3}}};
	format(&key, &text);
	for (size_t i = 0; i < text.len; i++) {
		const char was = text.ptr[i];
		struct jic_error err = {0};
		text.ptr[i] = was == '0' ? '1' : '0';
		bool accepted = jic_public_key_parse(jic_buf_view(&text), &key, &err);
		cr_expect_eq(accepted, i == 0, "byte %zu: %s", i, err.text); /* the name is free */
		text.ptr[i] = was;
	}
	cr_expect(!jic_public_key_parse(jic_view_head(jic_buf_view(&text), text.len - 1), &key, NULL));
}

Test(ed25519, names_of_keys_are_words)
{
	static const char long_name[] = "12345678901234567890123456789012345678901234567890123456789012345";
	cr_assert(jic_key_name_valid(JIC_VIEW("a.B_c@d-9")));
	cr_assert(!jic_key_name_valid(JIC_VIEW("")));
	cr_assert(!jic_key_name_valid(JIC_VIEW("a b")));
	cr_assert(!jic_key_name_valid(JIC_VIEW("a:b")));
	cr_assert(!jic_key_name_valid(JIC_VIEW("a\0b")));
	cr_assert(!jic_key_name_valid(jic_view_of(long_name)));
	cr_assert(jic_key_name_valid(jic_view_of(long_name + 1)));
}

Test(ed25519, a_list_of_public_keys_is_words)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_public_key keys[2], a = {.name = JIC_VIEW("a"), .key = {{1}}},
				       b = {.name = JIC_VIEW("b"), .key = {{2}}};
	struct jic_error err = {0};
	size_t count = 9;
	cr_assert(jic_public_keys_parse(JIC_VIEW(" \n,"), 2, keys, &count, NULL));
	cr_assert_eq(count, 0);
	jic_buf_puts(&text, " ");
	format(&a, &text);
	jic_buf_puts(&text, ",\n ");
	format(&b, &text);
	cr_assert(jic_public_keys_parse(jic_buf_view(&text), 2, keys, &count, &err), "%s", err.text);
	cr_assert_eq(count, 2);
	cr_assert(jic_digest_eq(&keys[1].key, &b.key));
	cr_assert(!jic_public_keys_parse(jic_buf_view(&text), 1, keys, &count, &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
	jic_buf_puts(&text, " nonsense");
	cr_assert(!jic_public_keys_parse(jic_buf_view(&text), 2, keys, &count, &err));
}
