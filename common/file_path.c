/* Paths as text, by the rules of Julia's base/path.jl: joinpath, normpath, abspath. Nothing here looks at the disk. */
#include "common/file.h"

#include <unistd.h>

char *jic_path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	bool separated = len == 0 || dir[len - 1] == '/';
	return jic_asprintf("%s%s%s", dir, separated ? "" : "/", name);
}

/** Base.isdirpath: ends with a slash, or its last part is empty, "." or "..". */
static bool names_directory(struct jic_view path)
{
	size_t start = path.len;
	while (start && path.ptr[start - 1] != '/')
		start--;
	struct jic_view last = jic_view_skip(path, start);
	return last.len == 0 || jic_view_is(last, ".") || jic_view_is(last, "..");
}

static struct jic_view next_part(struct jic_view *rest)
{
	const char *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
	struct jic_view part = slash ? jic_view_head(*rest, (size_t)(slash - rest->ptr)) : *rest;
	*rest = jic_view_skip(*rest, part.len + 1);
	return part;
}

/** Where the last part of `out` begins. */
static size_t last_part(const struct jic_buf *out)
{
	size_t start = out->len;
	while (start && out->ptr[start - 1] != '/')
		start--;
	return start;
}

static void push(struct jic_buf *out, struct jic_view part)
{
	if (out->len && out->ptr[out->len - 1] != '/')
		jic_buf_putc(out, '/');
	jic_buf_putv(out, part);
}

/** Take the last part away with the slash before it, unless that slash is the root. */
static void pop(struct jic_buf *out, size_t last)
{
	out->len = last > 1 ? last - 1 : last;
	out->ptr[out->len] = '\0';
}

static void ascend(struct jic_buf *out, bool absolute)
{
	size_t last = last_part(out);
	struct jic_view name = jic_view_skip(jic_buf_view(out), last);
	if (name.len && !jic_view_is(name, ".."))
		pop(out, last);
	else if (!absolute)
		push(out, JIC_VIEW(".."));
}

char *jic_path_normalise(const char *path)
{
	struct jic_view rest = jic_view_of(path);
	bool absolute = jic_view_starts(rest, JIC_VIEW("/"));
	bool directory = names_directory(rest);
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	if (absolute)
		jic_buf_putc(&out, '/');
	while (rest.len && !out.failed) {
		struct jic_view part = next_part(&rest);
		if (jic_view_is(part, ".."))
			ascend(&out, absolute);
		else if (part.len && !jic_view_is(part, "."))
			push(&out, part);
	}
	if (!out.len)
		jic_buf_putc(&out, '.');
	if (directory && !out.failed && !names_directory(jic_buf_view(&out)))
		jic_buf_putc(&out, '/');
	return jic_buf_take(&out);
}

char *jic_path_absolute(const char *path)
{
	if (path[0] == '/')
		return jic_path_normalise(path);
	jic_autofree char *here = getcwd(NULL, 0);
	jic_autofree char *joined = here ? jic_path_join(here, path) : NULL;
	return joined ? jic_path_normalise(joined) : NULL;
}

struct jic_view jic_view_dirname(struct jic_view path)
{
	while (path.len && path.ptr[path.len - 1] != '/')
		path.len--;
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

struct jic_view jic_view_basename(struct jic_view path)
{
	size_t start = path.len;
	while (start && path.ptr[start - 1] != '/')
		start--;
	return jic_view_skip(path, start);
}

struct jic_view jic_view_resolve(struct jic_arena *arena, struct jic_view dir, struct jic_view path)
{
	bool absolute = path.len && path.ptr[0] == '/';
	jic_autofree char *joined = absolute ? jic_asprintf("%.*s", (int)path.len, path.ptr)
	                                     : jic_asprintf("%.*s/%.*s", (int)dir.len, dir.ptr ? dir.ptr : "",
	                                                    (int)path.len, path.ptr ? path.ptr : "");
	jic_autofree char *resolved = joined ? jic_path_absolute(joined) : NULL;
	if (!resolved) {
		arena->failed = true;
		return JIC_VIEW("");
	}
	size_t len = strlen(resolved);
	while (len > 1 && resolved[len - 1] == '/')
		len--;
	return jic_arena_copy(arena, (struct jic_view){.ptr = resolved, .len = len});
}
