/**
 * Values of HTTP header fields, as far as this server reads them (RFC 9110). Pure functions over text; what is
 * malformed is treated as RFC 9110 says: a Range that can't be read is ignored, an encoding that can't be read is not
 * accepted.
 */
#ifndef JIC_SERVER_HTTP_HEADER_H
#define JIC_SERVER_HTTP_HEADER_H

#include "common/digest.h"

/** Accept-Encoding names zstd with a weight over 0. "*" is not enough: who sends it may not know zstd. */
bool jic_http_accepts_zstd(struct jic_view accept_encoding);

enum jic_range_kind {
	JIC_RANGE_NONE, /**< absent, malformed, another unit, or several ranges: answer with the whole (§14.2) */
	JIC_RANGE_ONE,  /**< answer 206 */
	JIC_RANGE_UNSATISFIABLE, /**< answer 416 */
};
struct jic_range {
	enum jic_range_kind kind;
	uint64_t first; /**< offset of the first byte */
	uint64_t len;   /**< in bytes, at least 1 */
};
/** "bytes=a-b", "bytes=a-" or "bytes=-n". @param size of the representation */
struct jic_range jic_http_range(struct jic_view range, uint64_t size);

enum { JIC_ETAG_TEXT = 1 + JIC_DIGEST_HEX + 4 + 1 };
/** A strong tag for one representation of a blob: the digest in quotes, with "-zst" for the compressed bytes. */
void jic_http_etag(const struct jic_digest *digest, bool zstd, char tag[JIC_ETAG_TEXT + 1]);
/** If-None-Match names this tag, weak or strong, or is "*" (§13.1.2: weak comparison). */
bool jic_http_none_match(struct jic_view if_none_match, struct jic_view etag);
/** If-Range lets a range be answered: absent, or exactly this tag (§13.1.5: strong comparison; a date never matches).
 */
bool jic_http_if_range(struct jic_view if_range, struct jic_view etag);

/** Content-Type is this media type; parameters and case don't matter. */
bool jic_http_media_type_is(struct jic_view content_type, const char *type);

/** One level of percent-decoding into `out` (room for text.len). @return false: malformed, or a NUL, slash, backslash
 * or control character was hidden in it; @param[out] len bytes written */
jic_must_check bool jic_http_percent_decode(struct jic_view text, char *out, size_t *len);
/** The same of a value in a query, which has no segments: slashes and backslashes are like other characters. */
jic_must_check bool jic_http_query_decode(struct jic_view text, char *out, size_t *len);

#endif
