#include "client/lib/targets.h"

#include "common/cursor.h"

#if defined __x86_64__ || defined __i386__
#include <cpuid.h>
#endif

enum {
	TARGETS_MAX = 64,
	WORDS_MAX = 16, /* of features: 11 up to Julia 1.11, 12 in 1.12 (x86), 3 (ARM) */
};

struct target {
	uint32_t enabled[WORDS_MAX];
	uint32_t words;
	struct jic_view name;
};

static bool read_words(struct jic_cursor *c, uint32_t *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!jic_cursor_u32le(c, &out[i]))
			return false;
	return true;
}

static bool read_text(struct jic_cursor *c, struct jic_view *out)
{
	uint32_t len;
	return jic_cursor_u32le(c, &len) && jic_cursor_bytes(c, len, out);
}

static bool read_target(struct jic_cursor *c, struct target *out)
{
	uint32_t flags, disabled[WORDS_MAX];
	struct jic_view ext_features;
	if (!jic_cursor_u32le(c, &flags) || !jic_cursor_u32le(c, &out->words) || out->words > WORDS_MAX)
		return false;
	return read_words(c, out->enabled, out->words) && read_words(c, disabled, out->words) &&
	       read_text(c, &out->name) && read_text(c, &ext_features);
}

static bool read_count(struct jic_cursor *c, uint32_t *count)
{
	return jic_cursor_u32le(c, count) && *count && *count <= TARGETS_MAX;
}

#if defined __x86_64__ || defined __i386__

static uint64_t xcr0(void)
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Features that need the operating system to save wide registers (features_disable_avx, _avx512 and _amx in
 * src/processor_x86.cpp): when it does not, they count as absent. */
static void drop_unsaved(uint32_t words[WORDS_MAX])
{
	const bool has_xsave = words[0] >> 27 & 1;
	const uint64_t saved = has_xsave ? xcr0() : 0;
	const bool avx = (saved & 0x6) == 0x6 && (words[0] >> 28 & 1);
	if (!avx) {
		words[0] &= ~(1u << 28 | 1u << 12 | 1u << 29 | 1u << 26); /* avx, fma, f16c, xsave */
		words[2] &= ~(1u << 5);                                   /* avx2 */
		words[3] &= ~(1u << 9 | 1u << 10);                        /* vaes, vpclmulqdq */
		words[5] &= ~(1u << 11 | 1u << 16);                       /* xop, fma4 */
		words[7] = 0;                                             /* xsaveopt, xsavec, xsaves */
	}
	if (!avx || (saved & 0xe0) != 0xe0) {
		/* avx512 f, dq, ifma, pf, er, cd, bw, vl; vbmi, vbmi2, vnni, bitalg, vpopcntdq; vp2intersect; bf16 */
		words[2] &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
		words[3] &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
		words[4] &= ~(1u << 8);
		words[9] &= ~(1u << 5);
	}
	if (!has_xsave || (saved & 0x60000) != 0x60000)
		words[4] &= ~(1u << 22 | 1u << 24 | 1u << 25); /* amx-bf16, amx-tile, amx-int8 */
}

/* The words of src/features_x86.h are what cpuid gives, leaf by leaf (_get_host_cpu in src/processor_x86.cpp). */
static bool host_words(struct jic_julia_version v, uint32_t words[WORDS_MAX])
{
	uint32_t a, b, c, d;
	memset(words, 0, WORDS_MAX * sizeof *words);
	if (!__get_cpuid(1, &a, &b, &words[0], &words[1]))
		return false;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		words[2] = b;
		words[3] = c;
		words[4] = d;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
		words[5] = c;
		words[6] = d;
	}
	if (__get_cpuid_count(0xd, 1, &a, &b, &c, &d))
		words[7] = a;
	if (__get_cpuid(0x80000008, &a, &b, &c, &d))
		words[8] = b;
	/* Julia 1.12 put a word in before the last one. */
	const bool wide = jic_julia_at_least(v, 1, 12, 0);
	if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) {
		words[9] = a;
		words[10] = wide ? b : 0;
	}
	if (__get_cpuid_count(0x14, 0, &a, &b, &c, &d))
		words[wide ? 11 : 10] = b;
	drop_unsaved(words);
	return true;
}

#else

static bool host_words(struct jic_julia_version v, uint32_t words[WORDS_MAX])
{
	(void)v;
	(void)words;
	return false;
}

#endif

static bool enables_only(const struct target *t, const uint32_t have[WORDS_MAX])
{
	for (uint32_t i = 0; i < t->words; i++)
		if (t->enabled[i] & ~have[i])
			return false;
	return true;
}

bool jic_targets_usable(struct jic_view blob, const struct jic_facts *f)
{
	uint32_t count, have[WORDS_MAX];
	if (!blob.len)
		return true;
	const bool asked = host_words(f->version, have);
	struct jic_cursor c = jic_cursor_over(blob);
	if (!read_count(&c, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct target t;
		if (!read_target(&c, &t))
			return false;
		if (asked ? enables_only(&t, have) : jic_view_is(t.name, "generic") || jic_view_eq(t.name, f->cpu_name))
			return true;
	}
	return false;
}

/* The next target's CPU name: "generic;haswell,-rdrnd,base(1)" gives "generic", then "haswell". */
static bool next_name(struct jic_view *rest, struct jic_view *name)
{
	if (!rest->len)
		return false;
	const char *end = memchr(rest->ptr, ';', rest->len);
	struct jic_view target = end ? jic_view_head(*rest, (size_t)(end - rest->ptr)) : *rest;
	*rest = jic_view_skip(*rest, target.len + 1);
	const char *comma = target.len ? memchr(target.ptr, ',', target.len) : NULL;
	*name = comma ? jic_view_head(target, (size_t)(comma - target.ptr)) : target;
	return true;
}

static bool same_target(const struct target *t, struct jic_view wanted, const struct jic_facts *f)
{
	uint32_t have[WORDS_MAX];
	if (!jic_view_is(wanted, "native"))
		return jic_view_eq(t->name, wanted);
	if (f->cpu_name.len && !jic_view_eq(t->name, f->cpu_name))
		return false;
	return !host_words(f->version, have) || enables_only(t, have);
}

bool jic_targets_match_session(struct jic_view blob, const struct jic_facts *f)
{
	uint32_t count;
	struct jic_view rest = f->cpu_target.len ? f->cpu_target : JIC_VIEW("native");
	if (!blob.len)
		return true;
	struct jic_cursor c = jic_cursor_over(blob);
	if (!read_count(&c, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct target t;
		struct jic_view wanted;
		if (!read_target(&c, &t) || !next_name(&rest, &wanted) || !same_target(&t, wanted, f))
			return false;
	}
	/* Up to 1.11.1 only the first of several targets takes effect (JuliaLang/julia#50148); later all do. */
	return !rest.len || (count == 1 && !jic_julia_at_least(f->version, 1, 11, 2));
}

struct jic_view jic_targets_names(struct jic_view blob, struct jic_arena *arena)
{
	uint32_t count;
	struct jic_view names = {0};
	struct jic_cursor c = jic_cursor_over(blob);
	if (!blob.len || !read_count(&c, &count))
		return JIC_VIEW("");
	for (uint32_t i = 0; i < count; i++) {
		struct target t;
		if (!read_target(&c, &t))
			return JIC_VIEW("");
		names =
		    jic_arena_printf(arena, JIC_PRIv "%s" JIC_PRIv, JIC_ARGv(names), i ? ", " : "", JIC_ARGv(t.name));
	}
	return names;
}
