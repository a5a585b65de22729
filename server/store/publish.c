/*
 * The life of a publish:
 *
 *     request      runtime, sysimage modules, keys: contradictions are refused before anything is read
 *     read         what is stored already, the same bytes, needs not to be read again
 *     bytes        every other artefact is inspected, outside of any transaction: this is what takes long
 *     write        one transaction: coherence against what is stored now, then rows; all of them or none
 *
 * Nothing decided before the last step counts in it but what the bytes say, and bytes under a digest do not change.
 */
#include "server/store/declaration.h"
#include "server/store/inspect.h"
#include "server/store/internal.h"
#include "server/store/pack.h"
#include "server/store/signatures.h"
#include "server/store/space.h"

enum {
	ATTEMPTS = 2, /* the second reads all bytes, however much is stored */
};

struct publish {
	struct jic_store *store;
	const struct jic_msg_publish *request;
	struct jic_view writer;
	struct jic_arena *arena;
	struct jic_publish_result *out;
	struct jic_inspection inspection;
	char runtime[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_buf sysimage_modules; /* packed */
	struct jic_candidate *candidates;
	bool declared; /* the lane or one above has said what the system image has */
	bool refused;  /* `out` says why */
};

static void publish_clear(struct publish *p)
{
	jic_buf_clear(&p->sysimage_modules);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "publish: out of memory");
}

/* ---- refusing: a refusal is an answer, so these return true unless memory is exhausted */

static bool refuse(struct publish *p, enum jic_publish_outcome outcome, const struct jic_msg_artefact *a,
                   struct jic_view detail, struct jic_error *err)
{
	struct jic_digest *key = JIC_ARENA_NEW(p->arena, struct jic_digest);
	if (!key || p->arena->failed)
		return out_of_memory(err);
	*key = a->key;
	*p->out = (struct jic_publish_result){.outcome = outcome, .keys = key, .keys_count = 1, .detail = detail};
	p->refused = true;
	return true;
}

/* Sort failures of inspection into answers and failures of the store. */
static bool refuse_for(struct publish *p, const struct jic_msg_artefact *a, const struct jic_error *why,
                       struct jic_error *err)
{
	struct jic_view name = jic_view_head(a->node.name, 120);
	switch (why->code) {
	case JIC_ENOTFOUND:
		return refuse(p, JIC_PUBLISH_BLOB_MISSING, a,
		              jic_arena_printf(p->arena, "bytes of " JIC_PRIv " were not uploaded", JIC_ARGv(name)),
		              err);
	case JIC_EFORMAT:
	case JIC_ECORRUPT:
	case JIC_ELIMIT:
	case JIC_EUSAGE:
	case JIC_EUNSUPPORTED:
		return refuse(p, JIC_PUBLISH_BAD_ARTEFACT, a,
		              jic_arena_printf(p->arena, JIC_PRIv ": %s", JIC_ARGv(name), why->text), err);
	default:
		if (err)
			*err = *why;
		return false;
	}
}

/* ---- the request */

static bool refuse_duplicates(struct publish *p, struct jic_error *err)
{
	const struct jic_msg_publish *r = p->request;
	struct jic_digest *keys = jic_arena_array(p->arena, r->artefacts_count, sizeof *keys);
	struct jic_key_set set;
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < r->artefacts_count; i++)
		keys[i] = r->artefacts[i].key;
	if (!jic_key_set_of(p->arena, keys, r->artefacts_count, &set))
		return out_of_memory(err);
	if (set.count == r->artefacts_count)
		return true;
	uint8_t *seen = jic_arena_array(p->arena, set.count, sizeof *seen);
	if (!seen)
		return out_of_memory(err);
	for (size_t i = 0; i < r->artefacts_count; i++) {
		size_t at = jic_key_set_find(&set, &keys[i]);
		if (seen[at]++)
			return refuse(p, JIC_PUBLISH_BAD_ARTEFACT, &r->artefacts[i],
			              JIC_VIEW("the request names this key twice"), err);
	}
	return true;
}

static bool check_request(struct publish *p, struct jic_error *err)
{
	const struct jic_msg_publish *r = p->request;
	struct jic_error why;
	if (!jic_inspection_begin(&p->inspection, p->store, r, p->arena, p->runtime, &why))
		return refuse_for(p, &r->artefacts[0], &why, err);
	for (size_t i = 0; i < r->artefacts_count; i++)
		if (!jic_inspect_key(&r->artefacts[i], &why))
			return refuse_for(p, &r->artefacts[i], &why, err);
	return jic_pack_modules(r->sysimage_modules, r->sysimage_modules_count, &p->sysimage_modules, err) &&
	       refuse_duplicates(p, err);
}

/* ---- reading: the lane, the space, what is there */

static bool pass_unless(const struct jic_error *why, enum jic_code expected, struct jic_error *err)
{
	if (why->code == expected)
		return true;
	if (err)
		*err = *why;
	return false;
}

static bool check_declaration(struct publish *p, const struct jic_lookup *lookup, struct jic_error *err)
{
	enum jic_declared declared;
	if (!jic_declaration_compare(lookup, jic_buf_view(&p->sysimage_modules), &declared, err))
		return false;
	p->declared = declared != JIC_DECLARED_NOTHING;
	return declared != JIC_DECLARED_OTHER ||
	       refuse(p, JIC_PUBLISH_BAD_ARTEFACT, &p->request->artefacts[0],
	              JIC_VIEW("the request declares other modules of the system image than the first publish did"),
	              err);
}

/* @param[out] lookup its space is 0 when nothing was published for it yet */
static bool open_lookup(struct publish *p, struct jic_index_txn *t, struct jic_lookup *lookup, struct jic_error *err)
{
	struct jic_error why;
	struct jic_view lane = p->request->lane.len ? p->request->lane : JIC_VIEW(JIC_LANE_MAIN);
	*lookup = (struct jic_lookup){.txn = t, .arena = p->arena};
	if (!t->ops->lane_chain(t, lane, p->arena, &lookup->lanes, &lookup->lanes_count, err))
		return false;
	if (!t->ops->space_find(t, jic_view_of(p->runtime), &p->request->sysimage, &lookup->space, &why))
		return pass_unless(&why, JIC_ENOTFOUND, err);
	return check_declaration(p, lookup, err);
}

static void note_stored(struct jic_candidate *c, const struct jic_msg_artefact *a,
                        const struct jic_index_artefact *stored)
{
	*c = (struct jic_candidate){.artefact = a,
	                            .stored = stored,
	                            .provides_numbers = stored->provides,
	                            .provides_numbers_count = stored->provides_count,
	                            .requires_numbers = stored->requires_,
	                            .requires_numbers_count = stored->requires_count};
}

static bool find_stored(struct publish *p, struct jic_error *err)
{
	struct jic_lookup lookup;
	struct jic_selection selection;
	struct jic_key_set keys;
	const struct jic_msg_publish *r = p->request;
	struct jic_digest *list = jic_arena_array(p->arena, r->artefacts_count, sizeof *list);
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = p->store->index->ops->begin(p->store->index, JIC_INDEX_READ, err);
	if (!t || !open_lookup(p, t, &lookup, err))
		return false;
	if (p->refused || !lookup.space)
		return true;
	for (size_t i = 0; list && i < r->artefacts_count; i++)
		list[i] = r->artefacts[i].key;
	if (!list || !jic_key_set_of(p->arena, list, r->artefacts_count, &keys))
		return out_of_memory(err);
	if (!jic_select_closed(&lookup, &keys, &selection, err))
		return false;
	for (size_t i = 0; i < r->artefacts_count; i++) {
		const struct jic_index_artefact *a = jic_selection_find(&selection, &r->artefacts[i].key);
		if (a && jic_same_bytes(&a->record, &r->artefacts[i]))
			note_stored(&p->candidates[i], &r->artefacts[i], a);
	}
	return true;
}

/* ---- bytes */

static bool inspect_all(struct publish *p, struct jic_error *err)
{
	const struct jic_msg_publish *r = p->request;
	p->inspection.requires_total = 0;
	for (size_t i = 0; i < r->artefacts_count; i++) {
		struct jic_error why;
		if (p->candidates[i].stored)
			continue;
		if (!jic_inspect(&p->inspection, &r->artefacts[i], &p->candidates[i], &why))
			return refuse_for(p, &r->artefacts[i], &why, err);
	}
	return true;
}

/* ---- signatures */

static struct jic_signature_check signature_check(const struct publish *p)
{
	return (struct jic_signature_check){
	    .store = p->store, .request = p->request, .runtime = jic_view_of(p->runtime), .arena = p->arena};
}

static bool refuse_signature(struct publish *p, const struct jic_msg_artefact *a, const char *why,
                             struct jic_error *err)
{
	return refuse(p, JIC_PUBLISH_BAD_SIGNATURE, a,
	              jic_arena_printf(p->arena, JIC_PRIv ": %s", JIC_ARGv(jic_view_head(a->node.name, 120)), why),
	              err);
}

/* Outside of any transaction: a few hundred of them take some tens of milliseconds. */
static bool check_signatures(struct publish *p, struct jic_error *err)
{
	const struct jic_signature_check check = signature_check(p);
	for (size_t i = 0; i < p->request->artefacts_count; i++) {
		struct jic_error why = {0};
		if (jic_signature_check(&check, &p->candidates[i], &why))
			continue;
		if (why.code == JIC_EDENIED)
			return refuse_signature(p, p->candidates[i].artefact, why.text, err);
		if (err)
			*err = why;
		return false;
	}
	return true;
}

/* One request is signed by one key, as a rule: it is looked up once. */
static bool refuse_recalled_keys(struct publish *p, struct jic_index_txn *t, struct jic_error *err)
{
	const struct jic_digest *last = NULL;
	for (size_t i = 0; i < p->request->artefacts_count; i++) {
		const struct jic_msg_artefact *a = &p->request->artefacts[i];
		char hex[JIC_DIGEST_HEX + 1];
		uint64_t id;
		if (!a->has_signature || (last && jic_digest_eq(last, &a->signature.key)))
			continue;
		last = &a->signature.key;
		jic_digest_hex(last, hex);
		const struct jic_index_maker maker = {.kind = JIC_BY_KEY, .who = jic_view_of(hex)};
		if (!t->ops->recall_find(t, &maker, &id, err))
			return false;
		if (id)
			return refuse_signature(p, a, "the key that signed it was recalled", err);
	}
	return true;
}

static bool refuse_recalled(struct publish *p, struct jic_index_txn *t, struct jic_error *err)
{
	const struct jic_msg_publish *r = p->request;
	struct jic_digest *keys = jic_arena_array(p->arena, r->artefacts_count, sizeof *keys);
	size_t count = 0;
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < r->artefacts_count; i++) {
		bool recalled;
		if (!t->ops->recalled_find(t, &r->artefacts[i].ji, &recalled, err))
			return false;
		if (recalled)
			keys[count++] = r->artefacts[i].key;
	}
	if (!count)
		return refuse_recalled_keys(p, t, err);
	*p->out = (struct jic_publish_result){
	    .outcome = JIC_PUBLISH_RECALLED,
	    .keys = keys,
	    .keys_count = count,
	    .detail = JIC_VIEW("the server's administrator has recalled this build: remove it here, and compile anew")};
	p->refused = true;
	return true;
}

/* ---- writing */

/* What the lane has under the address although nothing is offered there was built on something that a parent has
 * replaced since. It makes room. */
static bool make_room(const struct jic_lookup *lookup, const struct jic_digest *key, struct jic_error *err)
{
	struct jic_index_txn *t = lookup->txn;
	const struct jic_lane *lane = &lookup->lanes[lookup->lanes_count - 1];
	struct jic_error why;
	if (t->ops->artefact_delete(t, lane->id, lookup->space, key, &why) || why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool use_blobs(struct publish *p, struct jic_index_txn *t, const struct jic_msg_artefact *a,
                      struct jic_error *err)
{
	struct jic_error why;
	if (t->ops->blob_use(t, &a->ji, &why) && (!a->has_image || t->ops->blob_use(t, &a->image, &why)))
		return true;
	return refuse_for(p, a, &why, err);
}

static struct jic_view writer_of(const struct publish *p, const struct jic_msg_artefact *a)
{
	return a->origin ? a->origin->writer : p->writer;
}

static bool store_new(struct publish *p, const struct jic_lookup *lookup, const struct jic_candidate *c,
                      struct jic_error *err)
{
	struct jic_index_artefact row = {
	    .node = c->artefact->node,
	    .lane_id = lookup->lanes[lookup->lanes_count - 1].id,
	    .provides = c->provides_numbers,
	    .provides_count = c->provides_numbers_count,
	    .requires_ = c->requires_numbers,
	    .requires_count = c->requires_numbers_count,
	    .writer = writer_of(p, c->artefact),
	    .published_s = jic_store_now_s(),
	};
	jic_candidate_record(p->request, c, &row.record);
	/* Room first: what is deleted gives up its blobs, which may be the new one's too. */
	if (!make_room(lookup, &c->artefact->key, err) || !use_blobs(p, lookup->txn, c->artefact, err))
		return false;
	return p->refused || lookup->txn->ops->artefact_put(lookup->txn, lookup->space, &row, err);
}

static size_t list_keys(const struct publish *p, enum jic_fate fate, struct jic_digest *out)
{
	size_t n = 0;
	for (size_t i = 0; i < p->request->artefacts_count; i++)
		if (p->candidates[i].fate == fate)
			out[n++] = p->candidates[i].artefact->key;
	return n;
}

static bool adopt_signatures(struct publish *p, const struct jic_lookup *lookup, struct jic_error *err)
{
	const struct jic_signature_check check = signature_check(p);
	for (size_t i = 0; i < p->request->artefacts_count; i++)
		if (p->candidates[i].fate == JIC_FATE_EXISTING &&
		    !jic_signature_adopt(lookup, &check, &p->candidates[i], writer_of(p, p->candidates[i].artefact),
		                         err))
			return false;
	return true;
}

/* Inside of the transaction that has stored all: what it sees is what the lane would have. */
static bool check_quota(struct publish *p, const struct jic_lookup *lookup, struct jic_error *err)
{
	const struct jic_lane *chain, *lane;
	size_t depth;
	if (!lookup->txn->ops->lane_chain(lookup->txn, lookup->lanes[lookup->lanes_count - 1].name, p->arena, &chain,
	                                  &depth, err))
		return false;
	lane = &chain[depth - 1];
	if (!lane->quota_bytes || lane->stored_bytes <= lane->quota_bytes)
		return true;
	jic_space_wake(p->store);
	return refuse(p, JIC_PUBLISH_OVER_QUOTA, &p->request->artefacts[0],
	              jic_arena_printf(p->arena,
	                               "lane " JIC_PRIv
	                               " is full: its quota is %llu bytes; what saves least is evicted now",
	                               JIC_ARGv(lane->name), (unsigned long long)lane->quota_bytes),
	              err);
}

static bool store_all(struct publish *p, const struct jic_lookup *lookup, struct jic_error *err)
{
	size_t count = p->request->artefacts_count;
	struct jic_digest *published = jic_arena_array(p->arena, count, sizeof *published);
	struct jic_digest *existing = jic_arena_array(p->arena, count, sizeof *existing);
	if (!published || !existing)
		return out_of_memory(err);
	for (size_t i = 0; i < count && !p->refused; i++)
		if (p->candidates[i].fate == JIC_FATE_NEW && !store_new(p, lookup, &p->candidates[i], err))
			return false;
	if (p->refused)
		return true;
	if (!adopt_signatures(p, lookup, err) || !check_quota(p, lookup, err))
		return false;
	if (p->refused)
		return true;
	p->out->published = (struct jic_msg_published){
	    .published = published,
	    .published_count = list_keys(p, JIC_FATE_NEW, published),
	    .existing = existing,
	    .existing_count = list_keys(p, JIC_FATE_EXISTING, existing),
	};
	return lookup->txn->ops->commit(lookup->txn, err);
}

/* Was something taken for stored that is not there any more? */
static bool was_evicted(const struct publish *p)
{
	for (size_t i = 0; i < p->request->artefacts_count; i++) {
		const struct jic_candidate *c = &p->candidates[i];
		if (c->stored && (c->fate == JIC_FATE_NEW || c->fate == JIC_FATE_INCOHERENT))
			return true;
	}
	return false;
}

/* What the address stands for: the index writes it once. @param[in,out] space 0: to be made */
static bool describe_space(struct publish *p, struct jic_index_txn *t, uint64_t *space, struct jic_error *err)
{
	const struct jic_msg_publish *r = p->request;
	struct jic_msg_runtime runtime = {.id = jic_view_of(p->runtime), .parts = r->runtime};
	return jic_runtime_bundled_digest(&r->runtime, &runtime.bundled, err) &&
	       t->ops->runtime_put(t, &runtime, err) &&
	       (*space || t->ops->space_put(t, runtime.id, &r->sysimage, space, err));
}

static bool declare(struct publish *p, const struct jic_lookup *lookup, struct jic_error *err)
{
	const uint64_t lane = lookup->lanes[lookup->lanes_count - 1].id;
	return p->declared || lookup->txn->ops->declaration_put(lookup->txn, lane, lookup->space,
	                                                        jic_buf_view(&p->sysimage_modules), err);
}

static bool write_all(struct publish *p, bool *again, struct jic_error *err)
{
	struct jic_lookup lookup;
	JIC_AUTO(jic_index_txn)
	struct jic_index_txn *t = p->store->index->ops->begin(p->store->index, JIC_INDEX_WRITE, err);
	*again = false;
	if (!t || !open_lookup(p, t, &lookup, err) || (!p->refused && !refuse_recalled(p, t, err)))
		return false;
	if (p->refused)
		return true;
	if (!describe_space(p, t, &lookup.space, err) || !declare(p, &lookup, err))
		return false;
	if (!jic_coherence_check(&lookup, p->candidates, p->request->artefacts_count, p->out, err))
		return false;
	*again = was_evicted(p);
	p->refused = p->out->outcome != JIC_PUBLISH_DONE;
	return *again || p->refused || store_all(p, &lookup, err);
}

static bool attempt(struct publish *p, bool trust_stored, bool *again, struct jic_error *err)
{
	*again = false;
	p->refused = false;
	p->candidates = jic_arena_array(p->arena, p->request->artefacts_count, sizeof *p->candidates);
	if (!p->candidates)
		return out_of_memory(err);
	if (trust_stored && (!find_stored(p, err) || p->refused))
		return p->refused;
	if (!inspect_all(p, err) || p->refused || !check_signatures(p, err) || p->refused)
		return p->refused;
	return write_all(p, again, err);
}

static bool publish(struct publish *p, struct jic_error *err)
{
	if (!check_request(p, err) || p->refused)
		return p->refused;
	bool again = true;
	for (int i = 0; again && i < ATTEMPTS; i++)
		if (!attempt(p, i == 0, &again, err))
			return false;
	JIC_ASSERT(!again);
	return true;
}

static const char *outcome_name(enum jic_publish_outcome outcome)
{
	static const char *const names[] = {
	    [JIC_PUBLISH_DONE] = "done",
	    [JIC_PUBLISH_SUPERSEDED] = "superseded",
	    [JIC_PUBLISH_BAD_ARTEFACT] = "bad-artefact",
	    [JIC_PUBLISH_INCOHERENT] = "incoherent",
	    [JIC_PUBLISH_OVER_QUOTA] = "over-quota",
	    [JIC_PUBLISH_BLOB_MISSING] = "blob-missing",
	    [JIC_PUBLISH_BAD_SIGNATURE] = "bad-signature",
	    [JIC_PUBLISH_RECALLED] = "recalled",
	};
	return names[outcome];
}

bool jic_store_publish(struct jic_store *s, const struct jic_msg_publish *request, struct jic_view writer,
                       struct jic_arena *arena, struct jic_publish_result *out, struct jic_error *err)
{
	JIC_CLEAR(publish)
	struct publish p = {.store = s, .request = request, .writer = writer, .arena = arena, .out = out};
	*out = (struct jic_publish_result){.outcome = JIC_PUBLISH_DONE};
	if (!request->artefacts_count)
		return true;
	if (!jic_space_check_disk(s, err) || !publish(&p, err))
		return jic_wrap(err, "publish");
	jic_log_info(s->log, "store.publish", JIC_STRV("lane", request->lane), JIC_STR("runtime", p.runtime),
	             JIC_STR("outcome", outcome_name(out->outcome)), JIC_U64("artefacts", request->artefacts_count),
	             JIC_U64("published", out->published.published_count));
	return true;
}
