/* The environment of a package's tests, as Pkg.test would make it. */
#include "client/lib/environment/test_target.h"

#include "tests/support/world.h"

#include <string.h>

static struct world w;
static void open_world(void)
{
	w = world_make("1.11.3");
	world_install(&w, "A", UUID_A, TREE_1, "a");
	world_install(&w, "B", UUID_B, TREE_1, "b");
	world_install(&w, "C", UUID_C, TREE_1, "c");
	world_file(&w, "p/src/D.jl", "module D end\n");
	world_file(&w, "p/Manifest.toml",
	           "julia_version = \"1.11.3\"\nmanifest_format = \"2.0\"\n"
	           "[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[deps.B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"A\"]\n");
}
static void close_world(void)
{
	world_clear(&w);
}

#define TARGET_TEST(name) Test(test_target, name, .init = open_world, .fini = close_world)

#define SUBJECT "name = \"D\"\nuuid = \"" UUID_D "\"\nversion = \"0.1.0\"\n[deps]\nA = \"" UUID_A "\"\n"
#define EXTRAS "[extras]\nB = \"" UUID_B "\"\nStd = \"" UUID_STD "\"\n"
#define TARGETS "[targets]\ntest = [\"B\", \"Std\"]\n"

static bool try_target(struct jic_graph *g, struct jic_error *err)
{
	char dir[256];
	world_settle(&w);
	snprintf(dir, sizeof dir, "%s", world_path(&w, "p"));
	const struct jic_graph_options options = {.project = dir, .test_target = true};
	return jic_graph_build(&w.facts, &options, &w.arena, g, err);
}

static struct jic_graph target_graph(void)
{
	struct jic_graph g;
	struct jic_error err = {0};
	cr_assert(try_target(&g, &err), "%s", err.text);
	return g;
}

static struct jic_error target_failure(void)
{
	struct jic_graph g;
	struct jic_error err = {0};
	cr_assert_not(try_target(&g, &err), "built");
	return err;
}

TARGET_TEST(extras_of_the_target_are_there_with_the_package_itself)
{
	world_file(&w, "p/Project.toml", SUBJECT EXTRAS TARGETS);
	struct jic_graph plain = world_graph(&w, "p"), g = target_graph();
	cr_expect_eq(g.count, 5, "%zu", g.count);
	cr_expect_eq(g.warnings_count, 0);
	cr_expect_not(has_node(&plain, "B"));
	cr_expect_eq(node(&g, "B")->state, JIC_STATE_SHARED);
	cr_expect_eq(node(&g, "Std")->state, JIC_STATE_SHARED);
	cr_expect_eq(node(&g, "D")->state, JIC_STATE_SHARED, JIC_PRIv, JIC_ARGv(node(&g, "D")->reason));
	cr_expect(same_key(&plain, &g, "D") && same_key(&plain, &g, "A"), "how it is found changes no key");
	cr_expect(loads(&g, "D", "A") && !loads(&g, "D", "B"));
	cr_expect(jic_view_ends(g.project_file, JIC_VIEW("p/Project.toml")));
	cr_expect(jic_view_ends(g.manifest_file, JIC_VIEW("p/Manifest.toml")));
}

TARGET_TEST(other_environments_of_the_load_path_do_not_count)
{
	world_file(&w, "p/Project.toml", SUBJECT);
	world_file(&w, "depot/environments/v1.11/Project.toml", "[deps]\nC = \"" UUID_C "\"\n");
	world_file(&w, "depot/environments/v1.11/Manifest.toml",
	           "manifest_format = \"2.0\"\n[[deps.C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	struct jic_graph plain = world_graph(&w, "p"), g = target_graph();
	cr_expect(has_node(&plain, "C"));
	cr_expect_not(has_node(&g, "C"));
}

TARGET_TEST(a_project_in_test_counts_instead_of_extras)
{
	world_file(&w, "p/Project.toml", SUBJECT EXTRAS TARGETS);
	world_file(&w, "p/test/Project.toml", "[deps]\nB = \"" UUID_B "\"\n");
	struct jic_graph g = target_graph();
	cr_expect_eq(g.count, 3, "D, A and B: %zu", g.count);
	cr_expect_not(has_node(&g, "Std"));
	cr_expect(loads(&g, "D", "A"));
}

TARGET_TEST(what_only_the_manifest_in_test_has_is_taken_from_there)
{
	world_file(&w, "p/Project.toml", SUBJECT);
	world_file(&w, "p/test/Project.toml", "[deps]\nC = \"" UUID_C "\"\n");
	world_file(&w, "p/test/Manifest-v1.11.toml",
	           "manifest_format = \"2.0\"\n"
	           "[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_2 "\"\n"
	           "[[deps.C]]\nuuid = \"" UUID_C "\"\npath = \"../../C\"\ndeps = [\"A\"]\n");
	world_file(&w, "C/src/C.jl", "module C end\n");
	struct jic_graph g = target_graph();
	cr_expect_eq(g.warnings_count, 0);
	cr_expect(jic_view_ends(node(&g, "C")->root, JIC_VIEW("/C")), "relative to its own manifest");
	cr_expect_eq(node(&g, "C")->state, JIC_STATE_SHARED, JIC_PRIv, JIC_ARGv(node(&g, "C")->reason));
	cr_expect(loads(&g, "C", "A"));
	expect_text(node(&g, "A")->inputs.source, "git-tree-sha1:" TREE_1);
}

TARGET_TEST(a_test_dependency_without_version_is_left_out_with_a_warning)
{
	world_file(&w, "p/Project.toml", SUBJECT "[extras]\nC = \"" UUID_C "\"\n[targets]\ntest = [\"C\"]\n");
	struct jic_graph g = target_graph();
	cr_assert_eq(g.warnings_count, 1);
	cr_expect(strstr(g.warnings[0].ptr, "Project.toml:7: test dependency C is in no manifest"), "%s",
	          g.warnings[0].ptr);
	cr_expect_not(has_node(&g, "C"));
	cr_expect_eq(node(&g, "D")->state, JIC_STATE_SHARED);
}

TARGET_TEST(without_a_manifest_the_package_is_not_installed)
{
	world_file(&w, "p/Project.toml", SUBJECT);
	cr_assert_eq(remove(world_path(&w, "p/Manifest.toml")), 0);
	struct jic_graph g = target_graph();
	cr_expect_eq(g.warnings_count, 1);
	cr_expect_eq(node(&g, "D")->state, JIC_STATE_NO_SOURCE);
}

TARGET_TEST(a_member_of_the_workspace_has_the_manifest_of_the_workspace)
{
	world_version(&w, "1.12.1");
	world_file(&w, "p/Project.toml", SUBJECT "[workspace]\nprojects = [\"test\"]\n[preferences.B]\nx = 1\n");
	world_file(&w, "p/test/Project.toml",
	           "[deps]\nD = \"" UUID_D "\"\nB = \"" UUID_B "\"\n[preferences.A]\nx = 1\n");
	world_file(&w, "p/Manifest.toml",
	           "julia_version = \"1.12.1\"\nmanifest_format = \"2.1\"\n"
	           "[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[deps.B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"A\"]\n"
	           "[[deps.D]]\nuuid = \"" UUID_D "\"\npath = \".\"\ndeps = [\"A\"]\n");
	struct jic_graph g = target_graph();
	cr_expect_eq(g.count, 3);
	cr_expect_eq(g.warnings_count, 0);
	cr_expect_eq(node(&g, "D")->state, JIC_STATE_SHARED);
	cr_expect(jic_view_ends(g.project_file, JIC_VIEW("p/test/Project.toml")), "it is no sandbox");
	cr_expect(jic_view_ends(g.manifest_file, JIC_VIEW("p/Manifest.toml")));
}

TARGET_TEST(preferences_hold_for_what_the_test_project_names)
{
	world_file(&w, "p/Project.toml", SUBJECT EXTRAS TARGETS "[preferences.B]\nx = 1\ny = 2\n");
	world_file(&w, "p/LocalPreferences.toml", "[A]\nz = 3\n[B]\n__clear__ = [\"y\"]\n");
	struct jic_graph plain = world_graph(&w, "p"), g = target_graph();
	expect_text(node(&g, "B")->inputs.preferences, "{\"x\":1}");
	expect_text(node(&g, "A")->inputs.preferences, "{\"z\":3}");
	cr_expect(same_key(&plain, &g, "A") && same_key(&plain, &g, "D"));
	world_file(&w, "p/test/Project.toml", "[deps]\nB = \"" UUID_B "\"\n[preferences.B]\nx = 9\n");
	g = target_graph();
	expect_text(node(&g, "B")->inputs.preferences, "{\"x\":9}");
	expect_text(node(&g, "A")->inputs.preferences, "");
}

TARGET_TEST(a_weak_dependency_is_none_of_the_package_but_can_be_one_of_its_tests)
{
	world_file(&w, "p/ext/DBExt.jl", "module DBExt end\n");
	world_file(&w, "p/Project.toml",
	           SUBJECT "B = \"" UUID_B "\"\n[weakdeps]\nB = \"" UUID_B "\"\n[extensions]\nDBExt = \"B\"\n"
	                   "[targets]\ntest = [\"B\"]\n");
	struct jic_graph g = target_graph();
	cr_expect_not(loads(&g, "D", "B"));
	cr_expect_eq(node(&g, "DBExt")->state, JIC_STATE_SHARED);
}

TARGET_TEST(a_project_that_is_no_package_has_no_tests)
{
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\n");
	const struct jic_error err = target_failure();
	cr_expect_eq(err.code, JIC_EUSAGE);
	cr_expect(strstr(err.text, "p/Project.toml is no package"), "%s", err.text);
}

TARGET_TEST(a_target_that_names_no_extra_is_malformed)
{
	world_file(&w, "p/Project.toml", SUBJECT "[targets]\ntest = [\"B\"]\n");
	const struct jic_error err = target_failure();
	cr_expect_eq(err.code, JIC_EFORMAT);
	cr_expect(strstr(err.text, "p/Project.toml:7: target test names what [extras] does not have"), "%s", err.text);
	world_file(&w, "p/Project.toml", SUBJECT "[targets]\ntest = 1\n");
	cr_expect_eq(target_failure().code, JIC_EFORMAT);
}
