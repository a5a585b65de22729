/*
 * The identity is SHA-256 over a listing, sorted by path:
 *
 *     "jicache-content-1\n" ‖ for each item: u32 length of path ‖ path ‖ kind byte ‖ 32 bytes
 *
 *     kind 'f'  SHA-256 of the file's content (a link to a regular file is that file)
 *          'l'  SHA-256 of the target's text, for any other link that stays inside of the root
 *          'p'  SHA-256 of the canonical text of the project file's relevant parts, path "Project.toml"
 *
 * No mode, owner or time. A link that leads to a directory outside could bring in anything: such a package is not
 * shared.
 */
#include "client/lib/environment/source.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { NOTE_REACHES_OUT = 1 };

struct item {
	char *path; /* relative to the root */
	char kind;
	struct jic_digest digest;
};

enum scope { SCOPE_CODE, SCOPE_ALL, SCOPE_BUILD };

struct walk {
	struct jic_view root;
	struct jic_remembered *memory;
	enum scope scope;
	struct item *items;
	size_t count, room, files;
	uint64_t bytes;
	bool reaches_out;
	unsigned depth;
	const char *relative; /* of the directory that is walked: "" or "src/parts/" */
};

/* ---- the rule */

static bool is_backup(struct jic_view name)
{
	return jic_view_ends(name, JIC_VIEW("~")) || jic_view_starts(name, JIC_VIEW(".#")) ||
	       jic_view_starts(name, JIC_VIEW("#")) || jic_view_ends(name, JIC_VIEW(".swp")) ||
	       jic_view_ends(name, JIC_VIEW(".swo")) || jic_view_ends(name, JIC_VIEW(".bak")) ||
	       jic_view_ends(name, JIC_VIEW(".orig"));
}

/* What a run with --code-coverage or --track-allocation leaves beside a source: "Inner.jl.30937.cov", "Inner.jl.cov".
 */
static bool is_trace(struct jic_view name)
{
	return (jic_view_ends(name, JIC_VIEW(".cov")) || jic_view_ends(name, JIC_VIEW(".mem"))) &&
	       memmem(name.ptr, name.len, ".jl.", 4) != NULL;
}

static bool is_skipped_dir(struct jic_view top)
{
	return jic_view_is(top, "test") || jic_view_is(top, "docs") || jic_view_is(top, "examples") ||
	       jic_view_starts(top, JIC_VIEW("benchmark"));
}

static bool is_skipped_file(struct jic_view name)
{
	static const char *const endings[] = {".md", ".ji", ".so", ".dylib", ".dll", "LocalPreferences.toml"};
	for (size_t i = 0; i < JIC_COUNT(endings); i++) {
		if (jic_view_ends(name, jic_view_of(endings[i])))
			return true;
	}
	bool manifest = jic_view_starts(name, JIC_VIEW("Manifest")) || jic_view_starts(name, JIC_VIEW("JuliaManifest"));
	return jic_view_starts(name, JIC_VIEW("LICENSE")) || (manifest && jic_view_ends(name, JIC_VIEW(".toml")));
}

static struct jic_view first_component(struct jic_view path)
{
	const char *slash = path.len ? memchr(path.ptr, '/', path.len) : NULL;
	return slash ? jic_view_head(path, (size_t)(slash - path.ptr)) : path;
}

static bool has_git_component(struct jic_view path)
{
	while (path.len) {
		struct jic_view c = first_component(path);
		if (jic_view_starts(c, JIC_VIEW(".git")))
			return true;
		path = jic_view_skip(path, c.len + 1);
	}
	return false;
}

bool jic_source_covers(bool covers_all, struct jic_view relative)
{
	struct jic_view top = first_component(relative), name = jic_view_basename(relative);
	bool nested = top.len < relative.len;
	if (is_backup(name) || is_trace(name) || has_git_component(relative))
		return false;
	if (nested && (jic_view_is(top, "src") || jic_view_is(top, "ext")))
		return true;
	if (jic_view_is(relative, "Artifacts.toml") || jic_view_is(relative, "JuliaArtifacts.toml"))
		return true;
	return covers_all && relative.len && !(nested && is_skipped_dir(top)) && !is_skipped_file(name) &&
	       !jic_view_is(relative, "deps/build.log");
}

/* Can anything below this directory be covered? */
static bool enters(const struct walk *w, struct jic_view relative)
{
	struct jic_view top = first_component(relative);
	if (jic_view_starts(jic_view_basename(relative), JIC_VIEW(".git")))
		return false;
	switch (w->scope) {
	case SCOPE_CODE:
		return jic_view_is(top, "src") || jic_view_is(top, "ext");
	case SCOPE_BUILD:
		return jic_view_is(top, "deps");
	case SCOPE_ALL:
		break;
	}
	return !is_skipped_dir(top);
}

static bool takes(const struct walk *w, struct jic_view relative)
{
	if (w->scope == SCOPE_BUILD)
		return jic_view_starts(relative, JIC_VIEW("deps/")) && !jic_view_is(relative, "deps/build.log");
	return jic_source_covers(w->scope == SCOPE_ALL, relative);
}

/* ".." as a path element in a string: between quotes or slashes. `import ..Parent` and `x...` are not. */
static bool has_parent_path(struct jic_view text)
{
	const char *p = text.ptr, *end = text.ptr + text.len;
	while (p < end && (p = memmem(p, (size_t)(end - p), "..", 2))) {
		int before = p > text.ptr ? p[-1] : ' ', after = p + 2 < end ? p[2] : ' ';
		if ((before == '"' || before == '/' || before == '\\') &&
		    (after == '"' || after == '/' || after == '\\'))
			return true;
		p++;
	}
	return false;
}

bool jic_source_reaches_out(struct jic_view text)
{
	static const char *const words[] = {"include_dependency", "pkgdir", "pkgversion", "dirname("};
	if (!text.len)
		return false;
	for (size_t i = 0; i < JIC_COUNT(words); i++) {
		if (memmem(text.ptr, text.len, words[i], strlen(words[i])))
			return true;
	}
	return has_parent_path(text);
}

/* ---- the walk */

static bool add_item(struct walk *w, const char *path, char kind, const struct jic_digest *digest,
                     struct jic_error *err)
{
	if (w->count == w->room) {
		size_t room = w->room ? w->room * 2 : 64;
		struct item *more = reallocarray(w->items, room, sizeof(*more));
		if (!more)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		w->items = more;
		w->room = room;
	}
	char *copy = strdup(path);
	if (!copy)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	w->items[w->count++] = (struct item){.path = copy, .kind = kind, .digest = *digest};
	return true;
}

static bool hash_file(struct walk *w, int dirfd, const char *name, const struct jic_file_identity *identity,
                      struct jic_digest *digest, uint32_t *note, struct jic_error *err)
{
	struct jic_map map = {0};
	struct stat after;
	struct jic_file_identity now;
	jic_autoclose int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s%s", w->relative, name);
	if (!jic_map_fd(fd, (size_t)JIC_SOURCE_BYTES_MAX, &map, err))
		return jic_wrap(err, "%s%s", w->relative, name);
	jic_sha256_of(map.view, digest);
	bool julia = jic_view_ends(jic_view_of(name), JIC_VIEW(".jl"));
	*note = julia && jic_source_reaches_out(map.view) ? NOTE_REACHES_OUT : 0;
	jic_map_clear(&map);
	if (fstat(fd, &after) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s%s", w->relative, name);
	jic_file_identity_of(&after, &now);
	if (jic_file_identity_eq(&now, identity))
		jic_remembered_add(w->memory, &now, digest, *note);
	return true;
}

static bool take_file(struct walk *w, int dirfd, const char *name, const char *relative, const struct stat *st,
                      struct jic_error *err)
{
	struct jic_file_identity identity;
	struct jic_digest digest;
	uint32_t note = 0;
	w->bytes += (uint64_t)st->st_size;
	if (++w->files > JIC_SOURCE_FILES_MAX)
		return jic_fail(err, JIC_ELIMIT, "it has more than %d files", JIC_SOURCE_FILES_MAX);
	if (w->bytes > JIC_SOURCE_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "its files have more than %llu MiB",
		                (unsigned long long)(JIC_SOURCE_BYTES_MAX >> 20));
	jic_file_identity_of(st, &identity);
	if (!jic_remembered_find(w->memory, &identity, &digest, &note) &&
	    !hash_file(w, dirfd, name, &identity, &digest, &note, err))
		return false;
	w->reaches_out = w->reaches_out || (note & NOTE_REACHES_OUT);
	return add_item(w, relative, 'f', &digest, err);
}

/* What a link that is not to a regular file says. Only one that stays inside is harmless: its target is walked, too. */
static bool take_link(struct walk *w, int dirfd, const char *name, const char *relative, struct jic_error *err)
{
	char target[4096], resolved[PATH_MAX], root[PATH_MAX];
	ssize_t len = readlinkat(dirfd, name, target, sizeof(target));
	if (len < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", relative);
	jic_autofree char *full = jic_asprintf("%.*s/%s", (int)w->root.len, w->root.ptr, relative);
	if (!full)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (realpath(full, resolved) && realpath(w->root.ptr, root)) {
		size_t n = strlen(root);
		bool inside = strncmp(resolved, root, n) == 0 && resolved[n] == '/';
		if (!inside || !enters(w, jic_view_of(resolved + n + 1)))
			return jic_fail(err, JIC_EDENIED, "%s links to a directory that is not covered", relative);
	}
	struct jic_digest digest;
	jic_sha256_of(jic_view_bytes(target, (size_t)len), &digest);
	return add_item(w, relative, 'l', &digest, err);
}

static bool walk_entry(void *context, int dirfd, const char *name, struct jic_error *err);

static bool walk_dir(struct walk *w, const char *relative, struct jic_error *err)
{
	jic_autofree char *path = jic_asprintf("%.*s/%s", (int)w->root.len, w->root.ptr, relative);
	jic_autofree char *prefix = jic_asprintf("%s%s", relative, *relative ? "/" : "");
	const char *outer = w->relative;
	if (!path || !prefix)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (w->depth == JIC_SOURCE_DEPTH_MAX)
		return jic_fail(err, JIC_ELIMIT, "%s: directories are nested too deeply", relative);
	w->relative = prefix;
	w->depth++;
	bool ok = jic_dir_each(path, walk_entry, w, err);
	w->depth--;
	w->relative = outer;
	return ok;
}

static bool walk_entry(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct walk *w = context;
	struct stat st, followed;
	jic_autofree char *relative = jic_asprintf("%s%s", w->relative, name);
	if (!relative)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	struct jic_view v = jic_view_of(relative);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return jic_fail_errno(err, JIC_EIO, "%s", relative);
	if (S_ISDIR(st.st_mode))
		return !enters(w, v) || walk_dir(w, relative, err);
	bool link = S_ISLNK(st.st_mode);
	bool to_file = link && fstatat(dirfd, name, &followed, 0) == 0 && S_ISREG(followed.st_mode);
	if (link && !to_file)
		return !(takes(w, v) || enters(w, v)) || take_link(w, dirfd, name, relative, err);
	if (!takes(w, v) || (!S_ISREG(st.st_mode) && !link))
		return true; /* sockets and devices hold nothing that could be compiled */
	return take_file(w, dirfd, name, relative, link ? &followed : &st, err);
}

static void clear_items(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i].path);
	w->count = w->files = 0;
	w->bytes = 0;
}

static int by_path(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : x->kind - y->kind;
}

static bool listing_digest(struct walk *w, struct jic_digest *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (w->count)
		qsort(w->items, w->count, sizeof(*w->items), by_path);
	jic_buf_puts(&text, "jicache-content-1\n");
	for (size_t i = 0; i < w->count; i++) {
		jic_buf_u32le(&text, (uint32_t)strlen(w->items[i].path));
		jic_buf_puts(&text, w->items[i].path);
		jic_buf_putc(&text, w->items[i].kind);
		jic_buf_put(&text, w->items[i].digest.bytes, JIC_DIGEST_BYTES);
	}
	if (!jic_buf_ok(&text, err))
		return false;
	jic_sha256_of(jic_buf_view(&text), out);
	return true;
}

/* ---- the project file */

static int dep_by_name(const void *a, const void *b)
{
	return jic_view_cmp(((const struct jic_dep *)a)->name, ((const struct jic_dep *)b)->name);
}

static int extension_by_name(const void *a, const void *b)
{
	return jic_view_cmp(((const struct jic_extension *)a)->name, ((const struct jic_extension *)b)->name);
}

static void put_text(struct jic_buf *out, struct jic_view v)
{
	jic_buf_u32le(out, (uint32_t)v.len);
	jic_buf_putv(out, v);
}

static void put_deps(struct jic_buf *out, const struct jic_deps *deps)
{
	jic_autofree struct jic_dep *sorted = calloc(deps->count + 1, sizeof(*sorted));
	if (!sorted) {
		out->failed = true;
		return;
	}
	if (deps->count)
		memcpy(sorted, deps->items, deps->count * sizeof(*sorted));
	qsort(sorted, deps->count, sizeof(*sorted), dep_by_name);
	jic_buf_u32le(out, (uint32_t)deps->count);
	for (size_t i = 0; i < deps->count; i++) {
		char uuid[JIC_UUID_TEXT + 1];
		jic_uuid_format(sorted[i].uuid, uuid);
		put_text(out, sorted[i].name);
		put_text(out, jic_view_of(uuid));
	}
}

static void put_extensions(struct jic_buf *out, const struct jic_extensions *extensions)
{
	jic_autofree struct jic_extension *sorted = calloc(extensions->count + 1, sizeof(*sorted));
	if (!sorted) {
		out->failed = true;
		return;
	}
	if (extensions->count)
		memcpy(sorted, extensions->items, extensions->count * sizeof(*sorted));
	qsort(sorted, extensions->count, sizeof(*sorted), extension_by_name);
	jic_buf_u32le(out, (uint32_t)extensions->count);
	for (size_t i = 0; i < extensions->count; i++) {
		put_text(out, sorted[i].name);
		jic_buf_u32le(out, (uint32_t)sorted[i].triggers_count);
		for (size_t t = 0; t < sorted[i].triggers_count; t++)
			put_text(out, sorted[i].triggers[t]);
	}
}

/* Not version, compat or authors: no compilation sees them, and a release should not cost a compile. */
static bool add_project(struct walk *w, const struct jic_package *p, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	char uuid[JIC_UUID_TEXT + 1];
	struct jic_digest digest;
	jic_uuid_format(p->uuid, uuid);
	put_text(&text, p->name);
	put_text(&text, jic_view_of(uuid));
	put_text(&text, p->path);
	put_text(&text, p->entryfile);
	put_deps(&text, &p->deps);
	put_deps(&text, &p->weakdeps);
	put_extensions(&text, &p->extensions);
	if (!jic_buf_ok(&text, err))
		return false;
	jic_sha256_of(jic_buf_view(&text), &digest);
	return add_item(w, "Project.toml", 'p', &digest, err);
}

/* ---- results */

static bool finish(struct walk *w, struct jic_arena *arena, struct jic_source *out, struct jic_error *err)
{
	struct jic_digest digest;
	char hex[JIC_DIGEST_HEX + 1];
	if (!listing_digest(w, &digest, err))
		return false;
	jic_digest_hex(&digest, hex);
	out->identity = jic_arena_printf(arena, "content:%s", hex);
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* Whatever could not be read makes the package one that is not shared, not a failure. */
static bool as_reason(const struct jic_error *why, struct jic_arena *arena, struct jic_source *out,
                      struct jic_error *err)
{
	if (why->code == JIC_EMEMORY)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*out = (struct jic_source){.reason = jic_arena_copy(arena, jic_view_of(why->text))};
	return true;
}

static bool walk_developed(struct walk *w, const struct jic_package *package, struct jic_view entry_file,
                           struct jic_error *err)
{
	struct jic_view entry = jic_view_skip(entry_file, w->root.len + 1);
	w->scope = SCOPE_CODE;
	if (!walk_dir(w, "", err))
		return false;
	if (w->reaches_out || !jic_view_is(first_component(entry), "src")) {
		clear_items(w);
		w->scope = SCOPE_ALL;
		if (!walk_dir(w, "", err))
			return false;
	}
	return !package || add_project(w, package, err);
}

bool jic_source_developed(struct jic_view root, const struct jic_package *package, struct jic_view entry_file,
                          struct jic_remembered *memory, struct jic_arena *arena, struct jic_source *out,
                          struct jic_error *err)
{
	struct walk w = {.root = root, .memory = memory, .relative = ""};
	struct jic_error why;
	*out = (struct jic_source){0};
	bool ok = walk_developed(&w, package, entry_file, &why);
	out->covers_all = w.scope == SCOPE_ALL;
	ok = ok ? finish(&w, arena, out, err) : as_reason(&why, arena, out, err);
	clear_items(&w);
	free(w.items);
	return ok;
}

bool jic_source_build(struct jic_view root, struct jic_remembered *memory, struct jic_arena *arena,
                      struct jic_source *out, struct jic_error *err)
{
	struct walk w = {.root = root, .memory = memory, .relative = "", .scope = SCOPE_BUILD};
	struct jic_error why;
	*out = (struct jic_source){0};
	bool ok = walk_dir(&w, "deps", &why);
	ok = ok ? finish(&w, arena, out, err) : as_reason(&why, arena, out, err);
	clear_items(&w);
	free(w.items);
	return ok;
}
