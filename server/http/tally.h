/**
 * How many of something each address has, with a limit for each. An IPv6 address counts as its /64: that is what one
 * customer has, and counting single addresses would count nothing. Callable from any thread.
 */
#ifndef JIC_SERVER_HTTP_TALLY_H
#define JIC_SERVER_HTTP_TALLY_H

#include "server/http/address.h"

struct jic_tally;

/** @param total_max  how many there are at most of all addresses together; the table is made for that
 *  @param each_max   of one address */
struct jic_tally *jic_tally_new(size_t total_max, unsigned each_max, struct jic_error *err);
void jic_tally_free(struct jic_tally *t);
JIC_DEFINE_AUTO(jic_tally, jic_tally_free)

/** One more. @return false: the address, or all together, have as many as they may; nothing was counted */
jic_must_check bool jic_tally_take(struct jic_tally *t, const struct jic_address *address);
/** One less; must have been taken. */
void jic_tally_give(struct jic_tally *t, const struct jic_address *address);

#endif
