/* Uploads run on a few threads, each with its own connection; the first failure ends all. */
#include "client/lib/remote/upload.h"

#include <pthread.h>
#include <unistd.h>

/* ---- one upload */

void jic_upload_from_buf(struct jic_buf *content, struct jic_upload *out)
{
	*out = (struct jic_upload){.kept = *content};
	*content = (struct jic_buf){0};
	out->content = jic_buf_view(&out->kept);
	jic_sha256_of(out->content, &out->digest);
}

static bool map_and_digest(int fd, struct jic_upload *out, struct jic_error *err)
{
	*out = (struct jic_upload){0};
	if (!jic_map_fd(fd, SIZE_MAX, &out->map, err))
		return false;
	out->content = out->map.view;
	jic_sha256_of(out->content, &out->digest);
	return true;
}

bool jic_upload_from_temp(struct jic_view content, struct jic_upload *out, struct jic_error *err)
{
	FILE *temp = tmpfile();
	if (!temp)
		return jic_fail_errno(err, JIC_EIO, "temporary file in $TMPDIR");
	bool done =
	    jic_write_all(fileno(temp), content.ptr, content.len, err) && map_and_digest(fileno(temp), out, err);
	fclose(temp);
	return done;
}

bool jic_upload_from_file(const char *path, struct jic_upload *out, struct jic_error *err)
{
	*out = (struct jic_upload){0};
	if (!jic_map_open(path, SIZE_MAX, &out->map, err))
		return false;
	out->content = out->map.view;
	jic_sha256_of(out->content, &out->digest);
	return true;
}

void jic_upload_clear(struct jic_upload *u)
{
	jic_buf_clear(&u->kept);
	jic_map_clear(&u->map);
	*u = (struct jic_upload){0};
}

/* ---- many */

static int digest_cmp(const void *a, const void *b)
{
	return jic_digest_cmp(a, b);
}

static bool ask_missing(struct jic_connection *c, const struct jic_upload *uploads, size_t count,
                        struct jic_arena *arena, const struct jic_digest **missing, size_t *missing_count,
                        struct jic_error *err)
{
	struct jic_digest *digests = jic_arena_array(arena, count, sizeof *digests);
	if (!digests)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		digests[i] = uploads[i].digest;
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	return jic_msg_digests_write("digests", digests, count, &body, err) &&
	       jic_connection_json(c, "POST", "/v1/blobs/missing", jic_buf_view(&body), &answer, err) &&
	       jic_msg_digests_read(jic_buf_view(&answer), "missing", arena, missing, missing_count, err);
}

struct sending {
	pthread_mutex_t lock;
	/* guarded by the lock */
	size_t next;
	uint64_t bytes;
	struct jic_progress progress;
	struct jic_error error;
	/* read only */
	struct jic_session *session;
	const struct jic_upload **uploads;
	size_t count;

	atomic_bool cancel;
};

static const struct jic_upload *take_next(struct sending *s)
{
	pthread_mutex_lock(&s->lock);
	bool more = s->next < s->count && !atomic_load(&s->cancel);
	const struct jic_upload *u = more ? s->uploads[s->next++] : NULL;
	pthread_mutex_unlock(&s->lock);
	return u;
}

static void sent(struct sending *s, const struct jic_upload *u)
{
	const struct jic_session_options *o = &s->session->options;
	pthread_mutex_lock(&s->lock);
	s->bytes += u->content.len;
	s->progress.done++;
	s->progress.bytes_done += u->content.len;
	if (o->progress)
		o->progress(o->progress_context, &s->progress);
	pthread_mutex_unlock(&s->lock);
}

static void failed(struct sending *s, const struct jic_error *e)
{
	pthread_mutex_lock(&s->lock);
	if (!s->error.code)
		s->error = *e;
	atomic_store(&s->cancel, true);
	pthread_mutex_unlock(&s->lock);
}

static void *worker(void *context)
{
	struct sending *s = context;
	struct jic_error e = {0};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->session->settings, &s->cancel, &e);
	if (!c)
		failed(s, &e);
	for (const struct jic_upload *u; c && (u = take_next(s));) {
		if (jic_connection_put_blob(c, &u->digest, u->content, &e))
			sent(s, u);
		else
			failed(s, &e);
	}
	return NULL;
}

static void run_workers(struct sending *s)
{
	pthread_t threads[JIC_UPLOAD_WORKERS_MAX];
	size_t wanted = s->count < JIC_UPLOAD_WORKERS_MAX ? s->count : JIC_UPLOAD_WORKERS_MAX, started = 0;
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, worker, s) == 0)
		started++;
	worker(s);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* Equal content is sent once, however often it is named. */
static void select_missing(struct sending *s, const struct jic_upload *uploads, size_t count,
                           struct jic_digest *missing, size_t missing_count, bool *taken)
{
	qsort(missing, missing_count, sizeof *missing, digest_cmp);
	for (size_t i = 0; i < count; i++) {
		const struct jic_digest *found =
		    bsearch(&uploads[i].digest, missing, missing_count, sizeof *missing, digest_cmp);
		if (!found || taken[found - missing])
			continue;
		taken[found - missing] = true;
		s->uploads[s->count++] = &uploads[i];
		s->progress.bytes_total += uploads[i].content.len;
	}
	s->progress.total = (uint32_t)s->count;
}

bool jic_upload_all(struct jic_session *session, struct jic_connection *c, const struct jic_upload *uploads,
                    size_t count, struct jic_arena *arena, uint64_t *bytes, struct jic_error *err)
{
	const struct jic_digest *missing;
	size_t missing_count;
	struct sending s = {.lock = PTHREAD_MUTEX_INITIALIZER, .session = session};
	*bytes = 0;
	if (!ask_missing(c, uploads, count, arena, &missing, &missing_count, err))
		return false;
	struct jic_digest *sorted = jic_arena_array(arena, missing_count + 1, sizeof *sorted);
	bool *taken = jic_arena_array(arena, missing_count + 1, sizeof *taken);
	s.uploads = jic_arena_array(arena, count + 1, sizeof *s.uploads);
	if (!sorted || !taken || !s.uploads)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (missing_count)
		memcpy(sorted, missing, missing_count * sizeof *sorted);
	select_missing(&s, uploads, count, sorted, missing_count, taken);
	if (s.count)
		run_workers(&s);
	*bytes = s.bytes;
	if (s.error.code && err)
		*err = s.error;
	return !s.error.code;
}
