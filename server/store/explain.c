/*
 * The nearest stored artefact for each node that missed.
 *
 *     1  Among the latest of the same package with an accepted runtime and the same system image, in the reader's
 * lanes: the one whose inputs are most alike; among equals the latest. 2  Where there are none: among the latest with
 * whatever runtime and system image, the one whose runtime is most alike. 3  Below those of the first kind, every
 * dependency that the asker does not have under the same key, down to the leaves: so the asker can walk two trees side
 * by side.
 *
 * Bounded: the candidates that a package has, what is read and what is told all have their limits, whatever is stored
 * and whatever is asked.
 */
#include "server/store/internal.h"
#include "server/store/key_set.h"

enum {
	SPACES_MAX = 4,          /* of the accepted runtimes, best first */
	CANDIDATES_MAX = 8,      /* of one package in one lane and space */
	CANDIDATES_ANY_MAX = 16, /* of one package in one lane, in whatever space */
	RUNTIMES_MAX = 64,       /* in one answer */
	READ_BYTES_MAX = 64 * 1024 * 1024,
	TOLD_BYTES_MAX = 8 * 1024 * 1024, /* an answer is at most JIC_MESSAGE_BYTES_MAX, and escapes double a text */
	FIXED_BYTES = 1024,               /* what an artefact takes in an answer, texts and lists apart */
};

struct explain {
	const struct jic_msg_explain *request;
	struct jic_index_txn *txn;
	struct jic_arena *arena; /* owns the answer */
	const struct jic_lane *lanes;
	size_t lanes_count;
	uint64_t spaces[SPACES_MAX];
	size_t spaces_count;
	struct jic_digest bundled; /* of the asker */

	struct jic_msg_runtime *runtimes;
	size_t runtimes_count;
	struct jic_msg_stored *stored;
	uint64_t *stored_space;
	size_t stored_count;
	struct jic_msg_nearest *nearest;
	size_t nearest_count;
	size_t read_bytes, told_bytes;
	bool truncated;
};

static void explain_clear(struct explain *e)
{
	jic_index_txn_end(e->txn);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "explain: out of memory");
}

static size_t bytes_of(const struct jic_msg_stored *s)
{
	const struct jic_node_inputs *n = &s->inputs;
	const struct jic_msg_provenance *p = &s->provenance;
	size_t bytes = FIXED_BYTES + n->preferences.len + n->deps_count * (JIC_DIGEST_HEX + 3) + p->host.len +
	               p->user.len + p->run.len + p->client.len;
	for (size_t i = 0; i < n->extensions_count; i++)
		bytes += n->extensions[i].len + 3;
	return bytes;
}

/* ---- what there is to look into */

static bool find_spaces(struct explain *e, struct jic_error *err)
{
	const struct jic_msg_explain *r = e->request;
	for (size_t i = 0; i < r->runtimes_count && e->spaces_count < SPACES_MAX; i++) {
		uint64_t space;
		struct jic_error why = {0};
		if (e->txn->ops->space_find(e->txn, r->runtimes[i], &r->sysimage, &space, &why)) {
			e->spaces[e->spaces_count++] = space;
		} else if (why.code != JIC_ENOTFOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	return true;
}

static bool begin(struct explain *e, struct jic_store *s, struct jic_error *err)
{
	const struct jic_msg_explain *r = e->request;
	struct jic_view lane = r->lane.len ? r->lane : JIC_VIEW(JIC_LANE_MAIN);
	e->runtimes = jic_arena_array(e->arena, RUNTIMES_MAX, sizeof *e->runtimes);
	e->stored = jic_arena_array(e->arena, JIC_MESSAGE_STORED_MAX, sizeof *e->stored);
	e->stored_space = jic_arena_array(e->arena, JIC_MESSAGE_STORED_MAX, sizeof *e->stored_space);
	e->nearest = jic_arena_array(e->arena, r->nodes_count + 1, sizeof *e->nearest);
	if (!e->runtimes || !e->stored || !e->stored_space || !e->nearest)
		return out_of_memory(err);
	e->txn = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return e->txn && e->txn->ops->lane_chain(e->txn, lane, e->arena, &e->lanes, &e->lanes_count, err) &&
	       jic_runtime_bundled_digest(&r->runtime, &e->bundled, err) && find_spaces(e, err);
}

/* @param[out] position UINT32_MAX when the answer has room for no more */
static bool find_runtime(struct explain *e, struct jic_view id, uint32_t *position, struct jic_error *err)
{
	for (uint32_t i = 0; i < e->runtimes_count; i++) {
		*position = i;
		if (jic_view_eq(e->runtimes[i].id, id))
			return true;
	}
	*position = UINT32_MAX;
	if (e->runtimes_count == RUNTIMES_MAX) {
		e->truncated = true;
		return true;
	}
	struct jic_error why;
	if (e->txn->ops->runtime_find(e->txn, id, e->arena, &e->runtimes[e->runtimes_count], &why)) {
		*position = (uint32_t)e->runtimes_count++;
		return true;
	}
	return jic_fail(err, why.code == JIC_ENOTFOUND ? JIC_ECORRUPT : why.code, "%s", why.text);
}

/* ---- which one is the nearest */

struct likeness {
	unsigned space; /* less is nearer, in this order */
	unsigned runtime;
	unsigned inputs;
	uint64_t published_s; /* more is nearer */
};

struct choice {
	bool made;
	struct likeness likeness;
	const struct jic_lane *lane;
	uint64_t space;
	struct jic_digest key;
};

/* The greater the part that differs, the heavier. */
static unsigned runtime_distance(const struct explain *e, const struct jic_msg_runtime *r,
                                 const struct jic_digest *sysimage)
{
	const struct jic_runtime *a = &e->request->runtime, *b = &r->parts;
	bool platform = jic_view_eq(a->uname, b->uname) && jic_view_eq(a->arch, b->arch) &&
	                jic_view_eq(a->triplet, b->triplet) && a->word_bits == b->word_bits;
	bool build = jic_view_eq(a->version, b->version) && jic_view_eq(a->commit, b->commit) &&
	             jic_view_eq(a->branch, b->branch);
	return !platform * 64u + !build * 32u + !jic_digest_eq(&e->bundled, &r->bundled) * 8u +
	       !jic_view_eq(a->cpu, b->cpu) * 4u + !jic_view_eq(a->flags, b->flags) * 2u +
	       !jic_digest_eq(&e->request->sysimage, sysimage) * 1u;
}

/* @param deps the asker's */
static unsigned inputs_distance(const struct jic_msg_explain_node *n, const struct jic_key_set *deps,
                                const struct jic_msg_stored *s)
{
	enum { OTHERS_MAX = 0xffff };
	unsigned others = 0;
	if (jic_digest_eq(&n->key, &s->key))
		return 0;
	for (size_t i = 0; i < s->inputs.deps_count && others < OTHERS_MAX; i++)
		others += jic_key_set_find(deps, &s->inputs.deps[i]) == SIZE_MAX;
	unsigned own = !jic_view_eq(n->inputs.source, s->inputs.source) * 4u +
	               !jic_view_eq(n->inputs.preferences, s->inputs.preferences) * 2u +
	               !jic_view_eq(n->inputs.build, s->inputs.build) * 1u;
	return 1 + own * (OTHERS_MAX + 1u) + others;
}

static bool is_nearer(const struct likeness *a, const struct likeness *b)
{
	if (a->space != b->space)
		return a->space < b->space;
	if (a->runtime != b->runtime)
		return a->runtime < b->runtime;
	if (a->inputs != b->inputs)
		return a->inputs < b->inputs;
	return a->published_s > b->published_s;
}

struct search {
	struct explain *e;
	const struct jic_msg_explain_node *node;
	struct jic_key_set deps;
	struct jic_arena *scratch;
	struct choice best;
};

static bool consider(struct search *s, const struct jic_lane *lane, unsigned space_rank,
                     const struct jic_index_origin *o, struct jic_error *err)
{
	struct likeness l = {.space = space_rank,
	                     .inputs = inputs_distance(s->node, &s->deps, &o->stored),
	                     .published_s = o->stored.published_s};
	s->e->read_bytes += bytes_of(&o->stored);
	if (space_rank == SPACES_MAX) {
		uint32_t position;
		if (!find_runtime(s->e, o->runtime, &position, err))
			return false;
		if (position == UINT32_MAX)
			return true;
		l.runtime = runtime_distance(s->e, &s->e->runtimes[position], &o->stored.sysimage);
	}
	if (!s->best.made || is_nearer(&l, &s->best.likeness))
		s->best =
		    (struct choice){.made = true, .likeness = l, .lane = lane, .space = o->space, .key = o->stored.key};
	return true;
}

/* @param space 0: any, ranked behind all accepted ones */
static bool search_space(struct search *s, const struct jic_lane *lane, uint64_t space, unsigned rank,
                         struct jic_error *err)
{
	struct jic_index_origin found[CANDIDATES_ANY_MAX];
	size_t count, limit = space ? CANDIDATES_MAX : CANDIDATES_ANY_MAX;
	if (!s->e->txn->ops->origins_find(s->e->txn, lane, space, &s->node->inputs, limit, s->scratch, found, &count,
	                                  err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!consider(s, lane, rank, &found[i], err))
			return false;
	return true;
}

static bool search_lane(struct search *s, const struct jic_lane *lane, struct jic_error *err)
{
	const struct explain *e = s->e;
	for (unsigned i = 0; i < e->spaces_count && e->read_bytes <= READ_BYTES_MAX; i++)
		if (!search_space(s, lane, e->spaces[i], i, err))
			return false;
	return true;
}

static bool search_all(struct search *s, struct jic_error *err)
{
	const struct explain *e = s->e;
	for (size_t i = 0; i < e->lanes_count; i++)
		if (!search_lane(s, &e->lanes[i], err))
			return false;
	for (size_t i = 0; i < e->lanes_count && !s->best.made && e->read_bytes <= READ_BYTES_MAX; i++)
		if (!search_space(s, &e->lanes[i], 0, SPACES_MAX, err))
			return false;
	return true;
}

/* ---- telling */

/* @param[out] position UINT32_MAX when there is no room for it */
static bool tell(struct explain *e, const struct jic_index_origin *o, uint32_t *position, struct jic_error *err)
{
	uint32_t runtime;
	size_t bytes = bytes_of(&o->stored);
	*position = UINT32_MAX;
	if (e->stored_count == JIC_MESSAGE_STORED_MAX || bytes > TOLD_BYTES_MAX - e->told_bytes) {
		e->truncated = true;
		return true;
	}
	if (!find_runtime(e, o->runtime, &runtime, err) || runtime == UINT32_MAX)
		return runtime == UINT32_MAX;
	e->told_bytes += bytes;
	e->stored_space[e->stored_count] = o->space;
	e->stored[e->stored_count] = o->stored;
	e->stored[e->stored_count].runtime = runtime;
	*position = (uint32_t)e->stored_count++;
	return true;
}

static bool explain_node(struct explain *e, const struct jic_msg_explain_node *node, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	struct search s = {.e = e, .node = node, .scratch = &scratch};
	struct jic_index_origin origin;
	uint32_t position;
	if (!jic_key_set_of(&scratch, node->inputs.deps, node->inputs.deps_count, &s.deps))
		return out_of_memory(err);
	if (!search_all(&s, err))
		return false;
	if (!s.best.made)
		return true;
	/* Again, this time to stay. */
	if (!e->txn->ops->origin_find(e->txn, s.best.lane, s.best.space, &s.best.key, e->arena, &origin, err) ||
	    !tell(e, &origin, &position, err))
		return false;
	if (position != UINT32_MAX)
		e->nearest[e->nearest_count++] = (struct jic_msg_nearest){.key = node->key, .artefact = position};
	return true;
}

static bool explain_nodes(struct explain *e, struct jic_error *err)
{
	for (size_t i = 0; i < e->request->nodes_count; i++) {
		if (e->read_bytes > READ_BYTES_MAX) {
			e->truncated = true;
			return true;
		}
		if (!explain_node(e, &e->request->nodes[i], err))
			return false;
	}
	return true;
}

/* ---- what the nearest stand on */

/* As a reader of the lanes sees it: from the one without parent down. */
static bool tell_dependency(struct explain *e, uint64_t space, const struct jic_digest *key, struct jic_error *err)
{
	struct jic_index_origin origin;
	uint32_t position;
	for (size_t i = 0; i < e->lanes_count; i++) {
		struct jic_error why;
		if (e->txn->ops->origin_find(e->txn, &e->lanes[i], space, key, e->arena, &origin, &why))
			return tell(e, &origin, &position, err);
		if (why.code != JIC_ENOTFOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	return true; /* of the system image, or bundled with Julia: such are not stored */
}

/* Keys that artefacts of this space told since `from` depend on. */
static bool dependencies_of(struct explain *e, uint64_t space, size_t from, struct jic_key_set *out,
                            struct jic_error *err)
{
	size_t count = 0;
	for (size_t i = from; i < e->stored_count; i++)
		count += e->stored_space[i] == space ? e->stored[i].inputs.deps_count : 0;
	struct jic_digest *keys = jic_arena_array(e->arena, count + 1, sizeof *keys);
	if (!keys)
		return out_of_memory(err);
	count = 0;
	for (size_t i = from; i < e->stored_count; i++)
		for (size_t d = 0; e->stored_space[i] == space && d < e->stored[i].inputs.deps_count; d++)
			keys[count++] = e->stored[i].inputs.deps[d];
	return jic_key_set_of(e->arena, keys, count, out) || out_of_memory(err);
}

/* What the asker has, and what is told of this space already. */
static bool known_keys(struct explain *e, uint64_t space, struct jic_key_set *out, struct jic_error *err)
{
	const struct jic_msg_explain *r = e->request;
	size_t count = 0;
	struct jic_digest *keys =
	    jic_arena_array(e->arena, r->known_count + r->nodes_count + e->stored_count + 1, sizeof *keys);
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < r->known_count; i++)
		keys[count++] = r->known[i];
	for (size_t i = 0; i < r->nodes_count; i++)
		keys[count++] = r->nodes[i].key;
	for (size_t i = 0; i < e->stored_count; i++)
		if (e->stored_space[i] == space)
			keys[count++] = e->stored[i].key;
	return jic_key_set_of(e->arena, keys, count, out) || out_of_memory(err);
}

static bool explain_below(struct explain *e, uint64_t space, struct jic_error *err)
{
	struct jic_key_set known, deps, fresh = {.count = 1};
	if (!known_keys(e, space, &known, err))
		return false;
	for (size_t from = 0; fresh.count && !e->truncated;) {
		size_t before = e->stored_count;
		if (!dependencies_of(e, space, from, &deps, err))
			return false;
		if (!jic_key_set_minus(e->arena, &deps, &known, &fresh) ||
		    !jic_key_set_union(e->arena, &known, &fresh, &known))
			return out_of_memory(err);
		for (size_t i = 0; i < fresh.count && !e->truncated; i++)
			if (!tell_dependency(e, space, &fresh.keys[i], err))
				return false;
		from = before;
	}
	return true;
}

bool jic_store_explain(struct jic_store *s, const struct jic_msg_explain *request, struct jic_arena *arena,
                       struct jic_msg_explained *out, struct jic_error *err)
{
	JIC_CLEAR(explain) struct explain e = {.request = request, .arena = arena};
	if (!begin(&e, s, err) || !explain_nodes(&e, err))
		return false;
	for (size_t i = 0; i < e.spaces_count; i++)
		if (!explain_below(&e, e.spaces[i], err))
			return false;
	*out = (struct jic_msg_explained){.runtimes = e.runtimes,
	                                  .runtimes_count = e.runtimes_count,
	                                  .artefacts = e.stored,
	                                  .artefacts_count = e.stored_count,
	                                  .nearest = e.nearest,
	                                  .nearest_count = e.nearest_count,
	                                  .truncated = e.truncated};
	return true;
}
