/*
 * Packed columns: they come from our own file, and backups and other machines bring such files. The first byte picks
 * the list. Property: what is read is written as it was.
 */
#include "server/store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf again = {0};
	if (size == 0)
		return 0;
	const struct jic_view packed = jic_view_bytes(data + 1, size - 1);
	size_t count;
	const struct jic_msg_input *inputs;
	const struct jic_ji_module *modules;
	const uint32_t *numbers;
	const struct jic_view *texts;
	switch (data[0] % 4) {
	case 0:
		if (!jic_unpack_inputs(packed, &arena, &inputs, &count, NULL))
			return 0;
		jic_pack_inputs(inputs, count, &again);
		break;
	case 1:
		/* Sets: the order and what is there twice are not kept. */
		if (jic_unpack_modules(packed, &arena, &modules, &count, NULL))
			JIC_ASSERT(jic_pack_modules(modules, count, &again, NULL));
		return 0;
	case 2:
		if (!jic_unpack_numbers(packed, &arena, &numbers, &count, NULL))
			return 0;
		jic_pack_numbers(numbers, count, &again);
		break;
	default:
		if (!jic_unpack_texts(packed, &arena, &texts, &count, NULL))
			return 0;
		jic_pack_texts(texts, count, &again);
		break;
	}
	JIC_ASSERT(jic_view_eq(jic_buf_view(&again), packed));
	return 0;
}
