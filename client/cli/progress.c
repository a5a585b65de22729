/* "  12/30 ███████░░░░░░░░░  38 MB / 91 MB  112 MB/s", as wide as any terminal is. */
#include "client/cli/progress.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

bool jic_progress_bar_start(struct jic_progress_bar *bar)
{
	const char *term = getenv("TERM");
	*bar = (struct jic_progress_bar){.started_s = jic_clock_s()};
	return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

void jic_progress_bar_show(void *context, const struct jic_progress *p)
{
	struct jic_progress_bar *bar = context;
	double elapsed_s = jic_clock_s() - bar->started_s;
	double part = p->bytes_total ? (double)p->bytes_done / (double)p->bytes_total : 0;
	int full = (int)((part > 1 ? 1 : part) * BAR_CELLS);
	bar->shown = true;
	fprintf(stderr, "\r\033[K%4u/%u ", p->done, p->total);
	for (int i = 0; i < BAR_CELLS; i++)
		fputs(i < full ? "█" : "░", stderr);
	fprintf(stderr, "  %.1f / %.1f MB  %.0f MB/s", (double)p->bytes_done * 1e-6, (double)p->bytes_total * 1e-6,
	        elapsed_s > 0 ? (double)p->bytes_done * 1e-6 / elapsed_s : 0);
	fflush(stderr);
}

void jic_progress_bar_end(struct jic_progress_bar *bar)
{
	if (bar->shown)
		fputs("\r\033[K", stderr);
	bar->shown = false;
}
