/**
 * Two locks that keep placing files orderly. Neither is needed for correctness, since every file gets its name by
 * rename and Julia checks what it opens; so both waits are bounded.
 *
 * The depot lock `<depot>/compiled/vX.Y/.jicache.lock` (flock) is among jicache processes: two of them don't place the
 * same artefacts side by side.
 *
 * The package lock is Julia's own, 1.10+ (base/loading.jl:maybe_cachefile_lock, stdlib/FileWatching/src/pidfile.jl): a
 * file `<cache file>.pidfile` in DEPOT_PATH[1], created exclusively, with "<pid> <hostname>" in it. While Julia holds
 * it, it is compiling that package; while we hold it, a Julia that is about to compile waits and then looks for files
 * again.
 */
#ifndef JIC_CLIENT_LOCK_H
#define JIC_CLIENT_LOCK_H

#include "client/lib/julia/facts.h"

enum {
	JIC_LOCK_DEPOT_WAIT_MS = 10000,
	JIC_LOCK_PACKAGE_WAIT_MS = 3000,
	JIC_LOCK_POLL_MS = 20,
	JIC_LOCK_STALE_S = 10,     /**< compilecache_pidlock_stale_age: then the holder must be alive */
	JIC_LOCK_STALE_FACTOR = 5, /**< after so many times that age the lock is stale whoever holds it */
};

/** @return a file descriptor that holds the lock until it is closed; −1: not got within `wait_ms`, or it can't be had
 * here */
int jic_lock_depot(const char *compiled_dir, unsigned wait_ms);

/**
 * Path of the pidfile that a session with these facts uses for a package; in the arena, empty before 1.10.
 * The name is that of the cache file for no project and no preferences (compilecache_pidfile_path).
 */
struct jic_view jic_lock_package_path(const struct jic_facts *f, struct jic_view name, struct jic_uuid uuid,
                                      struct jic_arena *arena);

enum jic_lock_result {
	JIC_LOCK_HELD_BY_US, /**< release with jic_lock_package_release() */
	JIC_LOCK_BUSY,       /**< a live Julia held it all the time */
	JIC_LOCK_NONE, /**< there is nothing to lock: no such directory, or not writable, so no Julia compiles there */
};
enum jic_lock_result jic_lock_package(const char *pidfile, unsigned wait_ms);
/** Removes the file if it is still ours. */
void jic_lock_package_release(const char *pidfile);

#endif
