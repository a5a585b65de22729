/* Reading files whole: identity, contents, mapping. Every error names the path. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READ_PIECE_BYTES = 64 * 1024 };

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void jic_file_identity_of(const struct stat *st, struct jic_file_identity *out)
{
	*out = (struct jic_file_identity){
	    .device = (uint64_t)st->st_dev,
	    .inode = (uint64_t)st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime_ns = nanoseconds(st->st_mtim),
	    .ctime_ns = nanoseconds(st->st_ctim),
	};
}

bool jic_file_identify(const char *path, struct jic_file_identity *out, struct jic_error *err)
{
	struct stat st;
	if (stat(path, &st))
		return jic_fail_errno(err, JIC_EIO, "stat %s", path);
	jic_file_identity_of(&st, out);
	return true;
}

bool jic_file_identity_eq(const struct jic_file_identity *a, const struct jic_file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

bool jic_is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool jic_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool fail_too_long(const char *path, size_t bytes_max, struct jic_error *err)
{
	return jic_fail(err, JIC_ELIMIT, "read %s: longer than %zu bytes", path, bytes_max);
}

/** Up to the end of the file, not to st_size: files of /proc say 0, and a file may grow while it is read. */
static bool read_to_end(int fd, const char *path, size_t bytes_max, struct jic_buf *out, struct jic_error *err)
{
	size_t total = 0;
	for (;;) {
		if (!jic_buf_reserve(out, READ_PIECE_BYTES))
			return jic_buf_ok(out, err);
		ssize_t got = read(fd, out->ptr + out->len, out->cap - out->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return jic_fail_errno(err, JIC_EIO, "read %s", path);
		if (got == 0)
			return true;
		if ((size_t)got > bytes_max - total)
			return fail_too_long(path, bytes_max, err);
		total += (size_t)got;
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
	}
}

bool jic_file_read(const char *path, size_t bytes_max, struct jic_buf *out, struct jic_error *err)
{
	jic_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		return jic_fail_errno(err, JIC_EIO, "open %s", path);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > bytes_max)
		return fail_too_long(path, bytes_max, err);
	/* Room for the read that finds the end too, so that a known size is allocated once. */
	if (S_ISREG(st.st_mode) && !jic_buf_reserve(out, (size_t)st.st_size + READ_PIECE_BYTES))
		return jic_buf_ok(out, err);
	size_t before = out->len;
	if (read_to_end(fd, path, bytes_max, out, err))
		return true;
	out->len = before;
	if (out->ptr)
		out->ptr[before] = '\0';
	return false;
}

static bool map_whole(int fd, const char *name, size_t bytes_max, struct jic_map *out, struct jic_error *err)
{
	struct stat st;
	if (fstat(fd, &st))
		return jic_fail_errno(err, JIC_EIO, "stat %s", name);
	if (!S_ISREG(st.st_mode))
		return jic_fail(err, JIC_EIO, "map %s: not a regular file", name);
	if ((uint64_t)st.st_size > bytes_max)
		return jic_fail(err, JIC_ELIMIT, "map %s: longer than %zu bytes", name, bytes_max);
	/* mmap refuses a length of 0. */
	if (st.st_size == 0) {
		*out = (struct jic_map){0};
		return true;
	}
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return jic_fail_errno(err, JIC_EIO, "map %s", name);
	out->view = jic_view_bytes(p, (size_t)st.st_size);
	return true;
}

bool jic_map_open(const char *path, size_t bytes_max, struct jic_map *out, struct jic_error *err)
{
	/* O_NONBLOCK: a pipe under this name is refused by map_whole, and must not make open() wait for its writer. */
	jic_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "open %s", path);
	return map_whole(fd, path, bytes_max, out, err);
}

bool jic_map_fd(int fd, size_t bytes_max, struct jic_map *out, struct jic_error *err)
{
	char name[32];
	snprintf(name, sizeof name, "file descriptor %d", fd);
	return map_whole(fd, name, bytes_max, out, err);
}

void jic_map_clear(struct jic_map *m)
{
	if (m->view.len)
		munmap((void *)(uintptr_t)m->view.ptr, m->view.len);
	*m = (struct jic_map){0};
}
