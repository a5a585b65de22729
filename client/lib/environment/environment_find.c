/* Names to UUIDs, UUIDs to packages, packages to files: the searches over the stack (base/loading.jl). */
#include "client/lib/environment/environment.h"

#include "client/lib/julia/julia_hash.h"
#include "client/lib/julia/slug.h"
#include "common/digest.h"
#include "common/file.h"

static bool has_id(const struct jic_package *p, const struct jic_package_id *id)
{
	return jic_uuid_eq(p->uuid, id->uuid) && jic_view_eq(p->name, id->name);
}

static const struct jic_dir_package *find_in_dir(const struct jic_env *env, const struct jic_package_id *id)
{
	for (size_t i = 0; i < env->packages_count; i++) {
		if (has_id(&env->packages[i].package, id))
			return &env->packages[i];
	}
	return NULL;
}

/* 1.5 finds a stdlib only through "@stdlib" in LOAD_PATH. */
static bool falls_back_to_stdlib(const struct jic_environment *e)
{
	return jic_julia_at_least(e->facts->version, 1, 6, 0);
}

static bool find_stdlib(const struct jic_environment *e, const struct jic_package_id *id, struct jic_found *out)
{
	const struct jic_dir_package *dir = jic_environment_stdlib(e, id);
	if (dir)
		*out = (struct jic_found){.in = JIC_FOUND_STDLIB, .package = &dir->package, .dir = dir};
	return dir != NULL;
}

static bool find_in_env(const struct jic_environment *e, const struct jic_env *env, const struct jic_package_id *id,
                        struct jic_found *out)
{
	if (env->is_stdlib)
		return find_stdlib(e, id, out);
	*out = (struct jic_found){.env = env};
	if (env->project && has_id(&env->project->package, id)) {
		out->in = JIC_FOUND_PROJECT;
		out->package = &env->project->package;
	} else if (env->manifest) {
		out->in = JIC_FOUND_MANIFEST;
		out->package = jic_manifest_find(env->manifest, id->uuid);
	} else if (!env->project) {
		out->in = JIC_FOUND_DIRECTORY;
		out->dir = find_in_dir(env, id);
		out->package = out->dir ? &out->dir->package : NULL;
	}
	return out->package != NULL;
}

bool jic_environment_find(const struct jic_environment *e, const struct jic_package_id *id, struct jic_found *out)
{
	if (jic_uuid_is_nil(id->uuid))
		return false;
	for (size_t i = 0; i < e->count; i++) {
		if (find_in_env(e, &e->envs[i], id, out))
			return true;
	}
	return falls_back_to_stdlib(e) && find_stdlib(e, id, out);
}

bool jic_environment_dep(const struct jic_found *found, const struct jic_dep *dep, struct jic_package_id *out,
                         struct jic_error *err)
{
	*out = (struct jic_package_id){.name = dep->name, .uuid = dep->uuid};
	if (!jic_uuid_is_nil(dep->uuid))
		return true;
	const struct jic_manifest *m = found->env ? found->env->manifest : NULL;
	struct jic_view file = m ? m->file : found->env ? found->env->path : found->dir->root;
	size_t count = 0;
	const struct jic_package *entry = m ? jic_manifest_named(m, dep->name, &count) : NULL;
	if (!entry || jic_uuid_is_nil(entry->uuid))
		return jic_fail(err, JIC_EFORMAT,
		                JIC_PRIv ":%u: " JIC_PRIv " depends on " JIC_PRIv ", of which the manifest has %s",
		                JIC_ARGv(file), dep->line, JIC_ARGv(found->package->name), JIC_ARGv(dep->name),
		                count > 1 ? "more than one"
		                : count   ? "no UUID"
		                          : "no entry");
	out->uuid = entry->uuid;
	return true;
}

static bool same_release(struct jic_view text, struct jic_julia_version v)
{
	struct jic_julia_version other;
	return jic_julia_version_parse(text, &other) && other.major == v.major && other.minor == v.minor;
}

struct jic_deps jic_environment_stdlib_deps(const struct jic_environment *e, const struct jic_found *found)
{
	struct jic_julia_version v = e->facts->version;
	const struct jic_package *p = found->package;
	const struct jic_package_id id = {.name = p->name, .uuid = p->uuid};
	bool known = jic_julia_at_least(v, 1, 11, 2) || (v.minor == 10 && jic_julia_at_least(v, 1, 10, 8));
	if (!known || found->in != JIC_FOUND_MANIFEST || p->path.len || p->tree_hash.len ||
	    same_release(found->env->manifest->julia_version, v))
		return (struct jic_deps){0};
	const struct jic_dir_package *dir = jic_environment_stdlib(e, &id);
	return dir ? dir->package.deps : (struct jic_deps){0};
}

/* ---- identify_package */

static bool take(struct jic_package_id *out, struct jic_view name, struct jic_uuid uuid)
{
	*out = (struct jic_package_id){.name = name, .uuid = uuid};
	return true;
}

/* project_deps_get */
static bool identify_from_main(const struct jic_environment *e, const struct jic_env *env, struct jic_view name,
                               struct jic_package_id *out)
{
	if (env->is_stdlib) {
		const struct jic_dir_package *dir = jic_environment_stdlib_named(e, name);
		return dir && take(out, name, dir->package.uuid);
	}
	if (env->project) {
		const struct jic_package *p = &env->project->package;
		const struct jic_dep *dep = jic_deps_find(&p->deps, name);
		return jic_view_eq(p->name, name) ? take(out, name, p->uuid) : dep && take(out, name, dep->uuid);
	}
	for (size_t i = 0; i < env->packages_count; i++) {
		if (jic_view_eq(env->packages[i].package.name, name))
			return take(out, name, env->packages[i].package.uuid);
	}
	return false;
}

static bool identify_dep(const struct jic_found *found, const struct jic_deps *deps, struct jic_view name,
                         struct jic_package_id *out)
{
	const struct jic_dep *dep = jic_deps_find(deps, name);
	return dep && jic_environment_dep(found, dep, out, NULL);
}

static const struct jic_extension *extension_with_id(const struct jic_package *p, const struct jic_package_id *id)
{
	for (size_t i = 0; i < p->extensions.count; i++) {
		const struct jic_extension *x = &p->extensions.items[i];
		if (jic_view_eq(x->name, id->name) && jic_uuid_eq(jic_julia_uuid5(p->uuid, x->name), id->uuid))
			return x;
	}
	return NULL;
}

/* The package of one environment that has this extension; false when none has. */
static bool find_parent(const struct jic_env *env, const struct jic_package_id *ext, struct jic_found *out)
{
	size_t manifest = env->manifest ? env->manifest->count : 0, dirs = env->packages_count;
	if (env->project && extension_with_id(&env->project->package, ext)) {
		*out = (struct jic_found){.in = JIC_FOUND_PROJECT, .package = &env->project->package, .env = env};
		return true;
	}
	for (size_t i = 0; i < manifest + dirs; i++) {
		const struct jic_dir_package *dir = i < manifest ? NULL : &env->packages[i - manifest];
		const struct jic_package *p = dir ? &dir->package : &env->manifest->packages[i];
		if (extension_with_id(p, ext)) {
			*out = (struct jic_found){
			    .in = dir ? JIC_FOUND_DIRECTORY : JIC_FOUND_MANIFEST, .package = p, .env = env, .dir = dir};
			return true;
		}
	}
	return false;
}

static bool is_trigger(const struct jic_extension *x, struct jic_view name)
{
	for (size_t i = 0; i < x->triggers_count; i++) {
		if (jic_view_eq(x->triggers[i], name))
			return true;
	}
	return false;
}

/* An extension sees its parent, its triggers, and what its parent sees. */
static bool identify_from_extension(const struct jic_environment *e, const struct jic_package_id *where,
                                    struct jic_view name, struct jic_package_id *out)
{
	struct jic_found parent;
	for (size_t i = 0; i < e->count; i++) {
		if (!find_parent(&e->envs[i], where, &parent))
			continue;
		const struct jic_package *p = parent.package;
		if (jic_view_eq(p->name, name))
			return take(out, name, p->uuid);
		if (is_trigger(extension_with_id(p, where), name) &&
		    (identify_dep(&parent, &p->weakdeps, name, out) || identify_dep(&parent, &p->deps, name, out)))
			return true;
		const struct jic_package_id id = {.name = p->name, .uuid = p->uuid};
		return jic_environment_identify(e, &id, name, out);
	}
	return false;
}

bool jic_environment_identify(const struct jic_environment *e, const struct jic_package_id *where, struct jic_view name,
                              struct jic_package_id *out)
{
	struct jic_found found;
	if (where && jic_view_eq(where->name, name)) {
		*out = *where;
		return true;
	}
	if (!where || jic_uuid_is_nil(where->uuid)) {
		for (size_t i = 0; i < e->count; i++) {
			if (identify_from_main(e, &e->envs[i], name, out))
				return true;
		}
		return false;
	}
	if (jic_environment_find(e, where, &found)) {
		const struct jic_deps more = jic_environment_stdlib_deps(e, &found);
		return identify_dep(&found, &found.package->deps, name, out) || identify_dep(&found, &more, name, out);
	}
	return jic_julia_at_least(e->facts->version, 1, 9, 0) && identify_from_extension(e, where, name, out);
}

/* ---- locate_package */

static struct jic_view entry_below(const struct jic_environment *e, struct jic_view root, struct jic_view entryfile,
                                   struct jic_view name)
{
	if (entryfile.len && jic_julia_at_least(e->facts->version, 1, 12, 0))
		return jic_view_resolve(e->arena, root, entryfile);
	return jic_arena_printf(e->arena, JIC_PRIv "/src/" JIC_PRIv ".jl", JIC_ARGv(root), JIC_ARGv(name));
}

/* A path may name the entry file itself (entry_path); its package is the directory above the file's. */
static void locate_path(const struct jic_environment *e, struct jic_view path, struct jic_view entryfile,
                        struct jic_view name, struct jic_location *out)
{
	out->kind = JIC_SOURCE_PATH;
	out->root = path;
	if (jic_is_file(path.ptr)) {
		out->entry_file = path;
		out->root = jic_arena_copy(e->arena, jic_view_dirname(jic_view_dirname(path)));
	} else {
		out->entry_file = entry_below(e, path, entryfile, name);
	}
}

/* project_file_path: 1.12 takes the key `path` for `entryfile`; before, it is a directory or file of its own. */
static void locate_project(const struct jic_environment *e, const struct jic_project *p, struct jic_location *out)
{
	struct jic_view dir = jic_view_resolve(e->arena, p->dir, JIC_VIEW("."));
	const struct jic_package *k = &p->package;
	if (jic_julia_at_least(e->facts->version, 1, 12, 0)) {
		locate_path(e, dir, k->path.len ? k->path : k->entryfile, k->name, out);
		return;
	}
	locate_path(e, k->path.len ? jic_view_resolve(e->arena, dir, k->path) : dir, JIC_VIEW(""), k->name, out);
	if (!jic_view_starts(out->root, dir))
		out->root = dir; /* the file is beside the project file */
}

static bool locate_tree(const struct jic_environment *e, const struct jic_package *p, struct jic_location *out)
{
	const struct jic_facts *f = e->facts;
	uint8_t tree[JIC_TREE_HASH_BYTES];
	unsigned first = jic_julia_at_least(f->version, 1, 7, 0) ? 5 : 4;
	if (!jic_unhex(p->tree_hash, tree, sizeof(tree)))
		return false;
	out->tree_hash = p->tree_hash;
	for (unsigned i = 0; i < 2; i++) {
		char slug[JIC_SLUG_CHARS_MAX + 1];
		jic_version_slug(p->uuid, tree, i ? 9 - first : first, slug);
		for (size_t d = 0; d < f->depot_path_count; d++) {
			char path[4096];
			int len = snprintf(path, sizeof(path), JIC_PRIv "/packages/" JIC_PRIv "/%s",
			                   JIC_ARGv(f->depot_path[d]), JIC_ARGv(p->name), slug);
			struct stat st;
			if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) != 0)
				continue;
			out->kind = JIC_SOURCE_TREE;
			out->root = jic_arena_copy(e->arena, jic_view_bytes(path, (size_t)len));
			out->entry_file = entry_below(e, out->root, p->entryfile, p->name);
			return true;
		}
	}
	return false;
}

static bool locate_stdlib(const struct jic_environment *e, const struct jic_package_id *id, struct jic_location *out)
{
	const struct jic_dir_package *dir = jic_environment_stdlib(e, id);
	if (dir) {
		out->kind = JIC_SOURCE_STDLIB;
		out->root = dir->root;
		out->entry_file = dir->entry_file;
	}
	return dir != NULL;
}

enum verdict { FOUND, GO_ON, STOP };

static enum verdict locate_entry(const struct jic_environment *e, const struct jic_env *env,
                                 const struct jic_package *p, struct jic_location *out)
{
	struct jic_julia_version v = e->facts->version;
	const struct jic_package_id id = {.name = p->name, .uuid = p->uuid};
	if (p->path.len) {
		locate_path(e, jic_view_resolve(e->arena, env->manifest->dir, p->path), p->entryfile, p->name, out);
		return FOUND;
	}
	if (p->tree_hash.len) {
		if (locate_tree(e, p, out))
			return FOUND;
		if (!jic_julia_at_least(v, 1, 9, 0))
			return GO_ON;
		return jic_julia_at_least(v, 1, 11, 2) && locate_stdlib(e, &id, out) ? FOUND : STOP;
	}
	return jic_julia_at_least(v, 1, 10, 5) && locate_stdlib(e, &id, out) ? FOUND : GO_ON;
}

static enum verdict locate_in_env(const struct jic_environment *e, const struct jic_env *env,
                                  const struct jic_package_id *id, struct jic_location *out)
{
	struct jic_found found;
	if (!find_in_env(e, env, id, &found))
		return GO_ON;
	switch (found.in) {
	case JIC_FOUND_PROJECT:
		locate_project(e, env->project, out);
		return FOUND;
	case JIC_FOUND_MANIFEST:
		return locate_entry(e, env, found.package, out);
	case JIC_FOUND_DIRECTORY:
		out->kind = JIC_SOURCE_PATH;
		out->root = found.dir->root;
		out->entry_file = found.dir->entry_file;
		return FOUND;
	case JIC_FOUND_STDLIB:
		break;
	}
	return locate_stdlib(e, id, out) ? FOUND : GO_ON;
}

void jic_environment_locate(const struct jic_environment *e, const struct jic_package_id *id, struct jic_location *out)
{
	*out = (struct jic_location){0};
	for (size_t i = 0; i < e->count; i++) {
		enum verdict v = locate_in_env(e, &e->envs[i], id, out);
		if (v != GO_ON)
			return;
	}
	if (falls_back_to_stdlib(e))
		(void)!locate_stdlib(e, id, out);
}

struct jic_view jic_environment_extension_file(const struct jic_environment *e, struct jic_view root,
                                               struct jic_view name)
{
	char path[4096];
	struct stat st;
	int len = snprintf(path, sizeof(path), JIC_PRIv "/ext/" JIC_PRIv "/" JIC_PRIv ".jl", JIC_ARGv(root),
	                   JIC_ARGv(name), JIC_ARGv(name));
	if (len > 0 && (size_t)len < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return jic_arena_copy(e->arena, jic_view_bytes(path, (size_t)len));
	return jic_arena_printf(e->arena, JIC_PRIv "/ext/" JIC_PRIv ".jl", JIC_ARGv(root), JIC_ARGv(name));
}
