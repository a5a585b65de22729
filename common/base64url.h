/**
 * base64url without padding (RFC 4648 §5, RFC 7515 §2), strictly: one text for each sequence of bytes.
 */
#ifndef JIC_COMMON_BASE64URL_H
#define JIC_COMMON_BASE64URL_H

#include "common/arena.h"
#include "common/buf.h"

/** @param[out] out in the arena, NUL-terminated
 *  @return false: another character, padding, an impossible length, bits that no encoder sets, or out of memory */
jic_must_check bool jic_base64url_decode(struct jic_view text, struct jic_arena *arena, struct jic_view *out);

/** Appended. */
void jic_base64url_encode(struct jic_view bytes, struct jic_buf *out);

#endif
