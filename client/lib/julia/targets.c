#include "client/lib/julia/targets.h"

#include "common/cursor.h"

#include <sys/auxv.h>
#if defined __x86_64__ || defined __i386__
#include <cpuid.h>
#endif

enum {
	TARGETS_MAX = 64,
	WORDS_MAX = 16,          /* of features: 11 up to Julia 1.11, 12 in 1.12 (x86), 3 (ARM) */
	FLAG_UNKNOWN_NAME = 0x20 /* JL_TARGET_UNKNOWN_NAME of src/processor.h */
};

struct target {
	uint32_t flags;
	uint32_t enabled[WORDS_MAX], disabled[WORDS_MAX];
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
	struct jic_view ext_features;
	if (!jic_cursor_u32le(c, &out->flags) || !jic_cursor_u32le(c, &out->words) || out->words > WORDS_MAX)
		return false;
	return read_words(c, out->enabled, out->words) && read_words(c, out->disabled, out->words) &&
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

/* The words of src/features_x86.h are what cpuid gives, leaf by leaf (_get_host_cpu in src/processor_x86.cpp), as of
 * Julia 1.9: later ones are asked. */
static bool host_words(uint32_t words[WORDS_MAX])
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
	if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
		words[9] = a;
	if (__get_cpuid_count(0x14, 0, &a, &b, &c, &d))
		words[10] = b;
	drop_unsaved(words);
	return true;
}

static uint32_t host_signature(void)
{
	uint32_t a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) ? a : 0;
}

#else

static uint32_t host_signature(void)
{
	return 0;
}

static bool host_words(uint32_t words[WORDS_MAX])
{
	(void)words;
	return false;
}

#endif

void jic_targets_put_host(struct jic_buf *out)
{
	uint32_t words[WORDS_MAX] = {0};
	(void)!host_words(words);
	jic_buf_u32le(out, host_signature());
	for (size_t i = 0; i < WORDS_MAX; i++)
		jic_buf_u32le(out, words[i]);
	jic_buf_u64le(out, getauxval(AT_HWCAP));
	jic_buf_u64le(out, getauxval(AT_HWCAP2));
}

/* ---- acceptance */

/* What the session runs for: from Julia itself; for 1.9, which can't be asked, what the host has. */
struct session {
	const struct jic_facts *facts;
	struct target jit; /* words: 0 when Julia could not be asked */
	bool has_host;
	uint32_t host[WORDS_MAX];
};

static bool is_native(const struct jic_facts *f)
{
	return !f->session_target.len || jic_view_is(f->session_target, "native");
}

/* The processor's name, as the session's images have it. */
static struct jic_view session_name(const struct session *s)
{
	if (s->jit.words)
		return s->jit.name;
	return is_native(s->facts) ? s->facts->cpu_name : s->facts->session_target;
}

static void read_session(const struct jic_facts *f, struct session *out)
{
	uint32_t count;
	*out = (struct session){.facts = f};
	struct jic_cursor c = jic_cursor_over(f->jit_target);
	if (read_count(&c, &count) && count == 1 && read_target(&c, &out->jit))
		return;
	out->jit.words = 0;
	out->has_host = is_native(f) && host_words(out->host);
}

static bool overlap(const uint32_t *a, const uint32_t *b, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

static bool enables_only(const struct target *t, const uint32_t have[WORDS_MAX])
{
	for (uint32_t i = 0; i < t->words; i++)
		if (t->enabled[i] & ~have[i])
			return false;
	return true;
}

/* Of a processor that Julia does not know by name (it knows no "x86-64-v3") the words say nothing: LLVM does know it,
 * and its code would trap where Julia takes it. */
static bool would_trap(const struct session *s, const struct target *t)
{
	return (t->flags & FLAG_UNKNOWN_NAME) && !jic_view_eq(t->name, session_name(s)) &&
	       !(is_native(s->facts) && jic_facts_has_level(s->facts, t->name));
}

static bool takes_target(const struct session *s, const struct target *t)
{
	/* A session for a processor that Julia does not know would take everything. */
	if (s->jit.words && (s->jit.flags & FLAG_UNKNOWN_NAME))
		return jic_view_is(t->name, "generic") || jic_view_eq(t->name, s->jit.name);
	if (s->jit.words)
		return t->words == s->jit.words && !overlap(t->enabled, s->jit.disabled, t->words);
	if (s->has_host)
		return enables_only(t, s->host);
	return jic_view_is(t->name, "generic") || jic_view_eq(t->name, session_name(s));
}

/* ---- which of several Julia chooses: the name, else the widest registers, else the most features, else the last */

struct choice {
	bool any, by_name;
	struct target best;
};

static unsigned vector_bytes(const struct session *s, const struct target *t)
{
	if (!jic_view_is(s->facts->arch, "x86_64"))
		return 0;
	return t->enabled[2] >> 16 & 1 ? 64 : t->enabled[0] >> 28 & 1 ? 32 : 16; /* avx512f, avx */
}

static unsigned feature_count(const struct target *t)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < t->words; i++)
		count += (unsigned)__builtin_popcount(t->enabled[i]);
	return count;
}

static void consider(const struct session *s, const struct target *t, struct choice *c)
{
	const bool named = jic_view_eq(t->name, session_name(s));
	const bool first = !c->any || (named && !c->by_name);
	if (!first) {
		const unsigned width = vector_bytes(s, t), best = vector_bytes(s, &c->best);
		if ((c->by_name && !named) || width < best ||
		    (width == best && feature_count(t) < feature_count(&c->best)))
			return;
	}
	*c = (struct choice){.any = true, .by_name = c->by_name || named, .best = *t};
}

bool jic_targets_usable(struct jic_view blob, const struct jic_facts *f)
{
	uint32_t count;
	struct session s;
	if (!blob.len)
		return true;
	struct jic_cursor c = jic_cursor_over(blob);
	if (!read_count(&c, &count))
		return false;
	read_session(f, &s);
	struct choice choice = {.any = false};
	for (uint32_t i = 0; i < count; i++) {
		struct target t = {0};
		if (!read_target(&c, &t))
			return false;
		if (takes_target(&s, &t))
			consider(&s, &t, &choice);
	}
	return choice.any && !would_trap(&s, &choice.best);
}

/* ---- publishing */

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
	struct session s;
	if (!jic_view_is(wanted, "native"))
		return jic_view_eq(t->name, wanted);
	if (f->cpu_name.len && !jic_view_eq(t->name, f->cpu_name))
		return false;
	read_session(f, &s);
	return !is_native(f) || (takes_target(&s, t) && !would_trap(&s, t));
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
		struct target t = {0};
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
		struct target t = {0};
		if (!read_target(&c, &t))
			return JIC_VIEW("");
		names =
		    jic_arena_printf(arena, JIC_PRIv "%s" JIC_PRIv, JIC_ARGv(names), i ? ", " : "", JIC_ARGv(t.name));
	}
	return names;
}
