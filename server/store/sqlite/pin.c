/*
 * What an eviction has to know: how much is there, what was used when, what is pinned.
 */
#include "server/store/sqlite/internal.h"

bool jic_sqlite_stored_bytes(struct jic_index *ix, uint64_t *out, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = false;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_STORED_BYTES, &s, err) || !jic_stmt_step(&s, &row, err))
		return false;
	*out = row ? jic_column_u64(&s) : 0;
	return row || jic_fail(err, JIC_ECORRUPT, "index: the sum of the blobs is not there");
}

bool jic_sqlite_pin_put(struct jic_index *ix, struct jic_view what, uint64_t now_s, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_PIN_INSERT, &s, err))
		return false;
	jic_bind_text(&s, what);
	jic_bind_u64(&s, now_s);
	return jic_stmt_run(&s, err) && t->ops->commit(t, err);
}

bool jic_sqlite_pin_delete(struct jic_index *ix, struct jic_view what, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_PIN_DELETE, &s, err))
		return false;
	jic_bind_text(&s, what);
	if (!jic_stmt_run(&s, err))
		return false;
	if (sqlite3_changes(jic_txn_connection(t)->db) == 0)
		return jic_fail(err, JIC_ENOTFOUND, "\"" JIC_PRIv "\" is not pinned", JIC_ARGv(what));
	return t->ops->commit(t, err);
}

bool jic_sqlite_pins_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_view **out, size_t *count,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf pins = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_PIN_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = pins.len / sizeof(struct jic_view);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&pins)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&pins, err);
		}
		struct jic_view what = jic_column_copy(&s, arena);
		jic_buf_put(&pins, &what, sizeof what);
	}
	return false;
}

bool jic_sqlite_artefacts_touch(struct jic_index_txn *t, const struct jic_index_place *places, size_t count,
                                uint64_t now_s, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ARTEFACT_TOUCH, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		jic_stmt_again(&s);
		jic_bind_u64(&s, now_s);
		jic_bind_u64(&s, places[i].lane_id);
		jic_bind_u64(&s, places[i].space);
		jic_bind_digest(&s, &places[i].key);
		if (!jic_stmt_run(&s, err))
			return false;
	}
	return true;
}
