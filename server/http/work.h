/**
 * Workers: a few threads for what may block (the index, fsync, checking a whole set of artefacts), so that the threads
 * that serve connections never wait. Queues are bounded: what does not fit is refused at once. Writing is what takes
 * seconds and waits for the index's one writer; it gets at most half of the workers, so that readers never wait for all
 * of them.
 */
#ifndef JIC_SERVER_HTTP_WORK_H
#define JIC_SERVER_HTTP_WORK_H

#include "common/attr.h"

#include <jicache/error.h>

struct jic_work;
typedef void jic_work_fn(void *context);

enum jic_work_kind { JIC_WORK_READ, JIC_WORK_WRITE };

/** @param queue_max  jobs of each kind that wait for a worker */
struct jic_work *jic_work_new(unsigned threads, size_t queue_max, struct jic_error *err);
/** Finish everything that was submitted and end the threads; from then on nothing can be submitted. Once more is no
 * harm. */
void jic_work_end(struct jic_work *w);
/** Ends it first. Takes NULL. */
void jic_work_free(struct jic_work *w);
JIC_DEFINE_AUTO(jic_work, jic_work_free)

/** Callable from any thread. @return false: the queue is full, fn will not be called */
jic_must_check bool jic_work_submit(struct jic_work *w, enum jic_work_kind kind, jic_work_fn *fn, void *context);

/** Jobs that no thread has begun. */
size_t jic_work_waiting(struct jic_work *w);

#endif
