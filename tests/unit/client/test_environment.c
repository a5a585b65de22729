/* Searches over the stack, against the rules of base/loading.jl and base/initdefs.jl of several versions. */
#include "client/lib/environment/environment.h"
#include "client/lib/environment/load_path.h"

#include "tests/support/world.h"

static struct world w;
static struct jic_environment e;

static void open_world(void)
{
	w = world_make("1.11.1");
}
static void close_world(void)
{
	world_clear(&w);
}

#define WORLD_TEST(name) Test(environment, name, .init = open_world, .fini = close_world)

static void open_environment(const char *project)
{
	struct jic_error err = {0};
	world_settle(&w);
	cr_assert(jic_environment_open(&w.facts, project ? world_path(&w, project) : NULL, &w.arena, &e, &err), "%s",
	          err.text);
}

/* Where the manifest of the only project is, relative to the world; "" for none. */
static const char *manifest_name(void)
{
	open_environment("p");
	const struct jic_manifest *m = e.envs[0].manifest;
	return m ? m->file.ptr + strlen(w.dir.path) + 1 : "";
}

static const char *identify(const char *from, const char *from_uuid, const char *name)
{
	static char text[JIC_UUID_TEXT + 1];
	struct jic_package_id where = {.name = jic_view_of(from)}, found;
	if (from_uuid)
		where.uuid = uuid_of(from_uuid);
	if (!jic_environment_identify(&e, from ? &where : NULL, jic_view_of(name), &found))
		return "";
	jic_uuid_format(found.uuid, text);
	return text;
}

/* The entry file, relative to the world; "" for none. */
static const char *locate(const char *name, const char *uuid)
{
	struct jic_location at_;
	const struct jic_package_id id = {.name = jic_view_of(name), .uuid = uuid_of(uuid)};
	jic_environment_locate(&e, &id, &at_);
	return at_.entry_file.len ? at_.entry_file.ptr + strlen(w.dir.path) + 1 : "";
}

WORLD_TEST(a_versioned_manifest_comes_first_from_1_10_8_on)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "");
	cr_expect_str_eq(manifest_name(), "p/Manifest.toml");
	world_file(&w, "p/JuliaManifest.toml", "");
	cr_expect_str_eq(manifest_name(), "p/JuliaManifest.toml");
	world_file(&w, "p/Manifest-v1.11.toml", "");
	cr_expect_str_eq(manifest_name(), "p/Manifest-v1.11.toml");
	world_file(&w, "p/JuliaManifest-v1.11.toml", "");
	cr_expect_str_eq(manifest_name(), "p/JuliaManifest-v1.11.toml");
	world_version(&w, "1.10.7");
	cr_expect_str_eq(manifest_name(), "p/JuliaManifest.toml");
	world_version(&w, "1.10.8");
	cr_expect_str_eq(manifest_name(), "p/JuliaManifest.toml", "1.10.8 looks for v1.10, not v1.11");
}

WORLD_TEST(the_key_manifest_names_another_file)
{
	world_file(&w, "p/Project.toml", "manifest = \"../m/Other.toml\"\n");
	world_file(&w, "p/Manifest.toml", "");
	cr_expect_str_eq(manifest_name(), "p/Manifest.toml", "1.6 and later look on when it is missing");
	world_version(&w, "1.5.4");
	cr_expect_str_eq(manifest_name(), "");
	world_file(&w, "m/Other.toml", "");
	cr_expect_str_eq(manifest_name(), "m/Other.toml");
}

WORLD_TEST(a_julia_project_file_comes_first)
{
	world_file(&w, "p/Project.toml", "[deps]\nX = \"" UUID_A "\"\n");
	world_file(&w, "p/JuliaProject.toml", "[deps]\nX = \"" UUID_B "\"\n");
	open_environment("p");
	cr_expect_str_eq(identify(NULL, NULL, "X"), UUID_B);
	cr_expect(jic_view_ends(e.active_project, JIC_VIEW("p/JuliaProject.toml")));
}

WORLD_TEST(a_member_of_a_workspace_has_the_manifest_of_its_root_in_1_12)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "Project.toml", "[workspace]\nprojects = [\"other\", \"./p/\"]\n");
	world_file(&w, "Manifest.toml", "");
	cr_expect_str_eq(manifest_name(), "");
	world_version(&w, "1.12.0");
	cr_expect_str_eq(manifest_name(), "Manifest.toml");
	world_file(&w, "Project.toml", "[workspace]\nprojects = [\"other\"]\n");
	cr_expect_str_eq(manifest_name(), "");
}

WORLD_TEST(a_project_that_is_not_there_is_not_found)
{
	struct jic_error err;
	world_settle(&w);
	cr_assert_not(jic_environment_open(&w.facts, world_path(&w, "nowhere"), &w.arena, &e, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect(strstr(err.text, "nowhere"));
}

WORLD_TEST(without_a_project_the_shared_environment_is_active)
{
	world_file(&w, "depot/environments/v1.11/Project.toml", "[deps]\nX = \"" UUID_A "\"\n");
	open_environment(NULL);
	cr_expect(jic_view_ends(e.active_project, JIC_VIEW("depot/environments/v1.11/Project.toml")));
	cr_expect_str_eq(identify(NULL, NULL, "X"), UUID_A);
}

WORLD_TEST(a_named_environment_can_be_activated_from_1_7_on)
{
	struct jic_error err = {0};
	world_file(&w, "depot/environments/tools/Project.toml", "[deps]\nX = \"" UUID_A "\"\n");
	world_settle(&w);
	cr_assert(jic_environment_open(&w.facts, "@tools", &w.arena, &e, &err), "%s", err.text);
	cr_expect_str_eq(identify(NULL, NULL, "X"), UUID_A);
	world_version(&w, "1.6.7");
	cr_expect_not(jic_environment_open(&w.facts, "@tools", &w.arena, &e, &err), "a file name in 1.6");
}

WORLD_TEST(a_broken_environment_behind_the_first_is_left_out_with_a_warning)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "depot/environments/v1.11/Project.toml", "x = \n");
	open_environment("p");
	cr_assert_eq(e.warnings->count, 1);
	cr_expect(strstr(e.warnings->first->text.ptr, "v1.11/Project.toml:1:"));
	cr_expect_eq(e.count, 2, "the project and the standard library");
}

WORLD_TEST(a_name_is_looked_up_in_the_manifest_entry_of_who_asks)
{
	world_file(&w, "p/Project.toml", "[deps]\nA = \"" UUID_A "\"\n");
	world_file(&w, "p/Manifest.toml",
	           "manifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"" UUID_A "\"\ndeps = [\"B\"]\n"
	           "[[deps.B]]\nuuid = \"" UUID_B "\"\n[deps.B.deps]\nC = \"" UUID_D "\"\n"
	           "[[deps.C]]\nuuid = \"" UUID_C "\"\n[[deps.C]]\nuuid = \"" UUID_D "\"\n");
	open_environment("p");
	cr_expect_str_eq(identify(NULL, NULL, "A"), UUID_A);
	cr_expect_str_eq(identify(NULL, NULL, "B"), "", "the project does not list it");
	cr_expect_str_eq(identify("A", UUID_A, "B"), UUID_B);
	cr_expect_str_eq(identify("A", UUID_A, "A"), UUID_A);
	cr_expect_str_eq(identify("A", UUID_A, "C"), "");
	cr_expect_str_eq(identify("B", UUID_B, "C"), UUID_D, "one of two of that name, by the table");
	cr_expect_str_eq(identify(NULL, NULL, "Std"), UUID_STD, "from @stdlib");
}

WORLD_TEST(an_extension_sees_its_parent_its_triggers_and_what_its_parent_sees)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "manifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"" UUID_A "\"\ndeps = [\"D\"]\n"
	           "weakdeps = [\"B\", \"C\"]\n[deps.A.extensions]\nE = \"B\"\n[[deps.B]]\nuuid = \"" UUID_B "\"\n"
	           "[[deps.C]]\nuuid = \"" UUID_C "\"\n[[deps.D]]\nuuid = \"" UUID_D "\"\n");
	open_environment("p");
	char ext[JIC_UUID_TEXT + 1];
	struct jic_graph g = world_graph(&w, "p");
	jic_uuid_format(node(&g, "E")->inputs.uuid, ext);
	cr_expect_str_eq(identify("E", ext, "A"), UUID_A);
	cr_expect_str_eq(identify("E", ext, "B"), UUID_B);
	cr_expect_str_eq(identify("E", ext, "D"), UUID_D);
	cr_expect_str_eq(identify("E", ext, "C"), "", "a weak dependency, but no trigger of E");
}

WORLD_TEST(a_package_is_found_by_its_tree_hash_in_any_depot)
{
	world_install(&w, "A", UUID_A, TREE_1, "");
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	open_environment("p");
	cr_expect(strncmp(locate("A", UUID_A), "depot/packages/A/", 17) == 0);
	cr_expect_str_eq(locate("B", UUID_B), "");
}

WORLD_TEST(up_to_1_8_another_environment_may_have_the_source)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	world_file(&w, "depot/environments/v1.8/Project.toml", "");
	world_file(&w, "depot/environments/v1.11/Project.toml", "");
	world_file(&w, "depot/environments/v1.8/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\npath = \"A\"\n");
	world_file(&w, "depot/environments/v1.11/Manifest.toml", "[[A]]\nuuid = \"" UUID_A "\"\npath = \"A\"\n");
	open_environment("p");
	cr_expect_str_eq(locate("A", UUID_A), "");
	world_version(&w, "1.8.5");
	open_environment("p");
	cr_expect_str_eq(locate("A", UUID_A), "depot/environments/v1.8/A/src/A.jl");
}

WORLD_TEST(paths_are_relative_to_the_manifest)
{
	world_file(&w, "p/Project.toml", "manifest = \"../m/Manifest.toml\"\n");
	world_file(&w, "m/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\npath = \"../x/A\"\n[[B]]\nuuid = \"" UUID_B "\"\npath = \"B\"\n"
	           "entryfile = \"lib/main.jl\"\n[[C]]\nuuid = \"" UUID_C "\"\npath = \"C/src/Main.jl\"\n");
	world_file(&w, "m/C/src/Main.jl", "");
	open_environment("p");
	cr_expect_str_eq(locate("A", UUID_A), "x/A/src/A.jl");
	cr_expect_str_eq(locate("B", UUID_B), "m/B/src/B.jl");
	cr_expect_str_eq(locate("C", UUID_C), "m/C/src/Main.jl", "a path may be the entry file itself");
	world_version(&w, "1.12.0");
	open_environment("p");
	cr_expect_str_eq(locate("B", UUID_B), "m/B/lib/main.jl");
}

WORLD_TEST(a_project_is_a_package_itself)
{
	world_file(&w, "p/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\n[deps]\nB = \"" UUID_B "\"\n");
	open_environment("p");
	cr_expect_str_eq(identify(NULL, NULL, "A"), UUID_A);
	cr_expect_str_eq(identify("A", UUID_A, "B"), UUID_B);
	cr_expect_str_eq(identify("A", UUID_A, "Std"), "", "Std is none of its dependencies");
	cr_expect_str_eq(locate("A", UUID_A), "p/src/A.jl");
}

WORLD_TEST(a_package_directory_is_an_environment)
{
	world_file(&w, "dir/A/src/A.jl", "");
	world_file(&w, "dir/A/Project.toml", "name = \"A\"\nuuid = \"" UUID_A "\"\n[deps]\nB = \"" UUID_B "\"\n");
	world_file(&w, "dir/B.jl/src/B.jl", "");
	world_file(&w, "dir/B.jl/Project.toml", "name = \"B\"\nuuid = \"" UUID_B "\"\n");
	world_file(&w, "dir/C.jl", "");
	world_file(&w, "dir/C/src/C.jl", "");
	world_file(&w, "dir/C/Project.toml", "name = \"C\"\nuuid = \"" UUID_C "\"\n");
	world_file(&w, "dir/notes.txt", "");
	w.load_path[0] = jic_arena_printf(&w.arena, "%s", world_path(&w, "dir"));
	open_environment(NULL);
	cr_expect_str_eq(identify(NULL, NULL, "A"), UUID_A);
	cr_expect_str_eq(identify("A", UUID_A, "B"), UUID_B);
	cr_expect_str_eq(locate("A", UUID_A), "dir/A/src/A.jl");
	cr_expect_str_eq(locate("B", UUID_B), "dir/B.jl/src/B.jl");
	cr_expect_str_eq(locate("C", UUID_C), "", "the bare file C.jl hides it up to 1.11");
	cr_expect_eq(e.envs[0].packages_count, 3);
	world_version(&w, "1.12.0");
	open_environment(NULL);
	cr_expect_str_eq(locate("C", UUID_C), "dir/C/src/C.jl");
}

WORLD_TEST(stdlibs_are_found_without_being_in_the_load_path_from_1_6_on)
{
	world_file(&w, "p/Project.toml", "");
	w.facts.load_path_count = 1;
	open_environment("p");
	cr_expect_str_eq(locate("Std", UUID_STD), "stdlib/Std/src/Std.jl");
	cr_expect_str_eq(locate("Std", UUID_A), "", "another UUID");
	world_version(&w, "1.5.4");
	open_environment("p");
	cr_expect_str_eq(locate("Std", UUID_STD), "");
}

WORLD_TEST(a_manifest_of_another_julia_does_not_hide_what_a_stdlib_needs)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml",
	           "julia_version = \"1.9.0\"\nmanifest_format = \"2.0\"\n"
	           "[[deps.Std]]\nuuid = \"" UUID_STD "\"\n");
	world_version(&w, "1.11.5");
	open_environment("p");
	cr_expect_str_eq(identify("Std", UUID_STD, "Sys"), UUID_SYS);
	world_version(&w, "1.11.1");
	open_environment("p");
	cr_expect_str_eq(identify("Std", UUID_STD, "Sys"), "");
}

WORLD_TEST(a_manifest_that_this_julia_cannot_read_is_said_so)
{
	struct jic_error err;
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/Manifest.toml", "manifest_format = \"2.0\"\n");
	world_version(&w, "1.6.1");
	world_settle(&w);
	cr_assert_not(jic_environment_open(&w.facts, world_path(&w, "p"), &w.arena, &e, &err));
	cr_expect(strstr(err.text, "does not read manifests of format 2"), "%s", err.text);
}

WORLD_TEST(errors_of_a_project_file_name_the_line)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
	    {"x = \n", "Project.toml:1:"},
	    {"name = 7\n", "Project.toml:1: name: must be a string"},
	    {"name = \"../A\"\n", "Project.toml:1: name: can't be the name of a package"},
	    {"uuid = \"x\"\n", "Project.toml:1: uuid: must be a UUID"},
	    {"[deps]\nA = 1\n", "Project.toml:2: deps: must be a UUID"},
	    {"preferences = 1\n", "Project.toml:1: preferences: must be a table"},
	    {"[workspace]\nprojects = 1\n", "Project.toml:2: workspace: must be a string or an array of strings"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		world_file(&w, "p/Project.toml", cases[i].text);
		struct jic_error err = world_failure(&w, "p");
		cr_expect_eq(err.code, JIC_EFORMAT);
		cr_expect(strstr(err.text, cases[i].error), "%s", err.text);
	}
}

/* ---- @script */

/* The path that an entry stands for, relative to the world. */
static const char *script_entry(const char *entry, const char *script)
{
	char program[256];
	snprintf(program, sizeof program, "%s", world_path(&w, script));
	world_settle(&w);
	struct jic_view found = jic_load_path_script(&w.facts, jic_view_of(entry), program, &w.arena);
	return found.len ? found.ptr + strlen(w.dir.path) + 1 : "";
}

WORLD_TEST(a_script_stands_for_the_project_above_it)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/bin/sub/app.jl", "");
	world_file(&w, "beside/Project.toml", "");
	cr_expect_str_eq(script_entry("@script", "p/bin/sub/app.jl"), "p/Project.toml");
	cr_expect_str_eq(script_entry("@script/../beside", "p/app.jl"), "beside/Project.toml");
}

WORLD_TEST(a_path_behind_script_is_searched_upwards_from_1_12_on)
{
	world_file(&w, "p/Project.toml", "");
	world_file(&w, "p/bin/app.jl", "");
	cr_expect_str_eq(script_entry("@script/none", "p/bin/app.jl"), "p/bin/none");
	world_version(&w, "1.12.5");
	cr_expect_str_eq(script_entry("@script/none", "p/bin/app.jl"), "p/Project.toml");
}

WORLD_TEST(before_1_11_script_is_the_name_of_an_environment)
{
	world_file(&w, "depot/environments/script/Project.toml", "");
	world_version(&w, "1.10.8");
	world_settle(&w);
	cr_expect_not(jic_load_path_is_script(&w.facts, JIC_VIEW("@script")));
	struct jic_view found = jic_load_path_expand(&w.facts, JIC_VIEW("@script"), JIC_VIEW(""), &w.arena);
	cr_expect(jic_view_ends(found, JIC_VIEW("depot/environments/script/Project.toml")));
}
