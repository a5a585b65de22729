/**
 * The clone targets of a package image: for which processors its native code is. The blob's layout is that of
 * src/processor.cpp:serialize_target_data, preceded by a count (src/aotcompile.cpp:jl_dump_native), Julia 1.9 to 1.12.
 */
#ifndef JIC_CLIENT_TARGETS_H
#define JIC_CLIENT_TARGETS_H

#include "client/lib/julia/facts.h"
#include "common/buf.h"

/**
 * Would this session take an image with these targets? As src/processor.cpp:match_sysimg_targets: when one of them
 * enables no feature that the session must not use (facts.jit_target, from Julia). An empty blob (no image) is usable.
 * Julia 1.9 can't be asked: then the processor is (x86), else names are compared. Where Julia knows no features of a
 * target ("x86-64-v3", which LLVM does know), it takes what would trap; we don't.
 */
bool jic_targets_usable(struct jic_view blob, const struct jic_facts *f);

/**
 * Was the image compiled for what this session's images are compiled for (facts.cpu_target)? An artefact under another
 * target's address would be a lie. Compares the targets' names with the target string, and "native" with the host.
 */
bool jic_targets_match_session(struct jic_view blob, const struct jic_facts *f);

/** What tells this processor from others, to remember answers by. */
void jic_targets_put_host(struct jic_buf *out);

/** The targets' names, "generic, haswell"; "" for an empty blob or one that can't be read. In the arena. */
struct jic_view jic_targets_names(struct jic_view blob, struct jic_arena *arena);

#endif
