/* The order of eviction, what it leaves alone, and the limits that make room. */
#include "server/store/evict.h"

#include "server/store/fsck.h"
#include "server/store/internal.h"
#include "server/store/keeper.h"
#include "server/store/uses.h"
#include "tests/support/harm.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <time.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};
static const struct forged delta = {.name = "Delta", .id = 4, .build = 14};
static const struct jic_log silent = {.fd = -1};

struct attic {
	struct temp dir;
	struct jic_store *store;
	struct jic_arena arena;
};

static void attic_remove(struct attic *a)
{
	jic_store_free(a->store);
	jic_arena_clear(&a->arena);
	temp_remove(&a->dir);
}

static void publish(struct attic *a, const char *lane, const struct forged *const *set, size_t count)
{
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(a->store, lane, set, count, &a->arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

static void run_sql(const struct attic *a, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(at(a->dir.path, "index.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* Gamma on Beta on Alpha, and Delta, all published at 1000000 and compiled in a second. */
static void attic_open(struct attic *a)
{
	*a = (struct attic){.dir = temp_make()};
	a->store = forge_store(&a->dir);
	publish(a, "main", FORGED_SET(&alpha, &beta, &gamma_, &delta));
	run_sql(a, "UPDATE artefact SET published_s = 1000000, compile_ms = 1000, ji_size = 1000");
}

static struct jic_evicted evict(struct attic *a, uint64_t bytes, uint64_t unused_s, uint64_t now_s)
{
	struct jic_error err = {0};
	struct jic_evicted gone;
	const struct jic_eviction what = {.bytes = bytes, .aged = unused_s > 0, .unused_s = unused_s, .now_s = now_s};
	cr_assert(jic_store_evict(a->store, &what, &gone, &err), "%s", err.text);
	return gone;
}

static bool has(struct attic *a, const char *lane, const struct forged *f)
{
	struct jic_msg_set set = forge_resolve(a->store, lane, FORGED_SET(&alpha, &beta, &gamma_, &delta), &a->arena);
	return forged_record(&set, f) != NULL;
}

/* Evict one after the other; expect this order. */
static void expect_order(struct attic *a, const struct forged *const *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cr_assert(has(a, "main", order[i]), "%s went too early", order[i]->name);
		cr_assert_eq(evict(a, 1, 0, 1000000).artefacts, 1);
		cr_assert_not(has(a, "main", order[i]), "%zu: %s is still there", i, order[i]->name);
	}
}

Test(evict, takes_dependents_before_dependencies_of_equals)
{
	CLEARED(attic) a;
	attic_open(&a);
	run_sql(&a, "UPDATE artefact SET compile_ms = 2000 WHERE name = 'Delta'");
	expect_order(&a, FORGED_SET(&gamma_, &beta, &alpha, &delta));
	cr_expect_eq(evict(&a, 1, 0, 1000000).artefacts, 0, "there is nothing left");
}

Test(evict, takes_what_saves_least_for_its_bytes)
{
	CLEARED(attic) a;
	attic_open(&a);
	run_sql(&a, "UPDATE artefact SET ji_size = 3000 WHERE name = 'Delta'");
	expect_order(&a, FORGED_SET(&delta, &gamma_));
	CLEARED(attic) b;
	attic_open(&b);
	run_sql(&b, "UPDATE artefact SET compile_ms = 10 WHERE name = 'Delta'");
	expect_order(&b, FORGED_SET(&delta, &gamma_));
}

Test(evict, a_dependency_is_worth_what_its_best_dependent_is)
{
	CLEARED(attic) a;
	attic_open(&a);
	run_sql(&a, "UPDATE artefact SET compile_ms = 1 WHERE name IN ('Alpha', 'Beta');"
	            "UPDATE artefact SET compile_ms = 5000 WHERE name = 'Gamma'");
	expect_order(&a, FORGED_SET(&delta, &gamma_, &beta, &alpha));
}

Test(evict, takes_what_was_not_used_for_long)
{
	CLEARED(attic) a;
	attic_open(&a);
	run_sql(&a,
	        "UPDATE artefact SET published_s = 5; UPDATE artefact SET last_used_s = 900000 WHERE name = 'Gamma'");
	expect_order(&a, FORGED_SET(&delta, &gamma_));
}

Test(evict, frees_as_much_as_is_asked_for_and_no_more)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	uint64_t before, after;
	attic_open(&a);
	struct jic_index *ix = jic_store_index(a.store);
	cr_assert(ix->ops->stored_bytes(ix, &before, &err));
	struct jic_evicted gone = evict(&a, before / 2, 0, 1000000);
	cr_assert(ix->ops->stored_bytes(ix, &after, &err));
	cr_expect_eq(before - after, gone.stored_bytes);
	cr_expect_geq(gone.stored_bytes, before / 2);
	cr_expect_eq(gone.artefacts, 2);
}

Test(evict, leaves_pins_and_all_that_they_require)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	attic_open(&a);
	struct jic_index *ix = jic_store_index(a.store);
	cr_assert(ix->ops->pin_put(ix, JIC_VIEW("Beta"), 5, &err), "%s", err.text);
	cr_expect_eq(evict(&a, UINT64_MAX, 1, 2000000).artefacts, 2);
	cr_expect(has(&a, "main", &alpha) && has(&a, "main", &beta));
	cr_assert(ix->ops->pin_delete(ix, JIC_VIEW("Beta"), &err));
	struct jic_digest key;
	char hex[JIC_DIGEST_HEX + 1];
	forged_key(&alpha, &key);
	jic_digest_hex(&key, hex);
	cr_assert(ix->ops->pin_put(ix, jic_view_of(hex), 5, &err));
	cr_expect_eq(evict(&a, UINT64_MAX, 0, 2000000).artefacts, 1);
	cr_expect(has(&a, "main", &alpha));
}

Test(evict, by_age_counts_the_use_of_dependents)
{
	CLEARED(attic) a;
	attic_open(&a);
	run_sql(&a, "UPDATE artefact SET last_used_s = 1000900 WHERE name = 'Beta'");
	cr_expect_eq(evict(&a, 0, 500, 1001000).artefacts, 2, "Gamma and Delta");
	cr_expect(has(&a, "main", &alpha) && has(&a, "main", &beta));
	cr_expect_eq(evict(&a, 0, 500, 1001000).artefacts, 0);
}

Test(evict, keeps_bytes_that_another_lane_refers_to_and_leaves_a_sound_store)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	struct jic_fsck found;
	attic_open(&a);
	struct jic_index *ix = jic_store_index(a.store);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("alone"), JIC_VIEW(""), 5, &err), "%s", err.text);
	publish(&a, "alone", FORGED_SET(&alpha, &delta));
	run_sql(&a, "UPDATE artefact SET ji_size = (SELECT size FROM blob WHERE digest = ji)");
	cr_expect_eq(evict(&a, 0, 500, 1001000).artefacts, 4, "what main has is old");
	cr_expect(has(&a, "alone", &alpha));
	cr_assert(jic_store_fsck(a.store, &a.arena, &found, &err), "%s", err.text);
	cr_expect_eq(found.findings_total, 0);
	cr_expect_eq(found.artefacts, 2);
	cr_expect_eq(found.blobs, 2);
	cr_expect_eq(found.strays, 0);
}

Test(evict, is_refused_beside_a_server)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	struct jic_evicted gone;
	attic_open(&a);
	a.store->admin = true;
	cr_expect_not(jic_store_evict(a.store, &(struct jic_eviction){.bytes = 1}, &gone, &err));
	cr_expect_eq(err.code, JIC_EUSAGE);
}

Test(evict, pins_are_names_keys_or_addresses)
{
	struct jic_error err = {0};
	cr_expect(jic_pin_check(JIC_VIEW("Plots"), &err));
	cr_expect(
	    jic_pin_check(JIC_VIEW("a/b/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), &err));
	cr_expect_not(jic_pin_check(JIC_VIEW(""), &err));
	cr_expect_not(jic_pin_check(JIC_VIEW("two words"), &err));
	cr_expect_not(jic_pin_check(JIC_VIEW("a/b/c"), &err));
	cr_expect_eq(err.code, JIC_EUSAGE);
}

/* ---- uses */

static uint64_t last_used(struct attic *a, const struct forged *f)
{
	struct jic_error err = {0};
	const struct jic_index_artefact *row;
	struct jic_digest key;
	const struct jic_lane lane = {.id = 1};
	forged_key(f, &key);
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = a->store->index->ops->begin(a->store->index, JIC_INDEX_READ, &err);
	cr_assert(t && t->ops->artefacts_find(t, &lane, 1, &key, 1, &a->arena, &row, &err) && row, "%s", err.text);
	return row->last_used_s;
}

Test(uses, of_a_resolve_are_written_once_an_hour)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	attic_open(&a);
	cr_expect(has(&a, "main", &delta));
	cr_assert(jic_uses_flush(a.store, 2000000, &err), "%s", err.text);
	cr_expect_eq(last_used(&a, &delta), 2000000);
	run_sql(&a, "UPDATE artefact SET last_used_s = unixepoch() - 60 WHERE name = 'Delta'");
	cr_expect(has(&a, "main", &delta));
	cr_expect_eq(a.store->uses.places.len % sizeof(struct jic_index_place), 0);
	cr_assert(jic_uses_flush(a.store, 3000000000, &err), "%s", err.text);
	cr_expect_lt(last_used(&a, &delta), 3000000000, "it was used a minute ago");
	cr_expect_eq(last_used(&a, &gamma_), 3000000000);
}

/* ---- limits */

static struct jic_store *open_limited(const struct temp *dir, uint64_t store_bytes_max, uint64_t free_bytes_min)
{
	struct jic_error err = {0};
	struct jic_store_options options = {.data_dir = dir->path,
	                                    .blob_bytes_max = 1 << 20,
	                                    .store_bytes_max = store_bytes_max,
	                                    .free_bytes_min = free_bytes_min};
	struct jic_store *s = jic_store_open(&options, &err);
	cr_assert(s, "%s", err.text);
	return s;
}

static bool upload_noise(struct jic_store *s, uint64_t seed, size_t len, struct jic_error *err)
{
	static char noise[400000];
	struct jic_digest digest;
	uint64_t x = seed + 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		noise[i] = (char)(x >> 56);
	}
	return forge_upload(s, jic_view_bytes(noise, len), &digest, err);
}

Test(limits, of_bytes_count_what_is_stored_and_what_arrives)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	JIC_AUTO(jic_store) struct jic_store *s = open_limited(&dir, 300000, 0);
	cr_expect(upload_noise(s, 1, 200000, &err), "%s", err.text);
	cr_expect_not(upload_noise(s, 2, 150000, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	cr_expect_eq(s->space.arriving_bytes, 0, "what was given up is not counted");
	/* Somebody else's, under way. */
	s->space.arriving_bytes = 90000;
	cr_expect_not(upload_noise(s, 3, 60000, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE);
	s->space.arriving_bytes = 0;
	cr_expect(upload_noise(s, 3, 60000, &err), "%s", err.text);
}

static void wait_until_it_takes(struct jic_store *s, uint64_t seed)
{
	struct jic_error err = {0};
	for (int i = 0; i < 2000; i++) {
		if (upload_noise(s, seed, 100000, &err))
			return;
		cr_assert_eq(err.code, JIC_ENOSPACE, "%s", err.text);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	cr_assert_fail("%s", err.text);
}

Test(limits, wake_the_keeper_which_makes_room)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	a = (struct attic){.dir = temp_make()};
	a.store = open_limited(&a.dir, 101000, 0);
	publish(&a, "main", FORGED_SET(&alpha, &beta, &gamma_, &delta));
	run_sql(&a, "UPDATE artefact SET published_s = 1000000");
	cr_assert_not(upload_noise(a.store, 1, 100000, &err), "the limit is too wide for this test");
	const struct jic_keeper_options options = {.store = a.store, .log = &silent, .interval_s = 3600};
	/* Nine tenths of a limit that is below what is there. */
	a.store->space.store_bytes_max = 600;
	struct jic_keeper *keeper = jic_keeper_start(&options, &err);
	cr_assert(keeper, "%s", err.text);
	for (int i = 0; i < 2000 && has(&a, "main", &gamma_); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	cr_expect_not(has(&a, "main", &gamma_));
	cr_expect(has(&a, "main", &alpha), "no more than necessary");
	a.store->space.store_bytes_max = 101000;
	wait_until_it_takes(a.store, 1);
	jic_keeper_stop(keeper);
	jic_keeper_stop(NULL);
}

/* A small file system over the test's directory, seen by this test's process alone. */
static void mount_small(const struct temp *dir)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir->path, "tmpfs", 0, "size=8m") != 0)
		cr_skip_test("a small file system takes root to mount");
}

Test(limits, of_free_bytes_refuse_writes_before_the_disk_is_full_and_reads_go_on)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	struct jic_publish_result result;
	uint64_t uploads = 0, left;
	a = (struct attic){.dir = temp_make()};
	mount_small(&a.dir);
	a.store = open_limited(&a.dir, 0, 3 << 20);
	publish(&a, "main", FORGED_SET(&alpha, &beta, &gamma_, &delta));
	while (uploads < 100 && upload_noise(a.store, uploads, 200000, &err))
		uploads++;
	cr_expect(uploads > 10 && uploads < 30, "%llu", (unsigned long long)uploads);
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	cr_assert(a.store->blobs->ops->free_bytes(a.store->blobs, &left, &err));
	cr_expect(left > (2 << 20) && left <= (3 << 20) + 400000, "%llu", (unsigned long long)left);
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	/* A little less, so that publishing is refused too. */
	a.store->space.free_bytes_min = left + 1;
	cr_expect_not(jic_store_publish(a.store, &r->message, JIC_VIEW("t"), &a.arena, &result, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	cr_expect(has(&a, "main", &gamma_), "reads go on");
	jic_store_free(JIC_TAKE(a.store));
	umount(a.dir.path);
}
