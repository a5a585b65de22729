/*
 * SHA-256 through OpenSSL's SHA256_* functions. They are deprecated since 3.0 in favour of EVP, and kept here on
 * purpose: EVP allocates a context and looks its algorithm up by name, which costs more than hashing a Merkle node's
 * few hundred bytes and can fail. These run the same assembly (SHA-NI, AVX2, ARMv8) on a struct of our own and cannot
 * fail.
 */
#define OPENSSL_API_COMPAT 0x10101000L
#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

_Static_assert(JIC_DIGEST_BYTES == SHA256_DIGEST_LENGTH, "a digest is one SHA-256");

struct jic_sha256 {
	SHA256_CTX ctx;
};

struct jic_sha256 *jic_sha256_new(void)
{
	struct jic_sha256 *h = malloc(sizeof *h);
	if (h)
		SHA256_Init(&h->ctx);
	return h;
}

void jic_sha256_free(struct jic_sha256 *h)
{
	free(h);
}

void jic_sha256_update(struct jic_sha256 *h, const void *bytes, size_t len)
{
	if (len)
		SHA256_Update(&h->ctx, bytes, len);
}

void jic_sha256_final(struct jic_sha256 *h, struct jic_digest *out)
{
	SHA256_Final(out->bytes, &h->ctx);
	SHA256_Init(&h->ctx);
}

void jic_sha256_of(struct jic_view message, struct jic_digest *out)
{
	struct jic_sha256 h;
	SHA256_Init(&h.ctx);
	jic_sha256_update(&h, message.ptr, message.len);
	SHA256_Final(out->bytes, &h.ctx);
}

void jic_digest_hex(const struct jic_digest *d, char hex[JIC_DIGEST_HEX + 1])
{
	jic_hex(d->bytes, sizeof d->bytes, hex);
}

bool jic_digest_parse(struct jic_view hex, struct jic_digest *out)
{
	if (hex.len != JIC_DIGEST_HEX)
		return false;
	for (size_t i = 0; i < hex.len; i++) {
		if (hex.ptr[i] >= 'A' && hex.ptr[i] <= 'F')
			return false;
	}
	return jic_unhex(hex, out->bytes, sizeof out->bytes);
}

bool jic_digest_eq(const struct jic_digest *a, const struct jic_digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int jic_digest_cmp(const struct jic_digest *a, const struct jic_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

void jic_hex(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

/** The value of a digit; 16 for anything else. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool jic_unhex(struct jic_view hex, void *bytes, size_t len)
{
	if (hex.len / 2 != len || hex.len % 2)
		return false;
	/* All digits are looked at before the first byte is written, so that a refusal leaves `bytes` alone. */
	for (size_t i = 0; i < hex.len; i++) {
		if (hex_value(hex.ptr[i]) > 15)
			return false;
	}
	uint8_t *out = bytes;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_value(hex.ptr[2 * i]) << 4 | hex_value(hex.ptr[2 * i + 1]));
	return true;
}
