#include "server/store/uses.h"

#include "server/store/internal.h"

static bool is_due(const struct jic_index_artefact *a, uint64_t now_s)
{
	uint64_t last_s = a->last_used_s > a->published_s ? a->last_used_s : a->published_s;
	return now_s > last_s + JIC_USE_INTERVAL_S;
}

void jic_uses_note(struct jic_store *s, uint64_t space, const struct jic_index_artefact *const *rows, size_t count)
{
	struct jic_uses *u = &s->uses;
	const uint64_t now_s = jic_store_now_s();
	if (s->admin)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!is_due(rows[i], now_s))
			continue;
		const struct jic_index_place place = {
		    .lane_id = rows[i]->lane_id, .space = space, .key = rows[i]->record.key};
		pthread_mutex_lock(&u->lock);
		if (u->places.len < JIC_USES_MAX * sizeof place)
			jic_buf_put(&u->places, &place, sizeof place);
		pthread_mutex_unlock(&u->lock);
	}
}

static int compare_places(const void *pa, const void *pb)
{
	const struct jic_index_place *a = pa, *b = pb;
	int order = (a->lane_id > b->lane_id) - (a->lane_id < b->lane_id);
	if (!order)
		order = (a->space > b->space) - (a->space < b->space);
	return order ? order : jic_digest_cmp(&a->key, &b->key);
}

static size_t sort_unique(struct jic_index_place *places, size_t count)
{
	size_t kept = 0;
	qsort(places, count, sizeof *places, compare_places);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare_places(&places[kept - 1], &places[i]) != 0)
			places[kept++] = places[i];
	return kept;
}

bool jic_uses_flush(struct jic_store *s, uint64_t now_s, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf taken = {0};
	pthread_mutex_lock(&s->uses.lock);
	taken = s->uses.places;
	s->uses.places = (struct jic_buf){0};
	pthread_mutex_unlock(&s->uses.lock);
	/* Without memory some uses are forgotten. */
	struct jic_index_place *places = (void *)taken.ptr;
	if (!taken.len)
		return true;
	size_t count = sort_unique(places, taken.len / sizeof *places);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_WRITE, err);
	return t && t->ops->artefacts_touch(t, places, count, now_s, err) && t->ops->commit(t, err);
}
