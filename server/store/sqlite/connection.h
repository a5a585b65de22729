/**
 * One SQLite connection with its prepared statements, and a statement in use: parameters are bound, columns are read,
 * in their order, so that the code of a query reads like its text. One thread at a time.
 */
#ifndef JIC_SERVER_STORE_SQLITE_CONNECTION_H
#define JIC_SERVER_STORE_SQLITE_CONNECTION_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/digest.h"
#include "common/uuid.h"
#include "server/store/sqlite/statements.h"

#include <jicache/error.h>
#include <sqlite3.h>

struct jic_connection {
	sqlite3 *db;
	sqlite3_stmt *prepared[JIC_SQL_COUNT]; /**< NULL until first used */
};

struct jic_connection *jic_connection_open(const char *path, bool writer, struct jic_error *err);
void jic_connection_free(struct jic_connection *c);
JIC_DEFINE_AUTO(jic_connection, jic_connection_free)

/** Set `err` from what the connection says of result code `rc`. @return false */
bool jic_connection_fail(struct jic_connection *c, int rc, const char *what, struct jic_error *err);

struct jic_stmt {
	sqlite3_stmt *handle;
	struct jic_connection *connection;
	enum jic_sql which;
	int next;     /**< parameter to bind from 1, or column to read from 0 */
	int bind_rc;  /**< the first failure of a bind */
	bool corrupt; /**< a column had not the shape that was asked for */
};

/** `JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};` gives the statement back. */
void jic_stmt_clear(struct jic_stmt *s);
jic_must_check bool jic_stmt_use(struct jic_connection *c, enum jic_sql which, struct jic_stmt *out,
                                 struct jic_error *err);
/** Bind anew, for the next of several. */
void jic_stmt_again(struct jic_stmt *s);

/* The bytes bound have to live until the last step. */
void jic_bind_u64(struct jic_stmt *s, uint64_t v);
void jic_bind_null(struct jic_stmt *s);
void jic_bind_text(struct jic_stmt *s, struct jic_view v);
void jic_bind_bytes(struct jic_stmt *s, struct jic_view v);
void jic_bind_digest(struct jic_stmt *s, const struct jic_digest *d);
/** @param bytes keeps the 16 bytes that are bound */
void jic_bind_uuid(struct jic_stmt *s, struct jic_uuid u, uint8_t bytes[16]);

/** @param[out] row whether there is one more */
jic_must_check bool jic_stmt_step(struct jic_stmt *s, bool *row, struct jic_error *err);
/** A statement without rows. */
jic_must_check bool jic_stmt_run(struct jic_stmt *s, struct jic_error *err);
/** One without parameters and rows, at once. */
jic_must_check bool jic_connection_run(struct jic_connection *c, enum jic_sql which, struct jic_error *err);

uint64_t jic_column_u64(struct jic_stmt *s);
struct jic_view jic_column_view(struct jic_stmt *s); /**< borrowed until the next step */
struct jic_view jic_column_copy(struct jic_stmt *s, struct jic_arena *arena);
void jic_column_digest(struct jic_stmt *s, struct jic_digest *out);
/** As before, for one that may be NULL. @return whether there was one */
bool jic_column_digest_or_null(struct jic_stmt *s, struct jic_digest *out);
void jic_column_uuid(struct jic_stmt *s, struct jic_uuid *out);
/** After a row was read: JIC_ECORRUPT when a column had another shape, JIC_EMEMORY when the arena is exhausted. */
jic_must_check bool jic_stmt_ok(const struct jic_stmt *s, const struct jic_arena *arena, struct jic_error *err);
/** After the last row: the structs of `size` bytes that were collected in `list`, as an array in the arena. Fails as
 * jic_stmt_ok(). */
jic_must_check bool jic_stmt_collected(const struct jic_stmt *s, const struct jic_buf *list, size_t size,
                                       struct jic_arena *arena, const void **out, size_t *count, struct jic_error *err);

#endif
