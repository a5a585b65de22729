/*
 * What artefacts were made of: runtimes, and the inputs of nodes. All queries of origins have the same columns.
 */
#include "server/store/pack.h"
#include "server/store/sqlite/internal.h"

static bool pack_bundled(const struct jic_runtime *r, struct jic_buf *out, struct jic_error *err)
{
	jic_autofree struct jic_ji_module *modules = calloc(r->bundled_count + 1, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	for (size_t i = 0; i < r->bundled_count; i++)
		modules[i] = (struct jic_ji_module){
		    .name = r->bundled[i].name, .uuid = r->bundled[i].uuid, .build_id = r->bundled[i].build_id};
	return jic_pack_modules(modules, r->bundled_count, out, err);
}

static bool unpack_bundled(struct jic_view packed, struct jic_arena *arena, const struct jic_bundled **out,
                           size_t *count, struct jic_error *err)
{
	const struct jic_ji_module *modules;
	if (!jic_unpack_modules(packed, arena, &modules, count, err))
		return false;
	struct jic_bundled *bundled = jic_arena_array(arena, *count + 1, sizeof *bundled);
	if (!bundled)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	for (size_t i = 0; i < *count; i++)
		bundled[i] = (struct jic_bundled){
		    .name = modules[i].name, .uuid = modules[i].uuid, .build_id = modules[i].build_id};
	*out = bundled;
	return true;
}

bool jic_sqlite_runtime_put(struct jic_index_txn *t, const struct jic_msg_runtime *runtime, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf bundled = {0};
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	const struct jic_runtime *r = &runtime->parts;
	if (!pack_bundled(r, &bundled, err) || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_RUNTIME_INSERT, &s, err))
		return false;
	jic_bind_text(&s, runtime->id);
	jic_bind_text(&s, r->version);
	jic_bind_text(&s, r->branch);
	jic_bind_text(&s, r->commit);
	jic_bind_text(&s, r->uname);
	jic_bind_text(&s, r->arch);
	jic_bind_text(&s, r->triplet);
	jic_bind_u64(&s, r->word_bits);
	jic_bind_text(&s, r->flags);
	jic_bind_text(&s, r->cpu);
	jic_bind_digest(&s, &runtime->bundled);
	jic_bind_bytes(&s, jic_buf_view(&bundled));
	return jic_stmt_run(&s, err);
}

bool jic_sqlite_runtime_bundled(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
                                const struct jic_bundled **out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RUNTIME_BUNDLED, &s, err))
		return false;
	jic_bind_text(&s, id);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "index: what is bundled with " JIC_PRIv " was never told",
		                JIC_ARGv(id));
	return unpack_bundled(jic_column_view(&s), arena, out, count, err);
}

bool jic_sqlite_runtime_find(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
                             struct jic_msg_runtime *out, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_RUNTIME_FIND, &s, err))
		return false;
	jic_bind_text(&s, id);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "index: runtime " JIC_PRIv " is not described", JIC_ARGv(id));
	*out = (struct jic_msg_runtime){.id = jic_column_copy(&s, arena)};
	out->parts.version = jic_column_copy(&s, arena);
	out->parts.branch = jic_column_copy(&s, arena);
	out->parts.commit = jic_column_copy(&s, arena);
	out->parts.uname = jic_column_copy(&s, arena);
	out->parts.arch = jic_column_copy(&s, arena);
	out->parts.triplet = jic_column_copy(&s, arena);
	out->parts.word_bits = (unsigned)jic_column_u64(&s);
	out->parts.flags = jic_column_copy(&s, arena);
	out->parts.cpu = jic_column_copy(&s, arena);
	jic_column_digest(&s, &out->bundled);
	return jic_stmt_ok(&s, arena, err);
}

/* ---- origins */

static void read_provenance(struct jic_stmt *s, struct jic_arena *arena, struct jic_msg_provenance *out)
{
	out->host = jic_column_copy(s, arena);
	out->user = jic_column_copy(s, arena);
	out->run = jic_column_copy(s, arena);
	out->client = jic_column_copy(s, arena);
	out->created_s = jic_column_u64(s);
}

static bool read_deps(struct jic_view packed, struct jic_arena *arena, struct jic_node_inputs *out,
                      struct jic_error *err)
{
	size_t count = packed.len / JIC_DIGEST_BYTES;
	if (packed.len % JIC_DIGEST_BYTES)
		return jic_fail(err, JIC_ECORRUPT, "index: %zu bytes of dependencies", packed.len);
	struct jic_digest *deps = jic_arena_array(arena, count + 1, sizeof *deps);
	if (!deps)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	if (count)
		memcpy(deps, packed.ptr, packed.len);
	out->deps = deps;
	out->deps_count = count;
	return true;
}

static bool read_inputs(struct jic_stmt *s, struct jic_arena *arena, struct jic_msg_stored *out, struct jic_error *err)
{
	struct jic_node_inputs *n = &out->inputs;
	uint64_t kind = jic_column_u64(s);
	if (kind > JIC_NODE_STDLIB)
		return jic_fail(err, JIC_ECORRUPT, "index: a node of kind %llu", (unsigned long long)kind);
	n->kind = (enum jic_node_kind)kind;
	n->name = jic_column_copy(s, arena);
	out->version = jic_column_copy(s, arena);
	jic_column_uuid(s, &n->uuid);
	n->source = jic_column_copy(s, arena);
	n->build = jic_column_copy(s, arena);
	n->preferences = jic_column_copy(s, arena);
	return read_deps(jic_column_view(s), arena, n, err) &&
	       jic_unpack_texts(jic_column_view(s), arena, &n->extensions, &n->extensions_count, err);
}

static bool read_origin(struct jic_stmt *s, const struct jic_lane *lane, struct jic_arena *arena,
                        struct jic_index_origin *out, struct jic_error *err)
{
	*out = (struct jic_index_origin){.space = jic_column_u64(s), .stored.lane = lane->name};
	out->runtime = jic_column_copy(s, arena);
	jic_column_digest(s, &out->stored.sysimage);
	jic_column_digest(s, &out->stored.key);
	if (!read_inputs(s, arena, &out->stored, err))
		return false;
	read_provenance(s, arena, &out->stored.provenance);
	out->stored.published_s = jic_column_u64(s);
	return jic_stmt_ok(s, arena, err);
}

bool jic_sqlite_origin_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                            const struct jic_digest *key, struct jic_arena *arena, struct jic_index_origin *out,
                            struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_ORIGIN_FIND, &s, err))
		return false;
	jic_bind_u64(&s, lane->id);
	jic_bind_u64(&s, space);
	jic_bind_digest(&s, key);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return jic_fail(err, JIC_ENOTFOUND, "index: there is no such artefact");
	return read_origin(&s, lane, arena, out, err);
}

bool jic_sqlite_origins_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                             const struct jic_node_inputs *package, size_t limit, struct jic_arena *arena,
                             struct jic_index_origin *out, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	uint8_t uuid[16];
	bool row = true;
	enum jic_sql which = space ? JIC_SQL_ORIGINS_OF_SPACE : JIC_SQL_ORIGINS;
	if (!jic_stmt_use(jic_txn_connection(t), which, &s, err))
		return false;
	jic_bind_uuid(&s, package->uuid, uuid);
	jic_bind_text(&s, package->name);
	jic_bind_u64(&s, lane->id);
	if (space)
		jic_bind_u64(&s, space);
	jic_bind_u64(&s, limit);
	*count = 0;
	while (row && *count < limit) {
		if (!jic_stmt_step(&s, &row, err))
			return false;
		if (row && !read_origin(&s, lane, arena, &out[(*count)++], err))
			return false;
	}
	return true;
}
