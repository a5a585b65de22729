/**
 * Digests of files, remembered by file identity (device, inode, size, times), so that what did not change is not read
 * again. One small sorted file per purpose in the memory directory; a missing or damaged one is empty, and what can't
 * be written is forgotten: nothing depends on it.
 *
 * A file that changed less than two seconds before it was read is not remembered: another change in the same tick of a
 * coarse clock would leave its identity as it is.
 */
#ifndef JIC_CLIENT_REMEMBERED_H
#define JIC_CLIENT_REMEMBERED_H

#include "common/digest.h"
#include "common/file.h"

struct jic_remembered;
/** @param dir the memory directory (jic_memory_dir()) or NULL: nothing is remembered. @return NULL when out of memory
 */
struct jic_remembered *jic_remembered_open(const char *dir, const char *name);
void jic_remembered_free(struct jic_remembered *r);
JIC_DEFINE_AUTO(jic_remembered, jic_remembered_free)

/** @param[out] note the 32 bits that were stored with it */
jic_must_check bool jic_remembered_find(const struct jic_remembered *r, const struct jic_file_identity *file,
                                        struct jic_digest *digest, uint32_t *note);
void jic_remembered_add(struct jic_remembered *r, const struct jic_file_identity *file, const struct jic_digest *digest,
                        uint32_t note);
/** Write what was added, if anything was. */
void jic_remembered_save(struct jic_remembered *r);

#endif
