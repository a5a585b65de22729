/* jicache gc. What may stay is found out anew: every environment that is remembered, and whose project file still
 * exists, is resolved by its Julia, and every cache file is judged for it, under whatever options it was compiled with.
 * Where that can't be done (no such Julia any more, a malformed manifest, another DEPOT_PATH), what the environment
 * used last stays. */
#include "client/lib/operation/gc.h"

#include "client/lib/depot/holders.h"
#include "client/lib/depot/judge.h"
#include "client/lib/operation/gc_remove.h"
#include "client/lib/session/report.h"
#include "client/lib/session/uses.h"

#include <time.h>
#include <unistd.h>

JIC_DEFINE_AUTO(jic_session, jic_session_free)

struct gc {
	struct jic_session *s;
	const struct jic_gc_options *options;
	struct jic_report *report;
	struct jic_arena arena;
	struct jic_history *history;
	struct jic_uses uses;
	struct jic_caches caches;
	struct jic_gc_file *files; /* one for each cache */
	int64_t now_s, began_s;
	uint64_t bytes_freed;
	uint32_t removed, not_removed;
};

/* ---- what is remembered */

static bool remember(struct gc *g, struct jic_error *err)
{
	struct jic_locals locals;
	g->history = jic_history_open(g->s->settings.memory_dir, err);
	if (!g->history || !jic_depot_scan(&g->s->graph, &g->s->depot, &g->arena, &locals, err))
		return false;
	if (g->s->graph.count && !jic_history_record(g->history, g->s, &locals, NULL, g->now_s, err))
		return false;
	return jic_history_began(g->history, &g->began_s, err) && jic_uses_read(g->history, &g->arena, &g->uses, err);
}

static bool list_files(struct gc *g, struct jic_error *err)
{
	const struct jic_view *depots;
	size_t depots_count;
	if (!jic_caches_depots(&g->s->facts, g->s->options.depot, &g->arena, &depots, &depots_count, err) ||
	    !jic_caches_list(depots, depots_count, NULL, &g->arena, &g->caches, err))
		return false;
	g->files = jic_arena_array(&g->arena, g->caches.count + 1, sizeof *g->files);
	for (size_t i = 0; g->files && i < g->caches.count; i++)
		g->files[i].cache = &g->caches.items[i];
	return g->files || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- what the environments can use */

static bool judge_for(struct gc *g, const struct jic_graph *graph, struct jic_error *err)
{
	const struct jic_judge_options options = {.any_options = true, .no_bytes = true};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_verdict *verdicts;
	if (!jic_judge(graph, &g->caches, &options, &arena, &verdicts, err))
		return false;
	for (size_t i = 0; i < g->caches.count; i++)
		g->files[i].fits |= verdicts[i].node && verdicts[i].why == JIC_REFUSAL_NONE;
	return true;
}

static bool same_list(const struct jic_view *a, size_t a_count, const struct jic_view *b, size_t b_count)
{
	for (size_t i = 0; a_count == b_count && i < a_count; i++)
		if (!jic_view_eq(a[i], b[i]))
			return false;
	return a_count == b_count;
}

/* Its session; NULL when it can't be seen from here as it sees itself. */
static struct jic_session *resolve(const struct jic_known *k, struct jic_error *err)
{
	const struct jic_session_options options = {
	    .project = k->project.ptr, .julia = k->julia.ptr, .julia_args = k->julia_args.ptr};
	if (!k->project.len || access(k->julia.ptr, X_OK) != 0)
		return NULL;
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&options, err);
	if (!s)
		return NULL;
	const struct jic_facts *f = &s->facts;
	const bool same = same_list(f->depot_path, f->depot_path_count, k->depot_path, k->depot_path_count) &&
	                  same_list(f->load_path, f->load_path_count, k->load_path, k->load_path_count);
	return same ? JIC_TAKE(s) : NULL;
}

static void keep_remembered(struct gc *g, size_t known)
{
	bool *fits = jic_arena_array(&g->arena, g->uses.known_count + 1, sizeof *fits);
	struct jic_view version;
	for (size_t i = 0; fits && i < g->caches.count; i++) {
		memset(fits, 0, g->uses.known_count * sizeof *fits);
		jic_uses_of(&g->uses, &g->caches.items[i], fits, &version);
		g->files[i].fits |= fits[known];
	}
}

static bool ask_environment(struct gc *g, size_t known, struct jic_error *err)
{
	const struct jic_known *k = &g->uses.known[known];
	struct jic_error why = {0};
	if (k->project.len && !jic_is_file(k->project.ptr)) {
		jic_report_name(g->report, "forgotten", k->project);
		return g->options->dry_run || jic_history_forget(g->history, k->id, err);
	}
	JIC_AUTO(jic_session) struct jic_session *s = resolve(k, &why);
	if (s && !judge_for(g, &s->graph, err))
		return false;
	if (why.code)
		jic_report_warn(g->report, "%s: %s; what it used last is kept", k->project.ptr, why.text);
	if (!s)
		keep_remembered(g, known);
	return !g->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool ask_environments(struct gc *g, struct jic_error *err)
{
	if (!judge_for(g, &g->s->graph, err))
		return false;
	for (size_t i = 0; i < g->uses.known_count; i++)
		if (!ask_environment(g, i, err))
			return false;
	return true;
}

/* ---- who holds it, since when */

static bool look_around(struct gc *g, struct jic_error *err)
{
	struct jic_holders holders;
	const bool unknown_past = g->now_s - g->began_s < JIC_HISTORY_KEEP_S;
	const bool looked = jic_holders_look("/compiled/", &holders, err);
	for (size_t i = 0; looked && i < g->caches.count; i++) {
		const struct jic_cache *c = &g->caches.items[i];
		struct jic_gc_file *f = &g->files[i];
		f->in_use = jic_holders_have(&holders, c->path.ptr) ||
		            (c->has_image && jic_holders_have(&holders, c->image_path.ptr));
		f->before = unknown_past && c->identity.ctime_ns / 1000000000 < g->began_s;
	}
	jic_holders_clear(&holders);
	return looked;
}

/* ---- going */

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

static json_t *file_json(const struct jic_gc_file *f, const char *reason)
{
	json_t *o = json_object();
	put(o, "file", f->cache->path);
	put(o, "package", f->cache->package);
	json_object_set_new(o, "ours", json_boolean(f->cache->ours));
	json_object_set_new(o, "bytes", json_integer((json_int_t)f->cache->bytes));
	json_object_set_new(o, "reason", json_string(reason));
	return o;
}

static bool remove_all(struct gc *g, const size_t *order, size_t count, struct jic_error *err)
{
	JIC_AUTO(jic_remover) struct jic_remover *r = jic_remover_new(&g->s->facts, err);
	json_t *removed = json_array(), *failed = json_array();
	jic_report_set(g->report, "removed", removed);
	jic_report_set(g->report, "not_removed", failed);
	for (size_t i = 0; r && i < count; i++) {
		const struct jic_gc_file *f = &g->files[order[i]];
		struct jic_error why = {0};
		if (!g->options->dry_run && !jic_remover_remove(r, f->cache, &why)) {
			json_array_append_new(failed, file_json(f, why.text));
			g->not_removed++;
			continue;
		}
		json_array_append_new(removed, file_json(f, jic_gc_fate_words(f->fate)));
		g->bytes_freed += f->cache->bytes;
		g->removed++;
	}
	return r != NULL;
}

/* Of what stays: how many, and how large, for each reason. */
static void put_kept(struct gc *g)
{
	json_t *kept = json_object();
	for (size_t i = 0; i < g->caches.count; i++) {
		const struct jic_gc_file *f = &g->files[i];
		if (f->fate >= JIC_GC_GOES)
			continue;
		const char *reason = jic_gc_fate_words(f->fate);
		json_t *before = json_object_get(kept, reason), *now = json_object();
		json_object_set_new(now, "files",
		                    json_integer(1 + json_integer_value(json_object_get(before, "files"))));
		json_object_set_new(
		    now, "bytes",
		    json_integer((json_int_t)f->cache->bytes + json_integer_value(json_object_get(before, "bytes"))));
		json_object_set_new(kept, reason, now);
	}
	jic_report_set(g->report, "kept", kept);
}

static bool decide_and_remove(struct gc *g, struct jic_error *err)
{
	const struct jic_gc_limits limits = {.older_than_s = g->options->older_than_s,
	                                     .bytes_max = g->options->bytes_max,
	                                     .julia = g->options->julia,
	                                     .owner = geteuid(),
	                                     .now_s = g->now_s};
	size_t *order = jic_arena_array(&g->arena, g->caches.count + 1, sizeof *order);
	if (!order || !jic_gc_decide(g->files, g->caches.count, &limits, err))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	const size_t count = jic_gc_order(g->files, g->caches.count, order);
	if (!remove_all(g, order, count, err))
		return false;
	put_kept(g);
	return true;
}

static bool collect(struct gc *g, struct jic_error *err)
{
	char bytes[32], failed[48] = "";
	jic_report_set(g->report, "forgotten", json_array());
	if (!remember(g, err) || !list_files(g, err) || !ask_environments(g, err) || !look_around(g, err) ||
	    !decide_and_remove(g, err))
		return false;
	jic_report_set(g->report, "dry_run", json_boolean(g->options->dry_run));
	jic_report_set(g->report, "bytes_freed", json_integer((json_int_t)g->bytes_freed));
	jic_report_set(g->report, "environments", json_integer((json_int_t)g->uses.known_count));
	if (g->not_removed)
		snprintf(failed, sizeof failed, ", %u could not be removed", g->not_removed);
	return jic_report_finish(g->report, err, "%zu cache files, %zu environments: %u %s (%s)%s", g->caches.count,
	                         g->uses.known_count, g->removed, g->options->dry_run ? "would go" : "removed",
	                         jic_bytes_text(g->bytes_freed, bytes), failed);
}

struct jic_report *jic_session_gc(struct jic_session *s, const struct jic_gc_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("gc", err);
	struct gc g = {.s = s, .options = options, .report = r, .now_s = (int64_t)time(NULL)};
	const bool done = r && collect(&g, err);
	jic_history_free(g.history);
	jic_arena_clear(&g.arena);
	return done ? JIC_TAKE(r) : NULL;
}
