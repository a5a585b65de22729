/* jicache where: every place on this machine that jicache keeps anything in. */
#include "client/lib/depot/caches.h"
#include "client/lib/session/history.h"
#include "client/lib/session/report.h"
#include "client/lib/session/settings.h"

#include <fcntl.h>

struct where {
	struct jic_arena arena;
	struct jic_report *report;
	struct jic_settings settings;
	uint64_t memory_bytes, placed_bytes;
	uint64_t placed;
};

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

static json_t *entry(struct jic_view path, const char *what, uint64_t bytes, uint64_t files)
{
	json_t *o = json_object();
	put(o, "path", path);
	json_object_set_new(o, "what", json_string(what));
	json_object_set_new(o, "bytes", json_integer((json_int_t)bytes));
	json_object_set_new(o, "files", json_integer((json_int_t)files));
	return o;
}

/* ---- the memory */

struct sum {
	uint64_t bytes, files;
};

static bool add_file(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct sum *sum = context;
	struct stat st;
	(void)err;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return true;
	sum->bytes += (uint64_t)st.st_size;
	sum->files++;
	return true;
}

static const char *what_is(const char *name)
{
	static const struct {
		const char *begins, *what;
	} known[] = {
	    {"facts", "what each Julia says of itself"},
	    {"depot-files", "checksums of files"},
	    {"images", "digests of system images"},
	    {"sources", "digests of sources"},
	    {"scan-", "the last look into the depots"},
	    {"superseded", "that the server has other builds"},
	    {"failed", "what Julia could not compile lately"},
	    {JIC_HISTORY_FILE, "environments that were seen"},
	};
	for (size_t i = 0; i < JIC_COUNT(known); i++)
		if (strncmp(name, known[i].begins, strlen(known[i].begins)) == 0)
			return known[i].what;
	return "notes";
}

struct memory_listing {
	struct where *w;
	json_t *items;
};

static bool add_memory(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct memory_listing *m = context;
	struct where *w = m->w;
	struct sum sum = {0};
	struct jic_view path = jic_arena_printf(&w->arena, "%s/%s", w->settings.memory_dir, name);
	if (!path.len)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_is_dir(path.ptr))
		(void)add_file(&sum, dirfd, name, err);
	else if (!jic_dir_each(path.ptr, add_file, &sum, err))
		return false;
	w->memory_bytes += sum.bytes;
	json_array_append_new(m->items, entry(path, what_is(name), sum.bytes, sum.files));
	return true;
}

static bool list_memory(struct where *w, struct jic_error *err)
{
	struct memory_listing m = {.w = w, .items = json_array()};
	jic_report_set(w->report, "memory_dir", json_string(w->settings.memory_dir));
	jic_report_set(w->report, "memory", m.items);
	return !jic_is_dir(w->settings.memory_dir) || jic_dir_each(w->settings.memory_dir, add_memory, &m, err);
}

static void put_config(struct where *w)
{
	json_t *o = json_object();
	json_object_set_new(o, "path", json_string(w->settings.config));
	json_object_set_new(o, "exists", json_boolean(jic_is_file(w->settings.config)));
	jic_report_set(w->report, "config", o);
}

/* ---- the depots */

/* One line for each depot and Julia: its files that are ours, and the lock. */
static void put_placed(struct where *w, const struct jic_caches *caches, json_t *placed, json_t *locks)
{
	for (size_t i = 0; i < caches->count;) {
		const struct jic_view dir = caches->items[i].compiled_dir;
		struct sum sum = {0};
		for (; i < caches->count && jic_view_eq(caches->items[i].compiled_dir, dir); i++) {
			if (!caches->items[i].ours)
				continue;
			sum.bytes += caches->items[i].bytes;
			sum.files++;
		}
		if (sum.files)
			json_array_append_new(placed,
			                      entry(dir, "cache files that jicache placed", sum.bytes, sum.files));
		w->placed += sum.files;
		w->placed_bytes += sum.bytes;
		struct jic_view lock = jic_arena_printf(&w->arena, JIC_PRIv "/.jicache.lock", JIC_ARGv(dir));
		if (lock.len && jic_is_file(lock.ptr))
			json_array_append_new(locks, jic_report_string(lock));
	}
}

static bool list_depots(struct where *w, const struct jic_session_options *options, struct jic_error *err)
{
	struct jic_facts facts;
	struct jic_error why = {0};
	struct jic_caches caches;
	const struct jic_view *depots;
	size_t count;
	const struct jic_facts_options o = {.julia = options->julia, .memory_dir = w->settings.memory_dir};
	json_t *placed = json_array(), *locks = json_array(), *names = json_array();
	jic_report_set(w->report, "depots", names);
	jic_report_set(w->report, "placed", placed);
	jic_report_set(w->report, "locks", locks);
	if (!jic_facts_get(&o, &w->arena, &facts, &why)) {
		jic_report_warn(w->report, "%s; without Julia its depots are not known", why.text);
		facts = (struct jic_facts){0};
	}
	if (!jic_caches_depots(&facts, options->depot, &w->arena, &depots, &count, err) ||
	    !jic_caches_list(depots, count, NULL, &w->arena, &caches, err))
		return false;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(names, jic_report_string(depots[i]));
	put_placed(w, &caches, placed, locks);
	return true;
}

static bool where(struct where *w, const struct jic_session_options *options, struct jic_error *err)
{
	char memory[32], placed[32];
	if (!jic_settings_load(options, &w->arena, &w->settings, err))
		return false;
	put_config(w);
	if (!list_memory(w, err) || !list_depots(w, options, err))
		return false;
	return jic_report_finish(w->report, err, "%llu placed cache files (%s); memory %s",
	                         (unsigned long long)w->placed, jic_bytes_text(w->placed_bytes, placed),
	                         jic_bytes_text(w->memory_bytes, memory));
}

struct jic_report *jic_where(const struct jic_session_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("where", err);
	struct where w = {.report = r};
	const bool done = r && where(&w, options, err);
	jic_arena_clear(&w.arena);
	return done ? JIC_TAKE(r) : NULL;
}
