/**
 * The index: lanes, tokens, leases, records of artefacts and what is known of each blob's bytes. It knows no rules:
 * which artefact may be published, and which a reader is offered, is decided above it (publish.h, select.h) inside one
 * transaction.
 *
 * An implementation is a struct that begins with `struct jic_index`; tests/conformance/index_conformance.c is what each
 * of them has to pass. Every operation may be called from any thread; a transaction belongs to the thread that began
 * it.
 *
 * Errors, unless a function says more: JIC_EIO, JIC_ENOSPACE, JIC_EMEMORY, JIC_ECORRUPT (the stored bytes make no
 * sense) and JIC_EBUSY (another process kept the database locked for too long).
 */
#ifndef JIC_SERVER_STORE_INDEX_H
#define JIC_SERVER_STORE_INDEX_H

#include "common/arena.h"
#include "common/digest.h"
#include "common/ji.h"
#include "common/message.h"

struct jic_index_ops;
struct jic_index {
	const struct jic_index_ops *ops;
};

enum {
	JIC_LANE_DEPTH_MAX = 8, /**< a lane and its ancestors */
	JIC_TOKEN_NAME_BYTES_MAX = 128,
	JIC_TOKEN_LANES_BYTES_MAX = 4096,
};
/** The lane that exists from the start and has no parent. */
#define JIC_LANE_MAIN "main"

/* ---- lanes */

struct jic_lane {
	uint64_t id; /**< the index's own number, never reused */
	struct jic_view name;
	struct jic_view parent; /**< empty: none */
	uint64_t created_s;
	uint64_t quota_bytes;  /**< of `stored_bytes`; 0: none */
	uint64_t max_age_s;    /**< that artefacts stay without a use; 0: as long as in other lanes */
	uint64_t stored_bytes; /**< of its own artefacts' blobs, each counted for itself */
};

/* ---- opening */

/** Who wants to know of a migration: it may take minutes for a large index, and nothing is served meanwhile. */
struct jic_migration_watch {
	/** Before it begins. @param artefacts that are stored */
	void (*begins)(void *context, unsigned from, unsigned to, uint64_t artefacts);
	/** Again and again while it runs, many times a second. */
	void (*goes_on)(void *context);
	void *context;
};

/* ---- tokens */

enum jic_scope {
	JIC_SCOPE_READ = 1,
	JIC_SCOPE_WRITE = 2,
	JIC_SCOPE_ADMIN = 4,
};
struct jic_token {
	struct jic_view name;        /**< unique */
	struct jic_digest hash;      /**< SHA-256 of the secret, unique; the secret itself is nowhere */
	unsigned scopes;             /**< enum jic_scope, or'ed */
	struct jic_view lanes;       /**< patterns as auth reads them; the index keeps the text only */
	struct jic_view lane_parent; /**< lanes that its writer makes on first use come below this one; empty: none */
	bool has_old;                /**< `old_hash` is set */
	struct jic_digest old_hash;  /**< of the secret before the last rotation, unique */
	uint64_t old_until_s;        /**< when that one stops being valid */
	uint64_t created_s;          /**< Unix time */
	uint64_t expires_s;          /**< 0: never */
	uint64_t last_used_s;        /**< 0: never */
};

/* ---- blobs: what publish has to know of the bytes without reading them again; computed when they arrived */

struct jic_index_blob {
	struct jic_digest digest;
	uint64_t size;        /**< of the content */
	uint64_t stored_size; /**< of the zstd bytes */
	uint32_t crc32c;      /**< of the content */
	uint32_t crc32c_head; /**< of all but its last 4 bytes */
	uint8_t tail[8];      /**< its last 8 bytes; shorter contents are at the end, zeros before */
	uint64_t created_s;
	bool used; /**< an artefact refers to it, or is about to */
};

/* ---- artefacts */

/**
 * One stored artefact. `record.requires_` is not set here: positions in a set are made by whoever makes the set.
 * Modules are numbers that the index gives to pairs of UUID and build id (see modules_put), so that comparing what
 * hundreds of artefacts require with what they provide is comparing small integers.
 */
struct jic_index_artefact {
	struct jic_msg_record record; /**< `lane` is set when reading, ignored when writing */
	/** What the key is a digest of; when writing only: see jic_index_origin. Name and UUID are the record's. */
	struct jic_node_inputs node;
	uint64_t lane_id;
	const uint32_t *provides; /**< modules; the first is the package itself */
	size_t provides_count;
	const uint32_t *requires_; /**< modules that are neither of the runtime nor of the sysimage */
	size_t requires_count;
	struct jic_view writer; /**< name of the token that published it */
	uint64_t published_s;
	uint64_t last_used_s; /**< when reading only; 0: not since it was published */
};

/** What an artefact was made of, as an explain tells it. */
struct jic_index_origin {
	struct jic_msg_stored stored; /**< but for `runtime` */
	uint64_t space;
	struct jic_view runtime; /**< its id */
};

/** A module as artefacts require it: names play no part. */
struct jic_index_module {
	struct jic_uuid uuid;
	struct jic_build_id build_id;
};

/** Where an artefact is. */
struct jic_index_place {
	uint64_t lane_id, space;
	struct jic_digest key;
};

/** What (runtime, sysimage) are together. */
struct jic_index_space {
	uint64_t id;
	struct jic_view runtime; /**< its id; set by spaces_list alone, as is `sysimage` */
	struct jic_digest sysimage;
};

/** "this artefact provides that module" */
struct jic_index_provider {
	uint32_t module; /**< the number of the module that it provides */
	struct jic_index_module full;
	uint64_t lane_id;
	struct jic_digest key;
	struct jic_digest ji;
};

struct jic_index_counts {
	uint64_t lanes, tokens, spaces, artefacts;
	uint64_t blobs, blobs_unused;
	uint64_t content_bytes, stored_bytes; /**< of all blobs */
};

/* ---- recalls */

/** What can be taken back as one: all that was signed by a key, published by a token, or made in a CI run. */
struct jic_index_maker {
	enum jic_maker_kind { JIC_BY_KEY, JIC_BY_TOKEN, JIC_BY_RUN } kind;
	struct jic_view who; /**< 64 hex digits of the public key; the token's name; the run as published */
};
struct jic_index_recall {
	struct jic_index_maker maker;
	uint64_t created_s;
	uint64_t artefacts; /**< that went with it, dependents included */
};

/* ---- leases */

/** Who compiles something just now, until when. */
struct jic_index_lease {
	struct jic_digest hash; /**< of what its holder knows it by; unique */
	uint64_t lane_id;
	struct jic_view lane;    /**< its name; when reading only */
	struct jic_view runtime; /**< id */
	struct jic_digest sysimage;
	struct jic_view writer; /**< name of the token that took it */
	uint64_t created_s;
	uint64_t ends_s; /**< from then on it means nothing, whether it is still there or not */
};
/** What keys of a lease belong to. */
struct jic_index_lease_place {
	uint64_t lane_id;
	struct jic_view runtime;
	struct jic_digest sysimage;
};

/* ---- counters */

enum jic_counter {
#define JIC_COUNTER(NAME, name, text) JIC_COUNTER_##NAME,
#include "server/tables/counters.def"
#undef JIC_COUNTER
	JIC_COUNTER_COUNT
};
const char *jic_counter_name(enum jic_counter counter);

/* ---- transactions */

enum jic_index_mode {
	JIC_INDEX_READ,  /**< one snapshot for all reads; any number at a time, beside a writer */
	JIC_INDEX_WRITE, /**< the only writer; begin waits for the one before */
};
struct jic_index_txn {
	const struct jic_index_ops *ops;
};

struct jic_index_views; /* index_views.h: for pages and reports */

struct jic_index_ops {
	const struct jic_index_views *views;
	void (*free)(struct jic_index *ix);
	/** Answers a query. */
	bool (*ready)(struct jic_index *ix, struct jic_error *err);
	bool (*schema_version)(struct jic_index *ix, uint32_t *out, struct jic_error *err);
	/** A number that is another one after each commit, whoever made it, this process or another. Takes
	 * microseconds, waits for nobody's transaction. JIC_EUNSUPPORTED where there is no such thing. */
	bool (*version)(struct jic_index *ix, uint64_t *out, struct jic_error *err);
	bool (*counts)(struct jic_index *ix, struct jic_index_counts *out, struct jic_error *err);

	/** Create a lane. JIC_ECONFLICT when it exists, JIC_ENOTFOUND for its parent, JIC_ELIMIT over
	 * JIC_LANE_DEPTH_MAX, JIC_EUSAGE for a name that jic_lane_name_valid() refuses. `parent` empty: none. */
	bool (*lane_put)(struct jic_index *ix, struct jic_view name, struct jic_view parent, uint64_t now_s,
	                 struct jic_error *err);
	/** Change what a lane may keep. JIC_ENOTFOUND. */
	bool (*lane_limit)(struct jic_index *ix, struct jic_view name, uint64_t quota_bytes, uint64_t max_age_s,
	                   struct jic_error *err);
	/** JIC_ENOTFOUND. Views in the arena. */
	bool (*lane_find)(struct jic_index *ix, struct jic_view name, struct jic_arena *arena, struct jic_lane *out,
	                  struct jic_error *err);
	/** All lanes, by name. */
	bool (*lane_list)(struct jic_index *ix, struct jic_arena *arena, const struct jic_lane **out, size_t *count,
	                  struct jic_error *err);

	/** Add a token. JIC_ECONFLICT when name or hash are taken. */
	bool (*token_put)(struct jic_index *ix, const struct jic_token *token, struct jic_error *err);
	/** By the hash of its secret or of the old one. JIC_ENOTFOUND. Whether either has expired is for the caller to
	 * see. */
	bool (*token_find_by_hash)(struct jic_index *ix, const struct jic_digest *hash, struct jic_arena *arena,
	                           struct jic_token *out, struct jic_error *err);
	/** All tokens, by name. */
	bool (*token_list)(struct jic_index *ix, struct jic_arena *arena, const struct jic_token **out, size_t *count,
	                   struct jic_error *err);
	/** Give a token another secret; the one before stays as `old_hash` until `old_until_s`, one before that goes.
	 * JIC_ENOTFOUND. */
	bool (*token_rotate)(struct jic_index *ix, struct jic_view name, const struct jic_digest *hash,
	                     uint64_t old_until_s, struct jic_error *err);
	/** JIC_ENOTFOUND. */
	bool (*token_delete)(struct jic_index *ix, struct jic_view name, struct jic_error *err);
	/** Remember when a token was last used. A write to disk: once in some minutes for each token is plenty. Not an
	 * error when the token is gone. */
	bool (*token_touch)(struct jic_index *ix, const struct jic_digest *hash, uint64_t now_s, struct jic_error *err);

	/** The sum of `stored_size` over all blobs. Takes no time. */
	bool (*stored_bytes)(struct jic_index *ix, uint64_t *out, struct jic_error *err);

	/** Remember what eviction has to leave alone: a text whose meaning is the store's. Twice is no error. */
	bool (*pin_put)(struct jic_index *ix, struct jic_view what, uint64_t now_s, struct jic_error *err);
	/** JIC_ENOTFOUND. */
	bool (*pin_delete)(struct jic_index *ix, struct jic_view what, struct jic_error *err);
	/** All pins, sorted. */
	bool (*pins_list)(struct jic_index *ix, struct jic_arena *arena, const struct jic_view **out, size_t *count,
	                  struct jic_error *err);

	/** All counters, of what was committed. */
	bool (*counters_get)(struct jic_index *ix, uint64_t out[JIC_COUNTER_COUNT], struct jic_error *err);

	/** Write one snapshot of everything to a new file, from which the same implementation opens an index; readers
	 * and writers go on. It is on disk when this returns, but for its name. */
	bool (*copy)(struct jic_index *ix, const char *path, struct jic_error *err);

	/** JIC_EBUSY when every reader (or the writer) is taken for too long. NULL on failure. */
	struct jic_index_txn *(*begin)(struct jic_index *ix, enum jic_index_mode mode, struct jic_error *err);
	/** Make a write transaction's changes durable: when this returns true they survive a power cut. */
	bool (*commit)(struct jic_index_txn *t, struct jic_error *err);
	/** End it, undoing what was not committed. Use jic_index_txn_end(), which takes NULL. */
	void (*end)(struct jic_index_txn *t);

	/** Forget a lane and what it declared. JIC_ENOTFOUND; JIC_ECONFLICT while artefacts or lanes are in it. */
	bool (*lane_delete)(struct jic_index_txn *t, uint64_t lane, struct jic_error *err);
	/** A lane and its ancestors, the one without parent first. JIC_ENOTFOUND. */
	bool (*lane_chain)(struct jic_index_txn *t, struct jic_view name, struct jic_arena *arena,
	                   const struct jic_lane **out, size_t *count, struct jic_error *err);

	/** Add to one. Write transactions. */
	bool (*counter_add)(struct jic_index_txn *t, enum jic_counter counter, uint64_t n, struct jic_error *err);

	/** JIC_ENOTFOUND when nothing was ever published for it. */
	bool (*space_find)(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
	                   uint64_t *id, struct jic_error *err);
	bool (*space_put)(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
	                  uint64_t *id, struct jic_error *err);
	/** The modules that a lane's first publish for a space said the system image has, in the packed form of pack.h.
	 * JIC_ENOTFOUND. */
	bool (*declaration_find)(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_arena *arena,
	                         struct jic_view *out, struct jic_error *err);
	/** JIC_ECONFLICT when the lane has one. */
	bool (*declaration_put)(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_view modules,
	                        struct jic_error *err);

	/** All of them, views in the arena. */
	bool (*spaces_list)(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_space **out,
	                    size_t *count, struct jic_error *err);

	/** Remember what a runtime's id stands for, with its bundled caches. Nothing changes when it is known. */
	bool (*runtime_put)(struct jic_index_txn *t, const struct jic_msg_runtime *runtime, struct jic_error *err);
	/** JIC_ENOTFOUND. */
	bool (*runtime_find)(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
	                     struct jic_msg_runtime *out, struct jic_error *err);

	/** The caches bundled with a runtime, sorted. JIC_ENOTFOUND when they were never told: the runtime is unknown,
	 * or was described under a schema before 11. */
	bool (*runtime_bundled)(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
	                        const struct jic_bundled **out, size_t *count, struct jic_error *err);

	/** The numbers of modules, given on first sight. Write transactions. @param[out] ids `count` of them */
	bool (*modules_put)(struct jic_index_txn *t, const struct jic_index_module *modules, size_t count,
	                    uint32_t *ids, struct jic_error *err);
	/** The other way round. @param[out] out `count` of them; JIC_ECORRUPT for a number that was never given */
	bool (*modules_get)(struct jic_index_txn *t, const uint32_t *ids, size_t count, struct jic_index_module *out,
	                    struct jic_error *err);
	/** Every artefact of a space, in any lane, that provides a module with one of these UUIDs and low halves of
	 * build ids, whatever the high half is: two of them would confuse Julia (docs/storage.md). Any order. */
	bool (*providers)(struct jic_index_txn *t, uint64_t space, const struct jic_index_module *modules, size_t count,
	                  struct jic_arena *arena, const struct jic_index_provider **out, size_t *out_count,
	                  struct jic_error *err);

	/** What one lane, without its ancestors, holds. `record.lane` is the view in `lane`, the rest is in the arena.
	 *  @param[out] out `count` pointers, NULL where there is nothing */
	bool (*artefacts_find)(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
	                       const struct jic_digest *keys, size_t count, struct jic_arena *arena,
	                       const struct jic_index_artefact **out, struct jic_error *err);
	/** What the artefact at an address of one lane, without its ancestors, was made of. JIC_ENOTFOUND. */
	bool (*origin_find)(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
	                    const struct jic_digest *key, struct jic_arena *arena, struct jic_index_origin *out,
	                    struct jic_error *err);
	/** The same of a package's latest artefacts in one lane, the last published first.
	 * @param space 0: in any
	 * @param[out] out room for `limit`; `stored.lane` is the view in `lane`, the rest is in the arena */
	bool (*origins_find)(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
	                     const struct jic_node_inputs *package, size_t limit, struct jic_arena *arena,
	                     struct jic_index_origin *out, size_t *count, struct jic_error *err);
	/** Add one to `a->lane_id`. JIC_ECONFLICT when the address is taken in that lane. */
	bool (*artefact_put)(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
	                     struct jic_error *err);
	/** Keys of what one lane, without its ancestors, holds in a space, in their order: the first `limit` after
	 * `after`.
	 * @param after NULL: from the start */
	bool (*keys_list)(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *after,
	                  size_t limit, struct jic_arena *arena, const struct jic_digest **out, size_t *count,
	                  struct jic_error *err);
	/** Keys of what one lane, without its ancestors, holds in a space and requires one of `modules`, which are
	 * sorted. Looks at every artefact there. */
	bool (*requirers_list)(struct jic_index_txn *t, uint64_t lane, uint64_t space, const uint32_t *modules,
	                       size_t modules_count, struct jic_arena *arena, const struct jic_digest **out,
	                       size_t *count, struct jic_error *err);
	/** Put an artefact into another lane, with everything that is known of it. JIC_ENOTFOUND; JIC_ECONFLICT when
	 * that lane has the address. */
	bool (*artefact_move)(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
	                      uint64_t to_lane, struct jic_error *err);
	/** Artefacts of a space, in any lane, that require one of `modules` directly: each by lane, then key, once. Who
	 * requires a module at all is found from these, and from those that require what these provide, and so on. More
	 * than these may be found. Takes no longer for a large index. */
	bool (*direct_requirers)(struct jic_index_txn *t, uint64_t space, const uint32_t *modules, size_t count,
	                         struct jic_arena *arena, const struct jic_index_place **out, size_t *out_count,
	                         struct jic_error *err);
	/** Remember that artefacts were used; those that are gone are no error. */
	bool (*artefacts_touch)(struct jic_index_txn *t, const struct jic_index_place *places, size_t count,
	                        uint64_t now_s, struct jic_error *err);
	/** Give the artefact at an address of one lane, without its ancestors, the signature, provenance and writer of
	 * `a`. JIC_ENOTFOUND. */
	bool (*artefact_sign)(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
	                      struct jic_error *err);
	/** Every public key that signed an artefact. */
	bool (*signers_list)(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_digest **out,
	                     size_t *count, struct jic_error *err);
	/** Every artefact, in any lane, of one maker. Looks at all artefacts but for keys. */
	bool (*made_by_list)(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_arena *arena,
	                     const struct jic_index_place **out, size_t *count, struct jic_error *err);

	/** Remember a recall. Twice is no error. @param[out] id of it */
	bool (*recall_put)(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t now_s, uint64_t *id,
	                   struct jic_error *err);
	/** @param[out] id 0: there is none */
	bool (*recall_find)(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t *id,
	                    struct jic_error *err);
	/** Forget a recall and what went with it. JIC_ENOTFOUND. */
	bool (*recall_delete)(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_error *err);
	/** The oldest first. */
	bool (*recalls_list)(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_recall **out,
	                     size_t *count, struct jic_error *err);
	/** Remember that an artefact went with a recall: its `.ji` and its build. Twice is no error. */
	bool (*recalled_put)(struct jic_index_txn *t, uint64_t recall, const struct jic_msg_record *record,
	                     struct jic_error *err);
	/** Did one with this `.ji` go with a recall? */
	bool (*recalled_find)(struct jic_index_txn *t, const struct jic_digest *ji, bool *out, struct jic_error *err);
	/** The same of builds. @param[out] out `count` of them */
	bool (*recalled_builds)(struct jic_index_txn *t, const struct jic_build_id *builds, size_t count, bool *out,
	                        struct jic_error *err);

	/** Remember a lease on some keys. JIC_ECONFLICT when its hash is taken. */
	bool (*lease_put)(struct jic_index_txn *t, const struct jic_index_lease *lease, const struct jic_digest *keys,
	                  size_t count, struct jic_error *err);
	/** Ended or not. @param[out] keys sorted, in the arena; may be NULL, as may be `count`. JIC_ENOTFOUND. */
	bool (*lease_find)(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_arena *arena,
	                   struct jic_index_lease *out, const struct jic_digest **keys, size_t *count,
	                   struct jic_error *err);
	/** Which leases of one lane, without its ancestors, that have not ended at `now_s`, are on some keys.
	 * @param[out] out `count` of them: the one that ends last, in the arena; NULL where there is none */
	bool (*leases_on)(struct jic_index_txn *t, const struct jic_index_lease_place *at,
	                  const struct jic_digest *keys, size_t count, uint64_t now_s, struct jic_arena *arena,
	                  const struct jic_index_lease **out, struct jic_error *err);
	/** How many leases of a writer have not ended at `now_s`. */
	bool (*leases_count)(struct jic_index_txn *t, struct jic_view writer, uint64_t now_s, uint64_t *out,
	                     struct jic_error *err);
	/** JIC_ENOTFOUND. */
	bool (*lease_delete)(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_error *err);
	/** Forget leases that had ended at `now_s`, at most `limit` of them. */
	bool (*leases_delete)(struct jic_index_txn *t, uint64_t now_s, size_t limit, struct jic_error *err);

	/** Its blobs that no other artefact refers to are unused from now on. JIC_ENOTFOUND. */
	bool (*artefact_delete)(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
	                        struct jic_error *err);

	/** Add, or leave as it is when the digest is known. @param[out] created false for the latter */
	bool (*blob_put)(struct jic_index_txn *t, const struct jic_index_blob *blob, bool *created,
	                 struct jic_error *err);
	/** JIC_ENOTFOUND. */
	bool (*blob_find)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_index_blob *out,
	                  struct jic_error *err);
	/** Blobs in the order of their digests: the first `limit` after `after`, NULL: from the start. */
	bool (*blobs_list)(struct jic_index_txn *t, const struct jic_digest *after, size_t limit,
	                   struct jic_arena *arena, const struct jic_index_blob **out, size_t *count,
	                   struct jic_error *err);
	/** Every artefact, in any lane, that refers to a blob. */
	bool (*blob_users)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_arena *arena,
	                   const struct jic_index_place **out, size_t *count, struct jic_error *err);
	/** Set `used` to whether an artefact refers to it. JIC_ENOTFOUND. */
	bool (*blob_release)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);
	/** JIC_ENOTFOUND. JIC_ECONFLICT when an artefact refers to it. */
	bool (*blob_delete)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);
	/** Remember that `holder` has sent a blob's bytes. It is forgotten with the blob. */
	bool (*upload_put)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
	                   uint64_t now_s, struct jic_error *err);
	/** @param[out] found whether it is remembered */
	bool (*upload_find)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
	                    bool *found, struct jic_error *err);
	/** Forget what was sent at `until_s` or before, at most `limit` of them. @param[out] count how many it were */
	bool (*uploads_delete)(struct jic_index_txn *t, uint64_t until_s, size_t limit, size_t *count,
	                       struct jic_error *err);
	/** From now on an artefact refers to it. JIC_ENOTFOUND. */
	bool (*blob_use)(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);
	/** Forget blobs that no artefact refers to and that came at `until_s` or before, at most `limit`.
	 *  @param[out] out their digests, in the arena */
	bool (*blobs_delete_unused)(struct jic_index_txn *t, uint64_t until_s, size_t limit, struct jic_arena *arena,
	                            const struct jic_digest **out, size_t *count, struct jic_error *err);
};

static inline void jic_index_free(struct jic_index *ix)
{
	if (ix)
		ix->ops->free(ix);
}
JIC_DEFINE_AUTO(jic_index, jic_index_free)

static inline void jic_index_txn_end(struct jic_index_txn *t)
{
	if (t)
		t->ops->end(t);
}
JIC_DEFINE_AUTO(jic_index_txn, jic_index_txn_end)

#endif
