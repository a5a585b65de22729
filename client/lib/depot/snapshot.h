/**
 * A whole scan, remembered: what was found, and everything that it was found by. While all of that is unchanged, the
 * result is the same, for a stat a file instead of opening and parsing. One file for each project and Julia in the
 * memory directory, `scan-<16 hex>`, replaced whole; damaged or outdated, it is ignored.
 *
 *     "jicscan2" ‖ context (32) ‖ list of watches ‖ list of locals ‖ CRC-32C of all before
 */
#ifndef JIC_CLIENT_SNAPSHOT_H
#define JIC_CLIENT_SNAPSHOT_H

#include "client/lib/depot/depot.h"
#include "common/file.h"

/** What has to stay as it is. */
enum jic_watch_kind {
	JIC_WATCH_ABSENT = 1,    /**< nothing is there */
	JIC_WATCH_DIRECTORY = 2, /**< the same directory, and no entry was added, replaced or removed */
	JIC_WATCH_FILE = 3,      /**< the same file, not written to */
	JIC_WATCH_CACHE = 4, /**< the same file; its times may change: Julia touches a cache file when it loads it */
	JIC_WATCH_CACHE_TIMED = 5, /**< and its time decides which file Julia tries first (≤ 1.7) */
	/** a cache file beside the one of `node`, whose watch comes before: Julia tries it later (1.8+) */
	JIC_WATCH_CACHE_OLDER = 6,
};
struct jic_watch {
	enum jic_watch_kind kind;
	uint32_t node;        /**< whose local file it is: UINT32_MAX for none */
	struct jic_view path; /**< NUL-terminated */
	struct jic_file_identity identity;
};
enum { JIC_WATCH_NO_NODE = UINT32_MAX };

struct jic_watches {
	struct jic_watch *items; /**< malloc'ed */
	size_t count, room;
	bool unsettled; /**< something changed just now: what is seen may change again without a trace */
	bool failed;    /**< out of memory */
};
void jic_watches_clear(struct jic_watches *w);
/** Look at `path` and watch what is seen. @param kind for what is there; what is not is watched as absent */
void jic_watch_path(struct jic_watches *w, enum jic_watch_kind kind, struct jic_view path, uint32_t node);
/** The same with what was seen already. */
void jic_watch_seen(struct jic_watches *w, enum jic_watch_kind kind, struct jic_view path, uint32_t node,
                    const struct jic_file_identity *seen);

/** Everything outside of the depots and sources that a scan's result depends on: the session, the graph, the options.
 */
void jic_snapshot_context(const struct jic_graph *g, const struct jic_depot_options *options, struct jic_digest *out);

/** @return true when the snapshot is there and everything is still as it was; false: scan, there is no error to tell */
bool jic_snapshot_load(const char *memory_dir, const struct jic_graph *g, const struct jic_depot_options *options,
                       const struct jic_digest *context, struct jic_arena *arena, struct jic_locals *out);

/** Unsettled watches are not saved. What can't be written is not remembered. */
void jic_snapshot_save(const char *memory_dir, const struct jic_graph *g, const struct jic_depot_options *options,
                       const struct jic_digest *context, const struct jic_watches *watches,
                       const struct jic_locals *locals);

#endif
