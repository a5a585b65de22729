/* Packages that failed to compile: noted, told, and forgotten in time. */
#include "client/lib/session/failed.h"

#include "tests/support/world.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <time.h>

static struct world w;
static struct jic_view runtime;
static struct jic_session session;
static struct jic_locals locals;

/* The project needs B, and B needs A; C is of the environment below. Nothing is compiled. */
static void open_failed(void)
{
	struct jic_error err;
	w = world_make("1.11.3");
	world_install(&w, "A", UUID_A, TREE_1, "module A end\n");
	world_install(&w, "B", UUID_B, TREE_1, "module B\nusing A\nend\n");
	world_install(&w, "C", UUID_C, TREE_1, "module C end\n");
	world_file(&w, "p/Project.toml", "[deps]\nB = \"" UUID_B "\"\n");
	world_file(&w, "p/Manifest.toml",
	           "[[A]]\nuuid = \"" UUID_A "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n"
	           "[[B]]\nuuid = \"" UUID_B "\"\ngit-tree-sha1 = \"" TREE_1 "\"\ndeps = [\"A\"]\n");
	world_file(&w, "depot/environments/v1.11/Project.toml", "[deps]\nC = \"" UUID_C "\"\n");
	world_file(&w, "depot/environments/v1.11/Manifest.toml",
	           "[[C]]\nuuid = \"" UUID_C "\"\ngit-tree-sha1 = \"" TREE_1 "\"\n");
	runtime = JIC_VIEW("julia-1.11.3-x86_64-linux-gnu-0");
	session = (struct jic_session){.graph = world_graph(&w, "p"), .runtime_ids = &runtime, .runtimes_count = 1};
	session.facts = w.facts;
	session.settings.memory_dir = jic_arena_copy(&w.arena, jic_view_of(world_path(&w, "memory"))).ptr;
	const struct jic_depot_options options = {.memory_dir = session.settings.memory_dir};
	cr_assert(jic_depot_scan(&session.graph, &options, &w.arena, &locals, &err));
	cr_assert_eq(locals.wanted, 3);
}

static void close_failed(void)
{
	jic_arena_clear(&session.arena);
	world_clear(&w);
}

#define FAILED_TEST(name) Test(failed, name, .init = open_failed, .fini = close_failed)

static bool failed(const char *name)
{
	return jic_failed_is(node(&session.graph, name));
}

FAILED_TEST(what_the_project_needs_and_has_no_file_is_noted)
{
	jic_failed_mark(&session, &locals);
	cr_expect(locals.wanted == 3 && !failed("A"), "nothing is noted yet");
	jic_failed_note(&session, &locals);
	jic_failed_mark(&session, &locals);
	cr_expect(failed("A") && failed("B"));
	cr_expect_not(failed("C"), "Pkg.precompile() does not go through it");
	cr_expect_eq(locals.wanted, 1);
}

/* Notes that are so old. */
static void age_notes(time_t age_s)
{
	const char *dir = jic_arena_printf(&w.arena, "%s/failed", session.settings.memory_dir).ptr;
	const struct timespec then[] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
	DIR *d = opendir(dir);
	cr_assert(d);
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			cr_assert_eq(utimensat(dirfd(d), e->d_name, then, 0), 0);
	closedir(d);
}

static void expect_reason(const char *name, const char *text)
{
	const struct jic_view reason = node(&session.graph, name)->reason;
	cr_expect(jic_view_is(reason, text), "%s: " JIC_PRIv, name, JIC_ARGv(reason));
}

FAILED_TEST(the_reason_says_when_it_failed_and_when_it_is_tried_again)
{
	jic_failed_note(&session, &locals);
	age_notes(12 * 60 + 5);
	jic_failed_mark(&session, &locals);
	expect_reason(
	    "A", "it failed to compile 12 minutes ago; tried again in 48 minutes, or when something of it changes");
	expect_reason("B", "what it depends on failed to compile 12 minutes ago; tried again in 48 minutes, or when "
	                   "something of it changes");
}

FAILED_TEST(what_failed_just_now_or_is_tried_again_soon_reads_well)
{
	jic_failed_note(&session, &locals);
	age_notes(JIC_FAILED_S - 40);
	jic_failed_mark(&session, &locals);
	expect_reason("A",
	              "it failed to compile 59 minutes ago; tried again in 1 minute, or when something of it changes");
	struct jic_node *a = &session.graph.nodes[node(&session.graph, "A") - session.graph.nodes];
	a->optional = false;
	age_notes(0);
	jic_failed_mark(&session, &locals);
	expect_reason("A",
	              "it failed to compile less than a minute ago; tried again in 60 minutes, or when something of it "
	              "changes");
}

FAILED_TEST(what_has_a_file_is_neither_noted_nor_told)
{
	struct jic_local *a = &locals.items[node(&session.graph, "A") - session.graph.nodes];
	a->path = JIC_VIEW("/somewhere/A.ji");
	jic_failed_note(&session, &locals);
	a->path = (struct jic_view){0};
	jic_failed_mark(&session, &locals);
	cr_expect(!failed("A") && failed("B"));
}

FAILED_TEST(another_runtime_or_key_is_another_try)
{
	jic_failed_note(&session, &locals);
	runtime = JIC_VIEW("julia-1.11.3-x86_64-linux-gnu-1");
	jic_failed_mark(&session, &locals);
	cr_expect_not(failed("A"));
	runtime = JIC_VIEW("julia-1.11.3-x86_64-linux-gnu-0");
	session.graph.nodes[node(&session.graph, "A") - session.graph.nodes].key.bytes[0] ^= 1;
	jic_failed_mark(&session, &locals);
	cr_expect(!failed("A") && failed("B"));
}

FAILED_TEST(a_note_counts_for_an_hour_and_is_removed_then)
{
	jic_failed_note(&session, &locals);
	const char *dir = jic_arena_printf(&w.arena, "%s/failed", session.settings.memory_dir).ptr;
	const struct timespec then[] = {{.tv_sec = time(NULL) - JIC_FAILED_S - 1},
	                                {.tv_sec = time(NULL) - JIC_FAILED_S - 1}};
	for (int round = 0; round < 2; round++) {
		size_t files = 0;
		DIR *d = opendir(dir);
		cr_assert(d);
		for (struct dirent *e; (e = readdir(d));) {
			if (e->d_name[0] == '.')
				continue;
			files++;
			cr_assert_eq(utimensat(dirfd(d), e->d_name, then, 0), 0);
		}
		closedir(d);
		cr_expect_eq(files, round ? 0 : 2);
		jic_failed_mark(&session, &locals);
		cr_expect_not(failed("A"));
	}
}

FAILED_TEST(julia_1_5_ends_at_the_first_failure_so_nothing_is_noted)
{
	session.facts.version = (struct jic_julia_version){.major = 1, .minor = 5, .patch = 3};
	jic_failed_note(&session, &locals);
	jic_failed_mark(&session, &locals);
	cr_expect_not(failed("B"));
}
