/**
 * The client's small local state, in files of the memory directory: what was computed of a file's content, by the
 * file's identity, and snapshots of whole scans. All of it can be deleted at any time; then it is computed again.
 *
 * Processes may use it at the same time: a file is replaced whole, the last writer wins, and what it lacks is computed
 * again.
 *
 *     depot-files      "jicmem1\n" ‖ sorted records: 16 bytes of SHA-256 over kind and key ‖ u32 value
 *     scan-<16 hex>    see snapshot.h
 */
#ifndef JIC_CLIENT_MEMORY_H
#define JIC_CLIENT_MEMORY_H

#include "common/attr.h"
#include "common/buf.h"

#include <jicache/error.h>

enum jic_memory_kind {
	JIC_MEMORY_CRC = 1, /**< key: a file's identity; value: CRC-32C of its content */
	JIC_MEMORY_JI_GOOD =
	    2, /**< key: device, inode, size, trailing CRC of a `.ji` (Julia touches its times): its CRCs agree */
	JIC_MEMORY_FRESH = 3, /**< key: the same and the entry file's identity: all include records were fresh */
};

/** One process's view of it. Safe to use from several threads. */
struct jic_memory;

/** The directory: `option`, else $XDG_CACHE_HOME/jicache, else ~/.cache/jicache. malloc'ed; NULL: there is no such
 * place */
char *jic_memory_dir(const char *option);

/** Never fails for what is on disk: a missing or damaged file is an empty memory. NULL only when out of memory. */
struct jic_memory *jic_memory_open(const char *dir);
void jic_memory_free(struct jic_memory *m);
JIC_DEFINE_AUTO(jic_memory, jic_memory_free)

/** @param m may be NULL: nothing is known. `key` is hashed; it must have no padding bytes. */
jic_must_check bool jic_memory_get(struct jic_memory *m, enum jic_memory_kind kind, const void *key, size_t len,
                                   uint32_t *value);
/** @param m may be NULL. What does not fit into memory is not remembered. */
void jic_memory_put(struct jic_memory *m, enum jic_memory_kind kind, const void *key, size_t len, uint32_t value);
/** Write what was put, with what was there. Does nothing when nothing was put. */
jic_must_check bool jic_memory_save(struct jic_memory *m, struct jic_error *err);

#endif
