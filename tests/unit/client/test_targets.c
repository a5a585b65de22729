/* Clone targets: blobs made by hand, and the one that real Julias wrote for "generic". */
#include "client/lib/julia/targets.h"
#include "common/buf.h"

#include <criterion/criterion.h>

static void add_target(struct jic_buf *b, const char *name, uint32_t word, uint32_t enabled)
{
	jic_buf_u32le(b, 0);
	jic_buf_u32le(b, 11);
	for (uint32_t i = 0; i < 11; i++)
		jic_buf_u32le(b, i == word ? enabled : 0);
	for (uint32_t i = 0; i < 11; i++)
		jic_buf_u32le(b, 0);
	jic_buf_u32le(b, (uint32_t)strlen(name));
	jic_buf_puts(b, name);
	jic_buf_u32le(b, 0);
}

static struct jic_facts facts(const char *target)
{
	return (struct jic_facts){
	    .version = {1, 11, 1}, .cpu_target = jic_view_of(target), .cpu_name = JIC_VIEW("znver4")};
}

/* All bits of cpuid leaf 7: no processor has AVX512ER and everything else. */
enum { LACKING_WORD = 2, LACKING = -1 };

Test(targets, no_image_is_usable_and_matches)
{
	struct jic_facts f = facts("native");
	cr_expect(jic_targets_usable((struct jic_view){0}, &f));
	cr_expect(jic_targets_match_session((struct jic_view){0}, &f));
}

Test(targets, a_target_without_features_is_usable_and_one_with_all_is_not)
{
	struct jic_facts f = facts("native");
	struct jic_buf plain = {0}, wide = {0}, both = {0};
	jic_buf_u32le(&plain, 1);
	add_target(&plain, "generic", 0, 0);
	jic_buf_u32le(&wide, 1);
	add_target(&wide, "future", LACKING_WORD, (uint32_t)LACKING);
	jic_buf_u32le(&both, 2);
	add_target(&both, "future", LACKING_WORD, (uint32_t)LACKING);
	add_target(&both, "generic", 0, 0);
	cr_expect(jic_targets_usable(jic_buf_view(&plain), &f));
	cr_expect_not(jic_targets_usable(jic_buf_view(&wide), &f));
	cr_expect(jic_targets_usable(jic_buf_view(&both), &f), "one usable target is enough");
	jic_buf_clear(&plain);
	jic_buf_clear(&wide);
	jic_buf_clear(&both);
}

/* One target: of a known or unknown (0x20) name, with one word enabled and one not to be used. */
static void put_target(struct jic_buf *b, uint32_t flags, uint32_t enabled, uint32_t disabled, const char *name)
{
	jic_buf_reset(b);
	jic_buf_u32le(b, 1);
	jic_buf_u32le(b, flags);
	jic_buf_u32le(b, 1);
	jic_buf_u32le(b, enabled);
	jic_buf_u32le(b, disabled);
	jic_buf_u32le(b, (uint32_t)strlen(name));
	jic_buf_puts(b, name);
	jic_buf_u32le(b, 0);
}

Test(targets, what_the_session_must_not_use_decides)
{
	struct jic_facts f = facts("native");
	struct jic_buf jit = {0}, image = {0};
	put_target(&jit, 0, 0x0f, 0xf0, "znver4");
	f.jit_target = jic_buf_view(&jit);
	put_target(&image, 0, 0x07, 0, "haswell");
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f));
	put_target(&image, 0, 0x17, 0, "haswell");
	cr_expect_not(jic_targets_usable(jic_buf_view(&image), &f));
	put_target(&image, 0, 0x107, 0, "haswell");
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f), "Julia looks at no feature that it does not mask");
	jic_buf_clear(&jit);
	jic_buf_clear(&image);
}

/* Julia 1.9 can't be asked. A machine whose processor it does not know by name takes what it compiled itself. */
Test(targets, of_an_unknown_name_are_usable_where_the_processor_has_it)
{
	struct jic_facts f = facts("native");
	struct jic_buf image = {0};
	put_target(&image, 0x20, 0, 0, "znver4");
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f));
	cr_expect(jic_targets_match_session(jic_buf_view(&image), &f));
	put_target(&image, 0x20, 0, 0, "x86-64-v4");
	cr_expect_not(jic_targets_usable(jic_buf_view(&image), &f));
	cr_expect_not(jic_targets_match_session(jic_buf_view(&image), &f));
	jic_buf_clear(&image);
}

Test(targets, what_julia_knows_by_name_only_is_not_taken_where_it_would_trap)
{
	struct jic_facts f = facts("native");
	struct jic_buf jit = {0}, image = {0};
	f.arch = JIC_VIEW("x86_64");
	f.cpu_features = JIC_VIEW("+cx16,+sahf,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3");
	put_target(&jit, 0, 0x0f, 0xf0, "znver4");
	f.jit_target = jic_buf_view(&jit);
	put_target(&image, 0x20, 0x01, 0, "x86-64-v3");
	cr_expect_not(jic_targets_usable(jic_buf_view(&image), &f));
	put_target(&image, 0x20, 0x01, 0, "x86-64-v2");
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f));
	put_target(&jit, 0x20, 0x01, 0, "x86-64-v3");
	f.jit_target = jic_buf_view(&jit);
	put_target(&image, 0, 0xff, 0, "znver5");
	cr_expect_not(jic_targets_usable(jic_buf_view(&image), &f), "such a session would take everything");
	put_target(&image, 0x20, 0x01, 0, "x86-64-v3");
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f));
	jic_buf_clear(&jit);
	jic_buf_clear(&image);
}

/* What official builds of 1.12 are made for: Julia knows no "x86-64-v4", and does not choose it where there is AVX. */
Test(targets, of_several_the_one_that_julia_chooses_must_not_trap)
{
	struct jic_facts f = facts("native");
	struct jic_buf jit = {0}, image = {0};
	f.arch = JIC_VIEW("x86_64");
	put_target(&jit, 0, 1u << 28 | 1, 0, "znver2");
	f.jit_target = jic_buf_view(&jit);
	jic_buf_u32le(&image, 3);
	const struct {
		const char *name;
		uint32_t flags, enabled;
	} targets[] = {{"generic", 0, 1}, {"haswell", 0, 1u << 28 | 1}, {"x86-64-v4", 0x20, 1}};
	for (size_t i = 0; i < JIC_COUNT(targets); i++) {
		jic_buf_u32le(&image, targets[i].flags);
		jic_buf_u32le(&image, 1);
		jic_buf_u32le(&image, targets[i].enabled);
		jic_buf_u32le(&image, 0);
		jic_buf_u32le(&image, (uint32_t)strlen(targets[i].name));
		jic_buf_puts(&image, targets[i].name);
		jic_buf_u32le(&image, 0);
	}
	cr_expect(jic_targets_usable(jic_buf_view(&image), &f), "haswell is chosen");
	put_target(&jit, 0, 1, 1u << 28, "core2");
	f.jit_target = jic_buf_view(&jit);
	cr_expect_not(jic_targets_usable(jic_buf_view(&image), &f), "x86-64-v4 would be");
	jic_buf_clear(&jit);
	jic_buf_clear(&image);
}

Test(targets, names_are_compared_with_the_target_string)
{
	struct jic_facts generic = facts("generic"), haswell = facts("haswell,-rdrnd"), native = facts("native");
	struct jic_buf b = {0}, host = {0};
	jic_buf_u32le(&b, 1);
	add_target(&b, "generic", 0, 0);
	jic_buf_u32le(&host, 1);
	add_target(&host, "znver4", 0, 0);
	cr_expect(jic_targets_match_session(jic_buf_view(&b), &generic));
	cr_expect_not(jic_targets_match_session(jic_buf_view(&b), &haswell));
	cr_expect_not(jic_targets_match_session(jic_buf_view(&b), &native));
	cr_expect(jic_targets_match_session(jic_buf_view(&host), &native));
	jic_buf_clear(&b);
	jic_buf_clear(&host);
}

Test(targets, several_targets_take_effect_since_1_11_2)
{
	struct jic_facts f = facts("generic;haswell,-rdrnd,base(1)");
	struct jic_buf one = {0}, two = {0};
	jic_buf_u32le(&one, 1);
	add_target(&one, "generic", 0, 0);
	jic_buf_u32le(&two, 2);
	add_target(&two, "generic", 0, 0);
	add_target(&two, "haswell", 0, 0);
	cr_expect(jic_targets_match_session(jic_buf_view(&one), &f));
	cr_expect(jic_targets_match_session(jic_buf_view(&two), &f));
	f.version.patch = 2;
	cr_expect_not(jic_targets_match_session(jic_buf_view(&one), &f));
	cr_expect(jic_targets_match_session(jic_buf_view(&two), &f));
	jic_buf_clear(&one);
	jic_buf_clear(&two);
}

Test(targets, a_blob_cut_anywhere_is_neither_usable_nor_matching)
{
	struct jic_facts f = facts("generic");
	struct jic_buf b = {0};
	jic_buf_u32le(&b, 1);
	add_target(&b, "generic", 0, 0);
	for (size_t len = 1; len < b.len; len++) {
		cr_expect_not(jic_targets_usable(jic_view_head(jic_buf_view(&b), len), &f), "%zu", len);
		cr_expect_not(jic_targets_match_session(jic_view_head(jic_buf_view(&b), len), &f), "%zu", len);
	}
	jic_buf_clear(&b);
}
