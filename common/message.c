/* The small messages (info, lists of digests, problems) and what the larger ones share. */
#include "common/message_json.h"

/* ---- shared parts */

bool jic_lane_name_valid(struct jic_view name)
{
	if (name.len == 0 || name.len > JIC_LANE_NAME_BYTES_MAX)
		return false;
	size_t begin = 0;
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && name.ptr[i] != '/') {
			char c = name.ptr[i];
			bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			            c == '.' || c == '_' || c == '-';
			if (!good)
				return false;
			continue;
		}
		struct jic_view segment = jic_view_bytes(name.ptr + begin, i - begin);
		if (segment.len == 0 || jic_view_is(segment, ".") || jic_view_is(segment, ".."))
			return false;
		begin = i + 1;
	}
	return true;
}

void *jic_msg_array(const struct jic_json *list, size_t size)
{
	void *array = jic_arena_array(list->doc->arena, jic_json_count(list), size);
	if (!array)
		(void)jic_json_fail(list, JIC_EMEMORY, "out of memory");
	return array;
}

static bool lane_value(const struct jic_json *at, struct jic_view *out)
{
	return jic_json_text(at, JIC_LANE_NAME_BYTES_MAX, out) &&
	       (jic_lane_name_valid(*out) || jic_json_fail(at, JIC_EFORMAT, "is not a lane's name"));
}

bool jic_msg_get_lane(const struct jic_json *at, const char *field, struct jic_view *out)
{
	if (!jic_json_opt_text(at, field, JIC_LANE_NAME_BYTES_MAX, out))
		return false;
	const struct jic_json place = {.doc = at->doc, .up = at, .field = field};
	return out->len == 0 || jic_lane_name_valid(*out) || jic_json_fail(&place, JIC_EFORMAT, "is not a lane's name");
}

bool jic_msg_runtime_id(const struct jic_json *at, struct jic_view *out)
{
	return jic_json_text(at, JIC_RUNTIME_ID_BYTES_MAX, out) &&
	       (jic_runtime_id_valid(*out) || jic_json_fail(at, JIC_EFORMAT, "is not a runtime id"));
}

bool jic_msg_get_runtime_ids(const struct jic_json *at, const char *field, const struct jic_view **out, size_t *count)
{
	struct jic_json list;
	if (!jic_json_list(at, field, JIC_MESSAGE_RUNTIMES_MAX, &list))
		return false;
	struct jic_view *runtimes = jic_msg_array(&list, sizeof *runtimes);
	if (!runtimes)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!jic_msg_runtime_id(&element, &runtimes[i]))
			return false;
	}
	*out = runtimes;
	*count = jic_json_count(&list);
	return true;
}

bool jic_msg_get_texts(const struct jic_json *at, const char *field, size_t count_max, size_t bytes_max,
                       const struct jic_view **out, size_t *count)
{
	struct jic_json list;
	if (!jic_json_list_optional(at, field, count_max, &list))
		return false;
	struct jic_view *texts = jic_msg_array(&list, sizeof *texts);
	if (!texts)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!jic_json_text(&element, bytes_max, &texts[i]))
			return false;
	}
	*out = texts;
	*count = jic_json_count(&list);
	return true;
}

static const char *const input_types[] = {
    [JIC_INPUT_FILE] = "file", [JIC_INPUT_DIRECTORY] = "directory", [JIC_INPUT_ABSENT] = "absent"};

static bool input_type(const struct jic_json *at, enum jic_input_type *out)
{
	struct jic_view name;
	if (!jic_json_get_text(at, "type", JIC_MSG_NAME_BYTES_MAX, &name))
		return false;
	for (size_t i = 0; i < JIC_COUNT(input_types); i++) {
		if (jic_view_is(name, input_types[i])) {
			*out = (enum jic_input_type)i;
			return true;
		}
	}
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "type"};
	return jic_json_fail(&place, JIC_EFORMAT, "must be \"file\", \"directory\" or \"absent\"");
}

static bool read_input(const struct jic_json *at, struct jic_msg_input *out)
{
	if (!input_type(at, &out->type) || !jic_json_get_text(at, "path", JIC_MSG_PATH_BYTES_MAX, &out->path))
		return false;
	return out->type == JIC_INPUT_ABSENT || jic_json_get_digest(at, "sha256", &out->sha256);
}

bool jic_msg_get_inputs(const struct jic_json *at, const char *field, const struct jic_msg_input **out, size_t *count)
{
	struct jic_json list;
	if (!jic_json_list_optional(at, field, JIC_MSG_INPUTS_MAX, &list))
		return false;
	struct jic_msg_input *inputs = jic_msg_array(&list, sizeof *inputs);
	if (!inputs)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!read_input(&element, &inputs[i]))
			return false;
	}
	*out = inputs;
	*count = jic_json_count(&list);
	return true;
}

void jic_msg_put_inputs(struct jic_json_writer *w, const char *name, const struct jic_msg_input *inputs, size_t count)
{
	if (count == 0)
		return;
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "type", jic_view_of(input_types[inputs[i].type]));
		jic_json_put_text(w, "path", inputs[i].path);
		if (inputs[i].type != JIC_INPUT_ABSENT)
			jic_json_put_digest(w, "sha256", &inputs[i].sha256);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

bool jic_msg_get_provenance(const struct jic_json *at, const char *field, struct jic_msg_provenance *out)
{
	struct jic_json p;
	*out = (struct jic_msg_provenance){0};
	if (!jic_json_object_optional(at, field, &p))
		return false;
	return !p.value || (jic_json_opt_text(&p, "host", JIC_MSG_NOTE_BYTES_MAX, &out->host) &&
	                    jic_json_opt_text(&p, "user", JIC_MSG_NOTE_BYTES_MAX, &out->user) &&
	                    jic_json_opt_text(&p, "run", JIC_MSG_NOTE_BYTES_MAX, &out->run) &&
	                    jic_json_opt_text(&p, "client", JIC_MSG_NOTE_BYTES_MAX, &out->client) &&
	                    jic_json_opt_u64(&p, "created_s", INT64_MAX, &out->created_s));
}

void jic_msg_put_provenance(struct jic_json_writer *w, const char *name, const struct jic_msg_provenance *p)
{
	jic_json_open(w, name, '{');
	jic_json_put_text(w, "host", p->host);
	jic_json_put_text(w, "user", p->user);
	jic_json_put_text(w, "run", p->run);
	jic_json_put_text(w, "client", p->client);
	jic_json_put_u64(w, "created_s", p->created_s);
	jic_json_close(w, '}');
}

static bool read_signature_bytes(const struct jic_json *at, struct jic_msg_signature *out)
{
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "bytes"};
	struct jic_view hex;
	return jic_json_get_text(at, "bytes", 2 * sizeof out->bytes, &hex) &&
	       (jic_unhex(hex, out->bytes, sizeof out->bytes) ||
	        jic_json_fail(&place, JIC_EFORMAT, "must be 128 hex digits"));
}

bool jic_msg_get_signature(const struct jic_json *at, const char *field, bool *has, struct jic_msg_signature *out)
{
	struct jic_json s;
	*has = false;
	*out = (struct jic_msg_signature){0};
	if (!jic_json_object_optional(at, field, &s))
		return false;
	*has = s.value != NULL;
	return !s.value || (jic_json_get_digest(&s, "key", &out->key) &&
	                    jic_json_get_digest(&s, "requires", &out->requires_) && read_signature_bytes(&s, out));
}

void jic_msg_put_signature(struct jic_json_writer *w, const char *name, const struct jic_msg_signature *s)
{
	char hex[2 * sizeof s->bytes + 1];
	jic_hex(s->bytes, sizeof s->bytes, hex);
	jic_json_open(w, name, '{');
	jic_json_put_digest(w, "key", &s->key);
	jic_json_put_digest(w, "requires", &s->requires_);
	jic_json_put_text(w, "bytes", jic_view_of(hex));
	jic_json_close(w, '}');
}

/* ---- lists of build ids */

bool jic_msg_get_build_ids(const struct jic_json *at, const char *field, size_t count_max,
                           const struct jic_build_id **out, size_t *count)
{
	struct jic_json list;
	if (!jic_json_list_optional(at, field, count_max, &list))
		return false;
	struct jic_build_id *ids = jic_msg_array(&list, sizeof *ids);
	if (!ids)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!jic_json_build_id(&element, &ids[i]))
			return false;
	}
	*out = ids;
	*count = jic_json_count(&list);
	return true;
}

void jic_msg_put_build_ids(struct jic_json_writer *w, const char *name, const struct jic_build_id *ids, size_t count)
{
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++)
		jic_json_put_build_id(w, NULL, ids[i]);
	jic_json_close(w, ']');
}

/* ---- lists of digests */

bool jic_msg_digests_write(const char *field, const struct jic_digest *digests, size_t count, struct jic_buf *out,
                           struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_digests(&w, field, digests, count);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

bool jic_msg_digests_read(struct jic_view json, const char *field, struct jic_arena *arena,
                          const struct jic_digest **out, size_t *count, struct jic_error *err)
{
	/* Twice the keys: each artefact has at most two blobs. */
	enum { DIGESTS_MAX = 2 * JIC_MESSAGE_KEYS_MAX };
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json root = jic_json_root(&doc);
	return jic_json_get_digests(&root, field, DIGESTS_MAX, out, count);
}

/* ---- info */

bool jic_msg_info_write(const struct jic_msg_info *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "server", m->server);
	jic_json_put_u64(&w, "protocol", m->protocol);
	jic_json_put_u64(&w, "keys_max", m->keys_max);
	jic_json_put_u64(&w, "blob_bytes_max", m->blob_bytes_max);
	jic_json_put_u64(&w, "body_bytes_max", m->body_bytes_max);
	jic_json_put_texts(&w, "lanes", m->lanes, m->lanes_count);
	jic_json_put_bool(&w, "can_write", m->can_write);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool read_lanes(const struct jic_json *at, struct jic_msg_info *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "lanes", JIC_MSG_LANES_MAX, &list))
		return false;
	struct jic_view *lanes = jic_msg_array(&list, sizeof *lanes);
	if (!lanes)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!lane_value(&element, &lanes[i]))
			return false;
	}
	out->lanes = lanes;
	out->lanes_count = jic_json_count(&list);
	return true;
}

bool jic_msg_info_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_info *out, struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	uint64_t protocol;
	if (!jic_json_get_text(&at, "server", JIC_MSG_NAME_BYTES_MAX, &out->server) ||
	    !jic_json_get_u64(&at, "protocol", UINT32_MAX, &protocol))
		return false;
	out->protocol = (unsigned)protocol;
	return jic_json_get_u64(&at, "keys_max", INT64_MAX, &out->keys_max) &&
	       jic_json_get_u64(&at, "blob_bytes_max", INT64_MAX, &out->blob_bytes_max) &&
	       jic_json_get_u64(&at, "body_bytes_max", INT64_MAX, &out->body_bytes_max) && read_lanes(&at, out) &&
	       jic_json_get_bool(&at, "can_write", &out->can_write);
}

/* ---- problems */

bool jic_msg_problem_write(const struct jic_msg_problem *m, struct jic_buf *out, struct jic_error *err)
{
	/* An error about foreign bytes may quote them: what isn't UTF-8 must not hide the error. */
	struct jic_json_writer w = {.out = out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "status", m->status);
	jic_json_put_text(&w, "code", m->code);
	jic_json_put_text(&w, "detail", m->detail);
	jic_json_put_text(&w, "request_id", m->request_id);
	if (m->keys_count)
		jic_json_put_digests(&w, "keys", m->keys, m->keys_count);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

bool jic_msg_problem_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_problem *out,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	*out = (struct jic_msg_problem){0};
	uint64_t status;
	struct jic_json keys;
	if (!jic_json_get_u64(&at, "status", 999, &status) ||
	    !jic_json_get_text(&at, "code", JIC_MSG_NAME_BYTES_MAX, &out->code) ||
	    !jic_json_opt_text(&at, "detail", JIC_JSON_TEXT_BYTES_MAX, &out->detail) ||
	    !jic_json_opt_text(&at, "request_id", JIC_MSG_NAME_BYTES_MAX, &out->request_id) ||
	    !jic_json_list_optional(&at, "keys", JIC_MESSAGE_KEYS_MAX, &keys))
		return false;
	out->status = (unsigned)status;
	return !keys.value || jic_json_get_digests(&at, "keys", JIC_MESSAGE_KEYS_MAX, &out->keys, &out->keys_count);
}
