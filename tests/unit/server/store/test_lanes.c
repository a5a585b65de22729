/* Lanes above and below each other: who sees what, promoting, dropping, and races between them. */
#include "server/store/fsck.h"
#include "server/store/lane_change.h"
#include "tests/support/forge.h"

#include <pthread.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13};
static const struct forged other_alpha = {.name = "Alpha", .id = 1, .build = 91};
static const struct forged other_beta = {.name = "Beta", .id = 2, .build = 92, .deps = {&other_alpha}};

static struct jic_store *open_with_lanes(const struct temp *dir)
{
	struct jic_store *s = forge_store(dir);
	struct jic_index *ix = jic_store_index(s);
	struct jic_error err = {0};
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/7"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/7/x"), JIC_VIEW("pr/7"), 1, &err), "%s", err.text);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/8"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	return s;
}

static void publish(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, lane, set, count, &arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

/* The lane that offers this very build; "" when the reader gets none, "other" when another build. */
static const char *offered(struct jic_store *s, const char *lane, const struct forged *f)
{
	static const char *const lanes[] = {"main", "pr/7", "pr/7/x", "pr/8"};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	/* What it requires is asked for, too: else it would not be offered. */
	struct jic_msg_set set = f->deps[0] ? forge_resolve(s, lane, FORGED_SET(f, f->deps[0]), &arena)
	                                    : forge_resolve(s, lane, FORGED_SET(f), &arena);
	const struct jic_msg_record *r = forged_record(&set, f);
	if (!r)
		return "";
	if (!jic_build_id_eq(r->build_id, forged_build_id(f)))
		return "other";
	for (size_t i = 0; i < JIC_COUNT(lanes); i++)
		if (jic_view_is(r->lane, lanes[i]))
			return lanes[i];
	return "?";
}

#define OFFERED(lane, f, from) cr_expect_str_eq(offered(s, lane, f), from, "%s in %s", (f)->name, lane)

static void is_clean(struct jic_store *s)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_fsck found;
	struct jic_error err = {0};
	cr_assert(jic_store_fsck(s, &arena, &found, &err), "%s", err.text);
	cr_expect_eq(found.findings_count, 0);
}

static bool promote(struct jic_store *s, const char *lane, const char *what, struct jic_promoted *out,
                    struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_view view = jic_view_of(what);
	const struct jic_promotion p = {.lane = jic_view_of(lane), .what = &view, .what_count = what ? 1 : 0};
	return jic_store_promote(s, &p, &arena, out, err);
}

static void promotes(struct jic_store *s, const char *lane, const char *what, uint64_t artefacts, uint64_t same,
                     uint64_t hidden)
{
	struct jic_promoted out;
	struct jic_error err = {0};
	cr_assert(promote(s, lane, what, &out, &err), "%s", err.text);
	cr_expect_eq(out.artefacts, artefacts);
	cr_expect_eq(out.same, same);
	cr_expect_eq(out.hidden, hidden);
	is_clean(s);
}

static void refuses(struct jic_store *s, const char *lane, const char *what, enum jic_code code, const char *why)
{
	struct jic_promoted out;
	struct jic_error err = {0};
	cr_expect_not(promote(s, lane, what, &out, &err));
	cr_expect(err.code == code && strstr(err.text, why), "%s", err.text);
	is_clean(s);
}

Test(lanes, a_whole_lane_is_promoted)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha, &beta, &gamma_));
	OFFERED("main", &beta, "");
	promotes(s, "pr/7", NULL, 3, 0, 0);
	OFFERED("main", &alpha, "main");
	OFFERED("main", &beta, "main");
	OFFERED("pr/7", &beta, "main");
	OFFERED("pr/8", &gamma_, "main");
	refuses(s, "pr/7", NULL, JIC_ENOTFOUND, "is empty");
}

Test(lanes, a_package_is_promoted_with_what_it_requires_and_nothing_else)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha, &beta, &gamma_));
	promotes(s, "pr/7", "Beta", 2, 0, 0);
	OFFERED("main", &beta, "main");
	OFFERED("main", &gamma_, "");
	OFFERED("pr/7", &gamma_, "pr/7");
	refuses(s, "pr/7", "Delta", JIC_ENOTFOUND, "no such artefact");
}

Test(lanes, what_requires_the_promoted_stays_loadable_below)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha));
	publish(s, "pr/7/x", FORGED_SET(&beta));
	promotes(s, "pr/7", "Alpha", 1, 0, 0);
	OFFERED("pr/7/x", &beta, "pr/7/x");
	promotes(s, "pr/7/x", NULL, 1, 0, 0);
	OFFERED("pr/7", &beta, "pr/7");
}

Test(lanes, what_the_parent_has_stays_and_what_lost_stays_behind)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha, &beta, &gamma_));
	publish(s, "main", FORGED_SET(&other_alpha));
	refuses(s, "pr/7", "Beta", JIC_ECONFLICT, "compile it anew");
	promotes(s, "pr/7", NULL, 1, 0, 2);
	OFFERED("main", &other_alpha, "main");
	OFFERED("main", &beta, "");
	OFFERED("pr/7", &alpha, "other");
	OFFERED("main", &gamma_, "main");
}

Test(lanes, the_same_bytes_in_both_are_the_parents)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha, &beta));
	publish(s, "main", FORGED_SET(&alpha));
	promotes(s, "pr/7", NULL, 1, 1, 0);
	OFFERED("main", &beta, "main");
}

Test(lanes, promoting_hides_what_siblings_built_on_their_own)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "pr/7", FORGED_SET(&alpha));
	publish(s, "pr/8", FORGED_SET(&other_alpha, &other_beta));
	OFFERED("pr/8", &other_beta, "pr/8");
	promotes(s, "pr/7", NULL, 1, 0, 0);
	OFFERED("pr/8", &other_alpha, "other");
	OFFERED("pr/8", &other_beta, "");
}

Test(lanes, one_build_id_for_two_artefacts_is_not_promoted)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	struct forged twin = alpha;
	twin.deps[0] = &gamma_; /* the same build of the same package under another address */
	publish(s, "pr/7", FORGED_SET(&alpha));
	publish(s, "main", FORGED_SET(&gamma_, &twin));
	refuses(s, "pr/7", NULL, JIC_ECONFLICT, "build id of another artefact");
	OFFERED("pr/7", &alpha, "pr/7");
}

Test(lanes, promoting_needs_a_lane_with_a_parent)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	publish(s, "main", FORGED_SET(&alpha));
	refuses(s, "main", NULL, JIC_EUSAGE, "no parent");
	refuses(s, "pr/9", NULL, JIC_ENOTFOUND, "no lane pr/9");
	refuses(s, "pr/7", NULL, JIC_ENOTFOUND, "is empty");
}

Test(lanes, a_lane_that_was_told_of_another_system_image_is_not_promoted)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	jic_autofree struct forged_request *lie = forge_request("pr/7", FORGED_SET(&alpha));
	struct jic_ji_module modules[8] = {0};
	const size_t count = lie->message.sysimage_modules_count;
	cr_assert_lt(count, JIC_COUNT(modules));
	memcpy(modules, lie->message.sysimage_modules, count * sizeof *modules);
	modules[count] = modules[0];
	modules[count].build_id.lo += 77;
	lie->message.sysimage_modules = modules;
	lie->message.sysimage_modules_count = count + 1;
	forge_upload_all(s, FORGED_SET(&alpha));
	forge_submit(s, &lie->message, &arena, &result);
	cr_assert_eq(result.outcome, JIC_PUBLISH_DONE, JIC_PRIv, JIC_ARGv(result.detail));
	publish(s, "main", FORGED_SET(&gamma_)); /* the lie binds nobody above */
	refuses(s, "pr/7", NULL, JIC_ECONFLICT, "disagree");
	OFFERED("main", &alpha, "");
}

/* ---- dropping */

static bool drop(struct jic_store *s, const char *lane, struct jic_dropped *out, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	return jic_store_lane_drop(s, jic_view_of(lane), &arena, out, err);
}

Test(lanes, a_dropped_lane_is_gone_with_what_only_it_had)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = jic_store_index(s);
	struct jic_index_counts before, after;
	struct jic_dropped out;
	struct jic_lane lane;
	struct jic_error err = {0};
	uint64_t removed;
	publish(s, "pr/8", FORGED_SET(&alpha, &beta));
	publish(s, "main", FORGED_SET(&alpha));
	cr_assert(ix->ops->counts(ix, &before, &err), "%s", err.text);
	cr_assert(drop(s, "pr/8", &out, &err), "%s", err.text);
	cr_expect(out.artefacts == 2 && out.blobs == 1 && out.stored_bytes > 0);
	cr_expect_not(ix->ops->lane_find(ix, JIC_VIEW("pr/8"), &arena, &lane, &err));
	OFFERED("main", &alpha, "main");
	is_clean(s);
	cr_assert(jic_store_sweep(s, 0, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, 1);
	cr_assert(ix->ops->counts(ix, &after, &err));
	cr_expect_eq(after.stored_bytes + out.stored_bytes, before.stored_bytes);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/8"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	OFFERED("pr/8", &beta, "");
}

Test(lanes, main_and_lanes_with_others_below_are_not_dropped)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	struct jic_dropped out;
	struct jic_error err = {0};
	publish(s, "pr/7", FORGED_SET(&alpha));
	cr_expect(!drop(s, "main", &out, &err) && err.code == JIC_EUSAGE && strstr(err.text, "can't be dropped"));
	cr_expect(!drop(s, "pr/7", &out, &err) && err.code == JIC_EUSAGE && strstr(err.text, "pr/7/x"), "%s", err.text);
	cr_expect(!drop(s, "pr/9", &out, &err) && err.code == JIC_ENOTFOUND, "%s", err.text);
	OFFERED("pr/7", &alpha, "pr/7");
}

/* ---- races */

enum { ROUNDS = 12, RACERS = 6 };

struct racer {
	pthread_t thread;
	struct jic_store *store;
	const char *lane;
	struct forged low, high;
	enum jic_publish_outcome outcome;
	bool failed;
};

static void *race(void *context)
{
	struct racer *r = context;
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result = {0};
	jic_autofree struct forged_request *request = forge_request(r->lane, FORGED_SET(&r->low, &r->high));
	r->failed = !jic_store_publish(r->store, &request->message, JIC_VIEW("racer"), &arena, &result, NULL);
	r->outcome = result.outcome;
	return NULL;
}

/* Half of them for main, half for a pull request's lane, all for the same addresses, each with a build of its own. */
static void run_round(struct jic_store *s, uint64_t id)
{
	struct racer racers[RACERS];
	const struct racer *winner = NULL;
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.store = s, .lane = i % 2 ? "pr/7" : "main", .low = alpha, .high = beta};
		racers[i].low.id = id;
		racers[i].high.id = id + 1;
		racers[i].low.build = 10000 + id * RACERS + i;
		racers[i].high.build = 20000 + id * RACERS + i;
		racers[i].high.deps[0] = &racers[i].low;
		forge_upload_all(s, FORGED_SET(&racers[i].low, &racers[i].high));
	}
	for (size_t i = 0; i < RACERS; i++)
		cr_assert_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	for (size_t i = 0; i < RACERS; i++) {
		cr_expect_not(racers[i].failed);
		if (racers[i].outcome == JIC_PUBLISH_DONE && i % 2 == 0) {
			cr_expect_null(winner, "main has one artefact at an address");
			winner = &racers[i];
		}
	}
	cr_assert_not_null(winner, "nobody below can keep main from publishing");
	OFFERED("main", &winner->low, "main");
	OFFERED("main", &winner->high, "main");
	OFFERED("pr/7", &winner->high, "main");
	OFFERED("pr/8", &winner->high, "main");
}

Test(lanes, whoever_races_below_main_gets_nothing_into_it)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = open_with_lanes(&dir);
	for (uint64_t round = 0; round < ROUNDS; round++)
		run_round(s, 100 + 2 * round);
	is_clean(s);
}
