/**
 * The cache files that lie in the depots for the nodes of a graph, each by itself acceptable to Julia, and the choice
 * among them. Private to depot_scan.c and depot_choose.c.
 */
#ifndef JIC_CLIENT_CANDIDATES_H
#define JIC_CLIENT_CANDIDATES_H

#include "client/lib/depot/depot.h"
#include "common/file.h"

/** A required module that is a node of the graph: not part of the system image, nor bundled. */
struct jic_need {
	uint32_t node;
	struct jic_build_id build_id;
};

struct jic_candidate {
	struct jic_view path;      /**< NUL-terminated */
	struct jic_view file_name; /**< the end of `path` */
	struct jic_file_identity identity;
	double mtime;
	size_t depot; /**< position in the list of depots that are looked through */
	uint8_t flags;
	bool own; /**< as jic_local.own */
	bool has_image;
	uint64_t bytes; /**< with the image */
	struct jic_build_id build_id;
	const struct jic_need *needs; /**< everything that was loaded when it was compiled: transitive */
	size_t needs_count;
	bool ok; /**< while choosing: all that it needs is there */
};

/** A node's files, in the order in which this Julia is to try them. */
struct jic_candidate_list {
	struct jic_candidate *items;
	size_t count;
};

/** Sort into the order of base/loading.jl:find_all_in_cache_path, but the session's very own before
 * others that it takes (a pull sees to it that Julia does the same: jic_depot_prefer). */
void jic_candidates_sort(const struct jic_facts *f, struct jic_candidate_list *list);

/**
 * For each node the file that stands for it, or NULL, so that each chosen file needs exactly the chosen files of other
 * nodes.
 *
 * Up to 1.7 Julia loads the first acceptable file of a package and compares build ids afterwards: only that file
 * counts. Since 1.8 it looks for the wanted build id among all files: then the nodes with the largest closures choose
 * first, each its first file that agrees with what is chosen already, and by that for everything that it needs.
 * @param lists one for each node
 * @param[out] chosen room for one for each node
 * @return false with JIC_EMEMORY
 */
jic_must_check bool jic_candidates_choose(const struct jic_graph *g, const struct jic_candidate_list *lists,
                                          const struct jic_candidate **chosen, struct jic_error *err);

#endif
