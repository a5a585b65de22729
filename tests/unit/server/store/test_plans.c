/*
 * How SQLite goes about our statements, by its own word: none may walk through a table that grows with what is stored,
 * but for those that are meant to. This is what keeps a server with a hundred thousand artefacts quick, and it holds on
 * a slow machine too.
 */
#include "server/store/sqlite/statements.h"
#include "server/store/store.h"
#include "tests/support/temp.h"

#include <sqlite3.h>

static const struct {
	const char *name, *text;
} statements[] = {
#define STATEMENT(NAME, sql) {#NAME, sql},
    JIC_SQL_STATEMENTS(STATEMENT)
#undef STATEMENT
};

/* Of SQLite's plans, where tables have the names that the statements give them. */
static const char *const growing[] = {"SCAN artefact", "SCAN a",        "SCAN b",       "SCAN blob", "SCAN provider",
                                      "SCAN p",        "SCAN requirer", "SCAN module",  "SCAN m",    "SCAN upload",
                                      "SCAN r",        "SCAN departed", "SCAN recalled"};

static const struct {
	const char *name, *why;
} walks[] = {
    {"COUNTS", "jicached status, beside the server"},
    {"REQUIRES_LIST", "one look of a withdrawal at a whole lane"},
    {"KEEP_DEPARTED", "of what to forget, as far as what to keep"},
    {"MADE_BY_TOKEN", "jicached recall, beside the server"},
    {"MADE_BY_RUN", "likewise"},
};

static bool is_growing(const char *detail)
{
	for (size_t i = 0; i < JIC_COUNT(growing); i++) {
		size_t length = strlen(growing[i]);
		if (strncmp(detail, growing[i], length) == 0 && (!detail[length] || detail[length] == ' '))
			return true;
	}
	return false;
}

static bool is_meant(const char *name)
{
	for (size_t i = 0; i < JIC_COUNT(walks); i++)
		if (strcmp(walks[i].name, name) == 0)
			return true;
	return false;
}

/* The first growing table that the statement walks through, or an empty text. */
static void walk_of(sqlite3 *db, const char *sql, char out[256])
{
	sqlite3_stmt *plan;
	char text[8192];
	out[0] = 0;
	snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
	cr_assert_eq(sqlite3_prepare_v2(db, text, -1, &plan, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(plan) == SQLITE_ROW && !out[0]) {
		const char *detail = (const char *)sqlite3_column_text(plan, 3);
		if (is_growing(detail))
			snprintf(out, 256, "%s", detail);
	}
	sqlite3_finalize(plan);
}

static sqlite3 *schema_of(const struct temp *t)
{
	struct jic_error err = {0};
	const struct jic_store_options options = {.data_dir = t->path, .blob_bytes_max = 1 << 20};
	struct jic_store *store = jic_store_open(&options, &err);
	sqlite3 *db;
	cr_assert(store, "%s", err.text);
	jic_store_free(store);
	cr_assert_eq(sqlite3_open(at(t->path, "index.sqlite"), &db), SQLITE_OK);
	return db;
}

Test(plans, no_request_walks_through_what_is_stored)
{
	struct temp t = temp_make();
	sqlite3 *db = schema_of(&t);
	char walk[256];
	for (size_t i = 0; i < JIC_COUNT(statements); i++) {
		walk_of(db, statements[i].text, walk);
		bool walks_through = walk[0];
		cr_expect_eq(walks_through, is_meant(statements[i].name), "%s: %s", statements[i].name, walk);
	}
	sqlite3_close(db);
	temp_remove(&t);
}

Test(plans, a_walk_is_noticed)
{
	struct temp t = temp_make();
	sqlite3 *db = schema_of(&t);
	char walk[256];
	walk_of(db, "SELECT count(*) FROM artefact WHERE compile_ms > ?", walk);
	cr_expect_str_eq(walk, "SCAN artefact");
	walk_of(db, "SELECT 1 FROM artefact WHERE lane = ? AND space = ? AND key = ?", walk);
	cr_expect_str_empty(walk);
	sqlite3_close(db);
	temp_remove(&t);
}
