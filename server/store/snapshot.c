/* SQLite puts two files beside an open database; what was killed leaves all three. */
#include "server/store/snapshot.h"

#include "common/digest.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

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
