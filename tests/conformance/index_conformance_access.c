/* Cases over the interface alone: lanes, tokens, what lanes say, who sent what. */
#include "tests/conformance/index_conformance.h"
#include "tests/conformance/index_conformance_support.h"

void index_conformance_a_fresh_index_is_ready_and_has_the_main_lane_alone(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane *lanes;
	size_t count;
	uint32_t version = 0;
	OK(ix->ops->ready(ix, &err));
	OK(ix->ops->schema_version(ix, &version, &err));
	cr_expect_geq(version, 1);
	OK(ix->ops->lane_list(ix, &arena, &lanes, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect(jic_view_is(lanes[0].name, "main"));
	cr_expect_eq(lanes[0].parent.len, 0);
	cr_expect_gt(lanes[0].created_s, 1500000000);
}

void index_conformance_lanes_are_found_listed_by_name_and_chained_from_the_root(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane *lanes;
	size_t count;
	put_lane(ix, "team/a", "main");
	put_lane(ix, "ann", "team/a");
	put_lane(ix, "alone", "");
	struct jic_lane ann = get_lane(ix, "ann", &arena);
	cr_expect(jic_view_is(ann.parent, "team/a"));
	cr_expect_eq(ann.created_s, 1000);
	OK(ix->ops->lane_list(ix, &arena, &lanes, &count, &err));
	cr_assert_eq(count, 4);
	static const char *const sorted[] = {"alone", "ann", "main", "team/a"};
	for (size_t i = 0; i < 4; i++)
		cr_expect(jic_view_is(lanes[i].name, sorted[i]), "%zu: " JIC_PRIv, i, JIC_ARGv(lanes[i].name));
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_READ);
	OK(ix->ops->lane_chain(t, JIC_VIEW("ann"), &arena, &lanes, &count, &err));
	cr_assert_eq(count, 3);
	cr_expect(jic_view_is(lanes[0].name, "main"));
	cr_expect(jic_view_is(lanes[1].name, "team/a"));
	cr_expect_eq(lanes[2].id, ann.id);
	OK(ix->ops->lane_chain(t, JIC_VIEW("alone"), &arena, &lanes, &count, &err));
	cr_expect_eq(count, 1);
	FAILS(JIC_ENOTFOUND, ix->ops->lane_chain(t, JIC_VIEW("nobody"), &arena, &lanes, &count, &err));
}

void index_conformance_bad_lanes_are_refused(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_lane lane;
	FAILS(JIC_EUSAGE, ix->ops->lane_put(ix, JIC_VIEW("../up"), JIC_VIEW(""), 0, &err));
	FAILS(JIC_EUSAGE, ix->ops->lane_put(ix, JIC_VIEW(""), JIC_VIEW(""), 0, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->lane_put(ix, JIC_VIEW("child"), JIC_VIEW("nobody"), 0, &err));
	FAILS(JIC_ECONFLICT, ix->ops->lane_put(ix, JIC_VIEW("main"), JIC_VIEW(""), 0, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->lane_find(ix, JIC_VIEW("child"), &arena, &lane, &err));
	char parent[16] = "main", name[16];
	for (int depth = 2; depth <= JIC_LANE_DEPTH_MAX; depth++) {
		snprintf(name, sizeof name, "d%d", depth);
		put_lane(ix, name, parent);
		snprintf(parent, sizeof parent, "%s", name);
	}
	FAILS(JIC_ELIMIT, ix->ops->lane_put(ix, JIC_VIEW("deeper"), jic_view_of(parent), 0, &err));
}

void index_conformance_tokens_are_found_by_hash_and_keep_every_field(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_token b = make_token("b", "secret b"), a = make_token("a", "secret a"), got;
	const struct jic_token *list;
	size_t count;
	struct jic_digest other = digest_of("guess");
	OK(ix->ops->token_put(ix, &b, &err));
	OK(ix->ops->token_put(ix, &a, &err));
	OK(ix->ops->token_find_by_hash(ix, &b.hash, &arena, &got, &err));
	cr_expect(jic_view_is(got.name, "b"));
	cr_expect(jic_digest_eq(&got.hash, &b.hash));
	cr_expect_eq(got.scopes, b.scopes);
	cr_expect(jic_view_is(got.lanes, "main team/*"));
	cr_expect_eq(got.created_s, 11);
	cr_expect_eq(got.expires_s, 12);
	cr_expect_eq(got.last_used_s, 13);
	FAILS(JIC_ENOTFOUND, ix->ops->token_find_by_hash(ix, &other, &arena, &got, &err));
	OK(ix->ops->token_list(ix, &arena, &list, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect(jic_view_is(list[0].name, "a"));
	cr_expect(jic_view_is(list[1].name, "b"));
}

void index_conformance_a_token_name_or_secret_is_there_once(struct jic_index *ix)
{
	struct jic_token a = make_token("a", "secret"), same_name = make_token("a", "another"),
			 same_secret = make_token("b", "secret"), nameless = make_token("", "third");
	OK(ix->ops->token_put(ix, &a, &err));
	FAILS(JIC_ECONFLICT, ix->ops->token_put(ix, &same_name, &err));
	FAILS(JIC_ECONFLICT, ix->ops->token_put(ix, &same_secret, &err));
	FAILS(JIC_EUSAGE, ix->ops->token_put(ix, &nameless, &err));
}

void index_conformance_a_rotated_token_is_found_by_both_secrets(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_token a = make_token("a", "first"), got;
	const struct jic_digest second = digest_of("second"), third = digest_of("third");
	a.lane_parent = JIC_VIEW("main");
	OK(ix->ops->token_put(ix, &a, &err));
	OK(ix->ops->token_find_by_hash(ix, &a.hash, &arena, &got, &err));
	cr_expect(!got.has_old && jic_view_is(got.lane_parent, "main"));
	OK(ix->ops->token_rotate(ix, a.name, &second, 700, &err));
	OK(ix->ops->token_find_by_hash(ix, &a.hash, &arena, &got, &err));
	cr_expect(got.has_old && jic_digest_eq(&got.old_hash, &a.hash) && jic_digest_eq(&got.hash, &second));
	cr_expect_eq(got.old_until_s, 700);
	cr_expect_eq(got.expires_s, a.expires_s);
	OK(ix->ops->token_touch(ix, &a.hash, 9000, &err));
	OK(ix->ops->token_find_by_hash(ix, &second, &arena, &got, &err));
	cr_expect_eq(got.last_used_s, 9000);
	OK(ix->ops->token_rotate(ix, a.name, &third, 800, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->token_find_by_hash(ix, &a.hash, &arena, &got, &err));
	OK(ix->ops->token_find_by_hash(ix, &second, &arena, &got, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->token_rotate(ix, JIC_VIEW("b"), &a.hash, 0, &err));
}

void index_conformance_deleted_tokens_are_gone_and_touched_ones_remember_when(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_token a = make_token("a", "secret"), got;
	OK(ix->ops->token_put(ix, &a, &err));
	OK(ix->ops->token_touch(ix, &a.hash, 5000, &err));
	OK(ix->ops->token_touch(ix, &a.hash, 4000, &err)); /* a clock that went back */
	OK(ix->ops->token_find_by_hash(ix, &a.hash, &arena, &got, &err));
	cr_expect_eq(got.last_used_s, 5000);
	OK(ix->ops->token_delete(ix, a.name, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->token_find_by_hash(ix, &a.hash, &arena, &got, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->token_delete(ix, a.name, &err));
	OK(ix->ops->token_touch(ix, &a.hash, 6000, &err));
}

void index_conformance_a_lane_declares_a_system_image_once(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest image = digest_of("image");
	struct jic_view modules;
	uint64_t space;
	put_lane(ix, "team", "main");
	const uint64_t main_lane = get_lane(ix, "main", &arena).id, team = get_lane(ix, "team", &arena).id;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->space_put(t, JIC_VIEW("julia-1"), &image, &space, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->declaration_find(t, main_lane, space, &arena, &modules, &err));
	OK(ix->ops->declaration_put(t, team, space, JIC_VIEW("mod\0ules"), &err));
	FAILS(JIC_ENOTFOUND, ix->ops->declaration_find(t, main_lane, space, &arena, &modules, &err));
	OK(ix->ops->declaration_find(t, team, space, &arena, &modules, &err));
	cr_expect(jic_view_eq(modules, JIC_VIEW("mod\0ules")));
	FAILS(JIC_ECONFLICT, ix->ops->declaration_put(t, team, space, JIC_VIEW("other"), &err));
	OK(ix->ops->declaration_put(t, main_lane, space, JIC_VIEW(""), &err));
}

static bool has_sent(struct jic_index_txn *t, const char *content, const char *holder)
{
	const struct jic_digest digest = digest_of(content);
	bool found = false;
	OK(t->ops->upload_find(t, &digest, jic_view_of(holder), &found, &err));
	return found;
}

static void put_plain_blob(struct jic_index_txn *t, const struct jic_digest *digest)
{
	const struct jic_index_blob blob = {.digest = *digest, .size = 1, .stored_size = 1, .created_s = 10};
	bool created;
	OK(t->ops->blob_put(t, &blob, &created, &err));
}

void index_conformance_who_sent_a_blob_is_known_until_it_goes(struct jic_index *ix)
{
	const struct jic_digest old = digest_of("old"), new = digest_of("new");
	size_t count = 9;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_plain_blob(t, &old);
	put_plain_blob(t, &new);
	OK(t->ops->upload_put(t, &old, JIC_VIEW("ann"), 10, &err));
	OK(t->ops->upload_put(t, &new, JIC_VIEW("ann"), 10, &err));
	OK(t->ops->upload_put(t, &new, JIC_VIEW("ann"), 20, &err)); /* once more */
	OK(t->ops->upload_put(t, &new, JIC_VIEW("bob"), 10, &err));
	cr_expect(has_sent(t, "old", "ann") && has_sent(t, "new", "ann") && has_sent(t, "new", "bob"));
	cr_expect_not(has_sent(t, "old", "bob"));
	OK(t->ops->blob_delete(t, &old, &err));
	cr_expect_not(has_sent(t, "old", "ann"));
	OK(t->ops->uploads_delete(t, 15, 5, &count, &err));
	cr_expect_eq(count, 1);
	cr_expect(has_sent(t, "new", "ann") && !has_sent(t, "new", "bob"));
}

void index_conformance_a_runtime_keeps_what_is_bundled_with_it(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_bundled list[] = {
	    {.name = JIC_VIEW("Zlib_jll"), .uuid = {.hi = 7, .lo = 8}, .build_id = {.hi = 9, .lo = 10}},
	    {.name = JIC_VIEW("Dates"), .uuid = {.hi = 1, .lo = 2}, .build_id = {.hi = 3, .lo = 4}},
	};
	const struct jic_msg_runtime runtime = {
	    .id = JIC_VIEW("julia-x"), .parts = {.version = JIC_VIEW("1.10.5"), .bundled = list, .bundled_count = 2}};
	const struct jic_msg_runtime bare = {.id = JIC_VIEW("julia-y"), .parts.version = JIC_VIEW("1.10.5")};
	struct jic_msg_runtime found;
	const struct jic_bundled *got;
	size_t count;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	FAILS(JIC_ENOTFOUND, t->ops->runtime_bundled(t, runtime.id, &arena, &got, &count, &err));
	OK(t->ops->runtime_put(t, &runtime, &err));
	OK(t->ops->runtime_put(t, &runtime, &err));
	OK(t->ops->runtime_put(t, &bare, &err));
	OK(t->ops->runtime_bundled(t, runtime.id, &arena, &got, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect(jic_view_is(got[0].name, "Dates") && got[0].uuid.lo == 2 && got[0].build_id.hi == 3);
	cr_expect(jic_view_is(got[1].name, "Zlib_jll") && got[1].uuid.hi == 7 && got[1].build_id.lo == 10);
	OK(t->ops->runtime_bundled(t, bare.id, &arena, &got, &count, &err));
	cr_expect_eq(count, 0);
	OK(t->ops->runtime_find(t, runtime.id, &arena, &found, &err));
	cr_expect_eq(found.parts.bundled_count, 0, "what explain tells has no list");
}
