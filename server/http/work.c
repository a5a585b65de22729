/* A ring of jobs under one lock. Jobs are large (milliseconds), so contention on the lock does not matter. */
#include "server/http/work.h"

#include <pthread.h>

struct job {
	jic_work_fn *fn;
	void *context;
};

struct jic_work {
	pthread_mutex_t lock; /* guards what follows, up to the threads */
	pthread_cond_t changed;
	struct job *ring;
	size_t capacity, first, count;
	bool ending;

	pthread_t *threads;
	size_t threads_count;
};

static bool next_job(struct jic_work *w, struct job *out)
{
	pthread_mutex_lock(&w->lock);
	while (w->count == 0 && !w->ending)
		pthread_cond_wait(&w->changed, &w->lock);
	bool found = w->count > 0;
	if (found) {
		*out = w->ring[w->first];
		w->first = (w->first + 1) % w->capacity;
		w->count--;
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

static void *worker(void *context)
{
	struct jic_work *w = context;
	struct job job;
	while (next_job(w, &job))
		job.fn(job.context);
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
	w->ring = calloc(queue_max, sizeof *w->ring);
	w->threads = calloc(threads, sizeof *w->threads);
	bool ready =
	    w->ring && w->threads ? start_threads(w, threads, err) : jic_fail(err, JIC_EMEMORY, "out of memory");
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
	free(w->threads);
	free(w->ring);
	free(w);
}

bool jic_work_submit(struct jic_work *w, jic_work_fn *fn, void *context)
{
	pthread_mutex_lock(&w->lock);
	bool fits = w->count < w->capacity && !w->ending;
	if (fits) {
		w->ring[(w->first + w->count) % w->capacity] = (struct job){.fn = fn, .context = context};
		w->count++;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return fits;
}
