/*
 * Atomic writing. A reader sees the old file or the whole new one:
 *
 *     dir/.jicache-tmp-PID-RANDOM   create, write…, fsync   ── rename ──▶   dir/name   ── fsync(dir)
 *
 * A temporary name rather than O_TMPFILE and linkat(): linkat() cannot replace a name, and network file systems lack
 * it.
 */
#include "common/file.h"
#include "common/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

enum { NAME_TRIES = 16, NAME_RANDOM_BYTES = 8, WRITE_BYTES_MAX = 1 << 30 };

struct jic_writer {
	char *path;
	char *dir;
	char *temporary; /**< NULL when there is none any more */
	int fd;
	struct jic_writer_options options;
	bool synced; /**< nothing was written since the last fsync */
};

bool jic_write_all(int fd, const void *bytes, size_t len, struct jic_error *err)
{
	const char *p = bytes;
	while (len) {
		ssize_t put = write(fd, p, len < WRITE_BYTES_MAX ? len : WRITE_BYTES_MAX);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return jic_fail_errno(err, JIC_EIO, "write");
		p += put;
		len -= (size_t)put;
	}
	return true;
}

void jic_writer_free(struct jic_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->temporary)
		unlink(w->temporary);
	free(w->path);
	free(w->dir);
	free(w->temporary);
	free(w);
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return jic_strdup_view(JIC_VIEW("."));
	return jic_strdup_view(jic_view_bytes(path, slash == path ? 1 : (size_t)(slash - path)));
}

static char *temporary_name(const char *dir)
{
	uint8_t bytes[NAME_RANDOM_BYTES];
	char hex[2 * NAME_RANDOM_BYTES + 1];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return NULL;
	jic_hex(bytes, sizeof bytes, hex);
	return jic_asprintf("%s/.jicache-tmp-%ld-%s", dir, (long)getpid(), hex);
}

static bool create_temporary(struct jic_writer *w, struct jic_error *err)
{
	mode_t mode = w->options.mode ? w->options.mode : 0644;
	for (int i = 0; i < NAME_TRIES; i++) {
		jic_autofree char *name = temporary_name(w->dir);
		if (!name)
			return jic_fail_errno(err, JIC_EIO, "name a temporary file in %s", w->dir);
		w->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (w->fd >= 0) {
			w->temporary = JIC_TAKE(name);
			return true;
		}
		if (errno != EEXIST)
			return jic_fail_errno(err, JIC_EIO, "create %s", name);
	}
	return jic_fail(err, JIC_EIO, "create a temporary file in %s: every name is taken", w->dir);
}

struct jic_writer *jic_writer_new(const char *path, struct jic_writer_options options, struct jic_error *err)
{
	JIC_AUTO(jic_writer) struct jic_writer *w = calloc(1, sizeof *w);
	if (w) {
		w->fd = -1;
		w->options = options;
		w->path = jic_strdup_view(jic_view_of(path));
		w->dir = dir_of(path);
	}
	if (!w || !w->path || !w->dir) {
		jic_fail(err, JIC_EMEMORY, "create %s: out of memory", path);
		return NULL;
	}
	return create_temporary(w, err) ? JIC_TAKE(w) : NULL;
}

bool jic_writer_put(struct jic_writer *w, struct jic_view bytes, struct jic_error *err)
{
	w->synced = false;
	return jic_write_all(w->fd, bytes.ptr, bytes.len, err) || jic_wrap(err, "%s", w->path);
}

int jic_writer_fd(struct jic_writer *w)
{
	return w->fd;
}

bool jic_writer_sync(struct jic_writer *w, struct jic_error *err)
{
	if (fsync(w->fd))
		return jic_fail_errno(err, JIC_EIO, "sync %s", w->temporary);
	w->synced = true;
	return true;
}

/** close() is where network file systems report what became of the bytes. */
static bool close_checked(struct jic_writer *w, struct jic_error *err)
{
	int fd = w->fd;
	w->fd = -1;
	if (close(fd) && errno != EINTR)
		return jic_fail_errno(err, JIC_EIO, "close %s", w->temporary);
	return true;
}

/* Network file systems know nothing of the flag, those of USB sticks nothing of second names. */
static bool give_free_name(struct jic_writer *w, struct jic_error *err)
{
	if (renameat2(AT_FDCWD, w->temporary, AT_FDCWD, w->path, RENAME_NOREPLACE) == 0)
		return true;
	if ((errno == EINVAL || errno == ENOSYS) && link(w->temporary, w->path) == 0) {
		unlink(w->temporary);
		return true;
	}
	if (errno == EEXIST)
		return jic_fail(err, JIC_ECONFLICT, "%s is there already", w->path);
	return jic_fail_errno(err, JIC_EIO, "name %s", w->path);
}

static bool give_name(struct jic_writer *w, struct jic_error *err)
{
	if (w->options.no_replace)
		return give_free_name(w, err);
	return rename(w->temporary, w->path) == 0 ||
	       jic_fail_errno(err, JIC_EIO, "rename %s to %s", w->temporary, w->path);
}

bool jic_writer_commit(struct jic_writer *w, struct jic_error *err)
{
	JIC_ASSERT(w->temporary);
	if (!w->options.no_sync && !w->synced && !jic_writer_sync(w, err))
		return false;
	if (!close_checked(w, err) || !give_name(w, err))
		return false;
	free(w->temporary);
	w->temporary = NULL;
	return w->options.no_sync || jic_dir_sync(w->dir, err);
}

bool jic_file_write(const char *path, struct jic_view bytes, struct jic_writer_options options, struct jic_error *err)
{
	JIC_AUTO(jic_writer) struct jic_writer *w = jic_writer_new(path, options, err);
	return w && jic_writer_put(w, bytes, err) && jic_writer_commit(w, err);
}
