/* explain and explained: what is written is read back the same, and positions can't point outside of their lists. */
#include "common/message.h"

#include <criterion/criterion.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUNTIME "julia-1.11.1-x86_64-linux-gnu-" HEX_A
#define UUID "7876af07-990d-54b4-ab0e-23690620f79a"

static struct jic_digest digest_of(const char *text)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_of(text), &d);
	return d;
}

static const struct jic_bundled bundled[] = {
    {.name = {.ptr = "Test", .len = 4}, .uuid = {.hi = 1, .lo = 2}, .build_id = {.hi = 3, .lo = 4}}};

static struct jic_runtime sample_runtime(void)
{
	return (struct jic_runtime){.version = JIC_VIEW("1.11.1"),
	                            .branch = JIC_VIEW("release-1.11"),
	                            .commit = JIC_VIEW("8f5b7ca12ad48c6d740e058312fc8cf2bbe67848"),
	                            .uname = JIC_VIEW("Linux"),
	                            .arch = JIC_VIEW("x86_64"),
	                            .triplet = JIC_VIEW("x86_64-linux-gnu"),
	                            .word_bits = 64,
	                            .flags = JIC_VIEW("pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2"),
	                            .cpu = JIC_VIEW("host:znver4;+avx2,+avx512f")};
}

static struct jic_node_inputs sample_inputs(const struct jic_digest *deps, const struct jic_view *extensions)
{
	return (struct jic_node_inputs){.kind = JIC_NODE_PACKAGE,
	                                .name = JIC_VIEW("FreeType"),
	                                .uuid = {.hi = 8, .lo = 9},
	                                .source = JIC_VIEW("git-tree-sha1:0123456789012345678901234567890123456789"),
	                                .build = JIC_VIEW("content:" HEX_A),
	                                .preferences = JIC_VIEW("{\"backend\":\"fast\"}"),
	                                .deps = deps,
	                                .deps_count = 2,
	                                .extensions = extensions,
	                                .extensions_count = 1};
}

static void assert_same_inputs(const struct jic_node_inputs *a, const struct jic_node_inputs *b)
{
	struct jic_digest ka, kb;
	cr_assert(jic_node_key(a, &ka, NULL) && jic_node_key(b, &kb, NULL));
	cr_expect(jic_digest_eq(&ka, &kb), "another key is another input");
}

static void assert_same_parts(const struct jic_runtime *a, const struct jic_runtime *b)
{
	char ia[JIC_RUNTIME_ID_BYTES_MAX], ib[JIC_RUNTIME_ID_BYTES_MAX];
	cr_assert(jic_runtime_id(a, ia, NULL) && jic_runtime_id(b, ib, NULL));
	cr_expect_str_eq(ia, ib);
}

Test(message_explain, explain_reads_back_what_was_written)
{
	const struct jic_digest deps[] = {digest_of("d1"), digest_of("d2")};
	const struct jic_view extensions[] = {JIC_VIEW(UUID "/AExt")}, runtimes[] = {JIC_VIEW(RUNTIME)};
	const struct jic_msg_explain_node node = {.key = digest_of("k"), .inputs = sample_inputs(deps, extensions)};
	struct jic_msg_explain in = {.lane = JIC_VIEW("pr/1"),
	                             .sysimage = digest_of("sysimage"),
	                             .runtime = sample_runtime(),
	                             .runtimes = runtimes,
	                             .runtimes_count = 1,
	                             .nodes = &node,
	                             .nodes_count = 1,
	                             .known = deps,
	                             .known_count = 2};
	in.runtime.bundled = bundled;
	in.runtime.bundled_count = 1;
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_explain out;
	cr_assert(jic_msg_explain_write(&in, &json, &err), "%s", err.text);
	cr_assert(jic_msg_explain_read(jic_buf_view(&json), &arena, &out, &err), "%s", err.text);
	cr_expect(jic_view_is(out.lane, "pr/1"));
	cr_expect(jic_digest_eq(&out.sysimage, &in.sysimage));
	assert_same_parts(&out.runtime, &in.runtime);
	cr_assert_eq(out.runtimes_count, 1);
	cr_expect(jic_view_is(out.runtimes[0], RUNTIME));
	cr_assert_eq(out.nodes_count, 1);
	cr_expect(jic_digest_eq(&out.nodes[0].key, &node.key));
	assert_same_inputs(&out.nodes[0].inputs, &node.inputs);
	cr_assert_eq(out.known_count, 2);
	cr_expect(jic_digest_eq(&out.known[1], &deps[1]));
}

struct answer {
	struct jic_digest deps[2];
	struct jic_view extensions[1];
	struct jic_msg_runtime runtime;
	struct jic_msg_stored stored;
	struct jic_msg_nearest nearest;
	struct jic_msg_explained message;
};

static void sample_answer(struct answer *a)
{
	*a = (struct answer){.deps = {digest_of("d1"), digest_of("d2")}, .extensions = {JIC_VIEW(UUID "/AExt")}};
	a->runtime = (struct jic_msg_runtime){
	    .id = JIC_VIEW(RUNTIME), .parts = sample_runtime(), .bundled = digest_of("bundled")};
	a->stored =
	    (struct jic_msg_stored){.key = digest_of("k"),
	                            .inputs = sample_inputs(a->deps, a->extensions),
	                            .version = JIC_VIEW("4.1.1"),
	                            .sysimage = digest_of("sysimage"),
	                            .lane = JIC_VIEW("main"),
	                            .published_s = 1700000001,
	                            .provenance = {.host = JIC_VIEW("h"), .run = JIC_VIEW("r"), .created_s = 7}};
	a->nearest = (struct jic_msg_nearest){.key = digest_of("mine")};
	a->message = (struct jic_msg_explained){.runtimes = &a->runtime,
	                                        .runtimes_count = 1,
	                                        .artefacts = &a->stored,
	                                        .artefacts_count = 1,
	                                        .nearest = &a->nearest,
	                                        .nearest_count = 1,
	                                        .truncated = true};
}

static bool copy(const struct answer *a, struct jic_arena *arena, struct jic_msg_explained *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	cr_assert(jic_msg_explained_write(&a->message, &json, err), "%s", err->text);
	return jic_msg_explained_read(jic_buf_view(&json), arena, out, err);
}

Test(message_explain, explained_reads_back_what_was_written)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct answer a;
	struct jic_msg_explained out;
	sample_answer(&a);
	cr_assert(copy(&a, &arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.runtimes_count, 1);
	cr_expect(jic_view_is(out.runtimes[0].id, RUNTIME));
	assert_same_parts(&out.runtimes[0].parts, &a.runtime.parts);
	cr_expect(jic_digest_eq(&out.runtimes[0].bundled, &a.runtime.bundled));
	cr_assert_eq(out.artefacts_count, 1);
	const struct jic_msg_stored *s = &out.artefacts[0];
	cr_expect(jic_digest_eq(&s->key, &a.stored.key));
	assert_same_inputs(&s->inputs, &a.stored.inputs);
	cr_expect(jic_view_is(s->version, "4.1.1"));
	cr_expect_eq(s->runtime, 0);
	cr_expect(jic_digest_eq(&s->sysimage, &a.stored.sysimage));
	cr_expect(jic_view_is(s->lane, "main"));
	cr_expect_eq(s->published_s, 1700000001);
	cr_expect(jic_view_is(s->provenance.run, "r"));
	cr_expect_eq(s->provenance.created_s, 7);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect(jic_digest_eq(&out.nearest[0].key, &a.nearest.key));
	cr_expect_eq(out.nearest[0].artefact, 0);
	cr_expect(out.truncated);
}

Test(message_explain, positions_outside_of_their_lists_are_refused)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct answer a;
	struct jic_msg_explained out;
	sample_answer(&a);
	a.stored.runtime = 1;
	cr_assert_not(copy(&a, &arena, &out, &err));
	cr_expect_str_eq(err.text, "artefacts[0].runtime: is no position in the list");
	a.stored.runtime = 0;
	a.nearest.artefact = UINT32_MAX;
	cr_assert_not(copy(&a, &arena, &out, &err));
	cr_expect_str_eq(err.text, "nearest[0].artefact: is no position in the list");
	a.nearest.artefact = 0;
	a.runtime.id = JIC_VIEW("../../etc");
	cr_assert_not(copy(&a, &arena, &out, &err));
	cr_expect_str_eq(err.text, "runtimes[0].id: is not a runtime id");
}

Test(message_explain, missing_fields_are_named)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
	    {"{\"sysimage\":\"" HEX_A "\"}", "runtime: is missing"},
	    {"{\"sysimage\":\"" HEX_A
	     "\",\"runtime\":{\"version\":\"1\",\"uname\":\"L\",\"arch\":\"x\",\"triplet\":\"x\","
	     "\"word_bits\":64,\"bundled\":[]},\"runtimes\":[],\"known\":[],\"nodes\":[{\"key\":\"" HEX_A "\"}]}",
	     "nodes[0].node: is missing"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_error err = {0};
		struct jic_msg_explain out;
		cr_assert_not(jic_msg_explain_read(jic_view_of(cases[i].json), &arena, &out, &err));
		cr_expect_eq(err.code, JIC_EFORMAT);
		cr_expect_str_eq(err.text, cases[i].text);
	}
}

Test(message_explain, the_bundled_caches_have_a_digest_whatever_their_order)
{
	const struct jic_bundled both[] = {bundled[0], {.name = JIC_VIEW("Dates"), .uuid = {.lo = 5}}};
	const struct jic_bundled turned[] = {both[1], both[0]};
	struct jic_digest a, b, one, none;
	struct jic_runtime r = {.bundled = both, .bundled_count = 2};
	cr_assert(jic_runtime_bundled_digest(&r, &a, NULL));
	r.bundled = turned;
	cr_assert(jic_runtime_bundled_digest(&r, &b, NULL));
	r.bundled_count = 1;
	cr_assert(jic_runtime_bundled_digest(&r, &one, NULL));
	r.bundled_count = 0;
	cr_assert(jic_runtime_bundled_digest(&r, &none, NULL));
	cr_expect(jic_digest_eq(&a, &b));
	cr_expect_not(jic_digest_eq(&a, &one));
	cr_expect_not(jic_digest_eq(&one, &none));
}
