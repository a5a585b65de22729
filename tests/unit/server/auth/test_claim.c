/* Claims, patterns, lanes: the configuration's side of web tokens. */
#include "common/file.h"
#include "server/auth/issuer.h"
#include "tests/support/temp.h"

static bool matches(const char *pattern, const char *value)
{
	struct jic_captures checked = {0}, found = {0};
	struct jic_error err = {0};
	cr_assert(jic_claim_pattern_check(jic_view_of(pattern), &checked, &err), "%s: %s", pattern, err.text);
	return jic_claim_match(jic_view_of(pattern), jic_view_of(value), &found);
}

Test(claim, a_pattern_is_matched_part_by_part)
{
	cr_expect(matches("refs/heads/main", "refs/heads/main"));
	cr_expect_not(matches("refs/heads/main", "refs/heads/main2"));
	cr_expect_not(matches("refs/heads/main", "refs/heads/main/x"));
	cr_expect_not(matches("refs/heads/main", "refs/heads"));
	cr_expect(matches("acme/*", "acme/widgets"));
	cr_expect_not(matches("acme/*", "acme/widgets/evil"), "a star takes no slash");
	cr_expect_not(matches("acme/*", "acmeevil/widgets"));
	cr_expect_not(matches("acme/*", "acme"));
	cr_expect(matches("acme/w*s", "acme/widgets"));
	cr_expect(matches("repo:acme/app:ref:refs/heads/*", "repo:acme/app:ref:refs/heads/x"));
	cr_expect(matches("refs/**", "refs/heads/feature/x"));
	cr_expect_not(matches("refs/**", "refs/"), "something has to be left");
	cr_expect_not(matches("refs/**", "refs"));
	cr_expect(matches("true", "true"));
	cr_expect_not(matches("true", ""));
}

static struct jic_view captured(const char *pattern, const char *value, const char *lanes, struct jic_arena *arena)
{
	struct jic_captures found = {0};
	struct jic_view out = {0};
	if (!jic_claim_match(jic_view_of(pattern), jic_view_of(value), &found))
		return JIC_VIEW("no match");
	cr_assert(jic_captures_expand(&found, jic_view_of(lanes), arena, &out, NULL));
	return out;
}

#define EXPANDS(pattern, value, lanes, wanted)                                                                         \
	do {                                                                                                           \
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};                                                     \
		struct jic_view got = captured(pattern, value, lanes, &arena);                                         \
		cr_expect(jic_view_is(got, wanted), "%s: " JIC_PRIv, value, JIC_ARGv(got));                            \
	} while (0)

Test(claim, captures_become_lanes)
{
	EXPANDS("refs/pull/{pr}/merge", "refs/pull/17/merge", "pr/{pr}", "pr/17");
	EXPANDS("{owner}/{repo}", "acme/app", "{owner}/{repo},{repo}", "acme/app,app");
	EXPANDS("refs/heads/{branch...}", "refs/heads/feature/x", "branch/{branch}", "branch/feature/x");
	EXPANDS("refs/heads/{branch...}", "refs/heads/x", "branch/{branch}-2", "branch/x-2");
}

Test(claim, what_can_not_stand_in_a_lanes_name_is_not_captured)
{
	static const char *const evil[] = {"x,main", "*", "ma*n", "..", ".", "", "a b", "{pr}", "x\ny", "\xc3\xa9"};
	for (size_t i = 0; i < JIC_COUNT(evil); i++) {
		char value[64];
		snprintf(value, sizeof value, "refs/pull/%s/merge", evil[i]);
		EXPANDS("refs/pull/{pr}/merge", value, "pr/{pr}", "no match");
		snprintf(value, sizeof value, "refs/heads/%s", evil[i]);
		EXPANDS("refs/heads/{branch...}", value, "{branch}", "no match");
		snprintf(value, sizeof value, "refs/heads/x/%s", evil[i]);
		EXPANDS("refs/heads/{branch...}", value, "{branch}", "no match");
	}
	EXPANDS("refs/pull/{pr}/merge", "refs/pull/1/2/merge", "pr/{pr}", "no match");
}

Test(claim, malformed_patterns_are_refused)
{
	static const char *const bad[] = {"",     "x{pr}",    "{pr}x", "{}", "{PR}",    "{a b}", "{a/b}",
	                                  "**/x", "{a...}/x", "{",     "}",  "{a}/{a}", "a/{",   "{...}"};
	for (size_t i = 0; i < JIC_COUNT(bad); i++) {
		struct jic_captures captures = {0};
		struct jic_error err = {0};
		cr_expect_not(jic_claim_pattern_check(jic_view_of(bad[i]), &captures, &err), "%s", bad[i]);
		cr_expect_eq(err.code, JIC_EUSAGE, "%s", bad[i]);
	}
}

/* ---- the file */

#define HEAD "[[oidc]]\nname = \"gh\"\nissuer = \"https://issuer.example\"\naudience = \"https://cache.example\"\n"
#define RULE "[[oidc.rules]]\nmatch = { repository = \"acme/app\" }\n"

static struct jic_issuers *load(const char *text, struct jic_error *err)
{
	__attribute__((cleanup(temp_remove))) struct temp dir = temp_make();
	put_file(at(dir.path, "c.toml"), text);
	return jic_issuers_load(at(dir.path, "c.toml"), err);
}

static void refused(const char *text, const char *why)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_issuers) struct jic_issuers *s = load(text, &err);
	cr_expect_null(s, "%s", text);
	cr_expect(strstr(err.text, why) && strstr(err.text, "c.toml:"), "%s\n%s", text, err.text);
}

Test(issuer, a_file_without_issuers_has_none)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_issuers) struct jic_issuers *none = jic_issuers_load(NULL, &err);
	JIC_AUTO(jic_issuers) struct jic_issuers *other = load("[limits]\nthreads = 3\n", &err);
	cr_assert(none && other, "%s", err.text);
	cr_expect_eq(jic_issuers_count(none) + jic_issuers_count(other), 0);
}

Test(issuer, every_key_has_its_place_and_its_default)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_issuers)
	struct jic_issuers *s =
	    load(HEAD "algorithms = [\"ES256\"]\nkeys_lifetime = \"2h\"\nca_file = \"/etc/ca.pem\"\n" RULE
	              "can = \"read,write\"\nlanes = \"main,x/*\"\nlane_parent = \"main\"\n"
	              "[[oidc]]\nname = \"b\"\nissuer = \"https://b.example\"\naudience = \"x\"\n" RULE,
	         &err);
	cr_assert(s, "%s", err.text);
	cr_assert_eq(jic_issuers_count(s), 2);
	const struct jic_issuer *a = jic_issuers_get(s, 0), *b = jic_issuers_get(s, 1);
	cr_expect(!a->algorithms[JIC_JWS_RS256] && a->algorithms[JIC_JWS_ES256]);
	cr_expect(b->algorithms[JIC_JWS_RS256] && !b->algorithms[JIC_JWS_ES256]);
	cr_expect(a->keys_lifetime_s == 7200 && a->keys_interval_s == 60 && b->keys_lifetime_s == 3600);
	cr_expect(jic_view_is(a->ca_file, "/etc/ca.pem") && jic_view_is(a->audience, "https://cache.example"));
	cr_assert(a->rules_count == 1 && a->rules[0].claims_count == 1);
	cr_expect_eq(a->rules[0].grant.scopes, JIC_SCOPE_READ | JIC_SCOPE_WRITE);
	cr_expect(jic_view_is(a->rules[0].grant.lane_parent, "main"));
	cr_expect(b->rules[0].grant.scopes == JIC_SCOPE_READ && jic_view_is(b->rules[0].grant.lanes, "main"));
}

Test(issuer, what_is_wrong_in_the_file_is_said_with_its_line)
{
	refused("oidc = 3\n", "[[oidc]] tables");
	refused("[oidc]\nname = \"x\"\n", "[[oidc]] tables");
	refused(HEAD, "needs [[oidc.rules]]");
	refused(HEAD "isuer = \"x\"\n" RULE, "c.toml:5");
	refused(HEAD "algorithms = [\"HS256\"]\n" RULE, "RS256 and ES256");
	refused(HEAD "algorithms = [\"none\"]\n" RULE, "RS256 and ES256");
	refused(HEAD "algorithms = []\n" RULE, "must be a list");
	refused(HEAD "keys_interval = \"0s\"\n" RULE, "must be a time");
	refused(HEAD "keys_lifetime = 3600\n" RULE, "must be a time");
	refused(HEAD "loopback_http = \"yes\"\n" RULE, "true or false");
	refused(HEAD RULE "lanes = \"pr/{pr}\"\n", "nothing captures");
	refused(HEAD RULE "lanes = \"a b\"\n", "not a lane's name");
	refused(HEAD RULE "can = \"own\"\n", "read, write, admin");
	refused(HEAD RULE "lane_parent = \"a b\"\n", "lane_parent");
	refused(HEAD RULE "lane = \"main\"\n", "no key of a rule");
	refused(HEAD "[[oidc.rules]]\nlanes = \"main\"\n", "needs match");
	refused(HEAD "[[oidc.rules]]\nmatch = {}\n", "at least one claim");
	refused(HEAD "[[oidc.rules]]\nmatch = { repository = \"*\" }\n", "at least one claim");
	refused(HEAD "[[oidc.rules]]\nmatch = { ref = 3 }\n", "in quotes");
	refused(HEAD "[[oidc.rules]]\nmatch = { ref = \"x{y}\" }\n", "between slashes");
	refused(HEAD RULE HEAD RULE, "another entry");
	refused("[[oidc]]\nname = \"a/b\"\nissuer = \"https://b.example\"\naudience = \"x\"\n" RULE, "name must be");
	refused("[[oidc]]\nname = \"b\"\nissuer = \"https://b.example\"\n" RULE, "audience is missing");
}

Test(issuer, tokens_of_a_public_issuer_need_an_owner)
{
#define PUBLIC(url, match)                                                                                             \
	"[[oidc]]\nname = \"p\"\nissuer = \"" url "\"\naudience = \"x\"\n[[oidc.rules]]\nmatch = { " match " }\n"
	static const char *const open[] = {
	    PUBLIC("https://token.actions.githubusercontent.com", "ref = \"refs/heads/main\""),
	    PUBLIC("https://token.actions.githubusercontent.com", "repository = \"*/app\""),
	    PUBLIC("https://token.actions.githubusercontent.com", "sub = \"repo:*\""),
	    PUBLIC("https://token.actions.githubusercontent.com", "repository = \"{o}/app\", ref = \"x\""),
	    PUBLIC("https://gitlab.com", "ref_protected = \"true\""),
	};
	for (size_t i = 0; i < JIC_COUNT(open); i++)
		refused(open[i], "everybody can get tokens");
	struct jic_error err = {0};
	JIC_AUTO(jic_issuers)
	struct jic_issuers *s =
	    load(PUBLIC("https://token.actions.githubusercontent.com", "repository = \"acme/*\""), &err);
	cr_expect(s, "%s", err.text);
}

Test(issuer, keys_come_by_https_or_from_this_machine_where_that_is_allowed)
{
	struct jic_issuer strict = {0}, loose = {.loopback_http = true};
	static const char *const bad[] = {
	    "http://issuer.example", "ftp://x",     "file:///etc/passwd", "https://",        "",
	    "https://a@b",           "https://a b", "https://a\n",        "HTTP://127.0.0.1"};
	static const char *const evil[] = {"http://127.0.0.1.evil.example/", "http://127.0.0.1:80@evil.example/",
	                                   "http://localhost.evil.example", "http://127.0.0.2", "http://[::1].x/"};
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_expect_not(jic_issuer_url_allowed(&loose, jic_view_of(bad[i])), "%s", bad[i]);
	for (size_t i = 0; i < JIC_COUNT(evil); i++)
		cr_expect_not(jic_issuer_url_allowed(&loose, jic_view_of(evil[i])), "%s", evil[i]);
	static const char *const near[] = {"http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:1"};
	for (size_t i = 0; i < JIC_COUNT(near); i++) {
		cr_expect(jic_issuer_url_allowed(&loose, jic_view_of(near[i])), "%s", near[i]);
		cr_expect_not(jic_issuer_url_allowed(&strict, jic_view_of(near[i])), "%s", near[i]);
	}
	cr_expect(jic_issuer_url_allowed(&strict, JIC_VIEW("https://issuer.example/x")));
}
