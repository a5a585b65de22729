/**
 * All cache files against one environment: which would its Julia take, and why not the others. First each by itself,
 * step by step (accept.h); then together, since a file is only of use when some good file has every build that it was
 * compiled against.
 */
#ifndef JIC_CLIENT_JUDGE_H
#define JIC_CLIENT_JUDGE_H

#include "client/lib/depot/caches.h"
#include "client/lib/graph/graph.h"
#include "client/lib/julia/refusal.h"

struct jic_verdict {
	const struct jic_node *node; /**< for whose sake Julia would open the file; NULL: for no package of this
	                                environment, and nothing else is set */
	enum jic_refusal why;
	struct jic_view text; /**< a sentence, when it is refused; in the arena */
};

struct jic_judge_options {
	bool any_options; /**< as that Julia would with whatever options the file was compiled with */
	bool no_bytes;    /**< leave out the checksums, which read everything */
};

/** @param[out] out one for each file, in the arena. @return false with JIC_EMEMORY */
jic_must_check bool jic_judge(const struct jic_graph *g, const struct jic_caches *caches,
                              const struct jic_judge_options *options, struct jic_arena *arena,
                              const struct jic_verdict **out, struct jic_error *err);

#endif
