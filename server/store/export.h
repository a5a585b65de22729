/**
 * Lanes as tar files, for servers that can't reach each other. The format: schema/export.md.
 *
 * An export has what a reader of the lane is offered, with all that it requires of the lanes above, so an import
 * stands alone. An import is a publish: everything is checked from the bytes, nothing is taken on trust, and an address
 * that has an artefact keeps it.
 */
#ifndef JIC_SERVER_STORE_EXPORT_H
#define JIC_SERVER_STORE_EXPORT_H

#include "server/store/store.h"

#define JIC_EXPORT_FORMAT "jicache-export-1"
#define JIC_EXPORT_HEADER "jicache-export.json"
#define JIC_EXPORT_END "end.json"
#define JIC_EXPORT_SET "sets/%08llu.json" /**< numbered from 1 */

enum {
	JIC_EXPORT_SET_MAX = 2048, /**< artefacts in one set */
	JIC_EXPORT_HEADER_BYTES_MAX = 64 * 1024,
};

struct jic_export {
	struct jic_view lane;
	const char *data_dir; /**< a copy of the index is made there for as long as it takes */
	int fd;               /**< where the archive goes, a pipe at will; borrowed, and not synced */
};
struct jic_exported {
	uint64_t sets, artefacts, blobs, bytes; /**< in the archive; bytes: of blobs, as stored */
	uint64_t lost;                          /**< had no bytes, or stand on such: evicted meanwhile, or damage */
	uint64_t untold;                        /**< of runtimes of which the index doesn't know what is bundled */
	const struct jic_view *runtimes;        /**< of these, in the arena; the first few */
	size_t runtimes_count;
};
/**
 * Write a lane's archive, beside a server that goes on: what was stored at one moment, but for what is evicted before
 * its turn comes. Keeps two files open for each artefact of a set.
 * @return false with JIC_ENOTFOUND: there is no such lane; else the store failed, or the writing, and there is no end
 */
jic_must_check bool jic_store_export(struct jic_store *s, const struct jic_export *what, struct jic_arena *arena,
                                     struct jic_exported *out, struct jic_error *err);

struct jic_import {
	struct jic_view lane; /**< to take it into; empty: the archive's own */
	int fd;               /**< where the archive comes from, a pipe at will; borrowed */
	/** Whether the lane takes only what is signed. NULL: none does. */
	bool (*signed_only)(const void *context, struct jic_view lane);
	/** Told of each set that is refused, in a sentence. */
	void (*refused)(const void *context, const char *why);
	const void *context; /**< of both */
};
struct jic_imported {
	uint64_t sets;       /**< that were read to their end */
	uint64_t skipped;    /**< of these, there was nothing new in */
	uint64_t refused;    /**< of these, nothing was taken of */
	uint64_t published;  /**< artefacts: new with this import */
	uint64_t existing;   /**< artefacts: were there, the same bytes */
	uint64_t superseded; /**< artefacts: their address has another one, or they were built on such a one */
	uint64_t blobs;      /**< whose bytes were taken from the archive */
	uint64_t bytes;      /**< of these, as they came */
};
/**
 * Take in an archive, beside a server that goes on: set by set, all of a set or nothing. Once more does no harm and
 * goes on where it was cut off.
 * @return false with JIC_EFORMAT: it is no archive of ours, or cut off; JIC_ENOTFOUND: there is no such lane;
 * JIC_ENOSPACE; else the store failed. `out` says what was taken before.
 */
jic_must_check bool jic_store_import(struct jic_store *s, const struct jic_import *what, struct jic_imported *out,
                                     struct jic_error *err);

#endif
