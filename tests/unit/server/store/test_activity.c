/* What the recorder writes of a pull: history, the environment, and each miss with its reason; and the sums of what is
 * held. */
#include "server/store/activity.h"

#include "server/store/internal.h"
#include "server/store/recorder.h"
#include "tests/support/harm.h"

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};

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

static void attic_open(struct attic *a)
{
	struct jic_publish_result result;
	*a = (struct attic){.dir = temp_make()};
	a->store = forge_store(&a->dir);
	cr_assert_eq(forge_publish(a->store, "main", FORGED_SET(&alpha, &beta), &a->arena, &result), JIC_PUBLISH_DONE);
}

static struct jic_index_totals totals(struct attic *a)
{
	struct jic_error err = {0};
	struct jic_index_totals out;
	cr_assert(a->store->index->ops->views->totals(a->store->index, &out, &err), "%s", err.text);
	return out;
}

Test(activity, sums_follow_what_is_published)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	const struct jic_index_held *held;
	size_t count;
	attic_open(&a);
	cr_assert_eq(totals(&a).artefacts, 2);
	cr_assert(a.store->index->ops->views->held_list(a.store->index, &a.arena, &held, &count, &err));
	cr_assert_eq(count, 1);
	cr_assert_eq(held[0].artefacts, 2);
}

Test(activity, a_pull_is_written_down_with_the_reason_of_its_miss)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	const struct jic_digest key = {.bytes = {1}};
	const struct jic_view runtimes[] = {JIC_VIEW("julia-1.11.1-x86_64-linux-gnu-0000")};
	const struct jic_msg_want want = {.name = JIC_VIEW("Nobody")};
	const struct jic_msg_resolve pull = {
	    .runtimes = runtimes, .runtimes_count = 1, .keys = &key, .keys_count = 1, .nodes = &want, .nodes_count = 1};
	const struct jic_msg_resolved nothing = {0};
	const uint64_t main_lane = 1;
	const struct jic_index_lanes lanes = {.ids = &main_lane, .count = 1};
	const struct jic_index_miss *misses;
	const struct jic_index_step *steps;
	struct jic_store_gauges gauges;
	size_t count;
	attic_open(&a);
	jic_activity_asked(a.store, &pull, &nothing, JIC_VIEW("ci"));
	jic_activity_asked(a.store, &pull, &nothing, JIC_VIEW("ci"));
	cr_assert(jic_record_now(a.store, 1000000, &err), "%s", err.text);
	const struct jic_index_views *views = a.store->index->ops->views;
	cr_assert(views->misses_list(a.store->index, &lanes, 10, &a.arena, &misses, &count, &err));
	cr_assert_eq(count, 1);
	cr_assert(jic_view_is(misses[0].reason, "new-package"));
	cr_assert_eq(misses[0].times, 2);
	cr_assert(views->steps_list(a.store->index, JIC_FINE_STEP_S, 0, &lanes, &a.arena, &steps, &count, &err));
	cr_assert_eq(count, 2, "the lane's and the server's");
	cr_assert_eq(steps[1].values[JIC_ACTIVITY_MISSES], 2);
	cr_assert(jic_store_gauges(a.store, &gauges, &err));
	cr_assert_eq(gauges.misses[JIC_MISS_NEW_PACKAGE], 2);
}

Test(activity, a_push_is_not_a_pull)
{
	CLEARED(attic) a;
	struct jic_error err = {0};
	const struct jic_digest key = {.bytes = {1}};
	const struct jic_view runtimes[] = {JIC_VIEW("julia-1.11.1-x86_64-linux-gnu-0000")};
	const struct jic_msg_resolve push = {
	    .purpose = JIC_VIEW("push"), .runtimes = runtimes, .runtimes_count = 1, .keys = &key, .keys_count = 1};
	const struct jic_msg_resolved nothing = {0};
	uint64_t counters[JIC_COUNTER_COUNT];
	attic_open(&a);
	jic_activity_asked(a.store, &push, &nothing, JIC_VIEW(""));
	cr_assert(jic_record_now(a.store, 1000000, &err), "%s", err.text);
	cr_assert(a.store->index->ops->counters_get(a.store->index, counters, &err));
	cr_assert_eq(counters[JIC_COUNTER_PULLS], 0);
}
