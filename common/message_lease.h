/**
 * POST /v1/leases: "I compile this, for at most so long". One of the protocol's messages, see message.h.
 */
#ifndef JIC_COMMON_MESSAGE_LEASE_H
#define JIC_COMMON_MESSAGE_LEASE_H

#include "common/message.h"

enum { JIC_LEASE_SECONDS_MAX = 7 * 86400 }; /**< that can be asked for; the server has a lower limit of its own */

struct jic_msg_lease {
	struct jic_view lane;    /**< empty: the server's default */
	uint64_t seconds;        /**< 0: take nothing, only ask */
	bool renews;             /**< `lease` is set, and is to go on for all of its keys; the rest is not */
	struct jic_digest lease; /**< as the server gave it: who knows it, holds it */
	struct jic_view runtime; /**< id */
	struct jic_digest sysimage;
	const struct jic_digest *keys; /**< Merkle keys */
	size_t keys_count;
};

enum jic_lease_state {
	JIC_LEASE_GRANTED, /**< all that is not stored is the asker's to compile */
	JIC_LEASE_HELD,    /**< another compiles some of it; nothing was granted */
	JIC_LEASE_FREE,    /**< nobody compiles any of it; nothing was granted, because `seconds` was 0 */
	JIC_LEASE_STORED,  /**< all of it is in the lane or its parents by now */
	JIC_LEASE_STATES,
};
const char *jic_lease_state_name(enum jic_lease_state state);

struct jic_msg_leased {
	enum jic_lease_state state;
	struct jic_digest lease; /**< GRANTED */
	/** GRANTED: until it ends; HELD: until the last of the others' leases ends, unless it is renewed */
	uint64_t seconds;
	const struct jic_digest *keys; /**< GRANTED, FREE: those that are not stored; HELD: those that others compile */
	size_t keys_count;
	struct jic_view by; /**< HELD: name of the writer whose lease ends last */
};

jic_must_check bool jic_msg_lease_write(const struct jic_msg_lease *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_lease_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_lease *out,
                                       struct jic_error *err);
jic_must_check bool jic_msg_leased_write(const struct jic_msg_leased *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_leased_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_leased *out,
                                        struct jic_error *err);

#endif
