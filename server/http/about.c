/* GET /v1/artefacts/{runtime}/{sysimage}/{merkle}/about: who made it, when, from what, and who requires it. */
#include "server/store/about.h"

#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"

static void put_blob(struct jic_json_writer *w, const char *name, const struct jic_msg_blob *blob)
{
	jic_json_open(w, name, '{');
	jic_json_put_digest(w, "digest", &blob->digest);
	jic_json_put_u64(w, "size", blob->size);
	jic_json_close(w, '}');
}

static void put_record(struct jic_json_writer *w, const struct jic_index_artefact *a)
{
	const struct jic_msg_record *record = &a->record;
	jic_json_put_digest(w, "key", &record->key);
	jic_json_put_text(w, "name", record->name);
	jic_page_put_text(w, "version", record->version);
	jic_json_put_uuid(w, "uuid", record->uuid);
	jic_json_put_build_id(w, "build_id", record->build_id);
	jic_json_put_text(w, "lane", record->lane);
	put_blob(w, "ji", &record->ji);
	if (record->has_image)
		put_blob(w, "image", &record->image);
	jic_json_put_u64(w, "compile_ms", record->compile_ms);
	jic_page_put_text(w, "writer", a->writer);
	jic_json_put_u64(w, "published_s", a->published_s);
	jic_json_put_u64(w, "last_used_s", a->last_used_s);
	jic_page_put_provenance(w, &record->provenance);
}

static void put_origin(struct jic_json_writer *w, const struct jic_index_origin *o)
{
	static const char *const kinds[] = {"package", "extension", "stdlib"};
	const struct jic_node_inputs *inputs = &o->stored.inputs;
	jic_json_put_text(w, "runtime", o->runtime);
	jic_json_put_digest(w, "sysimage", &o->stored.sysimage);
	jic_json_put_text(w, "kind", jic_view_of(kinds[inputs->kind]));
	jic_json_put_text(w, "source", inputs->source);
	jic_page_put_text(w, "build", inputs->build);
	jic_json_put_u64(w, "preferences_bytes", inputs->preferences.len);
}

static void put_others(struct jic_json_writer *w, const char *name, const struct jic_about_other *others, size_t count)
{
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(w, NULL, '{');
		jic_json_put_digest(w, "key", &others[i].key);
		jic_page_put_text(w, "name", others[i].name);
		jic_page_put_text(w, "version", others[i].version);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

void jic_handle_about(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	const struct jic_view lane = jic_request_lane(r);
	const struct jic_digest sysimage = jic_request_digest(r, 1), key = jic_request_digest(r, 2);
	struct jic_about about;
	struct jic_error err = {0};
	if (!jic_request_lane_allowed(r, JIC_SCOPE_READ, lane))
		return;
	bool ok = jic_store_about(r->service->store, lane, r->parameters[0], &sysimage, &key, &r->arena, &about, &err);
	jic_json_open(&w, NULL, '{');
	if (ok) {
		size_t told = about.dependents_count < JIC_ABOUT_DEPENDENTS_MAX ? about.dependents_count
		                                                                : JIC_ABOUT_DEPENDENTS_MAX;
		put_record(&w, about.artefact);
		put_origin(&w, &about.origin);
		jic_json_put_bool(&w, "offered", about.offered);
		put_others(&w, "deps", about.deps, about.deps_count);
		put_others(&w, "required_by", about.dependents, told);
		jic_json_put_u64(&w, "required_by_count", about.dependents_count);
	}
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, &err);
}
