/*
 *     1. space by space: every artefact's own worth; then each raises that of all it requires
 *     2. all spaces: sorted by worth, of equals dependents first (they require more)
 *     3. in batches of one transaction each, as many as are needed
 *
 * What is published or used meanwhile may go too: it is a miss. What requires something that goes, goes with it in the
 * same transaction, whatever was computed before (withdraw.h).
 */
#include "server/store/evict.h"

#include "common/buf.h"
#include "server/store/internal.h"
#include "server/store/module_map.h"
#include "server/store/withdraw.h"

enum {
	PAGE = 256,
	BATCH = 128, /* artefacts that uploads have to wait for at a time */
	DAY_S = 86400,
	NAME_BYTES_MAX = 256,
};

struct entry {
	struct jic_index_place place;
	double worth;
	uint64_t used_s; /* Unix time */
	uint64_t bytes;  /* of content: an upper bound for what is on disk, but for noise */
	uint32_t requires_count;
	bool pinned;
};

struct evict {
	struct jic_store *store;
	const struct jic_eviction *what;
	struct jic_arena *arena;
	const struct jic_view *pins;
	size_t pins_count;
	const struct jic_lane *lanes;
	size_t lanes_count;
	struct jic_buf entries; /* struct entry, of all spaces */
	struct jic_evicted *out;
};

/* An artefact of the space at hand; its entry is under the same number. */
struct item {
	const struct jic_index_artefact *row;
	uint32_t next; /* one more than the number of the next with the same build in another lane; 0: none */
};

struct space {
	struct evict *evict;
	const struct jic_index_space *row;
	struct jic_arena arena;
	struct jic_buf items;
	size_t first;                    /* entry of item 0 */
	struct jic_module_map providers; /* module → number of the item */
};

static void evict_clear(struct evict *e)
{
	jic_buf_clear(&e->entries);
}

static void space_clear(struct space *s)
{
	jic_buf_clear(&s->items);
	jic_arena_clear(&s->arena);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "evict: out of memory");
}

/* ---- pins */

static bool names_address(struct jic_view pin, const struct jic_index_space *space, const struct jic_digest *key)
{
	char sysimage[JIC_DIGEST_HEX + 1], hex[JIC_DIGEST_HEX + 1],
	    text[JIC_RUNTIME_ID_BYTES_MAX + 2 * JIC_DIGEST_HEX + 3];
	jic_digest_hex(key, hex);
	jic_digest_hex(&space->sysimage, sysimage);
	snprintf(text, sizeof text, JIC_PRIv "/%s/%s", JIC_ARGv(space->runtime), sysimage, hex);
	return jic_view_is(pin, hex) || jic_view_is(pin, text);
}

bool jic_pin_names(struct jic_view what, const struct jic_index_space *space, const struct jic_msg_record *r)
{
	return jic_view_eq(what, r->name) || names_address(what, space, &r->key);
}

static bool is_pinned(const struct evict *e, const struct jic_index_space *space, const struct jic_msg_record *r)
{
	for (size_t i = 0; i < e->pins_count; i++)
		if (jic_pin_names(e->pins[i], space, r))
			return true;
	return false;
}

bool jic_pin_check(struct jic_view what, struct jic_error *err)
{
	for (size_t i = 0; i < what.len; i++)
		if ((unsigned char)what.ptr[i] <= ' ' || what.ptr[i] == 0x7f)
			return jic_fail(err, JIC_EUSAGE, "a pin has no spaces or control characters");
	const char *slash = what.len ? memrchr(what.ptr, '/', what.len) : NULL;
	struct jic_digest key;
	if (slash && !jic_digest_parse(jic_view_skip(what, (size_t)(slash - what.ptr) + 1), &key))
		return jic_fail(err, JIC_EUSAGE, "an address is runtime/sysimage/key, in hexadecimal digits");
	return (what.len && what.len <= NAME_BYTES_MAX + 2 * JIC_DIGEST_HEX) ||
	       jic_fail(err, JIC_EUSAGE, "a pin is a package, a Merkle key or an address");
}

/* ---- 1. worth */

static uint64_t last_use(const struct jic_index_artefact *a)
{
	return a->last_used_s > a->published_s ? a->last_used_s : a->published_s;
}

/* Where nobody measured it: as code of that size usually takes. */
static double compile_ms(const struct jic_msg_record *r, double bytes)
{
	return r->compile_ms ? (double)r->compile_ms : 500 + bytes / 500;
}

/* Milliseconds saved for each byte, halved after a day without use, a third after two, … */
static double own_worth(const struct evict *e, const struct jic_index_artefact *a)
{
	uint64_t used_s = last_use(a), now_s = e->what->now_s;
	double days = now_s > used_s ? (double)(now_s - used_s) / DAY_S : 0;
	double bytes = (double)(a->record.ji.size + a->record.image.size) + 1;
	return (compile_ms(&a->record, bytes) + 1) / bytes / (1 + days);
}

static bool add_provider(struct space *s, uint32_t number)
{
	struct item *items = (void *)s->items.ptr;
	const struct jic_index_artefact *a = items[number].row;
	uint32_t same;
	if (a->provides_count && jic_module_map_get(&s->providers, a->provides[0], &same)) {
		items[number].next = items[same].next;
		items[same].next = number + 1;
		return true;
	}
	for (size_t i = 0; i < a->provides_count; i++)
		if (!jic_module_map_put(&s->providers, a->provides[i], number))
			return false;
	return true;
}

static bool add_item(struct space *s, const struct jic_index_artefact *row, struct jic_error *err)
{
	struct evict *e = s->evict;
	const struct item item = {.row = row};
	const struct entry entry = {
	    .place = {.lane_id = row->lane_id, .space = s->row->id, .key = row->record.key},
	    .worth = own_worth(e, row),
	    .used_s = last_use(row),
	    .bytes = row->record.ji.size + row->record.image.size,
	    .requires_count = (uint32_t)row->requires_count,
	    .pinned = is_pinned(e, s->row, &row->record),
	};
	size_t number = s->items.len / sizeof item;
	jic_buf_put(&s->items, &item, sizeof item);
	jic_buf_put(&e->entries, &entry, sizeof entry);
	if (!jic_buf_ok(&s->items, err) || !jic_buf_ok(&e->entries, err))
		return false;
	return (number < UINT32_MAX && add_provider(s, (uint32_t)number)) || out_of_memory(err);
}

static bool read_lane(struct space *s, struct jic_index_txn *t, const struct jic_lane *lane, struct jic_error *err)
{
	const struct jic_digest *keys = NULL;
	size_t count = PAGE;
	for (bool first = true; count == PAGE; first = false) {
		const struct jic_digest *after = first ? NULL : &keys[PAGE - 1];
		if (!t->ops->keys_list(t, lane->id, s->row->id, after, PAGE, &s->arena, &keys, &count, err))
			return false;
		const struct jic_index_artefact **rows = jic_arena_array(&s->arena, count + 1, sizeof *rows);
		if (!rows)
			return out_of_memory(err);
		if (!t->ops->artefacts_find(t, lane, s->row->id, keys, count, &s->arena, rows, err))
			return false;
		for (size_t i = 0; i < count; i++)
			if (rows[i] && !add_item(s, rows[i], err))
				return false;
	}
	return true;
}

static void lift(struct entry *dependency, const struct entry *by, double worth)
{
	dependency->pinned = dependency->pinned || by->pinned;
	if (dependency->worth < worth)
		dependency->worth = worth;
	if (dependency->used_s < by->used_s)
		dependency->used_s = by->used_s;
}

/* A list of requirements names all that is below, so one pass with each one's own worth is enough. */
static void raise_dependencies(struct space *s)
{
	const struct item *items = (const void *)s->items.ptr;
	struct entry *entries = (struct entry *)(void *)s->evict->entries.ptr + s->first;
	size_t count = s->items.len / sizeof *items;
	for (size_t i = 0; i < count; i++) {
		const struct jic_index_artefact *a = items[i].row;
		const double worth = own_worth(s->evict, a);
		for (size_t j = 0; j < a->requires_count; j++) {
			uint32_t at;
			if (!jic_module_map_get(&s->providers, a->requires_[j], &at))
				continue;
			for (uint32_t n = at + 1; n; n = items[n - 1].next)
				lift(&entries[n - 1], &entries[i], worth);
		}
	}
}

static bool weigh_space(struct evict *e, const struct jic_index_space *row, struct jic_error *err)
{
	JIC_CLEAR(space)
	struct space s = {.evict = e, .row = row, .first = e->entries.len / sizeof(struct entry)};
	s.providers.arena = &s.arena;
	struct jic_index *ix = e->store->index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	if (!t)
		return false;
	for (size_t i = 0; i < e->lanes_count; i++)
		if (!read_lane(&s, t, &e->lanes[i], err))
			return false;
	if (s.items.len)
		raise_dependencies(&s);
	return true;
}

/* ---- 2. and 3. */

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int order = (a->worth > b->worth) - (a->worth < b->worth);
	if (!order)
		order = (a->requires_count < b->requires_count) - (a->requires_count > b->requires_count);
	return order ? order : jic_digest_cmp(&a->place.key, &b->place.key);
}

static const struct jic_lane *lane_of(const struct evict *e, const struct entry *entry)
{
	for (size_t i = 0; i < e->lanes_count; i++)
		if (e->lanes[i].id == entry->place.lane_id)
			return &e->lanes[i];
	return NULL;
}

static bool is_too_old(const struct evict *e, const struct entry *entry)
{
	const struct jic_lane *lane = e->what->aged && !e->what->rows_only ? lane_of(e, entry) : NULL;
	const uint64_t max_s = lane && lane->max_age_s ? lane->max_age_s : e->what->unused_s;
	return e->what->aged && max_s && entry->used_s + max_s < e->what->now_s;
}

static bool evict_batch(struct evict *e, struct jic_buf *places, struct jic_error *err)
{
	struct jic_withdrawn gone;
	const struct jic_withdrawal what = {.places = (const void *)places->ptr,
	                                    .places_count = places->len / sizeof(struct jic_index_place),
	                                    .rows_only = e->what->rows_only,
	                                    .dry_run = e->what->dry_run};
	if (!what.places_count)
		return true;
	bool ok = jic_buf_ok(places, err) && jic_store_withdraw(e->store, &what, &gone, err);
	places->len = 0;
	if (!ok)
		return false;
	/* In a dry run dependents are still there when their own batch comes, as those of age do: they are as old. */
	e->out->artefacts += gone.artefacts + (e->what->dry_run ? 0 : gone.dependents);
	e->out->stored_bytes += gone.stored_bytes;
	return true;
}

/* @param old only what is too old, however much; else until enough is free */
static bool evict_entries(struct evict *e, bool old, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	const struct entry *entries = (const void *)e->entries.ptr;
	const uint64_t wanted = old ? UINT64_MAX : e->what->bytes;
	uint64_t chosen = 0; /* bytes of the batch */
	for (size_t i = 0; i < e->entries.len / sizeof *entries; i++) {
		if (e->out->stored_bytes >= wanted)
			return true;
		if (entries[i].pinned || is_too_old(e, &entries[i]) != old)
			continue;
		jic_buf_put(&places, &entries[i].place, sizeof entries[i].place);
		chosen += entries[i].bytes;
		e->out->content_bytes += old ? entries[i].bytes : 0;
		if (chosen < wanted - e->out->stored_bytes && places.len < BATCH * sizeof entries[i].place)
			continue;
		chosen = 0;
		if (!evict_batch(e, &places, err))
			return false;
	}
	return evict_batch(e, &places, err);
}

/* What a lane has beyond nine tenths of its quota. */
static uint64_t over_quota(const struct jic_lane *lane)
{
	const uint64_t most = lane->quota_bytes - lane->quota_bytes / 10;
	return lane->quota_bytes && lane->stored_bytes > most ? lane->stored_bytes - most : 0;
}

/* As long as the lane has too much: how much it has left is known after each batch only, as blobs may be shared. */
static bool evict_lane(struct evict *e, struct jic_view name, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	const struct entry *entries = (const void *)e->entries.ptr;
	struct jic_index *ix = e->store->index;
	struct jic_lane lane;
	uint64_t chosen = 0;
	if (!ix->ops->lane_find(ix, name, e->arena, &lane, err))
		return err->code == JIC_ENOTFOUND; /* dropped meanwhile */
	for (size_t i = 0; i < e->entries.len / sizeof *entries && over_quota(&lane); i++) {
		if (entries[i].pinned || entries[i].place.lane_id != lane.id)
			continue;
		jic_buf_put(&places, &entries[i].place, sizeof entries[i].place);
		chosen += entries[i].bytes;
		if (chosen < over_quota(&lane) && places.len < BATCH * sizeof entries[i].place)
			continue;
		chosen = 0;
		if (!evict_batch(e, &places, err) || !ix->ops->lane_find(ix, name, e->arena, &lane, err))
			return false;
	}
	return evict_batch(e, &places, err);
}

static bool evict_lanes(struct evict *e, struct jic_error *err)
{
	for (size_t i = 0; i < e->lanes_count && !e->what->rows_only; i++)
		if (over_quota(&e->lanes[i]) && !evict_lane(e, e->lanes[i].name, err))
			return false;
	return true;
}

bool jic_lanes_full(struct jic_store *s, bool *full, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane *lanes;
	size_t count;
	*full = false;
	if (!s->index->ops->lane_list(s->index, &arena, &lanes, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		*full = *full || over_quota(&lanes[i]);
	return true;
}

static bool weigh(struct evict *e, struct jic_error *err)
{
	const struct jic_index_space *spaces;
	size_t count;
	struct jic_index *ix = e->store->index;
	if (!ix->ops->pins_list(ix, e->arena, &e->pins, &e->pins_count, err) ||
	    !ix->ops->lane_list(ix, e->arena, &e->lanes, &e->lanes_count, err))
		return false;
	{
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
		if (!t || !t->ops->spaces_list(t, e->arena, &spaces, &count, err))
			return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!weigh_space(e, &spaces[i], err))
			return false;
	if (e->entries.len)
		qsort(e->entries.ptr, e->entries.len / sizeof(struct entry), sizeof(struct entry), compare_entries);
	return true;
}

bool jic_store_evict(struct jic_store *s, const struct jic_eviction *what, struct jic_evicted *out,
                     struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(evict) struct evict e = {.store = s, .what = what, .arena = &arena, .out = out};
	*out = (struct jic_evicted){0};
	if (s->admin && !(what->rows_only && !what->bytes))
		return jic_fail(err, JIC_EUSAGE, "evict: only the serving process may");
	bool ok = weigh(&e, err) && (!what->aged || evict_entries(&e, true, err)) && evict_lanes(&e, err) &&
	          evict_entries(&e, false, err);
	return ok || jic_wrap(err, "evict");
}
