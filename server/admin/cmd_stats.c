/* jicached stats: what a store has done and holds, by lane and by Julia's version. */
#include "server/admin/commands.h"

#include "server/http/stats.h"

static bool stats_json(const struct jic_stats *s, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_stats_put(s, true, &w);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

/* "12.3 MiB" */
static void put_bytes(uint64_t bytes, struct jic_buf *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 1024 && unit + 1 < JIC_COUNT(units)) {
		value /= 1024;
		unit++;
	}
	jic_buf_printf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* "3 d 04 h", "2 h 05 min", "48 s" */
static void put_duration(uint64_t ms, struct jic_buf *out)
{
	const unsigned long long s = ms / 1000;
	if (s >= 86400)
		jic_buf_printf(out, "%llu d %02llu h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		jic_buf_printf(out, "%llu h %02llu min", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		jic_buf_printf(out, "%llu min %02llu s", s / 60, s % 60);
	else
		jic_buf_printf(out, "%llu s", s);
}

static void put_pulls(const struct jic_stats *s, struct jic_buf *out)
{
	const uint64_t hits = s->counters[JIC_COUNTER_HITS], misses = s->counters[JIC_COUNTER_MISSES];
	jic_buf_printf(out, "%-12s %llu, which asked for %llu packages\n", "pulls",
	               (unsigned long long)s->counters[JIC_COUNTER_PULLS], (unsigned long long)(hits + misses));
	if (hits + misses)
		jic_buf_printf(out, "%-12s %.1f %% (%llu missing)\n", "hits",
		               100.0 * (double)hits / (double)(hits + misses), (unsigned long long)misses);
	jic_buf_printf(out, "%-12s ", "saved");
	put_duration(s->counters[JIC_COUNTER_SAVED_MS], out);
	jic_buf_puts(out, " of compiling\n");
	jic_buf_printf(out, "%-12s ", "sent");
	put_bytes(s->counters[JIC_COUNTER_SENT_BYTES], out);
	jic_buf_printf(out, "\n%-12s ", "received");
	put_bytes(s->counters[JIC_COUNTER_RECEIVED_BYTES], out);
	jic_buf_printf(out, "\n%-12s %llu artefacts\n", "published",
	               (unsigned long long)s->counters[JIC_COUNTER_PUBLISHED]);
}

static void put_disk(const struct jic_store_gauges *g, struct jic_buf *out)
{
	jic_buf_printf(out, "%-12s ", "on disk");
	put_bytes(g->totals.stored_bytes, out);
	if (g->store_bytes_max) {
		jic_buf_puts(out, " of ");
		put_bytes(g->store_bytes_max, out);
	}
	jic_buf_puts(out, ", ");
	put_bytes(g->free_bytes, out);
	jic_buf_puts(out, " free\n");
}

static void put_line(struct jic_view name, uint64_t artefacts, uint64_t bytes, uint64_t compile_ms, struct jic_buf *out)
{
	jic_buf_printf(out, "  %-24.*s %8llu artefacts  ", (int)name.len, name.ptr, (unsigned long long)artefacts);
	put_bytes(bytes, out);
	jic_buf_puts(out, ", compiled in ");
	put_duration(compile_ms, out);
	jic_buf_putc(out, '\n');
}

static void stats_text(const struct jic_stats *s, struct jic_buf *out)
{
	put_pulls(s, out);
	put_disk(&s->gauges, out);
	jic_buf_puts(out, "lanes\n");
	for (size_t i = 0; i < s->lanes_count; i++)
		put_line(s->lanes[i].lane->name, s->lanes[i].artefacts, s->lanes[i].bytes, s->lanes[i].compile_ms, out);
	if (s->julias_count)
		jic_buf_puts(out, "Julia\n");
	for (size_t i = 0; i < s->julias_count; i++)
		put_line(s->julias[i].version, s->julias[i].artefacts, s->julias[i].bytes, s->julias[i].compile_ms,
		         out);
}

bool jic_cmd_stats(const struct jic_admin *a, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	const struct jic_lane *lanes;
	size_t count;
	struct jic_stats stats;
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	if (!index->ops->lane_list(index, a->arena, &lanes, &count, err) ||
	    !jic_stats_collect(store, lanes, count, a->arena, &stats, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return stats_json(&stats, a->out, err);
	stats_text(&stats, a->out);
	return true;
}
