/**
 * Whose artefacts this session accepts, and the key that it signs with.
 *
 * With trusted keys nothing is accepted but what one of them signed, address, digests, requirements and all. Who signs
 * verifies too: with a signing key and no trusted keys the only accepted signer is this key, because what a machine
 * compiles on top of foreign artefacts, and then signs, is as good as they are.
 */
#ifndef JIC_CLIENT_TRUST_H
#define JIC_CLIENT_TRUST_H

#include "client/lib/session/settings.h"
#include "common/statement.h"

struct jic_trust {
	struct jic_signing_key *signing_key; /**< owned; NULL: what is published is not signed */
	const struct jic_public_key *keys;   /**< trusted, our own included */
	struct jic_digest *signers;          /**< the same, as a resolve names them */
	size_t count;                        /**< 0: everything is accepted */
};

/** @param arena owns the lists @return false with JIC_ENOTFOUND, JIC_EIO or JIC_EFORMAT: the signing key */
jic_must_check bool jic_trust_load(const struct jic_settings *settings, struct jic_arena *arena, struct jic_trust *out,
                                   struct jic_error *err);
void jic_trust_clear(struct jic_trust *t);

/** Is it one of ours? Always, when everything is accepted. */
bool jic_trust_has(const struct jic_trust *t, const struct jic_digest *key);

/** Who signed an accepted record, for people: "ci-2026 (9f2c41d07be85a13)"; "" where no key was demanded, so that
 * nothing was verified. In the arena. */
struct jic_view jic_trust_signer(const struct jic_trust *t, const struct jic_msg_record *record,
                                 struct jic_arena *arena);

/** Why something was not accepted. */
struct jic_distrusted {
	struct jic_digest key;
	struct jic_view reason; /**< "it is not signed" */
};

/**
 * Take out of an answer what is not signed by a trusted key for the very address that was asked for, with what stands
 * on it.
 * @param resolved its sets are replaced by what is left, positions adjusted
 * @param[out] out what is not accepted, in the arena: what was taken out, and what the server said it left out
 * @return false with JIC_EMEMORY or JIC_EPROTOCOL
 */
jic_must_check bool jic_trust_filter(const struct jic_trust *t, const struct jic_digest *sysimage,
                                     struct jic_arena *arena, struct jic_msg_resolved *resolved,
                                     const struct jic_distrusted **out, size_t *count, struct jic_error *err);

/** Whether one record would be accepted, apart from what it stands on. @return false with JIC_EDENIED and the reason */
jic_must_check bool jic_trust_accepts(const struct jic_trust *t, const struct jic_statement_place *at,
                                      const struct jic_msg_record *record, struct jic_error *err);

#endif
