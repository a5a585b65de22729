/*
 * Schema by number: migration N takes a file from user_version N − 1 to N. Each runs in one transaction with the change
 * of user_version, so a crash leaves the file before or after it. Two processes that open a new file at once take
 * turns.
 */
#include "server/store/sqlite/internal.h"

#include "server/store/sqlite/schema_sql.h"

enum {
	APPLICATION_ID = 0x4a494361, /* "JICa": whose file it is, for file(1) and for us */
};

static const char *const migrations[] = {
    jic_schema_001_initial, jic_schema_002_withdraw,   jic_schema_003_counters, jic_schema_004_space,
    jic_schema_005_access,  jic_schema_006_signatures, jic_schema_007_activity, jic_schema_008_requirers,
    jic_schema_009_quota,   jic_schema_010_moves,      jic_schema_011_bundled,  jic_schema_012_leases,
};

static bool read_pragma(struct jic_connection *c, const char *sql, int64_t *out, struct jic_error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	*out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || jic_connection_fail(c, rc, sql, err);
}

static bool check_ours(struct jic_connection *c, int64_t version, struct jic_error *err)
{
	int64_t id, tables;
	if (!read_pragma(c, "PRAGMA application_id", &id, err) ||
	    !read_pragma(c, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	if (version < 0 || (id != APPLICATION_ID && (version || tables)))
		return jic_fail(err, JIC_EFORMAT, "index: the file is a database of another program");
	int64_t known = (int64_t)JIC_COUNT(migrations);
	if (version > known)
		return jic_fail(err, JIC_EUNSUPPORTED,
		                "index: the file has schema %lld and this jicached knows up to %lld: "
		                "run the jicached that wrote it, or a newer one",
		                (long long)version, (long long)known);
	return true;
}

static bool apply(struct jic_connection *c, size_t number, struct jic_error *err)
{
	char pragmas[96];
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %zu", APPLICATION_ID,
	         number);
	int rc = sqlite3_exec(c->db, migrations[number - 1], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, pragmas, NULL, NULL, NULL);
	return rc == SQLITE_OK || jic_connection_fail(c, rc, "migration", err);
}

/* Every so many of SQLite's instructions: some milliseconds. */
enum { WATCH_STEPS = 100000 };

static int still_there(void *context)
{
	const struct jic_migration_watch *watch = context;
	watch->goes_on(watch->context);
	return 0;
}

static bool tell(struct jic_connection *c, const struct jic_migration_watch *watch, int64_t version,
                 struct jic_error *err)
{
	struct jic_migration_watch *told = (struct jic_migration_watch *)(uintptr_t)watch;
	int64_t artefacts;
	/* A new file is no news. */
	if (!watch || version == 0)
		return true;
	if (!read_pragma(c, "SELECT count(*) FROM artefact", &artefacts, err))
		return false;
	watch->begins(watch->context, (unsigned)version, (unsigned)JIC_COUNT(migrations), (uint64_t)artefacts);
	sqlite3_progress_handler(c->db, WATCH_STEPS, still_there, told);
	return true;
}

static bool migrate_locked(struct jic_connection *c, const struct jic_migration_watch *watch, struct jic_error *err)
{
	int64_t version;
	if (!read_pragma(c, "PRAGMA user_version", &version, err) || !check_ours(c, version, err) ||
	    !tell(c, watch, version, err))
		return false;
	for (size_t n = (size_t)version + 1; n <= JIC_COUNT(migrations); n++)
		if (!apply(c, n, err))
			return false;
	return true;
}

static bool migrate(struct jic_connection *c, const struct jic_migration_watch *watch, struct jic_error *err)
{
	if (!jic_connection_run(c, JIC_SQL_BEGIN_WRITE, err))
		return false;
	if (migrate_locked(c, watch, err) && jic_connection_run(c, JIC_SQL_COMMIT, err))
		return true;
	/* The first failure is what matters; closing the connection would undo it too. */
	bool undone = jic_connection_run(c, JIC_SQL_ROLLBACK, NULL);
	(void)undone;
	return false;
}

bool jic_schema_migrate(struct jic_connection *c, const struct jic_migration_watch *watch, struct jic_error *err)
{
	int64_t version;
	if (!read_pragma(c, "PRAGMA user_version", &version, err))
		return false;
	if (version == (int64_t)JIC_COUNT(migrations))
		return check_ours(c, version, err);
	/* Tables are rewritten: with 256 MiB of pages at hand, most of them once. */
	int rc = sqlite3_exec(c->db, "PRAGMA cache_size = -262144", NULL, NULL, NULL);
	bool ok = rc == SQLITE_OK ? migrate(c, watch, err) : jic_connection_fail(c, rc, "settings", err);
	sqlite3_progress_handler(c->db, 0, NULL, NULL);
	(void)sqlite3_exec(c->db, "PRAGMA cache_size = -16384; PRAGMA shrink_memory", NULL, NULL, NULL);
	return ok;
}
