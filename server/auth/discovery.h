/**
 * How an issuer's keys are found: its discovery document (OpenID Connect Discovery 1.0 §4) names the URL of the key
 * set.
 */
#ifndef JIC_SERVER_AUTH_DISCOVERY_H
#define JIC_SERVER_AUTH_DISCOVERY_H

#include "server/auth/issuer.h"
#include "server/auth/jwk.h"

enum { JIC_DISCOVERY_BYTES_MAX = 64 * 1024, JIC_FETCH_TIMEOUT_MS = 10 * 1000 };

/** "…/.well-known/openid-configuration" */
struct jic_view jic_discovery_url(const struct jic_issuer *issuer, struct jic_arena *arena);

/** @param[out] jwks_uri  one that the issuer may be asked at, in the arena
 *  @return false with JIC_EFORMAT, JIC_ELIMIT, JIC_EMEMORY, or JIC_EDENIED: the document is another issuer's */
jic_must_check bool jic_discovery_read(const struct jic_issuer *issuer, struct jic_view json, struct jic_arena *arena,
                                       struct jic_view *jwks_uri, struct jic_error *err);

/**
 * Fetch the keys, in two requests that follow no redirect, take at most JIC_FETCH_TIMEOUT_MS each and end with `*stop`.
 * Blocks.
 * @return with one reference; NULL with JIC_ENETWORK or what reading says
 */
struct jic_jwk_set *jic_discovery_fetch(const struct jic_issuer *issuer, const _Atomic bool *stop,
                                        struct jic_error *err);

#endif
