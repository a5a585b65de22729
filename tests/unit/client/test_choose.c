/* The choice among several files of each package, with packages A ← B ← C made up here. */
#include "client/lib/depot/candidates.h"

#include <criterion/criterion.h>

enum { A, B, C, NODES };

struct world {
	struct jic_facts facts;
	struct jic_node nodes[NODES];
	uint64_t closures[NODES];
	struct jic_graph graph;
	struct jic_candidate files[NODES][4];
	struct jic_need needs[NODES][4][NODES];
	struct jic_candidate_list lists[NODES];
	const struct jic_candidate *chosen[NODES];
};

static void world_open(struct world *w, unsigned minor)
{
	*w = (struct world){.facts = {.version = {1, minor, 0}, .flags = 0xa3}, .closures = {0, 1, 3}};
	for (size_t i = 0; i < NODES; i++) {
		w->nodes[i].closure = &w->closures[i];
		w->lists[i].items = w->files[i];
	}
	w->graph = (struct jic_graph){.facts = &w->facts, .nodes = w->nodes, .count = NODES, .closure_words = 1};
}

/* A file of `node` with this id, compiled against these ids of A and B (0: not needed). */
static void add(struct world *w, uint32_t node, uint64_t id, double mtime, uint64_t a, uint64_t b)
{
	const size_t at = w->lists[node].count++;
	struct jic_candidate *c = &w->files[node][at];
	const uint64_t wanted[] = {a, b};
	*c = (struct jic_candidate){
	    .build_id = {.lo = id}, .mtime = mtime, .flags = 0xa3, .own = true, .needs = w->needs[node][at]};
	for (uint32_t i = 0; i < 2; i++)
		if (wanted[i])
			w->needs[node][at][c->needs_count++] =
			    (struct jic_need){.node = i, .build_id = {.lo = wanted[i]}};
}

/* The chosen ids of A, B and C; 0 for none. */
static void expect(struct world *w, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t expected[] = {a, b, c};
	for (size_t i = 0; i < NODES; i++)
		jic_candidates_sort(&w->facts, &w->lists[i]);
	cr_assert(jic_candidates_choose(&w->graph, w->lists, w->chosen, NULL));
	for (size_t i = 0; i < NODES; i++)
		cr_expect_eq(w->chosen[i] ? w->chosen[i]->build_id.lo : 0, expected[i], "node %zu", i);
}

Test(choose, one_file_of_each_that_fit_together)
{
	struct world w;
	world_open(&w, 11);
	add(&w, A, 10, 1, 0, 0);
	add(&w, B, 20, 1, 10, 0);
	add(&w, C, 30, 1, 10, 20);
	expect(&w, 10, 20, 30);
}

Test(choose, a_newer_dependency_does_not_hide_the_one_that_is_needed_since_1_8)
{
	struct world w;
	world_open(&w, 8);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	add(&w, B, 20, 1, 10, 0);
	add(&w, C, 30, 1, 10, 20);
	expect(&w, 10, 20, 30);
}

Test(choose, a_newer_dependency_hides_the_one_that_is_needed_up_to_1_7)
{
	struct world w;
	world_open(&w, 7);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	add(&w, B, 20, 1, 10, 0);
	add(&w, C, 30, 1, 10, 20);
	expect(&w, 11, 0, 0);
}

Test(choose, in_1_5_the_name_decides_and_not_the_time)
{
	struct world w;
	world_open(&w, 5);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	w.files[A][0].file_name = JIC_VIEW("slug0_0abc.ji");
	w.files[A][1].file_name = JIC_VIEW("slug0_Zabc.ji");
	add(&w, B, 20, 1, 10, 0);
	expect(&w, 10, 20, 0);
}

Test(choose, in_1_5_an_earlier_depot_comes_first)
{
	struct world w;
	world_open(&w, 5);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 1, 0, 0);
	w.files[A][0].depot = 1;
	w.files[A][0].file_name = JIC_VIEW("slug0_0abc.ji");
	w.files[A][1].file_name = JIC_VIEW("slug0_Zabc.ji");
	expect(&w, 11, 0, 0);
}

Test(choose, what_nobody_can_load_is_not_chosen)
{
	struct world w;
	world_open(&w, 11);
	add(&w, A, 10, 1, 0, 0);
	add(&w, B, 20, 1, 99, 0);
	add(&w, C, 30, 1, 99, 20);
	expect(&w, 10, 0, 0);
}

Test(choose, of_two_whole_sets_the_newer_one_and_never_a_mixture)
{
	struct world w;
	world_open(&w, 11);
	add(&w, A, 10, 9, 0, 0);
	add(&w, A, 11, 1, 0, 0);
	add(&w, B, 20, 9, 10, 0);
	add(&w, B, 21, 1, 11, 0);
	add(&w, C, 30, 1, 10, 20);
	add(&w, C, 31, 9, 11, 21);
	expect(&w, 11, 21, 31);
}

Test(choose, files_with_images_come_first_since_1_11)
{
	struct world w;
	world_open(&w, 11);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	w.files[A][1].flags = 0x22;
	expect(&w, 10, 0, 0);
	world_open(&w, 10);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	w.files[A][1].flags = 0x22;
	expect(&w, 11, 0, 0);
}

Test(choose, an_empty_graph_chooses_nothing)
{
	struct world w;
	world_open(&w, 11);
	expect(&w, 0, 0, 0);
}

Test(choose, of_two_whole_sets_the_sessions_very_own)
{
	struct world w;
	world_open(&w, 12);
	add(&w, A, 10, 1, 0, 0);
	add(&w, A, 11, 9, 0, 0);
	add(&w, B, 20, 1, 10, 0);
	add(&w, B, 21, 9, 11, 0);
	add(&w, C, 31, 9, 11, 21);
	add(&w, C, 30, 1, 10, 20);
	w.files[A][1].own = w.files[B][1].own = w.files[C][0].own = false;
	expect(&w, 10, 20, 30);
}
