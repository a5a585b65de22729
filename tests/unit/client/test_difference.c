/* The first difference in words: tables of what is here, what is there, and the sentence. */
#include "client/lib/operation/difference.h"

#include <criterion/criterion.h>

#define TREE_A "git-tree-sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TREE_B "git-tree-sha1:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define CONTENT_A "content:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CONTENT_B "content:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* ---- preferences */

Test(difference, the_first_preference_that_differs_is_named)
{
	static const struct {
		const char *here, *there, *path, *mine, *theirs;
	} cases[] = {
	    {"{\"backend\":\"fast\"}", "{\"backend\":\"slow\"}", "backend", "\"fast\"", "\"slow\""},
	    {"{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", "b", "2", "3"},
	    {"{\"a\":1}", "", "a", "1", ""},
	    {"", "{\"a\":[1,2]}", "a", "", "[1,2]"},
	    {"{\"b\":1}", "{\"a\":0,\"b\":1}", "a", "", "0"},
	    {"{\"a\":0,\"b\":1}", "{\"b\":1}", "a", "0", ""},
	    {"{\"a\":0}", "{\"a\":0,\"c\":true}", "c", "", "true"},
	    {"{\"n\":{\"on\":true,\"scale\":1.0}}", "{\"n\":{\"on\":true,\"scale\":2.0}}", "n.scale", "1.0", "2.0"},
	    {"{\"n\":{\"x\":{\"y\":1}}}", "{\"n\":{\"x\":{}}}", "n.x.y", "1", ""},
	    {"{\"n\":{}}", "{\"n\":1}", "n", "{}", "1"},
	    {"{\"a\":\"x,\\\"}\",\"b\":1}", "{\"a\":\"x,\\\"}\",\"b\":2}", "b", "1", "2"},
	    {"{\"a\":[{\"k\":1},2]}", "{\"a\":[{\"k\":2},2]}", "a", "[{\"k\":1},2]", "[{\"k\":2},2]"},
	    {"{\"k\\\"q\":1}", "{\"k\\\"q\":2}", "k\\\"q", "1", "2"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_preference_difference p;
		cr_assert(
		    jic_preference_difference(jic_view_of(cases[i].here), jic_view_of(cases[i].there), &arena, &p),
		    "%s", cases[i].here);
		cr_expect(jic_view_is(p.path, cases[i].path), "%s: " JIC_PRIv, cases[i].here, JIC_ARGv(p.path));
		cr_expect(jic_view_is(p.here, cases[i].mine), "%s: " JIC_PRIv, cases[i].here, JIC_ARGv(p.here));
		cr_expect(jic_view_is(p.there, cases[i].theirs), "%s: " JIC_PRIv, cases[i].here, JIC_ARGv(p.there));
	}
}

Test(difference, equal_preferences_do_not_differ)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_preference_difference p;
	cr_expect_not(jic_preference_difference(JIC_VIEW(""), JIC_VIEW(""), &arena, &p));
	cr_expect_not(jic_preference_difference(JIC_VIEW("{\"a\":1}"), JIC_VIEW("{\"a\":1}"), &arena, &p));
}

Test(difference, texts_that_are_not_canonical_differ_without_a_name)
{
	static const char *const texts[] = {
	    "x = 1", "{", "{\"a", "{\"a\"}", "{\"a\":", "{\"a\":\"b", "{\"a\":,}", "{\"a\":[1", "{\"a\\", "[1]"};
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_preference_difference p;
		struct jic_view good = JIC_VIEW("{\"a\":\"b\"}");
		cr_assert(jic_preference_difference(good, jic_view_of(texts[i]), &arena, &p));
		cr_expect_eq(p.path.len, 0, "%s: " JIC_PRIv, texts[i], JIC_ARGv(p.path));
		cr_assert(jic_preference_difference(jic_view_of(texts[i]), good, &arena, &p));
		cr_expect_eq(p.path.len, 0, "%s", texts[i]);
	}
}

/* ---- one package */

struct inputs_case {
	struct jic_node_inputs here, there;
	const char *here_version, *there_version;
	enum jic_difference_kind kind;
	const char *text, *remedy; /* the remedy contains that */
};

#define NODE(...)                                                                                                      \
	{                                                                                                              \
		.kind = JIC_NODE_PACKAGE, .name = {.ptr = "FreeType", .len = 8}, __VA_ARGS__                           \
	}
#define V(text)                                                                                                        \
	{                                                                                                              \
		.ptr = (text), .len = sizeof(text) - 1                                                                 \
	}

static const struct jic_view with_x[] = {V("78/MakieXExt")}, with_both[] = {V("78/MakieYExt"), V("78/MakieXExt")};

static const struct inputs_case inputs_cases[] = {
    {NODE(.source = V(TREE_A)), NODE(.source = V(TREE_A)), "1.0.0", "1.0.0", JIC_DIFFERENCE_NONE, NULL, NULL},
    {NODE(.source = V(TREE_A)), NODE(.source = V(TREE_B)), "4.1.2", "4.1.1", JIC_DIFFERENCE_SOURCE,
     "FreeType is 4.1.2 here, 4.1.1 there", "Pkg.add(name=\"FreeType\", version=\"4.1.1\")"},
    {NODE(.source = V(TREE_A)), NODE(.source = V(TREE_B)), "4.9.0", "4.10.0", JIC_DIFFERENCE_SOURCE,
     "FreeType is 4.9.0 here, 4.10.0 there", "Pkg.update(\"FreeType\")"},
    {NODE(.source = V(TREE_A)), NODE(.source = V(TREE_B)), "4.1.2", "", JIC_DIFFERENCE_SOURCE,
     "FreeType is tree aaaaaaaaaaaa… here, tree bbbbbbbbbbbb… there", "same manifest"},
    {NODE(.source = V(TREE_A)), NODE(.source = V("julia")), "1.0.0", "1.0.0", JIC_DIFFERENCE_SOURCE,
     "FreeType is tree aaaaaaaaaaaa… here, julia there", "jicache push"},
    {NODE(.source = V(CONTENT_A)), NODE(.source = V(CONTENT_B)), "1.0.0", "1.0.0", JIC_DIFFERENCE_SOURCE,
     "FreeType's source changed (developed package): content aaaaaaaaaaaa… here, content bbbbbbbbbbbb… there",
     "jicache push"},
    {NODE(.source = V(CONTENT_A)), NODE(.source = V(TREE_B)), "4.1.2", "4.1.1", JIC_DIFFERENCE_SOURCE,
     "FreeType is developed from a path here (4.1.2), an installed package there (4.1.1)", "Pkg.free(\"FreeType\")"},
    {NODE(.source = V(TREE_A)), NODE(.source = V(CONTENT_B)), "4.1.2", "4.1.1", JIC_DIFFERENCE_SOURCE,
     "FreeType is an installed package here (4.1.2), developed from a path there (4.1.1)", "jicache push"},
    {NODE(.source = V(TREE_A), .build = V(CONTENT_A)), NODE(.source = V(TREE_A), .build = V(CONTENT_B)), "1", "1",
     JIC_DIFFERENCE_BUILD, "the build output of FreeType differs (what deps/build.jl left in deps/)",
     "Pkg.build(\"FreeType\")"},
    {NODE(.source = V(TREE_A)), NODE(.source = V(TREE_A), .build = V(CONTENT_B)), "1", "1", JIC_DIFFERENCE_BUILD,
     "the build output of FreeType is not here, and was there (deps/build.jl)", "Pkg.build"},
    {NODE(.source = V(TREE_A), .preferences = V("{\"backend\":\"fast\"}")),
     NODE(.source = V(TREE_A), .preferences = V("{\"backend\":\"slow\"}")), "1", "1", JIC_DIFFERENCE_PREFERENCE,
     "preference `backend` of FreeType is \"fast\" here, \"slow\" there", "set it to \"slow\""},
    {NODE(.source = V(TREE_A), .preferences = V("{\"n\":{\"x\":1}}")), NODE(.source = V(TREE_A)), "1", "1",
     JIC_DIFFERENCE_PREFERENCE, "preference `n` of FreeType is {\"x\":1} here, not set there", "remove it"},
    {NODE(.source = V(TREE_A), .preferences = V("x")), NODE(.source = V(TREE_A)), "1", "1", JIC_DIFFERENCE_PREFERENCE,
     "the preferences of FreeType differ", "jicache push"},
    {NODE(.source = V(TREE_A), .extensions = with_x, .extensions_count = 1), NODE(.source = V(TREE_A)), "1", "1",
     JIC_DIFFERENCE_EXTENSIONS, "the extension set of FreeType differs: MakieXExt loads here, not there", "remove"},
    {NODE(.source = V(TREE_A), .extensions = with_x, .extensions_count = 1),
     NODE(.source = V(TREE_A), .extensions = with_both, .extensions_count = 2), "1", "1", JIC_DIFFERENCE_EXTENSIONS,
     "the extension set of FreeType differs: MakieYExt loads there, not here", "add"},
    /* the order of comparing */
    {NODE(.source = V(TREE_A), .preferences = V("{\"a\":1}"), .extensions = with_x, .extensions_count = 1),
     NODE(.source = V(TREE_B), .build = V(CONTENT_B)), "2.0.0", "1.0.0", JIC_DIFFERENCE_SOURCE,
     "FreeType is 2.0.0 here, 1.0.0 there", "jicache push"},
};

static void expect_words(const struct jic_difference *d, enum jic_difference_kind kind, const char *text,
                         const char *remedy, struct jic_arena *arena, size_t row)
{
	cr_assert_eq(d->kind, kind, "row %zu: %s", row, jic_difference_kind_name(d->kind));
	if (kind == JIC_DIFFERENCE_NONE)
		return;
	struct jic_view said = jic_difference_text(d, JIC_VIEW("FreeType"), arena);
	cr_expect(jic_view_is(said, text), "row %zu: " JIC_PRIv, row, JIC_ARGv(said));
	cr_expect(d->remedy.len && strstr(d->remedy.ptr, remedy), "row %zu: " JIC_PRIv, row, JIC_ARGv(d->remedy));
}

Test(difference, inputs_of_a_package_in_words)
{
	for (size_t i = 0; i < JIC_COUNT(inputs_cases); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct inputs_case *c = &inputs_cases[i];
		struct jic_difference d;
		const struct jic_made_of here = {&c->here, jic_view_of(c->here_version)};
		const struct jic_made_of there = {&c->there, jic_view_of(c->there_version)};
		jic_difference_of_inputs(&here, &there, &arena, &d);
		expect_words(&d, c->kind, c->text, c->remedy, &arena, i);
	}
}

/* ---- the address */

/* NULL: as here */
struct address_case {
	const char *version, *commit, *triplet, *flags, *cpu;
	bool other_bundled, other_sysimage;
	enum jic_difference_kind kind;
	const char *text, *remedy;
};

static const struct address_case address_cases[] = {
    {NULL, NULL, NULL, NULL, NULL, false, false, JIC_DIFFERENCE_NONE, NULL, NULL},
    {"1.11.1", NULL, NULL, NULL, NULL, true, true, JIC_DIFFERENCE_JULIA, "Julia is 1.11.2 here, 1.11.1 there",
     "run Julia 1.11.1"},
    {NULL, "fedcba9876543210", NULL, NULL, NULL, true, true, JIC_DIFFERENCE_JULIA,
     "Julia 1.11.2 is built from commit 0123456789ab here, fedcba987654 there", "same build"},
    {NULL, NULL, "x86_64-linux-musl", NULL, NULL, true, true, JIC_DIFFERENCE_PLATFORM,
     "the platform is x86_64-linux-gnu here, x86_64-linux-musl there", "platform"},
    {NULL, NULL, NULL, "pkgimages=1,debug=1,check_bounds=1,inline=1,opt=2", NULL, false, false, JIC_DIFFERENCE_FLAGS,
     "flags differ: Julia runs with `--check-bounds=auto` here, what is stored was compiled with `--check-bounds=yes`",
     "julia --check-bounds=yes"},
    {NULL, NULL, NULL, "pkgimages=1,debug=2,check_bounds=0,inline=0,opt=3", NULL, false, false, JIC_DIFFERENCE_FLAGS,
     "flags differ: Julia runs with `-O2 -g1 --inline=yes` here, what is stored was compiled with "
     "`-O3 -g2 --inline=no`",
     "-O3 -g2 --inline=no"},
    {NULL, NULL, NULL, "pkgimages=0", "", false, false, JIC_DIFFERENCE_FLAGS,
     "flags differ: Julia runs with `--pkgimages=yes` here, what is stored was compiled with `--pkgimages=no`",
     "--pkgimages=no"},
    {NULL, NULL, NULL, "later=1", NULL, false, false, JIC_DIFFERENCE_FLAGS,
     "flags differ: Julia runs with `pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2` here, what is stored was "
     "compiled with `later=1`",
     "later=1"},
    {NULL, NULL, NULL, NULL, "host:znver4;+avx,+avx2,+avx512f", false, false, JIC_DIFFERENCE_CPU,
     "what is stored was built for znver4, this host (haswell) lacks avx512f", "JULIA_CPU_TARGET"},
    {NULL, NULL, NULL, NULL, "host:znver4;+avx,+a,+b,+c,+d,+e", false, false, JIC_DIFFERENCE_CPU,
     "what is stored was built for znver4, this host (haswell) lacks a, b, c and 2 more", "JULIA_CPU_TARGET"},
    {NULL, NULL, NULL, NULL, "host:ivybridge;+avx", false, false, JIC_DIFFERENCE_CPU,
     "native code is for haswell here, ivybridge there", "JULIA_CPU_TARGET"},
    {NULL, NULL, NULL, NULL, "target:generic;znver4,clone_all", false, false, JIC_DIFFERENCE_CPU,
     "native code is for haswell here, JULIA_CPU_TARGET=generic;znver4,clone_all there", "JULIA_CPU_TARGET"},
    {NULL, NULL, NULL, NULL, NULL, true, true, JIC_DIFFERENCE_BUNDLED,
     "Julia 1.11.2 comes with other caches of its standard library here than there", "distribution"},
    {NULL, NULL, NULL, NULL, NULL, false, true, JIC_DIFFERENCE_SYSIMAGE,
     "sysimage differs: sha256 000000000000… here, 010000000000… there", "system image"},
};

static struct jic_view or_else(const char *text, const char *otherwise)
{
	return jic_view_of(text ? text : otherwise);
}

static struct jic_runtime runtime_of(const struct address_case *c)
{
	return (struct jic_runtime){
	    .version = or_else(c->version, "1.11.2"),
	    .commit = or_else(c->commit, "0123456789abcdef0123456789abcdef01234567"),
	    .uname = JIC_VIEW("Linux"),
	    .arch = JIC_VIEW("x86_64"),
	    .triplet = or_else(c->triplet, "x86_64-linux-gnu"),
	    .word_bits = 64,
	    .flags = or_else(c->flags, "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2"),
	    .cpu = or_else(c->cpu, "host:haswell;+avx,+avx2,-avx512f"),
	};
}

Test(difference, addresses_in_words)
{
	const struct jic_runtime mine = runtime_of(&address_cases[0]);
	const struct jic_made_for here = {.runtime = &mine};
	for (size_t i = 0; i < JIC_COUNT(address_cases); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct address_case *c = &address_cases[i];
		const struct jic_runtime theirs = runtime_of(c);
		struct jic_difference d;
		const struct jic_made_for there = {
		    .runtime = &theirs, .bundled.bytes = {c->other_bundled}, .sysimage.bytes = {c->other_sysimage}};
		jic_difference_of_address(&here, &there, &arena, &d);
		expect_words(&d, c->kind, c->text, c->remedy, &arena, i);
	}
}

/* ---- foreign texts */

Test(difference, foreign_texts_are_cut_between_characters_and_have_no_controls)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	cr_expect(jic_view_is(jic_shortened(JIC_VIEW("short"), 5, &arena), "short"));
	cr_expect(jic_view_is(jic_shortened(JIC_VIEW("longer"), 4, &arena), "long…"));
	cr_expect(jic_view_is(jic_shortened(JIC_VIEW("aüü"), 4, &arena), "aü…"));
	cr_expect(jic_view_is(jic_shortened(JIC_VIEW("a\x1b[31m\n\x7f"), 20, &arena), "a?[31m??"));
	cr_expect_eq(jic_shortened(JIC_VIEW(""), 5, &arena).len, 0);
}
