/*
 *     1. blobs of the index as it is               shared, however long it takes
 *     2. a snapshot of the index                   index.sqlite.new
 *     3. blobs of the snapshot that are not there yet
 *     4. all of it on disk; the snapshot gets its name
 *     5. blobs that the snapshot does not name     removed
 *
 * Eviction may take a blob away between 2 and 3. Then 2 and 3 are done again, and at the last attempt while nothing can
 * be written: rows go before bytes do, so all bytes of what such a snapshot names are there.
 */
#include "server/store/backup.h"

#include "common/file.h"
#include "server/store/directory/directory_blobs.h"
#include "server/store/internal.h"
#include "server/store/snapshot.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { PAGE = 256, ATTEMPTS = 4 };

struct backup {
	struct jic_index *index; /* of the store */
	struct jic_blobs *from, *to;
	struct jic_snapshot snapshot;
	char *path; /* of the copy's index, which the snapshot becomes */
	int lock_fd;
	struct jic_backup *out;
};

static void backup_clear(struct backup *b)
{
	jic_snapshot_clear(&b->snapshot);
	jic_blobs_free(b->to);
	free(b->path);
	if (b->lock_fd >= 0)
		close(b->lock_fd);
}

/* ---- the place */

static bool same_place(const char *a, const char *b)
{
	jic_autofree char *real_a = realpath(a, NULL);
	jic_autofree char *real_b = realpath(b, NULL);
	return real_a && real_b && strcmp(real_a, real_b) == 0;
}

/* A copy that was served from has a journal with contents when the server was killed: the snapshot's name must not be
 * put beside it. */
static bool check_unserved(const char *dir, struct jic_error *err)
{
	jic_autofree char *journal = jic_asprintf("%s/index.sqlite-wal", dir);
	struct stat st;
	if (!journal)
		return jic_fail(err, JIC_EMEMORY, "backup: out of memory");
	return stat(journal, &st) != 0 || st.st_size == 0 ||
	       jic_fail(err, JIC_EUSAGE,
	                "%s was served from: start and stop jicached there first, or use another directory", dir);
}

static bool take_lock(struct backup *b, const char *dir, struct jic_error *err)
{
	jic_autofree char *path = jic_path_join(dir, "lock");
	if (!path)
		return jic_fail(err, JIC_EMEMORY, "backup: out of memory");
	b->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (b->lock_fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", path);
	if (flock(b->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	return jic_fail(err, JIC_EBUSY, "%s: another jicached writes there", path);
}

static bool open_place(struct backup *b, const char *dir, struct jic_error *err)
{
	if (!jic_mkdirs_durable(dir, err) || !take_lock(b, dir, err) || !check_unserved(dir, err))
		return false;
	b->path = jic_path_join(dir, "index.sqlite");
	b->snapshot.path = jic_path_join(dir, "index.sqlite.new");
	if (!b->path || !b->snapshot.path)
		return jic_fail(err, JIC_EMEMORY, "backup: out of memory");
	b->to = jic_directory_blobs_open(dir, true, err);
	return b->to != NULL;
}

/* ---- blobs */

typedef bool each_row_fn(struct backup *b, const struct jic_index_blob *row, struct jic_error *err);

static bool list_rows(struct jic_index *ix, const struct jic_digest *after, struct jic_arena *arena,
                      const struct jic_index_blob **rows, size_t *count, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	return t && t->ops->blobs_list(t, after, PAGE, arena, rows, count, err);
}

static bool each_row(struct backup *b, struct jic_index *ix, each_row_fn *each, struct jic_error *err)
{
	struct jic_digest last;
	size_t count = PAGE;
	for (bool first = true; count == PAGE; first = false) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct jic_index_blob *rows;
		if (!list_rows(ix, first ? NULL : &last, &arena, &rows, &count, err))
			return false;
		for (size_t i = 0; i < count; i++)
			if (!each(b, &rows[i], err))
				return false;
		if (count)
			last = rows[count - 1].digest;
	}
	return true;
}

static bool share_row(struct backup *b, const struct jic_index_blob *row, struct jic_error *err)
{
	struct jic_error why = {0};
	uint64_t fresh = 0;
	if (b->from->ops->share(b->from, &row->digest, b->to, &fresh, &why)) {
		b->out->blobs++;
		b->out->fresh += fresh > 0;
		b->out->fresh_bytes += fresh;
		return true;
	}
	b->out->missing++;
	if (why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool remove_unnamed(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	struct backup *b = context;
	struct jic_index_blob row;
	struct jic_error why = {0};
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = b->snapshot.index->ops->begin(b->snapshot.index, JIC_INDEX_READ, err);
	if (!t || t->ops->blob_find(t, &entry->digest, &row, &why))
		return t != NULL;
	if (why.code != JIC_ENOTFOUND) {
		if (err)
			*err = why;
		return false;
	}
	b->out->removed++;
	return b->to->ops->remove(b->to, &entry->digest, err);
}

/* ---- the snapshot */

static bool take_snapshot(struct backup *b, struct jic_error *err)
{
	b->out->blobs = b->out->missing = 0;
	return jic_snapshot_take(&b->snapshot, b->index, err) && each_row(b, b->snapshot.index, share_row, err);
}

/* @param quiet nothing may be written meanwhile */
static bool attempt(struct backup *b, bool quiet, struct jic_error *err)
{
	if (!quiet)
		return take_snapshot(b, err);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = b->index->ops->begin(b->index, JIC_INDEX_WRITE, err);
	return t && take_snapshot(b, err);
}

static bool copy_all(struct backup *b, struct jic_error *err)
{
	if (!each_row(b, b->index, share_row, err))
		return false;
	for (int i = 1; i <= ATTEMPTS; i++) {
		if (!attempt(b, i == ATTEMPTS, err))
			return false;
		if (!b->out->missing)
			return true;
	}
	return true;
}

static bool name_snapshot(struct backup *b, const char *dir, struct jic_error *err)
{
	jic_snapshot_close(&b->snapshot);
	if (!b->to->ops->sync(b->to, err))
		return false;
	if (rename(b->snapshot.path, b->path) != 0)
		return jic_fail_errno(err, JIC_EIO, "rename to %s", b->path);
	return jic_dir_sync(dir, err);
}

static bool prune(struct backup *b, struct jic_error *err)
{
	b->snapshot.index = jic_sqlite_index_open(b->path, err);
	return b->snapshot.index && b->to->ops->each(b->to, remove_unnamed, b, err);
}

bool jic_store_backup(struct jic_store *s, const char *data_dir, const char *dir, struct jic_backup *out,
                      struct jic_error *err)
{
	JIC_CLEAR(backup) struct backup b = {.index = s->index, .from = s->blobs, .lock_fd = -1, .out = out};
	*out = (struct jic_backup){0};
	if (same_place(data_dir, dir))
		return jic_fail(err, JIC_EUSAGE, "backup: %s is the data directory itself", dir);
	bool ok = open_place(&b, dir, err) && copy_all(&b, err) && name_snapshot(&b, dir, err) && prune(&b, err);
	return ok || jic_wrap(err, "backup");
}

/* ---- and back */

static bool share_entry(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	struct backup *b = context;
	uint64_t fresh = 0;
	if (!b->from->ops->share(b->from, &entry->digest, b->to, &fresh, err))
		return false;
	b->out->blobs++;
	b->out->fresh += fresh > 0;
	b->out->fresh_bytes += fresh;
	return true;
}

static bool copy_index(struct backup *b, const char *dir, struct jic_error *err)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	jic_autofree char *path = jic_path_join(dir, "index.sqlite");
	const struct jic_writer_options options = {.mode = 0644};
	return path ? jic_map_open(path, SIZE_MAX, &map, err) && jic_file_write(b->path, map.view, options, err)
	            : jic_fail(err, JIC_EMEMORY, "restore: out of memory");
}

bool jic_store_restore(const char *dir, const char *data_dir, struct jic_backup *out, struct jic_error *err)
{
	JIC_CLEAR(backup) struct backup b = {.lock_fd = -1, .out = out};
	jic_autofree char *index = jic_path_join(dir, "index.sqlite");
	*out = (struct jic_backup){0};
	if (!index)
		return jic_fail(err, JIC_EMEMORY, "restore: out of memory");
	if (!jic_is_file(index))
		return jic_fail(err, JIC_ENOTFOUND, "restore: %s has no backup", dir);
	if (!check_unserved(dir, err) || !open_place(&b, data_dir, err))
		return jic_wrap(err, "restore");
	if (jic_is_file(b.path))
		return jic_fail(err, JIC_ECONFLICT, "restore: %s has a store already", data_dir);
	JIC_AUTO(jic_blobs) struct jic_blobs *from = jic_directory_blobs_open(dir, false, err);
	b.from = from;
	/* The index last: until it has its name there is no store here, and a restore that was cut short is begun
	 * again. */
	bool ok = from && from->ops->each(from, share_entry, &b, err) && b.to->ops->sync(b.to, err) &&
	          copy_index(&b, dir, err);
	return ok || jic_wrap(err, "restore");
}
