/**
 * Every cache file in the depots, whatever environment it is for: what its own header says, and who owns it. For ls,
 * gc and where; what Julia would load for an environment is depot.h.
 */
#ifndef JIC_CLIENT_CACHES_H
#define JIC_CLIENT_CACHES_H

#include "client/lib/julia/facts.h"
#include "common/file.h"

#include <sys/types.h>

enum jic_cache_kind {
	JIC_CACHE_READ,     /**< a `.ji`, its header read */
	JIC_CACHE_BROKEN,   /**< a `.ji` that is truncated or something else */
	JIC_CACHE_UNKNOWN,  /**< a `.ji` of a layout that we don't know (a newer Julia), or not readable by us */
	JIC_CACHE_LEFTOVER, /**< ours, of no use: a temporary file, an image whose `.ji` is gone, a dead process's lock
	                     */
};

struct jic_cache {
	enum jic_cache_kind kind;
	struct jic_view path;               /**< NUL-terminated; of the `.ji`, or of the leftover */
	struct jic_view image_path;         /**< NUL-terminated; empty: there is none beside it */
	struct jic_view compiled_dir;       /**< <depot>/compiled/vX.Y */
	struct jic_view file_name, package; /**< last two parts of `path` */
	struct jic_file_identity identity;  /**< of `path` */
	uid_t owner;
	bool ours;      /**< its name is one that jicache gives */
	bool has_image; /**< `image_path` is there */
	uint64_t bytes; /**< with the image */
	double mtime;   /**< last use, since Julia touches what it loads */

	/* of JIC_CACHE_READ only */
	struct jic_view version_text, commit;
	struct jic_julia_version version;
	struct jic_view name;
	struct jic_uuid uuid;
	struct jic_build_id build_id;
	bool wants_image;
	uint8_t flags; /**< 1.9+ */
	struct jic_view clone_targets;
	struct jic_view entry; /**< the first source file, as recorded */
	const struct jic_build_id *required;
	size_t required_count;
};

struct jic_caches {
	struct jic_cache *items; /**< in the arena; by depot, version, package, name */
	size_t count;
};

/**
 * The depots that caches are looked for in: DEPOT_PATH and the extra one, without what came with the installation.
 * @param extra may be NULL
 */
jic_must_check bool jic_caches_depots(const struct jic_facts *f, const char *extra, struct jic_arena *arena,
                                      const struct jic_view **out, size_t *count, struct jic_error *err);

/**
 * @param only the Julia (major.minor) whose caches are wanted; NULL: of all
 * @return false with JIC_EMEMORY; directories that can't be listed are left out
 */
jic_must_check bool jic_caches_list(const struct jic_view *depots, size_t depots_count,
                                    const struct jic_julia_version *only, struct jic_arena *arena,
                                    struct jic_caches *out, struct jic_error *err);

#endif
