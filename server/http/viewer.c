/* What of the stored bytes is there for the caller: what its lanes refer to, and what it has sent itself. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

/* Whoever may write a lane needs to know what it has: what is in it need not be sent again. */
static bool reaches(const void *context, struct jic_view lane)
{
	const struct jic_identity *id = context;
	return jic_identity_may_lane(id, JIC_SCOPE_READ, lane) || jic_identity_may_lane(id, JIC_SCOPE_WRITE, lane);
}

struct jic_viewer jic_request_viewer(const struct jic_request *r)
{
	const struct jic_identity *id = &r->caller.id;
	if (id->kind == JIC_IDENTITY_NONE)
		return (struct jic_viewer){0};
	return (struct jic_viewer){.holder = id->name, .reaches = reaches, .context = id};
}

bool jic_request_blob_there(struct jic_request *r, const struct jic_digest *digest, bool *there)
{
	const struct jic_viewer viewer = jic_request_viewer(r);
	struct jic_error err = {0};
	if (jic_store_blobs_there(r->service->store, &viewer, digest, 1, &r->arena, there, &err))
		return true;
	jic_respond_error(r, &err);
	return false;
}
