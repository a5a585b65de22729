/**
 * Is a source file still what a cache file was compiled from? By Julia's own measures: the six rules for file times
 * (≤ 1.10, and track_content=false later), size and CRC (≥ 1.11); and by ours: the text in the `.ji`, SHA-256 of an
 * input. Sources: base/loading.jl:stale_cachefile and any_includes_stale, base/stat.jl, src/sys.c:jl_stat_mtime.
 */
#ifndef JIC_CLIENT_FRESH_H
#define JIC_CLIENT_FRESH_H

#include "client/lib/julia/refusal.h"
#include "client/lib/memory/memory.h"
#include "common/ji.h"
#include "common/message.h"

#include <sys/stat.h>

/** A file's time as Julia computes it: seconds + nanoseconds · 1e-9, each step rounded once. */
double jic_fresh_mtime(const struct stat *st);

/** Does Julia take a file of time `actual` for one that was recorded with `recorded`? */
bool jic_fresh_mtime_accepted(struct jic_julia_version v, double recorded, double actual);

/**
 * What to record for a file of this time. From 1.8.3 on the next larger double: Julia accepts a file up to a
 * microsecond older than recorded, and a Julia built with fused multiply-add computes one unit in the last place more
 * or less.
 */
double jic_fresh_mtime_to_record(struct jic_julia_version v, double actual);

/**
 * CRC-32C as Julia ≥ 1.11 records it: of a file's bytes, or of a directory's sorted entry names without separator. A
 * file's is remembered by its identity when `m` is given. `st` is the file's. @return false with JIC_EIO, JIC_ENOTFOUND
 */
jic_must_check bool jic_fresh_crc(const char *path, const struct stat *st, struct jic_memory *m, uint32_t *out,
                                  struct jic_error *err);

/** Is the file's content exactly `text`? False, without an error, when it differs or can't be read. */
bool jic_fresh_same_text(const char *path, struct jic_view text);

/** Type and digest of what is at `path` now; `out->path` is left alone. */
jic_must_check bool jic_fresh_input(const char *path, struct jic_msg_input *out, struct jic_error *err);

/** What a record must find at its path, so that Julia takes it as fresh (record by record, staleness rules of the
 * version). */
jic_must_check bool jic_fresh_record(struct jic_julia_version v, const struct jic_ji_include *record, const char *path,
                                     struct jic_memory *m, struct jic_error *err);
/** The same, and the step that it fails at. @param[out] why may be NULL; may be set even when the record is fresh */
jic_must_check bool jic_fresh_judge(struct jic_julia_version v, const struct jic_ji_include *record, const char *path,
                                    struct jic_memory *m, enum jic_refusal *why, struct jic_error *err);

#endif
