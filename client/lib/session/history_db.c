#include "client/lib/session/history_db.h"

#include "common/file.h"

enum { SCHEMA_VERSION = 1, BUSY_MS = 250 };

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

bool jic_history_run(struct jic_history *h, const char *sql, struct jic_error *err)
{
	return fail(h, sqlite3_exec(h->db, sql, NULL, NULL, NULL), err);
}

sqlite3_stmt *jic_history_prepare(struct jic_history *h, const char *sql, struct jic_error *err)
{
	sqlite3_stmt *s = NULL;
	return fail(h, sqlite3_prepare_v2(h->db, sql, -1, &s, NULL), err) ? s : NULL;
}

bool jic_history_step(struct jic_history *h, sqlite3_stmt *s, bool *more, struct jic_error *err)
{
	const int rc = sqlite3_step(s);
	*more = rc == SQLITE_ROW;
	return fail(h, rc, err);
}

bool jic_history_write(struct jic_history *h, sqlite3_stmt *s, struct jic_error *err)
{
	bool more;
	const bool done = jic_history_step(h, s, &more, err);
	sqlite3_reset(s);
	return done;
}

void jic_history_bind_text(sqlite3_stmt *s, int at, struct jic_view v)
{
	sqlite3_bind_text(s, at, v.len ? v.ptr : "", (int)v.len, SQLITE_TRANSIENT);
}

void jic_history_bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len)
{
	sqlite3_bind_blob64(s, at, len ? bytes : "", len, SQLITE_TRANSIENT);
}

struct jic_view jic_history_text(sqlite3_stmt *s, int at, struct jic_arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(s, at);
	return jic_arena_copy(arena, jic_view_bytes(text, (size_t)sqlite3_column_bytes(s, at)));
}

bool jic_history_bytes(sqlite3_stmt *s, int at, void *out, size_t len)
{
	const void *bytes = sqlite3_column_blob(s, at);
	if (!bytes || (size_t)sqlite3_column_bytes(s, at) != len)
		return false;
	memcpy(out, bytes, len);
	return true;
}

/* ---- builds and UUIDs */

void jic_history_put_build(struct jic_build_id id, uint8_t out[JIC_HISTORY_ID_BYTES])
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

struct jic_build_id jic_history_get_build(const uint8_t bytes[JIC_HISTORY_ID_BYTES])
{
	return (struct jic_build_id){.hi = big_endian(bytes), .lo = big_endian(bytes + 8)};
}

struct jic_uuid jic_history_get_uuid(const uint8_t bytes[JIC_HISTORY_ID_BYTES])
{
	return (struct jic_uuid){.hi = big_endian(bytes), .lo = big_endian(bytes + 8)};
}

bool jic_history_drop_builds(struct jic_history *h, struct jic_error *err)
{
	return jic_history_run(h, "DELETE FROM build WHERE id NOT IN (SELECT build FROM node WHERE build IS NOT NULL)",
	                       err);
}

/* ---- opening */

static bool set_up(struct jic_history *h, struct jic_error *err)
{
	bool more = false;
	sqlite3_busy_timeout(h->db, BUSY_MS);
	if (!jic_history_run(h, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF", err))
		return false;
	int version;
	{
		JIC_HISTORY_STATEMENT *s = jic_history_prepare(h, "PRAGMA user_version", err);
		if (!s || !jic_history_step(h, s, &more, err))
			return false;
		version = more ? sqlite3_column_int(s, 0) : 0;
	}
	if (version == SCHEMA_VERSION)
		return true;
	if (version)
		return jic_fail(err, JIC_EUNSUPPORTED, "%s is of a newer jicache", h->path);
	return jic_history_run(h, "BEGIN IMMEDIATE", err) && jic_history_run(h, schema, err) &&
	       jic_history_run(h, "INSERT INTO began SELECT unixepoch() WHERE NOT EXISTS(SELECT 1 FROM began)", err) &&
	       jic_history_run(h, "COMMIT", err);
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
