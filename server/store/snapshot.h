/**
 * A copy of the index as it is at one moment, in a file of its own: whoever goes through it for long keeps no
 * transaction of the store's index open.
 */
#ifndef JIC_SERVER_STORE_SNAPSHOT_H
#define JIC_SERVER_STORE_SNAPSHOT_H

#include "server/store/index.h"

struct jic_snapshot {
	char *path;              /**< of its file */
	struct jic_index *index; /**< opened from it; NULL when closed */
};

/** Beside `data_dir`'s blobs under way, with a name that nobody else has; a killed one is removed when the next server
 *  starts. @return false with JIC_EIO, JIC_ENOSPACE or JIC_EMEMORY, as for jic_snapshot_take() */
jic_must_check bool jic_snapshot_name(struct jic_snapshot *s, const char *data_dir, struct jic_error *err);
/** Copy `from` to `s->path`, over what a killed one left, and open it. */
jic_must_check bool jic_snapshot_take(struct jic_snapshot *s, struct jic_index *from, struct jic_error *err);
/** Copy a blob of the index to where the snapshot's blobs go, unless it went there before. @param[out] there false: it
 *  has no bytes */
typedef bool jic_snapshot_blob_fn(void *context, const struct jic_index_blob *row, bool *there, struct jic_error *err);
struct jic_snapshot_blobs {
	jic_snapshot_blob_fn *copy;
	void *context;
	uint64_t count, missing; /**< results: that the snapshot names; of these, those without bytes */
};
/** Take a snapshot with all the bytes of what it names, while readers and writers go on: see snapshot.c. */
jic_must_check bool jic_snapshot_take_whole(struct jic_snapshot *s, struct jic_index *from,
                                            struct jic_snapshot_blobs *blobs, struct jic_error *err);
/** Its file is all that there is then, without a journal. */
void jic_snapshot_close(struct jic_snapshot *s);
/** Close it and remove its file. */
jic_must_check bool jic_snapshot_remove(struct jic_snapshot *s, struct jic_error *err);
/** The same, whether it works or not. */
void jic_snapshot_clear(struct jic_snapshot *s);

#endif
