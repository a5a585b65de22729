/**
 * What Pkg.precompile() goes through: the closure of the active project's dependencies, the project's own package, and
 * the extensions whose parents and triggers are among these. Other environments of the stack are left alone by it.
 */
#ifndef JIC_CLIENT_PRECOMPILED_H
#define JIC_CLIENT_PRECOMPILED_H

#include "client/lib/graph/graph.h"

/**
 * @param[in,out] tried  for each node; set for those that it goes through
 * @return false: there is no active project, or it can't be read
 */
jic_must_check bool jic_precompiled_find(const struct jic_graph *g, bool *tried);

#endif
