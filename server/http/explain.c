/* POST /v1/explain: the nearest that is stored for each node that missed. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

void jic_handle_explain(struct jic_request *r)
{
	struct jic_msg_explain request;
	struct jic_msg_explained answer;
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!jic_msg_explain_read(jic_buf_view(&r->body), &r->arena, &request, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	if (!jic_request_keys_allowed(r, request.nodes_count + request.known_count))
		return;
	if (request.lane.len == 0)
		request.lane = JIC_VIEW(JIC_LANE_MAIN);
	if (!jic_request_lane_allowed(r, JIC_SCOPE_READ, request.lane))
		return;
	if (!jic_store_explain(r->service->store, &request, &r->arena, &answer, &err) ||
	    !jic_msg_explained_write(&answer, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "private, no-cache");
}
