/*
 * A request's life:
 *
 *     headers  route, gate and limits may answer at once. When a body was announced with "Expect: 100-continue", or is
 *              too long to be worth reading, the answer goes out in its place
 *     body     pieces come; after a failure they are dropped, because an answer can only follow the body
 *     work     the connection is suspended while a worker has the request
 *     answer   queued; when it is sent, or the connection breaks, the request is logged and freed
 *
 * Each stage but work tells the connection how long it may take (connections.h).
 */
#include "server/http/internal.h"

#include "server/http/handlers.h"
#include "server/http/header.h"
#include "server/http/load.h"
#include "server/http/metrics.h"
#include "server/http/problem.h"
#include "server/http/route.h"
#include "server/store/activity.h"

#include <time.h>
#include <zstd.h>

enum {
	DRAIN_BYTES_MAX =
	    1024 * 1024, /* a body of a refused request that is read, so that the client sees the answer */
	STREAM_BLOCK_BYTES = 64 * 1024,
};

/* One request on its way through the library. */
struct exchange {
	struct jic_http_server *server;
	struct MHD_Connection *connection;
	struct jic_http_connection *peer;
	struct jic_request *request;
	struct jic_address client; /* when `counted` */
	bool counted;              /* among the requests of a proxy's client */
	bool uploading;            /* counted among the uploads */
	size_t body_bytes;         /* counted among the bodies */
	uint64_t queued_us;        /* since when it waits for a worker */
	uint64_t sent;             /* bytes of body in the answer */
};

static uint64_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- from the library's request to ours */

static struct jic_view header(struct MHD_Connection *c, const char *name)
{
	return jic_view_of(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

static void read_headers(struct MHD_Connection *c, struct jic_request_headers *h)
{
	*h = (struct jic_request_headers){
	    .authorization = header(c, "Authorization"),
	    .content_type = header(c, "Content-Type"),
	    .content_encoding = header(c, "Content-Encoding"),
	    .content_length = header(c, "Content-Length"),
	    .transfer_encoding = header(c, "Transfer-Encoding"),
	    .expect = header(c, "Expect"),
	    .accept_encoding = header(c, "Accept-Encoding"),
	    .if_none_match = header(c, "If-None-Match"),
	    .if_range = header(c, "If-Range"),
	    .range = header(c, "Range"),
	    .forwarded = header(c, "Forwarded"),
	    .x_forwarded_for = header(c, "X-Forwarded-For"),
	    .x_forwarded_proto = header(c, "X-Forwarded-Proto"),
	};
}

static enum MHD_Result join_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct jic_buf *joined = context;
	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For") == 0 && value)
		jic_buf_printf(joined, "%s%s", joined->len ? "," : "", value);
	return MHD_YES;
}

/* A field that comes several times is one list (RFC 9110 §5.3). Looking at the first alone would let a client send one
 * of its own before the proxy's. */
static bool join_forwarded(struct MHD_Connection *c, struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf joined = {0};
	if (r->headers.x_forwarded_for.len == 0)
		return true;
	MHD_get_connection_values(c, MHD_HEADER_KIND, join_field, &joined);
	r->headers.x_forwarded_for = jic_arena_copy(&r->arena, jic_buf_view(&joined));
	return jic_buf_ok(&joined, NULL) && !r->arena.failed;
}

/* Behind a proxy that is trusted the client is who the proxy says; of others nothing is believed. */
static void find_client(struct exchange *x)
{
	struct jic_request *r = x->request;
	const struct jic_proxies *proxies = x->server->options.proxies;
	const struct jic_address *peer = x->peer->is_unix ? NULL : &x->peer->address;
	snprintf(r->peer, sizeof r->peer, "%s", x->peer->peer);
	r->https = x->peer->tls != NULL;
	if (!jic_proxies_trust(proxies, peer))
		return;
	r->https = r->https || jic_proxies_https(r->headers.x_forwarded_proto);
	if (!jic_proxies_client(proxies, r->headers.x_forwarded_for, &x->client))
		return;
	jic_address_format(&x->client, r->peer);
	snprintf(r->proxy, sizeof r->proxy, "%s", x->peer->peer);
	x->counted = jic_connections_request_begin(x->server->connections, &x->client);
	if (!x->counted)
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "too many requests at a time, try again");
}

static void read_peer(struct exchange *x)
{
	struct jic_request *r = x->request;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!join_forwarded(x->connection, r)) {
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
		return;
	}
	find_client(x);
	/* Behind a proxy on this machine every peer looks local; what the proxy says of it can only take trust away. */
	r->local = (x->peer->is_unix || jic_peer_is_local(info->client_addr)) && r->headers.forwarded.len == 0 &&
	           r->headers.x_forwarded_for.len == 0;
}

static void read_certificate(struct exchange *x)
{
	struct jic_request *r = x->request;
	if (!x->peer->tls || !jic_tls_asks_clients(x->peer->tls))
		return;
	const union MHD_ConnectionInfo *session =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!jic_tls_judge(x->peer->tls, session->tls_session, now_s(), &x->peer->client)) {
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
		return;
	}
	const struct jic_tls_client *client = x->peer->client;
	r->certificate = client->accepted ? &client->id : NULL;
	r->certificate_refusal = client->presented && !client->accepted ? client->why.text : NULL;
}

static bool decode_query(struct jic_view raw, size_t bytes_max, struct jic_arena *arena, struct jic_view *out)
{
	char *decoded = raw.len <= 3 * bytes_max ? jic_arena_alloc(arena, raw.len + 1) : NULL;
	size_t len = 0;
	if (!decoded || !jic_http_query_decode(raw, decoded, &len) || len > bytes_max)
		return false;
	*out = jic_view_bytes(decoded, len);
	return true;
}

/* "?lane=pr/7", or "?lane=pr%2F7" */
static void read_lane(struct MHD_Connection *c, struct jic_request *r)
{
	const struct jic_view raw = jic_view_of(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lane"));
	struct jic_view name;
	if (raw.len == 0)
		return;
	if (!decode_query(raw, JIC_LANE_NAME_BYTES_MAX, &r->arena, &name) || !jic_lane_name_valid(name))
		jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "lane: is not a lane's name");
	else
		r->lane = name;
}

static void read_query(struct MHD_Connection *c, struct jic_request *r)
{
	static const char *const names[] = {
#define JIC_QUERY_NAME(NAME, name) [JIC_QUERY_##NAME] = (name),
	    JIC_QUERIES(JIC_QUERY_NAME)
#undef JIC_QUERY_NAME
	};
	for (size_t i = 0; i < JIC_QUERY_COUNT && !jic_request_answered(r); i++) {
		struct jic_view raw = jic_view_of(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, names[i]));
		if (raw.len && !decode_query(raw, JIC_QUERY_BYTES_MAX, &r->arena, &r->query[i]))
			jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "%s: is not well encoded, or too long",
			                    names[i]);
	}
}

/* ---- before the body */

static void touch_token(void *context);

struct touch {
	struct jic_http_server *server;
	struct jic_digest hash;
};

static void submit_touch(struct jic_http_server *s, const struct jic_digest *hash)
{
	struct touch *t = malloc(sizeof *t);
	if (!t)
		return;
	*t = (struct touch){.server = s, .hash = *hash};
	if (!jic_work_submit(s->work, JIC_WORK_WRITE, touch_token, t))
		free(t);
}

static void touch_token(void *context)
{
	jic_autofree struct touch *t = context;
	struct jic_error err = {0};
	const struct jic_http_service *service = t->server->service;
	if (!jic_gate_touch(service->gate, &t->hash, now_s(), &err))
		jic_log_warn(service->log, "token.touch", JIC_STR("error", err.text));
}

static void admit(struct jic_http_server *s, struct jic_request *r)
{
	jic_request_admit(r, now_s());
	if (r->caller.touch_due)
		submit_touch(s, &r->caller.hash);
}

static void check_json_body(struct jic_request *r)
{
	if (r->headers.content_encoding.len && !jic_view_is(r->headers.content_encoding, "identity"))
		jic_respond_problem(r, JIC_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "send JSON without Content-Encoding");
	else if (!jic_http_media_type_is(r->headers.content_type, "application/json"))
		jic_respond_problem(r, JIC_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json");
	else if (jic_request_content_length(r, 0) > r->service->body_bytes_max)
		jic_respond_problem(r, JIC_PROBLEM_TOO_LARGE, "the body may have %llu bytes",
		                    (unsigned long long)r->service->body_bytes_max);
}

static void begin_upload(struct exchange *x)
{
	x->uploading = jic_load_upload_begin(x->server->service->load);
	if (!x->uploading)
		jic_respond_problem(x->request, JIC_PROBLEM_OVERLOADED, "too many uploads at a time, try again");
}

/* Everything that can be said before the body: each step may answer, which ends it. */
static void open_request(struct exchange *x)
{
	struct jic_request *r = x->request;
	read_headers(x->connection, &r->headers);
	read_peer(x);
	if (!jic_request_answered(r))
		read_certificate(x);
	if (!jic_request_answered(r))
		jic_route_find(r);
	if (!jic_request_answered(r))
		read_lane(x->connection, r);
	if (!jic_request_answered(r))
		read_query(x->connection, r);
	if (!jic_request_answered(r))
		admit(x->server, r);
	if (!jic_request_answered(r) && r->route->body == JIC_REQUEST_JSON)
		check_json_body(r);
	if (!jic_request_answered(r) && r->route->body == JIC_REQUEST_BLOB)
		begin_upload(x);
	if (!jic_request_answered(r) && r->route->begin)
		r->route->begin(r);
}

/* ---- how long it may take */

/* What `bytes` take at the slowest pace, after what a short body has anyway. */
static uint64_t transfer_ms(const struct jic_http_server *s, uint64_t bytes)
{
	return s->options.body_timeout_s * 1000 + bytes / s->options.transfer_rate_min * 1000;
}

/* The more has come, the longer the rest may take; a JSON body has one time for all of it. */
static void expect_body(const struct exchange *x)
{
	const struct jic_request *r = x->request;
	const bool blob = r->route && r->route->body == JIC_REQUEST_BLOB;
	const uint64_t whole_ms = transfer_ms(x->server, blob ? r->received : 0);
	const uint64_t gone_ms = (jic_http_now_us() - r->started_us) / 1000;
	jic_connection_expect(x->peer, gone_ms < whole_ms ? whole_ms - gone_ms : 1);
}

/* ---- the answer */

static ssize_t read_content(void *context, uint64_t position, char *out, size_t room)
{
	struct exchange *x = context;
	struct jic_error err = {0};
	size_t len;
	(void)position; /* the library asks for the bytes in order */
	if (jic_blob_reader_read(x->request->response.reader, out, room, &len, &err))
		return (ssize_t)len;
	if (err.code == JIC_EFORMAT || err.code == JIC_ECORRUPT)
		jic_store_suspect(x->server->service->store, &x->request->response.blob);
	jic_log_error(x->server->service->log, "http.stream", JIC_STR("request_id", x->request->id),
	              JIC_STR("error", err.text));
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *file_response(struct jic_response *response)
{
	struct MHD_Response *m = MHD_create_response_from_fd_at_offset64(response->len, response->fd, response->offset);
	if (m)
		response->fd = -1; /* the library closes it */
	return m;
}

static void cached_sent(void *blob)
{
	jic_cached_blob_unref(blob);
}

static struct MHD_Response *cached_response(struct jic_response *response)
{
	/* The library only reads them; its types don't say so. */
	char *bytes = (char *)(uintptr_t)jic_cached_blob_bytes(response->cached) + response->offset;
	struct MHD_Response *m =
	    MHD_create_response_from_buffer_with_free_callback_cls(response->len, bytes, cached_sent, response->cached);
	if (m)
		response->cached = NULL; /* the library gives it back */
	return m;
}

/* NULL when out of memory. What the body is made of is the library's from here on, but for the reader. */
static struct MHD_Response *make_response(struct exchange *x)
{
	struct jic_response *response = &x->request->response;
	x->sent = response->kind == JIC_BODY_TEXT ? response->text.len : response->len;
	if (x->request->method == JIC_METHOD_HEAD || response->status == 304)
		x->sent = 0;
	switch (response->kind) {
	case JIC_BODY_FILE:
		return file_response(response);
	case JIC_BODY_CACHED:
		return cached_response(response);
	case JIC_BODY_READER:
		return MHD_create_response_from_callback(response->len, STREAM_BLOCK_BYTES, read_content, x, NULL);
	case JIC_BODY_TEXT:
		break;
	}
	size_t len = response->text.len;
	char *text = jic_buf_take(&response->text);
	return text ? MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE) : NULL;
}

static bool add_headers(const struct exchange *x, struct MHD_Response *m)
{
	const struct jic_response *response = &x->request->response;
	bool added = MHD_add_response_header(m, "X-Request-Id", x->request->id) == MHD_YES;
	for (size_t i = 0; i < response->headers_count && added; i++)
		added = MHD_add_response_header(m, response->headers[i].name, response->headers[i].value) == MHD_YES;
	if (atomic_load(&x->server->stopping))
		added = added && MHD_add_response_header(m, "Connection", "close") == MHD_YES;
	return added;
}

/* MHD_NO closes the connection: all that is left to do without memory. */
static enum MHD_Result queue_response(struct exchange *x)
{
	struct MHD_Response *m = make_response(x);
	if (!m)
		return MHD_NO;
	enum MHD_Result queued = MHD_NO;
	jic_connection_expect(x->peer, transfer_ms(x->server, x->sent));
	if (add_headers(x, m))
		queued = MHD_queue_response(x->connection, x->request->response.status, m);
	MHD_destroy_response(m);
	return queued;
}

/* ---- the body */

/*
 * An answer before the body closes the connection, and a client that is still sending may lose it. So a short body is
 * read anyway, unless the client waits to be told.
 */
static bool answer_in_place_of_body(const struct jic_request *r)
{
	bool chunked = r->headers.transfer_encoding.len > 0;
	uint64_t len = jic_request_content_length(r, 0);
	bool sends_later = r->method == JIC_METHOD_PUT || r->method == JIC_METHOD_POST;
	if (!sends_later || (len == 0 && !chunked))
		return false;
	return r->headers.expect.len > 0 || chunked || len > DRAIN_BYTES_MAX;
}

static uint64_t receive_bytes_max(const struct jic_request *r)
{
	if (!r->route || r->route->body == JIC_REQUEST_EMPTY)
		return DRAIN_BYTES_MAX;
	/* A little more than what is accepted, so that being over the limit can still be answered. */
	return DRAIN_BYTES_MAX + (r->route->body == JIC_REQUEST_BLOB ? ZSTD_compressBound(r->service->blob_bytes_max)
	                                                             : r->service->body_bytes_max);
}

/* What a refused request had sent must not keep others out. */
static void drop_body(struct exchange *x)
{
	jic_buf_clear(&x->request->body);
	jic_load_body_end(x->request->service->load, x->body_bytes);
	x->body_bytes = 0;
}

static void collect_json(struct exchange *x, struct jic_view bytes)
{
	struct jic_request *r = x->request;
	if (r->body.len + bytes.len > r->service->body_bytes_max) {
		drop_body(x);
		jic_respond_problem(r, JIC_PROBLEM_TOO_LARGE, "the body may have %llu bytes",
		                    (unsigned long long)r->service->body_bytes_max);
		return;
	}
	if (!jic_load_body_grow(r->service->load, bytes.len)) {
		drop_body(x);
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "too many bodies at a time, try again");
		return;
	}
	x->body_bytes += bytes.len;
	jic_buf_putv(&r->body, bytes);
	if (!jic_buf_ok(&r->body, NULL))
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
}

/* @return false: give the connection up */
static bool take_piece(struct exchange *x, struct jic_view bytes)
{
	struct jic_request *r = x->request;
	r->received += bytes.len;
	if (r->received > receive_bytes_max(r))
		return false;
	expect_body(x);
	if (jic_request_answered(r))
		return true;
	switch (r->route->body) {
	case JIC_REQUEST_EMPTY:
		return true;
	case JIC_REQUEST_JSON:
		collect_json(x, bytes);
		return true;
	case JIC_REQUEST_BLOB:
		r->route->piece(r, bytes);
		return true;
	}
	return true;
}

/* ---- after the body */

static void run_request(struct jic_request *r)
{
	r->route->run(r);
	JIC_ASSERT(jic_request_answered(r));
}

/* Who waited so long is about to give up, or has: doing it anyway would only make the others wait too. */
static bool waited_too_long(const struct exchange *x)
{
	return jic_http_now_us() - x->queued_us > (uint64_t)x->server->options.queue_timeout_s * 1000000;
}

static void run_deferred(void *context)
{
	struct exchange *x = context;
	if (waited_too_long(x))
		jic_respond_problem(x->request, JIC_PROBLEM_OVERLOADED, "the server is busy, try again");
	else
		run_request(x->request);
	MHD_resume_connection(x->connection);
}

static enum MHD_Result finish_request(struct exchange *x)
{
	struct jic_request *r = x->request;
	if (jic_request_answered(r))
		return queue_response(x);
	if (!r->route->deferred) {
		run_request(r);
		return queue_response(x);
	}
	/* From here on it is our own work that takes time. */
	jic_connection_expect(x->peer, 0);
	x->queued_us = jic_http_now_us();
	MHD_suspend_connection(x->connection);
	const bool writes = r->route->writes || r->route->scope == JIC_SCOPE_WRITE;
	const enum jic_work_kind kind = writes ? JIC_WORK_WRITE : JIC_WORK_READ;
	if (!jic_work_submit(x->server->work, kind, run_deferred, x)) {
		atomic_fetch_add(&x->server->service->metrics->refused, 1);
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "the server is busy, try again");
		MHD_resume_connection(x->connection);
	}
	return MHD_YES;
}

/* ---- what the library calls */

static struct exchange *exchange_new(struct jic_http_server *s, struct MHD_Connection *c, const char *method,
                                     const char *path)
{
	struct exchange *x = calloc(1, sizeof *x);
	struct jic_request *r = x ? jic_request_new(s->service) : NULL;
	if (!r) {
		free(x);
		return NULL;
	}
	*x = (struct exchange){.server = s, .connection = c, .peer = jic_http_connection_of(c), .request = r};
	r->started_us = jic_http_now_us();
	r->method_text = jic_view_of(method);
	r->method = jic_method_parse(r->method_text);
	r->path = jic_view_of(path);
	jic_http_number(s, r->id);
	atomic_fetch_add(&s->service->metrics->in_progress, 1);
	pthread_mutex_lock(&s->lock);
	s->active++;
	pthread_mutex_unlock(&s->lock);
	return x;
}

enum MHD_Result jic_exchange_access(void *cls, struct MHD_Connection *c, const char *path, const char *method,
                                    const char *version, const char *bytes, size_t *len, void **context)
{
	struct exchange *x = *context;
	(void)version;
	if (!x) {
		x = *context = jic_http_connection_of(c) ? exchange_new(cls, c, method, path) : NULL;
		if (!x)
			return MHD_NO;
		open_request(x);
		expect_body(x);
		bool now = jic_request_answered(x->request) && answer_in_place_of_body(x->request);
		return now ? queue_response(x) : MHD_YES;
	}
	if (*len > 0) {
		struct jic_view piece = jic_view_bytes(bytes, *len);
		*len = 0;
		return take_piece(x, piece) ? MHD_YES : MHD_NO;
	}
	return finish_request(x);
}

static const char *end_name(const struct exchange *x, enum MHD_RequestTerminationCode code)
{
	if (jic_connection_overdue(x->peer))
		return "overdue";
	switch (code) {
	case MHD_REQUEST_TERMINATED_COMPLETED_OK:
		return "ok";
	case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
		return "timeout";
	case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
		return "shutdown";
	case MHD_REQUEST_TERMINATED_CLIENT_ABORT:
	case MHD_REQUEST_TERMINATED_READ_ERROR:
	case MHD_REQUEST_TERMINATED_WITH_ERROR:
		break;
	}
	return "closed";
}

static void log_exchange(const struct exchange *x, const char *end)
{
	const struct jic_request *r = x->request;
	jic_log_info(x->server->service->log, "http.request", JIC_STRV("method", r->method_text),
	             JIC_STRV("path", r->path), JIC_U64("status", r->response.status), JIC_U64("bytes", x->sent),
	             JIC_U64("received", r->received), JIC_U64("took_us", jic_http_now_us() - r->started_us),
	             JIC_STR("request_id", r->id), JIC_STR("peer", r->peer), JIC_STR("proxy", r->proxy),
	             JIC_BOOL("https", r->https), JIC_STRV("token", r->caller.id.name), JIC_STR("end", end));
}

static void count_exchange(const struct exchange *x, bool complete)
{
	const struct jic_request *r = x->request;
	const struct jic_http_service *service = x->server->service;
	const struct jic_metrics_request over = {.route = jic_route_index(r->route),
	                                         .status = r->response.status,
	                                         .took_us = jic_http_now_us() - r->started_us,
	                                         .received = r->received,
	                                         .sent = x->sent};
	jic_metrics_count(service->metrics, &over);
	jic_activity_traffic(service->store, x->sent, r->received);
	if (complete && r->method == JIC_METHOD_GET && r->response.status == 200 && r->route->run == jic_handle_blob) {
		const struct jic_digest digest = jic_request_digest(r, 0);
		jic_activity_sent(service->store, &digest);
	}
	atomic_fetch_sub(&service->metrics->in_progress, 1);
}

static void exchange_free(struct exchange *x)
{
	struct jic_load *load = x->server->service->load;
	if (x->counted)
		jic_connections_request_end(x->server->connections, &x->client);
	if (x->uploading)
		jic_load_upload_end(load);
	jic_load_body_end(load, x->body_bytes);
	jic_request_free(x->request);
	free(x);
}

void jic_exchange_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct jic_http_server *s = cls;
	struct exchange *x = *context;
	(void)c;
	if (!x)
		return;
	*context = NULL;
	log_exchange(x, end_name(x, code));
	count_exchange(x, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	/* The next request's headers, or the end. */
	jic_connection_expect(x->peer, (uint64_t)s->options.idle_timeout_s * 1000);
	exchange_free(x);
	pthread_mutex_lock(&s->lock);
	if (--s->active == 0)
		pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}
