/*
 *     1. each blob          bytes against row                             damage.h
 *     2. bytes on disk      a row for each
 *     3. each artefact      record against blobs, header, key             inspect.h, as when it was published
 *     4. each space, lane   what is required against what is there        select.h, as a reader sees it
 *
 * A server may publish and evict meanwhile. Each step reads in pages of one snapshot, and what looks wrong is looked up
 * again before it is said: what has left the index since is no finding.
 */
#include "server/store/fsck.h"

#include "common/buf.h"
#include "server/store/damage.h"
#include "server/store/inspect.h"
#include "server/store/internal.h"
#include "server/store/retell.h"
#include "server/store/withdraw.h"

enum {
	PAGE = 256,       /* rows of one snapshot */
	STRAY_AGE_S = 60, /* an upload gives its bytes a name some moments before its row is committed */
};

struct fsck {
	struct jic_store *store;
	struct jic_arena *arena; /* owns the findings */
	struct jic_fsck *out;
	struct jic_buf findings; /* struct jic_fsck_finding */
	struct jic_buf bad;      /* struct jic_digest of blobs that step 1 found damaged */
	struct jic_key_set bad_set;
	const struct jic_lane *lanes; /* all of them */
	size_t lanes_count;
};

/* A space, and what its artefacts are checked against. */
struct space {
	struct fsck *fsck;
	const struct jic_index_space *row;
	struct jic_msg_publish request; /* as it would have been published */
	struct jic_error trouble;       /* why there is no such request: a finding for each artefact */
	struct jic_arena arena;
};

static void fsck_clear(struct fsck *f)
{
	jic_buf_clear(&f->findings);
	jic_buf_clear(&f->bad);
}

static void space_clear(struct space *s)
{
	jic_arena_clear(&s->arena);
}

const char *jic_fsck_kind_name(enum jic_fsck_kind kind)
{
	static const char *const names[] = {
	    [JIC_FSCK_BLOB_MISSING] = "blob-missing", [JIC_FSCK_BLOB_UNREADABLE] = "blob-unreadable",
	    [JIC_FSCK_BLOB_CORRUPT] = "blob-corrupt", [JIC_FSCK_BLOB_FACTS] = "blob-facts",
	    [JIC_FSCK_BLOB_USE] = "blob-use",         [JIC_FSCK_RECORD] = "record",
	    [JIC_FSCK_REQUIRES] = "requires",
	};
	return names[kind];
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "fsck: out of memory");
}

static struct jic_index_txn *begin(struct fsck *f, struct jic_error *err)
{
	return f->store->index->ops->begin(f->store->index, JIC_INDEX_READ, err);
}

static bool is_failure(const struct jic_error *why, struct jic_error *err)
{
	if (why->code == JIC_ENOTFOUND)
		return false;
	if (err)
		*err = *why;
	return true;
}

/* ---- findings */

static bool add(struct fsck *f, struct jic_fsck_finding finding, const char *detail, struct jic_error *err)
{
	if (f->out->findings_total++ >= JIC_FSCK_FINDINGS_MAX)
		return true;
	finding.detail = jic_arena_copy(f->arena, jic_view_of(detail));
	jic_buf_put(&f->findings, &finding, sizeof finding);
	return jic_buf_ok(&f->findings, err);
}

static bool add_blob(struct fsck *f, enum jic_fsck_kind kind, const struct jic_digest *digest, const char *detail,
                     struct jic_error *err)
{
	return add(f, (struct jic_fsck_finding){.kind = kind, .blob = *digest}, detail, err);
}

static bool add_artefact(struct space *s, enum jic_fsck_kind kind, const struct jic_index_artefact *a,
                         const char *detail, struct jic_error *err)
{
	struct jic_arena *arena = s->fsck->arena;
	struct jic_fsck_finding finding = {
	    .kind = kind,
	    .place = {.lane_id = a->lane_id, .space = s->row->id, .key = a->record.key},
	    .lane = jic_arena_copy(arena, a->record.lane),
	    .runtime = jic_arena_copy(arena, s->row->runtime),
	    .name = jic_arena_copy(arena, a->record.name),
	    .sysimage = s->row->sysimage,
	};
	return add(s->fsck, finding, detail, err);
}

/* ---- 1. blobs */

/* @param[out] same whether a row is still the one that was read: not gone, nor gone and uploaded again */
static bool is_same_blob(struct fsck *f, const struct jic_index_blob *was, bool *same, struct jic_error *err)
{
	struct jic_index_blob now;
	struct jic_error why;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t)
		return false;
	*same = t->ops->blob_find(t, &was->digest, &now, &why);
	if (!*same)
		return !is_failure(&why, err);
	*same = now.created_s == was->created_s;
	return true;
}

static bool check_bytes(struct fsck *f, const struct jic_index_blob *row, struct jic_error *err)
{
	static const enum jic_fsck_kind kinds[] = {
	    [JIC_DAMAGE_MISSING] = JIC_FSCK_BLOB_MISSING,
	    [JIC_DAMAGE_UNREADABLE] = JIC_FSCK_BLOB_UNREADABLE,
	    [JIC_DAMAGE_CONTENT] = JIC_FSCK_BLOB_CORRUPT,
	    [JIC_DAMAGE_FACTS] = JIC_FSCK_BLOB_FACTS,
	};
	enum jic_damage damage;
	struct jic_error why;
	bool same;
	if (!jic_damage_find(f->store, row, NULL, NULL, &damage, &why, err))
		return false;
	f->out->blobs++;
	f->out->stored_bytes += row->stored_size;
	if (damage == JIC_DAMAGE_NONE)
		return true;
	if (!is_same_blob(f, row, &same, err))
		return false;
	if (!same)
		return true;
	jic_buf_put(&f->bad, &row->digest, sizeof row->digest);
	return add_blob(f, kinds[damage], &row->digest, why.text, err);
}

static bool check_use(struct fsck *f, struct jic_index_txn *t, const struct jic_index_blob *row, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_index_place *users;
	size_t count;
	if (!t->ops->blob_users(t, &row->digest, &arena, &users, &count, err))
		return false;
	if (row->used == (count > 0))
		return true;
	return add_blob(f, JIC_FSCK_BLOB_USE, &row->digest,
	                count ? "counted as unused, but an artefact refers to it"
	                      : "counted as used, but no artefact refers to it",
	                err);
}

static bool list_blobs(struct fsck *f, const struct jic_digest *after, struct jic_arena *arena,
                       const struct jic_index_blob **rows, size_t *count, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t || !t->ops->blobs_list(t, after, PAGE, arena, rows, count, err))
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!check_use(f, t, &(*rows)[i], err))
			return false;
	return true;
}

static bool check_blobs(struct fsck *f, struct jic_error *err)
{
	struct jic_digest last;
	size_t count = PAGE;
	for (bool first = true; count == PAGE; first = false) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct jic_index_blob *rows;
		if (!list_blobs(f, first ? NULL : &last, &arena, &rows, &count, err))
			return false;
		for (size_t i = 0; i < count; i++)
			if (!check_bytes(f, &rows[i], err))
				return false;
		if (count)
			last = rows[count - 1].digest;
	}
	const struct jic_digest *bad = (const void *)f->bad.ptr;
	return jic_buf_ok(&f->bad, err) &&
	       (jic_key_set_of(f->arena, bad, f->bad.len / sizeof *bad, &f->bad_set) || out_of_memory(err));
}

/* ---- 2. bytes that no row names */

static bool note_stray(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	struct fsck *f = context;
	struct jic_index_blob row;
	struct jic_error why;
	if (f->store->admin && entry->created_s + STRAY_AGE_S > jic_store_now_s())
		return true;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t)
		return false;
	if (t->ops->blob_find(t, &entry->digest, &row, &why))
		return true;
	if (is_failure(&why, err))
		return false;
	f->out->strays++;
	f->out->stray_bytes += entry->stored_size;
	return true;
}

/* ---- 3. artefacts: record against bytes */

static bool is_bad(const struct fsck *f, const struct jic_msg_record *r)
{
	return jic_key_set_find(&f->bad_set, &r->ji.digest) != SIZE_MAX ||
	       (r->has_image && jic_key_set_find(&f->bad_set, &r->image.digest) != SIZE_MAX);
}

static bool equal_modules(const struct jic_index_module *a, const struct jic_ji_module *b)
{
	return jic_uuid_eq(a->uuid, b->uuid) && jic_build_id_eq(a->build_id, b->build_id);
}

static bool has_module(const struct jic_candidate *c, const struct jic_index_module *m)
{
	for (size_t i = 0; i < c->requires_count; i++)
		if (equal_modules(m, &c->requires_[i]))
			return true;
	return false;
}

/* What the row's numbers stand for. @param[out] out `count` of them, in the arena */
static bool full_modules(struct jic_index_txn *t, const uint32_t *numbers, size_t count, struct jic_arena *arena,
                         const struct jic_index_module **out, struct jic_error *err)
{
	struct jic_index_module *modules = jic_arena_array(arena, count + 1, sizeof *modules);
	*out = modules;
	return modules ? t->ops->modules_get(t, numbers, count, modules, err) : out_of_memory(err);
}

static bool check_provides(const struct jic_index_module *recorded, const struct jic_index_artefact *a,
                           const struct jic_candidate *c, struct jic_error *why)
{
	bool same = a->provides_count == c->provides_count;
	for (size_t i = 0; same && i < c->provides_count; i++)
		same = equal_modules(&recorded[i], &c->provides[i]);
	return same || jic_fail(why, JIC_ECORRUPT, "the record provides other modules than the cache file");
}

/* What a cache file requires beyond its record has to be bundled with Julia: of those an old index has only a digest.
 * So it must not be what another artefact provides. */
static bool check_requires(struct space *s, struct jic_index_txn *t, const struct jic_index_module *recorded,
                           const struct jic_index_artefact *a, const struct jic_candidate *c, struct jic_error *why)
{
	const struct jic_index_provider *providers;
	size_t rest_count = 0, providers_count;
	struct jic_index_module *rest = jic_arena_array(&s->arena, c->requires_count + 1, sizeof *rest);
	if (!rest)
		return out_of_memory(why);
	for (size_t i = 0; i < a->requires_count; i++)
		if (!has_module(c, &recorded[i]))
			return jic_fail(why, JIC_ECORRUPT, "the record requires a module that the cache file does not");
	if (a->requires_count == c->requires_count)
		return true;
	for (size_t i = 0; i < c->requires_count; i++)
		rest[rest_count++] =
		    (struct jic_index_module){.uuid = c->requires_[i].uuid, .build_id = c->requires_[i].build_id};
	if (!t->ops->providers(t, s->row->id, rest, rest_count, &s->arena, &providers, &providers_count, why))
		return false;
	for (size_t i = 0; i < providers_count; i++) {
		bool named = false;
		for (size_t j = 0; j < a->requires_count; j++)
			named = named || a->requires_[j] == providers[i].module;
		const struct jic_ji_module full = {.uuid = providers[i].full.uuid,
		                                   .build_id = providers[i].full.build_id};
		for (size_t j = 0; !named && j < rest_count; j++)
			if (equal_modules(&rest[j], &full))
				return jic_fail(why, JIC_ECORRUPT, "the cache file requires more than its record");
	}
	return true;
}

static bool check_blob_row(struct jic_index_txn *t, const struct jic_msg_blob *blob, struct jic_error *why)
{
	struct jic_index_blob row;
	if (!t->ops->blob_find(t, &blob->digest, &row, why))
		return false;
	return row.size == blob->size || jic_fail(why, JIC_ECORRUPT, "the record says %llu bytes, the blob has %llu",
	                                          (unsigned long long)blob->size, (unsigned long long)row.size);
}

static bool check_rows(struct space *s, struct jic_index_txn *t, const struct jic_index_artefact *a,
                       const struct jic_candidate *c, struct jic_error *why)
{
	const struct jic_index_module *provides, *required;
	const struct jic_msg_record *r = &a->record;
	if (!check_blob_row(t, &r->ji, why) || (r->has_image && !check_blob_row(t, &r->image, why)))
		return false;
	if (!jic_build_id_eq(c->build_id, r->build_id))
		return jic_fail(why, JIC_ECORRUPT, "the record has another build id than the cache file");
	return full_modules(t, a->provides, a->provides_count, &s->arena, &provides, why) &&
	       full_modules(t, a->requires_, a->requires_count, &s->arena, &required, why) &&
	       check_provides(provides, a, c, why) && check_requires(s, t, required, a, c, why);
}

static bool check_record(struct space *s, const struct jic_index_artefact *a, struct jic_error *why)
{
	char runtime_id[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_inspection in;
	struct jic_msg_artefact form;
	struct jic_candidate c;
	struct jic_index *ix = s->fsck->store->index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, why);
	return t && jic_retell_artefact(t, s->row->id, a, &s->arena, &form, why) && jic_inspect_key(&form, why) &&
	       jic_inspection_begin(&in, s->fsck->store, &s->request, &s->arena, runtime_id, why) &&
	       jic_inspect(&in, &form, &c, why) && check_rows(s, t, a, &c, why);
}

/* @return false */
static bool pass_up(const struct jic_error *why, struct jic_error *err)
{
	if (err && why->code != JIC_OK)
		*err = *why;
	return false;
}

/* Memory, a full disk, a busy index: nothing that could be said of the artefact. */
static bool is_our_trouble(const struct jic_error *why)
{
	return why->code == JIC_EMEMORY || why->code == JIC_ENOSPACE || why->code == JIC_EBUSY ||
	       why->code == JIC_EDENIED;
}

static bool is_there(struct fsck *f, const struct space *s, const struct jic_index_artefact *a, bool *there,
                     struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane lane = {.id = a->lane_id, .name = a->record.lane};
	const struct jic_index_artefact *now;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t || !t->ops->artefacts_find(t, &lane, s->row->id, &a->record.key, 1, &arena, &now, err))
		return false;
	*there = now && jic_digest_eq(&now->record.ji.digest, &a->record.ji.digest);
	return true;
}

static bool check_artefact(struct space *s, const struct jic_index_artefact *a, struct jic_error *err)
{
	struct fsck *f = s->fsck;
	struct jic_error why = {0};
	bool there;
	f->out->artefacts++;
	/* A damaged blob is a finding already. */
	if (is_bad(f, &a->record))
		return true;
	why = s->trouble;
	if (why.code == JIC_OK && check_record(s, a, &why))
		return true;
	if (is_our_trouble(&why))
		return pass_up(&why, err);
	if (!is_there(f, s, a, &there, err))
		return false;
	return !there || add_artefact(s, JIC_FSCK_RECORD, a, why.text, err);
}

static bool list_artefacts(struct fsck *f, const struct jic_lane *lane, uint64_t space, const struct jic_digest *after,
                           struct jic_arena *arena, const struct jic_index_artefact ***rows,
                           const struct jic_digest **keys, size_t *count, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t || !t->ops->keys_list(t, lane->id, space, after, PAGE, arena, keys, count, err))
		return false;
	*rows = jic_arena_array(arena, *count + 1, sizeof **rows);
	return *rows ? t->ops->artefacts_find(t, lane, space, *keys, *count, arena, *rows, err) : out_of_memory(err);
}

/* The space's description for one page, in an arena that the page's other allocations share. */
static bool describe(struct space *s, const struct jic_lane *lane, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(s->fsck, err);
	struct jic_lookup lookup = {.txn = t, .arena = &s->arena, .space = s->row->id};
	return t && t->ops->lane_chain(t, lane->name, &s->arena, &lookup.lanes, &lookup.lanes_count, err) &&
	       jic_retell_space(&lookup, s->row, &s->request, err);
}

static bool check_records(struct fsck *f, const struct jic_index_space *row, const struct jic_lane *lane,
                          struct jic_error *err)
{
	struct jic_digest last;
	size_t count = PAGE;
	for (bool first = true; count == PAGE; first = false) {
		JIC_CLEAR(space) struct space s = {.fsck = f, .row = row};
		const struct jic_index_artefact **rows;
		const struct jic_digest *keys;
		if (!list_artefacts(f, lane, row->id, first ? NULL : &last, &s.arena, &rows, &keys, &count, err) ||
		    (count && !describe(&s, lane, &s.trouble) && is_our_trouble(&s.trouble)))
			return pass_up(&s.trouble, err);
		for (size_t i = 0; i < count; i++)
			if (rows[i] && !check_artefact(&s, rows[i], err))
				return false;
		if (count)
			last = keys[count - 1];
	}
	return true;
}

/* ---- 4. rule 2 */

/* What one lane's reader sees of a space. */
struct view {
	struct space *space;
	struct jic_lookup lookup;
	struct jic_selection selection;
	struct jic_module_map hidden; /* what superseded artefacts provide, and no offered one */
	/* of the keys of the selection, what is stored and not offered: of the lane and of those above */
	const struct jic_index_artefact **open;
	size_t open_count;
};

static bool hide(struct view *v, const struct jic_index_artefact *a)
{
	for (size_t i = 0; i < a->provides_count; i++)
		if (!jic_module_map_get(&v->selection.modules, a->provides[i], NULL) &&
		    !jic_module_map_put(&v->hidden, a->provides[i], 0))
			return false;
	return true;
}

static bool requires_hidden(const struct view *v, const struct jic_index_artefact *a)
{
	for (size_t i = 0; i < a->requires_count; i++)
		if (jic_module_map_get(&v->hidden, a->requires_[i], NULL))
			return true;
	return false;
}

/* Sort what is not offered: its address has another one above (superseded), or it is open. */
static bool sort_lane(struct view *v, const struct jic_lane *lane, uint64_t *superseded, struct jic_error *err)
{
	const struct jic_key_set *keys = &v->selection.keys;
	struct jic_arena *arena = v->lookup.arena;
	const struct jic_index_artefact **rows = jic_arena_array(arena, keys->count + 1, sizeof *rows);
	if (!rows)
		return out_of_memory(err);
	if (!v->lookup.txn->ops->artefacts_find(v->lookup.txn, lane, v->lookup.space, keys->keys, keys->count, arena,
	                                        rows, err))
		return false;
	for (size_t i = 0; i < keys->count; i++) {
		const struct jic_index_artefact *offered = v->selection.offered[i];
		if (!rows[i] || (offered && offered->lane_id == lane->id))
			continue;
		if (!offered)
			v->open[v->open_count++] = rows[i];
		else if (!hide(v, rows[i]))
			return out_of_memory(err);
		else
			++*superseded;
	}
	return true;
}

/* What was built on a superseded artefact is superseded itself, until nothing changes. */
static bool spread(struct view *v, uint64_t *superseded)
{
	size_t before;
	do {
		size_t open = 0;
		before = v->open_count;
		for (size_t i = 0; i < before; i++) {
			if (!requires_hidden(v, v->open[i]))
				v->open[open++] = v->open[i];
			else if (!hide(v, v->open[i]))
				return false;
			else
				++*superseded;
		}
		v->open_count = open;
	} while (v->open_count < before);
	return true;
}

static bool report_open(struct view *v, uint64_t lane_id, struct jic_error *err)
{
	for (size_t i = 0; i < v->open_count; i++) {
		const struct jic_index_artefact *a = v->open[i];
		struct jic_index_module module = {0};
		char id[JIC_BUILD_ID_TEXT + 1], uuid[JIC_UUID_TEXT + 1], detail[200];
		if (a->lane_id != lane_id)
			continue; /* said where it is */
		for (size_t j = 0; j < a->requires_count; j++)
			if (!jic_module_map_get(&v->selection.modules, a->requires_[j], NULL) &&
			    !v->lookup.txn->ops->modules_get(v->lookup.txn, &a->requires_[j], 1, &module, err))
				return false;
		jic_build_id_format(module.build_id, id);
		jic_uuid_format(module.uuid, uuid);
		snprintf(detail, sizeof detail, "requires build %s of %s, which the lane and those above don't have",
		         id, uuid);
		if (!add_artefact(v->space, JIC_FSCK_REQUIRES, a, detail, err))
			return false;
	}
	return true;
}

static bool look(struct view *v, const struct jic_lane *lane, struct jic_error *err)
{
	struct jic_lookup *lookup = &v->lookup;
	struct jic_key_set keys;
	uint64_t superseded = 0, *own = &v->space->fsck->out->superseded;
	if (!jic_select_keys(lookup->txn, lane->id, lookup->space, lookup->arena, &keys, err))
		return false;
	if (!keys.count)
		return true;
	if (!jic_select_closed(lookup, &keys, &v->selection, err))
		return false;
	v->open = jic_arena_array(lookup->arena, v->selection.keys.count * lookup->lanes_count + 1, sizeof *v->open);
	if (!v->open)
		return out_of_memory(err);
	for (size_t i = 0; i < lookup->lanes_count; i++)
		if (!sort_lane(v, &lookup->lanes[i], i + 1 == lookup->lanes_count ? own : &superseded, err))
			return false;
	return (spread(v, own) || out_of_memory(err)) && report_open(v, lane->id, err);
}

static bool check_coherence(struct fsck *f, const struct jic_index_space *row, const struct jic_lane *lane,
                            struct jic_error *err)
{
	JIC_CLEAR(space) struct space s = {.fsck = f, .row = row};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	struct view v = {
	    .space = &s, .lookup = {.txn = t, .arena = &s.arena, .space = row->id}, .hidden.arena = &s.arena};
	return t && t->ops->lane_chain(t, lane->name, &s.arena, &v.lookup.lanes, &v.lookup.lanes_count, err) &&
	       look(&v, lane, err);
}

/* ---- all of it */

static bool check_spaces(struct fsck *f, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = f->store->index;
	const struct jic_index_space *spaces;
	size_t count;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(f, err);
	if (!t || !t->ops->spaces_list(t, &arena, &spaces, &count, err) ||
	    !ix->ops->lane_list(ix, &arena, &f->lanes, &f->lanes_count, err))
		return false;
	jic_index_txn_end(JIC_TAKE(t));
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < f->lanes_count; j++)
			if (!check_records(f, &spaces[i], &f->lanes[j], err) ||
			    !check_coherence(f, &spaces[i], &f->lanes[j], err))
				return false;
	return true;
}

bool jic_store_fsck(struct jic_store *s, struct jic_arena *arena, struct jic_fsck *out, struct jic_error *err)
{
	JIC_CLEAR(fsck) struct fsck f = {.store = s, .arena = arena, .out = out};
	*out = (struct jic_fsck){0};
	if (!check_blobs(&f, err) || !s->blobs->ops->each(s->blobs, note_stray, &f, err) || !check_spaces(&f, err))
		return jic_wrap(err, "fsck");
	struct jic_view findings = jic_arena_copy(arena, jic_buf_view(&f.findings));
	out->findings = (const void *)findings.ptr;
	out->findings_count = f.findings.len / sizeof *out->findings;
	return !arena->failed || out_of_memory(err);
}

/* ---- repair */

static bool recount(struct jic_store *s, const struct jic_fsck *found, struct jic_fsck_repair *out,
                    struct jic_error *err)
{
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_WRITE, err);
	if (!t)
		return false;
	for (size_t i = 0; i < found->findings_count; i++) {
		struct jic_error why;
		if (found->findings[i].kind != JIC_FSCK_BLOB_USE)
			continue;
		if (t->ops->blob_release(t, &found->findings[i].blob, &why))
			out->recounted++;
		else if (is_failure(&why, err))
			return false;
	}
	return t->ops->commit(t, err);
}

bool jic_store_fsck_repair(struct jic_store *s, const struct jic_fsck *found, struct jic_fsck_repair *out,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	JIC_CLEAR(jic_buf) struct jic_buf blobs = {0};
	struct jic_withdrawn gone;
	*out = (struct jic_fsck_repair){0};
	for (size_t i = 0; i < found->findings_count; i++) {
		const struct jic_fsck_finding *f = &found->findings[i];
		if (f->kind == JIC_FSCK_RECORD || f->kind == JIC_FSCK_REQUIRES)
			jic_buf_put(&places, &f->place, sizeof f->place);
		else if (f->kind != JIC_FSCK_BLOB_USE)
			jic_buf_put(&blobs, &f->blob, sizeof f->blob);
	}
	const struct jic_withdrawal what = {.places = (const void *)places.ptr,
	                                    .places_count = places.len / sizeof(struct jic_index_place),
	                                    .blobs = (const void *)blobs.ptr,
	                                    .blobs_count = blobs.len / sizeof(struct jic_digest),
	                                    .quarantine = true};
	if (!jic_buf_ok(&places, err) || !jic_buf_ok(&blobs, err) || !jic_store_withdraw(s, &what, &gone, err) ||
	    !recount(s, found, out, err))
		return jic_wrap(err, "repair");
	out->withdrawn = gone.artefacts;
	out->dependents = gone.dependents;
	out->quarantined = gone.blobs;
	return true;
}
