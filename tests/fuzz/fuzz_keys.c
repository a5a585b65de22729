/*
 * Keys as people and CI systems give them. The first byte picks the parser. Properties: an accepted public key is
 * written as it was read; an accepted private key signs, and its public half verifies.
 */
#include "common/ed25519.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS_MAX = 8 };

static void check_public(struct jic_view text)
{
	struct jic_public_key keys[KEYS_MAX], again;
	size_t count;
	if (!jic_public_keys_parse(text, KEYS_MAX, keys, &count, NULL))
		return;
	JIC_ASSERT(count <= KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf written = {0};
		jic_public_key_format(&keys[i], &written);
		JIC_ASSERT(jic_public_key_parse(jic_buf_view(&written), &again, NULL));
		JIC_ASSERT(jic_digest_eq(&again.key, &keys[i].key) && jic_view_eq(again.name, keys[i].name));
		JIC_ASSERT(written.len <= JIC_KEY_TEXT_BYTES_MAX);
	}
}

static void check_private(struct jic_view pem)
{
	uint8_t signature[JIC_ED25519_BYTES];
	struct jic_error err = {0};
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = jic_signing_key_read(pem, &err);
	JIC_ASSERT(key || err.code == JIC_EFORMAT || err.code == JIC_EMEMORY);
	if (key) {
		JIC_ASSERT(jic_ed25519_sign(key, pem, signature, &err));
		JIC_ASSERT(jic_ed25519_verify(jic_signing_key_public(key), pem, signature));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	(data[0] % 2 ? check_public : check_private)(jic_view_bytes(data + 1, size - 1));
	return 0;
}
