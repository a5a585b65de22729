/* The index conformance on SQLite, and what is SQLite's own: reopening, migration, two processes on one file. */
#include "server/store/sqlite/sqlite_index.h"

#include "tests/conformance/index_conformance.h"
#include "tests/support/temp.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static struct jic_index *open_in(const struct temp *dir)
{
	struct jic_error err = {0};
	struct jic_index *ix = jic_sqlite_index_open(at(dir->path, "index.sqlite"), &err);
	cr_assert(ix, "%s", err.text);
	return ix;
}

#define CASE(name)                                                                                                     \
	Test(sqlite_index, name)                                                                                       \
	{                                                                                                              \
		CLEARED(temp) dir = temp_make();                                                                       \
		JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);                                              \
		index_conformance_##name(ix);                                                                          \
	}
INDEX_CONFORMANCE(CASE)

static void run_sql(const struct temp *dir, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(at(dir->path, "index.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void refuse_to_open(const struct temp *dir, enum jic_code code, const char *word)
{
	struct jic_error err = {0};
	cr_assert_null(jic_sqlite_index_open(at(dir->path, "index.sqlite"), &err));
	cr_expect_eq(err.code, code, "%s", err.text);
	cr_expect(strstr(err.text, word), "%s", err.text);
}

Test(sqlite_index, keeps_what_it_has_when_it_is_opened_again)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_index *ix = open_in(&dir);
	struct jic_lane lane;
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("kept"), JIC_VIEW("main"), 5, &err));
	jic_index_free(ix);
	ix = open_in(&dir);
	cr_expect(ix->ops->lane_find(ix, JIC_VIEW("kept"), &arena, &lane, &err), "%s", err.text);
	jic_index_free(ix);
}

static uint64_t version_of(struct jic_index *ix)
{
	struct jic_error err = {0};
	uint64_t version;
	cr_assert(ix->ops->version(ix, &version, &err), "%s", err.text);
	return version;
}

Test(sqlite_index, has_another_version_after_each_commit_of_anybody)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	struct jic_index_counts counts;
	const uint64_t first = version_of(ix);
	cr_assert(ix->ops->counts(ix, &counts, NULL));
	cr_expect_eq(version_of(ix), first, "reading changes nothing");
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("ours"), JIC_VIEW("main"), 5, NULL));
	const uint64_t second = version_of(ix);
	cr_expect_neq(second, first);
	run_sql(&dir, "DELETE FROM lane WHERE name = 'ours'");
	const uint64_t third = version_of(ix);
	cr_expect_neq(third, second);
	cr_expect_neq(third, first);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, NULL);
	cr_assert(t->ops->counter_add(t, (enum jic_counter)0, 1, NULL));
	cr_expect_eq(version_of(ix), third,
	             "a transaction that is not committed changes nothing, and is not waited for");
	cr_assert(t->ops->commit(t, NULL));
	cr_expect_neq(version_of(ix), third);
}

Test(sqlite_index, a_copy_is_of_one_moment_and_never_over_another_file)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	struct jic_lane lane;
	const char *path = at(dir.path, "copy.sqlite");
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("before"), JIC_VIEW("main"), 5, &err));
	{
		/* Beside a writer that has not committed yet. */
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, &err);
		cr_assert(t && t->ops->counter_add(t, JIC_COUNTER_SCRUB_ROUNDS, 7, &err), "%s", err.text);
		cr_assert(ix->ops->copy(ix, path, &err), "%s", err.text);
		cr_assert(t->ops->commit(t, &err), "%s", err.text);
	}
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("after"), JIC_VIEW("main"), 5, &err));
	cr_expect_not(ix->ops->copy(ix, path, &err), "the file is there already");
	JIC_AUTO(jic_index) struct jic_index *copy = jic_sqlite_index_open(path, &err);
	uint64_t counters[JIC_COUNTER_COUNT];
	cr_assert(copy && copy->ops->lane_find(copy, JIC_VIEW("before"), &arena, &lane, &err), "%s", err.text);
	cr_expect_not(copy->ops->lane_find(copy, JIC_VIEW("after"), &arena, &lane, &err));
	cr_assert(copy->ops->counters_get(copy, counters, &err), "%s", err.text);
	cr_expect_eq(counters[JIC_COUNTER_SCRUB_ROUNDS], 0);
}

Test(sqlite_index, refuses_a_newer_schema_in_a_sentence)
{
	CLEARED(temp) dir = temp_make();
	jic_index_free(open_in(&dir));
	run_sql(&dir, "PRAGMA user_version = 999");
	refuse_to_open(&dir, JIC_EUNSUPPORTED, "schema 999");
}

/* A file as a jicached that knew only the first `count` schemas left it. */
static void make_old(const struct temp *dir, const char *const *schemas, size_t count)
{
	char pragmas[96];
	for (size_t i = 0; i < count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf sql = {0};
		struct jic_error err = {0};
		cr_assert(jic_file_read(at(JIC_SCHEMA, schemas[i]), 1 << 20, &sql, &err), "%s", err.text);
		run_sql(dir, jic_buf_str(&sql));
	}
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %zu", 0x4a494361, count);
	run_sql(dir, pragmas);
}

Test(sqlite_index, takes_a_file_of_every_released_schema_to_the_newest)
{
	static const char *const schemas[] = {
	    "001-initial.sql",    "002-withdraw.sql", "003-counters.sql",  "004-space.sql", "005-access.sql",
	    "006-signatures.sql", "007-activity.sql", "008-requirers.sql", "009-quota.sql", "010-moves.sql"};
	CLEARED(temp) fresh = temp_make();
	uint32_t newest = 0, version = 0;
	struct jic_error err = {0};
	struct jic_index *ix = open_in(&fresh);
	cr_assert(ix->ops->schema_version(ix, &newest, &err), "%s", err.text);
	jic_index_free(ix);
	for (size_t i = 1; i <= JIC_COUNT(schemas); i++) {
		CLEARED(temp) dir = temp_make();
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_lane lane;
		make_old(&dir, schemas, i);
		run_sql(&dir, "INSERT INTO lane (name, parent, created_s) VALUES ('kept', 1, 5)");
		ix = open_in(&dir);
		cr_assert(ix->ops->schema_version(ix, &version, &err), "%s", err.text);
		cr_expect_eq(version, newest);
		cr_expect(ix->ops->lane_find(ix, JIC_VIEW("kept"), &arena, &lane, &err), "%s", err.text);
		jic_index_free(ix);
	}
}

Test(sqlite_index, learns_from_schema_1_which_blobs_are_used)
{
	static const char *const schemas[] = {"001-initial.sql"};
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	struct jic_index_counts counts;
	make_old(&dir, schemas, 1);
	run_sql(&dir,
	        "INSERT INTO blob VALUES (x'01', 1, 1, 1, 1, x'00', 1, 1), (x'02', 1, 1, 1, 1, x'00', 1, 1),"
	        " (x'03', 1, 1, 1, 1, x'00', 1, 1);"
	        "INSERT INTO space VALUES (1, 'julia', x'00', x'00');"
	        "INSERT INTO artefact VALUES (1, 1, 1, x'00', 'A', '', x'00', 1, 1, x'01', 1, x'02', 1, 1, '', '',"
	        " '', '', 1, '', 1, x'00', x'', x'', 0, '', '', '', x'', x'')");
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	cr_assert(ix->ops->counts(ix, &counts, &err), "%s", err.text);
	cr_expect_eq(counts.blobs, 3);
	cr_expect_eq(counts.blobs_unused, 1);
	cr_expect_eq(counts.artefacts, 1);
}

Test(sqlite_index, learns_from_schema_8_what_each_lane_has)
{
	static const char *const schemas[] = {"001-initial.sql",  "002-withdraw.sql", "003-counters.sql",
	                                      "004-space.sql",    "005-access.sql",   "006-signatures.sql",
	                                      "007-activity.sql", "008-requirers.sql"};
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_lane lane;
	make_old(&dir, schemas, JIC_COUNT(schemas));
	run_sql(&dir, "INSERT INTO blob (digest, size, stored_size, crc32c, crc32c_head, tail, created_s, used)"
	              " VALUES (zeroblob(32), 9, 7, 0, 0, zeroblob(8), 1, 1)");
	run_sql(&dir, "INSERT INTO space (runtime, sysimage) VALUES ('r', zeroblob(32))");
	run_sql(&dir,
	        "INSERT INTO artefact (lane, space, key, name, version, uuid, build_hi, build_lo, ji, ji_size,"
	        " image_size, compile_ms, host, user, run, client, created_s, writer, published_s, inputs, provides,"
	        " requires, kind, source, build, preferences, deps, extensions)"
	        " VALUES (1, 1, zeroblob(32), 'A', '', zeroblob(16), 0, 0, zeroblob(32), 9, 0, 0, '', '', '', '', 0,"
	        " '', 0, x'', x'', x'', 0, '', '', '', x'', x'')");
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	cr_assert(ix->ops->lane_find(ix, JIC_VIEW("main"), &arena, &lane, &err), "%s", err.text);
	cr_expect_eq(lane.stored_bytes, 7);
	cr_assert(ix->ops->lane_limit(ix, JIC_VIEW("main"), 50, 60, &err), "%s", err.text);
	cr_assert(ix->ops->lane_find(ix, JIC_VIEW("main"), &arena, &lane, &err), "%s", err.text);
	cr_expect(lane.quota_bytes == 50 && lane.max_age_s == 60);
	cr_expect_not(ix->ops->lane_limit(ix, JIC_VIEW("nobody"), 50, 60, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	run_sql(&dir, "DELETE FROM artefact");
	cr_assert(ix->ops->lane_find(ix, JIC_VIEW("main"), &arena, &lane, &err), "%s", err.text);
	cr_expect_eq(lane.stored_bytes, 0);
}

Test(sqlite_index, learns_what_is_bundled_with_a_runtime_of_schema_10_from_the_next_publish)
{
	static const char *const schemas[] = {
	    "001-initial.sql",    "002-withdraw.sql", "003-counters.sql",  "004-space.sql", "005-access.sql",
	    "006-signatures.sql", "007-activity.sql", "008-requirers.sql", "009-quota.sql", "010-moves.sql"};
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const struct jic_bundled dates = {.name = JIC_VIEW("Dates"), .uuid = {.lo = 2}, .build_id = {.lo = 4}}, *got;
	const struct jic_msg_runtime runtime = {.id = JIC_VIEW("r"), .parts = {.bundled = &dates, .bundled_count = 1}};
	size_t count;
	make_old(&dir, schemas, JIC_COUNT(schemas));
	run_sql(&dir, "INSERT INTO runtime VALUES ('r', '', '', '', '', '', '', 64, '', '', zeroblob(32))");
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, &err);
	cr_assert(t, "%s", err.text);
	cr_expect_not(t->ops->runtime_bundled(t, runtime.id, &arena, &got, &count, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_assert(t->ops->runtime_put(t, &runtime, &err), "%s", err.text);
	cr_assert(t->ops->runtime_bundled(t, runtime.id, &arena, &got, &count, &err), "%s", err.text);
	cr_expect(count == 1 && jic_view_is(got[0].name, "Dates"));
}

struct watched {
	unsigned from, to, begins;
	uint64_t artefacts, goes_on;
};
static void watch_begins(void *context, unsigned from, unsigned to, uint64_t artefacts)
{
	struct watched *w = context;
	*w = (struct watched){.from = from, .to = to, .artefacts = artefacts, .begins = w->begins + 1};
}
static void watch_goes_on(void *context)
{
	((struct watched *)context)->goes_on++;
}

Test(sqlite_index, tells_of_a_migration_before_it_begins_and_while_it_runs)
{
	static const char *const schemas[] = {"001-initial.sql", "002-withdraw.sql", "003-counters.sql",
	                                      "004-space.sql", "005-access.sql"};
	CLEARED(temp) dir = temp_make();
	struct watched seen = {0};
	struct jic_error err = {0};
	const struct jic_migration_watch watch = {.begins = watch_begins, .goes_on = watch_goes_on, .context = &seen};
	make_old(&dir, schemas, JIC_COUNT(schemas));
	run_sql(
	    &dir,
	    "INSERT INTO space VALUES (1, 'r', zeroblob(32));"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	    " INSERT INTO module SELECT i, zeroblob(16), i, i FROM n;"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	    " INSERT INTO blob SELECT CAST(printf('%032d', i) AS BLOB), 1, 1, 1, 1, x'00', 1, 1 FROM n;"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	    " INSERT INTO artefact SELECT i, 1, 1, CAST(printf('%032d', i) AS BLOB), 'A', '', zeroblob(16), 1, i,"
	    " CAST(printf('%032d', i) AS BLOB), 1, NULL, 0, 1, '', '', '', '', 1, '', 1, x'00000000', x'', x'02000000',"
	    " 0, '', '', '', x'', x'00000000', 0 FROM n");
	JIC_AUTO(jic_index)
	struct jic_index *ix = jic_sqlite_index_open_watched(at(dir.path, "index.sqlite"), &watch, &err);
	cr_assert(ix, "%s", err.text);
	cr_expect(seen.begins == 1 && seen.from == 5 && seen.to > 10 && seen.artefacts == 3000);
	cr_expect_gt(seen.goes_on, 0);
	seen = (struct watched){0};
	jic_index_free(jic_sqlite_index_open_watched(at(dir.path, "index.sqlite"), &watch, &err));
	cr_expect_eq(seen.begins, 0, "there is nothing to migrate");
}

Test(sqlite_index, leaves_a_file_as_it_was_when_its_migration_fails)
{
	static const char *const schemas[] = {"001-initial.sql"};
	CLEARED(temp) dir = temp_make();
	make_old(&dir, schemas, 1);
	run_sql(&dir, "CREATE INDEX artefact_image ON artefact (run)");
	refuse_to_open(&dir, JIC_EIO, "artefact_image");
	run_sql(&dir, "DROP INDEX artefact_image; CREATE INDEX artefact_ji ON artefact (ji); DROP INDEX artefact_ji");
	jic_index_free(open_in(&dir));
}

Test(sqlite_index, refuses_the_database_of_another_program)
{
	CLEARED(temp) dir = temp_make();
	run_sql(&dir, "CREATE TABLE theirs (x)");
	refuse_to_open(&dir, JIC_EFORMAT, "another program");
	run_sql(&dir, "INSERT INTO theirs VALUES (1)");
}

Test(sqlite_index, refuses_a_file_that_is_no_database)
{
	CLEARED(temp) dir = temp_make();
	put_file(at(dir.path, "index.sqlite"), "this is just some text, long enough to be looked at by anyone");
	refuse_to_open(&dir, JIC_EFORMAT, "index.sqlite");
}

Test(sqlite_index, refuses_a_directory_that_is_not_there)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	cr_expect_null(jic_sqlite_index_open(at(dir.path, "no/index.sqlite"), &err));
	cr_expect_eq(err.code, JIC_EIO, "%s", err.text);
}

Test(sqlite_index, a_row_of_another_shape_is_corruption)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_token token = {.name = JIC_VIEW("t")}, got;
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	const struct jic_token *list;
	size_t count;
	cr_assert(ix->ops->token_put(ix, &token, &err));
	run_sql(&dir, "UPDATE token SET hash = x'0102'");
	cr_expect_not(ix->ops->token_list(ix, &arena, &list, &count, &err));
	cr_expect_eq(err.code, JIC_ECORRUPT, "%s", err.text);
	cr_expect_not(ix->ops->token_find_by_hash(ix, &token.hash, &arena, &got, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
}

/* A process that dies at once, with a write that was acknowledged and one that was not. */
static void write_and_die(const struct temp *dir)
{
	struct jic_index *ix = jic_sqlite_index_open(at(dir->path, "index.sqlite"), NULL);
	if (!ix || !ix->ops->lane_put(ix, JIC_VIEW("acknowledged"), JIC_VIEW("main"), 5, NULL))
		_exit(1);
	struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, NULL);
	uint64_t id;
	struct jic_digest sysimage = {0};
	if (!t || !ix->ops->space_put(t, JIC_VIEW("half"), &sysimage, &id, NULL))
		_exit(1);
	_exit(0);
}

Test(sqlite_index, has_all_that_was_acknowledged_after_the_writer_died)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_lane lane;
	struct jic_index_counts counts;
	int status;
	pid_t child = fork();
	if (child == 0)
		write_and_die(&dir);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	JIC_AUTO(jic_index) struct jic_index *ix = open_in(&dir);
	cr_expect(ix->ops->lane_find(ix, JIC_VIEW("acknowledged"), &arena, &lane, &err), "%s", err.text);
	cr_assert(ix->ops->counts(ix, &counts, &err));
	cr_expect_eq(counts.spaces, 0);
}

Test(sqlite_index, two_indexes_on_one_file_see_each_others_commits)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_lane lane;
	JIC_AUTO(jic_index) struct jic_index *server = open_in(&dir);
	JIC_AUTO(jic_index) struct jic_index *admin = open_in(&dir);
	cr_assert(admin->ops->lane_put(admin, JIC_VIEW("new"), JIC_VIEW("main"), 5, &err), "%s", err.text);
	cr_expect(server->ops->lane_find(server, JIC_VIEW("new"), &arena, &lane, &err), "%s", err.text);
	cr_assert(server->ops->lane_put(server, JIC_VIEW("newer"), JIC_VIEW("new"), 5, &err), "%s", err.text);
	cr_expect(admin->ops->lane_find(admin, JIC_VIEW("newer"), &arena, &lane, &err), "%s", err.text);
}
