/* publish and published. */
#include "common/message_json.h"

/* ---- writing a publish */

static void put_artefact(struct jic_json_writer *w, const struct jic_msg_artefact *a)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &a->key);
	jic_msg_put_node(w, "node", &a->node);
	if (a->version.len)
		jic_json_put_text(w, "version", a->version);
	jic_json_put_digest(w, "ji", &a->ji);
	if (a->has_image)
		jic_json_put_digest(w, "image", &a->image);
	jic_msg_put_inputs(w, "inputs", a->inputs, a->inputs_count);
	if (a->compile_ms)
		jic_json_put_u64(w, "compile_ms", a->compile_ms);
	if (a->has_signature)
		jic_msg_put_signature(w, "signature", &a->signature);
	jic_json_close(w, '}');
}

/* The fields, into the open object. */
static void put_publish(struct jic_json_writer *w, const struct jic_msg_publish *m)
{
	if (m->lane.len)
		jic_json_put_text(w, "lane", m->lane);
	jic_msg_put_runtime(w, "runtime", &m->runtime);
	jic_json_put_digest(w, "sysimage", &m->sysimage);
	jic_json_open(w, "sysimage_modules", '[');
	for (size_t i = 0; i < m->sysimage_modules_count; i++) {
		const struct jic_ji_module *module = &m->sysimage_modules[i];
		jic_msg_put_module(w, module->name, module->uuid, module->build_id);
	}
	jic_json_close(w, ']');
	jic_json_open(w, "artefacts", '[');
	for (size_t i = 0; i < m->artefacts_count; i++)
		put_artefact(w, &m->artefacts[i]);
	jic_json_close(w, ']');
	jic_msg_put_provenance(w, "provenance", &m->provenance);
}

bool jic_msg_publish_write(const struct jic_msg_publish *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	put_publish(&w, m);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

bool jic_msg_export_set_write(const struct jic_msg_publish *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	put_publish(&w, m);
	jic_json_open(&w, "origins", '[');
	for (size_t i = 0; i < m->artefacts_count; i++) {
		const struct jic_msg_origin *origin = m->artefacts[i].origin;
		jic_json_open(&w, NULL, '{');
		jic_msg_put_provenance(&w, "provenance", &origin->provenance);
		jic_json_put_text(&w, "writer", origin->writer);
		jic_json_close(&w, '}');
	}
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

/* ---- reading a publish */

static bool read_modules(const struct jic_json *at, struct jic_msg_publish *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "sysimage_modules", JIC_MSG_MODULES_MAX, &list))
		return false;
	struct jic_ji_module *modules = jic_msg_array(&list, sizeof *modules);
	if (!modules)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_get_text(&e, "name", JIC_MSG_NAME_BYTES_MAX, &modules[i].name) ||
		    !jic_json_opt_uuid(&e, "uuid", &modules[i].uuid) ||
		    !jic_json_get_build_id(&e, "build_id", &modules[i].build_id))
			return false;
	}
	out->sysimage_modules = modules;
	out->sysimage_modules_count = jic_json_count(&list);
	return true;
}

static bool read_artefact(const struct jic_json *at, struct jic_msg_artefact *out)
{
	return jic_json_get_digest(at, "key", &out->key) && jic_msg_get_node(at, "node", &out->node) &&
	       jic_json_opt_text(at, "version", JIC_MSG_NAME_BYTES_MAX, &out->version) &&
	       jic_json_get_digest(at, "ji", &out->ji) &&
	       jic_json_opt_digest(at, "image", &out->has_image, &out->image) &&
	       jic_msg_get_inputs(at, "inputs", &out->inputs, &out->inputs_count) &&
	       jic_json_opt_u64(at, "compile_ms", INT64_MAX, &out->compile_ms) &&
	       jic_msg_get_signature(at, "signature", &out->has_signature, &out->signature);
}

static bool read_artefacts(const struct jic_json *at, struct jic_msg_artefact **all, struct jic_msg_publish *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "artefacts", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_artefact *artefacts = *all = jic_msg_array(&list, sizeof *artefacts);
	if (!artefacts)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!read_artefact(&element, &artefacts[i]))
			return false;
	}
	out->artefacts = artefacts;
	out->artefacts_count = jic_json_count(&list);
	return true;
}

static bool read_publish(const struct jic_json *at, struct jic_msg_artefact **artefacts, struct jic_msg_publish *out)
{
	return jic_msg_get_lane(at, "lane", &out->lane) && jic_msg_get_runtime(at, "runtime", &out->runtime) &&
	       jic_json_get_digest(at, "sysimage", &out->sysimage) && read_modules(at, out) &&
	       read_artefacts(at, artefacts, out) && jic_msg_get_provenance(at, "provenance", &out->provenance);
}

bool jic_msg_publish_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_publish *out,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	struct jic_msg_artefact *artefacts;
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return read_publish(&at, &artefacts, out);
}

static bool read_origins(const struct jic_json *at, struct jic_msg_artefact *artefacts, size_t count)
{
	struct jic_json list;
	if (!jic_json_list(at, "origins", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	if (jic_json_count(&list) != count)
		return jic_json_fail(&list, JIC_EFORMAT, "must have one for each artefact");
	struct jic_msg_origin *origins = jic_msg_array(&list, sizeof *origins);
	if (!origins)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_msg_get_provenance(&e, "provenance", &origins[i].provenance) ||
		    !jic_json_opt_text(&e, "writer", JIC_MSG_NOTE_BYTES_MAX, &origins[i].writer))
			return false;
		artefacts[i].origin = &origins[i];
	}
	return true;
}

bool jic_msg_export_set_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_publish *out,
                             struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	struct jic_msg_artefact *artefacts;
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return read_publish(&at, &artefacts, out) && read_origins(&at, artefacts, out->artefacts_count);
}

/* ---- the answer */

bool jic_msg_published_write(const struct jic_msg_published *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_digests(&w, "published", m->published, m->published_count);
	jic_json_put_digests(&w, "existing", m->existing, m->existing_count);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

bool jic_msg_published_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_published *out,
                            struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return jic_json_get_digests(&at, "published", JIC_MESSAGE_KEYS_MAX, &out->published, &out->published_count) &&
	       jic_json_get_digests(&at, "existing", JIC_MESSAGE_KEYS_MAX, &out->existing, &out->existing_count);
}
