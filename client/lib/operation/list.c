/* jicache ls: what lies in the depots, in words. The session's own environment is noted first, so that its files are
 * never strangers. */
#include "client/lib/julia/targets.h"
#include "client/lib/session/report.h"
#include "client/lib/session/session.h"
#include "client/lib/session/uses.h"

#include <fcntl.h>
#include <time.h>

struct list {
	struct jic_session *s;
	struct jic_arena arena;
	struct jic_report *report;
	struct jic_uses uses;
	struct jic_caches caches;
	json_t *items;
	uint64_t bytes;
	uint32_t ours;
	int64_t now_s;
};

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

/* The options that one would start Julia with to get these, as far as they are not the default. */
static void put_options(json_t *o, const struct jic_cache *c)
{
	static const char *const bounds[] = {"", "yes", "no", ""};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	const uint8_t f = c->flags;
	if (!jic_julia_at_least(c->version, 1, 9, 0))
		return;
	jic_buf_printf(&b, "-O%u -g%u", jic_ji_flags_opt(f), jic_ji_flags_debug(f));
	if (*bounds[jic_ji_flags_check_bounds(f)])
		jic_buf_printf(&b, " --check-bounds=%s", bounds[jic_ji_flags_check_bounds(f)]);
	if (!jic_ji_flags_inline(f))
		jic_buf_puts(&b, " --inline=no");
	if (!jic_ji_flags_pkgimages(f))
		jic_buf_puts(&b, " --pkgimages=no");
	put(o, "options", jic_buf_view(&b));
}

static const char *kind_name(enum jic_cache_kind kind)
{
	static const char *const names[] = {
	    [JIC_CACHE_READ] = "cache",
	    [JIC_CACHE_BROKEN] = "broken",
	    [JIC_CACHE_UNKNOWN] = "unknown",
	    [JIC_CACHE_LEFTOVER] = "leftover",
	};
	return names[kind];
}

static void put_time(json_t *o, const char *field, int64_t at_s)
{
	char text[32];
	const time_t t = (time_t)at_s;
	struct tm utc;
	if (gmtime_r(&t, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
		json_object_set_new(o, field, json_string(text));
}

/* Julia touches what it loads, so only the file system's own birth time tells the age. */
static void put_times(const struct list *l, json_t *o, const struct jic_cache *c)
{
	struct statx st;
	const int64_t used_s = (int64_t)c->mtime;
	put_time(o, "last_used", used_s);
	json_object_set_new(o, "unused_seconds", json_integer(l->now_s - used_s));
	if (statx(AT_FDCWD, c->path.ptr, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME))
		json_object_set_new(o, "age_seconds", json_integer(l->now_s - (int64_t)st.stx_btime.tv_sec));
}

static bool put_environments(struct list *l, json_t *o, const struct jic_cache *c)
{
	bool *fits = jic_arena_array(&l->arena, l->uses.known_count + 1, sizeof *fits);
	struct jic_view version = JIC_VIEW("");
	json_t *list = json_array();
	json_object_set_new(o, "environments", list);
	if (!fits)
		return false;
	jic_uses_of(&l->uses, c, fits, &version);
	for (size_t i = 0; i < l->uses.known_count; i++) {
		const struct jic_known *k = &l->uses.known[i];
		if (!fits[i])
			continue;
		json_t *e = json_object();
		put(e, "project", k->project);
		put(e, "julia", k->version);
		put(e, "julia_args", k->julia_args);
		json_array_append_new(list, e);
	}
	put(o, "version", version);
	return true;
}

static void put_header(struct list *l, json_t *o, const struct jic_cache *c)
{
	char uuid[JIC_UUID_TEXT + 1], id[JIC_BUILD_ID_TEXT + 1];
	jic_uuid_format(c->uuid, uuid);
	jic_build_id_format(c->build_id, id);
	json_object_set_new(o, "uuid", json_string(uuid));
	json_object_set_new(o, "build_id", json_string(id));
	put(o, "julia", c->version_text);
	put(o, "cpu", jic_targets_names(c->clone_targets, &l->arena));
	put_options(o, c);
	json_object_set_new(o, "image", json_boolean(c->wants_image));
	if (c->wants_image && !c->has_image)
		json_object_set_new(o, "image_missing", json_true());
}

static bool add(struct list *l, const struct jic_cache *c)
{
	json_t *o = json_object();
	put(o, "file", c->path);
	put(o, "package", c->package);
	json_object_set_new(o, "kind", json_string(kind_name(c->kind)));
	json_object_set_new(o, "ours", json_boolean(c->ours));
	json_object_set_new(o, "bytes", json_integer((json_int_t)c->bytes));
	put_times(l, o, c);
	if (c->kind == JIC_CACHE_READ)
		put_header(l, o, c);
	l->bytes += c->bytes;
	l->ours += c->ours;
	const bool done = put_environments(l, o, c);
	json_array_append_new(l->items, o);
	return done;
}

/* Without a memory there is nothing to tell of environments, but everything else. */
static bool read_uses(struct list *l, struct jic_error *err)
{
	struct jic_locals locals;
	struct jic_error why = {0};
	if (!jic_depot_scan(&l->s->graph, &l->s->depot, &l->arena, &locals, err))
		return false;
	JIC_AUTO(jic_history) struct jic_history *h = jic_history_open(l->s->settings.memory_dir, &why);
	if (h && l->s->graph.count && !jic_history_record(h, l->s, &locals, NULL, l->now_s, &why))
		jic_report_warn(l->report, "%s", why.text);
	if (!h || !jic_uses_read(h, &l->arena, &l->uses, &why)) {
		jic_report_warn(l->report, "%s", why.text);
		l->uses = (struct jic_uses){0};
	}
	return true;
}

static bool list(struct list *l, bool all, struct jic_error *err)
{
	const struct jic_facts *f = &l->s->facts;
	const struct jic_view *depots;
	size_t depots_count;
	char bytes[32];
	if (!read_uses(l, err) || !jic_caches_depots(f, l->s->options.depot, &l->arena, &depots, &depots_count, err) ||
	    !jic_caches_list(depots, depots_count, all ? NULL : &f->version, &l->arena, &l->caches, err))
		return false;
	l->items = json_array();
	jic_report_set(l->report, "caches", l->items);
	for (size_t i = 0; i < l->caches.count; i++)
		if (!add(l, &l->caches.items[i]))
			return jic_fail(err, JIC_EMEMORY, "out of memory");
	jic_report_set(l->report, "bytes", json_integer((json_int_t)l->bytes));
	return jic_report_finish(l->report, err, "%zu cache files (%s), %u of them placed by jicache", l->caches.count,
	                         jic_bytes_text(l->bytes, bytes), l->ours);
}

struct jic_report *jic_session_list(struct jic_session *s, bool all, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("ls", err);
	struct list l = {.s = s, .report = r, .now_s = (int64_t)time(NULL)};
	const bool done = r && list(&l, all, err);
	jic_arena_clear(&l.arena);
	return done ? JIC_TAKE(r) : NULL;
}
