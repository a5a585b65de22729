/* From what Julia wrote here to what is published. Everything that the file says it was made from is checked against
 * the node's key and against what is on disk now, record by record; then paths, times and directory sizes become
 * neutral.
 *
 * Refusals are JIC_EDENIED (it may not be shared as this address) or JIC_ECONFLICT (it is not up to date). */
#include "client/lib/julia/facts_accept.h"
#include "client/lib/julia/targets.h"
#include "client/lib/relocate/canonical_path.h"
#include "client/lib/relocate/fresh.h"
#include "client/lib/relocate/relocate.h"
#include "common/file.h"
#include "common/ji_flags.h"

static bool denied(struct jic_error *err, const char *what, struct jic_view name)
{
	return jic_fail(err, JIC_EDENIED, "%s " JIC_PRIv, what, JIC_ARGv(name));
}

/* ---- the file as a whole */

static bool check_identity(const struct jic_facts *f, const struct jic_node *n, const struct jic_ji *ji,
                           struct jic_error *err)
{
	char made[64], session[64];
	if (!jic_facts_made(f, ji, err)) {
		if (err)
			err->code = JIC_EDENIED;
		return false;
	}
	if (!jic_uuid_eq(ji->modules[0].uuid, n->inputs.uuid) || !jic_view_eq(ji->modules[0].name, n->inputs.name))
		return denied(err, "it is the cache of another package,", ji->modules[0].name);
	jic_runtime_flags_text(f->version, ji->flags, made);
	jic_runtime_flags_text(f->version, f->flags, session);
	if (!jic_ji_flags_serve(f->version, jic_view_of(session), ji->flags))
		return jic_fail(err, JIC_EDENIED, "it was compiled with other options: %s, not %s", made, session);
	if (!jic_targets_match_session(ji->clone_targets, f))
		return denied(err, "it was compiled for another processor than", f->cpu_target);
	return true;
}

static bool in_closure(const struct jic_graph *g, const struct jic_node *n, struct jic_uuid uuid, struct jic_view name)
{
	const struct jic_node *m = jic_graph_find(g, uuid, name);
	return m && (m == n || jic_node_closure_has(n, (size_t)(m - g->nodes)));
}

static bool check_required(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                           struct jic_error *err)
{
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_ji_module *r = &ji->required[i];
		if (jic_facts_provide(g->facts, r))
			continue;
		const struct jic_node *m = jic_graph_find(g, r->uuid, r->name);
		if (!m || !in_closure(g, n, r->uuid, r->name))
			return denied(
			    err, "it was compiled while a package was loaded that its key does not cover:", r->name);
		if (m->state != JIC_STATE_SHARED)
			return denied(err, "it needs another build than this installation's of", r->name);
	}
	return true;
}

static bool check_imports(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                          struct jic_error *err)
{
	for (size_t i = 0; i < ji->requires_count; i++) {
		const struct jic_ji_require *r = &ji->requires_[i];
		if (!jic_facts_installed(g->facts, r->name, r->uuid) && !in_closure(g, n, r->uuid, r->name))
			return denied(err, "it imports a package that its key does not cover:", r->name);
	}
	return true;
}

static bool check_preferences(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                              struct jic_error *err)
{
	if (!ji->has_preferences ||
	    jic_graph_preferences_hash(g, n, ji->preferences, ji->preferences_count) == ji->preferences_hash)
		return true;
	return jic_fail(err, JIC_ECONFLICT, "its preferences have changed since it was compiled");
}

/* ---- one include record */

struct work {
	const struct jic_graph *g;
	const struct jic_node *n;
	const struct jic_ji *ji;
	struct jic_arena *arena;
	struct jic_msg_input *inputs; /* room for one a record */
	size_t inputs_count;
};

/* Up to 1.10 the text of what was included proves it, and Julia's own measure, the time, that it is still the same; of
 * what else was read, and of what later versions track by time only, a digest goes along. */
static bool needs_input(const struct work *w, const struct jic_ji_include *r)
{
	if (jic_julia_at_least(w->g->facts->version, 1, 11, 0))
		return r->mtime >= 0;
	return !r->has_source;
}

static bool add_input(struct work *w, struct jic_view path, struct jic_view canonical, struct jic_error *err)
{
	struct jic_msg_input *input = &w->inputs[w->inputs_count];
	if (!jic_fresh_input(path.ptr, input, err))
		return false;
	input->path = canonical;
	w->inputs_count++;
	return true;
}

/* What a directory contains is proved by the CRC of its names, but how many bytes it has depends on the file system:
 * the canonical size is 0, and the input says that it is a directory. */
static bool neutral_size(struct work *w, const struct jic_ji_include *r, struct jic_view path,
                         struct jic_view canonical, uint64_t *size, struct jic_error *err)
{
	*size = r->size;
	if (!jic_julia_at_least(w->g->facts->version, 1, 11, 0) || r->mtime >= 0 || !jic_is_dir(path.ptr))
		return true;
	*size = 0;
	return add_input(w, path, canonical, err);
}

static double neutral_time(const struct jic_ji_include *r)
{
	return r->mtime < 0 ? -1.0 : r->mtime == 0 ? 0.0 : 1.0;
}

static bool check_record(struct work *w, const struct jic_ji_include *r, struct jic_view *path, struct jic_error *err)
{
	const struct jic_facts *f = w->g->facts;
	struct jic_view why, here = jic_recorded_path_here(f, r->path, w->arena);
	if (!here.len)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(r->path));
	*path = jic_path_below_root(w->g, w->n, here, w->arena);
	if (!jic_graph_covers(w->g, w->n, *path, w->arena, &why))
		return jic_fail(err, JIC_EDENIED, JIC_PRIv, JIC_ARGv(why));
	if (!jic_fresh_record(f->version, r, path->ptr, NULL, err))
		return false;
	if (r->has_source && !jic_fresh_same_text(path->ptr, r->source))
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": its content is not what was compiled", JIC_ARGv(*path));
	return true;
}

static bool canonical_record(struct work *w, const struct jic_ji_include *r, struct jic_ji_edit *out,
                             struct jic_error *err)
{
	struct jic_view path;
	if (!check_record(w, r, &path, err))
		return false;
	out->path = jic_path_canonical(w->g, w->n, path, w->arena);
	out->crc32c = r->crc32c;
	out->mtime = neutral_time(r);
	if (!out->path.len)
		return denied(err, "it was compiled from a file that has no canonical name:", path);
	if (needs_input(w, r) && !add_input(w, path, out->path, err))
		return false;
	return neutral_size(w, r, path, out->path, &out->size, err);
}

static bool check_entry(struct work *w, struct jic_error *err)
{
	struct jic_file_identity recorded, entry;
	if (!w->ji->includes_count)
		return jic_fail(err, JIC_EDENIED, "it names no source file");
	struct jic_view path = jic_recorded_path_here(w->g->facts, w->ji->includes[0].path, w->arena);
	struct jic_view expected = jic_arena_copy(w->arena, w->n->entry_file);
	if (!path.len || !jic_file_identify(path.ptr, &recorded, err))
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(w->ji->includes[0].path));
	if (!jic_file_identify(expected.ptr, &entry, err))
		return false;
	return (recorded.device == entry.device && recorded.inode == entry.inode) ||
	       denied(err, "it was compiled from another directory:", path);
}

static bool canonical_records(struct work *w, struct jic_buf *out, struct jic_error *err)
{
	const size_t count = w->ji->includes_count;
	struct jic_ji_edit *edits = jic_arena_array(w->arena, count, sizeof *edits);
	w->inputs = jic_arena_array(w->arena, count, sizeof *w->inputs);
	if (!edits || !w->inputs)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (!canonical_record(w, &w->ji->includes[i], &edits[i], err))
			return false;
	return jic_ji_rewrite(w->ji, edits, out, err);
}

bool jic_canonicalise(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                      struct jic_arena *arena, struct jic_canonical *out, struct jic_error *err)
{
	struct work w = {.g = g, .n = n, .ji = ji, .arena = arena};
	if (!check_identity(g->facts, n, ji, err) || !check_required(g, n, ji, err) || !check_imports(g, n, ji, err) ||
	    !check_preferences(g, n, ji, err) || !check_entry(&w, err))
		return false;
	if (!canonical_records(&w, &out->ji, err))
		return false;
	out->inputs = w.inputs;
	out->inputs_count = w.inputs_count;
	return true;
}
