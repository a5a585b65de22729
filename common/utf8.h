/**
 * UTF-8 (RFC 3629, The Unicode Standard table 3-7): no surrogates, no overlong forms, nothing above U+10FFFF.
 */
#ifndef JIC_COMMON_UTF8_H
#define JIC_COMMON_UTF8_H

#include "common/view.h"

/** Length of the well-formed sequence that `text` begins with, 1 to 4; 0 when there is none. */
size_t jic_utf8_next(struct jic_view text);
/** How many bytes from the beginning are well formed; text.len when all are. */
size_t jic_utf8_valid_len(struct jic_view text);
/** Write one code point. @return bytes written, 1 to 4; 0 when `code` is a surrogate or too large */
size_t jic_utf8_encode(uint32_t code, char out[4]);

#endif
