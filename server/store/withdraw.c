/*
 * With blobs_lock held exclusively:
 *
 *     one transaction    rows of artefacts, of what requires them and finds it nowhere else, of their blobs
 *     after it           the blobs' bytes
 *
 * A crash in between leaves bytes without a row: nobody sees them, and the sweep removes them.
 *
 * A dry run reads one snapshot, and remembers what would be gone by now.
 */
#include "server/store/withdraw.h"

#include "common/buf.h"
#include "server/store/internal.h"
#include "server/store/select.h"

struct withdraw {
	struct jic_store *store;
	const struct jic_withdrawal *what;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	const struct jic_lane *lanes; /* all of them */
	size_t lanes_count;
	struct jic_buf places;  /* struct jic_index_place of what is to go, without dependents */
	struct jic_buf digests; /* struct jic_digest of blobs that may go with it */
	struct jic_buf modules; /* uint32_t: what the artefacts gone provided, of the space at hand */
	struct jic_buf gone;    /* struct jic_index_place: in a dry run, of the space at hand */
	size_t gone_count;      /* of these, those that are sorted and count */
	struct jic_withdrawn *out;
};

static void withdraw_clear(struct withdraw *w)
{
	jic_buf_clear(&w->places);
	jic_buf_clear(&w->digests);
	jic_buf_clear(&w->modules);
	jic_buf_clear(&w->gone);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "withdraw: out of memory");
}

static bool pass_unless(const struct jic_error *why, enum jic_code expected, struct jic_error *err)
{
	if (why->code == expected)
		return true;
	if (err)
		*err = *why;
	return false;
}

/* ---- what a dry run would have deleted */

static int compare_addresses(const void *pa, const void *pb)
{
	const struct jic_index_place *a = pa, *b = pb;
	int order = (a->space > b->space) - (a->space < b->space);
	order = order ? order : (a->lane_id > b->lane_id) - (a->lane_id < b->lane_id);
	return order ? order : jic_digest_cmp(&a->key, &b->key);
}

/* From now on they are. Level by level, as rows are deleted: nothing asks for the same artefact twice before. */
static bool settle_gone(struct withdraw *w, struct jic_error *err)
{
	w->gone_count = w->gone.len / sizeof(struct jic_index_place);
	if (w->gone_count)
		qsort(w->gone.ptr, w->gone_count, sizeof(struct jic_index_place), compare_addresses);
	return jic_buf_ok(&w->gone, err);
}

static bool is_gone(const struct withdraw *w, const struct jic_index_place *at)
{
	return w->gone_count && bsearch(at, w->gone.ptr, w->gone_count, sizeof *at, compare_addresses);
}

/* ---- one artefact */

static bool find_row(struct withdraw *w, const struct jic_index_place *at, const struct jic_index_artefact **out,
                     struct jic_error *err)
{
	const struct jic_lane lane = {.id = at->lane_id};
	*out = NULL;
	return is_gone(w, at) || w->txn->ops->artefacts_find(w->txn, &lane, at->space, &at->key, 1, w->arena, out, err);
}

static bool delete_artefact(struct withdraw *w, const struct jic_index_place *at, struct jic_error *err)
{
	if (!w->what->dry_run)
		return w->txn->ops->artefact_delete(w->txn, at->lane_id, at->space, &at->key, err);
	jic_buf_put(&w->gone, at, sizeof *at);
	return true;
}

static void note_blobs(struct withdraw *w, const struct jic_msg_record *r)
{
	jic_buf_put(&w->digests, &r->ji.digest, sizeof r->ji.digest);
	if (r->has_image)
		jic_buf_put(&w->digests, &r->image.digest, sizeof r->image.digest);
}

static bool delete_row(struct withdraw *w, const struct jic_index_place *at, const struct jic_index_artefact *row,
                       bool dependent, struct jic_error *err)
{
	if (!delete_artefact(w, at, err) ||
	    (w->what->recall && !w->txn->ops->recalled_put(w->txn, w->what->recall, &row->record, err)))
		return false;
	jic_buf_put(&w->modules, row->provides, row->provides_count * sizeof *row->provides);
	if (!w->what->rows_only && (!dependent || !w->what->quarantine))
		note_blobs(w, &row->record);
	*(dependent ? &w->out->dependents : &w->out->artefacts) += 1;
	return true;
}

/* ---- dependents */

static int compare_numbers(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	return (a > b) - (a < b);
}

/* What was provided, as sorted numbers, and who provides it still. */
struct gone {
	const uint32_t *modules;
	size_t count;
	const struct jic_index_provider *providers;
	size_t providers_count;
};

/* @param from how many bytes of `modules` were looked around for before */
static bool look_around(struct withdraw *w, uint64_t space, size_t from, struct gone *out, struct jic_error *err)
{
	if (!jic_buf_ok(&w->modules, err))
		return false;
	out->count = (w->modules.len - from) / sizeof(uint32_t);
	/* A copy: withdrawing dependents appends to the buffer. */
	uint32_t *sorted = jic_arena_array(w->arena, out->count + 1, sizeof *sorted);
	struct jic_index_module *full = jic_arena_array(w->arena, out->count + 1, sizeof *full);
	if (!sorted || !full)
		return out_of_memory(err);
	if (out->count)
		memcpy(sorted, w->modules.ptr + from, w->modules.len - from);
	qsort(sorted, out->count, sizeof *sorted, compare_numbers);
	out->modules = sorted;
	return w->txn->ops->modules_get(w->txn, sorted, out->count, full, err) &&
	       w->txn->ops->providers(w->txn, space, full, out->count, w->arena, &out->providers, &out->providers_count,
	                              err);
}

static bool is_provided(const struct withdraw *w, const struct gone *g, const struct jic_lookup *chain, uint32_t module)
{
	for (size_t i = 0; i < g->providers_count; i++) {
		const struct jic_index_provider *p = &g->providers[i];
		const struct jic_index_place at = {.lane_id = p->lane_id, .space = chain->space, .key = p->key};
		if (p->module == module && jic_lookup_has_lane(chain, p->lane_id) && !is_gone(w, &at))
			return true;
	}
	return false;
}

static bool lacks(const struct withdraw *w, const struct gone *g, const struct jic_lookup *chain,
                  const struct jic_index_artefact *row)
{
	for (size_t i = 0; i < row->requires_count; i++)
		if (bsearch(&row->requires_[i], g->modules, g->count, sizeof *g->modules, compare_numbers) &&
		    !is_provided(w, g, chain, row->requires_[i]))
			return true;
	return false;
}

static const struct jic_lane *find_lane(const struct withdraw *w, uint64_t id)
{
	for (size_t i = 0; i < w->lanes_count; i++)
		if (w->lanes[i].id == id)
			return &w->lanes[i];
	return NULL;
}

/* @param places all of one lane */
static bool withdraw_from_lane(struct withdraw *w, const struct jic_index_place *places, size_t count,
                               const struct gone *g, struct jic_error *err)
{
	struct jic_lookup chain = {.txn = w->txn, .arena = w->arena, .space = places[0].space};
	const struct jic_lane *lane = find_lane(w, places[0].lane_id);
	/* One that was made since the lanes were listed: its artefacts were published after what is withdrawn, or stand
	 * on what is not. */
	if (!lane)
		return true;
	if (!w->txn->ops->lane_chain(w->txn, lane->name, w->arena, &chain.lanes, &chain.lanes_count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct jic_index_artefact *row;
		if (!find_row(w, &places[i], &row, err))
			return false;
		if (row && lacks(w, g, &chain, row) && !delete_row(w, &places[i], row, true, err))
			return false;
	}
	return true;
}

/* Level by level: each pass takes what stands directly on what the one before took. */
static bool withdraw_dependents(struct withdraw *w, uint64_t space, struct jic_error *err)
{
	for (size_t from = 0; from < w->modules.len;) {
		const struct jic_index_place *places;
		struct gone g;
		size_t count;
		if (!settle_gone(w, err) || !look_around(w, space, from, &g, err) ||
		    !w->txn->ops->direct_requirers(w->txn, space, g.modules, g.count, w->arena, &places, &count, err))
			return false;
		from = w->modules.len;
		for (size_t i = 0, n; i < count; i += n) {
			for (n = 1; i + n < count && places[i + n].lane_id == places[i].lane_id;)
				n++;
			if (!withdraw_from_lane(w, &places[i], n, &g, err))
				return false;
		}
	}
	return true;
}

/* ---- all of it */

static bool gather_places(struct withdraw *w, struct jic_error *err)
{
	const struct jic_withdrawal *what = w->what;
	jic_buf_put(&w->places, what->places, what->places_count * sizeof *what->places);
	for (size_t i = 0; i < what->blobs_count; i++) {
		const struct jic_index_place *users;
		size_t count;
		if (!w->txn->ops->blob_users(w->txn, &what->blobs[i], w->arena, &users, &count, err))
			return false;
		jic_buf_put(&w->places, users, count * sizeof *users);
		jic_buf_put(&w->digests, &what->blobs[i], sizeof what->blobs[i]);
	}
	if (!jic_buf_ok(&w->places, err))
		return false;
	if (w->places.len)
		qsort(w->places.ptr, w->places.len / sizeof(struct jic_index_place), sizeof(struct jic_index_place),
		      compare_addresses);
	return true;
}

/* Space by space. */
static bool withdraw_places(struct withdraw *w, struct jic_error *err)
{
	const struct jic_index_place *places = (const void *)w->places.ptr;
	size_t count = w->places.len / sizeof *places;
	for (size_t i = 0; i < count; i++) {
		const struct jic_index_artefact *row = NULL;
		const bool again = i > 0 && compare_addresses(&places[i - 1], &places[i]) == 0;
		if ((!again && !find_row(w, &places[i], &row, err)) ||
		    (row && !delete_row(w, &places[i], row, false, err)))
			return false;
		if (i + 1 < count && places[i + 1].space == places[i].space)
			continue;
		if (!withdraw_dependents(w, places[i].space, err))
			return false;
		w->modules.len = w->gone.len = w->gone_count = 0;
	}
	return true;
}

/* Rows of blobs that nobody refers to any more; the digests of the others are dropped from the list. */
static bool forget_blobs(struct withdraw *w, struct jic_error *err)
{
	struct jic_digest *digests = (void *)w->digests.ptr;
	size_t count = w->digests.len / sizeof *digests, kept = 0;
	if (!jic_buf_ok(&w->digests, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct jic_index_blob blob;
		struct jic_error why;
		if (!w->txn->ops->blob_find(w->txn, &digests[i], &blob, &why)) {
			if (!pass_unless(&why, JIC_ENOTFOUND, err))
				return false;
			continue;
		}
		if (blob.used)
			continue;
		if (!w->txn->ops->blob_delete(w->txn, &digests[i], err))
			return false;
		w->out->stored_bytes += blob.stored_size;
		digests[kept++] = digests[i];
	}
	w->digests.len = kept * sizeof *digests;
	w->out->blobs = kept;
	return true;
}

static bool count(struct withdraw *w, struct jic_error *err)
{
	struct jic_index_txn *t = w->txn;
	const uint64_t artefacts = w->out->artefacts + w->out->dependents;
	if (w->what->rows_only)
		return t->ops->counter_add(t, JIC_COUNTER_RECALLED_ARTEFACTS, artefacts, err);
	if (w->what->quarantine)
		return t->ops->counter_add(t, JIC_COUNTER_DAMAGED_BLOBS, w->out->blobs, err) &&
		       t->ops->counter_add(t, JIC_COUNTER_WITHDRAWN_ARTEFACTS, artefacts, err);
	return t->ops->counter_add(t, JIC_COUNTER_EVICTED_ARTEFACTS, artefacts, err) &&
	       t->ops->counter_add(t, JIC_COUNTER_EVICTED_BYTES, w->out->stored_bytes, err);
}

static bool change_index(struct withdraw *w, struct jic_error *err)
{
	struct jic_index *ix = w->store->index;
	if (!ix->ops->lane_list(ix, w->arena, &w->lanes, &w->lanes_count, err))
		return false;
	const bool dry = w->what->dry_run;
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = ix->ops->begin(ix, dry ? JIC_INDEX_READ : JIC_INDEX_WRITE, err);
	w->txn = t;
	return t && gather_places(w, err) && withdraw_places(w, err) &&
	       (dry || (forget_blobs(w, err) && count(w, err) && t->ops->commit(t, err)));
}

static bool move_bytes(struct withdraw *w, struct jic_error *err)
{
	struct jic_blobs *b = w->store->blobs;
	const struct jic_digest *digests = (const void *)w->digests.ptr;
	for (size_t i = 0; i < w->out->blobs; i++) {
		bool moved =
		    w->what->quarantine ? b->ops->quarantine(b, &digests[i], err) : b->ops->remove(b, &digests[i], err);
		if (!moved)
			return false;
	}
	return true;
}

bool jic_store_withdraw(struct jic_store *s, const struct jic_withdrawal *what, struct jic_withdrawn *out,
                        struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(withdraw) struct withdraw w = {.store = s, .what = what, .arena = &arena, .out = out};
	*out = (struct jic_withdrawn){0};
	if (s->admin && !what->rows_only)
		return jic_fail(err, JIC_EUSAGE, "withdraw: only the serving process may, or one that holds its lock");
	JIC_ASSERT(!what->dry_run || (what->rows_only && !what->recall));
	if (what->dry_run)
		return change_index(&w, err) || jic_wrap(err, "withdraw");
	jic_blobs_lock_exclusive(s);
	bool ok = change_index(&w, err) && move_bytes(&w, err);
	jic_blobs_unlock_exclusive(s);
	if (out->artefacts || out->blobs)
		jic_log_warn(s->log, "store.withdraw", JIC_U64("artefacts", out->artefacts),
		             JIC_U64("dependents", out->dependents), JIC_U64("blobs", out->blobs),
		             JIC_BOOL("quarantine", what->quarantine));
	return ok || jic_wrap(err, "withdraw");
}
