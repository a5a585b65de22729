/**
 * One blob's bytes against what the index remembers of them.
 */
#ifndef JIC_SERVER_STORE_DAMAGE_H
#define JIC_SERVER_STORE_DAMAGE_H

#include "server/store/store.h"

enum jic_damage {
	JIC_DAMAGE_NONE,
	JIC_DAMAGE_MISSING,    /**< there are no bytes */
	JIC_DAMAGE_UNREADABLE, /**< the disk does not give them */
	JIC_DAMAGE_CONTENT,    /**< they don't decompress, or to something else than the digest says */
	JIC_DAMAGE_FACTS,      /**< content as it should be, but the row has another size, checksum or end */
};

/** Called after each piece with the bytes read, from where the reading may be slowed down; false ends it. */
typedef bool jic_damage_pace_fn(void *context, uint64_t stored_bytes, struct jic_error *err);

/**
 * Read all of a blob.
 * @param pace may be NULL
 * @param[out] why one sentence for every damage; untouched for JIC_DAMAGE_NONE
 * @return false when it can't be said: no memory, no descriptor, no right to read, or what `pace` says
 */
jic_must_check bool jic_damage_find(struct jic_store *s, const struct jic_index_blob *row, jic_damage_pace_fn *pace,
                                    void *context, enum jic_damage *out, struct jic_error *why, struct jic_error *err);

#endif
