/* What several handlers ask of a request: its lane, its digests. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

bool jic_request_lane_allowed(struct jic_request *r, enum jic_scope scope, struct jic_view lane)
{
	if (jic_identity_may_lane(&r->caller.id, scope, lane))
		return true;
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
