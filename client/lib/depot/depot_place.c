/* Putting artefacts into a depot. What Julia can see at any instant is a whole file under a name, or no file:
 *
 *     image → its name by rename → .ji temporary → its name by rename
 *
 * An image without its `.ji` is never opened; an older `.ji` of the same name beside a newer image fails Julia's
 * checksum and is passed over. The bytes are sent to disk as they come and waited for once, at the end
 * (jic_depot_finish): until then a power cut can leave a file whose checksum is wrong, which Julia and the next scan
 * pass over too. */
#include "client/lib/depot/accept.h"
#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/depot.h"
#include "client/lib/depot/lock.h"
#include "client/lib/julia/slug.h"
#include "client/lib/relocate/fresh.h"
#include "client/lib/relocate/relocate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_EACH_MAX = 16 }; /* files that are synced one by one */

struct jic_depot {
	pthread_mutex_t lock;  /* guards `placed` and `serial` */
	struct jic_buf placed; /* paths of files to be synced, each ended by a NUL */
	uint64_t serial;

	/* set by open, then only read */
	const struct jic_graph *g;
	struct jic_arena arena;
	struct jic_view compiled_dir;
	char runtime_id[JIC_RUNTIME_ID_BYTES_MAX];
	uint64_t nonce; /* keeps the temporary names of several processes apart */
	bool no_exec;   /* images can't be mapped executable from there */
	int lock_fd;
	struct jic_memory *memory; /* NULL: there is no place for one */
};

/* ---- opening */

static bool advise(struct jic_error *err)
{
	if (err && err->code == JIC_EDENIED)
		snprintf(err->text + strlen(err->text), sizeof err->text - strlen(err->text), "%s",
		         "; fill another depot with --depot DIR, or make this one writable");
	return false;
}

static bool find_runtime(struct jic_depot *d, struct jic_error *err)
{
	const struct jic_runtime *runtimes;
	size_t count;
	if (!jic_facts_runtimes(d->g->facts, &d->arena, &runtimes, &count, err))
		return false;
	JIC_ASSERT(count > 0);
	return jic_runtime_id(&runtimes[0], d->runtime_id, err);
}

static bool open_target(struct jic_depot *d, const struct jic_depot_options *options, struct jic_error *err)
{
	const struct jic_facts *f = d->g->facts;
	struct statvfs fs;
	jic_autofree char *given = options->depot ? jic_path_absolute(options->depot) : NULL;
	if (!options->depot && !f->depot_path_count)
		return jic_fail(err, JIC_EUSAGE, "DEPOT_PATH is empty; name a depot to fill with --depot DIR");
	struct jic_view depot = options->depot ? jic_view_of(given) : f->depot_path[0];
	d->compiled_dir = jic_cachefile_compiled_dir(depot, f->version, &d->arena);
	if (!depot.len || d->arena.failed)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_mkdirs(d->compiled_dir.ptr, err))
		return advise(err);
	if (access(d->compiled_dir.ptr, W_OK | X_OK) != 0) {
		jic_fail_errno(err, JIC_EDENIED, "depot %s can't be written to", d->compiled_dir.ptr);
		return advise(err);
	}
	d->no_exec = statvfs(d->compiled_dir.ptr, &fs) == 0 && (fs.f_flag & ST_NOEXEC);
	return true;
}

static void open_memory(struct jic_depot *d, const char *option)
{
	jic_autofree char *dir = jic_memory_dir(option);
	d->memory = dir ? jic_memory_open(dir) : NULL;
}

struct jic_depot *jic_depot_open(const struct jic_graph *g, const struct jic_depot_options *options,
                                 struct jic_error *err)
{
	JIC_AUTO(jic_depot) struct jic_depot *d = calloc(1, sizeof *d);
	if (!d || pthread_mutex_init(&d->lock, NULL) != 0) {
		free(JIC_TAKE(d));
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	d->g = g;
	d->lock_fd = -1;
	if (!open_target(d, options, err) || !find_runtime(d, err))
		return NULL;
	if (getrandom(&d->nonce, sizeof d->nonce, 0) != (ssize_t)sizeof d->nonce)
		d->nonce = (uint64_t)time(NULL) << 24 ^ (uint64_t)getpid();
	d->lock_fd = jic_lock_depot(d->compiled_dir.ptr, JIC_LOCK_DEPOT_WAIT_MS);
	open_memory(d, options->memory_dir);
	return JIC_TAKE(d);
}

void jic_depot_free(struct jic_depot *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
	jic_buf_clear(&d->placed);
	jic_memory_free(d->memory);
	jic_arena_clear(&d->arena);
	jic_autoclose_(&d->lock_fd);
	free(d);
}

bool jic_depot_takes_images(const struct jic_depot *d, struct jic_error *err)
{
	return !d->no_exec || jic_fail(err, JIC_EDENIED,
	                               JIC_PRIv " is mounted noexec: Julia can't load native code from there; "
	                                        "fill another depot with --depot DIR",
	                               JIC_ARGv(d->compiled_dir));
}

/* ---- names */

/* A node's directory, created. Its name comes from a manifest, so it is foreign. */
static char *node_dir(const struct jic_depot *d, uint32_t node, struct jic_error *err)
{
	JIC_ASSERT(node < d->g->count);
	const struct jic_view name = d->g->nodes[node].inputs.name;
	if (!jic_cachefile_package_name_valid(name)) {
		jic_fail(err, JIC_EDENIED, "\"" JIC_PRIv "\" can't be the name of a directory", JIC_ARGv(name));
		return NULL;
	}
	jic_autofree char *dir = jic_asprintf(JIC_PRIv "/" JIC_PRIv, JIC_ARGv(d->compiled_dir), JIC_ARGv(name));
	if (!dir) {
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		jic_fail_errno(err, JIC_EIO, "mkdir %s", dir);
		advise(err);
		return NULL;
	}
	return JIC_TAKE(dir);
}

char *jic_depot_temp(struct jic_depot *d, uint32_t node, struct jic_error *err)
{
	jic_autofree char *dir = node_dir(d, node, err);
	if (!dir)
		return NULL;
	pthread_mutex_lock(&d->lock);
	const uint64_t serial = d->serial++;
	pthread_mutex_unlock(&d->lock);
	char *path =
	    jic_asprintf("%s/.jicache-tmp-%016llx-%llu", dir, (unsigned long long)d->nonce, (unsigned long long)serial);
	if (!path)
		jic_fail(err, JIC_EMEMORY, "out of memory");
	return path;
}

/* ---- placing one */

struct placing {
	struct jic_depot *d;
	const struct jic_placement *p;
	const struct jic_node *n;
	struct jic_arena arena;
	struct jic_ji ji;
	struct jic_ji_parts local; /* the `.ji` as it will be on disk */
	struct jic_view ji_path, image_path;
};

static bool find_names(struct placing *w, struct jic_error *err)
{
	const struct jic_facts *f = w->d->g->facts;
	char stem[JIC_CACHEFILE_STEM_BYTES];
	struct jic_view runtime = w->p->runtime.len ? w->p->runtime : jic_view_of(w->d->runtime_id);
	jic_autofree char *dir = node_dir(w->d, w->p->node, err);
	if (!dir)
		return false;
	if (!jic_runtime_id_valid(runtime))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is no runtime id", JIC_ARGv(runtime));
	jic_cachefile_stem(w->n->inputs.uuid, runtime, &f->sysimage, &w->n->key, stem);
	w->ji_path = jic_arena_printf(&w->arena, "%s/%s.ji", dir, stem);
	w->image_path = jic_cachefile_image_path(w->ji_path, f->uname, &w->arena);
	return !w->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool prepare(struct placing *w, struct jic_error *err)
{
	if (!jic_ji_parse(w->p->ji, &w->arena, &w->ji, err))
		return false;
	if ((w->ji.clone_targets.len != 0) != (w->p->image_temp != NULL))
		return jic_fail(err, JIC_EUSAGE, "image and .ji don't belong together");
	if (w->p->image_temp && !jic_depot_takes_images(w->d, err))
		return false;
	return find_names(w, err) &&
	       jic_localise(w->d->g, w->n, &w->ji, w->p->inputs, w->p->inputs_count, &w->arena, &w->local, err);
}

static void note_placed(struct jic_depot *d, struct jic_view path)
{
	pthread_mutex_lock(&d->lock);
	jic_buf_put(&d->placed, path.ptr, path.len + 1);
	pthread_mutex_unlock(&d->lock);
}

/* Begin to write it out, so that waiting for it in the end is short. Where that can't be asked for, it is only slower.
 */
static void start_writeback(int fd)
{
#ifdef SYNC_FILE_RANGE_WRITE
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
	(void)fd;
#endif
}

/* The same image under that name stays: a Julia may have it mapped, and on NFS one of another machine would lose it. */
static bool has_image(const struct placing *w, int fd)
{
	struct stat new, old;
	uint32_t crc;
	return fstat(fd, &new) == 0 && lstat(w->image_path.ptr, &old) == 0 && S_ISREG(old.st_mode) &&
	       new.st_size == old.st_size &&jic_fresh_crc(w->image_path.ptr, &old, NULL, &crc, NULL) &&
	       crc == w->ji.image_crc32c;
}

static bool place_image(struct placing *w, struct jic_error *err)
{
	jic_autoclose int fd = open(w->p->image_temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fchmod(fd, 0644) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", w->p->image_temp);
	if (has_image(w, fd))
		return unlink(w->p->image_temp) == 0 || jic_fail_errno(err, JIC_EIO, "%s", w->p->image_temp);
	start_writeback(fd);
	if (rename(w->p->image_temp, w->image_path.ptr) != 0)
		return jic_fail_errno(err, JIC_EIO, "rename to %s", w->image_path.ptr);
	note_placed(w->d, w->image_path);
	return true;
}

/* ---- being the first that Julia tries (1.6, 1.7) */

struct newest {
	const char *slug;
	const struct jic_facts *f;
	struct timespec time;
};

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static bool look_at(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct newest *newest = context;
	struct stat st;
	(void)err;
	if (jic_cachefile_is_candidate(jic_view_of(name), newest->slug, newest->f->version) &&
	    fstatat(dirfd, name, &st, 0) == 0 && later(st.st_mtim, newest->time))
		newest->time = st.st_mtim;
	return true;
}

/* These versions take the first file that looks acceptable, newest first, and compare build ids only when it is loaded.
 * A file with a time in the future would come before ours: then ours is newer still. */
static void make_newest(struct placing *w, int fd)
{
	const struct jic_facts *f = w->d->g->facts;
	char slug[JIC_SLUG_CHARS_MAX + 1];
	struct newest newest = {.slug = slug, .f = f};
	struct timespec now;
	if (jic_julia_at_least(f->version, 1, 8, 0) || !jic_julia_at_least(f->version, 1, 6, 0))
		return;
	jic_package_slug(w->n->inputs.uuid, slug);
	for (size_t i = 0; i < f->depot_path_count; i++) {
		struct jic_view dir = jic_cachefile_compiled_dir(f->depot_path[i], f->version, &w->arena);
		struct jic_view path =
		    jic_arena_printf(&w->arena, JIC_PRIv "/" JIC_PRIv, JIC_ARGv(dir), JIC_ARGv(w->n->inputs.name));
		if (jic_is_dir(path.ptr))
			(void)!jic_dir_each(path.ptr, look_at, &newest, NULL);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (!later(newest.time, now))
		return;
	newest.time.tv_sec++;
	(void)futimens(fd, (struct timespec[]){newest.time, newest.time});
}

static bool place_ji(struct placing *w, struct jic_error *err)
{
	struct jic_writer_options options = {.no_sync = true, .mode = 0644};
	JIC_AUTO(jic_writer) struct jic_writer *writer = jic_writer_new(w->ji_path.ptr, options, err);
	if (!writer || !jic_writer_put(writer, jic_buf_view(&w->local.head), err) ||
	    !jic_writer_put(writer, w->local.data, err) || !jic_writer_put(writer, jic_buf_view(&w->local.tail), err))
		return false;
	make_newest(w, jic_writer_fd(writer));
	start_writeback(jic_writer_fd(writer));
	if (!jic_writer_commit(writer, err))
		return false;
	note_placed(w->d, w->ji_path);
	return true;
}

static uint32_t trailing_crc(struct jic_view v)
{
	const uint8_t *p = (const uint8_t *)v.ptr + v.len - 4;
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void remember(struct placing *w)
{
	struct jic_ji placed = w->ji;
	struct jic_accept_file file = {.ji = &placed, .image_path = w->image_path.ptr};
	placed.file_crc32c = trailing_crc(jic_buf_view(&w->local.tail));
	if (jic_file_identify(w->ji_path.ptr, &file.identity, NULL))
		jic_accept_remember(w->n, &file, w->d->memory, &w->arena);
}

static bool place_files(struct placing *w, struct jic_error *err)
{
	const bool replaces = jic_is_file(w->ji_path.ptr);
	if (w->p->image_temp && !place_image(w, err))
		return false;
	if (!place_ji(w, err)) {
		if (w->p->image_temp && !replaces)
			(void)unlink(w->image_path.ptr);
		return false;
	}
	remember(w);
	return true;
}

static bool place_locked(struct placing *w, struct jic_error *err)
{
	struct jic_view pidfile =
	    jic_lock_package_path(w->d->g->facts, w->n->inputs.name, w->n->inputs.uuid, &w->arena);
	const enum jic_lock_result lock =
	    pidfile.len ? jic_lock_package(pidfile.ptr, JIC_LOCK_PACKAGE_WAIT_MS) : JIC_LOCK_NONE;
	if (lock == JIC_LOCK_BUSY)
		return jic_fail(err, JIC_EBUSY, "a Julia is compiling it at this moment (%s)", pidfile.ptr);
	bool placed = place_files(w, err);
	if (lock == JIC_LOCK_HELD_BY_US)
		jic_lock_package_release(pidfile.ptr);
	return placed;
}

bool jic_depot_place(struct jic_depot *d, const struct jic_placement *p, struct jic_error *err)
{
	JIC_ASSERT(p->node < d->g->count);
	struct placing w = {.d = d, .p = p, .n = &d->g->nodes[p->node]};
	bool placed = prepare(&w, err) && place_locked(&w, err);
	jic_ji_parts_clear(&w.local);
	jic_arena_clear(&w.arena);
	return placed;
}

void jic_depot_prefer(const struct jic_locals *locals, const bool *placed)
{
	for (size_t i = 0; i < locals->count; i++) {
		if (locals->items[i].late && !(placed && placed[i]))
			(void)utimensat(AT_FDCWD, locals->items[i].path.ptr, NULL, 0);
	}
}

/* ---- the end */

static bool sync_path(const char *path, int flags, struct jic_error *err)
{
	jic_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	/* Julia may have pruned it, and another jicache replaced it, meanwhile. */
	if (fd < 0)
		return errno == ENOENT || jic_fail_errno(err, JIC_EIO, "%s", path);
	return (flags ? fsync(fd) : fdatasync(fd)) == 0 || jic_fail_errno(err, JIC_EIO, "sync %s", path);
}

static bool sync_directory_of(const char *path, struct jic_error *err)
{
	jic_autofree char *dir = jic_strdup_view(jic_view_bytes(path, (size_t)(strrchr(path, '/') - path)));
	if (!dir)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return sync_path(dir, O_DIRECTORY, err);
}

static bool sync_directories(const struct jic_depot *d, struct jic_error *err)
{
	for (size_t at = 0; at < d->placed.len; at += strlen(d->placed.ptr + at) + 1)
		if (!sync_directory_of(d->placed.ptr + at, err))
			return false;
	return true;
}

static size_t count_placed(const struct jic_depot *d)
{
	size_t count = 0;
	for (size_t at = 0; at < d->placed.len; at += strlen(d->placed.ptr + at) + 1)
		count++;
	return count;
}

static bool sync_each(const struct jic_depot *d, struct jic_error *err)
{
	for (size_t at = 0; at < d->placed.len; at += strlen(d->placed.ptr + at) + 1)
		if (!sync_path(d->placed.ptr + at, 0, err))
			return false;
	return sync_directories(d, err) && jic_dir_sync(d->compiled_dir.ptr, err);
}

/* Each fsync waits for a journal commit of its own: 400 packages with images (360 MB) took 1.8 to 3.7 s file by file,
 * and 10 to 20 ms as one syncfs, since most of it is on disk by then. It writes out what others left dirty in that
 * file system too, so a few files are synced one by one. */
static bool sync_placed(const struct jic_depot *d, struct jic_error *err)
{
	if (count_placed(d) <= SYNC_EACH_MAX)
		return sync_each(d, err);
	jic_autoclose int fd = open(d->compiled_dir.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (fd >= 0 && syncfs(fd) == 0) || jic_fail_errno(err, JIC_EIO, "sync %s", d->compiled_dir.ptr);
}

bool jic_depot_finish(struct jic_depot *d, struct jic_error *err)
{
	if (!jic_buf_ok(&d->placed, err) || !sync_placed(d, err))
		return false;
	/* What can't be remembered is computed again. */
	if (d->memory)
		(void)!jic_memory_save(d->memory, NULL);
	return true;
}
