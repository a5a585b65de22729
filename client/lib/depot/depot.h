/**
 * What is in the depots: finds cache files, decides which of them Julia would load for this environment, and puts files
 * into a depot so that Julia takes them.
 */
#ifndef JIC_CLIENT_DEPOT_H
#define JIC_CLIENT_DEPOT_H

#include "client/lib/graph/graph.h"
#include "common/ji.h"

/** A cache file that Julia would load for a node (base/loading.jl:stale_cachefile, less the checks that only a load can
 * make). */
struct jic_local {
	struct jic_view path; /**< of the `.ji`; empty: none */
	struct jic_build_id build_id;
	bool ours; /**< placed by jicache (its name says so) */
	bool has_image;
	bool own;       /**< compiled with this session's very own flags and for its target; others Julia takes, too */
	uint64_t bytes; /**< of `.ji` and image */
	double mtime;   /**< of the `.ji`: last use */
	bool late;      /**< Julia (1.8+) tries another file of the package before it; see jic_depot_prefer() */
};

/** The local state of an environment: for each node, in the graph's order, what Julia would load. */
struct jic_locals {
	struct jic_local *items;
	size_t count;
	size_t have;   /**< wanted nodes with a file whose requirements are all met locally too */
	size_t wanted; /**< see jic_node_is_wanted() */
};

struct jic_depot_options {
	/** extra depot to fill and to look into (`--depot`), or NULL: DEPOT_PATH[1] */
	const char *depot;
	const char *memory_dir; /**< NULL: as for facts */
};

/**
 * Choose a coherent set of local files: each node's file requires exactly the build ids of the chosen files of its
 * dependencies, of the system image and of bundled caches. A node none of whose files fit has an empty path.
 * What was found is remembered by file identity, so that an unchanged depot costs a stat a file.
 */
jic_must_check bool jic_depot_scan(const struct jic_graph *g, const struct jic_depot_options *options,
                                   struct jic_arena *arena, struct jic_locals *out, struct jic_error *err);

/** Touch the files that Julia would try too late, as it does itself with what it loads: the newest comes first. Where
 * several sets of flags share a depot it would else mix them, and compile again. What can't be touched stays. */
void jic_depot_prefer(const struct jic_locals *locals, const bool *placed);

/** One artefact to be placed; files were verified before, `.ji` in canonical form. */
struct jic_placement {
	uint32_t node;          /**< index into the graph */
	struct jic_view ji;     /**< canonical bytes of the `.ji` */
	const char *image_temp; /**< path of the image's verified bytes in the target directory, or NULL; renamed */
	const struct jic_msg_input *inputs; /**< from the record: checked against local files */
	size_t inputs_count;
	struct jic_view
	    runtime; /**< id of the runtime that the record is of, for the file's name; empty: the session's own */
};

struct jic_depot; /**< a depot opened for writing: the target directories, the lock, the memory */
struct jic_depot *jic_depot_open(const struct jic_graph *g, const struct jic_depot_options *options,
                                 struct jic_error *err);
void jic_depot_free(struct jic_depot *d);
JIC_DEFINE_AUTO(jic_depot, jic_depot_free)

/** Can native code be loaded from there? Asked before anything is fetched. @return false with JIC_EDENIED: it is
 * mounted noexec */
jic_must_check bool jic_depot_takes_images(const struct jic_depot *d, struct jic_error *err);

/**
 * A fresh temporary path in the directory where the node's files will be, for streaming an image into. malloc'ed.
 * Never begins with the package slug: Julia must not see it.
 */
char *jic_depot_temp(struct jic_depot *d, uint32_t node, struct jic_error *err);

/**
 * Check the local sources against what the artefact was compiled from, rewrite the header for this place
 * (relocate.h), and give image and `.ji` their names by rename, image first. Callable from several threads for
 * different nodes. The caller places dependencies first.
 * @return false: JIC_ECONFLICT (the local sources differ from what the artefact was made from: text names the file),
 *         JIC_EBUSY (a Julia is compiling this package just now), JIC_EDENIED (depot not writable, or mounted noexec;
 * an impossible package name), JIC_ENOSPACE, JIC_EIO
 */
jic_must_check bool jic_depot_place(struct jic_depot *d, const struct jic_placement *p, struct jic_error *err);

/** Make what was placed survive a power cut, and write the memory. Once, after the last place. */
jic_must_check bool jic_depot_finish(struct jic_depot *d, struct jic_error *err);

#endif
