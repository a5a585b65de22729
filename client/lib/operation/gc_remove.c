#include "client/lib/operation/gc_remove.h"

#include "client/lib/depot/lock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { DIRS_MAX = 64, PIDFILE_LIVE_S = JIC_LOCK_STALE_S * JIC_LOCK_STALE_FACTOR };

struct jic_remover {
	const struct jic_facts *facts;
	struct jic_arena arena;
	struct locked {
		struct jic_view compiled_dir;
		int fd; /* −1: not to be had */
	} dirs[DIRS_MAX];
	size_t dirs_count;
	struct jic_build_id *kept; /* what is needed by files that could not be removed */
	size_t kept_count, kept_room;
};

struct jic_remover *jic_remover_new(const struct jic_facts *f, struct jic_error *err)
{
	struct jic_remover *r = calloc(1, sizeof *r);
	if (r)
		r->facts = f;
	else
		jic_fail(err, JIC_EMEMORY, "out of memory");
	return r;
}

void jic_remover_free(struct jic_remover *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->dirs_count; i++)
		jic_autoclose_(&r->dirs[i].fd);
	jic_arena_clear(&r->arena);
	free(r->kept);
	free(r);
}

/* ---- locks */

static bool lock_dir(struct jic_remover *r, struct jic_view dir, struct jic_error *err)
{
	size_t i = 0;
	while (i < r->dirs_count && !jic_view_eq(r->dirs[i].compiled_dir, dir))
		i++;
	if (i == DIRS_MAX)
		return jic_fail(err, JIC_ELIMIT, "too many depots");
	if (i == r->dirs_count)
		r->dirs[r->dirs_count++] = (struct locked){dir, jic_lock_depot(dir.ptr, JIC_LOCK_DEPOT_WAIT_MS)};
	return r->dirs[i].fd >= 0 || jic_fail(err, JIC_EBUSY, "another jicache is at work in " JIC_PRIv, JIC_ARGv(dir));
}

static bool look_for_pidfile(void *context, int dirfd, const char *name, struct jic_error *err)
{
	bool *live = context;
	struct stat st;
	(void)err;
	if (jic_view_ends(jic_view_of(name), JIC_VIEW(".pidfile")) && fstatat(dirfd, name, &st, 0) == 0 &&
	    time(NULL) - st.st_mtim.tv_sec < PIDFILE_LIVE_S)
		*live = true;
	return true;
}

/* Julias with other options have pidfiles of other names: any that is alive counts. */
static bool is_being_compiled(const struct jic_cache *c)
{
	bool live = false;
	jic_autofree char *dir = strndup(c->path.ptr, c->path.len - c->file_name.len);
	return dir && jic_dir_each(dir, look_for_pidfile, &live, NULL) && live;
}

/* ---- one file */

static bool is_as_judged(const struct jic_cache *c, struct jic_error *err)
{
	struct jic_file_identity now;
	if (!jic_file_identify(c->path.ptr, &now, err))
		return false;
	return jic_file_identity_eq(&now, &c->identity) || jic_fail(err, JIC_EBUSY, "it was used meanwhile");
}

static bool unlink_files(const struct jic_cache *c, struct jic_error *err)
{
	if (unlink(c->path.ptr) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", c->path.ptr);
	/* Without its .ji nobody opens an image; one that can't be removed is a leftover for the next time. */
	if (c->has_image && unlink(c->image_path.ptr) != 0 && errno != ENOENT)
		return jic_fail_errno(err, JIC_EIO, "%s", c->image_path.ptr);
	return true;
}

static bool remove_locked(struct jic_remover *r, const struct jic_cache *c, struct jic_error *err)
{
	const struct jic_julia_version v = r->facts->version;
	const bool own = c->kind == JIC_CACHE_READ && c->version.major == v.major && c->version.minor == v.minor;
	struct jic_view pidfile =
	    own ? jic_lock_package_path(r->facts, c->name, c->uuid, &r->arena) : (struct jic_view){0};
	const enum jic_lock_result lock = pidfile.len ? jic_lock_package(pidfile.ptr, 0) : JIC_LOCK_NONE;
	if (lock == JIC_LOCK_BUSY)
		return jic_fail(err, JIC_EBUSY, "a Julia is compiling this package");
	const bool removed = is_as_judged(c, err) && unlink_files(c, err);
	if (lock == JIC_LOCK_HELD_BY_US)
		jic_lock_package_release(pidfile.ptr);
	return removed;
}

static bool is_kept(const struct jic_remover *r, const struct jic_cache *c)
{
	for (size_t i = 0; i < r->kept_count; i++)
		if (c->kind == JIC_CACHE_READ && jic_build_id_eq(r->kept[i], c->build_id))
			return true;
	return false;
}

static bool keep_needs(struct jic_remover *r, const struct jic_cache *c, struct jic_error *err)
{
	if (r->kept_count + c->required_count > r->kept_room) {
		const size_t room = (r->kept_count + c->required_count) * 2;
		struct jic_build_id *kept = reallocarray(r->kept, room, sizeof *kept);
		if (!kept)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		r->kept = kept;
		r->kept_room = room;
	}
	for (size_t i = 0; i < c->required_count; i++)
		r->kept[r->kept_count++] = c->required[i];
	return false;
}

bool jic_remover_remove(struct jic_remover *r, const struct jic_cache *c, struct jic_error *err)
{
	if (is_kept(r, c))
		jic_fail(err, JIC_EBUSY, "a file that could not be removed was compiled against it");
	else if (is_being_compiled(c))
		jic_fail(err, JIC_EBUSY, "a Julia is compiling this package");
	else if (lock_dir(r, c->compiled_dir, err) && remove_locked(r, c, err))
		return true;
	return keep_needs(r, c, err);
}
