/**
 * SHA-256 (FIPS 180-4, computed by OpenSSL) and its lower-case hexadecimal form.
 */
#ifndef JIC_COMMON_DIGEST_H
#define JIC_COMMON_DIGEST_H

#include "common/attr.h"
#include "common/view.h"

enum { JIC_DIGEST_BYTES = 32, JIC_DIGEST_HEX = 64 };

struct jic_digest {
	uint8_t bytes[JIC_DIGEST_BYTES];
};

/** A running SHA-256. Opaque; one thread. */
struct jic_sha256;
struct jic_sha256 *jic_sha256_new(void); /**< NULL when out of memory */
void jic_sha256_free(struct jic_sha256 *h);
JIC_DEFINE_AUTO(jic_sha256, jic_sha256_free)
void jic_sha256_update(struct jic_sha256 *h, const void *bytes, size_t len);
/** Finish and start over: `h` can hash another message afterwards. */
void jic_sha256_final(struct jic_sha256 *h, struct jic_digest *out);

/** The digest of one message. */
void jic_sha256_of(struct jic_view message, struct jic_digest *out);

/** 64 lower-case hex digits and a NUL. */
void jic_digest_hex(const struct jic_digest *d, char hex[JIC_DIGEST_HEX + 1]);
/** Exactly 64 lower-case hex digits; anything else is false and leaves `out` alone. */
jic_must_check bool jic_digest_parse(struct jic_view hex, struct jic_digest *out);
bool jic_digest_eq(const struct jic_digest *a, const struct jic_digest *b); /**< in constant time */
int jic_digest_cmp(const struct jic_digest *a, const struct jic_digest *b);

/** Hex of any bytes, appended lower-case. `out` has room for 2·len + 1. */
void jic_hex(const void *bytes, size_t len, char *out);
/** Exactly 2·len lower- or upper-case hex digits. */
jic_must_check bool jic_unhex(struct jic_view hex, void *bytes, size_t len);

#endif
