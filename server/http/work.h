/**
 * Workers: a few threads for what may block (the index's writer, fsync, checking a whole set of artefacts), so that the
 * threads that serve connections never wait. The queue is bounded: what does not fit is refused at once.
 */
#ifndef JIC_SERVER_HTTP_WORK_H
#define JIC_SERVER_HTTP_WORK_H

#include "common/attr.h"

#include <jicache/error.h>

struct jic_work;
typedef void jic_work_fn(void *context);

struct jic_work *jic_work_new(unsigned threads, size_t queue_max, struct jic_error *err);
/** Finish everything that was submitted and end the threads; from then on nothing can be submitted. Once more is no
 * harm. */
void jic_work_end(struct jic_work *w);
/** Ends it first. Takes NULL. */
void jic_work_free(struct jic_work *w);
JIC_DEFINE_AUTO(jic_work, jic_work_free)

/** Callable from any thread. @return false: the queue is full, fn will not be called */
jic_must_check bool jic_work_submit(struct jic_work *w, jic_work_fn *fn, void *context);

#endif
