/**
 * Signing what is published, and knowing what a signature says of the requirements: schema/signature.md.
 */
#ifndef JIC_CLIENT_ENDORSE_H
#define JIC_CLIENT_ENDORSE_H

#include "client/lib/session/session.h"
#include "common/ji.h"

/** The digest of what a cache file requires beyond system image and bundled caches.
 * @param runtime that it was made for */
jic_must_check bool jic_endorse_requires(const struct jic_facts *f, const struct jic_runtime *runtime,
                                         const struct jic_ji *ji, struct jic_digest *out, struct jic_error *err);

struct jic_endorsement {
	const struct jic_ji *ji;
	uint64_t ji_size, image_size; /**< of what is uploaded; 0: no image */
	const struct jic_msg_provenance *provenance;
};
/** Sign an artefact that is otherwise complete, for the session's first runtime. Nothing happens without a signing
 * key. */
jic_must_check bool jic_endorse(const struct jic_session *s, const struct jic_endorsement *e,
                                struct jic_msg_artefact *artefact, struct jic_error *err);

#endif
