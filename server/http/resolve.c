/* POST /v1/resolve: addresses of a whole environment → the coherent sets that exist. */
#include "server/http/handlers.h"
#include "server/http/problem.h"
#include "server/store/activity.h"

void jic_handle_resolve(struct jic_request *r)
{
	struct jic_msg_resolve request;
	struct jic_msg_resolved answer;
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!jic_msg_resolve_read(jic_buf_view(&r->body), &r->arena, &request, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	if (!jic_request_keys_allowed(r, request.keys_count))
		return;
	if (request.lane.len == 0)
		request.lane = JIC_VIEW(JIC_LANE_MAIN);
	if (!jic_request_lane_allowed(r, JIC_SCOPE_READ, request.lane))
		return;
	if (!jic_store_resolve(r->service->store, &request, &r->arena, &answer, &err) ||
	    !jic_msg_resolved_write(&answer, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_activity_asked(r->service->store, &request, &answer, r->caller.id.name);
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "private, no-cache");
}
