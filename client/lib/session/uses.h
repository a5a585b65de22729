/**
 * Which of the remembered environments a cache file is for: by name, when it is one that jicache gave (it stands for
 * the address), or by build id, when Julia would have loaded it there.
 */
#ifndef JIC_CLIENT_USES_H
#define JIC_CLIENT_USES_H

#include "client/lib/depot/caches.h"
#include "client/lib/environment/lookup.h"
#include "client/lib/session/history.h"

struct jic_uses {
	const struct jic_known *known; /**< the last seen first */
	size_t known_count;
	const struct jic_known_node *nodes;
	size_t nodes_count;
	struct jic_lookup by_uuid; /**< indices into `nodes` */
};

/** Read what is remembered. @param arena owns it */
jic_must_check bool jic_uses_read(struct jic_history *h, struct jic_arena *arena, struct jic_uses *out,
                                  struct jic_error *err);

/**
 * @param[out] fits    for each of `known`: the file is for it; only ever set to true
 * @param[out] version the package's, as such an environment has it or had it; untouched when none did
 * @return how many it fits
 */
size_t jic_uses_of(const struct jic_uses *u, const struct jic_cache *c, bool *fits, struct jic_view *version);

#endif
