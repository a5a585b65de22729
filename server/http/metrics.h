/**
 * What the HTTP server counts of itself, and GET /metrics, which tells that and what the store says, in Prometheus'
 * text format 0.0.4. Counting is adding to atomics; a scrape reads them and some single rows of the index, whatever is
 * stored. The table of all metrics is server/tables/metrics.def.
 */
#ifndef JIC_SERVER_HTTP_METRICS_H
#define JIC_SERVER_HTTP_METRICS_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/message_lease.h"

#include <jicache/error.h>
#include <stdatomic.h>

enum {
	JIC_METRIC_ROUTES_MAX = 63, /**< of the route table; one more is for requests without a route */
	JIC_METRIC_STATUSES = 24,   /**< that are told apart */
	JIC_METRIC_DURATIONS = 14,  /**< upper bounds of a histogram, +Inf apart */
};

struct jic_route_metrics {
	atomic_uint_fast64_t answers[JIC_METRIC_STATUSES + 1];    /**< by status; the last: any other */
	atomic_uint_fast64_t durations[JIC_METRIC_DURATIONS + 1]; /**< each in its own bucket; the last: beyond all */
	atomic_uint_fast64_t duration_us;
	atomic_uint_fast64_t received, sent; /**< bytes of bodies */
};

/** Zeroed is ready. Any thread. */
struct jic_metrics {
	struct jic_route_metrics routes[JIC_METRIC_ROUTES_MAX + 1];
	atomic_uint_fast64_t refused;
	atomic_uint_fast64_t leases[JIC_LEASE_STATES]; /**< answers to who asked for one, by state */
	atomic_uint_fast64_t received, sent, answered; /**< over all routes */
	atomic_int_fast64_t in_progress, connections;
	uint64_t connections_max, queue_max; /**< constant */
	uint64_t started_s;                  /**< Unix time, constant */
	size_t (*queued)(void *work);        /**< jobs that wait; constant, as is `work` */
	void *work;
};

/** One request that is over. */
struct jic_metrics_request {
	size_t route; /**< jic_route_index() */
	unsigned status;
	uint64_t took_us, received, sent;
};
void jic_metrics_count(struct jic_metrics *m, const struct jic_metrics_request *request);

/** The samples that need nothing but `m` and the process. */
void jic_metrics_write_http(const struct jic_metrics *m, struct jic_buf *out);
void jic_metrics_write_process(const struct jic_metrics *m, struct jic_buf *out);

/* ---- for who writes samples */

enum jic_metric {
#define JIC_METRIC(NAME, type, name, labels, help) JIC_METRIC_##NAME,
#include "server/tables/metrics.def"
#undef JIC_METRIC
	JIC_METRIC_COUNT
};

/** The lines HELP and TYPE: once, before a metric's samples. */
void jic_metric_head(struct jic_buf *out, enum jic_metric metric);
/** The same of a metric that is in no table. @param type "counter" or "gauge" */
void jic_metric_head_of(struct jic_buf *out, const char *name, const char *type, const char *help);
/** The end of the line of a sample, behind its name and labels. */
void jic_metric_value(struct jic_buf *out, uint64_t value);
void jic_metric_seconds(struct jic_buf *out, uint64_t value_ms);
/** A sample without labels, head included. */
void jic_metric_one(struct jic_buf *out, enum jic_metric metric, uint64_t value);
/** A sample with one label; the value of the label may be any text. */
void jic_metric_labelled(struct jic_buf *out, enum jic_metric metric, const char *label, struct jic_view text,
                         uint64_t value);
const char *jic_metric_name(enum jic_metric metric);

#endif
