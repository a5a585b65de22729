/*
 * What a program asks of the system, written down or made to fail: a library for LD_PRELOAD.
 *
 *     JIC_SYSCALLS_UNDER=DIR           of files only those in DIR are looked at; nothing happens without it
 *     JIC_SYSCALLS_PROGRAM=NAME        nothing happens in a process of another name
 *     JIC_SYSCALLS_LOG=FILE            append each change to FILE, in the order in which they took place; for power.py
 *     JIC_SYSCALLS_TRACE=FILE          append the name of each call that could be made to fail
 *     JIC_SYSCALLS_FAIL=NAME:ERRNO:N   the Nth call of that name fails with that number; "N+": and all after it;
 *                                      of a read or write that fails with 0 only the first half is done
 *
 *     JIC_SYSCALLS_FROZEN=FILE         while FILE exists the file system is read-only: whatever would change it fails
 *
 * Names: open, read, write, fsync, rename, unlink, mkdir, mmap, ftruncate, statvfs, link, stat, flock, opendir; and
 * those of syscalls_process.c. Of calls that do the same (openat, pwrite, syncfs, …) each counts under the one name.
 *
 * One lock is held over a call and its record, so that the log has the order in which things really happened.
 */
#include "syscalls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	bool ready;
	char under[PATH_MAX];
	size_t under_len;
	int log_fd, trace_fd;
	char fail_name[32];
	int fail_errno;
	unsigned long fail_at, seen;
	bool fail_on; /* all after it, too */
	const char *frozen;
} state;

static void read_fail(const char *text)
{
	char number[24] = "";
	if (!text || sscanf(text, "%31[^:]:%d:%23s", state.fail_name, &state.fail_errno, number) != 3)
		return;
	state.fail_at = strtoul(number, NULL, 10);
	state.fail_on = strchr(number, '+') != NULL;
}

static int open_for_append(const char *variable)
{
	const char *path = getenv(variable);
	return path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *under = getenv("JIC_SYSCALLS_UNDER"), *program = getenv("JIC_SYSCALLS_PROGRAM");
	if (!under || strlen(under) >= sizeof state.under)
		return;
	if (program && strcmp(program, program_invocation_short_name) != 0)
		return;
	snprintf(state.under, sizeof state.under, "%s", under);
	state.under_len = strlen(under);
	state.log_fd = open_for_append("JIC_SYSCALLS_LOG");
	state.trace_fd = open_for_append("JIC_SYSCALLS_TRACE");
	read_fail(getenv("JIC_SYSCALLS_FAIL"));
	state.frozen = getenv("JIC_SYSCALLS_FROZEN");
	state.ready = true;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* ---- paths */

static const char *below(const char *path)
{
	if (strncmp(path, state.under, state.under_len) != 0)
		return NULL;
	path += state.under_len;
	return *path == '/' ? path + 1 : *path ? NULL : path;
}

/* @return relative to the directory, "" for itself, NULL when it is elsewhere; in `buffer` */
static const char *path_of_fd(int fd, char buffer[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = state.ready && fd >= 0 ? readlink(link, buffer, PATH_MAX - 1) : -1;
	if (n < 0)
		return NULL;
	buffer[n] = '\0';
	return below(buffer);
}

static const char *path_at(int dirfd, const char *path, char buffer[PATH_MAX])
{
	char dir[PATH_MAX];
	if (!state.ready)
		return NULL;
	if (path[0] == '/') {
		snprintf(buffer, PATH_MAX, "%s", path);
		return below(buffer);
	}
	const char *base = dirfd == AT_FDCWD ? NULL : path_of_fd(dirfd, dir);
	if (!base)
		return NULL;
	snprintf(buffer, PATH_MAX, "%s%s%s", base, *base ? "/" : "", path);
	return buffer;
}

/* ---- failing */

static bool is_frozen(const char *name)
{
	static const char *const changes[] = {"create", "write", "fsync",     "rename",
	                                      "unlink", "mkdir", "ftruncate", "link"};
	bool is_change = false;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		is_change |= strcmp(name, changes[i]) == 0;
	return is_change && state.frozen && access(state.frozen, F_OK) == 0;
}

/* With the lock held. @return whether this call is to fail; errno is set */
static bool fails_locked(const char *name)
{
	if (is_frozen(name)) {
		errno = EROFS;
		return true;
	}
	char line[40];
	if (state.trace_fd >= 0) {
		int len = snprintf(line, sizeof line, "%s\n", name);
		(void)!syscall(SYS_write, state.trace_fd, line, (size_t)len);
	}
	if (strcmp(name, state.fail_name) != 0)
		return false;
	state.seen++;
	if (state.seen != state.fail_at && !(state.fail_on && state.seen > state.fail_at))
		return false;
	errno = state.fail_errno;
	return true;
}

bool jic_syscall_fails(const char *name)
{
	if (!state.ready)
		return false;
	pthread_mutex_lock(&lock);
	bool failed = fails_locked(name);
	pthread_mutex_unlock(&lock);
	return failed;
}

/* Half of it, where a call that "fails" without a number does only that. */
static size_t len_done(size_t len, bool failed)
{
	return failed && errno == 0 && len > 1 ? len / 2 : len;
}

/* ---- the log */

/* Not by fstat(), which is one of the calls that can be made to fail. */
static bool look_at(int fd, const char *name, int flags, struct stat *st)
{
	return syscall(SYS_newfstatat, fd, name, st, flags) == 0;
}

static unsigned long long inode_of(int fd)
{
	struct stat st;
	return look_at(fd, "", AT_EMPTY_PATH, &st) ? (unsigned long long)st.st_ino : 0;
}

/* KIND, inode, number, length of data, path, other path, joined by tabs; a newline; the data. */
static void record(char kind, unsigned long long inode, unsigned long long number, const char *path, const char *other,
                   const void *data, size_t len)
{
	char head[2 * PATH_MAX + 128];
	const int kept = errno;
	if (state.log_fd < 0)
		return;
	int n = snprintf(head, sizeof head, "%c\t%llu\t%llu\t%zu\t%s\t%s\n", kind, inode, number, len, path, other);
	struct iovec parts[] = {{head, (size_t)n}, {(void *)(uintptr_t)data, len}};
	if (n < 0 || syscall(SYS_writev, state.log_fd, parts, 2) != (long)((size_t)n + len))
		abort();
	errno = kept;
}

/* ---- opening */

static int after_open(int fd, int flags, bool existed, const char *path)
{
	if (fd < 0 || !path)
		return fd;
	if (!existed)
		record('C', inode_of(fd), 0, path, "", NULL, 0);
	else if (flags & O_TRUNC)
		record('T', inode_of(fd), 0, path, "", NULL, 0);
	return fd;
}

static int open_any(int dirfd, const char *name, int flags, mode_t mode)
{
	char buffer[PATH_MAX];
	const char *path = path_at(dirfd, name, buffer);
	if (!path)
		return (int)syscall(SYS_openat, dirfd, name, flags, mode);
	pthread_mutex_lock(&lock);
	bool existed = !(flags & O_CREAT) || faccessat(dirfd, name, F_OK, 0) == 0;
	bool refused = (flags & (O_CREAT | O_ACCMODE)) && is_frozen("create");
	int fd = refused || fails_locked("open") ? -1 : (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if (refused)
		errno = EROFS;
	fd = after_open(fd, flags, existed, path);
	pthread_mutex_unlock(&lock);
	return fd;
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                                                                              \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		va_list args;                                                                                          \
		va_start(args, flags);                                                                                 \
		mode_t mode = mode_of(flags, args);                                                                    \
		va_end(args);                                                                                          \
		return open_any(AT_FDCWD, path, flags, mode);                                                          \
	}
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                                                            \
	int name(int dirfd, const char *path, int flags, ...)                                                          \
	{                                                                                                              \
		va_list args;                                                                                          \
		va_start(args, flags);                                                                                 \
		mode_t mode = mode_of(flags, args);                                                                    \
		va_end(args);                                                                                          \
		return open_any(dirfd, path, flags, mode);                                                             \
	}
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

#define DEFINE_MKOSTEMP(name)                                                                                          \
	int name(char *path, int flags)                                                                                \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		bool ours = state.ready && below(path);                                                                \
		if (!ours)                                                                                             \
			return next(path, flags);                                                                      \
		pthread_mutex_lock(&lock);                                                                             \
		int fd = fails_locked(is_frozen("create") ? "write" : "open") ? -1 : next(path, flags);                \
		fd = after_open(fd, flags, false, below(path));                                                        \
		pthread_mutex_unlock(&lock);                                                                           \
		return fd;                                                                                             \
	}
DEFINE_MKOSTEMP(mkostemp)
DEFINE_MKOSTEMP(mkostemp64)

/* ---- contents */

ssize_t write(int fd, const void *bytes, size_t len)
{
	char buffer[PATH_MAX];
	NEXT(write);
	const char *path = path_of_fd(fd, buffer);
	if (!path)
		return next(fd, bytes, len);
	pthread_mutex_lock(&lock);
	bool failed = fails_locked("write");
	ssize_t n = failed && errno ? -1 : next(fd, bytes, len_done(len, failed));
	if (n > 0)
		record('W', inode_of(fd), (unsigned long long)(lseek(fd, 0, SEEK_CUR) - n), path, "", bytes, (size_t)n);
	pthread_mutex_unlock(&lock);
	return n;
}

#define DEFINE_PWRITE(name)                                                                                            \
	ssize_t name(int fd, const void *bytes, size_t len, off_t offset)                                              \
	{                                                                                                              \
		char buffer[PATH_MAX];                                                                                 \
		NEXT(name);                                                                                            \
		const char *path = path_of_fd(fd, buffer);                                                             \
		if (!path)                                                                                             \
			return next(fd, bytes, len, offset);                                                           \
		pthread_mutex_lock(&lock);                                                                             \
		bool failed = fails_locked("write");                                                                   \
		ssize_t n = failed && errno ? -1 : next(fd, bytes, len_done(len, failed), offset);                     \
		if (n > 0)                                                                                             \
			record('W', inode_of(fd), (unsigned long long)offset, path, "", bytes, (size_t)n);             \
		pthread_mutex_unlock(&lock);                                                                           \
		return n;                                                                                              \
	}
DEFINE_PWRITE(pwrite)
DEFINE_PWRITE(pwrite64)

#define DEFINE_TRUNCATE(name)                                                                                          \
	int name(int fd, off_t size)                                                                                   \
	{                                                                                                              \
		char buffer[PATH_MAX];                                                                                 \
		NEXT(name);                                                                                            \
		const char *path = path_of_fd(fd, buffer);                                                             \
		if (!path)                                                                                             \
			return next(fd, size);                                                                         \
		pthread_mutex_lock(&lock);                                                                             \
		int rc = fails_locked("ftruncate") ? -1 : next(fd, size);                                              \
		if (rc == 0)                                                                                           \
			record('T', inode_of(fd), (unsigned long long)size, path, "", NULL, 0);                        \
		pthread_mutex_unlock(&lock);                                                                           \
		return rc;                                                                                             \
	}
DEFINE_TRUNCATE(ftruncate)
DEFINE_TRUNCATE(ftruncate64)

#define DEFINE_SYNC(name)                                                                                              \
	int name(int fd)                                                                                               \
	{                                                                                                              \
		char buffer[PATH_MAX];                                                                                 \
		NEXT(name);                                                                                            \
		const char *path = path_of_fd(fd, buffer);                                                             \
		if (!path)                                                                                             \
			return next(fd);                                                                               \
		struct stat st;                                                                                        \
		pthread_mutex_lock(&lock);                                                                             \
		int rc = fails_locked("fsync") ? -1 : next(fd);                                                        \
		if (rc == 0 && look_at(fd, "", AT_EMPTY_PATH, &st))                                                    \
			record(S_ISDIR(st.st_mode) ? 'D' : 'S', st.st_ino, 0, path, "", NULL, 0);                      \
		pthread_mutex_unlock(&lock);                                                                           \
		return rc;                                                                                             \
	}
DEFINE_SYNC(fsync)
DEFINE_SYNC(fdatasync)

int syncfs(int fd)
{
	char buffer[PATH_MAX];
	NEXT(syncfs);
	return path_of_fd(fd, buffer) && jic_syscall_fails("fsync") ? -1 : next(fd);
}

/* ---- names */

static unsigned long long inode_at(int dirfd, const char *name)
{
	struct stat st;
	return look_at(dirfd, name, AT_SYMLINK_NOFOLLOW, &st) ? (unsigned long long)st.st_ino : 0;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
	const char *from_path = path_at(from_fd, from, from_buffer), *to_path = path_at(to_fd, to, to_buffer);
	if (!from_path || !to_path)
		return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
	pthread_mutex_lock(&lock);
	int rc = fails_locked("rename") ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
	if (rc == 0)
		record('R', inode_at(to_fd, to), 0, from_path, to_path, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	char to_buffer[PATH_MAX];
	const char *to_path = path_at(to_fd, to, to_buffer);
	if (!to_path)
		return (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
	pthread_mutex_lock(&lock);
	int rc = fails_locked("link") ? -1 : (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
	if (rc == 0)
		record('L', inode_at(to_fd, to), 0, to_path, "", NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int dirfd, const char *name, int flags)
{
	char buffer[PATH_MAX];
	const char *path = path_at(dirfd, name, buffer);
	if (!path)
		return (int)syscall(SYS_unlinkat, dirfd, name, flags);
	pthread_mutex_lock(&lock);
	int rc = fails_locked("unlink") ? -1 : (int)syscall(SYS_unlinkat, dirfd, name, flags);
	if (rc == 0)
		record('U', 0, 0, path, "", NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int mkdirat(int dirfd, const char *name, mode_t mode)
{
	char buffer[PATH_MAX];
	const char *path = path_at(dirfd, name, buffer);
	if (!path)
		return (int)syscall(SYS_mkdirat, dirfd, name, mode);
	pthread_mutex_lock(&lock);
	int rc = fails_locked("mkdir") ? -1 : (int)syscall(SYS_mkdirat, dirfd, name, mode);
	if (rc == 0)
		record('M', 0, 0, path, "", NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

/* ---- what changes nothing, and can fail */

static bool fails_on(const char *name, int fd)
{
	char buffer[PATH_MAX];
	return path_of_fd(fd, buffer) && jic_syscall_fails(name);
}

static bool fails_at(const char *name, int dirfd, const char *path)
{
	char buffer[PATH_MAX];
	return path_at(dirfd, path, buffer) && jic_syscall_fails(name);
}

ssize_t read(int fd, void *bytes, size_t len)
{
	NEXT(read);
	bool failed = fails_on("read", fd);
	return failed && errno ? -1 : next(fd, bytes, len_done(len, failed));
}

#define DEFINE_PREAD(name)                                                                                             \
	ssize_t name(int fd, void *bytes, size_t len, off_t offset)                                                    \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		bool failed = fails_on("read", fd);                                                                    \
		return failed && errno ? -1 : next(fd, bytes, len_done(len, failed), offset);                          \
	}
DEFINE_PREAD(pread)
DEFINE_PREAD(pread64)

#define DEFINE_STAT(name, type)                                                                                        \
	int name(const char *path, struct type *out)                                                                   \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		return fails_at("stat", AT_FDCWD, path) ? -1 : next(path, out);                                        \
	}
DEFINE_STAT(stat, stat)
DEFINE_STAT(stat64, stat64)
DEFINE_STAT(lstat, stat)
DEFINE_STAT(lstat64, stat64)

/* What looks at an open file: fstat, fstatvfs. */
#define DEFINE_LOOK(name, type, counted)                                                                               \
	int name(int fd, struct type *out)                                                                             \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		return fails_on(counted, fd) ? -1 : next(fd, out);                                                     \
	}
DEFINE_LOOK(fstat, stat, "stat")
DEFINE_LOOK(fstat64, stat64, "stat")
DEFINE_LOOK(fstatvfs, statvfs, "statvfs")
DEFINE_LOOK(fstatvfs64, statvfs64, "statvfs")

#define DEFINE_STATAT(name, type)                                                                                      \
	int name(int dirfd, const char *path, struct type *out, int flags)                                             \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		return fails_at("stat", dirfd, path) ? -1 : next(dirfd, path, out, flags);                             \
	}
DEFINE_STATAT(fstatat, stat)
DEFINE_STATAT(fstatat64, stat64)

int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out)
{
	NEXT(statx);
	bool failed = *path ? fails_at("stat", dirfd, path) : fails_on("stat", dirfd);
	return failed ? -1 : next(dirfd, path, flags, mask, out);
}

#define DEFINE_STATVFS(name, type)                                                                                     \
	int name(const char *path, struct type *out)                                                                   \
	{                                                                                                              \
		NEXT(name);                                                                                            \
		return fails_at("statvfs", AT_FDCWD, path) ? -1 : next(path, out);                                     \
	}
DEFINE_STATVFS(statvfs, statvfs)
DEFINE_STATVFS(statvfs64, statvfs64)

int flock(int fd, int operation)
{
	NEXT(flock);
	return fails_on("flock", fd) ? -1 : next(fd, operation);
}

DIR *opendir(const char *path)
{
	NEXT(opendir);
	return fails_at("opendir", AT_FDCWD, path) ? NULL : next(path);
}

DIR *fdopendir(int fd)
{
	NEXT(fdopendir);
	return fails_on("opendir", fd) ? NULL : next(fd);
}

#define DEFINE_MMAP(name)                                                                                              \
	void *name(void *at, size_t len, int protection, int flags, int fd, off_t offset)                              \
	{                                                                                                              \
		if (fd >= 0 && fails_on("mmap", fd))                                                                   \
			return MAP_FAILED;                                                                             \
		return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);                              \
	}
DEFINE_MMAP(mmap)
DEFINE_MMAP(mmap64)
