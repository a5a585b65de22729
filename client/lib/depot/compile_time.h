/**
 * How long Julia took to compile a cache file that it left here. It writes that nowhere, but leaves traces of the
 * beginning:
 *
 * - up to 1.11 a module's build id is the monotonic clock at its creation (src/module.c:jl_new_module_, jl_hrtime),
 *   which is of use until the machine is started anew;
 * - the package's directory below compiled/ is made just before its first file (base/loading.jl:compilecache).
 *
 * The end is when the file came into being; its modification time Julia changes whenever it loads it.
 */
#ifndef JIC_CLIENT_COMPILE_TIME_H
#define JIC_CLIENT_COMPILE_TIME_H

#include "common/ji.h"

/** @return ms; 0: it can't be told. An estimate: of a compilation that waited for others, or began with loading what it
 * depends on, more than the compiling alone */
uint64_t jic_compile_ms(const char *ji_path, const struct jic_ji *ji);

#endif
