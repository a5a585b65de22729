/* Life of a request, and the few ways to answer it. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

#include "common/options.h"

#include <stdarg.h>
#include <unistd.h>

struct jic_request *jic_request_new(const struct jic_http_service *service)
{
	struct jic_request *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->service = service;
	r->response.fd = -1;
	return r;
}

static void response_clear(struct jic_response *response)
{
	jic_buf_clear(&response->text);
	jic_autoclose_(&response->fd);
	jic_blob_reader_free(response->reader);
	jic_cached_blob_unref(response->cached);
	*response = (struct jic_response){.fd = -1};
}

void jic_request_free(struct jic_request *r)
{
	if (!r)
		return;
	jic_store_upload_free(r->upload);
	response_clear(&r->response);
	jic_buf_clear(&r->body);
	jic_arena_clear(&r->arena);
	free(r);
}

struct jic_view jic_request_lane(const struct jic_request *r)
{
	return r->lane.len ? r->lane : JIC_VIEW(JIC_LANE_MAIN);
}

uint64_t jic_request_content_length(const struct jic_request *r, uint64_t fallback)
{
	uint64_t len;
	return jic_parse_u64(r->headers.content_length, UINT64_MAX, &len) ? len : fallback;
}

bool jic_request_keys_allowed(struct jic_request *r, size_t count)
{
	if (count <= r->service->keys_max)
		return true;
	jic_respond_problem(r, JIC_PROBLEM_TOO_LARGE, "at most %zu keys in one request", r->service->keys_max);
	return false;
}

void jic_respond_header(struct jic_request *r, const char *name, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	JIC_ASSERT(len >= 0 && (size_t)len < sizeof text);
	JIC_ASSERT(r->response.headers_count < JIC_RESPONSE_HEADERS_MAX);
	struct jic_view copy = jic_arena_copy(&r->arena, jic_view_bytes(text, (size_t)len));
	r->response.headers[r->response.headers_count++] =
	    (struct jic_response_header){.name = name, .value = copy.ptr};
}

void jic_respond_text(struct jic_request *r, unsigned status, const char *content_type, struct jic_buf *text)
{
	r->response.status = status;
	r->response.kind = JIC_BODY_TEXT;
	jic_buf_clear(&r->response.text);
	r->response.text = *text;
	*text = (struct jic_buf){0};
	jic_respond_header(r, "Content-Type", "%s", content_type);
}

void jic_respond_json(struct jic_request *r, unsigned status, struct jic_buf *json)
{
	jic_respond_text(r, status, status >= 400 ? "application/problem+json" : "application/json", json);
}

void jic_respond_empty(struct jic_request *r, unsigned status)
{
	r->response.status = status;
	r->response.kind = JIC_BODY_TEXT;
}
