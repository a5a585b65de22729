/* lease and leased: what is written is read back the same, each state with its own fields. */
#include "common/message_lease.h"

#include <criterion/criterion.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUNTIME "julia-1.11.1-x86_64-linux-gnu-" HEX_A

static struct jic_digest digest_of(const char *text)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_of(text), &d);
	return d;
}

static bool lease_read(const char *json, struct jic_arena *arena, struct jic_msg_lease *out, struct jic_error *err)
{
	return jic_msg_lease_read(jic_view_of(json), arena, out, err);
}

Test(message_lease, a_request_is_read_as_it_was_written)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	const struct jic_digest keys[] = {digest_of("a"), digest_of("b")};
	const struct jic_msg_lease m = {.lane = JIC_VIEW("pr/7"),
	                                .seconds = 60,
	                                .runtime = JIC_VIEW(RUNTIME),
	                                .sysimage = digest_of("image"),
	                                .keys = keys,
	                                .keys_count = 2};
	struct jic_msg_lease got;
	struct jic_error err = {0};
	cr_assert(jic_msg_lease_write(&m, &json, &err) && jic_msg_lease_read(jic_buf_view(&json), &arena, &got, &err),
	          "%s", err.text);
	cr_expect(jic_view_is(got.lane, "pr/7") && jic_view_is(got.runtime, RUNTIME));
	cr_expect(got.seconds == 60 && !got.renews);
	cr_expect(jic_digest_eq(&got.sysimage, &m.sysimage));
	cr_assert_eq(got.keys_count, 2);
	cr_expect(jic_digest_eq(&got.keys[0], &keys[0]) && jic_digest_eq(&got.keys[1], &keys[1]));
}

Test(message_lease, a_renewal_says_nothing_but_the_lease)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	const struct jic_msg_lease m = {.seconds = 30, .renews = true, .lease = digest_of("secret")};
	struct jic_msg_lease got;
	struct jic_error err = {0};
	cr_assert(jic_msg_lease_write(&m, &json, &err) && jic_msg_lease_read(jic_buf_view(&json), &arena, &got, &err),
	          "%s", err.text);
	cr_expect(got.renews && jic_digest_eq(&got.lease, &m.lease) && got.seconds == 30);
	cr_expect_eq(got.keys_count, 0);
	cr_expect_null(strstr(jic_buf_str(&json), "keys"));
}

Test(message_lease, a_bad_request_names_the_field)
{
	static const struct {
		const char *json, *field;
	} bad[] = {
	    {"{\"runtime\":\"" RUNTIME "\",\"sysimage\":\"" HEX_A "\",\"keys\":[]}", "seconds"},
	    {"{\"seconds\":604801,\"lease\":\"" HEX_A "\"}", "seconds"},
	    {"{\"seconds\":60,\"lease\":\"abc\"}", "lease"},
	    {"{\"seconds\":60,\"runtime\":\"x\",\"sysimage\":\"" HEX_A "\",\"keys\":[]}", "runtime"},
	    {"{\"seconds\":60,\"runtime\":\"" RUNTIME "\",\"keys\":[]}", "sysimage"},
	    {"{\"seconds\":60,\"runtime\":\"" RUNTIME "\",\"sysimage\":\"" HEX_A "\"}", "keys"},
	    {"{\"seconds\":60,\"lane\":\"../x\",\"lease\":\"" HEX_A "\"}", "lane"},
	};
	for (size_t i = 0; i < JIC_COUNT(bad); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_msg_lease got;
		struct jic_error err = {0};
		cr_expect_not(lease_read(bad[i].json, &arena, &got, &err), "%s", bad[i].json);
		cr_expect(err.code == JIC_EFORMAT || err.code == JIC_ELIMIT);
		cr_expect(strstr(err.text, bad[i].field), "%s: %s", bad[i].json, err.text);
	}
}

static void round_trip(const struct jic_msg_leased *m, struct jic_arena *arena, struct jic_msg_leased *got)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_error err = {0};
	cr_assert(jic_msg_leased_write(m, &json, &err) && jic_msg_leased_read(jic_buf_view(&json), arena, got, &err),
	          "%s", err.text);
	cr_expect_eq(got->state, m->state);
}

Test(message_lease, each_answer_has_the_fields_of_its_state)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_digest key = digest_of("k");
	struct jic_msg_leased m = {
	    .lease = digest_of("id"), .seconds = 41, .keys = &key, .keys_count = 1, .by = JIC_VIEW("ci-linux-3")};
	struct jic_msg_leased got;
	m.state = JIC_LEASE_GRANTED;
	round_trip(&m, &arena, &got);
	cr_expect(jic_digest_eq(&got.lease, &m.lease) && got.seconds == 41 && got.keys_count == 1 && !got.by.len);
	m.state = JIC_LEASE_HELD;
	round_trip(&m, &arena, &got);
	cr_expect(jic_view_is(got.by, "ci-linux-3") && got.seconds == 41 && jic_digest_eq(&got.keys[0], &key));
	m.state = JIC_LEASE_FREE;
	round_trip(&m, &arena, &got);
	cr_expect(got.keys_count == 1 && !got.seconds && !got.by.len);
	m.state = JIC_LEASE_STORED;
	round_trip(&m, &arena, &got);
	cr_expect(got.keys_count == 0 && !got.seconds);
}

Test(message_lease, an_unknown_state_is_refused)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_leased got;
	struct jic_error err = {0};
	cr_expect_not(jic_msg_leased_read(JIC_VIEW("{\"state\":\"maybe\"}"), &arena, &got, &err));
	cr_expect(strstr(err.text, "state"), "%s", err.text);
	cr_expect_not(
	    jic_msg_leased_read(JIC_VIEW("{\"state\":\"granted\",\"seconds\":1,\"keys\":[]}"), &arena, &got, &err));
	cr_expect(strstr(err.text, "lease"), "%s", err.text);
}
