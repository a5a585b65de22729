/* jicached lane list|create|promote|drop. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/store/evict.h"
#include "server/store/lane_change.h"

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
		jic_json_put_u64(&w, "stored_bytes", lanes[i].stored_bytes);
		if (lanes[i].quota_bytes)
			jic_json_put_u64(&w, "quota_bytes", lanes[i].quota_bytes);
		if (lanes[i].max_age_s)
			jic_json_put_u64(&w, "max_age_s", lanes[i].max_age_s);
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

/* Limits as options give them; what they don't give stays. */
static bool read_limits(const struct jic_admin *a, uint64_t *quota_bytes, uint64_t *max_age_s, struct jic_error *err)
{
	const char *quota = jic_options_text(a->options, "quota", NULL);
	const char *age = jic_options_text(a->options, "max-age", NULL);
	if (quota && !jic_parse_bytes(jic_view_of(quota), UINT64_C(1) << 56, quota_bytes))
		return jic_fail(err, JIC_EUSAGE, "--quota \"%s\" is no number of bytes, as 500M or 20G", quota);
	return !age || jic_parse_duration(jic_view_of(age), 3650 * UINT64_C(86400), max_age_s) ||
	       jic_fail(err, JIC_EUSAGE, "--max-age \"%s\" is no time, as 12h or 14d", age);
}

bool jic_cmd_lane_limit(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_lane lane;
	const char *name = jic_admin_required(a, "name", err);
	uint64_t quota_bytes = 0, max_age_s = 0;
	if (!name || !read_limits(a, &quota_bytes, &max_age_s, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	struct jic_index *index = store ? jic_store_index(store) : NULL;
	return index && index->ops->lane_find(index, jic_view_of(name), a->arena, &lane, err) &&
	       read_limits(a, &lane.quota_bytes, &lane.max_age_s, err) &&
	       index->ops->lane_limit(index, lane.name, lane.quota_bytes, lane.max_age_s, err);
}

bool jic_cmd_lane_create(const struct jic_admin *a, struct jic_error *err)
{
	const char *name = jic_admin_required(a, "name", err);
	if (!name)
		return false;
	const char *parent = jic_options_text(a->options, "parent", "");
	uint64_t quota_bytes = 0, max_age_s = 0;
	if (!read_limits(a, &quota_bytes, &max_age_s, err))
		return false;
	if (!jic_lane_name_valid(jic_view_of(name)))
		return jic_fail(err, JIC_EUSAGE, "--name \"%s\" is not a lane's name", name);
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, true, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	return index->ops->lane_put(index, jic_view_of(name), jic_view_of(parent), jic_admin_now_s(), err) &&
	       ((!quota_bytes && !max_age_s) ||
	        index->ops->lane_limit(index, jic_view_of(name), quota_bytes, max_age_s, err));
}

/* ---- promote, drop */

/* @param[out] out  as many as there are positional arguments */
static bool read_what(const struct jic_admin *a, struct jic_view **out, struct jic_error *err)
{
	const size_t count = a->options->positional_count;
	*out = jic_arena_array(a->arena, count + 1, sizeof **out);
	if (!*out)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		(*out)[i] = jic_view_of(a->options->positional[i]);
		if (!jic_pin_check((*out)[i], NULL))
			return jic_fail(err, JIC_EUSAGE, "\"%s\" is no package, Merkle key or address",
			                a->options->positional[i]);
	}
	return true;
}

static bool print_numbers(const struct jic_admin *a, const char *const *names, const uint64_t *values, size_t count,
                          struct jic_error *err)
{
	struct jic_json_writer w = {.out = a->out};
	jic_json_open(&w, NULL, '{');
	for (size_t i = 0; i < count; i++)
		jic_json_put_u64(&w, names[i], values[i]);
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_lane_promote(const struct jic_admin *a, struct jic_error *err)
{
	static const char *const names[] = {"artefacts", "same", "hidden"};
	const char *name = jic_admin_required(a, "name", err);
	struct jic_promoted done;
	struct jic_view *what;
	if (!name || !read_what(a, &what, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	const struct jic_promotion promotion = {
	    .lane = jic_view_of(name), .what = what, .what_count = a->options->positional_count};
	if (!store || !jic_store_promote(store, &promotion, a->arena, &done, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return print_numbers(a, names, (const uint64_t[]){done.artefacts, done.same, done.hidden},
		                     JIC_COUNT(names), err);
	jic_buf_printf(a->out,
	               "%llu artefacts promoted from %s to " JIC_PRIv
	               "; it had %llu already, %llu lost against others of its own\n",
	               (unsigned long long)done.artefacts, name, JIC_ARGv(done.parent), (unsigned long long)done.same,
	               (unsigned long long)done.hidden);
	return jic_buf_ok(a->out, err);
}

bool jic_cmd_lane_drop(const struct jic_admin *a, struct jic_error *err)
{
	static const char *const names[] = {"artefacts", "blobs", "stored_bytes"};
	const char *name = jic_admin_required(a, "name", err);
	struct jic_dropped done;
	if (!name)
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_lane_drop(store, jic_view_of(name), a->arena, &done, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return print_numbers(a, names, (const uint64_t[]){done.artefacts, done.blobs, done.stored_bytes},
		                     JIC_COUNT(names), err);
	jic_buf_printf(a->out,
	               "lane %s dropped: %llu artefacts withdrawn; the server will remove %llu blobs (%llu bytes) that "
	               "nothing else refers to\n",
	               name, (unsigned long long)done.artefacts, (unsigned long long)done.blobs,
	               (unsigned long long)done.stored_bytes);
	return jic_buf_ok(a->out, err);
}
