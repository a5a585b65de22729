/*
 * libmicrohttpd below, routes above. A request's life:
 *
 *     headers  route, gate and limits may answer at once. When a body was announced with "Expect: 100-continue", or is
 *              too long to be worth reading, the answer goes out in its place
 *     body     pieces come; after a failure they are dropped, because an answer can only follow the body
 *     work     the connection is suspended while a worker has the request
 *     answer   queued; when it is sent, or the connection breaks, on_completed() logs the request and frees it
 *
 * The library's own decoding of paths is switched off (keep_escaped): route.c decodes once and strictly.
 */
#include "server/http/server.h"

#include "server/http/handlers.h"
#include "server/http/header.h"
#include "server/http/problem.h"
#include "server/http/route.h"
#include "server/http/work.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum {
	DRAIN_BYTES_MAX =
	    1024 * 1024, /* a body of a refused request that is read, so that the client sees the answer */
	STREAM_BLOCK_BYTES = 64 * 1024,
};

struct jic_http_server {
	pthread_mutex_t lock; /* guards active */
	pthread_cond_t idle;  /* active became 0 */
	size_t active;        /* requests begun and not completed */

	atomic_bool stopping;
	atomic_uint_fast64_t requests; /* numbers them */
	uint32_t run;                  /* random: tells ids of this run from those of others */
	const struct jic_http_service *service;
	struct jic_work *work;
	struct MHD_Daemon *daemon;
};

/* One request on its way through the library. */
struct exchange {
	struct jic_http_server *server;
	struct MHD_Connection *connection;
	struct jic_request *request;
	uint64_t sent; /* bytes of body in the answer */
};

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

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
	};
}

static void read_peer(struct MHD_Connection *c, struct jic_request *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	if (!address)
		return;
	const void *host = address->sa_family == AF_INET6
	                       ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
	                       : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
	if (!inet_ntop(address->sa_family, host, r->peer, sizeof r->peer))
		r->peer[0] = '\0';
	/* Behind a proxy on this machine every peer looks local; what the proxy says of it can only take trust away. */
	r->local = jic_peer_is_local(address) && r->headers.forwarded.len == 0 && r->headers.x_forwarded_for.len == 0;
}

/* "?lane=pr/7" */
static void read_lane(struct MHD_Connection *c, struct jic_request *r)
{
	const struct jic_view raw = jic_view_of(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lane"));
	char name[JIC_LANE_NAME_BYTES_MAX];
	char *decoded = raw.len <= 3 * sizeof name ? jic_arena_alloc(&r->arena, raw.len + 1) : NULL;
	size_t len = 0;
	if (raw.len == 0)
		return;
	if (!decoded || !jic_http_percent_decode(raw, decoded, &len) ||
	    !jic_lane_name_valid(jic_view_bytes(decoded, len)))
		jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "lane: is not a lane's name");
	else
		r->lane = jic_view_bytes(decoded, len);
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
	if (!jic_work_submit(s->work, touch_token, t))
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

/* Everything that can be said before the body: each step may answer, which ends it. */
static void open_request(struct exchange *x)
{
	struct jic_request *r = x->request;
	read_headers(x->connection, &r->headers);
	read_peer(x->connection, r);
	jic_route_find(r);
	if (!jic_request_answered(r))
		read_lane(x->connection, r);
	if (!jic_request_answered(r))
		admit(x->server, r);
	if (!jic_request_answered(r) && r->route->body == JIC_REQUEST_JSON)
		check_json_body(r);
	if (!jic_request_answered(r) && r->route->begin)
		r->route->begin(r);
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

static void collect_json(struct jic_request *r, struct jic_view bytes)
{
	if (r->body.len + bytes.len > r->service->body_bytes_max) {
		jic_buf_clear(&r->body);
		jic_respond_problem(r, JIC_PROBLEM_TOO_LARGE, "the body may have %llu bytes",
		                    (unsigned long long)r->service->body_bytes_max);
		return;
	}
	jic_buf_putv(&r->body, bytes);
	if (!jic_buf_ok(&r->body, NULL))
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
}

/* @return false: give the connection up */
static bool take_piece(struct jic_request *r, struct jic_view bytes)
{
	r->received += bytes.len;
	if (r->received > receive_bytes_max(r))
		return false;
	if (jic_request_answered(r))
		return true;
	switch (r->route->body) {
	case JIC_REQUEST_EMPTY:
		return true;
	case JIC_REQUEST_JSON:
		collect_json(r, bytes);
		return now_us() - r->started_us < r->service->body_timeout_s * 1000000;
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

static void run_deferred(void *context)
{
	struct exchange *x = context;
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
	MHD_suspend_connection(x->connection);
	if (!jic_work_submit(x->server->work, run_deferred, x)) {
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
	*x = (struct exchange){.server = s, .connection = c, .request = r};
	r->started_us = now_us();
	r->method_text = jic_view_of(method);
	r->method = jic_method_parse(r->method_text);
	r->path = jic_view_of(path);
	snprintf(r->id, sizeof r->id, "%08x-%llu", s->run, (unsigned long long)atomic_fetch_add(&s->requests, 1));
	pthread_mutex_lock(&s->lock);
	s->active++;
	pthread_mutex_unlock(&s->lock);
	return x;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *path, const char *method,
                                 const char *version, const char *bytes, size_t *len, void **context)
{
	struct exchange *x = *context;
	(void)version;
	if (!x) {
		x = *context = exchange_new(cls, c, method, path);
		if (!x)
			return MHD_NO;
		open_request(x);
		bool now = jic_request_answered(x->request) && answer_in_place_of_body(x->request);
		return now ? queue_response(x) : MHD_YES;
	}
	if (*len > 0) {
		struct jic_view piece = jic_view_bytes(bytes, *len);
		*len = 0;
		return take_piece(x->request, piece) ? MHD_YES : MHD_NO;
	}
	return finish_request(x);
}

static const char *end_name(enum MHD_RequestTerminationCode code)
{
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

static void on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct jic_http_server *s = cls;
	struct exchange *x = *context;
	(void)c;
	if (!x)
		return;
	*context = NULL;
	const struct jic_request *r = x->request;
	jic_log_info(s->service->log, "http.request", JIC_STRV("method", r->method_text), JIC_STRV("path", r->path),
	             JIC_U64("status", r->response.status), JIC_U64("bytes", x->sent), JIC_U64("received", r->received),
	             JIC_U64("took_us", now_us() - r->started_us), JIC_STR("request_id", r->id),
	             JIC_STR("peer", r->peer), JIC_STRV("token", r->caller.id.name), JIC_STR("end", end_name(code)));
	jic_request_free(x->request);
	free(x);
	pthread_mutex_lock(&s->lock);
	if (--s->active == 0)
		pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

static size_t keep_escaped(void *cls, struct MHD_Connection *c, char *text)
{
	(void)cls;
	(void)c;
	return strlen(text);
}

static void on_library_log(void *cls, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_library_log(void *cls, const char *format, va_list args)
{
	const struct jic_http_server *s = cls;
	char text[512];
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	jic_log_debug(s->service->log, "http.library", JIC_STR("text", text));
}

/* ---- start and stop */

static struct MHD_Daemon *start_daemon(struct jic_http_server *s, const struct jic_http_options *o)
{
	const struct MHD_OptionItem options[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, s},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escaped, NULL},
	    {MHD_OPTION_LISTEN_SOCKET, o->listen_fd, NULL},
	    {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->threads, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections_max, NULL},
	    {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)o->connections_per_peer_max, NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)o->connection_bytes, NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_timeout_s, NULL},
	    {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
	    {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};
	/*
	 * poll(2), not epoll: the library uses epoll edge-triggered and loses the end of a connection that arrives
	 * together with its last bytes (two of three times in 300 tries), which then is held until the idle timeout.
	 * With some hundred connections a thread the difference in cost can't be measured.
	 */
	const unsigned flags =
	    MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void server_free(struct jic_http_server *s)
{
	jic_work_free(s->work);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct jic_http_server *server_new(const struct jic_http_options *o, struct jic_error *err)
{
	struct jic_http_server *s = calloc(1, sizeof *s);
	if (!s) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&s->lock, NULL);
	s->service = o->service;
	/* Not a secret: without random bytes ids of two runs look alike, no more. */
	if (getrandom(&s->run, sizeof s->run, GRND_NONBLOCK) < 0)
		s->run = (uint32_t)now_us();
	s->work = jic_work_new(o->workers, o->queue_max, err);
	if (!s->work) {
		server_free(s);
		return NULL;
	}
	return s;
}

struct jic_http_server *jic_http_server_start(const struct jic_http_options *options, struct jic_error *err)
{
	struct jic_http_server *s = server_new(options, err);
	if (!s) {
		close(options->listen_fd);
		return NULL;
	}
	s->daemon = start_daemon(s, options);
	if (!s->daemon) {
		(void)jic_fail_errno(err, JIC_EIO, "start the HTTP server");
		close(options->listen_fd);
		server_free(s);
		return NULL;
	}
	return s;
}

static size_t wait_idle(struct jic_http_server *s, unsigned timeout_s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&s->lock);
	while (s->active > 0 && pthread_cond_timedwait(&s->idle, &s->lock, &until) != ETIMEDOUT)
		;
	size_t active = s->active;
	pthread_mutex_unlock(&s->lock);
	return active;
}

size_t jic_http_server_stop(struct jic_http_server *s, unsigned timeout_s)
{
	atomic_store(&s->stopping, true);
	MHD_socket listening = MHD_quiesce_daemon(s->daemon);
	if (listening != MHD_INVALID_SOCKET)
		close(listening);
	size_t cut_off = wait_idle(s, timeout_s);
	/* Workers resume suspended connections; the library must not be stopped with any left. */
	jic_work_end(s->work);
	MHD_stop_daemon(s->daemon);
	server_free(s);
	return cut_off;
}
