/*
 * Nearly all that is asked here is asked by those who wait, and answered by a reader: only where there is something to
 * take, the same is looked at again by the index's writer.
 */
#include "server/store/lease.h"

#include "server/store/internal.h"
#include "server/store/select.h"

enum { SWEPT_AT_ONCE = 64 }; /* ended leases that go with each new one: more than come */

struct asking {
	struct jic_store *store;
	struct jic_index_txn *txn;
	struct jic_arena *arena;
	uint64_t now_s;
	struct jic_view runtime;
	struct jic_digest sysimage;
	const struct jic_lane *lanes; /* from the one without parent to the asker's */
	size_t lanes_count;
	struct jic_key_set unstored;
};

static void asking_clear(struct asking *a)
{
	jic_index_txn_end(a->txn);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "lease: out of memory");
}

/* The index keeps what an id's holder knows only as what can be compared. */
static struct jic_digest hash_of(const struct jic_digest *id)
{
	struct jic_digest hash;
	jic_sha256_of(jic_view_bytes((const char *)id->bytes, sizeof id->bytes), &hash);
	return hash;
}

static bool begin(struct asking *a, enum jic_index_mode mode, struct jic_error *err)
{
	struct jic_index *ix = a->store->index;
	a->now_s = jic_store_now_s();
	a->txn = ix->ops->begin(ix, mode, err);
	return a->txn != NULL;
}

/* ---- what is stored */

static bool drop_offered(struct asking *a, uint64_t space, const struct jic_key_set *keys, struct jic_error *err)
{
	const struct jic_lookup lookup = {
	    .txn = a->txn, .arena = a->arena, .lanes = a->lanes, .lanes_count = a->lanes_count, .space = space};
	struct jic_selection selection;
	struct jic_digest *left = jic_arena_array(a->arena, keys->count + 1, sizeof *left);
	if (!left)
		return out_of_memory(err);
	if (!jic_select_closed(&lookup, keys, &selection, err))
		return false;
	a->unstored = (struct jic_key_set){.keys = left};
	for (size_t i = 0; i < keys->count; i++)
		if (!jic_selection_find(&selection, &keys->keys[i]))
			left[a->unstored.count++] = keys->keys[i];
	return true;
}

/* Sets `lanes` and `unstored`. */
static bool find_unstored(struct asking *a, struct jic_view lane, const struct jic_digest *keys, size_t count,
                          struct jic_error *err)
{
	uint64_t space;
	struct jic_error why = {0};
	if (!a->txn->ops->lane_chain(a->txn, lane, a->arena, &a->lanes, &a->lanes_count, err))
		return false;
	if (!jic_key_set_of(a->arena, keys, count, &a->unstored))
		return out_of_memory(err);
	if (a->txn->ops->space_find(a->txn, a->runtime, &a->sysimage, &space, &why)) {
		const struct jic_key_set all = a->unstored;
		return drop_offered(a, space, &all, err);
	}
	/* Nothing was ever published for it. */
	if (why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

/* ---- who is in the way */

static void note_held(const struct asking *a, const struct jic_index_lease *const *on, bool *held,
                      const struct jic_index_lease **last)
{
	for (size_t i = 0; i < a->unstored.count; i++) {
		held[i] = held[i] || on[i];
		if (on[i] && (!*last || on[i]->ends_s > (*last)->ends_s))
			*last = on[i];
	}
}

static void answer_held(const struct asking *a, const bool *held, const struct jic_index_lease *last,
                        struct jic_digest *keys, struct jic_msg_leased *out)
{
	*out = (struct jic_msg_leased){
	    .state = JIC_LEASE_HELD, .keys = keys, .seconds = last->ends_s - a->now_s, .by = last->writer};
	for (size_t i = 0; i < a->unstored.count; i++)
		if (held[i])
			keys[out->keys_count++] = a->unstored.keys[i];
}

/* HELD, or FREE with all that is not stored. */
static bool find_holders(const struct asking *a, struct jic_msg_leased *out, struct jic_error *err)
{
	const size_t count = a->unstored.count;
	const struct jic_index_lease **on = jic_arena_array(a->arena, count + 1, sizeof *on), *last = NULL;
	bool *held = jic_arena_array(a->arena, count + 1, sizeof *held);
	struct jic_digest *keys = jic_arena_array(a->arena, count + 1, sizeof *keys);
	if (!on || !held || !keys)
		return out_of_memory(err);
	for (size_t i = 0; i < a->lanes_count; i++) {
		const struct jic_index_lease_place at = {
		    .lane_id = a->lanes[i].id, .runtime = a->runtime, .sysimage = a->sysimage};
		if (!a->txn->ops->leases_on(a->txn, &at, a->unstored.keys, count, a->now_s, a->arena, on, err))
			return false;
		note_held(a, on, held, &last);
	}
	*out = (struct jic_msg_leased){.state = JIC_LEASE_FREE, .keys = a->unstored.keys, .keys_count = count};
	if (last)
		answer_held(a, held, last, keys, out);
	return true;
}

static bool look(struct asking *a, const struct jic_msg_lease *request, enum jic_index_mode mode,
                 struct jic_msg_leased *out, struct jic_error *err)
{
	if (!begin(a, mode, err) || !find_unstored(a, request->lane, request->keys, request->keys_count, err))
		return false;
	*out = (struct jic_msg_leased){.state = JIC_LEASE_STORED};
	return !a->unstored.count || find_holders(a, out, err);
}

/* ---- taking */

static bool put(const struct asking *a, const struct jic_index_lease *lease, struct jic_error *err)
{
	return a->txn->ops->leases_delete(a->txn, a->now_s, SWEPT_AT_ONCE, err) &&
	       a->txn->ops->lease_put(a->txn, lease, a->unstored.keys, a->unstored.count, err) &&
	       a->txn->ops->commit(a->txn, err);
}

static void answer_granted(const struct asking *a, const struct jic_digest *id, uint64_t ends_s,
                           struct jic_msg_leased *out)
{
	*out = (struct jic_msg_leased){.state = JIC_LEASE_GRANTED,
	                               .lease = *id,
	                               .seconds = ends_s - a->now_s,
	                               .keys = a->unstored.keys,
	                               .keys_count = a->unstored.count};
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool grant(const struct asking *a, const struct jic_msg_lease *request, const struct jic_lease_asker *asker,
                  const struct jic_lease_limits *limits, struct jic_lease_result *out, struct jic_error *err)
{
	uint64_t held;
	if (!a->txn->ops->leases_count(a->txn, asker->writer, a->now_s, &held, err))
		return false;
	out->too_many = held >= limits->per_writer_max;
	if (out->too_many)
		return true;
	const uint64_t term_s = least(least(request->seconds, limits->term_s_max), limits->age_s_max);
	const struct jic_index_lease lease = {.hash = hash_of(asker->id),
	                                      .lane_id = a->lanes[a->lanes_count - 1].id,
	                                      .runtime = a->runtime,
	                                      .sysimage = a->sysimage,
	                                      .writer = asker->writer,
	                                      .created_s = a->now_s,
	                                      .ends_s = a->now_s + term_s};
	answer_granted(a, asker->id, lease.ends_s, &out->answer);
	return put(a, &lease, err);
}

/* Somebody may have been first since the reader looked. */
static bool take(struct jic_store *s, const struct jic_msg_lease *request, const struct jic_lease_asker *asker,
                 const struct jic_lease_limits *limits, struct jic_arena *arena, struct jic_lease_result *out,
                 struct jic_error *err)
{
	JIC_CLEAR(asking)
	struct asking a = {.store = s, .arena = arena, .runtime = request->runtime, .sysimage = request->sysimage};
	return look(&a, request, JIC_INDEX_WRITE, &out->answer, err) &&
	       (out->answer.state != JIC_LEASE_FREE || grant(&a, request, asker, limits, out, err));
}

/* ---- renewing */

static bool has_ended(struct jic_error *err)
{
	return jic_fail(err, JIC_ENOTFOUND, "there is no such lease: it has ended");
}

static bool find(struct asking *a, const struct jic_digest *id, struct jic_index_lease *out,
                 const struct jic_digest **keys, size_t *count, struct jic_error *err)
{
	const struct jic_digest hash = hash_of(id);
	struct jic_error why = {0};
	if (a->txn->ops->lease_find(a->txn, &hash, a->arena, out, keys, count, &why))
		return out->ends_s > a->now_s || has_ended(err);
	if (why.code == JIC_ENOTFOUND)
		return has_ended(err);
	if (err)
		*err = why;
	return false;
}

/* What it holds stays its own, whatever a lane above has granted since: both compile it then, and the parent wins. */
static bool renew(struct jic_store *s, const struct jic_msg_lease *request, const struct jic_lease_limits *limits,
                  struct jic_arena *arena, struct jic_msg_leased *out, struct jic_error *err)
{
	JIC_CLEAR(asking) struct asking a = {.store = s, .arena = arena};
	struct jic_index_lease lease;
	const struct jic_digest *keys = NULL;
	size_t count = 0;
	if (!request->seconds)
		return jic_fail(err, JIC_EUSAGE, "seconds: a lease is renewed for at least one");
	if (!begin(&a, JIC_INDEX_WRITE, err) || !find(&a, &request->lease, &lease, &keys, &count, err))
		return false;
	const uint64_t last_s = lease.created_s + limits->age_s_max;
	if (!jic_view_eq(lease.lane, request->lane) || last_s <= a.now_s)
		return has_ended(err);
	a.runtime = lease.runtime;
	a.sysimage = lease.sysimage;
	if (!find_unstored(&a, lease.lane, keys, count, err) || !a.txn->ops->lease_delete(a.txn, &lease.hash, err))
		return false;
	*out = (struct jic_msg_leased){.state = JIC_LEASE_STORED};
	if (!a.unstored.count)
		return a.txn->ops->commit(a.txn, err);
	lease.ends_s = least(a.now_s + least(request->seconds, limits->term_s_max), last_s);
	answer_granted(&a, &request->lease, lease.ends_s, out);
	return put(&a, &lease, err);
}

/* ---- the whole */

bool jic_store_lease(struct jic_store *s, const struct jic_msg_lease *request, const struct jic_lease_asker *asker,
                     const struct jic_lease_limits *limits, struct jic_arena *arena, struct jic_lease_result *out,
                     struct jic_error *err)
{
	*out = (struct jic_lease_result){0};
	if (request->renews)
		return renew(s, request, limits, arena, &out->answer, err);
	{
		JIC_CLEAR(asking)
		struct asking a = {
		    .store = s, .arena = arena, .runtime = request->runtime, .sysimage = request->sysimage};
		if (!look(&a, request, JIC_INDEX_READ, &out->answer, err))
			return false;
	}
	if (!asker->id || out->answer.state != JIC_LEASE_FREE)
		return true;
	return take(s, request, asker, limits, arena, out, err);
}

bool jic_store_lease_lane(struct jic_store *s, const struct jic_digest *id, struct jic_arena *arena,
                          struct jic_view *lane, struct jic_error *err)
{
	JIC_CLEAR(asking) struct asking a = {.store = s, .arena = arena};
	struct jic_index_lease lease;
	if (!begin(&a, JIC_INDEX_READ, err) || !find(&a, id, &lease, NULL, NULL, err))
		return false;
	*lane = lease.lane;
	return true;
}

bool jic_store_lease_end(struct jic_store *s, const struct jic_digest *id, struct jic_error *err)
{
	JIC_CLEAR(asking) struct asking a = {.store = s};
	const struct jic_digest hash = hash_of(id);
	return begin(&a, JIC_INDEX_WRITE, err) && a.txn->ops->lease_delete(a.txn, &hash, err) &&
	       a.txn->ops->commit(a.txn, err);
}
