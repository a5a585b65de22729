/*
 * Fills a data directory with what a busy site has: fill_store DIR ARTEFACTS
 *
 * Three Julia versions in four lanes, environments of packages of which some are missing and one is superseded, two
 * months of history, misses, and a package whose name is a script. No bytes of blobs: it is for looking.
 */
#include "common/buf.h"
#include "server/store/index_views.h"
#include "server/store/pack.h"
#include "server/store/recorder.h"

#include <stdio.h>
#include <stdlib.h>

enum { PACKAGES = 42, LANES = 4, SPACES = 3, ENVIRONMENTS = 5 };

static const char *const names[PACKAGES] = {"Preferences",
                                            "JLLWrappers",
                                            "Zlib_jll",
                                            "Compat",
                                            "OrderedCollections",
                                            "DataStructures",
                                            "Reexport",
                                            "StaticArrays",
                                            "Adapt",
                                            "ChainRules",
                                            "ForwardDiff",
                                            "LogExpFunctions",
                                            "SpecialFunctions",
                                            "StatsBase",
                                            "Distributions",
                                            "Tables",
                                            "PooledArrays",
                                            "DataFrames",
                                            "CSV",
                                            "JSON3",
                                            "HTTP",
                                            "ColorTypes",
                                            "Colors",
                                            "FixedPointNumbers",
                                            "ImageCore",
                                            "FreeType",
                                            "GeometryBasics",
                                            "Observables",
                                            "Makie",
                                            "CairoMakie",
                                            "SciMLBase",
                                            "LinearSolve",
                                            "NonlinearSolve",
                                            "OrdinaryDiffEq",
                                            "ModelingToolkit",
                                            "Symbolics",
                                            "Optim",
                                            "Turing",
                                            "Flux",
                                            "CUDA",
                                            "Plots",
                                            "<script>alert(1)</script>"};
static const char *const versions[SPACES] = {"1.10.8", "1.11.1", "1.12.0"};
static const char *const lanes[LANES] = {"main", "nightly", "pr/417", "pr/423"};

struct fill {
	struct jic_store *store;
	struct jic_index_txn *txn;
	uint64_t now_s, random;
	uint64_t lane_ids[LANES], spaces[SPACES];
	struct jic_view runtimes[SPACES];
	struct jic_digest sysimages[SPACES];
	struct jic_arena arena;
};

static void stop_on(bool ok, const struct jic_error *err)
{
	if (ok)
		return;
	fprintf(stderr, "fill_store: %s\n", err->text);
	exit(1);
}

static uint64_t dice(struct fill *f, uint64_t below)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return (f->random >> 33) % below;
}

static struct jic_digest digest_of(const char *kind, uint64_t a, uint64_t b)
{
	char text[96];
	struct jic_digest d;
	int len = snprintf(text, sizeof text, "%s %llu %llu", kind, (unsigned long long)a, (unsigned long long)b);
	jic_sha256_of(jic_view_bytes(text, (size_t)len), &d);
	return d;
}

static void make_places(struct fill *f)
{
	struct jic_error err = {0};
	struct jic_index *ix = jic_store_index(f->store);
	for (size_t i = 0; i < LANES; i++) {
		struct jic_lane lane;
		if (i)
			stop_on(ix->ops->lane_put(ix, jic_view_of(lanes[i]), JIC_VIEW("main"), f->now_s, &err), &err);
		stop_on(ix->ops->lane_find(ix, jic_view_of(lanes[i]), &f->arena, &lane, &err), &err);
		f->lane_ids[i] = lane.id;
	}
	f->txn = ix->ops->begin(ix, JIC_INDEX_WRITE, &err);
	stop_on(f->txn, &err);
	for (size_t i = 0; i < SPACES; i++) {
		struct jic_digest tail = digest_of("runtime", i, 0);
		char hex[JIC_DIGEST_HEX + 1];
		jic_digest_hex(&tail, hex);
		f->runtimes[i] = jic_arena_printf(&f->arena, "julia-%s-x86_64-linux-gnu-%s", versions[i], hex);
		f->sysimages[i] = digest_of("sysimage", i, 0);
		const struct jic_msg_runtime runtime = {.id = f->runtimes[i],
		                                        .parts = {.version = jic_view_of(versions[i]),
		                                                  .uname = JIC_VIEW("Linux"),
		                                                  .arch = JIC_VIEW("x86_64"),
		                                                  .word_bits = 64}};
		stop_on(f->txn->ops->runtime_put(f->txn, &runtime, &err) &&
		            f->txn->ops->space_put(f->txn, f->runtimes[i], &f->sysimages[i], &f->spaces[i], &err),
		        &err);
	}
}

/* Artefact `round` of a package: round 0 is the one that environments ask for. */
static void put_artefact(struct fill *f, size_t lane, size_t space, uint64_t package, uint64_t round)
{
	struct jic_error err = {0};
	const uint64_t number = ((round * LANES + lane) * SPACES + space) * PACKAGES + package;
	const struct jic_index_module module = {.uuid = {.hi = 7, .lo = package + 1},
	                                        .build_id = {.hi = number, .lo = number}};
	uint32_t provides, requires_[8];
	size_t requires_count = 0;
	stop_on(f->txn->ops->modules_put(f->txn, &module, 1, &provides, &err), &err);
	for (uint64_t i = package / 2; i < package && requires_count < 8 && !round; i += 1 + package / 6) {
		const uint64_t at = (lane * SPACES + space) * PACKAGES + i;
		const struct jic_index_module other = {.uuid = {.hi = 7, .lo = i + 1},
		                                       .build_id = {.hi = at, .lo = at}};
		stop_on(f->txn->ops->modules_put(f->txn, &other, 1, &requires_[requires_count++], &err), &err);
	}
	struct jic_index_blob blob = {
	    .digest = digest_of("ji", number, 0), .size = 40000 + dice(f, 4000000), .created_s = f->now_s};
	blob.stored_size = blob.size / 3;
	struct jic_index_artefact a = {
	    .record = {.key = digest_of("key", package, round * 100 + space),
	               .name = jic_view_of(names[package]),
	               .version = round ? JIC_VIEW("1.3.9") : JIC_VIEW("1.4.2"),
	               .uuid = module.uuid,
	               .build_id = module.build_id,
	               .ji = {.digest = blob.digest, .size = blob.size},
	               .compile_ms = 400 + dice(f, 60000),
	               .provenance = {.host = JIC_VIEW("builder-17.example.org"),
	                              .user = JIC_VIEW("ci"),
	                              .run = JIC_VIEW("https://ci.example.org/runs/90417"),
	                              .client = JIC_VIEW("jicache 0.1.0"),
	                              .created_s = f->now_s - 7200}},
	    .node = {.name = jic_view_of(names[package]),
	             .uuid = module.uuid,
	             .source = JIC_VIEW("git-tree-sha1:ae516f77756f8b0bee449e4396ca8f13aced6c84")},
	    .lane_id = f->lane_ids[lane],
	    .provides = &provides,
	    .provides_count = 1,
	    .requires_ = requires_,
	    .requires_count = requires_count,
	    .writer = JIC_VIEW("ci-main"),
	    .published_s = f->now_s - dice(f, 20 * 86400)};
	struct jic_digest deps[8];
	for (size_t i = 0; i < requires_count; i++)
		deps[i] = digest_of("key", package / 2 + i * (1 + package / 6), space);
	a.node.deps = deps;
	a.node.deps_count = requires_count;
	bool created;
	stop_on(f->txn->ops->blob_put(f->txn, &blob, &created, &err) &&
	            f->txn->ops->artefact_put(f->txn, f->spaces[space], &a, &err),
	        &err);
}

/* The last packages are missing, but for the one with a script for a name. */
static bool is_stored(uint64_t package)
{
	return package < PACKAGES - 5 || package == PACKAGES - 1;
}

static void put_artefacts(struct fill *f, uint64_t count)
{
	static const uint64_t share[LANES] = {1, 2, 8, 16};
	uint64_t put = 0;
	for (uint64_t round = 0; put < count; round++)
		for (size_t lane = 0; lane < LANES; lane++)
			for (size_t space = 0; space < SPACES; space++)
				for (uint64_t p = 0; p < PACKAGES && put < count; p++)
					if ((lane == 0 || (round && round % share[lane] == 0)) && is_stored(p)) {
						put_artefact(f, lane, space, p, round);
						put++;
					}
}

static void put_environment(struct fill *f, size_t number)
{
	static const char *const titles[ENVIRONMENTS] = {"Plots, CUDA, Flux and 3 more", "ModelingToolkit, Optim",
	                                                 "Makie, DataFrames", "HTTP, JSON3, CSV", "Turing"};
	static const uint64_t sizes[ENVIRONMENTS] = {PACKAGES, 36, 30, 21, 16};
	struct jic_error err = {0};
	const size_t space = number % SPACES;
	const uint64_t count = sizes[number];
	struct jic_digest keys[PACKAGES];
	struct jic_msg_want wants[PACKAGES];
	uint32_t deps[PACKAGES][8];
	uint64_t stored = 0;
	for (uint64_t p = 0; p < count; p++) {
		keys[p] = digest_of("key", p, space);
		wants[p] = (struct jic_msg_want){.name = jic_view_of(names[p]),
		                                 .version = JIC_VIEW("1.4.2"),
		                                 .uuid = {.hi = 7, .lo = p + 1},
		                                 .deps = deps[p]};
		for (uint64_t i = p / 2; i < p && wants[p].deps_count < 8; i += 1 + p / 6)
			deps[p][wants[p].deps_count++] = (uint32_t)i;
		stored += is_stored(p);
	}
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	jic_pack_wants(keys, wants, count, &packed);
	const struct jic_index_environment e = {.id = digest_of("environment", number, 0),
	                                        .lane_id = f->lane_ids[0],
	                                        .runtime = f->runtimes[space],
	                                        .sysimage = f->sysimages[space],
	                                        .title = jic_view_of(titles[number]),
	                                        .who = number % 2 ? JIC_VIEW("ci-main") : JIC_VIEW("laptop-ada"),
	                                        .first_s = f->now_s - 86400,
	                                        .last_s = f->now_s - 400 * number * number,
	                                        .times = 31 - 5 * number,
	                                        .wanted = count,
	                                        .stored = stored,
	                                        .nodes = jic_buf_view(&packed)};
	stop_on(f->txn->ops->views->environment_add(f->txn, &e, &err), &err);
	static const char *const reasons[] = {"other-version", "new-package", "other-inputs", "gone", "other-runtime"};
	for (uint64_t p = 0; p < count; p++) {
		const struct jic_index_miss m = {.lane_id = e.lane_id,
		                                 .key = keys[p],
		                                 .sysimage = e.sysimage,
		                                 .environment = e.id,
		                                 .runtime = e.runtime,
		                                 .name = wants[p].name,
		                                 .version = wants[p].version,
		                                 .reason = jic_view_of(reasons[p % JIC_COUNT(reasons)]),
		                                 .near_version = p % 5 == 0 ? JIC_VIEW("1.3.9") : JIC_VIEW(""),
		                                 .who = e.who,
		                                 .first_s = e.first_s,
		                                 .last_s = e.last_s - p,
		                                 .times = e.times};
		if (!is_stored(p))
			stop_on(f->txn->ops->views->miss_add(f->txn, &m, &err), &err);
	}
}

static void put_steps(struct fill *f, uint64_t step_s, uint64_t span_s)
{
	struct jic_error err = {0};
	for (uint64_t at = f->now_s - span_s; at <= f->now_s; at += step_s) {
		const uint64_t hour = at / 3600 % 24, weekday = at / 86400 % 7;
		const uint64_t busy =
		    (hour > 7 && hour < 19 ? 6u : 1u) * (weekday > 1 ? 3u : 1u) * (step_s > 300 ? 9u : 1u);
		const uint64_t asked = busy * (20 + dice(f, 25)), missed = asked * (3 + dice(f, 12)) / 100;
		const uint64_t age = (f->now_s - at) / 86400;
		struct jic_index_step step = {.step_s = step_s, .at_s = at - at % step_s, .lane_id = f->lane_ids[0]};
		step.values[JIC_ACTIVITY_HITS] = asked - missed;
		step.values[JIC_ACTIVITY_MISSES] = missed;
		step.values[JIC_ACTIVITY_SAVED] = (asked - missed) * (3000 + dice(f, 2500));
		step.values[JIC_ACTIVITY_PULLS] = asked / 20;
		stop_on(f->txn->ops->views->step_add(f->txn, &step, &err), &err);
		step.lane_id = 0;
		step.values[JIC_ACTIVITY_SENT] = (asked - missed) * (300000 + dice(f, 500000));
		step.values[JIC_ACTIVITY_RECEIVED] = missed * 900000;
		step.values[JIC_ACTIVITY_REQUESTS] = asked;
		step.values[JIC_ACTIVITY_STORED] = (90 - age) * 400000000;
		stop_on(f->txn->ops->views->step_add(f->txn, &step, &err), &err);
	}
}

int main(int argc, char **argv)
{
	struct jic_error err = {0};
	if (argc != 3) {
		fprintf(stderr, "usage: fill_store DIR ARTEFACTS\n");
		return 2;
	}
	struct fill f = {.now_s = jic_store_now_s(), .random = 1};
	const struct jic_store_options options = {.data_dir = argv[1], .blob_bytes_max = 1 << 20};
	f.store = jic_store_open(&options, &err);
	stop_on(f.store, &err);
	make_places(&f);
	put_artefacts(&f, strtoull(argv[2], NULL, 10));
	for (size_t i = 0; i < ENVIRONMENTS; i++)
		put_environment(&f, i);
	put_steps(&f, JIC_FINE_STEP_S, JIC_FINE_KEPT_S - JIC_FINE_STEP_S);
	put_steps(&f, JIC_COARSE_STEP_S, JIC_COARSE_KEPT_S - JIC_COARSE_STEP_S);
	const enum jic_counter counters[] = {JIC_COUNTER_PULLS, JIC_COUNTER_HITS, JIC_COUNTER_MISSES,
	                                     JIC_COUNTER_SAVED_MS};
	const uint64_t values[] = {41270, 6124981, 391022, 20394817000};
	for (size_t i = 0; i < JIC_COUNT(counters); i++)
		stop_on(f.txn->ops->counter_add(f.txn, counters[i], values[i], &err), &err);
	stop_on(f.txn->ops->commit(f.txn, &err), &err);
	jic_index_txn_end(f.txn);
	jic_store_free(f.store);
	jic_arena_clear(&f.arena);
	return 0;
}
