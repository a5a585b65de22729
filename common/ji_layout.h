/**
 * The elements that a `.ji` is made of, on the wire: what common/ji.c reads, common/ji_rewrite.c writes and
 * common/ji_verify.c finds again in an image's blob. Private to common/ji*.c. Each element has its reader and, where
 * one is needed, its writer beside it, so that a layout is written down once. Fields and versions: docs/ji-format.md.
 *
 * Readers fail with JIC_EFORMAT (or JIC_ELIMIT, JIC_EUNSUPPORTED) and a text that names the field and the byte.
 */
#ifndef JIC_COMMON_JI_LAYOUT_H
#define JIC_COMMON_JI_LAYOUT_H

#include "common/cursor.h"
#include "common/ji.h"

enum {
	JIC_JI_REQUIRE_HEAD_BYTES = 17, /**< in the path of a "requires" record: a NUL and a UUID, low half first */
	JIC_JI_ALIGN_MAX = 128,         /**< of a stand-alone file's data */
};

/** What the version decides. */
static inline bool jic_ji_has_preferences(struct jic_julia_version v)
{
	return jic_julia_at_least(v, 1, 6, 0);
}
static inline bool jic_ji_has_image_fields(struct jic_julia_version v)
{
	return jic_julia_at_least(v, 1, 9, 0);
}
static inline bool jic_ji_has_content_fields(struct jic_julia_version v)
{
	return jic_julia_at_least(v, 1, 11, 0);
}
static inline size_t jic_ji_trailer_bytes(struct jic_julia_version v)
{
	return jic_ji_has_image_fields(v) ? 8 : 4;
}

/** Magic to git commit; fills the prefix's fields of `ji` and refuses what is not 1.5 to 1.12. */
jic_must_check bool jic_ji_read_prefix(struct jic_cursor *c, struct jic_ji *ji, struct jic_error *err);

/** 1.9+: image marker, checksum, data offsets, flags. Nothing before. */
jic_must_check bool jic_ji_read_image_fields(struct jic_cursor *c, struct jic_ji *ji, struct jic_error *err);
/** Overwrite the data offsets in image fields that begin at `at`. */
void jic_ji_patch_data_offsets(struct jic_buf *b, size_t at, uint64_t start, uint64_t end);
/** Overwrite 8 bytes at `at`; only once jic_buf_ok() holds. */
void jic_ji_patch_u64(struct jic_buf *b, size_t at, uint64_t value);

/** i32 length and bytes; length 0 is the end of a list. @param what names the field in errors */
jic_must_check bool jic_ji_read_string(struct jic_cursor *c, const char *what, struct jic_view *out,
                                       struct jic_error *err);
void jic_ji_write_string(struct jic_buf *b, struct jic_view v);

/** One entry of the worklist (half a build id) or, `whole_id`, of the required modules of 1.9+. Empty name: end of
 * list. */
jic_must_check bool jic_ji_read_module(struct jic_cursor *c, bool whole_id, struct jic_ji_module *out,
                                       struct jic_error *err);

/** One record of the dependency block: an include or, path beginning with a NUL, a "requires". Empty path: end. */
struct jic_ji_record {
	struct jic_view path;
	uint64_t size;
	uint32_t crc32c;
	double mtime;
	int32_t module_index;
	struct jic_view
	    components;       /**< submodule names, each a string, without the closing i32 0; empty when index is 0 */
	struct jic_view tail; /**< module_index and all behind it, verbatim */
};
jic_must_check bool jic_ji_read_record(struct jic_cursor *c, struct jic_julia_version v, struct jic_ji_record *out,
                                       struct jic_error *err);
/** The record with its tail; `path`, `size`, `crc32c` and `mtime` as given. */
void jic_ji_write_record(struct jic_buf *b, struct jic_julia_version v, const struct jic_ji_record *r);
static inline bool jic_ji_is_require(const struct jic_ji_record *r)
{
	return r->path.len && r->path.ptr[0] == '\0';
}

/** One source text. Empty name: end. */
jic_must_check bool jic_ji_read_source(struct jic_cursor *c, struct jic_ji_source *out, struct jic_error *err);
void jic_ji_write_source(struct jic_buf *b, const struct jic_ji_source *s);

/** JL_CACHE_BYTE_ALIGNMENT of the Julia that wrote the file. */
size_t jic_ji_data_align(const struct jic_ji *ji);

/** "<what> at byte <pos>", JIC_EFORMAT. @return false */
bool jic_ji_bad(const struct jic_cursor *c, const char *what, struct jic_error *err);

#endif
