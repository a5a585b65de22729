/* A file is judged by itself first; then what stays keeps what it was compiled against, so that nothing loadable is
 * torn; and with a size limit, usable files go from the least recently used on, each with its dependents.
 *
 * Every file records all modules that were loaded when it was compiled, those loaded for its dependencies included: who
 * was compiled against another has the longer list, and one level of the lists is the whole closure. */
#include "client/lib/operation/gc.h"

#include "client/lib/environment/lookup.h"

enum {
	/* Julia's own file that is not asked for may be of an environment that jicache never saw. While it is used,
	 * what it was compiled against stays. */
	ROOT_USED_S = 30 * 24 * 60 * 60,
	LEFTOVER_S = 24 * 60 * 60, /* a temporary file of a pull that is running is younger */
};

const char *jic_gc_fate_words(enum jic_gc_fate fate)
{
	static const char *const words[] = {
	    [JIC_GC_UNDECIDED] = "undecided",
	    [JIC_GC_NOT_OURS] = "Julia's own (--julia-own)",
	    [JIC_GC_FOREIGN] = "another user's, or of an unknown layout",
	    [JIC_GC_IN_USE] = "a running process has it open",
	    [JIC_GC_FITS] = "a known environment can use it",
	    [JIC_GC_OLDER] = "it is older than what is remembered of environments",
	    [JIC_GC_RECENT] = "used recently",
	    [JIC_GC_NEEDED] = "a file that stays was compiled against it",
	    [JIC_GC_BROKEN] = "damaged: no Julia can load it",
	    [JIC_GC_LEFTOVER] = "left over from an interrupted transfer",
	    [JIC_GC_UNUSABLE] = "no known environment can use it",
	    [JIC_GC_OVER_LIMIT] = "least recently used, beyond --max-size",
	    [JIC_GC_DEPENDENT] = "compiled against one that goes",
	};
	return words[fate];
}

struct decision {
	struct jic_gc_file *files;
	size_t count;
	const struct jic_gc_limits *limits;
	struct jic_arena arena;
	struct jic_lookup builds; /* indices of files by their build */
};

static bool goes(const struct jic_gc_file *f)
{
	return f->fate >= JIC_GC_GOES;
}

static int64_t unused_s(const struct decision *d, const struct jic_gc_file *f)
{
	return d->limits->now_s - (int64_t)f->cache->mtime;
}

/* ---- by itself */

static enum jic_gc_fate judge_damage(const struct decision *d, const struct jic_gc_file *f)
{
	const bool young = unused_s(d, f) < LEFTOVER_S;
	if (f->cache->kind == JIC_CACHE_LEFTOVER)
		return young ? JIC_GC_RECENT : JIC_GC_LEFTOVER;
	return JIC_GC_BROKEN;
}

static enum jic_gc_fate judge(const struct decision *d, const struct jic_gc_file *f)
{
	const struct jic_cache *c = f->cache;
	if (c->owner != d->limits->owner || c->kind == JIC_CACHE_UNKNOWN)
		return JIC_GC_FOREIGN;
	if (f->in_use)
		return JIC_GC_IN_USE;
	if (!c->ours && !d->limits->julia)
		return JIC_GC_NOT_OURS;
	if (c->kind != JIC_CACHE_READ)
		return judge_damage(d, f);
	/* Without a UUID Julia gives the file no name of its own, and no environment can be asked about it. */
	if (jic_uuid_is_nil(c->uuid))
		return JIC_GC_NOT_OURS;
	if (f->fits)
		return JIC_GC_FITS;
	if (f->before)
		return JIC_GC_OLDER;
	if (unused_s(d, f) < (int64_t)d->limits->older_than_s)
		return JIC_GC_RECENT;
	return c->wants_image && !c->has_image ? JIC_GC_BROKEN : JIC_GC_UNUSABLE;
}

/* ---- what stays keeps what it needs */

static bool requires_build(const struct jic_cache *c, struct jic_build_id id)
{
	for (size_t i = 0; i < c->required_count; i++)
		if (jic_build_id_eq(c->required[i], id))
			return true;
	return false;
}

static bool is_root(const struct decision *d, const struct jic_gc_file *f)
{
	if (goes(f) || f->cache->kind != JIC_CACHE_READ)
		return false;
	return f->fate != JIC_GC_NOT_OURS || unused_s(d, f) < ROOT_USED_S;
}

static void keep_needs(struct decision *d, const struct jic_gc_file *f)
{
	for (size_t i = 0; i < f->cache->required_count; i++) {
		const struct jic_build_id id = f->cache->required[i];
		size_t cursor = 0;
		uint32_t index;
		while (jic_lookup_next(&d->builds, (uint32_t)id.lo, &cursor, &index)) {
			struct jic_gc_file *needed = &d->files[index];
			if (goes(needed) && jic_build_id_eq(needed->cache->build_id, id))
				needed->fate = JIC_GC_NEEDED;
		}
	}
}

static bool index_builds(struct decision *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->files[i].cache->kind == JIC_CACHE_READ &&
		    !jic_lookup_add(&d->builds, &d->arena, (uint32_t)d->files[i].cache->build_id.lo, (uint32_t)i))
			return false;
	return true;
}

/* ---- the limit */

static bool may_be_evicted(const struct decision *d, const struct jic_gc_file *f)
{
	const bool kept_as_usable =
	    f->fate == JIC_GC_FITS || f->fate == JIC_GC_NEEDED || f->fate == JIC_GC_RECENT || f->fate == JIC_GC_OLDER;
	return kept_as_usable && f->cache->kind == JIC_CACHE_READ && unused_s(d, f) >= (int64_t)d->limits->older_than_s;
}

/* With all dependents, or not at all. */
static bool evict(struct decision *d, struct jic_gc_file *f, uint64_t *total)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct jic_gc_file *other = &d->files[i];
		if (!goes(other) && requires_build(other->cache, f->cache->build_id) && !may_be_evicted(d, other))
			return false;
	}
	for (size_t i = 0; i < d->count; i++) {
		struct jic_gc_file *other = &d->files[i];
		if (other == f || goes(other) || !requires_build(other->cache, f->cache->build_id))
			continue;
		other->fate = JIC_GC_DEPENDENT;
		*total -= other->cache->bytes;
	}
	f->fate = JIC_GC_OVER_LIMIT;
	*total -= f->cache->bytes;
	return true;
}

static int least_recent_first(const void *x, const void *y)
{
	const struct jic_gc_file *const *a = x, *const *b = y;
	const double s = (*a)->cache->mtime, t = (*b)->cache->mtime;
	return (s > t) - (s < t);
}

/* What counts against the limit is what gc could remove at all. */
static bool apply_limit(struct decision *d)
{
	uint64_t total = 0;
	struct jic_gc_file **by_use = jic_arena_array(&d->arena, d->count + 1, sizeof *by_use);
	if (!by_use)
		return false;
	for (size_t i = 0; i < d->count; i++) {
		struct jic_gc_file *f = &d->files[i];
		by_use[i] = f;
		if (!goes(f) && f->fate != JIC_GC_NOT_OURS && f->fate != JIC_GC_FOREIGN)
			total += f->cache->bytes;
	}
	if (d->count)
		qsort(by_use, d->count, sizeof *by_use, least_recent_first);
	for (size_t i = 0; i < d->count && total > d->limits->bytes_max; i++)
		if (may_be_evicted(d, by_use[i]))
			(void)evict(d, by_use[i], &total);
	return true;
}

static bool decide(struct decision *d)
{
	if (!index_builds(d))
		return false;
	for (size_t i = 0; i < d->count; i++)
		d->files[i].fate = judge(d, &d->files[i]);
	/* Only roots keep others; what they keep has its own needs among theirs. */
	for (size_t i = 0; i < d->count; i++)
		if (is_root(d, &d->files[i]))
			keep_needs(d, &d->files[i]);
	return !d->limits->bytes_max || apply_limit(d);
}

bool jic_gc_decide(struct jic_gc_file *files, size_t count, const struct jic_gc_limits *limits, struct jic_error *err)
{
	struct decision d = {.files = files, .count = count, .limits = limits};
	const bool done = decide(&d);
	jic_arena_clear(&d.arena);
	return done || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- order */

static int longest_list_first(const void *x, const void *y, void *context)
{
	const struct jic_gc_file *files = context;
	const size_t *a = x, *b = y;
	const size_t s = files[*a].cache->required_count, t = files[*b].cache->required_count;
	if (s != t)
		return s > t ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

size_t jic_gc_order(const struct jic_gc_file *files, size_t count, size_t *order)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		if (goes(&files[i]))
			order[found++] = i;
	if (found)
		qsort_r(order, found, sizeof *order, longest_list_first, (void *)(uintptr_t)files);
	return found;
}
