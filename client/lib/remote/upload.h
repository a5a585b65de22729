/**
 * Bytes on their way to the server: kept in memory, mapped from a file of the depot, or spilled to an unlinked
 * temporary file.
 */
#ifndef JIC_CLIENT_UPLOAD_H
#define JIC_CLIENT_UPLOAD_H

#include "client/lib/remote/transport.h"
#include "client/lib/session/session.h"
#include "common/file.h"

enum { JIC_UPLOAD_WORKERS_MAX = 4 };

struct jic_upload {
	struct jic_digest digest;
	struct jic_view content; /**< in `kept` or `map` */
	struct jic_buf kept;
	struct jic_map map;
};

/** Takes the buffer's memory. */
void jic_upload_from_buf(struct jic_buf *content, struct jic_upload *out);
/** Copies to a temporary file that has no name: memory does not grow with it. */
jic_must_check bool jic_upload_from_temp(struct jic_view content, struct jic_upload *out, struct jic_error *err);
jic_must_check bool jic_upload_from_file(const char *path, struct jic_upload *out, struct jic_error *err);
void jic_upload_clear(struct jic_upload *u);

/** Ask which are missing and send those, several at once. @param[out] bytes content sent */
jic_must_check bool jic_upload_all(struct jic_session *s, struct jic_connection *c, const struct jic_upload *uploads,
                                   size_t count, struct jic_arena *arena, uint64_t *bytes, struct jic_error *err);

#endif
