/**
 * The identity of sources that have no tree hash: developed packages, and what deps/build.jl left in an installed one.
 *
 * Covered are src/, ext/, Artifacts.toml and the parts of the project file that decide loading. When a source text
 * mentions something that reaches further (`include_dependency`, `pkgdir`, `dirname(`, a path with ".."), everything
 * below the root is covered, except what no compilation reads: jic_source_covers() is that rule, for the walk and for
 * the check of rule 1.
 */
#ifndef JIC_CLIENT_SOURCE_H
#define JIC_CLIENT_SOURCE_H

#include "client/lib/environment/project.h"
#include "client/lib/memory/remembered.h"

enum { JIC_SOURCE_FILES_MAX = 20000, JIC_SOURCE_DEPTH_MAX = 64 };
#define JIC_SOURCE_BYTES_MAX ((uint64_t)512 * 1024 * 1024)

struct jic_source {
	struct jic_view identity; /**< "content:" and 64 hex digits, in the arena; empty when `reason` is set */
	bool covers_all;
	struct jic_view reason; /**< why it can't be shared, or empty */
};

/**
 * A developed package.
 * @param package    its own project file's, or NULL when it has none
 * @param entry_file below root; outside of src/ everything is covered
 * @return false with JIC_EMEMORY only; what can't be read or is too large is a reason
 */
jic_must_check bool jic_source_developed(struct jic_view root, const struct jic_package *package,
                                         struct jic_view entry_file, struct jic_remembered *memory,
                                         struct jic_arena *arena, struct jic_source *out, struct jic_error *err);

/** Every regular file below ROOT/deps but build.log. */
jic_must_check bool jic_source_build(struct jic_view root, struct jic_remembered *memory, struct jic_arena *arena,
                                     struct jic_source *out, struct jic_error *err);

/** Does the identity of a developed package cover this path, relative to its root? */
bool jic_source_covers(bool covers_all, struct jic_view relative);

/** Does a source text mention something that reaches out of src/ and ext/? */
bool jic_source_reaches_out(struct jic_view text);

#endif
