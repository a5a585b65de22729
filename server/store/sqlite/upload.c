/*
 * Who has sent which bytes.
 */
#include "server/store/sqlite/internal.h"

bool jic_sqlite_upload_put(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
                           uint64_t now_s, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_UPLOAD_INSERT, &s, err))
		return false;
	jic_bind_digest(&s, digest);
	jic_bind_text(&s, holder);
	jic_bind_u64(&s, now_s);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_upload_find(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
                            bool *found, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_UPLOAD_FIND, &s, err))
		return false;
	jic_bind_digest(&s, digest);
	jic_bind_text(&s, holder);
	return jic_stmt_step(&s, found, err);
}

bool jic_sqlite_uploads_delete(struct jic_index_txn *t, uint64_t until_s, size_t limit, size_t *count,
                               struct jic_error *err)
{
	struct jic_connection *c = jic_txn_connection(t);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(c, JIC_SQL_UPLOADS_DELETE, &s, err))
		return false;
	jic_bind_u64(&s, until_s);
	jic_bind_u64(&s, limit);
	if (!jic_stmt_run(&s, err))
		return false;
	*count = (size_t)sqlite3_changes(c->db);
	return true;
}
