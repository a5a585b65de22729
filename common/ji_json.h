/**
 * A parsed `.ji` as one line of JSON, for people and scripts (`jicache inspect --json`). Field names and meaning are
 * those of what Julia's own reader gives (Base.parse_cache_header): ids and checksums are lower-case hex texts, an
 * absent UUID is null, `mtime` is a number of seconds (null when the file has no finite one), `modpath` joins
 * submodules by ".".
 *
 *     file, checksum*, flags*, modules[], includes[] (path, size†, crc32c†, mtime, modpath, module_index, has_source),
 *     requires[] (from, to), required_modules[], preferences‡[], preferences_hash‡, source_text_offset,
 *     clone_targets_bytes*, crc_valid; julia_version, format, branch, commit, uname, arch, pointer_bytes, bytes,
 *     data_start*, data_end*, image_crc32c*, file_crc32c, sources[]              * 1.9+   † 1.11+   ‡ 1.6+
 */
#ifndef JIC_COMMON_JI_JSON_H
#define JIC_COMMON_JI_JSON_H

#include "common/buf.h"
#include "common/ji.h"

/**
 * Always valid JSON: U+FFFD stands for what is not UTF-8, and for NUL.
 * @param file_name as the field `file` shall have it
 * @param crc_valid what jic_ji_verify() said
 * @param[out] out  appended, no newline
 */
jic_must_check bool jic_ji_json(const struct jic_ji *ji, const char *file_name, bool crc_valid, struct jic_buf *out,
                                struct jic_error *err);

#endif
