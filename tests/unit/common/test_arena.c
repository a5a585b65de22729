/* The arena: aligned, zeroed, lasting until it is cleared. */
#include "common/arena.h"
#include "common/attr.h"

#include <criterion/criterion.h>

Test(arena, memory_is_zeroed_aligned_and_apart)
{
	JIC_CLEAR(jic_arena) struct jic_arena a = {0};
	uint8_t *all[300];
	for (size_t i = 0; i < JIC_COUNT(all); i++) {
		all[i] = jic_arena_alloc(&a, i);
		cr_assert_not_null(all[i]);
		cr_expect_eq((uintptr_t)all[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < i; j++)
			cr_assert_eq(all[i][j], 0);
		memset(all[i], (int)(i & 0xff), i);
	}
	for (size_t i = 0; i < JIC_COUNT(all); i++) {
		for (size_t j = 0; j < i; j++)
			cr_assert_eq(all[i][j], i & 0xff);
	}
}

Test(arena, a_request_larger_than_a_block_is_served)
{
	JIC_CLEAR(jic_arena) struct jic_arena a = {0};
	char *small = jic_arena_alloc(&a, 10);
	char *large = jic_arena_alloc(&a, 5 << 20);
	cr_assert(small && large);
	memset(large, 1, 5 << 20);
	cr_expect_eq(small[9], 0);
	cr_expect_not_null(jic_arena_alloc(&a, 100));
}

Test(arena, sizes_that_overflow_fail_and_the_failure_is_sticky)
{
	JIC_CLEAR(jic_arena) struct jic_arena array = {0}, plain = {0};
	cr_expect_null(jic_arena_array(&array, SIZE_MAX / 2, 3));
	cr_expect(array.failed);
	cr_expect_null(jic_arena_alloc(&array, 1));
	cr_expect_null(jic_arena_alloc(&plain, SIZE_MAX));
	cr_expect(plain.failed);
	struct jic_view copy = jic_arena_copy(&plain, JIC_VIEW("x"));
	cr_expect(copy.ptr && copy.len == 0);
	cr_expect_eq(jic_arena_printf(&plain, "%d", 1).len, 0);
	jic_arena_clear(&plain);
	cr_expect_not_null(jic_arena_alloc(&plain, 1));
}

Test(arena, copies_are_terminated_and_formatted_text_is_whole)
{
	JIC_CLEAR(jic_arena) struct jic_arena a = {0};
	struct jic_view copy = jic_arena_copy(&a, jic_view_bytes("abcdef", 3));
	cr_expect_str_eq(copy.ptr, "abc");
	struct jic_view empty = jic_arena_copy(&a, (struct jic_view){0});
	cr_expect(empty.ptr && empty.ptr[0] == '\0' && empty.len == 0);
	struct jic_view text = jic_arena_printf(&a, "%0*d", 1000, 7);
	cr_expect(text.len == 1000 && text.ptr[999] == '7' && text.ptr[1000] == '\0');
}

Test(arena, clearing_twice_is_fine)
{
	struct jic_arena a = {0};
	cr_expect_not_null(JIC_ARENA_NEW(&a, struct jic_arena));
	cr_expect_not_null(jic_arena_array(&a, 10, 10));
	jic_arena_clear(&a);
	jic_arena_clear(&a);
	cr_expect_null(a.blocks);
}
