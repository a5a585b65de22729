/* What is in the depots for this environment.
 *
 *     snapshot of the last scan still holds?  → its result, for a stat a file
 *     else: list each package's directory in each depot → parse headers, keep what Julia would accept (accept.h)
 *           → choose a coherent set (depot_choose.c) → take a snapshot
 *
 * Checksums and sources are checked once for each state of a file (memory.h), so also the long way reads little. */
#include "client/lib/depot/accept.h"
#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/candidates.h"
#include "client/lib/depot/snapshot.h"
#include "client/lib/julia/slug.h"
#include "client/lib/julia/targets.h"
#include "client/lib/relocate/canonical_path.h"

#include <errno.h>
#include <fcntl.h>

struct scan {
	const struct jic_graph *g;
	struct jic_memory *memory; /* may be NULL */
	struct jic_arena arena;    /* lives as long as the scan */
	struct jic_watches watches;
	struct jic_view *compiled_dirs; /* that exist, in Julia's order */
	size_t compiled_dirs_count;
	struct jic_candidate_list *lists; /* one for each node */
	struct other *others;             /* cache files of all nodes, acceptable or not, in the nodes' order */
	size_t others_count, others_room;
};

/* A cache file that Julia would look at for a node. */
struct other {
	uint32_t node;
	struct jic_view path;
	struct jic_file_identity identity;
};

static void scan_clear(struct scan *s)
{
	jic_memory_free(s->memory);
	jic_watches_clear(&s->watches);
	free(s->others);
	jic_arena_clear(&s->arena);
}

/* ---- directories */

static bool add_compiled_dir(struct scan *s, struct jic_view depot)
{
	struct jic_view dir = jic_cachefile_compiled_dir(depot, s->g->facts->version, &s->arena);
	for (size_t i = 0; i < s->compiled_dirs_count; i++)
		if (jic_view_eq(s->compiled_dirs[i], dir))
			return true;
	if (!dir.len)
		return false;
	/* While this directory is unchanged, a package's directory that is missing in it stays missing. */
	jic_watch_path(&s->watches, JIC_WATCH_DIRECTORY, dir, JIC_WATCH_NO_NODE);
	if (jic_is_dir(dir.ptr))
		s->compiled_dirs[s->compiled_dirs_count++] = dir;
	return true;
}

/* DEPOT_PATH, and the depot that `--depot` adds: at its end, where JULIA_DEPOT_PATH will have it. */
static bool find_compiled_dirs(struct scan *s, const char *extra, struct jic_error *err)
{
	const struct jic_facts *f = s->g->facts;
	s->compiled_dirs = jic_arena_array(&s->arena, f->depot_path_count + 1, sizeof *s->compiled_dirs);
	bool fine = s->compiled_dirs != NULL;
	for (size_t i = 0; fine && i < f->depot_path_count; i++)
		fine = add_compiled_dir(s, f->depot_path[i]);
	if (fine && extra) {
		jic_autofree char *absolute = jic_path_absolute(extra);
		fine = absolute && add_compiled_dir(s, jic_view_of(absolute));
	}
	return fine || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- one file */

/* A directory that is being listed. */
struct listing {
	struct scan *s;
	uint32_t node;
	size_t depot;
	struct jic_view dir;
	char slug[JIC_SLUG_CHARS_MAX + 1];
	size_t room; /* for candidates of the node */
};

static bool take_needs(struct scan *s, const struct jic_ji *ji, struct jic_candidate *c)
{
	struct jic_need *needs = jic_arena_array(&s->arena, ji->required_count + 1, sizeof *needs);
	for (size_t i = 0; needs && i < ji->required_count; i++) {
		const struct jic_ji_module *r = &ji->required[i];
		if (jic_facts_provide(s->g->facts, r))
			continue;
		const struct jic_node *n = jic_graph_find(s->g, r->uuid, r->name);
		JIC_ASSERT(n); /* jic_accept_header() */
		needs[c->needs_count++] =
		    (struct jic_need){.node = (uint32_t)(n - s->g->nodes), .build_id = r->build_id};
	}
	c->needs = needs;
	return needs != NULL;
}

/* What a result hangs on beside the entry file: sources that may be edited, also of a file that is stale now. */
static void watch_sources(struct scan *s, const struct jic_node *n, const struct jic_ji *ji)
{
	if (jic_accept_is_immutable(n, ji))
		return;
	for (size_t i = 0; i < ji->includes_count; i++) {
		struct jic_view path = jic_recorded_path_here(s->g->facts, ji->includes[i].path, &s->arena);
		if (path.len)
			jic_watch_path(&s->watches, JIC_WATCH_FILE, path, JIC_WATCH_NO_NODE);
	}
}

static bool is_acceptable(struct listing *l, const struct jic_accept_file *file, struct jic_arena *arena)
{
	const struct jic_graph *g = l->s->g;
	const struct jic_node *n = &g->nodes[l->node];
	if (!jic_accept_header(g, n, file->ji, NULL, NULL))
		return false;
	watch_sources(l->s, n, file->ji);
	return jic_accept_sources(g, n, file, l->s->memory, arena, NULL, NULL) &&
	       jic_accept_bytes(file, l->s->memory, NULL, NULL);
}

/* Without an image neither flags nor target are anything to Julia. */
static bool is_own(const struct jic_facts *f, const struct jic_ji *ji)
{
	return !ji->clone_targets.len || (ji->flags == f->flags && jic_targets_match_session(ji->clone_targets, f));
}

static bool describe(struct scan *s, const struct jic_accept_file *file, struct jic_view path,
                     struct jic_candidate *out)
{
	struct stat image;
	*out = (struct jic_candidate){.path = path,
	                              .identity = file->identity,
	                              .flags = file->ji->flags,
	                              .own = is_own(s->g->facts, file->ji),
	                              .build_id = jic_ji_build_id(file->ji),
	                              .bytes = file->identity.size};
	if (file->ji->clone_targets.len && stat(file->image_path, &image) == 0) {
		out->has_image = true;
		out->bytes += (uint64_t)image.st_size;
	}
	return take_needs(s, file->ji, out);
}

/* Open, parse, and judge. Whatever is wrong with a file, it is no candidate; only a lack of memory ends the scan. */
static bool look_into(struct listing *l, struct jic_view path, struct jic_candidate *out, bool *acceptable)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_accept_file file = {.ji = &ji};
	*acceptable = false;
	file.identity = out->identity;
	if (!jic_map_open(path.ptr, JIC_JI_BYTES_MAX, &map, NULL) || !jic_ji_parse(map.view, &arena, &ji, NULL))
		return true;
	file.image_path = jic_cachefile_image_path(path, l->s->g->facts->uname, &arena).ptr;
	if (!file.image_path || !is_acceptable(l, &file, &arena))
		return !arena.failed;
	*acceptable = true;
	return describe(l->s, &file, path, out);
}

static bool add_candidate(struct listing *l, const struct jic_candidate *c)
{
	struct jic_candidate_list *list = &l->s->lists[l->node];
	if (list->count == l->room) {
		const size_t room = l->room ? l->room * 2 : 4;
		struct jic_candidate *items = jic_arena_array(&l->s->arena, room, sizeof *items);
		if (!items)
			return false;
		if (list->count)
			memcpy(items, list->items, list->count * sizeof *items);
		list->items = items;
		l->room = room;
	}
	list->items[list->count++] = *c;
	return true;
}

static bool add_other(struct scan *s, uint32_t node, struct jic_view path, const struct jic_file_identity *identity)
{
	if (s->others_count == s->others_room) {
		const size_t room = s->others_room ? s->others_room * 2 : 256;
		struct other *more = reallocarray(s->others, room, sizeof *more);
		if (!more)
			return false;
		s->others = more;
		s->others_room = room;
	}
	s->others[s->others_count++] = (struct other){.node = node, .path = path, .identity = *identity};
	return true;
}

static bool look_at(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct listing *l = context;
	struct jic_candidate c = {0};
	bool acceptable;
	(void)dirfd;
	if (!jic_cachefile_is_candidate(jic_view_of(name), l->slug, l->s->g->facts->version))
		return true;
	struct jic_view path = jic_arena_printf(&l->s->arena, JIC_PRIv "/%s", JIC_ARGv(l->dir), name);
	if (!path.len)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_file_identify(path.ptr, &c.identity, NULL))
		return true;
	if (!add_other(l->s, l->node, path, &c.identity) || !look_into(l, path, &c, &acceptable))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!acceptable)
		return true;
	c.file_name = jic_view_skip(path, l->dir.len + 1);
	c.mtime = (double)c.identity.mtime_ns * 1e-9;
	c.depot = l->depot;
	return add_candidate(l, &c) || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- one node */

static bool list_node(struct scan *s, uint32_t node, struct jic_error *err)
{
	const struct jic_node *n = &s->g->nodes[node];
	struct listing l = {.s = s, .node = node};
	jic_package_slug(n->inputs.uuid, l.slug);
	jic_watch_path(&s->watches, JIC_WATCH_FILE, jic_arena_copy(&s->arena, n->entry_file), JIC_WATCH_NO_NODE);
	for (l.depot = 0; l.depot < s->compiled_dirs_count; l.depot++) {
		l.dir = jic_arena_printf(&s->arena, JIC_PRIv "/" JIC_PRIv, JIC_ARGv(s->compiled_dirs[l.depot]),
		                         JIC_ARGv(n->inputs.name));
		if (!l.dir.len)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		if (!jic_is_dir(l.dir.ptr))
			continue;
		jic_watch_path(&s->watches, JIC_WATCH_DIRECTORY, l.dir, JIC_WATCH_NO_NODE);
		/* A directory that can't be listed has nothing for Julia either. */
		struct jic_error why = {0};
		if (!jic_dir_each(l.dir.ptr, look_at, &l, &why) && why.code == JIC_EMEMORY)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
	}
	jic_candidates_sort(s->g->facts, &s->lists[node]);
	return true;
}

static bool list_all(struct scan *s, struct jic_error *err)
{
	s->lists = jic_arena_array(&s->arena, s->g->count, sizeof *s->lists);
	if (!s->lists)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < s->g->count; i++) {
		const struct jic_node *n = &s->g->nodes[i];
		if (n->state == JIC_STATE_SHARED && jic_cachefile_package_name_valid(n->inputs.name) &&
		    !list_node(s, (uint32_t)i, err))
			return false;
	}
	return true;
}

/* ---- result */

static void watch_candidates(struct scan *s, uint32_t node, const struct jic_candidate *chosen)
{
	const struct jic_candidate_list *list = &s->lists[node];
	const bool order_counts = !jic_julia_at_least(s->g->facts->version, 1, 8, 0) && list->count > 1;
	for (size_t i = 0; i < list->count; i++) {
		const struct jic_candidate *c = &list->items[i];
		/* Of a file that was not chosen only its place in the order can matter. */
		if (c == chosen || order_counts)
			jic_watch_seen(&s->watches, order_counts ? JIC_WATCH_CACHE_TIMED : JIC_WATCH_CACHE, c->path,
			               c == chosen ? node : JIC_WATCH_NO_NODE, &c->identity);
	}
}

/* Since 1.8 what else lies there matters only in that Julia tries the newest first. @return is one before the chosen?
 */
static bool watch_others(struct scan *s, uint32_t node, const struct jic_candidate *chosen, size_t *next)
{
	bool late = false;
	const bool counts = chosen && jic_julia_at_least(s->g->facts->version, 1, 8, 0);
	for (; *next < s->others_count && s->others[*next].node == node; ++*next) {
		const struct other *o = &s->others[*next];
		if (!counts || jic_view_eq(o->path, chosen->path))
			continue;
		late |= o->identity.mtime_ns >= chosen->identity.mtime_ns;
		jic_watch_seen(&s->watches, JIC_WATCH_CACHE_OLDER, o->path, node, &o->identity);
	}
	return late;
}

static bool take_local(const struct jic_candidate *c, struct jic_arena *arena, struct jic_local *out)
{
	*out = (struct jic_local){.path = jic_arena_copy(arena, c->path),
	                          .build_id = c->build_id,
	                          .ours = jic_cachefile_is_ours(c->file_name),
	                          .has_image = c->has_image,
	                          .own = c->own,
	                          .bytes = c->bytes,
	                          .mtime = c->mtime};
	return out->path.len != 0;
}

static bool choose(struct scan *s, struct jic_arena *arena, struct jic_locals *out, struct jic_error *err)
{
	const struct jic_graph *g = s->g;
	const struct jic_candidate **chosen = jic_arena_array(&s->arena, g->count, sizeof(struct jic_candidate *));
	struct jic_locals found = {.items = jic_arena_array(arena, g->count, sizeof *found.items), .count = g->count};
	if (!chosen || !found.items || !jic_candidates_choose(g, s->lists, chosen, err))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0, next = 0; i < g->count; i++) {
		watch_candidates(s, (uint32_t)i, chosen[i]);
		const bool late = watch_others(s, (uint32_t)i, chosen[i], &next);
		found.wanted += jic_node_is_wanted(&g->nodes[i]);
		if (!chosen[i])
			continue;
		found.have += jic_node_is_wanted(&g->nodes[i]);
		if (!take_local(chosen[i], arena, &found.items[i]))
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		found.items[i].late = late;
	}
	*out = found;
	return true;
}

static bool scan_depots(struct scan *s, const struct jic_depot_options *options, const char *memory_dir,
                        struct jic_arena *arena, struct jic_locals *out, struct jic_error *err)
{
	s->memory = memory_dir ? jic_memory_open(memory_dir) : NULL;
	if (!find_compiled_dirs(s, options->depot, err) || !list_all(s, err) || !choose(s, arena, out, err))
		return false;
	/* What can't be remembered is computed again. */
	if (s->memory)
		(void)!jic_memory_save(s->memory, NULL);
	return true;
}

bool jic_depot_scan(const struct jic_graph *g, const struct jic_depot_options *options, struct jic_arena *arena,
                    struct jic_locals *out, struct jic_error *err)
{
	JIC_CLEAR(scan) struct scan s = {.g = g};
	struct jic_digest context;
	jic_autofree char *memory_dir = jic_memory_dir(options->memory_dir);
	*out = (struct jic_locals){0};
	if (!g->count)
		return true;
	jic_snapshot_context(g, options, &context);
	if (memory_dir && jic_snapshot_load(memory_dir, g, options, &context, arena, out))
		return true;
	if (!scan_depots(&s, options, memory_dir, arena, out, err))
		return false;
	if (memory_dir)
		jic_snapshot_save(memory_dir, g, options, &context, &s.watches, out);
	return true;
}
