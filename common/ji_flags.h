/**
 * Which cache flags a session takes, 1.9+ (src/staticdata_utils.c:jl_match_cache_flags), and what that means for an
 * address: under a runtime lies whatever all sessions of its flags take.
 */
#ifndef JIC_COMMON_JI_FLAGS_H
#define JIC_COMMON_JI_FLAGS_H

#include "common/ji.h"

/**
 * Does a session with the flags `session` take a file with the flags `file`? Without images on both sides nothing else
 * counts. Else the optimisation level has to be as high or higher; the debug level the same, or since 1.11.2 as high or
 * higher; all else the same. Always true before 1.9.
 */
bool jic_ji_flags_taken(struct jic_julia_version version, uint8_t session, uint8_t file);

/** May a file with these flags be published under a runtime whose flags are `runtime_flags` (jic_runtime_flags_text)?
 * When every session with those flags takes it. */
bool jic_ji_flags_serve(struct jic_julia_version version, struct jic_view runtime_flags, uint8_t file);

#endif
