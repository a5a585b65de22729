/*
 * The life of a blob:
 *
 *     mkstemp tmp/blob-… → write… → fsync file → rename to blobs/ab/… → fsync blobs/ab
 *
 * Each step is safe to stop after: before the rename there is only a file in tmp, after it the whole bytes.
 */
#include "server/store/directory/directory_blobs.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	FANOUT_HEX = 2,                                     /* digits that name a directory */
	NAME_HEX = JIC_DIGEST_HEX - FANOUT_HEX,             /* digits that name the file in it */
	RELATIVE_BYTES = FANOUT_HEX + 1 + NAME_HEX + 4 + 1, /* "ab/cdef….zst" and a NUL */
	FILE_MODE = 0640,
};

/* Room that blobs leave free. The index needs some even to forget blobs, so a disk filled to the brim could not be
 * swept. */
#define RESERVE_BYTES_MAX (UINT64_C(64) << 20)
enum { RESERVE_SHARE = 20 }; /* on small disks: one part in so many */

struct directory_blobs {
	struct jic_blobs base;
	char *blobs_path;      /* DIR/blobs */
	char *tmp_path;        /* DIR/tmp */
	char *quarantine_path; /* DIR/quarantine, made when first needed */
	int blobs_fd;
};

struct directory_sink {
	struct jic_blob_sink base;
	const struct directory_blobs *blobs;
	char *tmp_name; /* NULL once it has its own */
	int fd;
};

static void relative_path(const struct jic_digest *digest, char out[RELATIVE_BYTES])
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(digest, hex);
	snprintf(out, RELATIVE_BYTES, "%.*s/%s.zst", FANOUT_HEX, hex, hex + FANOUT_HEX);
}

static bool blobs_free_bytes(struct jic_blobs *base, uint64_t *out, struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	struct statvfs v;
	if (fstatvfs(b->blobs_fd, &v) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", b->blobs_path);
	*out = (uint64_t)v.f_bavail * v.f_frsize;
	return true;
}

static bool check_room(const struct directory_blobs *b, struct jic_error *err)
{
	struct statvfs v;
	if (fstatvfs(b->blobs_fd, &v) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", b->blobs_path);
	uint64_t reserve = (uint64_t)v.f_blocks / RESERVE_SHARE * v.f_frsize;
	if (reserve > RESERVE_BYTES_MAX)
		reserve = RESERVE_BYTES_MAX;
	uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
	return left >= reserve ||
	       jic_fail(err, JIC_ENOSPACE, "%s: the disk is full but for %llu KiB that the index needs", b->blobs_path,
	                (unsigned long long)(left / 1024));
}

/* ---- bytes on their way in */

static int open_tmp(const struct directory_blobs *b, char **name, struct jic_error *err)
{
	*name = jic_asprintf("%s/blob-XXXXXX", b->tmp_path);
	if (!*name) {
		jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
		return -1;
	}
	int fd = mkostemp(*name, O_CLOEXEC);
	if (fd < 0) {
		jic_fail_errno(err, JIC_EIO, "%s", *name);
		free(JIC_TAKE(*name));
	}
	return fd;
}

static void sink_free(struct jic_blob_sink *base)
{
	struct directory_sink *k = (struct directory_sink *)base;
	if (k->tmp_name)
		unlink(k->tmp_name);
	if (k->fd >= 0)
		close(k->fd);
	free(k->tmp_name);
	free(k);
}

static struct jic_blob_sink *sink_new(struct jic_blobs *base, struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	struct directory_sink *k = calloc(1, sizeof *k);
	if (!k) {
		jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
		return NULL;
	}
	*k = (struct directory_sink){.base.ops = base->ops, .blobs = b};
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *guard = &k->base;
	k->fd = -1;
	if (check_room(b, err))
		k->fd = open_tmp(b, &k->tmp_name, err);
	if (k->fd < 0)
		return NULL;
	return JIC_TAKE(guard);
}

static bool sink_put(struct jic_blob_sink *base, struct jic_view bytes, struct jic_error *err)
{
	struct directory_sink *k = (struct directory_sink *)base;
	return check_room(k->blobs, err) && jic_write_all(k->fd, bytes.ptr, bytes.len, err);
}

/* After a failed fsync the kernel may have dropped the pages and marked them clean: nothing can be retried on this
 * file. */
static bool sync_bytes(struct directory_sink *k, struct jic_error *err)
{
	if (fchmod(k->fd, FILE_MODE) != 0 || fsync(k->fd) != 0)
		return jic_fail_errno(err, JIC_EIO, "sync %s", k->tmp_name);
	return true;
}

static bool sync_name(const struct directory_blobs *b, const char *relative, struct jic_error *err)
{
	char dir[FANOUT_HEX + 1];
	snprintf(dir, sizeof dir, "%.*s", FANOUT_HEX, relative);
	jic_autoclose int fd = openat(b->blobs_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return jic_fail_errno(err, JIC_EIO, "sync %s/%s", b->blobs_path, dir);
	return true;
}

static bool sink_commit(struct jic_blob_sink *base, const struct jic_digest *digest, struct jic_error *err)
{
	struct directory_sink *k = (struct directory_sink *)base;
	char relative[RELATIVE_BYTES];
	relative_path(digest, relative);
	if (!sync_bytes(k, err))
		return false;
	if (renameat(AT_FDCWD, k->tmp_name, k->blobs->blobs_fd, relative) != 0)
		return jic_fail_errno(err, JIC_EIO, "rename to %s/%s", k->blobs->blobs_path, relative);
	free(JIC_TAKE(k->tmp_name));
	return sync_name(k->blobs, relative, err);
}

static int scratch(struct jic_blobs *base, struct jic_error *err)
{
	char *name;
	int fd = open_tmp((const struct directory_blobs *)base, &name, err);
	if (fd >= 0)
		unlink(name);
	free(name);
	return fd;
}

/* ---- blobs */

static bool blobs_open(struct jic_blobs *base, const struct jic_digest *digest, int *out, uint64_t *stored_size,
                       struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	char relative[RELATIVE_BYTES];
	relative_path(digest, relative);
	jic_autoclose int fd = openat(b->blobs_fd, relative, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s/%s", b->blobs_path, relative);
	*stored_size = (uint64_t)st.st_size;
	*out = fd;
	fd = -1;
	return true;
}

static bool blobs_remove(struct jic_blobs *base, const struct jic_digest *digest, struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	char relative[RELATIVE_BYTES];
	relative_path(digest, relative);
	if (unlinkat(b->blobs_fd, relative, 0) != 0 && errno != ENOENT)
		return jic_fail_errno(err, JIC_EIO, "remove %s/%s", b->blobs_path, relative);
	return true;
}

/* quarantine/<64 digits>.zst: flat, because there should never be many. */
static bool blobs_quarantine(struct jic_blobs *base, const struct jic_digest *digest, struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	char relative[RELATIVE_BYTES], hex[JIC_DIGEST_HEX + 1];
	relative_path(digest, relative);
	jic_digest_hex(digest, hex);
	jic_autofree char *to = jic_asprintf("%s/%s.zst", b->quarantine_path, hex);
	if (!to)
		return jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
	if (!jic_mkdirs(b->quarantine_path, err))
		return false;
	if (renameat(b->blobs_fd, relative, AT_FDCWD, to) != 0)
		return errno == ENOENT || jic_fail_errno(err, JIC_EIO, "rename to %s", to);
	return jic_dir_sync(b->quarantine_path, err) && sync_name(b, relative, err);
}

struct walk {
	const struct directory_blobs *blobs;
	jic_blobs_each_fn *each;
	void *context;
	const char *fanout; /* of the directory that is walked */
};

/* Names that are none of ours are left alone: backup tools and people put things everywhere. */
static bool parse_name(const char *fanout, const char *name, struct jic_digest *out)
{
	char hex[JIC_DIGEST_HEX + 1];
	struct jic_view v = jic_view_of(name);
	if (v.len != NAME_HEX + 4 || !jic_view_ends(v, JIC_VIEW(".zst")))
		return false;
	snprintf(hex, sizeof hex, "%.2s%.62s", fanout, name);
	return jic_digest_parse(jic_view_of(hex), out);
}

static bool walk_blob(void *context, int dirfd, const char *name, struct jic_error *err)
{
	const struct walk *w = context;
	struct jic_blobs_entry entry;
	struct stat st;
	if (!parse_name(w->fanout, name, &entry.digest))
		return true;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       jic_fail_errno(err, JIC_EIO, "%s/%s/%s", w->blobs->blobs_path, w->fanout, name);
	entry.stored_size = (uint64_t)st.st_size;
	entry.created_s = (uint64_t)st.st_mtime;
	return w->each(w->context, &entry, err);
}

static void fanout_name(unsigned i, char out[FANOUT_HEX + 1])
{
	snprintf(out, FANOUT_HEX + 1, "%02x", i & 0xff);
}

static bool blobs_each(struct jic_blobs *base, jic_blobs_each_fn *each, void *context, struct jic_error *err)
{
	struct walk w = {.blobs = (const struct directory_blobs *)base, .each = each, .context = context};
	for (unsigned i = 0; i < 256; i++) {
		char fanout[FANOUT_HEX + 1];
		fanout_name(i, fanout);
		jic_autofree char *path = jic_path_join(w.blobs->blobs_path, fanout);
		if (!path)
			return jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
		w.fanout = fanout;
		if (!jic_dir_each(path, walk_blob, &w, err))
			return false;
	}
	return true;
}

static bool blobs_ready(struct jic_blobs *base, struct jic_error *err)
{
	static const char block[4096] = {0};
	if (!check_room((const struct directory_blobs *)base, err))
		return false;
	jic_autoclose int fd = scratch(base, err);
	return fd >= 0 && jic_write_all(fd, block, sizeof block, err);
}

static void blobs_free(struct jic_blobs *base)
{
	struct directory_blobs *b = (struct directory_blobs *)base;
	if (b->blobs_fd >= 0)
		close(b->blobs_fd);
	free(b->blobs_path);
	free(b->tmp_path);
	free(b->quarantine_path);
	free(b);
}

/* ---- two directories */

static bool blobs_sync(struct jic_blobs *base, struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	return syncfs(b->blobs_fd) == 0 || jic_fail_errno(err, JIC_EIO, "sync %s", b->blobs_path);
}

/* By way of tmp, so that bytes of another length under the same digest are replaced at once.
 * @param[out] linked false: the file systems can't, or won't */
static bool link_blob(const struct directory_blobs *from, const struct directory_blobs *to, const char *relative,
                      bool *linked, struct jic_error *err)
{
	jic_autofree char *name = jic_asprintf("%s/link-%.62s", to->tmp_path, relative + FANOUT_HEX + 1);
	if (!name)
		return jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
	*linked = linkat(from->blobs_fd, relative, AT_FDCWD, name, 0) == 0 || errno == EEXIST;
	if (!*linked)
		return errno != ENOENT || jic_fail_errno(err, JIC_EIO, "%s/%s", from->blobs_path, relative);
	if (renameat(AT_FDCWD, name, to->blobs_fd, relative) == 0)
		return true;
	(void)jic_fail_errno(err, JIC_EIO, "rename to %s/%s", to->blobs_path, relative);
	unlink(name);
	return false;
}

static bool copy_bytes(int fd, struct jic_blob_sink *k, struct jic_error *err)
{
	enum { PIECE_BYTES = 256 * 1024 };
	jic_autofree char *piece = malloc(PIECE_BYTES);
	if (!piece)
		return jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
	for (;;) {
		ssize_t n = read(fd, piece, PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jic_fail_errno(err, JIC_EIO, "read a blob");
		if (n == 0)
			return true;
		if (!k->ops->sink_put(k, jic_view_bytes(piece, (size_t)n), err))
			return false;
	}
}

static bool copy_blob(struct jic_blobs *from, const struct jic_digest *digest, struct jic_blobs *to,
                      struct jic_error *err)
{
	uint64_t stored_size;
	jic_autoclose int fd = -1;
	if (!from->ops->open(from, digest, &fd, &stored_size, err))
		return false;
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *k = to->ops->sink_new(to, err);
	return k && copy_bytes(fd, k, err) && k->ops->sink_commit(k, digest, err);
}

static bool blobs_share(struct jic_blobs *base, const struct jic_digest *digest, struct jic_blobs *to, uint64_t *fresh,
                        struct jic_error *err)
{
	const struct directory_blobs *b = (const struct directory_blobs *)base;
	char relative[RELATIVE_BYTES];
	struct stat mine, theirs;
	bool linked = false;
	relative_path(digest, relative);
	if (fstatat(b->blobs_fd, relative, &mine, AT_SYMLINK_NOFOLLOW) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s/%s", b->blobs_path, relative);
	*fresh = (uint64_t)mine.st_size;
	if (to->ops == base->ops) {
		const struct directory_blobs *other = (const struct directory_blobs *)to;
		if (fstatat(other->blobs_fd, relative, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
		    theirs.st_size == mine.st_size) {
			*fresh = 0;
			return true;
		}
		if (!link_blob(b, other, relative, &linked, err))
			return false;
	}
	return linked || copy_blob(base, digest, to, err);
}

static const struct jic_blobs_ops directory_ops = {
    .free = blobs_free,
    .ready = blobs_ready,
    .free_bytes = blobs_free_bytes,
    .sink_new = sink_new,
    .sink_put = sink_put,
    .sink_commit = sink_commit,
    .sink_free = sink_free,
    .open = blobs_open,
    .remove = blobs_remove,
    .quarantine = blobs_quarantine,
    .each = blobs_each,
    .share = blobs_share,
    .sync = blobs_sync,
    .scratch = scratch,
};

/* ---- opening */

static bool make_fanout(const struct directory_blobs *b, struct jic_error *err)
{
	bool made = false;
	for (unsigned i = 0; i < 256; i++) {
		char fanout[FANOUT_HEX + 1];
		fanout_name(i, fanout);
		if (mkdirat(b->blobs_fd, fanout, 0777) == 0)
			made = true;
		else if (errno != EEXIST)
			return jic_fail_errno(err, JIC_EIO, "%s/%s", b->blobs_path, fanout);
	}
	/* Their names have to be on disk before the first blob in one of them is called stored. */
	if (made && fsync(b->blobs_fd) != 0)
		return jic_fail_errno(err, JIC_EIO, "sync %s", b->blobs_path);
	return true;
}

static bool remove_leftover(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)context;
	if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		return jic_fail_errno(err, JIC_EIO, "remove %s", name);
	return true;
}

static bool prepare(struct directory_blobs *b, const char *dir, bool owner, struct jic_error *err)
{
	b->blobs_path = jic_path_join(dir, "blobs");
	b->tmp_path = jic_path_join(dir, "tmp");
	b->quarantine_path = jic_path_join(dir, "quarantine");
	if (!b->blobs_path || !b->tmp_path || !b->quarantine_path)
		return jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
	if (!jic_mkdirs(b->blobs_path, err) || !jic_mkdirs(b->tmp_path, err) || !jic_dir_sync(dir, err))
		return false;
	b->blobs_fd = open(b->blobs_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->blobs_fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", b->blobs_path);
	return make_fanout(b, err) && (!owner || jic_dir_each(b->tmp_path, remove_leftover, NULL, err));
}

struct jic_blobs *jic_directory_blobs_open(const char *dir, bool owner, struct jic_error *err)
{
	struct directory_blobs *b = calloc(1, sizeof *b);
	if (!b) {
		jic_fail(err, JIC_EMEMORY, "blobs: out of memory");
		return NULL;
	}
	b->base.ops = &directory_ops;
	b->blobs_fd = -1;
	JIC_AUTO(jic_blobs) struct jic_blobs *guard = &b->base;
	if (!prepare(b, dir, owner, err))
		return NULL;
	return JIC_TAKE(guard);
}
