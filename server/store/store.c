/*
 * Opening and closing, and what readers ask of blobs.
 *
 *     DATA/lock           held with flock(2) by the one process that serves; the kernel gives it back after a crash
 *     DATA/index.sqlite   and its journal: sqlite/
 *     DATA/blobs, tmp     directory/
 */
#include "server/store/internal.h"

#include "common/file.h"
#include "server/store/directory/directory_blobs.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* Whatever is configured: sums of sizes stay far from overflowing. */
#define BLOB_BYTES_LIMIT (UINT64_C(1) << 48)

static const struct jic_log silent = {.fd = -1, .level = JIC_LOG_ERROR};

uint64_t jic_store_now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
}

static bool take_lock(struct jic_store *s, const char *data_dir, struct jic_error *err)
{
	jic_autofree char *path = jic_path_join(data_dir, "lock");
	if (!path)
		return jic_fail(err, JIC_EMEMORY, "store: out of memory");
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->lock_fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return jic_fail(err, JIC_EBUSY, "%s: another jicached serves this data directory", path);
	return jic_fail_errno(err, JIC_EIO, "lock %s", path);
}

/* Only between processes, and only those that remove or import pay for it: flock(2) of an open file is the whole
 * process's, so one thread at a time waits here, and before it keeps uploads of its own process waiting. Signals
 * interrupt it; nothing else can fail. */
static void lock_between(const struct jic_store *s, int how)
{
	while (flock(s->blobs_lock_fd, how) != 0 && errno == EINTR)
		continue;
}

void jic_blobs_lock_shared(struct jic_store *s)
{
	if (s->admin)
		lock_between(s, LOCK_SH);
	pthread_rwlock_rdlock(&s->blobs_lock);
}

void jic_blobs_unlock_shared(struct jic_store *s)
{
	pthread_rwlock_unlock(&s->blobs_lock);
	if (s->admin)
		lock_between(s, LOCK_UN);
}

void jic_blobs_lock_exclusive(struct jic_store *s)
{
	pthread_mutex_lock(&s->removers_lock);
	if (!s->admin)
		lock_between(s, LOCK_EX);
	pthread_rwlock_wrlock(&s->blobs_lock);
}

void jic_blobs_unlock_exclusive(struct jic_store *s)
{
	pthread_rwlock_unlock(&s->blobs_lock);
	if (!s->admin)
		lock_between(s, LOCK_UN);
	pthread_mutex_unlock(&s->removers_lock);
}

static bool open_parts(struct jic_store *s, const char *data_dir, const struct jic_migration_watch *migration,
                       struct jic_error *err)
{
	jic_autofree char *index_path = jic_path_join(data_dir, "index.sqlite");
	if (!index_path)
		return jic_fail(err, JIC_EMEMORY, "store: out of memory");
	if (!jic_mkdirs_durable(data_dir, err) || (!s->admin && !take_lock(s, data_dir, err)))
		return false;
	s->blobs_lock_fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->blobs_lock_fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", data_dir);
	s->blobs = jic_directory_blobs_open(data_dir, !s->admin, err);
	if (!s->blobs)
		return false;
	s->index = jic_sqlite_index_open_watched(index_path, migration, err);
	/* SQLite syncs what is in its file; that the file has a name is for the directory to keep. */
	return s->index && jic_dir_sync(data_dir, err);
}

struct jic_store *jic_store_open(const struct jic_store_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *s = calloc(1, sizeof *s);
	if (!s) {
		jic_fail(err, JIC_EMEMORY, "store: out of memory");
		return NULL;
	}
	s->lock_fd = s->blobs_lock_fd = -1;
	s->log = options->log ? options->log : &silent;
	s->signers = options->signers;
	s->signers_count = options->signers_count;
	s->blob_bytes_max = options->blob_bytes_max < BLOB_BYTES_LIMIT ? options->blob_bytes_max : BLOB_BYTES_LIMIT;
	s->admin = options->admin;
	s->space.store_bytes_max = options->store_bytes_max;
	s->space.free_bytes_min = options->free_bytes_min;
	pthread_rwlock_init(&s->blobs_lock, NULL);
	pthread_mutex_init(&s->removers_lock, NULL);
	pthread_mutex_init(&s->suspects.lock, NULL);
	pthread_mutex_init(&s->uses.lock, NULL);
	pthread_mutex_init(&s->space.lock, NULL);
	pthread_mutex_init(&s->activity.lock, NULL);
	pthread_cond_init(&s->activity.changed, NULL);
	pthread_cond_init(&s->space.wake, NULL);
	pthread_cond_init(&s->suspects.changed, NULL);
	if (!open_parts(s, options->data_dir, options->migration, err)) {
		jic_wrap(err, "store");
		return NULL;
	}
	jic_log_debug(s->log, "store.open", JIC_STR("data", options->data_dir));
	return JIC_TAKE(s);
}

void jic_store_free(struct jic_store *s)
{
	if (!s)
		return;
	jic_index_free(s->index);
	jic_blobs_free(s->blobs);
	if (s->blobs_lock_fd >= 0)
		close(s->blobs_lock_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	jic_buf_clear(&s->uses.places);
	jic_buf_clear(&s->activity.sent_files);
	for (size_t i = 0; i < s->activity.asked_count; i++)
		jic_asked_free(s->activity.asked[i]);
	pthread_cond_destroy(&s->activity.changed);
	pthread_mutex_destroy(&s->activity.lock);
	pthread_cond_destroy(&s->space.wake);
	pthread_mutex_destroy(&s->space.lock);
	pthread_mutex_destroy(&s->uses.lock);
	pthread_cond_destroy(&s->suspects.changed);
	pthread_mutex_destroy(&s->suspects.lock);
	pthread_mutex_destroy(&s->removers_lock);
	pthread_rwlock_destroy(&s->blobs_lock);
	free(s);
}

struct jic_index *jic_store_index(struct jic_store *s)
{
	return s->index;
}

bool jic_store_ready(struct jic_store *s, struct jic_error *err)
{
	return s->index->ops->ready(s->index, err) && s->blobs->ops->ready(s->blobs, err);
}

bool jic_store_blobs_missing(struct jic_store *s, const struct jic_viewer *viewer, const struct jic_digest *digests,
                             size_t count, struct jic_arena *arena, const struct jic_digest **missing,
                             size_t *missing_count, struct jic_error *err)
{
	struct jic_digest *list = jic_arena_array(arena, count + 1, sizeof *list);
	bool *there = jic_arena_array(arena, count + 1, sizeof *there);
	if (!list || !there)
		return jic_fail(err, JIC_EMEMORY, "store: out of memory");
	if (!jic_store_blobs_there(s, viewer, digests, count, arena, there, err))
		return false;
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (!there[i])
			list[n++] = digests[i];
	*missing = list;
	*missing_count = n;
	return true;
}

void jic_store_suspect(struct jic_store *s, const struct jic_digest *digest)
{
	struct jic_suspects *list = &s->suspects;
	bool known = false;
	pthread_mutex_lock(&list->lock);
	for (size_t i = 0; i < list->count; i++)
		known = known || jic_digest_eq(&list->digests[i], digest);
	/* When the list is full the next reader of the same blob tells again. */
	if (!known && list->count < JIC_SUSPECTS_MAX)
		list->digests[list->count++] = *digest;
	pthread_cond_signal(&list->changed);
	pthread_mutex_unlock(&list->lock);
}

/* The sizes are compared because that costs nothing; everything else is for the scrub. */
static bool open_bytes(struct jic_store *s, const struct jic_index_blob *row, struct jic_store_blob *out,
                       struct jic_error *err)
{
	struct jic_error why;
	jic_autoclose int fd = -1;
	bool opened = s->blobs->ops->open(s->blobs, &row->digest, &fd, &out->stored_size, &why);
	if (!opened && why.code != JIC_ENOTFOUND) {
		if (err)
			*err = why;
		return false;
	}
	if (!opened || out->stored_size != row->stored_size) {
		jic_store_suspect(s, &row->digest);
		return jic_fail(err, JIC_ENOTFOUND, "there is no such blob");
	}
	out->size = row->size;
	out->fd = fd;
	fd = -1;
	return true;
}

bool jic_store_blob_open(struct jic_store *s, const struct jic_digest *digest, struct jic_store_blob *out,
                         struct jic_error *err)
{
	struct jic_index_blob blob;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return t && t->ops->blob_find(t, digest, &blob, err) && open_bytes(s, &blob, out, err);
}
