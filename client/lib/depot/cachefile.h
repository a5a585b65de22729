/**
 * Names of cache files: the directory of a package, the names that Julia considers there, and ours.
 *
 *     <depot>/compiled/vX.Y/<Name>/<package slug>_<anything>.ji        any such file is tried
 * (base/loading.jl:find_all_in_cache_path) <depot>/compiled/vX.Y/<Name>/<package slug>_0<10 characters>.ji  ours; the
 * ten are base 62 of the address's SHA-256
 *
 * Ours begin with "0" behind the slug, because Julia 1.5 tries names in alphabetical order; and they are longer than
 * Julia's own five characters, so that neither overwrites the other. The same address has the same name: it is
 * replaced, never doubled.
 */
#ifndef JIC_CLIENT_CACHEFILE_H
#define JIC_CLIENT_CACHEFILE_H

#include "client/lib/graph/graph.h"

enum {
	JIC_CACHEFILE_SLUG = 5,  /**< characters of a package slug */
	JIC_CACHEFILE_OURS = 11, /**< characters behind "<slug>_" in our names */
	JIC_CACHEFILE_STEM_BYTES = JIC_CACHEFILE_SLUG + 1 + JIC_CACHEFILE_OURS + 1,
	JIC_CACHEFILE_DIR_NAME_BYTES_MAX = 200,
};

/**
 * A package name that may become a directory's name: what Julia takes as an identifier (letters, digits, "_", "!", any
 * character beyond ASCII; no digit first), at most JIC_CACHEFILE_DIR_NAME_BYTES_MAX bytes. So never "/", NUL, "." or
 * "..".
 */
bool jic_cachefile_package_name_valid(struct jic_view name);

/** "<depot>/compiled/vX.Y", without a double slash; in the arena, NUL-terminated. */
struct jic_view jic_cachefile_compiled_dir(struct jic_view depot, struct jic_julia_version v, struct jic_arena *arena);

/** Our name without suffix for the artefact at (runtime id, sysimage, key). */
void jic_cachefile_stem(struct jic_uuid uuid, struct jic_view runtime_id, const struct jic_digest *sysimage,
                        const struct jic_digest *key, char stem[JIC_CACHEFILE_STEM_BYTES]);

/** Would Julia open this file for the package whose slug this is? Up to 1.8 it does not look at the suffix. */
bool jic_cachefile_is_candidate(struct jic_view file_name, const char slug[JIC_CACHEFILE_SLUG + 1],
                                struct jic_julia_version v);
/** Has it the shape of our names, for any package? */
bool jic_cachefile_is_ours(struct jic_view file_name);

/** Path of the image beside a `.ji`: the same with the suffix of the platform's libraries; in the arena. */
struct jic_view jic_cachefile_image_path(struct jic_view ji_path, struct jic_view uname, struct jic_arena *arena);

#endif
