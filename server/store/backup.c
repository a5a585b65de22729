/*
 *     1. a snapshot of the index, with the bytes of all blobs that it names      snapshot.c; index.sqlite.new
 *     2. all of it on disk; the snapshot gets its name
 *     3. blobs that the snapshot does not name                                   removed
 *
 * In one file: the blobs as they are copied, then the snapshot, then the end. A blob that was evicted between may be in
 * it all the same; nothing names it, and the server that is started there sweeps it.
 */
#include "server/store/backup.h"

#include "common/file.h"
#include "common/json.h"
#include "server/store/archive.h"
#include "server/store/directory/directory_blobs.h"
#include "server/store/internal.h"
#include "server/store/snapshot.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

struct backup {
	struct jic_index *index;            /* of the store */
	struct jic_archive_writer *archive; /* of a backup in one file */
	struct jic_buf written;             /* struct jic_digest: blobs in it, sorted but for the last few */
	size_t sorted;                      /* of these */
	struct jic_blobs *from, *to;
	struct jic_snapshot snapshot;
	char *path; /* of the copy's index, which the snapshot becomes */
	int lock_fd;
	struct jic_backup *out;
};

static void backup_clear(struct backup *b)
{
	jic_archive_writer_free(b->archive);
	jic_buf_clear(&b->written);
	jic_snapshot_clear(&b->snapshot);
	jic_blobs_free(b->to);
	free(b->path);
	if (b->lock_fd >= 0)
		close(b->lock_fd);
}

static bool pass_unless(const struct jic_error *why, enum jic_code expected, struct jic_error *err)
{
	if (why->code == expected)
		return true;
	if (err)
		*err = *why;
	return false;
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

static bool share_row(void *context, const struct jic_index_blob *row, bool *there, struct jic_error *err)
{
	struct backup *b = context;
	struct jic_error why = {0};
	uint64_t fresh = 0;
	*there = b->from->ops->share(b->from, &row->digest, b->to, &fresh, &why);
	b->out->fresh += fresh > 0;
	b->out->fresh_bytes += fresh;
	return *there || pass_unless(&why, JIC_ENOTFOUND, err);
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
	if (!pass_unless(&why, JIC_ENOTFOUND, err))
		return false;
	b->out->removed++;
	return b->to->ops->remove(b->to, &entry->digest, err);
}

/* ---- the snapshot */

static bool copy_all(struct backup *b, jic_snapshot_blob_fn *copy, struct jic_error *err)
{
	struct jic_snapshot_blobs blobs = {.copy = copy, .context = b};
	if (!jic_snapshot_take_whole(&b->snapshot, b->index, &blobs, err))
		return false;
	b->out->blobs = blobs.count;
	b->out->missing = blobs.missing;
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
	bool ok =
	    open_place(&b, dir, err) && copy_all(&b, share_row, err) && name_snapshot(&b, dir, err) && prune(&b, err);
	return ok || jic_wrap(err, "backup");
}

/* ---- in one file */

enum { TAIL_MAX = 1024, JSON_BYTES_MAX = 64 * 1024 };

static int compare_digests(const void *a, const void *b)
{
	return jic_digest_cmp(a, b);
}

static bool is_written(const struct backup *b, const struct jic_digest *digest)
{
	const struct jic_digest *list = (const void *)b->written.ptr;
	const size_t count = b->written.len / sizeof *list;
	if (b->sorted && bsearch(digest, list, b->sorted, sizeof *list, compare_digests))
		return true;
	for (size_t i = b->sorted; i < count; i++)
		if (jic_digest_eq(&list[i], digest))
			return true;
	return false;
}

/* Most come in their order; what comes meanwhile is few. */
static bool note_written(struct backup *b, const struct jic_digest *digest, struct jic_error *err)
{
	struct jic_digest *list = (void *)b->written.ptr;
	const size_t count = b->written.len / sizeof *list;
	const bool in_order = b->sorted == count && (!count || jic_digest_cmp(&list[count - 1], digest) < 0);
	if (!in_order && count - b->sorted >= TAIL_MAX) {
		qsort(list, count, sizeof *list, compare_digests);
		b->sorted = count;
	}
	jic_buf_put(&b->written, digest, sizeof *digest);
	b->sorted += in_order;
	return jic_buf_ok(&b->written, err);
}

static bool write_row(void *context, const struct jic_index_blob *row, bool *there, struct jic_error *err)
{
	struct backup *b = context;
	char name[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
	struct jic_error why = {0};
	jic_autoclose int fd = -1;
	uint64_t size;
	*there = is_written(b, &row->digest);
	if (*there)
		return true;
	*there = b->from->ops->open(b->from, &row->digest, &fd, &size, &why);
	if (!*there)
		return pass_unless(&why, JIC_ENOTFOUND, err);
	jic_archive_blob_name(&row->digest, name);
	b->out->fresh++;
	b->out->fresh_bytes += size;
	return jic_archive_writer_copy(b->archive, name, fd, size, err) && note_written(b, &row->digest, err);
}

static bool write_json(struct backup *b, const char *name, bool end, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "format", JIC_VIEW(JIC_BACKUP_FORMAT));
	jic_json_put_text(&w, "server", JIC_VIEW("jicached " JIC_VERSION));
	if (end)
		jic_json_put_u64(&w, "blobs", b->out->fresh);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err) && jic_archive_writer_put(b->archive, name, jic_buf_view(&json), err);
}

static bool write_index(struct backup *b, struct jic_error *err)
{
	struct stat st;
	jic_snapshot_close(&b->snapshot);
	jic_autoclose int fd = open(b->snapshot.path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", b->snapshot.path);
	return jic_archive_writer_copy(b->archive, JIC_BACKUP_INDEX, fd, (uint64_t)st.st_size, err);
}

bool jic_store_backup_file(struct jic_store *s, const char *data_dir, int fd, struct jic_backup *out,
                           struct jic_error *err)
{
	JIC_CLEAR(backup) struct backup b = {.index = s->index, .from = s->blobs, .lock_fd = -1, .out = out};
	*out = (struct jic_backup){0};
	b.archive = jic_archive_writer_new(fd, err);
	bool ok = b.archive && jic_snapshot_name(&b.snapshot, data_dir, err) &&
	          write_json(&b, JIC_BACKUP_HEADER, false, err) && copy_all(&b, write_row, err) &&
	          write_index(&b, err) && write_json(&b, JIC_BACKUP_END, true, err) &&
	          jic_archive_writer_finish(b.archive, err);
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

/* ---- and back from one file */

struct restore {
	struct backup place;
	struct jic_archive_reader *archive;
	struct jic_writer *index; /* complete when not NULL; without its name until all is there */
	struct jic_blob_sink *sink;
};

static void restore_clear(struct restore *r)
{
	jic_archive_reader_free(r->archive);
	jic_writer_free(r->index);
	backup_clear(&r->place);
}

/* @param[out] blobs what the end says of them; only there */
static bool read_json(struct restore *r, uint64_t *blobs, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_view format;
	if (!jic_archive_reader_text(r->archive, JSON_BYTES_MAX, &json, err) ||
	    !jic_json_parse(jic_buf_view(&json), JSON_BYTES_MAX, &arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	if (!jic_json_get_text(&at, "format", JIC_LANE_NAME_BYTES_MAX, &format) ||
	    !jic_json_opt_u64(&at, "blobs", INT64_MAX, blobs))
		return false;
	return jic_view_is(format, JIC_BACKUP_FORMAT) ||
	       jic_fail(err, JIC_EUNSUPPORTED, "the file has the format \"" JIC_PRIv "\", and this jicached knows %s",
	                JIC_ARGv(format), JIC_BACKUP_FORMAT);
}

static bool put_blob_piece(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct restore *r = context;
	return r->sink->ops->sink_put(r->sink, bytes, err);
}

static bool put_index_piece(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct restore *r = context;
	return jic_writer_put(r->index, bytes, err);
}

/* Its bytes are as they were stored: whether they are what the name says is seen when all is checked. */
static bool read_blob(struct restore *r, const struct jic_archive_entry *entry, const struct jic_digest *digest,
                      struct jic_error *err)
{
	struct jic_blobs *to = r->place.to;
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *sink = to->ops->sink_new(to, err);
	r->sink = sink;
	if (!sink || !jic_archive_reader_each(r->archive, put_blob_piece, r, err) ||
	    !sink->ops->sink_commit(sink, digest, err))
		return false;
	r->place.out->blobs++;
	r->place.out->fresh++;
	r->place.out->fresh_bytes += entry->size;
	return true;
}

static bool read_index(struct restore *r, struct jic_error *err)
{
	const struct jic_writer_options options = {.mode = 0644};
	r->index = jic_writer_new(r->place.path, options, err);
	return r->index && jic_archive_reader_each(r->archive, put_index_piece, r, err);
}

static bool read_end(struct restore *r, struct jic_error *err)
{
	struct jic_archive_entry entry;
	uint64_t blobs;
	bool more;
	if (!read_json(r, &blobs, err))
		return false;
	if (blobs != r->place.out->blobs)
		return jic_fail(err, JIC_EFORMAT, "the file has other blobs than it says at its end");
	if (!jic_archive_reader_next(r->archive, &entry, &more, err))
		return false;
	return !more || jic_fail(err, JIC_EFORMAT, "%s comes after the file's end", entry.name);
}

/* @param[out] ended it was the last one */
static bool read_entry(struct restore *r, const struct jic_archive_entry *entry, bool *ended, struct jic_error *err)
{
	struct jic_digest digest;
	*ended = r->index && strcmp(entry->name, JIC_BACKUP_END) == 0;
	if (*ended)
		return read_end(r, err);
	if (!r->index && strcmp(entry->name, JIC_BACKUP_INDEX) == 0)
		return read_index(r, err);
	if (!r->index && jic_archive_blob_parse(entry->name, &digest))
		return read_blob(r, entry, &digest, err);
	return jic_fail(err, JIC_EFORMAT, "%s has no place in the file, or not here", entry->name);
}

static bool read_file(struct restore *r, struct jic_error *err)
{
	struct jic_archive_entry entry;
	uint64_t ignored;
	bool more, ended = false;
	if (!jic_archive_reader_next(r->archive, &entry, &more, err))
		return false;
	if (!more || strcmp(entry.name, JIC_BACKUP_HEADER) != 0)
		return jic_fail(err, JIC_EFORMAT,
		                "this is no file of jicached backup: " JIC_BACKUP_HEADER " is not the first in it");
	if (!read_json(r, &ignored, err))
		return false;
	while (!ended) {
		if (!jic_archive_reader_next(r->archive, &entry, &more, err))
			return false;
		if (!more)
			return jic_fail(err, JIC_EFORMAT, "the file is cut off");
		if (!read_entry(r, &entry, &ended, err))
			return false;
	}
	return true;
}

bool jic_store_restore_file(int fd, const char *data_dir, struct jic_backup *out, struct jic_error *err)
{
	JIC_CLEAR(restore) struct restore r = {.place = {.lock_fd = -1, .out = out}};
	*out = (struct jic_backup){0};
	if (!open_place(&r.place, data_dir, err))
		return jic_wrap(err, "restore");
	if (jic_is_file(r.place.path))
		return jic_fail(err, JIC_ECONFLICT, "restore: %s has a store already", data_dir);
	r.archive = jic_archive_reader_new(fd, err);
	bool ok = r.archive && read_file(&r, err) && jic_writer_commit(r.index, err);
	return ok || jic_wrap(err, "restore");
}
