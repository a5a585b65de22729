/* What is remembered, read again; and forgotten. */
#include "client/lib/session/history_db.h"

bool jic_history_began(struct jic_history *h, int64_t *began_s, struct jic_error *err)
{
	bool more;
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, "SELECT min(at) FROM began", err);
	if (!s || !jic_history_step(h, s, &more, err))
		return false;
	*began_s = more ? sqlite3_column_int64(s, 0) : 0;
	return true;
}

static const struct jic_view *split(struct jic_view text, struct jic_arena *arena, size_t *count)
{
	size_t most = 0;
	for (size_t i = 0; i < text.len; i++)
		most += text.ptr[i] == '\n';
	struct jic_view *items = jic_arena_array(arena, most + 1, sizeof *items);
	*count = 0;
	for (size_t from = 0, i = 0; items && i < text.len; i++) {
		if (text.ptr[i] != '\n')
			continue;
		items[(*count)++] = jic_arena_copy(arena, jic_view_bytes(text.ptr + from, i - from));
		from = i + 1;
	}
	return items;
}

static bool count_rows(struct jic_history *h, const char *sql, size_t *count, struct jic_error *err)
{
	bool more;
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, sql, err);
	if (!s || !jic_history_step(h, s, &more, err))
		return false;
	*count = more ? (size_t)sqlite3_column_int64(s, 0) : 0;
	return true;
}

static void read_environment(sqlite3_stmt *s, struct jic_arena *arena, struct jic_known *out)
{
	out->id = sqlite3_column_int64(s, 0);
	out->project = jic_history_text(s, 1, arena);
	out->julia = jic_history_text(s, 2, arena);
	out->julia_args = jic_history_text(s, 3, arena);
	out->version = jic_history_text(s, 4, arena);
	(void)jic_history_bytes(s, 5, out->sysimage.bytes, sizeof out->sysimage.bytes);
	out->runtimes = split(jic_history_text(s, 6, arena), arena, &out->runtimes_count);
	out->depot_path = split(jic_history_text(s, 7, arena), arena, &out->depot_path_count);
	out->load_path = split(jic_history_text(s, 8, arena), arena, &out->load_path_count);
	out->seen_s = sqlite3_column_int64(s, 9);
}

bool jic_history_environments(struct jic_history *h, struct jic_arena *arena, const struct jic_known **out,
                              size_t *count, struct jic_error *err)
{
	size_t room;
	bool more = true;
	if (!count_rows(h, "SELECT count(*) FROM environment", &room, err))
		return false;
	struct jic_known *known = jic_arena_array(arena, room + 1, sizeof *known);
	JIC_HISTORY_STATEMENT *s =
	    jic_history_prepare(h,
	                        "SELECT e.id, project, julia, julia_args, version, sysimage, runtimes, depot_path,"
	                        " load_path, max(seen) FROM environment e JOIN state s ON s.environment = e.id"
	                        " GROUP BY e.id ORDER BY max(seen) DESC, e.id",
	                        err);
	if (!s)
		return false;
	for (*count = 0; known && *count < room;) {
		if (!jic_history_step(h, s, &more, err))
			return false;
		if (!more)
			break;
		read_environment(s, arena, &known[(*count)++]);
	}
	*out = known;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool read_node(sqlite3_stmt *s, struct jic_arena *arena, struct jic_known_node *out)
{
	uint8_t uuid[JIC_HISTORY_ID_BYTES], build[JIC_HISTORY_ID_BYTES];
	out->environment = sqlite3_column_int64(s, 0);
	out->name = jic_history_text(s, 1, arena);
	out->version = jic_history_text(s, 2, arena);
	if (!jic_history_bytes(s, 3, uuid, sizeof uuid) ||
	    !jic_history_bytes(s, 4, out->key.bytes, sizeof out->key.bytes))
		return false;
	out->uuid = jic_history_get_uuid(uuid);
	if (jic_history_bytes(s, 5, build, sizeof build))
		out->build = jic_history_get_build(build);
	out->current = sqlite3_column_int(s, 6);
	return true;
}

#define DISTINCT_NODES                                                                                                 \
	"SELECT s.environment, n.name, n.version, n.uuid, n.key, n.build, max(s.id = (SELECT id FROM state l WHERE "   \
	"l.environment = s.environment ORDER BY l.seen DESC, l.id DESC LIMIT 1)) FROM node n JOIN state s ON s.id = "  \
	"n.state GROUP BY 1, 2, 3, 4, 5, 6"

bool jic_history_nodes(struct jic_history *h, struct jic_arena *arena, const struct jic_known_node **out, size_t *count,
                       struct jic_error *err)
{
	size_t room;
	bool more = true;
	if (!count_rows(h, "SELECT count(*) FROM (" DISTINCT_NODES ")", &room, err))
		return false;
	struct jic_known_node *nodes = jic_arena_array(arena, room + 1, sizeof *nodes);
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, DISTINCT_NODES, err);
	if (!s)
		return false;
	for (*count = 0; nodes && *count < room;) {
		if (!jic_history_step(h, s, &more, err))
			return false;
		if (!more)
			break;
		*count += read_node(s, arena, &nodes[*count]);
	}
	*out = nodes;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

bool jic_history_required(struct jic_history *h, struct jic_build_id build, struct jic_arena *arena,
                          const struct jic_build_id **out, size_t *count, struct jic_error *err)
{
	uint8_t id[JIC_HISTORY_ID_BYTES];
	bool more;
	jic_history_put_build(build, id);
	*count = 0;
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, "SELECT requires FROM build WHERE id = ?", err);
	if (!s)
		return false;
	jic_history_bind_bytes(s, 1, id, sizeof id);
	if (!jic_history_step(h, s, &more, err))
		return false;
	const uint8_t *bytes = more ? sqlite3_column_blob(s, 0) : NULL;
	const size_t found = bytes ? (size_t)sqlite3_column_bytes(s, 0) / JIC_HISTORY_ID_BYTES : 0;
	struct jic_build_id *ids = jic_arena_array(arena, found + 1, sizeof *ids);
	if (!ids)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (; *count < found; (*count)++)
		ids[*count] = jic_history_get_build(bytes + *count * JIC_HISTORY_ID_BYTES);
	*out = ids;
	return true;
}

bool jic_history_forget(struct jic_history *h, int64_t environment, struct jic_error *err)
{
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, "DELETE FROM environment WHERE id = ?", err);
	if (!s)
		return false;
	sqlite3_bind_int64(s, 1, environment);
	return jic_history_write(h, s, err) && jic_history_drop_builds(h, err);
}
