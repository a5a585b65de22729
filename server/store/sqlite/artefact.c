/*
 * Records of artefacts. Reader and writer name the columns in one order: that of ARTEFACT_INSERT and ARTEFACT_FIND.
 */
#include "common/cursor.h"
#include "server/store/pack.h"
#include "server/store/sqlite/internal.h"

static void read_blob(struct jic_stmt *s, struct jic_msg_blob *out)
{
	jic_column_digest(s, &out->digest);
	out->size = jic_column_u64(s);
}

static void read_provenance(struct jic_stmt *s, struct jic_arena *arena, struct jic_msg_provenance *out)
{
	out->host = jic_column_copy(s, arena);
	out->user = jic_column_copy(s, arena);
	out->run = jic_column_copy(s, arena);
	out->client = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
}

static void read_record(struct jic_stmt *s, struct jic_arena *arena, struct jic_msg_record *out)
{
	jic_column_digest(s, &out->key);
	out->name = jic_column_copy(s, arena);
	out->version = jic_column_copy(s, arena);
	jic_column_uuid(s, &out->uuid);
	out->build_id.hi = jic_column_u64(s);
	out->build_id.lo = jic_column_u64(s);
	read_blob(s, &out->ji);
	out->has_image = jic_column_digest_or_null(s, &out->image.digest);
	out->image.size = jic_column_u64(s);
	out->compile_ms = jic_column_u64(s);
	read_provenance(s, arena, &out->provenance);
}

enum { SIGNATURE_BYTES = JIC_DIGEST_BYTES + sizeof((struct jic_msg_signature *)0)->bytes };

/* Two columns: the key, because artefacts are looked up by it, and the rest. */
static bool read_signature(struct jic_stmt *s, struct jic_msg_record *out, struct jic_error *err)
{
	out->has_signature = jic_column_digest_or_null(s, &out->signature.key);
	struct jic_view packed = jic_column_view(s);
	if (!out->has_signature)
		return true;
	if (packed.len != SIGNATURE_BYTES)
		return jic_fail(err, JIC_ECORRUPT, "index: a signature of %zu bytes", packed.len);
	memcpy(out->signature.requires_.bytes, packed.ptr, JIC_DIGEST_BYTES);
	memcpy(out->signature.bytes, packed.ptr + JIC_DIGEST_BYTES, sizeof out->signature.bytes);
	return true;
}

static bool read_artefact(struct jic_stmt *s, struct jic_arena *arena, struct jic_index_artefact *out,
                          struct jic_error *err)
{
	read_record(s, arena, &out->record);
	out->writer = jic_column_copy(s, arena);
	out->published_s = jic_column_u64(s);
	if (!jic_unpack_inputs(jic_column_view(s), arena, &out->record.inputs, &out->record.inputs_count, err) ||
	    !jic_unpack_numbers(jic_column_view(s), arena, &out->provides, &out->provides_count, err) ||
	    !jic_unpack_numbers(jic_column_view(s), arena, &out->requires_, &out->requires_count, err))
		return false;
	out->last_used_s = jic_column_u64(s);
	return read_signature(s, &out->record, err) && jic_stmt_ok(s, arena, err);
}

static void bind_address(struct jic_stmt *s, uint64_t lane, uint64_t space, const struct jic_digest *key)
{
	jic_bind_u64(s, lane);
	jic_bind_u64(s, space);
	jic_bind_digest(s, key);
}

bool jic_sqlite_artefacts_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                               const struct jic_digest *keys, size_t count, struct jic_arena *arena,
                               const struct jic_index_artefact **out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ARTEFACT_FIND, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool row;
		jic_stmt_again(&s);
		bind_address(&s, lane->id, space, &keys[i]);
		if (!jic_stmt_step(&s, &row, err))
			return false;
		out[i] = NULL;
		if (!row)
			continue;
		struct jic_index_artefact *a = JIC_ARENA_NEW(arena, struct jic_index_artefact);
		if (!a)
			return jic_fail(err, JIC_EMEMORY, "index: out of memory");
		if (!read_artefact(&s, arena, a, err))
			return false;
		a->lane_id = lane->id;
		a->record.lane = lane->name;
		out[i] = a;
	}
	return true;
}

/* The variable-length parts of a row, and the bytes of fixed ones that SQLite wants to be pointed at. */
struct row_bytes {
	struct jic_buf inputs, provides, requires_, extensions;
	uint8_t uuid[16];
	uint8_t signature[SIGNATURE_BYTES];
};
static void row_bytes_clear(struct row_bytes *b)
{
	jic_buf_clear(&b->inputs);
	jic_buf_clear(&b->provides);
	jic_buf_clear(&b->requires_);
	jic_buf_clear(&b->extensions);
}

static bool pack(const struct jic_index_artefact *a, struct row_bytes *out, struct jic_error *err)
{
	jic_pack_inputs(a->record.inputs, a->record.inputs_count, &out->inputs);
	jic_pack_numbers(a->provides, a->provides_count, &out->provides);
	jic_pack_numbers(a->requires_, a->requires_count, &out->requires_);
	jic_pack_texts(a->node.extensions, a->node.extensions_count, &out->extensions);
	return jic_buf_ok(&out->inputs, err) && jic_buf_ok(&out->provides, err) && jic_buf_ok(&out->requires_, err) &&
	       jic_buf_ok(&out->extensions, err);
}

static void bind_blobs(struct jic_stmt *s, const struct jic_msg_record *r)
{
	jic_bind_digest(s, &r->ji.digest);
	jic_bind_u64(s, r->ji.size);
	if (r->has_image)
		jic_bind_digest(s, &r->image.digest);
	else
		jic_bind_null(s);
	jic_bind_u64(s, r->has_image ? r->image.size : 0);
}

static void bind_provenance(struct jic_stmt *s, const struct jic_msg_provenance *p)
{
	jic_bind_text(s, p->host);
	jic_bind_text(s, p->user);
	jic_bind_text(s, p->run);
	jic_bind_text(s, p->client);
	jic_bind_u64(s, p->created_s);
}

static void bind_node(struct jic_stmt *s, const struct jic_node_inputs *n, struct jic_view extensions)
{
	jic_bind_u64(s, n->kind);
	jic_bind_text(s, n->source);
	jic_bind_text(s, n->build);
	jic_bind_text(s, n->preferences);
	jic_bind_bytes(s, jic_view_bytes(n->deps, n->deps_count * sizeof *n->deps));
	jic_bind_bytes(s, extensions);
}

static void bind_signature(struct jic_stmt *s, const struct jic_msg_record *r, uint8_t packed[SIGNATURE_BYTES])
{
	if (!r->has_signature) {
		jic_bind_null(s);
		jic_bind_null(s);
		return;
	}
	memcpy(packed, r->signature.requires_.bytes, JIC_DIGEST_BYTES);
	memcpy(packed + JIC_DIGEST_BYTES, r->signature.bytes, sizeof r->signature.bytes);
	jic_bind_digest(s, &r->signature.key);
	jic_bind_bytes(s, jic_view_bytes(packed, SIGNATURE_BYTES));
}

static void bind_artefact(struct jic_stmt *s, uint64_t space, const struct jic_index_artefact *a,
                          struct row_bytes *bytes)
{
	const struct jic_msg_record *r = &a->record;
	bind_address(s, a->lane_id, space, &r->key);
	jic_bind_text(s, r->name);
	jic_bind_text(s, r->version);
	jic_bind_uuid(s, r->uuid, bytes->uuid);
	jic_bind_u64(s, r->build_id.hi);
	jic_bind_u64(s, r->build_id.lo);
	bind_blobs(s, r);
	jic_bind_u64(s, r->compile_ms);
	bind_provenance(s, &r->provenance);
	jic_bind_text(s, a->writer);
	jic_bind_u64(s, a->published_s);
	jic_bind_bytes(s, jic_buf_view(&bytes->inputs));
	jic_bind_bytes(s, jic_buf_view(&bytes->provides));
	jic_bind_bytes(s, jic_buf_view(&bytes->requires_));
	bind_node(s, &a->node, jic_buf_view(&bytes->extensions));
	bind_signature(s, r, bytes->signature);
}

static bool change_providers(struct jic_index_txn *t, enum jic_sql how, const uint32_t *modules, size_t count,
                             uint64_t artefact, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), how, &s, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		jic_stmt_again(&s);
		jic_bind_u64(&s, modules[i]);
		jic_bind_u64(&s, artefact);
		if (!jic_stmt_run(&s, err))
			return false;
	}
	return true;
}

bool jic_sqlite_artefact_put(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                             struct jic_error *err)
{
	__attribute__((cleanup(row_bytes_clear))) struct row_bytes bytes = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	struct jic_connection *c = jic_txn_connection(t);
	if (!pack(a, &bytes, err) || !jic_stmt_use(c, JIC_SQL_ARTEFACT_INSERT, &s, err))
		return false;
	bind_artefact(&s, space, a, &bytes);
	if (!jic_stmt_run(&s, err))
		return false;
	uint64_t id = (uint64_t)sqlite3_last_insert_rowid(c->db);
	const struct jic_requirer who = {.artefact = id, .lane = a->lane_id, .space = space};
	return change_providers(t, JIC_SQL_PROVIDER_INSERT, a->provides, a->provides_count, id, err) &&
	       jic_requirers_put(t, &who, a->requires_, a->requires_count, err);
}

bool jic_sqlite_artefact_sign(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                              struct jic_error *err)
{
	uint8_t packed[SIGNATURE_BYTES];
	struct jic_connection *c = jic_txn_connection(t);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(c, JIC_SQL_ARTEFACT_SIGN, &s, err))
		return false;
	bind_signature(&s, &a->record, packed);
	bind_provenance(&s, &a->record.provenance);
	jic_bind_text(&s, a->writer);
	bind_address(&s, a->lane_id, space, &a->record.key);
	if (!jic_stmt_run(&s, err))
		return false;
	return sqlite3_changes(c->db) || jic_fail(err, JIC_ENOTFOUND, "index: there is no such artefact");
}

/* What the deletion of a row has to know of it. */
struct leaving {
	uint64_t id;
	struct jic_digest ji, image;
	bool has_image;
	const uint32_t *provides;
	size_t provides_count;
};

static bool find_leaving(struct jic_index_txn *t, const struct jic_index_place *at, struct jic_arena *arena,
                         struct leaving *out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ARTEFACT_PROVIDES, &s, err))
		return false;
	bind_address(&s, at->lane_id, at->space, &at->key);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "index: there is no such artefact");
	out->id = jic_column_u64(&s);
	jic_column_digest(&s, &out->ji);
	out->has_image = jic_column_digest_or_null(&s, &out->image);
	return jic_unpack_numbers(jic_column_view(&s), arena, &out->provides, &out->provides_count, err) &&
	       jic_stmt_ok(&s, arena, err);
}

static bool delete_row(struct jic_index_txn *t, uint64_t id, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ARTEFACT_DELETE, &s, err))
		return false;
	jic_bind_u64(&s, id);
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_artefact_move(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
                              uint64_t to_lane, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ARTEFACT_MOVE, &s, err))
		return false;
	jic_bind_u64(&s, to_lane);
	bind_address(&s, lane, space, key);
	return jic_stmt_run(&s, err) && (sqlite3_changes(jic_txn_connection(t)->db) > 0 ||
	                                 jic_fail(err, JIC_ENOTFOUND, "there is no such artefact"));
}

bool jic_sqlite_artefact_delete(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
                                struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct leaving row = {0};
	const struct jic_index_place at = {.lane_id = lane, .space = space, .key = *key};
	return find_leaving(t, &at, &arena, &row, err) &&
	       change_providers(t, JIC_SQL_PROVIDER_DELETE, row.provides, row.provides_count, row.id, err) &&
	       jic_requirers_delete(t, row.id, err) && delete_row(t, row.id, err) &&
	       jic_sqlite_blob_release(t, &row.ji, err) &&
	       (!row.has_image || jic_sqlite_blob_release(t, &row.image, err));
}

/* ---- walks */

bool jic_sqlite_keys_list(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *after,
                          size_t limit, struct jic_arena *arena, const struct jic_digest **out, size_t *count,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	struct jic_digest *keys = jic_arena_array(arena, limit + 1, sizeof *keys);
	bool row = true;
	if (!keys)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_KEY_LIST, &s, err))
		return false;
	jic_bind_u64(&s, lane);
	jic_bind_u64(&s, space);
	/* Every key is greater than the empty one. */
	jic_bind_bytes(&s, after ? jic_view_bytes(after->bytes, JIC_DIGEST_BYTES) : JIC_VIEW(""));
	jic_bind_u64(&s, limit);
	*count = 0;
	while (*count < limit && row) {
		if (!jic_stmt_step(&s, &row, err))
			return false;
		if (row)
			jic_column_digest(&s, &keys[(*count)++]);
	}
	*out = keys;
	return jic_stmt_ok(&s, arena, err);
}

static int compare_numbers(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	return (a > b) - (a < b);
}

/* @param packed as jic_pack_numbers() wrote it, unaligned */
static bool names_one_of(struct jic_view packed, const uint32_t *modules, size_t count)
{
	struct jic_cursor c = jic_cursor_over(packed);
	uint32_t number;
	while (jic_cursor_u32le(&c, &number))
		if (bsearch(&number, modules, count, sizeof *modules, compare_numbers))
			return true;
	return false;
}

bool jic_sqlite_requirers_list(struct jic_index_txn *t, uint64_t lane, uint64_t space, const uint32_t *modules,
                               size_t modules_count, struct jic_arena *arena, const struct jic_digest **out,
                               size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_REQUIRES_LIST, &s, err))
		return false;
	jic_bind_u64(&s, lane);
	jic_bind_u64(&s, space);
	while (jic_stmt_step(&s, &row, err)) {
		if (!row) {
			*count = keys.len / sizeof(struct jic_digest);
			*out = (const void *)jic_arena_copy(arena, jic_buf_view(&keys)).ptr;
			return jic_stmt_ok(&s, arena, err) && jic_buf_ok(&keys, err);
		}
		struct jic_digest key;
		jic_column_digest(&s, &key);
		if (names_one_of(jic_column_view(&s), modules, modules_count))
			jic_buf_put(&keys, &key, sizeof key);
	}
	return false;
}
