/* Program headers → dynamic section → hash table → symbol → bytes. See common/elf.h. */
#include "common/elf.h"

#include "common/cursor.h"

#include <elf.h>

enum { ELF_CHAIN_MAX = 1 << 20 /* symbols in one bucket; a cycle ends here */ };

static bool bad(struct jic_error *err, const char *what)
{
	return jic_fail(err, JIC_EFORMAT, "ELF image: %s", what);
}

static bool read_u32(struct jic_view v, uint64_t at, uint32_t *out)
{
	struct jic_cursor c = jic_cursor_over(v);
	return at <= v.len && jic_cursor_seek(&c, (size_t)at) && jic_cursor_u32le(&c, out);
}

static bool slice(struct jic_view v, uint64_t at, uint64_t len, struct jic_view *out)
{
	if (at > v.len || len > v.len - at)
		return false;
	*out = jic_view_head(jic_view_skip(v, (size_t)at), (size_t)len);
	return true;
}

/* The structs of <elf.h> have no padding and the host's byte order, which is the only one that we open. */
static bool read_struct(struct jic_view table, uint64_t index, void *out, size_t bytes)
{
	uint64_t at;
	struct jic_view v;
	if (__builtin_mul_overflow(index, bytes, &at) || !slice(table, at, bytes, &v))
		return false;
	memcpy(out, v.ptr, bytes);
	return true;
}

/* From an address to the end of what the file holds of its segment. */
static bool at_address(const struct jic_elf *e, uint64_t address, struct jic_view *out)
{
	Elf64_Phdr p;
	for (uint64_t i = 0; read_struct(e->segments, i, &p, sizeof p); i++) {
		struct jic_view segment;
		if (p.p_type != PT_LOAD || address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz)
			continue;
		if (!slice(e->image, p.p_offset, p.p_filesz, &segment))
			return false;
		*out = jic_view_skip(segment, (size_t)(address - p.p_vaddr));
		return true;
	}
	return false;
}

static bool read_header(struct jic_elf *e, struct jic_error *err)
{
	Elf64_Ehdr h;
	if (!jic_elf_is(e->image) || !read_struct(e->image, 0, &h, sizeof h))
		return bad(err, "not an ELF file");
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB)
		return jic_fail(err, JIC_EUNSUPPORTED, "ELF image: not 64-bit little-endian");
	if (h.e_phentsize != sizeof(Elf64_Phdr) ||
	    !slice(e->image, h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr), &e->segments))
		return bad(err, "bad program headers");
	Elf64_Phdr p;
	for (uint64_t i = 0; read_struct(e->segments, i, &p, sizeof p); i++) {
		if (p.p_type == PT_DYNAMIC)
			return slice(e->image, p.p_offset, p.p_filesz, &e->dynamic) || bad(err, "bad dynamic segment");
	}
	return bad(err, "not a shared object");
}

static bool read_dynamic(struct jic_elf *e, struct jic_error *err)
{
	uint64_t strings_bytes = 0;
	bool have_symbols = false, have_strings = false, have_hash = false;
	Elf64_Dyn d;
	for (uint64_t i = 0; read_struct(e->dynamic, i, &d, sizeof d) && d.d_tag != DT_NULL; i++) {
		if (d.d_tag == DT_SYMTAB)
			have_symbols = at_address(e, d.d_un.d_ptr, &e->symbols);
		else if (d.d_tag == DT_STRTAB)
			have_strings = at_address(e, d.d_un.d_ptr, &e->strings);
		else if (d.d_tag == DT_STRSZ)
			strings_bytes = d.d_un.d_val;
		else if (d.d_tag == DT_GNU_HASH)
			have_hash = e->gnu_hash = at_address(e, d.d_un.d_ptr, &e->hash);
		else if (d.d_tag == DT_HASH && !e->gnu_hash)
			have_hash = at_address(e, d.d_un.d_ptr, &e->hash);
	}
	if (!have_symbols || !have_strings || !have_hash)
		return bad(err, "no dynamic symbols");
	return slice(e->strings, 0, strings_bytes, &e->strings) || bad(err, "bad string table");
}

bool jic_elf_open(struct jic_view image, struct jic_elf *out, struct jic_error *err)
{
	struct jic_elf e = {.image = image};
	if (!read_header(&e, err) || !read_dynamic(&e, err))
		return false;
	*out = e;
	return true;
}

/* Is symbol `index` the defined one of this name? */
static bool is_symbol(const struct jic_elf *e, uint32_t index, struct jic_view name, Elf64_Sym *out)
{
	struct jic_view text;
	return read_struct(e->symbols, index, out, sizeof *out) && out->st_shndx != SHN_UNDEF &&
	       slice(e->strings, out->st_name, name.len + 1, &text) && text.ptr[name.len] == '\0' &&
	       jic_view_eq(jic_view_head(text, name.len), name);
}

/* gABI, "Hash Table Section": nbucket, nchain, buckets, chains */
static bool find_sysv(const struct jic_elf *e, struct jic_view name, Elf64_Sym *out)
{
	uint32_t h = 0, buckets, index;
	for (size_t i = 0; i < name.len; i++) {
		h = (h << 4) + (uint8_t)name.ptr[i];
		h = (h ^ ((h & 0xf0000000u) >> 24)) & 0x0fffffffu;
	}
	if (!read_u32(e->hash, 0, &buckets) || !buckets || !read_u32(e->hash, 8 + 4 * (uint64_t)(h % buckets), &index))
		return false;
	for (size_t steps = 0; index != STN_UNDEF && steps < ELF_CHAIN_MAX; steps++) {
		if (is_symbol(e, index, name, out))
			return true;
		if (!read_u32(e->hash, 8 + 4 * ((uint64_t)buckets + index), &index))
			return false;
	}
	return false;
}

/* GNU hash table: nbuckets, symoffset, bloom_size, bloom_shift, bloom words of 8 bytes, buckets, hashes of a chain up
 * to an odd one */
static bool find_gnu(const struct jic_elf *e, struct jic_view name, Elf64_Sym *out)
{
	uint32_t h = 5381, buckets, first, bloom, index, entry;
	for (size_t i = 0; i < name.len; i++)
		h = h * 33 + (uint8_t)name.ptr[i];
	if (!read_u32(e->hash, 0, &buckets) || !buckets || !read_u32(e->hash, 4, &first) ||
	    !read_u32(e->hash, 8, &bloom))
		return false;
	uint64_t buckets_at = 16 + 8 * (uint64_t)bloom, chains_at = buckets_at + 4 * (uint64_t)buckets;
	if (!read_u32(e->hash, buckets_at + 4 * (uint64_t)(h % buckets), &index) || index < first)
		return false;
	do {
		if (!read_u32(e->hash, chains_at + 4 * (uint64_t)(index - first), &entry))
			return false;
		if ((entry | 1) == (h | 1) && is_symbol(e, index, name, out))
			return true;
		index++;
	} while (!(entry & 1) && index != 0);
	return false;
}

bool jic_elf_symbol(const struct jic_elf *e, const char *name, struct jic_view *out, struct jic_error *err)
{
	Elf64_Sym symbol;
	struct jic_view wanted = jic_view_of(name), bytes;
	if (!(e->gnu_hash ? find_gnu(e, wanted, &symbol) : find_sysv(e, wanted, &symbol)))
		return jic_fail(err, JIC_ENOTFOUND, "ELF image: no symbol %s", name);
	if (!at_address(e, symbol.st_value, &bytes) || !slice(bytes, 0, symbol.st_size, out))
		return jic_fail(err, JIC_EFORMAT, "ELF image: symbol %s is not in the file", name);
	return true;
}
