/*
 * Some threads, each with a connection of its own, take artefacts from one list:
 *
 *     list (dependencies first) ──take──▶ image: download ▸ decompress ▸ digest, CRC ▸ temporary file ┐
 *                                         .ji:   download ▸ decompress ▸ digest ▸ memory ▸ parse      ├▶ verify ▶ wait
 * ▶ place ┘ "wait" is for the artefacts that this one requires. They were taken earlier, by this or another thread, and
 * nobody waits for something later in the list: there is no cycle, so no deadlock. An artefact whose requirement failed
 * is dropped, Julia could not load it. Settled states are guarded by the lock.
 */
#include "client/lib/remote/fetch.h"

#include "client/lib/remote/verify.h"
#include "common/clock.h"
#include "common/crc32c.h"
#include "common/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum settled { UNSETTLED = 0, SETTLED_USABLE, SETTLED_DROPPED };

struct fetch {
	pthread_mutex_t lock;
	pthread_cond_t settled_one;
	/* guarded by the lock */
	enum settled *state; /* for each record of the offer */
	size_t next;         /* in `records` */
	struct jic_report *report;
	struct jic_fetch_result *result;
	struct jic_progress progress;
	uint64_t progress_shown_ns;
	struct jic_error local_failure; /* this machine can't take files */

	/* read only */
	struct jic_session *session;
	const struct jic_offer *offer;
	const uint32_t *records;
	size_t count;
	struct jic_depot *depot;

	atomic_bool cancel;
};

/* One artefact on its way. */
struct arrival {
	struct fetch *fetch;
	uint32_t record;
	struct jic_buf *ji; /* the worker's, used for one after the other: fresh memory costs more than filling it */
	char *image_temp;   /* removed unless placed */
	int image_fd;
	uint32_t image_crc32c;
	bool local_failure; /* a sink could not write */
};

/* ---- progress */

enum { PROGRESS_INTERVAL_NS = 50 * 1000 * 1000 };

static void show_progress_locked(struct fetch *f, bool always)
{
	const struct jic_session_options *o = &f->session->options;
	uint64_t now = jic_clock_ns();
	if (!o->progress || (!always && now - f->progress_shown_ns < PROGRESS_INTERVAL_NS))
		return;
	f->progress_shown_ns = now;
	o->progress(o->progress_context, &f->progress);
}

static void count_bytes(struct fetch *f, size_t bytes)
{
	if (!f->session->options.progress)
		return;
	pthread_mutex_lock(&f->lock);
	f->progress.bytes_done += bytes;
	show_progress_locked(f, false);
	pthread_mutex_unlock(&f->lock);
}

/* ---- receiving one artefact */

static bool image_sink(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct arrival *a = context;
	a->image_crc32c = jic_crc32c(a->image_crc32c, bytes.ptr, bytes.len);
	count_bytes(a->fetch, bytes.len);
	if (jic_write_all(a->image_fd, bytes.ptr, bytes.len, err))
		return true;
	a->local_failure = true;
	return jic_wrap(err, "%s", a->image_temp);
}

static bool ji_sink(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct arrival *a = context;
	count_bytes(a->fetch, bytes.len);
	jic_buf_putv(a->ji, bytes);
	return jic_buf_ok(a->ji, err);
}

static bool open_image(struct arrival *a, struct jic_error *err)
{
	a->image_temp = jic_depot_temp(a->fetch->depot, a->fetch->offer->node_of[a->record], err);
	a->local_failure = !a->image_temp;
	if (!a->image_temp)
		return false;
	a->image_fd = open(a->image_temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	a->local_failure = a->image_fd < 0;
	return a->image_fd >= 0 || jic_fail_errno(err, JIC_EIO, "%s", a->image_temp);
}

static bool receive(struct arrival *a, struct jic_connection *c, struct jic_error *err)
{
	const struct jic_msg_record *r = &a->fetch->offer->records[a->record];
	if (r->ji.size > JIC_JI_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "its .ji of %llu bytes is over our limit",
		                (unsigned long long)r->ji.size);
	if (r->has_image && (!open_image(a, err) || !jic_connection_get_blob(c, &r->image, image_sink, a, err)))
		return false;
	jic_buf_reset(a->ji);
	if (!jic_buf_reserve(a->ji, (size_t)r->ji.size))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return jic_connection_get_blob(c, &r->ji, ji_sink, a, err);
}

static bool verify(struct arrival *a, struct jic_error *err)
{
	struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_map image = {0};
	bool fine =
	    jic_ji_parse(jic_buf_view(a->ji), &arena, &ji, err) &&
	    (a->image_fd < 0 || jic_map_fd(a->image_fd, SIZE_MAX, &image, err)) &&
	    jic_verify_arrived(a->fetch->session, a->fetch->offer, a->record, &ji, image.view, a->image_crc32c, err);
	jic_map_clear(&image);
	jic_arena_clear(&arena);
	return fine;
}

/* ---- order */

/* True when everything that the record requires is in place. */
static bool wait_for_requirements(struct fetch *f, const struct jic_msg_record *r)
{
	bool usable = true;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; usable && i < r->requires_count; i++) {
		while (f->state[r->requires_[i]] == UNSETTLED)
			pthread_cond_wait(&f->settled_one, &f->lock);
		usable = f->state[r->requires_[i]] == SETTLED_USABLE;
	}
	pthread_mutex_unlock(&f->lock);
	return usable;
}

static bool place(struct arrival *a, struct jic_error *err)
{
	const struct jic_msg_record *r = &a->fetch->offer->records[a->record];
	struct jic_placement p = {
	    .node = a->fetch->offer->node_of[a->record],
	    .runtime = a->fetch->offer->runtime_id,
	    .ji = jic_buf_view(a->ji),
	    .image_temp = a->image_temp,
	    .inputs = r->inputs,
	    .inputs_count = r->inputs_count,
	};
	if (!wait_for_requirements(a->fetch, r))
		return jic_fail(err, JIC_ECONFLICT, "a package that it depends on could not be used");
	return jic_depot_place(a->fetch->depot, &p, err);
}

/* ---- outcomes */

static void settle(struct fetch *f, uint32_t record, bool usable)
{
	const struct jic_msg_record *r = &f->offer->records[record];
	pthread_mutex_lock(&f->lock);
	f->state[record] = usable ? SETTLED_USABLE : SETTLED_DROPPED;
	f->progress.done++;
	if (usable) {
		f->result->placed++;
		f->result->bytes += r->ji.size + (r->has_image ? r->image.size : 0);
		f->result->placed_node[f->offer->node_of[record]] = true;
	}
	show_progress_locked(f, f->progress.done == f->progress.total);
	pthread_cond_broadcast(&f->settled_one);
	pthread_mutex_unlock(&f->lock);
}

static bool is_disk_code(enum jic_code code)
{
	return code == JIC_EDENIED || code == JIC_ENOSPACE || code == JIC_EIO || code == JIC_ENOTFOUND;
}

/* The machine can't take files: everything ends. The server went away: what comes next would wait for it again, so that
 * ends too, as a warning. Anything else concerns one artefact. */
static void report_failure(struct fetch *f, uint32_t record, bool local, const struct jic_error *e)
{
	struct jic_arena arena = {0};
	const struct jic_node *n = &f->session->graph.nodes[f->offer->node_of[record]];
	pthread_mutex_lock(&f->lock);
	bool cancelled = atomic_load(&f->cancel);
	if (local && is_disk_code(e->code)) {
		if (!f->local_failure.code)
			f->local_failure = *e;
		atomic_store(&f->cancel, true);
	} else if (!local && (e->code == JIC_ENETWORK || e->code == JIC_EBUSY || e->code == JIC_EDENIED)) {
		f->report->server = JIC_SERVER_AWAY;
		if (!cancelled)
			jic_report_warn(f->report, "%s", e->text);
		atomic_store(&f->cancel, true);
	} else {
		jic_report_note(f->report, "unusable", jic_session_node_title(f->session, n, &arena), e->text);
	}
	pthread_mutex_unlock(&f->lock);
	jic_arena_clear(&arena);
}

static void fetch_one(struct fetch *f, struct jic_connection *c, uint32_t record, struct jic_buf *ji)
{
	struct arrival a = {.fetch = f, .record = record, .ji = ji, .image_fd = -1};
	struct jic_error e = {0};
	bool arrived = receive(&a, c, &e) && verify(&a, &e);
	bool placed = arrived && place(&a, &e);
	if (!placed)
		report_failure(f, record, arrived || a.local_failure, &e);
	if (a.image_fd >= 0)
		close(a.image_fd);
	if (a.image_temp && !placed)
		unlink(a.image_temp);
	free(a.image_temp);
	settle(f, record, placed);
}

/* ---- threads */

static bool take_next(struct fetch *f, uint32_t *record)
{
	pthread_mutex_lock(&f->lock);
	bool more = f->next < f->count;
	if (more)
		*record = f->records[f->next++];
	pthread_mutex_unlock(&f->lock);
	return more;
}

static void *worker(void *context)
{
	struct fetch *f = context;
	struct jic_error e = {0};
	JIC_CLEAR(jic_buf) struct jic_buf ji = {0};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&f->session->settings, &f->cancel, &e);
	for (uint32_t record; take_next(f, &record);) {
		if (c && !atomic_load(&f->cancel))
			fetch_one(f, c, record, &ji);
		else
			settle(f, record, false);
	}
	return NULL;
}

static void run_workers(struct fetch *f)
{
	pthread_t threads[JIC_FETCH_WORKERS_MAX];
	size_t wanted = f->count < JIC_FETCH_WORKERS_MAX ? f->count : JIC_FETCH_WORKERS_MAX, started = 0;
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, worker, f) == 0)
		started++;
	worker(f); /* this thread works too: without any other it does everything */
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

static uint64_t record_bytes(const struct jic_msg_record *r)
{
	return r->ji.size + (r->has_image ? r->image.size : 0);
}

/* Records that are not on the list are local already. */
static bool prepare(struct fetch *f, struct jic_arena *arena, struct jic_error *err)
{
	f->state = jic_arena_array(arena, f->offer->count + 1, sizeof *f->state);
	f->result->placed_node = jic_arena_array(arena, f->session->graph.count + 1, sizeof(bool));
	if (!f->state || !f->result->placed_node)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < f->offer->count; i++)
		f->state[i] = SETTLED_USABLE;
	for (size_t i = 0; i < f->count; i++) {
		f->state[f->records[i]] = UNSETTLED;
		f->progress.bytes_total += record_bytes(&f->offer->records[f->records[i]]);
	}
	f->progress.total = (uint32_t)f->count;
	return true;
}

static bool brings_images(const struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->offer->records[f->records[i]].has_image)
			return true;
	return false;
}

bool jic_fetch(struct jic_session *s, const struct jic_offer *offer, const uint32_t *records, size_t count,
               struct jic_arena *arena, struct jic_report *report, struct jic_fetch_result *out, struct jic_error *err)
{
	*out = (struct jic_fetch_result){0};
	struct fetch f = {
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .settled_one = PTHREAD_COND_INITIALIZER,
	    .session = s,
	    .offer = offer,
	    .records = records,
	    .count = count,
	    .report = report,
	    .result = out,
	};
	if (!prepare(&f, arena, err))
		return false;
	if (count == 0)
		return true;
	JIC_AUTO(jic_depot) struct jic_depot *depot = jic_depot_open(&s->graph, &s->depot, err);
	if (!depot)
		return false;
	f.depot = depot;
	if (brings_images(&f) && !jic_depot_takes_images(depot, err))
		return false;
	run_workers(&f);
	bool finished = jic_depot_finish(depot, err);
	if (f.local_failure.code && err)
		*err = f.local_failure;
	return finished && !f.local_failure.code;
}
