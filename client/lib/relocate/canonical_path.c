/* A package with a tree hash has the same content in whichever depot and directory it is, so its files are known by the
 * place that Pkg gives it below a depot; a developed package or a stdlib by its UUID. */
#include "client/lib/relocate/canonical_path.h"

#include "client/lib/julia/slug.h"
#include "common/file.h"

static const struct jic_view depot_mark = {.ptr = "@depot/", .len = 7};
static const struct jic_view packages_mark = {.ptr = "@depot/packages/", .len = 16};
static const struct jic_view uuid_mark = {.ptr = "@jicache/", .len = 9};
static const struct jic_view tree_mark = {.ptr = "git-tree-sha1:", .len = 14};

static struct jic_view without_slashes(struct jic_view dir)
{
	while (dir.len > 1 && dir.ptr[dir.len - 1] == '/')
		dir.len--;
	return dir;
}

/* What follows "dir/" in a path below it; empty when it is not below. */
static struct jic_view below(struct jic_view path, struct jic_view dir)
{
	dir = without_slashes(dir);
	if (!dir.len || path.len <= dir.len + 1 || !jic_view_starts(path, dir) || path.ptr[dir.len] != '/')
		return (struct jic_view){0};
	return jic_view_skip(path, dir.len + 1);
}

/* No empty, "." or ".." part, no NUL: such a path stays below where it begins. */
static bool stays_below(struct jic_view rest)
{
	if (!rest.len || memchr(rest.ptr, '\0', rest.len))
		return false;
	for (;;) {
		const char *slash = memchr(rest.ptr, '/', rest.len);
		struct jic_view part = slash ? jic_view_head(rest, (size_t)(slash - rest.ptr)) : rest;
		if (!part.len || jic_view_is(part, ".") || jic_view_is(part, ".."))
			return false;
		if (!slash)
			return true;
		rest = jic_view_skip(rest, part.len + 1);
		if (!rest.len)
			return false;
	}
}

static struct jic_view joined(struct jic_view dir, struct jic_view rest, struct jic_arena *arena)
{
	return jic_arena_printf(arena, JIC_PRIv "/" JIC_PRIv, JIC_ARGv(without_slashes(dir)), JIC_ARGv(rest));
}

struct jic_view jic_depot_resolve(const struct jic_facts *f, struct jic_view path, struct jic_arena *arena)
{
	struct stat st;
	struct jic_view rest = jic_view_skip(path, depot_mark.len);
	if (!jic_view_starts(path, depot_mark) || !stays_below(rest))
		return (struct jic_view){0};
	for (size_t i = 0; i < f->depot_path_count; i++) {
		struct jic_view candidate = joined(f->depot_path[i], rest, arena);
		if (candidate.len && stat(candidate.ptr, &st) == 0)
			return candidate;
	}
	return (struct jic_view){0};
}

struct jic_view jic_recorded_path_here(const struct jic_facts *f, struct jic_view recorded, struct jic_arena *arena)
{
	if (jic_view_starts(recorded, depot_mark))
		return jic_depot_resolve(f, recorded, arena);
	if (!recorded.len || recorded.ptr[0] != '/' || memchr(recorded.ptr, '\0', recorded.len))
		return (struct jic_view){0};
	struct jic_view copy = jic_arena_copy(arena, recorded);
	jic_autofree char *normal = copy.len ? jic_path_normalise(copy.ptr) : NULL;
	return normal ? jic_arena_copy(arena, jic_view_of(normal)) : (struct jic_view){0};
}

/* ---- owners */

static bool has_tree(const struct jic_node *n)
{
	return jic_view_starts(n->inputs.source, tree_mark);
}

/* An extension's files belong to its parent. */
static bool may_own(const struct jic_graph *g, const struct jic_node *n, size_t i)
{
	const struct jic_node *m = &g->nodes[i];
	return m->inputs.kind != JIC_NODE_EXTENSION && m->root.len && (m == n || jic_node_closure_has(n, i));
}

/* The node with the longest root that the path is below. */
static const struct jic_node *find_owner(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                         struct jic_view *rest)
{
	const struct jic_node *best = NULL;
	for (size_t i = 0; i < g->count; i++) {
		const struct jic_node *m = &g->nodes[i];
		struct jic_view r = below(path, m->root);
		if (!r.len || !may_own(g, n, i) || (best && best->root.len >= m->root.len))
			continue;
		best = m;
		*rest = r;
	}
	return best;
}

static const struct jic_node *find_owner_by_links(const struct jic_graph *g, const struct jic_node *n,
                                                  struct jic_view path, struct jic_view *rest, struct jic_arena *arena)
{
	const struct jic_node *best = NULL;
	size_t best_len = 0;
	jic_autofree char *real = realpath(path.ptr, NULL);
	for (size_t i = 0; real && i < g->count; i++) {
		if (!may_own(g, n, i))
			continue;
		struct jic_view root_copy = jic_arena_copy(arena, g->nodes[i].root);
		jic_autofree char *root = root_copy.len ? realpath(root_copy.ptr, NULL) : NULL;
		struct jic_view r = root ? below(jic_view_of(real), jic_view_of(root)) : (struct jic_view){0};
		if (!r.len || strlen(root) <= best_len)
			continue;
		best = &g->nodes[i];
		best_len = strlen(root);
		*rest = jic_arena_copy(arena, r);
	}
	return best;
}

struct jic_view jic_path_below_root(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                    struct jic_arena *arena)
{
	struct jic_view rest;
	if (find_owner(g, n, path, &rest))
		return path;
	const struct jic_node *owner = find_owner_by_links(g, n, path, &rest, arena);
	return owner ? joined(owner->root, rest, arena) : path;
}

/* ---- here → canonical */

/* "packages/Name/slug" of a package with a tree hash, whatever the local directory is called. */
static struct jic_view package_dir(const struct jic_node *n, struct jic_arena *arena)
{
	uint8_t hash[JIC_TREE_HASH_BYTES];
	char slug[JIC_SLUG_CHARS_MAX + 1];
	if (!jic_unhex(jic_view_skip(n->inputs.source, tree_mark.len), hash, sizeof hash))
		return (struct jic_view){0};
	jic_version_slug(n->inputs.uuid, hash, 5, slug);
	return jic_arena_printf(arena, "packages/" JIC_PRIv "/%s", JIC_ARGv(n->inputs.name), slug);
}

static struct jic_view canonical_of(const struct jic_node *owner, struct jic_view rest, struct jic_arena *arena)
{
	char uuid[JIC_UUID_TEXT + 1];
	if (has_tree(owner))
		return jic_arena_printf(arena, "@depot/" JIC_PRIv "/" JIC_PRIv, JIC_ARGv(package_dir(owner, arena)),
		                        JIC_ARGv(rest));
	jic_uuid_format(owner->inputs.uuid, uuid);
	return jic_arena_printf(arena, "@jicache/%s/" JIC_PRIv, uuid, JIC_ARGv(rest));
}

struct jic_view jic_path_canonical(const struct jic_graph *g, const struct jic_node *n, struct jic_view path,
                                   struct jic_arena *arena)
{
	struct jic_view rest;
	const struct jic_node *owner = find_owner(g, n, path, &rest);
	if (owner)
		return canonical_of(owner, rest, arena);
	for (size_t i = 0; i < g->facts->depot_path_count; i++) {
		rest = below(path, g->facts->depot_path[i]);
		if (rest.len)
			return jic_arena_printf(arena, "@depot/" JIC_PRIv, JIC_ARGv(rest));
	}
	return (struct jic_view){0};
}

/* ---- canonical → here */

/* Splits "first/second…" at the first slash; false when there is none or nothing behind it. */
static bool split_part(struct jic_view *rest, struct jic_view *part)
{
	const char *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
	if (!slash)
		return false;
	*part = jic_view_head(*rest, (size_t)(slash - rest->ptr));
	*rest = jic_view_skip(*rest, part->len + 1);
	return part->len && rest->len;
}

static const struct jic_node *find_tree(const struct jic_graph *g, const struct jic_node *n, struct jic_view name,
                                        struct jic_view dir, struct jic_arena *arena)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct jic_node *m = &g->nodes[i];
		if (jic_view_eq(m->inputs.name, name) && has_tree(m) && may_own(g, n, i) &&
		    jic_view_eq(package_dir(m, arena), dir))
			return m;
	}
	return NULL;
}

static const struct jic_node *find_uuid(const struct jic_graph *g, const struct jic_node *n, struct jic_view text)
{
	struct jic_uuid uuid;
	if (!jic_uuid_parse(text, &uuid))
		return NULL;
	for (size_t i = 0; i < g->count; i++)
		if (jic_uuid_eq(g->nodes[i].inputs.uuid, uuid) && may_own(g, n, i))
			return &g->nodes[i];
	return NULL;
}

/* Is this the directory that Julia's search through the depots gives for "@depot/dir"? Roots are found by that search,
 * so being in any depot under that name is enough. */
static bool is_in_depot(const struct jic_facts *f, struct jic_view root, struct jic_view dir)
{
	for (size_t i = 0; i < f->depot_path_count; i++)
		if (jic_view_eq(below(root, f->depot_path[i]), dir))
			return true;
	return false;
}

static bool localise_tree(const struct jic_graph *g, const struct jic_node *n, struct jic_view canonical,
                          struct jic_arena *arena, struct jic_path_here *out, struct jic_error *err)
{
	struct jic_view name, slug, rest = jic_view_skip(canonical, packages_mark.len);
	if (!split_part(&rest, &name) || !split_part(&rest, &slug))
		return jic_fail(err, JIC_EFORMAT, JIC_PRIv ": it names no file of a package", JIC_ARGv(canonical));
	const size_t dir_len = (size_t)(slug.ptr + slug.len - canonical.ptr) - depot_mark.len;
	struct jic_view dir = jic_view_head(jic_view_skip(canonical, depot_mark.len), dir_len);
	const struct jic_node *owner = find_tree(g, n, name, dir, arena);
	if (!owner)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": that package is not in this environment",
		                JIC_ARGv(canonical));
	out->file = joined(owner->root, rest, arena);
	const bool as_julia_writes =
	    jic_julia_at_least(g->facts->version, 1, 11, 0) && is_in_depot(g->facts, without_slashes(owner->root), dir);
	out->recorded = as_julia_writes ? canonical : out->file;
	return true;
}

static bool localise_uuid(const struct jic_graph *g, const struct jic_node *n, struct jic_view canonical,
                          struct jic_arena *arena, struct jic_path_here *out, struct jic_error *err)
{
	struct jic_view uuid, rest = jic_view_skip(canonical, uuid_mark.len);
	const struct jic_node *owner = split_part(&rest, &uuid) ? find_uuid(g, n, uuid) : NULL;
	if (!owner)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": that package is not in this environment",
		                JIC_ARGv(canonical));
	out->file = out->recorded = joined(owner->root, rest, arena);
	return true;
}

bool jic_path_localise(const struct jic_graph *g, const struct jic_node *n, struct jic_view canonical,
                       struct jic_arena *arena, struct jic_path_here *out, struct jic_error *err)
{
	const bool known = jic_view_starts(canonical, depot_mark) || jic_view_starts(canonical, uuid_mark);
	if (!known || !stays_below(canonical))
		return jic_fail(err, JIC_EFORMAT, "\"" JIC_PRIv "\" is not a canonical path", JIC_ARGv(canonical));
	if (jic_view_starts(canonical, uuid_mark))
		return localise_uuid(g, n, canonical, arena, out, err);
	if (jic_view_starts(canonical, packages_mark))
		return localise_tree(g, n, canonical, arena, out, err);
	out->file = jic_depot_resolve(g->facts, canonical, arena);
	out->recorded = jic_julia_at_least(g->facts->version, 1, 11, 0) ? canonical : out->file;
	if (!out->file.len)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is in no depot here", JIC_ARGv(canonical));
	return true;
}
