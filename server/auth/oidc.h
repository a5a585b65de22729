/**
 * Web tokens of CI systems: from the text in a header to an identity. In this order, and each must hold: the token is
 * well formed, its issuer is one of the configuration, its algorithm is one that the issuer may use, a key of the
 * issuer signed it, it is for us, it is valid now, and a rule is for its claims.
 */
#ifndef JIC_SERVER_AUTH_OIDC_H
#define JIC_SERVER_AUTH_OIDC_H

#include "server/auth/issuer.h"
#include "server/auth/keyring.h"

enum { JIC_OIDC_LEEWAY_S = 60 }; /**< by which two clocks may differ */

struct jic_oidc {
	struct jic_issuers *issuers;
	struct jic_keyring *keyring;
};
/** Read the configuration and start to fetch keys.
 *  @param file  as jic_issuers_load(); @param log borrowed until jic_oidc_close()
 *  @return false as jic_issuers_load() does */
jic_must_check bool jic_oidc_open(const char *file, const struct jic_log *log, struct jic_oidc *out,
                                  struct jic_error *err);
void jic_oidc_close(struct jic_oidc *o); /**< {0} is nothing */

/**
 * Callable from any thread, never waits for the network.
 * @param[out] out  views are in the arena
 * @return false with JIC_EDENIED (and why), JIC_EBUSY (the issuer's keys are being fetched) or JIC_EMEMORY
 */
jic_must_check bool jic_oidc_identify(const struct jic_oidc *o, struct jic_view token, uint64_t now_s,
                                      struct jic_arena *arena, struct jic_identity *out, struct jic_error *err);

#endif
