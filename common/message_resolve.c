/* resolve, resolved, and the record of one artefact. */
#include "common/message_json.h"

/* ---- the request */

static void put_want(struct jic_json_writer *w, const struct jic_msg_want *want)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "name", want->name);
	jic_json_put_uuid(w, "uuid", want->uuid);
	if (want->version.len)
		jic_json_put_text(w, "version", want->version);
	if (want->optional)
		jic_json_put_bool(w, "optional", true);
	jic_json_open(w, "deps", '[');
	for (size_t i = 0; i < want->deps_count; i++)
		jic_json_put_u64(w, NULL, want->deps[i]);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
}

static void put_wants(struct jic_json_writer *w, const struct jic_msg_resolve *m)
{
	if (!m->nodes_count)
		return;
	jic_json_open(w, "nodes", '[');
	for (size_t i = 0; i < m->nodes_count; i++)
		put_want(w, &m->nodes[i]);
	jic_json_close(w, ']');
}

bool jic_msg_resolve_write(const struct jic_msg_resolve *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	if (m->lane.len)
		jic_json_put_text(&w, "lane", m->lane);
	jic_json_put_digest(&w, "sysimage", &m->sysimage);
	jic_json_put_texts(&w, "runtimes", m->runtimes, m->runtimes_count);
	jic_json_put_digests(&w, "keys", m->keys, m->keys_count);
	if (m->signers_count)
		jic_json_put_digests(&w, "signers", m->signers, m->signers_count);
	if (m->have_count)
		jic_msg_put_build_ids(&w, "have", m->have, m->have_count);
	if (m->purpose.len)
		jic_json_put_text(&w, "purpose", m->purpose);
	put_wants(&w, m);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool read_signers(const struct jic_json *at, struct jic_msg_resolve *out)
{
	struct jic_json list;
	out->signers = NULL;
	out->signers_count = 0;
	if (!jic_json_list_optional(at, "signers", JIC_MESSAGE_SIGNERS_MAX, &list))
		return false;
	return !list.value ||
	       jic_json_get_digests(at, "signers", JIC_MESSAGE_SIGNERS_MAX, &out->signers, &out->signers_count);
}

static bool read_want_deps(const struct jic_json *at, size_t keys_count, struct jic_msg_want *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "deps", keys_count, &list))
		return false;
	uint32_t *deps = jic_msg_array(&list, sizeof *deps);
	if (!deps)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		uint64_t position;
		/* The list isn't longer than that of the keys, so there is a key when there is an element. */
		if (!jic_json_u64(&element, keys_count - 1, &position))
			return false;
		deps[i] = (uint32_t)position;
	}
	out->deps = deps;
	out->deps_count = jic_json_count(&list);
	return true;
}

static bool read_want(const struct jic_json *at, size_t keys_count, struct jic_msg_want *out)
{
	return jic_json_get_text(at, "name", JIC_MSG_NAME_BYTES_MAX, &out->name) &&
	       jic_json_get_uuid(at, "uuid", &out->uuid) &&
	       jic_json_opt_text(at, "version", JIC_MSG_NAME_BYTES_MAX, &out->version) &&
	       jic_json_opt_bool(at, "optional", &out->optional) && read_want_deps(at, keys_count, out);
}

static bool read_wants(const struct jic_json *at, struct jic_msg_resolve *out)
{
	struct jic_json list;
	if (!jic_json_list_optional(at, "nodes", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	const size_t count = jic_json_count(&list);
	if (count && count != out->keys_count)
		return jic_json_fail(&list, JIC_EFORMAT, "must have one entry for each of keys");
	struct jic_msg_want *nodes = jic_msg_array(&list, sizeof *nodes);
	if (!nodes)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!read_want(&element, out->keys_count, &nodes[i]))
			return false;
	}
	out->nodes = nodes;
	out->nodes_count = count;
	return true;
}

bool jic_msg_resolve_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_resolve *out,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return jic_msg_get_lane(&at, "lane", &out->lane) && jic_json_get_digest(&at, "sysimage", &out->sysimage) &&
	       jic_msg_get_runtime_ids(&at, "runtimes", &out->runtimes, &out->runtimes_count) &&
	       jic_json_get_digests(&at, "keys", JIC_MESSAGE_KEYS_MAX, &out->keys, &out->keys_count) &&
	       read_signers(&at, out) &&
	       jic_msg_get_build_ids(&at, "have", JIC_MESSAGE_KEYS_MAX, &out->have, &out->have_count) &&
	       jic_json_opt_text(&at, "purpose", JIC_MSG_NAME_BYTES_MAX, &out->purpose) && read_wants(&at, out);
}

/* ---- a record */

static void put_blob(struct jic_json_writer *w, const char *name, const struct jic_msg_blob *blob)
{
	jic_json_open(w, name, '{');
	jic_json_put_digest(w, "digest", &blob->digest);
	jic_json_put_u64(w, "size", blob->size);
	jic_json_close(w, '}');
}

/* All but what is required: that is positions in a set, and build ids in a record on its own. */
static void put_record_fields(struct jic_json_writer *w, const struct jic_msg_record *m)
{
	jic_json_put_digest(w, "key", &m->key);
	jic_json_put_text(w, "name", m->name);
	if (m->version.len)
		jic_json_put_text(w, "version", m->version);
	jic_json_put_uuid(w, "uuid", m->uuid);
	jic_json_put_build_id(w, "build_id", m->build_id);
	put_blob(w, "ji", &m->ji);
	if (m->has_image)
		put_blob(w, "image", &m->image);
	jic_msg_put_inputs(w, "inputs", m->inputs, m->inputs_count);
	if (m->compile_ms)
		jic_json_put_u64(w, "compile_ms", m->compile_ms);
	jic_json_put_text(w, "lane", m->lane);
	jic_msg_put_provenance(w, "provenance", &m->provenance);
	if (m->has_signature)
		jic_msg_put_signature(w, "signature", &m->signature);
	if (m->writer.len)
		jic_json_put_text(w, "writer", m->writer);
}

bool jic_msg_record_write(const struct jic_msg_record *m, const struct jic_build_id *requires_ids, struct jic_buf *out,
                          struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	put_record_fields(&w, m);
	jic_json_open(&w, "requires_ids", '[');
	for (size_t i = 0; i < m->requires_count; i++)
		jic_json_put_build_id(&w, NULL, requires_ids[i]);
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool blob_fields(const struct jic_json *at, struct jic_msg_blob *out)
{
	return jic_json_get_digest(at, "digest", &out->digest) && jic_json_get_u64(at, "size", INT64_MAX, &out->size);
}

static bool read_blobs(const struct jic_json *at, struct jic_msg_record *out)
{
	struct jic_json ji, image;
	if (!jic_json_object(at, "ji", &ji) || !blob_fields(&ji, &out->ji) ||
	    !jic_json_object_optional(at, "image", &image))
		return false;
	out->has_image = image.value != NULL;
	return !image.value || blob_fields(&image, &out->image);
}

static bool read_requires(const struct jic_json *at, size_t records_count, struct jic_msg_record *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "requires", records_count, &list))
		return false;
	uint32_t *positions = jic_msg_array(&list, sizeof *positions);
	if (!positions)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		uint64_t position;
		/* The list isn't longer than the set, so there is a record when there is an element. */
		if (!jic_json_u64(&element, records_count - 1, &position))
			return false;
		positions[i] = (uint32_t)position;
	}
	out->requires_ = positions;
	out->requires_count = jic_json_count(&list);
	return true;
}

static bool read_record(const struct jic_json *at, size_t records_count, struct jic_msg_record *out)
{
	return jic_json_get_digest(at, "key", &out->key) &&
	       jic_json_get_text(at, "name", JIC_MSG_NAME_BYTES_MAX, &out->name) &&
	       jic_json_opt_text(at, "version", JIC_MSG_NAME_BYTES_MAX, &out->version) &&
	       jic_json_get_uuid(at, "uuid", &out->uuid) && jic_json_get_build_id(at, "build_id", &out->build_id) &&
	       read_blobs(at, out) && jic_msg_get_inputs(at, "inputs", &out->inputs, &out->inputs_count) &&
	       read_requires(at, records_count, out) &&
	       jic_json_opt_u64(at, "compile_ms", INT64_MAX, &out->compile_ms) &&
	       jic_msg_get_lane(at, "lane", &out->lane) && jic_msg_get_provenance(at, "provenance", &out->provenance) &&
	       jic_msg_get_signature(at, "signature", &out->has_signature, &out->signature) &&
	       jic_json_opt_text(at, "writer", JIC_MSG_NAME_BYTES_MAX, &out->writer);
}

/* ---- the answer */

static void put_set_record(struct jic_json_writer *w, const struct jic_msg_record *m)
{
	jic_json_open(w, NULL, '{');
	put_record_fields(w, m);
	jic_json_open(w, "requires", '[');
	for (size_t i = 0; i < m->requires_count; i++)
		jic_json_put_u64(w, NULL, m->requires_[i]);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
}

static void put_set(struct jic_json_writer *w, const struct jic_msg_set *set)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "runtime", set->runtime);
	jic_json_open(w, "records", '[');
	for (size_t i = 0; i < set->records_count; i++)
		put_set_record(w, &set->records[i]);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
}

static void put_untrusted(struct jic_json_writer *w, const struct jic_msg_resolved *m)
{
	jic_json_open(w, "untrusted", '[');
	for (size_t i = 0; i < m->untrusted_count; i++) {
		const struct jic_msg_untrusted *u = &m->untrusted[i];
		jic_json_open(w, NULL, '{');
		jic_json_put_digest(w, "key", &u->key);
		if (u->is_signed)
			jic_json_put_digest(w, "signer", &u->signer);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

bool jic_msg_resolved_write(const struct jic_msg_resolved *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "sets", '[');
	for (size_t i = 0; i < m->sets_count; i++)
		put_set(&w, &m->sets[i]);
	jic_json_close(&w, ']');
	if (m->untrusted_count)
		put_untrusted(&w, m);
	if (m->recalled_count)
		jic_msg_put_build_ids(&w, "recalled", m->recalled, m->recalled_count);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool runtime_field(const struct jic_json *at, struct jic_view *out)
{
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "runtime"};
	return jic_json_get_text(at, "runtime", JIC_RUNTIME_ID_BYTES_MAX, out) &&
	       (jic_runtime_id_valid(*out) || jic_json_fail(&place, JIC_EFORMAT, "is not a runtime id"));
}

static bool read_set(const struct jic_json *at, struct jic_msg_set *out)
{
	struct jic_json list;
	if (!runtime_field(at, &out->runtime) || !jic_json_list(at, "records", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_record *records = jic_msg_array(&list, sizeof *records);
	if (!records)
		return false;
	size_t count = jic_json_count(&list);
	for (size_t i = 0; i < count; i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!read_record(&element, count, &records[i]))
			return false;
	}
	out->records = records;
	out->records_count = count;
	return true;
}

static bool read_untrusted(const struct jic_json *at, struct jic_msg_resolved *out)
{
	struct jic_json list;
	if (!jic_json_list_optional(at, "untrusted", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_untrusted *untrusted = jic_msg_array(&list, sizeof *untrusted);
	if (!untrusted)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_get_digest(&e, "key", &untrusted[i].key) ||
		    !jic_json_opt_digest(&e, "signer", &untrusted[i].is_signed, &untrusted[i].signer))
			return false;
	}
	out->untrusted = untrusted;
	out->untrusted_count = jic_json_count(&list);
	return true;
}

bool jic_msg_resolved_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_resolved *out,
                           struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	struct jic_json list;
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json root = jic_json_root(&doc);
	if (!jic_json_list(&root, "sets", JIC_MESSAGE_RUNTIMES_MAX, &list))
		return false;
	struct jic_msg_set *sets = jic_msg_array(&list, sizeof *sets);
	if (!sets)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!read_set(&element, &sets[i]))
			return false;
	}
	*out = (struct jic_msg_resolved){.sets = sets, .sets_count = jic_json_count(&list)};
	return read_untrusted(&root, out) &&
	       jic_msg_get_build_ids(&root, "recalled", JIC_MESSAGE_KEYS_MAX, &out->recalled, &out->recalled_count);
}
