/* Directories: make, walk, remove, sync. Names are reached through directory descriptors, so no link can be swapped in.
 */
#include "common/file.h"
#include "common/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/** Each level of a tree that is being removed holds a descriptor. */
enum { REMOVE_DEPTH_MAX = 200 };

static bool make_one(const char *path, struct jic_error *err)
{
	if (mkdir(path, 0777) == 0)
		return true;
	/* Whatever mkdir said, a directory that is there is what was asked for: a parent on a read-only or automounted
	 * file system gives EROFS or EACCES rather than EEXIST. */
	int sys = errno;
	if (jic_is_dir(path))
		return true;
	errno = sys == EEXIST ? ENOTDIR : sys;
	return jic_fail_errno(err, JIC_EIO, "make directory %s", path);
}

bool jic_mkdirs(const char *path, struct jic_error *err)
{
	if (jic_is_dir(path))
		return true;
	jic_autofree char *copy = jic_strdup_view(jic_view_of(path));
	if (!copy)
		return jic_fail(err, JIC_EMEMORY, "make directory %s: out of memory", path);
	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (!make_one(copy, err))
			return false;
		*slash = '/';
	}
	return make_one(copy, err);
}

bool jic_dir_sync(const char *path, struct jic_error *err)
{
	jic_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "open %s", path);
	/* EINVAL: a file system that cannot sync directories (some FUSE and network ones). There is nothing to wait
	 * for. */
	if (fsync(fd) && errno != EINVAL)
		return jic_fail_errno(err, JIC_EIO, "sync directory %s", path);
	return true;
}

static bool sync_parent(const char *path, struct jic_error *err)
{
	jic_autofree char *absolute = jic_path_absolute(path);
	if (!absolute)
		return jic_fail(err, JIC_EMEMORY, "make directory %s: out of memory", path);
	char *slash = strrchr(absolute, '/');
	*(slash == absolute ? slash + 1 : slash) = '\0';
	return jic_dir_sync(absolute, err);
}

/* One that is there already may have been made by a process that was killed before it could sync; whose parent is not
 * ours to open was made by somebody else, long ago. */
static bool make_one_durable(const char *path, struct jic_error *err)
{
	struct jic_error why = {0};
	const bool there = jic_is_dir(path);
	if (!make_one(path, err))
		return false;
	if (sync_parent(path, &why) || (there && why.code == JIC_EDENIED))
		return true;
	if (err)
		*err = why;
	return false;
}

bool jic_mkdirs_durable(const char *path, struct jic_error *err)
{
	jic_autofree char *copy = jic_path_absolute(path);
	if (!copy)
		return jic_fail(err, JIC_EMEMORY, "make directory %s: out of memory", path);
	for (char *slash = copy; (slash = strchr(slash + 1, '/')) && slash[1];) {
		*slash = '\0';
		if (!jic_is_dir(copy) && !make_one_durable(copy, err))
			return false;
		*slash = '/';
	}
	return make_one_durable(copy, err);
}

struct names {
	struct jic_arena arena;
	const char **items;
	size_t count, cap;
};

static void names_clear(struct names *n)
{
	jic_arena_clear(&n->arena);
	free(n->items);
}

static bool names_add(struct names *n, const char *name)
{
	if (n->count == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 32;
		const char **grown = reallocarray(n->items, cap, sizeof *grown);
		if (!grown)
			return false;
		n->items = grown;
		n->cap = cap;
	}
	n->items[n->count++] = jic_arena_copy(&n->arena, jic_view_of(name)).ptr;
	return !n->arena.failed;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** All names first, then the calls: what a call removes or adds cannot disturb readdir(). */
static bool names_read(DIR *dir, const char *path, struct names *out, struct jic_error *err)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry && errno)
			return jic_fail_errno(err, JIC_EIO, "read directory %s", path);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!names_add(out, entry->d_name))
			return jic_fail(err, JIC_EMEMORY, "read directory %s: out of memory", path);
	}
	if (out->count)
		qsort(out->items, out->count, sizeof *out->items, by_bytes);
	return true;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/** @param fd  an open directory; consumed */
static bool each_in(int fd, const char *path, jic_dir_fn *each, void *context, struct jic_error *err)
{
	__attribute__((cleanup(closedirp))) DIR *dir = fdopendir(fd);
	if (!dir) {
		jic_fail_errno(err, JIC_EIO, "open directory %s", path);
		close(fd);
		return false;
	}
	JIC_CLEAR(names) struct names names = {0};
	if (!names_read(dir, path, &names, err))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!each(context, dirfd(dir), names.items[i], err))
			return false;
	}
	return true;
}

bool jic_dir_each(const char *path, jic_dir_fn *each, void *context, struct jic_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "open directory %s", path);
	return each_in(fd, path, each, context, err);
}

struct removal {
	struct jic_buf path; /**< of what is being removed, for errors */
	unsigned depth;
};

static bool remove_entry(void *context, int parent, const char *name, struct jic_error *err);

static bool remove_dir(struct removal *r, int parent, const char *name, struct jic_error *err)
{
	const char *path = jic_buf_str(&r->path);
	if (r->depth == REMOVE_DEPTH_MAX)
		return jic_fail(err, JIC_ELIMIT, "remove %s: more than %d levels deep", path, REMOVE_DEPTH_MAX);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || jic_fail_errno(err, JIC_EIO, "open directory %s", path);
	r->depth++;
	bool emptied = each_in(fd, path, remove_entry, r, err);
	r->depth--;
	if (!emptied)
		return false;
	if (unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT)
		return jic_fail_errno(err, JIC_EIO, "remove directory %s", jic_buf_str(&r->path));
	return true;
}

/** Remove what is at the end of r->path. Somebody else's removal of the same thing is as good as ours. */
static bool remove_at(struct removal *r, int parent, const char *name, struct jic_error *err)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return true;
	int sys = errno;
	struct stat st;
	/* Linux says EISDIR for a directory, POSIX EPERM; neither means only that. */
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return remove_dir(r, parent, name, err);
	errno = sys;
	return jic_fail_errno(err, JIC_EIO, "remove %s", jic_buf_str(&r->path));
}

static bool remove_entry(void *context, int parent, const char *name, struct jic_error *err)
{
	struct removal *r = context;
	size_t before = r->path.len;
	jic_buf_putc(&r->path, '/');
	jic_buf_puts(&r->path, name);
	if (!jic_buf_ok(&r->path, err) || !remove_at(r, parent, name, err))
		return false;
	r->path.len = before;
	r->path.ptr[before] = '\0';
	return true;
}

static void removal_clear(struct removal *r)
{
	jic_buf_clear(&r->path);
}

bool jic_remove_tree(const char *path, struct jic_error *err)
{
	JIC_CLEAR(removal) struct removal r = {0};
	jic_buf_puts(&r.path, path);
	if (!jic_buf_ok(&r.path, err))
		return false;
	return remove_at(&r, AT_FDCWD, path, err);
}
