/**
 * What requests hold in memory and on disk while they come in, all together: a limit for one request is not enough when
 * many come at a time. Callable from any thread.
 */
#ifndef JIC_SERVER_HTTP_LOAD_H
#define JIC_SERVER_HTTP_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct jic_load {
	atomic_size_t bodies_bytes_max; /**< JSON bodies */
	atomic_uint uploads_max;        /**< blobs that are being received or finished */
	atomic_size_t bodies_bytes;
	atomic_uint uploads;
};

/** @return false: that would be too much, nothing was counted */
static inline bool jic_load_body_grow(struct jic_load *l, size_t bytes)
{
	bool fits = atomic_fetch_add(&l->bodies_bytes, bytes) + bytes <= l->bodies_bytes_max;
	if (!fits)
		atomic_fetch_sub(&l->bodies_bytes, bytes);
	return fits;
}
static inline void jic_load_body_end(struct jic_load *l, size_t bytes)
{
	atomic_fetch_sub(&l->bodies_bytes, bytes);
}

static inline bool jic_load_upload_begin(struct jic_load *l)
{
	bool fits = atomic_fetch_add(&l->uploads, 1) < l->uploads_max;
	if (!fits)
		atomic_fetch_sub(&l->uploads, 1);
	return fits;
}
static inline void jic_load_upload_end(struct jic_load *l)
{
	atomic_fetch_sub(&l->uploads, 1);
}

#endif
