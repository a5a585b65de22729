#include "client/lib/relocate/fresh.h"

#include "common/crc32c.h"
#include "common/file.h"

#include <errno.h>
#include <math.h>

double jic_fresh_mtime(const struct stat *st)
{
	/* -ffp-contract=off keeps this two roundings, as in Julia's official builds for x86-64. */
	return (double)st->st_mtim.tv_sec + (double)st->st_mtim.tv_nsec * 1e-9;
}

/* trunc(x, digits=6) of base/floatfuncs.jl: scale, truncate, scale back. */
static double trunc_to_microseconds(double x)
{
	return trunc(x * 1e6) / 1e6;
}

bool jic_fresh_mtime_accepted(struct jic_julia_version v, double recorded, double actual)
{
	if (actual == recorded || actual == floor(recorded) || actual == trunc_to_microseconds(recorded))
		return true;
	const bool wildcard = jic_julia_at_least(v, 1, 7, 0) || (v.minor == 6 && v.patch >= 5);
	if (wildcard && actual == 1.0)
		return true;
	if (jic_julia_at_least(v, 1, 8, 3) && recorded - actual > 0 && recorded - actual < 1e-6)
		return true;
	return jic_julia_at_least(v, 1, 8, 4) && actual == ceil(recorded);
}

double jic_fresh_mtime_to_record(struct jic_julia_version v, double actual)
{
	return jic_julia_at_least(v, 1, 8, 3) ? nextafter(actual, INFINITY) : actual;
}

static bool add_name_crc(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)dirfd;
	(void)err;
	uint32_t *crc = context;
	*crc = jic_crc32c(*crc, name, strlen(name));
	return true;
}

static bool file_crc(const char *path, uint32_t *out, struct jic_error *err)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	if (!jic_map_open(path, SIZE_MAX, &map, err))
		return false;
	*out = jic_crc32c(0, map.view.ptr, map.view.len);
	return true;
}

bool jic_fresh_crc(const char *path, const struct stat *st, struct jic_memory *m, uint32_t *out, struct jic_error *err)
{
	if (S_ISDIR(st->st_mode)) {
		*out = 0;
		return jic_dir_each(path, add_name_crc, out, err);
	}
	struct jic_file_identity id;
	jic_file_identity_of(st, &id);
	if (jic_memory_get(m, JIC_MEMORY_CRC, &id, sizeof id, out))
		return true;
	if (!file_crc(path, out, err))
		return false;
	jic_memory_put(m, JIC_MEMORY_CRC, &id, sizeof id, *out);
	return true;
}

bool jic_fresh_same_text(const char *path, struct jic_view text)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	return jic_map_open(path, SIZE_MAX, &map, NULL) && jic_view_eq(map.view, text);
}

static bool add_name_line(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)dirfd;
	(void)err;
	jic_sha256_update(context, name, strlen(name));
	jic_sha256_update(context, "\n", 1);
	return true;
}

static bool directory_digest(const char *path, struct jic_digest *out, struct jic_error *err)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	if (!h)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_dir_each(path, add_name_line, h, err))
		return false;
	jic_sha256_final(h, out);
	return true;
}

bool jic_fresh_input(const char *path, struct jic_msg_input *out, struct jic_error *err)
{
	struct stat st;
	out->sha256 = (struct jic_digest){0};
	if (stat(path, &st) != 0) {
		out->type = JIC_INPUT_ABSENT;
		return errno == ENOENT || errno == ENOTDIR ? true : jic_fail_errno(err, JIC_EIO, "%s", path);
	}
	if (S_ISDIR(st.st_mode)) {
		out->type = JIC_INPUT_DIRECTORY;
		return directory_digest(path, &out->sha256, err);
	}
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	out->type = JIC_INPUT_FILE;
	if (!jic_map_open(path, SIZE_MAX, &map, err))
		return false;
	jic_sha256_of(map.view, &out->sha256);
	return true;
}

/* 1.5 to 1.8 take a missing file's time for 0.0; later an absent file is never fresh. */
static bool absent_is_fresh(struct jic_julia_version v, double recorded)
{
	return !jic_julia_at_least(v, 1, 9, 0) && jic_fresh_mtime_accepted(v, recorded, 0.0);
}

static bool same_content(const struct jic_ji_include *r, const char *path, const struct stat *st, struct jic_memory *m,
                         enum jic_refusal *why, struct jic_error *err)
{
	uint32_t crc;
	jic_refuse(why, JIC_REFUSAL_SIZE);
	if ((uint64_t)st->st_size != r->size)
		return jic_fail(err, JIC_ECONFLICT, "%s: its size is not what was compiled", path);
	jic_refuse(why, JIC_REFUSAL_HASH);
	if (!jic_fresh_crc(path, st, m, &crc, err))
		return false;
	if (crc != r->crc32c)
		return jic_fail(err, JIC_ECONFLICT, "%s: its content is not what was compiled", path);
	return true;
}

bool jic_fresh_judge(struct jic_julia_version v, const struct jic_ji_include *r, const char *path, struct jic_memory *m,
                     enum jic_refusal *why, struct jic_error *err)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		if (absent_is_fresh(v, r->mtime))
			return true;
		jic_refuse(why, JIC_REFUSAL_SOURCE_MISSING);
		return jic_fail(err, JIC_ECONFLICT, "%s: it is missing", path);
	}
	if (jic_julia_at_least(v, 1, 11, 0) && r->mtime < 0)
		return same_content(r, path, &st, m, why, err);
	if (jic_fresh_mtime_accepted(v, r->mtime, jic_fresh_mtime(&st)))
		return true;
	jic_refuse(why, JIC_REFUSAL_MTIME);
	return jic_fail(err, JIC_ECONFLICT, "%s: its time is not what was recorded", path);
}

bool jic_fresh_record(struct jic_julia_version v, const struct jic_ji_include *r, const char *path,
                      struct jic_memory *m, struct jic_error *err)
{
	return jic_fresh_judge(v, r, path, m, NULL, err);
}
