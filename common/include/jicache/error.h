/**
 * One error type for the whole product, part of the public API.
 *
 * A function that can fail takes a `struct jic_error *err` last and returns false (or NULL). The place where a failure
 * begins sets code and text with jic_fail(); a level that knows more prefixes it with jic_wrap(), so that the text
 * reads "outer: inner"; only the top prints. The struct lives in the caller's frame: no allocation, no thread-local
 * state, it works when memory is exhausted. `err` may be NULL wherever a caller does not care why.
 */
#ifndef JICACHE_ERROR_H
#define JICACHE_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a caller can decide on. Each is a decision, not a description; the description is in the text. */
enum jic_code {
	JIC_OK = 0,
	JIC_ENOTFOUND,    /**< it is not there */
	JIC_EFORMAT,      /**< foreign bytes do not have the form they claim to have */
	JIC_ECORRUPT,     /**< well formed, but a checksum or digest disagrees */
	JIC_ELIMIT,       /**< larger or deeper than we accept */
	JIC_EDENIED,      /**< permission, token or lane refuses */
	JIC_EUSAGE,       /**< the caller asked for something that makes no sense */
	JIC_EIO,          /**< the operating system said no */
	JIC_ENOSPACE,     /**< disk or quota is full */
	JIC_ENETWORK,     /**< the peer could not be reached, or stopped answering */
	JIC_EPROTOCOL,    /**< the peer answered, but not what the protocol says */
	JIC_ECONFLICT,    /**< somebody else was first */
	JIC_EMEMORY,      /**< out of memory */
	JIC_EUNSUPPORTED, /**< a version or feature that we do not speak */
	JIC_EBUSY,        /**< try again later */
};

enum { JIC_ERROR_TEXT_BYTES = 480 };

struct jic_error {
	enum jic_code code;
	int sys;                         /**< errno where the system said no, else 0 */
	char text[JIC_ERROR_TEXT_BYTES]; /**< one line, NUL-terminated, no trailing full stop */
};

/** Set `err` (may be NULL). @return false always, so that `return jic_fail(...)` reads well */
bool jic_fail(struct jic_error *err, enum jic_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** As jic_fail(), and append strerror(errno). ENOSPC and EDQUOT become JIC_ENOSPACE, EACCES, EPERM and EROFS
 *  JIC_EDENIED, ENOENT JIC_ENOTFOUND, ENOMEM JIC_EMEMORY, whatever `code` says. @return false */
bool jic_fail_errno(struct jic_error *err, enum jic_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Prefix the text of `err` with "formatted: ". @return false */
bool jic_wrap(struct jic_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** @return a stable lower-case name such as "not-found", static storage */
const char *jic_code_name(enum jic_code code);

#ifdef __cplusplus
}
#endif

#endif
