/**
 * What a Julia says of itself: asked once from a running Julia, remembered on disk by the identity (device, inode,
 * size, times) of the executable and the system image, and by the environment variables and options that the answers
 * depend on. Later runs start no Julia.
 */
#ifndef JIC_CLIENT_FACTS_H
#define JIC_CLIENT_FACTS_H

#include "client/lib/julia/julia_hash.h"
#include "common/address.h"
#include "common/arena.h"
#include "common/ji.h"

#include <jicache/error.h>

/** A cache file that came with the installation (share/julia/compiled), read from its header. */
struct jic_bundled_file {
	struct jic_bundled cache; /**< name, UUID, build id */
	uint8_t flags;            /**< cache flags byte */
	struct jic_view path;
	struct jic_view clone_targets;
};

struct jic_facts {
	struct jic_view julia;      /**< the executable that was asked: absolute path, links kept */
	struct jic_view julia_bin;  /**< JLOptions.julia_bin: what really runs */
	struct jic_view image_file; /**< JLOptions.image_file: the system image */
	struct jic_digest sysimage; /**< SHA-256 of that file, remembered by its identity */

	struct jic_view version_text;
	struct jic_julia_version version;
	struct jic_view branch, commit;       /**< Base.GIT_VERSION_INFO, may be empty */
	struct jic_view uname, arch, triplet; /**< as in the `.ji` prefix; Sys.MACHINE */
	unsigned word_bits;

	struct jic_view bindir, stdlib_dir; /**< Sys.BINDIR, Sys.STDLIB */
	const struct jic_view *depot_path;  /**< DEPOT_PATH as Julia has it, made absolute */
	size_t depot_path_count;
	const struct jic_view *load_path; /**< LOAD_PATH as Julia has it: "@", "@v#.#", "@stdlib", paths */
	size_t load_path_count;

	uint8_t flags; /**< this session's cache flags, 1.9+; 0 before */
	/** --pkgimages=existing (1.11+): it loads images, first of all, and makes none; bit 0 of `flags` is clear */
	bool existing_images;
	struct jic_view
	    cpu_target; /**< what images are compiled for: JULIA_CPU_TARGET, else JLOptions.cpu_target ("native") */
	struct jic_view session_target; /**< what this session runs for: JLOptions.cpu_target (`-C`), else "native" */
	/** The same as a blob of one target with what it must not use (targets.h), from Julia; empty before 1.10 */
	struct jic_view jit_target;
	struct jic_view site_targets; /**< $JICACHE_CPU_TARGETS: what else this site compiles for, blanks between */
	struct jic_view cpu_name;     /**< LLVM's name of the host CPU */
	struct jic_view cpu_features; /**< the host's features as Julia reports them, "" before 1.9 */

	struct jic_julia_hashing hashing; /**< of preferences */

	const struct jic_ji_module
	    *sysimage_modules; /**< root modules that the system image provides, with build ids */
	size_t sysimage_modules_count;
	const struct jic_bundled_file *bundled; /**< visible through DEPOT_PATH */
	size_t bundled_count;
};

struct jic_facts_options {
	const char *julia; /**< path, or NULL: $JULIA, else `julia` on PATH */
	const char *const
	    *julia_args; /**< options of the session that will load: "--check-bounds=yes", "-O3", "-J…"; may be NULL */
	size_t julia_args_count;
	const char *memory_dir; /**< where answers are remembered; NULL: $XDG_CACHE_HOME/jicache or ~/.cache/jicache */
};

/**
 * @param arena owns all strings of `out`
 * @return false: JIC_ENOTFOUND (no Julia), JIC_EPROTOCOL (it ran but did not answer), JIC_EUNSUPPORTED (older than 1.5)
 */
jic_must_check bool jic_facts_get(const struct jic_facts_options *options, struct jic_arena *arena,
                                  struct jic_facts *out, struct jic_error *err);

/**
 * The runtimes whose artefacts this session's Julia would load, best first; the first is the one that it compiles for
 * and publishes under (base/loading.jl:stale_cachefile, src/staticdata_utils.c:jl_match_cache_flags).
 */
jic_must_check bool jic_facts_runtimes(const struct jic_facts *facts, struct jic_arena *arena,
                                       const struct jic_runtime **out, size_t *count, struct jic_error *err);

/** Does this session load native code from caches, of its own making or (`existing`) of others'? */
bool jic_facts_loads_images(const struct jic_facts *f);

/** Has this host all features of an x86-64 level, "x86-64-v3"? */
bool jic_facts_has_level(const struct jic_facts *f, struct jic_view name);

/** A target that this host has, and all of its age or newer, as JULIA_CPU_TARGET takes it: "haswell,-rdrnd", "generic".
 * Julia knows the names of processors, not those of the x86-64 levels: with "x86-64-v3" it does not even start. */
struct jic_view jic_facts_baseline(const struct jic_facts *f);

/** The module of the system image with this UUID and name; NULL when it has none. */
const struct jic_ji_module *jic_facts_sysimage_module(const struct jic_facts *f, struct jic_view name,
                                                      struct jic_uuid uuid);

#endif
