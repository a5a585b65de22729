/* jicache verify: every local cache file of this environment, judged step by step as Julia would, nothing remembered:
 * all headers, all sources, all checksums. */
#include "client/lib/depot/judge.h"
#include "client/lib/remote/offer.h"
#include "client/lib/session/report.h"
#include "client/lib/session/session.h"
#include "client/lib/session/superseded.h"

struct verification {
	struct jic_session *s;
	struct jic_arena arena;
	struct jic_caches caches;
	const struct jic_verdict *verdicts;
	struct jic_locals locals;
	uint32_t count, refused, damaged; /* files */
};

static bool judge_all(struct verification *v, struct jic_error *err)
{
	const struct jic_facts *f = &v->s->facts;
	const struct jic_judge_options options = {0};
	const struct jic_view *depots;
	size_t depots_count;
	return jic_caches_depots(f, v->s->options.depot, &v->arena, &depots, &depots_count, err) &&
	       jic_caches_list(depots, depots_count, &f->version, &v->arena, &v->caches, err) &&
	       jic_judge(&v->s->graph, &v->caches, &options, &v->arena, &v->verdicts, err);
}

static bool is_loaded(const struct verification *v, size_t index)
{
	const struct jic_local *l = &v->locals.items[v->verdicts[index].node - v->s->graph.nodes];
	return l->path.len && jic_view_eq(l->path, v->caches.items[index].path);
}

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

static json_t *verdict_json(struct verification *v, size_t index)
{
	const struct jic_verdict *d = &v->verdicts[index];
	const struct jic_cache *c = &v->caches.items[index];
	json_t *o = json_object();
	put(o, "name", jic_session_node_title(v->s, d->node, &v->arena));
	put(o, "file", c->path);
	json_object_set_new(o, "ours", json_boolean(c->ours));
	json_object_set_new(o, "accepted", json_boolean(d->why == JIC_REFUSAL_NONE));
	json_object_set_new(o, "loaded", json_boolean(is_loaded(v, index)));
	if (d->why == JIC_REFUSAL_NONE)
		return o;
	json_object_set_new(o, "reason", json_string(jic_refusal_words(d->why)));
	json_object_set_new(o, "damaged", json_boolean(jic_refusal_is_damage(d->why)));
	put(o, "detail", d->text);
	return o;
}

static void put_files(struct verification *v, struct jic_report *r)
{
	json_t *files = json_array();
	jic_report_set(r, "files", files);
	for (size_t i = 0; i < v->caches.count; i++) {
		const struct jic_verdict *d = &v->verdicts[i];
		if (!d->node)
			continue;
		v->count++;
		v->refused += d->why != JIC_REFUSAL_NONE;
		v->damaged += jic_refusal_is_damage(d->why);
		json_array_append_new(files, verdict_json(v, i));
	}
}

static void put_packages(struct verification *v, struct jic_report *r)
{
	for (size_t i = 0; i < v->s->graph.count; i++) {
		const struct jic_node *n = &v->s->graph.nodes[i];
		const bool local = v->locals.items[i].path.len;
		if (n->state != JIC_STATE_SHARED)
			continue;
		r->counts.packages++;
		r->counts.local += local;
		r->counts.missing += !local;
		if (!local)
			jic_report_name(r, "missing_packages", jic_session_node_title(v->s, n, &v->arena));
	}
}

/* What the server's administrator took back is as bad as damage, whatever its checksums say. */
static void put_recalled(struct verification *v, struct jic_report *r)
{
	struct jic_error e = {0};
	struct jic_offer offer = {.locals = &v->locals};
	uint32_t count = 0;
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&v->s->settings, NULL, &e);
	if (!c || !jic_offer_get(v->s, c, JIC_OFFER_PUSH, &v->arena, &offer, &e)) {
		r->server = JIC_SERVER_AWAY;
		jic_report_warn(r, "whether any was recalled can't be said: %s", e.text);
		return;
	}
	r->server = JIC_SERVER_REACHED;
	for (size_t i = 0; offer.recalled && i < v->s->graph.count; i++) {
		if (!offer.recalled[i])
			continue;
		jic_autofree char *file = jic_strdup_view(v->locals.items[i].path);
		count++;
		jic_report_note(r, "recalled_packages", jic_session_node_title(v->s, &v->s->graph.nodes[i], &v->arena),
		                file ? file : "");
	}
	jic_report_set(r, "recalled", json_integer(count));
	r->counts.refused += count;
	if (count) /* the next pull asks the server although everything is here, and removes them */
		jic_superseded_note(v->s);
}

static bool verify(struct verification *v, struct jic_report *r, struct jic_error *err)
{
	if (!jic_depot_scan(&v->s->graph, &v->s->depot, &v->arena, &v->locals, err) || !judge_all(v, err))
		return false;
	put_files(v, r);
	put_packages(v, r);
	jic_report_set(r, "packages", json_integer(r->counts.packages));
	jic_report_set(r, "local", json_integer(r->counts.local));
	jic_report_set(r, "missing", json_integer(r->counts.missing));
	jic_report_set(r, "refused", json_integer(v->refused));
	jic_report_set(r, "damaged", json_integer(v->damaged));
	r->counts.refused = v->damaged;
	if (r->counts.local)
		put_recalled(v, r);
	return jic_report_finish(r, err, "%u cache files: Julia would refuse %u (%u damaged); %u of %u packages load",
	                         v->count, v->refused, v->damaged, r->counts.local, r->counts.packages);
}

struct jic_report *jic_session_verify(struct jic_session *s, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("verify", err);
	struct verification v = {.s = s};
	const bool done = r && verify(&v, r, err);
	jic_arena_clear(&v.arena);
	return done ? JIC_TAKE(r) : NULL;
}
