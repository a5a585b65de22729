/**
 * Leases: "I compile this, for at most so long", so that of many machines that start together each compiles what no
 * other does. They are a help and decide nothing: who publishes first wins, with a lease or without.
 *
 * A set of keys is granted whole or not at all, in one transaction: a machine that holds something never waits, so two
 * whose environments overlap can't wait for each other. In the way are leases of the same lane and of its ancestors,
 * because what is published there is for this lane too; leases of other lanes neither are nor can be seen.
 *
 * Stored is a key that a reader of the lane is offered. Publishing takes no notice of leases: what is stored is no
 * longer anybody's to compile.
 */
#ifndef JIC_SERVER_STORE_LEASE_H
#define JIC_SERVER_STORE_LEASE_H

#include "common/message_lease.h"
#include "server/store/store.h"

struct jic_lease_limits {
	uint64_t term_s_max;     /**< from being granted or renewed to the end */
	uint64_t age_s_max;      /**< from being granted to the last end */
	uint64_t per_writer_max; /**< at a time */
};

struct jic_lease_asker {
	struct jic_view writer;      /**< name of who asks; may be empty when nothing is taken */
	const struct jic_digest *id; /**< unguessable: what a new lease will be known by; NULL: nothing is taken */
};

struct jic_lease_result {
	bool too_many; /**< the writer holds as many as it may; there is no answer */
	struct jic_msg_leased answer;
};

/**
 * Ask, take or renew. The answer is in the arena, with borrowed keys.
 * @param request `lane` is not empty, `seconds` is what `id` says: 0 for none
 * @return false with JIC_ENOTFOUND (no such lane; nothing that could be renewed: it has ended), JIC_EUSAGE (a renewal
 * for 0 seconds) or what the index says
 */
jic_must_check bool jic_store_lease(struct jic_store *s, const struct jic_msg_lease *request,
                                    const struct jic_lease_asker *asker, const struct jic_lease_limits *limits,
                                    struct jic_arena *arena, struct jic_lease_result *out, struct jic_error *err);

/** The lane of a lease that has not ended. In the arena. JIC_ENOTFOUND. */
jic_must_check bool jic_store_lease_lane(struct jic_store *s, const struct jic_digest *id, struct jic_arena *arena,
                                         struct jic_view *lane, struct jic_error *err);
/** End one before its time. JIC_ENOTFOUND. */
jic_must_check bool jic_store_lease_end(struct jic_store *s, const struct jic_digest *id, struct jic_error *err);

#endif
