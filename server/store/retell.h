/**
 * What is stored, said again as the publish that it came from: for who checks the one against the other, and for who
 * carries it to another server.
 */
#ifndef JIC_SERVER_STORE_RETELL_H
#define JIC_SERVER_STORE_RETELL_H

#include "server/store/select.h"

/**
 * What is the same for all artefacts of a space, as the lookup's last lane says it. The runtime's bundled caches are
 * none: see jic_index_txn_ops.runtime_bundled.
 * @param[out] out runtime, sysimage and sysimage_modules are set, in the lookup's arena
 * @return false with JIC_ENOTFOUND when the runtime was never described, or when the index failed
 */
jic_must_check bool jic_retell_space(const struct jic_lookup *lookup, const struct jic_index_space *space,
                                     struct jic_msg_publish *out, struct jic_error *err);

/** One artefact, with its origin, in the arena. @return false when the index failed, or it is gone (JIC_ENOTFOUND) */
jic_must_check bool jic_retell_artefact(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                                        struct jic_arena *arena, struct jic_msg_artefact *out, struct jic_error *err);

#endif
