/**
 * What a signature of a record says: the canonical bytes of schema/signature.md (`jicache-record-1`), with test vectors
 * in schema/signature-vectors.json. Writer, server and reader build them from what each knows by itself: the address
 * is never taken from the record.
 */
#ifndef JIC_COMMON_STATEMENT_H
#define JIC_COMMON_STATEMENT_H

#include "common/ed25519.h"
#include "common/message.h"

/** The address that a record is for, but its key. */
struct jic_statement_place {
	struct jic_view runtime; /**< id */
	struct jic_digest sysimage;
};

/**
 * Append the statement. Of the record count key, name, UUID, build id, blobs, inputs, provenance, and of its signature
 * the key and `requires_`. @return false with JIC_ELIMIT or JIC_EMEMORY
 */
jic_must_check bool jic_statement_write(const struct jic_statement_place *at, const struct jic_msg_record *record,
                                        struct jic_buf *out, struct jic_error *err);

/** What an artefact requires beyond runtime and system image, as one digest. Names play no part. */
jic_must_check bool jic_statement_requires(const struct jic_ji_module *modules, size_t count, struct jic_digest *out,
                                           struct jic_error *err);

/** Fill in `record->signature`, of which `requires_` is set already. */
jic_must_check bool jic_statement_sign(const struct jic_statement_place *at, const struct jic_signing_key *key,
                                       struct jic_msg_record *record, struct jic_error *err);
/** Whether the record's signature is one of this record at this place. Whose it is, and whether `requires_` is true, is
 * for the caller to judge. @return false with JIC_EDENIED, JIC_ELIMIT or JIC_EMEMORY */
jic_must_check bool jic_statement_verify(const struct jic_statement_place *at, const struct jic_msg_record *record,
                                         struct jic_error *err);

#endif
