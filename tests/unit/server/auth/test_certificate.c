/* Rules for client certificates: what a file may say, and who a certificate is. */
#include "server/auth/certificate.h"

#include "common/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static struct jic_certificate_rules *rules_of(const char *toml, struct jic_error *err)
{
	char path[] = "/tmp/jicached-rules-XXXXXX";
	int fd = mkstemp(path);
	cr_assert(fd >= 0);
	cr_assert(jic_write_all(fd, toml, strlen(toml), NULL));
	close(fd);
	struct jic_certificate_rules *rules = jic_certificate_rules_load(path, err);
	unlink(path);
	return rules;
}

static const char two[] = "listen = \":1\"\n[tls]\nkey = \"k\"\n"
			  "[[tls.clients]]\nmatch = [\"CN=ci-*\", \"URI=spiffe://x/ci/*\"]\ncan = \"read,write\"\n"
			  "lanes = \"main,pr/*\"\nlane_parent = \"main\"\n"
			  "[[tls.clients]]\nmatch = [\"DNS=*.example\"]\n";

static bool identify(const char *name, struct jic_arena *arena, struct jic_identity *out)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_certificate_rules) struct jic_certificate_rules *rules = rules_of(two, &err);
	cr_assert_not_null(rules, "%s", err.text);
	const struct jic_view names[] = {JIC_VIEW("DN=CN=somebody,O=example"), jic_view_of(name)};
	bool found = jic_certificate_identify(rules, names, JIC_COUNT(names), arena, out, &err);
	cr_assert(found || err.code == JIC_EDENIED);
	return found;
}

Test(certificate, the_first_rule_that_matches_one_of_its_names_counts)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_identity id;
	cr_assert(identify("CN=ci-7", &arena, &id));
	cr_assert(id.kind == JIC_IDENTITY_CERTIFICATE);
	cr_assert(jic_view_is(id.name, "cert:CN=ci-7"));
	cr_assert_eq(id.scopes, (unsigned)JIC_SCOPE_READ | JIC_SCOPE_WRITE);
	cr_assert(jic_view_is(id.lanes, "main,pr/*"));
	cr_assert(jic_view_is(id.lane_parent, "main"));
	cr_assert(identify("DNS=a.b.example", &arena, &id));
	cr_assert_eq(id.scopes, (unsigned)JIC_SCOPE_READ);
	cr_assert(jic_view_is(id.lanes, "main"));
}

Test(certificate, who_has_no_rule_is_denied)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_identity id;
	static const char *const names[] = {"CN=CI-7",     "CN=xci-7",     "DNS=ci-7",          "CN=a.example",
	                                    "DNS=example", "EMAIL=ci-7@x", "DNS=a.example.com", "DN=CN=ci-7"};
	for (size_t i = 0; i < JIC_COUNT(names); i++)
		cr_assert_not(identify(names[i], &arena, &id), "%s", names[i]);
}

Test(certificate, a_name_that_is_too_long_matches_nothing)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_identity id;
	char name[JIC_CERTIFICATE_NAME_BYTES_MAX + 2];
	memset(name, 'x', sizeof name);
	memcpy(name, "CN=ci-", 6);
	name[sizeof name - 1] = '\0';
	cr_assert_not(identify(name, &arena, &id));
}

Test(certificate, a_file_with_a_mistake_is_refused)
{
	static const char *const cases[][2] = {
	    {"[[tls.clients]]\ncan = \"read\"\n", "match"},
	    {"[[tls.clients]]\nmatch = []\n", "match"},
	    {"[[tls.clients]]\nmatch = \"CN=x\"\n", "match"},
	    {"[[tls.clients]]\nmatch = [\"ci\"]\n", "begins with"},
	    {"[[tls.clients]]\nmatch = [\"CN=\"]\n", "begins with"},
	    {"[[tls.clients]]\nmatch = [7]\n", "begins with"},
	    {"[[tls.clients]]\nmatch = [\"CN=x\"]\ncan = \"everything\"\n", "read, write, admin"},
	    {"[[tls.clients]]\nmatch = [\"CN=x\"]\nlanes = \"a b\"\n", "lane"},
	    {"[[tls.clients]]\nmatch = [\"CN=x\"]\nlane_parent = \"../x\"\n", "lane_parent"},
	    {"[[tls.clients]]\nmatch = [\"CN=x\"]\nlane = \"main\"\n", "\"lane\""},
	    {"[tls]\nclients = [\"CN=x\"]\n", "match"},
	    {"[tls", "expected ']'"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		struct jic_error err = {0};
		cr_assert_null(rules_of(cases[i][0], &err), "%s", cases[i][0]);
		cr_assert(strstr(err.text, cases[i][1]), "%s: %s", cases[i][0], err.text);
	}
}

Test(certificate, without_rules_nobody_is_let_in)
{
	JIC_AUTO(jic_certificate_rules) struct jic_certificate_rules *none = jic_certificate_rules_load(NULL, NULL);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_identity id;
	cr_assert_eq(jic_certificate_rules_count(none), 0);
	cr_assert_not(jic_certificate_identify(none, NULL, 0, &arena, &id, NULL));
	cr_assert_null(jic_certificate_rules_load("/nonexistent/jicached.toml", NULL));
}
