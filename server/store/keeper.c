#include "server/store/keeper.h"

#include "server/store/evict.h"
#include "server/store/internal.h"
#include "server/store/space.h"
#include "server/store/uses.h"

#include <errno.h>
#include <time.h>

enum {
	AGE_INTERVAL_S = 3600,  /* between looks for what is too old: each reads the whole index */
	FUTILE_INTERVAL_S = 60, /* after a look that found nothing to evict */
	LEFTOVER_AGE_S = 3600,  /* of uploads without a publish, when there is no room */
};

struct jic_keeper {
	struct jic_keeper_options options;
	pthread_t thread;
	_Atomic uint64_t unused_artefact_age_s;
	uint64_t aged_s;   /* Unix time of the last look for what is too old */
	uint64_t futile_s; /* and of the last that found nothing */
};

/* @return false to stop */
static bool wait_for_work(struct jic_keeper *k)
{
	struct jic_space_state *space = &k->options.store->space;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += k->options.interval_s;
	int rc = 0;
	pthread_mutex_lock(&space->lock);
	while (!space->stopping && !space->wanted && rc == 0)
		rc = pthread_cond_timedwait(&space->wake, &space->lock, &until);
	space->wanted = false;
	bool go_on = !space->stopping;
	pthread_mutex_unlock(&space->lock);
	return go_on;
}

/* Bytes to evict. What nobody refers to goes first. */
static bool find_wanted(struct jic_keeper *k, uint64_t now_s, uint64_t *out, struct jic_error *err)
{
	struct jic_store *s = k->options.store;
	uint64_t removed;
	if (!jic_space_wanted(s, out, err))
		return false;
	if (*out && now_s < k->futile_s + FUTILE_INTERVAL_S)
		*out = 0;
	return !*out || (jic_store_sweep(s, LEFTOVER_AGE_S, &removed, err) && jic_space_wanted(s, out, err));
}

/* Whether it is time again to look for what is too old, and whether anything can be. */
static bool find_aged(struct jic_keeper *k, struct jic_eviction *what, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = k->options.store->index;
	const struct jic_lane *lanes;
	size_t count;
	if (what->now_s < k->aged_s + AGE_INTERVAL_S)
		return true;
	if (!ix->ops->lane_list(ix, &arena, &lanes, &count, err))
		return false;
	what->unused_s = k->unused_artefact_age_s;
	what->aged = what->unused_s > 0;
	for (size_t i = 0; i < count; i++)
		what->aged = what->aged || lanes[i].max_age_s;
	k->aged_s = what->now_s;
	return true;
}

static bool keep(struct jic_keeper *k, struct jic_error *err)
{
	struct jic_store *s = k->options.store;
	struct jic_eviction what = {.now_s = jic_store_now_s()};
	struct jic_evicted gone;
	/* On a full disk the index may not take them; making room comes first then. */
	bool noted = jic_uses_flush(s, what.now_s, err);
	if (!noted && err->code != JIC_ENOSPACE)
		return false;
	if (!find_wanted(k, what.now_s, &what.bytes, err))
		return false;
	bool full;
	if (!jic_lanes_full(s, &full, err) || !find_aged(k, &what, err))
		return false;
	if (!what.bytes && !what.aged && !full)
		return true;
	bool ok = jic_store_evict(s, &what, &gone, err);
	if (gone.artefacts || what.bytes)
		jic_log_info(k->options.log, "store.evict", JIC_U64("wanted", what.bytes),
		             JIC_U64("artefacts", gone.artefacts), JIC_U64("bytes", gone.stored_bytes));
	if (!gone.artefacts && what.bytes)
		k->futile_s = what.now_s;
	return ok && jic_space_look(s, err);
}

static void *run(void *context)
{
	struct jic_keeper *k = context;
	do {
		struct jic_error err = {0};
		if (!keep(k, &err))
			jic_log_error(k->options.log, "store.evict", JIC_STR("error", err.text));
	} while (wait_for_work(k));
	struct jic_error err = {0};
	if (!jic_uses_flush(k->options.store, jic_store_now_s(), &err))
		jic_log_warn(k->options.log, "store.uses", JIC_STR("error", err.text));
	return NULL;
}

struct jic_keeper *jic_keeper_start(const struct jic_keeper_options *options, struct jic_error *err)
{
	jic_autofree struct jic_keeper *k = calloc(1, sizeof *k);
	if (!k) {
		(void)jic_fail(err, JIC_EMEMORY, "keeper: out of memory");
		return NULL;
	}
	k->options = *options;
	k->unused_artefact_age_s = options->unused_artefact_age_s;
	options->store->space.stopping = false;
	errno = pthread_create(&k->thread, NULL, run, k);
	if (errno) {
		(void)jic_fail_errno(err, JIC_EIO, "keeper: start a thread");
		return NULL;
	}
	return JIC_TAKE(k);
}

void jic_keeper_set_age(struct jic_keeper *k, uint64_t unused_artefact_age_s)
{
	k->unused_artefact_age_s = unused_artefact_age_s;
}

void jic_keeper_stop(struct jic_keeper *k)
{
	if (!k)
		return;
	struct jic_space_state *space = &k->options.store->space;
	pthread_mutex_lock(&space->lock);
	space->stopping = true;
	pthread_cond_broadcast(&space->wake);
	pthread_mutex_unlock(&space->lock);
	pthread_join(k->thread, NULL);
	free(k);
}
