/**
 * The two forms of a `.ji`: canonical (published: no path and no time of the machine that made it) and local (placed:
 * the paths and times that Julia compares with its source files).
 *
 * Canonical paths:  @depot/packages/Name/slug/…    a file of a package with a tree hash, whichever depot it is in
 *                   @jicache/UUID/relative/path    a file below the root of a developed package
 *                   @depot/…                       any other file that Julia ≥ 1.11 recorded so
 * Canonical times:  −1 content-tracked (1.11+), 0 absent, 1 for every other file. A directory's size (1.11+) is 0.
 */
#ifndef JIC_CLIENT_RELOCATE_H
#define JIC_CLIENT_RELOCATE_H

#include "client/lib/graph/graph.h"
#include "common/ji.h"
#include "common/message.h"

/** What a push needs to know of one file: its canonical bytes and the inputs that the header can't prove. */
struct jic_canonical {
	struct jic_buf ji;
	const struct jic_msg_input *inputs; /**< in the arena */
	size_t inputs_count;
};

/**
 * Rule 1, and canonical form. Checks that the file belongs to the node (name, UUID, prefix, flags, clone targets
 * against the facts), that every include record is covered by the node's key, still has the content that was compiled
 * (text, or size and CRC), that every recorded `import` and every required module is in the node's closure, the system
 * image or bundled, and that recorded preferences are the environment's.
 * @return false: JIC_EDENIED with a sentence that names the uncovered input (it can't be shared), JIC_ECONFLICT (a
 * source changed since), JIC_EFORMAT, JIC_EIO
 */
jic_must_check bool jic_canonicalise(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                                     struct jic_arena *arena, struct jic_canonical *out, struct jic_error *err);

/**
 * Local form of a canonical `.ji`: every record gets the local path (≤ 1.10 and developed packages; "@depot/…" stays on
 * 1.11+) and, where Julia compares them, the local file's time or a directory's size, after the local content was found
 * equal to what was compiled: the embedded source text, size and CRC (1.11+), or `inputs`.
 * @param[out] out release with jic_ji_parts_clear(); its data points into the canonical bytes
 * @return false with JIC_ECONFLICT naming the file that differs or is missing
 */
jic_must_check bool jic_localise(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                                 const struct jic_msg_input *inputs, size_t inputs_count, struct jic_arena *arena,
                                 struct jic_ji_parts *out, struct jic_error *err);

#endif
