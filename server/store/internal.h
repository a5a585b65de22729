/**
 * What the files of the store share.
 */
#ifndef JIC_SERVER_STORE_INTERNAL_H
#define JIC_SERVER_STORE_INTERNAL_H

#include "common/buf.h"
#include "server/store/activity_state.h"
#include "server/store/store.h"

#include <pthread.h>

enum { JIC_SUSPECTS_MAX = 64 };

/** Blobs that a reader had trouble with, until somebody has a closer look (scrub.h). */
struct jic_suspects {
	pthread_mutex_t lock;
	struct jic_digest digests[JIC_SUSPECTS_MAX];
	size_t count;
	pthread_cond_t changed; /**< signalled for each new one */
};

/** Artefacts that were used, until keeper.h writes it into the index. */
struct jic_uses {
	pthread_mutex_t lock;
	struct jic_buf places; /**< struct jic_index_place */
};

/** What is on disk, and the limits to it (space.h). */
struct jic_space_state {
	_Atomic uint64_t store_bytes_max, free_bytes_min; /**< 0: none */
	_Atomic uint64_t stored_bytes;                    /**< of blobs that the index knows, as last looked up */
	_Atomic uint64_t arriving_bytes;                  /**< of uploads under way */
	_Atomic uint64_t uploads;                         /**< under way */
	pthread_mutex_t lock;
	bool wanted;         /**< a write was refused */
	bool stopping;       /**< the keeper is to end */
	pthread_cond_t wake; /**< signalled for both */
};

struct jic_store {
	pthread_rwlock_t blobs_lock;   /**< see jic_blobs_lock_shared() */
	pthread_mutex_t removers_lock; /**< taken before it by who removes */
	int blobs_lock_fd;             /**< the data directory: the same between processes */
	struct jic_suspects suspects;
	struct jic_uses uses;
	struct jic_space_state space;
	struct jic_notes activity;
	struct jic_index *index;
	struct jic_blobs *blobs;
	const struct jic_log *log;
	uint64_t blob_bytes_max;
	const struct jic_digest *signers; /**< borrowed; none: everybody's signature is taken */
	size_t signers_count;
	bool admin;
	int lock_fd; /**< −1 for admin */
};

/**
 * A blob's bytes and its row come and go together: an upload holds this shared from giving the bytes their name to the
 * row's commit, the sweep exclusively from deleting a row to removing the bytes. Otherwise the sweep could remove bytes
 * that an upload has just stored under the same digest. An import beside the server is such an upload too.
 */
void jic_blobs_lock_shared(struct jic_store *s);
void jic_blobs_unlock_shared(struct jic_store *s);
void jic_blobs_lock_exclusive(struct jic_store *s);
void jic_blobs_unlock_exclusive(struct jic_store *s);

#endif
