/* Caches that came with the installation: below share/julia/compiled of the depots that base/initdefs.jl adds. */
#include "client/lib/julia/facts_ask.h"
#include "common/file.h"

enum { BUNDLED_MAX = 8192 };

struct listing {
	struct jic_facts *facts;
	struct jic_arena *arena;
	struct jic_bundled_file *files;
	size_t count, room;
	const char *dir; /* the one that is listed */
};

static bool append(struct listing *l, const struct jic_bundled_file *file, struct jic_error *err)
{
	if (l->count == BUNDLED_MAX)
		return jic_fail(err, JIC_ELIMIT, "more than %d bundled cache files", BUNDLED_MAX);
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 128;
		struct jic_bundled_file *more = reallocarray(l->files, room, sizeof(*more));
		if (!more)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		l->files = more;
		l->room = room;
	}
	l->files[l->count++] = *file;
	return true;
}

/* A file that is not of this Julia, or no cache file at all, is none that Julia would take: left out. */
static bool read_header(const char *path, const struct jic_facts *f, struct jic_arena *arena,
                        struct jic_bundled_file *out)
{
	struct jic_map map = {0};
	struct jic_ji ji;
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	if (!jic_map_open(path, JIC_JI_BYTES_MAX, &map, NULL))
		return false;
	bool ok = jic_ji_parse_header(map.view, &scratch, &ji, NULL) && ji.modules_count &&
	          jic_view_eq(ji.version_text, f->version_text) && jic_view_eq(ji.commit, f->commit);
	if (ok) {
		*out = (struct jic_bundled_file){
		    .cache = {.name = jic_arena_copy(arena, ji.modules[0].name),
		              .uuid = ji.modules[0].uuid,
		              .build_id = jic_ji_build_id(&ji)},
		    .flags = ji.flags,
		    .path = jic_arena_copy(arena, jic_view_of(path)),
		    .clone_targets = jic_arena_copy(arena, ji.clone_targets),
		};
	}
	jic_map_clear(&map);
	return ok;
}

static bool take_file(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct listing *l = context;
	struct jic_bundled_file file;
	(void)dirfd;
	if (!jic_view_ends(jic_view_of(name), JIC_VIEW(".ji")))
		return true;
	jic_autofree char *path = jic_path_join(l->dir, name);
	if (!path)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return !read_header(path, l->facts, l->arena, &file) || append(l, &file, err);
}

static bool take_dir(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct listing *l = context;
	const char *outer = l->dir;
	(void)dirfd;
	jic_autofree char *path = jic_path_join(l->dir, name);
	if (!path)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_is_dir(path))
		return true;
	l->dir = path;
	bool ok = jic_dir_each(path, take_file, l, err);
	l->dir = outer;
	return ok;
}

/* A depot of the installation: <bindir>/../share/julia or <bindir>/../local/share/julia. */
static bool is_bundled_depot(const struct jic_facts *f, struct jic_view depot, struct jic_arena *arena)
{
	struct jic_view path = jic_view_resolve(arena, f->bindir, depot);
	return jic_view_eq(path, jic_view_resolve(arena, f->bindir, JIC_VIEW("../share/julia"))) ||
	       jic_view_eq(path, jic_view_resolve(arena, f->bindir, JIC_VIEW("../local/share/julia")));
}

static bool list_depots(struct listing *l, struct jic_view *dirs, size_t *dirs_count, struct jic_error *err)
{
	struct jic_facts *f = l->facts;
	for (size_t i = 0; i < f->depot_path_count; i++) {
		if (!is_bundled_depot(f, f->depot_path[i], l->arena))
			continue;
		struct jic_view dir = jic_arena_printf(l->arena, JIC_PRIv "/compiled/v%u.%u",
		                                       JIC_ARGv(f->depot_path[i]), f->version.major, f->version.minor);
		if (!dir.len || !jic_is_dir(dir.ptr))
			continue;
		dirs[(*dirs_count)++] = dir;
		l->dir = dir.ptr;
		if (!jic_dir_each(dir.ptr, take_dir, l, err))
			return false;
	}
	return true;
}

bool jic_facts_find_bundled(struct jic_facts *f, struct jic_arena *arena, const struct jic_view **dirs,
                            size_t *dirs_count, struct jic_error *err)
{
	struct listing l = {.facts = f, .arena = arena};
	struct jic_view *list = jic_arena_array(arena, f->depot_path_count + 1, sizeof(*list));
	*dirs = list;
	*dirs_count = 0;
	bool ok = list ? list_depots(&l, list, dirs_count, err) : jic_fail(err, JIC_EMEMORY, "out of memory");
	struct jic_bundled_file *files = ok ? jic_arena_array(arena, l.count + 1, sizeof(*files)) : NULL;
	if (files && l.count)
		memcpy(files, l.files, l.count * sizeof(*files));
	free(l.files);
	if (!ok)
		return false;
	f->bundled = files;
	f->bundled_count = l.count;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}
