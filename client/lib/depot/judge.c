#include "client/lib/depot/judge.h"

#include "client/lib/depot/accept.h"
#include "client/lib/depot/cachefile.h"
#include "client/lib/environment/lookup.h"
#include "client/lib/julia/slug.h"

struct judging {
	const struct jic_caches *caches;
	const struct jic_judge_options *options;
	struct jic_arena *arena;
	struct jic_facts facts; /* the environment's, with the options under judgement */
	struct jic_graph graph; /* the environment's, with `facts`, and packages that are not shared like others */
	const struct jic_graph *real;
	struct jic_verdict *verdicts;
	struct jic_lookup builds; /* indices by build id */
};

/* Julia makes no difference between packages that we share and others. */
static bool copy_graph(struct judging *j)
{
	struct jic_node *nodes = jic_arena_array(j->arena, j->real->count + 1, sizeof *nodes);
	if (!nodes)
		return false;
	for (size_t i = 0; i < j->real->count; i++) {
		nodes[i] = j->real->nodes[i];
		if (nodes[i].state == JIC_STATE_BUNDLED || nodes[i].state == JIC_STATE_UNSHARED)
			nodes[i].state = JIC_STATE_SHARED;
	}
	j->facts = *j->real->facts;
	j->graph = *j->real;
	j->graph.nodes = nodes;
	j->graph.facts = &j->facts;
	return true;
}

/* ---- each by itself */

/* By directory and slug, as Julia finds it; the header is not asked. */
static const struct jic_node *node_of(const struct judging *j, const struct jic_cache *c)
{
	for (size_t i = 0; i < j->graph.count; i++) {
		const struct jic_node *n = &j->graph.nodes[i];
		char slug[JIC_SLUG_CHARS_MAX + 1];
		if (n->state != JIC_STATE_SHARED || !jic_view_eq(n->inputs.name, c->package))
			continue;
		jic_package_slug(n->inputs.uuid, slug);
		if (jic_cachefile_is_candidate(c->file_name, slug, j->facts.version))
			return n;
	}
	return NULL;
}

static bool judge_file(struct judging *j, const struct jic_cache *c, const struct jic_node *n, struct jic_arena *arena,
                       enum jic_refusal *why, struct jic_error *err)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	struct jic_ji ji;
	struct jic_accept_file file = {.ji = &ji, .identity = c->identity};
	*why = JIC_REFUSAL_UNREADABLE;
	if (!jic_map_open(c->path.ptr, JIC_JI_BYTES_MAX, &map, err) || !jic_ji_parse(map.view, arena, &ji, err))
		return false;
	file.image_path = jic_cachefile_image_path(c->path, j->facts.uname, arena).ptr;
	if (j->options->any_options)
		j->facts.flags = ji.flags;
	return jic_accept_header(&j->graph, n, &ji, why, err) &&
	       jic_accept_sources(&j->graph, n, &file, NULL, arena, why, err) &&
	       (j->options->no_bytes || jic_accept_bytes(&file, NULL, why, err));
}

static void judge(struct judging *j, const struct jic_cache *c, struct jic_verdict *out)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const bool same_series = !c->version_text.len || (c->version.major == j->facts.version.major &&
	                                                  c->version.minor == j->facts.version.minor);
	const struct jic_node *n = c->kind != JIC_CACHE_LEFTOVER && same_series ? node_of(j, c) : NULL;
	if (!n)
		return;
	out->node = &j->real->nodes[n - j->graph.nodes];
	if (judge_file(j, c, n, &arena, &out->why, &err))
		out->why = JIC_REFUSAL_NONE;
	else
		out->text = jic_arena_copy(j->arena, jic_view_of(err.text));
}

/* ---- together */

static bool is_good(const struct jic_verdict *v)
{
	return v->node && v->why == JIC_REFUSAL_NONE;
}

static bool is_there(const struct judging *j, struct jic_build_id id)
{
	size_t cursor = 0;
	uint32_t index;
	while (jic_lookup_next(&j->builds, (uint32_t)id.lo, &cursor, &index))
		if (is_good(&j->verdicts[index]) && jic_build_id_eq(j->caches->items[index].build_id, id))
			return true;
	return false;
}

static bool is_provided(const struct jic_facts *f, struct jic_build_id id)
{
	for (size_t i = 0; i < f->sysimage_modules_count; i++)
		if (jic_build_id_eq(f->sysimage_modules[i].build_id, id))
			return true;
	for (size_t i = 0; i < f->bundled_count; i++)
		if (jic_build_id_eq(f->bundled[i].cache.build_id, id))
			return true;
	return false;
}

/* Whose build it is, as far as any file tells. */
static struct jic_view name_of(const struct judging *j, struct jic_build_id id)
{
	for (size_t i = 0; i < j->caches->count; i++)
		if (j->caches->items[i].kind == JIC_CACHE_READ && jic_build_id_eq(j->caches->items[i].build_id, id))
			return j->caches->items[i].name;
	return JIC_VIEW("a dependency");
}

/* @return true when it just lost what it needs */
static bool strike_out(struct judging *j, size_t index)
{
	const struct jic_cache *c = &j->caches->items[index];
	struct jic_verdict *v = &j->verdicts[index];
	for (size_t i = 0; is_good(v) && i < c->required_count; i++) {
		if (is_provided(&j->facts, c->required[i]) || is_there(j, c->required[i]))
			continue;
		char text[JIC_BUILD_ID_TEXT + 1];
		const struct jic_view name = name_of(j, c->required[i]);
		jic_build_id_format(c->required[i], text);
		v->why = JIC_REFUSAL_DEP_BUILD;
		v->text = jic_arena_printf(j->arena,
		                           "it was compiled against build %s of " JIC_PRIv
		                           ", and no file with that is acceptable here",
		                           text, JIC_ARGv(name));
		return true;
	}
	return false;
}

static bool judge_together(struct judging *j)
{
	for (size_t i = 0; i < j->caches->count; i++)
		if (j->verdicts[i].node &&
		    !jic_lookup_add(&j->builds, j->arena, (uint32_t)j->caches->items[i].build_id.lo, (uint32_t)i))
			return false;
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < j->caches->count; i++)
			changed |= strike_out(j, i);
	}
	return true;
}

bool jic_judge(const struct jic_graph *g, const struct jic_caches *caches, const struct jic_judge_options *options,
               struct jic_arena *arena, const struct jic_verdict **out, struct jic_error *err)
{
	struct judging j = {.caches = caches, .options = options, .arena = arena, .real = g};
	j.verdicts = jic_arena_array(arena, caches->count + 1, sizeof *j.verdicts);
	if (!j.verdicts || !copy_graph(&j))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < caches->count; i++)
		judge(&j, &caches->items[i], &j.verdicts[i]);
	*out = j.verdicts;
	return (judge_together(&j) && !arena->failed) || jic_fail(err, JIC_EMEMORY, "out of memory");
}
