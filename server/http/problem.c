/* One table from codes to statuses, one from our errors to codes. */
#include "server/http/problem.h"

#include <stdarg.h>

static const struct {
	unsigned status;
	const char *code;
} problems[] = {
#define JIC_PROBLEM_ROW(name, status, code) {status, code},
    JIC_PROBLEMS(JIC_PROBLEM_ROW)
#undef JIC_PROBLEM_ROW
};

static void extra_headers(struct jic_request *r, enum jic_problem problem)
{
	jic_respond_header(r, "Cache-Control", "no-store");
	if (problem == JIC_PROBLEM_UNAUTHENTICATED)
		jic_respond_header(r, "WWW-Authenticate", "Bearer realm=\"jicache\"");
	if (problem == JIC_PROBLEM_OVERLOADED)
		jic_respond_header(r, "Retry-After", "2");
	if (problem == JIC_PROBLEM_UNSUPPORTED_MEDIA_TYPE)
		jic_respond_header(r, "Accept-Encoding", "zstd");
}

void jic_respond_problem_keys(struct jic_request *r, enum jic_problem problem, const struct jic_digest *keys,
                              size_t count, struct jic_view detail)
{
	const struct jic_msg_problem message = {.status = problems[problem].status,
	                                        .code = jic_view_of(problems[problem].code),
	                                        .detail = detail,
	                                        .request_id = jic_view_of(r->id),
	                                        .keys = keys,
	                                        .keys_count = count};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	/* Out of memory leaves an empty body: the status says the rest. */
	if (!jic_msg_problem_write(&message, &json, NULL))
		jic_buf_clear(&json);
	r->response.headers_count = 0;
	jic_respond_json(r, problems[problem].status, &json);
	extra_headers(r, problem);
}

void jic_respond_problem(struct jic_request *r, enum jic_problem problem, const char *format, ...)
{
	char text[JIC_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	JIC_ASSERT(len >= 0);
	jic_respond_problem_keys(r, problem, NULL, 0, jic_view_of(text));
}

void jic_respond_rate_limited(struct jic_request *r, unsigned wait_s, const char *what)
{
	jic_respond_problem(r, JIC_PROBLEM_RATE_LIMITED, "too many %s: wait %u s", what, wait_s);
	jic_respond_header(r, "Retry-After", "%u", wait_s);
}

enum jic_problem jic_problem_of(enum jic_code code)
{
	switch (code) {
	case JIC_ENOTFOUND:
		return JIC_PROBLEM_NOT_FOUND;
	case JIC_EFORMAT:
	case JIC_EUSAGE:
	case JIC_EPROTOCOL:
		return JIC_PROBLEM_BAD_REQUEST;
	case JIC_ELIMIT:
		return JIC_PROBLEM_TOO_LARGE;
	case JIC_EDENIED:
		return JIC_PROBLEM_FORBIDDEN;
	case JIC_ENOSPACE:
		return JIC_PROBLEM_NO_SPACE;
	case JIC_ECONFLICT:
		return JIC_PROBLEM_CONFLICT;
	case JIC_EBUSY:
	case JIC_EMEMORY:
		return JIC_PROBLEM_OVERLOADED;
	case JIC_EUNSUPPORTED:
		return JIC_PROBLEM_UNPROCESSABLE;
	case JIC_OK:
	case JIC_ECORRUPT: /* what is stored makes no sense; of what was sent, the upload says it */
	case JIC_EIO:
	case JIC_ENETWORK:
		break;
	}
	return JIC_PROBLEM_INTERNAL;
}

void jic_respond_error(struct jic_request *r, const struct jic_error *err)
{
	/* A file that we may not open is our trouble, not the caller's. */
	bool ours = err->sys && err->code == JIC_EDENIED;
	enum jic_problem problem = ours ? JIC_PROBLEM_INTERNAL : jic_problem_of(err->code);
	if (err->sys && err->code == JIC_ENOTFOUND) {
		jic_respond_problem(r, problem, "it is not stored here");
		return;
	}
	if (problems[problem].status < 500) {
		jic_respond_problem(r, problem, "%s", err->text);
		return;
	}
	jic_log_error(r->service->log, "http.error", JIC_STR("request_id", r->id),
	              JIC_STR("code", jic_code_name(err->code)), JIC_STR("error", err->text));
	jic_respond_problem(r, problem, "%s",
	                    problem == JIC_PROBLEM_NO_SPACE     ? "the server's disk is full"
	                    : problem == JIC_PROBLEM_OVERLOADED ? "the server is busy, try again"
	                                                        : "the server failed; its log has the request id");
}
