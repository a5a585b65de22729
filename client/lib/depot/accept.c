#include "client/lib/depot/accept.h"

#include "client/lib/julia/targets.h"
#include "client/lib/relocate/canonical_path.h"
#include "client/lib/relocate/fresh.h"

/* What Julia says of a required module that is there in another build, or not at all. */
static enum jic_refusal refusal_of(const struct jic_facts *f, const struct jic_node *n, const struct jic_ji_module *r)
{
	if (jic_view_is(r->name, "Core"))
		return JIC_REFUSAL_SYSIMAGE;
	if (jic_facts_sysimage_module(f, r->name, r->uuid))
		return JIC_REFUSAL_LOADED;
	if (n ? n->state == JIC_STATE_NO_SOURCE : !jic_facts_installed(f, r->name, r->uuid))
		return JIC_REFUSAL_DEP_SOURCE;
	return JIC_REFUSAL_DEP_BUILD;
}

static bool accept_required(const struct jic_graph *g, const struct jic_ji *ji, enum jic_refusal *why,
                            struct jic_error *err)
{
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_ji_module *r = &ji->required[i];
		if (jic_facts_provide(g->facts, r))
			continue;
		const struct jic_node *n = jic_graph_find(g, r->uuid, r->name);
		/* Of a sysimage module any other build is another system image's. */
		if (n && n->state == JIC_STATE_SHARED)
			continue;
		const enum jic_refusal refusal = refusal_of(g->facts, n, r);
		jic_refuse(why, refusal);
		return jic_fail(err, JIC_ECONFLICT,
		                refusal == JIC_REFUSAL_DEP_SOURCE ? "it needs " JIC_PRIv
		                                                    ", which this environment does not have"
		                                                  : "it needs another build of " JIC_PRIv,
		                JIC_ARGv(r->name));
	}
	return true;
}

/* Step 11: each recorded import still leads to the same package. Names are unique in what an environment resolves for
 * one package, so a package of that name with another UUID is what a changed environment shows. */
static bool accept_imports(const struct jic_graph *g, const struct jic_ji *ji, enum jic_refusal *why,
                           struct jic_error *err)
{
	jic_refuse(why, JIC_REFUSAL_DEP_UUID);
	for (size_t i = 0; i < ji->requires_count; i++) {
		const struct jic_ji_require *r = &ji->requires_[i];
		if (!jic_graph_find(g, r->uuid, r->name) && !jic_facts_installed(g->facts, r->name, r->uuid))
			return jic_fail(err, JIC_ECONFLICT, "it imports " JIC_PRIv ", which is not in this environment",
			                JIC_ARGv(r->name));
	}
	return true;
}

static bool accept_images(const struct jic_facts *f, const struct jic_ji *ji, enum jic_refusal *why,
                          struct jic_error *err)
{
	jic_refuse(why, JIC_REFUSAL_FLAGS);
	if (!jic_facts_accept_flags(f, ji->flags))
		return jic_fail(err, JIC_ECONFLICT, "it was compiled with other options (cache flags 0x%02x)",
		                ji->flags);
	jic_refuse(why, JIC_REFUSAL_NO_IMAGES);
	if (ji->clone_targets.len && !jic_facts_loads_images(f))
		return jic_fail(err, JIC_ECONFLICT, "it has a native image, which this session does not use");
	jic_refuse(why, JIC_REFUSAL_TARGET);
	if (!jic_targets_usable(ji->clone_targets, f))
		return jic_fail(err, JIC_ECONFLICT, "its native code needs features that this processor lacks");
	return true;
}

static bool accept_preferences(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                               enum jic_refusal *why, struct jic_error *err)
{
	if (!ji->has_preferences ||
	    jic_graph_preferences_hash(g, n, ji->preferences, ji->preferences_count) == ji->preferences_hash)
		return true;
	jic_refuse(why, JIC_REFUSAL_PREFERENCES);
	return jic_fail(err, JIC_ECONFLICT, "it was compiled with other preferences");
}

/* Each step names itself in `why` before it is taken. */
bool jic_accept_header(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                       enum jic_refusal *why, struct jic_error *err)
{
	jic_refuse(why, JIC_REFUSAL_HEADER);
	if (!jic_facts_made(g->facts, ji, err) || !accept_images(g->facts, ji, why, err))
		return false;
	jic_refuse(why, JIC_REFUSAL_PACKAGE);
	if (!jic_uuid_eq(ji->modules[0].uuid, n->inputs.uuid) || !jic_view_eq(ji->modules[0].name, n->inputs.name))
		return jic_fail(err, JIC_ECONFLICT, "it is of another package, " JIC_PRIv,
		                JIC_ARGv(ji->modules[0].name));
	if (!accept_required(g, ji, why, err) || !accept_imports(g, ji, why, err) ||
	    !accept_preferences(g, n, ji, why, err))
		return false;
	jic_refuse(why, JIC_REFUSAL_NONE);
	return true;
}

/* ---- sources */

/* What tells a state of a `.ji` from another: not its times, which Julia changes whenever it loads it. */
struct ji_key {
	uint64_t device, inode, size, crc;
};
struct fresh_key {
	struct ji_key ji;
	struct jic_file_identity entry;
};

static struct ji_key ji_key(const struct jic_accept_file *file)
{
	return (struct ji_key){.device = file->identity.device,
	                       .inode = file->identity.inode,
	                       .size = file->identity.size,
	                       .crc = file->ji->file_crc32c};
}

static bool same_file(const struct jic_file_identity *a, const struct jic_file_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool accept_entry(const struct jic_node *n, const char *recorded, struct jic_file_identity *entry,
                         struct jic_arena *arena, struct jic_error *err)
{
	struct jic_file_identity found;
	struct jic_view path = jic_arena_copy(arena, n->entry_file);
	if (!jic_file_identify(path.ptr, entry, err) || !jic_file_identify(recorded, &found, err))
		return false;
	if (same_file(entry, &found))
		return true;
	return jic_fail(err, JIC_ECONFLICT, "it is of %s, not of " JIC_PRIv, recorded, JIC_ARGv(n->entry_file));
}

static bool accept_record(const struct jic_facts *f, const struct jic_ji_include *r, struct jic_memory *m,
                          struct jic_arena *arena, enum jic_refusal *why, struct jic_error *err)
{
	struct jic_view path = jic_recorded_path_here(f, r->path, arena);
	jic_refuse(why, JIC_REFUSAL_DEPOT);
	if (!path.len)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(r->path));
	return jic_fresh_judge(f->version, r, path.ptr, m, why, err);
}

/* Julia ≥ 1.11 looks for all included files of a package in one depot (parse_cache_header); a partial copy in an
 * earlier one makes them disagree, and the file is rejected. All files with the entry file's package directory have to
 * be where it is. */
static bool in_one_depot(const struct jic_facts *f, const struct jic_ji *ji, struct jic_arena *arena)
{
	const struct jic_view entry = ji->includes[0].path;
	const struct jic_view entry_here = jic_recorded_path_here(f, entry, arena);
	if (!jic_view_starts(entry, JIC_VIEW("@depot/")))
		return true;
	const size_t depot_len = entry_here.len - (entry.len - strlen("@depot"));
	for (size_t i = 1; i < ji->includes_count; i++) {
		const struct jic_view path = ji->includes[i].path;
		if (!ji->includes[i].has_source || !jic_view_starts(path, JIC_VIEW("@depot/")))
			continue;
		const struct jic_view here = jic_recorded_path_here(f, path, arena);
		if (here.len - (path.len - strlen("@depot")) != depot_len ||
		    memcmp(here.ptr, entry_here.ptr, depot_len) != 0)
			return false;
	}
	return true;
}

bool jic_accept_is_immutable(const struct jic_node *n, const struct jic_ji *ji)
{
	if (n->developed || n->has_build || !n->root.len || !n->entry_file.len || !ji->includes_count ||
	    !jic_view_starts(n->entry_file, n->root))
		return false;
	const struct jic_view entry = ji->includes[0].path;
	const struct jic_view below_root = jic_view_skip(n->entry_file, n->root.len);
	if (!below_root.len || !jic_view_ends(entry, below_root))
		return false;
	const struct jic_view dir = jic_view_head(entry, entry.len - below_root.len + 1);
	for (size_t i = 1; i < ji->includes_count; i++)
		if (!jic_view_starts(ji->includes[i].path, dir))
			return false;
	return true;
}

static bool accept_records(const struct jic_facts *f, const struct jic_ji *ji, struct jic_memory *m,
                           struct jic_arena *arena, enum jic_refusal *why, struct jic_error *err)
{
	for (size_t i = 0; i < ji->includes_count; i++)
		if (!accept_record(f, &ji->includes[i], m, arena, why, err))
			return false;
	jic_refuse(why, JIC_REFUSAL_DEPOT);
	return in_one_depot(f, ji, arena) ||
	       jic_fail(err, JIC_ECONFLICT, "its source files are spread over several depots");
}

bool jic_accept_sources(const struct jic_graph *g, const struct jic_node *n, const struct jic_accept_file *file,
                        struct jic_memory *m, struct jic_arena *arena, enum jic_refusal *why, struct jic_error *err)
{
	struct fresh_key key = {.ji = ji_key(file)};
	const struct jic_ji *ji = file->ji;
	uint32_t known;
	jic_refuse(why, JIC_REFUSAL_SOURCE);
	if (!ji->includes_count)
		return jic_fail(err, JIC_ECONFLICT, "it names no source file");
	struct jic_view entry = jic_recorded_path_here(g->facts, ji->includes[0].path, arena);
	if (!entry.len)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(ji->includes[0].path));
	if (!accept_entry(n, entry.ptr, &key.entry, arena, err))
		return false;
	const bool immutable = jic_accept_is_immutable(n, ji);
	const bool fresh = immutable && jic_memory_get(m, JIC_MEMORY_FRESH, &key, sizeof key, &known);
	if (!fresh && !accept_records(g->facts, ji, m, arena, why, err))
		return false;
	if (!fresh && immutable)
		jic_memory_put(m, JIC_MEMORY_FRESH, &key, sizeof key, 1);
	jic_refuse(why, JIC_REFUSAL_NONE);
	return true;
}

/* ---- bytes */

static bool accept_ji_bytes(const struct jic_accept_file *file, struct jic_memory *m, enum jic_refusal *why,
                            struct jic_error *err)
{
	const struct ji_key key = ji_key(file);
	uint32_t known;
	if (jic_memory_get(m, JIC_MEMORY_JI_GOOD, &key, sizeof key, &known))
		return true;
	jic_refuse(why, JIC_REFUSAL_CHECKSUM);
	if (!jic_ji_verify(file->ji, err))
		return false;
	jic_memory_put(m, JIC_MEMORY_JI_GOOD, &key, sizeof key, 1);
	return true;
}

static bool accept_image_bytes(const struct jic_accept_file *file, struct jic_memory *m, enum jic_refusal *why,
                               struct jic_error *err)
{
	struct stat st;
	uint32_t crc;
	jic_refuse(why, JIC_REFUSAL_IMAGE_MISSING);
	if (stat(file->image_path, &st) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", file->image_path);
	jic_refuse(why, JIC_REFUSAL_IMAGE_CHECKSUM);
	if (!jic_fresh_crc(file->image_path, &st, m, &crc, err))
		return false;
	return crc == file->ji->image_crc32c ||
	       jic_fail(err, JIC_ECONFLICT, "%s: it is not the image that belongs to the cache file", file->image_path);
}

bool jic_accept_bytes(const struct jic_accept_file *file, struct jic_memory *m, enum jic_refusal *why,
                      struct jic_error *err)
{
	if (!accept_ji_bytes(file, m, why, err) ||
	    (file->ji->clone_targets.len && !accept_image_bytes(file, m, why, err)))
		return false;
	jic_refuse(why, JIC_REFUSAL_NONE);
	return true;
}

void jic_accept_remember(const struct jic_node *n, const struct jic_accept_file *file, struct jic_memory *m,
                         struct jic_arena *arena)
{
	struct fresh_key key = {.ji = ji_key(file)};
	struct stat st;
	jic_memory_put(m, JIC_MEMORY_JI_GOOD, &key.ji, sizeof key.ji, 1);
	if (jic_accept_is_immutable(n, file->ji) &&
	    jic_file_identify(jic_arena_copy(arena, n->entry_file).ptr, &key.entry, NULL))
		jic_memory_put(m, JIC_MEMORY_FRESH, &key, sizeof key, 1);
	if (!file->ji->clone_targets.len || stat(file->image_path, &st) != 0)
		return;
	struct jic_file_identity image;
	jic_file_identity_of(&st, &image);
	jic_memory_put(m, JIC_MEMORY_CRC, &image, sizeof image, file->ji->image_crc32c);
}
