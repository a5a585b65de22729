#include "client/lib/remote/kindred.h"

#include "client/lib/julia/targets.h"
#include "common/message.h"

enum {
	ASKED_MAX = 8,   /* nodes that the server is asked about: one sort of machine publishes many */
	KINDRED_MAX = 8, /* runtimes that are looked at */
	OWN_MAX = JIC_MESSAGE_RUNTIMES_MAX - KINDRED_MAX,
};

struct search {
	struct jic_session *session;
	struct jic_connection *connection;
	struct jic_arena arena;
	struct jic_msg_runtime found[KINDRED_MAX];
	size_t count;
};

/* ---- which there are */

static bool lacks(const struct jic_node *n, const struct jic_offer *offer, size_t node)
{
	return jic_node_is_wanted(n) && !(offer->of_node && offer->of_node[node]);
}

static bool explain(struct search *x, const struct jic_offer *offer, struct jic_msg_explained *out)
{
	const struct jic_session *s = x->session;
	struct jic_msg_explain_node nodes[ASKED_MAX];
	struct jic_digest *known = jic_arena_array(&x->arena, s->graph.count + 1, sizeof *known);
	struct jic_msg_explain request = {.lane = jic_view_of(s->settings.lane),
	                                  .sysimage = s->facts.sysimage,
	                                  .runtime = s->runtimes[0],
	                                  .runtimes = s->runtime_ids,
	                                  .runtimes_count = s->runtimes_count,
	                                  .nodes = nodes,
	                                  .known = known};
	for (size_t i = 0; known && i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (request.nodes_count < ASKED_MAX && lacks(n, offer, i))
			nodes[request.nodes_count++] =
			    (struct jic_msg_explain_node){.key = n->key, .inputs = n->inputs};
		else if (request.known_count < JIC_MESSAGE_KEYS_MAX)
			known[request.known_count++] = n->key;
	}
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	if (!request.nodes_count || !jic_msg_explain_write(&request, &body, NULL) ||
	    !jic_connection_json(x->connection, "POST", "/v1/explain", jic_buf_view(&body), &answer, NULL))
		return false;
	const struct jic_view kept = jic_arena_copy(&x->arena, jic_buf_view(&answer));
	return jic_msg_explained_read(kept, &x->arena, out, NULL);
}

/* Ours but for the processor, with flags that we take. */
static bool is_kindred(const struct jic_session *s, const struct jic_msg_runtime *r, const struct jic_digest *bundled)
{
	const struct jic_runtime *a = &s->runtimes[0], *b = &r->parts;
	bool flags = false;
	for (size_t i = 0; i < s->runtimes_count; i++) {
		if (jic_view_eq(s->runtime_ids[i], r->id))
			return false;
		flags |= s->runtimes[i].cpu.len && jic_view_eq(s->runtimes[i].flags, b->flags);
	}
	return flags && b->cpu.len && jic_view_eq(a->version, b->version) && jic_view_eq(a->branch, b->branch) &&
	       jic_view_eq(a->commit, b->commit) && jic_view_eq(a->uname, b->uname) && jic_view_eq(a->arch, b->arch) &&
	       jic_view_eq(a->triplet, b->triplet) && a->word_bits == b->word_bits &&
	       jic_digest_eq(bundled, &r->bundled);
}

static void collect(struct search *x, const struct jic_msg_explained *answer)
{
	struct jic_digest bundled;
	if (!jic_runtime_bundled_digest(&x->session->runtimes[0], &bundled, NULL))
		return;
	for (size_t i = 0; i < answer->runtimes_count && x->count < KINDRED_MAX; i++) {
		if (is_kindred(x->session, &answer->runtimes[i], &bundled))
			x->found[x->count++] = answer->runtimes[i];
	}
}

/* ---- what they have, and whether it runs here */

static bool resolve(struct search *x, struct jic_msg_resolved *out)
{
	const struct jic_session *s = x->session;
	struct jic_view ids[KINDRED_MAX];
	struct jic_digest *keys = jic_arena_array(&x->arena, s->graph.count + 1, sizeof *keys);
	struct jic_msg_resolve request = {.lane = jic_view_of(s->settings.lane),
	                                  .sysimage = s->facts.sysimage,
	                                  .runtimes = ids,
	                                  .runtimes_count = x->count,
	                                  .keys = keys};
	for (size_t i = 0; i < x->count; i++)
		ids[i] = x->found[i].id;
	for (size_t i = 0; keys && i < s->graph.count; i++) {
		if (s->graph.nodes[i].state == JIC_STATE_SHARED)
			keys[request.keys_count++] = s->graph.nodes[i].key;
	}
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	if (!keys || !jic_msg_resolve_write(&request, &body, NULL) ||
	    !jic_connection_json(x->connection, "POST", "/v1/resolve", jic_buf_view(&body), &answer, NULL))
		return false;
	const struct jic_view kept = jic_arena_copy(&x->arena, jic_buf_view(&answer));
	return jic_msg_resolved_read(kept, &x->arena, out, NULL);
}

static bool keep(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct jic_buf *ji = context;
	jic_buf_putv(ji, bytes);
	return jic_buf_ok(ji, err);
}

/* The smallest `.ji` stands for all of a runtime: a target string makes the same targets each time. Should it not, what
 * can't run here is refused when it arrives (verify.c). */
static bool runs_here(struct search *x, const struct jic_msg_set *set)
{
	const struct jic_msg_record *smallest = NULL;
	struct jic_ji ji;
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	for (size_t i = 0; i < set->records_count; i++) {
		const struct jic_msg_record *r = &set->records[i];
		if (r->has_image && (!smallest || r->ji.size < smallest->ji.size))
			smallest = r;
	}
	return smallest && smallest->ji.size <= JIC_JI_BYTES_MAX &&
	       jic_connection_get_blob(x->connection, &smallest->ji, keep, &bytes, NULL) &&
	       jic_ji_parse_header(jic_buf_view(&bytes), &x->arena, &ji, NULL) &&
	       jic_targets_usable(ji.clone_targets, &x->session->facts);
}

/* ---- adding */

static struct jic_view kept_text(struct jic_session *s, struct jic_view text)
{
	return jic_arena_copy(&s->arena, text);
}

static bool append(struct jic_session *s, const struct jic_msg_runtime *r)
{
	const size_t count = s->runtimes_count;
	struct jic_runtime *runtimes = jic_arena_array(&s->arena, count + 1, sizeof *runtimes);
	struct jic_view *ids = jic_arena_array(&s->arena, count + 1, sizeof *ids);
	if (!runtimes || !ids)
		return false;
	memcpy(runtimes, s->runtimes, count * sizeof *runtimes);
	memcpy(ids, s->runtime_ids, count * sizeof *ids);
	runtimes[count] = s->runtimes[0];
	runtimes[count].flags = kept_text(s, r->parts.flags);
	runtimes[count].cpu = kept_text(s, r->parts.cpu);
	ids[count] = kept_text(s, r->id);
	if (s->arena.failed)
		return false;
	s->runtimes = runtimes;
	s->runtime_ids = ids;
	s->runtimes_count = count + 1;
	return true;
}

static bool append_those_that_run(struct search *x)
{
	struct jic_msg_resolved resolved;
	bool any = false;
	if (!x->count || !resolve(x, &resolved))
		return false;
	/* A request takes no more than so many: the least liked ones go, of which nothing was there. */
	if (x->session->runtimes_count > OWN_MAX)
		x->session->runtimes_count = OWN_MAX;
	for (size_t i = 0; i < x->count; i++) {
		for (size_t k = 0; k < resolved.sets_count; k++) {
			const struct jic_msg_set *set = &resolved.sets[k];
			if (jic_view_eq(set->runtime, x->found[i].id) && runs_here(x, set))
				any |= append(x->session, &x->found[i]);
		}
	}
	return any;
}

bool jic_kindred_find(struct jic_session *s, struct jic_connection *c, const struct jic_offer *offer)
{
	struct search x = {.session = s, .connection = c};
	struct jic_msg_explained answer;
	bool any = false;
	const bool last_choice = offer->runtime && offer->runtime - s->runtimes >= OWN_MAX;
	if (!last_choice && jic_facts_loads_images(&s->facts) && explain(&x, offer, &answer)) {
		collect(&x, &answer);
		any = append_those_that_run(&x);
	}
	jic_arena_clear(&x.arena);
	return any;
}
