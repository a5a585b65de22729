/**
 * Streaming zstd in bounded memory. One context belongs to one thread.
 * Decompression caps the window (JIC_ZSTD_WINDOW_LOG_MAX) and the total output: a hostile frame can't make us allocate.
 */
#ifndef JIC_COMMON_ZSTREAM_H
#define JIC_COMMON_ZSTREAM_H

#include "common/attr.h"
#include "common/view.h"

#include <jicache/error.h>

enum {
	JIC_ZSTD_LEVEL = 3,           /**< of what we compress: measured in docs/decisions */
	JIC_ZSTD_WINDOW_LOG_MAX = 27, /**< 128 MiB, what `zstd -d` accepts by default; our own frames need 2 MiB */
};

/** Takes each piece of output as it comes; false stops the stream and is passed up with its error. */
typedef bool jic_sink_fn(void *context, struct jic_view bytes, struct jic_error *err);

struct jic_zdec;
/** @param output_bytes_max more output than this is JIC_ELIMIT */
struct jic_zdec *jic_zdec_new(uint64_t output_bytes_max, struct jic_error *err);
void jic_zdec_free(struct jic_zdec *z);
JIC_DEFINE_AUTO(jic_zdec, jic_zdec_free)
/** Decompress the next piece of input. @return false with JIC_EFORMAT, JIC_ELIMIT, JIC_EMEMORY, or what the sink said
 */
jic_must_check bool jic_zdec_feed(struct jic_zdec *z, struct jic_view in, jic_sink_fn *sink, void *context,
                                  struct jic_error *err);
/** No more input: JIC_EFORMAT when a frame is incomplete or there was none. */
jic_must_check bool jic_zdec_finish(struct jic_zdec *z, struct jic_error *err);

struct jic_zenc;
struct jic_zenc *jic_zenc_new(int level, struct jic_error *err);
void jic_zenc_free(struct jic_zenc *z);
JIC_DEFINE_AUTO(jic_zenc, jic_zenc_free)
/** Tell the size of the whole before the first feed; it is written into the frame. Optional. */
jic_must_check bool jic_zenc_size(struct jic_zenc *z, uint64_t bytes, struct jic_error *err);
jic_must_check bool jic_zenc_feed(struct jic_zenc *z, struct jic_view in, jic_sink_fn *sink, void *context,
                                  struct jic_error *err);
jic_must_check bool jic_zenc_finish(struct jic_zenc *z, jic_sink_fn *sink, void *context, struct jic_error *err);

/** A whole buffer at once. */
struct jic_buf;
jic_must_check bool jic_zstd_compress(struct jic_view in, int level, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_zstd_decompress(struct jic_view in, uint64_t output_bytes_max, struct jic_buf *out,
                                        struct jic_error *err);

#endif
