/**
 * Who and where we are, for the record of what we publish: host, user, and the CI run that its variables tell of.
 */
#ifndef JIC_CLIENT_PROVENANCE_H
#define JIC_CLIENT_PROVENANCE_H

#include "common/message.h"

void jic_provenance_here(struct jic_arena *arena, struct jic_msg_provenance *out);

#endif
