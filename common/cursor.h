/**
 * Bounds-checked reading of foreign binary bytes. A read that does not fit returns false and moves nothing.
 * Little-endian throughout; values need no alignment.
 */
#ifndef JIC_COMMON_CURSOR_H
#define JIC_COMMON_CURSOR_H

#include "common/attr.h"
#include "common/view.h"

struct jic_cursor {
	const uint8_t *ptr; /**< first byte of the whole, borrowed */
	size_t len;         /**< bytes in the whole */
	size_t pos;         /**< next byte to read, ≤ len; for error messages too */
};

static inline struct jic_cursor jic_cursor_over(struct jic_view v)
{
	return (struct jic_cursor){.ptr = (const uint8_t *)v.ptr, .len = v.len};
}

static inline size_t jic_cursor_left(const struct jic_cursor *c)
{
	return c->len - c->pos;
}

jic_must_check bool jic_cursor_skip(struct jic_cursor *c, size_t len);
jic_must_check bool jic_cursor_seek(struct jic_cursor *c, size_t pos);
jic_must_check bool jic_cursor_bytes(struct jic_cursor *c, size_t len, struct jic_view *out);
/** Bytes up to a NUL, which is consumed but not part of `out`. */
jic_must_check bool jic_cursor_zstring(struct jic_cursor *c, struct jic_view *out);
jic_must_check bool jic_cursor_u8(struct jic_cursor *c, uint8_t *out);
jic_must_check bool jic_cursor_u16le(struct jic_cursor *c, uint16_t *out);
jic_must_check bool jic_cursor_u32le(struct jic_cursor *c, uint32_t *out);
jic_must_check bool jic_cursor_i32le(struct jic_cursor *c, int32_t *out);
jic_must_check bool jic_cursor_u64le(struct jic_cursor *c, uint64_t *out);
jic_must_check bool jic_cursor_f64le(struct jic_cursor *c, double *out);

#endif
