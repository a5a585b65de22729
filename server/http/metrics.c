/*
 * Counters by route. The format is Prometheus' exposition format 0.0.4: each metric's HELP and TYPE lines, then all of
 * its samples together. Values of counters only ever grow while the process lives.
 */
#include "server/http/metrics.h"

#include "server/http/route.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* 0 is for requests whose connection broke before there was an answer. */
static const unsigned statuses[JIC_METRIC_STATUSES] = {0,   200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405,
                                                       408, 409, 411, 413, 415, 416, 422, 429, 500, 501, 503, 507};

/* A look-up takes a millisecond, a publish a second, a large download minutes. */
static const struct {
	uint64_t us;
	const char *text;
} durations[JIC_METRIC_DURATIONS] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {10000000, "10"}, {60000000, "60"},
};

static const struct {
	const char *type, *name, *help;
} table[] = {
#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"
#define JIC_METRIC(NAME, type, name, labels, help) [JIC_METRIC_##NAME] = {type, name, help},
#include "server/tables/metrics.def"
#undef JIC_METRIC
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

/* ---- counting */

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static size_t status_slot(unsigned status)
{
	for (size_t i = 0; i < JIC_METRIC_STATUSES; i++)
		if (statuses[i] == status)
			return i;
	return JIC_METRIC_STATUSES;
}

static size_t duration_slot(uint64_t us)
{
	size_t i = 0;
	while (i < JIC_METRIC_DURATIONS && us > durations[i].us)
		i++;
	return i;
}

void jic_metrics_count(struct jic_metrics *m, const struct jic_metrics_request *request)
{
	JIC_ASSERT(request->route <= JIC_METRIC_ROUTES_MAX);
	struct jic_route_metrics *route = &m->routes[request->route];
	add(&route->answers[status_slot(request->status)], 1);
	add(&route->durations[duration_slot(request->took_us)], 1);
	add(&route->duration_us, request->took_us);
	add(&route->received, request->received);
	add(&route->sent, request->sent);
	add(&m->received, request->received);
	add(&m->sent, request->sent);
	add(&m->answered, 1);
}

/* ---- one sample */

const char *jic_metric_name(enum jic_metric metric)
{
	return table[metric].name;
}

void jic_metric_head_of(struct jic_buf *out, const char *name, const char *type, const char *help)
{
	jic_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void jic_metric_head(struct jic_buf *out, enum jic_metric metric)
{
	jic_metric_head_of(out, table[metric].name, table[metric].type, table[metric].help);
}

void jic_metric_value(struct jic_buf *out, uint64_t value)
{
	jic_buf_printf(out, " %llu\n", (unsigned long long)value);
}

void jic_metric_seconds(struct jic_buf *out, uint64_t value_ms)
{
	jic_buf_printf(out, " %llu.%03llu\n", (unsigned long long)value_ms / 1000, (unsigned long long)value_ms % 1000);
}

void jic_metric_one(struct jic_buf *out, enum jic_metric metric, uint64_t value)
{
	jic_metric_head(out, metric);
	jic_buf_puts(out, table[metric].name);
	jic_metric_value(out, value);
}

/* Backslash, quote and line feed are all that a label's value has to be protected from. */
static void put_escaped(struct jic_buf *out, struct jic_view text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];
		if (c == '\n')
			jic_buf_puts(out, "\\n");
		else if (c == '\\' || c == '"')
			jic_buf_printf(out, "\\%c", c);
		else
			jic_buf_putc(out, c);
	}
}

void jic_metric_labelled(struct jic_buf *out, enum jic_metric metric, const char *label, struct jic_view text,
                         uint64_t value)
{
	jic_buf_printf(out, "%s{%s=\"", table[metric].name, label);
	put_escaped(out, text);
	jic_buf_puts(out, "\"}");
	jic_metric_value(out, value);
}

/* ---- routes */

static bool was_used(const struct jic_route_metrics *route)
{
	uint64_t sum = 0;
	for (size_t i = 0; i <= JIC_METRIC_DURATIONS; i++)
		sum += get(&route->durations[i]);
	return sum > 0;
}

/* "name{route="/v1/info",method="GET"": the caller closes it. Patterns have nothing in them that needs escapes. */
static void put_route(struct jic_buf *out, const char *name, const char *suffix, size_t i)
{
	struct jic_route_name route = jic_route_name(i);
	jic_buf_printf(out, "%s%s{route=\"%s\",method=\"%s\"", name, suffix, route.pattern, route.method);
}

static void write_answers(const struct jic_metrics *m, size_t i, struct jic_buf *out)
{
	for (size_t s = 0; s <= JIC_METRIC_STATUSES; s++) {
		uint64_t count = get(&m->routes[i].answers[s]);
		if (!count)
			continue;
		put_route(out, table[JIC_METRIC_REQUESTS].name, "", i);
		if (s < JIC_METRIC_STATUSES)
			jic_buf_printf(out, ",status=\"%u\"}", statuses[s]);
		else
			jic_buf_puts(out, ",status=\"other\"}");
		jic_metric_value(out, count);
	}
}

static void write_durations(const struct jic_metrics *m, size_t i, struct jic_buf *out)
{
	const struct jic_route_metrics *route = &m->routes[i];
	const char *name = table[JIC_METRIC_DURATION].name;
	uint64_t sum = 0;
	for (size_t d = 0; d <= JIC_METRIC_DURATIONS; d++) {
		sum += get(&route->durations[d]);
		put_route(out, name, "_bucket", i);
		jic_buf_printf(out, ",le=\"%s\"}", d < JIC_METRIC_DURATIONS ? durations[d].text : "+Inf");
		jic_metric_value(out, sum);
	}
	const uint64_t us = get(&route->duration_us);
	put_route(out, name, "_sum", i);
	jic_buf_printf(out, "} %llu.%06llu\n", (unsigned long long)us / 1000000, (unsigned long long)us % 1000000);
	put_route(out, name, "_count", i);
	jic_buf_puts(out, "}");
	jic_metric_value(out, sum);
}

static void write_received(const struct jic_metrics *m, size_t i, struct jic_buf *out)
{
	put_route(out, table[JIC_METRIC_RECEIVED].name, "", i);
	jic_buf_puts(out, "}");
	jic_metric_value(out, get(&m->routes[i].received));
}

static void write_sent(const struct jic_metrics *m, size_t i, struct jic_buf *out)
{
	put_route(out, table[JIC_METRIC_SENT].name, "", i);
	jic_buf_puts(out, "}");
	jic_metric_value(out, get(&m->routes[i].sent));
}

/* All samples of a metric stand together, so the routes are walked once for each. */
static void each_route(const struct jic_metrics *m, enum jic_metric metric, struct jic_buf *out,
                       void (*write)(const struct jic_metrics *m, size_t i, struct jic_buf *out))
{
	jic_metric_head(out, metric);
	for (size_t i = 0; i <= JIC_METRIC_ROUTES_MAX; i++)
		if (was_used(&m->routes[i]))
			write(m, i, out);
}

static uint64_t gauge(const atomic_int_fast64_t *value)
{
	int_fast64_t v = atomic_load_explicit(value, memory_order_relaxed);
	return v > 0 ? (uint64_t)v : 0;
}

void jic_metrics_write_http(const struct jic_metrics *m, struct jic_buf *out)
{
	jic_metric_head(out, JIC_METRIC_BUILD_INFO);
	jic_metric_labelled(out, JIC_METRIC_BUILD_INFO, "version", JIC_VIEW(JIC_VERSION), 1);
	each_route(m, JIC_METRIC_REQUESTS, out, write_answers);
	each_route(m, JIC_METRIC_DURATION, out, write_durations);
	each_route(m, JIC_METRIC_RECEIVED, out, write_received);
	each_route(m, JIC_METRIC_SENT, out, write_sent);
	jic_metric_one(out, JIC_METRIC_IN_PROGRESS, gauge(&m->in_progress));
	jic_metric_one(out, JIC_METRIC_CONNECTIONS, gauge(&m->connections));
	jic_metric_one(out, JIC_METRIC_CONNECTIONS_MAX, m->connections_max);
	jic_metric_one(out, JIC_METRIC_QUEUE, m->queued ? m->queued(m->work) : 0);
	jic_metric_one(out, JIC_METRIC_QUEUE_MAX, m->queue_max);
	jic_metric_one(out, JIC_METRIC_REFUSED, get(&m->refused));
	jic_metric_head(out, JIC_METRIC_LEASES);
	for (unsigned i = 0; i < JIC_LEASE_STATES; i++)
		jic_metric_labelled(out, JIC_METRIC_LEASES, "state",
		                    jic_view_of(jic_lease_state_name((enum jic_lease_state)i)), get(&m->leases[i]));
}

/* ---- the process */

/* "size resident shared …" in pages: proc(5). What can't be read is left out: not a reason to refuse the rest. */
static void write_memory(struct jic_buf *out)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return;
	text[len] = '\0';
	char *rest;
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t size = strtoull(text, &rest, 10), resident = strtoull(rest, NULL, 10);
	jic_metric_one(out, JIC_METRIC_RESIDENT, resident * page);
	jic_metric_one(out, JIC_METRIC_VIRTUAL, size * page);
}

static void write_descriptors(struct jic_buf *out)
{
	struct rlimit limit;
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (dir) {
		for (struct dirent *e = readdir(dir); e; e = readdir(dir))
			count += e->d_name[0] != '.';
		closedir(dir);
		jic_metric_one(out, JIC_METRIC_FDS, count - 1); /* without that of the directory itself */
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		jic_metric_one(out, JIC_METRIC_FDS_MAX, limit.rlim_cur);
}

void jic_metrics_write_process(const struct jic_metrics *m, struct jic_buf *out)
{
	struct rusage used;
	if (getrusage(RUSAGE_SELF, &used) == 0) {
		const struct timeval a = used.ru_utime, b = used.ru_stime;
		jic_metric_head(out, JIC_METRIC_CPU);
		jic_buf_puts(out, table[JIC_METRIC_CPU].name);
		jic_metric_seconds(out,
		                   (uint64_t)(a.tv_sec + b.tv_sec) * 1000 + (uint64_t)(a.tv_usec + b.tv_usec) / 1000);
	}
	write_memory(out);
	write_descriptors(out);
	jic_metric_one(out, JIC_METRIC_START_TIME, m->started_s);
}
