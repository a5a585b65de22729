/* Leases over a store: what counts as stored, who is first when many take at once, and how long it lasts. */
#include "server/store/lease.h"
#include "tests/support/forge.h"

#include <pthread.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged other_alpha = {.name = "Alpha", .id = 1, .build = 91};

static const struct jic_lease_limits limits = {.term_s_max = 3600, .age_s_max = 7200, .per_writer_max = 4};

struct asking {
	struct jic_store *store;
	const char *lane, *writer;
	uint64_t id; /* 0: take nothing */
	struct jic_lease_result result;
	struct jic_arena arena;
};

static struct jic_digest id_of(uint64_t n)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_bytes((const char *)&n, sizeof n), &d);
	return d;
}

static struct jic_view runtime_id(struct jic_arena *arena)
{
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	const struct jic_runtime r = forged_runtime(forged_version(&alpha));
	struct jic_error err = {0};
	cr_assert(jic_runtime_id(&r, id, &err), "%s", err.text);
	return jic_arena_copy(arena, jic_view_of(id));
}

/* Alpha and Beta, always. */
static void *ask(void *context)
{
	struct asking *a = context;
	struct jic_digest keys[2], id = id_of(a->id);
	struct jic_error err = {0};
	forged_key(&alpha, &keys[0]);
	forged_key(&beta, &keys[1]);
	const struct jic_msg_lease m = {.lane = jic_view_of(a->lane),
	                                .seconds = a->id ? 60 : 0,
	                                .runtime = runtime_id(&a->arena),
	                                .sysimage = forged_sysimage(),
	                                .keys = keys,
	                                .keys_count = 2};
	const struct jic_lease_asker asker = {.writer = jic_view_of(a->writer), .id = a->id ? &id : NULL};
	cr_assert(jic_store_lease(a->store, &m, &asker, &limits, &a->arena, &a->result, &err), "%s", err.text);
	return NULL;
}

static enum jic_lease_state state(struct jic_store *s, const char *lane, const char *writer, uint64_t id, size_t *keys)
{
	struct asking a = {.store = s, .lane = lane, .writer = writer, .id = id};
	ask(&a);
	cr_expect_not(a.result.too_many);
	*keys = a.result.answer.keys_count;
	jic_arena_clear(&a.arena);
	return a.result.answer.state;
}

static void publish(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, lane, set, count, &arena, &result), JIC_PUBLISH_DONE);
}

Test(lease, what_is_published_is_stored_and_the_rest_is_granted)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	size_t keys;
	cr_expect_eq(state(s, "main", "", 0, &keys), JIC_LEASE_FREE);
	cr_expect_eq(keys, 2);
	publish(s, "main", FORGED_SET(&alpha));
	cr_expect_eq(state(s, "main", "ann", 1, &keys), JIC_LEASE_GRANTED);
	cr_expect_eq(keys, 1);
	cr_expect_eq(state(s, "main", "bob", 2, &keys), JIC_LEASE_HELD);
	cr_expect_eq(keys, 1);
	publish(s, "main", FORGED_SET(&beta));
	cr_expect_eq(state(s, "main", "bob", 2, &keys), JIC_LEASE_STORED);
}

/* A reader is no longer offered it, so somebody has to compile it anew. */
Test(lease, what_the_parent_has_superseded_is_not_stored)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_index *ix = jic_store_index(s);
	struct jic_error err = {0};
	size_t keys;
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/7"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	publish(s, "pr/7", FORGED_SET(&alpha, &beta));
	cr_expect_eq(state(s, "pr/7", "ann", 0, &keys), JIC_LEASE_STORED);
	publish(s, "main", FORGED_SET(&other_alpha));
	cr_expect_eq(state(s, "pr/7", "ann", 0, &keys), JIC_LEASE_FREE);
	cr_expect_eq(keys, 1, "Beta stands on an Alpha that is hidden");
}

Test(lease, of_threads_that_take_at_once_one_is_granted)
{
	enum { THREADS = 8 };
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct asking asking[THREADS];
	pthread_t threads[THREADS];
	size_t granted = 0;
	for (size_t i = 0; i < THREADS; i++) {
		asking[i] = (struct asking){.store = s, .lane = "main", .writer = "ann", .id = i + 1};
		cr_assert_eq(pthread_create(&threads[i], NULL, ask, &asking[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		granted += asking[i].result.answer.state == JIC_LEASE_GRANTED;
		jic_arena_clear(&asking[i].arena);
	}
	cr_expect_eq(granted, 1);
}

Test(lease, an_id_ends_it_once_and_a_lane_is_known_by_it)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	const struct jic_digest id = id_of(1), guess = id_of(2);
	struct jic_view lane;
	struct jic_error err = {0};
	size_t keys;
	cr_expect_eq(state(s, "main", "ann", 1, &keys), JIC_LEASE_GRANTED);
	cr_assert(jic_store_lease_lane(s, &id, &arena, &lane, &err), "%s", err.text);
	cr_expect(jic_view_is(lane, "main"));
	cr_expect(!jic_store_lease_end(s, &guess, &err) && err.code == JIC_ENOTFOUND);
	cr_expect(!jic_store_lease_lane(s, &guess, &arena, &lane, &err) && err.code == JIC_ENOTFOUND);
	cr_assert(jic_store_lease_end(s, &id, &err), "%s", err.text);
	cr_expect(!jic_store_lease_end(s, &id, &err) && err.code == JIC_ENOTFOUND);
	cr_expect_eq(state(s, "main", "bob", 2, &keys), JIC_LEASE_GRANTED);
}
