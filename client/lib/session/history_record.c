/* Writing is one transaction a state. synchronous = OFF: after a power cut the file may be damaged or old, and nothing
 * depends on it but what gc may remove, which then refuses to judge. No write-ahead log: homes are often on NFS. */
#include "client/lib/session/history_db.h"

#include "common/digest.h"
#include "common/file.h"

#include <time.h>

struct recording {
	struct jic_history *h;
	const struct jic_session *s;
	const struct jic_locals *locals;
	const bool *placed;
	int64_t now_s;
	struct jic_arena arena;
	struct jic_digest identity; /* of the environment */
	struct jic_digest digest;   /* of the state */
};

static bool has_build(const struct recording *r, size_t node)
{
	return r->locals->items[node].path.len && !(r->placed && r->placed[node]);
}

static void put_line(struct jic_buf *b, struct jic_view v)
{
	jic_buf_putv(b, v);
	jic_buf_putc(b, '\n');
}

static struct jic_view lines(struct recording *r, const struct jic_view *items, size_t count)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	for (size_t i = 0; i < count; i++)
		put_line(&b, items[i]);
	return jic_arena_copy(&r->arena, jic_buf_view(&b));
}

static struct jic_view text_or_empty(const char *text)
{
	return jic_view_of(text ? text : "");
}

static bool digests(struct recording *r, struct jic_error *err)
{
	const struct jic_session *s = r->s;
	JIC_CLEAR(jic_buf) struct jic_buf all = {0};
	put_line(&all, s->graph.project_file);
	put_line(&all, s->facts.julia);
	put_line(&all, text_or_empty(s->options.julia_args));
	put_line(&all, text_or_empty(s->options.depot));
	put_line(&all, s->runtime_ids[0]);
	jic_buf_put(&all, s->facts.sysimage.bytes, sizeof s->facts.sysimage.bytes);
	for (size_t i = 0; i < s->facts.depot_path_count; i++)
		put_line(&all, s->facts.depot_path[i]);
	for (size_t i = 0; i < s->facts.load_path_count; i++)
		put_line(&all, s->facts.load_path[i]);
	jic_sha256_of(jic_buf_view(&all), &r->identity);
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_build_id none = {0}, id = has_build(r, i) ? r->locals->items[i].build_id : none;
		if (s->graph.nodes[i].state != JIC_STATE_SHARED)
			continue;
		jic_buf_put(&all, s->graph.nodes[i].key.bytes, sizeof s->graph.nodes[i].key.bytes);
		jic_buf_u64le(&all, id.hi);
		jic_buf_u64le(&all, id.lo);
	}
	jic_sha256_of(jic_buf_view(&all), &r->digest);
	return jic_buf_ok(&all, err);
}

/* @param[out] seen_s 0: it is new. @param[out] newest it is what the environment looked like last time */
static bool find_state(struct recording *r, int64_t *seen_s, bool *newest, struct jic_error *err)
{
	bool more;
	JIC_HISTORY_STATEMENT *s =
	    jic_history_prepare(r->h,
	                        "SELECT seen, NOT EXISTS(SELECT 1 FROM state o WHERE o.environment = s.environment"
	                        " AND o.seen > s.seen) FROM state s WHERE digest = ?",
	                        err);
	if (!s)
		return false;
	jic_history_bind_bytes(s, 1, r->digest.bytes, sizeof r->digest.bytes);
	if (!jic_history_step(r->h, s, &more, err))
		return false;
	*seen_s = more ? sqlite3_column_int64(s, 0) : 0;
	*newest = more && sqlite3_column_int(s, 1);
	return true;
}

/* Two states of one environment never have the same time: the larger one is the newest. */
static bool touch_state(struct recording *r, struct jic_error *err)
{
	JIC_HISTORY_STATEMENT *s =
	    jic_history_prepare(r->h,
	                        "UPDATE state SET seen = max(?, (SELECT coalesce(max(o.seen), 0) + 1 FROM state o"
	                        " WHERE o.environment = state.environment AND o.id <> state.id)) WHERE digest = ?",
	                        err);
	if (!s)
		return false;
	sqlite3_bind_int64(s, 1, r->now_s);
	jic_history_bind_bytes(s, 2, r->digest.bytes, sizeof r->digest.bytes);
	return jic_history_write(r->h, s, err);
}

static bool add_environment(struct recording *r, struct jic_error *err)
{
	const struct jic_session *s = r->s;
	const struct jic_facts *f = &s->facts;
	JIC_HISTORY_STATEMENT *q = jic_history_prepare(
	    r->h,
	    "INSERT INTO environment(identity, project, manifest, julia, julia_args, version, sysimage,"
	    " runtimes, depot_path, load_path) VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
	    err);
	if (!q)
		return false;
	jic_history_bind_bytes(q, 1, r->identity.bytes, sizeof r->identity.bytes);
	jic_history_bind_text(q, 2, s->graph.project_file);
	jic_history_bind_text(q, 3, s->graph.manifest_file);
	jic_history_bind_text(q, 4, f->julia);
	jic_history_bind_text(q, 5, text_or_empty(s->options.julia_args));
	jic_history_bind_text(q, 6, f->version_text);
	jic_history_bind_bytes(q, 7, f->sysimage.bytes, sizeof f->sysimage.bytes);
	jic_history_bind_text(q, 8, lines(r, s->runtime_ids, s->runtimes_count));
	jic_history_bind_text(q, 9, lines(r, f->depot_path, f->depot_path_count));
	jic_history_bind_text(q, 10, lines(r, f->load_path, f->load_path_count));
	return jic_history_write(r->h, q, err);
}

static bool add_state(struct recording *r, int64_t *id, struct jic_error *err)
{
	JIC_HISTORY_STATEMENT *s =
	    jic_history_prepare(r->h,
	                        "INSERT INTO state(environment, digest, seen) SELECT id, ?, max(?, (SELECT"
	                        " coalesce(max(seen), 0) + 1 FROM state WHERE environment = e.id))"
	                        " FROM environment e WHERE identity = ?",
	                        err);
	if (!s)
		return false;
	jic_history_bind_bytes(s, 1, r->digest.bytes, sizeof r->digest.bytes);
	sqlite3_bind_int64(s, 2, r->now_s);
	jic_history_bind_bytes(s, 3, r->identity.bytes, sizeof r->identity.bytes);
	if (!jic_history_write(r->h, s, err))
		return false;
	*id = sqlite3_last_insert_rowid(r->h->db);
	return true;
}

static bool add_node(struct recording *r, sqlite3_stmt *s, int64_t state, size_t node, struct jic_error *err)
{
	const struct jic_node *n = &r->s->graph.nodes[node];
	uint8_t uuid[JIC_HISTORY_ID_BYTES], build[JIC_HISTORY_ID_BYTES];
	jic_history_put_build((struct jic_build_id){.hi = n->inputs.uuid.hi, .lo = n->inputs.uuid.lo}, uuid);
	jic_history_put_build(r->locals->items[node].build_id, build);
	sqlite3_bind_int64(s, 1, state);
	jic_history_bind_text(s, 2, n->inputs.name);
	jic_history_bind_bytes(s, 3, uuid, sizeof uuid);
	jic_history_bind_bytes(s, 4, n->key.bytes, sizeof n->key.bytes);
	jic_history_bind_text(s, 5, n->version);
	if (has_build(r, node))
		jic_history_bind_bytes(s, 6, build, sizeof build);
	else
		sqlite3_bind_null(s, 6);
	return jic_history_write(r->h, s, err);
}

/* What Julia wrote down when it compiled the file. A file that can't be read just now has no list. */
static void required_of(struct jic_view path, struct jic_buf *out)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	uint8_t bytes[JIC_HISTORY_ID_BYTES];
	jic_autofree char *name = jic_strdup_view(path);
	if (!name || !jic_map_open(name, JIC_JI_BYTES_MAX, &map, NULL) ||
	    !jic_ji_parse_header(map.view, &arena, &ji, NULL))
		return;
	for (size_t i = 0; i < ji.required_count; i++) {
		jic_history_put_build(ji.required[i].build_id, bytes);
		jic_buf_put(out, bytes, sizeof bytes);
	}
}

static bool knows_build(struct recording *r, sqlite3_stmt *s, const uint8_t id[JIC_HISTORY_ID_BYTES], bool *known,
                        struct jic_error *err)
{
	jic_history_bind_bytes(s, 1, id, JIC_HISTORY_ID_BYTES);
	const bool done = jic_history_step(r->h, s, known, err);
	sqlite3_reset(s);
	return done;
}

static bool add_build(struct recording *r, sqlite3_stmt *find, sqlite3_stmt *add, size_t node, struct jic_error *err)
{
	const struct jic_local *l = &r->locals->items[node];
	JIC_CLEAR(jic_buf) struct jic_buf required = {0};
	uint8_t id[JIC_HISTORY_ID_BYTES];
	bool known;
	jic_history_put_build(l->build_id, id);
	if (!knows_build(r, find, id, &known, err) || known)
		return known;
	required_of(l->path, &required);
	jic_history_bind_bytes(add, 1, id, sizeof id);
	jic_history_bind_bytes(add, 2, required.ptr, required.len);
	return jic_buf_ok(&required, err) && jic_history_write(r->h, add, err);
}

static bool add_nodes(struct recording *r, int64_t state, struct jic_error *err)
{
	JIC_HISTORY_STATEMENT *node =
	    jic_history_prepare(r->h,
	                        "INSERT OR IGNORE INTO node(state, name, uuid, key, version, build)"
	                        " VALUES(?,?,?,?,?,?)",
	                        err);
	JIC_HISTORY_STATEMENT *find = node ? jic_history_prepare(r->h, "SELECT 1 FROM build WHERE id = ?", err) : NULL;
	JIC_HISTORY_STATEMENT *build =
	    find ? jic_history_prepare(r->h, "INSERT INTO build(id, requires) VALUES(?,?)", err) : NULL;
	for (size_t i = 0; build && i < r->s->graph.count; i++) {
		if (r->s->graph.nodes[i].state != JIC_STATE_SHARED)
			continue;
		if (!add_node(r, node, state, i, err) || (has_build(r, i) && !add_build(r, find, build, i, err)))
			return false;
	}
	return build != NULL;
}

/* Of each environment the newest state, others for a month, and never too many. */
static bool expire(struct recording *r, struct jic_error *err)
{
	JIC_HISTORY_STATEMENT *s = jic_history_prepare(
	    r->h,
	    "DELETE FROM state WHERE environment = (SELECT id FROM environment WHERE identity = ?1)"
	    " AND digest <> ?2 AND (seen < ?3 OR id NOT IN (SELECT s.id FROM state s WHERE s.environment ="
	    " (SELECT id FROM environment WHERE identity = ?1) ORDER BY s.seen DESC, s.id DESC LIMIT ?4))",
	    err);
	if (!s)
		return false;
	jic_history_bind_bytes(s, 1, r->identity.bytes, sizeof r->identity.bytes);
	jic_history_bind_bytes(s, 2, r->digest.bytes, sizeof r->digest.bytes);
	sqlite3_bind_int64(s, 3, r->now_s - JIC_HISTORY_KEEP_S);
	sqlite3_bind_int64(s, 4, JIC_HISTORY_STATES_MAX);
	return jic_history_write(r->h, s, err);
}

static bool write_state(struct recording *r, struct jic_error *err)
{
	int64_t state;
	if (!jic_history_run(r->h, "BEGIN IMMEDIATE", err))
		return false;
	if (add_environment(r, err) && add_state(r, &state, err) && add_nodes(r, state, err) && expire(r, err) &&
	    jic_history_drop_builds(r->h, err) && !r->arena.failed && jic_history_run(r->h, "COMMIT", err))
		return true;
	(void)!jic_history_run(r->h, "ROLLBACK", NULL);
	return r->arena.failed ? jic_fail(err, JIC_EMEMORY, "out of memory") : false;
}

bool jic_history_record(struct jic_history *h, const struct jic_session *s, const struct jic_locals *locals,
                        const bool *placed, int64_t now_s, struct jic_error *err)
{
	struct recording r = {.h = h, .s = s, .locals = locals, .placed = placed, .now_s = now_s};
	int64_t seen_s;
	bool newest;
	bool done = digests(&r, err) && find_state(&r, &seen_s, &newest, err);
	if (done && !(newest && now_s - seen_s < JIC_HISTORY_NOTE_S))
		done = seen_s ? touch_state(&r, err) : write_state(&r, err);
	jic_arena_clear(&r.arena);
	return done;
}

void jic_history_note(const struct jic_session *s, const struct jic_locals *locals, const bool *placed)
{
	JIC_AUTO(jic_history) struct jic_history *h = jic_history_open(s->settings.memory_dir, NULL);
	if (h && s->graph.count)
		(void)!jic_history_record(h, s, locals, placed, (int64_t)time(NULL), NULL);
}

void jic_history_begin(const char *memory_dir)
{
	jic_autofree char *path = jic_path_join(memory_dir, JIC_HISTORY_FILE);
	if (path && !jic_is_file(path))
		jic_history_free(jic_history_open(memory_dir, NULL));
}
