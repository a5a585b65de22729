/* Packages that say __precompile__(false). */
#include "client/lib/session/unprecompilable.h"

#include "tests/support/world.h"

static struct world w;
static void open_world(void)
{
	w = world_make("1.11.3");
}
static void close_world(void)
{
	world_clear(&w);
}

Test(unprecompilable, only_a_line_that_begins_with_it_counts)
{
	cr_expect(jic_unprecompilable_text(JIC_VIEW("__precompile__(false)")));
	cr_expect(jic_unprecompilable_text(JIC_VIEW("# why\n__precompile__(false)\nmodule A end\n")));
	cr_expect_not(jic_unprecompilable_text(JIC_VIEW("")));
	cr_expect_not(jic_unprecompilable_text(JIC_VIEW("__precompile__(true)\nmodule A end\n")));
	cr_expect_not(jic_unprecompilable_text(JIC_VIEW("# __precompile__(false)\n")));
	cr_expect_not(jic_unprecompilable_text(JIC_VIEW("if VERSION < v\"1\"\n    __precompile__(false)\nend\n")));
}

Test(unprecompilable, neither_it_nor_what_depends_on_it_is_missed, .init = open_world, .fini = close_world)
{
	struct jic_error err;
	struct jic_locals locals;
	const struct jic_depot_options options = {.memory_dir = NULL};
	world_install(&w, "A", UUID_A, TREE_1, "__precompile__(false)\nmodule A end\n");
	world_install(&w, "B", UUID_B, TREE_1, "module B\nusing A\nend\n");
	world_install(&w, "C", UUID_C, TREE_1, "module C end\n");
	world_file(&w, "p/Project.toml", "[deps]\nB = \"" UUID_B "\"\nC = \"" UUID_C "\"\n");
	world_file(&w, "p/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"A\"]\n"
	           "[[C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_assert(jic_depot_scan(&g, &options, &w.arena, &locals, &err));
	cr_assert_eq(locals.wanted, 3);
	jic_unprecompilable_mark(&g, &locals);
	cr_expect_eq(locals.wanted, 1);
	cr_expect_eq(node(&g, "A")->state, JIC_STATE_UNSHARED);
	cr_expect_eq(node(&g, "B")->state, JIC_STATE_UNSHARED);
	cr_expect_eq(node(&g, "C")->state, JIC_STATE_SHARED);
}
