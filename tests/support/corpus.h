/**
 * The shared corpus: what real Julia wrote (JIC_SHARED/corpus/julia). Tests stop when it is missing; they never skip.
 * JIC_SHARED is a value of cmake, and a variable of the environment that overrides it.
 */
#ifndef JIC_TESTS_CORPUS_H
#define JIC_TESTS_CORPUS_H

#include "common/buf.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdlib.h>

static inline const char *corpus_root(void)
{
	const char *given = getenv("JIC_SHARED");
	return given && *given ? given : JIC_SHARED;
}

/** Whole file, malloc'ed to its exact size so that ASan sees every step over its end. Release with free(). */
static inline struct jic_view corpus_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	cr_assert(f, "%s can't be opened", path);
	cr_assert_eq(fseek(f, 0, SEEK_END), 0);
	long size = ftell(f);
	cr_assert_geq(size, 0);
	rewind(f);
	char *bytes = malloc((size_t)size ? (size_t)size : 1);
	cr_assert(bytes);
	cr_assert_eq(fread(bytes, 1, (size_t)size, f), (size_t)size, "%s: short read", path);
	fclose(f);
	return jic_view_bytes(bytes, (size_t)size);
}

/** An exact-size copy: the first `len` bytes of `v`. Release with free(). */
static inline struct jic_view exact_copy(struct jic_view v, size_t len)
{
	char *bytes = malloc(len ? len : 1);
	cr_assert(bytes);
	memcpy(bytes, v.ptr, len);
	return jic_view_bytes(bytes, len);
}

static inline void view_free(struct jic_view v)
{
	union {
		const char *in;
		void *out;
	} p = {.in = v.ptr};
	free(p.out);
}

/** A byte of a copy that the test owns. */
static inline char *byte_at(struct jic_view v, size_t at)
{
	union {
		const char *in;
		char *out;
	} p = {.in = v.ptr};
	cr_assert_lt(at, v.len);
	return p.out + at;
}

/** Files below the corpus that match; at least `least`, or the test fails. Release with globfree(). */
static inline glob_t corpus_glob(const char *pattern, size_t least)
{
	glob_t found = {0};
	char *full = jic_asprintf("%s/corpus/julia/%s", corpus_root(), pattern);
	cr_assert(full);
	int result = glob(full, 0, NULL, &found);
	cr_assert(result == 0 && found.gl_pathc >= least, "%s: %zu files, expected %zu (is JIC_SHARED right?)", full,
	          result == 0 ? found.gl_pathc : 0, least);
	free(full);
	return found;
}

#define CORPUS_JI "*/depot/compiled/*/*/*.ji"
enum { CORPUS_JI_LEAST = 36 };

#endif
