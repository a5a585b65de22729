#include "client/lib/environment/environment.h"

#include "client/lib/environment/load_path.h"
#include "common/file.h"

#include <stdarg.h>

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

void jic_warn(struct jic_environment *e, const char *format, ...)
{
	char text[JIC_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct jic_warning *w = JIC_ARENA_NEW(e->arena, struct jic_warning);
	if (!w)
		return;
	w->text = jic_arena_copy(e->arena, jic_view_of(text));
	if (e->warnings->last)
		e->warnings->last->next = w;
	else
		e->warnings->first = w;
	e->warnings->last = w;
	e->warnings->count++;
}

/* ---- package directories */

/* One package of a directory as Julia finds it by name; false when there is none (entry_point_and_project_file). */
static bool read_dir_package(const struct jic_facts *f, struct jic_view dir, struct jic_view name,
                             struct jic_arena *arena, struct jic_dir_package *out)
{
	const char *const suffixes[] = {"", ".jl"};
	struct jic_view bare = jic_arena_printf(arena, JIC_PRIv "/" JIC_PRIv ".jl", JIC_ARGv(dir), JIC_ARGv(name)),
			file;
	bool bare_last = jic_julia_at_least(f->version, 1, 12, 0), has_bare = bare.len && jic_is_file(bare.ptr);
	*out = (struct jic_dir_package){.package.name = name};
	for (size_t i = 0; i < JIC_COUNT(suffixes) && (bare_last || !has_bare); i++) {
		struct jic_view root =
		    jic_arena_printf(arena, JIC_PRIv "/" JIC_PRIv "%s", JIC_ARGv(dir), JIC_ARGv(name), suffixes[i]);
		struct jic_view entry = jic_arena_printf(arena, "%s/src/" JIC_PRIv ".jl", root.ptr, JIC_ARGv(name));
		if (arena->failed || !jic_is_file(entry.ptr))
			continue;
		struct jic_project project;
		if (jic_project_in_dir(root, arena, &file) && jic_project_read(file.ptr, arena, &project, NULL)) {
			out->package = project.package;
			out->package.name = name;
		}
		out->root = root;
		out->entry_file = entry;
		return true;
	}
	out->root = dir;
	out->entry_file = bare;
	return has_bare;
}

struct listing {
	const struct jic_facts *facts;
	struct jic_env *env;
	struct jic_arena *arena;
	struct jic_dir_package *packages;
	size_t room, seen;
	struct jic_lookup by_name; /* "A" and "A.jl" are one package */
};

static bool is_listed(const struct listing *l, struct jic_view name)
{
	size_t cursor = 0;
	uint32_t i;
	while (jic_lookup_next(&l->by_name, jic_hash_name(name), &cursor, &i)) {
		if (jic_view_eq(l->packages[i].package.name, name))
			return true;
	}
	return false;
}

static bool append_package(struct listing *l, const struct jic_dir_package *p)
{
	size_t count = l->env->packages_count;
	if (count == l->room) {
		struct jic_dir_package *more = jic_arena_array(l->arena, l->room * 2 + 16, sizeof(*more));
		if (!more)
			return false;
		if (count)
			memcpy(more, l->packages, count * sizeof(*more));
		l->packages = more;
		l->room = l->room * 2 + 16;
	}
	l->packages[l->env->packages_count++] = *p;
	return jic_lookup_add(&l->by_name, l->arena, jic_hash_name(p->package.name), (uint32_t)count);
}

static bool list_package(void *context, int dirfd, const char *entry, struct jic_error *err)
{
	struct listing *l = context;
	struct jic_dir_package p;
	(void)dirfd;
	if (++l->seen > JIC_ENVIRONMENT_DIR_ENTRIES_MAX)
		return jic_fail(err, JIC_ELIMIT, "more than %d entries", JIC_ENVIRONMENT_DIR_ENTRIES_MAX);
	struct jic_view name = jic_view_of(entry);
	if (entry[0] == '.')
		return true;
	if (jic_view_ends(name, JIC_VIEW(".jl")))
		name.len -= 3;
	name = jic_arena_copy(l->arena, name);
	if (l->arena->failed)
		return no_memory(err);
	if (is_listed(l, name) || !read_dir_package(l->facts, l->env->path, name, l->arena, &p))
		return true;
	return append_package(l, &p) || no_memory(err);
}

static bool read_directory(const struct jic_facts *f, struct jic_env *env, struct jic_arena *arena,
                           struct jic_error *err)
{
	struct jic_view stdlib = jic_view_resolve(arena, JIC_VIEW(""), f->stdlib_dir);
	env->is_stdlib = jic_view_eq(env->path, stdlib) || jic_view_eq(env->path, f->stdlib_dir);
	if (env->is_stdlib)
		return true;
	struct listing l = {.facts = f, .env = env, .arena = arena};
	if (!jic_dir_each(env->path.ptr, list_package, &l, err))
		return jic_wrap(err, "%s", env->path.ptr);
	env->packages = l.packages;
	return true;
}

/* ---- explicit environments */

static bool read_explicit(const struct jic_facts *f, struct jic_env *env, struct jic_arena *arena,
                          struct jic_error *err)
{
	struct jic_project *project = JIC_ARENA_NEW(arena, struct jic_project);
	struct jic_manifest *manifest = JIC_ARENA_NEW(arena, struct jic_manifest);
	struct jic_view file;
	if (!project || !manifest)
		return no_memory(err);
	if (!jic_project_read(env->path.ptr, arena, project, err) ||
	    !jic_load_path_manifest(f, project, arena, &file, err))
		return false;
	if (file.len) {
		if (!jic_manifest_read(file.ptr, arena, manifest, err))
			return false;
		if (manifest->format_major > 1 && !jic_julia_at_least(f->version, 1, 6, 2))
			return jic_fail(err, JIC_EFORMAT, "%s: this Julia does not read manifests of format 2",
			                file.ptr);
		env->manifest = manifest;
	}
	env->project = project;
	return true;
}

/* @return false: could not be read; otherwise env->path is empty when there is nothing at that path */
static bool read_environment(const struct jic_facts *f, struct jic_view path, struct jic_arena *arena,
                             struct jic_env *env, struct jic_error *err)
{
	*env = (struct jic_env){.path = path};
	if (jic_is_dir(path.ptr))
		return read_directory(f, env, arena, err);
	if (jic_project_is_name(jic_view_basename(path)) && jic_is_file(path.ptr))
		return read_explicit(f, env, arena, err);
	env->path.len = 0;
	return true;
}

static bool is_known(const struct jic_env *envs, size_t count, struct jic_view path)
{
	for (size_t i = 0; i < count; i++) {
		if (jic_view_eq(envs[i].path, path))
			return true;
	}
	return false;
}

static bool read_stack(struct jic_environment *e, struct jic_view active, struct jic_error *err)
{
	const struct jic_facts *f = e->facts;
	struct jic_env *envs = jic_arena_array(e->arena, f->load_path_count + 1, sizeof(*envs));
	if (!envs)
		return no_memory(err);
	e->envs = envs;
	for (size_t i = 0; i < f->load_path_count; i++) {
		struct jic_view path = jic_load_path_expand(f, f->load_path[i], active, e->arena);
		if (e->arena->failed)
			return no_memory(err);
		if (!path.len || is_known(envs, e->count, path))
			continue;
		struct jic_error local;
		if (!read_environment(f, path, e->arena, &envs[e->count], &local)) {
			if (!e->count) {
				if (err)
					*err = local;
				return false;
			}
			jic_warn(e, "environment left out: %s", local.text);
		} else if (envs[e->count].path.len) {
			e->count++;
		}
	}
	return true;
}

enum { ANCESTORS_MAX = 32 };

static bool list_preference_projects(struct jic_environment *e, struct jic_error *err)
{
	const struct jic_project **projects =
	    jic_arena_array(e->arena, e->count + ANCESTORS_MAX + 1, sizeof(*projects));
	if (!projects)
		return no_memory(err);
	size_t count = 0;
	for (size_t i = 0; i < e->count; i++) {
		const struct jic_project *p = e->envs[i].project;
		/* Only the first environment's workspace counts (get_projects_workspace_to_root). */
		for (unsigned depth = 0; p && depth < ANCESTORS_MAX; depth++) {
			projects[count++] = p;
			if (i > 0)
				break;
			if (!jic_load_path_workspace(e->facts, p, e->arena, &p, err))
				return false;
		}
	}
	e->preference_projects = projects;
	e->preference_projects_count = count;
	return true;
}

bool jic_environment_open(const struct jic_facts *facts, const char *project, struct jic_arena *arena,
                          struct jic_environment *out, struct jic_error *err)
{
	*out = (struct jic_environment){.facts = facts, .arena = arena};
	out->warnings = JIC_ARENA_NEW(arena, struct jic_warnings);
	out->stdlibs = JIC_ARENA_NEW(arena, struct jic_stdlibs);
	struct jic_view active = project ? jic_load_path_project(facts, project, arena) : JIC_VIEW("");
	if (!out->warnings || !out->stdlibs || arena->failed)
		return no_memory(err);
	if (project && project[0] && !(active.len && jic_is_file(active.ptr)))
		return jic_fail(err, JIC_ENOTFOUND, "%s: there is no project", active.len ? active.ptr : project);
	out->active_project = jic_load_path_active(facts, active, arena);
	return read_stack(out, active, err) && list_preference_projects(out, err);
}

/* ---- stdlibs, by name */

const struct jic_dir_package *jic_environment_stdlib_named(const struct jic_environment *e, struct jic_view name)
{
	struct jic_stdlibs *s = e->stdlibs;
	size_t cursor = 0;
	uint32_t i, hash = jic_hash_name(name);
	while (jic_lookup_next(&s->by_name, hash, &cursor, &i)) {
		if (jic_view_eq(s->items[i].package.name, name))
			return s->items[i].entry_file.len ? &s->items[i] : NULL;
	}
	bool room = s->count < JIC_COUNT(s->items);
	struct jic_dir_package *p = room ? &s->items[s->count] : JIC_ARENA_NEW(e->arena, struct jic_dir_package);
	if (!p)
		return NULL;
	if (!name.len || !read_dir_package(e->facts, e->facts->stdlib_dir, name, e->arena, p))
		*p = (struct jic_dir_package){.package.name = name};
	if (room && jic_lookup_add(&s->by_name, e->arena, hash, (uint32_t)s->count))
		s->count++;
	return p->entry_file.len ? p : NULL;
}

const struct jic_dir_package *jic_environment_stdlib(const struct jic_environment *e, const struct jic_package_id *id)
{
	const struct jic_dir_package *p = jic_environment_stdlib_named(e, id->name);
	return p && jic_uuid_eq(p->package.uuid, id->uuid) ? p : NULL;
}
