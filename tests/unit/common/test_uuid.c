/* UUIDs: the text form both ways. */
#include "common/uuid.h"

#include <criterion/criterion.h>

static const char text[] = "7876af07-990d-54b4-ab0e-23690620f79a";

Test(uuid, reads_the_halves_big_endian_and_writes_the_same_text)
{
	struct jic_uuid u;
	char back[JIC_UUID_TEXT + 1];
	cr_assert(jic_uuid_parse(jic_view_of(text), &u));
	cr_expect_eq(u.hi, 0x7876af07990d54b4u);
	cr_expect_eq(u.lo, 0xab0e23690620f79au);
	jic_uuid_format(u, back);
	cr_expect_str_eq(back, text);
}

Test(uuid, accepts_upper_case_and_writes_lower_case)
{
	struct jic_uuid u;
	char back[JIC_UUID_TEXT + 1];
	cr_assert(jic_uuid_parse(JIC_VIEW("7876AF07-990D-54B4-AB0E-23690620F79A"), &u));
	jic_uuid_format(u, back);
	cr_expect_str_eq(back, text);
}

Test(uuid, refuses_any_other_form_and_leaves_the_output_alone)
{
	static const char *const bad[] = {
	    "",
	    "7876af07990d54b4ab0e23690620f79a",
	    "7876af07-990d-54b4-ab0e-23690620f79",
	    "7876af07-990d-54b4-ab0e-23690620f79a0",
	    "7876af07-990d-54b4-ab0e-23690620f79g",
	    "7876af0-7990d-54b4-ab0e-23690620f79a",
	    "7876af07-990d-54b4-ab0e023690620f79a",
	    "{876af07-990d-54b4-ab0e-23690620f79a",
	    "------------------------------------",
	};
	for (size_t i = 0; i < JIC_COUNT(bad); i++) {
		struct jic_uuid u = {.hi = 1, .lo = 2};
		cr_expect_not(jic_uuid_parse(jic_view_of(bad[i]), &u), "%s", bad[i]);
		cr_expect(u.hi == 1 && u.lo == 2, "%s", bad[i]);
	}
}

Test(uuid, orders_by_the_number_that_it_is)
{
	struct jic_uuid a = {.hi = 1, .lo = 9}, b = {.hi = 2, .lo = 0}, c = {.hi = 2, .lo = 1};
	cr_expect_lt(jic_uuid_cmp(a, b), 0);
	cr_expect_lt(jic_uuid_cmp(b, c), 0);
	cr_expect_gt(jic_uuid_cmp(c, a), 0);
	cr_expect_eq(jic_uuid_cmp(c, c), 0);
	cr_expect(jic_uuid_eq(a, a));
	cr_expect_not(jic_uuid_eq(b, c));
}

Test(uuid, nil_is_both_halves_zero)
{
	char back[JIC_UUID_TEXT + 1];
	cr_expect(jic_uuid_is_nil((struct jic_uuid){0}));
	cr_expect_not(jic_uuid_is_nil((struct jic_uuid){.lo = 1}));
	jic_uuid_format((struct jic_uuid){0}, back);
	cr_expect_str_eq(back, "00000000-0000-0000-0000-000000000000");
}
