/* Signatures on publish and in resolve, and recalls. */
#include "server/store/internal.h"
#include "server/store/recall.h"
#include "tests/support/forge_sign.h"

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};
static const struct forged other = {.name = "Other", .id = 4, .build = 14};

static struct jic_signing_key *new_key(void)
{
	struct jic_signing_key *key = jic_signing_key_new(NULL);
	cr_assert(key);
	return key;
}

static enum jic_publish_outcome publish_signed(struct jic_store *s, const char *lane, const struct forged *const *set,
                                               size_t count, const struct jic_signing_key *key)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	jic_autofree struct forged_request *r = signed_request(lane, set, count, key);
	forge_upload_all(s, set, count);
	forge_submit(s, &r->message, &arena, &result);
	return result.outcome;
}

static void resolve_for(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count,
                        const struct jic_signing_key *key, struct jic_arena *arena, struct jic_msg_resolved *out)
{
	struct jic_error err = {0};
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_runtime runtime = forged_runtime("1.10.5");
	struct jic_digest keys[8];
	struct jic_build_id have[8];
	cr_assert(jic_runtime_id(&runtime, id, &err) && count <= JIC_COUNT(keys));
	for (size_t i = 0; i < count; i++) {
		forged_key(set[i], &keys[i]);
		have[i] = forged_build_id(set[i]);
	}
	struct jic_view runtimes[] = {jic_arena_copy(arena, jic_view_of(id))};
	const struct jic_msg_resolve request = {.lane = jic_view_of(lane),
	                                        .sysimage = forged_sysimage(),
	                                        .runtimes = runtimes,
	                                        .runtimes_count = 1,
	                                        .keys = keys,
	                                        .keys_count = count,
	                                        .signers = key ? jic_signing_key_public(key) : NULL,
	                                        .signers_count = key != NULL,
	                                        .have = have,
	                                        .have_count = count};
	cr_assert(jic_store_resolve(s, &request, arena, out, &err), "%s", err.text);
}

static size_t offered(struct jic_store *s, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	return forge_resolve(s, "main", set, count, &arena).records_count;
}

/* ---- publishing */

Test(signatures, are_stored_and_told)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha, &beta), key), JIC_PUBLISH_DONE);
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&alpha, &beta), &arena);
	const struct jic_statement_place at = {.runtime = set.runtime, .sysimage = forged_sysimage()};
	cr_assert_eq(set.records_count, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect(jic_statement_verify(&at, &set.records[i], NULL));
		cr_expect(jic_digest_eq(&set.records[i].signature.key, jic_signing_key_public(key)));
	}
}

#define REFUSED_WHEN(change, word)                                                                                     \
	do {                                                                                                           \
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};                                                     \
		struct jic_publish_result result;                                                                      \
		jic_autofree struct forged_request *r = signed_request("main", FORGED_SET(&alpha, &beta), key);        \
		struct jic_msg_artefact *a = &r->artefacts[1];                                                         \
		change;                                                                                                \
		(void)a;                                                                                               \
		forge_submit(s, &r->message, &arena, &result);                                                         \
		cr_expect_eq(result.outcome, JIC_PUBLISH_BAD_SIGNATURE, "%s", #change);                                \
		cr_expect(result.detail.len &&memmem(result.detail.ptr, result.detail.len, word, strlen(word)),        \
		          "%s: " JIC_PRIv, #change, JIC_ARGv(result.detail));                                          \
		cr_expect_eq(result.keys_count, 1);                                                                    \
		cr_expect_eq(offered(s, FORGED_SET(&alpha, &beta)), 0, "%s", #change);                                 \
	} while (0)

Test(signatures, that_are_wrong_are_refused_with_all_of_the_request)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	forge_upload_all(s, FORGED_SET(&alpha, &beta));
	REFUSED_WHEN(a->signature.bytes[9] ^= 1, "Beta");
	REFUSED_WHEN(a->signature.key.bytes[9] ^= 1, "Beta");
	REFUSED_WHEN(a->signature.requires_.bytes[9] ^= 1, "requires");
	REFUSED_WHEN(a->signature = r->artefacts[0].signature, "Beta"); /* another artefact's */
	REFUSED_WHEN(r->message.provenance.host = JIC_VIEW("elsewhere"), "Alpha");
	REFUSED_WHEN(r->message.provenance.created_s++, "Alpha");
}

Test(signatures, are_taken_from_the_servers_keys_alone)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *known = new_key();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *unknown = new_key();
	s->signers = jic_signing_key_public(known);
	s->signers_count = 1;
	cr_expect_eq(publish_signed(s, "main", FORGED_SET(&alpha), unknown), JIC_PUBLISH_BAD_SIGNATURE);
	cr_expect_eq(publish_signed(s, "main", FORGED_SET(&alpha), known), JIC_PUBLISH_DONE);
}

static struct jic_digest signer_of(struct jic_store *s, const struct forged *f)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(f), &arena);
	cr_assert(set.records_count && set.records[0].has_signature);
	const struct jic_statement_place at = {.runtime = set.runtime, .sysimage = forged_sysimage()};
	cr_expect(jic_statement_verify(&at, &set.records[0], NULL));
	return set.records[0].signature.key;
}

Test(signatures, are_adopted_by_the_same_bytes_that_had_none)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *first = new_key();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *second = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), first), JIC_PUBLISH_DONE);
	struct jic_digest signer = signer_of(s, &alpha);
	cr_expect(jic_digest_eq(&signer, jic_signing_key_public(first)));
	/* One that is there stays, as long as its key is taken. */
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), second), JIC_PUBLISH_DONE);
	signer = signer_of(s, &alpha);
	cr_expect(jic_digest_eq(&signer, jic_signing_key_public(first)));
	s->signers = jic_signing_key_public(second);
	s->signers_count = 1;
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), second), JIC_PUBLISH_DONE);
	signer = signer_of(s, &alpha);
	cr_expect(jic_digest_eq(&signer, jic_signing_key_public(second)));
}

Test(signatures, of_a_childs_writer_do_not_touch_the_parents_record)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_index *ix = jic_store_index(s);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("pr"), JIC_VIEW("main"), 1, NULL));
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert_eq(publish_signed(s, "pr", FORGED_SET(&alpha), key), JIC_PUBLISH_DONE);
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&alpha), &arena);
	cr_assert_eq(set.records_count, 1);
	cr_expect_not(set.records[0].has_signature);
}

/* ---- resolving */

Test(signatures, readers_get_what_their_keys_signed_and_hear_of_the_rest)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *foreign = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_msg_resolved resolved;
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), key), JIC_PUBLISH_DONE);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&beta), foreign), JIC_PUBLISH_DONE);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&gamma_), key), JIC_PUBLISH_DONE);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&other), &arena, &result), JIC_PUBLISH_DONE);
	resolve_for(s, "main", FORGED_SET(&alpha, &beta, &gamma_, &other), key, &arena, &resolved);
	cr_assert_eq(resolved.sets_count, 1);
	cr_expect_eq(resolved.sets[0].records_count, 1, "Gamma stands on Beta");
	cr_expect(forged_record(&resolved.sets[0], &alpha));
	cr_assert_eq(resolved.untrusted_count, 2);
	for (size_t i = 0; i < 2; i++) {
		struct jic_digest beta_key;
		forged_key(&beta, &beta_key);
		const bool is_beta = jic_digest_eq(&resolved.untrusted[i].key, &beta_key);
		cr_expect_eq(resolved.untrusted[i].is_signed, is_beta);
		if (is_beta)
			cr_expect(jic_digest_eq(&resolved.untrusted[i].signer, jic_signing_key_public(foreign)));
	}
	resolve_for(s, "main", FORGED_SET(&alpha, &beta, &gamma_, &other), NULL, &arena, &resolved);
	cr_expect_eq(resolved.sets[0].records_count, 4);
	cr_expect_eq(resolved.untrusted_count, 0);
}

Test(signatures, what_a_parent_has_unsigned_hides_nothing_signed)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct forged mine = alpha;
	struct jic_publish_result result;
	struct jic_msg_resolved resolved;
	struct jic_index *ix = jic_store_index(s);
	mine.build = 77;
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("team"), JIC_VIEW("main"), 1, NULL));
	cr_assert_eq(publish_signed(s, "team", FORGED_SET(&mine), key), JIC_PUBLISH_DONE);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	resolve_for(s, "team", FORGED_SET(&alpha), key, &arena, &resolved);
	cr_assert_eq(resolved.sets_count, 1);
	cr_expect_eq(resolved.sets[0].records[0].build_id.lo, 77);
	cr_expect_eq(resolved.untrusted_count, 0);
}

/* ---- recalls */

static struct jic_withdrawn recall(struct jic_store *s, const char *who, bool dry_run)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index_maker maker;
	struct jic_withdrawn out;
	struct jic_error err = {0};
	cr_assert(jic_store_maker(s, jic_view_of(who), &arena, &maker, &err), "%s", err.text);
	cr_assert(jic_store_recall(s, &maker, dry_run, &out, &err), "%s", err.text);
	return out;
}

static void key_id(const struct jic_signing_key *key, char id[JIC_KEY_ID_TEXT + 1])
{
	jic_key_id(jic_signing_key_public(key), id);
}

Test(recall, takes_what_a_key_signed_with_all_that_was_built_on_it)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *bad = new_key();
	JIC_AUTO(jic_signing_key) struct jic_signing_key *good = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_resolved resolved;
	char id[JIC_KEY_ID_TEXT + 1];
	key_id(bad, id);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), bad), JIC_PUBLISH_DONE);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&beta, &gamma_, &other), good), JIC_PUBLISH_DONE);
	struct jic_withdrawn w = recall(s, id, true);
	cr_expect_eq(w.artefacts, 1);
	cr_expect_eq(w.dependents, 2);
	cr_expect_eq(offered(s, FORGED_SET(&alpha, &beta, &gamma_, &other)), 4, "a dry run changes nothing");
	w = recall(s, id, false);
	cr_expect_eq(w.artefacts, 1);
	cr_expect_eq(w.dependents, 2);
	cr_expect_eq(offered(s, FORGED_SET(&alpha, &beta, &gamma_, &other)), 1);
	resolve_for(s, "main", FORGED_SET(&alpha, &beta, &gamma_, &other), NULL, &arena, &resolved);
	cr_assert_eq(resolved.recalled_count, 3, "readers that have them are told");
	cr_expect(jic_build_id_eq(resolved.recalled[0], forged_build_id(&alpha)));
}

Test(recall, is_for_good_until_it_is_undone)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_index_maker maker;
	char id[JIC_KEY_ID_TEXT + 1];
	key_id(key, id);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha), key), JIC_PUBLISH_DONE);
	cr_assert(jic_store_maker(s, jic_view_of(id), &arena, &maker, NULL));
	recall(s, id, false);
	/* the same bytes by anybody, and anything by the same key */
	cr_expect_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_RECALLED);
	cr_expect_eq(result.keys_count, 1);
	cr_expect_eq(publish_signed(s, "main", FORGED_SET(&other), key), JIC_PUBLISH_BAD_SIGNATURE);
	struct forged anew = alpha;
	anew.build = 99;
	cr_expect_eq(forge_publish(s, "main", FORGED_SET(&anew), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert(jic_store_unrecall(s, &maker, NULL));
	cr_expect_eq(publish_signed(s, "main", FORGED_SET(&other), key), JIC_PUBLISH_DONE);
	cr_expect_not(jic_store_unrecall(s, &maker, NULL));
}

Test(recall, of_a_token_or_a_run_goes_by_their_names)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index_maker maker;
	struct jic_publish_result result;
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	r->message.provenance.run = JIC_VIEW("https://ci.example/7");
	forge_upload_all(s, FORGED_SET(&alpha));
	forge_submit(s, &r->message, &arena, &result);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&other), &arena, &result), JIC_PUBLISH_DONE);
	cr_expect_eq(recall(s, "https://ci.example/7", true).artefacts, 1);
	cr_expect_eq(recall(s, "run:https://ci.example/7", false).artefacts, 1);
	cr_expect_eq(recall(s, "tester", false).artefacts, 1);
	cr_expect_eq(offered(s, FORGED_SET(&alpha, &other)), 0);
	cr_expect_not(jic_store_maker(s, JIC_VIEW("nobody"), &arena, &maker, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_not(jic_store_maker(s, JIC_VIEW("key:0123456789abcdef"), &arena, &maker, &err));
	const struct jic_index_recall *list;
	size_t count;
	cr_assert(jic_store_recalls(s, &arena, &list, &count, NULL));
	cr_assert_eq(count, 2);
	cr_expect_eq(list[0].maker.kind, JIC_BY_RUN);
	cr_expect_eq(list[0].artefacts, 1);
	cr_expect(jic_view_is(list[1].maker.who, "tester"));
}

Test(recall, of_a_name_that_two_kinds_have_asks_which)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index_maker maker;
	struct jic_publish_result result;
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&alpha));
	r->message.provenance.run = JIC_VIEW("tester");
	forge_upload_all(s, FORGED_SET(&alpha));
	forge_submit(s, &r->message, &arena, &result);
	cr_assert_not(jic_store_maker(s, JIC_VIEW("tester"), &arena, &maker, &err));
	cr_assert_eq(err.code, JIC_EUSAGE);
}

Test(recall, works_beside_a_server)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_error err = {0};
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha, &beta), &arena, &result), JIC_PUBLISH_DONE);
	const struct jic_store_options beside = {.data_dir = dir.path, .blob_bytes_max = 1 << 20, .admin = true};
	JIC_AUTO(jic_store) struct jic_store *admin = jic_store_open(&beside, &err);
	cr_assert(admin, "%s", err.text);
	cr_expect_eq(recall(admin, "token:tester", false).artefacts, 2);
	cr_expect_eq(offered(s, FORGED_SET(&alpha, &beta)), 0);
}

/* Publishers wait for a writer, so one that is at work is what a dry run must not wait for. */
Test(recall, dry_counts_beside_a_writer_what_the_other_takes)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = new_key();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	struct jic_error err = {0};
	struct jic_withdrawn dry;
	struct jic_index *ix = jic_store_index(s);
	char id[JIC_KEY_ID_TEXT + 1];
	const struct forged delta = {.name = "Delta", .id = 5, .build = 15, .deps = {&gamma_, &other}};
	jic_key_id(jic_signing_key_public(key), id);
	cr_assert_eq(publish_signed(s, "main", FORGED_SET(&alpha, &other), key), JIC_PUBLISH_DONE);
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&beta, &gamma_, &delta), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert(ix->ops->lane_put(ix, JIC_VIEW("child"), JIC_VIEW("main"), 1, &err), "%s", err.text);
	const struct forged eps = {.name = "Epsilon", .id = 6, .build = 16, .deps = {&delta}};
	cr_assert_eq(forge_publish(s, "child", FORGED_SET(&eps), &arena, &result), JIC_PUBLISH_DONE);
	{
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, &err);
		cr_assert(t, "%s", err.text);
		dry = recall(s, id, true);
	}
	cr_expect(dry.artefacts == 2 && dry.dependents == 4, "%llu and %llu", (unsigned long long)dry.artefacts,
	          (unsigned long long)dry.dependents);
	struct jic_withdrawn done = recall(s, id, false);
	cr_expect(done.artefacts == dry.artefacts && done.dependents == dry.dependents);
}
