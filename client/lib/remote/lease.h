/**
 * A lease, as its holder has it: a thread renews it until it is freed, which gives it back. Whatever fails on the way
 * ends the lease and nothing else: others then compile too.
 */
#ifndef JIC_CLIENT_LEASE_H
#define JIC_CLIENT_LEASE_H

#include "client/lib/remote/transport.h"
#include "client/lib/session/session.h"
#include "common/message_lease.h"

enum { JIC_LEASE_TERM_S = 60 }; /**< so long others wait for a holder that has died */

/**
 * Ask the server for a lease on nodes' keys. Runtime, system image and lane are the session's.
 * @param seconds 0: only ask
 * @param[out] out in the arena
 * @return false: as jic_connection_json(); JIC_ENOTFOUND or JIC_EPROTOCOL of a server that knows no leases
 */
jic_must_check bool jic_lease_ask(const struct jic_session *s, struct jic_connection *c, const struct jic_digest *keys,
                                  size_t count, uint64_t seconds, struct jic_arena *arena, struct jic_msg_leased *out,
                                  struct jic_error *err);

/**
 * Keep what was granted. Freed with jic_lease_free() (jicache/jicache.h).
 * @param s outlives the lease
 * @return NULL: no thread; the lease was given back
 */
struct jic_lease *jic_lease_keep(const struct jic_session *s, const struct jic_msg_leased *granted,
                                 struct jic_error *err);
JIC_DEFINE_AUTO(jic_lease, jic_lease_free)

/** Give back what was granted and is not kept. */
void jic_lease_return(const struct jic_session *s, const struct jic_digest *id);

#endif
