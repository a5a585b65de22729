#include "client/lib/julia/facts_memory.h"

#include "client/lib/julia/facts_ask.h"
#include "common/file.h"
#include "common/json.h"

enum { FORMAT = 2, LIST_MAX = 8192, PATH_BYTES_MAX = 4096, TARGETS_BYTES_MAX = 64 * 1024 };

/* ---- writing */

/* The caches of one installation have a handful of different targets between them: each is written once. */
struct targets {
	struct jic_view items[64];
	size_t count;
};

static uint64_t target_index(struct targets *t, struct jic_view target)
{
	size_t i = 0;
	while (i < t->count && !jic_view_eq(t->items[i], target))
		i++;
	if (i == t->count && t->count < JIC_COUNT(t->items))
		t->items[t->count++] = target;
	return i;
}

static void put_targets(struct jic_json_writer *w, const struct targets *t)
{
	jic_json_open(w, "targets", '[');
	for (size_t i = 0; i < t->count; i++) {
		jic_autofree char *hex = malloc(2 * t->items[i].len + 1);
		if (!hex) {
			w->out->failed = true;
			return;
		}
		jic_hex(t->items[i].ptr, t->items[i].len, hex);
		jic_json_put_text(w, NULL, jic_view_of(hex));
	}
	jic_json_close(w, ']');
}

static void put_bundled(struct jic_json_writer *w, const struct jic_facts *f, struct targets *t)
{
	jic_json_open(w, "bundled", '[');
	for (size_t i = 0; i < f->bundled_count; i++) {
		const struct jic_bundled_file *b = &f->bundled[i];
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "name", b->cache.name);
		jic_json_put_uuid(w, "uuid", b->cache.uuid);
		jic_json_put_build_id(w, "id", b->cache.build_id);
		jic_json_put_u64(w, "flags", b->flags);
		jic_json_put_text(w, "path", b->path);
		jic_json_put_u64(w, "targets", target_index(t, b->clone_targets));
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

static void put_checks(struct jic_json_writer *w, const struct jic_view *watched, size_t count)
{
	jic_json_open(w, "checks", '[');
	for (size_t i = 0; i < count; i++) {
		struct jic_file_identity id;
		if (!jic_file_identify(watched[i].ptr, &id, NULL))
			continue;
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "path", watched[i]);
		jic_json_put_u64(w, "device", id.device);
		jic_json_put_u64(w, "inode", id.inode);
		jic_json_put_u64(w, "size", id.size);
		jic_json_put_u64(w, "mtime_ns", (uint64_t)id.mtime_ns);
		jic_json_put_u64(w, "ctime_ns", (uint64_t)id.ctime_ns);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

bool jic_facts_memorise(const char *path, struct jic_view answer, const struct jic_facts *f,
                        const struct jic_view *watched, size_t watched_count, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_json_writer w = {.out = &text};
	struct targets targets = {.count = 0};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "format", FORMAT);
	jic_buf_puts(&text, ",\"answer\":");
	jic_buf_putv(&text, answer);
	jic_json_put_digest(&w, "sysimage", &f->sysimage);
	put_bundled(&w, f, &targets);
	put_targets(&w, &targets);
	put_checks(&w, watched, watched_count);
	jic_json_close(&w, '}');
	if (!jic_json_finish(&w, err) || !jic_buf_ok(&text, err))
		return false;
	return jic_file_write(path, jic_buf_view(&text), (struct jic_writer_options){.no_sync = true, .mode = 0600},
	                      err);
}

/* ---- reading */

static bool check(const struct jic_json *at)
{
	struct jic_view path;
	struct jic_file_identity then = {0}, now;
	uint64_t mtime, ctime;
	if (!jic_json_get_text(at, "path", PATH_BYTES_MAX, &path) ||
	    !jic_json_get_u64(at, "device", INT64_MAX, &then.device) ||
	    !jic_json_get_u64(at, "inode", INT64_MAX, &then.inode) ||
	    !jic_json_get_u64(at, "size", INT64_MAX, &then.size) ||
	    !jic_json_get_u64(at, "mtime_ns", INT64_MAX, &mtime) ||
	    !jic_json_get_u64(at, "ctime_ns", INT64_MAX, &ctime))
		return false;
	then.mtime_ns = (int64_t)mtime;
	then.ctime_ns = (int64_t)ctime;
	return jic_file_identify(path.ptr, &now, NULL) && jic_file_identity_eq(&then, &now);
}

static bool checks_hold(const struct jic_json *root)
{
	struct jic_json list;
	if (!jic_json_list(root, "checks", LIST_MAX, &list))
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		struct jic_json e = jic_json_element(&list, i);
		if (!check(&e))
			return false;
	}
	return jic_json_count(&list) > 0;
}

static bool read_targets(const struct jic_json *root, struct jic_arena *arena, struct targets *out)
{
	struct jic_json list;
	if (!jic_json_list(root, "targets", JIC_COUNT(out->items), &list))
		return false;
	for (out->count = 0; out->count < jic_json_count(&list); out->count++) {
		struct jic_view hex;
		struct jic_json e = jic_json_element(&list, out->count);
		if (!jic_json_text(&e, TARGETS_BYTES_MAX, &hex))
			return false;
		char *bytes = jic_arena_alloc(arena, hex.len / 2 + 1);
		if (!bytes || hex.len % 2 || !jic_unhex(hex, bytes, hex.len / 2))
			return false;
		out->items[out->count] = jic_view_bytes(bytes, hex.len / 2);
	}
	return true;
}

static bool read_file(const struct jic_json *at, const struct targets *targets, struct jic_bundled_file *out)
{
	uint64_t flags, target;
	if (!jic_json_get_text(at, "name", 255, &out->cache.name) || !jic_json_get_uuid(at, "uuid", &out->cache.uuid) ||
	    !jic_json_get_build_id(at, "id", &out->cache.build_id) || !jic_json_get_u64(at, "flags", 255, &flags) ||
	    !jic_json_get_text(at, "path", PATH_BYTES_MAX, &out->path) ||
	    !jic_json_get_u64(at, "targets", targets->count - 1, &target))
		return false;
	out->flags = (uint8_t)flags;
	out->clone_targets = targets->items[target];
	return true;
}

static bool read_bundled(const struct jic_json *root, struct jic_arena *arena, struct jic_facts *out)
{
	struct jic_json list;
	struct targets targets = {.count = 0};
	if (!read_targets(root, arena, &targets) || !jic_json_list(root, "bundled", LIST_MAX, &list))
		return false;
	size_t count = jic_json_count(&list);
	struct jic_bundled_file *files = jic_arena_array(arena, count + 1, sizeof(*files));
	if (!files || (count && !targets.count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct jic_json e = jic_json_element(&list, i);
		if (!read_file(&e, &targets, &files[i]))
			return false;
	}
	out->bundled = files;
	out->bundled_count = count;
	return true;
}

static bool recall(const struct jic_json *root, struct jic_arena *arena, struct jic_facts *out)
{
	uint64_t format;
	struct jic_json answer;
	return jic_json_get_u64(root, "format", FORMAT, &format) && format == FORMAT && checks_hold(root) &&
	       jic_json_object(root, "answer", &answer) && jic_facts_read(&answer, arena, out) &&
	       jic_json_get_digest(root, "sysimage", &out->sysimage) && read_bundled(root, arena, out);
}

bool jic_facts_recall(const char *path, struct jic_arena *arena, struct jic_facts *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_json_doc doc;
	if (!jic_file_read(path, JIC_FACTS_BYTES_MAX, &text, NULL) ||
	    !jic_json_parse(jic_buf_view(&text), JIC_FACTS_BYTES_MAX, arena, &doc, NULL))
		return false;
	struct jic_json root = jic_json_root(&doc);
	bool ok = recall(&root, arena, out);
	jic_json_doc_clear(&doc);
	return ok;
}
