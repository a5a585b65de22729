/* Header fields: ranges, encodings, tags, media types, percent-encoding. */
#include "server/http/header.h"

#include <criterion/criterion.h>

static bool accepts(const char *value)
{
	return jic_http_accepts_zstd(jic_view_of(value));
}

Test(header, zstd_must_be_named_with_a_weight_over_zero)
{
	cr_assert(accepts("zstd"));
	cr_assert(accepts("gzip, ZSTD"));
	cr_assert(accepts("gzip;q=0,\tzstd ; q=0.001"));
	cr_assert(accepts("zstd;q=1"));
	cr_assert_not(accepts(""));
	cr_assert_not(accepts("*"));
	cr_assert_not(accepts("zstd;q=0"));
	cr_assert_not(accepts("zstd; Q=0.000"));
	cr_assert_not(accepts("zstd;x=1;q=0.0"));
	cr_assert_not(accepts("zstdx"));
	cr_assert_not(accepts("gzip;zstd"));
	cr_assert_not(accepts(",,;"));
}

static void range_is(const char *value, uint64_t size, enum jic_range_kind kind, uint64_t first, uint64_t len)
{
	struct jic_range r = jic_http_range(jic_view_of(value), size);
	cr_assert_eq(r.kind, kind, "%s of %llu", value, (unsigned long long)size);
	if (kind == JIC_RANGE_ONE) {
		cr_assert_eq(r.first, first, "%s", value);
		cr_assert_eq(r.len, len, "%s", value);
	}
}

Test(header, a_range_has_three_forms)
{
	range_is("bytes=0-0", 10, JIC_RANGE_ONE, 0, 1);
	range_is("bytes=2-5", 10, JIC_RANGE_ONE, 2, 4);
	range_is("bytes=2-", 10, JIC_RANGE_ONE, 2, 8);
	range_is("bytes=-3", 10, JIC_RANGE_ONE, 7, 3);
	range_is("Bytes= 2 - 5 ", 10, JIC_RANGE_ONE, 2, 4);
}

Test(header, a_range_is_cut_to_the_size)
{
	range_is("bytes=2-99", 10, JIC_RANGE_ONE, 2, 8);
	range_is("bytes=-99", 10, JIC_RANGE_ONE, 0, 10);
	range_is("bytes=0-18446744073709551615", 10, JIC_RANGE_ONE, 0, 10);
}

Test(header, a_range_behind_the_end_is_unsatisfiable)
{
	range_is("bytes=10-", 10, JIC_RANGE_UNSATISFIABLE, 0, 0);
	range_is("bytes=10-12", 10, JIC_RANGE_UNSATISFIABLE, 0, 0);
	range_is("bytes=-0", 10, JIC_RANGE_UNSATISFIABLE, 0, 0);
	range_is("bytes=0-", 0, JIC_RANGE_UNSATISFIABLE, 0, 0);
	range_is("bytes=-5", 0, JIC_RANGE_UNSATISFIABLE, 0, 0);
}

Test(header, what_is_no_single_range_is_ignored)
{
	static const char *const values[] = {"",
	                                     "bytes",
	                                     "bytes=",
	                                     "bytes=-",
	                                     "bytes=5-2",
	                                     "bytes=a-b",
	                                     "bytes=1-2,4-5",
	                                     "items=1-2",
	                                     "bytes=1",
	                                     "bytes=0x1-2",
	                                     "bytes=1--2",
	                                     "bytes=-1-2",
	                                     "bytes=18446744073709551616-",
	                                     "=1-2"};
	for (size_t i = 0; i < JIC_COUNT(values); i++)
		range_is(values[i], 10, JIC_RANGE_NONE, 0, 0);
}

Test(header, each_representation_has_its_own_tag)
{
	struct jic_digest d;
	char plain[JIC_ETAG_TEXT + 1], zstd[JIC_ETAG_TEXT + 1];
	jic_sha256_of(JIC_VIEW("abc"), &d);
	jic_http_etag(&d, false, plain);
	jic_http_etag(&d, true, zstd);
	cr_assert_str_eq(plain, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
	cr_assert_str_eq(zstd, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad-zst\"");
}

Test(header, if_none_match_compares_weakly)
{
	const struct jic_view tag = JIC_VIEW("\"a\"");
	cr_assert(jic_http_none_match(JIC_VIEW("\"a\""), tag));
	cr_assert(jic_http_none_match(JIC_VIEW("\"b\", W/\"a\""), tag));
	cr_assert(jic_http_none_match(JIC_VIEW("*"), tag));
	cr_assert_not(jic_http_none_match(JIC_VIEW(""), tag));
	cr_assert_not(jic_http_none_match(JIC_VIEW("\"A\""), tag));
	cr_assert_not(jic_http_none_match(JIC_VIEW("a"), tag));
}

Test(header, if_range_compares_strongly)
{
	const struct jic_view tag = JIC_VIEW("\"a\"");
	cr_assert(jic_http_if_range(JIC_VIEW(""), tag));
	cr_assert(jic_http_if_range(JIC_VIEW("\"a\""), tag));
	cr_assert_not(jic_http_if_range(JIC_VIEW("W/\"a\""), tag));
	cr_assert_not(jic_http_if_range(JIC_VIEW("Sun, 06 Nov 1994 08:49:37 GMT"), tag));
}

Test(header, parameters_of_a_media_type_do_not_matter)
{
	cr_assert(jic_http_media_type_is(JIC_VIEW("application/json"), "application/json"));
	cr_assert(jic_http_media_type_is(JIC_VIEW("Application/JSON ; charset=utf-8"), "application/json"));
	cr_assert_not(jic_http_media_type_is(JIC_VIEW("application/jsonx"), "application/json"));
	cr_assert_not(jic_http_media_type_is(JIC_VIEW(""), "application/json"));
}

static bool decodes_to(const char *text, const char *want)
{
	char out[64];
	size_t len;
	return jic_http_percent_decode(jic_view_of(text), out, &len) && jic_view_is(jic_view_bytes(out, len), want);
}

Test(header, percent_encoding_is_undone_once)
{
	cr_assert(decodes_to("/a%2Db", "/a-b"));
	cr_assert(decodes_to("%2541", "%41"));
	cr_assert(decodes_to("", ""));
}

Test(header, hidden_separators_and_controls_are_refused)
{
	static const char *const texts[] = {"a%2fb", "a%2Fb", "a%00b", "a%5cb", "a\\b", "a%0ab",
	                                    "a\nb",  "a%7f",  "%",     "%1",    "%g0"};
	char out[64];
	size_t len;
	for (size_t i = 0; i < JIC_COUNT(texts); i++)
		cr_assert_not(jic_http_percent_decode(jic_view_of(texts[i]), out, &len), "%s", texts[i]);
}

Test(header, a_query_may_hide_separators_and_no_controls)
{
	static const char *const bad[] = {"a%00b", "a%0ab", "a\nb", "a%7f", "%", "%1", "%g0", "a%", "a%2", "%%41"};
	char out[64];
	size_t len;
	cr_assert(jic_http_query_decode(JIC_VIEW("pr%2F7"), out, &len) &&
	          jic_view_is(jic_view_bytes(out, len), "pr/7"));
	cr_assert(jic_http_query_decode(JIC_VIEW("pr/%37"), out, &len) &&
	          jic_view_is(jic_view_bytes(out, len), "pr/7"));
	cr_assert(jic_http_query_decode(JIC_VIEW("a%5cb\\"), out, &len) &&
	          jic_view_is(jic_view_bytes(out, len), "a\\b\\"));
	cr_assert(jic_http_query_decode(JIC_VIEW("%2541"), out, &len) && jic_view_is(jic_view_bytes(out, len), "%41"));
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_assert_not(jic_http_query_decode(jic_view_of(bad[i]), out, &len), "%s", bad[i]);
}
