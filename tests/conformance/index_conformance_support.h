/**
 * What the cases of the index conformance share: calls that must succeed or fail, and small things to put in.
 */
#ifndef JIC_TESTS_INDEX_CONFORMANCE_SUPPORT_H
#define JIC_TESTS_INDEX_CONFORMANCE_SUPPORT_H

#include "common/digest.h"
#include "server/store/index.h"

#include <criterion/criterion.h>

#define OK(call)                                                                                                       \
	do {                                                                                                           \
		struct jic_error err = {0};                                                                            \
		cr_assert(call, "%s", err.text);                                                                       \
	} while (0)
#define FAILS(wanted, call)                                                                                            \
	do {                                                                                                           \
		struct jic_error err = {0};                                                                            \
		cr_assert_not(call);                                                                                   \
		cr_assert_eq(err.code, (wanted), "%s: %s", jic_code_name(err.code), err.text);                         \
		cr_assert(err.text[0]);                                                                                \
	} while (0)

static inline struct jic_index_txn *begin(struct jic_index *ix, enum jic_index_mode mode)
{
	struct jic_error err = {0};
	struct jic_index_txn *t = ix->ops->begin(ix, mode, &err);
	cr_assert(t, "%s", err.text);
	return t;
}

static inline struct jic_digest digest_of(const char *text)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_of(text), &d);
	return d;
}

static inline void put_lane(struct jic_index *ix, const char *name, const char *parent)
{
	OK(ix->ops->lane_put(ix, jic_view_of(name), jic_view_of(parent), 1000, &err));
}

static inline struct jic_lane get_lane(struct jic_index *ix, const char *name, struct jic_arena *arena)
{
	struct jic_lane lane = {0};
	OK(ix->ops->lane_find(ix, jic_view_of(name), arena, &lane, &err));
	return lane;
}

static inline struct jic_token make_token(const char *name, const char *secret)
{
	return (struct jic_token){.name = jic_view_of(name),
	                          .hash = digest_of(secret),
	                          .scopes = JIC_SCOPE_READ | JIC_SCOPE_ADMIN,
	                          .lanes = JIC_VIEW("main team/*"),
	                          .created_s = 11,
	                          .expires_s = 12,
	                          .last_used_s = 13};
}

#endif
