/* Which Julia, what is known of it, and when to ask again. */
#include "client/lib/julia/facts.h"

#include "client/lib/julia/facts_ask.h"
#include "client/lib/julia/facts_memory.h"
#include "client/lib/julia/targets.h"
#include "client/lib/memory/memory.h"
#include "client/lib/memory/remembered.h"
#include "common/buf.h"
#include "common/file.h"

#include <limits.h>
#include <unistd.h>

/* What the answers depend on besides the executable and its options. */
static const char *const variables[] = {
    "JULIA_DEPOT_PATH", "JULIA_LOAD_PATH",    "JULIA_BINDIR",    "JULIA_CPU_TARGET", "HOME",
    "JULIAUP_CHANNEL",  "JULIAUP_DEPOT_PATH", "LD_LIBRARY_PATH",
};

/* ---- which Julia */

static bool is_executable(const char *path)
{
	return jic_is_file(path) && access(path, X_OK) == 0;
}

/* A link named julia to jicache pulls and becomes the next julia on PATH: that one is meant. */
static bool is_masquerade(const char *path)
{
	jic_autofree char *resolved = realpath(path, NULL);
	const char *slash = resolved ? strrchr(resolved, '/') : NULL;
	return slash && strcmp(slash + 1, "jicache") == 0;
}

/* The first of that name on PATH; malloc'ed, NULL when there is none. */
static char *find_on_path(const char *name)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		size_t len = strcspn(path, ":");
		jic_autofree char *dir = jic_strdup_view(jic_view_bytes(path, len));
		char *candidate = dir ? jic_path_join(len ? dir : ".", name) : NULL;
		if (candidate && is_executable(candidate) && !is_masquerade(candidate))
			return candidate;
		free(candidate);
		path += len + (path[len] == ':');
	}
	return NULL;
}

static char *find_julia(const char *wanted, struct jic_error *err)
{
	const char *variable = getenv("JULIA");
	const char *name = wanted ? wanted : variable && *variable ? variable : "julia";
	jic_autofree char *found = strchr(name, '/') ? strdup(name) : find_on_path(name);
	if (!found || !is_executable(found)) {
		jic_fail(err, JIC_ENOTFOUND, "%s: there is no such Julia", name);
		return NULL;
	}
	char *absolute = jic_path_absolute(found);
	if (!absolute)
		jic_fail(err, JIC_EMEMORY, "out of memory");
	return absolute;
}

/* ---- the key of what is remembered */

static void put_text(struct jic_buf *key, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	jic_buf_u8(key, text != NULL);
	jic_buf_u64le(key, len);
	jic_buf_put(key, text, len);
}

static void put_identity(struct jic_buf *key, const char *path)
{
	struct jic_file_identity id = {0};
	jic_buf_u8(key, path && jic_file_identify(path, &id, NULL));
	jic_buf_put(key, &id, sizeof(id));
}

/* juliaup's launcher runs what its configuration says, which may be another Julia in another directory. */
static bool is_launcher(const char *julia)
{
	char resolved[PATH_MAX];
	const char *name = realpath(julia, resolved) ? strrchr(resolved, '/') : NULL;
	return name && (strstr(name, "launcher") || strstr(name, "juliaup"));
}

static void put_launcher(struct jic_buf *key, const char *julia)
{
	const char *depot = getenv("JULIAUP_DEPOT_PATH"), *home = getenv("HOME");
	if (!is_launcher(julia))
		return;
	jic_autofree char *config = depot && *depot ? jic_asprintf("%s/juliaup/juliaup.json", depot)
	                                            : jic_asprintf("%s/.julia/juliaup/juliaup.json", home ? home : "");
	jic_autofree char *cwd = jic_path_absolute(".");
	put_identity(key, config);
	put_text(key, cwd);
}

/* "@." is expanded at start-up, and a relative path means another place elsewhere. */
static bool depends_on_directory(const char *list)
{
	while (list && *list) {
		size_t len = strcspn(list, ":");
		if (len && *list != '/' && *list != '~' && (*list != '@' || strncmp(list, "@.", 2) == 0))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

static bool memory_key(const char *julia, const struct jic_facts_options *o, char hex[JIC_DIGEST_HEX + 1])
{
	JIC_CLEAR(jic_buf) struct jic_buf key = {0};
	struct jic_digest digest;
	put_text(&key, "jicache-facts-2 " JIC_VERSION);
	/* A home directory may be shared by machines with other processors. */
	jic_targets_put_host(&key);
	put_text(&key, julia);
	put_identity(&key, julia);
	put_launcher(&key, julia);
	for (size_t i = 0; i < JIC_COUNT(variables); i++)
		put_text(&key, getenv(variables[i]));
	if (depends_on_directory(getenv("JULIA_LOAD_PATH")) || depends_on_directory(getenv("JULIA_DEPOT_PATH"))) {
		jic_autofree char *cwd = jic_path_absolute(".");
		put_text(&key, cwd);
	}
	for (size_t i = 0; i < o->julia_args_count; i++)
		put_text(&key, o->julia_args[i]);
	jic_sha256_of(jic_buf_view(&key), &digest);
	jic_digest_hex(&digest, hex);
	return !key.failed;
}

/* malloc'ed; NULL: nothing is to be remembered */
static char *memory_path(const char *dir, const char *julia, const struct jic_facts_options *o)
{
	char hex[JIC_DIGEST_HEX + 1];
	if (!dir || !memory_key(julia, o, hex))
		return NULL;
	return jic_asprintf("%s/facts/%s.json", dir, hex);
}

/* ---- asking */

static bool digest_image(struct jic_facts *f, const char *memory_dir, struct jic_error *err)
{
	struct jic_file_identity before;
	struct jic_map map = {0};
	uint32_t note;
	JIC_AUTO(jic_remembered) struct jic_remembered *memory = jic_remembered_open(memory_dir, "images");
	if (!memory)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_file_identify(f->image_file.ptr, &before, err))
		return jic_wrap(err, "system image");
	if (jic_remembered_find(memory, &before, &f->sysimage, &note))
		return true;
	if (!jic_map_open(f->image_file.ptr, SIZE_MAX / 2, &map, err))
		return jic_wrap(err, "system image");
	jic_sha256_of(map.view, &f->sysimage);
	jic_map_clear(&map);
	jic_remembered_add(memory, &before, &f->sysimage, 0);
	jic_remembered_save(memory);
	return true;
}

static bool read_answer(struct jic_view answer, struct jic_arena *arena, struct jic_facts *out, struct jic_error *err)
{
	struct jic_json_doc doc;
	if (!jic_json_parse(answer, JIC_FACTS_BYTES_MAX, arena, &doc, err)) {
		if (err && err->code == JIC_EFORMAT)
			err->code = JIC_EPROTOCOL;
		return jic_wrap(err, "Julia's answer");
	}
	struct jic_json root = jic_json_root(&doc);
	bool ok = jic_facts_read(&root, arena, out);
	jic_json_doc_clear(&doc);
	if (!ok) {
		if (err && err->code == JIC_EFORMAT)
			err->code = JIC_EPROTOCOL;
		return jic_wrap(err, "Julia's answer");
	}
	if (!jic_julia_at_least(out->version, 1, 5, 0))
		return jic_fail(err, JIC_EUNSUPPORTED, "Julia " JIC_PRIv " is older than 1.5",
		                JIC_ARGv(out->version_text));
	return true;
}

static void memorise(const char *path, struct jic_view answer, const struct jic_facts *f, const struct jic_view *dirs,
                     size_t dirs_count, struct jic_arena *arena)
{
	struct jic_view *watched = jic_arena_array(arena, dirs_count + 2, sizeof(*watched));
	jic_autofree char *dir =
	    path ? jic_strdup_view(jic_view_bytes(path, (size_t)(strrchr(path, '/') - path))) : NULL;
	if (!watched || !dir || !jic_mkdirs(dir, NULL))
		return; /* only memory: it is asked again next time */
	watched[0] = f->julia_bin;
	watched[1] = f->image_file;
	if (dirs_count)
		memcpy(&watched[2], dirs, dirs_count * sizeof(*watched));
	(void)!jic_facts_memorise(path, answer, f, watched, dirs_count + 2, NULL);
}

static bool ask(const char *julia, const char *memory_dir, const char *path, const struct jic_facts_options *o,
                struct jic_arena *arena, struct jic_facts *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	const struct jic_view *dirs;
	size_t dirs_count;
	if (!jic_facts_ask(julia, o->julia_args, o->julia_args_count, JIC_FACTS_TIMEOUT_MS, &answer, err) ||
	    !read_answer(jic_buf_view(&answer), arena, out, err) || !digest_image(out, memory_dir, err) ||
	    !jic_facts_find_bundled(out, arena, &dirs, &dirs_count, err))
		return false;
	memorise(path, jic_buf_view(&answer), out, dirs, dirs_count, arena);
	return true;
}

bool jic_facts_get(const struct jic_facts_options *options, struct jic_arena *arena, struct jic_facts *out,
                   struct jic_error *err)
{
	jic_autofree char *julia = find_julia(options->julia, err);
	jic_autofree char *dir = jic_memory_dir(options->memory_dir);
	*out = (struct jic_facts){0};
	if (!julia)
		return false;
	jic_autofree char *path = memory_path(dir, julia, options);
	if (!path || !jic_facts_recall(path, arena, out)) {
		*out = (struct jic_facts){0};
		if (!ask(julia, dir, path, options, arena, out, err))
			return false;
	}
	const char *site_targets = getenv("JICACHE_CPU_TARGETS");
	out->site_targets = jic_arena_copy(arena, jic_view_of(site_targets ? site_targets : ""));
	out->julia = jic_arena_copy(arena, jic_view_of(julia));
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

const struct jic_ji_module *jic_facts_sysimage_module(const struct jic_facts *f, struct jic_view name,
                                                      struct jic_uuid uuid)
{
	for (size_t i = 0; i < f->sysimage_modules_count; i++) {
		const struct jic_ji_module *m = &f->sysimage_modules[i];
		if (jic_uuid_eq(m->uuid, uuid) && jic_view_eq(m->name, name))
			return m;
	}
	return NULL;
}
