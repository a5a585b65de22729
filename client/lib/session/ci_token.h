/**
 * Who we are in a job of GitHub Actions with `permissions: id-token: write`: the runner gives a web token for an
 * audience to whoever asks it with what is in the job's environment (ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN). Asked
 * for when a connection needs it, and again when some minutes have passed, as such tokens live for minutes only.
 */
#ifndef JIC_CLIENT_CI_TOKEN_H
#define JIC_CLIENT_CI_TOKEN_H

#include "common/arena.h"

#include <jicache/error.h>

enum { JIC_CI_TOKEN_BYTES_MAX = 16 * 1024, JIC_CI_TOKEN_LIMIT_MS = 5000, JIC_CI_TOKEN_KEPT_S = 120 };

/** What is kept between connections. Callable from any thread. */
struct jic_ci_token;

/** Whether the job's environment has what it takes. */
bool jic_ci_token_possible(void);

/** @param audience  what the token is to be for; copied
 *  @return in the arena; NULL when out of memory */
struct jic_ci_token *jic_ci_token_new(const char *audience, struct jic_arena *arena);

/** @param[out] text  NUL-terminated
 *  @return false with JIC_ENETWORK, JIC_EDENIED (the runner refuses) or JIC_EPROTOCOL */
jic_must_check bool jic_ci_token_get(struct jic_ci_token *t, char text[JIC_CI_TOKEN_BYTES_MAX + 1],
                                     struct jic_error *err);

#endif
