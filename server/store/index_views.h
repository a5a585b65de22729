/**
 * What pages and reports ask of the index, and what is written down for them: sums of what is held, lists with filters,
 * history, environments and misses. Part of the interface of an index (index.h), apart because no rule depends on it.
 *
 * `lanes` are numbers of those that the asker may see; what other lanes hold has no part in an answer. Views are in the
 * arena. Errors as in index.h.
 */
#ifndef JIC_SERVER_STORE_INDEX_VIEWS_H
#define JIC_SERVER_STORE_INDEX_VIEWS_H

#include "server/store/index.h"

/** Which lanes may be looked at. */
struct jic_index_lanes {
	const uint64_t *ids;
	size_t count;
};

struct jic_index_totals {
	uint64_t lanes, artefacts, blobs, stored_bytes;
};

/** What one lane holds for one runtime with a system image. */
struct jic_index_held {
	uint64_t lane_id;
	struct jic_view runtime; /**< its id */
	struct jic_view julia;   /**< version; empty when nobody said */
	uint64_t artefacts, bytes, compile_ms;
};

struct jic_index_package {
	struct jic_view name;
	struct jic_uuid uuid;
	uint64_t lanes, artefacts, bytes, compile_ms, latest_s;
};
enum jic_packages_sort {
	JIC_PACKAGES_BYTES,
	JIC_PACKAGES_NAME,
	JIC_PACKAGES_ARTEFACTS,
	JIC_PACKAGES_COMPILE,
	JIC_PACKAGES_LATEST
};
struct jic_packages_query {
	struct jic_index_lanes lanes;
	struct jic_view search; /**< part of the name, whatever its case; empty: any */
	enum jic_packages_sort sort;
	uint64_t limit, offset;
};

/** An artefact in a list. */
struct jic_index_item {
	uint64_t id; /**< grows with every publish */
	uint64_t lane_id;
	struct jic_view runtime, name, version, writer;
	struct jic_digest sysimage, key;
	struct jic_uuid uuid;
	uint64_t kind, ji_size, image_size, compile_ms, published_s, last_used_s;
	struct jic_msg_provenance provenance;
};
struct jic_items_query {
	struct jic_index_lanes lanes;
	struct jic_view package; /**< its whole name; empty: any */
	struct jic_view julia;   /**< version; empty: any */
	uint64_t before;         /**< only those with a smaller id; 0: from the last published */
	uint64_t limit;
};

/* ---- history */

enum jic_activity {
#define JIC_ACTIVITY(NAME, name) JIC_ACTIVITY_##NAME,
#include "server/tables/activity.def"
#undef JIC_ACTIVITY
	JIC_ACTIVITY_COUNT
};
const char *jic_activity_name(enum jic_activity activity);

/** Sums over one step of time. */
struct jic_index_step {
	uint64_t step_s, at_s; /**< at_s: its begin, Unix time */
	uint64_t lane_id;      /**< 0: the whole server */
	uint64_t values[JIC_ACTIVITY_COUNT];
};

/* ---- what was asked for */

struct jic_index_environment {
	struct jic_digest id;
	uint64_t lane_id;
	struct jic_view runtime; /**< the one that was answered, else the one that was asked for first */
	struct jic_digest sysimage;
	struct jic_view title; /**< a few names, for people */
	struct jic_view who;   /**< name of the token; empty: none */
	uint64_t first_s, last_s, times, wanted, stored;
	struct jic_view nodes; /**< packed (pack.h); empty in lists */
};
struct jic_index_miss {
	uint64_t lane_id;
	struct jic_digest key, sysimage, environment;
	struct jic_view runtime, name, version, reason, near_version, near_runtime, who;
	uint64_t first_s, last_s, times;
	bool stored; /**< published since, in the lane or above it; when reading only */
};

/** What was taken for each row: how many of the newest to keep. */
struct jic_index_keep {
	uint64_t environments, misses, departed;
	uint64_t fine_step_s, fine_from_s;     /**< of steps of this length those from then on */
	uint64_t coarse_step_s, coarse_from_s; /**< likewise */
};

struct jic_index_views {
	/** Rows that are kept up to date: takes no time, whatever is stored. */
	bool (*totals)(struct jic_index *ix, struct jic_index_totals *out, struct jic_error *err);
	/** Of all lanes, by lane. */
	bool (*held_list)(struct jic_index *ix, struct jic_arena *arena, const struct jic_index_held **out,
	                  size_t *count, struct jic_error *err);
	bool (*packages_list)(struct jic_index *ix, const struct jic_packages_query *query, struct jic_arena *arena,
	                      const struct jic_index_package **out, size_t *count, struct jic_error *err);
	/** The last published first. */
	bool (*items_list)(struct jic_index *ix, const struct jic_items_query *query, struct jic_arena *arena,
	                   const struct jic_index_item **out, size_t *count, struct jic_error *err);
	/** Steps that begin at `from_s` or later, by time, of some lanes and of the whole server. */
	bool (*steps_list)(struct jic_index *ix, uint64_t step_s, uint64_t from_s, const struct jic_index_lanes *lanes,
	                   struct jic_arena *arena, const struct jic_index_step **out, size_t *count,
	                   struct jic_error *err);
	/** The last asked for first. */
	bool (*environments_list)(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
	                          struct jic_arena *arena, const struct jic_index_environment **out, size_t *count,
	                          struct jic_error *err);
	/** JIC_ENOTFOUND. Whether the asker may see its lane is for the caller to find out. */
	bool (*environment_find)(struct jic_index_txn *t, const struct jic_digest *id, struct jic_arena *arena,
	                         struct jic_index_environment *out, struct jic_error *err);
	bool (*misses_list)(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
	                    struct jic_arena *arena, const struct jic_index_miss **out, size_t *count,
	                    struct jic_error *err);

	/** Where a key is stored, in any lane and space. */
	bool (*key_places)(struct jic_index_txn *t, const struct jic_digest *key, struct jic_arena *arena,
	                   const struct jic_index_place **out, size_t *count, struct jic_error *err);
	/** Whether a key was held by a lane once, in any space. */
	bool (*key_departed)(struct jic_index_txn *t, uint64_t lane, const struct jic_digest *key, bool *out,
	                     struct jic_error *err);
	/** What making the artefact took that a cache file belongs to, and one of its lanes. JIC_ENOTFOUND. */
	bool (*compile_ms_of)(struct jic_index_txn *t, const struct jic_digest *ji, uint64_t *compile_ms,
	                      uint64_t *lane, struct jic_error *err);

	/* Write transactions. The first three add to what is there. */
	bool (*step_add)(struct jic_index_txn *t, const struct jic_index_step *step, struct jic_error *err);
	bool (*environment_add)(struct jic_index_txn *t, const struct jic_index_environment *e, struct jic_error *err);
	bool (*miss_add)(struct jic_index_txn *t, const struct jic_index_miss *m, struct jic_error *err);
	/** Forget what is too old or too much. */
	bool (*keep)(struct jic_index_txn *t, const struct jic_index_keep *what, struct jic_error *err);
};

#endif
