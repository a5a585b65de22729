/* Everything that can be wrong with a store is found, a repair takes out exactly that, and what is sound is left alone.
 */
#include "server/store/fsck.h"

#include "server/store/internal.h"
#include "tests/support/harm.h"

#include <sqlite3.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};
static const struct forged delta = {.name = "Delta", .id = 4, .build = 14};

/* A store with Gamma on Beta on Alpha, and Delta, in main; the lane pr/1 is below it. */
struct shop {
	struct temp dir;
	struct jic_store *store;
	struct jic_arena arena;
	struct jic_fsck found;
};

static void shop_remove(struct shop *s)
{
	jic_store_free(s->store);
	jic_arena_clear(&s->arena);
	temp_remove(&s->dir);
}

static void publish(struct shop *s, const char *lane, const struct forged *const *set, size_t count)
{
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s->store, lane, set, count, &s->arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

static void shop_open(struct shop *s)
{
	struct jic_error err = {0};
	*s = (struct shop){.dir = temp_make()};
	s->store = forge_store(&s->dir);
	struct jic_index *ix = jic_store_index(s->store);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/1"), JIC_VIEW("main"), 5, &err), "%s", err.text);
	publish(s, "main", FORGED_SET(&alpha, &beta, &gamma_, &delta));
}

static void check(struct shop *s)
{
	struct jic_error err = {0};
	cr_assert(jic_store_fsck(s->store, &s->arena, &s->found, &err), "%s", err.text);
}

static void expect_clean(struct shop *s, uint64_t artefacts)
{
	check(s);
	cr_assert_eq(s->found.findings_total, 0, "%s: " JIC_PRIv, jic_fsck_kind_name(s->found.findings[0].kind),
	             JIC_ARGv(s->found.findings[0].detail));
	cr_expect_eq(s->found.artefacts, artefacts);
}

/* Exactly one finding, of this kind. */
static const struct jic_fsck_finding *expect_one(struct shop *s, enum jic_fsck_kind kind)
{
	check(s);
	cr_assert_eq(s->found.findings_total, 1, "%llu findings", (unsigned long long)s->found.findings_total);
	cr_expect_eq(s->found.findings[0].kind, kind, "%s: " JIC_PRIv, jic_fsck_kind_name(s->found.findings[0].kind),
	             JIC_ARGv(s->found.findings[0].detail));
	cr_expect(s->found.findings[0].detail.len);
	return &s->found.findings[0];
}

static struct jic_fsck_repair repair(struct shop *s)
{
	struct jic_error err = {0};
	struct jic_fsck_repair done;
	cr_assert(jic_store_fsck_repair(s->store, &s->found, &done, &err), "%s", err.text);
	return done;
}

static void run_sql(const struct shop *s, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(at(s->dir.path, "index.sqlite"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	cr_assert_gt(sqlite3_changes(db), 0, "%s", sql);
	sqlite3_close(db);
}

/* How many of the four a reader of the lane is offered. */
static size_t offered(struct shop *s, const char *lane)
{
	return forge_resolve(s->store, lane, FORGED_SET(&alpha, &beta, &gamma_, &delta), &s->arena).records_count;
}

Test(fsck, of_an_empty_and_of_a_sound_store_is_clean)
{
	CLEARED(shop) s;
	shop_open(&s);
	expect_clean(&s, 4);
	cr_expect_eq(s.found.blobs, 4);
	cr_expect_gt(s.found.stored_bytes, 400);
	cr_expect_eq(s.found.superseded, 0);
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *empty = forge_store(&dir);
	struct jic_error err = {0};
	cr_assert(jic_store_fsck(empty, &s.arena, &s.found, &err), "%s", err.text);
	cr_expect_eq(s.found.findings_total, 0);
}

Test(fsck, works_for_every_layout_of_cache_files)
{
	CLEARED(shop) s;
	shop_open(&s);
	for (size_t i = 0; i < JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct forged low = alpha, high = beta;
		low.version = high.version = JI_BUILD_VERSIONS[i];
		high.deps[0] = &low;
		publish(&s, "main", FORGED_SET(&low, &high));
	}
	check(&s);
	cr_expect_eq(s.found.findings_total, 0);
	cr_expect_geq(s.found.artefacts, 2 * JIC_COUNT(JI_BUILD_VERSIONS));
}

Test(fsck, does_not_take_what_a_parent_lane_hides_for_damage)
{
	CLEARED(shop) s;
	shop_open(&s);
	static const struct forged low = {.name = "Low", .id = 7, .build = 71},
				   low2 = {.name = "Low", .id = 7, .build = 72};
	static const struct forged high = {.name = "High", .id = 8, .build = 81, .deps = {&low}},
				   high2 = {.name = "High", .id = 8, .build = 82, .deps = {&low2}},
				   top = {.name = "Top", .id = 9, .build = 91, .deps = {&high}};
	publish(&s, "pr/1", FORGED_SET(&low, &high, &top));
	publish(&s, "main", FORGED_SET(&low2));
	expect_clean(&s, 8);
	cr_expect_eq(s.found.superseded, 3);
	/* High makes room: what Top requires is nowhere any more, but it was superseded before. */
	publish(&s, "pr/1", FORGED_SET(&high2));
	expect_clean(&s, 8);
	cr_expect_eq(s.found.superseded, 2);
}

Test(fsck, finds_a_flipped_bit_and_repairs_by_quarantine)
{
	CLEARED(shop) s;
	shop_open(&s);
	struct jic_digest digest = blob_of(&beta);
	char hex[JIC_DIGEST_HEX + 1], name[128];
	flip_a_bit(blob_path(&s.dir, &beta));
	cr_expect(jic_digest_eq(&expect_one(&s, JIC_FSCK_BLOB_CORRUPT)->blob, &digest));
	struct jic_fsck_repair done = repair(&s);
	cr_expect_eq(done.withdrawn, 1);
	cr_expect_eq(done.dependents, 1, "Gamma goes with it");
	cr_expect_eq(done.quarantined, 1);
	cr_expect_eq(offered(&s, "main"), 2);
	jic_digest_hex(&digest, hex);
	snprintf(name, sizeof name, "quarantine/%s.zst", hex);
	cr_expect(jic_is_file(at(s.dir.path, name)));
	cr_expect_not(jic_is_file(blob_path(&s.dir, &beta)));
	expect_clean(&s, 2);
	publish(&s, "main", FORGED_SET(&beta, &gamma_));
	cr_expect_eq(offered(&s, "main"), 4, "published anew");
}

Test(fsck, finds_bytes_that_are_gone_or_cut)
{
	CLEARED(shop) s;
	shop_open(&s);
	cr_assert_eq(unlink(blob_path(&s.dir, &gamma_)), 0);
	(void)expect_one(&s, JIC_FSCK_BLOB_MISSING);
	struct jic_fsck_repair done = repair(&s);
	cr_expect_eq(done.withdrawn, 1);
	cr_expect_eq(done.dependents, 0);
	expect_clean(&s, 3);
	cr_assert_eq(truncate(blob_path(&s.dir, &delta), 40), 0);
	(void)expect_one(&s, JIC_FSCK_BLOB_CORRUPT);
	repair(&s);
	expect_clean(&s, 2);
	publish(&s, "main", FORGED_SET(&gamma_, &delta));
	cr_expect_eq(offered(&s, "main"), 4);
}

Test(fsck, finds_bytes_that_cannot_be_read)
{
	CLEARED(shop) s;
	shop_open(&s);
	cr_assert_eq(unlink(blob_path(&s.dir, &delta)), 0);
	cr_assert_eq(mkdir(blob_path(&s.dir, &delta), 0755), 0);
	(void)expect_one(&s, JIC_FSCK_BLOB_UNREADABLE);
	repair(&s);
	expect_clean(&s, 3);
}

static void expect_record_finding(const char *sql)
{
	CLEARED(shop) s;
	shop_open(&s);
	run_sql(&s, sql);
	const struct jic_fsck_finding *f = expect_one(&s, JIC_FSCK_RECORD);
	cr_expect(jic_view_is(f->lane, "main"));
	cr_expect(jic_view_starts(f->runtime, JIC_VIEW("julia-1.10.5")), JIC_PRIv, JIC_ARGv(f->runtime));
	struct jic_fsck_repair done = repair(&s);
	cr_expect_eq(done.withdrawn, 1);
	cr_expect_eq(done.quarantined, 1, "%s", sql);
	expect_clean(&s, 3);
}

Test(fsck, finds_records_that_contradict_their_bytes)
{
	expect_record_finding("UPDATE artefact SET build_lo = 4711 WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET build_hi = 4711 WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET name = 'Other' WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET uuid = x'00112233445566778899aabbccddeeff' WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET source = 'git-tree-sha1:0' WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET ji_size = ji_size + 1 WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET key = randomblob(32) WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET requires = x'' WHERE name = 'Gamma'");
	expect_record_finding("UPDATE artefact SET requires = (SELECT provides FROM artefact WHERE name = 'Delta')"
	                      " WHERE name = 'Gamma'");
}

Test(fsck, finds_a_description_of_the_runtime_that_the_files_contradict)
{
	CLEARED(shop) s;
	shop_open(&s);
	run_sql(&s, "UPDATE runtime SET revision = 'another'");
	check(&s);
	cr_expect_eq(s.found.findings_total, 4);
	run_sql(&s, "DELETE FROM runtime");
	check(&s);
	cr_expect_eq(s.found.findings_total, 4);
	cr_expect_eq(repair(&s).withdrawn, 4);
	expect_clean(&s, 0);
}

Test(fsck, finds_wrong_accounting_and_corrects_what_can_be_proved)
{
	CLEARED(shop) s;
	struct jic_error err = {0};
	struct jic_digest leftover;
	shop_open(&s);
	run_sql(&s, "UPDATE blob SET used = 0 WHERE digest = (SELECT ji FROM artefact WHERE name = 'Alpha')");
	(void)expect_one(&s, JIC_FSCK_BLOB_USE);
	cr_expect_eq(repair(&s).recounted, 1);
	expect_clean(&s, 4);
	cr_assert(forge_upload(s.store, JIC_VIEW("leftover"), &leftover, &err));
	run_sql(&s, "UPDATE blob SET used = 1 WHERE used = 0");
	(void)expect_one(&s, JIC_FSCK_BLOB_USE);
	cr_expect_eq(repair(&s).recounted, 1);
	expect_clean(&s, 4);
	run_sql(&s, "UPDATE blob SET crc32c_head = 5 WHERE digest = (SELECT ji FROM artefact WHERE name = 'Delta')");
	(void)expect_one(&s, JIC_FSCK_BLOB_FACTS);
	cr_expect_eq(repair(&s).withdrawn, 1);
	run_sql(&s, "UPDATE blob SET stored_size = 5 WHERE digest = (SELECT ji FROM artefact WHERE name = 'Gamma')");
	(void)expect_one(&s, JIC_FSCK_BLOB_FACTS);
	cr_expect_eq(repair(&s).withdrawn, 1);
	expect_clean(&s, 2);
}

Test(fsck, finds_what_requires_an_artefact_that_is_nowhere)
{
	CLEARED(shop) s;
	shop_open(&s);
	run_sql(&s, "DELETE FROM provider WHERE artefact = (SELECT id FROM artefact WHERE name = 'Alpha');"
	            "UPDATE blob SET used = 0 WHERE digest = (SELECT ji FROM artefact WHERE name = 'Alpha');"
	            "DELETE FROM artefact WHERE name = 'Alpha'");
	check(&s);
	cr_assert_eq(s.found.findings_total, 2);
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(s.found.findings[i].kind, JIC_FSCK_REQUIRES);
	cr_expect_eq(repair(&s).withdrawn, 2);
	expect_clean(&s, 1);
}

Test(fsck, counts_bytes_without_a_row_and_leaves_them_to_the_sweep)
{
	CLEARED(shop) s;
	struct jic_error err = {0};
	struct jic_digest digest = {.bytes = {0xab}};
	shop_open(&s);
	struct jic_blobs *b = s.store->blobs;
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *k = b->ops->sink_new(b, &err);
	cr_assert(k && b->ops->sink_put(k, JIC_VIEW("stray"), &err) && b->ops->sink_commit(k, &digest, &err));
	expect_clean(&s, 4);
	cr_expect_eq(s.found.strays, 1);
	cr_expect_eq(s.found.stray_bytes, 5);
	s.store->admin = true;
	expect_clean(&s, 4);
	cr_expect_eq(s.found.strays, 0, "beside a server it may be on its way");
}

Test(fsck, repairs_dependents_in_every_lane_but_those_that_find_it_elsewhere)
{
	CLEARED(shop) s;
	static const struct forged child = {.name = "Child", .id = 5, .build = 15, .deps = {&beta}},
				   other = {.name = "Other", .id = 6, .build = 16, .deps = {&delta}};
	shop_open(&s);
	publish(&s, "pr/1", FORGED_SET(&child, &other));
	flip_a_bit(blob_path(&s.dir, &alpha));
	(void)expect_one(&s, JIC_FSCK_BLOB_CORRUPT);
	struct jic_fsck_repair done = repair(&s);
	cr_expect_eq(done.withdrawn, 1);
	cr_expect_eq(done.dependents, 3, "Beta, Gamma, Child");
	cr_expect_eq(offered(&s, "pr/1"), 1);
	cr_expect_eq(forge_resolve(s.store, "pr/1", FORGED_SET(&other, &delta), &s.arena).records_count, 2);
	expect_clean(&s, 2);
}

Test(fsck, withdraws_a_blob_from_every_lane_that_has_it)
{
	CLEARED(shop) s;
	struct jic_error err = {0};
	shop_open(&s);
	struct jic_index *ix = jic_store_index(s.store);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("alone"), JIC_VIEW(""), 5, &err), "%s", err.text);
	publish(&s, "alone", FORGED_SET(&alpha, &beta));
	flip_a_bit(blob_path(&s.dir, &alpha));
	(void)expect_one(&s, JIC_FSCK_BLOB_CORRUPT);
	struct jic_fsck_repair done = repair(&s);
	cr_expect_eq(done.withdrawn, 2);
	cr_expect_eq(done.dependents, 3);
	expect_clean(&s, 1);
}

Test(fsck, reads_beside_a_server_and_does_not_repair_there)
{
	CLEARED(shop) s;
	struct jic_error err = {0};
	struct jic_fsck_repair done;
	shop_open(&s);
	struct jic_store_options options = {.data_dir = s.dir.path, .blob_bytes_max = 1 << 20, .admin = true};
	JIC_AUTO(jic_store) struct jic_store *beside = jic_store_open(&options, &err);
	cr_assert(beside, "%s", err.text);
	flip_a_bit(blob_path(&s.dir, &delta));
	cr_assert(jic_store_fsck(beside, &s.arena, &s.found, &err), "%s", err.text);
	cr_expect_eq(s.found.findings_total, 1);
	cr_expect_not(jic_store_fsck_repair(beside, &s.found, &done, &err));
	cr_expect_eq(err.code, JIC_EUSAGE, "%s", err.text);
	cr_expect_eq(offered(&s, "main"), 4);
}
