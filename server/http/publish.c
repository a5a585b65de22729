/* POST /v1/publish: one transaction for a set of artefacts. The store decides; here its verdict gets a status. */
#include "server/auth/token.h"
#include "server/http/handlers.h"
#include "server/http/problem.h"
#include "server/store/activity.h"
#include "server/store/signatures.h"

static enum jic_problem problem_of_outcome(enum jic_publish_outcome outcome)
{
	switch (outcome) {
	case JIC_PUBLISH_SUPERSEDED:
		return JIC_PROBLEM_SUPERSEDED;
	case JIC_PUBLISH_BAD_ARTEFACT:
		return JIC_PROBLEM_BAD_ARTEFACT;
	case JIC_PUBLISH_INCOHERENT:
		return JIC_PROBLEM_INCOHERENT;
	case JIC_PUBLISH_OVER_QUOTA:
		return JIC_PROBLEM_NO_SPACE;
	case JIC_PUBLISH_BLOB_MISSING:
		return JIC_PROBLEM_CONFLICT;
	case JIC_PUBLISH_BAD_SIGNATURE:
		return JIC_PROBLEM_BAD_SIGNATURE;
	case JIC_PUBLISH_RECALLED:
		return JIC_PROBLEM_RECALLED;
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

/* Bytes that the caller neither sees in a lane nor has sent count as not uploaded, stored or not: else publishing a
 * digest that one only knows would make its bytes readable. */
static bool check_blobs(struct jic_request *r, const struct jic_msg_publish *p)
{
	const struct jic_viewer viewer = jic_request_viewer(r);
	struct jic_error err = {0};
	struct jic_digest *digests = jic_arena_array(&r->arena, 2 * p->artefacts_count + 1, sizeof *digests);
	bool *there = jic_arena_array(&r->arena, 2 * p->artefacts_count + 1, sizeof *there);
	if (!digests || !there) {
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
		return false;
	}
	for (size_t i = 0; i < p->artefacts_count; i++) {
		const struct jic_msg_artefact *a = &p->artefacts[i];
		digests[2 * i] = a->ji;
		digests[2 * i + 1] = a->has_image ? a->image : a->ji;
	}
	if (!jic_store_blobs_there(r->service->store, &viewer, digests, 2 * p->artefacts_count, &r->arena, there,
	                           &err)) {
		jic_respond_error(r, &err);
		return false;
	}
	for (size_t i = 0; i < p->artefacts_count; i++) {
		if (there[2 * i] && there[2 * i + 1])
			continue;
		const struct jic_view name = jic_view_head(p->artefacts[i].node.name, 120);
		jic_respond_problem_keys(
		    r, JIC_PROBLEM_CONFLICT, &p->artefacts[i].key, 1,
		    jic_arena_printf(&r->arena, "bytes of " JIC_PRIv " were not uploaded", JIC_ARGv(name)));
		return false;
	}
	return true;
}

/* Lanes whose readers verify: what is not signed would only be in the way of what is. */
static bool check_signed(struct jic_request *r, const struct jic_msg_publish *p)
{
	const struct jic_view lanes = r->service->signed_lanes;
	const struct jic_msg_artefact *unsigned_one = jic_publish_unsigned(p);
	if (!unsigned_one || !lanes.len || !jic_lane_patterns_match(lanes, p->lane))
		return true;
	jic_respond_problem_keys(
	    r, JIC_PROBLEM_BAD_SIGNATURE, &unsigned_one->key, 1,
	    jic_arena_printf(&r->arena,
	                     JIC_PRIv ": the lane " JIC_PRIv
	                              " takes only what is signed: set JICACHE_SIGNING_KEY (see jicache keygen)",
	                     JIC_ARGv(jic_view_head(unsigned_one->node.name, 120)), JIC_ARGv(p->lane)));
	return false;
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
	if (!jic_request_lane_allowed(r, JIC_SCOPE_WRITE, request.lane) || !check_signed(r, &request) ||
	    !check_blobs(r, &request))
		return;
	if (!jic_store_publish(r->service->store, &request, r->caller.id.name, &r->arena, &result, &err))
		jic_respond_error(r, &err);
	else if (result.outcome == JIC_PUBLISH_DONE) {
		jic_activity_published(r->service->store, request.lane, result.published.published_count);
		respond_published(r, &result.published);
	} else {
		jic_respond_problem_keys(r, problem_of_outcome(result.outcome), result.keys, result.keys_count,
		                         result.detail);
	}
}
