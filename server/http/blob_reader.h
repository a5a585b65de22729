/**
 * Reads the content of a stored blob piece by piece, decompressing as it goes: what answers a reader that does not take
 * zstd. Memory is bounded by the frame's window (common/zstream.h); nothing is allocated before the first read. One
 * thread.
 */
#ifndef JIC_SERVER_HTTP_BLOB_READER_H
#define JIC_SERVER_HTTP_BLOB_READER_H

#include "common/attr.h"
#include "common/digest.h"

#include <jicache/error.h>
#include <stdint.h>
#include <sys/types.h>

struct jic_blob_reader;

/** @param fd  of the zstd bytes, taken, even on failure
 *  @param first  bytes of content to skip */
struct jic_blob_reader *jic_blob_reader_new(int fd, uint64_t first, struct jic_error *err);
/** Compare the content with its digest on the way; only for a reader of all of it, before the first read.
 *  @param size of the content: the read that comes so far fails with JIC_ECORRUPT instead of giving the last bytes */
jic_must_check bool jic_blob_reader_verify(struct jic_blob_reader *r, const struct jic_digest *digest, uint64_t size,
                                           struct jic_error *err);
void jic_blob_reader_free(struct jic_blob_reader *r);

/**
 * The next bytes of content.
 * @param[out] len  bytes read; 0 with true: still skipping, call again (so that one call never takes long)
 * @return false with JIC_EFORMAT (also when the content ends), JIC_ECORRUPT, JIC_EIO or JIC_EMEMORY
 */
jic_must_check bool jic_blob_reader_read(struct jic_blob_reader *r, char *out, size_t room, size_t *len,
                                         struct jic_error *err);

#endif
