/**
 * Recall: withdraw all that one maker made, and what was built on it, for good. Works beside a running server: only the
 * index is changed, and readers see the next state from the next request on; the bytes go with the sweep.
 *
 *     remember the recall    from here on a recalled key signs nothing any more
 *     what it made           in portions, each with its dependents in one transaction: readers see a coherent set
 *                            between any two, and publishers wait for one portion at most
 *
 * What was recalled can't be published again, by nobody: machines that have it locally would bring it back.
 */
#ifndef JIC_SERVER_STORE_RECALL_H
#define JIC_SERVER_STORE_RECALL_H

#include "server/store/store.h"
#include "server/store/withdraw.h"

/**
 * Whom a text means: "key:…", "token:…" or "run:…"; without a prefix what fits. A key is named by its 16-digit id, its
 * 64 hex digits, or the whole word that keygen prints; it need not have signed anything that is stored when it is given
 * whole.
 * @param[out] out views in the arena
 * @return false with JIC_ENOTFOUND (nobody like that) or JIC_EUSAGE (a token and a run are called that)
 */
jic_must_check bool jic_store_maker(struct jic_store *s, struct jic_view text, struct jic_arena *arena,
                                    struct jic_index_maker *out, struct jic_error *err);

/** @param dry_run change nothing, and count what would go */
jic_must_check bool jic_store_recall(struct jic_store *s, const struct jic_index_maker *maker, bool dry_run,
                                     struct jic_withdrawn *out, struct jic_error *err);
/** Let it be published again; nothing comes back by itself. JIC_ENOTFOUND. */
jic_must_check bool jic_store_unrecall(struct jic_store *s, const struct jic_index_maker *maker, struct jic_error *err);
jic_must_check bool jic_store_recalls(struct jic_store *s, struct jic_arena *arena, const struct jic_index_recall **out,
                                      size_t *count, struct jic_error *err);

#endif
