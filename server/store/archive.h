/**
 * Tar files, by way of libarchive: what an export and a backup in one file are written as.
 *
 * Written is ustar, with pax records where a value needs them (a file of more than 8 GiB), so every tar reads it. Read
 * is little of what calls itself tar: plain files of a known size, without holes, with short names of few characters,
 * and nothing compressed around them. A name never is a place on disk: who reads compares it with what it expects.
 *
 * Both stream, in bounded memory. An object belongs to one thread.
 *
 * Errors, unless a function says more: JIC_EFORMAT (not such a file, or cut off), JIC_EIO, JIC_ENOSPACE, JIC_EMEMORY.
 */
#ifndef JIC_SERVER_STORE_ARCHIVE_H
#define JIC_SERVER_STORE_ARCHIVE_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/digest.h"

#include <jicache/error.h>

/* ---- writing */

struct jic_archive_writer;
/** @param fd borrowed, written from where it stands; may be a pipe */
struct jic_archive_writer *jic_archive_writer_new(int fd, struct jic_error *err);
/** Without a finish the archive has no end. */
void jic_archive_writer_free(struct jic_archive_writer *w);
JIC_DEFINE_AUTO(jic_archive_writer, jic_archive_writer_free)
/** A file of bytes at hand. */
jic_must_check bool jic_archive_writer_put(struct jic_archive_writer *w, const char *name, struct jic_view bytes,
                                           struct jic_error *err);
/** A file of `size` bytes that are read from `fd`. JIC_EIO when there are fewer: the archive is of no use then. */
jic_must_check bool jic_archive_writer_copy(struct jic_archive_writer *w, const char *name, int fd, uint64_t size,
                                            struct jic_error *err);
/** The end of the archive. Nothing is synced. */
jic_must_check bool jic_archive_writer_finish(struct jic_archive_writer *w, struct jic_error *err);

/* ---- reading */

enum { JIC_ARCHIVE_NAME_BYTES_MAX = 100 };

/** The name of a blob's entry: "blobs/", 64 hex digits, ".zst". */
void jic_archive_blob_name(const struct jic_digest *digest, char out[JIC_ARCHIVE_NAME_BYTES_MAX + 1]);
/** The other way round. @return false: it is no such name */
jic_must_check bool jic_archive_blob_parse(const char *name, struct jic_digest *out);

struct jic_archive_entry {
	char name[JIC_ARCHIVE_NAME_BYTES_MAX + 1]; /**< of [A-Za-z0-9._/-], no segment empty, "." or ".." */
	uint64_t size;                             /**< that the entry says it has */
};

struct jic_archive_reader;
/** @param fd borrowed, read from where it stands; may be a pipe */
struct jic_archive_reader *jic_archive_reader_new(int fd, struct jic_error *err);
void jic_archive_reader_free(struct jic_archive_reader *r);
JIC_DEFINE_AUTO(jic_archive_reader, jic_archive_reader_free)
/** The next file; what was not read of the one before is skipped. @param[out] more false: there is none */
jic_must_check bool jic_archive_reader_next(struct jic_archive_reader *r, struct jic_archive_entry *out, bool *more,
                                            struct jic_error *err);
/** A piece of the file's bytes; false ends the reading and is passed up. */
typedef bool jic_archive_piece_fn(void *context, struct jic_view bytes, struct jic_error *err);
/** All bytes of the file that next() gave: exactly as many as it says. */
jic_must_check bool jic_archive_reader_each(struct jic_archive_reader *r, jic_archive_piece_fn *each, void *context,
                                            struct jic_error *err);
/** The same into memory. JIC_ELIMIT when it has more than `bytes_max`. */
jic_must_check bool jic_archive_reader_text(struct jic_archive_reader *r, size_t bytes_max, struct jic_buf *out,
                                            struct jic_error *err);

#endif
