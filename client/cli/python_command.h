/**
 * A `python …` command line: which Julia an embedded one would be, found as the packages that embed it find it.
 *
 * - juliacall (PythonCall.jl: pysrc/juliacall/__init__.py): `-X juliacall-NAME=VALUE` or PYTHON_JULIACALL_NAME; EXE (or
 *   BINDIR) and PROJECT together, else what juliapkg resolved.
 * - juliapkg (pyjuliapkg: src/juliapkg/state.py, deps.py): `-X juliapkg-NAME=VALUE` or PYTHON_JULIAPKG_NAME; its
 * project is PROJECT, else PREFIX/julia_env of a virtual or conda environment, else DEPOT/environments/pyjuliapkg; the
 *   executable is EXE, else what pyjuliapkg/meta.json in the project remembers.
 * - PyJulia and PyCall (pyjulia: src/julia/core.py, juliainfo.py): `julia` on PATH, project as Julia's default
 *   (JULIA_PROJECT); `python-jl --julia PROGRAM`.
 *
 * What a program passes to these packages in its own code can't be seen from outside.
 */
#ifndef JIC_CLIENT_PYTHON_COMMAND_H
#define JIC_CLIENT_PYTHON_COMMAND_H

#include "common/arena.h"
#include "common/buf.h"

struct jic_python_command {
	const char *julia;   /**< executable; NULL: none was found */
	const char *project; /**< NULL: Julia's own default */
	const char *args;    /**< quoted for jic_session_options.julia_args; "" when none */
};

/** Does the command's name say that it is Python, or runs it: python, python3.12, ipython, jupyter, python-jl? */
bool jic_python_command_is(const char *command);

/** @param argv the command line, argv[0] its name, NULL at the end. @return false when out of memory */
bool jic_python_command_read(const char *const *argv, struct jic_arena *arena, struct jic_python_command *out);

#endif
