/**
 * A `julia …` command line, read as Julia reads it (src/jloptions.c:jl_parse_opts): which project it will activate and
 * which of its options decide what caches it takes.
 */
#ifndef JIC_CLIENT_JULIA_COMMAND_H
#define JIC_CLIENT_JULIA_COMMAND_H

#include "common/arena.h"
#include "common/buf.h"

struct jic_julia_command {
	const char *project; /**< the value of --project, "@." when bare; NULL: not given */
	const char *script;  /**< the program file; NULL: none (the REPL, -e) */
	const char *args;    /**< the options that matter, quoted for jic_session_options.julia_args; "" when none */
};

/** Does the command's name say that it is Julia: "julia", "julia-1.11", "/opt/julia/bin/julia"? */
bool jic_julia_command_is(const char *command);

/** @param argv the command line, argv[0] its name, NULL at the end. @return false when out of memory */
bool jic_julia_command_read(const char *const *argv, struct jic_arena *arena, struct jic_julia_command *out);

#endif
