/* GET /v1/stats, /v1/stats/history and /v1/lanes: sums, over the lanes that the caller may see. */
#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"
#include "server/http/stats.h"
#include "server/store/recorder.h"

static void put_caller(struct jic_json_writer *w, const struct jic_identity *id)
{
	jic_json_open(w, "caller", '{');
	jic_page_put_text(w, "name", id->name);
	jic_json_put_bool(w, "can_write", jic_identity_may(id, JIC_SCOPE_WRITE));
	jic_json_put_bool(w, "can_admin", jic_identity_may(id, JIC_SCOPE_ADMIN));
	jic_json_close(w, '}');
}

void jic_handle_stats(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	struct jic_visible visible;
	struct jic_stats stats;
	struct jic_error err = {0};
	if (!jic_request_visible(r, &visible))
		return;
	bool ok = jic_stats_collect(r->service->store, visible.lanes, visible.count, &r->arena, &stats, &err);
	jic_json_open(&w, NULL, '{');
	if (ok) {
		put_caller(&w, &r->caller.id);
		jic_stats_put(&stats, jic_request_sees_whole(r, &visible), &w);
	}
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, &err);
}

static void put_lane(struct jic_json_writer *w, const void *request, const void *item)
{
	const struct jic_request *r = request;
	const struct jic_lane *lane = item;
	jic_json_put_text(w, "name", lane->name);
	jic_page_put_text(w, "parent", lane->parent);
	jic_json_put_u64(w, "created_s", lane->created_s);
	jic_json_put_bool(w, "can_write", jic_identity_may_lane(&r->caller.id, JIC_SCOPE_WRITE, lane->name));
}

void jic_handle_lanes(struct jic_request *r)
{
	struct jic_visible visible;
	const struct jic_error err = {0};
	if (!jic_request_visible(r, &visible))
		return;
	const struct jic_page_list list = {.name = "lanes",
	                                   .items = visible.lanes,
	                                   .count = visible.count,
	                                   .size = sizeof *visible.lanes,
	                                   .put = put_lane,
	                                   .context = r};
	jic_page_respond_list(r, &list, true, &err);
}

/* ---- history */

static bool read_step(struct jic_request *r, uint64_t *step_s, uint64_t *kept_s)
{
	if (!jic_page_number(r, JIC_QUERY_STEP, JIC_FINE_STEP_S, UINT32_MAX, step_s))
		return false;
	*kept_s = *step_s == JIC_FINE_STEP_S ? JIC_FINE_KEPT_S : JIC_COARSE_KEPT_S;
	if (*step_s == JIC_FINE_STEP_S || *step_s == JIC_COARSE_STEP_S)
		return true;
	jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "step: must be %d or %d", JIC_FINE_STEP_S, JIC_COARSE_STEP_S);
	return false;
}

/* Steps of several lanes at one time become one: what is counted by lane is their sum, the rest is the server's. */
static void add_step(const struct jic_index_step *from, bool whole, struct jic_index_step *to)
{
	const bool server = from->lane_id == 0;
	if (server && !whole)
		return;
	to->at_s = from->at_s;
	for (unsigned i = 0; i < JIC_ACTIVITY_COUNT; i++)
		if (server == (i >= JIC_ACTIVITY_SENT))
			to->values[i] += from->values[i];
}

static void put_step(struct jic_json_writer *w, const struct jic_index_step *step)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_u64(w, "at_s", step->at_s);
	for (unsigned i = 0; i < JIC_ACTIVITY_COUNT; i++)
		jic_json_put_u64(w, jic_activity_name((enum jic_activity)i), step->values[i]);
	jic_json_close(w, '}');
}

static void put_steps(struct jic_json_writer *w, const struct jic_index_step *steps, size_t count, bool whole)
{
	struct jic_index_step sum = {0};
	jic_json_open(w, "steps", '[');
	for (size_t i = 0; i < count; i++) {
		if (sum.at_s && sum.at_s != steps[i].at_s) {
			put_step(w, &sum);
			sum = (struct jic_index_step){0};
		}
		add_step(&steps[i], whole, &sum);
	}
	if (sum.at_s)
		put_step(w, &sum);
	jic_json_close(w, ']');
}

void jic_handle_history(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	struct jic_index *index = jic_store_index(r->service->store);
	struct jic_visible visible;
	const struct jic_index_step *steps;
	uint64_t step_s, kept_s;
	size_t count;
	struct jic_error err = {0};
	if (!read_step(r, &step_s, &kept_s) || !jic_request_visible(r, &visible))
		return;
	const uint64_t now_s = jic_store_now_s();
	const struct jic_index_lanes lanes = jic_visible_lanes(&visible);
	bool ok = index->ops->views->steps_list(index, step_s, now_s > kept_s ? now_s - kept_s : 0, &lanes, &r->arena,
	                                        &steps, &count, &err);
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "step_s", step_s);
	jic_json_put_u64(&w, "now_s", now_s);
	if (ok)
		put_steps(&w, steps, count, jic_request_sees_whole(r, &visible));
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, &err);
}
