#include "server/store/key_set.h"

#include <criterion/criterion.h>

static struct jic_digest key(uint8_t n)
{
	return (struct jic_digest){.bytes = {n, 7}};
}

Test(key_set, is_sorted_and_has_everything_once)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest keys[] = {key(9), key(1), key(9), key(200), key(1)};
	struct jic_key_set set;
	cr_assert(jic_key_set_of(&arena, keys, 5, &set));
	cr_assert_eq(set.count, 3);
	cr_expect_eq(set.keys[0].bytes[0], 1);
	cr_expect_eq(set.keys[1].bytes[0], 9);
	cr_expect_eq(set.keys[2].bytes[0], 200);
}

Test(key_set, finds_what_it_has_and_nothing_else)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest keys[100], absent = key(101), lower = {0};
	struct jic_key_set set, empty;
	for (uint8_t i = 0; i < 100; i++)
		keys[i] = key((uint8_t)(2 * i + 2));
	cr_assert(jic_key_set_of(&arena, keys, 100, &set));
	for (size_t i = 0; i < 100; i++)
		cr_expect_eq(jic_key_set_find(&set, &keys[i]), i);
	cr_expect_eq(jic_key_set_find(&set, &absent), SIZE_MAX);
	cr_expect_eq(jic_key_set_find(&set, &lower), SIZE_MAX);
	cr_assert(jic_key_set_of(&arena, NULL, 0, &empty));
	cr_expect_eq(jic_key_set_find(&empty, &keys[0]), SIZE_MAX);
}

Test(key_set, adds_and_takes_away)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest low[] = {key(1), key(2), key(3)}, high[] = {key(3), key(4)};
	struct jic_key_set a, b, both, rest;
	cr_assert(jic_key_set_of(&arena, low, 3, &a) && jic_key_set_of(&arena, high, 2, &b));
	cr_assert(jic_key_set_union(&arena, &a, &b, &both));
	cr_expect_eq(both.count, 4);
	cr_assert(jic_key_set_minus(&arena, &both, &a, &rest));
	cr_assert_eq(rest.count, 1);
	cr_expect_eq(rest.keys[0].bytes[0], 4);
}
