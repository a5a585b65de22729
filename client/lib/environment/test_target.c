/*
 * What Pkg's sandbox has, in this order: test project → dependencies → manifest → preferences.
 *
 * Pkg then resolves it. What is in a manifest keeps its version; what is in none comes from a registry, which is not
 * read here: it is left out with a warning. Up to 1.10 Pkg takes from test/Manifest.toml only what is developed, pinned
 * or of a repository and resolves the rest again; that this gives the same versions is a guess, and a wrong guess is a
 * miss.
 */
#include "client/lib/environment/test_target.h"

#include "client/lib/environment/load_path.h"
#include "common/file.h"

struct sandbox {
	struct jic_environment *e;
	const struct jic_env *parent;             /* of the package under test */
	const struct jic_project *test;           /* test/Project.toml; NULL: [extras] and [targets] */
	const struct jic_manifest *test_manifest; /* beside it; may be NULL */
	struct jic_project project;               /* what the sandbox's project file says */
	struct jic_manifest manifest;
	struct jic_package *packages; /* manifest.packages while they are collected */
};

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- what there is */

static const struct jic_env *active_env(const struct jic_environment *e)
{
	for (size_t i = 0; i < e->count; i++) {
		if (e->envs[i].project && jic_view_eq(e->envs[i].path, e->active_project))
			return &e->envs[i];
	}
	return NULL;
}

static bool find_package(struct sandbox *s, struct jic_error *err)
{
	struct jic_view active = s->e->active_project;
	s->parent = active_env(s->e);
	if (!s->parent)
		return jic_fail(err, JIC_EUSAGE, "target test: no package's project is active (--project DIR)");
	const struct jic_package *p = &s->parent->project->package;
	return (p->name.len && !jic_uuid_is_nil(p->uuid)) ||
	       jic_fail(err, JIC_EUSAGE, "target test: " JIC_PRIv " is no package: it has no name and uuid",
	                JIC_ARGv(active));
}

static bool read_manifest(struct sandbox *s, const struct jic_project *p, const struct jic_manifest **out,
                          struct jic_error *err)
{
	struct jic_view file;
	if (!jic_load_path_manifest(s->e->facts, p, s->e->arena, &file, err))
		return false;
	struct jic_manifest *m = file.len ? JIC_ARENA_NEW(s->e->arena, struct jic_manifest) : NULL;
	if (!file.len)
		return true;
	*out = m;
	return m ? jic_manifest_read(file.ptr, s->e->arena, m, err) : no_memory(err);
}

static bool read_test_project(struct sandbox *s, struct jic_error *err)
{
	struct jic_view file, dir = jic_view_resolve(s->e->arena, s->parent->project->dir, JIC_VIEW("test"));
	if (!jic_project_in_dir(dir, s->e->arena, &file))
		return !s->e->arena->failed || no_memory(err);
	struct jic_project *p = JIC_ARENA_NEW(s->e->arena, struct jic_project);
	s->test = p;
	return p ? jic_project_read(file.ptr, s->e->arena, p, err) && read_manifest(s, p, &s->test_manifest, err)
	         : no_memory(err);
}

/* ---- a member of the workspace */

enum { WORKSPACE_DEPTH_MAX = 32 };

static bool open_member(struct sandbox *s, struct jic_preferences *preferences, struct jic_error *err)
{
	struct jic_environment *e = s->e;
	struct jic_julia_version v = e->facts->version;
	struct jic_env *env = JIC_ARENA_NEW(e->arena, struct jic_env);
	const struct jic_project **projects = jic_arena_array(e->arena, WORKSPACE_DEPTH_MAX, sizeof(*projects));
	const struct jic_project *p = s->test;
	size_t count = 0;
	if (!env || !projects)
		return no_memory(err);
	*env = (struct jic_env){.path = p->file, .project = p, .manifest = s->test_manifest};
	while (p && count < WORKSPACE_DEPTH_MAX) {
		projects[count++] = p;
		if (!jic_load_path_workspace(e->facts, p, e->arena, &p, err))
			return false;
	}
	e->envs = env;
	e->count = 1;
	e->active_project = env->path;
	e->preference_projects = projects;
	e->preference_projects_count = count;
	return jic_preferences_open(projects, count, v.major, v.minor, e->arena, preferences, err);
}

/* ---- the project */

/* From 1.9 on what is in [weakdeps], too, is no dependency: Pkg's read_project. */
static bool is_dep(const struct sandbox *s, const struct jic_package *p, struct jic_view name)
{
	return !jic_julia_at_least(s->e->facts->version, 1, 9, 0) || !jic_deps_find(&p->weakdeps, name);
}

static void add_dep(struct jic_dep *to, size_t *count, const struct jic_dep *dep)
{
	const struct jic_deps all = {.items = to, .count = *count};
	if (!jic_deps_find(&all, dep->name))
		to[(*count)++] = *dep;
}

static void add_deps(const struct sandbox *s, const struct jic_package *p, struct jic_dep *to, size_t *count)
{
	for (size_t i = 0; i < p->deps.count; i++) {
		if (is_dep(s, p, p->deps.items[i].name))
			add_dep(to, count, &p->deps.items[i]);
	}
}

static const struct jic_dep *find_extra(const struct jic_project *p, struct jic_view name)
{
	const struct jic_dep *dep = jic_deps_find(&p->extras, name);
	dep = dep ? dep : jic_deps_find(&p->package.weakdeps, name);
	return dep ? dep : jic_deps_find(&p->package.deps, name);
}

static const struct jic_toml *test_names(const struct jic_project *p)
{
	return jic_toml_get(p->targets, "test");
}

static bool add_target(const struct jic_project *p, struct jic_dep *to, size_t *count, struct jic_error *err)
{
	const struct jic_toml *names = test_names(p);
	if (names && !jic_toml_is_array(names))
		return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: target test must be an array of names",
		                JIC_ARGv(p->file), names->line);
	for (const struct jic_toml *n = jic_toml_first(names); n; n = n->next) {
		const struct jic_dep *dep = jic_toml_is_string(n) ? find_extra(p, n->string) : NULL;
		if (!dep)
			return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: target test names what [extras] does not have",
			                JIC_ARGv(p->file), n->line);
		add_dep(to, count, dep);
	}
	return true;
}

static bool make_project(struct sandbox *s, struct jic_error *err)
{
	const struct jic_project *own = s->parent->project, *from = s->test ? s->test : own;
	const struct jic_dep self = {.name = own->package.name, .uuid = own->package.uuid};
	const struct jic_toml *names = s->test ? NULL : test_names(own);
	size_t count = 0, most = from->package.deps.count + (jic_toml_is_array(names) ? names->items.count : 0) + 1;
	struct jic_dep *deps = jic_arena_array(s->e->arena, most, sizeof(*deps));
	if (!deps)
		return no_memory(err);
	if (s->test)
		s->project = *s->test; /* with its [extras] and [weakdeps]: whom its preferences are for */
	s->project.file = from->file;
	s->project.dir = from->dir;
	s->project.package.name = (struct jic_view){0}; /* the sandbox is no package */
	s->project.package.uuid = (struct jic_uuid){0};
	add_dep(deps, &count, &self);
	add_deps(s, &from->package, deps, &count);
	if (!s->test && !add_target(own, deps, &count, err))
		return false;
	s->project.package.deps = (struct jic_deps){.items = deps, .count = count};
	return true;
}

/* ---- the manifest */

/* With the UUIDs that the names stand for where they were written: in the union a name may stand for two. */
static bool copy_deps(struct sandbox *s, const struct jic_manifest *m, struct jic_deps *deps)
{
	size_t same;
	struct jic_dep *copy = jic_arena_array(s->e->arena, deps->count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < deps->count; i++) {
		copy[i] = deps->items[i];
		const struct jic_package *p = jic_manifest_named(m, copy[i].name, &same);
		if (jic_uuid_is_nil(copy[i].uuid) && p)
			copy[i].uuid = p->uuid;
	}
	deps->items = copy;
	return copy != NULL;
}

static bool index_package(struct sandbox *s)
{
	const struct jic_package *p = &s->packages[s->manifest.count];
	const uint32_t i = (uint32_t)s->manifest.count++;
	return jic_lookup_add(&s->manifest.by_uuid, s->e->arena, jic_hash_uuid(p->uuid), i) &&
	       jic_lookup_add(&s->manifest.by_name, s->e->arena, jic_hash_name(p->name), i);
}

static bool add_packages(struct sandbox *s, const struct jic_manifest *m)
{
	for (size_t i = 0; m && i < m->count; i++) {
		struct jic_package *p = &s->packages[s->manifest.count];
		if (jic_uuid_is_nil(m->packages[i].uuid) || jic_manifest_find(&s->manifest, m->packages[i].uuid))
			continue;
		*p = m->packages[i];
		if (p->path.len)
			p->path = jic_view_resolve(s->e->arena, m->dir, p->path);
		if (!copy_deps(s, m, &p->deps) || !copy_deps(s, m, &p->weakdeps) || !index_package(s))
			return false;
	}
	return true;
}

/* The package under test, developed where it is. */
static bool add_self(struct sandbox *s)
{
	const struct jic_project *own = s->parent->project;
	struct jic_dep *deps = jic_arena_array(s->e->arena, own->package.deps.count + 1, sizeof(*deps));
	struct jic_package *p = &s->packages[s->manifest.count];
	size_t count = 0;
	if (!deps)
		return false;
	add_deps(s, &own->package, deps, &count);
	*p = own->package;
	p->deps = (struct jic_deps){.items = deps, .count = count};
	p->path = jic_view_resolve(s->e->arena, own->dir, JIC_VIEW("."));
	return index_package(s);
}

static bool make_manifest(struct sandbox *s, struct jic_error *err)
{
	const struct jic_manifest *own = s->parent->manifest, *more = s->test_manifest, *head = own ? own : more;
	size_t most = 1 + (own ? own->count : 0) + (more ? more->count : 0) + s->parent->project->package.deps.count;
	s->packages = jic_arena_array(s->e->arena, most, sizeof(*s->packages));
	s->manifest = (struct jic_manifest){
	    .file = head ? head->file : JIC_VIEW(""),
	    .dir = s->parent->project->dir,
	    .format_major = 2,
	    .julia_version = head ? head->julia_version : JIC_VIEW(""),
	    .packages = s->packages,
	};
	return (s->packages && add_self(s) && add_packages(s, own) && add_packages(s, more)) || no_memory(err);
}

/* ---- what is in no manifest */

static bool is_there(const struct sandbox *s, const struct jic_dep *dep)
{
	const struct jic_package_id id = {.name = dep->name, .uuid = dep->uuid};
	return jic_manifest_find(&s->manifest, dep->uuid) || jic_environment_stdlib(s->e, &id) ||
	       jic_facts_sysimage_module(s->e->facts, dep->name, dep->uuid);
}

/* A dependency of the package itself stays as an entry without source: what needs it can't be shared, and says so. */
static bool add_absent(struct sandbox *s, struct jic_error *err)
{
	const struct jic_deps deps = s->packages[0].deps;
	for (size_t i = 0; i < deps.count; i++) {
		if (is_there(s, &deps.items[i]))
			continue;
		s->packages[s->manifest.count] =
		    (struct jic_package){.name = deps.items[i].name, .uuid = deps.items[i].uuid};
		jic_warn(s->e, JIC_PRIv ":%u: " JIC_PRIv " is in no manifest: run Pkg.instantiate() or Pkg.resolve()",
		         JIC_ARGv(s->parent->path), deps.items[i].line, JIC_ARGv(deps.items[i].name));
		if (!index_package(s))
			return no_memory(err);
	}
	return true;
}

static bool drop_absent(struct sandbox *s, struct jic_error *err)
{
	struct jic_deps *deps = &s->project.package.deps;
	struct jic_dep *kept = jic_arena_array(s->e->arena, deps->count, sizeof(*kept));
	size_t count = 0;
	if (!kept)
		return no_memory(err);
	for (size_t i = 0; i < deps->count; i++) {
		if (is_there(s, &deps->items[i]))
			kept[count++] = deps->items[i];
		else
			jic_warn(s->e,
			         JIC_PRIv
			         ":%u: test dependency " JIC_PRIv " is in no manifest, so that its version is "
			         "not known before Pkg.test: add a test/Project.toml with a test/Manifest.toml",
			         JIC_ARGv(s->project.file), deps->items[i].line, JIC_ARGv(deps->items[i].name));
	}
	*deps = (struct jic_deps){.items = kept, .count = count};
	return true;
}

/* ---- preferences */

/*
 * Pkg writes what the active stack says, with test/ before it, into the sandbox as one file, by names. So a package has
 * preferences there only if the sandbox's project names it (get_uuid_name).
 */
static bool flatten_preferences(struct sandbox *s, struct jic_preferences *preferences, struct jic_error *err)
{
	const struct jic_julia_version v = s->e->facts->version;
	const struct jic_toml *merged = NULL;
	struct jic_preferences test;
	struct jic_preference_source *source = JIC_ARENA_NEW(s->e->arena, struct jic_preference_source);
	if (!source)
		return no_memory(err);
	if (!jic_preferences_flatten(preferences, s->e->arena, &merged, err) ||
	    !jic_preferences_open(&s->test, s->test != NULL, v.major, v.minor, s->e->arena, &test, err) ||
	    !jic_preferences_flatten(&test, s->e->arena, &merged, err))
		return false;
	s->project.preferences = NULL; /* they are in `merged` */
	*source = (struct jic_preference_source){.project = &s->project, .local = merged};
	preferences->sources = source;
	preferences->count = merged != NULL;
	return true;
}

/* ---- all of it */

static bool open_sandbox(struct sandbox *s, struct jic_preferences *preferences, struct jic_error *err)
{
	struct jic_environment *e = s->e;
	struct jic_env *env = JIC_ARENA_NEW(e->arena, struct jic_env);
	const struct jic_project **projects = JIC_ARENA_NEW(e->arena, const struct jic_project *);
	if (!env || !projects)
		return no_memory(err);
	if (!make_project(s, err) || !make_manifest(s, err) || !add_absent(s, err) || !drop_absent(s, err) ||
	    !flatten_preferences(s, preferences, err))
		return false;
	/* It goes by the name of the package's project: whose tests they are. */
	*env = (struct jic_env){.path = e->active_project, .project = &s->project, .manifest = &s->manifest};
	projects[0] = &s->project;
	e->envs = env;
	e->count = 1;
	e->preference_projects = projects;
	e->preference_projects_count = 1;
	return !e->arena->failed || no_memory(err);
}

bool jic_test_target_apply(struct jic_environment *e, struct jic_preferences *preferences, struct jic_error *err)
{
	const struct jic_project *root = NULL;
	struct sandbox *s = JIC_ARENA_NEW(e->arena, struct sandbox);
	if (!s)
		return no_memory(err);
	s->e = e;
	if (!find_package(s, err) || !read_test_project(s, err) ||
	    (s->test && !jic_load_path_workspace(e->facts, s->test, e->arena, &root, err)))
		return false;
	return root ? open_member(s, preferences, err) : open_sandbox(s, preferences, err);
}
