/*
 * Promoting, space by space, in one transaction:
 *
 *     1  what a reader of the lane is offered, over all keys of the lane (select.h): what is of the lane itself is what
 *        can be promoted, and all it requires is there too or higher up
 *     2  the wanted of these, and what of the lane they require
 *     3  rows change their lane; whatever the parent has at the address without offering it makes room
 *
 * Nothing is copied, so a row's history stays with it.
 */
#include "server/store/lane_change.h"

#include "server/store/declaration.h"
#include "server/store/evict.h"
#include "server/store/internal.h"

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "lane: out of memory");
}

static bool pass_unless(const struct jic_error *why, enum jic_code expected, struct jic_error *err)
{
	if (why->code == expected)
		return true;
	if (err)
		*err = *why;
	return false;
}

/* ---- promoting */

struct promote {
	struct jic_store *store;
	const struct jic_promotion *request;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	const struct jic_lane *lanes; /* the chain, the lane last */
	size_t lanes_count;
	struct jic_promoted *out;
	size_t named; /* artefacts of the lane that the request is about, offered or not */
};

/* One space's share. */
struct share {
	const struct jic_index_space *space;
	struct jic_lookup lookup;
	struct jic_key_set keys; /* of the lane itself */
	struct jic_selection selection;
	bool *moves; /* for each of selection.ordered */
	size_t moves_count;
};

static const struct jic_lane *lane_of(const struct promote *p)
{
	return &p->lanes[p->lanes_count - 1];
}

static const struct jic_lane *parent_of(const struct promote *p)
{
	return &p->lanes[p->lanes_count - 2];
}

static bool is_wanted(const struct promote *p, const struct jic_index_space *space, const struct jic_msg_record *r)
{
	for (size_t i = 0; i < p->request->what_count; i++)
		if (jic_pin_names(p->request->what[i], space, r))
			return true;
	return p->request->what_count == 0;
}

/* Dependencies come first in the selection, so one pass from its end finds all that is required. */
static void mark(const struct promote *p, struct share *s)
{
	const uint64_t lane = lane_of(p)->id;
	for (size_t i = s->selection.ordered_count; i-- > 0;) {
		const struct jic_index_artefact *a = s->selection.ordered[i];
		if (a->lane_id != lane)
			continue;
		s->moves[i] = s->moves[i] || is_wanted(p, s->space, &a->record);
		for (size_t j = 0; s->moves[i] && j < a->requires_count; j++) {
			uint32_t position;
			if (jic_module_map_get(&s->selection.modules, a->requires_[j], &position))
				s->moves[position] = true;
		}
	}
	for (size_t i = 0; i < s->selection.ordered_count; i++) {
		s->moves[i] = s->moves[i] && s->selection.ordered[i]->lane_id == lane;
		s->moves_count += s->moves[i];
	}
}

static bool same_bytes(const struct jic_msg_record *a, const struct jic_msg_record *b)
{
	return jic_digest_eq(&a->ji.digest, &b->ji.digest) && a->has_image == b->has_image &&
	       (!a->has_image || jic_digest_eq(&a->image.digest, &b->image.digest));
}

/* What is wanted and stays: the parent has it, or has something else in its way. */
static bool count_others(struct promote *p, const struct share *s, struct jic_error *err)
{
	const struct jic_index_artefact **rows = jic_arena_array(p->arena, s->keys.count + 1, sizeof *rows);
	if (!rows)
		return out_of_memory(err);
	if (!p->txn->ops->artefacts_find(p->txn, lane_of(p), s->space->id, s->keys.keys, s->keys.count, p->arena, rows,
	                                 err))
		return false;
	for (size_t i = 0; i < s->keys.count; i++) {
		const struct jic_index_artefact *offered = jic_selection_find(&s->selection, &s->keys.keys[i]);
		if (!rows[i] || !is_wanted(p, s->space, &rows[i]->record))
			continue;
		p->named++;
		if (!offered || offered->lane_id != lane_of(p)->id)
			*(offered && same_bytes(&offered->record, &rows[i]->record) ? &p->out->same
			                                                            : &p->out->hidden) += 1;
	}
	return true;
}

/* What the lane has said of the system image must be what those above say, or become what the parent says. */
static bool settle_declaration(struct promote *p, const struct share *s, struct jic_error *err)
{
	struct jic_lookup own = s->lookup, above = s->lookup;
	struct jic_view modules;
	enum jic_declared declared;
	own.lanes = lane_of(p);
	own.lanes_count = 1;
	above.lanes_count--;
	if (!jic_declaration_nearest(&own, &modules, err))
		return false;
	if (!modules.ptr)
		return true;
	if (!jic_declaration_compare(&above, modules, &declared, err))
		return false;
	if (declared == JIC_DECLARED_OTHER)
		return jic_fail(err, JIC_ECONFLICT,
		                "the lanes disagree about the modules of a system image: what " JIC_PRIv
		                " has was judged by others",
		                JIC_ARGv(lane_of(p)->name));
	return declared == JIC_DECLARED_THIS ||
	       p->txn->ops->declaration_put(p->txn, parent_of(p)->id, s->space->id, modules, err);
}

/* Since it was published below, something with its build id may have come into a lane above. */
static bool check_clash(struct promote *p, const struct share *s, const struct jic_index_artefact *a,
                        struct jic_error *err)
{
	struct jic_lookup above = s->lookup;
	const struct jic_index_provider *found;
	size_t count;
	struct jic_index_module *modules = jic_arena_array(p->arena, a->provides_count + 1, sizeof *modules);
	above.lanes_count--;
	if (!modules)
		return out_of_memory(err);
	if (!p->txn->ops->modules_get(p->txn, a->provides, a->provides_count, modules, err) ||
	    !p->txn->ops->providers(p->txn, s->space->id, modules, a->provides_count, p->arena, &found, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (jic_lookup_has_lane(&above, found[i].lane_id) && !jic_digest_eq(&found[i].ji, &a->record.ji.digest))
			return jic_fail(err, JIC_ECONFLICT,
			                JIC_PRIv " has the build id of another artefact of " JIC_PRIv,
			                JIC_ARGv(a->record.name), JIC_ARGv(parent_of(p)->name));
	return true;
}

static bool move(struct promote *p, const struct share *s, const struct jic_index_artefact *a, struct jic_error *err)
{
	struct jic_index_txn *t = p->txn;
	struct jic_error why;
	if (!check_clash(p, s, a, err))
		return false;
	if (!t->ops->artefact_delete(t, parent_of(p)->id, s->space->id, &a->record.key, &why) &&
	    !pass_unless(&why, JIC_ENOTFOUND, err))
		return false;
	p->out->artefacts++;
	return t->ops->artefact_move(t, lane_of(p)->id, s->space->id, &a->record.key, parent_of(p)->id, err);
}

static bool promote_share(struct promote *p, struct share *s, struct jic_error *err)
{
	if (!jic_select_closed(&s->lookup, &s->keys, &s->selection, err))
		return false;
	s->moves = jic_arena_array(p->arena, s->selection.ordered_count + 1, sizeof *s->moves);
	if (!s->moves)
		return out_of_memory(err);
	mark(p, s);
	if (!count_others(p, s, err) || (s->moves_count && !settle_declaration(p, s, err)))
		return false;
	for (size_t i = 0; i < s->selection.ordered_count; i++)
		if (s->moves[i] && !move(p, s, s->selection.ordered[i], err))
			return false;
	return true;
}

static bool promote_spaces(struct promote *p, struct jic_error *err)
{
	const struct jic_index_space *spaces;
	size_t count;
	if (!p->txn->ops->spaces_list(p->txn, p->arena, &spaces, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct share s = {.space = &spaces[i],
		                  .lookup = {.txn = p->txn,
		                             .arena = p->arena,
		                             .lanes = p->lanes,
		                             .lanes_count = p->lanes_count,
		                             .space = spaces[i].id}};
		if (!jic_select_keys(p->txn, lane_of(p)->id, spaces[i].id, p->arena, &s.keys, err) ||
		    (s.keys.count && !promote_share(p, &s, err)))
			return false;
	}
	return true;
}

static bool check_result(const struct promote *p, struct jic_error *err)
{
	if (!p->named)
		return jic_fail(err, JIC_ENOTFOUND,
		                p->request->what_count ? "the lane " JIC_PRIv " has no such artefact"
		                                       : "the lane " JIC_PRIv " is empty",
		                JIC_ARGv(lane_of(p)->name));
	if (p->request->what_count && p->out->hidden)
		return jic_fail(err, JIC_ECONFLICT,
		                "%llu of what was named lost against what " JIC_PRIv
		                " has, or was built on what lost: compile it anew",
		                (unsigned long long)p->out->hidden, JIC_ARGv(parent_of(p)->name));
	return true;
}

static bool promote(struct promote *p, struct jic_error *err)
{
	struct jic_index *ix = p->store->index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	p->txn = t;
	if (!t || !t->ops->lane_chain(t, p->request->lane, p->arena, &p->lanes, &p->lanes_count, err))
		return false;
	if (p->lanes_count < 2)
		return jic_fail(err, JIC_EUSAGE, "the lane " JIC_PRIv " has no parent to promote to",
		                JIC_ARGv(p->request->lane));
	p->out->parent = parent_of(p)->name;
	return promote_spaces(p, err) && check_result(p, err) && t->ops->commit(t, err);
}

bool jic_store_promote(struct jic_store *s, const struct jic_promotion *what, struct jic_arena *arena,
                       struct jic_promoted *out, struct jic_error *err)
{
	struct promote p = {.store = s, .request = what, .arena = arena, .out = out};
	*out = (struct jic_promoted){0};
	if (!promote(&p, err))
		return false;
	jic_log_info(s->log, "lane.promote", JIC_STRV("lane", what->lane), JIC_STRV("parent", out->parent),
	             JIC_U64("artefacts", out->artefacts), JIC_U64("same", out->same), JIC_U64("hidden", out->hidden));
	return true;
}

/* ---- dropping */

struct drop {
	struct jic_store *store;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	struct jic_lane lane;
	struct jic_buf blobs; /* struct jic_digest: what its artefacts referred to, with repetitions */
	struct jic_dropped *out;
};

static void drop_clear(struct drop *d)
{
	jic_buf_clear(&d->blobs);
}

static bool check_alone(const struct drop *d, struct jic_error *err)
{
	struct jic_index *ix = d->store->index;
	const struct jic_lane *lanes;
	size_t count;
	if (jic_view_is(d->lane.name, JIC_LANE_MAIN))
		return jic_fail(err, JIC_EUSAGE, "the lane " JIC_LANE_MAIN " can't be dropped: every server has it");
	if (!ix->ops->lane_list(ix, d->arena, &lanes, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (jic_view_eq(lanes[i].parent, d->lane.name))
			return jic_fail(err, JIC_EUSAGE,
			                "the lane " JIC_PRIv " has lanes below it, such as " JIC_PRIv
			                ": drop those first",
			                JIC_ARGv(d->lane.name), JIC_ARGv(lanes[i].name));
	return true;
}

static bool drop_artefact(struct drop *d, uint64_t space, const struct jic_index_artefact *a, struct jic_error *err)
{
	const struct jic_msg_record *r = &a->record;
	jic_buf_put(&d->blobs, &r->ji.digest, sizeof r->ji.digest);
	if (r->has_image)
		jic_buf_put(&d->blobs, &r->image.digest, sizeof r->image.digest);
	d->out->artefacts++;
	return d->txn->ops->artefact_delete(d->txn, d->lane.id, space, &r->key, err);
}

static bool drop_space(struct drop *d, uint64_t space, struct jic_error *err)
{
	struct jic_key_set keys;
	if (!jic_select_keys(d->txn, d->lane.id, space, d->arena, &keys, err))
		return false;
	for (size_t i = 0; i < keys.count; i++) {
		JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
		const struct jic_index_artefact *row;
		if (!d->txn->ops->artefacts_find(d->txn, &d->lane, space, &keys.keys[i], 1, &scratch, &row, err) ||
		    (row && !drop_artefact(d, space, row, err)))
			return false;
	}
	return true;
}

static int compare_digests(const void *a, const void *b)
{
	return jic_digest_cmp(a, b);
}

static bool count_blobs(struct drop *d, struct jic_error *err)
{
	struct jic_digest *digests = (void *)d->blobs.ptr;
	const size_t count = d->blobs.len / sizeof *digests;
	if (!jic_buf_ok(&d->blobs, err))
		return false;
	if (count)
		qsort(digests, count, sizeof *digests, compare_digests);
	for (size_t i = 0; i < count; i++) {
		struct jic_index_blob blob;
		if (i > 0 && jic_digest_eq(&digests[i - 1], &digests[i]))
			continue;
		if (!d->txn->ops->blob_find(d->txn, &digests[i], &blob, err))
			return false;
		d->out->blobs += !blob.used;
		d->out->stored_bytes += blob.used ? 0 : blob.stored_size;
	}
	return true;
}

static bool drop_all(struct drop *d, struct jic_error *err)
{
	const struct jic_index_space *spaces;
	size_t count;
	if (!d->txn->ops->spaces_list(d->txn, d->arena, &spaces, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!drop_space(d, spaces[i].id, err))
			return false;
	return count_blobs(d, err) && d->txn->ops->lane_delete(d->txn, d->lane.id, err) &&
	       d->txn->ops->commit(d->txn, err);
}

bool jic_store_lane_drop(struct jic_store *s, struct jic_view lane, struct jic_arena *arena, struct jic_dropped *out,
                         struct jic_error *err)
{
	JIC_CLEAR(drop) struct drop d = {.store = s, .arena = arena, .out = out};
	*out = (struct jic_dropped){0};
	if (!s->index->ops->lane_find(s->index, lane, arena, &d.lane, err) || !check_alone(&d, err))
		return false;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_WRITE, err);
	d.txn = t;
	/* A lane that was made below it in between keeps it: the index refuses to delete what another row names. */
	if (!t || !drop_all(&d, err))
		return false;
	jic_log_info(s->log, "lane.drop", JIC_STRV("lane", lane), JIC_U64("artefacts", out->artefacts),
	             JIC_U64("blobs", out->blobs));
	return true;
}
