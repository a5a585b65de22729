/* The cursor: each read against bytes that are just enough and one too few. */
#include "common/cursor.h"

#include <criterion/criterion.h>

static const char bytes[] = "\x01\x02\x03\x04\x05\x06\x07\x88";

static struct jic_cursor over(size_t len)
{
	return jic_cursor_over(jic_view_bytes(bytes, len));
}

Test(cursor, numbers_are_little_endian)
{
	struct jic_cursor c = jic_cursor_over(jic_view_bytes(bytes, 8));
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	cr_expect(jic_cursor_u8(&c, &u8) && u8 == 0x01);
	cr_expect(jic_cursor_u16le(&c, &u16) && u16 == 0x0302);
	cr_expect(jic_cursor_u32le(&c, &u32) && u32 == 0x07060504);
	cr_expect_eq(c.pos, 7);
	cr_expect(jic_cursor_seek(&c, 0) && jic_cursor_u64le(&c, &u64) && u64 == 0x8807060504030201u);
}

Test(cursor, signs_and_doubles_keep_their_bits)
{
	struct jic_cursor c = jic_cursor_over(JIC_VIEW("\xfe\xff\xff\xff\0\0\0\0\0\0\xf0\x3f"));
	int32_t i32;
	double f64;
	cr_expect(jic_cursor_i32le(&c, &i32) && i32 == -2);
	cr_expect(jic_cursor_f64le(&c, &f64) && f64 == 1.0);
	cr_expect_eq(jic_cursor_left(&c), 0);
}

Test(cursor, short_input_moves_nothing)
{
	uint8_t u8 = 9;
	uint16_t u16 = 9;
	uint32_t u32 = 9;
	int32_t i32 = 9;
	uint64_t u64 = 9;
	double f64 = 9;
	struct jic_view view;
	struct jic_cursor none = over(0), one = over(1), three = over(3), seven = over(7);
	cr_expect_not(jic_cursor_u8(&none, &u8));
	cr_expect_not(jic_cursor_u16le(&one, &u16));
	cr_expect_not(jic_cursor_u32le(&three, &u32));
	cr_expect_not(jic_cursor_i32le(&three, &i32));
	cr_expect_not(jic_cursor_u64le(&seven, &u64));
	cr_expect_not(jic_cursor_f64le(&seven, &f64));
	cr_expect_not(jic_cursor_bytes(&seven, 8, &view));
	cr_expect_not(jic_cursor_skip(&seven, SIZE_MAX));
	cr_expect_not(jic_cursor_seek(&seven, 8));
	cr_expect_eq(none.pos + one.pos + three.pos + seven.pos, 0);
	cr_expect(u8 == 9 && u16 == 9 && u32 == 9 && i32 == 9 && u64 == 9 && f64 == 9);
}

Test(cursor, a_slice_may_reach_exactly_to_the_end)
{
	struct jic_cursor c = jic_cursor_over(jic_view_bytes(bytes, 8));
	struct jic_view v;
	cr_expect(jic_cursor_skip(&c, 3));
	cr_assert(jic_cursor_bytes(&c, 5, &v));
	cr_expect(v.ptr == bytes + 3 && v.len == 5);
	cr_expect(jic_cursor_bytes(&c, 0, &v) && v.len == 0);
	cr_expect(jic_cursor_seek(&c, 8) && jic_cursor_left(&c) == 0);
}

Test(cursor, a_string_ends_at_its_nul_which_must_be_there)
{
	struct jic_cursor c = jic_cursor_over(JIC_VIEW("ab\0\0cd"));
	struct jic_view v;
	cr_assert(jic_cursor_zstring(&c, &v));
	cr_expect(jic_view_is(v, "ab"));
	cr_assert(jic_cursor_zstring(&c, &v));
	cr_expect_eq(v.len, 0);
	cr_expect_not(jic_cursor_zstring(&c, &v));
	cr_expect_eq(c.pos, 4);
	cr_expect(jic_cursor_skip(&c, 2));
	cr_expect_not(jic_cursor_zstring(&c, &v));
}
