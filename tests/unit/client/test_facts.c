/* Facts from a program that answers as Julia does, and runtimes. Real Julias answer in tests/e2e. */
#include "client/lib/julia/facts.h"

#include "client/lib/environment/project.h"
#include "client/lib/julia/facts_ask.h"
#include "tests/support/corpus.h"
#include "tests/support/temp.h"

#include <sys/stat.h>
#include <unistd.h>

static struct temp dir;
static struct jic_arena arena;
static char julia[128], memory[128];

/* A Julia that counts how often it was asked, complains, and answers with what ANSWER holds. */
static void write_julia(const char *before)
{
	char script[1024];
	snprintf(script, sizeof script,
	         "#!/bin/sh\necho x >> %s/asked\n%s\necho 'a banner'\necho 'some complaint' >&2\n"
	         "printf '\\njicache-facts-1 '; cat %s/answer; echo\n",
	         dir.path, before, dir.path);
	put_file(julia, script);
	cr_assert_eq(chmod(julia, 0755), 0);
}

static void write_answer(const char *version, const char *depot)
{
	char text[2048];
	snprintf(text, sizeof text,
	         "{\"version\":\"%s\",\"branch\":\"HEAD\",\"commit\":\"abc\",\"uname\":\"Linux\",\"arch\":\"x86_64\","
	         "\"triplet\":\"x86_64-linux-gnu\",\"word_bits\":64,\"julia_bin\":\"%s\",\"image_file\":\"%s/sys.so\","
	         "\"bindir\":\"%s/bin\",\"stdlib_dir\":\"%s/stdlib\",\"depot_path\":[\"%s\"],\"load_path\":[\"@\"],"
	         "\"flags\":163,\"cpu_target\":\"native\",\"existing_images\":0,"
	         "\"session_target\":\"native\",\"jit_target\":\"00ff\",\"cpu_name\":\"zen\",\"cpu_features\":\"+avx\","
	         "\"hashes\":[\"5bca7c69b794f8ce\",\"a2e6e5b3d2eee6b5\",\"5073b71d9d8c8929\",\"925790ef424fade2\","
	         "\"00000000a47df7fe\",\"00000000ad643c81\",\"0000000079d4f897\"],"
	         "\"modules\":[{\"name\":\"Base\",\"uuid\":\"\",\"id\":\"fdfcfbfa57a8304100000137d8c20094\"}]}",
	         version, julia, dir.path, dir.path, dir.path, depot);
	put_file(at(dir.path, "answer"), text);
}

static void open_julia(void)
{
	dir = temp_make();
	arena = (struct jic_arena){0};
	snprintf(julia, sizeof julia, "%s/bin/julia", dir.path);
	snprintf(memory, sizeof memory, "%s/memory", dir.path);
	write_julia("");
	write_answer("1.11.1", "/nowhere");
	put_file(at(dir.path, "sys.so"), "abc");
}

static void close_julia(void)
{
	jic_arena_clear(&arena);
	temp_remove(&dir);
}

#define FACTS_TEST(name) Test(facts, name, .init = open_julia, .fini = close_julia)

static bool get(struct jic_facts *f, struct jic_error *err)
{
	const char *const args[] = {"-O3"};
	const struct jic_facts_options options = {
	    .julia = julia, .julia_args = args, .julia_args_count = 1, .memory_dir = memory};
	return jic_facts_get(&options, &arena, f, err);
}

static void expect_get(struct jic_facts *f)
{
	struct jic_error err = {0};
	cr_assert(get(f, &err), "%s", err.text);
}

static size_t asked(void)
{
	struct stat st;
	return stat(at(dir.path, "asked"), &st) == 0 ? (size_t)st.st_size / 2 : 0;
}

FACTS_TEST(an_answer_is_taken_whatever_else_is_printed)
{
	struct jic_facts f;
	char hex[JIC_DIGEST_HEX + 1];
	expect_get(&f);
	cr_expect(jic_view_is(f.version_text, "1.11.1") && f.version.minor == 11);
	cr_expect(jic_view_is(f.julia, julia));
	cr_expect_eq(f.flags, 163);
	cr_assert_eq(f.sysimage_modules_count, 1);
	cr_expect(jic_uuid_is_nil(f.sysimage_modules[0].uuid));
	jic_digest_hex(&f.sysimage, hex);
	cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "SHA-256 of \"abc\"");
}

FACTS_TEST(what_was_answered_is_remembered)
{
	struct jic_facts first, again;
	expect_get(&first);
	expect_get(&again);
	cr_expect_eq(asked(), 1);
	cr_expect(jic_view_eq(first.cpu_features, again.cpu_features) && jic_view_eq(first.julia, again.julia));
	cr_expect(jic_digest_eq(&first.sysimage, &again.sysimage));
	cr_expect_eq(again.sysimage_modules_count, 1);
	cr_expect(jic_build_id_eq(first.sysimage_modules[0].build_id, again.sysimage_modules[0].build_id));
}

FACTS_TEST(it_is_asked_again_when_what_the_answer_depends_on_changes)
{
	struct jic_facts f;
	expect_get(&f);
	cr_assert_eq(setenv("JULIA_CPU_TARGET", "generic", 1), 0);
	expect_get(&f);
	cr_expect_eq(asked(), 2, "a variable");
	cr_assert_eq(unsetenv("JULIA_CPU_TARGET"), 0);
	expect_get(&f);
	cr_expect_eq(asked(), 2, "remembered beside the other");
	put_file(at(dir.path, "sys.so"), "another image");
	expect_get(&f);
	cr_expect_eq(asked(), 3, "the system image");
	write_julia("true");
	expect_get(&f);
	cr_expect_eq(asked(), 4, "the executable");
}

FACTS_TEST(a_relative_depot_is_remembered_for_its_directory)
{
	struct jic_facts f;
	cr_assert_eq(setenv("JULIA_DEPOT_PATH", "relative:", 1), 0);
	expect_get(&f);
	cr_assert_eq(chdir(dir.path), 0);
	expect_get(&f);
	cr_expect_eq(asked(), 2);
}

FACTS_TEST(the_project_variable_is_hidden_from_the_julia_that_is_asked)
{
	struct jic_facts f;
	cr_assert_eq(setenv("JULIA_PROJECT", "/somewhere", 1), 0);
	write_julia("[ -z \"$JULIA_PROJECT\" ] || exit 1");
	expect_get(&f);
}

FACTS_TEST(a_damaged_memory_is_asked_for_again)
{
	struct jic_facts f;
	char pattern[256];
	expect_get(&f);
	snprintf(pattern, sizeof pattern, "%s/facts/*.json", memory);
	glob_t found;
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	put_file(found.gl_pathv[0], "{\"format\":1");
	globfree(&found);
	expect_get(&f);
	cr_expect_eq(asked(), 2);
}

FACTS_TEST(without_a_place_to_remember_it_is_asked_each_time)
{
	struct jic_facts f;
	put_file(memory, "a file, no directory");
	expect_get(&f);
	expect_get(&f);
	cr_expect_eq(asked(), 2);
}

FACTS_TEST(no_julia_is_not_found)
{
	struct jic_facts f;
	struct jic_error err;
	const struct jic_facts_options options = {.julia = "/nowhere/julia", .memory_dir = memory};
	cr_assert_not(jic_facts_get(&options, &arena, &f, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_assert_eq(setenv("PATH", dir.path, 1), 0);
	const struct jic_facts_options on_path = {.memory_dir = memory};
	cr_expect_not(jic_facts_get(&on_path, &arena, &f, &err));
	cr_assert_eq(setenv("JULIA", julia, 1), 0);
	cr_assert_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
	cr_expect(jic_facts_get(&on_path, &arena, &f, &err), "%s", err.text);
}

FACTS_TEST(a_julia_that_does_not_answer_is_quoted)
{
	struct jic_facts f;
	struct jic_error err;
	write_julia("echo 'ERROR: unknown option' >&2; exit 1");
	cr_assert_not(get(&f, &err));
	cr_expect_eq(err.code, JIC_EPROTOCOL);
	cr_expect(strstr(err.text, "ERROR: unknown option"), "%s", err.text);
}

FACTS_TEST(an_answer_of_another_form_is_a_protocol_error)
{
	static const char *const answers[] = {"", "{", "{}", "[1]", "{\"version\":\"x\"}"};
	for (size_t i = 0; i < JIC_COUNT(answers); i++) {
		struct jic_facts f;
		struct jic_error err = {0};
		put_file(at(dir.path, "answer"), answers[i]);
		cr_assert_not(get(&f, &err));
		cr_expect_eq(err.code, JIC_EPROTOCOL, "%s", err.text);
	}
}

FACTS_TEST(an_old_julia_is_not_supported)
{
	struct jic_facts f;
	struct jic_error err;
	write_answer("1.4.2", "/nowhere");
	cr_assert_not(get(&f, &err));
	cr_expect_eq(err.code, JIC_EUNSUPPORTED);
}

FACTS_TEST(a_julia_that_hangs_is_ended_with_what_it_started)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	struct jic_error err;
	write_julia("sleep 100 & sleep 100");
	cr_assert_not(jic_facts_ask(julia, NULL, 0, 200, &answer, &err));
	cr_expect_eq(err.code, JIC_EPROTOCOL);
	cr_expect(strstr(err.text, "no answer within"), "%s", err.text);
}

FACTS_TEST(bundled_caches_are_read_from_the_depots_of_the_installation)
{
	char command[1024], depot[128];
	struct jic_facts f;
	snprintf(depot, sizeof depot, "%s/share/julia", dir.path);
	snprintf(command, sizeof command,
	         "mkdir -p '%s/compiled/v1.11' && cp -r '%s'/corpus/julia/1.11.1/depot/compiled/v1.11/GoldBase "
	         "'%s/compiled/v1.11/' && chmod -R u+w '%s'",
	         depot, corpus_root(), depot, depot);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): our own fixed command */
	put_file(at(depot, "compiled/v1.11/GoldBase/Ah8jb_damaged.ji"), "no cache file");
	write_answer("1.11.1", depot);
	/* The corpus' commit, or they are another Julia's. */
	snprintf(command, sizeof command,
	         "sed -i 's/\"commit\":\"abc\"/\"commit\":\"8f5b7ca12ad48c6d740e058312fc8cf2bbe67848\"/' '%s/answer'",
	         dir.path);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
	for (int round = 0; round < 2; round++) {
		expect_get(&f);
		cr_assert_eq(f.bundled_count, 3, "asked, then remembered: round %d", round);
		size_t with_targets = 0;
		for (size_t i = 0; i < f.bundled_count; i++) {
			cr_expect(jic_view_is(f.bundled[i].cache.name, "GoldBase"));
			cr_expect(f.bundled[i].cache.build_id.hi >> 32 == JIC_JI_CHECKSUM_MARK_PACKAGE);
			with_targets += f.bundled[i].clone_targets.len > 0;
		}
		cr_expect_eq(with_targets, 2, "the one of --pkgimages=no has no image");
	}
	cr_expect_eq(asked(), 1);
}

/* ---- runtimes */

static struct jic_facts session(const char *version, uint8_t flags, const char *target, const char *features)
{
	struct jic_facts f = {.version_text = jic_view_of(version),
	                      .uname = JIC_VIEW("Linux"),
	                      .arch = JIC_VIEW("x86_64"),
	                      .triplet = JIC_VIEW("x86_64-linux-gnu"),
	                      .branch = JIC_VIEW(""),
	                      .commit = JIC_VIEW(""),
	                      .word_bits = 64,
	                      .flags = flags,
	                      .cpu_target = jic_view_of(target),
	                      .session_target = jic_view_of(target),
	                      .cpu_name = JIC_VIEW("zen"),
	                      .cpu_features = jic_view_of(features)};
	cr_assert(jic_julia_version_parse(f.version_text, &f.version));
	return f;
}

static size_t runtimes(const struct jic_facts *f, const struct jic_runtime **list)
{
	size_t count = 0;
	struct jic_error err;
	cr_assert(jic_facts_runtimes(f, &arena, list, &count, &err));
	for (size_t a = 0; a < count; a++) {
		char id[JIC_RUNTIME_ID_BYTES_MAX], other[JIC_RUNTIME_ID_BYTES_MAX];
		cr_assert(jic_runtime_id(&(*list)[a], id, &err), "%s", err.text);
		for (size_t b = 0; b < a; b++) {
			cr_assert(jic_runtime_id(&(*list)[b], other, &err));
			cr_expect_str_neq(id, other);
		}
	}
	return count;
}

static bool accepts(const struct jic_facts *f, const char *flags, const char *cpu)
{
	const struct jic_runtime *list;
	size_t count = runtimes(f, &list);
	for (size_t i = 0; i < count; i++) {
		if (jic_view_is(list[i].flags, flags) && jic_view_is(list[i].cpu, cpu))
			return true;
	}
	return false;
}

#define V2 "+cx16,+sahf,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3"
#define V3 V2 ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe"
#define DEFAULT "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2"

FACTS_TEST(the_first_runtime_is_what_the_session_compiles_for)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.11.1", 0xa3, "native", V3);
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].flags, DEFAULT));
	cr_expect(jic_view_is(list[0].cpu, "host:zen;" V3));
	f = session("1.11.1", 0xa3, "haswell", V3);
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].cpu, "target:haswell"));
}

FACTS_TEST(a_host_accepts_the_baseline_that_it_has_all_features_of)
{
	struct jic_facts f = session("1.11.1", 0xa3, "native", V3);
	cr_expect(accepts(&f, DEFAULT, "target:haswell,-rdrnd"));
	cr_expect(accepts(&f, DEFAULT, "target:generic"));
	cr_expect(jic_view_is(jic_facts_baseline(&f), "haswell,-rdrnd"));
	f = session("1.11.1", 0xa3, "native", "+avx512f,-sse3");
	cr_expect_not(accepts(&f, DEFAULT, "target:haswell,-rdrnd"));
	cr_expect(jic_view_is(jic_facts_baseline(&f), "generic"));
	f = session("1.11.1", 0xa3, "generic", V3);
	cr_expect_not(accepts(&f, DEFAULT, "target:haswell,-rdrnd"), "a session may be limited to its target");
}

FACTS_TEST(what_a_session_runs_for_is_accepted_whatever_it_compiles_for)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.11.1", 0xa3, "generic", V3);
	f.session_target = JIC_VIEW("native");
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].cpu, "target:generic"));
	cr_expect(accepts(&f, DEFAULT, "host:zen;" V3) && accepts(&f, DEFAULT, "target:haswell,-rdrnd"));
}

FACTS_TEST(a_target_that_names_native_is_this_hosts)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.11.1", 0xa3, "native,-avx512f", V3);
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].cpu, "host:zen;" V3 ";native,-avx512f"));
	f = session("1.11.1", 0xa3, "generic;native", V3);
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].cpu, "host:zen;" V3 ";generic;native"));
}

FACTS_TEST(with_existing_images_it_makes_none_and_accepts_all_that_it_would_with_images)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.11.1", 0xa2, "native", V3);
	cr_expect_eq(runtimes(&f, &list), 1);
	f.existing_images = true;
	runtimes(&f, &list);
	cr_expect(jic_view_is(list[0].flags, "pkgimages=0") && !list[0].cpu.len);
	cr_expect(accepts(&f, DEFAULT, "host:zen;" V3) && accepts(&f, DEFAULT, "target:generic"));
}

FACTS_TEST(to_a_session_without_images_bundled_ones_are_not_there)
{
	const struct jic_runtime *list;
	struct jic_bundled_file files[] = {
	    {.cache = {.name = JIC_VIEW("A")}, .flags = 0xa3, .clone_targets = JIC_VIEW("x")},
	    {.cache = {.name = JIC_VIEW("B")}, .flags = 0xa2}};
	struct jic_facts f = session("1.11.1", 0xa2, "native", V3);
	f.bundled = files;
	f.bundled_count = 2;
	runtimes(&f, &list);
	cr_assert_eq(list[0].bundled_count, 1);
	cr_expect(jic_view_is(list[0].bundled[0].name, "B"));
	f.existing_images = true;
	runtimes(&f, &list);
	cr_expect_eq(list[0].bundled_count, 2);
}

FACTS_TEST(more_optimisation_is_accepted_and_more_debug_from_1_11_2_on)
{
	struct jic_facts f = session("1.11.1", 0xa3, "generic", "");
	cr_expect(accepts(&f, "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=3", "target:generic"));
	cr_expect_not(accepts(&f, "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=1", "target:generic"));
	cr_expect_not(accepts(&f, "pkgimages=1,debug=2,check_bounds=0,inline=1,opt=2", "target:generic"));
	f = session("1.11.2", 0xa3, "generic", "");
	cr_expect(accepts(&f, "pkgimages=1,debug=2,check_bounds=0,inline=1,opt=2", "target:generic"));
	cr_expect_not(accepts(&f, "pkgimages=1,debug=0,check_bounds=0,inline=1,opt=2", "target:generic"));
}

FACTS_TEST(without_native_code_there_is_one_runtime)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.11.1", 0xa2, "native", V3);
	cr_expect_eq(runtimes(&f, &list), 1);
	cr_expect(jic_view_is(list[0].flags, "pkgimages=0") && list[0].cpu.len == 0);
	f = session("1.8.5", 0, "native", V3);
	cr_expect_eq(runtimes(&f, &list), 1);
	cr_expect(list[0].flags.len == 0 && list[0].cpu.len == 0);
}

FACTS_TEST(there_are_no_more_runtimes_than_a_request_takes)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.12.0", 0x21, "native", V3 ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl");
	cr_expect_eq(runtimes(&f, &list), 32);
	cr_expect(accepts(&f, DEFAULT, "target:generic"), "the most common ones are among them");
}

#define CLUSTER "generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)"

FACTS_TEST(images_for_several_targets_are_accepted_when_one_of_them_runs_here)
{
	struct jic_facts f = session("1.12.5", 0xa3, "native", V3);
	cr_expect(accepts(&f, DEFAULT, "target:" CLUSTER), "what official builds are made for");
	f.site_targets = JIC_VIEW("x86-64-v2;znver4,clone_all  x86-64-v4;znver5 generic;zen");
	cr_expect(accepts(&f, DEFAULT, "target:x86-64-v2;znver4,clone_all"));
	cr_expect(accepts(&f, DEFAULT, "target:generic;zen"));
	cr_expect_not(accepts(&f, DEFAULT, "target:x86-64-v4;znver5"), "it would trap");
	f = session("1.12.5", 0xa3, "haswell", V3);
	f.site_targets = JIC_VIEW("x86-64-v2;zen znver4;generic");
	cr_expect_not(accepts(&f, DEFAULT, "target:x86-64-v2;zen"), "a session may be limited to its target");
	cr_expect(accepts(&f, DEFAULT, "target:znver4;generic"));
	f = session("1.11.1", 0xa3, "native", V3);
	f.site_targets = JIC_VIEW("znver4;generic generic;znver4");
	cr_expect_not(accepts(&f, DEFAULT, "target:znver4;generic"), "only the first target takes effect");
	cr_expect(accepts(&f, DEFAULT, "target:generic;znver4"));
}

FACTS_TEST(a_session_with_less_optimisation_accepts_julias_default_next)
{
	const struct jic_runtime *list;
	struct jic_facts f = session("1.12.5", 0x23, "native", V3);
	cr_assert_gt(runtimes(&f, &list), 3);
	cr_expect(accepts(&f, DEFAULT, "target:generic"));
	cr_expect(jic_view_is(list[0].flags, "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=0"));
	cr_expect(jic_view_is(list[2].flags, DEFAULT) && jic_view_is(list[2].cpu, list[0].cpu.ptr));
}
