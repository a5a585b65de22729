/*
 * The order of judgement:
 *
 *     1. what is stored, as a reader of the lane sees it          select.h, over the request's keys and all that they
 * require
 *     2. by address        the same bytes: EXISTING, others: TAKEN
 *     3. by requirements   all of them available: NEW, and what it provides becomes available; repeated until nothing
 * changes
 *     4. what is left      requires something of what is taken or hidden: SUPERSEDED, repeated; else INCOHERENT
 *
 * An artefact is hidden when it is stored in the lane or above it but not offered: a parent lane has got another one.
 */
#include "server/store/coherence.h"

struct check {
	const struct jic_lookup *lookup;
	struct jic_candidate *candidates;
	size_t count;
	struct jic_index_module *modules; /* of all candidates, sorted, each once */
	uint32_t *numbers;                /* of `modules` */
	size_t modules_count;
	size_t modules_total;                       /* with repetitions: room for any list of them */
	const struct jic_index_provider *providers; /* of `modules`, in the lookup's lanes */
	size_t providers_count;
	struct jic_selection stored;
	struct jic_module_map *available; /* what is offered, and what NEW candidates provide */
	struct jic_module_map lost;       /* what taken, superseded and hidden artefacts provide */
};

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "coherence: out of memory");
}

/* ---- numbers */

static int compare_modules(const void *pa, const void *pb)
{
	const struct jic_index_module *a = pa, *b = pb;
	int order = jic_uuid_cmp(a->uuid, b->uuid);
	if (!order)
		order = (a->build_id.lo > b->build_id.lo) - (a->build_id.lo < b->build_id.lo);
	return order ? order : (a->build_id.hi > b->build_id.hi) - (a->build_id.hi < b->build_id.hi);
}

static size_t gather(const struct jic_ji_module *from, size_t count, struct jic_index_module *to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (struct jic_index_module){.uuid = from[i].uuid, .build_id = from[i].build_id};
	return count;
}

static bool gather_modules(struct check *k)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < k->count; i++)
		total += k->candidates[i].provides_count + k->candidates[i].requires_count;
	k->modules_total = total;
	k->modules = jic_arena_array(k->lookup->arena, total + 1, sizeof *k->modules);
	k->numbers = jic_arena_array(k->lookup->arena, total + 1, sizeof *k->numbers);
	if (!k->modules || !k->numbers)
		return false;
	for (size_t i = 0; i < k->count; i++) {
		const struct jic_candidate *c = &k->candidates[i];
		n += gather(c->provides, c->provides_count, k->modules + n);
		n += gather(c->requires_, c->requires_count, k->modules + n);
	}
	qsort(k->modules, n, sizeof *k->modules, compare_modules);
	for (size_t i = 0; i < n; i++)
		if (!k->modules_count || compare_modules(&k->modules[k->modules_count - 1], &k->modules[i]) != 0)
			k->modules[k->modules_count++] = k->modules[i];
	return true;
}

static const uint32_t *numbers_of(const struct check *k, const struct jic_ji_module *modules, size_t count)
{
	uint32_t *out = jic_arena_array(k->lookup->arena, count + 1, sizeof *out);
	for (size_t i = 0; out && i < count; i++) {
		struct jic_index_module key;
		gather(&modules[i], 1, &key);
		const struct jic_index_module *found =
		    bsearch(&key, k->modules, k->modules_count, sizeof *k->modules, compare_modules);
		JIC_ASSERT(found);
		out[i] = k->numbers[found - k->modules];
	}
	return out;
}

static bool number_candidate(const struct check *k, struct jic_candidate *c)
{
	if (c->stored)
		return true;
	c->provides_numbers = numbers_of(k, c->provides, c->provides_count);
	c->requires_numbers = numbers_of(k, c->requires_, c->requires_count);
	c->provides_numbers_count = c->provides_count;
	c->requires_numbers_count = c->requires_count;
	return c->provides_numbers && c->requires_numbers;
}

static bool number(struct check *k, struct jic_error *err)
{
	struct jic_index_txn *t = k->lookup->txn;
	if (!gather_modules(k))
		return out_of_memory(err);
	if (!t->ops->modules_put(t, k->modules, k->modules_count, k->numbers, err))
		return false;
	for (size_t i = 0; i < k->count; i++)
		if (!number_candidate(k, &k->candidates[i]))
			return out_of_memory(err);
	return true;
}

/* ---- what is stored */

static bool load_providers(struct check *k, struct jic_error *err)
{
	const struct jic_index_provider *found;
	size_t found_count;
	struct jic_index_txn *t = k->lookup->txn;
	if (!t->ops->providers(t, k->lookup->space, k->modules, k->modules_count, k->lookup->arena, &found,
	                       &found_count, err))
		return false;
	struct jic_index_provider *mine = jic_arena_array(k->lookup->arena, found_count + 1, sizeof *mine);
	if (!mine)
		return out_of_memory(err);
	for (size_t i = 0; i < found_count; i++)
		if (jic_lookup_has_lane(k->lookup, found[i].lane_id))
			mine[k->providers_count++] = found[i];
	k->providers = mine;
	return true;
}

static bool load_stored(struct check *k, struct jic_error *err)
{
	struct jic_digest *keys = jic_arena_array(k->lookup->arena, k->count + k->providers_count + 1, sizeof *keys);
	struct jic_key_set set;
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < k->count; i++)
		keys[i] = k->candidates[i].artefact->key;
	for (size_t i = 0; i < k->providers_count; i++)
		keys[k->count + i] = k->providers[i].key;
	if (!jic_key_set_of(k->lookup->arena, keys, k->count + k->providers_count, &set))
		return out_of_memory(err);
	k->available = &k->stored.modules;
	return jic_select_closed(k->lookup, &set, &k->stored, err);
}

/* ---- fates */

bool jic_same_bytes(const struct jic_msg_record *r, const struct jic_msg_artefact *a)
{
	return jic_digest_eq(&r->ji.digest, &a->ji) && r->has_image == a->has_image &&
	       (!a->has_image || jic_digest_eq(&r->image.digest, &a->image));
}

static void judge_addresses(struct check *k)
{
	for (size_t i = 0; i < k->count; i++) {
		struct jic_candidate *c = &k->candidates[i];
		const struct jic_index_artefact *holder = jic_selection_find(&k->stored, &c->artefact->key);
		c->fate = !holder                                        ? JIC_FATE_OPEN
		          : jic_same_bytes(&holder->record, c->artefact) ? JIC_FATE_EXISTING
		                                                         : JIC_FATE_TAKEN;
	}
}

static bool put_provided(struct jic_module_map *map, const struct jic_candidate *c)
{
	for (size_t i = 0; i < c->provides_numbers_count; i++)
		if (!jic_module_map_put(map, c->provides_numbers[i], 0))
			return false;
	return true;
}

static bool requires_all_of(const struct jic_candidate *c, const struct jic_module_map *map)
{
	for (size_t i = 0; i < c->requires_numbers_count; i++)
		if (!jic_module_map_get(map, c->requires_numbers[i], NULL))
			return false;
	return true;
}

static bool requires_any_of(const struct jic_candidate *c, const struct jic_module_map *map)
{
	for (size_t i = 0; i < c->requires_numbers_count; i++)
		if (jic_module_map_get(map, c->requires_numbers[i], NULL))
			return true;
	return false;
}

typedef bool requirement_test(const struct jic_candidate *c, const struct jic_module_map *map);

/* Every open candidate that passes `test` on `map` gets `fate`, and what it provides joins `map`, until none does. */
static bool spread(struct check *k, struct jic_module_map *map, requirement_test *test, enum jic_fate fate)
{
	bool changed = true;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < k->count; i++) {
			struct jic_candidate *c = &k->candidates[i];
			if (c->fate != JIC_FATE_OPEN || !test(c, map))
				continue;
			c->fate = fate;
			changed = true;
			if (!put_provided(map, c))
				return false;
		}
	}
	return true;
}

/* A loser may have been written anew from the winner's own compile: what the winner provides is not lost. */
static bool put_lost(struct check *k, uint32_t module)
{
	return jic_module_map_get(k->available, module, NULL) || jic_module_map_put(&k->lost, module, 0);
}

static bool find_lost(struct check *k)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct jic_candidate *c = &k->candidates[i];
		for (size_t j = 0; c->fate == JIC_FATE_TAKEN && j < c->provides_numbers_count; j++)
			if (!put_lost(k, c->provides_numbers[j]))
				return false;
	}
	for (size_t i = 0; i < k->providers_count; i++)
		if (!put_lost(k, k->providers[i].module))
			return false;
	return true;
}

static bool judge(struct check *k)
{
	judge_addresses(k);
	if (!spread(k, k->available, requires_all_of, JIC_FATE_NEW) || !find_lost(k) ||
	    !spread(k, &k->lost, requires_any_of, JIC_FATE_SUPERSEDED))
		return false;
	for (size_t i = 0; i < k->count; i++)
		if (k->candidates[i].fate == JIC_FATE_OPEN)
			k->candidates[i].fate = JIC_FATE_INCOHERENT;
	return true;
}

/* ---- the same build id twice: Julia would take one for the other */

struct provided {
	struct jic_index_module module;
	const struct jic_candidate *candidate;
};

/* By UUID and the low half of the build id, which is what Julia relies on. */
static int compare_low(const struct jic_index_module *a, const struct jic_index_module *b)
{
	int order = jic_uuid_cmp(a->uuid, b->uuid);
	return order ? order : (a->build_id.lo > b->build_id.lo) - (a->build_id.lo < b->build_id.lo);
}

static int compare_provided(const void *a, const void *b)
{
	return compare_low(&((const struct provided *)a)->module, &((const struct provided *)b)->module);
}

static size_t gather_provided(const struct check *k, struct provided *out)
{
	size_t n = 0;
	for (size_t i = 0; i < k->count; i++) {
		const struct jic_candidate *c = &k->candidates[i];
		for (size_t j = 0; j < c->provides_count; j++, n++) {
			out[n].candidate = c;
			gather(&c->provides[j], 1, &out[n].module);
		}
	}
	qsort(out, n, sizeof *out, compare_provided);
	return n;
}

static const struct jic_candidate *find_clash_inside(const struct provided *provided, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare_low(&provided[i - 1].module, &provided[i].module) == 0 &&
		    !jic_digest_eq(&provided[i - 1].candidate->artefact->ji, &provided[i].candidate->artefact->ji))
			return provided[i].candidate;
	return NULL;
}

static const struct jic_candidate *find_clash_stored(const struct check *k, const struct provided *provided,
                                                     size_t count)
{
	for (size_t i = 0; i < k->providers_count; i++) {
		const struct provided key = {.module = k->providers[i].full};
		const struct provided *found = bsearch(&key, provided, count, sizeof *provided, compare_provided);
		if (found && !jic_digest_eq(&found->candidate->artefact->ji, &k->providers[i].ji))
			return found->candidate;
	}
	return NULL;
}

/* @param[out] out NULL when there is none */
static bool find_clash(const struct check *k, const struct jic_candidate **out)
{
	struct provided *provided = jic_arena_array(k->lookup->arena, k->modules_total + 1, sizeof *provided);
	if (!provided)
		return false;
	size_t count = gather_provided(k, provided);
	*out = find_clash_inside(provided, count);
	if (!*out)
		*out = find_clash_stored(k, provided, count);
	return true;
}

/* ---- the answer */

static size_t put_keys(const struct check *k, enum jic_fate fate, struct jic_digest *out)
{
	size_t n = 0;
	for (size_t i = 0; i < k->count; i++)
		if (k->candidates[i].fate == fate)
			out[n++] = k->candidates[i].artefact->key;
	return n;
}

static bool gather_needed(const struct check *k, struct jic_module_map *out)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct jic_candidate *c = &k->candidates[i];
		for (size_t j = 0; c->fate == JIC_FATE_SUPERSEDED && j < c->requires_numbers_count; j++)
			if (!jic_module_map_put(out, c->requires_numbers[j], 0))
				return false;
	}
	return true;
}

/* Addresses outside of the request whose hidden artefacts the request was built on. */
static bool put_hidden(const struct check *k, struct jic_digest *out, size_t *count)
{
	struct jic_digest *requested = jic_arena_array(k->lookup->arena, k->count + 1, sizeof *requested);
	struct jic_module_map needed = {.arena = k->lookup->arena};
	struct jic_key_set own, hidden;
	size_t n = 0;
	if (!requested || !gather_needed(k, &needed))
		return false;
	for (size_t i = 0; i < k->count; i++)
		requested[i] = k->candidates[i].artefact->key;
	for (size_t i = 0; i < k->providers_count; i++)
		if (jic_module_map_get(&k->lost, k->providers[i].module, NULL) &&
		    jic_module_map_get(&needed, k->providers[i].module, NULL))
			out[n++] = k->providers[i].key;
	if (!jic_key_set_of(k->lookup->arena, requested, k->count, &own) ||
	    !jic_key_set_of(k->lookup->arena, out, n, &hidden) ||
	    !jic_key_set_minus(k->lookup->arena, &hidden, &own, &hidden))
		return false;
	if (hidden.count)
		memcpy(out, hidden.keys, hidden.count * sizeof *out);
	*count = hidden.count;
	return true;
}

static bool answer_superseded(const struct check *k, struct jic_publish_result *out, struct jic_error *err)
{
	struct jic_digest *keys = jic_arena_array(k->lookup->arena, k->count + k->providers_count + 1, sizeof *keys);
	size_t hidden;
	if (!keys)
		return out_of_memory(err);
	size_t n = put_keys(k, JIC_FATE_TAKEN, keys);
	if (!put_hidden(k, keys + n, &hidden))
		return out_of_memory(err);
	n += hidden;
	size_t built_on = put_keys(k, JIC_FATE_SUPERSEDED, keys + n);
	out->outcome = JIC_PUBLISH_SUPERSEDED;
	out->detail =
	    jic_arena_printf(k->lookup->arena,
	                     "%zu addresses have another artefact already, on whose rivals %zu of the request "
	                     "were built: fetch those that are stored and compile these anew",
	                     n, built_on);
	out->keys = keys;
	out->keys_count = n + built_on;
	return true;
}

static bool answer_one(const struct check *k, enum jic_publish_outcome outcome, const struct jic_candidate *c,
                       struct jic_view detail, struct jic_publish_result *out, struct jic_error *err)
{
	struct jic_digest *key = JIC_ARENA_NEW(k->lookup->arena, struct jic_digest);
	if (!key || k->lookup->arena->failed)
		return out_of_memory(err);
	*key = c->artefact->key;
	*out = (struct jic_publish_result){.outcome = outcome, .keys = key, .keys_count = 1, .detail = detail};
	return true;
}

static struct jic_view explain_incoherent(const struct check *k, const struct jic_candidate *c)
{
	for (size_t i = 0; i < c->requires_count; i++) {
		char id[JIC_BUILD_ID_TEXT + 1];
		if (jic_module_map_get(k->available, c->requires_numbers[i], NULL))
			continue;
		jic_build_id_format(c->requires_[i].build_id, id);
		return jic_arena_printf(k->lookup->arena,
		                        JIC_PRIv " requires build %s of " JIC_PRIv
		                                 ", which is neither part of the runtime or the system image, nor "
		                                 "stored, nor in the request",
		                        JIC_ARGv(c->artefact->node.name), id, JIC_ARGv(c->requires_[i].name));
	}
	return JIC_VIEW("requires what is not stored any more");
}

static bool answer(const struct check *k, struct jic_publish_result *out, struct jic_error *err)
{
	const struct jic_candidate *by_fate[JIC_FATE_INCOHERENT + 1] = {0};
	for (size_t i = k->count; i-- > 0;)
		by_fate[k->candidates[i].fate] = &k->candidates[i];
	if (by_fate[JIC_FATE_TAKEN] || by_fate[JIC_FATE_SUPERSEDED])
		return answer_superseded(k, out, err);
	const struct jic_candidate *incoherent = by_fate[JIC_FATE_INCOHERENT];
	if (incoherent)
		return answer_one(k, JIC_PUBLISH_INCOHERENT, incoherent, explain_incoherent(k, incoherent), out, err);
	const struct jic_candidate *clash;
	if (!find_clash(k, &clash))
		return out_of_memory(err);
	if (clash)
		return answer_one(k, JIC_PUBLISH_BAD_ARTEFACT, clash,
		                  jic_arena_printf(k->lookup->arena, JIC_PRIv " has the build id of another artefact",
		                                   JIC_ARGv(clash->artefact->node.name)),
		                  out, err);
	*out = (struct jic_publish_result){.outcome = JIC_PUBLISH_DONE};
	return true;
}

bool jic_coherence_check(const struct jic_lookup *lookup, struct jic_candidate *candidates, size_t count,
                         struct jic_publish_result *out, struct jic_error *err)
{
	struct check k = {.lookup = lookup, .candidates = candidates, .count = count, .lost.arena = lookup->arena};
	if (!number(&k, err) || !load_providers(&k, err) || !load_stored(&k, err))
		return false;
	if (!judge(&k))
		return out_of_memory(err);
	return answer(&k, out, err);
}
