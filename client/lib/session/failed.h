/**
 * Packages that fail to compile: a syntax error, an error at top level. Julia leaves no trace of a failure, so without
 * a memory every pull would ask for their artefacts, and every `jicache precompile` compile them again.
 *
 * A note is an empty file in the memory directory, named by the node's key, runtime and system image: another source,
 * dependency or Julia is another name. It counts for an hour, because a failure may have been the machine's (memory, a
 * network that a package asks while it compiles).
 */
#ifndef JIC_CLIENT_FAILED_H
#define JIC_CLIENT_FAILED_H

#include "client/lib/depot/depot.h"
#include "client/lib/session/report.h"
#include "client/lib/session/session.h"

enum { JIC_FAILED_S = 60 * 60 };

/** Julia has compiled what it could: note what Pkg.precompile() goes through (the closure of the active project) and
 * still has no file. */
void jic_failed_note(const struct jic_session *s, const struct jic_locals *locals);

/**
 * Nodes without a file that are noted get `reason` ("it failed to compile 12 minutes ago; …", in the session's arena)
 * and become `optional`: nobody misses them, though they are fetched when others are. `locals->wanted` is reduced by
 * them.
 */
void jic_failed_mark(struct jic_session *s, struct jic_locals *locals);

/** Is this what jic_failed_mark() made of a node? */
static inline bool jic_failed_is(const struct jic_node *n)
{
	return n->state == JIC_STATE_SHARED && n->optional && n->reason.len;
}

/**
 * The report's `failed_packages`: marked nodes that are still not here.
 * @param placed for each node: a pull has placed it; NULL: none
 * @return how many
 */
uint32_t jic_failed_tell(const struct jic_session *s, const struct jic_locals *locals, const bool *placed,
                         struct jic_report *r);

#endif
