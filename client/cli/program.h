/**
 * Programs on PATH, as a shell finds them, but never this one: a link named `julia` to jicache is not Julia.
 */
#ifndef JIC_CLIENT_PROGRAM_H
#define JIC_CLIENT_PROGRAM_H

#include <stdbool.h>

/**
 * @param name as on a command line: a path when it has a slash, else looked up on PATH. A path to jicache itself is
 * looked up by its last part.
 * @return malloc'ed; NULL: there is none
 */
char *jic_program_find(const char *name);

/** Is this file jicache: the running one, or another of that name? Follows links. */
bool jic_program_is_self(const char *path);

#endif
