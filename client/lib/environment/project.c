#include "client/lib/environment/project.h"

#include "common/file.h"

static const char *const project_names[] = {"JuliaProject.toml", "Project.toml"};

bool jic_project_is_name(struct jic_view basename)
{
	for (size_t i = 0; i < JIC_COUNT(project_names); i++) {
		if (jic_view_is(basename, project_names[i]))
			return true;
	}
	return false;
}

bool jic_project_in_dir(struct jic_view dir, struct jic_arena *arena, struct jic_view *path)
{
	for (size_t i = 0; i < JIC_COUNT(project_names); i++) {
		struct jic_view candidate =
		    jic_arena_printf(arena, "%.*s/%s", (int)dir.len, dir.ptr ? dir.ptr : "", project_names[i]);
		if (candidate.len && jic_is_file(candidate.ptr)) {
			*path = candidate;
			return true;
		}
	}
	return false;
}

/* ---- reading */

static bool bad(struct jic_error *err, struct jic_view file, unsigned line, const char *key, const char *what)
{
	return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: %s: %s", JIC_ARGv(file), line, key, what);
}

bool jic_package_text(const struct jic_toml *table, const char *key, struct jic_view file, struct jic_view *out,
                      struct jic_error *err)
{
	const struct jic_toml *v = jic_toml_get(table, key);
	*out = JIC_VIEW("");
	if (!v)
		return true;
	if (!jic_toml_is_string(v))
		return bad(err, file, v->line, key, "must be a string");
	if (v->string.len && memchr(v->string.ptr, '\0', v->string.len))
		return bad(err, file, v->line, key, "must not contain NUL");
	*out = v->string;
	return true;
}

/* A name of a package or extension becomes part of paths. */
static bool is_name(struct jic_view name)
{
	return name.len && name.len <= 255 && name.ptr[0] != '.' && !memchr(name.ptr, '/', name.len) &&
	       !memchr(name.ptr, '\0', name.len);
}

static bool read_uuid(const struct jic_toml *v, struct jic_view file, const char *key, struct jic_uuid *out,
                      struct jic_error *err)
{
	if (!jic_toml_is_string(v) || !jic_uuid_parse(v->string, out))
		return bad(err, file, v->line, key, "must be a UUID");
	return true;
}

static bool read_dep(const struct jic_toml *v, bool named, struct jic_view file, struct jic_dep *out,
                     struct jic_error *err)
{
	out->line = v->line;
	if (!named && !jic_toml_is_string(v))
		return bad(err, file, v->line, "deps", "must be names");
	out->name = named ? v->key : v->string;
	if (!is_name(out->name))
		return bad(err, file, v->line, "deps", "has what can't be the name of a package");
	return !named || read_uuid(v, file, "deps", &out->uuid, err);
}

static bool read_deps(const struct jic_toml *table, const char *key, struct jic_view file, struct jic_arena *arena,
                      struct jic_deps *out, struct jic_error *err)
{
	const struct jic_toml *v = jic_toml_get(table, key);
	*out = (struct jic_deps){0};
	if (!v)
		return true;
	if (!jic_toml_is_table(v) && !jic_toml_is_array(v))
		return bad(err, file, v->line, key, "must be a table or an array");
	struct jic_dep *deps = jic_arena_array(arena, v->items.count, sizeof(*deps));
	if (!deps)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*out = (struct jic_deps){.items = deps, .count = v->items.count};
	for (const struct jic_toml *e = jic_toml_first(v); e; e = e->next, deps++) {
		if (!read_dep(e, jic_toml_is_table(v), file, deps, err))
			return false;
	}
	return true;
}

static bool read_texts(const struct jic_toml *v, const char *key, struct jic_view file, struct jic_arena *arena,
                       const struct jic_view **out, size_t *count, struct jic_error *err)
{
	bool one = jic_toml_is_string(v);
	if (!one && !jic_toml_is_array(v))
		return bad(err, file, v->line, key, "must be a string or an array of strings");
	*count = one ? 1 : v->items.count;
	struct jic_view *texts = jic_arena_array(arena, *count, sizeof(*texts));
	*out = texts;
	if (!texts)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (one)
		texts[0] = v->string;
	for (const struct jic_toml *e = jic_toml_first(v); !one && e; e = e->next) {
		if (!jic_toml_is_string(e))
			return bad(err, file, e->line, key, "must be strings");
		*texts++ = e->string;
	}
	return true;
}

static bool read_extensions(const struct jic_toml *table, struct jic_view file, struct jic_arena *arena,
                            struct jic_extensions *out, struct jic_error *err)
{
	const struct jic_toml *v = jic_toml_get(table, "extensions");
	*out = (struct jic_extensions){0};
	if (!v)
		return true;
	if (!jic_toml_is_table(v))
		return bad(err, file, v->line, "extensions", "must be a table");
	struct jic_extension *ext = jic_arena_array(arena, v->items.count, sizeof(*ext));
	if (!ext)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*out = (struct jic_extensions){.items = ext, .count = v->items.count};
	for (const struct jic_toml *e = jic_toml_first(v); e; e = e->next, ext++) {
		ext->name = e->key;
		if (!is_name(ext->name))
			return bad(err, file, e->line, "extensions", "has what can't be a name");
		if (!read_texts(e, "extensions", file, arena, &ext->triggers, &ext->triggers_count, err))
			return false;
	}
	return true;
}

bool jic_package_read(const struct jic_toml *table, struct jic_view file, struct jic_arena *arena,
                      struct jic_package *out, struct jic_error *err)
{
	*out = (struct jic_package){.line = table->line};
	const struct jic_toml *uuid = jic_toml_get(table, "uuid");
	return (!uuid || read_uuid(uuid, file, "uuid", &out->uuid, err)) &&
	       jic_package_text(table, "version", file, &out->version, err) &&
	       jic_package_text(table, "path", file, &out->path, err) &&
	       jic_package_text(table, "entryfile", file, &out->entryfile, err) &&
	       read_deps(table, "deps", file, arena, &out->deps, err) &&
	       read_deps(table, "weakdeps", file, arena, &out->weakdeps, err) &&
	       read_extensions(table, file, arena, &out->extensions, err);
}

static bool read_workspace(const struct jic_toml *root, struct jic_arena *arena, struct jic_project *out,
                           struct jic_error *err)
{
	const struct jic_toml *projects = jic_toml_get(jic_toml_get(root, "workspace"), "projects");
	return !projects ||
	       read_texts(projects, "workspace", out->file, arena, &out->workspace, &out->workspace_count, err);
}

static bool read_preferences(const struct jic_toml *root, struct jic_project *out, struct jic_error *err)
{
	out->preferences = jic_toml_get(root, "preferences");
	if (out->preferences && !jic_toml_is_table(out->preferences))
		return bad(err, out->file, out->preferences->line, "preferences", "must be a table");
	return true;
}

bool jic_project_parse(struct jic_view text, struct jic_view file, struct jic_arena *arena, struct jic_project *out,
                       struct jic_error *err)
{
	*out = (struct jic_project){.file = file, .dir = jic_view_dirname(file)};
	jic_autofree char *what = jic_strdup_view(file);
	const struct jic_toml *root = jic_toml_parse(arena, text, what ? what : "", err);
	if (!root || !jic_package_read(root, file, arena, &out->package, err) ||
	    !jic_package_text(root, "name", file, &out->package.name, err) ||
	    !jic_package_text(root, "manifest", file, &out->manifest, err) ||
	    !read_deps(root, "extras", file, arena, &out->extras, err))
		return false;
	if (out->package.name.len && !is_name(out->package.name))
		return bad(err, file, jic_toml_get(root, "name")->line, "name", "can't be the name of a package");
	out->targets = jic_toml_get(root, "targets");
	return read_preferences(root, out, err) && read_workspace(root, arena, out, err);
}

bool jic_project_read(const char *path, struct jic_arena *arena, struct jic_project *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(path, JIC_PROJECT_BYTES_MAX, &text, err))
		return false;
	struct jic_view copy = jic_arena_copy(arena, jic_buf_view(&text));
	struct jic_view file = jic_arena_copy(arena, jic_view_of(path));
	if (arena->failed)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return jic_project_parse(copy, file, arena, out, err);
}

const struct jic_dep *jic_deps_find(const struct jic_deps *deps, struct jic_view name)
{
	for (size_t i = 0; i < deps->count; i++) {
		if (jic_view_eq(deps->items[i].name, name))
			return &deps->items[i];
	}
	return NULL;
}
