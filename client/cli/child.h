/**
 * Running a command in the foreground, as if it had been started without us.
 */
#ifndef JIC_CLIENT_CHILD_H
#define JIC_CLIENT_CHILD_H

#include <stdbool.h>

/**
 * Start argv[0] (looked up on PATH), pass signals on, wait for its end.
 * @param depot_path JULIA_DEPOT_PATH for it; NULL: as it is
 * @param[out] status as waitpid() gives it; when the command could not be started 127 or 126, after a sentence on
 * stderr
 * @param[out] asked set to the last signal that asked to end, by whomever and to whomever of us it was sent; may be
 * NULL
 * @return false: it could not be started
 */
bool jic_child_run(const char *const *command, const char *depot_path, int *status, int *asked);

/** End this process by the signal that ended the command. Returns 128 + signal when that did not end it. */
int jic_child_die_of(int signal);

#endif
