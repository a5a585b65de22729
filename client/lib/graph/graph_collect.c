/*
 * Which nodes there are: what can be imported from Main (each environment's own package, the dependencies of its
 * project, the packages of a directory), what these depend on, and the extensions whose parent and triggers are all
 * there. A UUID is one node, as its first environment describes it.
 *
 * A manifest has more: what only modules of the system image depend on, other members' packages in a workspace. No
 * import leads there, so `using` would never compile it. Of a project that names nothing (the root of a workspace,
 * often) all of the manifest counts.
 */
#include "client/lib/graph/graph_build.h"

#include "client/lib/julia/julia_hash.h"

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool find_draft(const struct jic_builder *b, struct jic_uuid uuid, uint32_t *index)
{
	size_t cursor = 0;
	while (jic_lookup_next(&b->by_uuid, jic_hash_uuid(uuid), &cursor, index)) {
		if (jic_uuid_eq(b->drafts[*index].id.uuid, uuid))
			return true;
	}
	return false;
}

static bool append(struct jic_builder *b, const struct jic_draft *draft, uint32_t *index, struct jic_error *err)
{
	if (b->count == JIC_GRAPH_NODES_MAX)
		return jic_fail(err, JIC_ELIMIT, "the environment has more than %d packages", JIC_GRAPH_NODES_MAX);
	if (b->count == b->room) {
		size_t room = b->room ? b->room * 2 : 256;
		struct jic_draft *more = reallocarray(b->drafts, room, sizeof(*more));
		if (!more)
			return no_memory(err);
		b->drafts = more;
		b->room = room;
	}
	*index = (uint32_t)b->count;
	b->drafts[b->count++] = *draft;
	bool nil = jic_uuid_is_nil(draft->id.uuid);
	return nil || jic_lookup_add(&b->by_uuid, b->arena, jic_hash_uuid(draft->id.uuid), *index) || no_memory(err);
}

enum outcome { ADDED, ABSENT, FAILED };

/* The draft of a package, made when there is none yet. ABSENT: neither an environment nor the system image has it. */
static enum outcome add_package(struct jic_builder *b, const struct jic_package_id *id, uint32_t *index,
                                struct jic_error *err)
{
	struct jic_draft draft = {.id = *id};
	if (find_draft(b, id->uuid, index))
		return ADDED;
	draft.in_sysimage = jic_facts_sysimage_module(b->facts, id->name, id->uuid) != NULL;
	if (!jic_environment_find(&b->env, id, &draft.found))
		draft.found = (struct jic_found){0};
	if (!draft.found.package && !draft.in_sysimage)
		return ABSENT;
	return append(b, &draft, index, err) ? ADDED : FAILED;
}

/* Packages without a UUID can be loaded, but have no identity that others could share. */
static bool add_nameless(struct jic_builder *b, const struct jic_found *found, struct jic_error *err)
{
	uint32_t index;
	struct jic_draft draft = {
	    .id.name = found->package->name,
	    .found = *found,
	    .trouble = JIC_VIEW("the package has no UUID"),
	};
	return append(b, &draft, &index, err);
}

static bool add_found(struct jic_builder *b, const struct jic_found *found, struct jic_error *err)
{
	uint32_t index;
	const struct jic_package_id id = {.name = found->package->name, .uuid = found->package->uuid};
	if (jic_uuid_is_nil(id.uuid))
		return add_nameless(b, found, err);
	return add_package(b, &id, &index, err) != FAILED;
}

/* What a project names; when no environment has it, warn_of_missing() says so. */
static bool add_named(struct jic_builder *b, const struct jic_dep *dep, struct jic_error *err)
{
	uint32_t index;
	const struct jic_package_id id = {.name = dep->name, .uuid = dep->uuid};
	return add_package(b, &id, &index, err) != FAILED;
}

/* All that the manifest has. Julia, too, ignores an entry without UUID. */
static bool add_manifest(struct jic_builder *b, const struct jic_env *env, struct jic_error *err)
{
	struct jic_found found = {.env = env, .in = JIC_FOUND_MANIFEST};
	for (size_t i = 0; env->manifest && i < env->manifest->count; i++) {
		found.package = &env->manifest->packages[i];
		if (!jic_uuid_is_nil(found.package->uuid) && !add_found(b, &found, err))
			return false;
	}
	return true;
}

static bool add_project(struct jic_builder *b, const struct jic_env *env, struct jic_error *err)
{
	const struct jic_found found = {.env = env, .in = JIC_FOUND_PROJECT, .package = &env->project->package};
	const struct jic_deps *deps = &env->project->package.deps;
	if (found.package->name.len && !add_found(b, &found, err))
		return false;
	for (size_t i = 0; i < deps->count; i++) {
		if (!jic_uuid_is_nil(deps->items[i].uuid) && !add_named(b, &deps->items[i], err))
			return false;
	}
	return deps->count || add_manifest(b, env, err);
}

static bool add_environment(struct jic_builder *b, const struct jic_env *env, struct jic_error *err)
{
	struct jic_found found = {.env = env, .in = JIC_FOUND_DIRECTORY};
	if (env->project && !add_project(b, env, err))
		return false;
	for (size_t i = 0; i < env->packages_count; i++) {
		found.dir = &env->packages[i];
		found.package = &found.dir->package;
		if (!add_found(b, &found, err))
			return false;
	}
	return true;
}

/* ---- dependencies */

/* The active environment must be sound. Of others Julia may never read the bad part: only what needs it is not shared.
 */
static bool trouble(struct jic_builder *b, uint32_t index, const struct jic_error *why, struct jic_error *err)
{
	struct jic_draft *d = &b->drafts[index];
	if (d->found.env && d->found.env != &b->env.envs[0] && why->code != JIC_EMEMORY && why->code != JIC_ELIMIT) {
		d->trouble = jic_arena_copy(b->arena, jic_view_of(why->text));
		jic_warn(&b->env, "%s", why->text);
		return true;
	}
	if (err)
		*err = *why;
	return false;
}

static bool resolve_dep(struct jic_builder *b, uint32_t index, const struct jic_dep *dep, struct jic_error *err)
{
	struct jic_draft *d = &b->drafts[index];
	const struct jic_found *found = &d->found;
	struct jic_package_id id;
	struct jic_error why;
	uint32_t target = 0;
	if (!jic_environment_dep(found, dep, &id, &why))
		return trouble(b, index, &why, err);
	switch (add_package(b, &id, &target, err)) {
	case FAILED:
		return false;
	case ADDED:
		d = &b->drafts[index]; /* the array may have moved */
		d->deps[d->deps_count++] = target;
		return true;
	case ABSENT:
		break;
	}
	const struct jic_env *env = found->env;
	struct jic_view file = env && env->manifest ? env->manifest->file : env ? env->path : found->dir->root;
	jic_fail(&why, JIC_EFORMAT, JIC_PRIv ":%u: " JIC_PRIv " depends on " JIC_PRIv ", which no environment has",
	         JIC_ARGv(file), dep->line, JIC_ARGv(found->package->name), JIC_ARGv(id.name));
	/* What only the project itself names is missing when somebody imports it, not before: warned of elsewhere. */
	if (found->in == JIC_FOUND_PROJECT) {
		d->trouble = jic_arena_copy(b->arena, jic_view_of(why.text));
		return true;
	}
	return trouble(b, index, &why, err);
}

/* Part of the standard library of this Julia, as far as its manifest entry says. */
static bool is_stdlib(const struct jic_builder *b, const struct jic_dep *dep)
{
	struct jic_found found;
	const struct jic_package_id id = {.name = dep->name, .uuid = dep->uuid};
	if (jic_facts_sysimage_module(b->facts, id.name, id.uuid))
		return true;
	return jic_environment_find(&b->env, &id, &found) && !found.package->path.len && !found.package->tree_hash.len;
}

/*
 * What this Julia's stdlib itself says counts more than a manifest of another Julia. Only edges inside of the standard
 * library are taken, which has no cycles; one back into the manifest's packages could close a circle that nobody loads.
 */
static bool resolve_deps(struct jic_builder *b, uint32_t index, struct jic_error *err)
{
	struct jic_draft *d = &b->drafts[index];
	if (d->in_sysimage || jic_uuid_is_nil(d->id.uuid))
		return true;
	const struct jic_deps own = jic_environment_stdlib_deps(&b->env, &d->found);
	const struct jic_deps *deps = own.count ? &own : &d->found.package->deps;
	d->deps = jic_arena_array(b->arena, deps->count + 1, sizeof(*d->deps));
	if (!d->deps)
		return no_memory(err);
	for (size_t i = 0; i < deps->count; i++) {
		if ((!own.count || is_stdlib(b, &deps->items[i])) && !resolve_dep(b, index, &deps->items[i], err))
			return false;
	}
	return true;
}

/* ---- extensions */

/*
 * A stdlib that nothing depends on, but that anybody can import through "@stdlib": with it extensions are loaded, too.
 * Nobody misses it, nor what it brings.
 */
static bool add_stdlib(struct jic_builder *b, const struct jic_package_id *id, uint32_t *index, struct jic_error *err)
{
	struct jic_package_id imported;
	size_t first = b->count;
	if (!jic_environment_identify(&b->env, NULL, id->name, &imported) || !jic_uuid_eq(imported.uuid, id->uuid) ||
	    add_package(b, id, index, err) != ADDED)
		return false;
	for (size_t i = first; i < b->count; i++) {
		b->drafts[i].optional = true;
		if (!resolve_deps(b, (uint32_t)i, err))
			return false;
	}
	return true;
}

/* A trigger is a weak dependency; from 1.11.1 on any dependency (base/loading.jl:insert_extension_triggers). */
static bool find_trigger(struct jic_builder *b, const struct jic_found *parent, struct jic_view name, uint32_t *index,
                         struct jic_error *err)
{
	struct jic_package_id id;
	const struct jic_package *p = parent->package;
	const struct jic_dep *dep = jic_deps_find(&p->weakdeps, name);
	if (!dep && jic_julia_at_least(b->facts->version, 1, 11, 1))
		dep = jic_deps_find(&p->deps, name);
	if (!dep || !jic_environment_dep(parent, dep, &id, NULL))
		return false;
	if (find_draft(b, id.uuid, index))
		return true;
	if (jic_facts_sysimage_module(b->facts, id.name, id.uuid))
		return add_package(b, &id, index, err) == ADDED;
	return add_stdlib(b, &id, index, err);
}

static bool has_dep(const struct jic_draft *d, uint32_t index)
{
	for (size_t i = 0; i < d->deps_count; i++) {
		if (d->deps[i] == index)
			return true;
	}
	return false;
}

static bool add_extension(struct jic_builder *b, uint32_t parent, const struct jic_extension *x, struct jic_error *err)
{
	const struct jic_found found = b->drafts[parent].found;
	uint32_t index;
	struct jic_draft draft = {
	    .id = {.name = x->name, .uuid = jic_julia_uuid5(found.package->uuid, x->name)},
	    .found = found,
	    .extension = x,
	    .deps = jic_arena_array(b->arena, x->triggers_count + 1, sizeof(*draft.deps)),
	};
	if (!draft.deps)
		return no_memory(err);
	draft.in_sysimage = jic_facts_sysimage_module(b->facts, draft.id.name, draft.id.uuid) != NULL;
	draft.deps[draft.deps_count++] = parent;
	draft.optional = b->drafts[parent].optional;
	for (size_t i = 0; i < x->triggers_count; i++) {
		if (!find_trigger(b, &found, x->triggers[i], &index, err))
			return true; /* can't be loaded in this environment */
		draft.optional |= b->drafts[index].optional;
		if (!has_dep(&draft, index))
			draft.deps[draft.deps_count++] = index;
	}
	return find_draft(b, draft.id.uuid, &index) || append(b, &draft, &index, err);
}

static bool add_extensions(struct jic_builder *b, struct jic_error *err)
{
	for (uint32_t i = 0; i < b->count; i++) {
		const struct jic_draft *d = &b->drafts[i];
		if (d->extension || !d->found.package || jic_uuid_is_nil(d->id.uuid))
			continue;
		const struct jic_extensions *extensions = &d->found.package->extensions;
		for (size_t x = 0; x < extensions->count; x++) {
			if (!add_extension(b, i, &extensions->items[x], err))
				return false;
		}
	}
	return true;
}

/* The active project's own dependencies are what people will import: say so when one is not there. */
static void warn_of_missing(struct jic_builder *b)
{
	const struct jic_project *p = b->env.count ? b->env.envs[0].project : NULL;
	for (size_t i = 0; p && i < p->package.deps.count; i++) {
		const struct jic_dep *dep = &p->package.deps.items[i];
		uint32_t index;
		struct jic_found found;
		const struct jic_package_id id = {.name = dep->name, .uuid = dep->uuid};
		if (!find_draft(b, id.uuid, &index) && !jic_facts_sysimage_module(b->facts, id.name, id.uuid) &&
		    !jic_environment_find(&b->env, &id, &found))
			jic_warn(&b->env, JIC_PRIv ":%u: " JIC_PRIv " is in no manifest", JIC_ARGv(p->file), dep->line,
			         JIC_ARGv(dep->name));
	}
}

bool jic_graph_collect(struct jic_builder *b, struct jic_error *err)
{
	for (size_t i = 0; i < b->env.count; i++) {
		if (!add_environment(b, &b->env.envs[i], err))
			return false;
	}
	for (uint32_t i = 0; i < b->count; i++) { /* grows while we go: dependencies have dependencies */
		if (!resolve_deps(b, i, err))
			return false;
	}
	warn_of_missing(b);
	return !jic_julia_at_least(b->facts->version, 1, 9, 0) || add_extensions(b, err);
}
