/**
 * JSON web tokens in the compact form (RFC 7519, RFC 7515): read, with nothing believed yet. Whose key signed one is
 * for jwk.h, what its claims mean for oidc.h.
 *
 * Refused already here: anything that is not three parts of strict base64url, algorithms other than the two below
 * ("none" and every HMAC among them), `crit`, names that an object has twice, and tokens over the limit. Header fields
 * that bring or name keys (jwk, jku, x5c, x5u) are not looked at.
 */
#ifndef JIC_SERVER_AUTH_JWT_H
#define JIC_SERVER_AUTH_JWT_H

#include "common/json.h"

enum {
	JIC_JWT_BYTES_MAX = 16 * 1024,
	JIC_JWT_KEY_ID_BYTES_MAX = 256,
	JIC_JWT_CLAIM_BYTES_MAX = 1024,
	JIC_JWT_AUDIENCES_MAX = 16,
};

enum jic_jws_algorithm {
	JIC_JWS_RS256, /**< RSASSA-PKCS1-v1_5 with SHA-256 */
	JIC_JWS_ES256, /**< ECDSA on P-256 with SHA-256 */
	JIC_JWS_COUNT,
};
const char *jic_jws_algorithm_name(enum jic_jws_algorithm a);
/** @return false: another one */
jic_must_check bool jic_jws_algorithm_parse(struct jic_view name, enum jic_jws_algorithm *out);

/** Texts are in the arena that was given. */
struct jic_jwt {
	enum jic_jws_algorithm algorithm;
	struct jic_view key_id;
	struct jic_view signed_part; /**< what the signature is over; borrowed from the token */
	struct jic_view signature;   /**< bytes */

	struct jic_json_doc payload; /**< for jic_jwt_claim() */
	struct jic_view issuer, subject;
	struct jic_view audiences[JIC_JWT_AUDIENCES_MAX];
	size_t audiences_count;
	uint64_t expires_s;    /**< Unix time */
	uint64_t not_before_s; /**< 0: not said */
};

/** Looks like one: to tell it from our own tokens. */
bool jic_jwt_looks_like(struct jic_view token);

/** @param[out] out clear it with jic_jwt_clear(), also after a failure
 *  @return false with JIC_EFORMAT, JIC_ELIMIT, JIC_EUNSUPPORTED (the algorithm) or JIC_EMEMORY */
jic_must_check bool jic_jwt_read(struct jic_view token, struct jic_arena *arena, struct jic_jwt *out,
                                 struct jic_error *err);
void jic_jwt_clear(struct jic_jwt *j);

/** A claim as text: a string, a whole number that is not negative, true or false.
 *  @return false: it is absent, of another kind, or too long */
jic_must_check bool jic_jwt_claim(const struct jic_jwt *j, const char *name, struct jic_view *out);

#endif
