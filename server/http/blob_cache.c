/*
 * One place for each key, taken over by whoever comes later: no lists, no order. When bytes are short a hand goes
 * around and empties places until there is room. Bytes that left their place but are still being sent count too, so
 * that slow readers of many blobs can't make more of them than the limit.
 */
#include "server/http/blob_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 4096 };

struct jic_cached_blob {
	struct jic_blob_cache *cache;
	atomic_uint uses;
	uint64_t size;
	size_t stored_size;
	char bytes[];
};

struct place {
	struct jic_blob_cache_key key;
	struct jic_cached_blob *blob; /* NULL: empty */
};

struct jic_blob_cache {
	pthread_mutex_t lock; /* guards places and hand */
	struct place places[PLACES];
	size_t hand;

	atomic_size_t bytes; /* in places and on the way */
	size_t bytes_max;
};

struct jic_blob_cache *jic_blob_cache_new(size_t bytes_max, struct jic_error *err)
{
	struct jic_blob_cache *c = calloc(1, sizeof *c);
	if (!c) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->bytes_max = bytes_max;
	return c;
}

void jic_blob_cache_free(struct jic_blob_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < PLACES; i++)
		jic_cached_blob_unref(c->places[i].blob);
	JIC_ASSERT(atomic_load(&c->bytes) == 0);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void jic_cached_blob_unref(struct jic_cached_blob *b)
{
	if (!b || atomic_fetch_sub(&b->uses, 1) != 1)
		return;
	atomic_fetch_sub(&b->cache->bytes, b->stored_size);
	free(b);
}

const char *jic_cached_blob_bytes(const struct jic_cached_blob *b)
{
	return b->bytes;
}

uint64_t jic_cached_blob_size(const struct jic_cached_blob *b)
{
	return b->size;
}

uint64_t jic_cached_blob_stored_size(const struct jic_cached_blob *b)
{
	return b->stored_size;
}

/* Digests are spread evenly; who uploads many that meet in one place makes this one slower for them, no more. */
static struct place *place_of(struct jic_blob_cache *c, const struct jic_blob_cache_key *key)
{
	size_t viewer, blob;
	memcpy(&viewer, key->viewer.bytes, sizeof viewer);
	memcpy(&blob, key->blob.bytes, sizeof blob);
	return &c->places[(viewer ^ blob) % PLACES];
}

static bool is_for(const struct place *p, const struct jic_blob_cache_key *key)
{
	return p->blob && p->key.version == key->version && jic_digest_eq(&p->key.blob, &key->blob) &&
	       jic_digest_eq(&p->key.viewer, &key->viewer);
}

struct jic_cached_blob *jic_blob_cache_get(struct jic_blob_cache *c, const struct jic_blob_cache_key *key)
{
	pthread_mutex_lock(&c->lock);
	const struct place *p = place_of(c, key);
	struct jic_cached_blob *found = is_for(p, key) ? p->blob : NULL;
	if (found)
		atomic_fetch_add(&found->uses, 1);
	pthread_mutex_unlock(&c->lock);
	return found;
}

static bool make_room(struct jic_blob_cache *c, size_t bytes)
{
	bool fits = atomic_fetch_add(&c->bytes, bytes) + bytes <= c->bytes_max;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < PLACES && !fits; i++) {
		struct place *p = &c->places[c->hand++ % PLACES];
		jic_cached_blob_unref(JIC_TAKE(p->blob));
		fits = atomic_load(&c->bytes) <= c->bytes_max;
	}
	pthread_mutex_unlock(&c->lock);
	if (!fits)
		atomic_fetch_sub(&c->bytes, bytes);
	return fits;
}

static bool read_all(int fd, char *out, size_t len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t got = pread(fd, out + have, len - have, (off_t)have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

struct jic_cached_blob *jic_blob_cache_put(struct jic_blob_cache *c, const struct jic_blob_cache_key *key, int fd,
                                           uint64_t size, uint64_t stored_size)
{
	if (stored_size > JIC_CACHED_BLOB_BYTES_MAX || !make_room(c, (size_t)stored_size))
		return NULL;
	JIC_AUTO(jic_cached_blob) struct jic_cached_blob *b = malloc(sizeof *b + (size_t)stored_size);
	if (!b) {
		atomic_fetch_sub(&c->bytes, (size_t)stored_size);
		return NULL;
	}
	*b = (struct jic_cached_blob){.cache = c, .size = size, .stored_size = (size_t)stored_size};
	atomic_init(&b->uses, 1);
	if (!read_all(fd, b->bytes, b->stored_size))
		return NULL;
	atomic_fetch_add(&b->uses, 1);
	pthread_mutex_lock(&c->lock);
	struct place *p = place_of(c, key);
	jic_cached_blob_unref(p->blob);
	*p = (struct place){.key = *key, .blob = b};
	pthread_mutex_unlock(&c->lock);
	return JIC_TAKE(b);
}
