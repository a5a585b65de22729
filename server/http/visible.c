/* Lanes are few: whatever is asked of them is a walk. */
#include "server/http/visible.h"

#include "server/http/problem.h"

static const struct jic_lane *find_name(const struct jic_lane *lanes, size_t count, struct jic_view name)
{
	for (size_t i = 0; i < count; i++)
		if (jic_view_eq(lanes[i].name, name))
			return &lanes[i];
	return NULL;
}

static void mark_chain(const struct jic_lane *lanes, size_t count, size_t i, bool *seen)
{
	const struct jic_lane *lane = &lanes[i];
	for (unsigned depth = 0; lane && depth < JIC_LANE_DEPTH_MAX; depth++) {
		seen[lane - lanes] = true;
		lane = lane->parent.len ? find_name(lanes, count, lane->parent) : NULL;
	}
}

static bool take(struct jic_visible *v, const struct jic_lane *lanes, size_t count, const bool *seen,
                 struct jic_request *r)
{
	struct jic_lane *kept = jic_arena_array(&r->arena, count + 1, sizeof *kept);
	v->ids = jic_arena_array(&r->arena, count + 1, sizeof *v->ids);
	if (!kept || !v->ids) {
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
		return false;
	}
	v->all = true;
	for (size_t i = 0; i < count; i++) {
		v->all = v->all && seen[i];
		if (!seen[i] || (r->lane.len && !jic_view_eq(lanes[i].name, r->lane)))
			continue;
		v->ids[v->count] = lanes[i].id;
		kept[v->count++] = lanes[i];
	}
	v->lanes = kept;
	if (!r->lane.len || v->count)
		return true;
	jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "there is no lane \"" JIC_PRIv "\" to be seen",
	                    JIC_ARGv(r->lane));
	return false;
}

bool jic_request_visible(struct jic_request *r, struct jic_visible *out)
{
	struct jic_index *index = jic_store_index(r->service->store);
	const struct jic_lane *lanes;
	size_t count;
	struct jic_error err = {0};
	*out = (struct jic_visible){0};
	if (!index->ops->lane_list(index, &r->arena, &lanes, &count, &err)) {
		jic_respond_error(r, &err);
		return false;
	}
	bool *seen = jic_arena_array(&r->arena, count + 1, sizeof *seen);
	for (size_t i = 0; seen && i < count; i++)
		if (jic_identity_may_lane(&r->caller.id, JIC_SCOPE_READ, lanes[i].name))
			mark_chain(lanes, count, i, seen);
	return take(out, lanes, seen ? count : 0, seen, r);
}

bool jic_request_sees_whole(const struct jic_request *r, const struct jic_visible *v)
{
	return v->all || jic_identity_may(&r->caller.id, JIC_SCOPE_ADMIN);
}

const struct jic_lane *jic_visible_find(const struct jic_visible *v, uint64_t id)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->ids[i] == id)
			return &v->lanes[i];
	return NULL;
}
