/**
 * The elements of our canonical encodings: of addresses (schema/address.md) and of what is signed
 * (schema/signature.md).
 *
 *     string(s) = u32 little-endian length ‖ bytes
 *     list(xs)  = u32 little-endian count ‖ distinct elements as strings, sorted bytewise
 *
 * What doesn't fit into memory is remembered by the buffer; limits keep a hostile description from costing any.
 */
#ifndef JIC_COMMON_CANONICAL_H
#define JIC_COMMON_CANONICAL_H

#include "common/buf.h"
#include "common/uuid.h"

enum {
	JIC_CANONICAL_STRING_BYTES_MAX = 1 << 20, /**< far above anything real */
	JIC_CANONICAL_LIST_MAX = 1 << 16,
};

/** Append a string. @param field names it in the error: JIC_ELIMIT */
jic_must_check bool jic_canonical_string(struct jic_buf *b, const char *field, struct jic_view v,
                                         struct jic_error *err);
/** Append a list; sorts `texts`. A set: what is named twice counts once, or one thing would have two encodings. */
jic_must_check bool jic_canonical_list(struct jic_buf *b, const char *field, struct jic_view *texts, size_t count,
                                       struct jic_error *err);
/** JIC_ELIMIT when a list is too long, for callers that allocate before they append. */
jic_must_check bool jic_canonical_count(const char *field, size_t count, struct jic_error *err);
/** A UUID's text, "" for nil. */
struct jic_view jic_canonical_uuid(struct jic_uuid u, char text[JIC_UUID_TEXT + 1]);

#endif
