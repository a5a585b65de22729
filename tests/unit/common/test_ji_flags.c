/* Which flags a session takes, and under which an artefact may lie. Bytes: OOICCDDP. */
#include "common/ji_flags.h"

#include <criterion/criterion.h>

static const struct jic_julia_version v1_8 = {.major = 1, .minor = 8, .patch = 5},
				      v1_11_1 = {.major = 1, .minor = 11, .patch = 1},
				      v1_12 = {.major = 1, .minor = 12, .patch = 5};
enum { DEFAULT = 0xa3, O3 = 0xe3, O1 = 0x63, G2 = 0xa5, BOUNDS = 0xab, ALONE = 0xa2, ALONE_O3_BOUNDS = 0xea };

#define TEXT(debug, bounds, opt) JIC_VIEW("pkgimages=1,debug=" debug ",check_bounds=" bounds ",inline=1,opt=" opt)

Test(ji_flags, higher_levels_are_taken)
{
	cr_expect(jic_ji_flags_taken(v1_11_1, DEFAULT, DEFAULT));
	cr_expect(jic_ji_flags_taken(v1_11_1, DEFAULT, O3));
	cr_expect_not(jic_ji_flags_taken(v1_11_1, DEFAULT, O1));
	cr_expect_not(jic_ji_flags_taken(v1_11_1, DEFAULT, BOUNDS));
	cr_expect_not(jic_ji_flags_taken(v1_11_1, DEFAULT, G2), "the debug level counts exactly up to 1.11.1");
	cr_expect(jic_ji_flags_taken(v1_12, DEFAULT, G2));
	cr_expect_not(jic_ji_flags_taken(v1_12, G2, DEFAULT));
}

Test(ji_flags, without_images_nothing_else_counts)
{
	cr_expect(jic_ji_flags_taken(v1_12, ALONE, ALONE_O3_BOUNDS));
	cr_expect(jic_ji_flags_taken(v1_12, ALONE_O3_BOUNDS, ALONE));
	cr_expect_not(jic_ji_flags_taken(v1_12, DEFAULT, ALONE));
	cr_expect_not(jic_ji_flags_taken(v1_12, ALONE, DEFAULT));
	cr_expect(jic_ji_flags_taken(v1_8, 0, 0));
}

Test(ji_flags, an_artefact_lies_where_all_sessions_take_it)
{
	cr_expect(jic_ji_flags_serve(v1_11_1, TEXT("1", "0", "2"), DEFAULT));
	cr_expect(jic_ji_flags_serve(v1_11_1, TEXT("1", "0", "2"), O3));
	cr_expect_not(jic_ji_flags_serve(v1_11_1, TEXT("1", "0", "3"), DEFAULT));
	cr_expect_not(jic_ji_flags_serve(v1_11_1, TEXT("1", "1", "2"), DEFAULT));
	cr_expect_not(jic_ji_flags_serve(v1_11_1, TEXT("1", "0", "2"), G2));
	cr_expect(jic_ji_flags_serve(v1_12, TEXT("1", "0", "2"), G2));
	cr_expect_not(jic_ji_flags_serve(v1_12, TEXT("2", "0", "2"), DEFAULT));
	cr_expect(jic_ji_flags_serve(v1_12, JIC_VIEW("pkgimages=0"), ALONE_O3_BOUNDS));
	cr_expect_not(jic_ji_flags_serve(v1_12, JIC_VIEW("pkgimages=0"), DEFAULT));
	cr_expect_not(jic_ji_flags_serve(v1_12, JIC_VIEW("nonsense"), DEFAULT));
	cr_expect(jic_ji_flags_serve(v1_8, JIC_VIEW(""), 0));
}
