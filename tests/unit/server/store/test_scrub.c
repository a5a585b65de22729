/* Damage is found without anybody asking for it, only damage is taken out, and the thread ends when it is told to. */
#include "server/store/scrub.h"

#include "tests/support/harm.h"

#include <time.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged delta = {.name = "Delta", .id = 4, .build = 14};
static const struct jic_log silent = {.fd = -1};

struct yard {
	struct temp dir;
	struct jic_store *store;
	struct jic_arena arena;
};

static void yard_remove(struct yard *y)
{
	jic_store_free(y->store);
	jic_arena_clear(&y->arena);
	temp_remove(&y->dir);
}

static void yard_open(struct yard *y)
{
	struct jic_publish_result result;
	*y = (struct yard){.dir = temp_make()};
	y->store = forge_store(&y->dir);
	cr_assert_eq(forge_publish(y->store, "main", FORGED_SET(&alpha, &beta, &delta), &y->arena, &result),
	             JIC_PUBLISH_DONE);
}

static struct jic_scrub *start(struct yard *y, uint64_t bytes_per_second, uint64_t bytes_per_day)
{
	struct jic_error err = {0};
	const struct jic_scrub_options options = {
	    .store = y->store, .log = &silent, .bytes_per_second = bytes_per_second, .bytes_per_day = bytes_per_day};
	struct jic_scrub *scrub = jic_scrub_start(&options, &err);
	cr_assert(scrub, "%s", err.text);
	return scrub;
}

static uint64_t counter(struct yard *y, enum jic_counter which)
{
	uint64_t all[JIC_COUNTER_COUNT];
	struct jic_error err = {0};
	struct jic_index *ix = jic_store_index(y->store);
	cr_assert(ix->ops->counters_get(ix, all, &err), "%s", err.text);
	return all[which];
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_for(struct yard *y, enum jic_counter which, uint64_t n)
{
	double end = seconds() + 60;
	while (counter(y, which) < n) {
		cr_assert_lt(seconds(), end, "%s stays below %llu", jic_counter_name(which), (unsigned long long)n);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

static size_t offered(struct yard *y)
{
	return forge_resolve(y->store, "main", FORGED_SET(&alpha, &beta, &delta), &y->arena).records_count;
}

Test(scrub, reads_every_blob_once_and_leaves_what_is_sound)
{
	CLEARED(yard) y;
	yard_open(&y);
	struct jic_scrub *scrub = start(&y, 0, 1 << 30);
	wait_for(&y, JIC_COUNTER_SCRUB_ROUNDS, 1);
	jic_scrub_stop(scrub);
	cr_expect_eq(counter(&y, JIC_COUNTER_SCRUB_BLOBS), 3);
	cr_expect_gt(counter(&y, JIC_COUNTER_SCRUB_BYTES), 300);
	cr_expect_eq(counter(&y, JIC_COUNTER_DAMAGED_BLOBS), 0);
	cr_expect_eq(offered(&y), 3);
}

Test(scrub, withdraws_a_damaged_blob_with_its_dependents)
{
	CLEARED(yard) y;
	yard_open(&y);
	flip_a_bit(blob_path(&y.dir, &alpha));
	struct jic_scrub *scrub = start(&y, 0, 1 << 30);
	wait_for(&y, JIC_COUNTER_SCRUB_ROUNDS, 1);
	jic_scrub_stop(scrub);
	cr_expect_eq(counter(&y, JIC_COUNTER_DAMAGED_BLOBS), 1);
	cr_expect_eq(counter(&y, JIC_COUNTER_WITHDRAWN_ARTEFACTS), 2);
	cr_expect_eq(offered(&y), 1);
}

Test(scrub, without_a_budget_looks_at_suspects_alone)
{
	CLEARED(yard) y;
	yard_open(&y);
	flip_a_bit(blob_path(&y.dir, &alpha));
	flip_a_bit(blob_path(&y.dir, &delta));
	struct jic_scrub *scrub = start(&y, 0, 0);
	struct jic_digest damaged = blob_of(&delta), sound = blob_of(&beta), unknown = {0};
	jic_store_suspect(y.store, &unknown);
	jic_store_suspect(y.store, &sound);
	jic_store_suspect(y.store, &damaged);
	wait_for(&y, JIC_COUNTER_DAMAGED_BLOBS, 1);
	jic_scrub_stop(scrub);
	cr_expect_eq(counter(&y, JIC_COUNTER_DAMAGED_BLOBS), 1);
	cr_expect_eq(offered(&y), 2, "nobody has told of Alpha");
}

Test(scrub, hears_of_bytes_that_are_gone_or_cut_from_the_reader_that_misses_them)
{
	CLEARED(yard) y;
	struct jic_error err = {0};
	struct jic_store_blob blob;
	yard_open(&y);
	struct jic_digest gone = blob_of(&delta), cut = blob_of(&beta);
	struct jic_scrub *scrub = start(&y, 0, 0);
	cr_assert_eq(unlink(blob_path(&y.dir, &delta)), 0);
	cr_assert_eq(truncate(blob_path(&y.dir, &beta), 20), 0);
	cr_expect_not(jic_store_blob_open(y.store, &gone, &blob, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
	cr_expect_not(jic_store_blob_open(y.store, &cut, &blob, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
	wait_for(&y, JIC_COUNTER_DAMAGED_BLOBS, 2);
	jic_scrub_stop(scrub);
	cr_expect_eq(offered(&y), 1);
}

Test(scrub, keeps_to_its_budgets_and_stops_at_once)
{
	CLEARED(yard) y;
	yard_open(&y);
	double began = seconds();
	struct jic_scrub *scrub = start(&y, 1, 1 << 30);
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	jic_scrub_stop(scrub);
	cr_expect_lt(seconds() - began, 20, "one byte in a second");
	cr_expect_eq(counter(&y, JIC_COUNTER_SCRUB_BLOBS), 0);
	scrub = start(&y, 0, 1);
	double end = seconds() + 60;
	while (counter(&y, JIC_COUNTER_SCRUB_BLOBS) < 1 && seconds() < end)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	jic_scrub_stop(scrub);
	cr_expect_eq(counter(&y, JIC_COUNTER_SCRUB_BLOBS), 1, "the day's bytes are used up by the first");
	jic_scrub_stop(NULL);
}
