/* Some look-ups for each key, none of them a walk: first where the key itself is, then what there is of the package. */
#include "server/store/miss.h"

static const struct {
	const char *name, *text;
} reasons[] = {
#define JIC_MISS(NAME, name, text) [JIC_MISS_##NAME] = {name, text},
#include "server/tables/miss_reasons.def"
#undef JIC_MISS
};

const char *jic_miss_name(enum jic_miss_reason reason)
{
	return reasons[reason].name;
}

const char *jic_miss_text(enum jic_miss_reason reason)
{
	return reasons[reason].text;
}

static const struct jic_lane *lane_of(const struct jic_miss_asker *a, uint64_t id)
{
	for (size_t i = 0; i < a->lanes_count; i++)
		if (a->lanes[i].id == id)
			return &a->lanes[i];
	return NULL;
}

static bool is_accepted(const struct jic_miss_asker *a, uint64_t space)
{
	for (size_t i = 0; i < a->spaces_count; i++)
		if (a->spaces[i] == space)
			return true;
	return false;
}

/* Under its address, in a lane of the asker, and yet not offered: with all that it requires it either would be, or not.
 */
static bool why_not_offered(const struct jic_miss_asker *a, uint64_t space, const struct jic_digest *key,
                            struct jic_miss *out, struct jic_error *err)
{
	const struct jic_lookup lookup = {
	    .txn = a->txn, .arena = a->arena, .lanes = a->lanes, .lanes_count = a->lanes_count, .space = space};
	const struct jic_key_set keys = {.keys = key, .count = 1};
	struct jic_selection selection;
	if (!jic_select_closed(&lookup, &keys, &selection, err))
		return false;
	out->reason = jic_selection_find(&selection, key) ? JIC_MISS_INCOMPLETE : JIC_MISS_SUPERSEDED;
	return true;
}

/* @param[out] found whether the key itself tells */
static bool look_at_key(const struct jic_miss_asker *a, const struct jic_digest *key, struct jic_miss *out, bool *found,
                        struct jic_error *err)
{
	const struct jic_index_views *views = a->txn->ops->views;
	const struct jic_index_place *places;
	size_t count;
	*found = true;
	if (!views->key_places(a->txn, key, a->arena, &places, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (lane_of(a, places[i].lane_id) && is_accepted(a, places[i].space))
			return why_not_offered(a, places[i].space, key, out, err);
	for (size_t i = 0; i < a->lanes_count; i++) {
		bool departed;
		if (!views->key_departed(a->txn, a->lanes[i].id, key, &departed, err))
			return false;
		out->reason = JIC_MISS_GONE;
		if (departed)
			return true;
	}
	*found = false;
	return true;
}

/* The last published of a package, in the lane that is nearest to the reader. @param space 0: any */
static bool latest(const struct jic_miss_asker *a, const struct jic_msg_want *want, uint64_t space,
                   struct jic_index_origin *out, bool *found, struct jic_error *err)
{
	const struct jic_node_inputs package = {.name = want->name, .uuid = want->uuid};
	size_t count = 0;
	for (size_t i = a->lanes_count; i-- > 0 && !count;)
		if (!a->txn->ops->origins_find(a->txn, &a->lanes[i], space, &package, 1, a->arena, out, &count, err))
			return false;
	*found = count > 0;
	return true;
}

static bool look_at_package(const struct jic_miss_asker *a, const struct jic_msg_want *want, struct jic_miss *out,
                            struct jic_error *err)
{
	struct jic_index_origin origin;
	bool found = false;
	for (size_t i = 0; i < a->spaces_count && !found; i++)
		if (!latest(a, want, a->spaces[i], &origin, &found, err))
			return false;
	if (found) {
		bool same = jic_view_eq(origin.stored.version, want->version);
		out->reason = same ? JIC_MISS_OTHER_INPUTS : JIC_MISS_OTHER_VERSION;
	} else {
		if (!latest(a, want, 0, &origin, &found, err))
			return false;
		out->reason = found ? JIC_MISS_OTHER_RUNTIME : JIC_MISS_NEW_PACKAGE;
	}
	if (found) {
		out->near_version = origin.stored.version;
		out->near_runtime = origin.runtime;
	}
	return true;
}

bool jic_miss_find(const struct jic_miss_asker *asker, const struct jic_digest *key, const struct jic_msg_want *want,
                   struct jic_miss *out, struct jic_error *err)
{
	bool found;
	*out = (struct jic_miss){.reason = JIC_MISS_UNKNOWN};
	if (!look_at_key(asker, key, out, &found, err))
		return false;
	if (found)
		return true;
	out->reason = JIC_MISS_UNKNOWN;
	return !want || !want->name.len || look_at_package(asker, want, out, err);
}
