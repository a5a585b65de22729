/**
 * The environments that this user's jicache has seen, in a small SQLite database of the memory directory: what a cache
 * file is for can't be told from the file alone, and gc has to know which ones nobody can use any more.
 *
 *     environment ─┬─ state ── node (name, key, version, build)      build ── the builds that it was compiled against
 *                  └─ state ── node                                           (as Julia recorded them)
 *
 * A state is one resolution of an environment and the builds that Julia would load for it; another manifest or build is
 * another state. Older ones are kept for a month, so that a file can still be told by name; only the newest counts as
 * what the environment uses. Deleting the database forgets all of it; then gc leaves alone what lay in the depots
 * before, for a month.
 *
 * Several processes may use it; nobody waits longer than a quarter of a second, what was not written then is noted next
 * time.
 */
#ifndef JIC_CLIENT_HISTORY_H
#define JIC_CLIENT_HISTORY_H

#include "client/lib/session/session.h"

#define JIC_HISTORY_FILE "history.sqlite"

enum {
	JIC_HISTORY_NOTE_S = 24 * 60 * 60,      /**< an unchanged state is noted again after a day */
	JIC_HISTORY_KEEP_S = 30 * 24 * 60 * 60, /**< a state that is not the newest any more is kept so long */
	JIC_HISTORY_STATES_MAX = 64,            /**< of one environment */
};

struct jic_history;
/** @return NULL with JIC_EDENIED, JIC_EIO, JIC_ECORRUPT (the text says what to do), JIC_EUNSUPPORTED (a newer one's) */
struct jic_history *jic_history_open(const char *memory_dir, struct jic_error *err);
void jic_history_free(struct jic_history *h);
JIC_DEFINE_AUTO(jic_history, jic_history_free)

/**
 * Remember the session's environment. Cheap when the same was noted within a day.
 * @param placed for each node: a file was placed since `locals` was found, so its build is not known; may be NULL
 * @param now_s  seconds since the epoch
 */
jic_must_check bool jic_history_record(struct jic_history *h, const struct jic_session *s,
                                       const struct jic_locals *locals, const bool *placed, int64_t now_s,
                                       struct jic_error *err);

/** Open, record and close; what can't be remembered is not. */
void jic_history_note(const struct jic_session *s, const struct jic_locals *locals, const bool *placed);

/** Before the first file is placed: so that gc knows it for one whose environment it would have been told of. */
void jic_history_begin(const char *memory_dir);

/** Seconds since the epoch at which this database began to remember. */
jic_must_check bool jic_history_began(struct jic_history *h, int64_t *began_s, struct jic_error *err);

/** One environment as one Julia with one set of options sees it. Texts are NUL-terminated. */
struct jic_known {
	int64_t id;
	struct jic_view project;    /**< the project file; "" when there was none */
	struct jic_view julia;      /**< the executable */
	struct jic_view julia_args; /**< as jic_session_options.julia_args, "" for none */
	struct jic_view version;    /**< of Julia */
	struct jic_digest sysimage;
	const struct jic_view *runtimes; /**< accepted runtime ids, best first */
	size_t runtimes_count;
	const struct jic_view *depot_path, *load_path;
	size_t depot_path_count, load_path_count;
	int64_t seen_s; /**< last time */
};
/** The last seen first. @param arena owns what comes out */
jic_must_check bool jic_history_environments(struct jic_history *h, struct jic_arena *arena,
                                             const struct jic_known **out, size_t *count, struct jic_error *err);

/** A package as some state of an environment had it. */
struct jic_known_node {
	int64_t environment;
	struct jic_view name, version;
	struct jic_uuid uuid;
	struct jic_digest key;
	struct jic_build_id build; /**< what Julia would have loaded; zero: nothing was there */
	bool current;              /**< of the environment's newest state */
};
/** All nodes of all states that are kept, each distinct one once. */
jic_must_check bool jic_history_nodes(struct jic_history *h, struct jic_arena *arena, const struct jic_known_node **out,
                                      size_t *count, struct jic_error *err);

/** The builds that this one was compiled against, as Julia recorded them; none for an unknown one. */
jic_must_check bool jic_history_required(struct jic_history *h, struct jic_build_id build, struct jic_arena *arena,
                                         const struct jic_build_id **out, size_t *count, struct jic_error *err);

/** Forget an environment with all its states, and builds that nothing names any more. */
jic_must_check bool jic_history_forget(struct jic_history *h, int64_t environment, struct jic_error *err);

#endif
