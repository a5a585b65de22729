/*
 * zstd streams over a fixed output piece of zstd's own recommended size. Input is taken as it comes; memory is the
 * context, its window (capped when reading) and one piece, however long the stream is.
 */
#include "common/zstream.h"
#include "common/buf.h"

#include <zstd.h>
#include <zstd_errors.h>

struct jic_zdec {
	ZSTD_DCtx *ctx;
	char *piece;
	size_t piece_size;
	uint64_t output_bytes, output_bytes_max;
	bool between_frames; /**< a frame has just ended: the only place where a stream may end */
	bool failed;         /**< zstd's state is undefined after an error: nothing more is accepted */
};

struct jic_zenc {
	ZSTD_CCtx *ctx;
	char *piece;
	size_t piece_size;
};

void jic_zdec_free(struct jic_zdec *z)
{
	if (!z)
		return;
	ZSTD_freeDCtx(z->ctx);
	free(z->piece);
	free(z);
}

struct jic_zdec *jic_zdec_new(uint64_t output_bytes_max, struct jic_error *err)
{
	JIC_AUTO(jic_zdec) struct jic_zdec *z = calloc(1, sizeof *z);
	if (z) {
		z->ctx = ZSTD_createDCtx();
		z->piece_size = ZSTD_DStreamOutSize();
		z->piece = malloc(z->piece_size);
		z->output_bytes_max = output_bytes_max;
	}
	if (!z || !z->ctx || !z->piece) {
		jic_fail(err, JIC_EMEMORY, "zstd: out of memory");
		return NULL;
	}
	size_t set = ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, JIC_ZSTD_WINDOW_LOG_MAX);
	JIC_ASSERT(!ZSTD_isError(set));
	return JIC_TAKE(z);
}

static bool fail_decoding(struct jic_zdec *z, size_t result, struct jic_error *err)
{
	z->failed = true;
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		return jic_fail(err, JIC_EMEMORY, "zstd: out of memory");
	case ZSTD_error_frameParameter_windowTooLarge:
		return jic_fail(err, JIC_ELIMIT, "zstd: the frame needs a window of more than %u MiB",
		                1u << (JIC_ZSTD_WINDOW_LOG_MAX - 20));
	default:
		return jic_fail(err, JIC_EFORMAT, "zstd: %s after %llu bytes of output", ZSTD_getErrorName(result),
		                (unsigned long long)z->output_bytes);
	}
}

static bool deliver(struct jic_zdec *z, size_t len, jic_sink_fn *sink, void *context, struct jic_error *err)
{
	if (!len)
		return true;
	if (len > z->output_bytes_max - z->output_bytes) {
		z->failed = true;
		return jic_fail(err, JIC_ELIMIT, "zstd: more than the expected %llu bytes of output",
		                (unsigned long long)z->output_bytes_max);
	}
	z->output_bytes += len;
	if (sink(context, jic_view_bytes(z->piece, len), err))
		return true;
	z->failed = true;
	return false;
}

bool jic_zdec_feed(struct jic_zdec *z, struct jic_view in, jic_sink_fn *sink, void *context, struct jic_error *err)
{
	ZSTD_inBuffer input = {.src = in.ptr, .size = in.len};
	if (z->failed)
		return jic_fail(err, JIC_EFORMAT, "zstd: the stream has failed before");
	bool more = in.len > 0;
	while (more) {
		ZSTD_outBuffer output = {.dst = z->piece, .size = z->piece_size};
		size_t result = ZSTD_decompressStream(z->ctx, &output, &input);
		if (ZSTD_isError(result))
			return fail_decoding(z, result, err);
		z->between_frames = result == 0;
		if (!deliver(z, output.pos, sink, context, err))
			return false;
		/* A full piece may mean that zstd holds back more; after a frame's end it has nothing left, and asking
		 * again without input would begin the next frame. */
		more = input.pos < input.size || (output.pos == output.size && result != 0);
	}
	return true;
}

bool jic_zdec_finish(struct jic_zdec *z, struct jic_error *err)
{
	if (z->failed)
		return jic_fail(err, JIC_EFORMAT, "zstd: the stream has failed before");
	if (!z->between_frames)
		return jic_fail(err, JIC_EFORMAT, "zstd: the stream ends inside a frame, after %llu bytes of output",
		                (unsigned long long)z->output_bytes);
	return true;
}

void jic_zenc_free(struct jic_zenc *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->ctx);
	free(z->piece);
	free(z);
}

struct jic_zenc *jic_zenc_new(int level, struct jic_error *err)
{
	JIC_AUTO(jic_zenc) struct jic_zenc *z = calloc(1, sizeof *z);
	if (z) {
		z->ctx = ZSTD_createCCtx();
		z->piece_size = ZSTD_CStreamOutSize();
		z->piece = malloc(z->piece_size);
	}
	if (!z || !z->ctx || !z->piece) {
		jic_fail(err, JIC_EMEMORY, "zstd: out of memory");
		return NULL;
	}
	/* Levels out of range are clamped by zstd. */
	size_t set = ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, level);
	JIC_ASSERT(!ZSTD_isError(set));
	return JIC_TAKE(z);
}

static bool fail_encoding(size_t result, struct jic_error *err)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		return jic_fail(err, JIC_EMEMORY, "zstd: out of memory");
	case ZSTD_error_srcSize_wrong:
		return jic_fail(err, JIC_EUSAGE, "zstd: the input has another size than announced");
	default:
		return jic_fail(err, JIC_EUSAGE, "zstd: %s", ZSTD_getErrorName(result));
	}
}

bool jic_zenc_size(struct jic_zenc *z, uint64_t bytes, struct jic_error *err)
{
	size_t result = ZSTD_CCtx_setPledgedSrcSize(z->ctx, bytes);
	return ZSTD_isError(result) ? fail_encoding(result, err) : true;
}

static bool encode(struct jic_zenc *z, struct jic_view in, ZSTD_EndDirective mode, jic_sink_fn *sink, void *context,
                   struct jic_error *err)
{
	ZSTD_inBuffer input = {.src = in.ptr, .size = in.len};
	bool more = true;
	while (more) {
		ZSTD_outBuffer output = {.dst = z->piece, .size = z->piece_size};
		size_t left = ZSTD_compressStream2(z->ctx, &output, &input, mode);
		if (ZSTD_isError(left))
			return fail_encoding(left, err);
		if (output.pos && !sink(context, jic_view_bytes(z->piece, output.pos), err))
			return false;
		more = mode == ZSTD_e_end ? left != 0 : input.pos < input.size;
	}
	return true;
}

bool jic_zenc_feed(struct jic_zenc *z, struct jic_view in, jic_sink_fn *sink, void *context, struct jic_error *err)
{
	return in.len == 0 || encode(z, in, ZSTD_e_continue, sink, context, err);
}

bool jic_zenc_finish(struct jic_zenc *z, jic_sink_fn *sink, void *context, struct jic_error *err)
{
	return encode(z, JIC_VIEW(""), ZSTD_e_end, sink, context, err);
}

bool jic_zstd_compress(struct jic_view in, int level, struct jic_buf *out, struct jic_error *err)
{
	size_t bound = ZSTD_compressBound(in.len);
	if (ZSTD_isError(bound))
		return jic_fail(err, JIC_ELIMIT, "zstd: %zu bytes are too many for one buffer", in.len);
	if (!jic_buf_reserve(out, bound))
		return jic_buf_ok(out, err);
	size_t written = ZSTD_compress(out->ptr + out->len, bound, in.ptr, in.len, level);
	if (ZSTD_isError(written)) {
		out->ptr[out->len] = '\0';
		return fail_encoding(written, err);
	}
	out->len += written;
	out->ptr[out->len] = '\0';
	return true;
}

static bool append(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct jic_buf *out = context;
	jic_buf_putv(out, bytes);
	return jic_buf_ok(out, err);
}

bool jic_zstd_decompress(struct jic_view in, uint64_t output_bytes_max, struct jic_buf *out, struct jic_error *err)
{
	size_t before = out->len;
	JIC_AUTO(jic_zdec) struct jic_zdec *z = jic_zdec_new(output_bytes_max, err);
	if (!z)
		return false;
	if (jic_zdec_feed(z, in, append, out, err) && jic_zdec_finish(z, err))
		return true;
	if (out->ptr) {
		out->len = before;
		out->ptr[before] = '\0';
	}
	return false;
}
