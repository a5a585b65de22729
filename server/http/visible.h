/**
 * The lanes that a caller may look at: those that it may read, and their ancestors, because reading a lane shows these
 * too.
 * `?lane=` narrows them to one.
 */
#ifndef JIC_SERVER_HTTP_VISIBLE_H
#define JIC_SERVER_HTTP_VISIBLE_H

#include "server/http/request.h"
#include "server/store/index_views.h"

struct jic_visible {
	const struct jic_lane *lanes;
	uint64_t *ids;
	size_t count;
	bool all; /**< there is no lane that the caller may not look at: what is told of the whole server tells of no
	             other */
};

/** In the request's arena. @return false: the request is answered (no such lane, or the index failed) */
jic_must_check bool jic_request_visible(struct jic_request *r, struct jic_visible *out);

static inline struct jic_index_lanes jic_visible_lanes(const struct jic_visible *v)
{
	return (struct jic_index_lanes){.ids = v->ids, .count = v->count};
}
/**
 * What is known of the whole server only is for who may look at all its lanes, and for admins: with it others could
 * find out what the rest holds.
 */
bool jic_request_sees_whole(const struct jic_request *r, const struct jic_visible *v);
/** The name of a lane by its number; NULL: not to be seen. */
const struct jic_lane *jic_visible_find(const struct jic_visible *v, uint64_t id);

#endif
