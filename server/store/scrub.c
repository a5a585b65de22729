#include "server/store/scrub.h"

#include "common/clock.h"
#include "server/store/damage.h"
#include "server/store/internal.h"
#include "server/store/withdraw.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

enum {
	DAY_S = 86400,
	IDLE_S = 60,       /* between looks at the clock when there is nothing to do */
	FLUSH_BLOBS = 256, /* counters are written to the index after so many */
	FLUSH_INTERVAL_S = 60,
};

/* What is shared with other threads is in the store's suspects and under their lock. */
struct jic_scrub {
	struct jic_scrub_options options;
	pthread_t thread;
	_Atomic uint64_t bytes_per_second, bytes_per_day;
	bool stopping; /* with suspects.lock held */
	struct jic_digest position, start;
	bool wrapped;           /* past the greatest digest, on the way to `start` */
	bool resting;           /* the round is over, the next one begins a day after it did */
	uint64_t round_began_s; /* monotonic, as all times here */
	uint64_t day_began_s, day_bytes;
	uint64_t flushed_s;
	uint64_t blobs, bytes, rounds; /* since the last flush */
};

static uint64_t monotonic_s(void)
{
	return jic_clock_ms() / 1000;
}

/* Sleep until the time is over, there is a suspect, or the thread is to stop. @return false to stop */
static bool wait_for_work(struct jic_scrub *k, double seconds, bool for_suspects)
{
	struct jic_suspects *list = &k->options.store->suspects;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	int64_t ns = until.tv_nsec + (int64_t)(seconds * 1e9);
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	int rc = 0;
	pthread_mutex_lock(&list->lock);
	while (!k->stopping && !(for_suspects && list->count) && rc == 0)
		rc = pthread_cond_timedwait(&list->changed, &list->lock, &until);
	bool go_on = !k->stopping;
	pthread_mutex_unlock(&list->lock);
	return go_on;
}

static bool take_suspect(struct jic_scrub *k, struct jic_digest *out)
{
	struct jic_suspects *list = &k->options.store->suspects;
	pthread_mutex_lock(&list->lock);
	bool there = list->count > 0;
	if (there)
		*out = list->digests[--list->count];
	pthread_mutex_unlock(&list->lock);
	return there;
}

/* ---- one blob */

static bool pace(void *context, uint64_t stored_bytes, struct jic_error *err)
{
	struct jic_scrub *k = context;
	const uint64_t rate = k->bytes_per_second;
	double seconds = rate ? (double)stored_bytes / (double)rate : 0;
	k->bytes += stored_bytes;
	k->day_bytes += stored_bytes;
	return wait_for_work(k, seconds, false) || jic_fail(err, JIC_EBUSY, "the server stops");
}

static bool find_row(struct jic_scrub *k, const struct jic_digest *digest, struct jic_index_blob *out,
                     struct jic_error *err)
{
	struct jic_index *ix = k->options.store->index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	return t && t->ops->blob_find(t, digest, out, err);
}

static bool take_out(struct jic_scrub *k, const struct jic_index_blob *row, const char *why, struct jic_error *err)
{
	char hex[JIC_DIGEST_HEX + 1];
	struct jic_index_blob now;
	struct jic_withdrawn gone;
	const struct jic_withdrawal what = {.blobs = &row->digest, .blobs_count = 1, .quarantine = true};
	if (!find_row(k, &row->digest, &now, err))
		return false;
	if (now.created_s != row->created_s)
		return true; /* swept or evicted while it was read, and uploaded again */
	jic_digest_hex(&row->digest, hex);
	jic_log_error(k->options.log, "scrub.damage", JIC_STR("blob", hex), JIC_STR("detail", why));
	return jic_store_withdraw(k->options.store, &what, &gone, err);
}

static bool check_row(struct jic_scrub *k, const struct jic_index_blob *row, struct jic_error *err)
{
	enum jic_damage damage;
	struct jic_error why;
	if (!jic_damage_find(k->options.store, row, pace, k, &damage, &why, err))
		return false;
	k->blobs++;
	return damage == JIC_DAMAGE_NONE || take_out(k, row, why.text, err);
}

static void check(struct jic_scrub *k, const struct jic_digest *digest)
{
	struct jic_index_blob row;
	struct jic_error err = {0};
	if (find_row(k, digest, &row, &err) && check_row(k, &row, &err))
		return;
	if (err.code != JIC_ENOTFOUND && err.code != JIC_EBUSY)
		jic_log_error(k->options.log, "scrub.failed", JIC_STR("error", err.text));
}

/* ---- rounds */

static void end_round(struct jic_scrub *k)
{
	k->rounds++;
	k->resting = true;
	k->wrapped = false;
	k->position = k->start;
}

/* @param[out] out the digest that comes after the position. @return false when the round is over, or the index failed
 */
static bool next_blob(struct jic_scrub *k, struct jic_digest *out)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = k->options.store->index;
	const struct jic_index_blob *rows;
	size_t count = 0;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, NULL);
	if (!t || !t->ops->blobs_list(t, &k->position, 1, &arena, &rows, &count, NULL))
		return false;
	if (!count && !k->wrapped) {
		k->wrapped = true;
		k->position = (struct jic_digest){0};
		return false;
	}
	if (!count || (k->wrapped && jic_digest_cmp(&rows[0].digest, &k->start) > 0)) {
		end_round(k);
		return false;
	}
	*out = k->position = rows[0].digest;
	return true;
}

static bool may_scrub(struct jic_scrub *k)
{
	uint64_t now_s = monotonic_s();
	if (now_s - k->day_began_s >= DAY_S) {
		k->day_began_s = now_s;
		k->day_bytes = 0;
	}
	if (k->resting && now_s - k->round_began_s >= DAY_S) {
		k->resting = false;
		k->round_began_s = now_s;
	}
	return !k->resting && k->day_bytes < k->bytes_per_day;
}

static void flush(struct jic_scrub *k)
{
	struct jic_index *ix = k->options.store->index;
	k->flushed_s = monotonic_s();
	if (!k->blobs && !k->rounds)
		return;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, NULL);
	if (t && t->ops->counter_add(t, JIC_COUNTER_SCRUB_BLOBS, k->blobs, NULL) &&
	    t->ops->counter_add(t, JIC_COUNTER_SCRUB_BYTES, k->bytes, NULL) &&
	    t->ops->counter_add(t, JIC_COUNTER_SCRUB_ROUNDS, k->rounds, NULL) && t->ops->commit(t, NULL))
		k->blobs = k->bytes = k->rounds = 0;
}

/* @return false when there is nothing to do for now */
static bool step(struct jic_scrub *k)
{
	struct jic_digest digest;
	if (take_suspect(k, &digest)) {
		check(k, &digest);
		return true;
	}
	if (!may_scrub(k))
		return false;
	bool was_wrapped = k->wrapped;
	if (next_blob(k, &digest))
		check(k, &digest);
	else
		return !was_wrapped && k->wrapped;
	return true;
}

static void *run(void *context)
{
	struct jic_scrub *k = context;
	double pause_s = 0;
	while (wait_for_work(k, pause_s, true)) {
		pause_s = step(k) ? 0 : IDLE_S;
		if (pause_s > 0 || k->blobs >= FLUSH_BLOBS || monotonic_s() - k->flushed_s >= FLUSH_INTERVAL_S)
			flush(k);
	}
	flush(k);
	return NULL;
}

struct jic_scrub *jic_scrub_start(const struct jic_scrub_options *options, struct jic_error *err)
{
	jic_autofree struct jic_scrub *k = calloc(1, sizeof *k);
	if (!k) {
		(void)jic_fail(err, JIC_EMEMORY, "scrub: out of memory");
		return NULL;
	}
	k->options = *options;
	jic_scrub_set_speed(k, options->bytes_per_second, options->bytes_per_day);
	k->round_began_s = k->day_began_s = k->flushed_s = monotonic_s();
	if (getrandom(&k->start, sizeof k->start, 0) != (ssize_t)sizeof k->start) {
		(void)jic_fail_errno(err, JIC_EIO, "scrub: random numbers");
		return NULL;
	}
	k->position = k->start;
	errno = pthread_create(&k->thread, NULL, run, k);
	if (errno) {
		(void)jic_fail_errno(err, JIC_EIO, "scrub: start a thread");
		return NULL;
	}
	return JIC_TAKE(k);
}

void jic_scrub_set_speed(struct jic_scrub *k, uint64_t bytes_per_second, uint64_t bytes_per_day)
{
	k->bytes_per_second = bytes_per_second;
	k->bytes_per_day = bytes_per_day;
}

void jic_scrub_stop(struct jic_scrub *k)
{
	if (!k)
		return;
	struct jic_suspects *list = &k->options.store->suspects;
	pthread_mutex_lock(&list->lock);
	k->stopping = true;
	pthread_cond_broadcast(&list->changed);
	pthread_mutex_unlock(&list->lock);
	pthread_join(k->thread, NULL);
	free(k);
}
