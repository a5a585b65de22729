/**
 * Small blobs that were asked for lately, in memory, so that the thread that reads a request can answer it: without the
 * cache it waits for a worker, the index and the file system, which for 64 KiB is most of the time.
 *
 * What is kept is "this viewer may read this digest, and these are the bytes", and it counts only as long as the
 * index's version (index.h) is the one that was read before it was looked up. Whatever changes anything in the index,
 * from a publish to a lane that another process drops, makes everything here void. So it never says more than the index
 * would. Callable from any thread.
 */
#ifndef JIC_SERVER_HTTP_BLOB_CACHE_H
#define JIC_SERVER_HTTP_BLOB_CACHE_H

#include "common/attr.h"
#include "common/digest.h"

#include <jicache/error.h>

enum { JIC_CACHED_BLOB_BYTES_MAX = 256 * 1024 };

struct jic_blob_cache;

/** The zstd bytes of a blob. Counted: an answer on its way holds it. */
struct jic_cached_blob;

/** Who asks for what, as of when. */
struct jic_blob_cache_key {
	struct jic_digest viewer, blob;
	uint64_t version;
};

/** @param bytes_max of all bytes, those on their way to clients included; 0: nothing is kept */
struct jic_blob_cache *jic_blob_cache_new(size_t bytes_max, struct jic_error *err);
/** After all blobs were given back. Takes NULL. */
void jic_blob_cache_free(struct jic_blob_cache *c);

/** @return NULL: not kept, or void; else to be given back */
struct jic_cached_blob *jic_blob_cache_get(struct jic_blob_cache *c, const struct jic_blob_cache_key *key);
/**
 * Keep the bytes behind a descriptor, which are stored_size long.
 * @return NULL: too large, no room, or they can't be read; else to be given back
 */
struct jic_cached_blob *jic_blob_cache_put(struct jic_blob_cache *c, const struct jic_blob_cache_key *key, int fd,
                                           uint64_t size, uint64_t stored_size);
void jic_cached_blob_unref(struct jic_cached_blob *b); /**< takes NULL */
JIC_DEFINE_AUTO(jic_cached_blob, jic_cached_blob_unref)

const char *jic_cached_blob_bytes(const struct jic_cached_blob *b);
uint64_t jic_cached_blob_size(const struct jic_cached_blob *b); /**< of the content */
uint64_t jic_cached_blob_stored_size(const struct jic_cached_blob *b);

#endif
