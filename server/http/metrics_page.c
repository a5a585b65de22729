/*
 * GET /metrics. Who may: readers and admins as elsewhere, so a Prometheus on this machine or one with a token;
 * everybody with metrics.open. Only single rows of the index are read, and one for each lane and runtime.
 */
#include "server/http/handlers.h"
#include "server/http/metrics.h"
#include "server/http/problem.h"
#include "server/http/stats.h"
#include "server/http/visible.h"

enum { LANES_NAMED_MAX = 100 };

static const char text_format[] = "text/plain; version=0.0.4; charset=utf-8";

static bool is_allowed(struct jic_request *r)
{
	if (r->service->metrics_open || jic_identity_may(&r->caller.id, JIC_SCOPE_READ) ||
	    jic_identity_may(&r->caller.id, JIC_SCOPE_ADMIN))
		return true;
	if (r->caller.id.name.len)
		jic_respond_problem(r, JIC_PROBLEM_FORBIDDEN, "the token \"" JIC_PRIv "\" is not for reading",
		                    JIC_ARGv(r->caller.id.name));
	else
		jic_respond_problem(r, JIC_PROBLEM_UNAUTHENTICATED,
		                    "metrics need a token that may read (or the setting metrics.open)");
	return false;
}

static void write_activity(const struct jic_store_gauges *g, struct jic_buf *out)
{
	jic_metric_one(out, JIC_METRIC_HITS, g->hits);
	jic_metric_head(out, JIC_METRIC_MISSES);
	for (unsigned i = 0; i < JIC_MISS_COUNT; i++)
		jic_metric_labelled(out, JIC_METRIC_MISSES, "reason",
		                    jic_view_of(jic_miss_name((enum jic_miss_reason)i)), g->misses[i]);
	jic_metric_head(out, JIC_METRIC_SAVED);
	jic_buf_puts(out, jic_metric_name(JIC_METRIC_SAVED));
	jic_metric_seconds(out, g->saved_ms);
	jic_metric_one(out, JIC_METRIC_PUBLISHED, g->published);
}

static void write_store(const struct jic_store_gauges *g, struct jic_buf *out)
{
	jic_metric_one(out, JIC_METRIC_UPLOADS, g->uploads);
	jic_metric_one(out, JIC_METRIC_ARRIVING_BYTES, g->arriving_bytes);
	jic_metric_one(out, JIC_METRIC_ARTEFACTS, g->totals.artefacts);
	jic_metric_one(out, JIC_METRIC_LANES, g->totals.lanes);
	jic_metric_one(out, JIC_METRIC_BLOBS, g->totals.blobs);
	jic_metric_one(out, JIC_METRIC_STORED_BYTES, g->totals.stored_bytes);
	jic_metric_one(out, JIC_METRIC_STORE_MAX, g->store_bytes_max);
	jic_metric_one(out, JIC_METRIC_DISK_FREE, g->free_bytes);
	jic_metric_one(out, JIC_METRIC_DISK_FREE_MIN, g->free_bytes_min);
}

/* Those in front of the table have names of their own above. */
static void write_counters(const uint64_t counters[JIC_COUNTER_COUNT], struct jic_buf *out)
{
	static const char *const texts[] = {
#define JIC_COUNTER(NAME, name, text) [JIC_COUNTER_##NAME] = (text),
#include "server/tables/counters.def"
#undef JIC_COUNTER
	};
	for (unsigned i = JIC_COUNTER_RECEIVED_BYTES + 1; i < JIC_COUNTER_COUNT; i++) {
		char name[128];
		snprintf(name, sizeof name, "jicached_%s_total", jic_counter_name((enum jic_counter)i));
		jic_metric_head_of(out, name, "counter", texts[i]);
		jic_buf_puts(out, name);
		jic_metric_value(out, counters[i]);
	}
}

static int compare_bytes(const void *pa, const void *pb)
{
	const struct jic_stats_lane *a = pa, *b = pb;
	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static void write_lane_metric(const struct jic_stats *s, enum jic_metric metric, struct jic_buf *out)
{
	uint64_t others = 0;
	jic_metric_head(out, metric);
	for (size_t i = 0; i < s->lanes_count; i++) {
		const struct jic_stats_lane *lane = &s->lanes[i];
		const uint64_t value = metric == JIC_METRIC_LANE_BYTES ? lane->bytes : lane->artefacts;
		if (i < LANES_NAMED_MAX)
			jic_metric_labelled(out, metric, "lane", lane->lane->name, value);
		else
			others += value;
	}
	if (s->lanes_count > LANES_NAMED_MAX)
		jic_metric_labelled(out, metric, "lane", JIC_VIEW("(others)"), others);
}

/* Lanes that the caller may not see have no name here either. */
static bool write_all(struct jic_request *r, struct jic_buf *out, struct jic_error *err)
{
	struct jic_visible visible;
	struct jic_stats stats;
	if (!jic_request_visible(r, &visible))
		return false;
	if (!r->service->metrics_open && !jic_request_sees_whole(r, &visible)) {
		jic_respond_problem(
		    r, JIC_PROBLEM_FORBIDDEN,
		    "metrics are of the whole server: they need a token for all lanes, or the scope admin");
		return false;
	}
	if (!jic_stats_collect(r->service->store, visible.lanes, visible.count, &r->arena, &stats, err))
		return false;
	qsort(stats.lanes, stats.lanes_count, sizeof *stats.lanes, compare_bytes);
	jic_metrics_write_http(r->service->metrics, out);
	write_activity(&stats.gauges, out);
	write_store(&stats.gauges, out);
	write_lane_metric(&stats, JIC_METRIC_LANE_ARTEFACTS, out);
	write_lane_metric(&stats, JIC_METRIC_LANE_BYTES, out);
	write_counters(stats.counters, out);
	jic_metrics_write_process(r->service->metrics, out);
	return jic_buf_ok(out, err);
}

void jic_handle_metrics(struct jic_request *r)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!is_allowed(r))
		return;
	if (write_all(r, &text, &err)) {
		jic_respond_text(r, 200, text_format, &text);
		jic_respond_header(r, "Cache-Control", "no-store");
	} else if (!jic_request_answered(r)) {
		jic_respond_error(r, &err);
	}
}
