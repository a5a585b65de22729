/* Reading a variable out of a shared object: real ones, and what is left of them after damage. */
#include "common/elf.h"

#include "tests/support/corpus.h"

#include <elf.h>

static struct jic_view read_image(const char *pattern)
{
	glob_t files = corpus_glob(pattern, 1);
	struct jic_view image = corpus_read(files.gl_pathv[0]);
	globfree(&files);
	return image;
}

#define IMAGE "1.12.5/depot/compiled/*/GoldBuild/*.so"

static bool look_up(struct jic_view image, const char *name, struct jic_view *out, struct jic_error *err)
{
	struct jic_elf elf;
	return jic_elf_open(image, &elf, err) && jic_elf_symbol(&elf, name, out, err);
}

static uint64_t u64_of(struct jic_view v)
{
	uint64_t n;
	cr_assert_eq(v.len, sizeof n);
	memcpy(&n, v.ptr, sizeof n);
	return n;
}

Test(elf, the_system_image_of_every_real_image_is_found)
{
	glob_t files = corpus_glob("*/depot/compiled/*/*/*.so", 30);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct jic_view image = corpus_read(files.gl_pathv[i]), data, size;
		struct jic_error err = {0};
		cr_assert(look_up(image, "jl_system_image_data", &data, &err), "%s: %s", files.gl_pathv[i], err.text);
		cr_assert(look_up(image, "jl_system_image_size", &size, &err), "%s: %s", files.gl_pathv[i], err.text);
		cr_assert_eq(u64_of(size), data.len);
		cr_assert(jic_view_starts(data, JIC_VIEW("\373jli\r\n\032\n")));
		view_free(image);
	}
	globfree(&files);
}

Test(elf, a_symbol_that_is_not_defined_there_is_not_found)
{
	struct jic_view image = read_image(IMAGE), out;
	static const char *const names[] = {"no_such_symbol", "", "jl_system_image_dat", "jl_system_image_data_",
	                                    "jl_RTLD_DEFAULT_handle" /* undefined: wanted from elsewhere */};
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		struct jic_error err = {0};
		cr_assert_not(look_up(image, names[i], &out, &err), "%s", names[i]);
		cr_assert_eq(err.code, JIC_ENOTFOUND, "%s: %s", names[i], err.text);
	}
	view_free(image);
}

/* The dynamic entry with this tag; the image is the test's own. */
static Elf64_Dyn *dynamic_entry(struct jic_view image, int64_t tag)
{
	Elf64_Ehdr h;
	memcpy(&h, image.ptr, sizeof h);
	for (size_t i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;
		memcpy(&p, image.ptr + h.e_phoff + i * sizeof p, sizeof p);
		for (size_t at = 0; p.p_type == PT_DYNAMIC && at < p.p_filesz; at += sizeof(Elf64_Dyn)) {
			Elf64_Dyn *d = (Elf64_Dyn *)(void *)byte_at(image, p.p_offset + at);
			if (d->d_tag == tag)
				return d;
		}
	}
	cr_assert_fail("no dynamic entry %lld", (long long)tag);
	return NULL;
}

Test(elf, the_older_hash_table_serves_where_the_newer_is_missing)
{
	struct jic_view image = read_image(IMAGE), out;
	struct jic_error err = {0};
	dynamic_entry(image, DT_GNU_HASH)->d_tag = DT_DEBUG;
	cr_assert(look_up(image, "jl_system_image_data", &out, &err), "%s", err.text);
	cr_assert(jic_view_starts(out, JIC_VIEW("\373jli")));
	cr_assert_not(look_up(image, "no_such_symbol", &out, &err));
	cr_assert_eq(err.code, JIC_ENOTFOUND);
	/* This table has the undefined symbols too. */
	cr_assert_not(look_up(image, "jl_RTLD_DEFAULT_handle", &out, &err));
	cr_assert_eq(err.code, JIC_ENOTFOUND);
	dynamic_entry(image, DT_HASH)->d_tag = DT_DEBUG;
	cr_assert_not(look_up(image, "jl_system_image_data", &out, &err));
	cr_assert_eq(err.code, JIC_EFORMAT);
	view_free(image);
}

Test(elf, a_cycle_in_a_hash_chain_ends)
{
	struct jic_view image = read_image(IMAGE), out;
	struct jic_error err = {0};
	struct jic_elf elf;
	dynamic_entry(image, DT_GNU_HASH)->d_tag = DT_DEBUG;
	cr_assert(jic_elf_open(image, &elf, &err));
	/* Every bucket and chain entry leads to symbol 1, which nobody asks for. */
	uint32_t counts[2], one = 1;
	memcpy(counts, elf.hash.ptr, sizeof counts);
	for (size_t i = 0; i < (size_t)counts[0] + counts[1]; i++)
		memcpy(byte_at(image, (size_t)(elf.hash.ptr - image.ptr) + 8 + 4 * i), &one, sizeof one);
	cr_assert_not(jic_elf_symbol(&elf, "jl_system_image_data", &out, &err));
	cr_assert_eq(err.code, JIC_ENOTFOUND);
	view_free(image);
}

static void refuse_open(struct jic_view image, enum jic_code code)
{
	struct jic_elf elf;
	struct jic_error err = {0};
	cr_assert_not(jic_elf_open(image, &elf, &err));
	cr_assert_eq(err.code, code, "%s", err.text);
}

Test(elf, another_class_or_byte_order_is_unsupported)
{
	struct jic_view image = read_image(IMAGE);
	*byte_at(image, EI_CLASS) = ELFCLASS32;
	refuse_open(image, JIC_EUNSUPPORTED);
	*byte_at(image, EI_CLASS) = ELFCLASS64;
	*byte_at(image, EI_DATA) = ELFDATA2MSB;
	refuse_open(image, JIC_EUNSUPPORTED);
	*byte_at(image, EI_DATA) = ELFDATA2LSB;
	*byte_at(image, 0) = 'E';
	refuse_open(image, JIC_EFORMAT);
	view_free(image);
}

Test(elf, a_symbol_beyond_its_segment_is_refused)
{
	struct jic_view image = read_image(IMAGE), out;
	struct jic_error err = {0};
	struct jic_elf elf;
	cr_assert(jic_elf_open(image, &elf, &err));
	for (size_t at = (size_t)(elf.symbols.ptr - image.ptr), i = 0; i < 12; i++) {
		uint64_t huge = UINT64_MAX;
		memcpy(byte_at(image, at + i * sizeof(Elf64_Sym) + offsetof(Elf64_Sym, st_size)), &huge, sizeof huge);
	}
	cr_assert_not(jic_elf_symbol(&elf, "jl_system_image_data", &out, &err));
	cr_assert_eq(err.code, JIC_EFORMAT);
	view_free(image);
}

Test(elf, no_truncation_is_read_beyond_its_end)
{
	struct jic_view image = read_image(IMAGE);
	size_t found = 0;
	for (size_t len = 0; len < image.len; len += len < 2048 ? 1 : 7) {
		struct jic_view part = exact_copy(image, len), out;
		struct jic_error err = {0};
		if (look_up(part, "jl_system_image_data", &out, &err))
			found += out.len > 0 && out.ptr[out.len - 1] == out.ptr[out.len - 1];
		else
			cr_assert_neq(err.code, JIC_OK);
		view_free(part);
	}
	cr_assert_gt(found, 0, "a file without its section headers is still an image");
	view_free(image);
}

Test(elf, no_changed_byte_is_followed_out_of_the_image)
{
	struct jic_view image = read_image(IMAGE), out;
	size_t tables = 4096; /* headers, symbols, strings, hash tables, dynamic section */
	for (size_t i = 0; i < 2 * tables; i++) {
		char *byte = byte_at(image, i / 2), before = *byte;
		*byte = (char)(i % 2 ? 0xff : before ^ 0x10);
		if (look_up(image, "jl_system_image_data", &out, NULL) && out.len)
			cr_assert(out.ptr >= image.ptr && out.ptr + out.len <= image.ptr + image.len);
		*byte = before;
	}
	view_free(image);
}
