/* GET /v1/environments: what pulls asked for lately. GET /v1/environments/{digest}: one of them, as it would be
 * answered now. */
#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"
#include "server/store/environment.h"

enum { ENVIRONMENTS_MAX = 200 };

static void put_row(struct jic_json_writer *w, const struct jic_index_environment *e)
{
	jic_json_put_digest(w, "id", &e->id);
	jic_json_put_text(w, "title", e->title);
	jic_json_put_text(w, "runtime", e->runtime);
	jic_json_put_digest(w, "sysimage", &e->sysimage);
	jic_page_put_text(w, "who", e->who);
	jic_json_put_u64(w, "first_s", e->first_s);
	jic_json_put_u64(w, "last_s", e->last_s);
	jic_json_put_u64(w, "times", e->times);
	jic_json_put_u64(w, "wanted", e->wanted);
	jic_json_put_u64(w, "stored", e->stored);
}

static void put_entry(struct jic_json_writer *w, const void *visible, const void *item)
{
	const struct jic_index_environment *e = item;
	jic_page_put_lane(w, visible, e->lane_id);
	put_row(w, e);
}

void jic_handle_environments(struct jic_request *r)
{
	struct jic_index *index = jic_store_index(r->service->store);
	struct jic_visible visible;
	const struct jic_index_environment *found = NULL;
	uint64_t limit;
	size_t count = 0;
	struct jic_error err = {0};
	if (!jic_page_number(r, JIC_QUERY_LIMIT, JIC_PAGE_LIMIT, ENVIRONMENTS_MAX, &limit) ||
	    !jic_request_visible(r, &visible))
		return;
	const struct jic_index_lanes lanes = jic_visible_lanes(&visible);
	bool ok = index->ops->views->environments_list(index, &lanes, limit, &r->arena, &found, &count, &err);
	const struct jic_page_list list = {.name = "environments",
	                                   .items = found,
	                                   .count = count,
	                                   .size = sizeof *found,
	                                   .put = put_entry,
	                                   .context = &visible};
	jic_page_respond_list(r, &list, ok, &err);
}

/* ---- one */

static void put_miss(struct jic_json_writer *w, const struct jic_miss *miss)
{
	jic_json_put_text(w, "reason", jic_view_of(jic_miss_name(miss->reason)));
	jic_json_put_text(w, "text", jic_view_of(jic_miss_text(miss->reason)));
	jic_page_put_text(w, "near_version", miss->near_version);
	jic_page_put_text(w, "near_runtime", miss->near_runtime);
}

static void put_node(struct jic_json_writer *w, const struct jic_environment_node *n)
{
	static const char *const states[] = {[JIC_ENVIRONMENT_STORED] = "stored",
	                                     [JIC_ENVIRONMENT_SUPERSEDED] = "superseded",
	                                     [JIC_ENVIRONMENT_MISSING] = "missing"};
	jic_json_open(w, NULL, '{');
	jic_json_put_digest(w, "key", &n->key);
	jic_page_put_text(w, "name", n->want.name);
	jic_page_put_text(w, "version", n->want.version);
	jic_json_put_text(w, "state", jic_view_of(states[n->state]));
	jic_json_put_bool(w, "optional", n->want.optional);
	jic_page_put_text(w, "lane", n->lane);
	if (n->state != JIC_ENVIRONMENT_STORED)
		put_miss(w, &n->miss);
	jic_json_put_u64(w, "bytes", n->bytes);
	jic_json_put_u64(w, "compile_ms", n->compile_ms);
	jic_json_open(w, "deps", '[');
	for (size_t i = 0; i < n->want.deps_count; i++)
		jic_json_put_u64(w, NULL, n->want.deps[i]);
	jic_json_close(w, ']');
	jic_json_close(w, '}');
}

static bool find(struct jic_request *r, const struct jic_visible *visible, struct jic_environment *out,
                 struct jic_error *err)
{
	const struct jic_digest id = jic_request_digest(r, 0);
	if (!jic_store_environment(r->service->store, &id, &r->arena, out, err))
		return false;
	/* Who may not see its lane is not told that there is one. */
	return jic_visible_find(visible, out->row.lane_id) ||
	       jic_fail(err, JIC_ENOTFOUND, "no such environment was asked for lately");
}

void jic_handle_environment(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	struct jic_visible visible;
	struct jic_environment e;
	struct jic_error err = {0};
	if (!jic_request_visible(r, &visible))
		return;
	bool ok = find(r, &visible, &e, &err);
	jic_json_open(&w, NULL, '{');
	if (ok) {
		jic_json_put_text(&w, "lane", e.lane);
		put_row(&w, &e.row);
		jic_json_open(&w, "nodes", '[');
		for (size_t i = 0; i < e.nodes_count; i++)
			put_node(&w, &e.nodes[i]);
		jic_json_close(&w, ']');
	}
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, &err);
}
