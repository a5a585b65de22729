/* What several handlers ask of a request: its lane, its digests. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

#include <time.h>

enum { LANES_MADE_MAX = 16384 }; /* with so many, lanes are no longer made by asking for them */

static bool has_room(struct jic_request *r, struct jic_index *index, struct jic_error *err)
{
	const struct jic_lane *lanes;
	size_t count;
	if (!index->ops->lane_list(index, &r->arena, &lanes, &count, err))
		return false;
	return count < LANES_MADE_MAX ||
	       jic_fail(err, JIC_EDENIED, "there are %zu lanes already: jicached lane drop", count);
}

static bool make_lane(struct jic_request *r, struct jic_index *index, struct jic_view lane, struct jic_error *err)
{
	const struct jic_view parent = r->caller.id.lane_parent;
	struct jic_error why = {0};
	if (!has_room(r, index, err))
		return false;
	/* Somebody else may have made it just now. */
	if (index->ops->lane_put(index, lane, parent, (uint64_t)time(NULL), &why) || why.code == JIC_ECONFLICT) {
		jic_log_info(r->service->log, "lane.make", JIC_STRV("lane", lane), JIC_STRV("parent", parent),
		             JIC_STRV("by", r->caller.id.name));
		return true;
	}
	*err = why;
	return false;
}

/* The lane of a pull request need not be made by a person: whose identity names a parent, makes it by using it. */
static bool ensure_lane(struct jic_request *r, struct jic_view lane)
{
	struct jic_index *index = jic_store_index(r->service->store);
	struct jic_error err = {0};
	struct jic_lane found;
	if (r->caller.id.lane_parent.len == 0 || !jic_identity_may_lane(&r->caller.id, JIC_SCOPE_WRITE, lane) ||
	    index->ops->lane_find(index, lane, &r->arena, &found, &err))
		return true;
	if (err.code == JIC_ENOTFOUND && make_lane(r, index, lane, &err))
		return true;
	jic_respond_error(r, &err);
	return false;
}

bool jic_request_lane_allowed(struct jic_request *r, enum jic_scope scope, struct jic_view lane)
{
	if (jic_identity_may_lane(&r->caller.id, scope, lane))
		return ensure_lane(r, lane);
	const char *verb = scope == JIC_SCOPE_WRITE ? "write to" : "read";
	jic_respond_problem(r, JIC_PROBLEM_FORBIDDEN, "the token may not %s the lane \"" JIC_PRIv "\"", verb,
	                    JIC_ARGv(lane));
	return false;
}

struct jic_digest jic_request_digest(const struct jic_request *r, size_t parameter)
{
	struct jic_digest digest;
	bool valid = jic_digest_parse(r->parameters[parameter], &digest);
	JIC_ASSERT(valid);
	return digest;
}
