/*
 * With all bytes:
 *
 *     1. blobs of the index as it is               copied, however long it takes
 *     2. a snapshot of the index
 *     3. blobs of the snapshot that were not copied yet
 *
 * Eviction may take a blob away between 2 and 3. Then 2 and 3 are done again, and at the last attempt while nothing can
 * be written: rows go before bytes do, so all bytes of what such a snapshot names are there.
 *
 * SQLite puts two files beside an open database; what was killed leaves all three.
 */
#include "server/store/snapshot.h"

#include "common/digest.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

enum { PAGE = 256, ATTEMPTS = 4 };

bool jic_snapshot_name(struct jic_snapshot *s, const char *data_dir, struct jic_error *err)
{
	uint8_t bytes[8];
	char hex[2 * sizeof bytes + 1];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return jic_fail_errno(err, JIC_EIO, "name a copy of the index");
	jic_hex(bytes, sizeof bytes, hex);
	s->path = jic_asprintf("%s/tmp/index-%s.sqlite", data_dir, hex);
	return s->path || jic_fail(err, JIC_EMEMORY, "snapshot: out of memory");
}

bool jic_snapshot_take(struct jic_snapshot *s, struct jic_index *from, struct jic_error *err)
{
	if (!jic_snapshot_remove(s, err) || !from->ops->copy(from, s->path, err))
		return false;
	s->index = jic_sqlite_index_open(s->path, err);
	return s->index != NULL;
}

void jic_snapshot_close(struct jic_snapshot *s)
{
	jic_index_free(JIC_TAKE(s->index));
}

bool jic_snapshot_remove(struct jic_snapshot *s, struct jic_error *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	jic_snapshot_close(s);
	for (size_t i = 0; i < JIC_COUNT(suffixes); i++) {
		jic_autofree char *path = jic_asprintf("%s%s", s->path, suffixes[i]);
		if (!path)
			return jic_fail(err, JIC_EMEMORY, "snapshot: out of memory");
		if (unlink(path) != 0 && errno != ENOENT)
			return jic_fail_errno(err, JIC_EIO, "remove %s", path);
	}
	return true;
}

void jic_snapshot_clear(struct jic_snapshot *s)
{
	struct jic_error ignored = {0};
	bool removed = s->path && jic_snapshot_remove(s, &ignored);
	(void)removed;
	free(JIC_TAKE(s->path));
}

/* ---- with its blobs */

static bool list_rows(struct jic_index *ix, const struct jic_digest *after, struct jic_arena *arena,
                      const struct jic_index_blob **rows, size_t *count, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	return t && t->ops->blobs_list(t, after, PAGE, arena, rows, count, err);
}

static bool copy_blobs(struct jic_snapshot_blobs *b, struct jic_index *ix, struct jic_error *err)
{
	struct jic_digest last;
	size_t count = PAGE;
	b->count = b->missing = 0;
	for (bool first = true; count == PAGE; first = false) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct jic_index_blob *rows;
		if (!list_rows(ix, first ? NULL : &last, &arena, &rows, &count, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			bool there;
			if (!b->copy(b->context, &rows[i], &there, err))
				return false;
			b->count += there;
			b->missing += !there;
		}
		if (count)
			last = rows[count - 1].digest;
	}
	return true;
}

/* @param quiet nothing may be written meanwhile */
static bool attempt(struct jic_snapshot *s, struct jic_index *from, bool quiet, struct jic_snapshot_blobs *blobs,
                    struct jic_error *err)
{
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = quiet ? from->ops->begin(from, JIC_INDEX_WRITE, err) : NULL;
	return (!quiet || t) && jic_snapshot_take(s, from, err) && copy_blobs(blobs, s->index, err);
}

bool jic_snapshot_take_whole(struct jic_snapshot *s, struct jic_index *from, struct jic_snapshot_blobs *blobs,
                             struct jic_error *err)
{
	bool whole = false;
	if (!copy_blobs(blobs, from, err))
		return false;
	for (int i = 1; i <= ATTEMPTS && !whole; i++) {
		if (!attempt(s, from, i == ATTEMPTS, blobs, err))
			return false;
		whole = !blobs->missing;
	}
	return true;
}
