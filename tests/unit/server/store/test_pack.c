#include "server/store/pack.h"

#include <criterion/criterion.h>

static const struct jic_msg_input inputs[] = {
    {.type = JIC_INPUT_FILE, .path = {.ptr = "@depot/a", .len = 8}, .sha256 = {.bytes = {1}}},
    {.type = JIC_INPUT_DIRECTORY, .path = {.ptr = "@depot/b/", .len = 9}, .sha256 = {.bytes = {2}}},
    {.type = JIC_INPUT_ABSENT, .path = {.ptr = "", .len = 0}},
};

Test(pack, inputs_come_back)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_msg_input *got;
	size_t count;
	struct jic_error err = {0};
	jic_pack_inputs(inputs, 3, &b);
	cr_assert(jic_unpack_inputs(jic_buf_view(&b), &arena, &got, &count, &err), "%s", err.text);
	cr_assert_eq(count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(got[i].type == inputs[i].type && jic_view_eq(got[i].path, inputs[i].path) &&
		          jic_digest_eq(&got[i].sha256, &inputs[i].sha256));
}

Test(pack, every_cut_of_packed_inputs_is_corruption)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_msg_input *got;
	size_t count;
	jic_pack_inputs(inputs, 3, &b);
	for (size_t len = 0; len < b.len; len++) {
		struct jic_error err = {0};
		cr_assert_not(jic_unpack_inputs(jic_view_head(jic_buf_view(&b), len), &arena, &got, &count, &err));
		cr_assert_eq(err.code, JIC_ECORRUPT, "%zu: %s", len, err.text);
	}
	jic_buf_u8(&b, 0);
	cr_assert_not(jic_unpack_inputs(jic_buf_view(&b), &arena, &got, &count, NULL), "a byte left over");
}

Test(pack, an_input_of_unknown_type_is_corruption)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_msg_input *got;
	size_t count;
	jic_pack_inputs(inputs, 1, &b);
	b.ptr[4] = 3;
	cr_expect_not(jic_unpack_inputs(jic_buf_view(&b), &arena, &got, &count, NULL));
}

Test(pack, equal_sets_of_modules_give_equal_bytes)
{
	JIC_CLEAR(jic_buf) struct jic_buf one = {0};
	JIC_CLEAR(jic_buf) struct jic_buf other = {0};
	JIC_CLEAR(jic_buf) struct jic_buf different = {0};
	struct jic_error err = {0};
	struct jic_ji_module core = {.name = JIC_VIEW("Core"), .build_id = {1, 2}};
	struct jic_ji_module base = {.name = JIC_VIEW("Base"), .build_id = {1, 3}};
	struct jic_ji_module renamed = {.name = JIC_VIEW("Bass"), .build_id = {1, 3}};
	cr_assert(jic_pack_modules((struct jic_ji_module[]){core, base}, 2, &one, &err));
	cr_assert(jic_pack_modules((struct jic_ji_module[]){base, core, base}, 3, &other, &err));
	cr_assert(jic_pack_modules((struct jic_ji_module[]){core, renamed}, 2, &different, &err));
	cr_expect(jic_view_eq(jic_buf_view(&one), jic_buf_view(&other)));
	cr_expect_not(jic_view_eq(jic_buf_view(&one), jic_buf_view(&different)));
}

Test(pack, numbers_come_back_and_a_cut_one_is_corruption)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const uint32_t numbers[] = {0, 1, UINT32_MAX}, *got;
	size_t count;
	jic_pack_numbers(numbers, 3, &b);
	cr_assert(jic_unpack_numbers(jic_buf_view(&b), &arena, &got, &count, &err));
	cr_assert_eq(count, 3);
	cr_expect_arr_eq(got, numbers, sizeof numbers);
	cr_expect_not(jic_unpack_numbers(jic_view_head(jic_buf_view(&b), 11), &arena, &got, &count, &err));
	cr_expect_eq(err.code, JIC_ECORRUPT);
}
