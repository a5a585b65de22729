/**
 * A progress bar on a terminal: one line on stderr, redrawn in place, gone at the end.
 */
#ifndef JIC_CLIENT_PROGRESS_H
#define JIC_CLIENT_PROGRESS_H

#include <jicache/jicache.h>
#include <stdbool.h>

struct jic_progress_bar {
	bool shown;       /**< something is on the line */
	double started_s; /**< monotonic clock */
};

/** @return false when stderr is no terminal: then there is no bar */
bool jic_progress_bar_start(struct jic_progress_bar *bar);
/** A jic_progress_fn; the context is the bar. */
void jic_progress_bar_show(void *bar, const struct jic_progress *p);
void jic_progress_bar_end(struct jic_progress_bar *bar);

#endif
