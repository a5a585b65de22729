/* A sorted table on disk, mapped; what is new is kept beside it and merged when it is saved. */
#include "client/lib/memory/memory.h"

#include "common/digest.h"
#include "common/file.h"

#include <pthread.h>

enum {
	KEY_BYTES = 16,
	RECORDS_MAX = 1 << 17, /* 2.5 MB; more than that, and it starts over with what is new */
	MAGIC_BYTES = 8,
};
static const char magic[MAGIC_BYTES + 1] = "jicmem1\n";
static const char table_name[] = "depot-files";

struct record {
	uint8_t key[KEY_BYTES];
	uint8_t value[4]; /* little-endian */
};

struct jic_memory {
	pthread_mutex_t lock;
	struct record *added;           /* a hash table, open addressing; a zero key is a free slot */
	size_t added_count, added_room; /* room: a power of two, or 0 */
	char *dir;
	struct jic_map map;
	const struct record *known; /* in the mapping, sorted */
	size_t known_count;
};

char *jic_memory_dir(const char *option)
{
	if (option)
		return jic_path_absolute(option);
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (xdg && xdg[0] == '/')
		return jic_path_join(xdg, "jicache");
	return home && home[0] == '/' ? jic_path_join(home, ".cache/jicache") : NULL;
}

static int compare_records(const void *a, const void *b)
{
	return memcmp(a, b, KEY_BYTES);
}

static bool is_sorted(const struct record *r, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare_records(&r[i - 1], &r[i]) >= 0)
			return false;
	return true;
}

static void load(struct jic_memory *m, const char *path)
{
	if (!jic_map_open(path, MAGIC_BYTES + RECORDS_MAX * sizeof(struct record), &m->map, NULL))
		return;
	struct jic_view v = m->map.view;
	if (!jic_view_starts(v, jic_view_bytes(magic, MAGIC_BYTES)) ||
	    (v.len - MAGIC_BYTES) % sizeof(struct record) != 0)
		return;
	const struct record *records = (const void *)(v.ptr + MAGIC_BYTES);
	const size_t count = (v.len - MAGIC_BYTES) / sizeof *records;
	if (!is_sorted(records, count))
		return;
	m->known = records;
	m->known_count = count;
}

struct jic_memory *jic_memory_open(const char *dir)
{
	JIC_AUTO(jic_memory) struct jic_memory *m = calloc(1, sizeof *m);
	if (!m || pthread_mutex_init(&m->lock, NULL) != 0)
		return NULL;
	m->dir = strdup(dir);
	jic_autofree char *path = jic_path_join(dir, table_name);
	if (!m->dir || !path)
		return NULL;
	load(m, path);
	return JIC_TAKE(m);
}

void jic_memory_free(struct jic_memory *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->added);
	jic_map_clear(&m->map);
	free(m->dir);
	free(m);
}

static void make_key(enum jic_memory_kind kind, const void *key, size_t len, uint8_t out[KEY_BYTES])
{
	uint8_t text[256];
	struct jic_digest d;
	JIC_ASSERT(len < sizeof text);
	text[0] = (uint8_t)kind;
	memcpy(text + 1, key, len);
	jic_sha256_of(jic_view_bytes(text, len + 1), &d);
	memcpy(out, d.bytes, KEY_BYTES);
}

static void unpack(const struct record *r, uint32_t *value)
{
	*value = (uint32_t)r->value[0] | (uint32_t)r->value[1] << 8 | (uint32_t)r->value[2] << 16 |
	         (uint32_t)r->value[3] << 24;
}

static bool is_free(const struct record *r)
{
	static const uint8_t zero[KEY_BYTES];
	return memcmp(r->key, zero, KEY_BYTES) == 0;
}

/* The slot that holds the key, or the free one where it belongs. Keys are digests: their first bytes are uniform. */
static struct record *slot_of(struct record *table, size_t room, const uint8_t key[KEY_BYTES])
{
	uint64_t at;
	memcpy(&at, key, sizeof at);
	for (;; at++) {
		struct record *r = &table[at & (room - 1)];
		if (is_free(r) || memcmp(r->key, key, KEY_BYTES) == 0)
			return r;
	}
}

static const struct record *find_added(const struct jic_memory *m, const uint8_t key[KEY_BYTES])
{
	const struct record *r = m->added_room ? slot_of(m->added, m->added_room, key) : NULL;
	return r && !is_free(r) ? r : NULL;
}

static bool grow_added(struct jic_memory *m)
{
	const size_t room = m->added_room ? m->added_room * 2 : 256;
	struct record *table = calloc(room, sizeof *table);
	if (!table)
		return false;
	for (size_t i = 0; i < m->added_room; i++)
		if (!is_free(&m->added[i]))
			*slot_of(table, room, m->added[i].key) = m->added[i];
	free(m->added);
	m->added = table;
	m->added_room = room;
	return true;
}

static void add(struct jic_memory *m, const struct record *r)
{
	if (m->added_count >= RECORDS_MAX || (m->added_count * 2 >= m->added_room && !grow_added(m)))
		return;
	struct record *slot = slot_of(m->added, m->added_room, r->key);
	m->added_count += is_free(slot);
	*slot = *r;
}

bool jic_memory_get(struct jic_memory *m, enum jic_memory_kind kind, const void *key, size_t len, uint32_t *value)
{
	uint8_t k[KEY_BYTES];
	if (!m)
		return false;
	make_key(kind, key, len, k);
	const struct record *r =
	    m->known_count ? bsearch(k, m->known, m->known_count, sizeof *r, compare_records) : NULL;
	if (r) {
		unpack(r, value);
		return true;
	}
	pthread_mutex_lock(&m->lock);
	r = find_added(m, k);
	if (r)
		unpack(r, value);
	pthread_mutex_unlock(&m->lock);
	return r != NULL;
}

void jic_memory_put(struct jic_memory *m, enum jic_memory_kind kind, const void *key, size_t len, uint32_t value)
{
	struct record r;
	if (!m)
		return;
	make_key(kind, key, len, r.key);
	for (unsigned i = 0; i < sizeof r.value; i++)
		r.value[i] = (uint8_t)(value >> (8 * i));
	pthread_mutex_lock(&m->lock);
	add(m, &r);
	pthread_mutex_unlock(&m->lock);
}

/* Appends the union of two sorted lists; of equal keys the one of `b`. */
static void merge(const struct record *a, size_t a_count, const struct record *b, size_t b_count, struct jic_buf *out)
{
	size_t i = 0, j = 0;
	while (i < a_count || j < b_count) {
		int order = i == a_count ? 1 : j == b_count ? -1 : compare_records(&a[i], &b[j]);
		if (order == 0)
			i++;
		jic_buf_put(out, order < 0 ? (const void *)&a[i++] : (const void *)&b[j++], sizeof *a);
	}
}

/* The table's records in order, in a list of their own. */
static struct record *sorted_added(const struct jic_memory *m)
{
	size_t n = 0;
	struct record *list = calloc(m->added_count, sizeof *list);
	for (size_t i = 0; list && i < m->added_room; i++)
		if (!is_free(&m->added[i]))
			list[n++] = m->added[i];
	if (list)
		qsort(list, n, sizeof *list, compare_records);
	return list;
}

bool jic_memory_save(struct jic_memory *m, struct jic_error *err)
{
	if (!m->added_count)
		return true;
	if (!jic_mkdirs(m->dir, err))
		return jic_wrap(err, "memory");
	const size_t known = m->known_count + m->added_count > RECORDS_MAX ? 0 : m->known_count;
	jic_autofree struct record *list = sorted_added(m);
	jic_autofree char *path = jic_path_join(m->dir, table_name);
	if (!list || !path)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_buf_put(&out, magic, MAGIC_BYTES);
	merge(m->known, known, list, m->added_count, &out);
	struct jic_writer_options options = {.no_sync = true, .mode = 0600};
	if (!jic_buf_ok(&out, err) || !jic_file_write(path, jic_buf_view(&out), options, err))
		return jic_wrap(err, "memory");
	return true;
}
