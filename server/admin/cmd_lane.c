/* jicached lane list|create. */
#include "server/admin/commands.h"

#include "common/json.h"

static bool list_json(const struct jic_lane *lanes, size_t count, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "lanes", '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(&w, NULL, '{');
		jic_json_put_text(&w, "name", lanes[i].name);
		if (lanes[i].parent.len)
			jic_json_put_text(&w, "parent", lanes[i].parent);
		jic_json_put_u64(&w, "created_s", lanes[i].created_s);
		jic_json_close(&w, '}');
	}
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_lane_list(const struct jic_admin *a, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	const struct jic_lane *lanes;
	size_t count;
	if (!index->ops->lane_list(index, a->arena, &lanes, &count, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return list_json(lanes, count, a->out, err);
	jic_buf_printf(a->out, "%-32s %-32s %s\n", "NAME", "PARENT", "CREATED");
	for (size_t i = 0; i < count; i++) {
		jic_buf_printf(a->out, "%-32.*s %-32.*s ", (int)lanes[i].name.len, lanes[i].name.ptr,
		               (int)lanes[i].parent.len, lanes[i].parent.ptr ? lanes[i].parent.ptr : "");
		jic_admin_time(lanes[i].created_s, "-", a->out);
		jic_buf_putc(a->out, '\n');
	}
	return true;
}

bool jic_cmd_lane_create(const struct jic_admin *a, struct jic_error *err)
{
	const char *name = jic_admin_required(a, "name", err);
	if (!name)
		return false;
	const char *parent = jic_options_text(a->options, "parent", "");
	if (!jic_lane_name_valid(jic_view_of(name)))
		return jic_fail(err, JIC_EUSAGE, "--name \"%s\" is not a lane's name", name);
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, true, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	return index->ops->lane_put(index, jic_view_of(name), jic_view_of(parent), jic_admin_now_s(), err);
}
