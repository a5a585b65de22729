/* POST /v1/blobs/missing: which of these have to be uploaded. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

void jic_handle_missing(struct jic_request *r)
{
	const struct jic_digest *digests, *missing;
	size_t count, missing_count;
	const struct jic_viewer viewer = jic_request_viewer(r);
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!jic_msg_digests_read(jic_buf_view(&r->body), "digests", &r->arena, &digests, &count, &err) ||
	    !jic_store_blobs_missing(r->service->store, &viewer, digests, count, &r->arena, &missing, &missing_count,
	                             &err) ||
	    !jic_msg_digests_write("missing", missing, missing_count, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "no-store");
}
