/*
 * Spaces (runtime and sysimage), numbers of modules, and who provides which.
 */
#include "server/store/sqlite/internal.h"

bool jic_sqlite_space_find(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
                           uint64_t *id, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_SPACE_FIND, &s, err))
		return false;
	jic_bind_text(&s, runtime);
	jic_bind_digest(&s, sysimage);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "nothing was published for runtime " JIC_PRIv, JIC_ARGv(runtime));
	*id = jic_column_u64(&s);
	return jic_stmt_ok(&s, NULL, err);
}

bool jic_sqlite_space_put(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
                          uint64_t *id, struct jic_error *err)
{
	struct jic_connection *c = jic_txn_connection(t);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(c, JIC_SQL_SPACE_INSERT, &s, err))
		return false;
	jic_bind_text(&s, runtime);
	jic_bind_digest(&s, sysimage);
	if (!jic_stmt_run(&s, err))
		return false;
	*id = (uint64_t)sqlite3_last_insert_rowid(c->db);
	return true;
}

bool jic_sqlite_declaration_find(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_arena *arena,
                                 struct jic_view *out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_DECLARATION_FIND, &s, err))
		return false;
	jic_bind_u64(&s, lane);
	jic_bind_u64(&s, space);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "the lane has declared nothing");
	*out = jic_column_copy(&s, arena);
	return jic_stmt_ok(&s, arena, err);
}

bool jic_sqlite_declaration_put(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_view modules,
                                struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_DECLARATION_INSERT, &s, err))
		return false;
	jic_bind_u64(&s, lane);
	jic_bind_u64(&s, space);
	jic_bind_bytes(&s, modules);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_spaces_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_space **out,
                            size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf spaces = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_SPACE_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = spaces.len / sizeof(struct jic_index_space);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&spaces)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&spaces, err);
		}
		struct jic_index_space space = {.id = jic_column_u64(&s)};
		space.runtime = jic_column_copy(&s, arena);
		jic_column_digest(&s, &space.sysimage);
		jic_buf_put(&spaces, &space, sizeof space);
	}
	return false;
}

static void bind_module(struct jic_stmt *s, const struct jic_index_module *m, uint8_t uuid[16])
{
	jic_bind_uuid(s, m->uuid, uuid);
	jic_bind_u64(s, m->build_id.lo);
	jic_bind_u64(s, m->build_id.hi);
}

static bool insert_module(struct jic_connection *c, struct jic_stmt *s, const struct jic_index_module *m, uint32_t *id,
                          struct jic_error *err)
{
	uint8_t uuid[16];
	jic_stmt_again(s);
	bind_module(s, m, uuid);
	if (!jic_stmt_run(s, err))
		return false;
	sqlite3_int64 number = sqlite3_last_insert_rowid(c->db);
	if (number > UINT32_MAX)
		return jic_fail(err, JIC_ELIMIT, "index: out of module numbers");
	*id = (uint32_t)number;
	return true;
}

bool jic_sqlite_modules_put(struct jic_index_txn *t, const struct jic_index_module *modules, size_t count,
                            uint32_t *ids, struct jic_error *err)
{
	struct jic_connection *c = jic_txn_connection(t);
	JIC_CLEAR(jic_stmt) struct jic_stmt find = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt insert = {0};
	if (!jic_stmt_use(c, JIC_SQL_MODULE_FIND, &find, err) || !jic_stmt_use(c, JIC_SQL_MODULE_INSERT, &insert, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		uint8_t uuid[16];
		bool row;
		jic_stmt_again(&find);
		bind_module(&find, &modules[i], uuid);
		if (!jic_stmt_step(&find, &row, err))
			return false;
		if (row)
			ids[i] = (uint32_t)jic_column_u64(&find);
		else if (!insert_module(c, &insert, &modules[i], &ids[i], err))
			return false;
	}
	return true;
}

static void read_module(struct jic_stmt *s, struct jic_index_module *out)
{
	jic_column_uuid(s, &out->uuid);
	out->build_id.hi = jic_column_u64(s);
	out->build_id.lo = jic_column_u64(s);
}

bool jic_sqlite_modules_get(struct jic_index_txn *t, const uint32_t *ids, size_t count, struct jic_index_module *out,
                            struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_MODULE_GET, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool row;
		jic_stmt_again(&s);
		jic_bind_u64(&s, ids[i]);
		if (!jic_stmt_step(&s, &row, err))
			return false;
		if (!row)
			return jic_fail(err, JIC_ECORRUPT, "index: module %u was never numbered", ids[i]);
		read_module(&s, &out[i]);
	}
	return jic_stmt_ok(&s, NULL, err);
}

static void read_provider(struct jic_stmt *s, struct jic_index_provider *out)
{
	out->module = (uint32_t)jic_column_u64(s);
	read_module(s, &out->full);
	out->lane_id = jic_column_u64(s);
	jic_column_digest(s, &out->key);
	jic_column_digest(s, &out->ji);
}

static bool providers_of(struct jic_stmt *s, const struct jic_index_module *m, uint64_t space, struct jic_buf *found,
                         struct jic_error *err)
{
	uint8_t uuid[16];
	bool row;
	jic_stmt_again(s);
	jic_bind_uuid(s, m->uuid, uuid);
	jic_bind_u64(s, m->build_id.lo);
	jic_bind_u64(s, space);
	while (jic_stmt_step(s, &row, err)) {
		if (!row)
			return true;
		struct jic_index_provider provider = {0};
		read_provider(s, &provider);
		jic_buf_put(found, &provider, sizeof provider);
	}
	return false;
}

bool jic_sqlite_providers(struct jic_index_txn *t, uint64_t space, const struct jic_index_module *modules, size_t count,
                          struct jic_arena *arena, const struct jic_index_provider **out, size_t *out_count,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf found = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_PROVIDERS, &s, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!providers_of(&s, &modules[i], space, &found, err))
			return false;
	*out_count = found.len / sizeof(struct jic_index_provider);
	*out = (const void *)jic_arena_copy(arena, jic_buf_view(&found)).ptr;
	return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&found, err);
}
