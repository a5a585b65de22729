/**
 * Addresses: (runtime, sysimage, Merkle key), and the canonical encoding that they are digests of.
 * The encoding, field by field, with test vectors: schema/address.md and schema/address-vectors.json.
 *
 *     string(s) = u32 little-endian length ‖ bytes        list(xs) = u32 little-endian count ‖ distinct elements,
 * sorted bytewise
 *
 * Client and server both compute them: the client from its environment, the server from the descriptors in a publish
 * request, so that an address can't claim other inputs than its own.
 */
#ifndef JIC_COMMON_ADDRESS_H
#define JIC_COMMON_ADDRESS_H

#include "common/digest.h"
#include "common/ji.h"
#include "common/uuid.h"
#include "common/view.h"

#include <jicache/error.h>

/** A cache bundled with the Julia installation. */
struct jic_bundled {
	struct jic_view name;
	struct jic_uuid uuid;
	struct jic_build_id build_id;
};

/** All that decides how code is compiled. Strings are verbatim what Julia says of itself. */
struct jic_runtime {
	struct jic_view version; /**< VERSION, "1.11.1" */
	struct jic_view branch;  /**< Base.GIT_VERSION_INFO.branch, may be empty */
	struct jic_view commit;  /**< 40 hex digits or empty */
	struct jic_view uname;   /**< as in the `.ji` prefix: "Linux" */
	struct jic_view arch;    /**< as in the `.ji` prefix: "x86_64" */
	struct jic_view triplet; /**< Sys.MACHINE: "x86_64-linux-gnu", names the libc */
	unsigned word_bits;      /**< 64 or 32 */
	struct jic_view flags;   /**< jic_runtime_flags_text() */
	struct jic_view
	    cpu; /**< jic_runtime's CPU part: "" (no native code), "target:STRING" or "host:NAME;FEATURES" */
	const struct jic_bundled *bundled; /**< in any order */
	size_t bundled_count;
};

enum { JIC_RUNTIME_ID_BYTES_MAX = 192 };

/**
 * The cache flags as far as they are part of identity: "" for Julia ≤ 1.8, "pkgimages=0" when bit 0 is clear (Julia
 * then compares nothing else), else "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2".
 */
void jic_runtime_flags_text(struct jic_julia_version version, uint8_t flags, char text[64]);

/** "julia-VERSION-TRIPLET-" and 64 hex digits of SHA-256 of the canonical encoding. @return false with JIC_ELIMIT
 *  (a field or the id is too long), JIC_EUSAGE (version or triplet have other characters than [0-9A-Za-z._+-]) */
jic_must_check bool jic_runtime_id(const struct jic_runtime *r, char id[JIC_RUNTIME_ID_BYTES_MAX],
                                   struct jic_error *err);
/** SHA-256 of the canonical encoding of the bundled caches alone (field 11): which of two runtimes' parts differ can
 * then be told without the list. @return false with JIC_ELIMIT or JIC_EMEMORY */
jic_must_check bool jic_runtime_bundled_digest(const struct jic_runtime *r, struct jic_digest *out,
                                               struct jic_error *err);
/** A well-formed runtime id, whatever it stands for. */
bool jic_runtime_id_valid(struct jic_view id);

enum jic_node_kind { JIC_NODE_PACKAGE, JIC_NODE_EXTENSION, JIC_NODE_STDLIB };
const char *jic_node_kind_name(enum jic_node_kind kind); /**< "package", "extension", "stdlib" */
jic_must_check bool jic_node_kind_parse(struct jic_view name, enum jic_node_kind *out);

/** The inputs of one node: what its Merkle key is a digest of. */
struct jic_node_inputs {
	enum jic_node_kind kind;
	struct jic_view name;
	struct jic_uuid uuid;
	/** "git-tree-sha1:" 40 hex, "content:" 64 hex (developed packages), "julia" (stdlibs) or "parent" (extensions)
	 */
	struct jic_view source;
	/** what deps/build.jl left: "" or "content:" 64 hex */
	struct jic_view build;
	/** canonical text of the merged preferences that apply, "" when there are none: schema/address.md */
	struct jic_view preferences;
	/** Merkle keys of direct dependencies; for an extension those of its parent and its triggers. Any order, no
	 * duplicates. */
	const struct jic_digest *deps;
	size_t deps_count;
	/** "UUID-OF-PARENT/Name" of each extension that Julia loads beside this node when compiling it. Any order. */
	const struct jic_view *extensions;
	size_t extensions_count;
};

/** @return false with JIC_EUSAGE (no name, or source or build of another form than above), JIC_ELIMIT or JIC_EMEMORY */
jic_must_check bool jic_node_key(const struct jic_node_inputs *inputs, struct jic_digest *out, struct jic_error *err);

#endif
