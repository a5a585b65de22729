/**
 * What the server's administrator has recalled and is on this machine all the same.
 */
#ifndef JIC_CLIENT_RECALLED_H
#define JIC_CLIENT_RECALLED_H

#include "client/lib/remote/offer.h"
#include "client/lib/session/report.h"

/**
 * Remove what jicache placed, so that it is fetched in another build or compiled anew; of what was compiled here only
 * warn. A Julia that has it open keeps it until it ends.
 * @param[in,out] locals nodes whose file is gone get an empty path
 */
void jic_recalled_remove(const struct jic_session *s, const struct jic_offer *offer, struct jic_locals *locals,
                         struct jic_arena *arena, struct jic_report *report);

#endif
