/* The nearest that is stored: which one, what comes with it, and where it ends. */
#include "server/store/pack.h"
#include "tests/support/forge.h"

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged other_julia = {.name = "Alpha", .id = 1, .build = 15, .version = "1.9.4"};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};

static void publish(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, lane, set, count, &arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

/* Publish `f` as if its inputs had been changed by `edit`, which may be anything but its name and UUID. */
typedef void edit_fn(struct jic_msg_publish *m, struct jic_msg_artefact *a);

static struct jic_digest publish_edited(struct jic_store *s, const struct forged *f, edit_fn *edit)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_publish_result result;
	jic_autofree struct forged_request *r = forge_request("main", &f, 1);
	forge_upload_all(s, &f, 1);
	edit(&r->message, &r->artefacts[0]);
	cr_assert(jic_node_key(&r->artefacts[0].node, &r->artefacts[0].key, &err), "%s", err.text);
	forge_submit(s, &r->message, &arena, &result);
	cr_assert_eq(result.outcome, JIC_PUBLISH_DONE, JIC_PRIv, JIC_ARGv(result.detail));
	return r->artefacts[0].key;
}

static void other_source(struct jic_msg_publish *m, struct jic_msg_artefact *a)
{
	(void)m;
	a->version = JIC_VIEW("4.1.1");
	a->node.source = JIC_VIEW("git-tree-sha1:ffffffffffffffffffffffffffffffffffffffff");
}

static void other_preferences(struct jic_msg_publish *m, struct jic_msg_artefact *a)
{
	static const struct jic_view extensions[] = {{.ptr = "12340000-0000-4000-8000-000000000001/X", .len = 38}};
	(void)m;
	a->node.preferences = JIC_VIEW("{\"backend\":\"fast\"}");
	a->node.extensions = extensions;
	a->node.extensions_count = 1;
}

static void other_sysimage(struct jic_msg_publish *m, struct jic_msg_artefact *a)
{
	(void)a;
	m->sysimage.bytes[0] ^= 1;
}

/* ---- asking */

struct asked {
	struct jic_msg_explain message;
	struct jic_msg_explain_node nodes[4];
	struct jic_digest deps[4][FORGED_DEPS_MAX];
	char sources[4][64];
	char runtime_id[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_view runtimes[1];
};

static void ask_of(struct asked *q, const char *lane, const struct forged *const *set, size_t count)
{
	struct jic_error err = {0};
	cr_assert_leq(count, (size_t)4);
	*q = (struct asked){.message = {.lane = jic_view_of(lane),
	                                .sysimage = forged_sysimage(),
	                                .runtime = forged_runtime("1.10.5"),
	                                .runtimes = q->runtimes,
	                                .runtimes_count = 1,
	                                .nodes = q->nodes,
	                                .nodes_count = count}};
	cr_assert(jic_runtime_id(&q->message.runtime, q->runtime_id, &err), "%s", err.text);
	q->runtimes[0] = jic_view_of(q->runtime_id);
	for (size_t i = 0; i < count; i++) {
		forged_inputs(set[i], q->deps[i], q->sources[i], &q->nodes[i].inputs);
		forged_key(set[i], &q->nodes[i].key);
	}
}

static struct jic_msg_explained explain(struct jic_store *s, const struct asked *q, struct jic_arena *arena)
{
	struct jic_error err = {0};
	struct jic_msg_explained out;
	cr_assert(jic_store_explain(s, &q->message, arena, &out, &err), "%s", err.text);
	for (size_t i = 0; i < out.nearest_count; i++)
		cr_assert_lt(out.nearest[i].artefact, out.artefacts_count);
	for (size_t i = 0; i < out.artefacts_count; i++)
		cr_assert_lt(out.artefacts[i].runtime, out.runtimes_count);
	return out;
}

#define OPENED(s, arena)                                                                                               \
	CLEARED(temp) dir = temp_make();                                                                               \
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);                                                   \
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0}

Test(explain, nothing_is_nearest_where_nothing_was_published)
{
	OPENED(s, arena);
	struct asked q;
	publish(s, "main", FORGED_SET(&beta, &alpha));
	const struct forged stranger = {.name = "Stranger", .id = 9}, namesake = {.name = "Alpha", .id = 8};
	ask_of(&q, "", FORGED_SET(&stranger, &namesake));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_expect_eq(out.nearest_count, 0);
	cr_expect_eq(out.artefacts_count, 0);
	cr_expect_not(out.truncated);
}

Test(explain, tells_what_the_nearest_was_made_of)
{
	OPENED(s, arena);
	struct asked q;
	struct jic_digest key = publish_edited(s, &alpha, other_source);
	ask_of(&q, "main", FORGED_SET(&alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect(jic_digest_eq(&out.nearest[0].key, &q.nodes[0].key));
	const struct jic_msg_stored *a = &out.artefacts[out.nearest[0].artefact];
	cr_expect(jic_digest_eq(&a->key, &key));
	cr_expect_eq(a->inputs.kind, JIC_NODE_PACKAGE);
	cr_expect(jic_view_is(a->inputs.name, "Alpha"));
	cr_expect(jic_uuid_eq(a->inputs.uuid, forged_uuid(&alpha)));
	cr_expect(jic_view_is(a->version, "4.1.1"));
	cr_expect(jic_view_is(a->inputs.source, "git-tree-sha1:ffffffffffffffffffffffffffffffffffffffff"));
	cr_expect(jic_view_is(a->lane, "main"));
	cr_expect(jic_digest_eq(&a->sysimage, &q.message.sysimage));
	cr_expect(jic_view_is(a->provenance.host, "builder"));
	cr_expect_eq(a->provenance.created_s, 1700000000);
	cr_expect_gt(a->published_s, 1700000000);
	const struct jic_msg_runtime *r = &out.runtimes[a->runtime];
	cr_expect(jic_view_is(r->id, q.runtime_id));
	cr_expect(jic_view_is(r->parts.version, "1.10.5"));
	cr_expect(jic_view_is(r->parts.branch, "release"));
	cr_expect(jic_view_eq(r->parts.commit, q.message.runtime.commit));
	cr_expect(jic_view_is(r->parts.triplet, "x86_64-linux-gnu"));
	cr_expect(jic_view_eq(r->parts.flags, q.message.runtime.flags));
	cr_expect_eq(r->parts.word_bits, 64);
	struct jic_digest bundled;
	cr_assert(jic_runtime_bundled_digest(&q.message.runtime, &bundled, NULL));
	cr_expect(jic_digest_eq(&r->bundled, &bundled));
}

Test(explain, preferences_and_extensions_come_back)
{
	OPENED(s, arena);
	struct asked q;
	publish_edited(s, &alpha, other_preferences);
	ask_of(&q, "main", FORGED_SET(&alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	const struct jic_node_inputs *n = &out.artefacts[out.nearest[0].artefact].inputs;
	cr_expect(jic_view_is(n->preferences, "{\"backend\":\"fast\"}"));
	cr_assert_eq(n->extensions_count, 1);
	cr_expect(jic_view_is(n->extensions[0], "12340000-0000-4000-8000-000000000001/X"));
}

Test(explain, of_several_the_one_with_the_same_source_is_the_nearest)
{
	OPENED(s, arena);
	struct asked q;
	struct jic_digest same_source = publish_edited(s, &alpha, other_preferences);
	publish_edited(s, &alpha, other_source);
	ask_of(&q, "main", FORGED_SET(&alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect(jic_digest_eq(&out.artefacts[out.nearest[0].artefact].key, &same_source));
}

Test(explain, the_same_runtime_and_system_image_come_before_the_same_inputs)
{
	OPENED(s, arena);
	struct asked q;
	publish_edited(s, &alpha, other_sysimage);
	struct jic_digest here = publish_edited(s, &alpha, other_source);
	publish(s, "main", FORGED_SET(&other_julia));
	ask_of(&q, "main", FORGED_SET(&alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect(jic_digest_eq(&out.artefacts[out.nearest[0].artefact].key, &here));
}

Test(explain, elsewhere_the_runtime_that_is_most_alike_is_the_nearest)
{
	OPENED(s, arena);
	struct asked q;
	publish_edited(s, &alpha, other_sysimage);
	publish(s, "main", FORGED_SET(&other_julia));
	ask_of(&q, "main", FORGED_SET(&alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	const struct jic_msg_stored *a = &out.artefacts[out.nearest[0].artefact];
	cr_expect(jic_digest_eq(&a->key, &q.nodes[0].key));
	cr_expect_not(jic_digest_eq(&a->sysimage, &q.message.sysimage));
	cr_expect(jic_view_is(out.runtimes[a->runtime].parts.version, "1.10.5"));
}

/* Gamma needs Beta needs Alpha; the asker has another Alpha, so all three have other keys. */
Test(explain, dependencies_that_the_asker_does_not_have_come_along)
{
	OPENED(s, arena);
	struct asked q;
	const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};
	const struct forged newer = {.name = "Alpha", .id = 7, .build = 17};
	const struct forged on_newer = {.name = "Beta", .id = 2, .build = 22, .deps = {&newer}};
	const struct forged top = {.name = "Gamma", .id = 3, .build = 23, .deps = {&on_newer}};
	publish(s, "main", FORGED_SET(&alpha, &beta, &gamma_));
	ask_of(&q, "main", FORGED_SET(&top));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect_eq(out.artefacts_count, 3);
	q.message.known = &out.artefacts[1].key; /* Beta, say, is equal */
	q.message.known_count = 1;
	JIC_CLEAR(jic_arena) struct jic_arena again = {0};
	struct jic_msg_explained less = explain(s, &q, &again);
	cr_expect_eq(less.artefacts_count, 1);
}

Test(explain, a_lane_shows_itself_and_its_parents_and_no_other)
{
	OPENED(s, arena);
	struct asked q;
	struct jic_error err = {0};
	struct jic_index *ix = jic_store_index(s);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/1"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr/2"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	publish(s, "pr/1", FORGED_SET(&other_julia));
	static const struct {
		const char *lane;
		size_t nearest;
	} cases[] = {{"main", 0}, {"pr/2", 0}, {"pr/1", 1}};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		ask_of(&q, cases[i].lane, FORGED_SET(&alpha));
		cr_expect_eq(explain(s, &q, &arena).nearest_count, cases[i].nearest, "%s", cases[i].lane);
	}
	publish(s, "main", FORGED_SET(&alpha));
	ask_of(&q, "pr/2", FORGED_SET(&beta, &alpha));
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_assert_eq(out.nearest_count, 1);
	cr_expect(jic_view_is(out.artefacts[out.nearest[0].artefact].lane, "main"));
}

Test(explain, an_unknown_lane_is_not_found)
{
	OPENED(s, arena);
	struct asked q;
	struct jic_error err = {0};
	struct jic_msg_explained out;
	ask_of(&q, "nobody", FORGED_SET(&alpha));
	cr_assert_not(jic_store_explain(s, &q.message, &arena, &out, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
}

static void large_preferences(struct jic_msg_publish *m, struct jic_msg_artefact *a)
{
	static char text[512 * 1024];
	(void)m;
	memset(text, '1', sizeof text);
	a->node.preferences = jic_view_bytes(text, sizeof text);
}

Test(explain, an_answer_has_a_size_limit_and_says_when_it_is_reached)
{
	OPENED(s, arena);
	struct asked q;
	struct jic_msg_explain_node many[40];
	publish_edited(s, &alpha, large_preferences);
	ask_of(&q, "main", FORGED_SET(&alpha));
	for (size_t i = 0; i < JIC_COUNT(many); i++)
		many[i] = q.nodes[0];
	q.message.nodes = many;
	q.message.nodes_count = JIC_COUNT(many);
	struct jic_msg_explained out = explain(s, &q, &arena);
	cr_expect(out.truncated);
	cr_expect(out.nearest_count > 4 && out.nearest_count < JIC_COUNT(many), "%zu", out.nearest_count);
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	cr_assert(jic_msg_explained_write(&out, &json, NULL));
	cr_expect_lt(json.len, (size_t)JIC_MESSAGE_BYTES_MAX);
}

/* ---- lists of texts in one column */

Test(explain, packed_texts_come_back)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_view texts[] = {JIC_VIEW("one"), JIC_VIEW(""), JIC_VIEW("th\nree")};
	const struct jic_view *out;
	size_t count;
	jic_pack_texts(texts, 3, &packed);
	cr_assert(jic_unpack_texts(jic_buf_view(&packed), &arena, &out, &count, NULL));
	cr_assert_eq(count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(jic_view_eq(texts[i], out[i]));
	for (size_t cut = 0; cut < packed.len; cut++) {
		struct jic_error err = {0};
		cr_expect_not(jic_unpack_texts(jic_view_head(jic_buf_view(&packed), cut), &arena, &out, &count, &err));
		cr_expect_eq(err.code, JIC_ECORRUPT);
	}
	jic_buf_putc(&packed, 'x');
	cr_expect_not(jic_unpack_texts(jic_buf_view(&packed), &arena, &out, &count, NULL));
}
