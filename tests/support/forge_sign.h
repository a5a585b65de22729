/** Signatures for packages that were never compiled: forge.h. */
#ifndef JIC_TESTS_FORGE_SIGN_H
#define JIC_TESTS_FORGE_SIGN_H

#include "common/statement.h"
#include "tests/support/forge.h"

static inline struct jic_digest requires_of(const struct forged *f)
{
	const struct forged *below[FORGED_SET_MAX];
	struct jic_ji_module modules[FORGED_SET_MAX];
	struct jic_digest digest;
	size_t count = forged_closure(f, below, 0);
	for (size_t i = 0; i < count; i++)
		modules[i] =
		    (struct jic_ji_module){.uuid = forged_uuid(below[i]), .build_id = forged_build_id(below[i])};
	cr_assert(jic_statement_requires(modules, count, &digest, NULL));
	return digest;
}

static inline void sign(struct forged_request *r, size_t i, const struct forged *f, const struct jic_signing_key *key)
{
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	struct jic_msg_artefact *a = &r->artefacts[i];
	char runtime[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_error err = {0};
	forge_ji(f, &bytes);
	cr_assert(jic_runtime_id(&r->message.runtime, runtime, &err), "%s", err.text);
	struct jic_msg_record record = {.key = a->key,
	                                .name = a->node.name,
	                                .uuid = a->node.uuid,
	                                .build_id = forged_build_id(f),
	                                .ji = {.digest = a->ji, .size = bytes.len},
	                                .inputs = a->inputs,
	                                .inputs_count = a->inputs_count,
	                                .provenance = r->message.provenance,
	                                .signature.requires_ = requires_of(f)};
	const struct jic_statement_place at = {.runtime = jic_view_of(runtime), .sysimage = r->message.sysimage};
	cr_assert(jic_statement_sign(&at, key, &record, &err), "%s", err.text);
	a->has_signature = true;
	a->signature = record.signature;
}

static inline struct forged_request *signed_request(const char *lane, const struct forged *const *set, size_t count,
                                                    const struct jic_signing_key *key)
{
	struct forged_request *r = forge_request(lane, set, count);
	for (size_t i = 0; i < count; i++)
		sign(r, i, set[i], key);
	return r;
}

#endif
