/*
 * What is known of each blob's bytes.
 */
#include "server/store/sqlite/internal.h"

bool jic_sqlite_blob_put(struct jic_index_txn *t, const struct jic_index_blob *blob, bool *created,
                         struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	struct jic_connection *c = jic_txn_connection(t);
	if (!jic_stmt_use(c, JIC_SQL_BLOB_INSERT, &s, err))
		return false;
	jic_bind_digest(&s, &blob->digest);
	jic_bind_u64(&s, blob->size);
	jic_bind_u64(&s, blob->stored_size);
	jic_bind_u64(&s, blob->crc32c);
	jic_bind_u64(&s, blob->crc32c_head);
	jic_bind_bytes(&s, jic_view_bytes(blob->tail, sizeof blob->tail));
	jic_bind_u64(&s, blob->created_s);
	if (!jic_stmt_run(&s, err))
		return false;
	*created = sqlite3_changes(c->db) > 0;
	return true;
}

static void read_blob(struct jic_stmt *s, struct jic_index_blob *out)
{
	jic_column_digest(s, &out->digest);
	out->size = jic_column_u64(s);
	out->stored_size = jic_column_u64(s);
	out->crc32c = (uint32_t)jic_column_u64(s);
	out->crc32c_head = (uint32_t)jic_column_u64(s);
	struct jic_view tail = jic_column_view(s);
	if (tail.len == sizeof out->tail)
		memcpy(out->tail, tail.ptr, sizeof out->tail);
	else
		s->corrupt = true;
	out->created_s = jic_column_u64(s);
	out->used = jic_column_u64(s) != 0;
}

bool jic_sqlite_blob_find(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_index_blob *out,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_BLOB_FIND, &s, err))
		return false;
	jic_bind_digest(&s, digest);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "there is no such blob");
	read_blob(&s, out);
	return jic_stmt_ok(&s, NULL, err);
}

static bool change_blob(struct jic_index_txn *t, enum jic_sql how, const struct jic_digest *digest,
                        struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), how, &s, err))
		return false;
	jic_bind_digest(&s, digest);
	if (!jic_stmt_run(&s, err))
		return false;
	return sqlite3_changes(jic_txn_connection(t)->db) > 0 || jic_fail(err, JIC_ENOTFOUND, "there is no such blob");
}

bool jic_sqlite_blob_use(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err)
{
	return change_blob(t, JIC_SQL_BLOB_USE, digest, err);
}

bool jic_sqlite_blobs_delete_unused(struct jic_index_txn *t, uint64_t until_s, size_t limit, struct jic_arena *arena,
                                    const struct jic_digest **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf digests = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_BLOBS_DELETE_UNUSED, &s, err))
		return false;
	jic_bind_u64(&s, until_s);
	jic_bind_u64(&s, limit);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = digests.len / sizeof(struct jic_digest);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&digests)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&digests, err);
		}
		struct jic_digest digest;
		jic_column_digest(&s, &digest);
		jic_buf_put(&digests, &digest, sizeof digest);
	}
	return false;
}

/* Digests in pages: every digest is greater than the empty one. */
static void bind_after(struct jic_stmt *s, const struct jic_digest *after)
{
	if (after)
		jic_bind_digest(s, after);
	else
		jic_bind_bytes(s, JIC_VIEW(""));
}

bool jic_sqlite_blobs_list(struct jic_index_txn *t, const struct jic_digest *after, size_t limit,
                           struct jic_arena *arena, const struct jic_index_blob **out, size_t *count,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf blobs = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_BLOB_LIST, &s, err))
		return false;
	bind_after(&s, after);
	jic_bind_u64(&s, limit);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = blobs.len / sizeof(struct jic_index_blob);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&blobs)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&blobs, err);
		}
		struct jic_index_blob blob = {0};
		read_blob(&s, &blob);
		jic_buf_put(&blobs, &blob, sizeof blob);
	}
	return false;
}

bool jic_sqlite_blob_users(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_arena *arena,
                           const struct jic_index_place **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_BLOB_USERS, &s, err))
		return false;
	jic_bind_digest(&s, digest);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = places.len / sizeof(struct jic_index_place);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&places)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&places, err);
		}
		struct jic_index_place place = {.lane_id = jic_column_u64(&s)};
		place.space = jic_column_u64(&s);
		jic_column_digest(&s, &place.key);
		jic_buf_put(&places, &place, sizeof place);
	}
	return false;
}

bool jic_sqlite_blob_release(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err)
{
	return change_blob(t, JIC_SQL_BLOB_RELEASE, digest, err);
}

bool jic_sqlite_blob_delete(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err)
{
	return change_blob(t, JIC_SQL_BLOB_DELETE, digest, err);
}
