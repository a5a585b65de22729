/**
 * Taking artefacts back: with everything that was built on them, in one transaction, so that a reader sees a coherent
 * set at every moment. Only the serving process may, or one that holds its lock, but for rows_only.
 */
#ifndef JIC_SERVER_STORE_WITHDRAW_H
#define JIC_SERVER_STORE_WITHDRAW_H

#include "server/store/store.h"

struct jic_withdrawal {
	const struct jic_index_place *places; /**< these artefacts */
	size_t places_count;
	const struct jic_digest *blobs; /**< damaged: every artefact that refers to one of them */
	size_t blobs_count;
	/** Bytes of `blobs`, and those of `places` that nobody else refers to, are put aside for people to look at,
	 * those of dependents are left to the sweep. Otherwise all that nobody refers to any more are removed at once.
	 */
	bool quarantine;
	/** Only the index is changed; bytes that nobody refers to any more are left to the sweep. This may be done
	 * beside a server. */
	bool rows_only;
	bool dry_run;    /**< only count, in one snapshot: nobody has to wait. With rows_only, without recall. */
	uint64_t recall; /**< of index.h: remember what went as recalled; 0: don't */
};

struct jic_withdrawn {
	uint64_t artefacts;    /**< that were named, or refer to a named blob */
	uint64_t dependents;   /**< that went with them */
	uint64_t blobs;        /**< put aside or removed */
	uint64_t stored_bytes; /**< of these, as the index has them */
};

/** What is gone already is no error. @return false with JIC_EUSAGE beside a server, or when index or blobs failed */
jic_must_check bool jic_store_withdraw(struct jic_store *s, const struct jic_withdrawal *what,
                                       struct jic_withdrawn *out, struct jic_error *err);

#endif
