/* explain and explained. */
#include "common/message_json.h"

/* ---- the request */

static void put_explain_node(struct jic_json_writer *w, const struct jic_msg_explain_node *n)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &n->key);
	jic_msg_put_node(w, "node", &n->inputs);
	jic_json_close(w, '}');
}

bool jic_msg_explain_write(const struct jic_msg_explain *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	if (m->lane.len)
		jic_json_put_text(&w, "lane", m->lane);
	jic_json_put_digest(&w, "sysimage", &m->sysimage);
	jic_msg_put_runtime(&w, "runtime", &m->runtime);
	jic_json_put_texts(&w, "runtimes", m->runtimes, m->runtimes_count);
	jic_json_open(&w, "nodes", '[');
	for (size_t i = 0; i < m->nodes_count; i++)
		put_explain_node(&w, &m->nodes[i]);
	jic_json_close(&w, ']');
	jic_json_put_digests(&w, "known", m->known, m->known_count);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool read_explain_nodes(const struct jic_json *at, struct jic_msg_explain *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "nodes", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_explain_node *nodes = jic_msg_array(&list, sizeof *nodes);
	if (!nodes)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_get_digest(&e, "key", &nodes[i].key) || !jic_msg_get_node(&e, "node", &nodes[i].inputs))
			return false;
	}
	out->nodes = nodes;
	out->nodes_count = jic_json_count(&list);
	return true;
}

bool jic_msg_explain_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_explain *out,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return jic_msg_get_lane(&at, "lane", &out->lane) && jic_json_get_digest(&at, "sysimage", &out->sysimage) &&
	       jic_msg_get_runtime(&at, "runtime", &out->runtime) &&
	       jic_msg_get_runtime_ids(&at, "runtimes", &out->runtimes, &out->runtimes_count) &&
	       read_explain_nodes(&at, out) &&
	       jic_json_get_digests(&at, "known", JIC_MESSAGE_KEYS_MAX, &out->known, &out->known_count);
}

/* ---- the answer, written */

static void put_told_runtime(struct jic_json_writer *w, const struct jic_msg_runtime *r)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "id", r->id);
	jic_msg_put_runtime_parts(w, &r->parts);
	jic_json_put_digest(w, "bundled_digest", &r->bundled);
	jic_json_close(w, '}');
}

static void put_stored(struct jic_json_writer *w, const struct jic_msg_stored *s)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &s->key);
	jic_msg_put_node(w, "node", &s->inputs);
	if (s->version.len)
		jic_json_put_text(w, "version", s->version);
	jic_json_put_u64(w, "runtime", s->runtime);
	jic_json_put_digest(w, "sysimage", &s->sysimage);
	jic_json_put_text(w, "lane", s->lane);
	jic_json_put_u64(w, "published_s", s->published_s);
	jic_msg_put_provenance(w, "provenance", &s->provenance);
	jic_json_close(w, '}');
}

static void put_nearest(struct jic_json_writer *w, const struct jic_msg_nearest *n)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &n->key);
	jic_json_put_u64(w, "artefact", n->artefact);
	jic_json_close(w, '}');
}

bool jic_msg_explained_write(const struct jic_msg_explained *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "runtimes", '[');
	for (size_t i = 0; i < m->runtimes_count; i++)
		put_told_runtime(&w, &m->runtimes[i]);
	jic_json_close(&w, ']');
	jic_json_open(&w, "artefacts", '[');
	for (size_t i = 0; i < m->artefacts_count; i++)
		put_stored(&w, &m->artefacts[i]);
	jic_json_close(&w, ']');
	jic_json_open(&w, "nearest", '[');
	for (size_t i = 0; i < m->nearest_count; i++)
		put_nearest(&w, &m->nearest[i]);
	jic_json_close(&w, ']');
	jic_json_put_bool(&w, "truncated", m->truncated);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

/* ---- the answer, read */

static bool read_told_runtimes(const struct jic_json *at, struct jic_msg_explained *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "runtimes", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_runtime *runtimes = jic_msg_array(&list, sizeof *runtimes);
	if (!runtimes)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		const struct jic_json id = {.doc = e.doc, .up = &e, .field = "id"};
		if (!jic_json_get_text(&e, "id", JIC_RUNTIME_ID_BYTES_MAX, &runtimes[i].id) ||
		    !jic_msg_get_runtime_parts(&e, &runtimes[i].parts) ||
		    !jic_json_get_digest(&e, "bundled_digest", &runtimes[i].bundled))
			return false;
		if (!jic_runtime_id_valid(runtimes[i].id))
			return jic_json_fail(&id, JIC_EFORMAT, "is not a runtime id");
	}
	out->runtimes = runtimes;
	out->runtimes_count = jic_json_count(&list);
	return true;
}

/* A position in a list of `count` elements that was read before. */
static bool read_position(const struct jic_json *at, const char *field, size_t count, uint32_t *out)
{
	uint64_t position;
	const struct jic_json place = {.doc = at->doc, .up = at, .field = field};
	if (!jic_json_get_u64(at, field, UINT32_MAX, &position))
		return false;
	*out = (uint32_t)position;
	return position < count || jic_json_fail(&place, JIC_EFORMAT, "is no position in the list");
}

static bool read_stored(const struct jic_json *at, size_t runtimes_count, struct jic_msg_stored *out)
{
	return jic_json_get_digest(at, "key", &out->key) && jic_msg_get_node(at, "node", &out->inputs) &&
	       jic_json_opt_text(at, "version", JIC_MSG_NAME_BYTES_MAX, &out->version) &&
	       read_position(at, "runtime", runtimes_count, &out->runtime) &&
	       jic_json_get_digest(at, "sysimage", &out->sysimage) && jic_msg_get_lane(at, "lane", &out->lane) &&
	       jic_json_opt_u64(at, "published_s", INT64_MAX, &out->published_s) &&
	       jic_msg_get_provenance(at, "provenance", &out->provenance);
}

static bool read_all_stored(const struct jic_json *at, struct jic_msg_explained *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "artefacts", JIC_MESSAGE_STORED_MAX, &list))
		return false;
	struct jic_msg_stored *artefacts = jic_msg_array(&list, sizeof *artefacts);
	if (!artefacts)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!read_stored(&e, out->runtimes_count, &artefacts[i]))
			return false;
	}
	out->artefacts = artefacts;
	out->artefacts_count = jic_json_count(&list);
	return true;
}

static bool read_nearest(const struct jic_json *at, struct jic_msg_explained *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "nearest", JIC_MESSAGE_KEYS_MAX, &list))
		return false;
	struct jic_msg_nearest *nearest = jic_msg_array(&list, sizeof *nearest);
	if (!nearest)
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_get_digest(&e, "key", &nearest[i].key) ||
		    !read_position(&e, "artefact", out->artefacts_count, &nearest[i].artefact))
			return false;
	}
	out->nearest = nearest;
	out->nearest_count = jic_json_count(&list);
	return true;
}

bool jic_msg_explained_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_explained *out,
                            struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return read_told_runtimes(&at, out) && read_all_stored(&at, out) && read_nearest(&at, out) &&
	       jic_json_get_bool(&at, "truncated", &out->truncated);
}
