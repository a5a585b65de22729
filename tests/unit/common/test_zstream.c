/* zstd streams: round trips in uneven pieces, and everything that a hostile frame may try. */
#include "common/zstream.h"
#include "common/buf.h"

#include <criterion/criterion.h>

static void buf_of_noise(struct jic_buf *out, size_t len)
{
	uint64_t state = 1;
	for (size_t i = 0; i < len; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		jic_buf_u8(out, (uint8_t)(state >> 56 & 0x1f));
	}
}

static bool collect(void *context, struct jic_view bytes, struct jic_error *err)
{
	jic_buf_putv(context, bytes);
	return jic_buf_ok(context, err);
}

static bool refuse(void *context, struct jic_view bytes, struct jic_error *err)
{
	(void)context, (void)bytes;
	return jic_fail(err, JIC_ENOSPACE, "the sink is full");
}

static void compress_or_die(struct jic_view in, struct jic_buf *out)
{
	struct jic_error err;
	cr_assert(jic_zstd_compress(in, JIC_ZSTD_LEVEL, out, &err), "%s", err.text);
}

Test(zstream, a_buffer_comes_back_as_it_was)
{
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0}, packed = {0}, back = {0};
	struct jic_error err;
	buf_of_noise(&plain, 500000);
	jic_buf_puts(&packed, "before");
	jic_buf_puts(&back, "kept");
	compress_or_die(jic_buf_view(&plain), &packed);
	cr_expect_lt(packed.len, plain.len * 3 / 4);
	struct jic_view frame = jic_view_skip(jic_buf_view(&packed), 6);
	cr_assert(jic_zstd_decompress(frame, plain.len, &back, &err), "%s", err.text);
	cr_expect(jic_view_starts(jic_buf_view(&back), JIC_VIEW("kept")));
	cr_expect(jic_view_eq(jic_view_skip(jic_buf_view(&back), 4), jic_buf_view(&plain)));
}

Test(zstream, nothing_is_a_frame_too)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0}, back = {0};
	struct jic_error err;
	compress_or_die((struct jic_view){0}, &packed);
	cr_expect_gt(packed.len, 0);
	cr_assert(jic_zstd_decompress(jic_buf_view(&packed), 0, &back, &err), "%s", err.text);
	cr_expect_eq(back.len, 0);
}

Test(zstream, streams_in_pieces_of_any_size_give_the_same_bytes)
{
	static const size_t pieces[] = {1, 7, 4096, 131072, 1000000};
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0};
	struct jic_error err;
	buf_of_noise(&plain, 400000);
	for (size_t i = 0; i < JIC_COUNT(pieces); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf packed = {0}, back = {0};
		JIC_AUTO(jic_zenc) struct jic_zenc *enc = jic_zenc_new(JIC_ZSTD_LEVEL, &err);
		JIC_AUTO(jic_zdec) struct jic_zdec *dec = jic_zdec_new(plain.len, &err);
		cr_assert(enc && dec);
		cr_assert(jic_zenc_size(enc, plain.len, &err));
		for (struct jic_view in = jic_buf_view(&plain); in.len; in = jic_view_skip(in, pieces[i]))
			cr_assert(jic_zenc_feed(enc, jic_view_head(in, pieces[i]), collect, &packed, &err));
		cr_assert(jic_zenc_finish(enc, collect, &packed, &err), "%s", err.text);
		for (struct jic_view in = jic_buf_view(&packed); in.len; in = jic_view_skip(in, pieces[i]))
			cr_assert(jic_zdec_feed(dec, jic_view_head(in, pieces[i]), collect, &back, &err));
		cr_assert(jic_zdec_finish(dec, &err), "%s", err.text);
		cr_expect(jic_view_eq(jic_buf_view(&back), jic_buf_view(&plain)), "pieces of %zu", pieces[i]);
	}
}

Test(zstream, frames_one_after_another_are_read_as_one_stream)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0}, back = {0};
	struct jic_error err;
	compress_or_die(JIC_VIEW("first,"), &packed);
	compress_or_die((struct jic_view){0}, &packed);
	compress_or_die(JIC_VIEW("second"), &packed);
	cr_assert(jic_zstd_decompress(jic_buf_view(&packed), 100, &back, &err), "%s", err.text);
	cr_expect_str_eq(jic_buf_str(&back), "first,second");
}

Test(zstream, a_frame_cut_anywhere_is_refused_and_nothing_is_appended)
{
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0}, packed = {0}, back = {0};
	struct jic_error err;
	buf_of_noise(&plain, 3000);
	compress_or_die(jic_buf_view(&plain), &packed);
	for (size_t len = 0; len < packed.len; len++) {
		cr_expect_not(jic_zstd_decompress(jic_view_head(jic_buf_view(&packed), len), 1 << 20, &back, &err));
		cr_expect_eq(err.code, JIC_EFORMAT, "after %zu bytes: %s", len, err.text);
		cr_expect_eq(back.len, 0);
	}
}

Test(zstream, what_is_no_frame_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf back = {0};
	struct jic_error err;
	cr_expect_not(jic_zstd_decompress(JIC_VIEW("this is plain text"), 1 << 20, &back, &err));
	cr_expect_eq(err.code, JIC_EFORMAT);
}

Test(zstream, bytes_behind_a_frame_are_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0}, back = {0};
	struct jic_error err;
	compress_or_die(JIC_VIEW("text"), &packed);
	jic_buf_puts(&packed, "garbage behind");
	cr_expect_not(jic_zstd_decompress(jic_buf_view(&packed), 1 << 20, &back, &err));
	cr_expect_eq(err.code, JIC_EFORMAT);
}

Test(zstream, output_up_to_the_limit_is_given_and_one_byte_more_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0}, packed = {0}, back = {0};
	struct jic_error err;
	buf_of_noise(&plain, 300000);
	compress_or_die(jic_buf_view(&plain), &packed);
	cr_expect(jic_zstd_decompress(jic_buf_view(&packed), plain.len, &back, &err), "%s", err.text);
	jic_buf_reset(&back);
	cr_expect_not(jic_zstd_decompress(jic_buf_view(&packed), plain.len - 1, &back, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect_eq(back.len, 0);
}

Test(zstream, a_bomb_stops_at_the_limit_without_its_output_in_memory)
{
	/* 64 MiB of zeros in a few kilobytes. */
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0}, back = {0};
	struct jic_error err;
	jic_autofree char *zeros = calloc(1, 64 << 20);
	cr_assert_not_null(zeros);
	compress_or_die(jic_view_bytes(zeros, 64 << 20), &packed);
	cr_expect_not(jic_zstd_decompress(jic_buf_view(&packed), 1 << 20, &back, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect_lt(back.cap, 4 << 20);
}

Test(zstream, a_frame_that_wants_a_larger_window_is_over_the_limit)
{
	/* Magic, a descriptor without checksum or size, and a window descriptor of 2^(10+18) bytes. */
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00";
	JIC_CLEAR(jic_buf) struct jic_buf back = {0};
	struct jic_error err;
	cr_expect_not(jic_zstd_decompress(jic_view_bytes(frame, sizeof frame - 1), 1 << 20, &back, &err));
	cr_expect_eq(err.code, JIC_ELIMIT, "%s", err.text);
}

Test(zstream, what_the_sink_says_is_passed_up_and_ends_the_stream)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	struct jic_error err;
	compress_or_die(JIC_VIEW("text"), &packed);
	JIC_AUTO(jic_zdec) struct jic_zdec *dec = jic_zdec_new(100, &err);
	cr_expect_not(jic_zdec_feed(dec, jic_buf_view(&packed), refuse, NULL, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE);
	cr_expect_not(jic_zdec_feed(dec, jic_buf_view(&packed), refuse, NULL, &err));
	cr_expect_eq(err.code, JIC_EFORMAT);
	cr_expect_not(jic_zdec_finish(dec, &err));

	JIC_AUTO(jic_zenc) struct jic_zenc *enc = jic_zenc_new(JIC_ZSTD_LEVEL, &err);
	cr_assert(jic_zenc_feed(enc, JIC_VIEW("text"), refuse, NULL, &err));
	cr_expect_not(jic_zenc_finish(enc, refuse, NULL, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE);
}

Test(zstream, less_input_than_announced_is_an_error)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	struct jic_error err;
	JIC_AUTO(jic_zenc) struct jic_zenc *enc = jic_zenc_new(JIC_ZSTD_LEVEL, &err);
	cr_assert(jic_zenc_size(enc, 1000, &err));
	cr_assert(jic_zenc_feed(enc, JIC_VIEW("text"), collect, &packed, &err));
	cr_expect_not(jic_zenc_finish(enc, collect, &packed, &err));
	cr_expect_eq(err.code, JIC_EUSAGE);
}

Test(zstream, free_takes_nothing)
{
	jic_zdec_free(NULL);
	jic_zenc_free(NULL);
}
