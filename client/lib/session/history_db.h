/**
 * The database of history.h: opening it, and SQLite's calls with this project's types and errors. Private to
 * history*.c.
 */
#ifndef JIC_CLIENT_HISTORY_DB_H
#define JIC_CLIENT_HISTORY_DB_H

#include "client/lib/session/history.h"

#include <sqlite3.h>

enum {
	JIC_HISTORY_ID_BYTES = 16, /**< of a build id or UUID, the most significant first */
};

struct jic_history {
	sqlite3 *db;
	char *path;
};

/** Statements without values. */
jic_must_check bool jic_history_run(struct jic_history *h, const char *sql, struct jic_error *err);

static inline void jic_history_finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}
/** A statement that ends with its scope. */
#define JIC_HISTORY_STATEMENT __attribute__((cleanup(jic_history_finalize))) sqlite3_stmt
sqlite3_stmt *jic_history_prepare(struct jic_history *h, const char *sql, struct jic_error *err);
/** One row more? @param[out] more */
jic_must_check bool jic_history_step(struct jic_history *h, sqlite3_stmt *s, bool *more, struct jic_error *err);
/** Run one that gives no rows; it can be bound and run again. */
jic_must_check bool jic_history_write(struct jic_history *h, sqlite3_stmt *s, struct jic_error *err);

void jic_history_bind_text(sqlite3_stmt *s, int at, struct jic_view v);
void jic_history_bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len);
struct jic_view jic_history_text(sqlite3_stmt *s, int at, struct jic_arena *arena);
/** A blob of exactly `len` bytes; false for anything else. */
bool jic_history_bytes(sqlite3_stmt *s, int at, void *out, size_t len);

void jic_history_put_build(struct jic_build_id id, uint8_t out[JIC_HISTORY_ID_BYTES]);
struct jic_build_id jic_history_get_build(const uint8_t bytes[JIC_HISTORY_ID_BYTES]);
struct jic_uuid jic_history_get_uuid(const uint8_t bytes[JIC_HISTORY_ID_BYTES]);
/** Those that no node has any more. */
jic_must_check bool jic_history_drop_builds(struct jic_history *h, struct jic_error *err);

#endif
