/**
 * A growing byte buffer. Running out of memory is sticky: append freely, then test once with jic_buf_ok().
 * One thread at a time. `{0}` is an empty buffer.
 */
#ifndef JIC_COMMON_BUF_H
#define JIC_COMMON_BUF_H

#include "common/attr.h"
#include "common/view.h"

#include <jicache/error.h>

struct jic_buf {
	char *ptr;   /**< always NUL-terminated behind len when not NULL */
	size_t len;  /**< bytes in use */
	size_t cap;  /**< bytes allocated, without the NUL */
	bool failed; /**< an append did not fit into memory; everything since was dropped */
};

void jic_buf_clear(struct jic_buf *b);                /**< release and make empty */
void jic_buf_reset(struct jic_buf *b);                /**< make empty, keep the memory */
bool jic_buf_reserve(struct jic_buf *b, size_t more); /**< room for `more` further bytes; false when out of memory */
void jic_buf_put(struct jic_buf *b, const void *bytes, size_t len);
void jic_buf_puts(struct jic_buf *b, const char *text);
void jic_buf_putv(struct jic_buf *b, struct jic_view v);
void jic_buf_putc(struct jic_buf *b, char c);
void jic_buf_printf(struct jic_buf *b, const char *format, ...) jic_printf(2, 3);
void jic_buf_u8(struct jic_buf *b, uint8_t v);
void jic_buf_u32le(struct jic_buf *b, uint32_t v);
void jic_buf_u64le(struct jic_buf *b, uint64_t v);
void jic_buf_f64le(struct jic_buf *b, double v);
/** @return true; false with JIC_EMEMORY when an append failed */
jic_must_check bool jic_buf_ok(const struct jic_buf *b, struct jic_error *err);
/** The text so far, "" when empty; borrowed until the next append. */
const char *jic_buf_str(const struct jic_buf *b);
/** Give the bytes away as a malloc'ed NUL-terminated string (NULL when an append failed); the buffer is empty
 * afterwards. */
char *jic_buf_take(struct jic_buf *b);

static inline struct jic_view jic_buf_view(const struct jic_buf *b)
{
	return (struct jic_view){.ptr = b->ptr, .len = b->len};
}

/** A fresh malloc'ed string; NULL when out of memory. */
char *jic_strdup_view(struct jic_view v);
char *jic_asprintf(const char *format, ...) jic_printf(1, 2);

#endif
