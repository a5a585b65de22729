/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), as Julia's src/crc32c.c computes it.
 */
#ifndef JIC_COMMON_CRC32C_H
#define JIC_COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * Continue a checksum: crc(a‖b) = jic_crc32c(jic_crc32c(0, a), b). Start with 0; no further inversion is needed.
 * Uses the SSE 4.2 or ARMv8 instruction where this processor has one (chosen at run time), several streams at once.
 */
uint32_t jic_crc32c(uint32_t crc, const void *bytes, size_t len);

/** The table-driven variant, for processors without the instruction and for comparing in tests. */
uint32_t jic_crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
