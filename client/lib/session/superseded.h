/**
 * The note that a push leaves when the server has other builds than this machine: everything is local then, and yet the
 * next pull should ask, so that what is compiled from now on stands on the shared builds and can be published.
 */
#ifndef JIC_CLIENT_SUPERSEDED_H
#define JIC_CLIENT_SUPERSEDED_H

#include "client/lib/session/session.h"

bool jic_superseded_noted(const struct jic_session *s);
/** Best effort: without it only convergence is later. */
void jic_superseded_note(const struct jic_session *s);
void jic_superseded_forget(const struct jic_session *s);

#endif
