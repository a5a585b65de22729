#include "client/lib/depot/cachefile.h"

#include <criterion/criterion.h>

static const struct jic_uuid test_uuid = {.hi = 0x8dfed614e22c5e08, .lo = 0x85e165c5234f0b40}; /* slug JfdTE */
static const struct jic_julia_version v15 = {1, 5, 3}, v111 = {1, 11, 1};

static void stem_of(const char *runtime, uint8_t key, char stem[JIC_CACHEFILE_STEM_BYTES])
{
	struct jic_digest sysimage = {{1}}, digest = {{key}};
	jic_cachefile_stem(test_uuid, jic_view_of(runtime), &sysimage, &digest, stem);
}

Test(cachefile, our_name_begins_with_the_slug_and_sorts_before_letters)
{
	char stem[JIC_CACHEFILE_STEM_BYTES];
	stem_of("julia-1.11.1-x-0", 7, stem);
	cr_expect_eq(strncmp(stem, "JfdTE_0", 7), 0, "%s", stem);
	cr_expect_eq(strlen(stem), 17);
	cr_expect_lt(strcmp(stem, "JfdTE_Aaaaa"), 0);
}

Test(cachefile, the_same_address_has_the_same_name_and_another_has_not)
{
	char a[JIC_CACHEFILE_STEM_BYTES], b[JIC_CACHEFILE_STEM_BYTES], c[JIC_CACHEFILE_STEM_BYTES],
	    d[JIC_CACHEFILE_STEM_BYTES];
	stem_of("julia-1.11.1-x-0", 7, a);
	stem_of("julia-1.11.1-x-0", 7, b);
	stem_of("julia-1.11.1-x-0", 8, c);
	stem_of("julia-1.11.1-x-1", 7, d);
	cr_expect_str_eq(a, b);
	cr_expect_str_neq(a, c);
	cr_expect_str_neq(a, d);
}

Test(cachefile, only_files_with_the_slug_are_candidates)
{
	cr_expect(jic_cachefile_is_candidate(JIC_VIEW("JfdTE_abcde.ji"), "JfdTE", v111));
	cr_expect(jic_cachefile_is_candidate(JIC_VIEW("JfdTE_.ji"), "JfdTE", v111));
	cr_expect_not(jic_cachefile_is_candidate(JIC_VIEW("JfdTE_abcde.so"), "JfdTE", v111));
	cr_expect_not(jic_cachefile_is_candidate(JIC_VIEW("JfdTF_abcde.ji"), "JfdTE", v111));
	cr_expect_not(jic_cachefile_is_candidate(JIC_VIEW("JfdTE.ji"), "JfdTE", v111));
	cr_expect_not(jic_cachefile_is_candidate(JIC_VIEW(".jicache-tmp-1"), "JfdTE", v15));
}

Test(cachefile, old_julia_opens_whatever_begins_with_the_slug)
{
	cr_expect(jic_cachefile_is_candidate(JIC_VIEW("JfdTE_abcde.bak"), "JfdTE", v15));
	cr_expect_not(jic_cachefile_is_candidate(JIC_VIEW("JfdTE_abcde.bak"), "JfdTE", v111));
}

Test(cachefile, ours_is_recognised_by_its_shape)
{
	char stem[JIC_CACHEFILE_STEM_BYTES], name[64];
	stem_of("julia-1.11.1-x-0", 7, stem);
	snprintf(name, sizeof name, "%s.ji", stem);
	cr_expect(jic_cachefile_is_ours(jic_view_of(name)));
	cr_expect_not(jic_cachefile_is_ours(JIC_VIEW("JfdTE_abcde.ji")));
	cr_expect_not(jic_cachefile_is_ours(JIC_VIEW("JfdTE_1bcdefghijk.ji")));
	cr_expect_not(jic_cachefile_is_ours(JIC_VIEW("JfdTE_0bcdefghij-.ji")));
	cr_expect_not(jic_cachefile_is_ours(JIC_VIEW("JfdTE_0bcdefghijk.so")));
}

Test(cachefile, only_identifiers_become_directories)
{
	const char *good[] = {"A", "Gold_Mid", "_x1", "Ünïcode", "f!"};
	const char *bad[] = {"", ".", "..", "a/b", "/etc", "1A", "a b", "a.b", "a-b", "a\n"};
	for (size_t i = 0; i < JIC_COUNT(good); i++)
		cr_expect(jic_cachefile_package_name_valid(jic_view_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_expect_not(jic_cachefile_package_name_valid(jic_view_of(bad[i])), "%s", bad[i]);
	cr_expect_not(jic_cachefile_package_name_valid(jic_view_bytes("A\0B", 3)));
}

Test(cachefile, the_image_has_the_suffix_of_the_platform)
{
	struct jic_arena arena = {0};
	cr_expect(jic_view_is(jic_cachefile_image_path(JIC_VIEW("/d/a_b.ji"), JIC_VIEW("Linux"), &arena), "/d/a_b.so"));
	cr_expect(
	    jic_view_is(jic_cachefile_image_path(JIC_VIEW("/d/a_b.ji"), JIC_VIEW("Darwin"), &arena), "/d/a_b.dylib"));
	cr_expect(jic_view_is(jic_cachefile_compiled_dir(JIC_VIEW("/d//"), v111, &arena), "/d/compiled/v1.11"));
	jic_arena_clear(&arena);
}
