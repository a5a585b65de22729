/** A directory of a test's own, removed at its end. */
#ifndef JIC_TESTS_TEMP_H
#define JIC_TESTS_TEMP_H

#include "common/file.h"

#include <criterion/criterion.h>
#include <sys/time.h>

struct temp {
	char path[64];
};

static inline struct temp temp_make(void)
{
	struct temp t = {"/tmp/jic-test-XXXXXX"};
	cr_assert(mkdtemp(t.path));
	return t;
}

static inline void temp_remove(struct temp *t)
{
	struct jic_error err = {0};
	cr_expect(jic_remove_tree(t->path, &err), "%s", err.text);
}

/** "dir/name" in one of eight static buffers, so that several can be used in one expression. */
static inline const char *at(const char *dir, const char *name)
{
	static char buffers[8][512];
	static unsigned next;
	char *out = buffers[next++ % 8];
	snprintf(out, sizeof buffers[0], "%s/%s", dir, name);
	return out;
}

/** Creates the directories above it, too. */
static inline void put_file(const char *path, const char *text)
{
	struct jic_error err = {0};
	char dir[512];
	snprintf(dir, sizeof dir, "%s", path);
	*strrchr(dir, '/') = '\0';
	cr_assert(jic_mkdirs(dir, &err), "%s", err.text);
	struct jic_writer_options options = {.no_sync = true};
	cr_assert(jic_file_write(path, jic_view_of(text), options, &err), "%s", err.text);
}

/** Set both times of a file. */
static inline void set_mtime(const char *path, long seconds, long microseconds)
{
	struct timeval t = {.tv_sec = seconds, .tv_usec = microseconds};
	cr_assert_eq(utimes(path, (struct timeval[]){t, t}), 0, "%s", path);
}

#endif
