/**
 * Whether there is room: the limit on stored bytes, and the floor of free ones on the disk. Any thread.
 */
#ifndef JIC_SERVER_STORE_SPACE_H
#define JIC_SERVER_STORE_SPACE_H

#include "server/store/store.h"

/** Bytes of an upload that were written, and, once it is over, that are no longer its own. */
void jic_space_arriving(struct jic_store *s, uint64_t bytes);
void jic_space_arrived(struct jic_store *s, uint64_t bytes);
/** The index has a blob more. */
void jic_space_stored(struct jic_store *s, uint64_t bytes);

/** Have eviction look for what is to go. */
void jic_space_wake(struct jic_store *s);

/** Look up what is stored; jic_space_check() goes by the last look. Costs nothing without a limit. */
jic_must_check bool jic_space_look(struct jic_store *s, struct jic_error *err);

/** JIC_ENOSPACE when the limit is exceeded or the disk has less than the floor; eviction is woken then. */
jic_must_check bool jic_space_check(struct jic_store *s, struct jic_error *err);
/** The floor alone. */
jic_must_check bool jic_space_check_disk(struct jic_store *s, struct jic_error *err);

/** Bytes that eviction should free: what is over nine tenths of the limit, and what is missing to the floor with a
 *  tenth more. 0: none. */
jic_must_check bool jic_space_wanted(struct jic_store *s, uint64_t *out, struct jic_error *err);

#endif
