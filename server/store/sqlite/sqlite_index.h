/**
 * The index in one SQLite file, WAL mode, synchronous=FULL: a commit that returned is on disk. One connection writes,
 * some others read snapshots beside it; several processes may have the file open (the admin commands beside a server).
 */
#ifndef JIC_SERVER_STORE_SQLITE_INDEX_H
#define JIC_SERVER_STORE_SQLITE_INDEX_H

#include "server/store/index.h"

/**
 * Open, create or migrate. @param path of the file; its directory exists; borrowed for the call
 * @return NULL with JIC_EUNSUPPORTED when a newer jicached has migrated the file, JIC_EFORMAT when it is another
 *         program's, else as index.h
 */
struct jic_index *jic_sqlite_index_open(const char *path, struct jic_error *err);
/** The same, and tell of a migration. @param watch borrowed for the call; NULL: nobody wants to know */
struct jic_index *jic_sqlite_index_open_watched(const char *path, const struct jic_migration_watch *watch,
                                                struct jic_error *err);

#endif
