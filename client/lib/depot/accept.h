/**
 * Would this session's Julia load this file for this node? The checks of base/loading.jl:stale_cachefile that a file
 * and an environment decide by themselves, in its order; what depends on other files (is a required build id there?) is
 * decided over all files together, in depot_choose.c. Where Julia's rule can't be reproduced here, the answer is no:
 * then an artefact is fetched that was not needed.
 *
 * All functions return false with JIC_ECONFLICT and a sentence when the file would be rejected, or with the code of
 * what kept us from looking (JIC_EIO, JIC_ENOTFOUND, JIC_EFORMAT). `why`, which may be NULL, gets the step that Julia
 * would reject it at.
 */
#ifndef JIC_CLIENT_ACCEPT_H
#define JIC_CLIENT_ACCEPT_H

#include "client/lib/graph/graph.h"
#include "client/lib/julia/facts_accept.h"
#include "client/lib/julia/refusal.h"
#include "client/lib/memory/memory.h"
#include "common/file.h"
#include "common/ji.h"

/** Steps 1 to 8, 11 and 15: the header against session and environment. No file is looked at. */
jic_must_check bool jic_accept_header(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                                      enum jic_refusal *why, struct jic_error *err);

/** A `.ji` on disk, with what the memory needs to know it again. */
struct jic_accept_file {
	const struct jic_ji *ji;
	const char *image_path;            /**< where the image has to be, when the file has one */
	struct jic_file_identity identity; /**< of the `.ji` */
};

/**
 * All that the file was compiled from lies in a tree that is never edited: the package has a tree hash and no build
 * step, and every record is below its directory. Then its sources are looked through once.
 */
bool jic_accept_is_immutable(const struct jic_node *n, const struct jic_ji *ji);

/**
 * Steps 10 and 12: record 1 is the package's entry file, and every include record is fresh. An immutable one is
 * looked through once for each state of `.ji` and entry file.
 */
jic_must_check bool jic_accept_sources(const struct jic_graph *g, const struct jic_node *n,
                                       const struct jic_accept_file *file, struct jic_memory *m,
                                       struct jic_arena *arena, enum jic_refusal *why, struct jic_error *err);

/** Steps 13 and 14: the trailing CRC, and that of the image. Computed once for each state of a file; always when `m` is
 * NULL. */
jic_must_check bool jic_accept_bytes(const struct jic_accept_file *file, struct jic_memory *m, enum jic_refusal *why,
                                     struct jic_error *err);

/** Remember what jic_depot_place() knows of files that it has just written: their CRCs agree and their sources are
 * fresh. */
void jic_accept_remember(const struct jic_node *n, const struct jic_accept_file *file, struct jic_memory *m,
                         struct jic_arena *arena);

#endif
