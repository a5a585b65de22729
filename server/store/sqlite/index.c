/*
 * Connections and transactions.
 *
 *     writer   one connection behind a mutex; BEGIN IMMEDIATE keeps other processes out as well
 *     readers  up to READERS_MAX connections, opened when all others are busy, kept for the next one
 *
 * In WAL mode neither side waits for the other. A thread that wants a reader when all are busy waits for one to come
 * back.
 */
#include "server/store/sqlite/internal.h"
#include "server/store/sqlite/sqlite_index.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum {
	READERS_MAX = 16,
	WAIT_S_MAX = 10, /* for the writer or a reader of our own process */
};

struct jic_sqlite_index {
	struct jic_index base;
	char *path;
	pthread_mutex_t writer_lock; /**< held for the length of a write transaction */
	struct jic_connection *writer;
	pthread_mutex_t readers_lock;
	pthread_cond_t readers_back; /**< signalled for each reader that comes back */
	struct jic_connection *idle[READERS_MAX];
	size_t idle_count;
	size_t open_count; /**< idle and busy */
	pthread_mutex_t watcher_lock;
	struct jic_connection *watcher; /**< that never writes and always is the same: see index_version() */
};

static struct timespec deadline(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += WAIT_S_MAX;
	return t;
}

/* @return a connection, or NULL when one has to be opened (counted already) or none came back in time (`*busy`) */
static struct jic_connection *take_idle(struct jic_sqlite_index *ix, bool *busy)
{
	struct timespec until = deadline();
	int rc = 0;
	pthread_mutex_lock(&ix->readers_lock);
	while (!ix->idle_count && ix->open_count == READERS_MAX && rc == 0)
		rc = pthread_cond_timedwait(&ix->readers_back, &ix->readers_lock, &until);
	struct jic_connection *c = ix->idle_count ? ix->idle[--ix->idle_count] : NULL;
	*busy = !c && ix->open_count == READERS_MAX;
	if (!c && !*busy)
		ix->open_count++;
	pthread_mutex_unlock(&ix->readers_lock);
	return c;
}

static void reader_back(struct jic_sqlite_index *ix, struct jic_connection *c)
{
	pthread_mutex_lock(&ix->readers_lock);
	if (c)
		ix->idle[ix->idle_count++] = c;
	else
		ix->open_count--;
	pthread_cond_signal(&ix->readers_back);
	pthread_mutex_unlock(&ix->readers_lock);
}

static struct jic_connection *take_reader(struct jic_sqlite_index *ix, struct jic_error *err)
{
	bool busy;
	struct jic_connection *c = take_idle(ix, &busy);
	if (busy)
		jic_fail(err, JIC_EBUSY, "index: all %d readers are busy", READERS_MAX);
	if (c || busy)
		return c;
	c = jic_connection_open(ix->path, false, err);
	if (!c)
		reader_back(ix, NULL);
	return c;
}

static struct jic_connection *take_writer(struct jic_sqlite_index *ix, struct jic_error *err)
{
	struct timespec until = deadline();
	if (pthread_mutex_timedlock(&ix->writer_lock, &until) == 0)
		return ix->writer;
	jic_fail(err, JIC_EBUSY, "index: another write takes too long");
	return NULL;
}

static void give_back(struct jic_sqlite_txn *t)
{
	if (!t->connection)
		return;
	if (t->mode == JIC_INDEX_WRITE)
		pthread_mutex_unlock(&t->index->writer_lock);
	else
		reader_back(t->index, t->connection);
}

static void txn_end(struct jic_index_txn *base)
{
	struct jic_sqlite_txn *t = (struct jic_sqlite_txn *)base;
	/* After some failures SQLite has rolled back by itself. */
	if (t->open && !sqlite3_get_autocommit(t->connection->db)) {
		bool undone = jic_connection_run(t->connection, JIC_SQL_ROLLBACK, NULL);
		JIC_ASSERT(undone || sqlite3_get_autocommit(t->connection->db));
	}
	give_back(t);
	free(t);
}

static struct jic_index_txn *txn_begin(struct jic_index *base, enum jic_index_mode mode, struct jic_error *err)
{
	struct jic_sqlite_index *ix = (struct jic_sqlite_index *)base;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *guard = calloc(1, sizeof(struct jic_sqlite_txn));
	if (!guard) {
		jic_fail(err, JIC_EMEMORY, "index: out of memory");
		return NULL;
	}
	struct jic_sqlite_txn *t = (struct jic_sqlite_txn *)guard;
	*t = (struct jic_sqlite_txn){.base.ops = base->ops, .index = ix, .mode = mode};
	t->connection = mode == JIC_INDEX_WRITE ? take_writer(ix, err) : take_reader(ix, err);
	if (!t->connection)
		return NULL;
	enum jic_sql how = mode == JIC_INDEX_WRITE ? JIC_SQL_BEGIN_WRITE : JIC_SQL_BEGIN_READ;
	if (!jic_connection_run(t->connection, how, err))
		return NULL;
	t->open = true;
	return JIC_TAKE(guard);
}

static bool txn_commit(struct jic_index_txn *base, struct jic_error *err)
{
	struct jic_sqlite_txn *t = (struct jic_sqlite_txn *)base;
	JIC_ASSERT(t->open && t->mode == JIC_INDEX_WRITE);
	if (!jic_connection_run(t->connection, JIC_SQL_COMMIT, err))
		return false;
	t->open = false;
	return true;
}

static bool index_ready(struct jic_index *ix, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = txn_begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = false;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_READY, &s, err) || !jic_stmt_step(&s, &row, err))
		return false;
	return row || jic_fail(err, JIC_ECORRUPT, "index: there is no lane");
}

static bool index_schema_version(struct jic_index *ix, uint32_t *out, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = txn_begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = false;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_SCHEMA_VERSION, &s, err) ||
	    !jic_stmt_step(&s, &row, err))
		return false;
	*out = row ? (uint32_t)jic_column_u64(&s) : 0;
	return true;
}

/* SQLite counts for each connection the commits of all others, so it has to be always the same one that is asked. */
static bool index_version(struct jic_index *base, uint64_t *out, struct jic_error *err)
{
	struct jic_sqlite_index *ix = (struct jic_sqlite_index *)base;
	bool row = false;
	pthread_mutex_lock(&ix->watcher_lock);
	{
		JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
		if (jic_stmt_use(ix->watcher, JIC_SQL_DATA_VERSION, &s, err) && jic_stmt_step(&s, &row, err) && row)
			*out = jic_column_u64(&s);
	}
	pthread_mutex_unlock(&ix->watcher_lock);
	return row;
}

static bool index_counts(struct jic_index *ix, struct jic_index_counts *out, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = txn_begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row = false;
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_COUNTS, &s, err) || !jic_stmt_step(&s, &row, err))
		return false;
	*out = (struct jic_index_counts){0};
	uint64_t *const fields[] = {&out->lanes, &out->tokens,       &out->spaces,        &out->artefacts,
	                            &out->blobs, &out->blobs_unused, &out->content_bytes, &out->stored_bytes};
	for (size_t i = 0; row && i < JIC_COUNT(fields); i++)
		*fields[i] = jic_column_u64(&s);
	return true;
}

/* In one step: SQLite begins anew when somebody writes between two. */
static bool copy_pages(struct jic_connection *from, sqlite3 *to, struct jic_error *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from->db, "main");
	int rc = b ? sqlite3_backup_step(b, -1) : sqlite3_errcode(to);
	int finished = b ? sqlite3_backup_finish(b) : SQLITE_OK;
	if (rc == SQLITE_DONE && finished == SQLITE_OK)
		return true;
	struct jic_connection failed = {.db = to};
	return jic_connection_fail(&failed, rc == SQLITE_DONE ? finished : rc, "copy", err);
}

static bool index_copy(struct jic_index *base, const char *path, struct jic_error *err)
{
	struct jic_sqlite_index *ix = (struct jic_sqlite_index *)base;
	/* SQLite takes an empty file for a new database, and has no way of its own to insist on one. */
	jic_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", path);
	struct jic_connection *from = take_reader(ix, err);
	sqlite3 *to = NULL;
	if (!from)
		return false;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL);
	struct jic_connection opened = {.db = to};
	bool ok = rc == SQLITE_OK ? copy_pages(from, to, err)
	          : to            ? jic_connection_fail(&opened, rc, path, err)
	                          : jic_fail(err, JIC_EMEMORY, "index: out of memory");
	sqlite3_close(to);
	reader_back(ix, from);
	return ok;
}

static void index_free(struct jic_index *base)
{
	struct jic_sqlite_index *ix = (struct jic_sqlite_index *)base;
	JIC_ASSERT(ix->idle_count == ix->open_count);
	for (size_t i = 0; i < ix->idle_count; i++)
		jic_connection_free(ix->idle[i]);
	jic_connection_free(ix->watcher);
	/* The writer last: the last connection to close moves the journal into the file and removes it. */
	jic_connection_free(ix->writer);
	pthread_cond_destroy(&ix->readers_back);
	pthread_mutex_destroy(&ix->readers_lock);
	pthread_mutex_destroy(&ix->writer_lock);
	pthread_mutex_destroy(&ix->watcher_lock);
	free(ix->path);
	free(ix);
}

static const struct jic_index_ops sqlite_ops = {
    .views = &jic_sqlite_views,
    .free = index_free,
    .ready = index_ready,
    .schema_version = index_schema_version,
    .version = index_version,
    .counts = index_counts,
    .lane_put = jic_sqlite_lane_put,
    .lane_limit = jic_sqlite_lane_limit,
    .lane_find = jic_sqlite_lane_find,
    .lane_list = jic_sqlite_lane_list,
    .token_put = jic_sqlite_token_put,
    .token_find_by_hash = jic_sqlite_token_find,
    .token_list = jic_sqlite_token_list,
    .token_rotate = jic_sqlite_token_rotate,
    .token_delete = jic_sqlite_token_delete,
    .token_touch = jic_sqlite_token_touch,
    .stored_bytes = jic_sqlite_stored_bytes,
    .pin_put = jic_sqlite_pin_put,
    .pin_delete = jic_sqlite_pin_delete,
    .pins_list = jic_sqlite_pins_list,
    .counters_get = jic_sqlite_counters_get,
    .copy = index_copy,
    .begin = txn_begin,
    .commit = txn_commit,
    .end = txn_end,
    .counter_add = jic_sqlite_counter_add,
    .lane_delete = jic_sqlite_lane_delete,
    .lane_chain = jic_sqlite_lane_chain,
    .space_find = jic_sqlite_space_find,
    .space_put = jic_sqlite_space_put,
    .declaration_find = jic_sqlite_declaration_find,
    .declaration_put = jic_sqlite_declaration_put,
    .spaces_list = jic_sqlite_spaces_list,
    .modules_put = jic_sqlite_modules_put,
    .modules_get = jic_sqlite_modules_get,
    .providers = jic_sqlite_providers,
    .artefacts_find = jic_sqlite_artefacts_find,
    .runtime_put = jic_sqlite_runtime_put,
    .runtime_find = jic_sqlite_runtime_find,
    .runtime_bundled = jic_sqlite_runtime_bundled,
    .origin_find = jic_sqlite_origin_find,
    .origins_find = jic_sqlite_origins_find,
    .artefact_put = jic_sqlite_artefact_put,
    .artefact_sign = jic_sqlite_artefact_sign,
    .direct_requirers = jic_sqlite_direct_requirers,
    .signers_list = jic_sqlite_signers_list,
    .made_by_list = jic_sqlite_made_by_list,
    .recall_put = jic_sqlite_recall_put,
    .recall_find = jic_sqlite_recall_find,
    .recall_delete = jic_sqlite_recall_delete,
    .recalls_list = jic_sqlite_recalls_list,
    .recalled_put = jic_sqlite_recalled_put,
    .recalled_find = jic_sqlite_recalled_find,
    .recalled_builds = jic_sqlite_recalled_builds,
    .artefact_delete = jic_sqlite_artefact_delete,
    .artefact_move = jic_sqlite_artefact_move,
    .artefacts_touch = jic_sqlite_artefacts_touch,
    .keys_list = jic_sqlite_keys_list,
    .requirers_list = jic_sqlite_requirers_list,
    .upload_put = jic_sqlite_upload_put,
    .upload_find = jic_sqlite_upload_find,
    .uploads_delete = jic_sqlite_uploads_delete,
    .lease_put = jic_sqlite_lease_put,
    .lease_find = jic_sqlite_lease_find,
    .leases_on = jic_sqlite_leases_on,
    .leases_count = jic_sqlite_leases_count,
    .lease_delete = jic_sqlite_lease_delete,
    .leases_delete = jic_sqlite_leases_delete,
    .blob_put = jic_sqlite_blob_put,
    .blob_find = jic_sqlite_blob_find,
    .blob_use = jic_sqlite_blob_use,
    .blobs_list = jic_sqlite_blobs_list,
    .blob_users = jic_sqlite_blob_users,
    .blob_release = jic_sqlite_blob_release,
    .blob_delete = jic_sqlite_blob_delete,
    .blobs_delete_unused = jic_sqlite_blobs_delete_unused,
};

struct jic_index *jic_sqlite_index_open(const char *path, struct jic_error *err)
{
	return jic_sqlite_index_open_watched(path, NULL, err);
}

struct jic_index *jic_sqlite_index_open_watched(const char *path, const struct jic_migration_watch *watch,
                                                struct jic_error *err)
{
	struct jic_sqlite_index *ix = calloc(1, sizeof *ix);
	if (!ix) {
		jic_fail(err, JIC_EMEMORY, "index: out of memory");
		return NULL;
	}
	ix->base.ops = &sqlite_ops;
	pthread_mutex_init(&ix->writer_lock, NULL);
	pthread_mutex_init(&ix->watcher_lock, NULL);
	pthread_mutex_init(&ix->readers_lock, NULL);
	pthread_cond_init(&ix->readers_back, NULL);
	JIC_AUTO(jic_index) struct jic_index *guard = &ix->base;
	ix->path = jic_strdup_view(jic_view_of(path));
	if (!ix->path) {
		jic_fail(err, JIC_EMEMORY, "index: out of memory");
		return NULL;
	}
	ix->writer = jic_connection_open(path, true, err);
	if (!ix->writer)
		return NULL;
	if (!jic_schema_migrate(ix->writer, watch, err)) {
		jic_wrap(err, "%s", path);
		return NULL;
	}
	ix->watcher = jic_connection_open(path, false, err);
	if (!ix->watcher)
		return NULL;
	return JIC_TAKE(guard);
}
