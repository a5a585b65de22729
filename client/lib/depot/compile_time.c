#include "client/lib/depot/compile_time.h"

#include "common/buf.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* What took longer was hardly compiled in one go. */
static const int64_t LONGEST_NS = 2 * 3600 * INT64_C(1000000000);

static int64_t ns_of(int64_t seconds, int64_t nanoseconds)
{
	return seconds * 1000000000 + nanoseconds;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	return clock_gettime(clock, &t) == 0 ? ns_of(t.tv_sec, t.tv_nsec) : 0;
}

/* @return 0: this file system does not know it */
static int64_t birth_ns(int dirfd, const char *path)
{
	struct statx s;
	bool known = statx(dirfd, path, 0, STATX_BTIME, &s) == 0 && (s.stx_mask & STATX_BTIME);
	return known ? ns_of(s.stx_btime.tv_sec, s.stx_btime.tv_nsec) : 0;
}

/* The beginning as a time of day, by the build id; 0: unknown. */
static int64_t created_ns(const struct jic_ji *ji)
{
	const int64_t now = clock_ns(CLOCK_REALTIME), up = clock_ns(CLOCK_MONOTONIC);
	if (jic_julia_at_least(ji->version, 1, 12, 0) || !ji->modules_count ||
	    ji->modules[0].build_id.lo > (uint64_t)up)
		return 0;
	return now - up + (int64_t)ji->modules[0].build_id.lo;
}

/* The beginning, if this is the first file of its directory; 0: unknown. */
static int64_t directory_ns(const char *ji_path, int64_t end_ns)
{
	const char *slash = strrchr(ji_path, '/');
	jic_autofree char *dir = slash ? jic_asprintf("%.*s", (int)(slash - ji_path), ji_path) : NULL;
	DIR *entries = dir ? opendir(dir) : NULL;
	if (!entries)
		return 0;
	int64_t begin = birth_ns(AT_FDCWD, dir);
	for (struct dirent *e; begin && (e = readdir(entries));) {
		const size_t len = strlen(e->d_name);
		if (len > 3 && strcmp(e->d_name + len - 3, ".ji") == 0 && birth_ns(dirfd(entries), e->d_name) < end_ns)
			begin = 0;
	}
	closedir(entries);
	return begin;
}

uint64_t jic_compile_ms(const char *ji_path, const struct jic_ji *ji)
{
	const int64_t end = birth_ns(AT_FDCWD, ji_path);
	if (!end)
		return 0;
	int64_t took = end - created_ns(ji);
	if (took <= 0 || took > LONGEST_NS)
		took = end - directory_ns(ji_path, end);
	return took <= 0 || took > LONGEST_NS ? 0 : (uint64_t)took / 1000000;
}
