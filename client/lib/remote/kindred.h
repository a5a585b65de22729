/**
 * Runtimes that this session's Julia takes and nobody here could guess: images for another target string, or another
 * machine's "native" whose features this one has. The server tells which there are, near what missed; whether one runs
 * here is judged by the clone targets of one of its artefacts (targets.h), before anything of it is placed.
 */
#ifndef JIC_CLIENT_KINDRED_H
#define JIC_CLIENT_KINDRED_H

#include "client/lib/remote/offer.h"

/**
 * Look for such runtimes and append them to the session's. Costs one request where nothing is near, two and a header
 * for each where there is. Failures are no failures: then nothing is appended.
 * @param offer what the session's runtimes gave: asked for are some of the nodes that it lacks
 * @return whether any was appended
 */
bool jic_kindred_find(struct jic_session *s, struct jic_connection *c, const struct jic_offer *offer);

#endif
