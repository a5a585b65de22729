/* The record that the server will make of an artefact is made here first, and signed. */
#include "client/lib/remote/endorse.h"

static bool is_given(const struct jic_facts *f, const struct jic_runtime *runtime, const struct jic_ji_module *m)
{
	for (size_t i = 0; i < f->sysimage_modules_count; i++)
		if (jic_uuid_eq(f->sysimage_modules[i].uuid, m->uuid) &&
		    jic_build_id_eq(f->sysimage_modules[i].build_id, m->build_id))
			return true;
	for (size_t i = 0; i < runtime->bundled_count; i++)
		if (jic_uuid_eq(runtime->bundled[i].uuid, m->uuid) &&
		    jic_build_id_eq(runtime->bundled[i].build_id, m->build_id))
			return true;
	return false;
}

bool jic_endorse_requires(const struct jic_facts *f, const struct jic_runtime *runtime, const struct jic_ji *ji,
                          struct jic_digest *out, struct jic_error *err)
{
	size_t count = 0;
	jic_autofree struct jic_ji_module *modules = calloc(ji->required_count + 1, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < ji->required_count; i++)
		if (!is_given(f, runtime, &ji->required[i]))
			modules[count++] = ji->required[i];
	return jic_statement_requires(modules, count, out, err);
}

bool jic_endorse(const struct jic_session *s, const struct jic_endorsement *e, struct jic_msg_artefact *artefact,
                 struct jic_error *err)
{
	const struct jic_statement_place at = {.runtime = s->runtime_ids[0], .sysimage = s->facts.sysimage};
	struct jic_msg_record record = {
	    .key = artefact->key,
	    .name = artefact->node.name,
	    .uuid = artefact->node.uuid,
	    .build_id = jic_ji_build_id(e->ji),
	    .ji = {.digest = artefact->ji, .size = e->ji_size},
	    .has_image = artefact->has_image,
	    .image = {.digest = artefact->image, .size = e->image_size},
	    .inputs = artefact->inputs,
	    .inputs_count = artefact->inputs_count,
	    .provenance = *e->provenance,
	};
	if (!s->trust.signing_key)
		return true;
	if (!jic_endorse_requires(&s->facts, &s->runtimes[0], e->ji, &record.signature.requires_, err) ||
	    !jic_statement_sign(&at, s->trust.signing_key, &record, err))
		return false;
	artefact->has_signature = true;
	artefact->signature = record.signature;
	return true;
}
