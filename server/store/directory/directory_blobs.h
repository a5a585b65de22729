/**
 * Blobs as files:
 *
 *     DIR/blobs/ab/cdef….zst   a blob, under the first two and the other 62 hex digits of its digest
 *     DIR/tmp/…                bytes on their way in
 *
 * A blob gets its name by rename after fsync of its bytes, and counts as stored after fsync of the directory that holds
 * the name. What a crash leaves in tmp is removed at the next opening.
 */
#ifndef JIC_SERVER_STORE_DIRECTORY_BLOBS_H
#define JIC_SERVER_STORE_DIRECTORY_BLOBS_H

#include "server/store/blobs.h"

/**
 * Open or create. @param dir exists; borrowed for the call
 * @param owner the only process that writes here: it may empty tmp
 */
struct jic_blobs *jic_directory_blobs_open(const char *dir, bool owner, struct jic_error *err);

#endif
