/**
 * Files: read whole, map, walk, and write so that a name never shows half a file.
 */
#ifndef JIC_COMMON_FILE_H
#define JIC_COMMON_FILE_H

#include "common/arena.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/view.h"

#include <jicache/error.h>
#include <sys/stat.h>

/** What tells one state of a file from another without reading it. */
struct jic_file_identity {
	uint64_t device, inode, size;
	int64_t mtime_ns, ctime_ns; /**< nanoseconds since the epoch */
};
/** Follows symbolic links. @return false with JIC_ENOTFOUND or JIC_EIO */
jic_must_check bool jic_file_identify(const char *path, struct jic_file_identity *out, struct jic_error *err);
void jic_file_identity_of(const struct stat *st, struct jic_file_identity *out);
bool jic_file_identity_eq(const struct jic_file_identity *a, const struct jic_file_identity *b);

bool jic_is_file(const char *path); /**< follows links */
bool jic_is_dir(const char *path);

/** Append a whole file to `out`; more than `bytes_max` is JIC_ELIMIT, and nothing is appended then. */
jic_must_check bool jic_file_read(const char *path, size_t bytes_max, struct jic_buf *out, struct jic_error *err);

/** A read-only mapping of a whole regular file. An empty file is a view of length 0. */
struct jic_map {
	struct jic_view view;
};
jic_must_check bool jic_map_open(const char *path, size_t bytes_max, struct jic_map *out, struct jic_error *err);
jic_must_check bool jic_map_fd(int fd, size_t bytes_max, struct jic_map *out, struct jic_error *err);
void jic_map_clear(struct jic_map *m);

/** mkdir -p; mode 0777 less the umask. */
jic_must_check bool jic_mkdirs(const char *path, struct jic_error *err);
/** The same, and when it returns the names of what it made survive a power cut. */
jic_must_check bool jic_mkdirs_durable(const char *path, struct jic_error *err);
/** Remove a tree or a single file; symbolic links are removed, not followed; nothing there is fine. */
jic_must_check bool jic_remove_tree(const char *path, struct jic_error *err);
/** fsync a directory, so that the names in it survive a power cut. */
jic_must_check bool jic_dir_sync(const char *path, struct jic_error *err);
jic_must_check bool jic_write_all(int fd, const void *bytes, size_t len, struct jic_error *err);

/** Called for each entry, in bytewise order of names, `.` and `..` left out. false ends the walk and is passed up. */
typedef bool jic_dir_fn(void *context, int dirfd, const char *name, struct jic_error *err);
jic_must_check bool jic_dir_each(const char *path, jic_dir_fn *each, void *context, struct jic_error *err);

/**
 * A file being written: bytes go to a temporary name in the target's own directory (".jicache-tmp-…", which begins with
 * no package slug and has no suffix that Julia looks at); commit gives it its name by rename, over whatever is there.
 *
 *     open temporary → write… → fsync file → rename → fsync directory
 *
 * fsync comes before rename: a crash may lose the entry, but must not publish a name whose bytes are missing.
 */
struct jic_writer;
struct jic_writer_options {
	bool no_sync;    /**< skip both fsyncs: for caches that are checked when they are read */
	bool no_replace; /**< the commit fails with JIC_ECONFLICT when the name is taken */
	mode_t mode;     /**< permission bits, less the umask; 0 means 0644 */
};
/** @param path the final name; its directory must exist */
struct jic_writer *jic_writer_new(const char *path, struct jic_writer_options options, struct jic_error *err);
/** Removes the temporary file unless committed. Takes NULL. */
void jic_writer_free(struct jic_writer *w);
JIC_DEFINE_AUTO(jic_writer, jic_writer_free)
jic_must_check bool jic_writer_put(struct jic_writer *w, struct jic_view bytes, struct jic_error *err);
int jic_writer_fd(struct jic_writer *w); /**< borrowed, for mapping or copying into */
/** fsync the bytes now, so that a later commit has only to rename. */
jic_must_check bool jic_writer_sync(struct jic_writer *w, struct jic_error *err);
/** Give the file its name. Ends the writing: the descriptor is closed, and only jic_writer_free() may follow. */
jic_must_check bool jic_writer_commit(struct jic_writer *w, struct jic_error *err);
/** One small file at once. */
jic_must_check bool jic_file_write(const char *path, struct jic_view bytes, struct jic_writer_options options,
                                   struct jic_error *err);

/** "dir/name", malloc'ed; NULL when out of memory. */
char *jic_path_join(const char *dir, const char *name);
/** Resolve "." and ".." and double slashes textually, as Julia's normpath() does; malloc'ed. */
char *jic_path_normalise(const char *path);
/** abspath(): normalised, made absolute with the current directory when relative; malloc'ed. */
char *jic_path_absolute(const char *path);

/* Paths as views, textual; results in the arena, NUL-terminated. */
struct jic_view jic_view_dirname(struct jic_view path); /**< "" when there is no slash */
struct jic_view jic_view_basename(struct jic_view path);
/** normpath(abspath(dir, path)) */
struct jic_view jic_view_resolve(struct jic_arena *arena, struct jic_view dir, struct jic_view path);

#endif
