/* Rule 2 as stories: who was first, who was built on whom, and what a parent lane hides. */
#include "tests/support/forge.h"

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

struct story {
	struct temp dir;
	struct jic_store *store;
	struct jic_arena arena;
	struct jic_publish_result result;
};

static void story_begin(struct story *y)
{
	static const char *const lanes[][2] = {{"team", "main"}, {"ann", "team"}};
	struct jic_error err = {0};
	*y = (struct story){.dir = temp_make()};
	y->store = forge_store(&y->dir);
	struct jic_index *ix = jic_store_index(y->store);
	for (size_t i = 0; i < JIC_COUNT(lanes); i++)
		cr_assert(ix->ops->lane_put(ix, jic_view_of(lanes[i][0]), jic_view_of(lanes[i][1]), 1, &err));
}

static void story_remove(struct story *y)
{
	jic_store_free(y->store);
	jic_arena_clear(&y->arena);
	temp_remove(&y->dir);
}

static void done(struct story *y, const char *lane, const struct forged *const *set, size_t count)
{
	forge_publish(y->store, lane, set, count, &y->arena, &y->result);
	cr_assert_eq(y->result.outcome, JIC_PUBLISH_DONE, "%s of %s in %s: " JIC_PRIv, set[0]->name,
	             forged_version(set[0]), lane, JIC_ARGv(y->result.detail));
}

/* The keys named are those of `named`, in order. */
static void superseded(struct story *y, const char *lane, const struct forged *const *set, size_t count,
                       const struct forged *const *named, size_t named_count)
{
	forge_publish(y->store, lane, set, count, &y->arena, &y->result);
	cr_assert_eq(y->result.outcome, JIC_PUBLISH_SUPERSEDED, JIC_PRIv, JIC_ARGv(y->result.detail));
	cr_assert_eq(y->result.keys_count, named_count);
	for (size_t i = 0; i < named_count; i++) {
		struct jic_digest key;
		forged_key(named[i], &key);
		cr_expect(jic_digest_eq(&y->result.keys[i], &key), "%zu is not %s", i, named[i]->name);
	}
}

static void incoherent(struct story *y, const char *lane, const struct forged *const *set, size_t count)
{
	forge_publish(y->store, lane, set, count, &y->arena, &y->result);
	cr_assert_eq(y->result.outcome, JIC_PUBLISH_INCOHERENT, JIC_PRIv, JIC_ARGv(y->result.detail));
	cr_expect_eq(y->result.keys_count, 1);
}

/* A reader of the lane gets exactly this build of each; dependencies come first and are named by position. */
static void offered(struct story *y, const char *lane, const struct forged *const *set, size_t count)
{
	struct jic_msg_set got = forge_resolve(y->store, lane, set, count, &y->arena);
	cr_assert_eq(got.records_count, count, "%s offers %zu of %zu", lane, got.records_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct jic_msg_record *r = forged_record(&got, set[i]);
		cr_assert(r);
		cr_expect(jic_build_id_eq(r->build_id, forged_build_id(set[i])), "another build of %s in %s",
		          set[i]->name, lane);
		for (size_t j = 0; j < r->requires_count; j++)
			cr_expect_lt(r->requires_[j], (size_t)(r - got.records));
	}
}

static size_t count_offered(struct story *y, const char *lane, const struct forged *const *set, size_t count)
{
	return forge_resolve(y->store, lane, set, count, &y->arena).records_count;
}

/* Two compiles of one tower: Gamma on Beta on Alpha. Delta stands beside. */
static const struct forged a1 = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged b1 = {.name = "Beta", .id = 2, .build = 12, .deps = {&a1}};
static const struct forged c1 = {.name = "Gamma", .id = 3, .build = 13, .deps = {&b1}};
static const struct forged a2 = {.name = "Alpha", .id = 1, .build = 21};
static const struct forged b2 = {.name = "Beta", .id = 2, .build = 22, .deps = {&a2}};
static const struct forged c2 = {.name = "Gamma", .id = 3, .build = 23, .deps = {&b2}};
static const struct forged delta = {.name = "Delta", .id = 4, .build = 14};

Test(coherence, the_first_wins_and_what_was_built_on_the_second_is_superseded)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "main", FORGED_SET(&a1));
	superseded(&y, "main", FORGED_SET(&c2, &a2, &delta, &b2), FORGED_SET(&a2, &c2, &b2));
	offered(&y, "main", FORGED_SET(&a1));
	cr_expect_eq(count_offered(&y, "main", FORGED_SET(&delta)), 0, "all of it or nothing");
	done(&y, "main", FORGED_SET(&delta));
}

Test(coherence, a_dependent_goes_on_top_of_what_is_stored)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "main", FORGED_SET(&a1));
	done(&y, "main", FORGED_SET(&b1));
	done(&y, "main", FORGED_SET(&c1));
	offered(&y, "main", FORGED_SET(&a1, &b1, &c1));
}

Test(coherence, a_dependent_without_its_dependency_is_incoherent)
{
	CLEARED(story) y;
	story_begin(&y);
	incoherent(&y, "main", FORGED_SET(&b1));
	incoherent(&y, "main", FORGED_SET(&a1, &c1));
	done(&y, "main", FORGED_SET(&a1));
	incoherent(&y, "main", FORGED_SET(&b2));
	cr_expect(memmem(y.result.detail.ptr, y.result.detail.len, "Alpha", 5), JIC_PRIv, JIC_ARGv(y.result.detail));
}

Test(coherence, another_runtime_knows_nothing_of_it)
{
	CLEARED(story) y;
	struct forged other = b1;
	story_begin(&y);
	done(&y, "main", FORGED_SET(&a1));
	other.version = "1.10.4";
	incoherent(&y, "main", FORGED_SET(&other));
}

Test(coherence, a_cycle_is_incoherent)
{
	/* No compiler makes one; two forged headers that name each other do. The keys stay those of the plain packages.
	 */
	CLEARED(story) y;
	static const struct forged x0 = {.name = "X", .id = 7, .build = 17}, y0 = {.name = "Y", .id = 8, .build = 18};
	static const struct forged x = {.name = "X", .id = 7, .build = 17, .deps = {&y0}};
	static const struct forged z = {.name = "Y", .id = 8, .build = 18, .deps = {&x0}};
	story_begin(&y);
	incoherent(&y, "main", FORGED_SET(&x, &z));
}

Test(coherence, a_child_lane_builds_on_its_parent_and_the_parent_does_not_see_it)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "main", FORGED_SET(&a1));
	done(&y, "ann", FORGED_SET(&b1));
	offered(&y, "ann", FORGED_SET(&a1, &b1));
	offered(&y, "main", FORGED_SET(&a1));
	cr_expect_eq(count_offered(&y, "team", FORGED_SET(&a1, &b1)), 1);
	incoherent(&y, "main", FORGED_SET(&c1));
}

Test(coherence, what_the_parent_has_is_existing_in_the_child)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "main", FORGED_SET(&a1));
	done(&y, "ann", FORGED_SET(&a1, &b1));
	cr_expect_eq(y.result.published.existing_count, 1);
	superseded(&y, "team", FORGED_SET(&a2, &b2), FORGED_SET(&a2, &b2));
}

Test(coherence, the_parent_wins_and_hides_what_was_built_on_the_childs_own)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "ann", FORGED_SET(&a2, &b2, &c2, &delta));
	offered(&y, "ann", FORGED_SET(&a2, &b2, &c2, &delta));
	done(&y, "main", FORGED_SET(&a1));
	struct jic_msg_set got = forge_resolve(y.store, "ann", FORGED_SET(&a1, &b1, &c1, &delta), &y.arena);
	cr_expect_eq(got.records_count, 2, "Beta and Gamma are misses now");
	const struct jic_msg_record *alpha = forged_record(&got, &a1);
	cr_assert(alpha);
	cr_expect(jic_build_id_eq(alpha->build_id, forged_build_id(&a1)));
	cr_expect(jic_view_is(alpha->lane, "main"));
	cr_expect(forged_record(&got, &delta));
}

Test(coherence, what_is_hidden_can_be_built_anew)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "ann", FORGED_SET(&a2, &b2, &c2));
	done(&y, "main", FORGED_SET(&a1));
	done(&y, "ann", FORGED_SET(&b1));
	offered(&y, "ann", FORGED_SET(&a1, &b1));
	done(&y, "ann", FORGED_SET(&c1));
	offered(&y, "ann", FORGED_SET(&a1, &b1, &c1));
}

Test(coherence, building_on_what_is_hidden_is_superseded_and_says_by_what)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "ann", FORGED_SET(&a2, &b2));
	done(&y, "main", FORGED_SET(&a1));
	/* Both of what Gamma was built on: Alpha has another artefact, Beta is not offered any more. */
	forge_publish(y.store, "ann", FORGED_SET(&c2), &y.arena, &y.result);
	cr_assert_eq(y.result.outcome, JIC_PUBLISH_SUPERSEDED);
	cr_assert_eq(y.result.keys_count, 3);
	struct jic_digest last;
	forged_key(&c2, &last);
	cr_expect(jic_digest_eq(&y.result.keys[2], &last));
	/* The same for one that the lane holds already but does not offer. */
	superseded(&y, "ann", FORGED_SET(&b2), FORGED_SET(&a1, &b2));
}

Test(coherence, a_lane_in_the_middle_is_skipped_where_it_is_hidden)
{
	CLEARED(story) y;
	story_begin(&y);
	done(&y, "team", FORGED_SET(&a2, &b2));
	done(&y, "main", FORGED_SET(&a1));
	done(&y, "ann", FORGED_SET(&b1));
	offered(&y, "ann", FORGED_SET(&a1, &b1));
	cr_expect_eq(count_offered(&y, "team", FORGED_SET(&a1, &b1)), 1);
	done(&y, "team", FORGED_SET(&b1));
	offered(&y, "team", FORGED_SET(&a1, &b1));
	offered(&y, "ann", FORGED_SET(&a1, &b1));
}

Test(coherence, siblings_do_not_disturb_each_other)
{
	CLEARED(story) y;
	struct jic_error err = {0};
	story_begin(&y);
	struct jic_index *ix = jic_store_index(y.store);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("bob"), JIC_VIEW("team"), 1, &err));
	done(&y, "ann", FORGED_SET(&a1, &b1));
	done(&y, "bob", FORGED_SET(&a2, &b2));
	offered(&y, "ann", FORGED_SET(&a1, &b1));
	offered(&y, "bob", FORGED_SET(&a2, &b2));
}

Test(coherence, a_diamond_is_offered_whole)
{
	CLEARED(story) y;
	static const struct forged left = {.name = "Left", .id = 5, .build = 15, .deps = {&a1}};
	static const struct forged right = {.name = "Right", .id = 6, .build = 16, .deps = {&a1}};
	static const struct forged top = {.name = "Top", .id = 9, .build = 19, .deps = {&left, &right}};
	story_begin(&y);
	done(&y, "main", FORGED_SET(&top, &right, &a1, &left));
	offered(&y, "main", FORGED_SET(&top, &left, &right, &a1));
}
