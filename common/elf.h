/**
 * As much of 64-bit little-endian ELF (System V gABI, chapters 4 and 5) as it takes to read a variable of a shared
 * object without loading it: a dynamic symbol is looked up through PT_DYNAMIC and a hash table, as dlsym() does, and
 * its address is mapped to bytes of the file through PT_LOAD. Section headers are not used: what the loader ignores, we
 * ignore. Nothing is allocated; every offset is checked.
 */
#ifndef JIC_COMMON_ELF_H
#define JIC_COMMON_ELF_H

#include "common/attr.h"
#include "common/view.h"

#include <jicache/error.h>

/** A shared object's tables; views into the image. */
struct jic_elf {
	struct jic_view image;    /**< borrowed */
	struct jic_view segments; /**< the program headers */
	struct jic_view dynamic;
	struct jic_view
	    symbols; /**< from the first symbol to the end of its segment: the table has no length of its own */
	struct jic_view strings;
	struct jic_view hash; /**< the hash table and what follows it in its segment */
	bool gnu_hash;        /**< DT_GNU_HASH, else DT_HASH */
};

/** Does it begin as an ELF file does? */
static inline bool jic_elf_is(struct jic_view image)
{
	return jic_view_starts(image, JIC_VIEW("\177ELF"));
}

/** @return false with JIC_EFORMAT, or JIC_EUNSUPPORTED for another class or byte order */
jic_must_check bool jic_elf_open(struct jic_view image, struct jic_elf *out, struct jic_error *err);

/** The bytes of a defined symbol, `size` as the symbol table has it. @return false with JIC_ENOTFOUND or JIC_EFORMAT */
jic_must_check bool jic_elf_symbol(const struct jic_elf *e, const char *name, struct jic_view *out,
                                   struct jic_error *err);

#endif
