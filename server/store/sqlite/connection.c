/*
 * Settings of a connection, and the only place where SQLite's result codes become ours.
 */
#include "server/store/sqlite/connection.h"

#include <errno.h>
#include <string.h>

enum {
	BUSY_TIMEOUT_MS = 10 * 1000, /* how long another process may hold the write lock */
};

static const char *const texts[JIC_SQL_COUNT] = {
#define JIC_SQL_TEXT(name, text) [JIC_SQL_##name] = text,
    JIC_SQL_STATEMENTS(JIC_SQL_TEXT)
#undef JIC_SQL_TEXT
};

static enum jic_code code_of(int rc, int sys)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return JIC_EMEMORY;
	case SQLITE_FULL:
		return JIC_ENOSPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return JIC_EBUSY;
	case SQLITE_CORRUPT:
		return JIC_ECORRUPT;
	case SQLITE_NOTADB:
		return JIC_EFORMAT;
	case SQLITE_CONSTRAINT:
		return JIC_ECONFLICT;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return JIC_EDENIED;
	default:
		/* SQLite knows ENOSPC as SQLITE_FULL; a quota or a file size limit it reports as an I/O error. */
		return sys == ENOSPC || sys == EDQUOT || sys == EFBIG ? JIC_ENOSPACE : JIC_EIO;
	}
}

bool jic_connection_fail(struct jic_connection *c, int rc, const char *what, struct jic_error *err)
{
	int sys = sqlite3_system_errno(c->db);
	return jic_fail(err, code_of(rc, sys), "index: %s: %s", what, sqlite3_errmsg(c->db));
}

static bool configure(struct jic_connection *c, bool writer, struct jic_error *err)
{
	/* journal_mode first: it is what creates the file and what other settings depend on. Memory is in KiB when
	 * negative; the journal is cut back after a burst. */
	static const char common_settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
					      "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
					      "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
					      "PRAGMA journal_size_limit = 67108864;";
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
	int rc = sqlite3_exec(c->db, common_settings, NULL, NULL, NULL);
	if (rc == SQLITE_OK && !writer)
		rc = sqlite3_exec(c->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return rc == SQLITE_OK || jic_connection_fail(c, rc, "settings", err);
}

struct jic_connection *jic_connection_open(const char *path, bool writer, struct jic_error *err)
{
	JIC_AUTO(jic_connection) struct jic_connection *c = calloc(1, sizeof *c);
	if (!c) {
		jic_fail(err, JIC_EMEMORY, "index: out of memory");
		return NULL;
	}
	/* Every connection is used by one thread at a time, so SQLite's own mutexes have nothing to do. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);
	int rc = sqlite3_open_v2(path, &c->db, flags, NULL);
	if (rc != SQLITE_OK) {
		if (c->db)
			jic_connection_fail(c, rc, path, err);
		else
			jic_fail(err, JIC_EMEMORY, "index: out of memory");
		return NULL;
	}
	if (!configure(c, writer, err)) {
		jic_wrap(err, "%s", path);
		return NULL;
	}
	return JIC_TAKE(c);
}

void jic_connection_free(struct jic_connection *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < JIC_SQL_COUNT; i++)
		sqlite3_finalize(c->prepared[i]);
	sqlite3_close(c->db);
	free(c);
}

bool jic_stmt_use(struct jic_connection *c, enum jic_sql which, struct jic_stmt *out, struct jic_error *err)
{
	sqlite3_stmt **slot = &c->prepared[which];
	if (!*slot) {
		int rc = sqlite3_prepare_v3(c->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
		if (rc != SQLITE_OK)
			return jic_connection_fail(c, rc, texts[which], err);
	}
	*out = (struct jic_stmt){.handle = *slot, .connection = c, .which = which, .next = 1};
	return true;
}

void jic_stmt_again(struct jic_stmt *s)
{
	sqlite3_reset(s->handle);
	s->next = 1;
}

void jic_stmt_clear(struct jic_stmt *s)
{
	if (!s->handle)
		return;
	sqlite3_reset(s->handle);
	sqlite3_clear_bindings(s->handle);
	s->handle = NULL;
}

static void note(struct jic_stmt *s, int rc)
{
	if (rc != SQLITE_OK && s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void jic_bind_u64(struct jic_stmt *s, uint64_t v)
{
	note(s, sqlite3_bind_int64(s->handle, s->next++, (sqlite3_int64)v));
}

void jic_bind_null(struct jic_stmt *s)
{
	note(s, sqlite3_bind_null(s->handle, s->next++));
}

/* A NULL pointer would bind NULL where an empty value is meant. */
void jic_bind_text(struct jic_stmt *s, struct jic_view v)
{
	note(s, sqlite3_bind_text64(s->handle, s->next++, v.ptr ? v.ptr : "", v.len, SQLITE_STATIC, SQLITE_UTF8));
}

void jic_bind_bytes(struct jic_stmt *s, struct jic_view v)
{
	note(s, sqlite3_bind_blob64(s->handle, s->next++, v.ptr ? v.ptr : "", v.len, SQLITE_STATIC));
}

void jic_bind_digest(struct jic_stmt *s, const struct jic_digest *d)
{
	jic_bind_bytes(s, jic_view_bytes(d->bytes, JIC_DIGEST_BYTES));
}

void jic_bind_uuid(struct jic_stmt *s, struct jic_uuid u, uint8_t bytes[16])
{
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(u.hi >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(u.lo >> (56 - 8 * i));
	}
	jic_bind_bytes(s, jic_view_bytes(bytes, 16));
}

bool jic_stmt_step(struct jic_stmt *s, bool *row, struct jic_error *err)
{
	if (s->bind_rc != SQLITE_OK)
		return jic_connection_fail(s->connection, s->bind_rc, texts[s->which], err);
	int rc = sqlite3_step(s->handle);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return jic_connection_fail(s->connection, rc, texts[s->which], err);
	*row = rc == SQLITE_ROW;
	s->next = 0;
	return true;
}

bool jic_stmt_run(struct jic_stmt *s, struct jic_error *err)
{
	bool row;
	bool ok = jic_stmt_step(s, &row, err);
	sqlite3_reset(s->handle);
	return ok;
}

bool jic_connection_run(struct jic_connection *c, enum jic_sql which, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	return jic_stmt_use(c, which, &s, err) && jic_stmt_run(&s, err);
}

uint64_t jic_column_u64(struct jic_stmt *s)
{
	return (uint64_t)sqlite3_column_int64(s->handle, s->next++);
}

struct jic_view jic_column_view(struct jic_stmt *s)
{
	int column = s->next++;
	const void *ptr = sqlite3_column_blob(s->handle, column);
	int len = sqlite3_column_bytes(s->handle, column);
	return jic_view_bytes(ptr, ptr && len > 0 ? (size_t)len : 0);
}

struct jic_view jic_column_copy(struct jic_stmt *s, struct jic_arena *arena)
{
	return jic_arena_copy(arena, jic_column_view(s));
}

void jic_column_digest(struct jic_stmt *s, struct jic_digest *out)
{
	if (!jic_column_digest_or_null(s, out))
		s->corrupt = true;
}

bool jic_column_digest_or_null(struct jic_stmt *s, struct jic_digest *out)
{
	struct jic_view v = jic_column_view(s);
	*out = (struct jic_digest){0};
	if (v.len != JIC_DIGEST_BYTES) {
		s->corrupt = s->corrupt || v.len != 0;
		return false;
	}
	memcpy(out->bytes, v.ptr, JIC_DIGEST_BYTES);
	return true;
}

void jic_column_uuid(struct jic_stmt *s, struct jic_uuid *out)
{
	struct jic_view v = jic_column_view(s);
	*out = (struct jic_uuid){0};
	if (v.len != 16) {
		s->corrupt = true;
		return;
	}
	const uint8_t *bytes = (const uint8_t *)v.ptr;
	for (unsigned i = 0; i < 8; i++) {
		out->hi = out->hi << 8 | bytes[i];
		out->lo = out->lo << 8 | bytes[8 + i];
	}
}

bool jic_stmt_ok(const struct jic_stmt *s, const struct jic_arena *arena, struct jic_error *err)
{
	if (s->corrupt)
		return jic_fail(err, JIC_ECORRUPT, "index: a column has another shape than the schema says");
	return !arena || !arena->failed || jic_fail(err, JIC_EMEMORY, "index: out of memory");
}

bool jic_stmt_collected(const struct jic_stmt *s, const struct jic_buf *list, size_t size, struct jic_arena *arena,
                        const void **out, size_t *count, struct jic_error *err)
{
	*count = list->len / size;
	*out = jic_arena_copy(arena, jic_buf_view(list)).ptr;
	return jic_stmt_ok(s, arena, err) && jic_buf_ok(list, err);
}
