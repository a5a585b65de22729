#include "client/lib/depot/snapshot.h"

#include "common/crc32c.h"
#include "common/cursor.h"

#include <errno.h>
#include <time.h>

enum {
	SNAPSHOT_BYTES_MAX = 64 << 20,
	NAME_HEX = 16,
	FLAG_OURS = 1,
	FLAG_IMAGE = 2,
	FLAG_OWN = 4,
};
static const char magic[] = "jicscan2";

/* A clock tick within which a second change would leave the times as they are; file systems with whole seconds need
 * more. */
#define TICK_NS 100000000LL
#define COARSE_TICK_NS 2000000000LL

/* ---- watches */

void jic_watches_clear(struct jic_watches *w)
{
	free(w->items);
	*w = (struct jic_watches){0};
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_settled(const struct jic_file_identity *id)
{
	const int64_t changed = id->ctime_ns > id->mtime_ns ? id->ctime_ns : id->mtime_ns;
	const int64_t tick = id->ctime_ns % 1000000000 == 0 ? COARSE_TICK_NS : TICK_NS;
	const int64_t age = now_ns() - changed;
	return age > tick;
}

static struct jic_watch *add_watch(struct jic_watches *w)
{
	if (w->count == w->room) {
		const size_t room = w->room ? w->room * 2 : 256;
		struct jic_watch *items = reallocarray(w->items, room, sizeof *items);
		w->failed |= !items;
		if (!items)
			return NULL;
		w->items = items;
		w->room = room;
	}
	return &w->items[w->count++];
}

void jic_watch_seen(struct jic_watches *w, enum jic_watch_kind kind, struct jic_view path, uint32_t node,
                    const struct jic_file_identity *seen)
{
	struct jic_watch *watch = add_watch(w);
	if (!watch)
		return;
	*watch = (struct jic_watch){.kind = kind, .node = node, .path = path, .identity = *seen};
	if (kind == JIC_WATCH_DIRECTORY || kind == JIC_WATCH_FILE)
		w->unsettled |= !is_settled(seen);
}

void jic_watch_path(struct jic_watches *w, enum jic_watch_kind kind, struct jic_view path, uint32_t node)
{
	struct jic_file_identity seen = {0};
	struct stat st;
	if (stat(path.ptr, &st) == 0)
		jic_file_identity_of(&st, &seen);
	else
		kind = JIC_WATCH_ABSENT;
	jic_watch_seen(w, kind, path, node, &seen);
}

static bool is_unchanged(const struct jic_watch *w, const struct stat *st)
{
	struct jic_file_identity now;
	const struct jic_file_identity *was = &w->identity;
	jic_file_identity_of(st, &now);
	if (now.device != was->device || now.inode != was->inode)
		return false;
	switch (w->kind) {
	case JIC_WATCH_DIRECTORY:
		return now.mtime_ns == was->mtime_ns && now.ctime_ns == was->ctime_ns;
	case JIC_WATCH_FILE:
		return jic_file_identity_eq(&now, was);
	case JIC_WATCH_CACHE:
	case JIC_WATCH_CACHE_OLDER:
		return now.size == was->size;
	case JIC_WATCH_CACHE_TIMED:
		return now.size == was->size && now.mtime_ns == was->mtime_ns;
	case JIC_WATCH_ABSENT:
		break;
	}
	return false;
}

/* ---- context */

static void hash_text(struct jic_sha256 *h, struct jic_view v)
{
	const uint64_t len = v.len;
	jic_sha256_update(h, &len, sizeof len);
	jic_sha256_update(h, v.ptr, v.len);
}

static void hash_number(struct jic_sha256 *h, uint64_t n)
{
	jic_sha256_update(h, &n, sizeof n);
}

static void hash_session(struct jic_sha256 *h, const struct jic_facts *f)
{
	hash_text(h, f->version_text);
	hash_text(h, f->branch);
	hash_text(h, f->commit);
	hash_text(h, f->uname);
	hash_text(h, f->arch);
	hash_text(h, f->stdlib_dir);
	hash_text(h, f->cpu_target);
	hash_text(h, f->jit_target);
	hash_number(h, f->existing_images);
	hash_text(h, f->cpu_name);
	hash_text(h, f->cpu_features);
	hash_number(h, f->word_bits);
	hash_number(h, f->flags);
	jic_sha256_update(h, f->sysimage.bytes, sizeof f->sysimage.bytes);
	hash_number(h, f->depot_path_count);
	for (size_t i = 0; i < f->depot_path_count; i++)
		hash_text(h, f->depot_path[i]);
	for (size_t i = 0; i < f->bundled_count; i++) {
		hash_text(h, f->bundled[i].cache.name);
		hash_number(h, f->bundled[i].cache.build_id.hi);
		hash_number(h, f->bundled[i].cache.build_id.lo);
	}
}

static void hash_node(struct jic_sha256 *h, const struct jic_node *n)
{
	hash_text(h, n->inputs.name);
	hash_number(h, n->inputs.uuid.hi);
	hash_number(h, n->inputs.uuid.lo);
	jic_sha256_update(h, n->key.bytes, sizeof n->key.bytes);
	hash_number(h, (uint64_t)n->state);
	hash_text(h, n->root);
	hash_text(h, n->entry_file);
}

void jic_snapshot_context(const struct jic_graph *g, const struct jic_depot_options *options, struct jic_digest *out)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	*out = (struct jic_digest){0};
	if (!h)
		return;
	hash_session(h, g->facts);
	hash_text(h, jic_view_of(options->depot));
	hash_number(h, g->count);
	for (size_t i = 0; i < g->count; i++)
		hash_node(h, &g->nodes[i]);
	jic_sha256_final(h, out);
}

/* One file for each project, Julia and depot: a changed manifest replaces what was remembered of the old one. */
static char *snapshot_path(const char *memory_dir, const struct jic_graph *g, const struct jic_depot_options *options)
{
	struct jic_digest d;
	char hex[JIC_DIGEST_HEX + 1];
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	if (!h)
		return NULL;
	hash_text(h, g->project_file);
	hash_text(h, g->facts->julia_bin);
	hash_text(h, g->facts->image_file);
	hash_number(h, g->facts->flags);
	hash_text(h, jic_view_of(options->depot));
	jic_sha256_final(h, &d);
	jic_digest_hex(&d, hex);
	return jic_asprintf("%s/scan-%.*s", memory_dir, NAME_HEX, hex);
}

/* ---- on disk */

static void write_text(struct jic_buf *b, struct jic_view v)
{
	jic_buf_u32le(b, (uint32_t)v.len);
	jic_buf_putv(b, v);
	jic_buf_putc(b, '\0');
}

/* With its NUL behind it, so that it can be handed to stat() where it lies. */
static bool read_text(struct jic_cursor *c, struct jic_view *out)
{
	uint32_t len;
	uint8_t end;
	return jic_cursor_u32le(c, &len) && jic_cursor_bytes(c, len, out) && jic_cursor_u8(c, &end) && end == 0;
}

static void write_watch(struct jic_buf *b, const struct jic_watch *w)
{
	jic_buf_u8(b, (uint8_t)w->kind);
	jic_buf_u32le(b, w->node);
	jic_buf_u64le(b, w->identity.device);
	jic_buf_u64le(b, w->identity.inode);
	jic_buf_u64le(b, w->identity.size);
	jic_buf_u64le(b, (uint64_t)w->identity.mtime_ns);
	jic_buf_u64le(b, (uint64_t)w->identity.ctime_ns);
	write_text(b, w->path);
}

static bool read_watch(struct jic_cursor *c, struct jic_watch *out)
{
	uint8_t kind;
	uint64_t mtime, ctime;
	struct jic_file_identity *id = &out->identity;
	if (!jic_cursor_u8(c, &kind) || !jic_cursor_u32le(c, &out->node) || !jic_cursor_u64le(c, &id->device) ||
	    !jic_cursor_u64le(c, &id->inode) || !jic_cursor_u64le(c, &id->size) || !jic_cursor_u64le(c, &mtime) ||
	    !jic_cursor_u64le(c, &ctime) || !read_text(c, &out->path))
		return false;
	id->mtime_ns = (int64_t)mtime;
	id->ctime_ns = (int64_t)ctime;
	out->kind = (enum jic_watch_kind)kind;
	return kind >= JIC_WATCH_ABSENT && kind <= JIC_WATCH_CACHE_OLDER;
}

static void write_local(struct jic_buf *b, const struct jic_local *l)
{
	write_text(b, l->path);
	jic_buf_u64le(b, l->build_id.hi);
	jic_buf_u64le(b, l->build_id.lo);
	jic_buf_u8(b, (uint8_t)((l->ours ? FLAG_OURS : 0) | (l->has_image ? FLAG_IMAGE : 0) | (l->own ? FLAG_OWN : 0)));
	jic_buf_u64le(b, l->bytes);
}

static bool read_local(struct jic_cursor *c, struct jic_arena *arena, struct jic_local *out)
{
	uint8_t flags;
	struct jic_view path;
	if (!read_text(c, &path) || !jic_cursor_u64le(c, &out->build_id.hi) ||
	    !jic_cursor_u64le(c, &out->build_id.lo) || !jic_cursor_u8(c, &flags) || !jic_cursor_u64le(c, &out->bytes))
		return false;
	out->path = path.len ? jic_arena_copy(arena, path) : (struct jic_view){0};
	out->ours = flags & FLAG_OURS;
	out->has_image = flags & FLAG_IMAGE;
	out->own = flags & FLAG_OWN;
	return !path.len || out->path.len;
}

void jic_snapshot_save(const char *memory_dir, const struct jic_graph *g, const struct jic_depot_options *options,
                       const struct jic_digest *context, const struct jic_watches *watches,
                       const struct jic_locals *locals)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	jic_autofree char *path = snapshot_path(memory_dir, g, options);
	if (!path || watches->unsettled || watches->failed)
		return;
	jic_buf_put(&b, magic, sizeof magic - 1);
	jic_buf_put(&b, context->bytes, sizeof context->bytes);
	jic_buf_u32le(&b, (uint32_t)watches->count);
	for (size_t i = 0; i < watches->count; i++)
		write_watch(&b, &watches->items[i]);
	jic_buf_u32le(&b, (uint32_t)locals->count);
	for (size_t i = 0; i < locals->count; i++)
		write_local(&b, &locals->items[i]);
	if (!jic_buf_ok(&b, NULL))
		return;
	jic_buf_u32le(&b, jic_crc32c(0, b.ptr, b.len));
	struct jic_writer_options writing = {.no_sync = true, .mode = 0600};
	if (jic_buf_ok(&b, NULL) && jic_mkdirs(memory_dir, NULL))
		(void)!jic_file_write(path, jic_buf_view(&b), writing, NULL);
}

/* ---- loading */

static bool still_holds(const struct jic_watch *w, struct jic_locals *locals)
{
	struct stat st;
	if (stat(w->path.ptr, &st) != 0)
		return w->kind == JIC_WATCH_ABSENT && (errno == ENOENT || errno == ENOTDIR);
	if (!is_unchanged(w, &st))
		return false;
	const double mtime = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec * 1e-9;
	if (w->node >= locals->count)
		return true;
	if (w->kind == JIC_WATCH_CACHE_OLDER)
		return mtime < locals->items[w->node].mtime;
	locals->items[w->node].mtime = mtime;
	return true;
}

static bool watches_hold(struct jic_cursor *c, struct jic_locals *locals)
{
	uint32_t count;
	if (!jic_cursor_u32le(c, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct jic_watch w = {0};
		if (!read_watch(c, &w) || !still_holds(&w, locals))
			return false;
	}
	return true;
}

static bool read_locals(struct jic_cursor *c, const struct jic_graph *g, struct jic_arena *arena,
                        struct jic_locals *out)
{
	uint32_t count;
	if (!jic_cursor_u32le(c, &count) || count != g->count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!read_local(c, arena, &out->items[i]))
			return false;
		const bool shared = jic_node_is_wanted(&g->nodes[i]);
		out->wanted += shared;
		out->have += shared && out->items[i].path.len;
	}
	return true;
}

static bool is_whole(struct jic_view v, const struct jic_digest *context)
{
	const size_t head = sizeof magic - 1 + sizeof context->bytes;
	uint32_t crc = 0;
	if (v.len < head + 4 || memcmp(v.ptr, magic, sizeof magic - 1) != 0 ||
	    memcmp(v.ptr + sizeof magic - 1, context->bytes, sizeof context->bytes) != 0)
		return false;
	struct jic_cursor end = jic_cursor_over(jic_view_skip(v, v.len - 4));
	return jic_cursor_u32le(&end, &crc) && crc == jic_crc32c(0, v.ptr, v.len - 4);
}

bool jic_snapshot_load(const char *memory_dir, const struct jic_graph *g, const struct jic_depot_options *options,
                       const struct jic_digest *context, struct jic_arena *arena, struct jic_locals *out)
{
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	jic_autofree char *path = snapshot_path(memory_dir, g, options);
	if (!path || !jic_map_open(path, SNAPSHOT_BYTES_MAX, &map, NULL) || !is_whole(map.view, context))
		return false;
	struct jic_locals found = {.items = jic_arena_array(arena, g->count, sizeof *found.items), .count = g->count};
	struct jic_cursor c = jic_cursor_over(jic_view_head(map.view, map.view.len - 4));
	if (!found.items || !jic_cursor_skip(&c, sizeof magic - 1 + sizeof context->bytes) ||
	    !watches_hold(&c, &found) || !read_locals(&c, g, arena, &found))
		return false;
	*out = found;
	return true;
}
