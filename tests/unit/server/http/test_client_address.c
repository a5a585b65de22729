/* Addresses, networks, what proxies say, and counting by address. */
#include "common/buf.h"
#include "server/http/address.h"
#include "server/http/proxies.h"
#include "server/http/tally.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct jic_address address(const char *text)
{
	struct jic_address a;
	cr_assert(jic_address_parse(jic_view_of(text), &a), "%s", text);
	return a;
}

Test(address, text_goes_in_and_comes_out)
{
	static const char *const texts[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "::"};
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		char text[JIC_ADDRESS_TEXT];
		const struct jic_address a = address(texts[i]);
		jic_address_format(&a, text);
		cr_assert_str_eq(text, texts[i]);
	}
}

Test(address, what_is_none_is_refused)
{
	static const char *const texts[] = {"",        "1.2.3",      "1.2.3.4.5",    "256.0.0.1", "localhost",
	                                    "[::1]",   "1.2.3.4:80", "fe80::1%eth0", ":::",       "1:2:3:4:5:6:7:8:9",
	                                    " 1.2.3.4"};
	struct jic_address a;
	for (size_t i = 0; i < JIC_COUNT(texts); i++)
		cr_assert_not(jic_address_parse(jic_view_of(texts[i]), &a), "%s", texts[i]);
	cr_assert_not(jic_address_parse(jic_view_bytes("1.2.3.4\0", 8), &a));
}

Test(address, an_ipv4_address_is_the_same_however_it_came)
{
	const struct jic_address plain = address("192.0.2.7"), mapped = address("::ffff:192.0.2.7");
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000207)};
	struct jic_address from;
	cr_assert(jic_address_eq(&plain, &mapped));
	cr_assert(jic_address_of((const struct sockaddr *)&v4, &from));
	cr_assert(jic_address_eq(&plain, &from));
	cr_assert_not(jic_address_of(&(struct sockaddr){.sa_family = AF_UNIX}, &from));
}

static bool has(const char *network, const char *text)
{
	struct jic_network n;
	struct jic_error err = {0};
	cr_assert(jic_network_parse(jic_view_of(network), &n, &err), "%s", err.text);
	const struct jic_address a = address(text);
	return jic_network_has(&n, &a);
}

Test(network, has_what_begins_as_it_does)
{
	cr_assert(has("10.0.0.0/8", "10.255.0.1"));
	cr_assert_not(has("10.0.0.0/8", "11.0.0.1"));
	cr_assert(has("192.168.4.0/22", "192.168.7.255"));
	cr_assert_not(has("192.168.4.0/22", "192.168.8.0"));
	cr_assert(has("192.0.2.1", "192.0.2.1"));
	cr_assert_not(has("192.0.2.1", "192.0.2.2"));
	cr_assert(has("2001:db8::/33", "2001:db8:7fff::1"));
	cr_assert_not(has("2001:db8::/33", "2001:db8:8000::1"));
	cr_assert(has("0.0.0.0/0", "203.0.113.9"));
	cr_assert_not(has("0.0.0.0/0", "2001:db8::1"), "IPv4 is a network of its own");
	cr_assert(has("::/0", "2001:db8::1"));
}

Test(network, what_is_none_is_refused)
{
	static const char *const texts[] = {"",           "/8",     "10.0.0.0/",   "10.0.0.0/33",
	                                    "10.0.0.1/8", "::/129", "10.0.0.0/8x", "ten/8"};
	struct jic_network n;
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		struct jic_error err = {0};
		cr_assert_not(jic_network_parse(jic_view_of(texts[i]), &n, &err), "%s", texts[i]);
		cr_assert_eq(err.code, JIC_EUSAGE);
	}
}

/* ---- proxies */

/* Who asked, seen through proxies 10.0.0.0/8 and fd00::/8; "" when it isn't known. */
static const char *client(const char *forwarded_for, char text[JIC_ADDRESS_TEXT])
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_proxies p;
	struct jic_address found;
	struct jic_error err = {0};
	cr_assert(jic_proxies_parse(JIC_VIEW(" 10.0.0.0/8, fd00::/8"), &arena, &p, &err), "%s", err.text);
	text[0] = '\0';
	if (jic_proxies_client(&p, jic_view_of(forwarded_for), &found))
		jic_address_format(&found, text);
	return text;
}

Test(proxies, the_list_is_walked_from_the_right_to_the_first_that_is_not_trusted)
{
	static const char *const cases[][2] = {
	    {"203.0.113.1", "203.0.113.1"},
	    {"203.0.113.1, 10.1.1.1", "203.0.113.1"},
	    {"198.51.100.9, 203.0.113.1, 10.1.1.1,10.2.2.2", "203.0.113.1"},
	    {"127.0.0.1, 203.0.113.1", "203.0.113.1"},
	    {"10.9.9.9, 203.0.113.1", "203.0.113.1"},
	    {"10.3.3.3,10.1.1.1", "10.3.3.3"},
	    {"203.0.113.1:4711", "203.0.113.1"},
	    {"[2001:db8::1]:4711, fd00::7", "2001:db8::1"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"nonsense, 203.0.113.1", "203.0.113.1"},
	    {"203.0.113.1, nonsense", ""},
	    {"203.0.113.1, unknown, 10.1.1.1", ""},
	    {"203.0.113.1,", ""},
	    {"", ""},
	    {",,,", ""},
	    {"[", ""},
	};
	char text[JIC_ADDRESS_TEXT];
	for (size_t i = 0; i < JIC_COUNT(cases); i++)
		cr_assert_str_eq(client(cases[i][0], text), cases[i][1], "%s gives %s", cases[i][0], text);
}

Test(proxies, nobody_is_trusted_without_being_named)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_proxies none, all;
	const struct jic_address local = address("127.0.0.1");
	cr_assert(jic_proxies_parse(JIC_VIEW(""), &arena, &none, NULL));
	cr_assert_not(jic_proxies_trust(&none, &local));
	cr_assert_not(jic_proxies_trust(&none, NULL));
	cr_assert(jic_proxies_parse(JIC_VIEW("127.0.0.1,unix"), &arena, &all, NULL));
	cr_assert(jic_proxies_trust(&all, &local));
	cr_assert(jic_proxies_trust(&all, NULL));
}

Test(proxies, a_list_that_makes_no_sense_is_refused)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf many = {0};
	struct jic_proxies p;
	struct jic_error err = {0};
	for (int i = 0; i <= JIC_PROXIES_MAX; i++)
		jic_buf_printf(&many, "10.0.0.%d,", i);
	cr_assert_not(jic_proxies_parse(jic_buf_view(&many), &arena, &p, &err));
	cr_assert_not(jic_proxies_parse(JIC_VIEW("10.0.0.0/8,proxy.example"), &arena, &p, &err));
	cr_assert(strstr(err.text, "trusted_proxies"));
}

Test(proxies, the_nearest_proxy_says_whether_it_was_asked_by_https)
{
	cr_assert(jic_proxies_https(JIC_VIEW("https")));
	cr_assert(jic_proxies_https(JIC_VIEW("http, HTTPS")));
	cr_assert_not(jic_proxies_https(JIC_VIEW("https, http")));
	cr_assert_not(jic_proxies_https(JIC_VIEW("")));
}

/* ---- tally */

Test(tally, each_address_has_its_limit_and_all_together_too)
{
	JIC_AUTO(jic_tally) struct jic_tally *t = jic_tally_new(3, 2, NULL);
	const struct jic_address a = address("192.0.2.1"), b = address("192.0.2.2");
	cr_assert(jic_tally_take(t, &a));
	cr_assert(jic_tally_take(t, &a));
	cr_assert_not(jic_tally_take(t, &a));
	cr_assert(jic_tally_take(t, &b));
	cr_assert_not(jic_tally_take(t, &b), "three are all");
	jic_tally_give(t, &a);
	cr_assert(jic_tally_take(t, &b));
}

Test(tally, an_ipv6_network_of_64_bits_counts_as_one)
{
	JIC_AUTO(jic_tally) struct jic_tally *t = jic_tally_new(10, 1, NULL);
	const struct jic_address a = address("2001:db8:0:1::1"), b = address("2001:db8:0:1:ffff::9"),
				 c = address("2001:db8:0:2::1");
	cr_assert(jic_tally_take(t, &a));
	cr_assert_not(jic_tally_take(t, &b));
	cr_assert(jic_tally_take(t, &c));
}

Test(tally, what_was_taken_is_found_whatever_was_given_back_around_it)
{
	enum { ADDRESSES = 500, STEPS = 100000 };
	JIC_AUTO(jic_tally) struct jic_tally *t = jic_tally_new(ADDRESSES * 3, 3, NULL);
	unsigned counts[ADDRESSES] = {0};
	uint32_t random = 12345;
	for (int i = 0; i < STEPS; i++) {
		random = random * 1664525 + 1013904223;
		const unsigned n = (random >> 8) % ADDRESSES;
		char text[32];
		snprintf(text, sizeof text, "10.0.%u.%u", n / 256, n % 256);
		const struct jic_address a = address(text);
		if (random >> 31 && counts[n]) {
			jic_tally_give(t, &a);
			counts[n]--;
		} else {
			bool fits = jic_tally_take(t, &a);
			cr_assert_eq(fits, counts[n] < 3);
			counts[n] += fits;
		}
	}
}
