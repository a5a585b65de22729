/*
 * Order: modules of the system image, then packages, each behind its dependencies, and every extension as soon as the
 * last of its dependencies is there. A package that has all of them in its closure thus comes behind the extension,
 * too. Names and UUIDs break ties, so that the order does not depend on that of the manifest.
 */
#include "client/lib/graph/graph_build.h"

enum mark { NEW, OPEN, DONE };

struct ordering {
	struct jic_builder *b;
	uint8_t *marks;
	uint32_t *stack; /* packages whose dependencies are being ordered, outermost first */
	size_t *next;    /* for each of them the next dependency to look at */
	size_t depth, done;
	uint32_t *waiting; /* for each extension how many dependencies are not there yet */
	uint32_t *first;   /* for each draft the first entry of `links` of extensions that wait for it */
	struct link {
		uint32_t extension, next;
	} * links;
};

static const uint32_t END = UINT32_MAX;

static int by_id(const void *a, const void *b, void *context)
{
	const struct jic_draft *drafts = context;
	const struct jic_draft *x = &drafts[*(const uint32_t *)a], *y = &drafts[*(const uint32_t *)b];
	int order = jic_view_cmp(x->id.name, y->id.name);
	return order ? order : jic_uuid_cmp(x->id.uuid, y->id.uuid);
}

/* The fewer dependencies the earlier: 1.11.3+ loads an extension beside one that has strictly more triggers. */
static int by_deps(const void *a, const void *b, void *context)
{
	const struct jic_draft *drafts = context;
	size_t x = drafts[*(const uint32_t *)a].deps_count, y = drafts[*(const uint32_t *)b].deps_count;
	int order = (x > y) - (x < y);
	return order ? order : by_id(a, b, context);
}

static void emit_one(struct ordering *o, uint32_t i)
{
	o->marks[i] = DONE;
	o->b->drafts[i].position = (uint32_t)o->done;
	o->b->order[o->done++] = i;
}

/* A draft and then the extensions that have only waited for it. They wait in the order of by_deps(). */
static void emit(struct ordering *o, uint32_t i)
{
	emit_one(o, i);
	for (uint32_t l = o->first[i]; l != END; l = o->links[l].next) {
		uint32_t extension = o->links[l].extension;
		if (--o->waiting[extension] == 0 && o->marks[extension] == NEW)
			emit_one(o, extension);
	}
}

static bool cycle(const struct ordering *o, uint32_t again, struct jic_error *err)
{
	const struct jic_draft *d = &o->b->drafts[again];
	const struct jic_found *f = &d->found;
	struct jic_view file = f->env && f->env->manifest ? f->env->manifest->file
	                       : f->env                   ? f->env->path
	                                                  : f->dir->root;
	JIC_CLEAR(jic_buf) struct jic_buf chain = {0};
	size_t i = o->depth - 1;
	while (i > 0 && o->stack[i] != again)
		i--;
	for (; i < o->depth && chain.len < 300; i++)
		jic_buf_printf(&chain, JIC_PRIv " → ", JIC_ARGv(o->b->drafts[o->stack[i]].id.name));
	return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: " JIC_PRIv " depends on itself: %s" JIC_PRIv, JIC_ARGv(file),
	                f->package->line, JIC_ARGv(d->id.name), jic_buf_str(&chain), JIC_ARGv(d->id.name));
}

/* Depth first, on a stack of our own: a chain of dependencies is as long as a file says. */
static bool visit(struct ordering *o, uint32_t root, struct jic_error *err)
{
	o->stack[0] = root;
	o->next[0] = 0;
	o->depth = 1;
	o->marks[root] = OPEN;
	while (o->depth) {
		uint32_t current = o->stack[o->depth - 1];
		const struct jic_draft *d = &o->b->drafts[current];
		if (o->next[o->depth - 1] == d->deps_count) {
			emit(o, current);
			o->depth--;
			continue;
		}
		uint32_t dep = d->deps[o->next[o->depth - 1]++];
		if (o->marks[dep] == OPEN)
			return cycle(o, dep, err);
		if (o->marks[dep] == DONE)
			continue;
		o->marks[dep] = OPEN;
		o->stack[o->depth] = dep;
		o->next[o->depth++] = 0;
	}
	return true;
}

/* Links are pushed in front, so extensions are gone through backwards. */
static void link_extensions(struct ordering *o, const uint32_t *sorted, size_t count)
{
	uint32_t links = 0;
	for (size_t s = count; s-- > 0;) {
		const struct jic_draft *d = &o->b->drafts[sorted[s]];
		if (!d->extension)
			continue;
		o->waiting[sorted[s]] = (uint32_t)d->deps_count;
		for (size_t i = 0; i < d->deps_count; i++) {
			o->links[links] = (struct link){.extension = sorted[s], .next = o->first[d->deps[i]]};
			o->first[d->deps[i]] = links++;
		}
	}
}

static bool visit_all(struct ordering *o, const uint32_t *sorted, struct jic_error *err)
{
	const struct jic_builder *b = o->b;
	for (size_t i = 0; i < b->count; i++) {
		if (b->drafts[sorted[i]].in_sysimage && !b->drafts[sorted[i]].extension)
			emit(o, sorted[i]);
	}
	for (size_t i = 0; i < b->count; i++) {
		if (!b->drafts[sorted[i]].extension && o->marks[sorted[i]] == NEW && !visit(o, sorted[i], err))
			return false;
	}
	JIC_ASSERT(o->done == b->count);
	return true;
}

static void sort_deps(struct jic_builder *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct jic_draft *d = &b->drafts[i];
		size_t fixed = d->extension ? d->deps_count : 0; /* an extension's are parent, then triggers */
		if (d->deps_count > fixed)
			qsort_r(d->deps, d->deps_count, sizeof(*d->deps), by_id, b->drafts);
	}
}

bool jic_graph_order(struct jic_builder *b, struct jic_error *err)
{
	size_t n = b->count + 1, links = 1;
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	for (size_t i = 0; i < b->count; i++)
		links += b->drafts[i].extension ? b->drafts[i].deps_count : 0;
	struct ordering o = {
	    .b = b,
	    .marks = jic_arena_array(&scratch, n, sizeof(*o.marks)),
	    .stack = jic_arena_array(&scratch, n, sizeof(*o.stack)),
	    .next = jic_arena_array(&scratch, n, sizeof(*o.next)),
	    .waiting = jic_arena_array(&scratch, n, sizeof(*o.waiting)),
	    .first = jic_arena_array(&scratch, n, sizeof(*o.first)),
	    .links = jic_arena_array(&scratch, links, sizeof(*o.links)),
	};
	uint32_t *sorted = jic_arena_array(&scratch, n, sizeof(*sorted));
	b->order = jic_arena_array(b->arena, n, sizeof(*b->order));
	if (scratch.failed || !b->order || !sorted)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (uint32_t i = 0; i < b->count; i++) {
		sorted[i] = i;
		o.first[i] = END;
	}
	sort_deps(b);
	qsort_r(sorted, b->count, sizeof(*sorted), by_deps, b->drafts);
	link_extensions(&o, sorted, b->count);
	qsort_r(sorted, b->count, sizeof(*sorted), by_id, b->drafts);
	return visit_all(&o, sorted, err);
}
