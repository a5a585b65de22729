/**
 * What a rule of the configuration gives, whoever it is for: the keys `can`, `lanes` and `lane_parent` of its table.
 */
#ifndef JIC_SERVER_AUTH_GRANT_H
#define JIC_SERVER_AUTH_GRANT_H

#include "common/toml.h"
#include "server/store/index.h"

struct jic_grant {
	struct jic_view lanes, lane_parent; /**< in the arena; see jic_identity */
	unsigned scopes;
};

/** Whether a rule's table may have such an entry. */
bool jic_grant_has(const struct jic_toml *entry);

/** Read them: `can` is "read" by default, `lanes` "main". Lanes are not checked, as they may hold captures.
 *  @return false with JIC_EUSAGE or JIC_EMEMORY */
jic_must_check bool jic_grant_read(const struct jic_toml *table, struct jic_arena *arena, struct jic_grant *out,
                                   struct jic_error *err);

#endif
