/* Cases over the interface alone, no SQL, no paths: spaces, modules, blobs, artefacts, transactions. */
#include "tests/conformance/index_conformance.h"
#include "tests/conformance/index_conformance_support.h"

#include <pthread.h>

void index_conformance_spaces_are_found_by_runtime_and_sysimage(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest image = digest_of("image"), other = digest_of("other");
	uint64_t id, id2, found;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->space_put(t, JIC_VIEW("julia-1"), &image, &id, &err));
	OK(ix->ops->space_put(t, JIC_VIEW("julia-1"), &other, &id2, &err));
	cr_expect_neq(id, 0);
	cr_expect_neq(id, id2);
	OK(ix->ops->space_find(t, JIC_VIEW("julia-1"), &image, &found, &err));
	cr_expect_eq(found, id);
	FAILS(JIC_ENOTFOUND, ix->ops->space_find(t, JIC_VIEW("julia-2"), &image, &found, &err));
}

/* Numbers with the highest bit set: an index without unsigned columns must not lose it. */
static struct jic_index_module make_module(uint64_t n)
{
	return (struct jic_index_module){.uuid = {.hi = 0xf000000000000000u, .lo = n},
	                                 .build_id = {.hi = 0xfafbfcfd00000000u + n, .lo = 0x8000000000000000u + n}};
}

static uint32_t put_module(struct jic_index_txn *t, struct jic_index_module m)
{
	uint32_t id = 0;
	OK(t->ops->modules_put(t, &m, 1, &id, &err));
	return id;
}

void index_conformance_modules_keep_their_numbers(struct jic_index *ix)
{
	struct jic_index_module modules[] = {make_module(1), make_module(2), make_module(1)}, got[3];
	uint32_t ids[3], again[3];
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->modules_put(t, modules, 3, ids, &err));
	OK(ix->ops->modules_put(t, modules, 3, again, &err));
	cr_expect_arr_eq(ids, again, sizeof ids);
	cr_expect_eq(ids[0], ids[2]);
	cr_expect_neq(ids[0], ids[1]);
	OK(ix->ops->modules_get(t, ids, 3, got, &err));
	for (size_t i = 0; i < 3; i++)
		cr_expect(jic_uuid_eq(got[i].uuid, modules[i].uuid) &&
		          jic_build_id_eq(got[i].build_id, modules[i].build_id));
	struct jic_index_module other_half = make_module(1);
	other_half.build_id.hi++;
	cr_expect_neq(put_module(t, other_half), ids[0]);
}

void index_conformance_an_unknown_module_number_is_corruption(struct jic_index *ix)
{
	struct jic_index_module got;
	uint32_t id = 4711;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_READ);
	FAILS(JIC_ECORRUPT, ix->ops->modules_get(t, &id, 1, &got, &err));
}

static struct jic_index_blob make_blob(const char *content, uint64_t created_s)
{
	return (struct jic_index_blob){.digest = digest_of(content),
	                               .size = 1ull << 40,
	                               .stored_size = 77,
	                               .crc32c = 0xfffffffe,
	                               .crc32c_head = 0x80000001,
	                               .tail = {1, 2, 3, 4, 0, 6, 7, 255},
	                               .created_s = created_s};
}

static void put_blob(struct jic_index_txn *t, const char *content, uint64_t created_s)
{
	struct jic_index_blob blob = make_blob(content, created_s);
	bool created = false;
	OK(t->ops->blob_put(t, &blob, &created, &err));
	cr_expect(created);
}

void index_conformance_blobs_are_kept_once_with_every_field(struct jic_index *ix)
{
	struct jic_index_blob blob = make_blob("a", 5), changed = make_blob("a", 6), got;
	struct jic_digest other = digest_of("b");
	bool created = true;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_blob(t, "a", 5);
	OK(ix->ops->blob_put(t, &changed, &created, &err));
	cr_expect_not(created);
	OK(ix->ops->blob_find(t, &blob.digest, &got, &err));
	cr_expect(jic_digest_eq(&got.digest, &blob.digest));
	cr_expect_eq(got.size, blob.size);
	cr_expect_eq(got.stored_size, 77);
	cr_expect_eq(got.crc32c, blob.crc32c);
	cr_expect_eq(got.crc32c_head, blob.crc32c_head);
	cr_expect_arr_eq(got.tail, blob.tail, sizeof blob.tail);
	cr_expect_eq(got.created_s, 5);
	cr_expect_not(got.used);
	FAILS(JIC_ENOTFOUND, ix->ops->blob_find(t, &other, &got, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->blob_use(t, &other, &err));
	OK(ix->ops->blob_use(t, &blob.digest, &err));
	OK(ix->ops->blob_find(t, &blob.digest, &got, &err));
	cr_expect(got.used);
}

void index_conformance_unused_blobs_are_forgotten_by_age_and_used_ones_stay(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_digest used = digest_of("used"), fresh = digest_of("fresh");
	const struct jic_digest *gone;
	struct jic_index_blob got;
	size_t count;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_blob(t, "used", 10);
	put_blob(t, "old", 10);
	put_blob(t, "older", 9);
	put_blob(t, "oldest", 8);
	put_blob(t, "fresh", 11);
	OK(ix->ops->blob_use(t, &used, &err));
	OK(ix->ops->blobs_delete_unused(t, 10, 2, &arena, &gone, &count, &err));
	cr_expect_eq(count, 2);
	OK(ix->ops->blobs_delete_unused(t, 10, 2, &arena, &gone, &count, &err));
	cr_expect_eq(count, 1);
	OK(ix->ops->blobs_delete_unused(t, 10, 2, &arena, &gone, &count, &err));
	cr_expect_eq(count, 0);
	OK(ix->ops->blob_find(t, &used, &got, &err));
	OK(ix->ops->blob_find(t, &fresh, &got, &err));
}

/* ---- artefacts */

struct shelf {
	struct jic_arena arena;
	struct jic_lane lane;
	uint64_t space;
	uint32_t modules[4];
};
static void shelf_clear(struct shelf *s)
{
	jic_arena_clear(&s->arena);
}

static void shelf_make(struct shelf *s, struct jic_index *ix, struct jic_index_txn *t)
{
	struct jic_digest image = digest_of("image");
	const struct jic_lane *chain;
	size_t count;
	*s = (struct shelf){0};
	OK(ix->ops->lane_chain(t, JIC_VIEW("main"), &s->arena, &chain, &count, &err));
	s->lane = chain[0];
	OK(ix->ops->space_put(t, JIC_VIEW("julia-1"), &image, &s->space, &err));
	for (uint64_t i = 0; i < 4; i++)
		s->modules[i] = put_module(t, make_module(i));
}

static const struct jic_msg_input shelf_inputs[] = {
    {.type = JIC_INPUT_FILE, .path = {.ptr = "@depot/a", .len = 8}, .sha256 = {.bytes = {1, 2, 3}}},
    {.type = JIC_INPUT_ABSENT, .path = {.ptr = "@depot/packages/b", .len = 17}},
};

/* Module n provided, those below it required. */
static struct jic_index_artefact make_artefact(const struct shelf *s, uint32_t n)
{
	char text[16];
	snprintf(text, sizeof text, "key %u", n);
	struct jic_index_artefact a = {.record = {.key = digest_of(text),
	                                          .name = JIC_VIEW("Alpha"),
	                                          .uuid = {.hi = 0x8000000000000001u, .lo = 2},
	                                          .build_id = make_module(n).build_id,
	                                          .ji = {.digest = digest_of("ji"), .size = 3},
	                                          .has_image = true,
	                                          .image = {.digest = digest_of("so"), .size = 5000000000},
	                                          .inputs = shelf_inputs,
	                                          .inputs_count = JIC_COUNT(shelf_inputs),
	                                          .compile_ms = 1234,
	                                          .provenance = {.host = JIC_VIEW("h"),
	                                                         .user = JIC_VIEW("ünï"),
	                                                         .run = JIC_VIEW(""),
	                                                         .client = JIC_VIEW("c 1"),
	                                                         .created_s = 99}},
	                               .lane_id = s->lane.id,
	                               .provides = s->modules + n,
	                               .provides_count = 1,
	                               .requires_ = s->modules,
	                               .requires_count = n,
	                               .writer = JIC_VIEW("bot"),
	                               .published_s = 100};
	return a;
}

static void put_artefact(struct jic_index_txn *t, const struct shelf *s, const struct jic_index_artefact *a)
{
	struct jic_index_blob ji = {.digest = a->record.ji.digest}, so = {.digest = a->record.image.digest};
	bool created;
	OK(t->ops->blob_put(t, &ji, &created, &err));
	OK(t->ops->blob_put(t, &so, &created, &err));
	OK(t->ops->artefact_put(t, s->space, a, &err));
}

static void expect_same_record(const struct jic_msg_record *a, const struct jic_msg_record *b)
{
	cr_expect(jic_digest_eq(&a->key, &b->key));
	cr_expect(jic_view_eq(a->name, b->name));
	cr_expect(jic_uuid_eq(a->uuid, b->uuid));
	cr_expect(jic_build_id_eq(a->build_id, b->build_id));
	cr_expect(jic_digest_eq(&a->ji.digest, &b->ji.digest));
	cr_expect_eq(a->ji.size, b->ji.size);
	cr_expect_eq(a->has_image, b->has_image);
	cr_expect(jic_digest_eq(&a->image.digest, &b->image.digest));
	cr_expect_eq(a->image.size, b->image.size);
	cr_expect_eq(a->compile_ms, b->compile_ms);
	cr_expect(jic_view_eq(a->provenance.host, b->provenance.host));
	cr_expect(jic_view_eq(a->provenance.user, b->provenance.user));
	cr_expect(jic_view_eq(a->provenance.run, b->provenance.run));
	cr_expect(jic_view_eq(a->provenance.client, b->provenance.client));
	cr_expect_eq(a->provenance.created_s, b->provenance.created_s);
	cr_assert_eq(a->inputs_count, b->inputs_count);
	for (size_t i = 0; i < a->inputs_count; i++)
		cr_expect(a->inputs[i].type == b->inputs[i].type && jic_view_eq(a->inputs[i].path, b->inputs[i].path) &&
		          jic_digest_eq(&a->inputs[i].sha256, &b->inputs[i].sha256));
}

void index_conformance_artefacts_come_back_as_they_were_put(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	shelf_make(&s, ix, t);
	struct jic_index_artefact with = make_artefact(&s, 3), without = make_artefact(&s, 0);
	without.record.has_image = false;
	without.record.image = (struct jic_msg_blob){0};
	without.record.inputs_count = 0;
	put_artefact(t, &s, &with);
	put_artefact(t, &s, &without);
	struct jic_digest keys[] = {without.record.key, digest_of("no such"), with.record.key};
	const struct jic_index_artefact *got[3];
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, keys, 3, &s.arena, got, &err));
	cr_assert(got[0] && got[2]);
	cr_expect_null(got[1]);
	expect_same_record(&got[2]->record, &with.record);
	expect_same_record(&got[0]->record, &without.record);
	cr_expect(jic_view_is(got[2]->record.lane, "main"));
	cr_expect(jic_view_is(got[2]->writer, "bot"));
	cr_expect_eq(got[2]->published_s, 100);
	cr_expect_eq(got[2]->lane_id, s.lane.id);
	cr_assert_eq(got[2]->provides_count, 1);
	cr_expect_eq(got[2]->provides[0], s.modules[3]);
	cr_assert_eq(got[2]->requires_count, 3);
	cr_expect_arr_eq(got[2]->requires_, s.modules, 3 * sizeof *s.modules);
}

void index_conformance_an_address_in_a_lane_is_taken_once(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 1);
	put_artefact(t, &s, &a);
	FAILS(JIC_ECONFLICT, ix->ops->artefact_put(t, s.space, &a, &err));
}

void index_conformance_artefacts_are_found_in_their_own_lane_and_space_only(struct jic_index *ix)
{
	put_lane(ix, "child", "main");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_lane *chain;
	const struct jic_index_artefact *got;
	struct jic_digest image = digest_of("another image");
	uint64_t other_space;
	size_t depth;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 1);
	put_artefact(t, &s, &a);
	OK(ix->ops->lane_chain(t, JIC_VIEW("child"), &s.arena, &chain, &depth, &err));
	OK(ix->ops->space_put(t, JIC_VIEW("julia-1"), &image, &other_space, &err));
	OK(ix->ops->artefacts_find(t, &chain[1], s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_null(got);
	OK(ix->ops->artefacts_find(t, &s.lane, other_space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_null(got);
	a.lane_id = chain[1].id;
	OK(ix->ops->artefact_put(t, s.space, &a, &err)); /* the same address in another lane */
}

static size_t count_providers(struct jic_index_txn *t, const struct shelf *s, uint64_t space, struct jic_index_module m,
                              struct jic_arena *arena)
{
	const struct jic_index_provider *found;
	size_t count = 99;
	OK(t->ops->providers(t, space, &m, 1, arena, &found, &count, &err));
	if (count) {
		struct jic_digest key = make_artefact(s, 2).record.key, ji = digest_of("ji");
		cr_expect_eq(found[0].module, s->modules[2]);
		cr_expect(jic_build_id_eq(found[0].full.build_id, make_module(2).build_id));
		cr_expect(jic_uuid_eq(found[0].full.uuid, make_module(2).uuid));
		cr_expect_eq(found[0].lane_id, s->lane.id);
		cr_expect(jic_digest_eq(&found[0].key, &key));
		cr_expect(jic_digest_eq(&found[0].ji, &ji));
	}
	return count;
}

void index_conformance_providers_are_found_by_the_low_half_of_the_build_id(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 2);
	struct jic_index_module high = make_module(2), low = make_module(2), uuid = make_module(2);
	put_artefact(t, &s, &a);
	high.build_id.hi ^= 1;
	low.build_id.lo ^= 1;
	uuid.uuid.lo ^= 8;
	cr_expect_eq(count_providers(t, &s, s.space, make_module(2), &s.arena), 1);
	cr_expect_eq(count_providers(t, &s, s.space, high, &s.arena), 1);
	cr_expect_eq(count_providers(t, &s, s.space, low, &s.arena), 0);
	cr_expect_eq(count_providers(t, &s, s.space, uuid, &s.arena), 0);
	cr_expect_eq(count_providers(t, &s, s.space, make_module(1), &s.arena), 0, "required is not provided");
	cr_expect_eq(count_providers(t, &s, s.space + 1, make_module(2), &s.arena), 0);
}

void index_conformance_an_artefact_moves_to_another_lane_as_it_is(struct jic_index *ix)
{
	put_lane(ix, "child", "main");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_lane *chain;
	const struct jic_index_artefact *before, *after;
	size_t depth;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 2);
	OK(ix->ops->lane_chain(t, JIC_VIEW("child"), &s.arena, &chain, &depth, &err));
	a.lane_id = chain[1].id;
	put_artefact(t, &s, &a);
	OK(ix->ops->artefacts_find(t, &chain[1], s.space, &a.record.key, 1, &s.arena, &before, &err));
	OK(ix->ops->artefact_move(t, chain[1].id, s.space, &a.record.key, s.lane.id, &err));
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &after, &err));
	cr_assert(before && after);
	cr_expect(jic_view_eq(after->writer, before->writer) && after->published_s == before->published_s);
	cr_expect(jic_digest_eq(&after->record.ji.digest, &before->record.ji.digest));
	cr_expect_eq(count_providers(t, &s, s.space, make_module(2), &s.arena), 1);
	FAILS(JIC_ENOTFOUND, ix->ops->artefact_move(t, chain[1].id, s.space, &a.record.key, s.lane.id, &err));
	OK(t->ops->artefact_put(t, s.space, &a, &err));
	FAILS(JIC_ECONFLICT, ix->ops->artefact_move(t, chain[1].id, s.space, &a.record.key, s.lane.id, &err));
}

void index_conformance_a_lane_goes_when_nothing_is_in_it(struct jic_index *ix)
{
	put_lane(ix, "child", "main");
	put_lane(ix, "grandchild", "child");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_lane *chain;
	size_t depth;
	shelf_make(&s, ix, t);
	OK(ix->ops->lane_chain(t, JIC_VIEW("grandchild"), &s.arena, &chain, &depth, &err));
	struct jic_index_artefact a = make_artefact(&s, 1);
	a.lane_id = chain[2].id;
	put_artefact(t, &s, &a);
	OK(ix->ops->declaration_put(t, chain[2].id, s.space, JIC_VIEW("m"), &err));
	FAILS(JIC_ECONFLICT, ix->ops->lane_delete(t, chain[1].id, &err));
	FAILS(JIC_ECONFLICT, ix->ops->lane_delete(t, chain[2].id, &err));
	OK(ix->ops->artefact_delete(t, chain[2].id, s.space, &a.record.key, &err));
	OK(ix->ops->lane_delete(t, chain[2].id, &err));
	OK(ix->ops->lane_delete(t, chain[1].id, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->lane_delete(t, chain[1].id, &err));
}

void index_conformance_a_deleted_artefact_provides_nothing(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_artefact *got;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 2);
	put_artefact(t, &s, &a);
	OK(ix->ops->artefact_delete(t, s.lane.id, s.space, &a.record.key, &err));
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_null(got);
	cr_expect_eq(count_providers(t, &s, s.space, make_module(2), &s.arena), 0);
	FAILS(JIC_ENOTFOUND, ix->ops->artefact_delete(t, s.lane.id, s.space, &a.record.key, &err));
	OK(ix->ops->artefact_put(t, s.space, &a, &err));
}

/* ---- transactions */

static bool has_blob(struct jic_index_txn *t, const char *content)
{
	struct jic_digest digest = digest_of(content);
	struct jic_index_blob got;
	return t->ops->blob_find(t, &digest, &got, NULL);
}

void index_conformance_spaces_keys_and_blobs_are_listed_in_pages(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_space *spaces;
	const struct jic_digest *keys, *more;
	const struct jic_index_blob *blobs, *rest;
	struct jic_digest image = digest_of("image");
	size_t count;
	shelf_make(&s, ix, t);
	OK(ix->ops->spaces_list(t, &s.arena, &spaces, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect(spaces[0].id == s.space && jic_view_is(spaces[0].runtime, "julia-1") &&
	          jic_digest_eq(&spaces[0].sysimage, &image));
	OK(ix->ops->keys_list(t, s.lane.id, s.space, NULL, 10, &s.arena, &keys, &count, &err));
	cr_expect_eq(count, 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct jic_index_artefact a = make_artefact(&s, i);
		put_artefact(t, &s, &a);
	}
	OK(ix->ops->keys_list(t, s.lane.id, s.space, NULL, 2, &s.arena, &keys, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect_lt(jic_digest_cmp(&keys[0], &keys[1]), 0);
	OK(ix->ops->keys_list(t, s.lane.id, s.space, &keys[1], 2, &s.arena, &more, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect_lt(jic_digest_cmp(&keys[1], &more[0]), 0);
	OK(ix->ops->keys_list(t, s.lane.id + 1, s.space, NULL, 2, &s.arena, &keys, &count, &err));
	cr_expect_eq(count, 0, "another lane");
	OK(ix->ops->blobs_list(t, NULL, 1, &s.arena, &blobs, &count, &err));
	cr_assert_eq(count, 1);
	OK(ix->ops->blobs_list(t, &blobs[0].digest, 5, &s.arena, &rest, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect_lt(jic_digest_cmp(&blobs[0].digest, &rest[0].digest), 0);
}

void index_conformance_requirers_are_found_in_one_lane(struct jic_index *ix)
{
	put_lane(ix, "child", "main");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_digest *keys;
	size_t count;
	shelf_make(&s, ix, t);
	struct jic_lane child = get_lane(ix, "child", &s.arena);
	struct jic_index_artefact low = make_artefact(&s, 1), high = make_artefact(&s, 3);
	put_artefact(t, &s, &low);
	put_artefact(t, &s, &high);
	const uint32_t one[] = {s.modules[1]}, two[] = {s.modules[0], s.modules[3]};
	OK(ix->ops->requirers_list(t, s.lane.id, s.space, one, 1, &s.arena, &keys, &count, &err));
	cr_assert_eq(count, 1, "providing is not requiring");
	cr_expect(jic_digest_eq(&keys[0], &high.record.key));
	OK(ix->ops->requirers_list(t, s.lane.id, s.space, two, 2, &s.arena, &keys, &count, &err));
	cr_expect_eq(count, 2);
	OK(ix->ops->requirers_list(t, s.lane.id, s.space, s.modules + 3, 1, &s.arena, &keys, &count, &err));
	cr_expect_eq(count, 0);
	OK(ix->ops->requirers_list(t, child.id, s.space, two, 2, &s.arena, &keys, &count, &err));
	cr_expect_eq(count, 0);
}

/* Low provides 1, middle 2 and requires 0 and 1, high requires all three: directly only 2. */
void index_conformance_direct_requirers_lead_to_all(struct jic_index *ix)
{
	put_lane(ix, "child", "main");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_place *places;
	size_t count;
	shelf_make(&s, ix, t);
	struct jic_index_artefact low = make_artefact(&s, 1), middle = make_artefact(&s, 2),
				  high = make_artefact(&s, 3);
	put_artefact(t, &s, &low);
	put_artefact(t, &s, &middle);
	put_artefact(t, &s, &high);
	OK(ix->ops->direct_requirers(t, s.space, s.modules + 2, 1, &s.arena, &places, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect(jic_digest_eq(&places[0].key, &high.record.key));
	cr_expect(places[0].lane_id == s.lane.id && places[0].space == s.space);
	OK(ix->ops->direct_requirers(t, s.space, s.modules + 1, 1, &s.arena, &places, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect(jic_digest_eq(&places[0].key, &middle.record.key));
	OK(ix->ops->direct_requirers(t, s.space, s.modules, 3, &s.arena, &places, &count, &err));
	cr_expect_eq(count, 3, "each once");
	OK(ix->ops->direct_requirers(t, s.space + 1, s.modules, 3, &s.arena, &places, &count, &err));
	cr_expect_eq(count, 0);
	/* In a lane below, where the providers are not: every module counts. */
	high.lane_id = get_lane(ix, "child", &s.arena).id;
	put_artefact(t, &s, &high);
	OK(ix->ops->direct_requirers(t, s.space, s.modules, 1, &s.arena, &places, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect_eq(places[1].lane_id, high.lane_id);
	OK(ix->ops->artefact_delete(t, high.lane_id, s.space, &high.record.key, &err));
	OK(ix->ops->direct_requirers(t, s.space, s.modules, 1, &s.arena, &places, &count, &err));
	cr_expect_eq(count, 1);
}

void index_conformance_signatures_makers_and_recalls_are_kept(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_artefact *got;
	const struct jic_index_place *places;
	const struct jic_digest *signers;
	const struct jic_index_recall *recalls;
	char hex[JIC_DIGEST_HEX + 1];
	size_t count;
	uint64_t id, again;
	bool recalled;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 1);
	put_artefact(t, &s, &a);
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_not(got->record.has_signature);
	a.record.has_signature = true;
	a.record.signature =
	    (struct jic_msg_signature){.key = digest_of("k"), .requires_ = digest_of("r"), .bytes = {7}};
	a.record.provenance.run = JIC_VIEW("run 9");
	a.writer = JIC_VIEW("signer");
	OK(ix->ops->artefact_sign(t, s.space, &a, &err));
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_assert(got->record.has_signature && jic_view_is(got->writer, "signer"));
	cr_expect(memcmp(&got->record.signature, &a.record.signature, sizeof a.record.signature) == 0);
	expect_same_record(&got->record, &a.record);
	OK(ix->ops->signers_list(t, &s.arena, &signers, &count, &err));
	cr_assert_eq(count, 1);
	jic_digest_hex(&signers[0], hex);
	const struct jic_index_maker makers[] = {{.kind = JIC_BY_KEY, .who = jic_view_of(hex)},
	                                         {.kind = JIC_BY_TOKEN, .who = JIC_VIEW("signer")},
	                                         {.kind = JIC_BY_RUN, .who = JIC_VIEW("run 9")}};
	for (size_t i = 0; i < JIC_COUNT(makers); i++) {
		OK(ix->ops->made_by_list(t, &makers[i], &s.arena, &places, &count, &err));
		cr_assert_eq(count, 1, "%zu", i);
		cr_expect(jic_digest_eq(&places[0].key, &a.record.key));
		OK(ix->ops->recall_put(t, &makers[i], 50 + i, &id, &err));
		OK(ix->ops->recall_put(t, &makers[i], 99, &again, &err));
		cr_expect_eq(id, again);
	}
	OK(ix->ops->recalled_put(t, id, &a.record, &err));
	OK(ix->ops->recalled_put(t, id, &a.record, &err));
	OK(ix->ops->recalled_find(t, &a.record.ji.digest, &recalled, &err));
	cr_expect(recalled);
	OK(ix->ops->recalled_builds(t, &a.record.build_id, 1, &recalled, &err));
	cr_expect(recalled);
	OK(ix->ops->recalls_list(t, &s.arena, &recalls, &count, &err));
	cr_assert_eq(count, 3);
	cr_expect_eq(recalls[0].created_s, 50);
	cr_expect_eq(recalls[2].artefacts, 1);
	OK(ix->ops->recall_delete(t, &makers[2], &err));
	FAILS(JIC_ENOTFOUND, ix->ops->recall_delete(t, &makers[2], &err));
	OK(ix->ops->recalled_find(t, &a.record.ji.digest, &recalled, &err));
	cr_expect_not(recalled);
	a.record.key = digest_of("no such");
	FAILS(JIC_ENOTFOUND, ix->ops->artefact_sign(t, s.space, &a, &err));
}

static bool is_used(struct jic_index_txn *t, const struct jic_digest *digest)
{
	struct jic_index_blob got = {0};
	OK(t->ops->blob_find(t, digest, &got, &err));
	return got.used;
}

void index_conformance_a_blob_knows_its_users_and_is_unused_when_the_last_has_gone(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_place *users;
	size_t count;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 0), b = make_artefact(&s, 1);
	const struct jic_digest ji = a.record.ji.digest, so = a.record.image.digest, other = digest_of("other");
	b.record.has_image = false;
	put_artefact(t, &s, &a);
	put_artefact(t, &s, &b);
	OK(ix->ops->blob_use(t, &ji, &err));
	OK(ix->ops->blob_use(t, &so, &err));
	OK(ix->ops->blob_users(t, &ji, &s.arena, &users, &count, &err));
	cr_expect_eq(count, 2);
	OK(ix->ops->blob_users(t, &so, &s.arena, &users, &count, &err));
	cr_assert_eq(count, 1);
	cr_expect(users[0].lane_id == s.lane.id && users[0].space == s.space &&
	          jic_digest_eq(&users[0].key, &a.record.key));
	FAILS(JIC_ECONFLICT, ix->ops->blob_delete(t, &so, &err));
	OK(ix->ops->artefact_delete(t, s.lane.id, s.space, &a.record.key, &err));
	cr_expect(is_used(t, &ji));
	cr_expect_not(is_used(t, &so));
	OK(ix->ops->blob_delete(t, &so, &err));
	FAILS(JIC_ENOTFOUND, ix->ops->blob_delete(t, &so, &err));
	OK(ix->ops->artefact_delete(t, s.lane.id, s.space, &b.record.key, &err));
	cr_expect_not(is_used(t, &ji));
	OK(ix->ops->blob_use(t, &ji, &err));
	OK(ix->ops->blob_release(t, &ji, &err));
	cr_expect_not(is_used(t, &ji));
	FAILS(JIC_ENOTFOUND, ix->ops->blob_release(t, &other, &err));
}

void index_conformance_what_is_not_committed_is_undone(struct jic_index *ix)
{
	struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_blob(t, "lost", 1);
	jic_index_txn_end(t);
	t = begin(ix, JIC_INDEX_WRITE);
	cr_expect_not(has_blob(t, "lost"));
	put_blob(t, "kept", 1);
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	t = begin(ix, JIC_INDEX_READ);
	cr_expect(has_blob(t, "kept"));
	cr_expect_not(has_blob(t, "lost"));
	jic_index_txn_end(t);
}

void index_conformance_a_reader_sees_one_snapshot(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *reader = begin(ix, JIC_INDEX_READ);
	cr_expect_not(has_blob(reader, "new"));
	struct jic_index_txn *writer = begin(ix, JIC_INDEX_WRITE);
	put_blob(writer, "new", 1);
	cr_expect_not(has_blob(reader, "new"));
	OK(ix->ops->commit(writer, &err));
	jic_index_txn_end(writer);
	cr_expect_not(has_blob(reader, "new"), "a reader's view changed under it");
	JIC_AUTO(jic_index_txn) struct jic_index_txn *later = begin(ix, JIC_INDEX_READ);
	cr_expect(has_blob(later, "new"));
}

enum { THREADS = 24, ROUNDS = 10 };

struct worker {
	pthread_t thread;
	struct jic_index *ix;
	unsigned number;
	unsigned done;
};

static void *write_rounds(void *context)
{
	struct worker *w = context;
	for (unsigned i = 0; i < ROUNDS; i++) {
		char content[32];
		bool created = false;
		snprintf(content, sizeof content, "%u of %u", i, w->number);
		struct jic_index_blob blob = make_blob(content, i);
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = w->ix->ops->begin(w->ix, JIC_INDEX_WRITE, NULL);
		if (t && w->ix->ops->blob_put(t, &blob, &created, NULL) && w->ix->ops->commit(t, NULL))
			w->done += created;
	}
	return NULL;
}

static void *read_rounds(void *context)
{
	struct worker *w = context;
	for (unsigned i = 0; i < ROUNDS; i++) {
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = w->ix->ops->begin(w->ix, JIC_INDEX_READ, NULL);
		w->done += t && has_blob(t, "there");
	}
	return NULL;
}

static void run_workers(struct jic_index *ix, void *(*work)(void *))
{
	struct worker workers[THREADS] = {0};
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].ix = ix;
		workers[i].number = i;
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		cr_expect_eq(workers[i].done, ROUNDS, "thread %u: %u", i, workers[i].done);
	}
}

void index_conformance_writers_of_many_threads_take_turns(struct jic_index *ix)
{
	struct jic_index_counts counts;
	run_workers(ix, write_rounds);
	OK(ix->ops->counts(ix, &counts, &err));
	cr_expect_eq(counts.blobs, THREADS * ROUNDS);
}

void index_conformance_more_readers_than_connections_take_turns(struct jic_index *ix)
{
	struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_blob(t, "there", 1);
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	run_workers(ix, read_rounds);
}

static uint64_t stored_bytes(struct jic_index *ix)
{
	uint64_t got = 99;
	OK(ix->ops->stored_bytes(ix, &got, &err));
	return got;
}

void index_conformance_stored_bytes_follow_the_blobs(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index_blob again = make_blob("a", 5);
	struct jic_digest b = digest_of("b");
	const struct jic_digest *gone;
	size_t count;
	bool created;
	cr_expect_eq(stored_bytes(ix), 0);
	struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	put_blob(t, "a", 5);
	put_blob(t, "b", 5);
	OK(ix->ops->blob_put(t, &again, &created, &err));
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	cr_expect_eq(stored_bytes(ix), 2 * 77);
	t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->blob_delete(t, &b, &err));
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	cr_expect_eq(stored_bytes(ix), 77);
	t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->blobs_delete_unused(t, 10, 9, &arena, &gone, &count, &err));
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	cr_expect_eq(stored_bytes(ix), 0);
}

void index_conformance_pins_are_there_once_and_sorted(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_view *pins;
	size_t count;
	OK(ix->ops->pin_put(ix, JIC_VIEW("b"), 1, &err));
	OK(ix->ops->pin_put(ix, JIC_VIEW("a"), 1, &err));
	OK(ix->ops->pin_put(ix, JIC_VIEW("b"), 2, &err));
	OK(ix->ops->pins_list(ix, &arena, &pins, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect(jic_view_is(pins[0], "a") && jic_view_is(pins[1], "b"));
	OK(ix->ops->pin_delete(ix, JIC_VIEW("a"), &err));
	FAILS(JIC_ENOTFOUND, ix->ops->pin_delete(ix, JIC_VIEW("a"), &err));
	OK(ix->ops->pins_list(ix, &arena, &pins, &count, &err));
	cr_expect_eq(count, 1);
}

void index_conformance_uses_are_kept_with_the_artefact(struct jic_index *ix)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	const struct jic_index_artefact *got;
	shelf_make(&s, ix, t);
	struct jic_index_artefact a = make_artefact(&s, 1);
	put_artefact(t, &s, &a);
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_eq(got->last_used_s, 0);
	const struct jic_index_place places[] = {{.lane_id = s.lane.id, .space = s.space, .key = a.record.key},
	                                         {.lane_id = s.lane.id, .space = s.space}};
	OK(ix->ops->artefacts_touch(t, places, 2, 500, &err));
	OK(ix->ops->artefacts_touch(t, places, 2, 400, &err)); /* a clock that went back */
	OK(ix->ops->artefacts_find(t, &s.lane, s.space, &a.record.key, 1, &s.arena, &got, &err));
	cr_expect_eq(got->last_used_s, 500);
}

void index_conformance_counters_add_up(struct jic_index *ix)
{
	uint64_t got[JIC_COUNTER_COUNT];
	struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->counter_add(t, JIC_COUNTER_DAMAGED_BLOBS, 2, &err));
	OK(ix->ops->counter_add(t, JIC_COUNTER_DAMAGED_BLOBS, 3, &err));
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	t = begin(ix, JIC_INDEX_WRITE);
	OK(ix->ops->counter_add(t, JIC_COUNTER_SCRUB_BYTES, 7, &err));
	jic_index_txn_end(t);
	OK(ix->ops->counters_get(ix, got, &err));
	for (size_t i = 0; i < JIC_COUNTER_COUNT; i++)
		cr_expect_eq(got[i], i == JIC_COUNTER_DAMAGED_BLOBS ? 5 : 0, "%s",
		             jic_counter_name((enum jic_counter)i));
}

void index_conformance_counts_follow_what_is_stored(struct jic_index *ix)
{
	struct jic_index_counts counts;
	struct jic_token token = make_token("a", "secret");
	struct jic_digest used = digest_of("ji");
	OK(ix->ops->counts(ix, &counts, &err));
	cr_expect_eq(counts.lanes, 1);
	cr_expect_eq(counts.tokens + counts.spaces + counts.artefacts + counts.blobs + counts.stored_bytes, 0);
	OK(ix->ops->token_put(ix, &token, &err));
	struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	JIC_CLEAR(shelf) struct shelf s;
	shelf_make(&s, ix, t);
	put_blob(t, "a", 1);
	struct jic_index_artefact a = make_artefact(&s, 1);
	put_artefact(t, &s, &a);
	OK(ix->ops->blob_use(t, &used, &err));
	OK(ix->ops->commit(t, &err));
	jic_index_txn_end(t);
	OK(ix->ops->counts(ix, &counts, &err));
	cr_expect_eq(counts.tokens, 1);
	cr_expect_eq(counts.spaces, 1);
	cr_expect_eq(counts.artefacts, 1);
	cr_expect_eq(counts.blobs, 3);
	cr_expect_eq(counts.blobs_unused, 2);
	cr_expect_eq(counts.content_bytes, 1ull << 40);
	cr_expect_eq(counts.stored_bytes, 77);
}
