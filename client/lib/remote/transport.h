/**
 * Talking HTTP to the server with libcurl, within bounds: connecting takes at most a second, and ten seconds without
 * progress end a request. A server that says it is busy and when to come again (Retry-After) is asked again, as long as
 * that costs a connection less than JIC_RETRY_LIMIT_MS in all. A connection belongs to one thread; threads that work
 * side by side open one each.
 */
#ifndef JIC_CLIENT_TRANSPORT_H
#define JIC_CLIENT_TRANSPORT_H

#include "client/lib/session/settings.h"
#include "common/message.h"
#include "common/zstream.h"

#include <stdatomic.h>

enum {
	JIC_CONNECT_LIMIT_MS = 1000,
	JIC_STALL_LIMIT_S = 10,
	JIC_RETRY_LIMIT_MS = 2500,
	JIC_PATIENCE_LIMIT_S = 300,                  /**< silence of a server that has much to do */
	JIC_PATIENCE_BYTES_PER_S = 16 * 1024 * 1024, /**< that a slow one reads, checks and syncs */
};

struct jic_connection;
/** @param cancel when it becomes true, requests under way end with JIC_ENETWORK; may be NULL */
struct jic_connection *jic_connection_new(const struct jic_settings *settings, const atomic_bool *cancel,
                                          struct jic_error *err);
void jic_connection_free(struct jic_connection *c);
JIC_DEFINE_AUTO(jic_connection, jic_connection_free)

/**
 * One JSON request. @param body NULL for GET
 * @param[out] answer the body of a 2xx response, or of a problem
 * @return false: JIC_ENETWORK (away, slow), JIC_EPROTOCOL (not our protocol), or by status JIC_EDENIED (401, 403),
 * JIC_ENOTFOUND (404), JIC_ECONFLICT (409), JIC_EBUSY (429, 503), JIC_ENOSPACE (507), JIC_EFORMAT (400, 413, 415, 422),
 * JIC_EIO (500); the text is the server's sentence with its request id, and `answer` holds the problem
 */
jic_must_check bool jic_connection_json(struct jic_connection *c, const char *method, const char *path,
                                        struct jic_view body, struct jic_buf *answer, struct jic_error *err);

/**
 * The next request makes the server work on `bytes` of content before it answers: it may be silent for longer, by
 * bytes / JIC_PATIENCE_BYTES_PER_S and at most JIC_PATIENCE_LIMIT_S. A host or a network that is gone is noticed after
 * JIC_STALL_LIMIT_S all the same, by the kernel's probes.
 */
void jic_connection_patience(struct jic_connection *c, uint64_t bytes);

/** The server's time when it sent the last answer, in seconds since the epoch (its Date header); −1: it did not say. */
int64_t jic_connection_date(const struct jic_connection *c);

/** Fetch a blob: content (decompressed as it comes) goes to the sink in pieces. Size and digest are verified at the
 * end. */
jic_must_check bool jic_connection_get_blob(struct jic_connection *c, const struct jic_msg_blob *blob,
                                            jic_sink_fn *sink, void *context, struct jic_error *err);

/** Upload a blob from memory (or a mapping), compressed on the way. */
jic_must_check bool jic_connection_put_blob(struct jic_connection *c, const struct jic_digest *digest,
                                            struct jic_view content, struct jic_error *err);

#endif
