/**
 * Asking a running Julia, and reading its answer. Internal to facts.
 */
#ifndef JIC_CLIENT_FACTS_ASK_H
#define JIC_CLIENT_FACTS_ASK_H

#include "client/lib/julia/facts.h"
#include "common/json.h"

enum { JIC_FACTS_BYTES_MAX = 4 * 1024 * 1024, JIC_FACTS_TIMEOUT_MS = 60 * 1000 };

/**
 * Run `julia ARGS --startup-file=no -e facts.jl`, standard input empty, JULIA_PROJECT unset.
 * @param julia      an executable
 * @param timeout_ms after which it is killed, with all that it started
 * @param[out] answer appended: the JSON document
 * @return false with JIC_EPROTOCOL (it ran but did not answer: text has the last line that it wrote), JIC_EIO
 */
jic_must_check bool jic_facts_ask(const char *julia, const char *const *args, size_t args_count, int timeout_ms,
                                  struct jic_buf *answer, struct jic_error *err);

/** The fields that Julia says itself: all but julia, sysimage and bundled. JIC_EFORMAT names the field. */
jic_must_check bool jic_facts_read(const struct jic_json *at, struct jic_arena *arena, struct jic_facts *out);

/**
 * The cache files of the installation itself among the depots, read from their headers.
 * @param[out] dirs the directories that were listed (arena)
 */
jic_must_check bool jic_facts_find_bundled(struct jic_facts *f, struct jic_arena *arena, const struct jic_view **dirs,
                                           size_t *dirs_count, struct jic_error *err);

#endif
