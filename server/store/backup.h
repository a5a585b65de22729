/**
 * Copies of a whole store: made beside a server that goes on, and brought back. A copy is a data directory.
 *
 * Blobs are shared first, then one snapshot of the index is taken, then blobs that came meanwhile. The snapshot gets
 * its name last, so a directory that has one copy has it until the next is complete.
 */
#ifndef JIC_SERVER_STORE_BACKUP_H
#define JIC_SERVER_STORE_BACKUP_H

#include "server/store/store.h"

/** What a backup in one file has, in this order: a header, blobs as they are stored, the index, an end. docs/storage.md
 */
#define JIC_BACKUP_FORMAT "jicache-backup-1"
#define JIC_BACKUP_HEADER "jicache-backup.json"
#define JIC_BACKUP_INDEX "index.sqlite"
#define JIC_BACKUP_END "end.json"

struct jic_backup {
	uint64_t blobs;       /**< that the copy has */
	uint64_t fresh;       /**< of these, that it did not have before */
	uint64_t fresh_bytes; /**< as stored */
	uint64_t removed;     /**< that it had, and needs no more */
	uint64_t missing;     /**< that the index names and that have no bytes: damage, which fsck tells more of */
};

/**
 * @param dir made when absent; a copy in it is brought up to date, which reads and writes only what has changed
 * @return false with JIC_EUSAGE when `dir` is the store itself or was served from, JIC_EBUSY when another backup writes
 * there, or when index or blobs failed; what was in `dir` is whole then
 */
jic_must_check bool jic_store_backup(struct jic_store *s, const char *data_dir, const char *dir, struct jic_backup *out,
                                     struct jic_error *err);

/** The same as one tar file, in one pass. @param fd where it goes, a pipe at will; borrowed, and not synced */
jic_must_check bool jic_store_backup_file(struct jic_store *s, const char *data_dir, int fd, struct jic_backup *out,
                                          struct jic_error *err);

/** Make a data directory of a copy, which stays as it is. @param data_dir without an index, JIC_ECONFLICT; may be
 * absent */
jic_must_check bool jic_store_restore(const char *dir, const char *data_dir, struct jic_backup *out,
                                      struct jic_error *err);

/** The same of one tar file. JIC_EFORMAT when it is none of these, or cut off: there is no store then, and it can be
 * done again. @param fd where it comes from, a pipe at will; borrowed */
jic_must_check bool jic_store_restore_file(int fd, const char *data_dir, struct jic_backup *out, struct jic_error *err);

#endif
