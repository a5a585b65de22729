/**
 * The keys of all issuers, kept by a thread of its own: fetched when the server starts and again after their lifetime,
 * and once more when somebody shows a token with a key that is not known, but never more often than the issuer's
 * interval allows. While an issuer can't be reached its last keys stay good for a day.
 *
 *     request threads ── find a key ──▶ keys (a lock for a moment)
 *                    └── unknown ─────▶ wanted ──▶ keyring thread ── fetch ──▶ keys
 */
#ifndef JIC_SERVER_AUTH_KEYRING_H
#define JIC_SERVER_AUTH_KEYRING_H

#include "common/log.h"
#include "server/auth/issuer.h"
#include "server/auth/jwk.h"

struct jic_keyring;

enum { JIC_KEYS_STALE_MAX_S = 86400 };

/** As jic_discovery_fetch(). */
typedef struct jic_jwk_set *jic_keys_fetch_fn(const struct jic_issuer *issuer, const _Atomic bool *stop,
                                              struct jic_error *err);

struct jic_keyring_options {
	const struct jic_issuers *issuers; /**< borrowed for the keyring's life */
	const struct jic_log *log;         /**< likewise */
	jic_keys_fetch_fn *fetch;
};
/** Starts the thread. */
struct jic_keyring *jic_keyring_new(const struct jic_keyring_options *options, struct jic_error *err);
/** Ends the thread, without waiting for who doesn't answer. Takes NULL. */
void jic_keyring_free(struct jic_keyring *k);
JIC_DEFINE_AUTO(jic_keyring, jic_keyring_free)

/**
 * Check a token's signature by the keys of issuer `i`. Never waits for the network.
 * @return false with JIC_EBUSY (the keys are being fetched: try again), JIC_EDENIED (the issuer has no such key, or the
 * signature is wrong) or JIC_EMEMORY
 */
jic_must_check bool jic_keyring_verify(struct jic_keyring *k, size_t i, const struct jic_jwt *token,
                                       struct jic_error *err);

#endif
