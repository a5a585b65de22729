/**
 * What the server checks of an artefact's bytes before it believes anything: that they are whole, that header and
 * request speak of the same package, runtime and sysimage, that the address is what the inputs give, and that no path
 * of the machine that made them is in the header.
 */
#ifndef JIC_SERVER_STORE_INSPECT_H
#define JIC_SERVER_STORE_INSPECT_H

#include "server/store/coherence.h"
#include "server/store/store.h"

enum {
	JIC_REQUIRES_MAX = 1 << 14,         /**< modules that one artefact requires beyond runtime and sysimage */
	JIC_REQUIRES_TOTAL_MAX = 1 << 21,   /**< the same of a whole request */
	JIC_PROVIDES_MAX = 1 << 10,         /**< modules in one artefact */
	JIC_SYSIMAGE_MODULES_MAX = 1 << 14, /**< a request declares */
};

/** What is the same for all artefacts of a request. */
struct jic_inspection {
	struct jic_store *store;
	const struct jic_msg_publish *request;
	struct jic_arena *arena;
	struct jic_julia_version version; /**< of the request's runtime */
	/** what runtime and sysimage provide, sorted */
	struct jic_index_module *given;
	size_t given_count;
	size_t requires_total; /**< so far */
};

/**
 * Check the request's runtime and sysimage modules and prepare for its artefacts.
 * @param[out] runtime_id what the runtime descriptor gives
 * @return false with JIC_EFORMAT, JIC_ELIMIT: bad; else the store failed
 */
jic_must_check bool jic_inspection_begin(struct jic_inspection *out, struct jic_store *s,
                                         const struct jic_msg_publish *request, struct jic_arena *arena,
                                         char runtime_id[JIC_RUNTIME_ID_BYTES_MAX], struct jic_error *err);

/** The address: whether the inputs give the key. Errors as jic_inspect(). */
jic_must_check bool jic_inspect_key(const struct jic_msg_artefact *a, struct jic_error *err);

/**
 * Read one artefact's blobs and check them.
 * @param[out] out artefact, build id, sizes, provides and requires_ are set, in the arena
 * @return false with JIC_ENOTFOUND: a blob was never uploaded; JIC_EFORMAT, JIC_ECORRUPT, JIC_ELIMIT or
 * JIC_EUNSUPPORTED: the artefact is bad; anything else: the store failed
 */
jic_must_check bool jic_inspect(struct jic_inspection *in, const struct jic_msg_artefact *a, struct jic_candidate *out,
                                struct jic_error *err);

#endif
