/*
 * Lanes. A chain is short, so it is walked by name.
 */
#include "server/store/sqlite/internal.h"

static void read_lane(struct jic_stmt *s, struct jic_arena *arena, struct jic_lane *out)
{
	out->id = jic_column_u64(s);
	out->name = jic_column_copy(s, arena);
	out->parent = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
	out->quota_bytes = jic_column_u64(s);
	out->max_age_s = jic_column_u64(s);
	out->stored_bytes = jic_column_u64(s);
}

static bool find(struct jic_index_txn *t, struct jic_view name, struct jic_arena *arena, struct jic_lane *out,
                 struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LANE_FIND, &s, err))
		return false;
	jic_bind_text(&s, name);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "there is no lane " JIC_PRIv, JIC_ARGv(name));
	read_lane(&s, arena, out);
	return jic_stmt_ok(&s, arena, err);
}

bool jic_sqlite_lane_chain(struct jic_index_txn *t, struct jic_view name, struct jic_arena *arena,
                           const struct jic_lane **out, size_t *count, struct jic_error *err)
{
	struct jic_lane *chain = jic_arena_array(arena, JIC_LANE_DEPTH_MAX, sizeof *chain);
	size_t first = JIC_LANE_DEPTH_MAX;
	if (!chain)
		return jic_fail(err, JIC_EMEMORY, "lane chain: out of memory");
	/* Filled from the end, because the walk begins at the leaf and the chain at the root. */
	do {
		if (!first)
			return jic_fail(err, JIC_ECORRUPT, "lane chain: deeper than %d", JIC_LANE_DEPTH_MAX);
		if (!find(t, name, arena, &chain[--first], err))
			return false;
		name = chain[first].parent;
	} while (name.len);
	*out = chain + first;
	*count = JIC_LANE_DEPTH_MAX - first;
	return true;
}

/* @param[out] id of the parent, 0 without one */
static bool check_parent(struct jic_index_txn *t, struct jic_view parent, uint64_t *id, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane *chain;
	size_t depth;
	*id = 0;
	if (!parent.len)
		return true;
	if (!jic_sqlite_lane_chain(t, parent, &arena, &chain, &depth, err))
		return false;
	if (depth == JIC_LANE_DEPTH_MAX)
		return jic_fail(err, JIC_ELIMIT, "lane " JIC_PRIv " is the last of %d below each other",
		                JIC_ARGv(parent), JIC_LANE_DEPTH_MAX);
	*id = chain[depth - 1].id;
	return true;
}

static bool insert(struct jic_index_txn *t, struct jic_view name, uint64_t parent, uint64_t now_s,
                   struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LANE_INSERT, &s, err))
		return false;
	jic_bind_text(&s, name);
	if (parent)
		jic_bind_u64(&s, parent);
	else
		jic_bind_null(&s);
	jic_bind_u64(&s, now_s);
	struct jic_error why = {0};
	if (jic_stmt_run(&s, &why))
		return true;
	if (why.code == JIC_ECONFLICT)
		return jic_fail(err, JIC_ECONFLICT, "there is a lane " JIC_PRIv " already", JIC_ARGv(name));
	if (err)
		*err = why;
	return false;
}

bool jic_sqlite_lane_put(struct jic_index *ix, struct jic_view name, struct jic_view parent, uint64_t now_s,
                         struct jic_error *err)
{
	if (!jic_lane_name_valid(name))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is no lane name", JIC_ARGv(name));
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	uint64_t parent_id;
	return t && check_parent(t, parent, &parent_id, err) && insert(t, name, parent_id, now_s, err) &&
	       ix->ops->commit(t, err);
}

static bool delete_by_lane(struct jic_index_txn *t, enum jic_sql how, uint64_t lane, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), how, &s, err))
		return false;
	jic_bind_u64(&s, lane);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_lane_delete(struct jic_index_txn *t, uint64_t lane, struct jic_error *err)
{
	return delete_by_lane(t, JIC_SQL_DECLARATIONS_DELETE, lane, err) &&
	       delete_by_lane(t, JIC_SQL_LANE_DELETE, lane, err) &&
	       (sqlite3_changes(jic_txn_connection(t)->db) > 0 ||
	        jic_fail(err, JIC_ENOTFOUND, "there is no such lane"));
}

bool jic_sqlite_lane_limit(struct jic_index *ix, struct jic_view name, uint64_t quota_bytes, uint64_t max_age_s,
                           struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_LANE_LIMIT, &s, err))
		return false;
	jic_bind_u64(&s, quota_bytes);
	jic_bind_u64(&s, max_age_s);
	jic_bind_text(&s, name);
	if (!jic_stmt_run(&s, err))
		return false;
	if (!sqlite3_changes(jic_txn_connection(t)->db))
		return jic_fail(err, JIC_ENOTFOUND, "there is no lane " JIC_PRIv, JIC_ARGv(name));
	return ix->ops->commit(t, err);
}

bool jic_sqlite_lane_find(struct jic_index *ix, struct jic_view name, struct jic_arena *arena, struct jic_lane *out,
                          struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	return t && find(t, name, arena, out, err);
}

bool jic_sqlite_lane_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_lane **out, size_t *count,
                          struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	JIC_CLEAR(jic_buf) struct jic_buf lanes = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_LANE_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = lanes.len / sizeof(struct jic_lane);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&lanes)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&lanes, err);
		}
		struct jic_lane lane;
		read_lane(&s, arena, &lane);
		jic_buf_put(&lanes, &lane, sizeof lane);
	}
	return false;
}
