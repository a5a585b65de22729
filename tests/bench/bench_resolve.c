/*
 * How long a resolve takes in a store of some size: bench_resolve DIR [ARTEFACTS [KEYS]]
 *
 * Fills DIR with environments of KEYS packages each, every package requiring up to 150 of those before it, and resolves
 * whole environments, chosen at random, again and again. Prints the median and the 99th percentile. Then withdraws one
 * artefact in the middle of each of some environments, with what was built on it, which keeps publishers waiting.
 */
#include "common/buf.h"
#include "server/store/store.h"
#include "server/store/withdraw.h"

#include <inttypes.h>
#include <time.h>

enum { REQUIRES_MAX = 150, ROUNDS = 1000, WITHDRAWALS = 15 };

struct bench {
	struct jic_store *store;
	size_t artefacts, keys;
	struct jic_digest sysimage;
	uint64_t lane, space;
};

static const char runtime[] =
    "julia-1.11.1-x86_64-linux-gnu-0000000000000000000000000000000000000000000000000000000000000000";

static void stop_on(bool ok, const struct jic_error *err)
{
	if (ok)
		return;
	fprintf(stderr, "bench_resolve: %s\n", err->text);
	exit(1);
}

static struct jic_digest digest_of(const char *kind, size_t n)
{
	char text[64];
	struct jic_digest d;
	int len = snprintf(text, sizeof text, "%s %zu", kind, n);
	jic_sha256_of(jic_view_bytes(text, (size_t)len), &d);
	return d;
}

static void put_one(struct jic_index_txn *t, uint64_t lane, uint64_t space, size_t n, size_t position,
                    const uint32_t *modules)
{
	struct jic_error err = {0};
	size_t count = position < REQUIRES_MAX ? position : REQUIRES_MAX;
	struct jic_index_blob blob = {.digest = digest_of("ji", n), .size = 1000, .stored_size = 500};
	struct jic_index_artefact a = {
	    .record = {.key = digest_of("key", n),
	               .name = JIC_VIEW("SomePackage"),
	               .uuid = {.hi = n, .lo = 1},
	               .build_id = {.hi = n, .lo = n},
	               .ji = {.digest = blob.digest, .size = 1000},
	               .provenance = {.host = JIC_VIEW("builder-17.example.org"), .client = JIC_VIEW("jicache 0.1.0")}},
	    .lane_id = lane,
	    .provides = &modules[position],
	    .provides_count = 1,
	    .requires_ = modules,
	    .requires_count = count,
	    .writer = JIC_VIEW("ci")};
	bool created;
	stop_on(t->ops->blob_put(t, &blob, &created, &err) && t->ops->artefact_put(t, space, &a, &err), &err);
}

static void put_environment(struct bench *b, struct jic_index_txn *t, uint64_t lane, uint64_t space, size_t first)
{
	struct jic_error err = {0};
	uint32_t *numbers = calloc(b->keys, sizeof *numbers);
	struct jic_index_module *modules = calloc(b->keys, sizeof *modules);
	for (size_t i = 0; i < b->keys; i++)
		modules[i] = (struct jic_index_module){.uuid = {.hi = first + i, .lo = 1},
		                                       .build_id = {.hi = first + i, .lo = first + i}};
	stop_on(t->ops->modules_put(t, modules, b->keys, numbers, &err), &err);
	for (size_t i = 0; i < b->keys; i++)
		put_one(t, lane, space, first + i, i, numbers);
	free(modules);
	free(numbers);
}

static void fill(struct bench *b)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = jic_store_index(b->store);
	const struct jic_lane *chain;
	size_t depth;
	uint64_t space;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, &err);
	stop_on(t && ix->ops->lane_chain(t, JIC_VIEW("main"), &arena, &chain, &depth, &err), &err);
	stop_on(ix->ops->space_put(t, jic_view_of(runtime), &b->sysimage, &space, &err), &err);
	b->lane = chain[0].id;
	b->space = space;
	for (size_t first = 0; first + b->keys <= b->artefacts; first += b->keys)
		put_environment(b, t, chain[0].id, space, first);
	stop_on(ix->ops->commit(t, &err), &err);
}

static double ms_between(struct timespec begin, struct timespec end)
{
	return (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
}

static double withdraw_once(struct bench *b, size_t n, uint64_t *dependents)
{
	struct jic_error err = {0};
	struct timespec begin, end;
	const struct jic_index_place at = {.lane_id = b->lane, .space = b->space, .key = digest_of("key", n)};
	const struct jic_withdrawal what = {.places = &at, .places_count = 1, .rows_only = true};
	struct jic_withdrawn out;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	stop_on(jic_store_withdraw(b->store, &what, &out, &err), &err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*dependents = out.dependents;
	return ms_between(begin, end);
}

static double resolve_once(struct bench *b, size_t first)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest *keys = jic_arena_array(&arena, b->keys, sizeof *keys);
	struct jic_view runtimes[] = {jic_view_of(runtime)};
	struct jic_msg_resolved resolved;
	struct timespec begin, end;
	for (size_t i = 0; i < b->keys; i++)
		keys[i] = digest_of("key", first + i);
	struct jic_msg_resolve request = {
	    .sysimage = b->sysimage, .runtimes = runtimes, .runtimes_count = 1, .keys = keys, .keys_count = b->keys};
	clock_gettime(CLOCK_MONOTONIC, &begin);
	stop_on(jic_store_resolve(b->store, &request, &arena, &resolved, &err), &err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (resolved.sets_count != 1 || resolved.sets[0].records_count != b->keys) {
		fprintf(stderr, "bench_resolve: an environment is incomplete\n");
		exit(1);
	}
	return ms_between(begin, end);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double took_ms[ROUNDS];
	struct jic_error err = {0};
	if (argc < 2) {
		fprintf(stderr, "usage: bench_resolve DIR [ARTEFACTS [KEYS]]\n");
		return 2;
	}
	struct bench b = {.artefacts = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000,
	                  .keys = argc > 3 ? strtoul(argv[3], NULL, 10) : 300,
	                  .sysimage = digest_of("sysimage", 0)};
	struct jic_store_options options = {.data_dir = argv[1], .blob_bytes_max = 1 << 20};
	JIC_AUTO(jic_store) struct jic_store *store = jic_store_open(&options, &err);
	stop_on(store && b.keys && b.keys <= b.artefacts, &err);
	b.store = store;
	fill(&b);
	uint64_t random = 1;
	for (size_t i = 0; i < ROUNDS; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		took_ms[i] = resolve_once(&b, (size_t)(random >> 33) % (b.artefacts / b.keys) * b.keys);
	}
	qsort(took_ms, ROUNDS, sizeof *took_ms, compare);
	printf("%zu artefacts, %zu keys: median %.3f ms, 99th percentile %.3f ms\n", b.artefacts, b.keys,
	       took_ms[ROUNDS / 2], took_ms[ROUNDS - ROUNDS / 100]);
	for (size_t i = 0; i < WITHDRAWALS; i++) {
		uint64_t dependents;
		took_ms[i] = withdraw_once(&b, i * b.keys + b.keys / 2 - i, &dependents);
		printf("withdrawn with %" PRIu64 " dependents in %.1f ms\n", dependents, took_ms[i]);
	}
	return 0;
}
