/* Two trees side by side: graphs and answers made by hand. */
#include "client/lib/operation/why.h"

#include <criterion/criterion.h>

enum { NODES_MAX = 6 };

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUNTIME "julia-1.11.1-x86_64-linux-gnu-" HEX_A
#define OTHER_RUNTIME                                                                                                  \
	"julia-1.11.1-x86_64-linux-gnu-0"                                                                              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A package of either tree: its dependencies are indices of the same tree, before it. */
struct sketch {
	const char *name, *version;
	const char *preferences;
	int deps[3];
	size_t deps_count;
};

struct scene {
	struct jic_arena arena;
	struct jic_graph graph;
	struct jic_node nodes[NODES_MAX];
	uint32_t node_deps[NODES_MAX][3];
	struct jic_digest keys[2][NODES_MAX][3];
	char sources[2][NODES_MAX][64];
	struct jic_msg_runtime runtimes[2];
	struct jic_msg_stored stored[NODES_MAX];
	struct jic_msg_nearest nearest[NODES_MAX];
	struct jic_msg_explained answer;
	struct jic_view accepted[2];
	struct jic_why why;
};
static void scene_clear(struct scene *s)
{
	jic_arena_clear(&s->arena);
}

/* The source follows from the version, the UUID from the name. */
static struct jic_node_inputs inputs_of(const struct sketch *k, char source[64], struct jic_digest *deps)
{
	struct jic_digest name;
	unsigned version = 0;
	jic_sha256_of(jic_view_of(k->name), &name);
	for (const char *p = k->version; *p; p++)
		version = version * 11 + (unsigned)*p;
	snprintf(source, 64, "git-tree-sha1:%040x", version);
	return (struct jic_node_inputs){.kind = JIC_NODE_PACKAGE,
	                                .name = jic_view_of(k->name),
	                                .uuid = {.hi = name.bytes[0], .lo = name.bytes[1] + 1u},
	                                .source = jic_view_of(source),
	                                .preferences = jic_view_of(k->preferences ? k->preferences : ""),
	                                .deps = deps,
	                                .deps_count = k->deps_count};
}

static void build(struct scene *s, const struct sketch *here, size_t here_count, const struct sketch *there,
                  size_t there_count)
{
	static const struct jic_runtime parts = {.version = {.ptr = "1.11.1", .len = 6}};
	for (size_t i = 0; i < here_count; i++) {
		struct jic_node *n = &s->nodes[i];
		for (size_t d = 0; d < here[i].deps_count; d++) {
			s->node_deps[i][d] = (uint32_t)here[i].deps[d];
			s->keys[0][i][d] = s->nodes[here[i].deps[d]].key;
		}
		n->inputs = inputs_of(&here[i], s->sources[0][i], s->keys[0][i]);
		n->version = jic_view_of(here[i].version);
		n->deps = s->node_deps[i];
		n->deps_count = here[i].deps_count;
		cr_assert(jic_node_key(&n->inputs, &n->key, NULL));
	}
	for (size_t i = 0; i < there_count; i++) {
		struct jic_msg_stored *t = &s->stored[i];
		for (size_t d = 0; d < there[i].deps_count; d++)
			s->keys[1][i][d] = s->stored[there[i].deps[d]].key;
		t->inputs = inputs_of(&there[i], s->sources[1][i], s->keys[1][i]);
		t->version = jic_view_of(there[i].version);
		cr_assert(jic_node_key(&t->inputs, &t->key, NULL));
	}
	s->graph = (struct jic_graph){.nodes = s->nodes, .count = here_count};
	s->runtimes[0] = (struct jic_msg_runtime){.id = JIC_VIEW(RUNTIME), .parts = parts};
	s->runtimes[1] = (struct jic_msg_runtime){.id = JIC_VIEW(OTHER_RUNTIME), .parts = parts};
	s->accepted[0] = JIC_VIEW(RUNTIME);
	s->accepted[1] = JIC_VIEW(OTHER_RUNTIME);
	s->answer = (struct jic_msg_explained){.runtimes = s->runtimes,
	                                       .runtimes_count = 2,
	                                       .artefacts = s->stored,
	                                       .artefacts_count = there_count,
	                                       .nearest = s->nearest};
	s->why = (struct jic_why){.graph = &s->graph,
	                          .here = {.runtime = &parts},
	                          .accepted = s->accepted,
	                          .accepted_count = 2,
	                          .chosen = s->accepted[0],
	                          .answer = &s->answer,
	                          .arena = &s->arena};
}

static void say_nearest(struct scene *s, uint32_t node, uint32_t stored)
{
	s->nearest[s->answer.nearest_count++] = (struct jic_msg_nearest){.key = s->nodes[node].key, .artefact = stored};
}

static void expect(struct scene *s, uint32_t node, enum jic_difference_kind kind, const char *text)
{
	struct jic_cause c;
	cr_assert(jic_why_begin(&s->why));
	jic_why_find(&s->why, node, &c);
	cr_assert_eq(c.difference.kind, kind, "%s", jic_difference_kind_name(c.difference.kind));
	struct jic_view said = jic_why_text(&s->why, &c, s->nodes[node].inputs.name);
	cr_expect(jic_view_is(said, text), JIC_PRIv, JIC_ARGv(said));
	cr_expect(c.difference.remedy.len);
	cr_expect_gt(c.path_count, 0);
	cr_expect_eq(c.path[0], node);
}

#define SCENE(s) JIC_CLEAR(scene) struct scene s = {0}
#define TREE(...) ((const struct sketch[]){__VA_ARGS__}), JIC_COUNT(((const struct sketch[]){__VA_ARGS__}))

Test(why, the_leaf_is_named_with_what_needs_it)
{
	SCENE(s);
	build(&s,
	      TREE({"FreeType", "4.1.2", NULL, {0}, 0}, {"Makie", "0.21.0", NULL, {0}, 1},
	           {"GeoMakie", "0.7.0", NULL, {1}, 1}),
	      TREE({"FreeType", "4.1.1", NULL, {0}, 0}, {"Makie", "0.21.0", NULL, {0}, 1},
	           {"GeoMakie", "0.7.0", NULL, {1}, 1}));
	for (uint32_t i = 0; i < 3; i++)
		say_nearest(&s, i, i);
	expect(&s, 0, JIC_DIFFERENCE_SOURCE, "FreeType is 4.1.2 here, 4.1.1 there");
	expect(&s, 1, JIC_DIFFERENCE_SOURCE, "Makie: its dependency FreeType is 4.1.2 here, 4.1.1 there");
	expect(&s, 2, JIC_DIFFERENCE_SOURCE, "GeoMakie: Makie's dependency FreeType is 4.1.2 here, 4.1.1 there");
	struct jic_cause a, b;
	jic_why_find(&s.why, 0, &a);
	jic_why_find(&s.why, 2, &b);
	cr_expect(jic_view_eq(jic_why_cause_text(&s.why, &a), jic_why_cause_text(&s.why, &b)), "one cause");
	cr_expect_eq(b.path_count, 3);
	cr_expect_eq(b.path[1], 1);
}

Test(why, a_packages_own_inputs_come_before_its_dependencies)
{
	SCENE(s);
	build(&s, TREE({"FreeType", "4.1.2", NULL, {0}, 0}, {"Makie", "0.21.0", "{\"backend\":\"fast\"}", {0}, 1}),
	      TREE({"FreeType", "4.1.1", NULL, {0}, 0}, {"Makie", "0.21.0", "{\"backend\":\"slow\"}", {0}, 1}));
	say_nearest(&s, 1, 1);
	expect(&s, 1, JIC_DIFFERENCE_PREFERENCE, "preference `backend` of Makie is \"fast\" here, \"slow\" there");
}

Test(why, a_dependency_that_is_on_the_server_is_walked_through_too)
{
	SCENE(s);
	build(&s,
	      TREE({"FreeType", "4.1.2", NULL, {0}, 0}, {"Makie", "0.21.0", NULL, {0}, 1},
	           {"App", "1.0.0", NULL, {0, 1}, 2}),
	      TREE({"FreeType", "4.1.2", NULL, {0}, 0}, {"Makie", "0.20.0", NULL, {0}, 1},
	           {"App", "1.0.0", NULL, {0, 1}, 2}));
	say_nearest(&s, 2, 2);
	expect(&s, 2, JIC_DIFFERENCE_SOURCE, "App: its dependency Makie is 0.21.0 here, 0.20.0 there");
}

Test(why, sets_of_dependencies_that_differ_are_named)
{
	SCENE(s);
	build(&s, TREE({"New", "1.0.0", NULL, {0}, 0}, {"App", "1.0.0", NULL, {0}, 1}),
	      TREE({"App", "1.0.0", NULL, {0}, 0}));
	say_nearest(&s, 1, 0);
	expect(&s, 1, JIC_DIFFERENCE_DEPENDENCIES, "App depends on New here, not there");
	SCENE(t);
	build(&t, TREE({"App", "1.0.0", NULL, {0}, 0}),
	      TREE({"Old", "1.0.0", NULL, {0}, 0}, {"App", "1.0.0", NULL, {0}, 1}));
	say_nearest(&t, 0, 1);
	expect(&t, 0, JIC_DIFFERENCE_DEPENDENCIES, "App depends on Old there, not here");
}

Test(why, what_the_server_did_not_tell_is_not_made_up)
{
	SCENE(s);
	build(&s, TREE({"New", "1.0.0", NULL, {0}, 0}, {"App", "1.0.0", NULL, {0}, 1}),
	      TREE({"Old", "1.0.0", NULL, {0}, 0}, {"App", "1.0.0", NULL, {0}, 1}));
	s.stored[0] = s.stored[1]; /* Old is not told */
	s.answer.artefacts_count = 1;
	say_nearest(&s, 1, 0);
	expect(&s, 1, JIC_DIFFERENCE_UNKNOWN, "App has other inputs here than there");
}

Test(why, another_address_needs_no_walk)
{
	SCENE(s);
	build(&s, TREE({"App", "1.0.0", NULL, {0}, 0}), TREE({"App", "0.9.0", NULL, {0}, 0}));
	s.stored[0].sysimage.bytes[0] = 0xcd;
	say_nearest(&s, 0, 0);
	expect(&s, 0, JIC_DIFFERENCE_SYSIMAGE, "App: sysimage differs: sha256 000000000000… here, cd0000000000… there");
}

Test(why, nothing_stored_is_said_so_unless_the_answer_was_cut)
{
	SCENE(s);
	build(&s, TREE({"App", "1.0.0", NULL, {0}, 0}), TREE({"Other", "0.9.0", NULL, {0}, 0}));
	expect(&s, 0, JIC_DIFFERENCE_NEVER, "App was never published by anyone");
	s.answer.truncated = true;
	expect(&s, 0, JIC_DIFFERENCE_UNKNOWN, "App: the server did not tell what it has of it");
}

Test(why, the_same_key_was_superseded_or_belongs_to_another_set)
{
	SCENE(s);
	build(&s, TREE({"App", "1.0.0", NULL, {0}, 0}), TREE({"App", "1.0.0", NULL, {0}, 0}));
	say_nearest(&s, 0, 0);
	expect(&s, 0, JIC_DIFFERENCE_SUPERSEDED,
	       "App is stored, but was built on what another build has replaced since");
	s.stored[0].runtime = 1;
	expect(&s, 0, JIC_DIFFERENCE_OTHER_SET,
	       "App is stored, but for another runtime than most of this environment, and builds of two runtimes are "
	       "not mixed");
}

/* A server can say anything: here its packages need each other. */
Test(why, an_answer_with_a_cycle_ends)
{
	SCENE(s);
	build(&s, TREE({"A", "2", NULL, {0}, 0}, {"B", "1", NULL, {0}, 1}, {"C", "1", NULL, {1}, 1}),
	      TREE({"A", "2", NULL, {0}, 0}, {"B", "1", NULL, {0}, 1}, {"C", "1", NULL, {1}, 1}));
	s.stored[0].inputs.deps = &s.stored[2].key;
	s.stored[0].inputs.deps_count = 1;
	s.stored[0].key.bytes[0] ^= 1;
	s.keys[1][1][0] = s.stored[0].key;
	s.stored[1].key.bytes[0] ^= 1;
	s.keys[1][2][0] = s.stored[1].key;
	say_nearest(&s, 2, 2);
	s.stored[2].key.bytes[0] ^= 1;
	s.stored[0].inputs.deps = &s.stored[2].key;
	struct jic_cause c;
	cr_assert(jic_why_begin(&s.why));
	jic_why_find(&s.why, 2, &c);
	cr_expect_leq(c.path_count, 3);
	cr_expect_eq(c.leaf, 0);
}
