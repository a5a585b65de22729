/* GET /v1/info: what this server is, and what the caller sees of it. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

static bool visible_lanes(struct jic_request *r, struct jic_msg_info *info, struct jic_error *err)
{
	struct jic_index *index = jic_store_index(r->service->store);
	const struct jic_lane *lanes;
	size_t count;
	if (!index->ops->lane_list(index, &r->arena, &lanes, &count, err))
		return false;
	struct jic_view *names = jic_arena_array(&r->arena, count, sizeof *names);
	if (!names)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (jic_identity_may_lane(&r->caller.id, JIC_SCOPE_READ, lanes[i].name) ||
		    jic_identity_may_lane(&r->caller.id, JIC_SCOPE_WRITE, lanes[i].name))
			names[info->lanes_count++] = lanes[i].name;
	info->lanes = names;
	return true;
}

void jic_handle_info(struct jic_request *r)
{
	struct jic_msg_info info = {
	    .server = JIC_VIEW("jicached " JIC_VERSION),
	    .protocol = JIC_PROTOCOL_VERSION,
	    .keys_max = r->service->keys_max,
	    .blob_bytes_max = r->service->blob_bytes_max,
	    .body_bytes_max = r->service->body_bytes_max,
	    .can_write = jic_identity_may_lane(&r->caller.id, JIC_SCOPE_WRITE, JIC_VIEW(JIC_LANE_MAIN)),
	};
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!visible_lanes(r, &info, &err) || !jic_msg_info_write(&info, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "private, no-cache");
}
