/* One pass over what each lane holds for each runtime; sums by lane and by Julia's version. */
#include "server/http/stats.h"

#include "server/store/index_views.h"

/* "julia-1.11.1-x86_64-linux-gnu-…": for runtimes of which nobody said more than the id. */
static struct jic_view version_of(const struct jic_index_held *held)
{
	const struct jic_view prefix = JIC_VIEW("julia-");
	if (held->julia.len || !jic_view_starts(held->runtime, prefix))
		return held->julia;
	const struct jic_view rest = jic_view_skip(held->runtime, prefix.len);
	const char *dash = rest.len ? memchr(rest.ptr, '-', rest.len) : NULL;
	return jic_view_head(rest, dash ? (size_t)(dash - rest.ptr) : rest.len);
}

static struct jic_stats_julia *find_julia(struct jic_stats *s, struct jic_view version)
{
	for (size_t i = 0; i < s->julias_count; i++)
		if (jic_view_eq(s->julias[i].version, version))
			return &s->julias[i];
	s->julias[s->julias_count].version = version;
	return &s->julias[s->julias_count++];
}

static struct jic_stats_lane *find_lane(struct jic_stats *s, uint64_t id)
{
	for (size_t i = 0; i < s->lanes_count; i++)
		if (s->lanes[i].lane->id == id)
			return &s->lanes[i];
	return NULL;
}

static void add_held(struct jic_stats *s, const struct jic_index_held *held)
{
	struct jic_stats_lane *lane = find_lane(s, held->lane_id);
	if (!lane)
		return;
	struct jic_stats_julia *julia = find_julia(s, version_of(held));
	lane->artefacts += held->artefacts;
	lane->bytes += held->bytes;
	lane->compile_ms += held->compile_ms;
	julia->artefacts += held->artefacts;
	julia->bytes += held->bytes;
	julia->compile_ms += held->compile_ms;
	s->artefacts += held->artefacts;
	s->bytes += held->bytes;
	s->compile_ms += held->compile_ms;
}

static int compare_julias(const void *pa, const void *pb)
{
	const struct jic_stats_julia *a = pa, *b = pb;
	return jic_view_cmp(a->version, b->version);
}

bool jic_stats_collect(struct jic_store *s, const struct jic_lane *lanes, size_t lanes_count, struct jic_arena *arena,
                       struct jic_stats *out, struct jic_error *err)
{
	struct jic_index *index = jic_store_index(s);
	const struct jic_index_held *held;
	size_t count;
	*out = (struct jic_stats){.now_s = jic_store_now_s()};
	if (!jic_store_gauges(s, &out->gauges, err) || !index->ops->counters_get(index, out->counters, err) ||
	    !index->ops->views->held_list(index, arena, &held, &count, err))
		return false;
	out->lanes = jic_arena_array(arena, lanes_count + 1, sizeof *out->lanes);
	out->julias = jic_arena_array(arena, count + 1, sizeof *out->julias);
	if (!out->lanes || !out->julias)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < lanes_count; i++)
		out->lanes[out->lanes_count++].lane = &lanes[i];
	for (size_t i = 0; i < count; i++)
		add_held(out, &held[i]);
	qsort(out->julias, out->julias_count, sizeof *out->julias, compare_julias);
	return true;
}

static void put_sums(struct jic_json_writer *w, uint64_t artefacts, uint64_t bytes, uint64_t compile_ms)
{
	jic_json_put_u64(w, "artefacts", artefacts);
	jic_json_put_u64(w, "bytes", bytes);
	jic_json_put_u64(w, "compile_ms", compile_ms);
}

static void put_store(const struct jic_store_gauges *g, struct jic_json_writer *w)
{
	jic_json_open(w, "store", '{');
	jic_json_put_u64(w, "artefacts", g->totals.artefacts);
	jic_json_put_u64(w, "blobs", g->totals.blobs);
	jic_json_put_u64(w, "stored_bytes", g->totals.stored_bytes);
	jic_json_put_u64(w, "arriving_bytes", g->arriving_bytes);
	jic_json_put_u64(w, "store_bytes_max", g->store_bytes_max);
	jic_json_put_u64(w, "free_bytes", g->free_bytes);
	jic_json_put_u64(w, "free_bytes_min", g->free_bytes_min);
	jic_json_close(w, '}');
}

static void put_totals(const struct jic_stats *s, struct jic_json_writer *w)
{
	jic_json_open(w, "totals", '{');
	for (unsigned i = 0; i < JIC_COUNTER_COUNT; i++)
		jic_json_put_u64(w, jic_counter_name((enum jic_counter)i), s->counters[i]);
	jic_json_close(w, '}');
}

void jic_stats_put(const struct jic_stats *s, bool whole, struct jic_json_writer *w)
{
	jic_json_put_text(w, "server", JIC_VIEW("jicached " JIC_VERSION));
	jic_json_put_u64(w, "now_s", s->now_s);
	put_sums(w, s->artefacts, s->bytes, s->compile_ms);
	if (whole) {
		put_store(&s->gauges, w);
		put_totals(s, w);
	}
	jic_json_open(w, "lanes", '[');
	for (size_t i = 0; i < s->lanes_count; i++) {
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "name", s->lanes[i].lane->name);
		if (s->lanes[i].lane->parent.len)
			jic_json_put_text(w, "parent", s->lanes[i].lane->parent);
		jic_json_put_u64(w, "created_s", s->lanes[i].lane->created_s);
		put_sums(w, s->lanes[i].artefacts, s->lanes[i].bytes, s->lanes[i].compile_ms);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
	jic_json_open(w, "julia", '[');
	for (size_t i = 0; i < s->julias_count; i++) {
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "version", s->julias[i].version);
		put_sums(w, s->julias[i].artefacts, s->julias[i].bytes, s->julias[i].compile_ms);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}
