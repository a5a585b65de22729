/* Cases over the interface alone: leases. */
#include "tests/conformance/index_conformance.h"
#include "tests/conformance/index_conformance_support.h"

#define RUNTIME "julia-1"

static struct jic_index_lease make_lease(const struct jic_lane *lane, const char *id, uint64_t ends_s)
{
	return (struct jic_index_lease){.hash = digest_of(id),
	                                .lane_id = lane->id,
	                                .runtime = JIC_VIEW(RUNTIME),
	                                .sysimage = digest_of("image"),
	                                .writer = jic_view_of(id),
	                                .created_s = 10,
	                                .ends_s = ends_s};
}

static void put(struct jic_index_txn *t, const struct jic_index_lease *lease, const char *const *names, size_t count)
{
	struct jic_digest keys[8];
	for (size_t i = 0; i < count; i++)
		keys[i] = digest_of(names[i]);
	OK(t->ops->lease_put(t, lease, keys, count, &err));
}

#define PUT(t, lease, ...)                                                                                             \
	put(t, lease, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* The writer whose lease is on a key, "" for none. */
static const char *holder(struct jic_index_txn *t, const struct jic_index_lease_place *at, const char *name,
                          uint64_t now_s, struct jic_arena *arena)
{
	const struct jic_digest key = digest_of(name);
	const struct jic_index_lease *on = NULL;
	OK(t->ops->leases_on(t, at, &key, 1, now_s, arena, &on, &err));
	return on ? jic_arena_copy(arena, on->writer).ptr : "";
}

static struct jic_index_lease_place place_in(const struct jic_lane *lane)
{
	return (struct jic_index_lease_place){
	    .lane_id = lane->id, .runtime = JIC_VIEW(RUNTIME), .sysimage = digest_of("image")};
}

void index_conformance_a_lease_is_found_by_its_hash_with_its_keys(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane lane = get_lane(ix, "main", &arena);
	const struct jic_index_lease lease = make_lease(&lane, "ann", 70);
	const struct jic_digest other = digest_of("guess");
	struct jic_index_lease got;
	const struct jic_digest *keys;
	size_t count;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	PUT(t, &lease, "a", "b", "a");
	OK(t->ops->lease_find(t, &lease.hash, &arena, &got, &keys, &count, &err));
	cr_expect(jic_digest_eq(&got.hash, &lease.hash) && jic_digest_eq(&got.sysimage, &lease.sysimage));
	cr_expect(jic_view_is(got.lane, "main") && got.lane_id == lane.id && jic_view_is(got.runtime, RUNTIME));
	cr_expect(jic_view_is(got.writer, "ann") && got.created_s == 10 && got.ends_s == 70);
	cr_assert_eq(count, 2, "a key that is named twice is leased once");
	cr_expect_lt(jic_digest_cmp(&keys[0], &keys[1]), 0);
	OK(t->ops->lease_find(t, &lease.hash, &arena, &got, NULL, NULL, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_find(t, &other, &arena, &got, NULL, NULL, &err));
	FAILS(JIC_ECONFLICT, t->ops->lease_put(t, &lease, keys, count, &err));
	OK(t->ops->lease_delete(t, &lease.hash, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_delete(t, &lease.hash, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_find(t, &lease.hash, &arena, &got, NULL, NULL, &err));
}

void index_conformance_leases_are_found_by_key_in_their_own_lane_runtime_and_sysimage(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	put_lane(ix, "pr/7", "main");
	const struct jic_lane lane = get_lane(ix, "main", &arena), child = get_lane(ix, "pr/7", &arena);
	const struct jic_index_lease ann = make_lease(&lane, "ann", 70), bob = make_lease(&lane, "bob", 80);
	struct jic_index_lease_place at = place_in(&lane);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	PUT(t, &ann, "a", "b");
	PUT(t, &bob, "b", "c");
	cr_expect_str_eq(holder(t, &at, "a", 50, &arena), "ann");
	cr_expect_str_eq(holder(t, &at, "b", 50, &arena), "bob", "the one that ends last");
	cr_expect_str_eq(holder(t, &at, "d", 50, &arena), "");
	const struct jic_digest keys[] = {digest_of("a"), digest_of("x"), digest_of("b"), digest_of("c")};
	const struct jic_index_lease *on[4];
	OK(t->ops->leases_on(t, &at, keys, 4, 50, &arena, on, &err));
	cr_assert(on[0] && !on[1] && on[2] && on[3]);
	cr_expect(jic_digest_eq(&on[0]->hash, &ann.hash) && jic_digest_eq(&on[3]->hash, &bob.hash));
	at.sysimage = digest_of("other");
	cr_expect_str_eq(holder(t, &at, "a", 50, &arena), "");
	at = place_in(&lane);
	at.runtime = JIC_VIEW("julia-2");
	cr_expect_str_eq(holder(t, &at, "a", 50, &arena), "");
	at = place_in(&child);
	cr_expect_str_eq(holder(t, &at, "a", 50, &arena), "", "a lane without its ancestors");
}

void index_conformance_an_ended_lease_is_on_nothing_and_goes_when_swept(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_lane lane = get_lane(ix, "main", &arena);
	const struct jic_index_lease_place at = place_in(&lane);
	struct jic_index_lease ann = make_lease(&lane, "ann", 70), late = make_lease(&lane, "late", 90), got;
	uint64_t count = 0;
	late.writer = ann.writer;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	PUT(t, &ann, "a");
	PUT(t, &late, "b");
	cr_expect_str_eq(holder(t, &at, "a", 69, &arena), "ann");
	cr_expect_str_eq(holder(t, &at, "a", 70, &arena), "");
	OK(t->ops->leases_count(t, JIC_VIEW("ann"), 69, &count, &err));
	cr_expect_eq(count, 2);
	OK(t->ops->leases_count(t, JIC_VIEW("ann"), 70, &count, &err));
	cr_expect_eq(count, 1);
	OK(t->ops->leases_count(t, JIC_VIEW("bob"), 0, &count, &err));
	cr_expect_eq(count, 0);
	OK(t->ops->leases_delete(t, 69, 10, &err));
	OK(t->ops->lease_find(t, &ann.hash, &arena, &got, NULL, NULL, &err));
	OK(t->ops->leases_delete(t, 95, 1, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_find(t, &ann.hash, &arena, &got, NULL, NULL, &err));
	OK(t->ops->lease_find(t, &late.hash, &arena, &got, NULL, NULL, &err));
	OK(t->ops->leases_delete(t, 95, 1, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_find(t, &late.hash, &arena, &got, NULL, NULL, &err));
}

void index_conformance_leases_go_with_their_lane(struct jic_index *ix)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	put_lane(ix, "pr/7", "main");
	const struct jic_lane lane = get_lane(ix, "pr/7", &arena);
	const struct jic_index_lease ann = make_lease(&lane, "ann", 70);
	struct jic_index_lease got;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = begin(ix, JIC_INDEX_WRITE);
	PUT(t, &ann, "a");
	OK(t->ops->lane_delete(t, lane.id, &err));
	FAILS(JIC_ENOTFOUND, t->ops->lease_find(t, &ann.hash, &arena, &got, NULL, NULL, &err));
}
