/**
 * An independent judge: would Julia load this file? Written step by step from the description of Base's
 * stale_cachefile, not from the product; only the `.ji` parser and CRC-32C are shared. Linux on x86-64, Julia 1.5
 * to 1.12, a session with flags as given.
 */
#ifndef JIC_TESTS_ACCEPTANCE_H
#define JIC_TESTS_ACCEPTANCE_H

#include "client/lib/facts.h"
#include "common/crc32c.h"
#include "tests/support/corpus.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

/** 0, or the number of the first step that rejects. `depot` is the only one. */
static inline int acceptance_step(const struct jic_facts *f, const char *depot, const char *entry_file,
                                  const char *ji_path);

static inline bool acceptance_has_id(const struct jic_facts *f, const char *depot, const struct jic_ji_module *wanted)
{
	char pattern[600];
	glob_t found = {0};
	bool has = false;
	snprintf(pattern, sizeof pattern, "%s/compiled/v%u.%u/%.*s/*.ji", depot, f->version.major, f->version.minor,
	         (int)wanted->name.len, wanted->name.ptr);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && !has; i++) {
			struct jic_arena arena = {0};
			struct jic_ji ji;
			struct jic_view bytes = corpus_read(found.gl_pathv[i]);
			has = jic_ji_parse(bytes, &arena, &ji, NULL) && ji.checksum == wanted->build_id.hi &&
			      ji.modules[0].build_id.lo == wanted->build_id.lo;
			jic_arena_clear(&arena);
			view_free(bytes);
		}
	globfree(&found);
	return has;
}

static inline bool acceptance_required(const struct jic_facts *f, const char *depot, const struct jic_ji *ji)
{
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_ji_module *r = &ji->required[i];
		bool fine = false;
		for (size_t k = 0; k < f->sysimage_modules_count; k++)
			fine |= f->sysimage_modules[k].build_id.lo == r->build_id.lo &&
			        f->sysimage_modules[k].build_id.hi == r->build_id.hi;
		for (size_t k = 0; k < f->bundled_count; k++)
			fine |= f->bundled[k].cache.build_id.lo == r->build_id.lo &&
			        f->bundled[k].cache.build_id.hi == r->build_id.hi;
		if (!fine && !acceptance_has_id(f, depot, r))
			return false;
	}
	return true;
}

static inline void acceptance_resolve(const char *depot, struct jic_view path, char out[1024])
{
	if (jic_view_starts(path, JIC_VIEW("@depot/")))
		snprintf(out, 1024, "%s/%.*s", depot, (int)path.len - 7, path.ptr + 7);
	else
		snprintf(out, 1024, "%.*s", (int)path.len, path.ptr);
}

static inline bool acceptance_fresh(unsigned minor, const struct jic_ji_include *r, const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return minor < 9 && r->mtime == 0;
	if (minor >= 11 && r->mtime < 0) {
		if (S_ISDIR(st.st_mode))
			return (uint64_t)st.st_size == r->size;
		struct jic_view text = corpus_read(path);
		bool same = text.len == r->size && jic_crc32c(0, text.ptr, text.len) == r->crc32c;
		view_free(text);
		return same;
	}
	const double t = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec * 1e-9, rec = r->mtime;
	return t == rec || t == floor(rec) || t == trunc(rec * 1e6) / 1e6 ||
	       (minor >= 8 && (rec - t > 0) && (rec - t < 1e-6));
}

static inline bool acceptance_image(const char *ji_path, const struct jic_ji *ji, bool *exists)
{
	char path[1024];
	snprintf(path, sizeof path, "%.*s.so", (int)strlen(ji_path) - 3, ji_path);
	*exists = access(path, R_OK) == 0;
	if (!*exists)
		return false;
	struct jic_view so = corpus_read(path);
	bool same = jic_crc32c(0, so.ptr, so.len) == ji->image_crc32c;
	view_free(so);
	return same;
}

static inline int acceptance_judge(const struct jic_facts *f, const char *depot, const char *entry_file,
                                   const char *ji_path, struct jic_view bytes, const struct jic_ji *ji)
{
	const unsigned minor = f->version.minor;
	char path[1024];
	struct stat a, b;
	bool exists = true, image = !ji->clone_targets.len || acceptance_image(ji_path, ji, &exists);
	if (!jic_view_eq(ji->version_text, f->version_text) || !jic_view_eq(ji->commit, f->commit))
		return 1;
	if (minor >= 9 && (ji->flags & 0x3f) != (f->flags & 0x3f))
		return 4;
	if (!exists)
		return 5;
	if (!acceptance_required(f, depot, ji))
		return 8;
	acceptance_resolve(depot, ji->includes[0].path, path);
	if (stat(path, &a) != 0 || stat(entry_file, &b) != 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		return 10;
	for (size_t i = 0; i < ji->includes_count; i++) {
		acceptance_resolve(depot, ji->includes[i].path, path);
		if (!acceptance_fresh(minor, &ji->includes[i], path))
			return 12;
	}
	uint32_t crc;
	memcpy(&crc, bytes.ptr + bytes.len - 4, 4);
	if (jic_crc32c(0, bytes.ptr, bytes.len - 4) != crc)
		return 13;
	return image ? 0 : 14;
}

static inline int acceptance_step(const struct jic_facts *f, const char *depot, const char *entry_file,
                                  const char *ji_path)
{
	struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_view bytes = corpus_read(ji_path);
	int step =
	    jic_ji_parse(bytes, &arena, &ji, NULL) ? acceptance_judge(f, depot, entry_file, ji_path, bytes, &ji) : 2;
	jic_arena_clear(&arena);
	view_free(bytes);
	return step;
}

#endif
