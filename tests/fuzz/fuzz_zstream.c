/*
 * jic_zdec and jic_zenc. The first byte is the size of the pieces. Properties: a stream taken in pieces gives what it
 * gives whole, never more than the limit; any bytes that are compressed come back.
 */
#include "common/buf.h"
#include "common/zstream.h"

enum { OUTPUT_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool collect(void *context, struct jic_view bytes, struct jic_error *err)
{
	jic_buf_putv(context, bytes);
	return jic_buf_ok(context, err);
}

static bool decompress_pieces(struct jic_view in, size_t piece, struct jic_buf *out)
{
	struct jic_error err;
	JIC_AUTO(jic_zdec) struct jic_zdec *z = jic_zdec_new(OUTPUT_BYTES_MAX, &err);
	JIC_ASSERT(z);
	for (; in.len; in = jic_view_skip(in, piece)) {
		if (!jic_zdec_feed(z, jic_view_head(in, piece), collect, out, &err))
			return false;
	}
	return jic_zdec_finish(z, &err);
}

static void compress_pieces(struct jic_view in, size_t piece, struct jic_buf *out)
{
	struct jic_error err;
	JIC_AUTO(jic_zenc) struct jic_zenc *z = jic_zenc_new(1, &err);
	JIC_ASSERT(z && jic_zenc_size(z, in.len, &err));
	for (; in.len; in = jic_view_skip(in, piece))
		JIC_ASSERT(jic_zenc_feed(z, jic_view_head(in, piece), collect, out, &err));
	JIC_ASSERT(jic_zenc_finish(z, collect, out, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	JIC_CLEAR(jic_buf) struct jic_buf whole = {0}, pieces = {0}, packed = {0}, back = {0};
	struct jic_error err;
	struct jic_view in = jic_view_bytes(data + 1, size - 1);
	size_t piece = (size_t)data[0] + 1;

	bool ok = jic_zstd_decompress(in, OUTPUT_BYTES_MAX, &whole, &err);
	bool ok_pieces = decompress_pieces(in, piece, &pieces);
	JIC_ASSERT(pieces.len <= OUTPUT_BYTES_MAX);
	JIC_ASSERT(!ok || !ok_pieces || jic_view_eq(jic_buf_view(&whole), jic_buf_view(&pieces)));

	compress_pieces(in, piece, &packed);
	JIC_ASSERT(jic_zstd_decompress(jic_buf_view(&packed), in.len, &back, &err));
	JIC_ASSERT(jic_view_eq(jic_buf_view(&back), in));
	return 0;
}
