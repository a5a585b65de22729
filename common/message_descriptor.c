/* What artefacts are made of: runtimes, nodes, modules. Each writer stands above its reader. */
#include "common/message_json.h"

void jic_msg_put_module(struct jic_json_writer *w, struct jic_view name, struct jic_uuid uuid, struct jic_build_id id)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "name", name);
	if (!jic_uuid_is_nil(uuid))
		jic_json_put_uuid(w, "uuid", uuid);
	jic_json_put_build_id(w, "build_id", id);
	jic_json_close(w, '}');
}

/* ---- runtimes */

void jic_msg_put_runtime_parts(struct jic_json_writer *w, const struct jic_runtime *r)
{
	jic_json_put_text(w, "version", r->version);
	jic_json_put_text(w, "branch", r->branch);
	jic_json_put_text(w, "commit", r->commit);
	jic_json_put_text(w, "uname", r->uname);
	jic_json_put_text(w, "arch", r->arch);
	jic_json_put_text(w, "triplet", r->triplet);
	jic_json_put_u64(w, "word_bits", r->word_bits);
	jic_json_put_text(w, "flags", r->flags);
	jic_json_put_text(w, "cpu", r->cpu);
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

bool jic_msg_get_runtime_parts(const struct jic_json *at, struct jic_runtime *out)
{
	const size_t name_max = JIC_MSG_NAME_BYTES_MAX;
	return jic_json_get_text(at, "version", name_max, &out->version) &&
	       jic_json_opt_text(at, "branch", name_max, &out->branch) &&
	       jic_json_opt_text(at, "commit", name_max, &out->commit) &&
	       jic_json_get_text(at, "uname", name_max, &out->uname) &&
	       jic_json_get_text(at, "arch", name_max, &out->arch) &&
	       jic_json_get_text(at, "triplet", name_max, &out->triplet) && read_word_bits(at, &out->word_bits) &&
	       jic_json_opt_text(at, "flags", name_max, &out->flags) &&
	       jic_json_opt_text(at, "cpu", JIC_MSG_CPU_BYTES_MAX, &out->cpu);
}

void jic_msg_put_runtime(struct jic_json_writer *w, const char *name, const struct jic_runtime *r)
{
	jic_json_open(w, name, '{');
	jic_msg_put_runtime_parts(w, r);
	jic_json_open(w, "bundled", '[');
	for (size_t i = 0; i < r->bundled_count; i++)
		jic_msg_put_module(w, r->bundled[i].name, r->bundled[i].uuid, r->bundled[i].build_id);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
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

bool jic_msg_get_runtime(const struct jic_json *at, const char *field, struct jic_runtime *out)
{
	struct jic_json runtime;
	return jic_json_object(at, field, &runtime) && jic_msg_get_runtime_parts(&runtime, out) &&
	       read_bundled(&runtime, out);
}

/* ---- nodes */

void jic_msg_put_node(struct jic_json_writer *w, const char *name, const struct jic_node_inputs *n)
{
	jic_json_open(w, name, '{');
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

static bool read_kind(const struct jic_json *at, enum jic_node_kind *out)
{
	struct jic_view name;
	if (!jic_json_get_text(at, "kind", JIC_MSG_NAME_BYTES_MAX, &name))
		return false;
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "kind"};
	return jic_node_kind_parse(name, out) ||
	       jic_json_fail(&place, JIC_EFORMAT, "must be \"package\", \"extension\" or \"stdlib\"");
}

bool jic_msg_get_node(const struct jic_json *up, const char *field, struct jic_node_inputs *out)
{
	struct jic_json at;
	return jic_json_object(up, field, &at) && read_kind(&at, &out->kind) &&
	       jic_json_get_text(&at, "name", JIC_MSG_NAME_BYTES_MAX, &out->name) &&
	       jic_json_get_uuid(&at, "uuid", &out->uuid) &&
	       jic_json_get_text(&at, "source", JIC_MSG_NAME_BYTES_MAX, &out->source) &&
	       jic_json_opt_text(&at, "build", JIC_MSG_NAME_BYTES_MAX, &out->build) &&
	       jic_json_opt_text(&at, "preferences", JIC_MSG_PREFERENCES_BYTES_MAX, &out->preferences) &&
	       jic_json_get_digests(&at, "deps", JIC_MESSAGE_KEYS_MAX, &out->deps, &out->deps_count) &&
	       jic_msg_get_texts(&at, "extensions", JIC_MSG_EXTENSIONS_MAX, JIC_MSG_NAME_BYTES_MAX, &out->extensions,
	                         &out->extensions_count);
}
