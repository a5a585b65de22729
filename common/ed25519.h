/**
 * Ed25519 (RFC 8032, computed by OpenSSL): keys, their text, signatures.
 *
 * A public key has as many bytes as a digest and the same text (64 hex digits), so it is a struct jic_digest. What
 * people paste into settings is one word:
 *
 *     NAME:ID:HEX     ci-2026:9f2c41d07be85a13:3b6a27bc…
 *
 * NAME is for people. ID is the first 16 hex digits of the SHA-256 of the key's 32 bytes: short enough to be compared
 * by eye, and what finds a mistake in the 64 digits behind it.
 */
#ifndef JIC_COMMON_ED25519_H
#define JIC_COMMON_ED25519_H

#include "common/buf.h"
#include "common/digest.h"

enum {
	JIC_ED25519_BYTES = 64,            /**< of a signature */
	JIC_KEY_ID_TEXT = 16,              /**< hex digits of a key's id */
	JIC_KEY_NAME_BYTES_MAX = 64,       /**< [A-Za-z0-9._@-] */
	JIC_SIGNING_KEY_BYTES_MAX = 16384, /**< a PEM text */
	JIC_KEY_TEXT_BYTES_MAX = JIC_KEY_NAME_BYTES_MAX + 1 + JIC_KEY_ID_TEXT + 1 + JIC_DIGEST_HEX,
};

/* ---- public keys */

struct jic_public_key {
	struct jic_view name; /**< borrowed */
	struct jic_digest key;
};

/** The id of a key, NUL-terminated. */
void jic_key_id(const struct jic_digest *key, char id[JIC_KEY_ID_TEXT + 1]);
bool jic_key_name_valid(struct jic_view name);
/** "NAME:ID:HEX". @return false with JIC_EFORMAT, in words that name the part that is wrong */
jic_must_check bool jic_public_key_parse(struct jic_view text, struct jic_public_key *out, struct jic_error *err);
/** The other way round, appended. */
void jic_public_key_format(const struct jic_public_key *key, struct jic_buf *out);
/** Words of keys separated by white space or commas. @param[out] out `max` of them @return false with JIC_EFORMAT or
 * JIC_ELIMIT */
jic_must_check bool jic_public_keys_parse(struct jic_view text, size_t max, struct jic_public_key *out, size_t *count,
                                          struct jic_error *err);

/* ---- signing */

struct jic_signing_key; /**< a private key; one thread at a time */
/** A new one. @return NULL with JIC_EIO: OpenSSL has no random numbers, or no memory */
struct jic_signing_key *jic_signing_key_new(struct jic_error *err);
/** From PEM (PKCS #8, not encrypted). @return NULL with JIC_EFORMAT */
struct jic_signing_key *jic_signing_key_read(struct jic_view pem, struct jic_error *err);
void jic_signing_key_free(struct jic_signing_key *key);
JIC_DEFINE_AUTO(jic_signing_key, jic_signing_key_free)

/** PKCS #8 in PEM, appended. */
jic_must_check bool jic_signing_key_pem(const struct jic_signing_key *key, struct jic_buf *out, struct jic_error *err);
/** Its public half; lives as long as the key. */
const struct jic_digest *jic_signing_key_public(const struct jic_signing_key *key);

jic_must_check bool jic_ed25519_sign(const struct jic_signing_key *key, struct jic_view message,
                                     uint8_t signature[JIC_ED25519_BYTES], struct jic_error *err);
/** @return false: it is not a signature of this message by this key, whatever the reason */
jic_must_check bool jic_ed25519_verify(const struct jic_digest *key, struct jic_view message,
                                       const uint8_t signature[JIC_ED25519_BYTES]);

#endif
