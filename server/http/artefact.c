/*
 * GET /v1/artefacts/{runtime}/{sysimage}/{merkle}: one record, and its bytes below it. What an address holds can change
 * (a parent lane wins), so unlike blobs these answers are to be revalidated.
 */
#include "server/http/handlers.h"
#include "server/http/problem.h"

#define REVALIDATE "private, no-cache"

static bool find_record(struct jic_request *r, struct jic_msg_record *out, const struct jic_build_id **requires_ids)
{
	struct jic_error err = {0};
	const struct jic_view lane = jic_request_lane(r);
	const struct jic_digest sysimage = jic_request_digest(r, 1), key = jic_request_digest(r, 2);
	if (!jic_request_lane_allowed(r, JIC_SCOPE_READ, lane))
		return false;
	if (jic_store_record(r->service->store, lane, r->parameters[0], &sysimage, &key, &r->arena, out, requires_ids,
	                     &err))
		return true;
	jic_respond_error(r, &err);
	return false;
}

void jic_handle_artefact(struct jic_request *r)
{
	struct jic_msg_record record;
	const struct jic_build_id *requires_ids;
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!find_record(r, &record, &requires_ids))
		return;
	if (!jic_msg_record_write(&record, requires_ids, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", REVALIDATE);
}

void jic_handle_artefact_ji(struct jic_request *r)
{
	struct jic_msg_record record;
	const struct jic_build_id *requires_ids;
	if (find_record(r, &record, &requires_ids))
		jic_respond_blob(r, &record.ji.digest, REVALIDATE);
}

void jic_handle_artefact_image(struct jic_request *r)
{
	struct jic_msg_record record;
	const struct jic_build_id *requires_ids;
	if (!find_record(r, &record, &requires_ids))
		return;
	if (record.has_image)
		jic_respond_blob(r, &record.image.digest, REVALIDATE);
	else
		jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "this artefact has no image");
}
