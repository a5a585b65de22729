/**
 * A manifest: which packages an environment has, and what each depends on. Formats 1.0 (tables at top level), 2.0
 * and 2.1 (tables below `deps`); base/loading.jl:get_deps.
 */
#ifndef JIC_CLIENT_MANIFEST_H
#define JIC_CLIENT_MANIFEST_H

#include "client/lib/environment/lookup.h"
#include "client/lib/environment/project.h"

enum { JIC_MANIFEST_BYTES_MAX = 16 * 1024 * 1024, JIC_MANIFEST_ENTRIES_MAX = 20000 };

struct jic_manifest {
	struct jic_view file, dir;
	unsigned format_major, format_minor;
	struct jic_view julia_version;      /**< which resolved it; "" in format 1 */
	const struct jic_package *packages; /**< in the order of the file; several may have one name */
	size_t count;
	struct jic_lookup by_uuid, by_name; /**< indices into `packages` */
};

/** @return false with JIC_ENOTFOUND, JIC_EFORMAT (names file and line; also of a format newer than 2), JIC_ELIMIT,
 * JIC_EIO */
jic_must_check bool jic_manifest_read(const char *path, struct jic_arena *arena, struct jic_manifest *out,
                                      struct jic_error *err);
/** The same from text, which must live as long as `out`. */
jic_must_check bool jic_manifest_parse(struct jic_view text, struct jic_view file, struct jic_arena *arena,
                                       struct jic_manifest *out, struct jic_error *err);

/** The entry with that UUID; NULL when there is none. */
const struct jic_package *jic_manifest_find(const struct jic_manifest *m, struct jic_uuid uuid);
/** The only entry of that name. @param[out] count how many there are; NULL unless it is 1 */
const struct jic_package *jic_manifest_named(const struct jic_manifest *m, struct jic_view name, size_t *count);

#endif
