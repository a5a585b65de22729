#include "client/lib/environment/source.h"

#include "tests/support/temp.h"

#include <sys/time.h>
#include <unistd.h>

static struct temp dir;
static struct jic_arena arena;

static void open_package(void)
{
	dir = temp_make();
	arena = (struct jic_arena){0};
	put_file(at(dir.path, "P/src/P.jl"), "module P include(\"a.jl\") end\n");
	put_file(at(dir.path, "P/src/a.jl"), "a = 1\n");
	put_file(at(dir.path, "P/README.md"), "read me\n");
	put_file(at(dir.path, "P/test/runtests.jl"), "test\n");
	put_file(at(dir.path, "P/data/table.txt"), "1 2 3\n");
}

static void close_package(void)
{
	jic_arena_clear(&arena);
	temp_remove(&dir);
}

static struct jic_source source_with(const struct jic_package *package, const char *memory_dir)
{
	struct jic_source s;
	struct jic_error err = {0};
	JIC_AUTO(jic_remembered) struct jic_remembered *memory = jic_remembered_open(memory_dir, "sources");
	cr_assert(memory);
	struct jic_view root = jic_arena_printf(&arena, "%s/P", dir.path);
	struct jic_view entry = jic_arena_printf(&arena, "%s/P/src/P.jl", dir.path);
	cr_assert(jic_source_developed(root, package, entry, memory, &arena, &s, &err), "%s", err.text);
	jic_remembered_save(memory);
	return s;
}

static struct jic_source source(void)
{
	return source_with(NULL, NULL);
}

static struct jic_source build(void)
{
	struct jic_source s;
	struct jic_error err = {0};
	JIC_AUTO(jic_remembered) struct jic_remembered *memory = jic_remembered_open(NULL, "sources");
	cr_assert(memory && jic_source_build(jic_arena_printf(&arena, "%s/P", dir.path), memory, &arena, &s, &err));
	return s;
}

#define PACKAGE_TEST(name) Test(source, name, .init = open_package, .fini = close_package)

PACKAGE_TEST(only_what_a_compilation_reads_changes_the_identity)
{
	struct jic_source before = source();
	cr_expect(jic_view_starts(before.identity, JIC_VIEW("content:")) && before.identity.len == 8 + 64);
	cr_expect_not(before.covers_all);
	put_file(at(dir.path, "P/README.md"), "read me twice\n");
	put_file(at(dir.path, "P/test/runtests.jl"), "other test\n");
	put_file(at(dir.path, "P/data/table.txt"), "4\n");
	put_file(at(dir.path, "P/src/a.jl~"), "backup\n");
	put_file(at(dir.path, "P/src/a.jl.30937.cov"), "        - module P\n");
	put_file(at(dir.path, "P/src/a.jl.30937.mem"), "        - module P\n");
	cr_expect(jic_view_eq(source().identity, before.identity));
	put_file(at(dir.path, "P/src/a.jl"), "a = 2\n");
	cr_expect_not(jic_view_eq(source().identity, before.identity));
}

PACKAGE_TEST(each_of_name_content_and_place_of_a_file_counts)
{
	struct jic_source before = source();
	cr_assert_eq(rename(at(dir.path, "P/src/a.jl"), at(dir.path, "P/src/b.jl")), 0);
	struct jic_source renamed = source();
	cr_expect_not(jic_view_eq(renamed.identity, before.identity));
	put_file(at(dir.path, "P/ext/a.jl"), "a = 1\n");
	cr_expect_not(jic_view_eq(source().identity, renamed.identity));
}

PACKAGE_TEST(the_place_of_the_package_does_not_count)
{
	struct jic_source before = source();
	char elsewhere[128];
	snprintf(elsewhere, sizeof elsewhere, "%s", at(dir.path, "Q"));
	cr_assert_eq(rename(at(dir.path, "P"), elsewhere), 0);
	cr_assert_eq(symlink("Q", at(dir.path, "P")), 0);
	cr_expect(jic_view_eq(source().identity, before.identity));
}

PACKAGE_TEST(a_source_that_reaches_out_makes_everything_covered)
{
	static const char *const reaching[] = {"include_dependency(x)", "joinpath(pkgdir(P), \"data\")",
	                                       "read(\"../data/table.txt\")", "joinpath(@__DIR__, \"..\", \"data\")",
	                                       "dirname(@__DIR__)"};
	for (size_t i = 0; i < JIC_COUNT(reaching); i++) {
		put_file(at(dir.path, "P/src/a.jl"), reaching[i]);
		put_file(at(dir.path, "P/data/table.txt"), "1");
		struct jic_source before = source();
		cr_expect(before.covers_all, "%s", reaching[i]);
		put_file(at(dir.path, "P/test/runtests.jl"), reaching[i]);
		put_file(at(dir.path, "P/README.md"), reaching[i]);
		cr_expect(jic_view_eq(source().identity, before.identity));
		put_file(at(dir.path, "P/data/table.txt"), "2");
		cr_expect_not(jic_view_eq(source().identity, before.identity), "%s", reaching[i]);
	}
}

Test(source, dots_that_are_no_path_do_not_reach_out)
{
	static const char *const harmless[] = {"import ..Parent", "f(x...)", "1..2", "", "..", "\"...\"", "\"a..b\""};
	for (size_t i = 0; i < JIC_COUNT(harmless); i++)
		cr_expect_not(jic_source_reaches_out(jic_view_of(harmless[i])), "%s", harmless[i]);
	cr_expect(jic_source_reaches_out(JIC_VIEW("\"..\"")));
	cr_expect(jic_source_reaches_out(JIC_VIEW("\"a/../b\"")));
}

Test(source, the_rule_of_what_is_covered)
{
	static const struct {
		const char *path;
		bool code, all;
	} cases[] = {
	    {"src/P.jl", true, true},
	    {"src/deep/x.txt", true, true},
	    {"ext/E.jl", true, true},
	    {"src/notes.md", true, true},
	    {"src", false, true},
	    {"srcs/P.jl", false, true},
	    {"Artifacts.toml", true, true},
	    {"JuliaArtifacts.toml", true, true},
	    {"Project.toml", false, true},
	    {"data/x.csv", false, true},
	    {"deps/deps.jl", false, true},
	    {"deps/build.log", false, false},
	    {"README.md", false, false},
	    {"LICENSE", false, false},
	    {"test/x.jl", false, false},
	    {"docs/x.jl", false, false},
	    {"benchmarks/x.jl", false, false},
	    {"examples/x.jl", false, false},
	    {"Manifest.toml", false, false},
	    {"Manifest-v1.11.toml", false, false},
	    {"LocalPreferences.toml", false, false},
	    {".git/HEAD", false, false},
	    {"src/.git/x", false, false},
	    {".gitignore", false, false},
	    {"lib/x.so", false, false},
	    {"src/P.jl~", false, false},
	    {"src/.#P.jl", false, false},
	    {"", false, false},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		cr_expect_eq(jic_source_covers(false, jic_view_of(cases[i].path)), cases[i].code, "%s", cases[i].path);
		cr_expect_eq(jic_source_covers(true, jic_view_of(cases[i].path)), cases[i].all, "%s", cases[i].path);
	}
}

PACKAGE_TEST(of_the_project_file_only_what_decides_loading_counts)
{
	const struct jic_dep dep = {.name = JIC_VIEW("D"), .uuid = {1, 2}},
			     other = {.name = JIC_VIEW("D"), .uuid = {1, 3}};
	struct jic_package p = {.name = JIC_VIEW("P"), .uuid = {7, 7}, .version = JIC_VIEW("1.0.0"), .deps = {&dep, 1}};
	struct jic_source before = source_with(&p, NULL);
	p.version = JIC_VIEW("2.0.0");
	cr_expect(jic_view_eq(source_with(&p, NULL).identity, before.identity), "a release costs no compile");
	p.deps.items = &other;
	cr_expect_not(jic_view_eq(source_with(&p, NULL).identity, before.identity));
	p.deps = (struct jic_deps){0};
	p.weakdeps = (struct jic_deps){&dep, 1};
	cr_expect_not(jic_view_eq(source_with(&p, NULL).identity, before.identity));
}

PACKAGE_TEST(a_link_to_a_file_is_that_file)
{
	struct jic_source before = source();
	put_file(at(dir.path, "outside.jl"), "a = 1\n");
	cr_assert_eq(unlink(at(dir.path, "P/src/a.jl")), 0);
	cr_assert_eq(symlink("../../outside.jl", at(dir.path, "P/src/a.jl")), 0);
	cr_expect(jic_view_eq(source().identity, before.identity));
	put_file(at(dir.path, "outside.jl"), "a = 2\n");
	cr_expect_not(jic_view_eq(source().identity, before.identity));
}

PACKAGE_TEST(a_link_to_a_directory_outside_is_not_shared)
{
	put_file(at(dir.path, "outside/x.jl"), "x\n");
	cr_assert_eq(symlink("../../outside", at(dir.path, "P/src/lib")), 0);
	struct jic_source s = source();
	cr_expect_eq(s.identity.len, 0);
	cr_expect_str_eq(s.reason.ptr, "src/lib links to a directory that is not covered");
}

PACKAGE_TEST(links_inside_and_dangling_links_are_their_targets_text)
{
	put_file(at(dir.path, "P/src/real/x.jl"), "x\n");
	cr_assert_eq(symlink("real", at(dir.path, "P/src/alias")), 0);
	struct jic_source inside = source();
	cr_expect(inside.identity.len);
	cr_assert_eq(unlink(at(dir.path, "P/src/alias")), 0);
	cr_assert_eq(symlink("nowhere", at(dir.path, "P/src/alias")), 0);
	struct jic_source dangling = source();
	cr_expect(dangling.identity.len);
	cr_expect_not(jic_view_eq(inside.identity, dangling.identity));
}

PACKAGE_TEST(nesting_has_a_limit)
{
	char path[1024];
	int len = snprintf(path, sizeof path, "%s/P/src", dir.path);
	for (int i = 0; i < JIC_SOURCE_DEPTH_MAX; i++)
		len += snprintf(path + len, sizeof path - (size_t)len, "/d");
	snprintf(path + len, sizeof path - (size_t)len, "/x.jl");
	put_file(path, "x\n");
	cr_expect(strstr(source().reason.ptr, "nested too deeply"));
}

PACKAGE_TEST(too_much_is_a_reason_not_a_failure)
{
	cr_assert_eq(truncate(at(dir.path, "P/src/a.jl"), (off_t)JIC_SOURCE_BYTES_MAX + 1), 0);
	struct jic_source s = source();
	cr_expect_str_eq(s.reason.ptr, "its files have more than 512 MiB");
}

PACKAGE_TEST(what_a_build_left_counts_but_for_its_log)
{
	put_file(at(dir.path, "P/deps/build.jl"), "b\n");
	put_file(at(dir.path, "P/deps/deps.jl"), "const lib = 1\n");
	struct jic_source before = build();
	put_file(at(dir.path, "P/deps/build.log"), "noise\n");
	cr_expect(jic_view_eq(build().identity, before.identity));
	put_file(at(dir.path, "P/deps/deps.jl"), "const lib = 2\n");
	cr_expect_not(jic_view_eq(build().identity, before.identity));
}

/* A file whose content changes behind its identity shows whether it was read: the times are set back. */
PACKAGE_TEST(an_unchanged_file_is_not_read_again)
{
	char memory[128], path[256];
	snprintf(memory, sizeof memory, "%s/memory", dir.path);
	snprintf(path, sizeof path, "%s", at(dir.path, "P/src/a.jl"));
	JIC_AUTO(jic_remembered) struct jic_remembered *r = jic_remembered_open(memory, "sources");
	struct jic_file_identity id, old;
	struct jic_digest fake = {{42}}, found;
	uint32_t note;
	cr_assert(jic_file_identify(path, &id, NULL));
	jic_remembered_add(r, &id, &fake, 0);
	cr_expect_not(jic_remembered_find(r, &id, &found, &note), "just changed: not remembered");
	old = id;
	old.mtime_ns -= 10000000000;
	old.ctime_ns -= 10000000000;
	jic_remembered_add(r, &old, &fake, 7);
	jic_remembered_save(r);
	JIC_AUTO(jic_remembered) struct jic_remembered *again = jic_remembered_open(memory, "sources");
	cr_assert(jic_remembered_find(again, &old, &found, &note));
	cr_expect(jic_digest_eq(&found, &fake) && note == 7);
	cr_expect_not(jic_remembered_find(again, &id, &found, &note), "other times, other file");
}

PACKAGE_TEST(a_damaged_memory_is_an_empty_one)
{
	char memory[128], path[256];
	snprintf(memory, sizeof memory, "%s/memory", dir.path);
	snprintf(path, sizeof path, "%s/memory/sources", dir.path);
	struct jic_file_identity id = {.device = 1, .inode = 2, .size = 3, .mtime_ns = 4, .ctime_ns = 5};
	struct jic_digest digest = {{1}};
	uint32_t note;
	JIC_AUTO(jic_remembered) struct jic_remembered *r = jic_remembered_open(memory, "sources");
	jic_remembered_add(r, &id, &digest, 0);
	jic_remembered_save(r);
	FILE *f = fopen(path, "r+b");
	cr_assert(f && fseek(f, 60, SEEK_SET) == 0 && fputc('x', f) != EOF && fclose(f) == 0);
	JIC_AUTO(jic_remembered) struct jic_remembered *again = jic_remembered_open(memory, "sources");
	cr_assert(again);
	cr_expect_not(jic_remembered_find(again, &id, &digest, &note));
}
