/*
 * Space by space, from a copy of the index:
 *
 *     offered   what a reader of the lane is offered of all its keys, with what these require (select.h)
 *     sets      the last artefact in that order that is in no set yet, with all that it requires and that is in none:
 *               what it stands on is in its set, or in one before
 *     a set     its blobs are opened, so that eviction can't take them any more; then what it says; then their bytes
 *
 *     ordered:   a  b  c  d  e       d requires a c, e requires a b
 *     sets:      {a b e} {c d}
 */
#include "server/store/export.h"

#include "common/json.h"
#include "server/store/archive.h"
#include "server/store/internal.h"
#include "server/store/retell.h"
#include "server/store/snapshot.h"

#include <unistd.h>

enum { RUNTIMES_MAX = 16 };

struct export
{
	struct jic_store *store;
	const struct jic_export *what;
	struct jic_arena *arena; /* of the caller */
	struct jic_snapshot snapshot;
	struct jic_archive_writer *archive;
	struct jic_view runtimes[RUNTIMES_MAX];
	struct jic_exported *out;
};

/* What the sets of one space are made of. Positions are those in the selection's order. */
struct part {
	struct export *export;
	const struct jic_index_space *space;
	struct jic_lookup lookup;
	struct jic_selection selection;
	struct jic_msg_publish form; /* of every set, but for its artefacts */
	uint8_t *taken;              /* by position: is in a set, or lost */
	uint8_t *lost;               /* by position: can't be had, nor what stands on it */
	uint32_t *members;           /* of the set at hand, in order */
	size_t members_count;
};

/* A blob that is to be written. */
struct open_blob {
	struct jic_digest digest;
	uint64_t size; /* as stored */
	int fd;
};

/* One set under way. */
struct set {
	struct jic_arena arena;
	struct jic_msg_artefact *artefacts;
	size_t artefacts_count;
	struct open_blob *blobs;
	size_t blobs_count;
};

static void export_clear(struct export *e)
{
	jic_archive_writer_free(e->archive);
	jic_snapshot_clear(&e->snapshot);
}

static void set_clear(struct set *s)
{
	for (size_t i = 0; i < s->blobs_count; i++)
		close(s->blobs[i].fd);
	jic_arena_clear(&s->arena);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "export: out of memory");
}

/* ---- which artefacts are in a set */

static int compare_positions(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	return (a > b) - (a < b);
}

static bool take(struct part *p, uint32_t position, struct jic_error *err)
{
	if (p->taken[position])
		return true;
	if (p->members_count == JIC_EXPORT_SET_MAX)
		return jic_fail(err, JIC_ELIMIT, "one package requires more than %d others", JIC_EXPORT_SET_MAX);
	p->taken[position] = 1;
	p->members[p->members_count++] = position;
	return true;
}

/* A list of requirements holds what its own requirements require, but nothing relies on that. */
static bool gather(struct part *p, uint32_t root, struct jic_error *err)
{
	p->members_count = 0;
	if (!take(p, root, err))
		return false;
	for (size_t i = 0; i < p->members_count; i++) {
		const struct jic_index_artefact *a = p->selection.ordered[p->members[i]];
		for (size_t k = 0; k < a->requires_count; k++) {
			uint32_t position;
			if (jic_module_map_get(&p->selection.modules, a->requires_[k], &position) &&
			    !take(p, position, err))
				return false;
		}
	}
	qsort(p->members, p->members_count, sizeof *p->members, compare_positions);
	return true;
}

/* ---- their bytes */

static bool stands_on_lost(const struct part *p, const struct jic_index_artefact *a)
{
	for (size_t i = 0; i < a->requires_count; i++) {
		uint32_t position;
		if (jic_module_map_get(&p->selection.modules, a->requires_[i], &position) && p->lost[position])
			return true;
	}
	return false;
}

/* @return false with JIC_ENOTFOUND when it is not there any more */
static bool open_blob(struct part *p, struct set *s, const struct jic_digest *digest, struct jic_error *err)
{
	struct jic_blobs *from = p->export->store->blobs;
	struct open_blob *b = &s->blobs[s->blobs_count];
	*b = (struct open_blob){.digest = *digest, .fd = -1};
	if (!from->ops->open(from, digest, &b->fd, &b->size, err))
		return false;
	s->blobs_count++;
	return true;
}

/* @param[out] there false: it is lost, and nothing of it is in the set */
static bool open_blobs(struct part *p, struct set *s, const struct jic_msg_record *r, bool *there,
                       struct jic_error *err)
{
	const size_t before = s->blobs_count;
	struct jic_error why = {0};
	*there = open_blob(p, s, &r->ji.digest, &why) && (!r->has_image || open_blob(p, s, &r->image.digest, &why));
	if (*there)
		return true;
	while (s->blobs_count > before)
		close(s->blobs[--s->blobs_count].fd);
	if (why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool add(struct part *p, struct set *s, uint32_t position, struct jic_error *err)
{
	const struct jic_index_artefact *a = p->selection.ordered[position];
	bool there = !stands_on_lost(p, a);
	if (there && !open_blobs(p, s, &a->record, &there, err))
		return false;
	if (!there) {
		p->lost[position] = 1;
		p->export->out->lost++;
		return true;
	}
	return jic_retell_artefact(p->lookup.txn, p->space->id, a, &s->arena, &s->artefacts[s->artefacts_count++], err);
}

/* ---- writing */

static bool write_blobs(struct part *p, struct set *s, struct jic_error *err)
{
	struct export *e = p->export;
	for (size_t i = 0; i < s->blobs_count; i++) {
		const struct open_blob *b = &s->blobs[i];
		char name[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
		jic_archive_blob_name(&b->digest, name);
		if (!jic_archive_writer_copy(e->archive, name, b->fd, b->size, err))
			return false;
		e->out->blobs++;
		e->out->bytes += b->size;
	}
	return true;
}

static bool write_set(struct part *p, struct set *s, struct jic_error *err)
{
	struct export *e = p->export;
	char name[JIC_ARCHIVE_NAME_BYTES_MAX];
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	p->form.artefacts = s->artefacts;
	p->form.artefacts_count = s->artefacts_count;
	snprintf(name, sizeof name, JIC_EXPORT_SET, (unsigned long long)++e->out->sets);
	e->out->artefacts += s->artefacts_count;
	return jic_msg_export_set_write(&p->form, &json, err) &&
	       jic_archive_writer_put(e->archive, name, jic_buf_view(&json), err) && write_blobs(p, s, err);
}

static bool export_members(struct part *p, struct jic_error *err)
{
	JIC_CLEAR(set) struct set s = {0};
	s.artefacts = jic_arena_array(&s.arena, p->members_count, sizeof *s.artefacts);
	s.blobs = jic_arena_array(&s.arena, 2 * p->members_count, sizeof *s.blobs);
	if (!s.artefacts || !s.blobs)
		return out_of_memory(err);
	for (size_t i = 0; i < p->members_count; i++)
		if (!add(p, &s, p->members[i], err))
			return false;
	return !s.artefacts_count || write_set(p, &s, err);
}

/* ---- a space */

static bool note_untold(struct part *p, struct jic_error *err)
{
	struct export *e = p->export;
	e->out->untold += p->selection.ordered_count;
	e->out->runtimes = e->runtimes;
	if (e->out->runtimes_count < RUNTIMES_MAX)
		e->runtimes[e->out->runtimes_count++] = jic_arena_copy(e->arena, p->space->runtime);
	return !e->arena->failed || out_of_memory(err);
}

/* @param[out] told false: a publish can't be said again without what is bundled */
static bool describe(struct part *p, bool *told, struct jic_error *err)
{
	struct jic_runtime *r = &p->form.runtime;
	struct jic_error why = {0};
	if (!jic_retell_space(&p->lookup, p->space, &p->form, err))
		return false;
	p->form.lane = p->export->what->lane;
	*told = p->lookup.txn->ops->runtime_bundled(p->lookup.txn, p->space->runtime, p->lookup.arena, &r->bundled,
	                                            &r->bundled_count, &why);
	if (*told || why.code == JIC_ENOTFOUND)
		return *told || note_untold(p, err);
	if (err)
		*err = why;
	return false;
}

static bool export_selection(struct part *p, struct jic_error *err)
{
	const size_t count = p->selection.ordered_count;
	bool told;
	p->taken = jic_arena_array(p->lookup.arena, count + 1, sizeof *p->taken);
	p->lost = jic_arena_array(p->lookup.arena, count + 1, sizeof *p->lost);
	p->members = jic_arena_array(p->lookup.arena, JIC_EXPORT_SET_MAX, sizeof *p->members);
	if (!p->taken || !p->lost || !p->members)
		return out_of_memory(err);
	if (!count)
		return true;
	if (!describe(p, &told, err))
		return false;
	if (!told)
		return true;
	for (size_t i = count; i-- > 0;)
		if (!p->taken[i] && (!gather(p, (uint32_t)i, err) || !export_members(p, err)))
			return false;
	return true;
}

static bool export_space(struct export *e, const struct jic_index_space *space, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = e->snapshot.index;
	struct jic_key_set keys;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	struct part p = {.export = e, .space = space, .lookup = {.txn = t, .arena = &arena, .space = space->id}};
	if (!t || !t->ops->lane_chain(t, e->what->lane, &arena, &p.lookup.lanes, &p.lookup.lanes_count, err))
		return false;
	const struct jic_lane *lane = &p.lookup.lanes[p.lookup.lanes_count - 1];
	if (!jic_select_keys(t, lane->id, space->id, &arena, &keys, err))
		return false;
	return !keys.count || (jic_select_closed(&p.lookup, &keys, &p.selection, err) && export_selection(&p, err));
}

/* ---- all of it */

static bool write_header(struct export *e, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "format", JIC_VIEW(JIC_EXPORT_FORMAT));
	jic_json_put_text(&w, "lane", e->what->lane);
	jic_json_put_text(&w, "server", JIC_VIEW("jicached " JIC_VERSION));
	jic_json_put_u64(&w, "created_s", jic_store_now_s());
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err) &&
	       jic_archive_writer_put(e->archive, JIC_EXPORT_HEADER, jic_buf_view(&json), err);
}

static bool write_end(struct export *e, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "sets", e->out->sets);
	jic_json_put_u64(&w, "artefacts", e->out->artefacts);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err) &&
	       jic_archive_writer_put(e->archive, JIC_EXPORT_END, jic_buf_view(&json), err) &&
	       jic_archive_writer_finish(e->archive, err);
}

static bool list_spaces(struct export *e, struct jic_arena *arena, const struct jic_index_space **out, size_t *count,
                        struct jic_error *err)
{
	struct jic_index *ix = e->snapshot.index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	return t && t->ops->spaces_list(t, arena, out, count, err);
}

static bool export_spaces(struct export *e, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_index_space *spaces;
	size_t count;
	if (!list_spaces(e, &arena, &spaces, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!export_space(e, &spaces[i], err))
			return false;
	return true;
}

static bool begin(struct export *e, struct jic_error *err)
{
	struct jic_index *ix = e->store->index;
	struct jic_lane lane;
	if (!ix->ops->lane_find(ix, e->what->lane, e->arena, &lane, err) ||
	    !jic_snapshot_name(&e->snapshot, e->what->data_dir, err) || !jic_snapshot_take(&e->snapshot, ix, err))
		return false;
	e->archive = jic_archive_writer_new(e->what->fd, err);
	return e->archive != NULL;
}

bool jic_store_export(struct jic_store *s, const struct jic_export *what, struct jic_arena *arena,
                      struct jic_exported *out, struct jic_error *err)
{
	struct export *e = JIC_ARENA_NEW(arena, struct export);
	*out = (struct jic_exported){0};
	if (!e)
		return out_of_memory(err);
	*e = (struct export){.store = s, .what = what, .arena = arena, .out = out};
	bool ok = begin(e, err) && write_header(e, err) && export_spaces(e, err) && write_end(e, err);
	export_clear(e);
	return ok || jic_wrap(err, "export");
}
