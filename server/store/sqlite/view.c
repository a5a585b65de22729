/*
 * Lists for pages. A row is read into a struct, the structs are collected in a buffer and move to the arena in the end.
 */
#include "common/buf.h"
#include "server/store/sqlite/internal.h"

void jic_bind_lanes(struct jic_stmt *s, const struct jic_index_lanes *lanes, struct jic_buf *json)
{
	jic_buf_putc(json, '[');
	for (size_t i = 0; i < lanes->count; i++)
		jic_buf_printf(json, "%s%llu", i ? "," : "", (unsigned long long)lanes->ids[i]);
	jic_buf_putc(json, ']');
	jic_bind_text(s, jic_buf_view(json));
}

static bool view_totals(struct jic_index *ix, struct jic_index_totals *out, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = false;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_TOTALS, &s, err) || !jic_stmt_step(&s, &row, err))
		return false;
	out->lanes = jic_column_u64(&s);
	out->artefacts = jic_column_u64(&s);
	out->blobs = jic_column_u64(&s);
	out->stored_bytes = jic_column_u64(&s);
	return true;
}

/* ---- what is held */

static void read_held(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_held *out)
{
	out->lane_id = jic_column_u64(s);
	out->runtime = jic_column_copy(s, arena);
	out->julia = jic_column_copy(s, arena);
	out->artefacts = jic_column_u64(s);
	out->bytes = jic_column_u64(s);
	out->compile_ms = jic_column_u64(s);
}

static bool view_held_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_index_held **out,
                           size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_HELD_LIST, &s, err))
		return false;
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, sizeof **out, arena, (const void **)out, count, err);
		struct jic_index_held held;
		read_held(&s, arena, &held);
		jic_buf_put(&list, &held, sizeof held);
	}
	return false;
}

static void read_package(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_package *out)
{
	out->name = jic_column_copy(s, arena);
	jic_column_uuid(s, &out->uuid);
	out->lanes = jic_column_u64(s);
	out->artefacts = jic_column_u64(s);
	out->bytes = jic_column_u64(s);
	out->compile_ms = jic_column_u64(s);
	out->latest_s = jic_column_u64(s);
}

static bool view_packages_list(struct jic_index *ix, const struct jic_packages_query *query, struct jic_arena *arena,
                               const struct jic_index_package **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_buf) struct jic_buf lanes = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_PACKAGES_LIST, &s, err))
		return false;
	jic_bind_lanes(&s, &query->lanes, &lanes);
	jic_bind_text(&s, query->search.len ? query->search : JIC_VIEW(""));
	jic_bind_u64(&s, query->sort);
	jic_bind_u64(&s, query->limit);
	jic_bind_u64(&s, query->offset);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, sizeof **out, arena, (const void **)out, count, err);
		struct jic_index_package package;
		read_package(&s, arena, &package);
		jic_buf_put(&list, &package, sizeof package);
	}
	return false;
}

/* ---- artefacts */

static void read_item(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_item *out)
{
	out->id = jic_column_u64(s);
	out->lane_id = jic_column_u64(s);
	out->runtime = jic_column_copy(s, arena);
	out->name = jic_column_copy(s, arena);
	out->version = jic_column_copy(s, arena);
	out->writer = jic_column_copy(s, arena);
	jic_column_digest(s, &out->sysimage);
	jic_column_digest(s, &out->key);
	jic_column_uuid(s, &out->uuid);
	out->kind = jic_column_u64(s);
	out->ji_size = jic_column_u64(s);
	out->image_size = jic_column_u64(s);
	out->compile_ms = jic_column_u64(s);
	out->published_s = jic_column_u64(s);
	out->last_used_s = jic_column_u64(s);
	out->provenance.host = jic_column_copy(s, arena);
	out->provenance.user = jic_column_copy(s, arena);
	out->provenance.run = jic_column_copy(s, arena);
	out->provenance.client = jic_column_copy(s, arena);
	out->provenance.created_s = jic_column_u64(s);
}

static void bind_items_query(struct jic_stmt *s, const struct jic_items_query *query, struct jic_buf *lanes)
{
	jic_bind_u64(s, query->before ? query->before : INT64_MAX);
	jic_bind_lanes(s, &query->lanes, lanes);
	jic_bind_text(s, query->julia.len ? query->julia : JIC_VIEW(""));
	jic_bind_u64(s, query->limit);
	if (query->package.len)
		jic_bind_text(s, query->package);
}

static bool view_items_list(struct jic_index *ix, const struct jic_items_query *query, struct jic_arena *arena,
                            const struct jic_index_item **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_buf) struct jic_buf lanes = {0};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	const enum jic_sql which = query->package.len ? JIC_SQL_ITEMS_OF_PACKAGE : JIC_SQL_ITEMS_LIST;
	bool row;
	if (!t || !jic_stmt_use(jic_txn_connection(t), which, &s, err))
		return false;
	bind_items_query(&s, query, &lanes);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, sizeof **out, arena, (const void **)out, count, err);
		struct jic_index_item item;
		read_item(&s, arena, &item);
		jic_buf_put(&list, &item, sizeof item);
	}
	return false;
}

/* ---- one key */

static bool view_key_places(struct jic_index_txn *t, const struct jic_digest *key, struct jic_arena *arena,
                            const struct jic_index_place **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_KEY_PLACES, &s, err))
		return false;
	jic_bind_digest(&s, key);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row)
			return jic_stmt_collected(&s, &list, sizeof **out, arena, (const void **)out, count, err);
		struct jic_index_place place = {.key = *key};
		place.lane_id = jic_column_u64(&s);
		place.space = jic_column_u64(&s);
		jic_buf_put(&list, &place, sizeof place);
	}
	return false;
}

static bool view_key_departed(struct jic_index_txn *t, uint64_t lane, const struct jic_digest *key, bool *out,
                              struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_KEY_DEPARTED, &s, err))
		return false;
	jic_bind_digest(&s, key);
	jic_bind_u64(&s, lane);
	return jic_stmt_step(&s, out, err);
}

static bool view_compile_ms_of(struct jic_index_txn *t, const struct jic_digest *ji, uint64_t *compile_ms,
                               uint64_t *lane, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_COMPILE_MS_OF, &s, err))
		return false;
	jic_bind_digest(&s, ji);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "index: no artefact has this cache file");
	*compile_ms = jic_column_u64(&s);
	*lane = jic_column_u64(&s);
	return true;
}

const struct jic_index_views jic_sqlite_views = {
    .totals = view_totals,
    .held_list = view_held_list,
    .packages_list = view_packages_list,
    .items_list = view_items_list,
    .steps_list = jic_sqlite_steps_list,
    .environments_list = jic_sqlite_environments_list,
    .environment_find = jic_sqlite_environment_find,
    .misses_list = jic_sqlite_misses_list,
    .key_places = view_key_places,
    .key_departed = view_key_departed,
    .compile_ms_of = view_compile_ms_of,
    .step_add = jic_sqlite_step_add,
    .environment_add = jic_sqlite_environment_add,
    .miss_add = jic_sqlite_miss_add,
    .keep = jic_sqlite_keep,
};
