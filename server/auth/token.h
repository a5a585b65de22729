/**
 * Tokens: the secrets that writers (and, where asked for, readers) authenticate with, and what each may do.
 *
 * A secret is "jic_" and 64 lower-case hex digits: 32 bytes from the kernel's random source. It is shown once; what is
 * stored is its SHA-256. A plain digest is enough because the secret is random: there is nothing to guess from a
 * dictionary. Scopes and lanes are text in the index, so that its tables need not change with them.
 */
#ifndef JIC_SERVER_AUTH_TOKEN_H
#define JIC_SERVER_AUTH_TOKEN_H

#include "common/buf.h"
#include "common/digest.h"
#include "server/store/index.h"

#define JIC_TOKEN_PREFIX "jic_"
enum { JIC_TOKEN_SECRET_BYTES = 32, JIC_TOKEN_SECRET_TEXT = 4 + 2 * JIC_TOKEN_SECRET_BYTES };

/** A fresh secret, NUL-terminated. @return false with JIC_EIO: the kernel gave no random bytes */
jic_must_check bool jic_token_secret_new(char secret[JIC_TOKEN_SECRET_TEXT + 1], struct jic_error *err);
/** What the index keeps of a secret. @return false: it does not have the form of one */
jic_must_check bool jic_token_secret_hash(struct jic_view secret, struct jic_digest *out);

/** A token's name: like a lane's, without slashes. */
bool jic_token_name_valid(struct jic_view name);

/** "read,write" → enum jic_scope. @return false with JIC_EUSAGE */
jic_must_check bool jic_scopes_parse(struct jic_view text, unsigned *out, struct jic_error *err);
/** The other way round, appended; "none" for 0. */
void jic_scopes_format(unsigned scopes, struct jic_buf *out);

/**
 * Lane patterns: lane names joined by commas, in which "*" stands for any run of characters, slashes too. "main,pr/" +
 * "*".
 * @return false with JIC_EUSAGE for an empty list, an empty pattern or a character that no lane has
 */
jic_must_check bool jic_lane_patterns_check(struct jic_view patterns, struct jic_error *err);
bool jic_lane_patterns_match(struct jic_view patterns, struct jic_view lane);
/** One pattern, and any text. */
bool jic_pattern_match(struct jic_view pattern, struct jic_view name);

/** @return true when the token is past its end */
static inline bool jic_token_expired(const struct jic_token *t, uint64_t now_s)
{
	return t->expires_s != 0 && now_s >= t->expires_s;
}

#endif
