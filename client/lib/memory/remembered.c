/*
 *     "jicfile1" ‖ u32 count ‖ u32 CRC-32C of the entries ‖ entries, sorted by device and inode
 *
 * in the machine's byte order: the file never leaves it. It is mapped and searched where it is; what is new is kept in
 * an array and merged in on saving, over entries of the same device and inode. The CRC is there because a flipped bit
 * would not cost time but give a wrong key.
 */
#include "client/lib/memory/remembered.h"

#include "common/crc32c.h"

#include <time.h>

enum { ENTRIES_MAX = 65536, SETTLE_NS = 2000000000 };
static const char MAGIC[8] = "jicfile1";

struct entry {
	struct jic_file_identity file;
	struct jic_digest digest;
	uint32_t note;
	uint32_t unused; /* padding, spelled out: entries are written as they are */
};

struct header {
	char magic[sizeof(MAGIC)];
	uint32_t count, crc;
};

struct jic_remembered {
	char *path;
	struct jic_map map;
	const struct entry *old;
	size_t old_count;
	struct entry *added;
	size_t added_count, added_room;
};

static void load(struct jic_remembered *r)
{
	struct header h;
	if (!jic_map_open(r->path, sizeof(h) + (size_t)ENTRIES_MAX * sizeof(struct entry), &r->map, NULL))
		return;
	struct jic_view v = r->map.view;
	if (v.len < sizeof(h))
		return;
	memcpy(&h, v.ptr, sizeof(h));
	struct jic_view entries = jic_view_skip(v, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(MAGIC)) != 0 || entries.len != (size_t)h.count * sizeof(struct entry) ||
	    jic_crc32c(0, entries.ptr, entries.len) != h.crc)
		return;
	r->old = (const struct entry *)(const void *)entries.ptr; /* aligned: a mapping, and 16 bytes of header */
	r->old_count = h.count;
}

struct jic_remembered *jic_remembered_open(const char *dir, const char *name)
{
	JIC_AUTO(jic_remembered) struct jic_remembered *r = calloc(1, sizeof(*r));
	if (!r || !dir)
		return JIC_TAKE(r);
	r->path = jic_path_join(dir, name);
	if (!r->path)
		return NULL;
	load(r);
	return JIC_TAKE(r);
}

void jic_remembered_free(struct jic_remembered *r)
{
	if (!r)
		return;
	jic_map_clear(&r->map);
	free(r->added);
	free(r->path);
	free(r);
}

static int compare(const void *a, const void *b)
{
	const struct jic_file_identity *x = &((const struct entry *)a)->file, *y = &((const struct entry *)b)->file;
	int device = (x->device > y->device) - (x->device < y->device);
	return device ? device : (x->inode > y->inode) - (x->inode < y->inode);
}

bool jic_remembered_find(const struct jic_remembered *r, const struct jic_file_identity *file,
                         struct jic_digest *digest, uint32_t *note)
{
	const struct entry key = {.file = *file};
	const struct entry *e = r->old_count ? bsearch(&key, r->old, r->old_count, sizeof(key), compare) : NULL;
	if (!e || !jic_file_identity_eq(&e->file, file))
		return false;
	*digest = e->digest;
	*note = e->note;
	return true;
}

static bool is_settled(const struct jic_file_identity *file)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return file->mtime_ns < now_ns - SETTLE_NS && file->ctime_ns < now_ns - SETTLE_NS;
}

void jic_remembered_add(struct jic_remembered *r, const struct jic_file_identity *file, const struct jic_digest *digest,
                        uint32_t note)
{
	if (!r->path || !is_settled(file) || r->added_count == ENTRIES_MAX)
		return;
	if (r->added_count == r->added_room) {
		size_t room = r->added_room ? r->added_room * 2 : 64;
		struct entry *more = reallocarray(r->added, room, sizeof(*more));
		if (!more)
			return;
		r->added = more;
		r->added_room = room;
	}
	r->added[r->added_count++] = (struct entry){.file = *file, .digest = *digest, .note = note};
}

/* The old entries that no new one replaces, behind the new ones; when there are too many, none of them. */
static size_t merge(const struct jic_remembered *r, struct entry *out)
{
	size_t count = r->added_count;
	memcpy(out, r->added, count * sizeof(*out));
	qsort(out, count, sizeof(*out), compare);
	if (count + r->old_count > ENTRIES_MAX)
		return count;
	for (size_t i = 0; i < r->old_count; i++) {
		if (!bsearch(&r->old[i], out, r->added_count, sizeof(*out), compare))
			out[count++] = r->old[i];
	}
	qsort(out, count, sizeof(*out), compare);
	return count;
}

static bool write_entries(const char *path, const struct entry *entries, size_t count)
{
	const size_t bytes = count * sizeof(*entries);
	struct header h = {.count = (uint32_t)count, .crc = jic_crc32c(0, entries, bytes)};
	memcpy(h.magic, MAGIC, sizeof(MAGIC));
	JIC_AUTO(jic_writer)
	struct jic_writer *w = jic_writer_new(path, (struct jic_writer_options){.no_sync = true, .mode = 0600}, NULL);
	return w && jic_writer_put(w, jic_view_bytes(&h, sizeof(h)), NULL) &&
	       jic_writer_put(w, jic_view_bytes(entries, bytes), NULL) && jic_writer_commit(w, NULL);
}

void jic_remembered_save(struct jic_remembered *r)
{
	if (!r->added_count)
		return;
	jic_autofree struct entry *all = calloc(r->added_count + r->old_count, sizeof(*all));
	jic_autofree char *dir =
	    jic_strdup_view((struct jic_view){.ptr = r->path, .len = (size_t)(strrchr(r->path, '/') - r->path)});
	if (all && dir && jic_mkdirs(dir, NULL) && write_entries(r->path, all, merge(r, all)))
		r->added_count = 0;
}
