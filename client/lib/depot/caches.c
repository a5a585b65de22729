/* <depot>/compiled/vX.Y/<Name>/<file>, three levels of listing; a header costs a mapping and some pages. */
#include "client/lib/depot/caches.h"

#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/lock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* ---- depots */

/* The standard library lies in the depot that came with the installation: share/julia/stdlib/vX.Y. */
static bool is_bundled_depot(const struct jic_facts *f, struct jic_view depot)
{
	return jic_view_starts(f->stdlib_dir, depot) && f->stdlib_dir.len > depot.len &&
	       (depot.ptr[depot.len - 1] == '/' || f->stdlib_dir.ptr[depot.len] == '/');
}

static void add_depot(struct jic_view *depots, size_t *count, struct jic_view depot)
{
	while (depot.len > 1 && depot.ptr[depot.len - 1] == '/')
		depot.len--;
	for (size_t i = 0; i < *count; i++)
		if (jic_view_eq(depots[i], depot))
			return;
	if (depot.len)
		depots[(*count)++] = depot;
}

bool jic_caches_depots(const struct jic_facts *f, const char *extra, struct jic_arena *arena,
                       const struct jic_view **out, size_t *count, struct jic_error *err)
{
	struct jic_view *depots = jic_arena_array(arena, f->depot_path_count + 1, sizeof *depots);
	jic_autofree char *absolute = extra ? jic_path_absolute(extra) : NULL;
	*count = 0;
	if (!depots || (extra && !absolute))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < f->depot_path_count; i++)
		if (f->depot_path[i].len && !is_bundled_depot(f, f->depot_path[i]))
			add_depot(depots, count, f->depot_path[i]);
	if (absolute)
		add_depot(depots, count, jic_arena_copy(arena, jic_view_of(absolute)));
	*out = depots;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- one file */

struct listing {
	struct jic_arena *arena;
	const struct jic_julia_version *only;
	struct jic_caches *out;
	size_t room;
	struct jic_view compiled_dir, package_dir, package;
};

static bool add(struct listing *l, const struct jic_cache *c)
{
	if (l->out->count == l->room) {
		const size_t room = l->room ? l->room * 2 : 64;
		struct jic_cache *items = jic_arena_array(l->arena, room, sizeof *items);
		if (!items)
			return false;
		if (l->out->count)
			memcpy(items, l->out->items, l->out->count * sizeof *items);
		l->out->items = items;
		l->room = room;
	}
	l->out->items[l->out->count++] = *c;
	return true;
}

static bool take_required(struct listing *l, const struct jic_ji *ji, struct jic_cache *c)
{
	struct jic_build_id *ids = jic_arena_array(l->arena, ji->required_count + 1, sizeof *ids);
	for (size_t i = 0; ids && i < ji->required_count; i++)
		ids[i] = ji->required[i].build_id;
	c->required = ids;
	c->required_count = ji->required_count;
	return ids != NULL;
}

static bool take_header(struct listing *l, const struct jic_ji *ji, struct jic_cache *c)
{
	c->kind = JIC_CACHE_READ;
	c->version_text = jic_arena_copy(l->arena, ji->version_text);
	c->commit = jic_arena_copy(l->arena, ji->commit);
	c->version = ji->version;
	c->name = jic_arena_copy(l->arena, ji->modules[0].name);
	c->uuid = ji->modules[0].uuid;
	c->build_id = jic_ji_build_id(ji);
	c->flags = ji->flags;
	c->wants_image = ji->clone_targets.len != 0;
	c->clone_targets = jic_arena_copy(l->arena, ji->clone_targets);
	if (ji->includes_count)
		c->entry = jic_arena_copy(l->arena, ji->includes[0].path);
	return take_required(l, ji, c) && !l->arena->failed;
}

/* What is gone, is no directory, or is nothing to us is left out. Whatever else can't be looked at may need files that
 * are seen: who removes those would break it. */
static bool leave_out(const struct jic_error *why, struct jic_error *err)
{
	if (why->code == JIC_ENOTFOUND || why->code == JIC_EDENIED || why->sys == ENOTDIR)
		return true;
	if (err)
		*err = *why;
	return false;
}

static bool read_header(struct listing *l, struct jic_cache *c, struct jic_error *err)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_error why = {0};
	c->kind = JIC_CACHE_UNKNOWN;
	if (!jic_map_open(c->path.ptr, JIC_JI_BYTES_MAX, &map, &why))
		return why.code == JIC_ELIMIT || leave_out(&why, err);
	if (!jic_ji_parse(map.view, &arena, &ji, &why)) {
		if (why.code == JIC_EFORMAT)
			c->kind = JIC_CACHE_BROKEN;
		return why.code != JIC_EMEMORY || leave_out(&why, err);
	}
	return !ji.modules_count || take_header(l, &ji, c) || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static void find_image(struct listing *l, struct jic_cache *c)
{
	static const char *const unames[] = {"Linux", "Darwin", "NT"};
	struct stat st;
	for (size_t i = 0; i < JIC_COUNT(unames); i++) {
		struct jic_view path = jic_cachefile_image_path(c->path, jic_view_of(unames[i]), l->arena);
		if (!path.len || stat(path.ptr, &st) != 0)
			continue;
		c->image_path = path;
		c->has_image = true;
		c->bytes += (uint64_t)st.st_size;
		return;
	}
}

/* An image with one of our names, whose `.ji` is gone. */
static bool is_orphan(struct listing *l, int dirfd, struct jic_view name)
{
	const char *dot = name.len ? memrchr(name.ptr, '.', name.len) : NULL;
	if (!dot || (strcmp(dot, ".so") != 0 && strcmp(dot, ".dylib") != 0 && strcmp(dot, ".dll") != 0))
		return false;
	struct jic_view ji = jic_arena_printf(l->arena, "%.*s.ji", (int)(dot - name.ptr), name.ptr);
	return jic_cachefile_is_ours(ji) && faccessat(dirfd, ji.ptr, F_OK, 0) != 0 && errno == ENOENT;
}

static bool is_temporary(struct jic_view name)
{
	return jic_view_starts(name, JIC_VIEW(".jicache-tmp-"));
}

/* A lock whose holder died; a living one's is touched every few seconds. */
static bool is_abandoned_lock(struct jic_view name, const struct stat *st)
{
	return jic_view_ends(name, JIC_VIEW(".pidfile")) &&
	       difftime(time(NULL), st->st_mtim.tv_sec) > JIC_LOCK_STALE_S * JIC_LOCK_STALE_FACTOR;
}

static bool look_at(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct listing *l = context;
	struct jic_view file = jic_view_of(name);
	struct stat st;
	const bool is_ji = jic_view_ends(file, JIC_VIEW(".ji"));
	struct jic_error why = {0};
	if (fstatat(dirfd, name, &st, 0) != 0) {
		jic_fail_errno(&why, JIC_EIO, JIC_PRIv "/%s", JIC_ARGv(l->package_dir), name);
		return leave_out(&why, err);
	}
	if (!S_ISREG(st.st_mode))
		return true;
	const bool leftover =
	    !is_ji && (is_temporary(file) || is_abandoned_lock(file, &st) || is_orphan(l, dirfd, file));
	if (!is_ji && !leftover)
		return true;
	struct jic_cache c = {.kind = JIC_CACHE_LEFTOVER,
	                      .path = jic_arena_printf(l->arena, JIC_PRIv "/%s", JIC_ARGv(l->package_dir), name),
	                      .compiled_dir = l->compiled_dir,
	                      .package = l->package,
	                      .owner = st.st_uid,
	                      .ours = leftover || jic_cachefile_is_ours(file),
	                      .bytes = (uint64_t)st.st_size};
	if (!c.path.len)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	c.file_name = jic_view_skip(c.path, l->package_dir.len + 1);
	jic_file_identity_of(&st, &c.identity);
	c.mtime = (double)c.identity.mtime_ns * 1e-9;
	if (is_ji)
		find_image(l, &c);
	if (is_ji && !read_header(l, &c, err))
		return false;
	return add(l, &c) || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- directories */

static bool each(const char *dir, jic_dir_fn *look, void *context, struct jic_error *err)
{
	struct jic_error why = {0};
	return jic_dir_each(dir, look, context, &why) || leave_out(&why, err);
}

static bool look_at_package(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct listing *l = context;
	l->package_dir = jic_arena_printf(l->arena, JIC_PRIv "/%s", JIC_ARGv(l->compiled_dir), name);
	if (!l->package_dir.len)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	struct jic_view file = jic_view_of(name);
	if (!jic_view_ends(file, JIC_VIEW(".ji"))) {
		l->package = jic_view_skip(l->package_dir, l->compiled_dir.len + 1);
		return each(l->package_dir.ptr, look_at, l, err);
	}
	/* A package without UUID has one file here, Name.ji. */
	l->package = jic_arena_copy(l->arena, jic_view_head(file, file.len - 3));
	l->package_dir = l->compiled_dir;
	return look_at(l, dirfd, name, err);
}

static bool wanted(const struct listing *l, const char *name)
{
	char text[32];
	if (!l->only)
		return name[0] == 'v' && name[1] >= '0' && name[1] <= '9';
	snprintf(text, sizeof text, "v%u.%u", l->only->major, l->only->minor);
	return strcmp(name, text) == 0;
}

struct depot_listing {
	struct listing *l;
	struct jic_view compiled;
};

static bool look_at_version(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct depot_listing *d = context;
	(void)dirfd;
	if (!wanted(d->l, name))
		return true;
	d->l->compiled_dir = jic_arena_printf(d->l->arena, JIC_PRIv "/%s", JIC_ARGv(d->compiled), name);
	if (!d->l->compiled_dir.len)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return each(d->l->compiled_dir.ptr, look_at_package, d->l, err);
}

bool jic_caches_list(const struct jic_view *depots, size_t depots_count, const struct jic_julia_version *only,
                     struct jic_arena *arena, struct jic_caches *out, struct jic_error *err)
{
	struct listing l = {.arena = arena, .only = only, .out = out};
	*out = (struct jic_caches){0};
	for (size_t i = 0; i < depots_count; i++) {
		struct depot_listing d = {.l = &l};
		d.compiled = jic_arena_printf(arena, JIC_PRIv "/compiled", JIC_ARGv(depots[i]));
		if (!d.compiled.len)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		if (!each(d.compiled.ptr, look_at_version, &d, err))
			return false;
	}
	return true;
}
