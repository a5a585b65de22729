/*
 * Reading: the best coherent set for each runtime, and one record.
 */
#include "server/store/internal.h"
#include "server/store/select.h"
#include "server/store/uses.h"

struct resolve {
	struct jic_store *store;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	const struct jic_lane *lanes;
	size_t lanes_count;
	struct jic_key_set keys;
	const struct jic_digest *signers;
	size_t signers_count;
	const struct jic_index_artefact **left_out; /* for each key, over all runtimes: because of its signer */
	bool *offered;                              /* for each key, likewise */
};

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "resolve: out of memory");
}

/* What an artefact requires as positions in the set. Several of its modules may come from one artefact, so duplicates
 * are dropped; they are neighbours no more often than not, hence the mark for each position. */
static bool write_requires(const struct jic_selection *s, const struct jic_index_artefact *a, struct jic_arena *arena,
                           uint32_t *marks, uint32_t mark, struct jic_msg_record *out)
{
	uint32_t *positions = jic_arena_array(arena, a->requires_count + 1, sizeof *positions);
	if (!positions)
		return false;
	size_t count = 0;
	for (size_t i = 0; i < a->requires_count; i++) {
		uint32_t position = 0;
		bool provided = jic_module_map_get(&s->modules, a->requires_[i], &position);
		JIC_ASSERT(provided);
		if (marks[position] == mark)
			continue;
		marks[position] = mark;
		positions[count++] = position;
	}
	out->requires_ = positions;
	out->requires_count = count;
	return true;
}

static bool write_set(const struct jic_selection *s, struct jic_arena *arena, struct jic_msg_set *out)
{
	struct jic_msg_record *records = jic_arena_array(arena, s->ordered_count + 1, sizeof *records);
	uint32_t *marks = jic_arena_array(arena, s->ordered_count + 1, sizeof *marks);
	if (!records || !marks)
		return false;
	for (size_t i = 0; i < s->ordered_count; i++) {
		records[i] = s->ordered[i]->record;
		if (!write_requires(s, s->ordered[i], arena, marks, (uint32_t)i + 1, &records[i]))
			return false;
	}
	out->records = records;
	out->records_count = s->ordered_count;
	return true;
}

static void note_left_out(const struct resolve *r, const struct jic_selection *selection)
{
	for (size_t i = 0; r->signers_count && i < r->keys.count; i++) {
		r->offered[i] = r->offered[i] || selection->offered[i];
		if (!r->left_out[i])
			r->left_out[i] = selection->left_out[i];
	}
}

/* @param[out] out no records when nothing was ever published for the runtime */
static bool resolve_runtime(const struct resolve *r, struct jic_view runtime, const struct jic_digest *sysimage,
                            struct jic_msg_set *out, struct jic_error *err)
{
	struct jic_selection selection;
	struct jic_error why;
	uint64_t space;
	*out = (struct jic_msg_set){.runtime = runtime};
	if (!r->txn->ops->space_find(r->txn, runtime, sysimage, &space, &why)) {
		if (why.code == JIC_ENOTFOUND)
			return true;
		if (err)
			*err = why;
		return false;
	}
	struct jic_lookup lookup = {.txn = r->txn,
	                            .arena = r->arena,
	                            .lanes = r->lanes,
	                            .lanes_count = r->lanes_count,
	                            .space = space,
	                            .signers = r->signers,
	                            .signers_count = r->signers_count};
	if (!jic_select(&lookup, &r->keys, &selection, err))
		return false;
	note_left_out(r, &selection);
	jic_uses_note(r->store, space, selection.ordered, selection.ordered_count);
	return write_set(&selection, r->arena, out) || out_of_memory(err);
}

static bool begin(struct jic_store *s, struct jic_view lane, struct jic_arena *arena, struct resolve *out,
                  struct jic_error *err)
{
	out->store = s;
	out->arena = arena;
	out->txn = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return out->txn && out->txn->ops->lane_chain(out->txn, lane.len ? lane : JIC_VIEW(JIC_LANE_MAIN), arena,
	                                             &out->lanes, &out->lanes_count, err);
}

static void resolve_clear(struct resolve *r)
{
	jic_index_txn_end(r->txn);
}

static bool was_before(const struct jic_view *runtimes, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (jic_view_eq(runtimes[j], runtimes[i]))
			return true;
	return false;
}

/* An artefact under another runtime, or in a lane below, may be what was asked for: then nobody need hear of this one.
 */
static bool write_untrusted(const struct resolve *r, struct jic_msg_resolved *out)
{
	struct jic_msg_untrusted *list = jic_arena_array(r->arena, r->keys.count + 1, sizeof *list);
	if (!list)
		return false;
	for (size_t i = 0; i < r->keys.count; i++) {
		const struct jic_index_artefact *a = r->left_out[i];
		if (!a || r->offered[i])
			continue;
		list[out->untrusted_count++] = (struct jic_msg_untrusted){
		    .key = a->record.key, .is_signed = a->record.has_signature, .signer = a->record.signature.key};
	}
	out->untrusted = list;
	return true;
}

static bool write_recalled(const struct resolve *r, const struct jic_msg_resolve *request, struct jic_msg_resolved *out,
                           struct jic_error *err)
{
	const size_t count = request->have_count;
	struct jic_build_id *list = jic_arena_array(r->arena, count + 1, sizeof *list);
	bool *recalled = jic_arena_array(r->arena, count + 1, sizeof *recalled);
	if (!list || !recalled)
		return out_of_memory(err);
	if (!r->txn->ops->recalled_builds(r->txn, request->have, count, recalled, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (recalled[i])
			list[out->recalled_count++] = request->have[i];
	out->recalled = list;
	return true;
}

static bool set_signers(struct resolve *r, const struct jic_msg_resolve *request)
{
	r->signers = request->signers;
	r->signers_count = request->signers_count;
	r->left_out = jic_arena_array(r->arena, r->keys.count + 1, sizeof *r->left_out);
	r->offered = jic_arena_array(r->arena, r->keys.count + 1, sizeof *r->offered);
	return r->left_out && r->offered;
}

bool jic_store_resolve(struct jic_store *s, const struct jic_msg_resolve *request, struct jic_arena *arena,
                       struct jic_msg_resolved *out, struct jic_error *err)
{
	JIC_CLEAR(resolve) struct resolve r = {0};
	if (!begin(s, request->lane, arena, &r, err))
		return false;
	struct jic_msg_set *sets = jic_arena_array(arena, request->runtimes_count + 1, sizeof *sets);
	if (!sets || !jic_key_set_of(arena, request->keys, request->keys_count, &r.keys) || !set_signers(&r, request))
		return out_of_memory(err);
	size_t count = 0;
	for (size_t i = 0; i < request->runtimes_count; i++) {
		if (was_before(request->runtimes, i))
			continue;
		if (!resolve_runtime(&r, request->runtimes[i], &request->sysimage, &sets[count], err))
			return false;
		if (sets[count].records_count)
			count++;
	}
	*out = (struct jic_msg_resolved){.sets = sets, .sets_count = count};
	return (write_untrusted(&r, out) || out_of_memory(err)) && write_recalled(&r, request, out, err);
}

static bool write_ids(const struct resolve *r, const struct jic_index_artefact *a, struct jic_msg_record *out,
                      const struct jic_build_id **ids, struct jic_error *err)
{
	struct jic_index_module *modules = jic_arena_array(r->arena, a->requires_count + 1, sizeof *modules);
	struct jic_build_id *list = jic_arena_array(r->arena, a->requires_count + 1, sizeof *list);
	if (!modules || !list)
		return out_of_memory(err);
	if (!r->txn->ops->modules_get(r->txn, a->requires_, a->requires_count, modules, err))
		return false;
	for (size_t i = 0; i < a->requires_count; i++)
		list[i] = modules[i].build_id;
	*out = a->record;
	out->writer = a->writer;
	out->requires_count = a->requires_count;
	*ids = list;
	return true;
}

static bool no_record(struct jic_error *err)
{
	return jic_fail(err, JIC_ENOTFOUND, "there is no artefact under this address");
}

/* That a runtime is unknown to all lanes together is nothing that the reader of some should hear. */
static bool no_record_if_unknown(struct jic_error *err)
{
	return err && err->code == JIC_ENOTFOUND ? no_record(err) : false;
}

bool jic_store_record(struct jic_store *s, struct jic_view lane, struct jic_view runtime,
                      const struct jic_digest *sysimage, const struct jic_digest *key, struct jic_arena *arena,
                      struct jic_msg_record *out, const struct jic_build_id **requires_ids, struct jic_error *err)
{
	JIC_CLEAR(resolve) struct resolve r = {0};
	struct jic_selection selection;
	uint64_t space;
	if (!begin(s, lane, arena, &r, err))
		return false;
	if (!r.txn->ops->space_find(r.txn, runtime, sysimage, &space, err))
		return no_record_if_unknown(err);
	struct jic_lookup lookup = {
	    .txn = r.txn, .arena = arena, .lanes = r.lanes, .lanes_count = r.lanes_count, .space = space};
	r.keys = (struct jic_key_set){.keys = key, .count = 1};
	if (!jic_select_closed(&lookup, &r.keys, &selection, err))
		return false;
	const struct jic_index_artefact *a = jic_selection_find(&selection, key);
	if (!a)
		return no_record(err);
	jic_uses_note(s, space, &a, 1);
	return write_ids(&r, a, out, requires_ids, err);
}
