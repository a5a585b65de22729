/* Writing is one transaction a state. synchronous = OFF: after a power cut the file may be damaged or old, and nothing
 * depends on it but what gc may remove, which then refuses to judge. No write-ahead log: homes are often on NFS. */
#include "client/lib/history.h"

#include "common/digest.h"
#include "common/file.h"

#include <sqlite3.h>
#include <time.h>

enum { SCHEMA_VERSION = 1, BUSY_MS = 250, BUILD_BYTES = 16, UUID_BYTES = 16, STATEMENT_VALUES_MAX = 12 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS began(at INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS environment("
    "  id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, project TEXT NOT NULL, manifest TEXT NOT NULL,"
    "  julia TEXT NOT NULL, julia_args TEXT NOT NULL, version TEXT NOT NULL, sysimage BLOB NOT NULL,"
    "  runtimes TEXT NOT NULL, depot_path TEXT NOT NULL, load_path TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS state("
    "  id INTEGER PRIMARY KEY, environment INTEGER NOT NULL REFERENCES environment(id) ON DELETE CASCADE,"
    "  digest BLOB NOT NULL UNIQUE, seen INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS state_of ON state(environment, seen);"
    "CREATE TABLE IF NOT EXISTS node("
    "  state INTEGER NOT NULL REFERENCES state(id) ON DELETE CASCADE, name TEXT NOT NULL, uuid BLOB NOT NULL,"
    "  key BLOB NOT NULL, version TEXT NOT NULL, build BLOB, PRIMARY KEY(state, uuid, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS build(id BLOB PRIMARY KEY, requires BLOB NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

struct jic_history {
	sqlite3 *db;
	char *path;
};

/* ---- SQLite */

static bool fail(const struct jic_history *h, int rc, struct jic_error *err)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return true;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return jic_fail(err, JIC_ECORRUPT, "%s is damaged; remove it, and it is written anew", h->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return jic_fail(err, JIC_EBUSY, "%s: another jicache is writing it", h->path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return jic_fail(err, JIC_EDENIED, "%s: %s", h->path, sqlite3_errmsg(h->db));
	case SQLITE_FULL:
		return jic_fail(err, JIC_ENOSPACE, "%s: %s", h->path, sqlite3_errmsg(h->db));
	case SQLITE_NOMEM:
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	default:
		return jic_fail(err, JIC_EIO, "%s: %s", h->path, sqlite3_errmsg(h->db));
	}
}

static bool run(struct jic_history *h, const char *sql, struct jic_error *err)
{
	return fail(h, sqlite3_exec(h->db, sql, NULL, NULL, NULL), err);
}

static void finish(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}
#define STATEMENT __attribute__((cleanup(finish))) sqlite3_stmt

static sqlite3_stmt *prepare(struct jic_history *h, const char *sql, struct jic_error *err)
{
	sqlite3_stmt *s = NULL;
	return fail(h, sqlite3_prepare_v2(h->db, sql, -1, &s, NULL), err) ? s : NULL;
}

/* One row more? @param[out] more */
static bool step(struct jic_history *h, sqlite3_stmt *s, bool *more, struct jic_error *err)
{
	const int rc = sqlite3_step(s);
	*more = rc == SQLITE_ROW;
	return fail(h, rc, err);
}

static bool finish_write(struct jic_history *h, sqlite3_stmt *s, struct jic_error *err)
{
	bool more;
	const bool done = step(h, s, &more, err);
	sqlite3_reset(s);
	return done;
}

static void bind_text(sqlite3_stmt *s, int at, struct jic_view v)
{
	sqlite3_bind_text(s, at, v.len ? v.ptr : "", (int)v.len, SQLITE_TRANSIENT);
}

static void bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len)
{
	sqlite3_bind_blob64(s, at, len ? bytes : "", len, SQLITE_TRANSIENT);
}

static struct jic_view column_text(sqlite3_stmt *s, int at, struct jic_arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(s, at);
	return jic_arena_copy(arena, jic_view_bytes(text, (size_t)sqlite3_column_bytes(s, at)));
}

/* A blob of exactly `len` bytes; false for anything else. */
static bool column_bytes(sqlite3_stmt *s, int at, void *out, size_t len)
{
	const void *bytes = sqlite3_column_blob(s, at);
	if (!bytes || (size_t)sqlite3_column_bytes(s, at) != len)
		return false;
	memcpy(out, bytes, len);
	return true;
}

/* ---- opening */

static bool set_up(struct jic_history *h, struct jic_error *err)
{
	bool more = false;
	sqlite3_busy_timeout(h->db, BUSY_MS);
	if (!run(h, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF", err))
		return false;
	int version;
	{
		STATEMENT *s = prepare(h, "PRAGMA user_version", err);
		if (!s || !step(h, s, &more, err))
			return false;
		version = more ? sqlite3_column_int(s, 0) : 0;
	}
	if (version == SCHEMA_VERSION)
		return true;
	if (version)
		return jic_fail(err, JIC_EUNSUPPORTED, "%s is of a newer jicache", h->path);
	return run(h, "BEGIN IMMEDIATE", err) && run(h, schema, err) &&
	       run(h, "INSERT INTO began SELECT unixepoch() WHERE NOT EXISTS(SELECT 1 FROM began)", err) &&
	       run(h, "COMMIT", err);
}

struct jic_history *jic_history_open(const char *memory_dir, struct jic_error *err)
{
	JIC_AUTO(jic_history) struct jic_history *h = calloc(1, sizeof *h);
	if (h)
		h->path = jic_path_join(memory_dir, JIC_HISTORY_FILE);
	if (!h || !h->path) {
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	if (!jic_mkdirs(memory_dir, err))
		return NULL;
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	const int rc = sqlite3_open_v2(h->path, &h->db, flags, NULL);
	if (!h->db) {
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	return fail(h, rc, err) && set_up(h, err) ? JIC_TAKE(h) : NULL;
}

void jic_history_free(struct jic_history *h)
{
	if (!h)
		return;
	sqlite3_close(h->db);
	free(h->path);
	free(h);
}

/* ---- writing */

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
	STATEMENT *s = prepare(r->h,
	                       "SELECT seen, NOT EXISTS(SELECT 1 FROM state o WHERE o.environment = s.environment"
	                       " AND o.seen > s.seen) FROM state s WHERE digest = ?",
	                       err);
	if (!s)
		return false;
	bind_bytes(s, 1, r->digest.bytes, sizeof r->digest.bytes);
	if (!step(r->h, s, &more, err))
		return false;
	*seen_s = more ? sqlite3_column_int64(s, 0) : 0;
	*newest = more && sqlite3_column_int(s, 1);
	return true;
}

/* Two states of one environment never have the same time: the larger one is the newest. */
static bool touch_state(struct recording *r, struct jic_error *err)
{
	STATEMENT *s = prepare(r->h,
	                       "UPDATE state SET seen = max(?, (SELECT coalesce(max(o.seen), 0) + 1 FROM state o"
	                       " WHERE o.environment = state.environment AND o.id <> state.id)) WHERE digest = ?",
	                       err);
	if (!s)
		return false;
	sqlite3_bind_int64(s, 1, r->now_s);
	bind_bytes(s, 2, r->digest.bytes, sizeof r->digest.bytes);
	return finish_write(r->h, s, err);
}

static bool add_environment(struct recording *r, struct jic_error *err)
{
	const struct jic_session *s = r->s;
	const struct jic_facts *f = &s->facts;
	STATEMENT *q =
	    prepare(r->h,
	            "INSERT INTO environment(identity, project, manifest, julia, julia_args, version, sysimage,"
	            " runtimes, depot_path, load_path) VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
	            err);
	if (!q)
		return false;
	bind_bytes(q, 1, r->identity.bytes, sizeof r->identity.bytes);
	bind_text(q, 2, s->graph.project_file);
	bind_text(q, 3, s->graph.manifest_file);
	bind_text(q, 4, f->julia);
	bind_text(q, 5, text_or_empty(s->options.julia_args));
	bind_text(q, 6, f->version_text);
	bind_bytes(q, 7, f->sysimage.bytes, sizeof f->sysimage.bytes);
	bind_text(q, 8, lines(r, s->runtime_ids, s->runtimes_count));
	bind_text(q, 9, lines(r, f->depot_path, f->depot_path_count));
	bind_text(q, 10, lines(r, f->load_path, f->load_path_count));
	return finish_write(r->h, q, err);
}

static bool add_state(struct recording *r, int64_t *id, struct jic_error *err)
{
	STATEMENT *s = prepare(r->h,
	                       "INSERT INTO state(environment, digest, seen) SELECT id, ?, max(?, (SELECT"
	                       " coalesce(max(seen), 0) + 1 FROM state WHERE environment = e.id))"
	                       " FROM environment e WHERE identity = ?",
	                       err);
	if (!s)
		return false;
	bind_bytes(s, 1, r->digest.bytes, sizeof r->digest.bytes);
	sqlite3_bind_int64(s, 2, r->now_s);
	bind_bytes(s, 3, r->identity.bytes, sizeof r->identity.bytes);
	if (!finish_write(r->h, s, err))
		return false;
	*id = sqlite3_last_insert_rowid(r->h->db);
	return true;
}

static void build_bytes(struct jic_build_id id, uint8_t out[BUILD_BYTES])
{
	for (size_t i = 0; i < 8; i++) {
		out[i] = (uint8_t)(id.hi >> (56 - 8 * i));
		out[8 + i] = (uint8_t)(id.lo >> (56 - 8 * i));
	}
}

static uint64_t big_endian(const uint8_t *bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

static struct jic_build_id build_of_bytes(const uint8_t bytes[BUILD_BYTES])
{
	return (struct jic_build_id){.hi = big_endian(bytes), .lo = big_endian(bytes + 8)};
}

static bool add_node(struct recording *r, sqlite3_stmt *s, int64_t state, size_t node, struct jic_error *err)
{
	const struct jic_node *n = &r->s->graph.nodes[node];
	uint8_t uuid[UUID_BYTES], build[BUILD_BYTES];
	build_bytes((struct jic_build_id){.hi = n->inputs.uuid.hi, .lo = n->inputs.uuid.lo}, uuid);
	build_bytes(r->locals->items[node].build_id, build);
	sqlite3_bind_int64(s, 1, state);
	bind_text(s, 2, n->inputs.name);
	bind_bytes(s, 3, uuid, sizeof uuid);
	bind_bytes(s, 4, n->key.bytes, sizeof n->key.bytes);
	bind_text(s, 5, n->version);
	if (has_build(r, node))
		bind_bytes(s, 6, build, sizeof build);
	else
		sqlite3_bind_null(s, 6);
	return finish_write(r->h, s, err);
}

/* What Julia wrote down when it compiled the file. A file that can't be read just now has no list. */
static void required_of(struct jic_view path, struct jic_buf *out)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	uint8_t bytes[BUILD_BYTES];
	jic_autofree char *name = jic_strdup_view(path);
	if (!name || !jic_map_open(name, JIC_JI_BYTES_MAX, &map, NULL) ||
	    !jic_ji_parse_header(map.view, &arena, &ji, NULL))
		return;
	for (size_t i = 0; i < ji.required_count; i++) {
		build_bytes(ji.required[i].build_id, bytes);
		jic_buf_put(out, bytes, sizeof bytes);
	}
}

static bool knows_build(struct recording *r, sqlite3_stmt *s, const uint8_t id[BUILD_BYTES], bool *known,
                        struct jic_error *err)
{
	bind_bytes(s, 1, id, BUILD_BYTES);
	const bool done = step(r->h, s, known, err);
	sqlite3_reset(s);
	return done;
}

static bool add_build(struct recording *r, sqlite3_stmt *find, sqlite3_stmt *add, size_t node, struct jic_error *err)
{
	const struct jic_local *l = &r->locals->items[node];
	JIC_CLEAR(jic_buf) struct jic_buf required = {0};
	uint8_t id[BUILD_BYTES];
	bool known;
	build_bytes(l->build_id, id);
	if (!knows_build(r, find, id, &known, err) || known)
		return known;
	required_of(l->path, &required);
	bind_bytes(add, 1, id, sizeof id);
	bind_bytes(add, 2, required.ptr, required.len);
	return jic_buf_ok(&required, err) && finish_write(r->h, add, err);
}

static bool add_nodes(struct recording *r, int64_t state, struct jic_error *err)
{
	STATEMENT *node = prepare(r->h,
	                          "INSERT OR IGNORE INTO node(state, name, uuid, key, version, build)"
	                          " VALUES(?,?,?,?,?,?)",
	                          err);
	STATEMENT *find = node ? prepare(r->h, "SELECT 1 FROM build WHERE id = ?", err) : NULL;
	STATEMENT *build = find ? prepare(r->h, "INSERT INTO build(id, requires) VALUES(?,?)", err) : NULL;
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
	STATEMENT *s =
	    prepare(r->h,
	            "DELETE FROM state WHERE environment = (SELECT id FROM environment WHERE identity = ?1)"
	            " AND digest <> ?2 AND (seen < ?3 OR id NOT IN (SELECT s.id FROM state s WHERE s.environment ="
	            " (SELECT id FROM environment WHERE identity = ?1) ORDER BY s.seen DESC, s.id DESC LIMIT ?4))",
	            err);
	if (!s)
		return false;
	bind_bytes(s, 1, r->identity.bytes, sizeof r->identity.bytes);
	bind_bytes(s, 2, r->digest.bytes, sizeof r->digest.bytes);
	sqlite3_bind_int64(s, 3, r->now_s - JIC_HISTORY_KEEP_S);
	sqlite3_bind_int64(s, 4, JIC_HISTORY_STATES_MAX);
	return finish_write(r->h, s, err);
}

static bool drop_builds(struct jic_history *h, struct jic_error *err)
{
	return run(h, "DELETE FROM build WHERE id NOT IN (SELECT build FROM node WHERE build IS NOT NULL)", err);
}

static bool write_state(struct recording *r, struct jic_error *err)
{
	int64_t state;
	if (!run(r->h, "BEGIN IMMEDIATE", err))
		return false;
	if (add_environment(r, err) && add_state(r, &state, err) && add_nodes(r, state, err) && expire(r, err) &&
	    drop_builds(r->h, err) && !r->arena.failed && run(r->h, "COMMIT", err))
		return true;
	(void)!run(r->h, "ROLLBACK", NULL);
	return r->arena.failed ? jic_fail(err, JIC_EMEMORY, "out of memory") : false;
}

bool jic_history_record(struct jic_history *h, const struct jic_session *s, const struct jic_locals *locals,
                        const bool *placed, int64_t now_s, struct jic_error *err)
{
	struct recording r = {.h = h, .s = s, .locals = locals, .placed = placed, .now_s = now_s};
	int64_t seen_s;
	bool newest;
	if (!digests(&r, err) || !find_state(&r, &seen_s, &newest, err))
		return false;
	if (newest && now_s - seen_s < JIC_HISTORY_NOTE_S)
		return true;
	const bool done = seen_s ? touch_state(&r, err) : write_state(&r, err);
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

/* ---- reading */

bool jic_history_began(struct jic_history *h, int64_t *began_s, struct jic_error *err)
{
	bool more;
	STATEMENT *s = prepare(h, "SELECT min(at) FROM began", err);
	if (!s || !step(h, s, &more, err))
		return false;
	*began_s = more ? sqlite3_column_int64(s, 0) : 0;
	return true;
}

static const struct jic_view *split(struct jic_view text, struct jic_arena *arena, size_t *count)
{
	size_t most = 0;
	for (size_t i = 0; i < text.len; i++)
		most += text.ptr[i] == '\n';
	struct jic_view *items = jic_arena_array(arena, most + 1, sizeof *items);
	*count = 0;
	for (size_t from = 0, i = 0; items && i < text.len; i++) {
		if (text.ptr[i] != '\n')
			continue;
		items[(*count)++] = jic_arena_copy(arena, jic_view_bytes(text.ptr + from, i - from));
		from = i + 1;
	}
	return items;
}

static bool count_rows(struct jic_history *h, const char *sql, size_t *count, struct jic_error *err)
{
	bool more;
	STATEMENT *s = prepare(h, sql, err);
	if (!s || !step(h, s, &more, err))
		return false;
	*count = more ? (size_t)sqlite3_column_int64(s, 0) : 0;
	return true;
}

static void read_environment(sqlite3_stmt *s, struct jic_arena *arena, struct jic_known *out)
{
	out->id = sqlite3_column_int64(s, 0);
	out->project = column_text(s, 1, arena);
	out->julia = column_text(s, 2, arena);
	out->julia_args = column_text(s, 3, arena);
	out->version = column_text(s, 4, arena);
	(void)column_bytes(s, 5, out->sysimage.bytes, sizeof out->sysimage.bytes);
	out->runtimes = split(column_text(s, 6, arena), arena, &out->runtimes_count);
	out->depot_path = split(column_text(s, 7, arena), arena, &out->depot_path_count);
	out->load_path = split(column_text(s, 8, arena), arena, &out->load_path_count);
	out->seen_s = sqlite3_column_int64(s, 9);
}

bool jic_history_environments(struct jic_history *h, struct jic_arena *arena, const struct jic_known **out,
                              size_t *count, struct jic_error *err)
{
	size_t room;
	bool more = true;
	if (!count_rows(h, "SELECT count(*) FROM environment", &room, err))
		return false;
	struct jic_known *known = jic_arena_array(arena, room + 1, sizeof *known);
	STATEMENT *s = prepare(h,
	                       "SELECT e.id, project, julia, julia_args, version, sysimage, runtimes, depot_path,"
	                       " load_path, max(seen) FROM environment e JOIN state s ON s.environment = e.id"
	                       " GROUP BY e.id ORDER BY max(seen) DESC, e.id",
	                       err);
	if (!s)
		return false;
	for (*count = 0; known && *count < room;) {
		if (!step(h, s, &more, err))
			return false;
		if (!more)
			break;
		read_environment(s, arena, &known[(*count)++]);
	}
	*out = known;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool read_node(sqlite3_stmt *s, struct jic_arena *arena, struct jic_known_node *out)
{
	uint8_t uuid[UUID_BYTES], build[BUILD_BYTES];
	out->environment = sqlite3_column_int64(s, 0);
	out->name = column_text(s, 1, arena);
	out->version = column_text(s, 2, arena);
	if (!column_bytes(s, 3, uuid, sizeof uuid) || !column_bytes(s, 4, out->key.bytes, sizeof out->key.bytes))
		return false;
	out->uuid = (struct jic_uuid){.hi = big_endian(uuid), .lo = big_endian(uuid + 8)};
	if (column_bytes(s, 5, build, sizeof build))
		out->build = build_of_bytes(build);
	out->current = sqlite3_column_int(s, 6);
	return true;
}

#define DISTINCT_NODES                                                                                                 \
	"SELECT s.environment, n.name, n.version, n.uuid, n.key, n.build, max(s.id = (SELECT id FROM state l WHERE "   \
	"l.environment = s.environment ORDER BY l.seen DESC, l.id DESC LIMIT 1)) FROM node n JOIN state s ON s.id = "  \
	"n.state GROUP BY 1, 2, 3, 4, 5, 6"

bool jic_history_nodes(struct jic_history *h, struct jic_arena *arena, const struct jic_known_node **out, size_t *count,
                       struct jic_error *err)
{
	size_t room;
	bool more = true;
	if (!count_rows(h, "SELECT count(*) FROM (" DISTINCT_NODES ")", &room, err))
		return false;
	struct jic_known_node *nodes = jic_arena_array(arena, room + 1, sizeof *nodes);
	STATEMENT *s = prepare(h, DISTINCT_NODES, err);
	if (!s)
		return false;
	for (*count = 0; nodes && *count < room;) {
		if (!step(h, s, &more, err))
			return false;
		if (!more)
			break;
		*count += read_node(s, arena, &nodes[*count]);
	}
	*out = nodes;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

bool jic_history_required(struct jic_history *h, struct jic_build_id build, struct jic_arena *arena,
                          const struct jic_build_id **out, size_t *count, struct jic_error *err)
{
	uint8_t id[BUILD_BYTES];
	bool more;
	build_bytes(build, id);
	*count = 0;
	STATEMENT *s = prepare(h, "SELECT requires FROM build WHERE id = ?", err);
	if (!s)
		return false;
	bind_bytes(s, 1, id, sizeof id);
	if (!step(h, s, &more, err))
		return false;
	const uint8_t *bytes = more ? sqlite3_column_blob(s, 0) : NULL;
	const size_t found = bytes ? (size_t)sqlite3_column_bytes(s, 0) / BUILD_BYTES : 0;
	struct jic_build_id *ids = jic_arena_array(arena, found + 1, sizeof *ids);
	if (!ids)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (; *count < found; (*count)++)
		ids[*count] = build_of_bytes(bytes + *count * BUILD_BYTES);
	*out = ids;
	return true;
}

bool jic_history_forget(struct jic_history *h, int64_t environment, struct jic_error *err)
{
	STATEMENT *s = prepare(h, "DELETE FROM environment WHERE id = ?", err);
	if (!s)
		return false;
	sqlite3_bind_int64(s, 1, environment);
	return finish_write(h, s, err) && drop_builds(h, err);
}
