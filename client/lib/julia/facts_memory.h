/**
 * What a Julia answered, kept in MEMORY_DIR/facts/KEY.json with what tells whether it is still true. Internal to facts.
 *
 *     {"format":1, "answer":{…}, "sysimage":"…", "targets":["hex",…], "bundled":[{…}], "checks":[{…}]}
 */
#ifndef JIC_CLIENT_FACTS_MEMORY_H
#define JIC_CLIENT_FACTS_MEMORY_H

#include "client/lib/julia/facts.h"
#include "common/buf.h"

/** Set all of `out` but `julia`. @return false: nothing is remembered, or it is not true any more */
jic_must_check bool jic_facts_recall(const char *path, struct jic_arena *arena, struct jic_facts *out);

/**
 * @param answer  the JSON document of jic_facts_ask()
 * @param watched files and directories whose identity must stay what it is
 */
jic_must_check bool jic_facts_memorise(const char *path, struct jic_view answer, const struct jic_facts *f,
                                       const struct jic_view *watched, size_t watched_count, struct jic_error *err);

#endif
