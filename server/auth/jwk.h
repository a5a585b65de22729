/**
 * Public keys of an issuer (JWK sets, RFC 7517 and RFC 7518 §6), and what they signed. What a key is used for is fixed
 * by the key itself: an RSA key checks RS256 and nothing else, one on P-256 ES256. Constant once read, counted,
 * callable from any thread.
 */
#ifndef JIC_SERVER_AUTH_JWK_H
#define JIC_SERVER_AUTH_JWK_H

#include "server/auth/jwt.h"

enum {
	JIC_JWKS_BYTES_MAX = 256 * 1024,
	JIC_JWKS_KEYS_MAX = 64,
	JIC_JWK_RSA_BITS_MIN = 2048,
	JIC_JWK_RSA_BITS_MAX = 8192, /**< a signature check takes time with the square of it */
};

struct jic_jwk_set;

/**
 * Keys that can't be used here (another type or use, no id, too weak, malformed) are left out, as issuers publish keys
 * for others too; two keys for the same algorithm and id make the set unusable.
 * @return with one reference; NULL with JIC_EFORMAT, JIC_ELIMIT or JIC_EMEMORY
 */
struct jic_jwk_set *jic_jwk_set_read(struct jic_view json, struct jic_error *err);
struct jic_jwk_set *jic_jwk_set_ref(struct jic_jwk_set *s);
void jic_jwk_set_unref(struct jic_jwk_set *s); /**< takes NULL */
JIC_DEFINE_AUTO(jic_jwk_set, jic_jwk_set_unref)

size_t jic_jwk_set_count(const struct jic_jwk_set *s);
bool jic_jwk_set_has(const struct jic_jwk_set *s, enum jic_jws_algorithm algorithm, struct jic_view key_id);

/** Was this signed by the key of the set that it names? @return false with JIC_ENOTFOUND (there is no such key for this
 *  algorithm), JIC_EDENIED (no) or JIC_EMEMORY */
jic_must_check bool jic_jwk_set_verify(const struct jic_jwk_set *s, const struct jic_jwt *token, struct jic_error *err);

#endif
