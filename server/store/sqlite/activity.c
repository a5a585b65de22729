/*
 * History, and what was asked for lately. Adding is one UPSERT for each row; keep() cuts the tables to their sizes.
 */
#include "common/buf.h"
#include "server/store/sqlite/internal.h"

const char *jic_activity_name(enum jic_activity activity)
{
	static const char *const names[] = {
#define JIC_ACTIVITY(NAME, name) [JIC_ACTIVITY_##NAME] = (name),
#include "server/tables/activity.def"
#undef JIC_ACTIVITY
	};
	return names[activity];
}

bool jic_sqlite_steps_list(struct jic_index *ix, uint64_t step_s, uint64_t from_s, const struct jic_index_lanes *lanes,
                           struct jic_arena *arena, const struct jic_index_step **out, size_t *count,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_STEPS_LIST, &s, err))
		return false;
	jic_bind_u64(&s, step_s);
	jic_bind_u64(&s, from_s);
	jic_bind_lanes(&s, lanes, &json);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, sizeof **out, arena, (const void **)out, count, err);
		struct jic_index_step step;
		step.step_s = jic_column_u64(&s);
		step.at_s = jic_column_u64(&s);
		step.lane_id = jic_column_u64(&s);
		for (size_t i = 0; i < JIC_ACTIVITY_COUNT; i++)
			step.values[i] = jic_column_u64(&s);
		jic_buf_put(&list, &step, sizeof step);
	}
	return false;
}

bool jic_sqlite_step_add(struct jic_index_txn *t, const struct jic_index_step *step, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_STEP_ADD, &s, err))
		return false;
	jic_bind_u64(&s, step->step_s);
	jic_bind_u64(&s, step->at_s);
	jic_bind_u64(&s, step->lane_id);
	for (size_t i = 0; i < JIC_ACTIVITY_COUNT; i++)
		jic_bind_u64(&s, step->values[i]);
	return jic_stmt_run(&s, err);
}

/* A list of what happened lately in some lanes: its statement, and how a row of it is read. */
struct lately {
	enum jic_sql statement;
	void (*read)(struct jic_stmt *s, struct jic_arena *arena, void *row);
	void *row; /* where one is read to */
	size_t row_bytes;
};

static bool list_lately(struct jic_index *ix, const struct lately *what, const struct jic_index_lanes *lanes,
                        uint64_t limit, struct jic_arena *arena, const void **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), what->statement, &s, err))
		return false;
	jic_bind_lanes(&s, lanes, &json);
	jic_bind_u64(&s, limit);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, what->row_bytes, arena, out, count, err);
		what->read(&s, arena, what->row);
		jic_buf_put(&list, what->row, what->row_bytes);
	}
	return false;
}

/* ---- environments */

static void read_environment(struct jic_stmt *s, struct jic_arena *arena, void *row)
{
	struct jic_index_environment *out = row;
	jic_column_digest(s, &out->id);
	out->lane_id = jic_column_u64(s);
	out->runtime = jic_column_copy(s, arena);
	jic_column_digest(s, &out->sysimage);
	out->title = jic_column_copy(s, arena);
	out->who = jic_column_copy(s, arena);
	out->first_s = jic_column_u64(s);
	out->last_s = jic_column_u64(s);
	out->times = jic_column_u64(s);
	out->wanted = jic_column_u64(s);
	out->stored = jic_column_u64(s);
	out->nodes = jic_column_copy(s, arena);
}

bool jic_sqlite_environments_list(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
                                  struct jic_arena *arena, const struct jic_index_environment **out, size_t *count,
                                  struct jic_error *err)
{
	struct jic_index_environment e;
	const struct lately what = {JIC_SQL_ENVIRONMENTS_LIST, read_environment, &e, sizeof e};
	return list_lately(ix, &what, lanes, limit, arena, (const void **)out, count, err);
}

bool jic_sqlite_environment_find(struct jic_index_txn *t, const struct jic_digest *id, struct jic_arena *arena,
                                 struct jic_index_environment *out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ENVIRONMENT_FIND, &s, err))
		return false;
	jic_bind_digest(&s, id);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "no such environment was asked for lately");
	read_environment(&s, arena, out);
	return jic_stmt_ok(&s, arena, err);
}

bool jic_sqlite_environment_add(struct jic_index_txn *t, const struct jic_index_environment *e, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ENVIRONMENT_ADD, &s, err))
		return false;
	jic_bind_digest(&s, &e->id);
	jic_bind_u64(&s, e->lane_id);
	jic_bind_text(&s, e->runtime);
	jic_bind_digest(&s, &e->sysimage);
	jic_bind_text(&s, e->title);
	jic_bind_text(&s, e->who);
	jic_bind_u64(&s, e->first_s);
	jic_bind_u64(&s, e->last_s);
	jic_bind_u64(&s, e->times);
	jic_bind_u64(&s, e->wanted);
	jic_bind_u64(&s, e->stored);
	jic_bind_bytes(&s, e->nodes);
	return jic_stmt_run(&s, err);
}

/* ---- misses */

static void read_miss(struct jic_stmt *s, struct jic_arena *arena, void *row)
{
	struct jic_index_miss *out = row;
	out->lane_id = jic_column_u64(s);
	jic_column_digest(s, &out->key);
	jic_column_digest(s, &out->sysimage);
	jic_column_digest(s, &out->environment);
	struct jic_view *const texts[] = {&out->runtime,      &out->name,         &out->version, &out->reason,
	                                  &out->near_version, &out->near_runtime, &out->who};
	for (size_t i = 0; i < JIC_COUNT(texts); i++)
		*texts[i] = jic_column_copy(s, arena);
	out->first_s = jic_column_u64(s);
	out->last_s = jic_column_u64(s);
	out->times = jic_column_u64(s);
	out->stored = jic_column_u64(s) != 0;
}

bool jic_sqlite_misses_list(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
                            struct jic_arena *arena, const struct jic_index_miss **out, size_t *count,
                            struct jic_error *err)
{
	struct jic_index_miss m;
	const struct lately what = {JIC_SQL_MISSES_LIST, read_miss, &m, sizeof m};
	return list_lately(ix, &what, lanes, limit, arena, (const void **)out, count, err);
}

bool jic_sqlite_miss_add(struct jic_index_txn *t, const struct jic_index_miss *m, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_MISS_ADD, &s, err))
		return false;
	jic_bind_u64(&s, m->lane_id);
	jic_bind_digest(&s, &m->key);
	jic_bind_digest(&s, &m->sysimage);
	jic_bind_digest(&s, &m->environment);
	const struct jic_view texts[] = {m->runtime,      m->name,         m->version, m->reason,
	                                 m->near_version, m->near_runtime, m->who};
	for (size_t i = 0; i < JIC_COUNT(texts); i++)
		jic_bind_text(&s, texts[i]);
	jic_bind_u64(&s, m->first_s);
	jic_bind_u64(&s, m->last_s);
	jic_bind_u64(&s, m->times);
	return jic_stmt_run(&s, err);
}

/* ---- limits */

static bool cut(struct jic_index_txn *t, enum jic_sql how, uint64_t keep, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), how, &s, err))
		return false;
	jic_bind_u64(&s, keep);
	return jic_stmt_run(&s, err);
}

static bool cut_steps(struct jic_index_txn *t, uint64_t step_s, uint64_t from_s, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_KEEP_STEPS, &s, err))
		return false;
	jic_bind_u64(&s, step_s);
	jic_bind_u64(&s, from_s);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_keep(struct jic_index_txn *t, const struct jic_index_keep *what, struct jic_error *err)
{
	return cut(t, JIC_SQL_KEEP_ENVIRONMENTS, what->environments, err) &&
	       cut(t, JIC_SQL_KEEP_MISSES, what->misses, err) && cut(t, JIC_SQL_KEEP_DEPARTED, what->departed, err) &&
	       cut_steps(t, what->fine_step_s, what->fine_from_s, err) &&
	       cut_steps(t, what->coarse_step_s, what->coarse_from_s, err);
}
