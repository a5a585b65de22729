#include "server/store/module_map.h"

#include <criterion/criterion.h>

Test(module_map, finds_what_was_put_through_many_growths)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_module_map map = {.arena = &arena};
	for (uint32_t i = 0; i < 5000; i++)
		cr_assert(jic_module_map_put(&map, i * 64, i));
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t value = 0;
		cr_assert(jic_module_map_get(&map, i * 64, &value), "%u", i);
		cr_assert_eq(value, i);
		cr_assert_not(jic_module_map_get(&map, i * 64 + 1, NULL));
	}
}

Test(module_map, keeps_the_first_value)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_module_map map = {.arena = &arena};
	uint32_t value = 0;
	cr_assert(jic_module_map_put(&map, 0, 1) && jic_module_map_put(&map, 0, 2));
	cr_assert(jic_module_map_get(&map, 0, &value));
	cr_expect_eq(value, 1);
	cr_expect_eq(map.count, 1);
}

Test(module_map, has_nothing_at_first)
{
	struct jic_module_map map = {0};
	cr_expect_not(jic_module_map_get(&map, 0, NULL));
}
