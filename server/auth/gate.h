/**
 * The gate: who is asking, and what may they do. Tokens are looked up for every request, so revoking one works at once.
 *
 * Without a token a caller may read when it comes from this machine (unless tokens are required) or when reading is
 * open to everybody; writing always needs a token. A token that is presented is judged even where none is needed: a
 * mistake in it should show. Callable from any thread.
 */
#ifndef JIC_SERVER_AUTH_GATE_H
#define JIC_SERVER_AUTH_GATE_H

#include "common/arena.h"
#include "server/auth/oidc.h"

#include <sys/socket.h>

struct jic_gate;

struct jic_gate_options {
	struct jic_index *index;     /**< borrowed for the gate's life */
	const struct jic_oidc *oidc; /**< borrowed; NULL: no web tokens */
	bool require_token;          /**< readers on this machine need one too */
	bool anonymous_read;         /**< readers elsewhere need none */
};
struct jic_gate *jic_gate_new(const struct jic_gate_options *options, struct jic_error *err);
void jic_gate_free(struct jic_gate *g);
/** Who may read without a token from now on. Any thread. */
void jic_gate_set_readers(struct jic_gate *g, bool require_token, bool anonymous_read);
JIC_DEFINE_AUTO(jic_gate, jic_gate_free)

/** Who is asking, and what is to be written down of it. */
struct jic_caller {
	struct jic_identity id; /**< views are in the arena that was given */
	struct jic_digest hash; /**< JIC_IDENTITY_TOKEN: of the token's secret */
	bool touch_due;         /**< its last use should be written down: call jic_gate_touch() when there is time */
};

/** What a request shows of who sends it. */
struct jic_credentials {
	struct jic_view authorization; /**< the header's value, empty: none */
	/** What the connection's certificate stands for; NULL: there is none. A header that is sent counts alone. */
	const struct jic_identity *certificate;
	bool local; /**< from this machine, see jic_peer_is_local() */
};

/**
 * @return false with JIC_EDENIED (the token is malformed, unknown, revoked or expired) or with what the index says
 */
jic_must_check bool jic_gate_identify(struct jic_gate *g, const struct jic_credentials *c, uint64_t now_s,
                                      struct jic_arena *arena, struct jic_caller *out, struct jic_error *err);

/** Write down that a token was used. Waits for the index's writer: not for a thread that others wait for. */
jic_must_check bool jic_gate_touch(struct jic_gate *g, const struct jic_digest *hash, uint64_t now_s,
                                   struct jic_error *err);

/** A loopback address, IPv4, IPv6 or IPv4 in IPv6. */
bool jic_peer_is_local(const struct sockaddr *peer);

#endif
