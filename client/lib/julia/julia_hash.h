/**
 * Julia's hash() on 64-bit, as far as names and preferences depend on it: 1.6 to 1.12 (base/hashing.jl, base/uuid.jl,
 * src/support/MurmurHash3.c). Two values that are isequal() in Julia hash alike, so 3.0 hashes as 3.
 */
#ifndef JIC_CLIENT_JULIA_HASH_H
#define JIC_CLIENT_JULIA_HASH_H

#include "common/toml.h"
#include "common/uuid.h"
#include "common/view.h"

/** hash(x::Int64, h) since 1.7; of an unsigned number its bits, of a Bool 0 or 1. */
uint64_t jic_julia_hash_int(uint64_t x, uint64_t h);
uint64_t jic_julia_hash_float(double x, uint64_t h);
uint64_t jic_julia_hash_string(struct jic_view s, uint64_t h);

/** The numbers of older Julias. @return false: of this float it can't be told */
uint64_t jic_julia_hash_old_int(int64_t x, uint64_t h);
uint64_t jic_julia_hash_old_uint(uint64_t x, uint64_t h);
jic_must_check bool jic_julia_hash_old_float(double x, uint64_t h, uint64_t *out);

/** hash(data, h) of an object without a method of its own. @param id objectid(data) */
static inline uint64_t jic_julia_hash_object(uint64_t id, uint64_t h)
{
	return jic_julia_hash_int(3 * h - id, 0);
}

/** What objectid() makes of the bytes of an immutable struct, before its type comes in. */
uint64_t jic_julia_hash_bytes(struct jic_view bytes);

/** Tuples hash from the last element to the first, starting here (base/tuple.jl:hash). */
#define JIC_JULIA_TUPLE_SEED 0x77cfa1eef01bca90u

/** How one Julia hashes what TOML holds. All zero: as 1.8 to 1.12, which agree on all but dates. */
struct jic_julia_hashing {
	bool unknown;     /**< as none that we know */
	bool old_numbers; /**< jic_julia_hash_old_int() */
	bool old_arrays;  /**< up to 1.7: every array is sampled from its end; since then only those of 8192 or more */
	bool arrays_by_type; /**< up to 1.5: beginning with hash(AbstractArray, h) */
	uint64_t array_id;   /**< objectid(AbstractArray) */
	uint32_t date_type, time_type,
	    datetime_type; /**< `hash` of the types in Base.TOML: a system image's own; 0 unknown */
};

/** What a Julia answered, to find its rules by: facts.jl:hashes. */
struct jic_julia_samples {
	uint64_t one;        /**< hash(1) */
	uint64_t no_element; /**< hash(Any[]) */
	uint64_t array;      /**< hash(Any["a", 1, 1]) */
	uint64_t array_id;
	uint32_t date_type, time_type, datetime_type;
};
struct jic_julia_hashing jic_julia_hashing_of(const struct jic_julia_samples *samples);

/**
 * hash(value, h) of a TOML value as Julia's parser gives it.
 * @return false: a value whose hash we can't compute (a date while its type is unknown, an offset in a time), or
 * out of memory
 */
jic_must_check bool jic_julia_hash_value(const struct jic_julia_hashing *rules, const struct jic_toml *value,
                                         uint64_t h, uint64_t *out);

/** Base.uuid5: the UUID of an extension (namespace: its parent) and of a project file that has none. */
struct jic_uuid jic_julia_uuid5(struct jic_uuid space, struct jic_view key);

#endif
