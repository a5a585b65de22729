/*
 * Runtimes and system images. The order is that of what explains most: another Julia has other bundled caches, and
 * everything else besides.
 */
#include "client/lib/operation/difference.h"

#include "common/buf.h"

enum { LACKING_NAMED_MAX = 3, DIGITS_SHOWN = 12, QUOTED_BYTES_MAX = 80 };

static struct jic_view quoted(struct jic_view v, struct jic_arena *arena)
{
	return v.len ? jic_shortened(v, QUOTED_BYTES_MAX, arena) : JIC_VIEW("unknown");
}

static struct jic_view digits(const struct jic_digest *d, struct jic_arena *arena)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	return jic_arena_copy(arena, jic_view_bytes(hex, DIGITS_SHOWN));
}

static void fill(struct jic_difference *out, enum jic_difference_kind kind, struct jic_view here, struct jic_view there)
{
	*out = (struct jic_difference){.kind = kind, .here = here, .there = there};
}

/* ---- Julia itself */

static bool compare_julia(const struct jic_runtime *a, const struct jic_runtime *b, struct jic_arena *arena,
                          struct jic_difference *out)
{
	struct jic_view here = quoted(a->version, arena), there = quoted(b->version, arena);
	if (!jic_view_eq(a->version, b->version)) {
		fill(out, JIC_DIFFERENCE_JULIA, here, there);
		out->rest = jic_arena_printf(arena, "Julia is %s here, %s there", here.ptr, there.ptr);
		out->remedy = jic_arena_printf(
		    arena, "run Julia %s, or `jicache push` from a machine that compiled with Julia %s", there.ptr,
		    here.ptr);
		return true;
	}
	if (jic_view_eq(a->commit, b->commit) && jic_view_eq(a->branch, b->branch))
		return false;
	struct jic_view same = here;
	here = quoted(jic_view_head(a->commit, DIGITS_SHOWN), arena);
	there = quoted(jic_view_head(b->commit, DIGITS_SHOWN), arena);
	fill(out, JIC_DIFFERENCE_JULIA, here, there);
	out->rest =
	    jic_arena_printf(arena, "Julia %s is built from commit %s here, %s there", same.ptr, here.ptr, there.ptr);
	out->remedy =
	    JIC_VIEW("run the same build of Julia everywhere, or `jicache push` from a machine with this one");
	return true;
}

static bool compare_platform(const struct jic_runtime *a, const struct jic_runtime *b, struct jic_arena *arena,
                             struct jic_difference *out)
{
	if (jic_view_eq(a->uname, b->uname) && jic_view_eq(a->arch, b->arch) && jic_view_eq(a->triplet, b->triplet) &&
	    a->word_bits == b->word_bits)
		return false;
	fill(out, JIC_DIFFERENCE_PLATFORM, quoted(a->triplet, arena), quoted(b->triplet, arena));
	out->rest = jic_arena_printf(arena, "the platform is %s here, %s there", out->here.ptr, out->there.ptr);
	out->remedy = JIC_VIEW("`jicache push` from a machine of this platform");
	return true;
}

/* ---- flags: "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2", "pkgimages=0" or nothing (Julia ≤ 1.8) */

static int flag(struct jic_view flags, const char *name)
{
	size_t len = strlen(name);
	for (struct jic_view v = flags; v.len > len; v = jic_view_skip(v, 1)) {
		bool starts = v.ptr == flags.ptr || v.ptr[-1] == ',';
		if (starts && memcmp(v.ptr, name, len) == 0 && v.ptr[len] == '=')
			return v.len > len + 1 ? v.ptr[len + 1] - '0' : -1;
	}
	return -1;
}

/* What one types to get it. */
static void put_flag(struct jic_buf *b, const char *name, int value)
{
	static const char *const bounds[] = {"auto", "yes", "no"};
	jic_buf_puts(b, b->len ? " " : "");
	if (strcmp(name, "pkgimages") == 0)
		jic_buf_printf(b, "--pkgimages=%s", value == 0 ? "no" : "yes");
	else if (strcmp(name, "check_bounds") == 0)
		jic_buf_printf(b, "--check-bounds=%s", value >= 0 && value < 3 ? bounds[value] : "auto");
	else if (strcmp(name, "inline") == 0)
		jic_buf_printf(b, "--inline=%s", value == 0 ? "no" : "yes");
	else
		jic_buf_printf(b, "-%c%d", name[0] == 'o' ? 'O' : 'g', value);
}

static bool compare_flags(const struct jic_runtime *a, const struct jic_runtime *b, struct jic_arena *arena,
                          struct jic_difference *out)
{
	static const char *const names[] = {"pkgimages", "check_bounds", "opt", "debug", "inline"};
	JIC_CLEAR(jic_buf) struct jic_buf here = {0};
	JIC_CLEAR(jic_buf) struct jic_buf there = {0};
	if (jic_view_eq(a->flags, b->flags))
		return false;
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		int mine = flag(a->flags, names[i]), theirs = flag(b->flags, names[i]);
		if (mine == theirs || mine < 0 || theirs < 0)
			continue;
		put_flag(&here, names[i], mine);
		put_flag(&there, names[i], theirs);
	}
	if (!here.len) {
		jic_buf_putv(&here, quoted(a->flags, arena));
		jic_buf_putv(&there, quoted(b->flags, arena));
	}
	fill(out, JIC_DIFFERENCE_FLAGS, jic_arena_copy(arena, jic_buf_view(&here)),
	     jic_arena_copy(arena, jic_buf_view(&there)));
	out->rest =
	    jic_arena_printf(arena, "flags differ: Julia runs with `%s` here, what is stored was compiled with `%s`",
	                     out->here.ptr, out->there.ptr);
	out->remedy = jic_arena_printf(arena, "run `julia %s`, or `jicache push` from a machine that runs with `%s`",
	                               out->there.ptr, out->here.ptr);
	return true;
}

/* ---- CPU: "host:NAME;+feature,-feature,…", "target:STRING" or nothing (no native code) */

static const char host[] = "host:", target[] = "target:";

static struct jic_view cpu_text(struct jic_view cpu, struct jic_arena *arena)
{
	struct jic_view v = cpu;
	if (jic_view_starts(v, jic_view_of(target)))
		return jic_arena_printf(
		    arena, "JULIA_CPU_TARGET=%s",
		    jic_shortened(jic_view_skip(v, sizeof target - 1), QUOTED_BYTES_MAX, arena).ptr);
	if (!jic_view_starts(v, jic_view_of(host)))
		return v.len ? jic_shortened(v, QUOTED_BYTES_MAX, arena) : JIC_VIEW("no native code");
	v = jic_view_skip(v, sizeof host - 1);
	const char *end = v.len ? memchr(v.ptr, ';', v.len) : NULL;
	return quoted(end ? jic_view_head(v, (size_t)(end - v.ptr)) : v, arena);
}

static struct jic_view features_of(struct jic_view cpu)
{
	const char *start = jic_view_starts(cpu, jic_view_of(host)) ? memchr(cpu.ptr, ';', cpu.len) : NULL;
	return start ? jic_view_skip(cpu, (size_t)(start - cpu.ptr) + 1) : JIC_VIEW("");
}

static struct jic_view next_feature(struct jic_view *rest)
{
	const char *comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
	struct jic_view feature = comma ? jic_view_head(*rest, (size_t)(comma - rest->ptr)) : *rest;
	*rest = jic_view_skip(*rest, feature.len + 1);
	return feature;
}

static bool has_feature(struct jic_view features, struct jic_view wanted)
{
	while (features.len)
		if (jic_view_eq(next_feature(&features), wanted))
			return true;
	return false;
}

/* "avx512f, avx512bw, avx512vl and 4 more": what theirs has and ours lacks; empty: nothing. */
static struct jic_view lacking(struct jic_view mine, struct jic_view theirs, struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	size_t count = 0;
	while (theirs.len) {
		struct jic_view feature = next_feature(&theirs);
		if (!feature.len || feature.ptr[0] != '+' || has_feature(mine, feature))
			continue;
		if (count++ < LACKING_NAMED_MAX)
			jic_buf_printf(&text, "%s%s", text.len ? ", " : "",
			               jic_shortened(jic_view_skip(feature, 1), QUOTED_BYTES_MAX, arena).ptr);
	}
	if (count > LACKING_NAMED_MAX)
		jic_buf_printf(&text, " and %zu more", count - LACKING_NAMED_MAX);
	return jic_arena_copy(arena, jic_buf_view(&text));
}

static bool compare_cpu(const struct jic_runtime *a, const struct jic_runtime *b, struct jic_arena *arena,
                        struct jic_difference *out)
{
	if (jic_view_eq(a->cpu, b->cpu))
		return false;
	fill(out, JIC_DIFFERENCE_CPU, cpu_text(a->cpu, arena), cpu_text(b->cpu, arena));
	struct jic_view lacks = JIC_VIEW("");
	if (features_of(a->cpu).len)
		lacks = lacking(features_of(a->cpu), features_of(b->cpu), arena);
	if (lacks.len)
		out->rest = jic_arena_printf(arena, "what is stored was built for %s, this host (%s) lacks %s",
		                             out->there.ptr, out->here.ptr, lacks.ptr);
	else
		out->rest =
		    jic_arena_printf(arena, "native code is for %s here, %s there", out->here.ptr, out->there.ptr);
	out->remedy =
	    JIC_VIEW("set the same JULIA_CPU_TARGET on all machines, one that every CPU among them can run, or "
	             "`jicache push` from a machine with this CPU");
	return true;
}

/* ---- all */

static bool compare_bundled(const struct jic_made_for *a, const struct jic_made_for *b, struct jic_arena *arena,
                            struct jic_difference *out)
{
	if (jic_digest_eq(&a->bundled, &b->bundled))
		return false;
	fill(out, JIC_DIFFERENCE_BUNDLED, digits(&a->bundled, arena), digits(&b->bundled, arena));
	out->rest = jic_arena_printf(arena, "Julia %s comes with other caches of its standard library here than there",
	                             quoted(a->runtime->version, arena).ptr);
	out->remedy = JIC_VIEW("install the same distribution of Julia everywhere (and let Julia's own depot be in "
	                       "DEPOT_PATH), or `jicache push` from a machine with this one");
	return true;
}

static void compare_sysimages(const struct jic_made_for *a, const struct jic_made_for *b, struct jic_arena *arena,
                              struct jic_difference *out)
{
	if (jic_digest_eq(&a->sysimage, &b->sysimage))
		return;
	fill(out, JIC_DIFFERENCE_SYSIMAGE, digits(&a->sysimage, arena), digits(&b->sysimage, arena));
	out->rest =
	    jic_arena_printf(arena, "sysimage differs: sha256 %s… here, %s… there", out->here.ptr, out->there.ptr);
	out->remedy = JIC_VIEW("use the same system image (`-J`), or `jicache push` from a machine with this one");
}

void jic_difference_of_address(const struct jic_made_for *here, const struct jic_made_for *there,
                               struct jic_arena *arena, struct jic_difference *out)
{
	const struct jic_runtime *a = here->runtime, *b = there->runtime;
	*out = (struct jic_difference){0};
	if (compare_julia(a, b, arena, out) || compare_platform(a, b, arena, out) || compare_flags(a, b, arena, out) ||
	    compare_cpu(a, b, arena, out) || compare_bundled(here, there, arena, out))
		return;
	compare_sysimages(here, there, arena, out);
}
