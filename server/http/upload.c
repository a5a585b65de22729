/* PUT /v1/blobs/{digest}: pieces go to the store as they come; nothing is collected here. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

#include <zstd.h>

static bool encoding_known(struct jic_view encoding, bool *is_zstd)
{
	*is_zstd = jic_view_is(encoding, "zstd");
	return *is_zstd || encoding.len == 0 || jic_view_is(encoding, "identity");
}

void jic_handle_upload_begin(struct jic_request *r)
{
	struct jic_error err = {0};
	bool is_zstd;
	const uint64_t content_max = r->service->blob_bytes_max;
	if (!encoding_known(r->headers.content_encoding, &is_zstd)) {
		jic_respond_problem(r, JIC_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Encoding must be zstd or identity");
		return;
	}
	/* What can't be compressed grows a little. */
	uint64_t bytes_max = is_zstd ? ZSTD_compressBound(content_max) : content_max;
	if (jic_request_content_length(r, 0) > bytes_max) {
		jic_respond_problem(r, JIC_PROBLEM_TOO_LARGE, "a blob may have %llu bytes",
		                    (unsigned long long)content_max);
		return;
	}
	const struct jic_digest digest = jic_request_digest(r, 0);
	r->upload = jic_store_upload_new(r->service->store, &digest, is_zstd, r->caller.id.name, &err);
	if (!r->upload)
		jic_respond_error(r, &err);
}

static void respond_upload_error(struct jic_request *r, const struct jic_error *err)
{
	jic_store_upload_free(JIC_TAKE(r->upload));
	if (err->code == JIC_EFORMAT)
		jic_respond_problem(r, JIC_PROBLEM_UNPROCESSABLE, "%s", err->text);
	else if (err->code == JIC_ECORRUPT)
		jic_respond_problem(r, JIC_PROBLEM_DIGEST_MISMATCH, "%s", err->text);
	else
		jic_respond_error(r, err);
}

/* Counted as they come: a length that was announced says nothing. @return true when the caller was told to wait */
static bool is_limited(struct jic_request *r, uint64_t bytes)
{
	enum { US_PER_MS = 1000 };
	const struct jic_rate_caller caller = {.name = r->caller.id.name, .peer = jic_view_of(r->peer)};
	const unsigned wait_s =
	    r->service->rate ? jic_rate_upload(r->service->rate, &caller, bytes, r->started_us / US_PER_MS) : 0;
	if (wait_s)
		jic_respond_rate_limited(r, wait_s, "bytes of uploads in a day");
	return wait_s > 0;
}

void jic_handle_upload_piece(struct jic_request *r, struct jic_view bytes)
{
	struct jic_error err = {0};
	if (is_limited(r, bytes.len))
		jic_store_upload_free(JIC_TAKE(r->upload));
	else if (!jic_store_upload_put(r->upload, bytes, &err))
		respond_upload_error(r, &err);
}

/* "It was there" is said only to those for whom it was: the bytes of others are nobody's business. */
void jic_handle_upload(struct jic_request *r)
{
	const struct jic_digest digest = jic_request_digest(r, 0);
	struct jic_error err = {0};
	bool there, created;
	if (!jic_request_blob_there(r, &digest, &there))
		return;
	if (!jic_store_upload_finish(r->upload, &created, &err)) {
		respond_upload_error(r, &err);
		return;
	}
	jic_store_upload_free(JIC_TAKE(r->upload));
	jic_respond_empty(r, there && !created ? 204 : 201);
}
