/* Limits for one caller; time is a number here. */
#include "server/http/rate.h"

#include <criterion/criterion.h>

static struct jic_rate *make(uint64_t named, uint64_t anonymous, uint64_t upload)
{
	const struct jic_rate_options o = {
	    .requests_per_minute = named, .anonymous_requests_per_minute = anonymous, .upload_bytes_per_day = upload};
	struct jic_rate *r = jic_rate_new(&o, NULL);
	cr_assert_not_null(r);
	return r;
}

static struct jic_rate_caller named(const char *name)
{
	return (struct jic_rate_caller){.name = jic_view_of(name), .peer = JIC_VIEW("192.0.2.1")};
}
static struct jic_rate_caller from(const char *peer)
{
	return (struct jic_rate_caller){.peer = jic_view_of(peer)};
}

/* How many requests in a row are let through. */
static unsigned count(struct jic_rate *r, struct jic_rate_caller c, uint64_t now_ms, unsigned most)
{
	unsigned n = 0;
	while (n < most && jic_rate_request(r, &c, now_ms) == 0)
		n++;
	return n;
}

Test(rate, a_minutes_worth_may_come_at_once_and_then_as_time_passes)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(120, 10, 0);
	const struct jic_rate_caller c = named("ci");
	cr_expect_eq(count(r, c, 1000, 1000), 120);
	cr_expect_eq(jic_rate_request(r, &c, 1000), 1);
	cr_expect_eq(count(r, c, 1499, 1000), 0, "half a second is one request");
	cr_expect_eq(count(r, c, 1500, 1000), 1);
	cr_expect_eq(count(r, c, 31500, 1000), 60);
	cr_expect_eq(count(r, c, 1000000000, 1000), 120, "no more than a minute's worth is saved up");
	cr_expect_eq(count(r, c, 999999000, 1000), 0, "a clock that went back");
}

Test(rate, slow_limits_say_how_long_to_wait)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(1, 0, 0);
	const struct jic_rate_caller c = named("ci");
	cr_expect_eq(jic_rate_request(r, &c, 5), 0);
	cr_expect_eq(jic_rate_request(r, &c, 5), 60);
	cr_expect_eq(jic_rate_request(r, &c, 30005), 30);
	cr_expect_eq(jic_rate_request(r, &c, 60004), 1);
	cr_expect_eq(jic_rate_request(r, &c, 60005), 0);
}

Test(rate, callers_do_not_share)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(5, 3, 0);
	cr_expect_eq(count(r, named("a"), 0, 100), 5);
	cr_expect_eq(count(r, named("b"), 0, 100), 5);
	cr_expect_eq(count(r, from("192.0.2.1"), 0, 100), 3);
	cr_expect_eq(count(r, from("192.0.2.2"), 0, 100), 3);
	cr_expect_eq(count(r, named("192.0.2.3"), 0, 100), 5);
	cr_expect_eq(count(r, from("192.0.2.3"), 0, 100), 3, "a name is not an address");
}

Test(rate, one_network_of_ipv6_is_one_caller)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(0, 3, 0);
	cr_expect_eq(count(r, from("2001:db8:1:2::1"), 0, 100), 3);
	cr_expect_eq(count(r, from("2001:db8:1:2:ffff::9"), 0, 100), 0);
	cr_expect_eq(count(r, from("2001:db8:1:3::1"), 0, 100), 3);
	cr_expect_eq(count(r, from("uid 1000 pid 1"), 0, 100), 3);
	cr_expect_eq(count(r, from("uid 1000 pid 2"), 0, 100), 0);
	cr_expect_eq(count(r, from("uid 1001 pid 3"), 0, 100), 3);
}

Test(rate, no_limit_is_no_limit)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(0, 0, 0);
	cr_expect_eq(count(r, named("a"), 0, 100000), 100000);
	cr_expect_eq(count(r, from("192.0.2.1"), 0, 100000), 100000);
	const struct jic_rate_caller c = named("a");
	cr_expect_eq(jic_rate_upload(r, &c, UINT64_MAX, 0), 0);
}

Test(rate, bytes_are_counted_for_a_day_from_the_first)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(10, 0, 1000);
	const struct jic_rate_caller c = named("ci");
	const uint64_t day_ms = 86400000;
	cr_expect_eq(jic_rate_upload(r, &c, 600, 5000), 0);
	cr_expect_eq(jic_rate_upload(r, &c, 400, 6000), 0);
	cr_expect_eq(jic_rate_upload(r, &c, 1, 65000), 86340);
	cr_expect_eq(jic_rate_upload(r, &c, UINT64_MAX, 65000), 86340);
	cr_expect_eq(count(r, c, 65000, 100), 10, "requests are another matter");
	cr_expect_eq(jic_rate_upload(r, &c, 1, 5000 + day_ms - 1), 1);
	cr_expect_eq(jic_rate_upload(r, &c, 1000, 5000 + day_ms), 0);
	cr_expect_neq(jic_rate_upload(r, &c, 1, 5001 + day_ms), 0);
}

Test(rate, a_crowd_of_callers_takes_no_memory_and_nobody_elses_limit)
{
	JIC_AUTO(jic_rate) struct jic_rate *r = make(2, 2, 0);
	char name[32];
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof name, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		cr_assert_eq(count(r, from(name), i, 1), 1);
	}
	cr_expect_eq(count(r, named("ci"), 50000, 100), 2);
	cr_expect_eq(count(r, named("ci"), 50000, 100), 0);
}
