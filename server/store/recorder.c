/*
 * Takes all notes at once and writes them in one transaction. Reasons of misses are looked up in it as well: they are
 * told as of then, which is a second after the reader got its answer.
 */
#include "server/store/recorder.h"

#include "server/store/activity_state.h"
#include "server/store/internal.h"
#include "server/store/pack.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum {
	IDLE_S = 60,     /* between looks when nothing was noted: for the bytes that went by */
	BATCH_S = 1,     /* between the first note and its writing */
	STEPS_MAX = 128, /* lanes in one batch */
};

struct batch {
	struct jic_store *store;
	struct jic_index_txn *txn;
	uint64_t now_s;
	struct jic_asked *asked[JIC_ASKED_MAX];
	size_t asked_count;
	struct jic_buf sent_files;
	struct jic_lane_published lanes[JIC_PUBLISHED_LANES_MAX];
	size_t lanes_count;
	struct jic_index_step steps[STEPS_MAX]; /* [0] is the whole server's */
	size_t steps_count;
	uint64_t reasons[JIC_MISS_COUNT];
};

static void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->asked_count; i++)
		jic_asked_free(b->asked[i]);
	jic_buf_clear(&b->sent_files);
	jic_index_txn_end(b->txn);
}

static void take_notes(struct batch *b)
{
	struct jic_notes *a = &b->store->activity;
	pthread_mutex_lock(&a->lock);
	memcpy(b->asked, a->asked, sizeof b->asked);
	memcpy(b->lanes, a->lanes, sizeof b->lanes);
	b->asked_count = a->asked_count;
	b->lanes_count = a->lanes_count;
	b->sent_files = a->sent_files;
	a->sent_files = (struct jic_buf){0};
	a->asked_count = 0;
	a->lanes_count = 0;
	a->waiting = false;
	pthread_mutex_unlock(&a->lock);
	b->steps_count = 1;
	uint64_t *server = b->steps[0].values;
	server[JIC_ACTIVITY_REQUESTS] = atomic_exchange(&a->requests, 0);
	server[JIC_ACTIVITY_SENT] = atomic_exchange(&a->sent_bytes, 0);
	server[JIC_ACTIVITY_RECEIVED] = atomic_exchange(&a->received_bytes, 0);
}

/* Sums go to the lane and to the whole server; of lanes beyond all room only to the latter. */
static void add(struct batch *b, uint64_t lane_id, enum jic_activity what, uint64_t n)
{
	size_t i = 1;
	b->steps[0].values[what] += n;
	while (i < b->steps_count && b->steps[i].lane_id != lane_id)
		i++;
	if (i == STEPS_MAX)
		return;
	if (i == b->steps_count)
		b->steps[b->steps_count++] = (struct jic_index_step){.lane_id = lane_id};
	b->steps[i].values[what] += n;
}

/* ---- pulls */

static bool find_asker(struct batch *b, const struct jic_asked *asked, struct jic_arena *arena,
                       struct jic_miss_asker *out, struct jic_error *err)
{
	*out = (struct jic_miss_asker){.txn = b->txn, .arena = arena};
	if (!b->txn->ops->lane_chain(b->txn, asked->lane, arena, &out->lanes, &out->lanes_count, err))
		return false;
	for (size_t i = 0; i < asked->runtimes_count; i++) {
		uint64_t space;
		struct jic_error why = {0};
		if (b->txn->ops->space_find(b->txn, asked->runtimes[i], &asked->sysimage, &space, &why))
			out->spaces[out->spaces_count++] = space;
		else if (why.code != JIC_ENOTFOUND)
			return jic_fail(err, why.code, "%s", why.text);
	}
	return true;
}

static bool write_miss(struct batch *b, const struct jic_asked *asked, const struct jic_miss_asker *asker,
                       const struct jic_digest *key, const struct jic_msg_want *want, struct jic_error *err)
{
	struct jic_miss why;
	if (!jic_miss_find(asker, key, want, &why, err))
		return false;
	const struct jic_index_miss row = {
	    .lane_id = asker->lanes[asker->lanes_count - 1].id,
	    .key = *key,
	    .sysimage = asked->sysimage,
	    .environment = asked->id,
	    .runtime = asked->runtime,
	    .name = want->name,
	    .version = want->version,
	    .reason = jic_view_of(jic_miss_name(why.reason)),
	    .near_version = why.near_version,
	    .near_runtime = why.near_runtime,
	    .who = asked->who,
	    .first_s = asked->at_s,
	    .last_s = asked->at_s,
	    .times = asked->times,
	};
	b->reasons[why.reason] += asked->times;
	return b->txn->ops->views->miss_add(b->txn, &row, err);
}

static bool write_misses(struct batch *b, const struct jic_asked *asked, const struct jic_miss_asker *asker,
                         struct jic_arena *arena, struct jic_error *err)
{
	const struct jic_digest *keys;
	const struct jic_msg_want *wants;
	size_t count;
	if (!jic_unpack_wants(jic_buf_view(&asked->nodes), arena, &keys, &wants, &count, err))
		return false;
	for (size_t i = 0; i < asked->missing_count && i < JIC_MISSES_KEPT; i++) {
		const uint32_t at = asked->missing[i];
		JIC_ASSERT(at < count);
		if (!write_miss(b, asked, asker, &keys[at], &wants[at], err))
			return false;
	}
	return true;
}

static bool write_asked(struct batch *b, const struct jic_asked *asked, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_miss_asker asker;
	struct jic_error why = {0};
	if (!find_asker(b, asked, &arena, &asker, &why))
		/* A lane that was dropped meanwhile. */
		return why.code == JIC_ENOTFOUND || jic_fail(err, why.code, "%s", why.text);
	const uint64_t lane = asker.lanes[asker.lanes_count - 1].id;
	const struct jic_index_environment row = {
	    .id = asked->id,
	    .lane_id = lane,
	    .runtime = asked->runtime,
	    .sysimage = asked->sysimage,
	    .title = asked->title,
	    .who = asked->who,
	    .first_s = asked->at_s,
	    .last_s = asked->at_s,
	    .times = asked->times,
	    .wanted = asked->wanted,
	    .stored = asked->wanted - asked->missing_count,
	    .nodes = jic_buf_view(&asked->nodes),
	};
	add(b, lane, JIC_ACTIVITY_PULLS, asked->times);
	add(b, lane, JIC_ACTIVITY_HITS, row.stored * asked->times);
	add(b, lane, JIC_ACTIVITY_MISSES, asked->missing_count * asked->times);
	return b->txn->ops->views->environment_add(b->txn, &row, err) && write_misses(b, asked, &asker, &arena, err);
}

/* ---- the rest */

/* What was sent may be an image, or gone again: neither saves anything that is known. */
static bool add_saved(struct batch *b, struct jic_error *err)
{
	const struct jic_digest *files = (const void *)b->sent_files.ptr;
	for (size_t i = 0; i < b->sent_files.len / sizeof *files; i++) {
		uint64_t compile_ms, lane;
		struct jic_error why = {0};
		if (b->txn->ops->views->compile_ms_of(b->txn, &files[i], &compile_ms, &lane, &why))
			add(b, lane, JIC_ACTIVITY_SAVED, compile_ms);
		else if (why.code != JIC_ENOTFOUND)
			return jic_fail(err, why.code, "%s", why.text);
	}
	return true;
}

static bool add_published(struct batch *b, struct jic_error *err)
{
	for (size_t i = 0; i < b->lanes_count; i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct jic_lane *chain;
		size_t count;
		struct jic_error why = {0};
		const struct jic_view name = jic_view_bytes(b->lanes[i].name, b->lanes[i].len);
		if (b->txn->ops->lane_chain(b->txn, name, &arena, &chain, &count, &why))
			add(b, chain[count - 1].id, JIC_ACTIVITY_PUBLISHED, b->lanes[i].count);
		else if (why.code != JIC_ENOTFOUND)
			return jic_fail(err, why.code, "%s", why.text);
	}
	return true;
}

static bool write_steps(struct batch *b, struct jic_error *err)
{
	static const uint64_t lengths_s[] = {JIC_FINE_STEP_S, JIC_COARSE_STEP_S};
	for (size_t i = 0; i < b->steps_count; i++) {
		for (size_t j = 0; j < JIC_COUNT(lengths_s); j++) {
			struct jic_index_step step = b->steps[i];
			step.step_s = lengths_s[j];
			step.at_s = b->now_s - b->now_s % lengths_s[j];
			if (!b->txn->ops->views->step_add(b->txn, &step, err))
				return false;
		}
	}
	return true;
}

static bool write_counters(struct batch *b, struct jic_error *err)
{
	static const struct {
		enum jic_counter counter;
		enum jic_activity activity;
	} sums[] = {
	    {JIC_COUNTER_PULLS, JIC_ACTIVITY_PULLS},
	    {JIC_COUNTER_HITS, JIC_ACTIVITY_HITS},
	    {JIC_COUNTER_MISSES, JIC_ACTIVITY_MISSES},
	    {JIC_COUNTER_SAVED_MS, JIC_ACTIVITY_SAVED},
	    {JIC_COUNTER_PUBLISHED, JIC_ACTIVITY_PUBLISHED},
	    {JIC_COUNTER_SENT_BYTES, JIC_ACTIVITY_SENT},
	    {JIC_COUNTER_RECEIVED_BYTES, JIC_ACTIVITY_RECEIVED},
	};
	for (size_t i = 0; i < JIC_COUNT(sums); i++) {
		uint64_t n = b->steps[0].values[sums[i].activity];
		if (n && !b->txn->ops->counter_add(b->txn, sums[i].counter, n, err))
			return false;
	}
	return true;
}

static bool keep(struct batch *b, struct jic_error *err)
{
	const struct jic_index_keep what = {
	    .environments = JIC_ENVIRONMENTS_KEPT,
	    .misses = JIC_MISSES_KEPT,
	    .departed = JIC_DEPARTED_KEPT,
	    .fine_step_s = JIC_FINE_STEP_S,
	    .fine_from_s = b->now_s > JIC_FINE_KEPT_S ? b->now_s - JIC_FINE_KEPT_S : 0,
	    .coarse_step_s = JIC_COARSE_STEP_S,
	    .coarse_from_s = b->now_s > JIC_COARSE_KEPT_S ? b->now_s - JIC_COARSE_KEPT_S : 0,
	};
	return b->txn->ops->views->keep(b->txn, &what, err);
}

static bool write_batch(struct batch *b, struct jic_error *err)
{
	struct jic_index *index = b->store->index;
	struct jic_index_totals totals;
	if (!index->ops->views->totals(index, &totals, err))
		return false;
	b->steps[0].values[JIC_ACTIVITY_STORED] = totals.stored_bytes;
	b->txn = index->ops->begin(index, JIC_INDEX_WRITE, err);
	if (!b->txn)
		return false;
	for (size_t i = 0; i < b->asked_count; i++)
		if (!write_asked(b, b->asked[i], err))
			return false;
	return add_saved(b, err) && add_published(b, err) && write_steps(b, err) && write_counters(b, err) &&
	       keep(b, err) && b->txn->ops->commit(b->txn, err);
}

bool jic_record_now(struct jic_store *s, uint64_t now_s, struct jic_error *err)
{
	/* Too large for the stack of a thread that somebody else may have made small. */
	jic_autofree struct batch *b = calloc(1, sizeof *b);
	if (!b)
		return jic_fail(err, JIC_EMEMORY, "recorder: out of memory");
	b->store = s;
	b->now_s = now_s;
	take_notes(b);
	const bool idle =
	    !b->asked_count && !b->sent_files.len && !b->lanes_count && !b->steps[0].values[JIC_ACTIVITY_REQUESTS];
	const bool written = idle || write_batch(b, err);
	if (written) {
		atomic_fetch_add(&s->activity.saved_ms, b->steps[0].values[JIC_ACTIVITY_SAVED]);
		for (size_t i = 0; i < JIC_MISS_COUNT; i++)
			atomic_fetch_add(&s->activity.misses[i], b->reasons[i]);
	}
	batch_clear(b);
	return written;
}

/* ---- the thread */

struct jic_recorder {
	struct jic_store *store;
	const struct jic_log *log;
	pthread_t thread;
};

/* Until `seconds` have passed, or there is something to do. @return false to stop */
static bool wait_for(struct jic_notes *a, unsigned seconds, bool for_notes)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	int rc = 0;
	pthread_mutex_lock(&a->lock);
	while (!a->stopping && !(for_notes && a->waiting) && rc == 0)
		rc = pthread_cond_timedwait(&a->changed, &a->lock, &until);
	bool go_on = !a->stopping;
	pthread_mutex_unlock(&a->lock);
	return go_on;
}

static void record(struct jic_recorder *r)
{
	struct jic_error err = {0};
	if (!jic_record_now(r->store, jic_store_now_s(), &err))
		jic_log_warn(r->log, "store.record", JIC_STR("error", err.text));
}

static void *run(void *context)
{
	struct jic_recorder *r = context;
	struct jic_notes *a = &r->store->activity;
	while (wait_for(a, IDLE_S, true) && wait_for(a, BATCH_S, false))
		record(r);
	record(r);
	return NULL;
}

struct jic_recorder *jic_recorder_start(struct jic_store *s, const struct jic_log *log, struct jic_error *err)
{
	jic_autofree struct jic_recorder *r = calloc(1, sizeof *r);
	if (!r) {
		(void)jic_fail(err, JIC_EMEMORY, "recorder: out of memory");
		return NULL;
	}
	r->store = s;
	r->log = log;
	s->activity.stopping = false;
	errno = pthread_create(&r->thread, NULL, run, r);
	if (errno) {
		(void)jic_fail_errno(err, JIC_EIO, "recorder: start a thread");
		return NULL;
	}
	return JIC_TAKE(r);
}

void jic_recorder_stop(struct jic_recorder *r)
{
	if (!r)
		return;
	struct jic_notes *a = &r->store->activity;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(r->thread, NULL);
	free(r);
}
