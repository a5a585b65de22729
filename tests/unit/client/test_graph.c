/* Nodes, keys, extensions and states. */
#include "client/lib/graph/graph.h"

#include "tests/support/corpus_env.h"
#include "tests/support/world.h"

#include <sys/stat.h>
#include <unistd.h>

static struct world w;
static void open_world(void)
{
	w = world_make("1.11.3");
}
static void close_world(void)
{
	world_clear(&w);
}

#define WORLD_TEST(name) Test(graph, name, .init = open_world, .fini = close_world)

/* C ← B ← A, and D beside them; B has the stdlib Std. */
static const char *const chain[] = {
    "[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"B\"]\n",
    "[[deps.B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"C\", \"Std\"]\n",
    "[[deps.C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n",
    "[[deps.D]]\nuuid = \"" UUID_D "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n",
    "[[deps.Std]]\nuuid = \"" UUID_STD "\"\ndeps = [\"Sys\"]\n",
    "[[deps.Sys]]\nuuid = \"" UUID_SYS "\"\n",
};
static const char project_text[] =
    "[deps]\nA = \"" UUID_A "\"\nB = \"" UUID_B "\"\nC = \"" UUID_C "\"\nD = \"" UUID_D "\"\n";

static void write_chain(const char *project, bool backwards)
{
	char text[4096] = "julia_version = \"1.11.3\"\nmanifest_format = \"2.0\"\n", path[64];
	for (size_t i = 0; i < JIC_COUNT(chain); i++)
		strncat(text, chain[backwards ? JIC_COUNT(chain) - 1 - i : i], sizeof text - strlen(text) - 1);
	snprintf(path, sizeof path, "%s/Manifest.toml", project);
	world_file(&w, path, text);
	snprintf(path, sizeof path, "%s/Project.toml", project);
	world_file(&w, path, project_text);
}

static void install_chain(void)
{
	world_install(&w, "A", UUID_A, TREE_1, "a");
	world_install(&w, "B", UUID_B, TREE_1, "b");
	world_install(&w, "C", UUID_C, TREE_1, "c");
	world_install(&w, "D", UUID_D, TREE_1, "d");
}

WORLD_TEST(dependencies_come_first_and_closures_are_transitive)
{
	install_chain();
	write_chain("p", false);
	struct jic_graph g = world_graph(&w, "p");
	cr_assert_eq(g.count, 6);
	for (size_t i = 0; i < g.count; i++) {
		for (size_t d = 0; d < g.nodes[i].deps_count; d++)
			cr_expect_lt(g.nodes[i].deps[d], i);
		cr_expect_not(jic_node_closure_has(&g.nodes[i], i), "itself excluded");
	}
	cr_expect(loads(&g, "A", "B") && loads(&g, "A", "C") && loads(&g, "A", "Std") && loads(&g, "B", "C"));
	cr_expect_not(loads(&g, "A", "D"));
	cr_expect_not(loads(&g, "C", "A"));
	cr_expect_eq(node(&g, "A")->state, JIC_STATE_SHARED);
	cr_expect_eq(node(&g, "Std")->state, JIC_STATE_SHARED, "no cache came with the installation");
	cr_expect_eq(node(&g, "Sys")->state, JIC_STATE_SYSIMAGE);
	cr_expect_eq(node(&g, "Std")->inputs.kind, JIC_NODE_STDLIB);
	cr_expect_eq(jic_graph_find(&g, uuid_of(UUID_B), JIC_VIEW("B")), node(&g, "B"));
	cr_expect_null(jic_graph_find(&g, uuid_of(UUID_B), JIC_VIEW("A")));
	cr_expect(jic_view_ends(g.manifest_file, JIC_VIEW("p/Manifest.toml")));
}

WORLD_TEST(keys_do_not_depend_on_order_place_or_name_of_the_project)
{
	install_chain();
	write_chain("p", false);
	write_chain("elsewhere/another name", true);
	struct jic_graph a = world_graph(&w, "p"), b = world_graph(&w, "elsewhere/another name");
	cr_assert_eq(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		cr_expect(jic_view_eq(a.nodes[i].inputs.name, b.nodes[i].inputs.name), "the order, too, is the same");
		cr_expect(jic_digest_eq(&a.nodes[i].key, &b.nodes[i].key), JIC_PRIv, JIC_ARGv(a.nodes[i].inputs.name));
	}
}

WORLD_TEST(a_changed_input_changes_the_keys_of_its_dependents_and_no_others)
{
	install_chain();
	write_chain("p", false);
	struct jic_graph before = world_graph(&w, "p");
	world_file(&w, "p/LocalPreferences.toml", "[C]\nx = 1\n");
	struct jic_graph after = world_graph(&w, "p");
	cr_expect_not(same_key(&before, &after, "C"));
	cr_expect_not(same_key(&before, &after, "B"));
	cr_expect_not(same_key(&before, &after, "A"));
	cr_expect(same_key(&before, &after, "D"));
	cr_expect(same_key(&before, &after, "Std"));
	expect_text(node(&after, "C")->inputs.preferences, "{\"x\":1}");
	world_file(&w, "p/LocalPreferences.toml", "[D]\nx = 1\n");
	after = world_graph(&w, "p");
	cr_expect(same_key(&before, &after, "A"));
	cr_expect_not(same_key(&before, &after, "D"));
}

WORLD_TEST(the_environment_around_a_subtree_does_not_change_its_keys)
{
	install_chain();
	write_chain("p", false);
	struct jic_graph whole = world_graph(&w, "p");
	char text[1024];
	snprintf(text, sizeof text, "%s%s", "manifest_format = \"2.0\"\n", chain[2]);
	world_file(&w, "q/Project.toml", "");
	world_file(&w, "q/Manifest.toml", text);
	struct jic_graph part = world_graph(&w, "q");
	cr_expect_eq(part.count, 1);
	cr_expect(same_key(&whole, &part, "C"));
}

WORLD_TEST(a_key_is_the_same_whether_a_bundled_cache_is_taken_or_not)
{
	install_chain();
	write_chain("p", false);
	struct jic_graph without = world_graph(&w, "p");
	w.bundled[0] = (struct jic_bundled_file){
	    .cache = {.name = JIC_VIEW("Std"), .uuid = uuid_of(UUID_STD), .build_id = {1, 1}}, .flags = 0xa3};
	w.facts.bundled_count = 1;
	struct jic_graph with = world_graph(&w, "p");
	cr_expect_eq(node(&with, "Std")->state, JIC_STATE_BUNDLED);
	for (size_t i = 0; i < with.count; i++)
		cr_expect(jic_digest_eq(&with.nodes[i].key, &without.nodes[i].key));
	w.facts.flags = 0xab; /* --check-bounds=yes does not take it */
	struct jic_graph checked = world_graph(&w, "p");
	cr_expect_eq(node(&checked, "Std")->state, JIC_STATE_SHARED);
	cr_expect(same_key(&checked, &without, "A"));
}

WORLD_TEST(what_is_not_installed_cannot_be_loaded_nor_can_its_dependents)
{
	world_install(&w, "A", UUID_A, TREE_1, "a");
	world_install(&w, "C", UUID_C, TREE_1, "c");
	write_chain("p", false);
	struct jic_graph g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "B")->state, JIC_STATE_NO_SOURCE);
	expect_text(node(&g, "B")->reason, "it is not installed in any depot");
	cr_expect_eq(node(&g, "A")->state, JIC_STATE_NO_SOURCE);
	expect_text(node(&g, "A")->reason, "it needs B: it is not installed in any depot");
	cr_expect_eq(node(&g, "C")->state, JIC_STATE_SHARED);
}

WORLD_TEST(a_cycle_is_named_with_its_members)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ndeps = [\"B\"]\n"
	           "[[B]]\nuuid = \"" UUID_B "\"\ndeps = [\"C\"]\n"
	           "[[C]]\nuuid = \"" UUID_C "\"\ndeps = [\"B\"]\n");
	struct jic_error err = world_failure(&w, "p");
	cr_expect_eq(err.code, JIC_EFORMAT);
	cr_expect(strstr(err.text, "p/Manifest.toml:4: B depends on itself: B → C → B"), "%s", err.text);
}

WORLD_TEST(a_missing_dependency_is_named_with_who_needs_it)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\ndeps = [\"Gone\"]\n");
	struct jic_error err = world_failure(&w, "p");
	cr_expect_eq(err.code, JIC_EFORMAT);
	cr_expect(strstr(err.text, "p/Manifest.toml:3: A depends on Gone, of which the manifest has no entry"), "%s",
	          err.text);
	world_file(&w, "p/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\n[A.deps]\nGone = \"" UUID_B "\"\n");
	err = world_failure(&w, "p");
	cr_expect(strstr(err.text, "p/Manifest.toml:4: A depends on Gone, which no environment has"), "%s", err.text);
	world_file(&w, "p/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ndeps = [\"B\"]\n[[B]]\nuuid = \"" UUID_B "\"\n[[B]]\nuuid = \"" UUID_C
	           "\"\n");
	err = world_failure(&w, "p");
	cr_expect(strstr(err.text, "A depends on B, of which the manifest has more than one"), "%s", err.text);
}

WORLD_TEST(a_fault_in_another_environment_costs_only_what_has_it)
{
	world_install(&w, "C", UUID_C, TREE_1, "c");
	world_install(&w, "A", UUID_A, TREE_1, "a");
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "[[C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	world_file(&w, "depot/environments/v1.11/Project.toml", "");
	world_file(&w, "depot/environments/v1.11/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"Gone\"]\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "C")->state, JIC_STATE_SHARED);
	cr_expect_eq(node(&g, "A")->state, JIC_STATE_UNSHARED);
	cr_expect_eq(g.warnings_count, 1);
}

WORLD_TEST(what_the_project_lists_and_no_manifest_has_is_a_warning)
{
	world_file(&w, "p/Project.toml", "[deps]\nGone = \"" UUID_A "\"\nStd = \"" UUID_STD "\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_assert_eq(g.warnings_count, 1);
	cr_expect(strstr(g.warnings[0].ptr, "p/Project.toml:2: Gone is in no manifest"));
}

WORLD_TEST(the_first_environment_that_has_a_uuid_describes_it)
{
	world_install(&w, "A", UUID_A, TREE_1, "1");
	world_install(&w, "A", UUID_A, TREE_2, "2");
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	world_file(&w, "depot/environments/v1.11/Project.toml", "");
	world_file(&w, "depot/environments/v1.11/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_2 "\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect_eq(g.count, 1);
	expect_text(node(&g, "A")->inputs.source, "git-tree-sha1:" TREE_1);
}

WORLD_TEST(what_only_modules_of_the_system_image_depend_on_is_no_node)
{
	const char manifest[] =
	    "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"Sys\"]\n"
	    "[[Sys]]\nuuid = \"" UUID_SYS "\"\ndeps = [\"Std\"]\n[[Std]]\nuuid = \"" UUID_STD "\"\n";
	world_install(&w, "A", UUID_A, TREE_1, "a");
	world_file(&w, "p/Manifest.toml", manifest);
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect(has_node(&g, "A") && has_node(&g, "Sys"));
	cr_expect_not(has_node(&g, "Std"), "nobody imports it");
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\nStd = \"" UUID_STD "\"\n");
	g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "Std")->state, JIC_STATE_SHARED, "the project names it");
}

WORLD_TEST(a_member_of_a_workspace_has_the_nodes_that_it_can_import)
{
	install_chain();
	world_version(&w, "1.12.0");
	write_chain("p", false);
	world_file(&w, "p/Project.toml", "[workspace]\nprojects = [\"one\", \"two\"]\n");
	world_file(&w, "p/one/Project.toml", "[deps]\nB = \"" UUID_B "\"\n");
	world_file(&w, "p/two/Project.toml", "[deps]\nD = \"" UUID_D "\"\n");
	struct jic_graph one = world_graph(&w, "p/one"), root = world_graph(&w, "p");
	cr_expect(has_node(&one, "B") && has_node(&one, "C") && has_node(&one, "Std"));
	cr_expect_not(has_node(&one, "A") || has_node(&one, "D"), "the others'");
	cr_expect(has_node(&root, "A") && has_node(&root, "D"), "a root that names nothing has all");
	cr_expect(same_key(&one, &root, "B"));
}

WORLD_TEST(an_extension_of_a_stdlib_that_no_project_names_is_shared_but_not_missed)
{
	world_file(&w, "A/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\n");
	world_file(&w, "A/src/A.jl", "module A end\n");
	world_file(&w, "A/ext/AStd.jl", "module AStd end\n");
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\n");
	world_file(&w, "p/Manifest.toml",
	           "manifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"" UUID_A "\"\npath = \"../A\"\n"
	           "[deps.A.weakdeps]\nStd = \"" UUID_STD "\"\n[deps.A.extensions]\nAStd = \"Std\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_assert(has_node(&g, "AStd") && has_node(&g, "Std"));
	cr_expect(node(&g, "AStd")->optional && node(&g, "AStd")->state == JIC_STATE_SHARED);
	cr_expect(node(&g, "Std")->optional && !jic_node_is_wanted(node(&g, "Std")));
	cr_expect(jic_node_is_wanted(node(&g, "A")));
	cr_expect_not(loads(&g, "A", "Std"));
	w.load_path[2] = JIC_VIEW("@");
	struct jic_graph closed = world_graph(&w, "p");
	cr_expect_not(has_node(&closed, "AStd"), "without @stdlib nobody can import Std");
	cr_expect(same_key(&g, &closed, "A"));
	w.load_path[2] = JIC_VIEW("@stdlib");
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\nStd = \"" UUID_STD "\"\n");
	struct jic_graph named = world_graph(&w, "p");
	cr_expect(jic_node_is_wanted(node(&named, "AStd")) && jic_node_is_wanted(node(&named, "Std")));
	cr_expect(same_key(&g, &named, "AStd"));
}

WORLD_TEST(a_package_without_uuid_is_not_shared)
{
	world_file(&w, "dir/X/src/X.jl", "");
	world_file(&w, "p/Project.toml", "");
	w.load_path[1] = jic_arena_printf(&w.arena, "%s", world_path(&w, "dir"));
	struct jic_graph g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "X")->state, JIC_STATE_UNSHARED);
	expect_text(node(&g, "X")->reason, "the package has no UUID");
}

/* ---- developed packages */

static void develop(const char *source)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\npath = \"../A\"\n");
	world_file(&w, "A/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\nversion = \"0.1.0\"\n");
	world_file(&w, "A/src/A.jl", source);
}

WORLD_TEST(the_key_of_a_developed_package_is_that_of_its_sources)
{
	develop("module A end");
	struct jic_graph before = world_graph(&w, "p");
	cr_expect(node(&before, "A")->developed && !node(&before, "A")->covers_all);
	cr_expect(jic_view_starts(node(&before, "A")->inputs.source, JIC_VIEW("content:")));
	world_file(&w, "A/README.md", "text");
	world_file(&w, "A/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\nversion = \"0.2.0\"\n");
	struct jic_graph edited = world_graph(&w, "p");
	cr_expect(same_key(&before, &edited, "A"));
	world_file(&w, "A/src/A.jl", "module A x = 1 end");
	struct jic_graph changed = world_graph(&w, "p");
	cr_expect_not(same_key(&before, &changed, "A"));
}

WORLD_TEST(a_project_that_is_a_package_is_developed)
{
	world_file(&w, "p/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\n[deps]\nStd = \"" UUID_STD "\"\n");
	world_file(&w, "p/src/A.jl", "module A end");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect(node(&g, "A")->developed);
	cr_expect_eq(node(&g, "A")->state, JIC_STATE_SHARED);
	cr_expect(loads(&g, "A", "Std"));
}

WORLD_TEST(what_a_build_left_is_part_of_the_key)
{
	char path[256];
	install_chain();
	write_chain("p", false);
	struct jic_graph before = world_graph(&w, "p");
	snprintf(path, sizeof path, JIC_PRIv "/deps/build.jl", JIC_ARGv(node(&before, "C")->root));
	put_file(path, "build");
	struct jic_graph built = world_graph(&w, "p");
	cr_expect(node(&built, "C")->has_build);
	cr_expect_not(same_key(&before, &built, "A"));
	cr_expect(same_key(&before, &built, "D"));
}

static bool covered(const struct jic_graph *g, const char *name, const char *root, const char *relative)
{
	char path[512];
	struct jic_view why = {0};
	snprintf(path, sizeof path, JIC_PRIv "/%s", JIC_ARGv(node(g, root)->root), relative);
	bool yes = jic_graph_covers(g, node(g, name), jic_view_of(path), &w.arena, &why);
	cr_expect(yes == !why.len, "a sentence exactly when it is not");
	return yes;
}

WORLD_TEST(a_key_covers_the_files_of_its_closure)
{
	install_chain();
	write_chain("p", false);
	struct jic_graph g = world_graph(&w, "p");
	cr_expect(covered(&g, "A", "A", "src/A.jl") && covered(&g, "A", "C", "data/x") &&
	          covered(&g, "A", "Std", "src/x"));
	cr_expect_not(covered(&g, "A", "D", "src/D.jl"));
	cr_expect_not(covered(&g, "C", "A", "src/A.jl"));
	cr_expect_not(covered(&g, "A", "A", "../../../../../etc/passwd"));
	cr_expect(covered(&g, "A", "A", "src/../src/A.jl"));
}

WORLD_TEST(a_key_of_a_developed_package_covers_what_its_identity_does)
{
	develop("module A end");
	world_file(&w, "A/deps/build.jl", "build");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect(covered(&g, "A", "A", "src/A.jl") && covered(&g, "A", "A", "deps/deps.jl"));
	cr_expect_not(covered(&g, "A", "A", "deps/build.log"));
	cr_expect_not(covered(&g, "A", "A", "data/x"));
	cr_expect_not(covered(&g, "A", "A", "Project.toml"));
	develop("module A include_dependency(\"x\") end");
	g = world_graph(&w, "p");
	cr_expect(covered(&g, "A", "A", "data/x") && covered(&g, "A", "A", "Project.toml"));
	cr_expect_not(covered(&g, "A", "A", "README.md"));
}

WORLD_TEST(a_file_is_covered_through_a_link_to_its_package)
{
	develop("module A end");
	cr_assert_eq(symlink("A", world_path(&w, "alias")), 0);
	struct jic_graph g = world_graph(&w, "p");
	struct jic_view why;
	cr_expect(jic_graph_covers(&g, node(&g, "A"), jic_view_of(world_path(&w, "alias/src/A.jl")), &w.arena, &why));
}

/* ---- extensions */

/* E of A is triggered by B; F by B and C; N depends on all of A, B, C; G of A by the image's Sys. */
static struct jic_graph extensions(const char *version)
{
	world_version(&w, version);
	install_chain();
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "manifest_format = \"2.0\"\n"
	           "[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[deps.A.weakdeps]\nB = \"" UUID_B "\"\nC = \"" UUID_C "\"\nSys = \"" UUID_SYS "\"\nZ = \"" UUID_STD
	           "\"\n[deps.A.extensions]\nE = \"B\"\nF = [\"B\", \"C\"]\nG = \"Sys\"\nH = \"Z\"\nK = \"Unknown\"\n"
	           "[[deps.B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[deps.C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[deps.D]]\nuuid = \"" UUID_D "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"A\", \"B\", \"C\"]\n");
	struct jic_graph g = world_graph(&w, "p");
	char path[256];
	for (const char *x = "EFG"; *x && g.count > 5; x++) {
		snprintf(path, sizeof path, JIC_PRIv "/ext/%c.jl", JIC_ARGv(node(&g, "A")->root), *x);
		put_file(path, "module X end");
	}
	return world_graph(&w, "p");
}

WORLD_TEST(an_extension_is_a_node_when_its_parent_and_triggers_are)
{
	struct jic_graph g = extensions("1.12.0");
	cr_expect(has_node(&g, "E") && has_node(&g, "F"));
	cr_expect(has_node(&g, "G"), "a module of the system image is always there");
	cr_expect_not(has_node(&g, "H") || has_node(&g, "K"));
	const struct jic_node *f = node(&g, "F");
	cr_assert_eq(f->deps_count, 3);
	cr_expect_eq(&g.nodes[f->deps[0]], node(&g, "A"), "the parent first");
	cr_expect_eq(f->inputs.kind, JIC_NODE_EXTENSION);
	expect_text(f->inputs.source, "parent");
	cr_expect_eq(f->state, JIC_STATE_SHARED);
	cr_expect(jic_view_ends(f->entry_file, JIC_VIEW("/ext/F.jl")));
	cr_expect(covered(&g, "F", "A", "ext/F.jl"));
}

WORLD_TEST(there_are_no_extensions_before_1_9)
{
	struct jic_graph g = extensions("1.8.5");
	cr_expect_eq(g.count, 4);
}

static bool beside(const struct jic_graph *g, const char *name, const char *extension)
{
	const struct jic_node *n = node(g, name);
	for (size_t i = 0; i < n->extensions_count; i++) {
		if (&g->nodes[n->extensions[i]] == node(g, extension)) {
			char text[64];
			snprintf(text, sizeof text, "%s/%s", UUID_A, extension);
			bool named = false;
			for (size_t k = 0; k < n->inputs.extensions_count; k++)
				named = named || jic_view_is(n->inputs.extensions[k], text);
			cr_expect(named);
			return true;
		}
	}
	return false;
}

WORLD_TEST(a_package_is_compiled_beside_the_extensions_of_its_closure)
{
	struct jic_graph g = extensions("1.12.0");
	cr_expect(beside(&g, "D", "E") && beside(&g, "D", "F") && beside(&g, "D", "G"));
	cr_expect(loads(&g, "D", "E"));
	cr_expect_lt(node(&g, "E"), node(&g, "D"), "ordered before it");
	cr_expect_eq(node(&g, "A")->extensions_count, 0, "what it is the parent of can't exist before it");
	cr_expect_eq(node(&g, "B")->extensions_count, 0);
}

WORLD_TEST(what_an_extension_is_compiled_beside_depends_on_the_version)
{
	static const struct {
		const char *version;
		bool f_beside_e, e_beside_f, g_beside_e;
	} cases[] = {
	    {"1.9.4", false, true, true},    {"1.10.5", false, true, true},   {"1.11.0", false, true, false},
	    {"1.11.1", false, false, false}, {"1.11.2", false, false, false}, {"1.11.3", false, true, false},
	    {"1.12.5", false, true, false},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		struct jic_graph g = extensions(cases[i].version);
		cr_expect_eq(beside(&g, "E", "F"), cases[i].f_beside_e, "%s", cases[i].version);
		cr_expect_eq(beside(&g, "F", "E"), cases[i].e_beside_f, "%s", cases[i].version);
		cr_expect_eq(beside(&g, "E", "G"), cases[i].g_beside_e, "%s", cases[i].version);
	}
}

WORLD_TEST(in_1_11_0_a_module_of_the_image_counts_only_when_asked_for)
{
	struct jic_graph g = extensions("1.11.0");
	cr_expect_not(beside(&g, "D", "G"));
	g = extensions("1.10.5");
	cr_expect(beside(&g, "D", "G"));
}

WORLD_TEST(two_extensions_with_the_same_triggers_are_no_endless_loop)
{
	world_version(&w, "1.10.5");
	install_chain();
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "manifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "weakdeps = [\"B\"]\n[deps.A.extensions]\nE = \"B\"\nF = \"B\"\n"
	           "[[deps.B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	struct jic_graph g = world_graph(&w, "p");
	cr_expect(beside(&g, "E", "F") && beside(&g, "F", "E"));
	cr_expect_not(loads(&g, "E", "E"));
}

WORLD_TEST(an_extension_without_a_file_cannot_be_loaded)
{
	struct jic_graph g = extensions("1.12.0");
	char path[256];
	snprintf(path, sizeof path, JIC_PRIv "/ext/E.jl", JIC_ARGv(node(&g, "A")->root));
	cr_assert_eq(unlink(path), 0);
	g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "E")->state, JIC_STATE_NO_SOURCE);
	snprintf(path, sizeof path, JIC_PRIv "/ext/E/E.jl", JIC_ARGv(node(&g, "A")->root));
	put_file(path, "");
	g = world_graph(&w, "p");
	cr_expect_eq(node(&g, "E")->state, JIC_STATE_SHARED);
	cr_expect(jic_view_ends(node(&g, "E")->entry_file, JIC_VIEW("/ext/E/E.jl")));
}

/* ---- real environments */

Test(graph, the_corpus_gives_the_modules_that_julia_required)
{
	static const char *const versions[] = {"1.10.5", "1.11.1", "1.12.5"};
	for (size_t v = 0; v < JIC_COUNT(versions); v++) {
		static struct corpus_env c;
		struct temp t = temp_make();
		struct jic_arena parsing = {0};
		struct jic_ji ji;
		char pattern[128];
		corpus_env_open(&c, versions[v], t.path);
		snprintf(pattern, sizeof pattern, "%s/depot/compiled/*/GoldDev/*.ji", versions[v]);
		glob_t found = corpus_glob(pattern, 1);
		struct jic_view bytes = corpus_read(found.gl_pathv[0]);
		cr_assert(jic_ji_parse(bytes, &parsing, &ji, NULL));
		const struct jic_node *dev = node(&c.graph, "GoldDev");
		for (size_t i = 0; i < ji.required_count; i++) {
			const struct jic_ji_module *m = &ji.required[i];
			const struct jic_node *n = jic_graph_find(&c.graph, m->uuid, m->name);
			bool image = jic_facts_sysimage_module(&c.facts, m->name, m->uuid);
			cr_expect(image || (n && jic_node_closure_has(dev, (size_t)(n - c.graph.nodes))),
			          "%s: " JIC_PRIv, versions[v], JIC_ARGv(m->name));
		}
		const struct jic_view names[] = {JIC_VIEW("depth"), JIC_VIEW("backend")};
		cr_expect_eq(jic_graph_preferences_hash(&c.graph, node(&c.graph, "GoldPrefs"), names, 2),
		             0xaf7245b7ef30cc33u);
		cr_expect_eq(jic_graph_preferences_hash(&c.graph, dev, names, 2), 0);
		jic_arena_clear(&parsing);
		free((void *)(uintptr_t)bytes.ptr);
		globfree(&found);
		corpus_env_close(&c);
		temp_remove(&t);
	}
}

Test(graph, real_manifests_have_an_order_and_distinct_keys, .init = open_world, .fini = close_world)
{
	static const char *const projects[] = {"sciml-sde-format1",   "sciml-bayesian-1.10",  "sciml-mtk-1.11",
	                                       "sciml-stiffode-1.11", "sciml-symbolics-1.12", "clima-buildkite-1.11"};
	for (size_t i = 0; i < JIC_COUNT(projects); i++) {
		struct jic_error err = {0};
		struct jic_graph g;
		char project[512];
		snprintf(project, sizeof project, "%s/corpus/manifests/%s", corpus_root(), projects[i]);
		const struct jic_graph_options options = {.project = project};
		world_settle(&w);
		cr_assert(jic_graph_build(&w.facts, &options, &w.arena, &g, &err), "%s: %s", projects[i], err.text);
		cr_expect_gt(g.count, 200);
		for (size_t a = 0; a < g.count; a++) {
			for (size_t d = 0; d < g.nodes[a].deps_count; d++)
				cr_expect_lt(g.nodes[a].deps[d], a);
			for (size_t b = 0; b < a; b++)
				cr_expect(!g.nodes[a].inputs.source.len ||
				          !jic_digest_eq(&g.nodes[a].key, &g.nodes[b].key));
		}
	}
}
