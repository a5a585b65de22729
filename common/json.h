/**
 * JSON (RFC 8259) as the protocol uses it: strict typed reading over Jansson, compact writing into a buffer.
 *
 * Reading goes through places: a place knows the value and how one gets there, so that every error names the field as a
 * path ("artefacts[3].ji: must be 64 lower-case hex digits"). The first failure is kept in the document's error; every
 * reader returns false after it, so calls chain with &&. Texts are copied into the document's arena.
 * Size, depth and number of values are limited before anything is allocated for them. One thread at a time.
 */
#ifndef JIC_COMMON_JSON_H
#define JIC_COMMON_JSON_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/digest.h"
#include "common/ji.h"
#include "common/uuid.h"

#include <jicache/error.h>

enum {
	JIC_JSON_DEPTH_MAX = 16,        /**< the protocol needs 6 */
	JIC_JSON_VALUES_MAX = 1 << 20,  /**< in one document: about 64 MiB as a tree */
	JIC_JSON_TEXT_BYTES_MAX = 4096, /**< a string, where the reader gives no limit of its own */
};

/* ---- reading */

struct json_t; /* Jansson's value */

struct jic_json_doc {
	struct json_t *root;
	struct jic_arena *arena; /**< borrowed: owns what is read */
	struct jic_error *err;   /**< borrowed, may be NULL */
};

/** One value in a document and the way to it. Lives on the stack; must not outlive the place above it. */
struct jic_json {
	const struct jic_json_doc *doc;
	const struct jic_json *up; /**< NULL: the root */
	const char *field;         /**< its name in an object; NULL: an element of a list */
	size_t index;              /**< its position in a list */
	struct json_t *value;      /**< NULL: an optional field that is absent */
};

/** @return false with JIC_EFORMAT (text names line and column), JIC_ELIMIT or JIC_EMEMORY in err */
jic_must_check bool jic_json_parse(struct jic_view text, size_t bytes_max, struct jic_arena *arena,
                                   struct jic_json_doc *out, struct jic_error *err);
void jic_json_doc_clear(struct jic_json_doc *d);
static inline struct jic_json jic_json_root(const struct jic_json_doc *d)
{
	return (struct jic_json){.doc = d, .value = d->root};
}

/** Set the document's error to "path: what". @return false */
bool jic_json_fail(const struct jic_json *at, enum jic_code code, const char *what);

/** Enter an object's field. Required: absent or of another kind fails. */
jic_must_check bool jic_json_object(const struct jic_json *at, const char *field, struct jic_json *out);
jic_must_check bool jic_json_list(const struct jic_json *at, const char *field, size_t count_max, struct jic_json *out);
/** As jic_json_list(); absent or null is an empty list. */
jic_must_check bool jic_json_list_optional(const struct jic_json *at, const char *field, size_t count_max,
                                           struct jic_json *out);
/** As jic_json_object(); absent or null gives a place whose value is NULL. */
jic_must_check bool jic_json_object_optional(const struct jic_json *at, const char *field, struct jic_json *out);
size_t jic_json_count(const struct jic_json *list);
/** Element i of a list, of any type. */
struct jic_json jic_json_element(const struct jic_json *list, size_t i);

/** The value at a place, typed. */
jic_must_check bool jic_json_text(const struct jic_json *at, size_t bytes_max, struct jic_view *out);
jic_must_check bool jic_json_digest(const struct jic_json *at, struct jic_digest *out);
jic_must_check bool jic_json_build_id(const struct jic_json *at, struct jic_build_id *out);
jic_must_check bool jic_json_u64(const struct jic_json *at, uint64_t max, uint64_t *out);

/** Required fields of an object. */
jic_must_check bool jic_json_get_text(const struct jic_json *at, const char *field, size_t bytes_max,
                                      struct jic_view *out);
jic_must_check bool jic_json_get_digest(const struct jic_json *at, const char *field, struct jic_digest *out);
jic_must_check bool jic_json_get_uuid(const struct jic_json *at, const char *field, struct jic_uuid *out);
jic_must_check bool jic_json_get_build_id(const struct jic_json *at, const char *field, struct jic_build_id *out);
jic_must_check bool jic_json_get_u64(const struct jic_json *at, const char *field, uint64_t max, uint64_t *out);
jic_must_check bool jic_json_get_bool(const struct jic_json *at, const char *field, bool *out);
/** A list of digests, in the arena. */
jic_must_check bool jic_json_get_digests(const struct jic_json *at, const char *field, size_t count_max,
                                         const struct jic_digest **out, size_t *count);

/** Optional fields: absent or null gives "", nil, 0 or `has` false; another type still fails. */
jic_must_check bool jic_json_opt_text(const struct jic_json *at, const char *field, size_t bytes_max,
                                      struct jic_view *out);
jic_must_check bool jic_json_opt_uuid(const struct jic_json *at, const char *field, struct jic_uuid *out);
jic_must_check bool jic_json_opt_u64(const struct jic_json *at, const char *field, uint64_t max, uint64_t *out);
jic_must_check bool jic_json_opt_bool(const struct jic_json *at, const char *field, bool *out); /**< absent: false */
jic_must_check bool jic_json_opt_digest(const struct jic_json *at, const char *field, bool *has,
                                        struct jic_digest *out);

/* ---- writing */

/**
 * Writes compact JSON; commas are its business. A name of NULL is an element of a list or the root. What JSON or our
 * reader can't carry (bytes that are not UTF-8, NUL, a number over 2^63−1) is remembered and reported by the finish.
 */
struct jic_json_writer {
	struct jic_buf *out; /**< borrowed, appended to */
	bool comma;          /**< the next value in this object or list needs one before it */
	bool lossy;          /**< set by the caller: write U+FFFD for what is not UTF-8 instead of failing */
	const char *bad;     /**< first field that could not be written */
};

void jic_json_open(struct jic_json_writer *w, const char *name, char bracket); /**< '{' or '[' */
void jic_json_close(struct jic_json_writer *w, char bracket);                  /**< '}' or ']' */
void jic_json_put_text(struct jic_json_writer *w, const char *name, struct jic_view text);
void jic_json_put_u64(struct jic_json_writer *w, const char *name, uint64_t v);
/** The shortest of %.15g to %.17g that reads back as `v`; null when it is not finite. */
void jic_json_put_f64(struct jic_json_writer *w, const char *name, double v);
void jic_json_put_null(struct jic_json_writer *w, const char *name);
void jic_json_put_bool(struct jic_json_writer *w, const char *name, bool v);
void jic_json_put_digest(struct jic_json_writer *w, const char *name, const struct jic_digest *d);
void jic_json_put_digests(struct jic_json_writer *w, const char *name, const struct jic_digest *d, size_t count);
void jic_json_put_texts(struct jic_json_writer *w, const char *name, const struct jic_view *texts, size_t count);
void jic_json_put_uuid(struct jic_json_writer *w, const char *name, struct jic_uuid u);
void jic_json_put_build_id(struct jic_json_writer *w, const char *name, struct jic_build_id id);
/** @return false with JIC_EFORMAT (a field that can't be written) or JIC_EMEMORY */
jic_must_check bool jic_json_finish(const struct jic_json_writer *w, struct jic_error *err);

#endif
