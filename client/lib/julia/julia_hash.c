#include "client/lib/julia/julia_hash.h"

#include <math.h>

/* base/hashing.jl:hash_64_64 */
static uint64_t hash_64(uint64_t n)
{
	uint64_t a = ~n + (n << 21);
	a ^= a >> 24;
	a = a + (a << 3) + (a << 8);
	a ^= a >> 14;
	a = a + (a << 2) + (a << 4);
	a ^= a >> 28;
	return a + (a << 31);
}

uint64_t jic_julia_hash_int(uint64_t x, uint64_t h)
{
	return hash_64(x) - 3 * h;
}

uint64_t jic_julia_hash_float(double x, uint64_t h)
{
	/* An integral value hashes as the integer, except −0.0, which is not isequal() to 0. */
	if (x >= -0x1p63 && x < 0x1p63 && trunc(x) == x && !(x == 0 && signbit(x)))
		return jic_julia_hash_int((uint64_t)(int64_t)x, h);
	if (x >= 0x1p63 && x < 0x1p64)
		return jic_julia_hash_int((uint64_t)x, h);
	uint64_t bits;
	memcpy(&bits, &x, sizeof(bits));
	if (isnan(x))
		return hash_64(0x7ff8000000000000u) ^ h; /* hx_NaN */
	return hash_64(bits) - 3 * h;
}

/* Up to 1.6 integers and floats met halfway: hx(a, b, h) of the integer part and the float (base/float.jl). */
static uint64_t hash_halfway(uint64_t integer, double real, uint64_t h)
{
	uint64_t bits;
	memcpy(&bits, &real, sizeof(bits));
	return hash_64(3 * integer + bits - h);
}

uint64_t jic_julia_hash_old_int(int64_t x, uint64_t h)
{
	return hash_halfway(x < 0 ? 0 - (uint64_t)x : (uint64_t)x, (double)x, h);
}

uint64_t jic_julia_hash_old_uint(uint64_t x, uint64_t h)
{
	return hash_halfway(x, (double)x, h);
}

bool jic_julia_hash_old_float(double x, uint64_t h, uint64_t *out)
{
	if (fabs(x) >= 0x1p64)
		return false; /* what the processor makes of such an integer part is anybody's guess */
	*out = isnan(x) ? hash_halfway(0, (double)NAN, 0) ^ h : hash_halfway((uint64_t)fabs(x), x, h);
	return true;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t murmur_mix(uint64_t k)
{
	k ^= k >> 33;
	k *= 0xff51afd7ed558ccdu;
	k ^= k >> 33;
	k *= 0xc4ceb9fe1a85ec53u;
	return k ^ k >> 33;
}

static uint64_t load_u64le(const uint8_t *p, size_t len)
{
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static const uint64_t MURMUR_C1 = 0x87c37b91114253d5u, MURMUR_C2 = 0x4cf5ad432745937fu;

static uint64_t murmur_k1(uint64_t k)
{
	return rotate(k * MURMUR_C1, 31) * MURMUR_C2;
}

static uint64_t murmur_k2(uint64_t k)
{
	return rotate(k * MURMUR_C2, 33) * MURMUR_C1;
}

/* Second word of MurmurHash3_x64_128 (public domain, Austin Appleby): src/support/hashing.c:memhash_seed */
static uint64_t murmur_second(struct jic_view s, uint32_t seed)
{
	const uint8_t *p = (const uint8_t *)s.ptr;
	size_t whole = s.len / 16 * 16, tail = s.len - whole;
	uint64_t h1 = seed, h2 = seed;
	for (size_t i = 0; i < whole; i += 16) {
		h1 ^= murmur_k1(load_u64le(p + i, 8));
		h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
		h2 ^= murmur_k2(load_u64le(p + i + 8, 8));
		h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
	}
	if (tail > 8)
		h2 ^= murmur_k2(load_u64le(p + whole + 8, tail - 8));
	if (tail > 0)
		h1 ^= murmur_k1(load_u64le(p + whole, tail < 8 ? tail : 8));
	h1 ^= s.len;
	h2 ^= s.len;
	h1 += h2;
	h2 += h1;
	h1 = murmur_mix(h1);
	h2 = murmur_mix(h2);
	return h2 + h1 + h2; /* h1 += h2; h2 += h1 */
}

uint64_t jic_julia_hash_string(struct jic_view s, uint64_t h)
{
	h += 0x71e729fd56419c81u; /* memhash_seed of 64-bit Julia */
	return murmur_second(s, (uint32_t)h) + h;
}

/* src/support/hashing.c:memhash */
uint64_t jic_julia_hash_bytes(struct jic_view bytes)
{
	return murmur_second(bytes, 0xcafe8881u);
}

/* base/uuid.jl: hash(u::UUID, h) of the two halves */
static uint64_t hash_uuid(struct jic_uuid u, uint64_t h)
{
	h = jic_julia_hash_int(u.lo, h + JIC_JULIA_TUPLE_SEED);
	h = jic_julia_hash_int(u.hi, h);
	return jic_julia_hash_int(0xd06fa04f86f11b53u, h); /* uuid_hash_seed */
}

struct jic_uuid jic_julia_uuid5(struct jic_uuid space, struct jic_view key)
{
	uint64_t first = jic_julia_hash_string(key, hash_uuid(space, 0));
	uint64_t second = jic_julia_hash_string(key, first);
	return (struct jic_uuid){
	    .hi = (first & 0xffffffffffff0fffu) | 0x5000u,
	    .lo = (second & 0x3fffffffffffffffu) | 0x8000000000000000u,
	};
}
