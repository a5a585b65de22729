/*
 * A server's answer to a resolve, for a reader that trusts two keys. Properties: what is left is signed by one of them,
 * requires only what comes before it in what is left, and nothing that was taken out is among it.
 */
#include "client/lib/session/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Secrets 0 and 1 (RFC 8410, schema/signature_vectors.py): records of the corpus are signed with the first. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    "-----END PRIVATE KEY-----\n";

static void check_set(const struct jic_trust *t, const struct jic_digest *sysimage, const struct jic_msg_set *set)
{
	const struct jic_statement_place at = {.runtime = set->runtime, .sysimage = *sysimage};
	for (size_t i = 0; i < set->records_count; i++) {
		const struct jic_msg_record *r = &set->records[i];
		JIC_ASSERT(r->has_signature && jic_trust_has(t, &r->signature.key));
		JIC_ASSERT(jic_statement_verify(&at, r, NULL));
		for (size_t k = 0; k < r->requires_count; k++)
			JIC_ASSERT(r->requires_[k] < i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_settings settings = {.signing_key = pem};
	struct jic_digest sysimage;
	struct jic_trust trust;
	struct jic_msg_resolved resolved;
	struct jic_error err = {0};
	const struct jic_distrusted *out;
	size_t count, before = 0, after = 0;
	memset(sysimage.bytes, 1, sizeof sysimage.bytes);
	if (!jic_msg_resolved_read(jic_view_bytes(data, size), &arena, &resolved, &err))
		return 0;
	JIC_ASSERT(jic_trust_load(&settings, &arena, &trust, &err));
	for (size_t i = 0; i < resolved.sets_count; i++)
		before += resolved.sets[i].records_count;
	if (jic_trust_filter(&trust, &sysimage, &arena, &resolved, &out, &count, &err)) {
		for (size_t i = 0; i < resolved.sets_count; i++) {
			check_set(&trust, &sysimage, &resolved.sets[i]);
			after += resolved.sets[i].records_count;
		}
		JIC_ASSERT(after + count == before + resolved.untrusted_count);
		for (size_t i = 0; i < count; i++)
			JIC_ASSERT(out[i].reason.len);
	} else {
		JIC_ASSERT(err.code == JIC_EPROTOCOL);
	}
	jic_trust_clear(&trust);
	return 0;
}
