/* Two rings of jobs under one lock. Jobs are large (milliseconds), so contention on the lock does not matter. */
#include "server/http/work.h"

#include <pthread.h>
#include <stdint.h>

enum { KINDS = 2 };

struct job {
	jic_work_fn *fn;
	void *context;
	uint64_t number; /* of all jobs: the older goes first */
};

struct ring {
	struct job *jobs;
	size_t first, count;
	unsigned running, running_max;
};

struct jic_work {
	pthread_mutex_t lock; /* guards what follows, up to the threads */
	pthread_cond_t changed;
	struct ring rings[KINDS];
	size_t capacity; /* of each */
	uint64_t submitted;
	bool ending;

	pthread_t *threads;
	size_t threads_count;
};

static bool may_run(const struct ring *r)
{
	return r->count > 0 && r->running < r->running_max;
}

/* The ring that the next job is to come from; NULL: there is none to run now. */
static struct ring *choose_locked(struct jic_work *w)
{
	struct ring *chosen = NULL;
	for (size_t i = 0; i < KINDS; i++) {
		struct ring *r = &w->rings[i];
		if (may_run(r) && (!chosen || r->jobs[r->first].number < chosen->jobs[chosen->first].number))
			chosen = r;
	}
	return chosen;
}

static bool is_drained(const struct jic_work *w)
{
	return w->ending && w->rings[JIC_WORK_READ].count == 0 && w->rings[JIC_WORK_WRITE].count == 0;
}

/* @return the ring that the job was taken from; NULL: it is all over */
static struct ring *next_job(struct jic_work *w, struct job *out)
{
	pthread_mutex_lock(&w->lock);
	struct ring *r;
	while (!(r = choose_locked(w)) && !is_drained(w))
		pthread_cond_wait(&w->changed, &w->lock);
	if (r) {
		*out = r->jobs[r->first];
		r->first = (r->first + 1) % w->capacity;
		r->count--;
		r->running++;
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

static void job_done(struct jic_work *w, struct ring *r)
{
	pthread_mutex_lock(&w->lock);
	/* Who waits because too many of this kind were running, or for the end, has to look again. */
	bool others_wait = r->running == r->running_max || w->ending;
	r->running--;
	if (others_wait)
		pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void *worker(void *context)
{
	struct jic_work *w = context;
	struct job job;
	struct ring *r;
	while ((r = next_job(w, &job))) {
		job.fn(job.context);
		job_done(w, r);
	}
	return NULL;
}

static bool start_threads(struct jic_work *w, unsigned threads, struct jic_error *err)
{
	while (w->threads_count < threads) {
		if (pthread_create(&w->threads[w->threads_count], NULL, worker, w) != 0)
			return jic_fail(err, JIC_EMEMORY, "can't start a worker thread");
		w->threads_count++;
	}
	return true;
}

static bool make_rings(struct jic_work *w, unsigned threads)
{
	w->rings[JIC_WORK_READ].running_max = threads;
	w->rings[JIC_WORK_WRITE].running_max = threads > 1 ? threads / 2 : 1;
	for (size_t i = 0; i < KINDS; i++)
		w->rings[i].jobs = calloc(w->capacity, sizeof *w->rings[i].jobs);
	w->threads = calloc(threads, sizeof *w->threads);
	return w->rings[JIC_WORK_READ].jobs && w->rings[JIC_WORK_WRITE].jobs && w->threads;
}

struct jic_work *jic_work_new(unsigned threads, size_t queue_max, struct jic_error *err)
{
	JIC_ASSERT(threads > 0 && queue_max > 0);
	struct jic_work *w = calloc(1, sizeof *w);
	if (!w) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->capacity = queue_max;
	bool ready =
	    make_rings(w, threads) ? start_threads(w, threads, err) : jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!ready) {
		jic_work_free(w);
		return NULL;
	}
	return w;
}

void jic_work_end(struct jic_work *w)
{
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->threads_count; i++)
		pthread_join(w->threads[i], NULL);
	w->threads_count = 0;
}

void jic_work_free(struct jic_work *w)
{
	if (!w)
		return;
	jic_work_end(w);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	for (size_t i = 0; i < KINDS; i++)
		free(w->rings[i].jobs);
	free(w->threads);
	free(w);
}

bool jic_work_submit(struct jic_work *w, enum jic_work_kind kind, jic_work_fn *fn, void *context)
{
	struct ring *r = &w->rings[kind];
	pthread_mutex_lock(&w->lock);
	bool fits = r->count < w->capacity && !w->ending;
	if (fits) {
		r->jobs[(r->first + r->count) % w->capacity] =
		    (struct job){.fn = fn, .context = context, .number = w->submitted++};
		r->count++;
		/* One of those who wait can run it: while a kind is at its limit, its jobs wake nobody else's turn. */
		if (may_run(r))
			pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return fits;
}

size_t jic_work_waiting(struct jic_work *w)
{
	pthread_mutex_lock(&w->lock);
	size_t count = 0;
	for (size_t i = 0; i < KINDS; i++)
		count += w->rings[i].count;
	pthread_mutex_unlock(&w->lock);
	return count;
}
