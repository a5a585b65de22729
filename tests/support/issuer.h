/** An OIDC issuer in a test's own process: keys, JWK sets, signed tokens. */
#ifndef JIC_TESTS_ISSUER_H
#define JIC_TESTS_ISSUER_H

#include "common/base64url.h"
#include "server/auth/jwt.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

struct signer {
	enum jic_jws_algorithm algorithm;
	const char *id;
	EVP_PKEY *key;
};

static inline void signer_clear(struct signer *s)
{
	EVP_PKEY_free(s->key);
}

static inline struct signer make_signer(enum jic_jws_algorithm algorithm, const char *id)
{
	struct signer s = {.algorithm = algorithm, .id = id};
	s.key = algorithm == JIC_JWS_RS256 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	cr_assert_not_null(s.key);
	return s;
}

static inline void put_number(struct jic_buf *out, const struct signer *s, const char *name, const char *part, int len)
{
	BIGNUM *n = NULL;
	unsigned char bytes[1024];
	cr_assert(EVP_PKEY_get_bn_param(s->key, part, &n));
	const int used = len ? len : BN_num_bytes(n);
	cr_assert_eq(BN_bn2binpad(n, bytes, used), used);
	BN_free(n);
	jic_buf_printf(out, ",\"%s\":\"", name);
	jic_base64url_encode(jic_view_bytes(bytes, (size_t)used), out);
	jic_buf_putc(out, '"');
}

/** One key of a JWK set, appended; `more` are further members, such as ",\"use\":\"sig\"". */
static inline void put_jwk(struct jic_buf *out, const struct signer *s, const char *more)
{
	bool rsa = s->algorithm == JIC_JWS_RS256;
	jic_buf_printf(out, "{\"kty\":\"%s\",\"kid\":\"%s\"%s", rsa ? "RSA" : "EC", s->id, more);
	if (rsa) {
		put_number(out, s, "n", OSSL_PKEY_PARAM_RSA_N, 0);
		put_number(out, s, "e", OSSL_PKEY_PARAM_RSA_E, 0);
	} else {
		jic_buf_puts(out, ",\"crv\":\"P-256\"");
		put_number(out, s, "x", OSSL_PKEY_PARAM_EC_PUB_X, 32);
		put_number(out, s, "y", OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	}
	jic_buf_putc(out, '}');
}

/** r and s one after the other, in place of DER. */
static inline size_t raw_signature(unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	cr_assert_not_null(pair);
	cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32), 32);
	cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32), 32);
	ECDSA_SIG_free(pair);
	return 64;
}

/** header.payload.signature of any header and payload. */
static inline struct jic_view sign_token(const struct signer *s, const char *header, const char *payload,
                                         struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	unsigned char signature[1024];
	size_t len = sizeof signature;
	jic_base64url_encode(jic_view_of(header), &out);
	jic_buf_putc(&out, '.');
	jic_base64url_encode(jic_view_of(payload), &out);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	cr_assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->key) == 1);
	cr_assert(EVP_DigestSign(context, signature, &len, (const void *)out.ptr, out.len) == 1);
	EVP_MD_CTX_free(context);
	if (s->algorithm == JIC_JWS_ES256)
		len = raw_signature(signature, len);
	jic_buf_putc(&out, '.');
	jic_base64url_encode(jic_view_bytes(signature, len), &out);
	return jic_arena_copy(arena, jic_buf_view(&out));
}

#endif
