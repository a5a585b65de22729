/*
 * GET /v1/blobs/{digest}: a blob has two representations. Who accepts zstd gets the stored bytes as they are, by
 * sendfile; who doesn't gets the content, decompressed while it is sent. Each has its own length, tag and ranges.
 */
#include "server/http/handlers.h"
#include "server/http/header.h"
#include "server/http/problem.h"

#define IMMUTABLE "private, max-age=31536000, immutable"

struct representation {
	bool zstd;
	uint64_t size;
	char etag[JIC_ETAG_TEXT + 1];
	struct jic_range range;
};

static struct representation choose(const struct jic_request *r, const struct jic_digest *digest,
                                    const struct jic_store_blob *blob)
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

/* Takes the descriptor. */
static void respond_content(struct jic_request *r, const struct representation *p, const struct jic_digest *digest,
                            int fd)
{
	struct jic_error err = {0};
	struct jic_response *response = &r->response;
	if (p->zstd || p->range.len == 0) {
		response->kind = JIC_BODY_FILE;
		response->fd = fd;
		response->offset = p->range.first;
	} else {
		response->kind = JIC_BODY_READER;
		response->blob = *digest;
		response->reader = jic_blob_reader_new(fd, p->range.first, &err);
		if (!response->reader ||
		    (p->range.len == p->size && !jic_blob_reader_verify(response->reader, digest, p->size, &err))) {
			jic_respond_error(r, &err);
			return;
		}
	}
	response->len = p->range.len;
	response->status = p->range.kind == JIC_RANGE_ONE ? 206 : 200;
	content_headers(r, p);
}

/* Content-Length is that of the answer that isn't sent (RFC 9110 §8.6); so the library gets all of it. Takes the
 * descriptor. */
static void respond_not_modified(struct jic_request *r, const struct representation *p, int fd)
{
	r->response.kind = JIC_BODY_FILE;
	r->response.fd = fd;
	r->response.len = p->size;
	r->response.status = 304;
}

void jic_respond_blob(struct jic_request *r, const struct jic_digest *digest, const char *cache_control)
{
	struct jic_error err = {0};
	struct jic_store_blob blob;
	if (!jic_store_blob_open(r->service->store, digest, &blob, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_autoclose int fd = blob.fd;
	const struct representation p = choose(r, digest, &blob);
	/* The precondition comes before the range (RFC 9110 §13.2.2). */
	if (jic_http_none_match(r->headers.if_none_match, jic_view_of(p.etag))) {
		respond_headers(r, &p, cache_control);
		respond_not_modified(r, &p, fd);
		fd = -1;
		return;
	}
	if (p.range.kind == JIC_RANGE_UNSATISFIABLE) {
		respond_unsatisfiable(r, &p);
		return;
	}
	respond_headers(r, &p, cache_control);
	respond_content(r, &p, digest, fd);
	fd = -1;
}

void jic_handle_blob(struct jic_request *r)
{
	const struct jic_digest digest = jic_request_digest(r, 0);
	bool there;
	if (!jic_request_blob_there(r, &digest, &there))
		return;
	if (there)
		jic_respond_blob(r, &digest, IMMUTABLE);
	else
		jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "there is no such blob");
}
