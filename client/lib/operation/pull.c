/*
 * A pull: scan the depots ▸ anything missing? ▸ one resolve ▸ fetch what differs ▸ place. When all is local no server
 * is asked. What the server has wins over what this machine compiled: only what stands on shared builds can be
 * published later.
 */
#include "client/lib/operation/recalled.h"
#include "client/lib/remote/fetch.h"
#include "client/lib/session/failed.h"
#include "client/lib/session/history.h"
#include "client/lib/session/superseded.h"
#include "client/lib/session/unprecompilable.h"

static bool is_local(const struct jic_locals *locals, size_t node)
{
	return locals->items[node].path.len != 0;
}

/* Records whose build is not here yet, in the offer's order. */
static uint32_t *choose(const struct jic_offer *offer, const struct jic_locals *locals, struct jic_arena *arena,
                        size_t *count)
{
	uint32_t *records = jic_arena_array(arena, offer->count + 1, sizeof *records);
	*count = 0;
	for (uint32_t i = 0; records && i < offer->count; i++) {
		const struct jic_local *l = &locals->items[offer->node_of[i]];
		if (!l->path.len || !jic_build_id_eq(l->build_id, offer->records[i].build_id))
			records[(*count)++] = i;
	}
	return records;
}

/* What the server has and is not accepted is a miss, with its reason. */
static void tell_distrusted(const struct jic_session *s, const struct jic_offer *offer, struct jic_arena *arena,
                            struct jic_report *report)
{
	for (size_t i = 0; offer->distrusted && i < s->graph.count; i++)
		if (offer->distrusted[i].len)
			jic_report_note(report, "distrusted", jic_session_node_title(s, &s->graph.nodes[i], arena),
			                offer->distrusted[i].ptr);
}

static bool ask_and_fetch(struct jic_session *s, struct jic_locals *locals, struct jic_arena *arena,
                          struct jic_report *report, struct jic_fetch_result *fetched, struct jic_error *err)
{
	struct jic_error e = {0};
	struct jic_offer offer = {.locals = locals};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->settings, NULL, &e);
	if (!c || !jic_offer_get(s, c, JIC_OFFER_PULL, arena, &offer, &e)) {
		/* Rule 3: without a server Julia compiles for itself. */
		report->server = JIC_SERVER_AWAY;
		jic_report_warn(report, "%s; going on without it", e.text);
		return true;
	}
	report->server = JIC_SERVER_REACHED;
	tell_distrusted(s, &offer, arena, report);
	jic_recalled_remove(s, &offer, locals, arena, report);
	size_t count;
	uint32_t *records = choose(&offer, locals, arena, &count);
	if (!records)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_fetch(s, &offer, records, count, arena, report, fetched, err))
		return false;
	if (fetched->placed == count)
		jic_superseded_forget(s);
	return true;
}

/* @return of how many compiling them now would be in vain */
static uint32_t tell_skipped(const struct jic_session *s, struct jic_arena *arena, struct jic_report *r)
{
	uint32_t hopeless = 0;
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (n->state != JIC_STATE_NO_SOURCE && n->state != JIC_STATE_UNSHARED)
			continue;
		jic_autofree char *reason = jic_strdup_view(n->reason);
		hopeless += jic_unprecompilable_is(n);
		r->counts.skipped++;
		jic_report_note(r, "skipped_packages", jic_session_node_title(s, n, arena), reason ? reason : "");
	}
	return hopeless;
}

static void count_nodes(const struct jic_session *s, const struct jic_locals *locals,
                        const struct jic_fetch_result *fetched, struct jic_arena *arena, struct jic_report *r)
{
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (n->state != JIC_STATE_SHARED)
			continue;
		if (fetched->placed_node && fetched->placed_node[i])
			r->counts.fetched++;
		else if (is_local(locals, i))
			r->counts.local++;
		else if (!n->optional || jic_failed_is(n)) {
			r->counts.missing++;
			jic_report_name(r, "missing_packages", jic_session_node_title(s, n, arena));
		}
	}
	r->counts.packages = r->counts.fetched + r->counts.local + r->counts.missing;
}

static bool finish(struct jic_report *r, uint32_t failed, uint32_t hopeless, struct jic_error *err)
{
	const struct jic_counts *c = &r->counts;
	char bytes[32], skipped[80] = "", distrusted[64] = "";
	const size_t refused = json_array_size(json_object_get(r->json, "distrusted"));
	jic_report_set(r, "packages", json_integer(c->packages));
	jic_report_set(r, "local", json_integer(c->local));
	jic_report_set(r, "fetched", json_integer(c->fetched));
	jic_report_set(r, "missing", json_integer(c->missing));
	jic_report_set(r, "skipped", json_integer(c->skipped));
	jic_report_set(r, "hopeless", json_integer(hopeless + failed));
	jic_report_set(r, "bytes_fetched", json_integer((json_int_t)c->bytes));
	if (failed)
		snprintf(skipped, sizeof skipped, " (%u failed to compile)", failed);
	if (c->skipped)
		snprintf(skipped + strlen(skipped), sizeof skipped - strlen(skipped), ", %u skipped", c->skipped);
	if (refused)
		snprintf(distrusted, sizeof distrusted, " (%zu not signed by a trusted key)", refused);
	return jic_report_finish(r, err, "%u package%s: %u local, %u fetched (%s), %u missing%s%s%s", c->packages,
	                         c->packages == 1 ? "" : "s", c->local, c->fetched, jic_bytes_text(c->bytes, bytes),
	                         c->missing, distrusted, skipped, r->server == JIC_SERVER_AWAY ? ", server away" : "");
}

static bool pull(struct jic_session *s, struct jic_arena *arena, struct jic_report *r, struct jic_error *err)
{
	struct jic_locals locals;
	struct jic_fetch_result fetched = {0};
	if (!jic_depot_scan(&s->graph, &s->depot, arena, &locals, err))
		return false;
	for (size_t i = 0; i < s->graph.warnings_count; i++)
		jic_report_warn(r, JIC_PRIv, JIC_ARGv(s->graph.warnings[i]));
	if (locals.have != locals.wanted) {
		jic_unprecompilable_mark(&s->graph, &locals);
		jic_failed_mark(s, &locals);
	}
	bool complete = locals.have == locals.wanted && !jic_superseded_noted(s);
	if (!complete)
		jic_history_begin(s->settings.memory_dir);
	if (!complete && !ask_and_fetch(s, &locals, arena, r, &fetched, err))
		return false;
	jic_depot_prefer(&locals, fetched.placed_node);
	r->counts.bytes = fetched.bytes;
	jic_history_note(s, &locals, fetched.placed_node);
	count_nodes(s, &locals, &fetched, arena, r);
	const uint32_t failed = jic_failed_tell(s, &locals, fetched.placed_node, r);
	return finish(r, failed, tell_skipped(s, arena, r), err);
}

struct jic_report *jic_session_pull(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("pull", err);
	bool done = r && pull(s, &arena, r, err);
	jic_arena_clear(&arena);
	return done ? JIC_TAKE(r) : NULL;
}

bool jic_session_note_failed(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	struct jic_locals locals;
	const bool scanned = jic_depot_scan(&s->graph, &s->depot, &arena, &locals, err);
	if (scanned) {
		jic_unprecompilable_mark(&s->graph, &locals);
		jic_failed_note(s, &locals);
	}
	jic_arena_clear(&arena);
	return scanned;
}
