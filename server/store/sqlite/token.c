/*
 * Tokens: who may read and write. Only the hash of a secret is here.
 */
#include "server/store/sqlite/internal.h"

static void read_token(struct jic_stmt *s, struct jic_arena *arena, struct jic_token *out)
{
	out->name = jic_column_copy(s, arena);
	jic_column_digest(s, &out->hash);
	out->scopes = (unsigned)jic_column_u64(s);
	out->lanes = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
	out->expires_s = jic_column_u64(s);
	out->last_used_s = jic_column_u64(s);
	out->lane_parent = jic_column_copy(s, arena);
	out->old_until_s = jic_column_u64(s);
	out->has_old = jic_column_digest_or_null(s, &out->old_hash);
}

static bool check(const struct jic_token *token, struct jic_error *err)
{
	if (!token->name.len || token->name.len > JIC_TOKEN_NAME_BYTES_MAX)
		return jic_fail(err, JIC_EUSAGE, "a token's name has 1 to %d bytes", JIC_TOKEN_NAME_BYTES_MAX);
	if (token->lanes.len > JIC_TOKEN_LANES_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "a token's lane patterns are longer than %d bytes",
		                JIC_TOKEN_LANES_BYTES_MAX);
	return true;
}

static bool insert(struct jic_index_txn *t, const struct jic_token *token, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_INSERT, &s, err))
		return false;
	jic_bind_text(&s, token->name);
	jic_bind_digest(&s, &token->hash);
	jic_bind_u64(&s, token->scopes);
	jic_bind_text(&s, token->lanes);
	jic_bind_u64(&s, token->created_s);
	jic_bind_u64(&s, token->expires_s);
	jic_bind_u64(&s, token->last_used_s);
	jic_bind_text(&s, token->lane_parent);
	struct jic_error why = {0};
	if (jic_stmt_run(&s, &why))
		return true;
	if (why.code == JIC_ECONFLICT)
		return jic_fail(err, JIC_ECONFLICT, "there is a token " JIC_PRIv " already, or one with that secret",
		                JIC_ARGv(token->name));
	if (err)
		*err = why;
	return false;
}

bool jic_sqlite_token_put(struct jic_index *ix, const struct jic_token *token, struct jic_error *err)
{
	if (!check(token, err))
		return false;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	return t && insert(t, token, err) && ix->ops->commit(t, err);
}

bool jic_sqlite_token_find(struct jic_index *ix, const struct jic_digest *hash, struct jic_arena *arena,
                           struct jic_token *out, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_FIND, &s, err))
		return false;
	jic_bind_digest(&s, hash);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "there is no such token");
	read_token(&s, arena, out);
	return jic_stmt_ok(&s, arena, err);
}

bool jic_sqlite_token_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_token **out, size_t *count,
                           struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	JIC_CLEAR(jic_buf) struct jic_buf tokens = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = tokens.len / sizeof(struct jic_token);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&tokens)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&tokens, err);
		}
		struct jic_token token;
		read_token(&s, arena, &token);
		jic_buf_put(&tokens, &token, sizeof token);
	}
	return false;
}

bool jic_sqlite_token_rotate(struct jic_index *ix, struct jic_view name, const struct jic_digest *hash,
                             uint64_t old_until_s, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_ROTATE, &s, err))
		return false;
	jic_bind_digest(&s, hash);
	jic_bind_u64(&s, old_until_s);
	jic_bind_text(&s, name);
	if (!jic_stmt_run(&s, err))
		return false;
	if (!sqlite3_changes(jic_txn_connection(t)->db))
		return jic_fail(err, JIC_ENOTFOUND, "there is no token " JIC_PRIv, JIC_ARGv(name));
	return ix->ops->commit(t, err);
}

bool jic_sqlite_token_delete(struct jic_index *ix, struct jic_view name, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_DELETE, &s, err))
		return false;
	jic_bind_text(&s, name);
	if (!jic_stmt_run(&s, err))
		return false;
	if (!sqlite3_changes(jic_txn_connection(t)->db))
		return jic_fail(err, JIC_ENOTFOUND, "there is no token " JIC_PRIv, JIC_ARGv(name));
	return ix->ops->commit(t, err);
}

bool jic_sqlite_token_touch(struct jic_index *ix, const struct jic_digest *hash, uint64_t now_s, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOKEN_TOUCH, &s, err))
		return false;
	jic_bind_u64(&s, now_s);
	jic_bind_digest(&s, hash);
	return jic_stmt_run(&s, err) && ix->ops->commit(t, err);
}
