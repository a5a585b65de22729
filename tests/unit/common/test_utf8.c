/* UTF-8: each boundary of the table of well-formed sequences. */
#include "common/utf8.h"
#include "common/attr.h"

#include <criterion/criterion.h>

Test(utf8, every_scalar_value_is_written_and_read_back)
{
	for (uint32_t code = 0; code <= 0x110000; code++) {
		char bytes[4];
		size_t len = jic_utf8_encode(code, bytes);
		bool scalar = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
		cr_assert_eq(len != 0, scalar, "U+%04X", (unsigned)code);
		cr_assert_eq(jic_utf8_next(jic_view_bytes(bytes, len)), len, "U+%04X", (unsigned)code);
		cr_assert(len < 2 || jic_utf8_next(jic_view_bytes(bytes, len - 1)) == 0, "U+%04X", (unsigned)code);
	}
}

Test(utf8, writes_the_shortest_form)
{
	char bytes[4];
	cr_expect_eq(jic_utf8_encode(0x7f, bytes), 1);
	cr_expect_eq(jic_utf8_encode(0x80, bytes), 2);
	cr_expect(memcmp(bytes, "\xc2\x80", 2) == 0);
	cr_expect_eq(jic_utf8_encode(0xffff, bytes), 3);
	cr_expect(memcmp(bytes, "\xef\xbf\xbf", 3) == 0);
	cr_expect_eq(jic_utf8_encode(0x10ffff, bytes), 4);
	cr_expect(memcmp(bytes, "\xf4\x8f\xbf\xbf", 4) == 0);
}

Test(utf8, refuses_overlong_forms_surrogates_and_stray_bytes)
{
	static const char *const bad[] = {
	    "\x80",
	    "\xbf",
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",
	    "\xed\xa0\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xc2 ",
	    "\xe1\x80 ",
	    "\xf1\x80\x80 ",
	};
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_expect_eq(jic_utf8_next(jic_view_of(bad[i])), 0, "case %zu", i);
	cr_expect_eq(jic_utf8_next((struct jic_view){0}), 0);
}

Test(utf8, the_first_bad_byte_is_found_at_any_offset)
{
	char text[64];
	for (size_t at = 0; at < sizeof text; at++) {
		memset(text, 'x', sizeof text);
		text[at] = '\xff';
		cr_expect_eq(jic_utf8_valid_len(jic_view_bytes(text, sizeof text)), at);
	}
	cr_expect_eq(jic_utf8_valid_len(JIC_VIEW("ten bytes, h\xc3\xa9 \xe2\x82\xac")), 18);
	cr_expect_eq(jic_utf8_valid_len((struct jic_view){0}), 0);
}
