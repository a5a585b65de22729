/* The growing buffer, and its memory of having run out of memory. */
#include "common/buf.h"

#include <criterion/criterion.h>

Test(buf, appends_of_every_kind_follow_each_other)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	jic_buf_put(&b, "ab", 2);
	jic_buf_puts(&b, "cd");
	jic_buf_putv(&b, JIC_VIEW("ef"));
	jic_buf_putc(&b, 'g');
	jic_buf_printf(&b, "%d", 42);
	cr_expect(jic_buf_ok(&b, NULL));
	cr_expect_str_eq(jic_buf_str(&b), "abcdefg42");
	cr_expect_eq(jic_buf_view(&b).len, 9);
}

Test(buf, numbers_are_little_endian)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	jic_buf_u8(&b, 0x01);
	jic_buf_u32le(&b, 0x05040302);
	jic_buf_u64le(&b, 0x0d0c0b0a09080706);
	jic_buf_f64le(&b, 1.0);
	static const char expected[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\0\0\0\0\0\0\xf0\x3f";
	cr_assert_eq(b.len, sizeof expected - 1);
	cr_expect_arr_eq(b.ptr, expected, sizeof expected - 1);
}

Test(buf, is_terminated_after_every_append_and_may_hold_nul)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	cr_expect_str_eq(jic_buf_str(&b), "");
	for (size_t i = 1; i < 5000; i++) {
		jic_buf_put(&b, "\0x", 1 + i % 2);
		cr_assert_eq(b.ptr[b.len], '\0');
	}
	cr_expect_eq(b.len, 4999 + 2500);
}

Test(buf, formatted_text_longer_than_the_room_is_whole)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	for (int width = 1; width < 700; width++) {
		jic_buf_reset(&b);
		jic_buf_printf(&b, "%*d", width, 7);
		cr_assert_eq(b.len, (size_t)width);
		cr_assert_eq(b.ptr[width - 1], '7');
	}
}

Test(buf, out_of_memory_is_sticky_until_reset)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	struct jic_error err;
	jic_buf_puts(&b, "kept");
	cr_expect_not(jic_buf_reserve(&b, SIZE_MAX - 2));
	jic_buf_puts(&b, "dropped");
	jic_buf_printf(&b, "%d", 1);
	cr_expect_str_eq(jic_buf_str(&b), "kept");
	cr_expect_not(jic_buf_ok(&b, &err));
	cr_expect_eq(err.code, JIC_EMEMORY);
	jic_buf_reset(&b);
	jic_buf_puts(&b, "again");
	cr_expect(jic_buf_ok(&b, &err));
	cr_expect_str_eq(jic_buf_str(&b), "again");
}

Test(buf, a_size_that_overflows_is_out_of_memory)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	jic_buf_puts(&b, "x");
	cr_expect_not(jic_buf_reserve(&b, SIZE_MAX));
	cr_expect(b.failed);
}

Test(buf, take_gives_the_text_away_and_leaves_an_empty_buffer)
{
	struct jic_buf b = {0};
	jic_buf_puts(&b, "text");
	jic_autofree char *text = jic_buf_take(&b);
	cr_expect_str_eq(text, "text");
	cr_expect(b.ptr == NULL && b.len == 0);
	jic_autofree char *empty = jic_buf_take(&b);
	cr_expect_str_eq(empty, "");
	jic_buf_puts(&b, "x");
	b.failed = true;
	cr_expect_null(jic_buf_take(&b));
	cr_expect(b.ptr == NULL && !b.failed);
}

Test(buf, fresh_strings_are_copies)
{
	jic_autofree char *copy = jic_strdup_view(jic_view_bytes("abcdef", 3));
	jic_autofree char *empty = jic_strdup_view((struct jic_view){0});
	jic_autofree char *text = jic_asprintf("%s-%d", "a", 1);
	cr_expect_str_eq(copy, "abc");
	cr_expect_str_eq(empty, "");
	cr_expect_str_eq(text, "a-1");
}
