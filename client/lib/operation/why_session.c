/*
 * `jicache why`: scan ▸ resolve ▸ what the server does not have ▸ one explain ▸ a cause for each, grouped.
 *
 * A node counts as missed when the server has no build of it, and also when Julia has compiled it here meanwhile:
 * people ask why after they have waited.
 */
#include "client/lib/operation/why.h"
#include "client/lib/remote/offer.h"
#include "client/lib/session/failed.h"
#include "client/lib/session/report.h"
#include "client/lib/session/unprecompilable.h"

struct asking {
	struct jic_session *session;
	struct jic_arena *arena;
	struct jic_report *report;
	const char *package; /* NULL: all */
	struct jic_locals locals;
	struct jic_offer offer;
	uint32_t *missed; /* nodes to explain */
	size_t missed_count;
	bool found; /* the package is in the environment */
};

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

static void put_digest(json_t *object, const char *field, const struct jic_digest *d)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	json_object_set_new(object, field, json_string(hex));
}

static const struct jic_node *node_at(const struct asking *a, size_t i)
{
	return &a->session->graph.nodes[i];
}

static struct jic_view title(const struct asking *a, size_t i)
{
	return jic_session_node_title(a->session, node_at(a, i), a->arena);
}

/* ---- which nodes */

static bool is_asked(const struct asking *a, size_t i)
{
	return !a->package || jic_view_is(node_at(a, i)->inputs.name, a->package) ||
	       jic_view_is(title(a, i), a->package);
}

/* Where a trusted key was demanded: whose. Of another build than the one that is here that says nothing. */
static const char *with_signer(const struct asking *a, size_t i, const char *before, const char *after)
{
	const struct jic_msg_record *record = a->offer.of_node ? a->offer.of_node[i] : NULL;
	const struct jic_local *local = &a->locals.items[i];
	struct jic_view signer = {0};
	if (record && (!local->path.len || jic_build_id_eq(local->build_id, record->build_id)))
		signer = jic_trust_signer(&a->session->trust, record, a->arena);
	return jic_arena_printf(a->arena, "%s%s" JIC_PRIv "%s", before, signer.len ? ", signed by " : "",
	                        JIC_ARGv(signer), after)
	    .ptr;
}

static bool is_failed(const struct asking *a, size_t i)
{
	return jic_failed_is(node_at(a, i)) && !(a->offer.of_node && a->offer.of_node[i]);
}

static const char *no_miss(const struct asking *a, size_t i)
{
	const struct jic_local *local = &a->locals.items[i];
	switch (node_at(a, i)->state) {
	case JIC_STATE_SYSIMAGE:
		return "is part of the system image";
	case JIC_STATE_BUNDLED:
		return "came with Julia";
	case JIC_STATE_NO_SOURCE:
	case JIC_STATE_UNSHARED:
		return "is not shared";
	case JIC_STATE_SHARED:
		break;
	}
	if (local->path.len && local->ours)
		return with_signer(a, i, "is here, fetched earlier", "");
	if (node_at(a, i)->optional && !is_failed(a, i) && !local->path.len && !a->package)
		return "is not asked for by any project";
	if (a->offer.of_node && a->offer.of_node[i])
		return local->path.len ? with_signer(a, i, "is here, and on the server", "")
		                       : with_signer(a, i, "is on the server", ": `jicache pull` fetches it");
	return is_failed(a, i) ? "has no cache" : NULL;
}

/* What no server can help with is told of all packages; everything else that is fine only of the one asked for. */
static bool is_hopeless(const struct asking *a, size_t i)
{
	return jic_unprecompilable_is(node_at(a, i)) || is_failed(a, i);
}

static void tell_no_miss(struct asking *a, size_t i, const char *text)
{
	struct jic_view reason = node_at(a, i)->reason;
	struct jic_view told =
	    reason.len ? jic_arena_printf(a->arena, "%s: " JIC_PRIv, text, JIC_ARGv(reason)) : jic_view_of(text);
	jic_report_note(a->report, "no_miss", title(a, i), told.ptr);
}

static bool collect(struct asking *a, struct jic_error *err)
{
	struct jic_counts *counts = &a->report->counts;
	size_t count = a->session->graph.count;
	a->missed = jic_arena_array(a->arena, count + 1, sizeof *a->missed);
	if (!a->missed)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (!is_asked(a, i))
			continue;
		const char *fine = no_miss(a, i);
		a->found = true;
		counts->packages +=
		    jic_node_is_wanted(node_at(a, i)) || jic_failed_is(node_at(a, i)) || a->locals.items[i].path.len;
		counts->local += a->locals.items[i].path.len != 0;
		counts->existing += a->offer.of_node && a->offer.of_node[i];
		counts->missing += (!fine || is_failed(a, i)) && !a->locals.items[i].path.len;
		if (!fine) {
			a->missed[a->missed_count++] = (uint32_t)i;
		} else if (a->package || is_hopeless(a, i)) {
			tell_no_miss(a, i, fine);
		}
	}
	return a->found || !a->package ||
	       jic_fail(err, JIC_ENOTFOUND, "this environment has no package \"%s\"", a->package);
}

/* ---- asking */

static bool write_request(struct asking *a, struct jic_buf *out, struct jic_error *err)
{
	struct jic_session *s = a->session;
	size_t known_count = 0, nodes_count = 0;
	struct jic_msg_explain_node *nodes = jic_arena_array(a->arena, a->missed_count + 1, sizeof *nodes);
	struct jic_digest *known = jic_arena_array(a->arena, s->graph.count + 1, sizeof *known);
	if (!nodes || !known)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (uint32_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = node_at(a, i);
		bool asked = nodes_count < a->missed_count && a->missed[nodes_count] == i;
		if (asked && nodes_count < JIC_MESSAGE_KEYS_MAX)
			nodes[nodes_count++] = (struct jic_msg_explain_node){.key = n->key, .inputs = n->inputs};
		else if (known_count < JIC_MESSAGE_KEYS_MAX)
			known[known_count++] = n->key;
	}
	const struct jic_msg_explain request = {.lane = jic_view_of(s->settings.lane),
	                                        .sysimage = s->facts.sysimage,
	                                        .runtime = s->runtimes[0],
	                                        .runtimes = s->runtime_ids,
	                                        .runtimes_count = s->runtimes_count,
	                                        .nodes = nodes,
	                                        .nodes_count = nodes_count,
	                                        .known = known,
	                                        .known_count = known_count};
	return jic_msg_explain_write(&request, out, err);
}

static bool ask(struct asking *a, struct jic_connection *c, struct jic_msg_explained *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	return write_request(a, &body, err) &&
	       jic_connection_json(c, "POST", "/v1/explain", jic_buf_view(&body), &answer, err) &&
	       jic_msg_explained_read(jic_buf_view(&answer), a->arena, out, err);
}

/* ---- telling */

static json_t *titles(const struct asking *a, const uint32_t *nodes, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, jic_report_string(title(a, nodes[i])));
	return list;
}

static json_t *nearest_json(const struct jic_why *w, const struct jic_msg_stored *s)
{
	if (!s)
		return json_null();
	json_t *o = json_object();
	put_digest(o, "key", &s->key);
	put(o, "version", s->version);
	put(o, "lane", s->lane);
	put(o, "runtime", w->answer->runtimes[s->runtime].id);
	put_digest(o, "sysimage", &s->sysimage);
	json_object_set_new(o, "published_s", json_integer((json_int_t)s->published_s));
	put(o, "host", s->provenance.host);
	put(o, "user", s->provenance.user);
	put(o, "run", s->provenance.run);
	return o;
}

static json_t *missed_json(const struct asking *a, const struct jic_why *w, uint32_t node, const struct jic_cause *c)
{
	char uuid[JIC_UUID_TEXT + 1];
	const struct jic_node *n = node_at(a, node);
	json_t *o = json_object();
	jic_uuid_format(n->inputs.uuid, uuid);
	put(o, "name", title(a, node));
	json_object_set_new(o, "uuid", json_string(uuid));
	put(o, "version", n->version);
	put_digest(o, "key", &n->key);
	json_object_set_new(o, "local", json_boolean(a->locals.items[node].path.len));
	json_object_set_new(o, "kind", json_string(jic_difference_kind_name(c->difference.kind)));
	put(o, "text", jic_why_text(w, c, title(a, node)));
	json_object_set_new(o, "path", titles(a, c->path, c->path_count));
	put(o, "here", c->difference.here);
	put(o, "there", c->difference.there);
	put(o, "remedy", c->difference.remedy);
	json_object_set_new(o, "nearest", nearest_json(w, c->nearest));
	return o;
}

/* The leaf's own difference is one cause for all that stand on it; "never published" is one for all of these. */
static struct jic_view group_text(const struct jic_why *w, const struct jic_cause *c)
{
	static const struct {
		enum jic_difference_kind kind;
		const char *text;
	} plural[] = {
	    {JIC_DIFFERENCE_NEVER, "they were never published by anyone"},
	    {JIC_DIFFERENCE_SUPERSEDED, "they were built on what another build has replaced since"},
	    {JIC_DIFFERENCE_OTHER_SET, "they are stored for another runtime than most of this environment"},
	    {JIC_DIFFERENCE_DISTRUSTED, "they are on the server, but no trusted key signed them"},
	    {JIC_DIFFERENCE_UNKNOWN, "the server did not tell what it has of them"},
	};
	for (size_t i = 0; i < JIC_COUNT(plural); i++)
		if (plural[i].kind == c->difference.kind)
			return jic_view_of(plural[i].text);
	return jic_why_cause_text(w, c);
}

static json_t *cause_of(json_t *causes, struct jic_view text)
{
	size_t i;
	json_t *o;
	json_array_foreach(causes, i, o)
	{
		const json_t *known = json_object_get(o, "text");
		if (jic_view_eq(jic_view_bytes(json_string_value(known), json_string_length(known)), text))
			return o;
	}
	o = json_object();
	put(o, "text", text);
	json_object_set_new(o, "packages", json_array());
	json_array_append_new(causes, o);
	return o;
}

static void add_cause(const struct asking *a, const struct jic_why *w, uint32_t node, const struct jic_cause *c,
                      json_t *causes)
{
	json_t *o = cause_of(causes, group_text(w, c));
	json_object_set_new(o, "kind", json_string(jic_difference_kind_name(c->difference.kind)));
	put(o, "remedy", c->difference.remedy);
	json_array_append_new(json_object_get(o, "packages"), jic_report_string(title(a, node)));
}

static bool tell(struct asking *a, const struct jic_msg_explained *answer, struct jic_error *err)
{
	struct jic_session *s = a->session;
	struct jic_why w = {.graph = &s->graph,
	                    .here = {.runtime = &s->runtimes[0], .sysimage = s->facts.sysimage},
	                    .accepted = s->runtime_ids,
	                    .accepted_count = s->runtimes_count,
	                    .distrusted = a->offer.distrusted,
	                    .answer = answer,
	                    .arena = a->arena};
	if (a->offer.runtime)
		w.chosen = s->runtime_ids[a->offer.runtime - s->runtimes];
	if (!jic_runtime_bundled_digest(&s->runtimes[0], &w.here.bundled, err))
		return false;
	if (!jic_why_begin(&w))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	json_t *missed = json_array(), *causes = json_array();
	for (size_t i = 0; i < a->missed_count; i++) {
		struct jic_cause cause;
		jic_why_find(&w, a->missed[i], &cause);
		json_array_append_new(missed, missed_json(a, &w, a->missed[i], &cause));
		add_cause(a, &w, a->missed[i], &cause, causes);
	}
	jic_report_set(a->report, "missed", missed);
	jic_report_set(a->report, "causes", causes);
	return !a->arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- the whole */

static bool finish(struct asking *a, struct jic_error *err)
{
	const struct jic_counts *c = &a->report->counts;
	jic_report_set(a->report, "packages", json_integer(c->packages));
	jic_report_set(a->report, "local", json_integer(c->local));
	jic_report_set(a->report, "on_server", json_integer(c->existing));
	jic_report_set(a->report, "missing", json_integer(c->missing));
	size_t causes = json_array_size(json_object_get(a->report->json, "causes"));
	if (a->report->server == JIC_SERVER_AWAY)
		return jic_report_finish(a->report, err, "%u packages: can't say why any would miss, server away",
		                         c->packages);
	return jic_report_finish(a->report, err, "%u package%s: %u on the server, %zu missed for %zu reason%s",
	                         c->packages, c->packages == 1 ? "" : "s", c->existing, a->missed_count, causes,
	                         causes == 1 ? "" : "s");
}

static bool why(struct asking *a, struct jic_error *err)
{
	struct jic_session *s = a->session;
	struct jic_error e = {0};
	struct jic_msg_explained answer = {0};
	if (!jic_depot_scan(&s->graph, &s->depot, a->arena, &a->locals, err))
		return false;
	jic_unprecompilable_mark(&s->graph, &a->locals);
	jic_failed_mark(s, &a->locals);
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->settings, NULL, &e);
	if (!c || !jic_offer_get(s, c, JIC_OFFER_LOOK, a->arena, &a->offer, &e)) {
		a->report->server = JIC_SERVER_AWAY;
		a->offer = (struct jic_offer){0};
		jic_report_warn(a->report, "%s", e.text);
		return collect(a, err) && finish(a, err);
	}
	a->report->server = JIC_SERVER_REACHED;
	if (!collect(a, err))
		return false;
	if (a->missed_count && !ask(a, c, &answer, &e)) {
		answer = (struct jic_msg_explained){.truncated = true};
		jic_report_warn(a->report, "the server can't explain: %s", e.text);
	}
	return tell(a, &answer, err) && finish(a, err);
}

struct jic_report *jic_session_why(struct jic_session *s, const char *package, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("why", err);
	struct asking a = {.session = s, .arena = &arena, .report = r, .package = package};
	bool done = r && why(&a, err);
	jic_arena_clear(&arena);
	return done ? JIC_TAKE(r) : NULL;
}
