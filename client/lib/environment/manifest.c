/* Entries are checked where they are read: what the graph works with has names that can be parts of paths, valid UUIDs
 * and tree hashes. Whether dependencies exist is the environment's question. */
#include "client/lib/environment/manifest.h"

#include "common/digest.h"
#include "common/file.h"

static bool bad(struct jic_error *err, struct jic_view file, unsigned line, const char *what)
{
	return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: %s", JIC_ARGv(file), line, what);
}

/* "2.0" and "2.1"; a number that we don't know could mean anything. */
static bool read_format(const struct jic_toml *v, struct jic_manifest *out, struct jic_error *err)
{
	out->format_major = 1;
	out->format_minor = 0;
	if (!v || (jic_toml_is_table(v) && jic_toml_get(v, "uuid")))
		return true; /* 1.0, in the second case with a package of that name (is_v1_format_manifest) */
	struct jic_view s = jic_toml_is_string(v) ? v->string : JIC_VIEW("");
	if (s.len < 3 || s.len > 6 || s.ptr[1] != '.' || s.ptr[0] < '1' || s.ptr[0] > '9')
		return bad(err, out->file, v->line, "manifest_format must be a version such as \"2.0\"");
	if (s.ptr[0] > '2')
		return jic_fail(err, JIC_EFORMAT, JIC_PRIv ":%u: manifest_format " JIC_PRIv " is newer than 2",
		                JIC_ARGv(out->file), v->line, JIC_ARGv(s));
	out->format_major = (unsigned)(s.ptr[0] - '0');
	out->format_minor = s.ptr[2] >= '0' && s.ptr[2] <= '9' ? (unsigned)(s.ptr[2] - '0') : 0;
	return true;
}

static bool read_entry(const struct jic_toml *v, struct jic_view name, struct jic_manifest *m, struct jic_arena *arena,
                       struct jic_package *out, struct jic_error *err)
{
	if (!jic_toml_is_table(v))
		return bad(err, m->file, v->line, "a package must be a table");
	uint8_t tree[20];
	if (!jic_package_read(v, m->file, arena, out, err) ||
	    !jic_package_text(v, "git-tree-sha1", m->file, &out->tree_hash, err))
		return false;
	out->name = name;
	if (out->tree_hash.len && !jic_unhex(out->tree_hash, tree, sizeof(tree)))
		return bad(err, m->file, v->line, "git-tree-sha1 must be 40 hexadecimal digits");
	return true;
}

static bool index_entry(struct jic_manifest *m, uint32_t i, struct jic_arena *arena, struct jic_error *err)
{
	const struct jic_package *p = &m->packages[i];
	if (!jic_uuid_is_nil(p->uuid)) {
		if (jic_manifest_find(m, p->uuid))
			return jic_fail(err, JIC_EFORMAT,
			                JIC_PRIv ":%u: package " JIC_PRIv " has the UUID of another one",
			                JIC_ARGv(m->file), p->line, JIC_ARGv(p->name));
		if (!jic_lookup_add(&m->by_uuid, arena, jic_hash_uuid(p->uuid), i))
			return jic_fail(err, JIC_EMEMORY, "out of memory");
	}
	return jic_lookup_add(&m->by_name, arena, jic_hash_name(p->name), i) ||
	       jic_fail(err, JIC_EMEMORY, "out of memory");
}

static size_t count_entries(const struct jic_toml *table, bool v1)
{
	size_t count = 0;
	for (const struct jic_toml *list = jic_toml_first(table); list; list = list->next)
		count += jic_toml_is_array(list) ? list->items.count : !v1;
	return count;
}

/* In format 1 the table is the whole file: what is no array of packages there is a header key. */
static bool read_entries(const struct jic_toml *table, struct jic_manifest *m, struct jic_arena *arena,
                         struct jic_error *err)
{
	bool v1 = m->format_major == 1;
	size_t count = count_entries(table, v1);
	if (count > JIC_MANIFEST_ENTRIES_MAX)
		return jic_fail(err, JIC_ELIMIT, JIC_PRIv ": more than %d packages", JIC_ARGv(m->file),
		                JIC_MANIFEST_ENTRIES_MAX);
	struct jic_package *packages = jic_arena_array(arena, count + 1, sizeof(*packages));
	if (!packages)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	m->packages = packages;
	for (const struct jic_toml *list = jic_toml_first(table); list; list = list->next) {
		if (!jic_toml_is_array(list) && v1)
			continue;
		if (!jic_toml_is_array(list))
			return bad(err, m->file, list->line, "packages must be arrays of tables, [[deps.Name]]");
		if (!list->key.len || list->key.ptr[0] == '.' || memchr(list->key.ptr, '/', list->key.len) ||
		    memchr(list->key.ptr, '\0', list->key.len) || list->key.len > 255)
			return bad(err, m->file, list->line, "can't be the name of a package");
		for (const struct jic_toml *e = jic_toml_first(list); e; e = e->next) {
			uint32_t i = (uint32_t)m->count++;
			if (!read_entry(e, list->key, m, arena, &packages[i], err) || !index_entry(m, i, arena, err))
				return false;
		}
	}
	return true;
}

bool jic_manifest_parse(struct jic_view text, struct jic_view file, struct jic_arena *arena, struct jic_manifest *out,
                        struct jic_error *err)
{
	*out = (struct jic_manifest){.file = file, .dir = jic_view_dirname(file)};
	jic_autofree char *what = jic_strdup_view(file);
	const struct jic_toml *root = jic_toml_parse(arena, text, what ? what : "", err);
	if (!root || !read_format(jic_toml_get(root, "manifest_format"), out, err))
		return false;
	out->julia_version = jic_toml_string(root, "julia_version", JIC_VIEW(""));
	const struct jic_toml *deps = out->format_major == 1 ? root : jic_toml_get(root, "deps");
	if (deps && !jic_toml_is_table(deps) && !(jic_toml_is_array(deps) && !deps->items.count))
		return bad(err, file, deps->line, "deps must be a table");
	return !deps || read_entries(deps, out, arena, err);
}

bool jic_manifest_read(const char *path, struct jic_arena *arena, struct jic_manifest *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(path, JIC_MANIFEST_BYTES_MAX, &text, err))
		return false;
	struct jic_view copy = jic_arena_copy(arena, jic_buf_view(&text));
	struct jic_view file = jic_arena_copy(arena, jic_view_of(path));
	if (arena->failed)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	return jic_manifest_parse(copy, file, arena, out, err);
}

const struct jic_package *jic_manifest_find(const struct jic_manifest *m, struct jic_uuid uuid)
{
	size_t cursor = 0;
	uint32_t i;
	while (jic_lookup_next(&m->by_uuid, jic_hash_uuid(uuid), &cursor, &i)) {
		if (jic_uuid_eq(m->packages[i].uuid, uuid))
			return &m->packages[i];
	}
	return NULL;
}

const struct jic_package *jic_manifest_named(const struct jic_manifest *m, struct jic_view name, size_t *count)
{
	const struct jic_package *found = NULL;
	size_t cursor = 0;
	uint32_t i;
	*count = 0;
	while (jic_lookup_next(&m->by_name, jic_hash_name(name), &cursor, &i)) {
		if (jic_view_eq(m->packages[i].name, name)) {
			found = &m->packages[i];
			++*count;
		}
	}
	return *count == 1 ? found : NULL;
}
