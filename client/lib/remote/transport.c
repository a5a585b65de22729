/*
 * One libcurl easy handle a connection, kept alive between requests. Compressed bodies are decoded by us and not by
 * libcurl: Debian's libcurl may lack zstd, and the window limit must hold.
 */
#include "client/lib/remote/transport.h"

#include "client/lib/session/libcurl.h"
#include "common/clock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADER_BYTES_MAX = 1024, UPLOAD_PIECE_BYTES = 128 * 1024 };

struct jic_connection {
	const struct jic_libcurl *lib;
	CURL *curl;
	struct curl_slist *headers; /* sent with every request: authorization, user agent's protocol */
	const char *url;            /* borrowed from the settings */
	const char *base;           /* what requests' paths are appended to; unix sockets have a host only in name */
	const atomic_bool *cancel;
	int64_t date_s;   /* of the last answer; −1: none */
	curl_off_t moved; /* bytes of the request in progress, both ways, when it last got on */
	double moved_s;   /* when that was */
	bool stalled;     /* why the transfer was stopped */
	int silence_s;    /* that the request in progress may last without getting on */
	int patience_s;   /* of that, what the next request has beyond JIC_STALL_LIMIT_S */
	long retry_ms;    /* what the last answer said of coming again; −1: nothing */
	long waited_ms;   /* for a busy server, in all */
	char curl_error[CURL_ERROR_SIZE];
};

/* One request's way back. */
struct response {
	struct jic_connection *connection;
	struct jic_buf *collect; /* JSON, or a problem */
	size_t collect_max;
	jic_sink_fn *sink; /* a blob's content, when the status is 200 */
	void *context;
	struct jic_zdec *zdec;
	uint64_t content_max;
	bool encoded;           /* Content-Encoding: zstd */
	bool once;              /* what is sent can't be sent again as it is */
	bool cut_off;           /* the connection ended before the answer, while we may still have been sending */
	struct jic_error error; /* why a callback stopped the transfer */
};

#define set_option(c, option, value) ((c)->lib->easy_setopt((c)->curl, option, value))

static bool add_header(struct jic_connection *c, const char *line)
{
	struct curl_slist *longer = c->lib->slist_append(c->headers, line);
	if (longer)
		c->headers = longer;
	return longer;
}

static bool add_headers(struct jic_connection *c, const char *token)
{
	/* No "Expect: 100-continue": the server answers early by itself, and waiting costs a round trip. */
	if (!add_header(c, "Expect:") || !add_header(c, "Accept-Encoding: zstd"))
		return false;
	if (!*token)
		return true;
	jic_autofree char *line = jic_asprintf("Authorization: Bearer %s", token);
	return line && add_header(c, line);
}

/* The headers of every request. */
static bool identify(struct jic_connection *c, const struct jic_settings *settings, struct jic_error *err)
{
	char token[JIC_CI_TOKEN_BYTES_MAX + 1];
	if (settings->ci_token && !jic_ci_token_get(settings->ci_token, token, err))
		return false;
	return add_headers(c, settings->ci_token ? token : settings->token) ||
	       jic_fail(err, JIC_EMEMORY, "out of memory");
}

/*
 * Called at least once a second. CURLOPT_LOW_SPEED_TIME alone would end a silent transfer six seconds late: what was
 * sent before the silence counts in its average for so long. It stays for a server that trickles.
 */
static int on_progress(void *context, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	(void)dt, (void)ut;
	struct jic_connection *c = context;
	if (dn + un != c->moved) {
		c->moved = dn + un;
		c->moved_s = jic_clock_s();
	}
	c->stalled = jic_clock_s() - c->moved_s >= c->silence_s;
	return c->stalled || (c->cancel && atomic_load(c->cancel));
}

/*
 * Whoever waits long for an answer wants to know that there still is somebody: the kernel asks, and gives up after
 * JIC_STALL_LIMIT_S without any sign of life. On a unix socket this fails and is not needed.
 */
static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	const int on = 1, idle_s = 5, interval_s = 2, gone_ms = JIC_STALL_LIMIT_S * 1000;
	(void)context, (void)purpose;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
	return CURL_SOCKOPT_OK;
}

/* Where it is, and by whom it and we are known. */
static void set_server(struct jic_connection *c, const struct jic_settings *settings)
{
	static const char local[] = "unix://";
	const bool is_local = strncmp(c->url, local, sizeof local - 1) == 0;
	c->base = is_local ? "http://localhost" : c->url;
	if (is_local)
		set_option(c, CURLOPT_UNIX_SOCKET_PATH, c->url + sizeof local - 1);
	if (*settings->ca_file)
		set_option(c, CURLOPT_CAINFO, settings->ca_file);
	if (!*settings->client_certificate)
		return;
	set_option(c, CURLOPT_SSLCERT, settings->client_certificate);
	set_option(c, CURLOPT_SSLKEY, *settings->client_key ? settings->client_key : settings->client_certificate);
}

static void set_options(struct jic_connection *c)
{
	set_option(c, CURLOPT_ERRORBUFFER, c->curl_error);
	set_option(c, CURLOPT_NOSIGNAL, 1L);
	set_option(c, CURLOPT_CONNECTTIMEOUT_MS, (long)JIC_CONNECT_LIMIT_MS);
	set_option(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	set_option(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_option(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
	set_option(c, CURLOPT_USERAGENT, "jicache/" JIC_VERSION);
	/* Blobs stay within our server: following a redirect would hand the token to whoever is named. */
	set_option(c, CURLOPT_FOLLOWLOCATION, 0L);
	set_option(c, CURLOPT_PROTOCOLS_STR, "http,https");
	set_option(c, CURLOPT_BUFFERSIZE, 256L * 1024);
	set_option(c, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
	set_option(c, CURLOPT_NOPROGRESS, 0L);
	set_option(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	set_option(c, CURLOPT_XFERINFODATA, c);
	set_option(c, CURLOPT_HTTPHEADER, c->headers);
}

struct jic_connection *jic_connection_new(const struct jic_settings *settings, const atomic_bool *cancel,
                                          struct jic_error *err)
{
	const struct jic_libcurl *lib = jic_libcurl(err);
	if (!lib)
		return NULL;
	JIC_AUTO(jic_connection) struct jic_connection *c = calloc(1, sizeof *c);
	if (c) {
		c->lib = lib;
		c->url = settings->url;
		c->cancel = cancel;
		c->date_s = -1;
		c->curl = lib->easy_init();
	}
	if (!c || !c->curl) {
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	if (!identify(c, settings, err))
		return NULL;
	set_options(c);
	set_server(c, settings);
	return JIC_TAKE(c);
}

void jic_connection_free(struct jic_connection *c)
{
	if (!c)
		return;
	if (c->curl)
		c->lib->easy_cleanup(c->curl);
	if (c->headers)
		c->lib->slist_free_all(c->headers);
	free(c);
}

/* ---- receiving */

/* The value of a header line of that name ("date:"). */
static bool header_value(struct jic_view line, const char *name, char value[HEADER_BYTES_MAX])
{
	const size_t skip = strlen(name);
	if (line.len <= skip || line.len >= HEADER_BYTES_MAX || strncasecmp(line.ptr, name, skip) != 0)
		return false;
	memcpy(value, line.ptr + skip, line.len - skip);
	value[line.len - skip] = '\0';
	return true;
}

/* Seconds (RFC 9110 §10.2.3). A date is of no use to who waits seconds at the most. */
static long retry_ms(const char *value)
{
	char *end;
	const unsigned long seconds = strtoul(value, &end, 10);
	return end == value || seconds > JIC_RETRY_LIMIT_MS / 1000 ? -1 : (long)seconds * 1000;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct response *r = context;
	struct jic_view line = jic_view_bytes(bytes, size * count);
	char value[HEADER_BYTES_MAX];
	if (header_value(line, "content-encoding:", value))
		r->encoded = strcasestr(value, "zstd") != NULL;
	else if (header_value(line, "date:", value))
		r->connection->date_s = (int64_t)r->connection->lib->getdate(value, NULL);
	else if (header_value(line, "retry-after:", value))
		r->connection->retry_ms = retry_ms(value);
	return size * count;
}

int64_t jic_connection_date(const struct jic_connection *c)
{
	return c->date_s;
}

static long status_of(const struct response *r)
{
	long status = 0;
	r->connection->lib->easy_getinfo(r->connection->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool collect(struct response *r, struct jic_view piece)
{
	if (piece.len > r->collect_max - r->collect->len)
		return jic_fail(&r->error, JIC_EPROTOCOL, "answer is larger than %zu bytes", r->collect_max);
	jic_buf_putv(r->collect, piece);
	return jic_buf_ok(r->collect, &r->error);
}

static bool deliver(struct response *r, struct jic_view piece)
{
	if (!r->encoded)
		return r->sink(r->context, piece, &r->error);
	if (!r->zdec)
		r->zdec = jic_zdec_new(r->content_max, &r->error);
	return r->zdec && jic_zdec_feed(r->zdec, piece, r->sink, r->context, &r->error);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct response *r = context;
	struct jic_view piece = jic_view_bytes(bytes, size * count);
	bool to_sink = r->sink && status_of(r) == 200;
	bool taken = to_sink ? deliver(r, piece) : collect(r, piece);
	return taken ? piece.len : 0;
}

/* ---- one request */

static bool fail_curl(struct jic_connection *c, CURLcode code, struct response *r, struct jic_error *err)
{
	if (r->error.code) {
		if (err)
			*err = r->error;
		return false;
	}
	if (c->stalled)
		return jic_fail(err, JIC_ENETWORK, "server %s: silent for %d seconds", c->url, c->silence_s);
	r->cut_off = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
	const char *reason = c->curl_error[0] ? c->curl_error : c->lib->easy_strerror(code);
	return jic_fail(err, JIC_ENETWORK, "server %s: %s", c->url, reason);
}

static enum jic_code code_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return JIC_EDENIED;
	case 404:
		return JIC_ENOTFOUND;
	case 409:
		return JIC_ECONFLICT;
	case 429:
	case 503:
		return JIC_EBUSY;
	case 507:
		return JIC_ENOSPACE;
	case 400:
	case 413:
	case 415:
	case 422:
		return JIC_EFORMAT;
	default:
		return status >= 500 ? JIC_EIO : JIC_EPROTOCOL;
	}
}

static bool fail_status(const struct jic_connection *c, long status, const struct jic_buf *answer,
                        struct jic_error *err)
{
	struct jic_arena arena = {0};
	struct jic_msg_problem problem;
	bool read = jic_msg_problem_read(jic_buf_view(answer), &arena, &problem, NULL);
	if (read)
		jic_fail(err, code_of_status(status), "server %s: " JIC_PRIv " (%ld, request " JIC_PRIv ")", c->url,
		         JIC_ARGv(problem.detail), status, JIC_ARGv(problem.request_id));
	else if (status == 431) /* which the server's HTTP library answers, in HTML */
		jic_fail(err, JIC_EDENIED,
		         "server %s: it takes no headers as long as ours: is the token too long? (431; its "
		         "limits.connection_bytes)",
		         c->url);
	else
		jic_fail(err, code_of_status(status) == JIC_EFORMAT ? JIC_EPROTOCOL : code_of_status(status),
		         "server %s: HTTP status %ld without an explanation; is it a jicache server?", c->url, status);
	jic_arena_clear(&arena);
	return false;
}

void jic_connection_patience(struct jic_connection *c, uint64_t bytes)
{
	const uint64_t more_s = bytes / JIC_PATIENCE_BYTES_PER_S, most_s = JIC_PATIENCE_LIMIT_S - JIC_STALL_LIMIT_S;
	c->patience_s = (int)(more_s < most_s ? more_s : most_s);
}

static void begin_waiting(struct jic_connection *c)
{
	c->curl_error[0] = '\0';
	c->moved = 0;
	c->moved_s = jic_clock_s();
	c->stalled = false;
	c->retry_ms = -1;
	set_option(c, CURLOPT_LOW_SPEED_TIME, (long)c->silence_s);
}

static bool perform_once(struct jic_connection *c, const char *url, struct response *r, struct jic_error *err)
{
	begin_waiting(c);
	r->connection = c;
	r->encoded = false;
	set_option(c, CURLOPT_URL, url);
	set_option(c, CURLOPT_HEADERFUNCTION, on_header);
	set_option(c, CURLOPT_HEADERDATA, r);
	set_option(c, CURLOPT_WRITEFUNCTION, on_body);
	set_option(c, CURLOPT_WRITEDATA, r);
	CURLcode code = c->lib->easy_perform(c->curl);
	if (code != CURLE_OK)
		return fail_curl(c, code, r, err);
	long status = status_of(r);
	return status >= 200 && status < 300 ? true : fail_status(c, status, r->collect, err);
}

/* In steps, because who cancels does not want to wait. */
static bool sleep_ms(const struct jic_connection *c, long left_ms)
{
	enum { STEP_MS = 50 };
	for (; left_ms > 0; left_ms -= STEP_MS) {
		if (c->cancel && atomic_load(c->cancel))
			return false;
		const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
		nanosleep(&step, NULL);
	}
	return true;
}

/* The server was busy, and said when to come again: wait for that, unless it is longer than what is left for waiting.
 */
static bool wait_for_turn(struct jic_connection *c)
{
	const long wait_ms = c->retry_ms < 0 ? -1 : c->retry_ms ? c->retry_ms : 100;
	if (wait_ms < 0 || c->waited_ms + wait_ms > JIC_RETRY_LIMIT_MS)
		return false;
	c->waited_ms += wait_ms;
	return sleep_ms(c, wait_ms);
}

/* What is sent is in memory whole, unless it is an upload: that begins anew where it is made. */
static bool perform(struct jic_connection *c, const char *path, struct response *r, struct jic_error *err)
{
	struct jic_error why = {0};
	jic_autofree char *url = jic_asprintf("%s%s", c->base, path);
	if (!url)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	c->silence_s = JIC_STALL_LIMIT_S + c->patience_s;
	c->patience_s = 0;
	bool done = perform_once(c, url, r, &why);
	while (!done && why.code == JIC_EBUSY && !r->once && wait_for_turn(c)) {
		jic_buf_reset(r->collect);
		why = (struct jic_error){0};
		done = perform_once(c, url, r, &why);
	}
	if (!done && err)
		*err = why;
	return done;
}

static void method_get(struct jic_connection *c)
{
	set_option(c, CURLOPT_CUSTOMREQUEST, NULL);
	set_option(c, CURLOPT_UPLOAD, 0L);
	set_option(c, CURLOPT_HTTPGET, 1L);
	set_option(c, CURLOPT_HTTPHEADER, c->headers);
}

static bool perform_with_header(struct jic_connection *c, const char *header, const char *path, struct response *r,
                                struct jic_error *err)
{
	struct curl_slist extra = {.data = (char *)(uintptr_t)header, .next = c->headers};
	set_option(c, CURLOPT_HTTPHEADER, &extra);
	bool done = perform(c, path, r, err);
	set_option(c, CURLOPT_HTTPHEADER, c->headers);
	return done;
}

bool jic_connection_json(struct jic_connection *c, const char *method, const char *path, struct jic_view body,
                         struct jic_buf *answer, struct jic_error *err)
{
	struct response r = {.collect = answer, .collect_max = JIC_MESSAGE_BYTES_MAX};
	jic_buf_reset(answer);
	method_get(c);
	if (strcmp(method, "GET") == 0)
		return perform(c, path, &r, err);
	set_option(c, CURLOPT_POST, 1L);
	set_option(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	set_option(c, CURLOPT_POSTFIELDS, body.ptr);
	set_option(c, CURLOPT_CUSTOMREQUEST, method);
	return perform_with_header(c, "Content-Type: application/json", path, &r, err);
}

/* ---- blobs */

static void blob_path(const struct jic_digest *digest, char path[96])
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(digest, hex);
	snprintf(path, 96, "/v1/blobs/%s", hex);
}

/* Stands between the wire and the caller's sink: nobody sees more bytes than announced, and the digest is known at the
 * end. */
struct checked_sink {
	const struct jic_msg_blob *blob;
	struct jic_sha256 *sha;
	uint64_t seen;
	jic_sink_fn *sink;
	void *context;
};

static bool checked_put(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct checked_sink *k = context;
	if (bytes.len > k->blob->size - k->seen)
		return jic_fail(err, JIC_ECORRUPT, "blob is longer than the %llu bytes that were announced",
		                (unsigned long long)k->blob->size);
	k->seen += bytes.len;
	jic_sha256_update(k->sha, bytes.ptr, bytes.len);
	return k->sink(k->context, bytes, err);
}

static bool checked_end(struct checked_sink *k, struct jic_error *err)
{
	struct jic_digest digest;
	jic_sha256_final(k->sha, &digest);
	if (k->seen == k->blob->size && jic_digest_eq(&digest, &k->blob->digest))
		return true;
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(&k->blob->digest, hex);
	return jic_fail(err, JIC_ECORRUPT, "blob %s arrived with other bytes than its digest says", hex);
}

bool jic_connection_get_blob(struct jic_connection *c, const struct jic_msg_blob *blob, jic_sink_fn *sink,
                             void *context, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf problem = {0};
	JIC_AUTO(jic_sha256) struct jic_sha256 *sha = jic_sha256_new();
	if (!sha)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	struct checked_sink check = {.blob = blob, .sha = sha, .sink = sink, .context = context};
	struct response r = {.collect = &problem,
	                     .collect_max = JIC_MESSAGE_BYTES_MAX,
	                     .sink = checked_put,
	                     .context = &check,
	                     .content_max = blob->size};
	char path[96];
	blob_path(&blob->digest, path);
	method_get(c);
	bool done = perform(c, path, &r, err);
	if (done && r.zdec)
		done = jic_zdec_finish(r.zdec, err);
	jic_zdec_free(r.zdec);
	return done && checked_end(&check, err);
}

struct upload {
	struct jic_zenc *zenc;
	struct jic_view left; /* content not yet compressed */
	bool finished;
	struct jic_buf ready; /* compressed, not yet sent */
	size_t sent;
	bool asks;    /* whether it may send, before it does */
	bool cut_off; /* out: see struct response */
	struct jic_error error;
};

static bool upload_ready(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct upload *u = context;
	jic_buf_putv(&u->ready, bytes);
	return jic_buf_ok(&u->ready, err);
}

static bool upload_more(struct upload *u)
{
	jic_buf_reset(&u->ready);
	u->sent = 0;
	while (!u->ready.len && !u->finished) {
		struct jic_view piece = jic_view_head(u->left, UPLOAD_PIECE_BYTES);
		u->left = jic_view_skip(u->left, piece.len);
		u->finished = piece.len == 0;
		bool fed = u->finished ? jic_zenc_finish(u->zenc, upload_ready, u, &u->error)
		                       : jic_zenc_feed(u->zenc, piece, upload_ready, u, &u->error);
		if (!fed)
			return false;
	}
	return true;
}

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
	struct upload *u = context;
	if (u->sent == u->ready.len && !upload_more(u))
		return CURL_READFUNC_ABORT;
	size_t len = u->ready.len - u->sent;
	if (len > size * count)
		len = size * count;
	if (len)
		memcpy(to, u->ready.ptr + u->sent, len);
	u->sent += len;
	return len;
}

static bool put_stream(struct jic_connection *c, const struct jic_digest *digest, struct upload *u,
                       struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	struct response r = {.collect = &answer, .collect_max = JIC_MESSAGE_BYTES_MAX, .once = true};
	char path[96];
	blob_path(digest, path);
	method_get(c);
	set_option(c, CURLOPT_UPLOAD, 1L);
	set_option(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-1);
	set_option(c, CURLOPT_READFUNCTION, on_read);
	set_option(c, CURLOPT_READDATA, u);
	struct curl_slist *usual = c->headers,
			  asking = {.data = (char *)(uintptr_t) "Expect: 100-continue", .next = usual};
	if (u->asks)
		c->headers = &asking;
	bool done = perform_with_header(c, "Content-Encoding: zstd", path, &r, err);
	c->headers = usual;
	set_option(c, CURLOPT_HTTPHEADER, c->headers);
	u->cut_off = r.cut_off;
	if (!done && u->error.code && err)
		*err = u->error;
	set_option(c, CURLOPT_UPLOAD, 0L);
	return done;
}

static bool put_once(struct jic_connection *c, const struct jic_digest *digest, struct jic_view content, bool asks,
                     bool *cut_off, struct jic_error *err)
{
	JIC_AUTO(jic_zenc) struct jic_zenc *zenc = jic_zenc_new(JIC_ZSTD_LEVEL, err);
	if (!zenc || !jic_zenc_size(zenc, content.len, err))
		return false;
	struct upload u = {.zenc = zenc, .left = content, .asks = asks};
	jic_connection_patience(c, content.len);
	bool done = put_stream(c, digest, &u, err);
	*cut_off = u.cut_off;
	jic_buf_clear(&u.ready);
	return done;
}

/*
 * A server that refuses an upload answers and closes while we are sending, and then the network may drop the answer. So
 * when the connection is cut off we ask once more, this time whether we may, and hear why not.
 */
static bool put(struct jic_connection *c, const struct jic_digest *digest, struct jic_view content,
                struct jic_error *err)
{
	struct jic_error why = {0};
	bool cut_off = false;
	bool done = put_once(c, digest, content, false, &cut_off, &why);
	if (!done && cut_off) {
		why = (struct jic_error){0};
		done = put_once(c, digest, content, true, &cut_off, &why);
	}
	if (!done && err)
		*err = why;
	return done;
}

bool jic_connection_put_blob(struct jic_connection *c, const struct jic_digest *digest, struct jic_view content,
                             struct jic_error *err)
{
	struct jic_error why = {0};
	bool done = put(c, digest, content, &why);
	while (!done && why.code == JIC_EBUSY && wait_for_turn(c)) {
		why = (struct jic_error){0};
		done = put(c, digest, content, &why);
	}
	if (!done && err)
		*err = why;
	return done;
}
