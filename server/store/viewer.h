/**
 * Through whose eyes a blob is looked at. Bytes are stored once for all lanes, so a digest alone must open nothing: a
 * blob is there for a viewer when an artefact of a lane that the viewer reaches refers to it, or when the viewer has
 * sent the bytes. To everybody else it looks exactly like one that is not stored.
 */
#ifndef JIC_SERVER_STORE_VIEWER_H
#define JIC_SERVER_STORE_VIEWER_H

#include "server/store/index.h"

struct jic_store;

struct jic_viewer {
	struct jic_view holder; /**< who sent bytes, as jic_store_upload_new() was told; empty: nobody */
	/** Whether the viewer may use a lane, and with it those above. NULL: everything is there for the viewer. */
	bool (*reaches)(const void *context, struct jic_view lane);
	const void *context;
};

/** Sort digests by whether they are there for the viewer. @param[out] there `count` of them */
jic_must_check bool jic_store_blobs_there(struct jic_store *s, const struct jic_viewer *viewer,
                                          const struct jic_digest *digests, size_t count, struct jic_arena *arena,
                                          bool *there, struct jic_error *err);

#endif
