/* The statement is built from what the bytes and the index say, never from what the request claims of them. */
#include "server/store/signatures.h"

#include "common/statement.h"
#include "server/store/internal.h"

void jic_candidate_record(const struct jic_msg_publish *request, const struct jic_candidate *c,
                          struct jic_msg_record *out)
{
	const struct jic_msg_artefact *a = c->artefact;
	if (c->stored)
		*out = c->stored->record;
	else
		*out = (struct jic_msg_record){
		    .key = a->key,
		    .name = a->node.name,
		    .version = a->version,
		    .uuid = a->node.uuid,
		    .build_id = c->build_id,
		    .ji = {.digest = a->ji, .size = c->ji_size},
		    .has_image = a->has_image,
		    .inputs = a->inputs,
		    .inputs_count = a->inputs_count,
		    .compile_ms = a->compile_ms,
		};
	if (!c->stored && a->has_image)
		out->image = (struct jic_msg_blob){.digest = a->image, .size = c->image_size};
	out->provenance = a->origin ? a->origin->provenance : request->provenance;
	out->has_signature = a->has_signature;
	out->signature = a->signature;
}

const struct jic_msg_artefact *jic_publish_unsigned(const struct jic_msg_publish *request)
{
	for (size_t i = 0; i < request->artefacts_count; i++)
		if (!request->artefacts[i].has_signature)
			return &request->artefacts[i];
	return NULL;
}

static bool is_taken(const struct jic_store *s, const struct jic_digest *key)
{
	for (size_t i = 0; i < s->signers_count; i++)
		if (jic_digest_eq(&s->signers[i], key))
			return true;
	return s->signers_count == 0;
}

/* Of what is stored there are only the index's numbers. */
static bool stored_requires(const struct jic_signature_check *k, const struct jic_candidate *c,
                            const struct jic_ji_module **out, struct jic_error *err)
{
	const size_t count = c->requires_numbers_count;
	struct jic_index *ix = k->store->index;
	struct jic_index_module *full = jic_arena_array(k->arena, count + 1, sizeof *full);
	struct jic_ji_module *modules = jic_arena_array(k->arena, count + 1, sizeof *modules);
	if (!full || !modules)
		return jic_fail(err, JIC_EMEMORY, "signatures: out of memory");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	if (!t || !t->ops->modules_get(t, c->requires_numbers, count, full, err))
		return false;
	for (size_t i = 0; i < count; i++)
		modules[i] = (struct jic_ji_module){.uuid = full[i].uuid, .build_id = full[i].build_id};
	*out = modules;
	return true;
}

static bool check_requires(const struct jic_signature_check *k, const struct jic_candidate *c, struct jic_error *err)
{
	const struct jic_ji_module *modules = c->requires_;
	struct jic_digest found;
	const size_t count = c->stored ? c->requires_numbers_count : c->requires_count;
	if ((c->stored && !stored_requires(k, c, &modules, err)) ||
	    !jic_statement_requires(modules, count, &found, err))
		return false;
	return jic_digest_eq(&found, &c->artefact->signature.requires_) ||
	       jic_fail(err, JIC_EDENIED, "what was signed requires something else than the cache file does");
}

bool jic_signature_check(const struct jic_signature_check *k, const struct jic_candidate *c, struct jic_error *err)
{
	const struct jic_statement_place at = {.runtime = k->runtime, .sysimage = k->request->sysimage};
	const struct jic_digest *key = &c->artefact->signature.key;
	struct jic_msg_record record;
	char id[JIC_KEY_ID_TEXT + 1];
	if (!c->artefact->has_signature)
		return true;
	jic_key_id(key, id);
	if (!is_taken(k->store, key))
		return jic_fail(err, JIC_EDENIED, "this server takes no signatures by the key %s", id);
	jic_candidate_record(k->request, c, &record);
	return check_requires(k, c, err) && jic_statement_verify(&at, &record, err);
}

bool jic_signature_adopt(const struct jic_lookup *lookup, const struct jic_signature_check *k,
                         const struct jic_candidate *c, struct jic_view writer, struct jic_error *err)
{
	const uint64_t lane = lookup->lanes[lookup->lanes_count - 1].id;
	const struct jic_index_artefact *stored = c->stored;
	if (!c->artefact->has_signature || !stored || stored->lane_id != lane)
		return true;
	if (stored->record.has_signature && is_taken(k->store, &stored->record.signature.key))
		return true;
	struct jic_index_artefact row = {.lane_id = lane, .writer = writer};
	jic_candidate_record(k->request, c, &row.record);
	return lookup->txn->ops->artefact_sign(lookup->txn, lookup->space, &row, err);
}
