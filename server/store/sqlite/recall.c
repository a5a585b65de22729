/*
 * Makers of artefacts, and what of theirs was recalled.
 */
#include "server/store/sqlite/internal.h"

/* ---- makers */

bool jic_sqlite_signers_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_digest **out,
                             size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = true;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_SIGNER_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		struct jic_digest key;
		if (!row) {
			*count = keys.len / sizeof key;
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&keys)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&keys, err);
		}
		jic_column_digest(&s, &key);
		jic_buf_put(&keys, &key, sizeof key);
	}
	return false;
}

static bool places_of(struct jic_stmt *s, struct jic_arena *arena, const struct jic_index_place **out, size_t *count,
                      struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	bool row;
	while (jic_stmt_step(s, &row, err)) {
		struct jic_index_place at = {0};
		if (!row) {
			*count = places.len / sizeof at;
			struct jic_index_place *list = jic_arena_array(arena, *count + 1, sizeof *list);
			if (list && places.len)
				memcpy(list, places.ptr, places.len);
			*out = list;
			return jic_stmt_ok(s, arena, err) && jic_buf_ok(&places, err);
		}
		at.lane_id = jic_column_u64(s);
		at.space = jic_column_u64(s);
		jic_column_digest(s, &at.key);
		jic_buf_put(&places, &at, sizeof at);
	}
	return false;
}

bool jic_sqlite_made_by_list(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_arena *arena,
                             const struct jic_index_place **out, size_t *count, struct jic_error *err)
{
	static const enum jic_sql queries[] = {[JIC_BY_KEY] = JIC_SQL_MADE_BY_KEY,
	                                       [JIC_BY_TOKEN] = JIC_SQL_MADE_BY_TOKEN,
	                                       [JIC_BY_RUN] = JIC_SQL_MADE_BY_RUN};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	struct jic_digest key;
	if (!jic_stmt_use(jic_txn_connection(t), queries[maker->kind], &s, err))
		return false;
	if (maker->kind != JIC_BY_KEY)
		jic_bind_text(&s, maker->who);
	else if (jic_digest_parse(maker->who, &key))
		jic_bind_digest(&s, &key);
	else
		return jic_fail(err, JIC_EUSAGE, "index: \"" JIC_PRIv "\" is no public key", JIC_ARGv(maker->who));
	return places_of(&s, arena, out, count, err);
}

/* ---- recalls */

static void bind_maker(struct jic_stmt *s, const struct jic_index_maker *maker)
{
	jic_bind_u64(s, maker->kind);
	jic_bind_text(s, maker->who);
}

bool jic_sqlite_recall_find(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t *id,
                            struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALL_FIND, &s, err))
		return false;
	bind_maker(&s, maker);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	*id = row ? jic_column_u64(&s) : 0;
	return true;
}

bool jic_sqlite_recall_put(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t now_s, uint64_t *id,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALL_INSERT, &s, err))
		return false;
	bind_maker(&s, maker);
	jic_bind_u64(&s, now_s);
	return jic_stmt_run(&s, err) && jic_sqlite_recall_find(t, maker, id, err);
}

static bool run_with_id(struct jic_index_txn *t, enum jic_sql which, uint64_t id, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), which, &s, err))
		return false;
	jic_bind_u64(&s, id);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_recall_delete(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_error *err)
{
	uint64_t id;
	if (!jic_sqlite_recall_find(t, maker, &id, err))
		return false;
	if (!id)
		return jic_fail(err, JIC_ENOTFOUND, "nothing of \"" JIC_PRIv "\" was recalled", JIC_ARGv(maker->who));
	return run_with_id(t, JIC_SQL_RECALLED_DELETE, id, err) && run_with_id(t, JIC_SQL_RECALL_DELETE, id, err);
}

static bool read_recall(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_recall *out,
                        struct jic_error *err)
{
	uint64_t kind = jic_column_u64(s);
	if (kind > JIC_BY_RUN)
		return jic_fail(err, JIC_ECORRUPT, "index: a recall of kind %llu", (unsigned long long)kind);
	out->maker.kind = (enum jic_maker_kind)kind;
	out->maker.who = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
	out->artefacts = jic_column_u64(s);
	return true;
}

bool jic_sqlite_recalls_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_recall **out,
                             size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALL_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		struct jic_index_recall recall;
		if (!row) {
			*count = list.len / sizeof recall;
			struct jic_index_recall *copy = jic_arena_array(arena, *count + 1, sizeof *copy);
			if (copy && list.len)
				memcpy(copy, list.ptr, list.len);
			*out = copy;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&list, err);
		}
		if (!read_recall(&s, arena, &recall, err))
			return false;
		jic_buf_put(&list, &recall, sizeof recall);
	}
	return false;
}

/* ---- what went with them */

bool jic_sqlite_recalled_put(struct jic_index_txn *t, uint64_t recall, const struct jic_msg_record *record,
                             struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALLED_INSERT, &s, err))
		return false;
	jic_bind_u64(&s, record->build_id.hi);
	jic_bind_u64(&s, record->build_id.lo);
	jic_bind_digest(&s, &record->ji.digest);
	jic_bind_u64(&s, recall);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_recalled_find(struct jic_index_txn *t, const struct jic_digest *ji, bool *out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALLED_FIND, &s, err))
		return false;
	jic_bind_digest(&s, ji);
	return jic_stmt_step(&s, out, err);
}

bool jic_sqlite_recalled_builds(struct jic_index_txn *t, const struct jic_build_id *builds, size_t count, bool *out,
                                struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RECALLED_BUILD, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		jic_stmt_again(&s);
		jic_bind_u64(&s, builds[i].lo);
		jic_bind_u64(&s, builds[i].hi);
		if (!jic_stmt_step(&s, &out[i], err))
			return false;
	}
	return true;
}
