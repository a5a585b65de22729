/*
 * Which lanes a viewer reaches is worked out once for a request, and only when something has to be looked up there.
 * What is decided here counts although it is decided before the bytes are opened or published: whoever could see a blob
 * a moment ago has lost no secret.
 */
#include "server/store/viewer.h"

#include "server/store/internal.h"

struct sight {
	const struct jic_viewer *viewer;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	const struct jic_lane *lanes; /* all, by name */
	size_t lanes_count;
	uint64_t *reached; /* ids, sorted */
	size_t reached_count;
};

static int compare_ids(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
	return (a > b) - (a < b);
}

static int compare_names(const void *pa, const void *pb)
{
	const struct jic_lane *a = pa, *b = pb;
	return jic_view_cmp(a->name, b->name);
}

/* The lane and those above it, up to one that is marked already. */
static void mark_chain(const struct sight *s, const struct jic_lane *lane, bool *marked)
{
	while (lane && !marked[lane - s->lanes]) {
		const struct jic_lane parent = {.name = lane->parent};
		marked[lane - s->lanes] = true;
		lane =
		    lane->parent.len ? bsearch(&parent, s->lanes, s->lanes_count, sizeof parent, compare_names) : NULL;
	}
}

static bool find_lanes(struct sight *s, struct jic_index *ix, struct jic_error *err)
{
	if (!ix->ops->lane_list(ix, s->arena, &s->lanes, &s->lanes_count, err))
		return false;
	bool *marked = jic_arena_array(s->arena, s->lanes_count + 1, sizeof *marked);
	s->reached = jic_arena_array(s->arena, s->lanes_count + 1, sizeof *s->reached);
	if (!marked || !s->reached)
		return jic_fail(err, JIC_EMEMORY, "store: out of memory");
	for (size_t i = 0; i < s->lanes_count; i++)
		if (s->viewer->reaches(s->viewer->context, s->lanes[i].name))
			mark_chain(s, &s->lanes[i], marked);
	for (size_t i = 0; i < s->lanes_count; i++)
		if (marked[i])
			s->reached[s->reached_count++] = s->lanes[i].id;
	qsort(s->reached, s->reached_count, sizeof *s->reached, compare_ids);
	return true;
}

static bool is_stored(const struct sight *s, const struct jic_digest *digest, bool *stored, struct jic_error *err)
{
	struct jic_index_blob blob;
	struct jic_error why;
	*stored = s->txn->ops->blob_find(s->txn, digest, &blob, &why);
	if (*stored || why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool look(const struct sight *s, const struct jic_digest *digest, bool *there, struct jic_error *err)
{
	const struct jic_index_place *users;
	size_t count;
	if (!is_stored(s, digest, there, err))
		return false;
	if (!*there || !s->viewer->reaches)
		return true;
	*there = false;
	if (s->viewer->holder.len && !s->txn->ops->upload_find(s->txn, digest, s->viewer->holder, there, err))
		return false;
	if (*there)
		return true;
	if (!s->txn->ops->blob_users(s->txn, digest, s->arena, &users, &count, err))
		return false;
	for (size_t i = 0; i < count && !*there; i++)
		*there =
		    bsearch(&users[i].lane_id, s->reached, s->reached_count, sizeof *s->reached, compare_ids) != NULL;
	return true;
}

bool jic_store_blobs_there(struct jic_store *s, const struct jic_viewer *viewer, const struct jic_digest *digests,
                           size_t count, struct jic_arena *arena, bool *there, struct jic_error *err)
{
	struct jic_index *ix = s->index;
	struct sight sight = {.viewer = viewer, .arena = arena};
	if (viewer->reaches && !find_lanes(&sight, ix, err))
		return false;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	sight.txn = t;
	for (size_t i = 0; t && i < count; i++)
		if (!look(&sight, &digests[i], &there[i], err))
			return false;
	return t != NULL;
}
