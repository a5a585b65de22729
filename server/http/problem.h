/**
 * Problems (RFC 9457): the one table of codes and HTTP statuses, and the ways to answer with one. What was set of an
 * answer before is dropped.
 */
#ifndef JIC_SERVER_HTTP_PROBLEM_H
#define JIC_SERVER_HTTP_PROBLEM_H

#include "server/http/request.h"

/** name, status, code on the wire. Codes never change meaning: common/message.h, docs/protocol.md. */
#define JIC_PROBLEMS(X)                                                                                                \
	X(BAD_REQUEST, 400, "bad-request")                                                                             \
	X(UNAUTHENTICATED, 401, "unauthenticated")                                                                     \
	X(FORBIDDEN, 403, "forbidden")                                                                                 \
	X(NOT_FOUND, 404, "not-found")                                                                                 \
	X(UNSUPPORTED_VERSION, 404, "unsupported-version")                                                             \
	X(METHOD_NOT_ALLOWED, 405, "method-not-allowed")                                                               \
	X(CONFLICT, 409, "conflict")                                                                                   \
	X(SUPERSEDED, 409, "superseded")                                                                               \
	X(TOO_LARGE, 413, "too-large")                                                                                 \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type")                                                       \
	X(RANGE_NOT_SATISFIABLE, 416, "range-not-satisfiable")                                                         \
	X(UNPROCESSABLE, 422, "unprocessable")                                                                         \
	X(DIGEST_MISMATCH, 422, "digest-mismatch")                                                                     \
	X(INCOHERENT, 422, "incoherent")                                                                               \
	X(BAD_ARTEFACT, 422, "bad-artefact")                                                                           \
	X(BAD_SIGNATURE, 422, "bad-signature")                                                                         \
	X(RECALLED, 422, "recalled")                                                                                   \
	X(RATE_LIMITED, 429, "rate-limited")                                                                           \
	X(INTERNAL, 500, "internal")                                                                                   \
	X(OVERLOADED, 503, "overloaded")                                                                               \
	X(NO_SPACE, 507, "no-space")

enum jic_problem {
#define JIC_PROBLEM_ENUM(name, status, code) JIC_PROBLEM_##name,
	JIC_PROBLEMS(JIC_PROBLEM_ENUM)
#undef JIC_PROBLEM_ENUM
};

/** Answer with a problem. `format` is one sentence that says what to do. */
void jic_respond_problem(struct jic_request *r, enum jic_problem problem, const char *format, ...) jic_printf(3, 4);
/** The same, naming artefacts. */
void jic_respond_problem_keys(struct jic_request *r, enum jic_problem problem, const struct jic_digest *keys,
                              size_t count, struct jic_view detail);
/** 429, with Retry-After. @param what the caller has too much of: "requests in a minute" */
void jic_respond_rate_limited(struct jic_request *r, unsigned wait_s, const char *what);
/** Answer for an error of the store or of reading a message. What the operating system said goes into the log only. */
void jic_respond_error(struct jic_request *r, const struct jic_error *err);

/** Which problem an error's code is, where no handler knows better. */
enum jic_problem jic_problem_of(enum jic_code code);

#endif
