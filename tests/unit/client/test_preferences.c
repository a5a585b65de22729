#include "client/lib/environment/preferences.h"

#include "client/lib/environment/environment.h"
#include "tests/support/corpus.h"
#include "tests/support/world.h"

static struct world w;
static void open_world(void)
{
	w = world_make("1.11.1");
}
static void close_world(void)
{
	world_clear(&w);
}

/* The canonical text of the preferences of A in a project. */
static struct jic_view text_of_a(const char *project)
{
	struct jic_environment e;
	struct jic_preferences p;
	struct jic_error err;
	const struct jic_toml *table;
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	world_settle(&w);
	cr_assert(jic_environment_open(&w.facts, world_path(&w, project), &w.arena, &e, &err), "%s", err.text);
	cr_assert(jic_preferences_open(e.preference_projects, e.preference_projects_count, w.facts.version.major,
	                               w.facts.version.minor, &w.arena, &p, &err),
	          "%s", err.text);
	cr_assert(jic_preferences_of(&p, uuid_of(UUID_A), &w.arena, &table, &err), "%s", err.text);
	jic_preferences_text(table, &text);
	return jic_arena_copy(&w.arena, jic_buf_view(&text));
}

#define DEP_A "[deps]\nA = \"" UUID_A "\"\n"

Test(preferences, local_files_override_the_project_file, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A "[preferences.A]\nx = 1\ny = 1\nt = {a = 1, b = 1}\n");
	world_file(&w, "p/LocalPreferences.toml", "[A]\ny = 2\nt = {b = 2}\n");
	expect_text(text_of_a("p"), "{\"t\":{\"a\":1,\"b\":2},\"x\":1,\"y\":2}");
}

Test(preferences, only_one_local_file_is_read, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A);
	world_file(&w, "p/LocalPreferences.toml", "[A]\nx = 1\n");
	world_file(&w, "p/JuliaLocalPreferences.toml", "[A]\ny = 2\n");
	expect_text(text_of_a("p"), "{\"y\":2}");
}

Test(preferences, earlier_environments_override_later_ones, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A "[preferences.A]\nx = \"project\"\n");
	world_file(&w, "depot/environments/v1.11/Project.toml",
	           DEP_A "[preferences.A]\nx = \"shared\"\ny = \"shared\"\n");
	expect_text(text_of_a("p"), "{\"x\":\"project\",\"y\":\"shared\"}");
}

Test(preferences, a_clear_list_deletes_what_the_base_had, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A "[preferences.A]\nx = 1\ny = 1\n");
	world_file(&w, "p/LocalPreferences.toml", "[A]\n__clear__ = [\"x\"]\nz = 3\n");
	expect_text(text_of_a("p"), "{\"y\":1,\"z\":3}");
}

Test(preferences, a_clear_list_that_julia_ignores_clears_nothing, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A "[preferences.A]\nx = 1\n");
	world_file(&w, "p/LocalPreferences.toml", "[A]\n__clear__ = [\"x\", 1]\n");
	expect_text(text_of_a("p"), "{\"x\":1}");
}

Test(preferences, a_project_that_does_not_know_the_package_has_no_say, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", "[deps]\nB = \"" UUID_B "\"\n[preferences.A]\nx = 1\n");
	expect_text(text_of_a("p"), "");
	world_file(&w, "p/Project.toml", "[extras]\nA = \"" UUID_A "\"\n[preferences.A]\nx = 1\n");
	expect_text(text_of_a("p"), "{\"x\":1}");
}

Test(preferences, weak_dependencies_count_from_1_9_on, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", "[weakdeps]\nA = \"" UUID_A "\"\n[preferences.A]\nx = 1\n");
	expect_text(text_of_a("p"), "{\"x\":1}");
	world_version(&w, "1.8.5");
	expect_text(text_of_a("p"), "");
}

Test(preferences, there_are_none_before_1_6, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A "[preferences.A]\nx = 1\n");
	world_version(&w, "1.5.4");
	expect_text(text_of_a("p"), "");
}

Test(preferences, the_workspace_of_the_first_environment_counts_in_1_12, .init = open_world, .fini = close_world)
{
	world_file(&w, "root/Project.toml", DEP_A "[workspace]\nprojects = [\"p\"]\n[preferences.A]\nx = 1\ny = 1\n");
	world_file(&w, "root/p/Project.toml", DEP_A "[preferences.A]\ny = 2\n");
	expect_text(text_of_a("root/p"), "{\"y\":2}");
	world_version(&w, "1.12.0");
	expect_text(text_of_a("root/p"), "{\"x\":1,\"y\":2}");
}

Test(preferences, canonical_text_is_the_same_for_the_same_values)
{
	static const char toml[] = "s = \"a\\\"b\\\\\\n\\u007f\\u00e9\"\ni = -3\nf = 2.5\ng = 3.0\nh = 1e300\nn = nan\n"
				   "m = -inf\nb = false\na = [1, [\"x\"], {}]\nd = 2020-01-02T03:04:05Z\nt = {}\n";
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_error err;
	const struct jic_toml *table = jic_toml_parse(&arena, jic_view_of(toml), "t", &err);
	cr_assert(table, "%s", err.text);
	jic_preferences_text(table, &text);
	cr_expect_str_eq(jic_buf_str(&text),
	                 "{\"a\":[1,[\"x\"],{}],\"b\":false,\"d\":@2020-01-02T03:04:05Z,\"f\":2.5,\"g\":3.0,"
	                 "\"h\":1.0000000000000001e+300,\"i\":-3,\"m\":-inf,\"n\":nan,"
	                 "\"s\":\"a\\\"b\\\\\\u000a\\u007f\xc3\xa9\",\"t\":{}}");
}

Test(preferences, an_empty_table_is_no_text)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	jic_preferences_text(jic_toml_parse(&arena, JIC_VIEW("__clear__ = [\"x\"]"), "t", NULL), &text);
	jic_preferences_text(NULL, &text);
	cr_expect_eq(text.len, 0);
}

/* What a real 1.11.1 recorded in the cache file of GoldPrefs. */
Test(preferences, the_hash_is_the_one_in_a_real_cache_file)
{
	static const char toml[] = "backend = \"fast\"\ndepth = 3\nunused = true\n";
	const struct jic_preferences p = {0};
	const struct jic_view names[] = {JIC_VIEW("depth"), JIC_VIEW("backend")};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_toml *table = jic_toml_parse(&arena, jic_view_of(toml), "t", NULL);
	uint64_t hash;
	cr_assert(table && jic_preferences_hash(&p, table, names, 2, &hash));
	cr_expect_eq(hash, 0xaf7245b7ef30cc33u);
}

Test(preferences, names_without_a_value_do_not_enter_the_hash)
{
	const struct jic_preferences p = {0};
	const struct jic_view names[] = {JIC_VIEW("missing")};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	uint64_t hash = 1;
	cr_assert(jic_preferences_hash(&p, jic_toml_parse(&arena, JIC_VIEW("x = 1"), "t", NULL), names, 1, &hash));
	cr_expect_eq(hash, 0);
	cr_assert(jic_preferences_hash(&p, NULL, names, 1, &hash));
	cr_expect_eq(hash, 0);
}

Test(preferences, a_value_of_unknown_hash_has_none)
{
	const struct jic_preferences p = {.hashing.unknown = true};
	const struct jic_view names[] = {JIC_VIEW("x")};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	uint64_t hash;
	const struct jic_toml *table = jic_toml_parse(&arena, JIC_VIEW("x = {y = [1]}"), "t", NULL);
	cr_expect_not(jic_preferences_hash(&p, table, names, 1, &hash));
}

Test(preferences, a_malformed_file_is_named_with_its_line, .init = open_world, .fini = close_world)
{
	world_file(&w, "p/Project.toml", DEP_A);
	world_file(&w, "p/LocalPreferences.toml", "[A]\nx = \n");
	struct jic_error err = world_failure(&w, "p");
	cr_expect_eq(err.code, JIC_EFORMAT);
	cr_expect(strstr(err.text, "LocalPreferences.toml:2:"), "%s", err.text);
}
