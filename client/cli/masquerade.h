/**
 * Being `julia`, as ccache is `gcc`: a link of that name to jicache, earlier on PATH than Julia, pulls and then becomes
 * the real Julia: same process, so signals, terminal and exit status are Julia's own. What Julia compiles is published
 * by a process of its own in the background after it ended.
 */
#ifndef JIC_CLIENT_MASQUERADE_H
#define JIC_CLIENT_MASQUERADE_H

#include <stdbool.h>

/** Was this program called by a name of Julia's? */
bool jic_masquerade_is(const char *const *argv);

/** Does not return when the real Julia could be started; else 127, after a sentence on stderr. */
int jic_masquerade_run(const char *const *argv);

#endif
