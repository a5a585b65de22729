/* publish and published. */
#include "common/message_json.h"

/* ---- writing a publish */

static void put_module(struct jic_json_writer *w, struct jic_view name, struct jic_uuid uuid, struct jic_build_id id)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "name", name);
	if (!jic_uuid_is_nil(uuid))
		jic_json_put_uuid(w, "uuid", uuid);
	jic_json_put_build_id(w, "build_id", id);
	jic_json_close(w, '}');
}

static void put_runtime(struct jic_json_writer *w, const struct jic_runtime *r)
{
	jic_json_open(w, "runtime", '{');
	jic_json_put_text(w, "version", r->version);
	jic_json_put_text(w, "branch", r->branch);
	jic_json_put_text(w, "commit", r->commit);
	jic_json_put_text(w, "uname", r->uname);
	jic_json_put_text(w, "arch", r->arch);
	jic_json_put_text(w, "triplet", r->triplet);
	jic_json_put_u64(w, "word_bits", r->word_bits);
	jic_json_put_text(w, "flags", r->flags);
	jic_json_put_text(w, "cpu", r->cpu);
	jic_json_open(w, "bundled", '[');
	for (size_t i = 0; i < r->bundled_count; i++)
		put_module(w, r->bundled[i].name, r->bundled[i].uuid, r->bundled[i].build_id);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
}

static void put_node(struct jic_json_writer *w, const struct jic_node_inputs *n)
{
	jic_json_open(w, "node", '{');
	jic_json_put_text(w, "kind", jic_view_of(jic_node_kind_name(n->kind)));
	jic_json_put_text(w, "name", n->name);
	jic_json_put_uuid(w, "uuid", n->uuid);
	jic_json_put_text(w, "source", n->source);
	jic_json_put_text(w, "build", n->build);
	jic_json_put_text(w, "preferences", n->preferences);
	jic_json_put_digests(w, "deps", n->deps, n->deps_count);
	jic_json_put_texts(w, "extensions", n->extensions, n->extensions_count);
	jic_json_close(w, '}');
}

static void put_artefact(struct jic_json_writer *w, const struct jic_msg_artefact *a)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &a->key);
	put_node(w, &a->node);
	jic_json_put_digest(w, "ji", &a->ji);
	if (a->has_image)
		jic_json_put_digest(w, "image", &a->image);
	jic_msg_put_inputs(w, "inputs", a->inputs, a->inputs_count);
	if (a->compile_ms)
		jic_json_put_u64(w, "compile_ms", a->compile_ms);
	jic_json_close(w, '}');
}

bool jic_msg_publish_write(const struct jic_msg_publish *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	if (m->lane.len)
		jic_json_put_text(&w, "lane", m->lane);
	put_runtime(&w, &m->runtime);
	jic_json_put_digest(&w, "sysimage", &m->sysimage);
	jic_json_open(&w, "sysimage_modules", '[');
	for (size_t i = 0; i < m->sysimage_modules_count; i++) {
		const struct jic_ji_module *module = &m->sysimage_modules[i];
		put_module(&w, module->name, module->uuid, module->build_id);
	}
	jic_json_close(&w, ']');
	jic_json_open(&w, "artefacts", '[');
	for (size_t i = 0; i < m->artefacts_count; i++)
		put_artefact(&w, &m->artefacts[i]);
	jic_json_close(&w, ']');
	jic_msg_put_provenance(&w, "provenance", &m->provenance);
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

static bool read_bundled(const struct jic_json *at, struct jic_runtime *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "bundled", JIC_MSG_BUNDLED_MAX, &list))
		return false;
	struct jic_bundled *bundled = jic_msg_array(&list, sizeof *bundled);
	if (!bundled)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_get_text(&e, "name", JIC_MSG_NAME_BYTES_MAX, &bundled[i].name) ||
		    !jic_json_get_uuid(&e, "uuid", &bundled[i].uuid) ||
		    !jic_json_get_build_id(&e, "build_id", &bundled[i].build_id))
			return false;
	}
	out->bundled = bundled;
	out->bundled_count = jic_json_count(&list);
	return true;
}

static bool read_word_bits(const struct jic_json *at, unsigned *out)
{
	uint64_t bits;
	if (!jic_json_get_u64(at, "word_bits", 64, &bits))
		return false;
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "word_bits"};
	*out = (unsigned)bits;
	return bits == 32 || bits == 64 || jic_json_fail(&place, JIC_EFORMAT, "must be 32 or 64");
}

static bool read_runtime(const struct jic_json *root, struct jic_runtime *out)
{
	struct jic_json at;
	const size_t name_max = JIC_MSG_NAME_BYTES_MAX;
	return jic_json_object(root, "runtime", &at) && jic_json_get_text(&at, "version", name_max, &out->version) &&
	       jic_json_opt_text(&at, "branch", name_max, &out->branch) &&
	       jic_json_opt_text(&at, "commit", name_max, &out->commit) &&
	       jic_json_get_text(&at, "uname", name_max, &out->uname) &&
	       jic_json_get_text(&at, "arch", name_max, &out->arch) &&
	       jic_json_get_text(&at, "triplet", name_max, &out->triplet) && read_word_bits(&at, &out->word_bits) &&
	       jic_json_opt_text(&at, "flags", name_max, &out->flags) &&
	       jic_json_opt_text(&at, "cpu", JIC_MSG_CPU_BYTES_MAX, &out->cpu) && read_bundled(&at, out);
}

static bool read_kind(const struct jic_json *at, enum jic_node_kind *out)
{
	struct jic_view name;
	if (!jic_json_get_text(at, "kind", JIC_MSG_NAME_BYTES_MAX, &name))
		return false;
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "kind"};
	return jic_node_kind_parse(name, out) ||
	       jic_json_fail(&place, JIC_EFORMAT, "must be \"package\", \"extension\" or \"stdlib\"");
}

static bool read_node(const struct jic_json *artefact, struct jic_node_inputs *out)
{
	struct jic_json at;
	return jic_json_object(artefact, "node", &at) && read_kind(&at, &out->kind) &&
	       jic_json_get_text(&at, "name", JIC_MSG_NAME_BYTES_MAX, &out->name) &&
	       jic_json_get_uuid(&at, "uuid", &out->uuid) &&
	       jic_json_get_text(&at, "source", JIC_MSG_NAME_BYTES_MAX, &out->source) &&
	       jic_json_opt_text(&at, "build", JIC_MSG_NAME_BYTES_MAX, &out->build) &&
	       jic_json_opt_text(&at, "preferences", JIC_MSG_PREFERENCES_BYTES_MAX, &out->preferences) &&
	       jic_json_get_digests(&at, "deps", JIC_MESSAGE_KEYS_MAX, &out->deps, &out->deps_count) &&
	       jic_msg_get_texts(&at, "extensions", JIC_MSG_EXTENSIONS_MAX, JIC_MSG_NAME_BYTES_MAX, &out->extensions,
				 &out->extensions_count);
}

static bool read_artefact(const struct jic_json *at, struct jic_msg_artefact *out)
{
	return jic_json_get_digest(at, "key", &out->key) && read_node(at, &out->node) &&
	       jic_json_get_digest(at, "ji", &out->ji) &&
	       jic_json_opt_digest(at, "image", &out->has_image, &out->image) &&
	       jic_msg_get_inputs(at, "inputs", &out->inputs, &out->inputs_count) &&
	       jic_json_opt_u64(at, "compile_ms", INT64_MAX, &out->compile_ms);
}

static bool read_artefacts(const struct jic_json *at, struct jic_msg_publish *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "artefacts", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_artefact *artefacts = jic_msg_array(&list, sizeof *artefacts);
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

bool jic_msg_publish_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_publish *out,
			  struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return jic_msg_get_lane(&at, "lane", &out->lane) && read_runtime(&at, &out->runtime) &&
	       jic_json_get_digest(&at, "sysimage", &out->sysimage) && read_modules(&at, out) &&
	       read_artefacts(&at, out) && jic_msg_get_provenance(&at, "provenance", &out->provenance);
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
