/* Three keys of a table. */
#include "server/auth/grant.h"

#include "server/auth/token.h"

bool jic_grant_has(const struct jic_toml *entry)
{
	static const char *const keys[] = {"can", "lanes", "lane_parent"};
	for (size_t i = 0; i < JIC_COUNT(keys); i++)
		if (jic_view_is(entry->key, keys[i]))
			return jic_toml_is_string(entry);
	return false;
}

bool jic_grant_read(const struct jic_toml *table, struct jic_arena *arena, struct jic_grant *out, struct jic_error *err)
{
	out->lanes = jic_arena_copy(arena, jic_toml_string(table, "lanes", JIC_VIEW(JIC_LANE_MAIN)));
	out->lane_parent = jic_arena_copy(arena, jic_toml_string(table, "lane_parent", JIC_VIEW("")));
	if (!jic_scopes_parse(jic_toml_string(table, "can", JIC_VIEW("read")), &out->scopes, err))
		return jic_wrap(err, "can");
	if (out->lane_parent.len && !jic_lane_name_valid(out->lane_parent))
		return jic_fail(err, JIC_EUSAGE, "lane_parent is not a lane's name");
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}
