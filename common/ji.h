/**
 * Julia's precompile cache file: header, dependency block, source text and trailing checksums of a `.ji`, all layouts
 * of Julia 1.5 to 1.12. The layout is that of src/dump.c (≤ 1.8) and src/staticdata_utils.c, src/precompile.c and
 * base/loading.jl:parse_cache_header (≥ 1.9); field by field in docs/ji-format.md.
 *
 * The reader copies nothing: every view points into the bytes that were given. It checks each length and count; what
 * Julia itself would read past, it refuses. Reader and writer share the elements of common/ji_layout.h and round-trip
 * in a test.
 */
#ifndef JIC_COMMON_JI_H
#define JIC_COMMON_JI_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/uuid.h"
#include "common/view.h"

#include <jicache/error.h>

enum {
	JIC_JI_BYTES_MAX = 1 << 30,        /**< a larger file is refused */
	JIC_JI_ENTRIES_MAX = 1 << 20,      /**< in any one list */
	JIC_JI_STRING_BYTES_MAX = 1 << 20, /**< any name or path */
};

/** 1.9+: high half of an id of a module in a package image, and in a system image. */
#define JIC_JI_CHECKSUM_MARK_PACKAGE 0xFAFBFCFDu
#define JIC_JI_CHECKSUM_MARK_SYSIMAGE 0xFDFCFBFAu

/** A build id: 128 bits (1.9+), or the 64 bits of 1.5–1.8 in `lo` with `hi` 0. Text form: 32 or 16 hex digits. */
struct jic_build_id {
	uint64_t hi, lo;
};
static inline bool jic_build_id_eq(struct jic_build_id a, struct jic_build_id b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
enum { JIC_BUILD_ID_TEXT = 32 };
/** 32 digits when hi is not 0, else 16. */
void jic_build_id_format(struct jic_build_id id, char text[JIC_BUILD_ID_TEXT + 1]);
jic_must_check bool jic_build_id_parse(struct jic_view text, struct jic_build_id *out);

/** A Julia version; pre-release and build parts are only in the text. */
struct jic_julia_version {
	unsigned major, minor, patch;
};
/** "1.11.1", "1.12.0-rc1", "1.13.0-DEV+4": three numbers, then the end, "-" or "+". */
jic_must_check bool jic_julia_version_parse(struct jic_view text, struct jic_julia_version *out);
static inline bool jic_julia_at_least(struct jic_julia_version v, unsigned major, unsigned minor, unsigned patch)
{
	return v.major != major ? v.major > major : v.minor != minor ? v.minor > minor : v.patch >= patch;
}

struct jic_ji_module {
	struct jic_view name;
	struct jic_uuid uuid; /**< nil: none */
	struct jic_build_id build_id;
};

/** A file that the compilation read. */
struct jic_ji_include {
	struct jic_view path;    /**< as stored: absolute, "@depot/…", or our canonical "@jicache/…" */
	uint64_t size;           /**< 1.11+: bytes of the file, or st_size of a directory; else 0 */
	uint32_t crc32c;         /**< 1.11+ */
	double mtime;            /**< seconds since the epoch; −1: content-tracked (1.11+); 0: absent */
	int32_t module_index;    /**< from 1 into `modules`; 0: read from outside of the package */
	struct jic_view modpath; /**< submodule names below it, joined by ".", in the arena */
	bool has_source;         /**< its text is in the file: it came from include(), not include_dependency() */
	struct jic_view source;  /**< that text */
	size_t record_offset;    /**< where the record begins, in bytes from the start of the file */
};

/** "module `from` evaluated `import name` and got this UUID" */
struct jic_ji_require {
	int32_t module_index; /**< as above */
	struct jic_uuid uuid; /**< nil: a package without */
	struct jic_view name;
};

struct jic_ji_source {
	struct jic_view name, text;
};

/** Where the parts begin, in bytes from the start of the file: what a rewrite moves and an image is compared with. */
struct jic_ji_layout {
	size_t image_fields; /**< end of the fixed prefix; 1.9+: checksum, offsets and flags begin here */
	size_t worklist;
	size_t dependencies;  /**< the field totbytes */
	size_t required;      /**< right behind the field srctextpos */
	size_t clone_targets; /**< end of the required modules */
	size_t header_end;
	size_t trailer; /**< 0 when only the header was read */
};

struct jic_ji {
	struct jic_view bytes; /**< the whole file */
	struct jic_ji_layout at;

	/* fixed prefix */
	uint16_t format;
	uint8_t pointer_bytes;
	struct jic_view uname, arch, version_text, branch, commit;
	struct jic_julia_version version;

	/* 1.9+: images; zero before */
	bool has_image_fields;
	uint8_t pkgimage;              /**< 0 in a `.ji`, 1 in the blob of a `.so` */
	uint64_t checksum;             /**< high half of the build ids */
	uint64_t data_start, data_end; /**< a stand-alone file's data, absolute offsets; 0 when it lies in the image */
	uint8_t flags;                 /**< see jic_ji_flags_* */

	struct jic_ji_module *modules; /**< what this file provides; the first is the package itself */
	size_t modules_count;
	struct jic_ji_include *includes; /**< the first is the package's entry file */
	size_t includes_count;
	struct jic_ji_require *requires_;
	size_t requires_count;
	struct jic_ji_module *required; /**< every other module that was loaded when it was compiled */
	size_t required_count;

	bool has_preferences; /**< 1.6+ */
	struct jic_view *preferences;
	size_t preferences_count;
	uint64_t preferences_hash;

	struct jic_view clone_targets; /**< 1.9+; empty: there is no image beside this file */

	uint64_t source_text_offset; /**< 0: none */
	struct jic_ji_source *sources;
	size_t sources_count;

	/* trailer */
	uint32_t image_crc32c; /**< 1.9+: of the whole image file, 0 without one */
	uint32_t file_crc32c;  /**< of everything before it */
};

/** The cache flags byte, 1.9+ (src/staticdata_utils.c:jl_cache_flags, base/loading.jl:CacheFlags). */
static inline unsigned jic_ji_flags_pkgimages(uint8_t f)
{
	return f & 1u;
}
static inline unsigned jic_ji_flags_debug(uint8_t f)
{
	return f >> 1 & 3u;
}
static inline unsigned jic_ji_flags_check_bounds(uint8_t f)
{
	return f >> 3 & 3u;
}
static inline unsigned jic_ji_flags_inline(uint8_t f)
{
	return f >> 5 & 1u;
}
static inline unsigned jic_ji_flags_opt(uint8_t f)
{
	return f >> 6 & 3u;
}

/**
 * Read a whole `.ji`, header to trailer. Structure only: call jic_ji_verify() for the checksums.
 * @param bytes  borrowed; must outlive `out`
 * @param arena  owns the lists
 * @return false with JIC_EFORMAT (text names the field and byte offset), JIC_EUNSUPPORTED (layout we don't know),
 * JIC_ELIMIT
 */
jic_must_check bool jic_ji_parse(struct jic_view bytes, struct jic_arena *arena, struct jic_ji *out,
                                 struct jic_error *err);

/**
 * Read only as far as the required modules and clone targets; `sources` stays empty, has_source false, trailer 0. Works
 * on a prefix of a file: bytes may end anywhere after the clone targets. For scanning many local files quickly.
 */
jic_must_check bool jic_ji_parse_header(struct jic_view bytes, struct jic_arena *arena, struct jic_ji *out,
                                        struct jic_error *err);

static inline struct jic_build_id jic_ji_build_id(const struct jic_ji *ji)
{
	return (struct jic_build_id){.hi = ji->checksum, .lo = ji->modules_count ? ji->modules[0].build_id.lo : 0};
}

/**
 * Check what the file's own bytes can prove: trailing CRC; 1.9+ the checksum's mark and, stand-alone, the CRC of the
 * data and a zero image CRC. @return false with JIC_ECORRUPT
 */
jic_must_check bool jic_ji_verify(const struct jic_ji *ji, struct jic_error *err);

/**
 * Check that an image belongs to this `.ji`: CRC of the whole image file equal to image_crc32c, the blob
 * `jl_system_image_data` in it (ELF symbol) with the same prefix, checksum, flags and required modules, and the CRC of
 * its data. Of images that are not 64-bit ELF (written on Darwin, Windows, or 32-bit) only the whole file's CRC is
 * checked, which covers the rest.
 * @param image the whole `.so`
 * @param crc32c_known CRC of `image` when the caller has it already, else NULL
 * @return false with JIC_ECORRUPT or JIC_EFORMAT
 */
jic_must_check bool jic_ji_verify_image(const struct jic_ji *ji, struct jic_view image, const uint32_t *crc32c_known,
                                        struct jic_error *err);

/** What a rewrite changes of one include record; the source-text section's name follows the path. */
struct jic_ji_edit {
	struct jic_view path;
	uint64_t size;   /**< 1.11+ */
	uint32_t crc32c; /**< 1.11+ */
	double mtime;
};

/**
 * Write the same file with other include records: adjusts lengths, totbytes, srctextpos, the padding and the offsets of
 * a stand-alone file's data (aligned to 64, on Darwin/aarch64 and PowerPC to 128), and the trailing CRC. Everything
 * else is kept byte for byte; no build id depends on what changes here.
 * @param edits  one for each include, in order; includes with equal paths that have a source text need equal new paths
 * @param[out] out appended; with what is there on failure the caller does nothing
 * @return false with JIC_EUSAGE (an edit that no layout can hold), JIC_ELIMIT, JIC_EMEMORY
 */
jic_must_check bool jic_ji_rewrite(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct jic_buf *out,
                                   struct jic_error *err);

/** The rewritten file in three pieces, of which the large one is not copied: head ‖ data ‖ tail. */
struct jic_ji_parts {
	struct jic_buf head;
	struct jic_view data; /**< in the bytes of the original */
	struct jic_buf tail;
};
/** As jic_ji_rewrite(). Release with jic_ji_parts_clear(); untouched but empty on failure. */
jic_must_check bool jic_ji_rewrite_parts(const struct jic_ji *ji, const struct jic_ji_edit *edits,
                                         struct jic_ji_parts *out, struct jic_error *err);
void jic_ji_parts_clear(struct jic_ji_parts *p);

#endif
