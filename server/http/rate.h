/**
 * How much one caller may ask for: requests in a minute, bytes of uploads in a day. A caller is an identity, or without
 * one an address (of an IPv6 address its /64). Kept in memory alone, for the callers that were seen last; a restart
 * begins anew. Callable from any thread.
 */
#ifndef JIC_SERVER_HTTP_RATE_H
#define JIC_SERVER_HTTP_RATE_H

#include "server/auth/identity.h"

struct jic_rate;

struct jic_rate_options {
	uint64_t requests_per_minute;           /**< of one identity; 0: no limit */
	uint64_t anonymous_requests_per_minute; /**< of one address; 0: no limit */
	uint64_t upload_bytes_per_day;          /**< of one identity; 0: no limit */
};
struct jic_rate *jic_rate_new(const struct jic_rate_options *options, struct jic_error *err);
void jic_rate_free(struct jic_rate *r);
JIC_DEFINE_AUTO(jic_rate, jic_rate_free)

/** Who asks. */
struct jic_rate_caller {
	struct jic_view name; /**< of the identity; empty: the address counts */
	struct jic_view peer; /**< address or other text, as the log has it */
};

/**
 * One request more. Up to a minute's worth may come at once.
 * @return 0: go on; else in how many seconds the next one may come
 */
unsigned jic_rate_request(struct jic_rate *r, const struct jic_rate_caller *caller, uint64_t now_ms);
/** Bytes of an upload. The day begins with the first of them. @return as above */
unsigned jic_rate_upload(struct jic_rate *r, const struct jic_rate_caller *caller, uint64_t bytes, uint64_t now_ms);

#endif
