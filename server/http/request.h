/**
 * One request and its answer, as the handlers see them. Only server.c knows which HTTP library is below; a handler
 * reads the request's fields and sets the response. A request belongs to one thread at a time: first to the thread that
 * reads the connection, then, for routes that may block, to a worker, then back.
 */
#ifndef JIC_SERVER_HTTP_REQUEST_H
#define JIC_SERVER_HTTP_REQUEST_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/log.h"
#include "server/auth/gate.h"
#include "server/http/blob_cache.h"
#include "server/http/blob_reader.h"
#include "server/http/load.h"
#include "server/http/rate.h"
#include "server/store/lease.h"
#include "server/store/store.h"

struct jic_metrics; /* metrics.h */

/** What all requests share. Built once, constant afterwards; what it points to takes care of its own locking. */
struct jic_http_service {
	struct jic_store *store;
	struct jic_gate *gate;
	struct jic_rate *rate; /**< NULL: no limits to a single caller */
	const struct jic_log *log;
	struct jic_view signed_lanes; /**< patterns of lanes that take only what is signed; empty: none does */
	uint64_t blob_bytes_max;      /**< content of one blob */
	uint64_t body_bytes_max;      /**< a JSON body */
	size_t keys_max;              /**< in a resolve, an explain or a lease */
	struct jic_lease_limits leases;
	struct jic_load *load; /**< what all requests hold together */
	struct jic_blob_cache *blob_cache;
	bool metrics_open; /**< /metrics needs no token */
	struct jic_metrics *metrics;
};

enum jic_method {
	JIC_METHOD_GET,
	JIC_METHOD_HEAD,
	JIC_METHOD_PUT,
	JIC_METHOD_POST,
	JIC_METHOD_DELETE,
	JIC_METHOD_OTHER
};

/** Parameters of the query that some handler reads, `lane` apart. */
#define JIC_QUERIES(X)                                                                                                 \
	X(SEARCH, "search")                                                                                            \
	X(SORT, "sort")                                                                                                \
	X(LIMIT, "limit")                                                                                              \
	X(OFFSET, "offset")                                                                                            \
	X(BEFORE, "before")                                                                                            \
	X(PACKAGE, "package")                                                                                          \
	X(JULIA, "julia")                                                                                              \
	X(STEP, "step")

enum jic_query {
#define JIC_QUERY_ENUM(NAME, name) JIC_QUERY_##NAME,
	JIC_QUERIES(JIC_QUERY_ENUM)
#undef JIC_QUERY_ENUM
	    JIC_QUERY_COUNT
};
enum { JIC_QUERY_BYTES_MAX = 256 };

/** Header fields that some handler reads; empty when absent. Borrowed from the connection, for the request's life. */
struct jic_request_headers {
	struct jic_view authorization, content_type, content_encoding, content_length, transfer_encoding, expect;
	struct jic_view accept_encoding, if_none_match, if_range, range;
	struct jic_view forwarded, x_forwarded_for, x_forwarded_proto;
};

enum { JIC_RESPONSE_HEADERS_MAX = 12 };
struct jic_response_header {
	const char *name;
	const char *value; /**< static or in the request's arena */
};

/** Status 0: there is none yet. */
struct jic_response {
	unsigned status;
	struct jic_response_header headers[JIC_RESPONSE_HEADERS_MAX];
	size_t headers_count;
	enum jic_body_kind { JIC_BODY_TEXT, JIC_BODY_FILE, JIC_BODY_CACHED, JIC_BODY_READER } kind;
	struct jic_buf text;            /**< JIC_BODY_TEXT */
	int fd;                         /**< JIC_BODY_FILE, owned; −1: none */
	uint64_t offset, len;           /**< which of its bytes; of JIC_BODY_CACHED too */
	struct jic_cached_blob *cached; /**< JIC_BODY_CACHED, counted */
	struct jic_blob_reader *reader; /**< JIC_BODY_READER, owned; `len` bytes */
	struct jic_digest blob;         /**< JIC_BODY_READER: what is read */
};

enum { JIC_ROUTE_PARAMETERS_MAX = 3, JIC_REQUEST_ID_TEXT = 24, JIC_PEER_TEXT = 64 };

struct jic_route;
struct jic_request {
	const struct jic_http_service *service;
	const struct jic_route *route; /**< NULL: none matches */
	enum jic_method method;
	struct jic_view method_text, path; /**< as received, for the log */
	struct jic_request_headers headers;
	struct jic_view parameters[JIC_ROUTE_PARAMETERS_MAX]; /**< of the path, decoded and valid */
	struct jic_view lane;                                 /**< of the query, decoded and valid; empty: none */
	struct jic_view query[JIC_QUERY_COUNT];               /**< decoded; empty: absent */
	char id[JIC_REQUEST_ID_TEXT + 1];
	char peer[JIC_PEER_TEXT];               /**< who asks, as far as that is known, for the log */
	char proxy[JIC_PEER_TEXT];              /**< the trusted proxy that passed it on; empty: none */
	bool https;                             /**< as seen by the client, if a trusted proxy says so */
	bool local;                             /**< from this machine and not passed on by a proxy */
	const struct jic_identity *certificate; /**< what the connection's certificate stands for; NULL: nobody */
	const char *certificate_refusal;        /**< why the one that was shown stands for nobody; NULL: none was */
	uint64_t started_us;                    /**< monotonic */
	struct jic_caller caller;
	struct jic_blob_cache_key cache_key; /**< when `cacheable`: what was asked for, and as of when */
	bool cacheable;

	struct jic_arena arena;
	struct jic_buf body;             /**< a JSON body */
	struct jic_store_upload *upload; /**< a body that goes to the store */
	uint64_t received;               /**< bytes of body so far */
	struct jic_response response;
};

struct jic_request *jic_request_new(const struct jic_http_service *service);
void jic_request_free(struct jic_request *r);

static inline bool jic_request_answered(const struct jic_request *r)
{
	return r->response.status != 0;
}

/** The lane that the request names, or the default one. */
struct jic_view jic_request_lane(const struct jic_request *r);

/** Content-Length; `fallback` when there is none. */
uint64_t jic_request_content_length(const struct jic_request *r, uint64_t fallback);

/** Add a header; `value` is printed into the arena. More than JIC_RESPONSE_HEADERS_MAX is a bug. */
void jic_respond_header(struct jic_request *r, const char *name, const char *format, ...) jic_printf(3, 4);
/** Answer with JSON; takes the buffer's bytes. */
void jic_respond_json(struct jic_request *r, unsigned status, struct jic_buf *json);
/** Answer with any text; takes the buffer's bytes. */
void jic_respond_text(struct jic_request *r, unsigned status, const char *content_type, struct jic_buf *text);
/** Answer without a body. */
void jic_respond_empty(struct jic_request *r, unsigned status);

#endif
