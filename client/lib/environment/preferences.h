/**
 * Preferences of a package as an environment stack gives them (base/loading.jl:get_preferences), their canonical text,
 * and Julia's hash over them.
 *
 * Canonical text: schema/address.md. "" without preferences; else a table as {"key":value,…}, keys sorted bytewise;
 * strings as in JSON, bytes below 0x20 and 0x7f as \u00xx; integers decimal; floats as %.17g with ".0" appended to what
 * looks like an integer, nan, inf, -inf; true, false; arrays [a,b]; dates and times as @ and their RFC 3339 text. The
 * key
 * __clear__ of the outermost table has done its work and is left out.
 */
#ifndef JIC_CLIENT_PREFERENCES_H
#define JIC_CLIENT_PREFERENCES_H

#include "client/lib/environment/project.h"
#include "client/lib/julia/julia_hash.h"
#include "common/buf.h"

/** What one project contributes, beside it in the stack. */
struct jic_preference_source {
	const struct jic_project *project;
	const struct jic_toml *local; /**< JuliaLocalPreferences.toml or LocalPreferences.toml, or NULL */
};

struct jic_preferences {
	struct jic_preference_source *sources; /**< strongest first; only those that hold any preferences */
	size_t count;
	bool weakdeps_count; /**< 1.9+: a name is also known through [weakdeps] */
	struct jic_julia_hashing
	    hashing; /**< to be set by who asks for hashes; all zero: as 1.8 and later, without dates */
};

/**
 * Read the preference files beside the projects.
 * @param projects strongest first, borrowed
 */
jic_must_check bool jic_preferences_open(const struct jic_project *const *projects, size_t count, unsigned major,
                                         unsigned minor, struct jic_arena *arena, struct jic_preferences *out,
                                         struct jic_error *err);

/** The merged table of a package; NULL when it has none. @return false with JIC_EMEMORY or JIC_ELIMIT */
jic_must_check bool jic_preferences_of(const struct jic_preferences *p, struct jic_uuid uuid, struct jic_arena *arena,
                                       const struct jic_toml **out, struct jic_error *err);

/**
 * Merge all that the sources say, of every name, over `*merged` (NULL: nothing yet): get_preferences() without a UUID.
 * @return false with JIC_EMEMORY or JIC_ELIMIT
 */
jic_must_check bool jic_preferences_flatten(const struct jic_preferences *p, struct jic_arena *arena,
                                            const struct jic_toml **merged, struct jic_error *err);

/** recursive_prefs_merge: a fresh table; `base` may be NULL. NULL when out of memory or over 4096 keys in one table. */
const struct jic_toml *jic_preferences_merge(const struct jic_toml *base, const struct jic_toml *override,
                                             struct jic_arena *arena);

/** Canonical text of a merged table, appended; nothing for NULL or an empty table. */
void jic_preferences_text(const struct jic_toml *table, struct jic_buf *out);

/**
 * get_preferences_hash over the recorded names, in order. 0 for NULL.
 * @return false: a value whose hash we can't compute
 */
jic_must_check bool jic_preferences_hash(const struct jic_preferences *p, const struct jic_toml *table,
                                         const struct jic_view *names, size_t count, uint64_t *out);

#endif
