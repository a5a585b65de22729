/**
 * Julia's hash() on 64-bit, as far as names and preferences depend on it: 1.7 to 1.12 (base/hashing.jl, base/uuid.jl,
 * src/support/MurmurHash3.c). Two values that are isequal() in Julia hash alike, so 3.0 hashes as 3.
 */
#ifndef JIC_CLIENT_JULIA_HASH_H
#define JIC_CLIENT_JULIA_HASH_H

#include "common/toml.h"
#include "common/uuid.h"
#include "common/view.h"

/** hash(x::Int64, h); of an unsigned number its bits, of a Bool 0 or 1. */
uint64_t jic_julia_hash_int(uint64_t x, uint64_t h);
uint64_t jic_julia_hash_float(double x, uint64_t h);
uint64_t jic_julia_hash_string(struct jic_view s, uint64_t h);

/**
 * hash(value, h) of a TOML value as Julia's parser gives it.
 * @return false: a value whose hash we can't compute (a date or time, an array of 8192 elements or more)
 */
jic_must_check bool jic_julia_hash_value(const struct jic_toml *value, uint64_t h, uint64_t *out);

/** Base.uuid5: the UUID of an extension (namespace: its parent) and of a project file that has none. */
struct jic_uuid jic_julia_uuid5(struct jic_uuid space, struct jic_view key);

#endif
