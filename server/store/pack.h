/**
 * Lists inside of one column, packed: an artefact's inputs, a system image's modules, module numbers. Little-endian,
 * u32 counts and lengths before what they count. Only the store reads what it wrote, but it reads as if it were
 * foreign.
 *
 *     inputs   u32 count, each: u8 type, u32 length ‖ path, 32 bytes of SHA-256
 *     modules  u32 count, each: u64 uuid.hi, uuid.lo, build_id.hi, build_id.lo, u32 length ‖ name; sorted, no
 * duplicates
 *     numbers  u32 each, no count
 *     texts    u32 count, each: u32 length ‖ text
 *     wants    u32 count, each: 32 bytes of key, u64 uuid.hi, uuid.lo, u8 optional, u32 length ‖ name, u32 length ‖
 * version, u32 count ‖ u32 positions of dependencies
 */
#ifndef JIC_SERVER_STORE_PACK_H
#define JIC_SERVER_STORE_PACK_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/ji.h"
#include "common/message.h"

/** Sticky failure in `out`: jic_buf_ok(). */
void jic_pack_inputs(const struct jic_msg_input *inputs, size_t count, struct jic_buf *out);
/** Paths are copied into the arena. JIC_ECORRUPT, JIC_EMEMORY */
jic_must_check bool jic_unpack_inputs(struct jic_view packed, struct jic_arena *arena, const struct jic_msg_input **out,
                                      size_t *count, struct jic_error *err);

/** Equal sets of modules, in whatever order and however often, give equal bytes. */
jic_must_check bool jic_pack_modules(const struct jic_ji_module *modules, size_t count, struct jic_buf *out,
                                     struct jic_error *err);
/** Names are copied into the arena. JIC_ECORRUPT, JIC_EMEMORY */
jic_must_check bool jic_unpack_modules(struct jic_view packed, struct jic_arena *arena,
                                       const struct jic_ji_module **out, size_t *count, struct jic_error *err);

void jic_pack_numbers(const uint32_t *numbers, size_t count, struct jic_buf *out);
jic_must_check bool jic_unpack_numbers(struct jic_view packed, struct jic_arena *arena, const uint32_t **out,
                                       size_t *count, struct jic_error *err);

void jic_pack_texts(const struct jic_view *texts, size_t count, struct jic_buf *out);
jic_must_check bool jic_unpack_texts(struct jic_view packed, struct jic_arena *arena, const struct jic_view **out,
                                     size_t *count, struct jic_error *err);

/** What a resolve asked for: `count` keys, and what each of them is; `wants` NULL: nobody said. */
void jic_pack_wants(const struct jic_digest *keys, const struct jic_msg_want *wants, size_t count, struct jic_buf *out);
/** JIC_ECORRUPT, JIC_EMEMORY. Positions are checked. */
jic_must_check bool jic_unpack_wants(struct jic_view packed, struct jic_arena *arena, const struct jic_digest **keys,
                                     const struct jic_msg_want **wants, size_t *count, struct jic_error *err);

#endif
