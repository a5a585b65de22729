/* What this session's Julia accepts, as runtimes: src/staticdata_utils.c:jl_match_cache_flags for the flags,
 * src/processor_x86.cpp's feature levels for the CPU. */
#include "client/lib/julia/facts.h"

#include "common/buf.h"

/* The protocol takes 32 runtimes. */
enum { DEBUG_MAX = 2, OPT_MAX = 3, CPUS_MAX = 16, FLAGS_MAX = (OPT_MAX + 1) * (DEBUG_MAX + 1), RUNTIMES_MAX = 32 };

/* What official builds, and clusters that follow Julia's manual, compile for (julia-buildkite's build_envs.sh). */
static const struct {
	const char *arch, *targets;
} official[] = {
    {"x86_64", "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1);x86-64-v4,-rdrnd,base(1)"},
    {"x86_64", "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)"},
    {"aarch64", "generic;cortex-a57;thunderx2t99;carmel,clone_all;apple-m1,base(3);neoverse-512tvb,base(3)"},
};

/* x86-64 levels, highest first; each needs what the lower ones need, too. */
static const struct {
	const char *target;
	const char *needs[8];
} levels[] = {
    {"x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
    {"x86-64-v3", {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}},
    {"x86-64-v2", {"cx16", "sahf", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"}},
};

/* "+avx2" as a whole element of LLVM's list */
static bool has_feature(struct jic_view features, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i + len < features.len; i++) {
		bool starts = features.ptr[i] == '+' && (i == 0 || features.ptr[i - 1] == ',');
		bool ends =
		    i + 1 + len == features.len || (i + 1 + len < features.len && features.ptr[i + 1 + len] == ',');
		if (starts && ends && memcmp(features.ptr + i + 1, name, len) == 0)
			return true;
	}
	return false;
}

static bool has_level(struct jic_view features, size_t level)
{
	for (size_t l = level; l < JIC_COUNT(levels); l++) {
		for (size_t i = 0; i < JIC_COUNT(levels[l].needs) && levels[l].needs[i]; i++) {
			if (!has_feature(features, levels[l].needs[i]))
				return false;
		}
	}
	return true;
}

bool jic_facts_has_level(const struct jic_facts *f, struct jic_view name)
{
	for (size_t l = 0; l < JIC_COUNT(levels); l++) {
		if (jic_view_is(name, levels[l].target))
			return jic_view_is(f->arch, "x86_64") && has_level(f->cpu_features, l);
	}
	return false;
}

/* A haswell without rdrnd is what x86-64-v3 says. */
static bool is_haswell(const struct jic_facts *f)
{
	return jic_facts_has_level(f, JIC_VIEW("x86-64-v3"));
}

struct jic_view jic_facts_baseline(const struct jic_facts *f)
{
	return is_haswell(f) ? JIC_VIEW("haswell,-rdrnd") : JIC_VIEW("generic");
}

static bool makes_images(const struct jic_facts *f)
{
	return jic_julia_at_least(f->version, 1, 9, 0) && jic_ji_flags_pkgimages(f->flags);
}

bool jic_facts_loads_images(const struct jic_facts *f)
{
	return makes_images(f) || f->existing_images;
}

/* ---- CPU parts */

struct cpus {
	struct jic_view items[CPUS_MAX];
	size_t count;
};

static void add_cpu(struct cpus *c, struct jic_view cpu)
{
	for (size_t i = 0; i < c->count; i++) {
		if (jic_view_eq(c->items[i], cpu))
			return;
	}
	if (c->count < CPUS_MAX)
		c->items[c->count++] = cpu;
}

static void add_target(struct cpus *c, struct jic_arena *arena, struct jic_view target)
{
	add_cpu(c, jic_arena_printf(arena, "target:" JIC_PRIv, JIC_ARGv(target)));
}

/* Of "haswell,-rdrnd,base(1)" the name. */
static struct jic_view name_of(struct jic_view target)
{
	const char *comma = target.len ? memchr(target.ptr, ',', target.len) : NULL;
	return comma ? jic_view_head(target, (size_t)(comma - target.ptr)) : target;
}

/* The first of a list of targets, which is taken off it. */
static struct jic_view next_target(struct jic_view *rest)
{
	const char *end = rest->len ? memchr(rest->ptr, ';', rest->len) : NULL;
	struct jic_view one = end ? jic_view_head(*rest, (size_t)(end - rest->ptr)) : *rest;
	*rest = jic_view_skip(*rest, one.len + (end != NULL));
	return one;
}

/* Is there a target that any session can run (generic), or this one that is native? */
static bool has_usable(const struct jic_facts *f, bool native, struct jic_view targets)
{
	while (targets.len) {
		const struct jic_view name = name_of(next_target(&targets));
		if (jic_view_is(name, "generic"))
			return true;
		const bool ours = jic_view_eq(name, f->cpu_name) || jic_facts_has_level(f, name) ||
		                  (jic_view_is(name, "haswell") && is_haswell(f));
		if (native && name.len && ours)
			return true;
		/* Up to 1.11.1 only the first of several targets takes effect (JuliaLang/julia#50148). */
		if (!jic_julia_at_least(f->version, 1, 11, 2))
			return false;
	}
	return false;
}

/* What this site's machines share, named in JICACHE_CPU_TARGETS: target strings with blanks between them. */
static void add_site(struct cpus *c, const struct jic_facts *f, bool native, struct jic_arena *arena)
{
	struct jic_view rest = f->site_targets;
	while (rest.len) {
		const char *end = memchr(rest.ptr, ' ', rest.len);
		struct jic_view one = end ? jic_view_head(rest, (size_t)(end - rest.ptr)) : rest;
		if (one.len && has_usable(f, native, one))
			add_target(c, arena, one);
		rest = jic_view_skip(rest, one.len + (end != NULL));
	}
}

static bool names_native(struct jic_view targets)
{
	while (targets.len) {
		if (jic_view_is(name_of(next_target(&targets)), "native"))
			return true;
	}
	return false;
}

/* "native" is another thing on each machine, so the host is named with it, and what is more than "native" after it. */
static void add_own(struct cpus *c, const struct jic_facts *f, struct jic_view target, struct jic_arena *arena)
{
	const bool plain = !target.len || jic_view_is(target, "native");
	if (!plain && !names_native(target))
		add_target(c, arena, target);
	else
		add_cpu(c, jic_arena_printf(arena, "host:%s;%s%s" JIC_PRIv, f->cpu_name.ptr, f->cpu_features.ptr,
		                            plain ? "" : ";", JIC_ARGv(plain ? JIC_VIEW("") : target)));
}

/* CPU parts that are acceptable, what we compile for first. What the session itself runs for is acceptable whatever it
 * compiles for: images are judged by that (src/processor.cpp:match_sysimg_targets). */
static void list_cpus(const struct jic_facts *f, struct jic_arena *arena, struct cpus *c)
{
	const bool native = !f->session_target.len || jic_view_is(f->session_target, "native");
	add_own(c, f, f->cpu_target, arena);
	add_own(c, f, f->session_target.len ? f->session_target : f->cpu_target, arena);
	add_site(c, f, native, arena);
	for (size_t i = 0; i < JIC_COUNT(official); i++) {
		if (jic_view_is(f->arch, official[i].arch))
			add_target(c, arena, jic_view_of(official[i].targets));
	}
	if (is_haswell(f) && native)
		add_target(c, arena, jic_facts_baseline(f));
	add_target(c, arena, JIC_VIEW("generic"));
}

/* ---- flags */

static void add_flags(uint8_t *flags, size_t *count, uint8_t byte)
{
	for (size_t i = 0; i < *count; i++) {
		if (flags[i] == byte)
			return;
	}
	flags[(*count)++] = byte;
}

/* Flags that are acceptable: the session's first, then Julia's default, which most people have, then what was compiled
 * with more optimisation or debug information. */
static size_t list_flags(const struct jic_facts *f, uint8_t flags[FLAGS_MAX])
{
	size_t count = 0;
	add_flags(flags, &count, f->flags | 1);
	bool more_debug = jic_julia_at_least(f->version, 1, 11, 2);
	unsigned opt_first = jic_ji_flags_opt(f->flags), debug = jic_ji_flags_debug(f->flags);
	unsigned debug_last = more_debug && debug < DEBUG_MAX ? DEBUG_MAX : debug;
	const unsigned usual_debug = more_debug && debug < 1 ? 1 : debug, usual_opt = opt_first < 2 ? 2 : opt_first;
	add_flags(flags, &count, (uint8_t)((f->flags & 0x39u) | 1u | usual_debug << 1 | usual_opt << 6));
	for (unsigned opt = opt_first; opt <= OPT_MAX; opt++) {
		for (unsigned d = debug; d <= debug_last; d++)
			add_flags(flags, &count, (uint8_t)((f->flags & 0x39u) | 1u | d << 1 | opt << 6));
	}
	return count;
}

/* A session that loads no image can't have compiled against the bundled ones: to it they are not there, and what it
 * makes stands on caches of its own. */
static bool fill_bundled(const struct jic_facts *f, struct jic_arena *arena, struct jic_runtime *r)
{
	struct jic_bundled *bundled = jic_arena_array(arena, f->bundled_count + 1, sizeof(*bundled));
	r->bundled = bundled;
	for (size_t i = 0; bundled && i < f->bundled_count; i++) {
		if (jic_facts_loads_images(f) || !f->bundled[i].clone_targets.len)
			bundled[r->bundled_count++] = f->bundled[i].cache;
	}
	return bundled != NULL;
}

struct runtimes {
	struct jic_arena *arena;
	struct jic_runtime base;
	struct jic_runtime *items;
	size_t count;
};

static void add_runtime(struct runtimes *r, struct jic_julia_version version, uint8_t flags, struct jic_view cpu)
{
	char text[64];
	if (r->count == RUNTIMES_MAX)
		return;
	jic_runtime_flags_text(version, flags, text);
	r->items[r->count] = r->base;
	r->items[r->count].flags = jic_arena_copy(r->arena, jic_view_of(text));
	r->items[r->count++].cpu = cpu;
}

/* Along the diagonals, so that of too many those are left out that are far from the best in both. */
static void add_with_images(struct runtimes *r, const struct jic_facts *f)
{
	struct cpus cpus = {0};
	uint8_t flags[FLAGS_MAX];
	const size_t flags_count = list_flags(f, flags);
	list_cpus(f, r->arena, &cpus);
	for (size_t sum = 0; sum < flags_count + cpus.count; sum++) {
		for (size_t i = 0; i <= sum && i < flags_count; i++) {
			if (sum - i < cpus.count)
				add_runtime(r, f->version, flags[i], cpus.items[sum - i]);
		}
	}
}

bool jic_facts_runtimes(const struct jic_facts *facts, struct jic_arena *arena, const struct jic_runtime **out,
                        size_t *count, struct jic_error *err)
{
	struct runtimes r = {.arena = arena, .items = jic_arena_array(arena, RUNTIMES_MAX, sizeof(*r.items))};
	r.base = (struct jic_runtime){
	    .version = facts->version_text,
	    .branch = facts->branch,
	    .commit = facts->commit,
	    .uname = facts->uname,
	    .arch = facts->arch,
	    .triplet = facts->triplet,
	    .word_bits = facts->word_bits,
	};
	if (!r.items || !fill_bundled(facts, arena, &r.base))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	/* What it compiles itself comes first, also where that is not what it likes best (--pkgimages=existing). */
	if (!makes_images(facts))
		add_runtime(&r, facts->version, facts->flags, JIC_VIEW(""));
	if (jic_facts_loads_images(facts))
		add_with_images(&r, facts);
	*out = r.items;
	*count = r.count;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}
