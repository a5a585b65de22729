/* What readers are told. */
#include "server/store/internal.h"
#include "tests/support/forge.h"

#include <time.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};

static void publish(struct jic_store *s, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, "main", set, count, &arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

Test(resolve, offers_only_what_is_complete_within_the_keys_asked_for)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	publish(s, FORGED_SET(&alpha, &beta, &gamma_));
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&gamma_, &alpha), &arena);
	cr_assert_eq(set.records_count, 1);
	cr_expect(jic_view_is(set.records[0].name, "Alpha"));
}

Test(resolve, names_requirements_by_position)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	publish(s, FORGED_SET(&alpha, &beta, &gamma_));
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&gamma_, &beta, &alpha, &gamma_), &arena);
	cr_assert_eq(set.records_count, 3, "a key asked for twice is one record");
	cr_expect(jic_view_is(set.records[0].name, "Alpha"));
	cr_expect(jic_view_is(set.records[2].name, "Gamma"));
	cr_expect_eq(set.records[0].requires_count, 0);
	cr_assert_eq(set.records[1].requires_count, 1);
	cr_expect_eq(set.records[1].requires_[0], 0);
	cr_assert_eq(set.records[2].requires_count, 2);
	cr_expect_eq(set.records[2].requires_[0] + set.records[2].requires_[1], 1);
}

Test(resolve, answers_for_each_runtime_that_has_any_in_the_order_asked)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct forged old = alpha;
	struct jic_msg_resolved resolved;
	old.version = "1.5.3";
	publish(s, FORGED_SET(&alpha));
	publish(s, FORGED_SET(&old));
	char ids[3][JIC_RUNTIME_ID_BYTES_MAX];
	static const char *const versions[] = {"1.5.3", "1.9.4", "1.10.5"};
	struct jic_view runtimes[4];
	for (size_t i = 0; i < 3; i++) {
		struct jic_runtime r = forged_runtime(versions[i]);
		cr_assert(jic_runtime_id(&r, ids[i], &err));
		runtimes[i] = jic_view_of(ids[i]);
	}
	runtimes[3] = runtimes[0];
	struct jic_digest key;
	forged_key(&alpha, &key);
	struct jic_msg_resolve request = {
	    .sysimage = forged_sysimage(), .runtimes = runtimes, .runtimes_count = 4, .keys = &key, .keys_count = 1};
	cr_assert(jic_store_resolve(s, &request, &arena, &resolved, &err), "%s", err.text);
	cr_assert_eq(resolved.sets_count, 2);
	cr_expect(jic_view_eq(resolved.sets[0].runtime, runtimes[0]));
	cr_expect(jic_view_eq(resolved.sets[1].runtime, runtimes[2]));
	request.sysimage.bytes[0] ^= 1;
	cr_assert(jic_store_resolve(s, &request, &arena, &resolved, &err));
	cr_expect_eq(resolved.sets_count, 0, "another system image");
	request.lane = JIC_VIEW("nobody");
	cr_expect_not(jic_store_resolve(s, &request, &arena, &resolved, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
}

static bool get_record(struct jic_store *s, const struct forged *f, struct jic_arena *arena, struct jic_msg_record *out,
                       const struct jic_build_id **ids, struct jic_error *err)
{
	struct jic_runtime runtime = forged_runtime(forged_version(f));
	struct jic_digest key, sysimage = forged_sysimage();
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	forged_key(f, &key);
	cr_assert(jic_runtime_id(&runtime, id, err));
	return jic_store_record(s, JIC_VIEW("main"), jic_view_of(id), &sysimage, &key, arena, out, ids, err);
}

Test(resolve, a_single_record_has_the_build_ids_that_it_requires)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_record record;
	const struct jic_build_id *ids;
	publish(s, FORGED_SET(&alpha, &beta, &gamma_));
	cr_assert(get_record(s, &beta, &arena, &record, &ids, &err), "%s", err.text);
	cr_expect(jic_view_is(record.name, "Beta"));
	cr_assert_eq(record.requires_count, 1);
	cr_expect(jic_build_id_eq(ids[0], forged_build_id(&alpha)));
	struct forged absent = {.name = "Absent", .id = 50, .build = 51};
	cr_expect_not(get_record(s, &absent, &arena, &record, &ids, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	absent.version = "1.5.3";
	cr_expect_not(get_record(s, &absent, &arena, &record, &ids, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
}

Test(resolve, survives_closing_and_opening)
{
	CLEARED(temp) dir = temp_make();
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_store *s = forge_store(&dir);
	publish(s, FORGED_SET(&alpha, &beta));
	jic_store_free(s);
	s = forge_store(&dir);
	cr_expect_eq(forge_resolve(s, "main", FORGED_SET(&alpha, &beta), &arena).records_count, 2);
	jic_store_free(s);
}

/* Every package on the one before: the longest lists of requirements that a set can have. */
Test(resolve, offers_a_long_chain_whole)
{
	enum { LENGTH = 150 };
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	static struct forged chain[LENGTH];
	static const struct forged *set[LENGTH];
	for (size_t i = 0; i < LENGTH; i++) {
		chain[i] = (struct forged){.name = "Link", .id = i + 1, .build = i + 1000};
		chain[i].deps[0] = i ? &chain[i - 1] : NULL;
		set[LENGTH - 1 - i] = &chain[i];
	}
	publish(s, set, LENGTH);
	struct jic_msg_set got = forge_resolve(s, "main", set, LENGTH, &arena);
	cr_assert_eq(got.records_count, LENGTH);
	for (size_t i = 0; i < LENGTH; i++)
		cr_expect_eq(got.records[i].requires_count, i);
}
