/* What publish accepts and refuses, and that a refusal leaves nothing behind. */
#include "server/store/internal.h"
#include "tests/support/forge.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};

static uint64_t artefacts_in(struct jic_store *s)
{
	struct jic_error err = {0};
	struct jic_index_counts c;
	cr_assert(jic_store_index(s)->ops->counts(jic_store_index(s), &c, &err), "%s", err.text);
	cr_expect(c.artefacts == 0 || c.spaces == 1);
	return c.artefacts;
}

Test(publish, stores_a_set_with_all_that_the_request_says)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&beta, &alpha));
	const struct jic_msg_input input = {.type = JIC_INPUT_FILE, .path = JIC_VIEW("@depot/packages/x")};
	r->artefacts[0].inputs = &input;
	r->artefacts[0].inputs_count = 1;
	r->artefacts[0].compile_ms = 77;
	forge_upload_all(s, FORGED_SET(&beta, &alpha));
	forge_submit(s, &r->message, &arena, &result);
	cr_assert_eq(result.outcome, JIC_PUBLISH_DONE, JIC_PRIv, JIC_ARGv(result.detail));
	cr_expect_eq(result.published.published_count, 2);
	cr_expect_eq(result.published.existing_count, 0);
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&beta, &alpha), &arena);
	const struct jic_msg_record *got = forged_record(&set, &beta);
	cr_assert(got);
	cr_expect(jic_view_is(got->name, "Beta"));
	cr_expect(jic_uuid_eq(got->uuid, forged_uuid(&beta)));
	cr_expect(jic_build_id_eq(got->build_id, forged_build_id(&beta)));
	cr_expect(jic_digest_eq(&got->ji.digest, &r->artefacts[0].ji));
	cr_expect_not(got->has_image);
	cr_expect_eq(got->inputs_count, 1);
	cr_expect_eq(got->compile_ms, 77);
	cr_expect(jic_view_is(got->lane, "main"));
	cr_expect(jic_view_is(got->provenance.host, "builder"));
}

Test(publish, of_what_is_there_is_existing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha, &beta), &arena, &result), JIC_PUBLISH_DONE);
	cr_expect_eq(result.published.published_count, 1);
	cr_expect_eq(result.published.existing_count, 1);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&beta, &alpha), &arena, &result), JIC_PUBLISH_DONE);
	cr_expect_eq(result.published.existing_count, 2);
	cr_expect_eq(artefacts_in(s), 2);
}

Test(publish, of_nothing_is_done)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_msg_publish empty = {.lane = JIC_VIEW("main")};
	forge_submit(s, &empty, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE);
	cr_expect_eq(result.published.published_count, 0);
}

Test(publish, into_an_unknown_lane_fails)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("nobody", FORGED_SET(&alpha));
	forge_upload_all(s, FORGED_SET(&alpha));
	cr_expect_not(jic_store_publish(s, &r->message, JIC_VIEW("t"), &arena, &result, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
}

Test(publish, works_for_every_layout_of_cache_files)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	for (size_t i = 0; i < JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_publish_result result;
		struct forged low = alpha, high = beta;
		low.version = high.version = JI_BUILD_VERSIONS[i];
		high.deps[0] = &low;
		forge_publish(s, "main", FORGED_SET(&low, &high), &arena, &result);
		cr_expect_eq(result.outcome, JIC_PUBLISH_DONE, "%s: " JIC_PRIv, JI_BUILD_VERSIONS[i],
		             JIC_ARGv(result.detail));
		struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&low, &high), &arena);
		cr_expect_eq(set.records_count, 2, "%s", JI_BUILD_VERSIONS[i]);
	}
}

/* ---- refusals */

/* Gamma is at fault, Beta and Alpha are sound: none of them may be stored. */
static void expect_refused(struct jic_store *s, const struct jic_msg_publish *message, enum jic_publish_outcome outcome,
                           const char *word)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	forge_submit(s, message, &arena, &result);
	cr_assert_eq(result.outcome, outcome, "%s: %d, " JIC_PRIv, word, (int)result.outcome, JIC_ARGv(result.detail));
	cr_assert_eq(result.keys_count, 1, "%s", word);
	cr_expect(jic_digest_eq(&result.keys[0], &message->artefacts[message->artefacts_count - 1].key), "%s", word);
	cr_expect(memmem(result.detail.ptr, result.detail.len, word, strlen(word)), "%s is not in: " JIC_PRIv, word,
	          JIC_ARGv(result.detail));
	cr_expect_eq(artefacts_in(s), 0, "%s left something behind", word);
}

static void expect_flaw_refused(enum forged_flaw flaw, enum jic_publish_outcome outcome, const char *word)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct forged bad = gamma_;
	bad.flaw = flaw;
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha, &beta, &bad));
	forge_upload_all(s, FORGED_SET(&alpha, &beta, &bad));
	expect_refused(s, &r->message, outcome, word);
}

Test(publish, refuses_every_flaw_in_the_bytes)
{
	expect_flaw_refused(FORGED_ABSOLUTE_PATH, JIC_PUBLISH_BAD_ARTEFACT, "/home/ann");
	expect_flaw_refused(FORGED_PARENT_PATH, JIC_PUBLISH_BAD_ARTEFACT, "canonical");
	expect_flaw_refused(FORGED_NUL_PATH, JIC_PUBLISH_BAD_ARTEFACT, "canonical");
	expect_flaw_refused(FORGED_REAL_MTIME, JIC_PUBLISH_BAD_ARTEFACT, "time");
	expect_flaw_refused(FORGED_ABSOLUTE_SOURCE, JIC_PUBLISH_BAD_ARTEFACT, "source text");
	expect_flaw_refused(FORGED_BAD_TRAILER, JIC_PUBLISH_BAD_ARTEFACT, "trailing checksum");
	expect_flaw_refused(FORGED_BAD_DATA, JIC_PUBLISH_BAD_ARTEFACT, "checksum");
	expect_flaw_refused(FORGED_CLONE_TARGETS, JIC_PUBLISH_BAD_ARTEFACT, "image is missing");
	expect_flaw_refused(FORGED_TRUNCATED, JIC_PUBLISH_BAD_ARTEFACT, "checksum");
	expect_flaw_refused(FORGED_NOT_FROM_HERE, JIC_PUBLISH_INCOHERENT, "Nobody");
}

/* A request that contradicts the bytes, or itself. */
struct contradiction {
	const char *word;
	void (*make)(struct forged_request *r);
};

static void other_flags(struct forged_request *r)
{
	r->message.runtime.flags = JIC_VIEW("pkgimages=0");
}
static void other_arch(struct forged_request *r)
{
	r->message.runtime.arch = JIC_VIEW("aarch64");
}
static void other_uname(struct forged_request *r)
{
	r->message.runtime.uname = JIC_VIEW("Darwin");
}
static void other_commit(struct forged_request *r)
{
	r->message.runtime.commit = JIC_VIEW("1123456789abcdef0123456789abcdef01234567");
}
static void other_branch(struct forged_request *r)
{
	r->message.runtime.branch = JIC_VIEW("master");
}
static void other_version(struct forged_request *r)
{
	r->message.runtime.version = JIC_VIEW("1.10.6");
}
static void no_version(struct forged_request *r)
{
	r->message.runtime.version = JIC_VIEW("new");
}
static void other_word(struct forged_request *r)
{
	r->message.runtime.word_bits = 32;
}
static void unmarked_sysimage(struct forged_request *r)
{
	r->sysimage[1].build_id.hi = 1;
}
static void two_sysimages(struct forged_request *r)
{
	r->sysimage[1].build_id.hi++;
}
static void no_sysimage(struct forged_request *r)
{
	r->message.sysimage_modules_count = 0;
}
static void other_name(struct forged_request *r)
{
	r->artefacts[0].node.name = JIC_VIEW("Alpine");
	cr_assert(jic_node_key(&r->artefacts[0].node, &r->artefacts[0].key, NULL));
}
static void other_uuid(struct forged_request *r)
{
	r->artefacts[0].node.uuid.lo++;
	cr_assert(jic_node_key(&r->artefacts[0].node, &r->artefacts[0].key, NULL));
}
static void other_key(struct forged_request *r)
{
	r->artefacts[0].key.bytes[0] ^= 1;
}
static void unwanted_image(struct forged_request *r)
{
	r->artefacts[0].has_image = true;
	r->artefacts[0].image = r->artefacts[0].ji;
}
static void absolute_input(struct forged_request *r)
{
	static const struct jic_msg_input input = {.path = {.ptr = "/etc/passwd", .len = 11}};
	r->artefacts[0].inputs = &input;
	r->artefacts[0].inputs_count = 1;
}
static void twice(struct forged_request *r)
{
	r->artefacts[1] = r->artefacts[0];
	r->message.artefacts_count = 2;
}

Test(publish, refuses_every_contradiction_between_request_and_bytes)
{
	static const struct contradiction all[] = {
	    {"flags", other_flags},
	    {"architecture", other_arch},
	    {"operating system", other_uname},
	    {"commit", other_commit},
	    {"branch", other_branch},
	    {"Julia version", other_version},
	    {"no version", no_version},
	    {"bits", other_word},
	    {"Base", unmarked_sysimage},
	    {"Base", two_sysimages},
	    {"system image", no_sysimage},
	    {"Alpine", other_name},
	    {"UUID", other_uuid},
	    {"key", other_key},
	    {"image", unwanted_image},
	    {"/etc/passwd", absolute_input},
	    {"twice", twice},
	};
	for (size_t i = 0; i < JIC_COUNT(all); i++) {
		CLEARED(temp) dir = temp_make();
		JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
		jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
		forge_upload_all(s, FORGED_SET(&alpha));
		all[i].make(r);
		expect_refused(s, &r->message, JIC_PUBLISH_BAD_ARTEFACT, all[i].word);
	}
}

Test(publish, says_whose_bytes_are_missing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha, &beta));
	forge_upload_all(s, FORGED_SET(&alpha));
	expect_refused(s, &r->message, JIC_PUBLISH_BLOB_MISSING, "Beta");
}

Test(publish, refuses_a_blob_that_is_no_cache_file)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	jic_buf_puts(&bytes, "a perfectly sealed nothing");
	jic_buf_u32le(&bytes, jic_crc32c(0, bytes.ptr, bytes.len));
	cr_assert(forge_upload(s, jic_buf_view(&bytes), &r->artefacts[0].ji, &err));
	expect_refused(s, &r->message, JIC_PUBLISH_BAD_ARTEFACT, "Alpha");
	cr_assert(forge_upload(s, JIC_VIEW(""), &r->artefacts[0].ji, &err));
	expect_refused(s, &r->message, JIC_PUBLISH_BAD_ARTEFACT, "Alpha");
}

Test(publish, refuses_another_declaration_of_the_same_sysimage)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&beta));
	forge_upload_all(s, FORGED_SET(&beta));
	r->sysimage[1].build_id.lo++;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_BAD_ARTEFACT);
	struct jic_ji_module core = r->sysimage[0];
	r->sysimage[1].build_id.lo--;
	r->sysimage[0] = r->sysimage[1];
	r->sysimage[1] = core;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE, "the order does not matter: " JIC_PRIv, JIC_ARGv(result.detail));
}

Test(publish, takes_bundled_caches_of_the_runtime_as_given)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&beta));
	struct jic_bundled bundled = {
	    .name = JIC_VIEW("Alpha"), .uuid = forged_uuid(&alpha), .build_id = forged_build_id(&alpha)};
	forge_upload_all(s, FORGED_SET(&beta));
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_INCOHERENT);
	r->message.runtime.bundled = &bundled;
	r->message.runtime.bundled_count = 1;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE, JIC_PRIv, JIC_ARGv(result.detail));
	r->message.runtime.bundled_count = 0;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_INCOHERENT, "another runtime, another address");
}

Test(publish, refuses_one_build_id_for_two_artefacts)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct forged copy = alpha;
	copy.flaw = FORGED_OTHER_TEXT;
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha, &copy));
	forge_upload_all(s, FORGED_SET(&alpha, &copy));
	r->artefacts[1].node.preferences = JIC_VIEW("other");
	cr_assert(jic_node_key(&r->artefacts[1].node, &r->artefacts[1].key, NULL));
	expect_refused(s, &r->message, JIC_PUBLISH_BAD_ARTEFACT, "build id");
	r->message.artefacts_count = 1;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE);
	r->message.artefacts++;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_BAD_ARTEFACT, "against what is stored");
	r->artefacts[1].ji = r->artefacts[0].ji;
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE, "the same file under two addresses is one artefact: " JIC_PRIv,
	             JIC_ARGv(result.detail));
}

/* ---- trouble */

Test(publish, onto_a_full_disk_fails_and_stores_nothing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_error err = {0};
	struct rlimit tiny = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
	struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	forge_upload_all(s, FORGED_SET(&alpha));
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	bool published = jic_store_publish(s, &r->message, JIC_VIEW("t"), &arena, &result, &err);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_expect_not(published);
	cr_expect(err.code == JIC_EIO || err.code == JIC_ENOSPACE, "%s: %s", jic_code_name(err.code), err.text);
	cr_expect_eq(artefacts_in(s), 0);
	forge_submit(s, &r->message, &arena, &result);
	cr_expect_eq(result.outcome, JIC_PUBLISH_DONE, "and goes on");
}

Test(publish, of_a_blob_whose_bytes_rotted_is_the_stores_failure)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	forge_upload_all(s, FORGED_SET(&alpha));
	char hex[JIC_DIGEST_HEX + 1], name[128];
	jic_digest_hex(&r->artefacts[0].ji, hex);
	snprintf(name, sizeof name, "blobs/%.2s/%s.zst", hex, hex + 2);
	put_file(at(dir.path, name), "rotten");
	cr_expect_not(jic_store_publish(s, &r->message, JIC_VIEW("t"), &arena, &result, &err));
	cr_expect_eq(err.code, JIC_EIO, "%s", err.text);
	cr_expect_eq(artefacts_in(s), 0);
}

/* ---- the race: eight builders have compiled the same two packages, each for itself */

enum { RACERS = 8 };

struct racer {
	pthread_t thread;
	struct jic_store *store;
	struct forged low, high;
	enum jic_publish_outcome outcome;
	size_t keys_count;
	bool failed;
};

static void *race(void *context)
{
	struct racer *r = context;
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result = {0};
	jic_autofree struct forged_request *request = forge_request("main", FORGED_SET(&r->low, &r->high));
	r->failed = !jic_store_publish(r->store, &request->message, JIC_VIEW("racer"), &arena, &result, NULL);
	r->outcome = result.outcome;
	r->keys_count = result.keys_count;
	return NULL;
}

Test(publish, one_of_many_racing_builders_wins_and_the_store_stays_coherent)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct racer racers[RACERS];
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.store = s, .low = alpha, .high = beta};
		racers[i].low.build = 100 + i;
		racers[i].high.build = 200 + i;
		racers[i].high.deps[0] = &racers[i].low;
		forge_upload_all(s, FORGED_SET(&racers[i].low, &racers[i].high));
	}
	for (size_t i = 0; i < RACERS; i++)
		cr_assert_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	size_t winner = RACERS, wins = 0;
	for (size_t i = 0; i < RACERS; i++) {
		cr_expect_not(racers[i].failed);
		if (racers[i].outcome == JIC_PUBLISH_DONE) {
			winner = i;
			wins++;
			continue;
		}
		cr_expect_eq(racers[i].outcome, JIC_PUBLISH_SUPERSEDED);
		cr_expect_eq(racers[i].keys_count, 2);
	}
	cr_assert_eq(wins, 1);
	cr_expect_eq(artefacts_in(s), 2);
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&alpha, &beta), &arena);
	cr_assert_eq(set.records_count, 2);
	cr_expect(jic_build_id_eq(forged_record(&set, &beta)->build_id, forged_build_id(&racers[winner].high)));
	cr_expect(jic_build_id_eq(forged_record(&set, &alpha)->build_id, forged_build_id(&racers[winner].low)));
}
