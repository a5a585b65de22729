/**
 * Blobs: bytes under the SHA-256 of what they decompress to. This half keeps and returns zstd bytes as they are;
 * hashing, compressing and limits are the store's (upload.c), so that every implementation stores the same bytes.
 *
 * An implementation is a struct that begins with `struct jic_blobs`; tests/conformance/blobs_conformance.c is what each
 * of them has to pass. Operations may be called from any thread; a sink belongs to one.
 *
 * Errors, unless a function says more: JIC_EIO, JIC_ENOSPACE, JIC_EMEMORY, JIC_EDENIED.
 */
#ifndef JIC_SERVER_STORE_BLOBS_H
#define JIC_SERVER_STORE_BLOBS_H

#include "common/digest.h"

#include <jicache/error.h>

struct jic_blobs_ops;
struct jic_blobs {
	const struct jic_blobs_ops *ops;
};

/** Bytes on their way in, without a name yet. */
struct jic_blob_sink {
	const struct jic_blobs_ops *ops;
};

struct jic_blobs_entry {
	struct jic_digest digest;
	uint64_t stored_size;
	uint64_t created_s; /**< Unix time */
};
/** Called for each blob; false ends the walk and is passed up with its error. */
typedef bool jic_blobs_each_fn(void *context, const struct jic_blobs_entry *entry, struct jic_error *err);

struct jic_blobs_ops {
	void (*free)(struct jic_blobs *b);
	/** Answers, and takes a small write. */
	bool (*ready)(struct jic_blobs *b, struct jic_error *err);

	/** Bytes that the medium has left for blobs. UINT64_MAX where that means nothing. */
	bool (*free_bytes)(struct jic_blobs *b, uint64_t *out, struct jic_error *err);

	struct jic_blob_sink *(*sink_new)(struct jic_blobs *b, struct jic_error *err);
	bool (*sink_put)(struct jic_blob_sink *k, struct jic_view bytes, struct jic_error *err);
	/** Give the bytes their name. When this returns true they survive a power cut; before, no reader sees any of
	 * them. A blob that is there already is replaced: bytes under one digest mean the same. */
	bool (*sink_commit)(struct jic_blob_sink *k, const struct jic_digest *digest, struct jic_error *err);
	/** Without a commit nothing is left behind. */
	void (*sink_free)(struct jic_blob_sink *k);

	/** @param[out] fd a regular file of `stored_size` bytes, positioned at 0; the caller's to close. JIC_ENOTFOUND
	 */
	bool (*open)(struct jic_blobs *b, const struct jic_digest *digest, int *fd, uint64_t *stored_size,
	             struct jic_error *err);
	/** Not an error when it is gone already. Who has it open keeps reading. */
	bool (*remove)(struct jic_blobs *b, const struct jic_digest *digest, struct jic_error *err);
	/** Put its bytes aside, where nothing but people looks; those under the same digest before are replaced. Not an
	 * error when it is gone already. */
	bool (*quarantine)(struct jic_blobs *b, const struct jic_digest *digest, struct jic_error *err);
	bool (*each)(struct jic_blobs *b, jic_blobs_each_fn *each, void *context, struct jic_error *err);
	/** Give another place the same bytes, unless it has as many under the digest: as one file with two names where
	 * that is possible, because bytes under a name never change. May need a jic_blobs_ops.sync of `to` to survive a
	 * power cut. JIC_ENOTFOUND. @param[out] fresh stored bytes that `to` got; 0: it had them */
	bool (*share)(struct jic_blobs *b, const struct jic_digest *digest, struct jic_blobs *to, uint64_t *fresh,
	              struct jic_error *err);
	/** Everything that was shared with it is on disk. */
	bool (*sync)(struct jic_blobs *b, struct jic_error *err);

	/** An unnamed scratch file on the same medium, for content that is too big for memory. @return −1 on failure */
	int (*scratch)(struct jic_blobs *b, struct jic_error *err);
};

static inline void jic_blobs_free(struct jic_blobs *b)
{
	if (b)
		b->ops->free(b);
}
JIC_DEFINE_AUTO(jic_blobs, jic_blobs_free)

static inline void jic_blob_sink_free(struct jic_blob_sink *k)
{
	if (k)
		k->ops->sink_free(k);
}
JIC_DEFINE_AUTO(jic_blob_sink, jic_blob_sink_free)

#endif
