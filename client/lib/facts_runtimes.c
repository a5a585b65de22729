/* What this session's Julia accepts, as runtimes: src/staticdata_utils.c:jl_match_cache_flags for the flags,
 * src/processor_x86.cpp's feature levels for the CPU. */
#include "client/lib/facts.h"

#include "common/buf.h"

/* The protocol takes 32 runtimes; a worse one than the 24 best is not worth asking for. */
enum { DEBUG_MAX = 2, OPT_MAX = 3, CPUS_MAX = 5, RUNTIMES_MAX = 24 };

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

static bool has_native_code(const struct jic_facts *f)
{
	return jic_julia_at_least(f->version, 1, 9, 0) && jic_ji_flags_pkgimages(f->flags);
}

/* CPU parts that are acceptable, what we compile for first. */
static size_t list_cpus(const struct jic_facts *f, struct jic_arena *arena, struct jic_view cpus[CPUS_MAX])
{
	size_t count = 0;
	bool native = jic_view_is(f->cpu_target, "native") || !f->cpu_target.len;
	if (!has_native_code(f)) {
		cpus[count++] = JIC_VIEW("");
		return count;
	}
	cpus[count++] = native ? jic_arena_printf(arena, "host:%s;%s", f->cpu_name.ptr, f->cpu_features.ptr)
	                       : jic_arena_printf(arena, "target:%s", f->cpu_target.ptr);
	bool x86_64 = jic_view_is(f->arch, "x86_64");
	for (size_t l = 0; native && x86_64 && l < JIC_COUNT(levels); l++) {
		if (has_level(f->cpu_features, l))
			cpus[count++] = jic_arena_printf(arena, "target:%s", levels[l].target);
	}
	if (!jic_view_is(f->cpu_target, "generic"))
		cpus[count++] = JIC_VIEW("target:generic");
	return count;
}

/* Flags that are acceptable, the session's first, then what was compiled with more optimisation or debug information.
 */
static size_t list_flags(const struct jic_facts *f, uint8_t flags[(OPT_MAX + 1) * (DEBUG_MAX + 1)])
{
	size_t count = 0;
	flags[count++] = f->flags;
	if (!has_native_code(f))
		return count; /* ≤ 1.8 compares nothing; without images only that bit counts */
	bool more_debug = jic_julia_at_least(f->version, 1, 11, 2);
	unsigned debug = jic_ji_flags_debug(f->flags);
	unsigned debug_last = more_debug && debug < DEBUG_MAX ? DEBUG_MAX : debug;
	for (unsigned opt = jic_ji_flags_opt(f->flags); opt <= OPT_MAX; opt++) {
		for (unsigned d = debug; d <= debug_last; d++) {
			uint8_t byte = (uint8_t)((f->flags & 0x39u) | d << 1 | opt << 6);
			if (byte != f->flags)
				flags[count++] = byte;
		}
	}
	return count;
}

static bool fill_bundled(const struct jic_facts *f, struct jic_arena *arena, struct jic_runtime *r)
{
	struct jic_bundled *bundled = jic_arena_array(arena, f->bundled_count + 1, sizeof(*bundled));
	for (size_t i = 0; bundled && i < f->bundled_count; i++)
		bundled[i] = f->bundled[i].cache;
	r->bundled = bundled;
	r->bundled_count = f->bundled_count;
	return bundled != NULL;
}

bool jic_facts_runtimes(const struct jic_facts *facts, struct jic_arena *arena, const struct jic_runtime **out,
                        size_t *count, struct jic_error *err)
{
	struct jic_view cpus[CPUS_MAX];
	uint8_t flags[(OPT_MAX + 1) * (DEBUG_MAX + 1)];
	size_t cpus_count = list_cpus(facts, arena, cpus), flags_count = list_flags(facts, flags);
	struct jic_runtime base = {
	    .version = facts->version_text,
	    .branch = facts->branch,
	    .commit = facts->commit,
	    .uname = facts->uname,
	    .arch = facts->arch,
	    .triplet = facts->triplet,
	    .word_bits = facts->word_bits,
	};
	struct jic_runtime *list = jic_arena_array(arena, RUNTIMES_MAX, sizeof(*list));
	if (!list || !fill_bundled(facts, arena, &base))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*count = 0;
	for (size_t i = 0; i < flags_count; i++) {
		char text[64];
		jic_runtime_flags_text(facts->version, flags[i], text);
		struct jic_view copy = jic_arena_copy(arena, jic_view_of(text));
		for (size_t c = 0; c < cpus_count && *count < RUNTIMES_MAX; c++) {
			list[*count] = base;
			list[*count].flags = copy;
			list[(*count)++].cpu = cpus[c];
		}
	}
	*out = list;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}
