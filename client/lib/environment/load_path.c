#include "client/lib/environment/load_path.h"

#include "common/file.h"

#include <unistd.h>

static const struct jic_view NONE = {.ptr = "", .len = 0};

static struct jic_view home_dir(struct jic_arena *arena)
{
	const char *home = getenv("HOME");
	return home && home[0] == '/' ? jic_view_resolve(arena, NONE, jic_view_of(home)) : NONE;
}

static struct jic_view current_dir(struct jic_arena *arena)
{
	jic_autofree char *cwd = jic_path_absolute(".");
	return cwd ? jic_view_resolve(arena, NONE, jic_view_of(cwd)) : NONE;
}

/* current_project(dir): upwards, not beyond the home directory. A relative path is walked up as it is spelled, so that
 * the current directory is the last one. */
static struct jic_view project_upwards(struct jic_view dir, struct jic_arena *arena)
{
	struct jic_view current = current_dir(arena), home = home_dir(arena), file;
	for (struct jic_view up; current.len; dir = up) {
		if (jic_project_in_dir(jic_view_resolve(arena, current, dir), arena, &file))
			return file;
		up = jic_view_dirname(dir);
		if (jic_view_eq(dir, home) || up.len == dir.len)
			break;
	}
	return NONE;
}

/* "@v#.#" → "v1.11": each "#" in turn is the next number of the version. */
static struct jic_view environment_name(const struct jic_facts *f, struct jic_view entry, struct jic_arena *arena)
{
	const unsigned numbers[] = {f->version.major, f->version.minor, f->version.patch};
	JIC_CLEAR(jic_buf) struct jic_buf name = {0};
	size_t used = 0;
	for (size_t i = 1; i < entry.len; i++) {
		if (entry.ptr[i] == '#' && used < JIC_COUNT(numbers))
			jic_buf_printf(&name, "%u", numbers[used++]);
		else
			jic_buf_putc(&name, entry.ptr[i]);
	}
	return name.failed ? NONE : jic_arena_copy(arena, jic_buf_view(&name));
}

static struct jic_view named_environment(const struct jic_facts *f, struct jic_view entry, struct jic_arena *arena)
{
	struct jic_view name = environment_name(f, entry, arena), file;
	if (!name.len || !f->depot_path_count)
		return NONE;
	for (size_t i = 0; i < f->depot_path_count; i++) {
		struct jic_view dir = jic_arena_printf(arena, JIC_PRIv "/environments/" JIC_PRIv,
		                                       JIC_ARGv(f->depot_path[i]), JIC_ARGv(name));
		if (jic_project_in_dir(dir, arena, &file))
			return jic_view_resolve(arena, NONE, file);
	}
	return jic_arena_printf(arena, JIC_PRIv "/environments/" JIC_PRIv "/Project.toml", JIC_ARGv(f->depot_path[0]),
	                        JIC_ARGv(name));
}

bool jic_load_path_is_script(const struct jic_facts *f, struct jic_view entry)
{
	return jic_view_starts(entry, JIC_VIEW("@script")) && jic_julia_at_least(f->version, 1, 11, 0);
}

struct jic_view jic_load_path_script(const struct jic_facts *f, struct jic_view entry, const char *script,
                                     struct jic_arena *arena)
{
	struct jic_view tail = jic_view_skip(entry, strlen("@script")), file;
	struct jic_view dir =
	    jic_arena_printf(arena, JIC_PRIv JIC_PRIv, JIC_ARGv(jic_view_dirname(jic_view_of(script))), JIC_ARGv(tail));
	if (!tail.len || jic_julia_at_least(f->version, 1, 12, 0))
		return project_upwards(dir, arena);
	struct jic_view path = jic_view_resolve(arena, current_dir(arena), dir);
	return jic_project_in_dir(path, arena, &file) ? file : path;
}

struct jic_view jic_load_path_expand(const struct jic_facts *f, struct jic_view entry, struct jic_view active,
                                     struct jic_arena *arena)
{
	if (jic_view_is(entry, "@"))
		return active;
	if (jic_view_is(entry, "@."))
		return project_upwards(current_dir(arena), arena);
	if (jic_view_is(entry, "@stdlib"))
		return f->stdlib_dir;
	/* The program file is not known here; "@temp" is a fresh directory */
	if (jic_load_path_is_script(f, entry) ||
	    (jic_view_is(entry, "@temp") && jic_julia_at_least(f->version, 1, 12, 0)))
		return NONE;
	if (entry.len && entry.ptr[0] == '@')
		return named_environment(f, entry, arena);
	struct jic_view path = jic_view_resolve(arena, current_dir(arena), entry), file;
	return jic_is_dir(path.ptr) && jic_project_in_dir(path, arena, &file) ? file : path;
}

/* active_project(): what is no file and not called like a project is a directory that could hold one. */
static struct jic_view as_project_file(struct jic_view path, struct jic_arena *arena)
{
	if (!path.len || jic_is_file(path.ptr) || jic_project_is_name(jic_view_basename(path)))
		return path;
	return jic_view_resolve(arena, path, JIC_VIEW("Project.toml"));
}

struct jic_view jic_load_path_project(const struct jic_facts *f, const char *text, struct jic_arena *arena)
{
	struct jic_view t = jic_view_of(text);
	const char *home = getenv("HOME");
	bool named = t.len && t.ptr[0] == '@' && (jic_view_is(t, "@.") || jic_julia_at_least(f->version, 1, 7, 0));
	if (!t.len)
		return NONE;
	if (home && t.ptr[0] == '~' && (t.len == 1 || t.ptr[1] == '/'))
		t = jic_arena_printf(arena, "%s%s", home, text + 1);
	if (!named)
		t = jic_view_resolve(arena, current_dir(arena), t); /* so that "@name" is a file name in 1.5 and 1.6 */
	return as_project_file(jic_load_path_expand(f, t, NONE, arena), arena);
}

struct jic_view jic_load_path_active(const struct jic_facts *f, struct jic_view active, struct jic_arena *arena)
{
	for (size_t i = 0; !active.len && i < f->load_path_count; i++) {
		struct jic_view path = jic_load_path_expand(f, f->load_path[i], NONE, arena);
		if (!path.len)
			continue;
		if (jic_is_file(path.ptr) ||
		    (access(path.ptr, F_OK) != 0 && jic_project_is_name(jic_view_basename(path))))
			active = path;
	}
	return active;
}

/* ---- manifest */

static bool is_member(const struct jic_project *root, struct jic_view dir, struct jic_arena *arena)
{
	struct stat member, st;
	if (stat(dir.ptr, &member) != 0)
		return false;
	for (size_t i = 0; i < root->workspace_count; i++) {
		struct jic_view path = jic_view_resolve(arena, root->dir, root->workspace[i]);
		if (path.len && stat(path.ptr, &st) == 0 && S_ISDIR(st.st_mode) && st.st_dev == member.st_dev &&
		    st.st_ino == member.st_ino)
			return true;
	}
	return false;
}

/* base_project() of 1.12: the nearest ancestor that lists the directory; not beyond home when started inside. */
bool jic_load_path_workspace(const struct jic_facts *f, const struct jic_project *p, struct jic_arena *arena,
                             const struct jic_project **out, struct jic_error *err)
{
	*out = NULL;
	if (!jic_julia_at_least(f->version, 1, 12, 0))
		return true;
	struct jic_view member = jic_arena_copy(arena, p->dir), dir = member, home = home_dir(arena), file;
	bool in_home = home.len && jic_view_starts(dir, home);
	while (dir.len > 1) {
		dir = jic_arena_copy(arena, jic_view_dirname(dir));
		if (!dir.len || (in_home && !jic_view_starts(dir, home)))
			return true;
		if (!jic_project_in_dir(dir, arena, &file))
			continue;
		struct jic_project *root = JIC_ARENA_NEW(arena, struct jic_project);
		if (!root)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		if (!jic_project_read(file.ptr, arena, root, err))
			return false;
		if (is_member(root, member, arena)) {
			*out = root;
			return true;
		}
	}
	return true;
}

static struct jic_view manifest_in_dir(const struct jic_facts *f, struct jic_view dir, struct jic_arena *arena)
{
	static const char *const plain[] = {"JuliaManifest", "Manifest"};
	bool versioned = jic_julia_at_least(f->version, 1, 10, 8);
	for (size_t i = versioned ? 0 : JIC_COUNT(plain); i < 2 * JIC_COUNT(plain); i++) {
		const char *name = plain[i % JIC_COUNT(plain)];
		struct jic_view path = i < JIC_COUNT(plain)
		                           ? jic_arena_printf(arena, JIC_PRIv "/%s-v%u.%u.toml", JIC_ARGv(dir), name,
		                                              f->version.major, f->version.minor)
		                           : jic_arena_printf(arena, JIC_PRIv "/%s.toml", JIC_ARGv(dir), name);
		if (path.len && jic_is_file(path.ptr))
			return path;
	}
	return NONE;
}

enum { WORKSPACE_DEPTH_MAX = 32 };

bool jic_load_path_manifest(const struct jic_facts *f, const struct jic_project *p, struct jic_arena *arena,
                            struct jic_view *out, struct jic_error *err)
{
	const struct jic_project *root;
	for (unsigned depth = 0; depth < WORKSPACE_DEPTH_MAX; depth++) {
		if (!jic_load_path_workspace(f, p, arena, &root, err))
			return false;
		if (!root)
			break;
		p = root;
	}
	*out = NONE;
	if (p->manifest.len) {
		struct jic_view path = jic_view_resolve(arena, p->dir, p->manifest);
		if (path.len && jic_is_file(path.ptr)) {
			*out = path;
			return true;
		}
		if (!jic_julia_at_least(f->version, 1, 6, 0))
			return true; /* 1.5 looks no further */
	}
	*out = manifest_in_dir(f, p->dir, arena);
	return true;
}
