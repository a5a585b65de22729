/**
 * Taking cache files away from under running Julias: `.ji` first, so that none is ever seen without its image; under
 * the depot's lock and Julia's own; and not if anything happened to the file since it was judged.
 */
#ifndef JIC_CLIENT_GC_REMOVE_H
#define JIC_CLIENT_GC_REMOVE_H

#include "client/lib/depot/caches.h"

struct jic_remover;
/** @param f the session's: its Julia's pidfiles are held while a package's files go; borrowed */
struct jic_remover *jic_remover_new(const struct jic_facts *f, struct jic_error *err);
void jic_remover_free(struct jic_remover *r);
JIC_DEFINE_AUTO(jic_remover, jic_remover_free)

/**
 * Remove one. Call in the order of jic_gc_order().
 * @return false, and the file is there as before: JIC_EBUSY (it was used meanwhile, a Julia is compiling the package,
 * another jicache works in that depot, or a file that could not be removed was compiled against it), JIC_EDENIED,
 * JIC_EIO
 */
jic_must_check bool jic_remover_remove(struct jic_remover *r, const struct jic_cache *c, struct jic_error *err);

#endif
