/*
 * Notes. A pull becomes one entry with its packages packed as the index will have them; the same environment asked for
 * again before it was written down is counted in the entry that is there. Everything has a limit.
 */
#include "server/store/activity.h"

#include "server/store/activity_state.h"
#include "server/store/internal.h"
#include "server/store/key_set.h"
#include "server/store/pack.h"

#include <stdatomic.h>

enum {
	SENT_MAX = 16384, /* cache files sent, until the recorder comes */
	TITLE_NAMES = 3,  /* packages that name an environment */
	PACKED_BYTES_MAX = 1 << 20,
};

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void wake(struct jic_notes *a)
{
	a->waiting = true;
	pthread_cond_signal(&a->changed);
}

void jic_asked_free(struct jic_asked *asked)
{
	if (!asked)
		return;
	jic_buf_clear(&asked->nodes);
	jic_arena_clear(&asked->arena);
	free(asked);
}

/* ---- one pull */

/* The set that a client takes: the one with most records, the first of several. */
static const struct jic_msg_set *best_set(const struct jic_msg_resolved *answer)
{
	const struct jic_msg_set *best = NULL;
	for (size_t i = 0; i < answer->sets_count; i++)
		if (!best || answer->sets[i].records_count > best->records_count)
			best = &answer->sets[i];
	return best;
}

/* Who is wanted for its own sake: nothing else of the environment depends on it. The last come first, because
 * dependencies precede. */
static struct jic_view make_title(const struct jic_msg_resolve *m, struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf title = {0};
	bool *needed = jic_arena_array(arena, m->nodes_count + 1, sizeof *needed);
	size_t count = 0;
	if (!needed || !m->nodes_count)
		return JIC_VIEW("");
	for (size_t i = 0; i < m->nodes_count; i++)
		for (size_t j = 0; j < m->nodes[i].deps_count; j++)
			needed[m->nodes[i].deps[j]] = true;
	for (size_t i = m->nodes_count; i-- > 0;) {
		if (needed[i] || m->nodes[i].optional)
			continue;
		if (++count <= TITLE_NAMES)
			jic_buf_printf(&title, "%s" JIC_PRIv, title.len ? ", " : "", JIC_ARGv(m->nodes[i].name));
	}
	if (count > TITLE_NAMES)
		jic_buf_printf(&title, " and %zu more", count - TITLE_NAMES);
	return jic_arena_copy(arena, jic_buf_view(&title));
}

static bool id_of(const struct jic_msg_resolve *m, struct jic_view lane, struct jic_digest *out)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	if (!h)
		return false;
	jic_sha256_update(h, lane.ptr, lane.len);
	jic_sha256_update(h, "\n", 1);
	jic_sha256_update(h, m->runtimes[0].ptr, m->runtimes[0].len);
	jic_sha256_update(h, m->sysimage.bytes, JIC_DIGEST_BYTES);
	jic_sha256_update(h, m->keys, m->keys_count * sizeof *m->keys);
	jic_sha256_final(h, out);
	return true;
}

static bool offered_keys(const struct jic_msg_set *set, struct jic_arena *arena, struct jic_key_set *out)
{
	const size_t count = set ? set->records_count : 0;
	struct jic_digest *keys = jic_arena_array(arena, count + 1, sizeof *keys);
	for (size_t i = 0; keys && i < count; i++)
		keys[i] = set->records[i].key;
	return keys && jic_key_set_of(arena, keys, count, out);
}

/* What nobody misses counts for nothing. */
static bool count_keys(struct jic_asked *a, const struct jic_msg_resolve *m, const struct jic_msg_set *set)
{
	struct jic_key_set offered;
	a->missing = jic_arena_array(&a->arena, m->keys_count + 1, sizeof *a->missing);
	if (!a->missing || !offered_keys(set, &a->arena, &offered))
		return false;
	for (size_t i = 0; i < m->keys_count; i++) {
		if (m->nodes_count && m->nodes[i].optional)
			continue;
		a->wanted++;
		if (jic_key_set_find(&offered, &m->keys[i]) == SIZE_MAX)
			a->missing[a->missing_count++] = (uint32_t)i;
	}
	return true;
}

static bool copy_request(struct jic_asked *a, const struct jic_msg_resolve *m, const struct jic_msg_set *set)
{
	a->sysimage = m->sysimage;
	a->runtime = jic_arena_copy(&a->arena, set ? set->runtime : m->runtimes[0]);
	a->title = make_title(m, &a->arena);
	for (size_t i = 0; i < m->runtimes_count && a->runtimes_count < JIC_MISS_SPACES_MAX; i++)
		a->runtimes[a->runtimes_count++] = jic_arena_copy(&a->arena, m->runtimes[i]);
	jic_pack_wants(m->keys, m->nodes_count ? m->nodes : NULL, m->keys_count, &a->nodes);
	return jic_buf_ok(&a->nodes, NULL) && a->nodes.len <= PACKED_BYTES_MAX && !a->arena.failed;
}

static struct jic_asked *asked_new(const struct jic_msg_resolve *m, const struct jic_msg_resolved *answer,
                                   struct jic_view who)
{
	struct jic_asked *a = calloc(1, sizeof *a);
	const struct jic_msg_set *set = best_set(answer);
	if (!a)
		return NULL;
	a->times = 1;
	a->at_s = jic_store_now_s();
	a->lane = jic_arena_copy(&a->arena, m->lane.len ? m->lane : JIC_VIEW(JIC_LANE_MAIN));
	a->who = jic_arena_copy(&a->arena, who);
	if (id_of(m, a->lane, &a->id) && count_keys(a, m, set) && copy_request(a, m, set))
		return a;
	jic_asked_free(a);
	return NULL;
}

/* The later entry tells more of now, the earlier how often. @return whether `asked` was taken */
static bool add_asked(struct jic_notes *a, struct jic_asked *asked)
{
	for (size_t i = 0; i < a->asked_count; i++) {
		if (!jic_digest_eq(&a->asked[i]->id, &asked->id))
			continue;
		asked->times += a->asked[i]->times;
		jic_asked_free(a->asked[i]);
		a->asked[i] = asked;
		return true;
	}
	if (a->asked_count == JIC_COUNT(a->asked))
		return false;
	a->asked[a->asked_count++] = asked;
	return true;
}

void jic_activity_asked(struct jic_store *s, const struct jic_msg_resolve *request,
                        const struct jic_msg_resolved *answer, struct jic_view who)
{
	struct jic_notes *a = &s->activity;
	const bool pull = request->purpose.len == 0 || jic_view_is(request->purpose, "pull");
	if (s->admin || !pull || !request->keys_count || !request->runtimes_count)
		return;
	struct jic_asked *asked = asked_new(request, answer, who);
	if (!asked)
		return;
	atomic_fetch_add(&a->hits, asked->wanted - asked->missing_count);
	pthread_mutex_lock(&a->lock);
	bool taken = add_asked(a, asked);
	wake(a);
	pthread_mutex_unlock(&a->lock);
	if (!taken)
		jic_asked_free(asked);
}

/* ---- the rest */

void jic_activity_sent(struct jic_store *s, const struct jic_digest *blob)
{
	struct jic_notes *a = &s->activity;
	if (s->admin)
		return;
	pthread_mutex_lock(&a->lock);
	if (a->sent_files.len < SENT_MAX * sizeof *blob)
		jic_buf_put(&a->sent_files, blob, sizeof *blob);
	wake(a);
	pthread_mutex_unlock(&a->lock);
}

void jic_activity_published(struct jic_store *s, struct jic_view lane, size_t count)
{
	struct jic_notes *a = &s->activity;
	struct jic_lane_published *entry = NULL;
	if (s->admin || !count || lane.len > JIC_LANE_NAME_BYTES_MAX)
		return;
	atomic_fetch_add(&a->published, count);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->lanes_count && !entry; i++)
		if (jic_view_eq(jic_view_bytes(a->lanes[i].name, a->lanes[i].len), lane))
			entry = &a->lanes[i];
	if (!entry && a->lanes_count < JIC_COUNT(a->lanes)) {
		entry = &a->lanes[a->lanes_count++];
		*entry = (struct jic_lane_published){.len = lane.len};
		memcpy(entry->name, lane.ptr, lane.len);
	}
	if (entry)
		entry->count += count;
	wake(a);
	pthread_mutex_unlock(&a->lock);
}

void jic_activity_traffic(struct jic_store *s, uint64_t sent_bytes, uint64_t received_bytes)
{
	struct jic_notes *a = &s->activity;
	atomic_fetch_add_explicit(&a->requests, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&a->sent_bytes, sent_bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&a->received_bytes, received_bytes, memory_order_relaxed);
}

bool jic_store_gauges(struct jic_store *s, struct jic_store_gauges *out, struct jic_error *err)
{
	const struct jic_notes *a = &s->activity;
	*out = (struct jic_store_gauges){
	    .hits = get(&a->hits),
	    .saved_ms = get(&a->saved_ms),
	    .published = get(&a->published),
	    .uploads = get(&s->space.uploads),
	    .arriving_bytes = get(&s->space.arriving_bytes),
	    .store_bytes_max = s->space.store_bytes_max,
	    .free_bytes_min = s->space.free_bytes_min,
	};
	for (size_t i = 0; i < JIC_MISS_COUNT; i++)
		out->misses[i] = get(&a->misses[i]);
	return s->index->ops->views->totals(s->index, &out->totals, err) &&
	       s->blobs->ops->free_bytes(s->blobs, &out->free_bytes, err);
}
