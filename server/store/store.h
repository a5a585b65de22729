/**
 * The store: what the HTTP handlers and the admin commands know of artefacts. It joins an index (records, lanes,
 * tokens) with blobs (bytes), and keeps rule 2: an address has at most one artefact in a lane with its parents, and all
 * that an artefact requires is stored or part of its runtime and sysimage. Callable from any thread.
 */
#ifndef JIC_SERVER_STORE_STORE_H
#define JIC_SERVER_STORE_STORE_H

#include "common/log.h"
#include "common/message.h"
#include "server/store/blobs.h"
#include "server/store/index.h"
#include "server/store/viewer.h"

struct jic_store;

struct jic_store_options {
	const char *data_dir; /**< created when absent; borrowed for the call */
	uint64_t blob_bytes_max;
	uint64_t store_bytes_max;         /**< stored bytes of all blobs, uploads under way included; 0: no limit */
	uint64_t free_bytes_min;          /**< that writing leaves free on the disk; 0: what the index needs */
	const struct jic_digest *signers; /**< public keys whose signatures are taken; borrowed for the store's life */
	size_t signers_count;             /**< 0: everybody's */
	const struct jic_log *log;        /**< borrowed for the store's life */
	const struct jic_migration_watch *migration; /**< borrowed for the call; NULL: nobody wants to know */
	bool admin; /**< beside a server that may be running: no lock is taken, sweeping is refused */
};
/** Default backends: SQLite index and blob directory in data_dir. One process per data directory serves (a lock file):
 *  JIC_EBUSY when there is another. JIC_EUNSUPPORTED when the index was migrated by a newer jicached. */
struct jic_store *jic_store_open(const struct jic_store_options *options, struct jic_error *err);
void jic_store_free(struct jic_store *s);
JIC_DEFINE_AUTO(jic_store, jic_store_free)

/** Other limits from now on, each as in the options; what is over them is evicted soon. */
void jic_store_set_limits(struct jic_store *s, uint64_t store_bytes_max, uint64_t free_bytes_min);

uint64_t jic_store_now_s(void); /**< Unix time */

struct jic_index *jic_store_index(struct jic_store *s); /**< borrowed: tokens and lanes */

/** True when index and blobs answer and the disk takes writes: /readyz. */
bool jic_store_ready(struct jic_store *s, struct jic_error *err);

/** The best coherent set for each runtime. `out` in the arena. Unknown lane: JIC_ENOTFOUND. */
jic_must_check bool jic_store_resolve(struct jic_store *s, const struct jic_msg_resolve *request,
                                      struct jic_arena *arena, struct jic_msg_resolved *out, struct jic_error *err);

/** The nearest that a reader of `lane` sees for each node. `out` in the arena. Unknown lane: JIC_ENOTFOUND. */
jic_must_check bool jic_store_explain(struct jic_store *s, const struct jic_msg_explain *request,
                                      struct jic_arena *arena, struct jic_msg_explained *out, struct jic_error *err);

/** One record as a reader of `lane` sees it, with the build ids that it requires: `out->requires_count` of them, while
 *  `out->requires_` is NULL. JIC_ENOTFOUND for the lane, or when no artefact is offered under the address. */
jic_must_check bool jic_store_record(struct jic_store *s, struct jic_view lane, struct jic_view runtime,
                                     const struct jic_digest *sysimage, const struct jic_digest *key,
                                     struct jic_arena *arena, struct jic_msg_record *out,
                                     const struct jic_build_id **requires_ids, struct jic_error *err);

/* ---- blobs, as readers and writers of lanes see them */

/** Which of the digests have to be uploaded: those that are not there for the viewer. */
jic_must_check bool jic_store_blobs_missing(struct jic_store *s, const struct jic_viewer *viewer,
                                            const struct jic_digest *digests, size_t count, struct jic_arena *arena,
                                            const struct jic_digest **missing, size_t *missing_count,
                                            struct jic_error *err);

/** An opened blob: zstd frame on disk. fd is the caller's to close. */
struct jic_store_blob {
	int fd;
	uint64_t size;        /**< of the content */
	uint64_t stored_size; /**< of the zstd bytes behind fd */
};
/** Whoever it is for: ask jic_store_blobs_there() first. */
jic_must_check bool jic_store_blob_open(struct jic_store *s, const struct jic_digest *digest,
                                        struct jic_store_blob *out, struct jic_error *err);

/** Who read a blob and found something wrong with its bytes tells it here: somebody will have a closer look (scrub.h),
 *  and take it out of the store when it is damaged. Never blocks for long. */
void jic_store_suspect(struct jic_store *s, const struct jic_digest *digest);

/**
 * An upload: content arrives in pieces, is hashed, compressed and written to disk as it comes; finish checks the
 * digest, syncs, and makes the blob visible. Free without finish leaves nothing behind.
 * @param holder who sends it, remembered in the index: see jic_viewer; copied; empty: nobody
 */
struct jic_store_upload;
struct jic_store_upload *jic_store_upload_new(struct jic_store *s, const struct jic_digest *digest, bool is_zstd,
                                              struct jic_view holder, struct jic_error *err);
void jic_store_upload_free(struct jic_store_upload *u);
JIC_DEFINE_AUTO(jic_store_upload, jic_store_upload_free)
/** JIC_ELIMIT over blob_bytes_max, JIC_EFORMAT for a bad zstd frame, JIC_ENOSPACE. After a failure only free is
 * allowed. */
jic_must_check bool jic_store_upload_put(struct jic_store_upload *u, struct jic_view bytes, struct jic_error *err);
/** @param[out] created false when the blob was there already. JIC_ECORRUPT when the digest disagrees. */
jic_must_check bool jic_store_upload_finish(struct jic_store_upload *u, bool *created, struct jic_error *err);

/* ---- publishing: rule 2 */

enum jic_publish_outcome {
	JIC_PUBLISH_DONE,          /**< `published` and `existing` are set */
	JIC_PUBLISH_SUPERSEDED,    /**< keys: addresses taken by another artefact, then what was built on the loser */
	JIC_PUBLISH_BAD_ARTEFACT,  /**< keys[0]: bytes contradict themselves, the address or each other */
	JIC_PUBLISH_INCOHERENT,    /**< keys[0]: requires a build id that is neither stored nor part of the runtime */
	JIC_PUBLISH_OVER_QUOTA,    /**< keys[0]: with it the lane would have more than its quota; eviction was woken */
	JIC_PUBLISH_BLOB_MISSING,  /**< keys[0]: its bytes were never uploaded */
	JIC_PUBLISH_BAD_SIGNATURE, /**< keys[0]: its signature is wrong, or by a key that is not taken */
	JIC_PUBLISH_RECALLED,      /**< keys: were recalled, and can't come back */
};
struct jic_publish_result {
	enum jic_publish_outcome outcome;
	struct jic_msg_published published;
	const struct jic_digest *keys; /**< in the arena */
	size_t keys_count;
	struct jic_view detail; /**< one sentence, for every outcome but DONE */
};
/**
 * Validate every artefact from its bytes (header, trailing checksums, image checksum, identity against the address,
 * required build ids against the store and the rest of the request) and publish the set in one transaction: all of it
 * or nothing. First writer wins; the same bytes once more give an artefact that is not signed their signature.
 * @param writer the token's name, kept as who published, but for artefacts that have an origin of their own
 * @return false only when the store itself failed (JIC_EIO, JIC_ENOSPACE, JIC_EMEMORY, JIC_ENOTFOUND for the lane)
 */
jic_must_check bool jic_store_publish(struct jic_store *s, const struct jic_msg_publish *request,
                                      struct jic_view writer, struct jic_arena *arena, struct jic_publish_result *out,
                                      struct jic_error *err);

/** Remove leftovers of uploads that never became part of a publish and are older than `age_s`. Called now and then. */
jic_must_check bool jic_store_sweep(struct jic_store *s, uint64_t age_s, uint64_t *removed, struct jic_error *err);

#endif
