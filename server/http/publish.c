/* POST /v1/publish: one transaction for a set of artefacts. The store decides; here its verdict gets a status. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

static enum jic_problem problem_of_outcome(enum jic_publish_outcome outcome)
{
	switch (outcome) {
	case JIC_PUBLISH_SUPERSEDED:
		return JIC_PROBLEM_SUPERSEDED;
	case JIC_PUBLISH_BAD_ARTEFACT:
		return JIC_PROBLEM_BAD_ARTEFACT;
	case JIC_PUBLISH_INCOHERENT:
		return JIC_PROBLEM_INCOHERENT;
	case JIC_PUBLISH_BLOB_MISSING:
		return JIC_PROBLEM_CONFLICT;
	case JIC_PUBLISH_DONE:
		break;
	}
	return JIC_PROBLEM_INTERNAL;
}

static void respond_published(struct jic_request *r, const struct jic_msg_published *published)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!jic_msg_published_write(published, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "no-store");
}

void jic_handle_publish(struct jic_request *r)
{
	struct jic_msg_publish request;
	struct jic_publish_result result;
	struct jic_error err = {0};
	if (!jic_msg_publish_read(jic_buf_view(&r->body), &r->arena, &request, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	if (request.lane.len == 0)
		request.lane = JIC_VIEW(JIC_LANE_MAIN);
	if (!jic_request_lane_allowed(r, JIC_SCOPE_WRITE, request.lane))
		return;
	if (!jic_store_publish(r->service->store, &request, r->caller.id.name, &r->arena, &result, &err))
		jic_respond_error(r, &err);
	else if (result.outcome == JIC_PUBLISH_DONE)
		respond_published(r, &result.published);
	else
		jic_respond_problem_keys(r, problem_of_outcome(result.outcome), result.keys, result.keys_count,
		                         result.detail);
}
