/*
 * jic_elf_open, jic_elf_symbol on foreign bytes. Property: what is found lies inside of the input, and is found again.
 */
#include "common/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"jl_system_image_data", "jl_system_image_size", "a"};
	struct jic_view image = jic_view_bytes(data, size), found, again;
	struct jic_error err = {0};
	struct jic_elf elf;
	if (!jic_elf_open(image, &elf, &err)) {
		JIC_ASSERT(err.code == JIC_EFORMAT || err.code == JIC_EUNSUPPORTED);
		return 0;
	}
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		if (!jic_elf_symbol(&elf, names[i], &found, &err)) {
			JIC_ASSERT(err.code == JIC_EFORMAT || err.code == JIC_ENOTFOUND);
			continue;
		}
		JIC_ASSERT(found.ptr >= image.ptr && found.len <= size && found.ptr + found.len <= image.ptr + size);
		JIC_ASSERT(jic_elf_symbol(&elf, names[i], &again, &err) && again.ptr == found.ptr);
	}
	return 0;
}
