/*
 * GET /v1/blobs/{digest}: a blob has two representations. Who accepts zstd gets the stored bytes as they are, by
 * sendfile; who doesn't gets the content, decompressed while it is sent. Each has its own length, tag and ranges.
 */
#include "server/http/handlers.h"
#include "server/http/header.h"
#include "server/http/problem.h"

#define IMMUTABLE "private, max-age=31536000, immutable"

/* Where its bytes are: in memory, or behind a descriptor. Sizes are those of struct jic_store_blob. */
struct source {
	struct jic_cached_blob *cached; /* NULL: fd */
	int fd;
	uint64_t size, stored_size;
};
static void source_clear(struct source *s)
{
	jic_cached_blob_unref(s->cached);
	jic_autoclose_(&s->fd);
}

struct representation {
	bool zstd;
	uint64_t size;
	char etag[JIC_ETAG_TEXT + 1];
	struct jic_range range;
};

static struct representation choose(const struct jic_request *r, const struct jic_digest *digest,
                                    const struct source *blob)
{
	struct representation p = {.zstd = jic_http_accepts_zstd(r->headers.accept_encoding)};
	p.size = p.zstd ? blob->stored_size : blob->size;
	jic_http_etag(digest, p.zstd, p.etag);
	if (jic_http_if_range(r->headers.if_range, jic_view_of(p.etag)))
		p.range = jic_http_range(r->headers.range, p.size);
	if (p.range.kind == JIC_RANGE_NONE)
		p.range.len = p.size;
	return p;
}

static void respond_unsatisfiable(struct jic_request *r, const struct representation *p)
{
	jic_respond_problem(r, JIC_PROBLEM_RANGE_NOT_SATISFIABLE, "the representation has %llu bytes",
	                    (unsigned long long)p->size);
	jic_respond_header(r, "Content-Range", "bytes */%llu", (unsigned long long)p->size);
}

static void respond_headers(struct jic_request *r, const struct representation *p, const char *cache_control)
{
	jic_respond_header(r, "ETag", "%s", p->etag);
	jic_respond_header(r, "Vary", "Accept-Encoding");
	jic_respond_header(r, "Cache-Control", "%s", cache_control);
}

static void content_headers(struct jic_request *r, const struct representation *p)
{
	jic_respond_header(r, "Content-Type", "application/octet-stream");
	jic_respond_header(r, "Accept-Ranges", "bytes");
	if (p->zstd)
		jic_respond_header(r, "Content-Encoding", "zstd");
	if (p->range.kind == JIC_RANGE_ONE)
		jic_respond_header(r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)p->range.first,
		                   (unsigned long long)(p->range.first + p->range.len - 1),
		                   (unsigned long long)p->size);
}

/* The stored bytes from `offset` on. Takes what they come from. */
static void send_stored(struct jic_response *response, struct source *from, uint64_t offset, uint64_t len)
{
	response->kind = from->cached ? JIC_BODY_CACHED : JIC_BODY_FILE;
	response->cached = JIC_TAKE(from->cached);
	response->fd = from->fd;
	from->fd = -1;
	response->offset = offset;
	response->len = len;
}

/* The content, decompressed on the way. Takes the descriptor. */
static bool send_content(struct jic_request *r, const struct representation *p, const struct jic_digest *digest,
                         struct source *from)
{
	struct jic_error err = {0};
	struct jic_response *response = &r->response;
	response->kind = JIC_BODY_READER;
	response->blob = *digest;
	response->len = p->range.len;
	response->reader = jic_blob_reader_new(from->fd, p->range.first, &err);
	from->fd = -1;
	if (response->reader &&
	    (p->range.len < p->size || jic_blob_reader_verify(response->reader, digest, p->size, &err)))
		return true;
	jic_respond_error(r, &err);
	return false;
}

static void respond_content(struct jic_request *r, const struct representation *p, const struct jic_digest *digest,
                            struct source *from)
{
	if (p->zstd || p->range.len == 0)
		send_stored(&r->response, from, p->range.first, p->range.len);
	else if (!send_content(r, p, digest, from))
		return;
	r->response.status = p->range.kind == JIC_RANGE_ONE ? 206 : 200;
	content_headers(r, p);
}

/* Content-Length is that of the answer that isn't sent (RFC 9110 §8.6); so the library gets all of it. */
static void respond_not_modified(struct jic_request *r, const struct representation *p, struct source *from)
{
	send_stored(&r->response, from, 0, p->size);
	r->response.status = 304;
}

static void respond(struct jic_request *r, const struct jic_digest *digest, struct source *from,
                    const char *cache_control)
{
	const struct representation p = choose(r, digest, from);
	/* The precondition comes before the range (RFC 9110 §13.2.2). */
	if (jic_http_none_match(r->headers.if_none_match, jic_view_of(p.etag))) {
		respond_headers(r, &p, cache_control);
		respond_not_modified(r, &p, from);
	} else if (p.range.kind == JIC_RANGE_UNSATISFIABLE) {
		respond_unsatisfiable(r, &p);
	} else {
		respond_headers(r, &p, cache_control);
		respond_content(r, &p, digest, from);
	}
}

static bool open_source(struct jic_request *r, const struct jic_digest *digest, struct source *out)
{
	struct jic_error err = {0};
	struct jic_store_blob blob;
	if (!jic_store_blob_open(r->service->store, digest, &blob, &err)) {
		jic_respond_error(r, &err);
		return false;
	}
	*out = (struct source){.fd = blob.fd, .size = blob.size, .stored_size = blob.stored_size};
	return true;
}

void jic_respond_blob(struct jic_request *r, const struct jic_digest *digest, const char *cache_control)
{
	JIC_CLEAR(source) struct source from = {.fd = -1};
	if (open_source(r, digest, &from))
		respond(r, digest, &from, cache_control);
}

/* ---- the cache: blob_cache.h says what it may answer */

/* All that decides what a caller sees, but for the index. Each part with its length: two callers never look the same.
 */
static bool viewer_digest(const struct jic_identity *id, struct jic_digest *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf all = {0};
	jic_buf_u32le(&all, (uint32_t)id->kind);
	jic_buf_u32le(&all, id->scopes);
	jic_buf_u64le(&all, id->name.len);
	jic_buf_putv(&all, id->name);
	jic_buf_putv(&all, id->lanes);
	jic_sha256_of(jic_buf_view(&all), out);
	return jic_buf_ok(&all, NULL);
}

void jic_handle_blob_begin(struct jic_request *r)
{
	struct jic_index *index = jic_store_index(r->service->store);
	const struct jic_digest digest = jic_request_digest(r, 0);
	/* Only the stored bytes are kept. The version is read first: whatever changes from here on makes this void. */
	if (!jic_http_accepts_zstd(r->headers.accept_encoding) ||
	    !index->ops->version(index, &r->cache_key.version, NULL) ||
	    !viewer_digest(&r->caller.id, &r->cache_key.viewer))
		return;
	r->cacheable = true;
	r->cache_key.blob = digest;
	JIC_CLEAR(source) struct source from = {.fd = -1};
	from.cached = jic_blob_cache_get(r->service->blob_cache, &r->cache_key);
	if (!from.cached)
		return;
	from.size = jic_cached_blob_size(from.cached);
	from.stored_size = jic_cached_blob_stored_size(from.cached);
	respond(r, &digest, &from, IMMUTABLE);
}

static void respond_visible(struct jic_request *r, const struct jic_digest *digest)
{
	JIC_CLEAR(source) struct source from = {.fd = -1};
	if (!open_source(r, digest, &from))
		return;
	if (r->cacheable)
		from.cached =
		    jic_blob_cache_put(r->service->blob_cache, &r->cache_key, from.fd, from.size, from.stored_size);
	respond(r, digest, &from, IMMUTABLE);
}

void jic_handle_blob(struct jic_request *r)
{
	const struct jic_digest digest = jic_request_digest(r, 0);
	bool there;
	if (!jic_request_blob_there(r, &digest, &there))
		return;
	if (there)
		respond_visible(r, &digest);
	else
		jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "there is no such blob");
}
