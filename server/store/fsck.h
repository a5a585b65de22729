/**
 * The whole store against rules 1 and 2: the index against the blobs, every artefact's bytes against its record and
 * address, and what it requires against what its lane and those above hold. Reads only; works beside a server, whose
 * changes meanwhile are not taken for damage.
 */
#ifndef JIC_SERVER_STORE_FSCK_H
#define JIC_SERVER_STORE_FSCK_H

#include "server/store/store.h"

enum {
	JIC_FSCK_FINDINGS_MAX = 10000, /**< kept; more are only counted */
};

enum jic_fsck_kind {
	JIC_FSCK_BLOB_MISSING,    /**< the index knows a blob that has no bytes */
	JIC_FSCK_BLOB_UNREADABLE, /**< the disk does not give them */
	JIC_FSCK_BLOB_CORRUPT,    /**< they don't decompress to what the digest says */
	JIC_FSCK_BLOB_FACTS,      /**< sound, but size or checksums in the index are not theirs */
	JIC_FSCK_BLOB_USE,        /**< counted as used though no artefact refers to it, or the other way round */
	JIC_FSCK_RECORD,          /**< an artefact's bytes are not what its record or its address says */
	JIC_FSCK_REQUIRES,        /**< an artefact requires what its lane and those above don't have */
};
/** "blob-missing" … */
const char *jic_fsck_kind_name(enum jic_fsck_kind kind);

struct jic_fsck_finding {
	enum jic_fsck_kind kind;
	struct jic_digest blob; /**< of the BLOB kinds */
	/** of the others: where, and what people call it */
	struct jic_index_place place;
	struct jic_view lane, runtime, name;
	struct jic_digest sysimage;
	struct jic_view detail; /**< one sentence */
};

struct jic_fsck {
	uint64_t artefacts, blobs; /**< looked at */
	uint64_t stored_bytes;     /**< of these blobs, as read */
	uint64_t superseded;       /**< artefacts that a parent lane's hide: no damage */
	/** Bytes that no row names, as a crash leaves them: no damage, the server removes them by age. */
	uint64_t strays, stray_bytes;
	uint64_t findings_total;
	const struct jic_fsck_finding *findings; /**< in the arena */
	size_t findings_count;
};

/** @return false only when it could not be carried out; findings are an answer */
jic_must_check bool jic_store_fsck(struct jic_store *s, struct jic_arena *arena, struct jic_fsck *out,
                                   struct jic_error *err);

struct jic_fsck_repair {
	uint64_t withdrawn;   /**< artefacts with a finding */
	uint64_t dependents;  /**< artefacts that require one of them */
	uint64_t quarantined; /**< blobs put aside */
	uint64_t recounted;   /**< blobs whose use was corrected */
};
/**
 * Take out of the store what findings name: artefacts with their dependents are withdrawn, blobs put aside. Nothing is
 * guessed: what can't be proved is a miss from then on. JIC_EUSAGE beside a server.
 */
jic_must_check bool jic_store_fsck_repair(struct jic_store *s, const struct jic_fsck *found,
                                          struct jic_fsck_repair *out, struct jic_error *err);

#endif
