/*
 * Two trees walked side by side: ours is the graph, theirs is what the server told. At each node its own inputs are
 * compared first; when these are equal the reason is below: the first dependency that has another key there is where
 * the walk goes on. Ours has dependencies before dependents, so every step goes down and the walk ends, whatever the
 * server says.
 */
#include "client/lib/operation/why.h"

#include "common/buf.h"

/* Keys in order, for bisection: of nodes, or of stored artefacts. */
struct jic_why_keyed {
	struct jic_digest key;
	uint32_t position;
};

static int keyed_cmp(const void *a, const void *b)
{
	return jic_digest_cmp(&((const struct jic_why_keyed *)a)->key, &((const struct jic_why_keyed *)b)->key);
}

bool jic_why_begin(struct jic_why *w)
{
	size_t nodes = w->graph->count, stored = w->answer->artefacts_count;
	w->nodes = jic_arena_array(w->arena, nodes + 1, sizeof *w->nodes);
	w->stored = jic_arena_array(w->arena, stored + 1, sizeof *w->stored);
	if (!w->nodes || !w->stored)
		return false;
	for (uint32_t i = 0; i < nodes; i++)
		w->nodes[i] = (struct jic_why_keyed){.key = w->graph->nodes[i].key, .position = i};
	for (uint32_t i = 0; i < stored; i++)
		w->stored[i] = (struct jic_why_keyed){.key = w->answer->artefacts[i].key, .position = i};
	qsort(w->nodes, nodes, sizeof *w->nodes, keyed_cmp);
	qsort(w->stored, stored, sizeof *w->stored, keyed_cmp);
	return true;
}

static const struct jic_msg_stored *find_stored(const struct jic_why *w, const struct jic_digest *key)
{
	const struct jic_why_keyed wanted = {.key = *key};
	const struct jic_why_keyed *k =
	    bsearch(&wanted, w->stored, w->answer->artefacts_count, sizeof *w->stored, keyed_cmp);
	return k ? &w->answer->artefacts[k->position] : NULL;
}

static const struct jic_msg_stored *find_nearest(const struct jic_why *w, const struct jic_digest *key)
{
	for (size_t i = 0; i < w->answer->nearest_count; i++)
		if (jic_digest_eq(&w->answer->nearest[i].key, key))
			return &w->answer->artefacts[w->answer->nearest[i].artefact];
	return NULL;
}

/* ---- what there is to say without comparing */

static void say(struct jic_cause *out, enum jic_difference_kind kind, struct jic_view rest, struct jic_view remedy)
{
	out->difference = (struct jic_difference){.kind = kind, .rest = rest, .remedy = remedy};
}

static void say_nothing_stored(const struct jic_why *w, struct jic_cause *out)
{
	if (w->answer->truncated)
		say(out, JIC_DIFFERENCE_UNKNOWN, JIC_VIEW(": the server did not tell what it has of it"),
		    JIC_VIEW("`jicache why PACKAGE` asks for less at once"));
	else
		say(out, JIC_DIFFERENCE_NEVER, JIC_VIEW(" was never published by anyone"),
		    JIC_VIEW("`jicache push` from a machine that has compiled it"));
}

static void say_unknown(struct jic_cause *out)
{
	say(out, JIC_DIFFERENCE_UNKNOWN, JIC_VIEW(" has other inputs here than there"),
	    JIC_VIEW("`jicache push` from a machine that has compiled it"));
}

/* The same key: only which set it belongs to can be the reason. */
static void say_same_key(const struct jic_why *w, const struct jic_msg_stored *there, struct jic_cause *out)
{
	struct jic_view runtime = w->answer->runtimes[there->runtime].id;
	if (w->chosen.len && !jic_view_eq(runtime, w->chosen))
		say(out, JIC_DIFFERENCE_OTHER_SET,
		    JIC_VIEW(
			" is stored, but for another runtime than most of this environment, and builds of two runtimes "
			"are not mixed"),
		    JIC_VIEW("`jicache push` after Julia compiled it"));
	else
		say(out, JIC_DIFFERENCE_SUPERSEDED,
		    JIC_VIEW(" is stored, but was built on what another build has replaced since"),
		    JIC_VIEW("`jicache pull`, let Julia compile it, `jicache push`"));
}

/* ---- the address */

static bool is_accepted(const struct jic_why *w, const struct jic_msg_stored *there)
{
	if (!jic_digest_eq(&there->sysimage, &w->here.sysimage))
		return false;
	for (size_t i = 0; i < w->accepted_count; i++)
		if (jic_view_eq(w->accepted[i], w->answer->runtimes[there->runtime].id))
			return true;
	return false;
}

static void compare_addresses(const struct jic_why *w, const struct jic_msg_stored *there, struct jic_cause *out)
{
	const struct jic_msg_runtime *r = &w->answer->runtimes[there->runtime];
	const struct jic_made_for made = {.runtime = &r->parts, .bundled = r->bundled, .sysimage = there->sysimage};
	jic_difference_of_address(&w->here, &made, w->arena, &out->difference);
	if (out->difference.kind == JIC_DIFFERENCE_NONE)
		say_unknown(out);
}

/* ---- dependencies */

static bool has_key(const struct jic_digest *keys, size_t count, const struct jic_digest *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (jic_digest_eq(&keys[i], wanted))
			return true;
	return false;
}

static bool same_package(const struct jic_node_inputs *a, const struct jic_node_inputs *b)
{
	return jic_uuid_eq(a->uuid, b->uuid) && jic_view_eq(a->name, b->name);
}

/* Their build of one of our dependencies; NULL: none of theirs is told to be one. */
static const struct jic_msg_stored *counterpart(const struct jic_why *w, const struct jic_node *dep,
                                                const struct jic_msg_stored *there)
{
	for (size_t i = 0; i < there->inputs.deps_count; i++) {
		const struct jic_msg_stored *s = find_stored(w, &there->inputs.deps[i]);
		if (s && same_package(&s->inputs, &dep->inputs))
			return s;
	}
	return NULL;
}

/* Step down to the first dependency that is another one there. */
static bool step(const struct jic_why *w, uint32_t *node, const struct jic_msg_stored **there)
{
	const struct jic_node *n = &w->graph->nodes[*node];
	const struct jic_node_inputs *theirs = &(*there)->inputs;
	for (size_t i = 0; i < n->deps_count; i++) {
		const struct jic_node *dep = &w->graph->nodes[n->deps[i]];
		if (n->deps[i] >= *node || has_key(theirs->deps, theirs->deps_count, &dep->key))
			continue;
		const struct jic_msg_stored *other = counterpart(w, dep, *there);
		if (!other)
			continue;
		*node = n->deps[i];
		*there = other;
		return true;
	}
	return false;
}

static struct jic_view name_of_key(const struct jic_why *w, const struct jic_digest *key)
{
	const struct jic_why_keyed wanted = {.key = *key};
	const struct jic_why_keyed *k = bsearch(&wanted, w->nodes, w->graph->count, sizeof *w->nodes, keyed_cmp);
	const struct jic_msg_stored *s = find_stored(w, key);
	if (k)
		return w->graph->nodes[k->position].inputs.name;
	return s ? s->inputs.name : JIC_VIEW("");
}

static void say_depends(const struct jic_why *w, struct jic_view name, bool here, struct jic_cause *out)
{
	struct jic_view shown = jic_shortened(name, 60, w->arena);
	say(out, JIC_DIFFERENCE_DEPENDENCIES,
	    jic_arena_printf(w->arena, " depends on %s %s", shown.ptr, here ? "here, not there" : "there, not here"),
	    JIC_VIEW("use the same manifest, or `jicache push` from a machine with this one"));
	out->difference.here = here ? shown : JIC_VIEW("");
	out->difference.there = here ? JIC_VIEW("") : shown;
}

/* No dependency has a counterpart: the sets differ, or theirs has what the server does not keep. */
static void compare_sets(const struct jic_why *w, const struct jic_node *n, const struct jic_msg_stored *there,
                         struct jic_cause *out)
{
	const struct jic_node_inputs *mine = &n->inputs, *theirs = &there->inputs;
	bool nameless = false;
	for (size_t i = 0; i < theirs->deps_count; i++) {
		if (has_key(mine->deps, mine->deps_count, &theirs->deps[i]))
			continue;
		struct jic_view name = name_of_key(w, &theirs->deps[i]);
		nameless = nameless || !name.len;
		if (name.len) {
			say_depends(w, name, false, out);
			return;
		}
	}
	for (size_t i = 0; i < n->deps_count && !nameless; i++) {
		const struct jic_node *dep = &w->graph->nodes[n->deps[i]];
		if (has_key(theirs->deps, theirs->deps_count, &dep->key))
			continue;
		say_depends(w, dep->inputs.name, true, out);
		return;
	}
	say_unknown(out);
}

/* ---- the walk */

static void compare_nodes(const struct jic_why *w, uint32_t node, const struct jic_msg_stored *there,
                          struct jic_cause *out)
{
	for (;;) {
		const struct jic_node *n = &w->graph->nodes[node];
		const struct jic_made_of here = {.inputs = &n->inputs, .version = n->version};
		const struct jic_made_of made = {.inputs = &there->inputs, .version = there->version};
		out->leaf = node;
		if (out->path_count < JIC_WHY_PATH_MAX)
			out->path[out->path_count++] = node;
		jic_difference_of_inputs(&here, &made, w->arena, &out->difference);
		if (out->difference.kind != JIC_DIFFERENCE_NONE)
			return;
		if (!step(w, &node, &there)) {
			compare_sets(w, n, there, out);
			return;
		}
		out->parent = out->leaf;
	}
}

static void say_distrusted(const struct jic_why *w, struct jic_view reason, struct jic_cause *out)
{
	say(out, JIC_DIFFERENCE_DISTRUSTED,
	    jic_arena_printf(w->arena, " is on the server, but " JIC_PRIv, JIC_ARGv(reason)),
	    JIC_VIEW("add its signer to trusted_keys, or have it recalled and published by a machine that signs"));
}

void jic_why_find(const struct jic_why *w, uint32_t node, struct jic_cause *out)
{
	const struct jic_digest *key = &w->graph->nodes[node].key;
	const struct jic_msg_stored *there = find_nearest(w, key);
	*out = (struct jic_cause){.leaf = node, .parent = node, .nearest = there};
	if (w->distrusted && w->distrusted[node].len)
		say_distrusted(w, w->distrusted[node], out);
	else if (!there)
		say_nothing_stored(w, out);
	else if (!is_accepted(w, there))
		compare_addresses(w, there, out);
	else if (jic_digest_eq(&there->key, key))
		say_same_key(w, there, out);
	else
		compare_nodes(w, node, there, out);
	if (!out->path_count)
		out->path[out->path_count++] = node;
}

/* ---- in words */

static struct jic_view name_of(const struct jic_why *w, uint32_t node)
{
	return w->graph->nodes[node].inputs.name;
}

struct jic_view jic_why_cause_text(const struct jic_why *w, const struct jic_cause *c)
{
	return jic_difference_text(&c->difference, name_of(w, c->leaf), w->arena);
}

struct jic_view jic_why_text(const struct jic_why *w, const struct jic_cause *c, struct jic_view title)
{
	struct jic_view subject = name_of(w, c->leaf), text;
	uint32_t top = c->path[0];
	if (c->leaf == top) {
		text = jic_difference_text(&c->difference, title, w->arena);
		if (c->difference.kind >= JIC_DIFFERENCE_SOURCE)
			return text;
	} else {
		subject = c->parent == top ? jic_arena_printf(w->arena, "its dependency " JIC_PRIv, JIC_ARGv(subject))
		                           : jic_arena_printf(w->arena, JIC_PRIv "'s dependency " JIC_PRIv,
		                                              JIC_ARGv(name_of(w, c->parent)), JIC_ARGv(subject));
		text = jic_difference_text(&c->difference, subject, w->arena);
	}
	return jic_arena_printf(w->arena, JIC_PRIv ": " JIC_PRIv, JIC_ARGv(title), JIC_ARGv(text));
}
