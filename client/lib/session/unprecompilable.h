/**
 * Packages that say `__precompile__(false)`: Julia makes no cache file of them, nor of what depends on them. There is
 * nothing to wait for, so nobody asks a server for one each time.
 */
#ifndef JIC_CLIENT_UNPRECOMPILABLE_H
#define JIC_CLIENT_UNPRECOMPILABLE_H

#include "client/lib/depot/depot.h"

/**
 * Does a source file say so in a line that begins with it? What is indented may be under a condition, what an included
 * file says is not looked for: those stay missing.
 */
bool jic_unprecompilable_text(struct jic_view source);

/** Is this what jic_unprecompilable_mark() made of a node? */
bool jic_unprecompilable_is(const struct jic_node *n);

/** Of the nodes without a local file those become UNSHARED that say so, or depend on one that does; `locals->wanted`
 * is reduced by them. */
void jic_unprecompilable_mark(struct jic_graph *g, struct jic_locals *locals);

#endif
