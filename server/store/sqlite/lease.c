/*
 * Leases: who compiles what just now. The keys have a table of their own, whose primary key finds all leases on one.
 */
#include "server/store/sqlite/internal.h"

static bool put_keys(struct jic_index_txn *t, const struct jic_digest *hash, const struct jic_digest *keys,
                     size_t count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASED_INSERT, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		jic_stmt_again(&s);
		jic_bind_digest(&s, &keys[i]);
		jic_bind_digest(&s, hash);
		if (!jic_stmt_run(&s, err))
			return false;
	}
	return true;
}

bool jic_sqlite_lease_put(struct jic_index_txn *t, const struct jic_index_lease *lease, const struct jic_digest *keys,
                          size_t count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASE_INSERT, &s, err))
		return false;
	jic_bind_digest(&s, &lease->hash);
	jic_bind_u64(&s, lease->lane_id);
	jic_bind_text(&s, lease->runtime);
	jic_bind_digest(&s, &lease->sysimage);
	jic_bind_text(&s, lease->writer);
	jic_bind_u64(&s, lease->created_s);
	jic_bind_u64(&s, lease->ends_s);
	return jic_stmt_run(&s, err) && put_keys(t, &lease->hash, keys, count, err);
}

static void read_lease(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_lease *out)
{
	jic_column_digest(s, &out->hash);
	out->lane_id = jic_column_u64(s);
	out->lane = jic_column_copy(s, arena);
	out->runtime = jic_column_copy(s, arena);
	jic_column_digest(s, &out->sysimage);
	out->writer = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
	out->ends_s = jic_column_u64(s);
}

static bool list_keys(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_arena *arena,
                      const struct jic_digest **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
	const void *list;
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASED_LIST, &s, err))
		return false;
	jic_bind_digest(&s, hash);
	while (jic_stmt_step(&s, &row, err)) {
		struct jic_digest key;
		if (!row) {
			bool got = jic_stmt_collected(&s, &keys, sizeof key, arena, &list, count, err);
			*out = got ? list : NULL;
			return got;
		}
		jic_column_digest(&s, &key);
		jic_buf_put(&keys, &key, sizeof key);
	}
	return false;
}

bool jic_sqlite_lease_find(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_arena *arena,
                           struct jic_index_lease *out, const struct jic_digest **keys, size_t *count,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASE_FIND, &s, err))
		return false;
	jic_bind_digest(&s, hash);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "there is no such lease");
	read_lease(&s, arena, out);
	return jic_stmt_ok(&s, arena, err) && (!keys || list_keys(t, hash, arena, keys, count, err));
}

/* Most keys have the lease of the key before: its copy is enough. */
static bool read_once(struct jic_stmt *s, struct jic_arena *arena, const struct jic_index_lease *before,
                      const struct jic_index_lease **out, struct jic_error *err)
{
	struct jic_digest hash;
	jic_column_digest(s, &hash);
	*out = before;
	if (before && jic_digest_eq(&before->hash, &hash))
		return jic_stmt_ok(s, arena, err);
	struct jic_index_lease *lease = JIC_ARENA_NEW(arena, struct jic_index_lease);
	if (!lease)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	s->next = 0; /* the hash once more */
	read_lease(s, arena, lease);
	*out = lease;
	return jic_stmt_ok(s, arena, err);
}

bool jic_sqlite_leases_on(struct jic_index_txn *t, const struct jic_index_lease_place *at,
                          const struct jic_digest *keys, size_t count, uint64_t now_s, struct jic_arena *arena,
                          const struct jic_index_lease **out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	const struct jic_index_lease *before = NULL;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASE_ON, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool row;
		jic_stmt_again(&s);
		jic_bind_digest(&s, &keys[i]);
		jic_bind_u64(&s, at->lane_id);
		jic_bind_text(&s, at->runtime);
		jic_bind_digest(&s, &at->sysimage);
		jic_bind_u64(&s, now_s);
		out[i] = NULL;
		if (!jic_stmt_step(&s, &row, err) || (row && !read_once(&s, arena, before, &out[i], err)))
			return false;
		before = out[i] ? out[i] : before;
	}
	return true;
}

bool jic_sqlite_leases_count(struct jic_index_txn *t, struct jic_view writer, uint64_t now_s, uint64_t *out,
                             struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASES_COUNT, &s, err))
		return false;
	jic_bind_text(&s, writer);
	jic_bind_u64(&s, now_s);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	*out = row ? jic_column_u64(&s) : 0;
	return true;
}

bool jic_sqlite_lease_delete(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASE_DELETE, &s, err))
		return false;
	jic_bind_digest(&s, hash);
	if (!jic_stmt_run(&s, err))
		return false;
	return sqlite3_changes(jic_txn_connection(t)->db) || jic_fail(err, JIC_ENOTFOUND, "there is no such lease");
}

bool jic_sqlite_leases_delete(struct jic_index_txn *t, uint64_t now_s, size_t limit, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_LEASES_DELETE, &s, err))
		return false;
	jic_bind_u64(&s, now_s);
	jic_bind_u64(&s, limit);
	return jic_stmt_run(&s, err);
}
