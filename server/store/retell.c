/* The inputs of a node are not read with its artefact, as only few ask for them: they are looked up here. */
#include "server/store/retell.h"

#include "server/store/declaration.h"
#include "server/store/pack.h"

bool jic_retell_space(const struct jic_lookup *lookup, const struct jic_index_space *space, struct jic_msg_publish *out,
                      struct jic_error *err)
{
	struct jic_index_txn *t = lookup->txn;
	struct jic_msg_runtime runtime;
	struct jic_view modules;
	if (!t->ops->runtime_find(t, space->runtime, lookup->arena, &runtime, err) ||
	    !jic_declaration_nearest(lookup, &modules, err))
		return false;
	*out = (struct jic_msg_publish){.runtime = runtime.parts, .sysimage = space->sysimage};
	return jic_unpack_modules(modules, lookup->arena, &out->sysimage_modules, &out->sysimage_modules_count, err);
}

bool jic_retell_artefact(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                         struct jic_arena *arena, struct jic_msg_artefact *out, struct jic_error *err)
{
	const struct jic_lane lane = {.id = a->lane_id, .name = a->record.lane};
	struct jic_index_origin stored;
	struct jic_msg_origin *origin = JIC_ARENA_NEW(arena, struct jic_msg_origin);
	if (!origin)
		return jic_fail(err, JIC_EMEMORY, "retell: out of memory");
	if (!t->ops->origin_find(t, &lane, space, &a->record.key, arena, &stored, err))
		return false;
	*origin = (struct jic_msg_origin){.provenance = a->record.provenance, .writer = a->writer};
	*out = (struct jic_msg_artefact){.key = a->record.key,
	                                 .node = stored.stored.inputs,
	                                 .version = a->record.version,
	                                 .ji = a->record.ji.digest,
	                                 .has_image = a->record.has_image,
	                                 .image = a->record.image.digest,
	                                 .inputs = a->record.inputs,
	                                 .inputs_count = a->record.inputs_count,
	                                 .compile_ms = a->record.compile_ms,
	                                 .has_signature = a->record.has_signature,
	                                 .signature = a->record.signature,
	                                 .origin = origin};
	return true;
}
