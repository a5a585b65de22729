/*
 * CRC-32C three ways. The processor's instruction takes 8 bytes and gives its result 3 cycles later, but a new one can
 * start every cycle; so a long input is cut into three runs that are summed side by side, and joined:
 *
 *     |<---- RUN ---->|<---- RUN ---->|<---- RUN ---->|        crc(A‖B) = crc(A)·x^(8·|B|) + crc(B)   in GF(2)[x] mod P
 *      A, from crc     B, from 0       C, from 0
 *
 * With runs of a fixed length the factor x^(8·RUN) is a constant, and one multiplication of 32 steps a join is nothing
 * beside the run. (zlib's and Julia's crc32c.c join through tables, which would be 16 KiB here, for the same speed.)
 * Without the instruction: "slicing by 8" (Kounavis and Berry 2005), eight table look-ups for 8 bytes.
 */
#include "common/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/** The Castagnoli polynomial, bit-reflected: x³² is left out, x³¹ is the lowest bit. */
#define POLYNOMIAL 0x82f63b78u

/* A checksum is linear in each byte, so a row of 256 follows from its entries for the 8 single bits. */
#define BIT(n, k, v) ((n) >> (k)&1 ? (v) : 0u)
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                                               \
	(BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^ BIT(n, 6, g) ^      \
	 BIT(n, 7, h))
#define ENTRIES4(n, ...)                                                                                               \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES16(n, ...)                                                                                              \
	ENTRIES4(n, __VA_ARGS__), ENTRIES4((n) + 4, __VA_ARGS__), ENTRIES4((n) + 8, __VA_ARGS__),                      \
	    ENTRIES4((n) + 12, __VA_ARGS__)
#define ENTRIES64(n, ...)                                                                                              \
	ENTRIES16(n, __VA_ARGS__), ENTRIES16((n) + 16, __VA_ARGS__), ENTRIES16((n) + 32, __VA_ARGS__),                 \
	    ENTRIES16((n) + 48, __VA_ARGS__)
#define ROW(...)                                                                                                       \
	{                                                                                                              \
		ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__),                    \
		    ENTRIES64(192, __VA_ARGS__)                                                                        \
	}

/** table[j][n]: byte n, followed by j zero bytes. */
static const uint32_t table[8][256] = {
    ROW(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    ROW(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    ROW(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    ROW(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    ROW(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    ROW(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    ROW(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    ROW(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static uint32_t slice8(uint64_t v)
{
	uint32_t crc = 0;
	for (unsigned i = 0; i < 8; i++)
		crc ^= table[7 - i][v >> (8 * i) & 0xff];
	return crc;
}

uint32_t jic_crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8)
		crc = slice8(load_le64(p) ^ crc);
	for (; len; p++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
#define JIC_CRC_INSTRUCTION 1
#define CRC_TARGET __attribute__((target("sse4.2")))

static bool have_instruction(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}

CRC_TARGET static inline uint32_t step64(uint32_t crc, uint64_t v)
{
	return (uint32_t)__builtin_ia32_crc32di(crc, v);
}

CRC_TARGET static inline uint32_t step8(uint32_t crc, uint8_t v)
{
	return __builtin_ia32_crc32qi(crc, v);
}

#elif defined(__aarch64__) && defined(__linux__)
#define JIC_CRC_INSTRUCTION 1
#define CRC_TARGET

static bool have_instruction(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

/* As assembly, because arm_acle.h of clang 14 has the intrinsics only when the whole file is compiled for them. */
static inline uint32_t step64(uint32_t crc, uint64_t v)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(v));
	return crc;
}

static inline uint32_t step8(uint32_t crc, uint8_t v)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)v));
	return crc;
}
#endif

#ifdef JIC_CRC_INSTRUCTION
/** Runs are multiples of 8 bytes. Three long ones are 24 KiB: they stay within a first-level cache of 32. */
enum { RUN_LONG = 8192, RUN_SHORT = 1024 };
#define SHIFT_LONG 0x28461564u  /**< x^(8·RUN_LONG) mod P, reflected */
#define SHIFT_SHORT 0xe4172b16u /**< x^(8·RUN_SHORT) mod P, reflected */

/** a·b mod P. Without branches: their outcome would be random, and a wrong guess costs more than three steps. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (int i = 31; i >= 0; i--) {
		product ^= b & (0u - (a >> i & 1));
		b = b >> 1 ^ (POLYNOMIAL & (0u - (b & 1)));
	}
	return product;
}

CRC_TARGET static uint32_t three_runs(uint32_t crc, const uint8_t *p, size_t run, uint32_t shift)
{
	uint32_t second = 0, third = 0;
	for (const uint8_t *end = p + run; p < end; p += 8) {
		crc = step64(crc, load_le64(p));
		second = step64(second, load_le64(p + run));
		third = step64(third, load_le64(p + 2 * run));
	}
	return multiply(multiply(crc, shift) ^ second, shift) ^ third;
}

CRC_TARGET static uint32_t with_instruction(uint32_t crc, const uint8_t *p, size_t len)
{
	const size_t all_long = (size_t)3 * RUN_LONG, all_short = (size_t)3 * RUN_SHORT;
	crc = ~crc;
	for (; len >= all_long; p += all_long, len -= all_long)
		crc = three_runs(crc, p, RUN_LONG, SHIFT_LONG);
	for (; len >= all_short; p += all_short, len -= all_short)
		crc = three_runs(crc, p, RUN_SHORT, SHIFT_SHORT);
	for (; len >= 8; p += 8, len -= 8)
		crc = step64(crc, load_le64(p));
	for (; len; p++, len--)
		crc = step8(crc, *p);
	return ~crc;
}
#endif

uint32_t jic_crc32c(uint32_t crc, const void *bytes, size_t len)
{
#ifdef JIC_CRC_INSTRUCTION
	if (have_instruction())
		return with_instruction(crc, bytes, len);
#endif
	return jic_crc32c_portable(crc, bytes, len);
}
