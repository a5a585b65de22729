/* Web tokens: what is believed, and every way to make us believe something else. */
#include "common/file.h"
#include "server/auth/discovery.h"
#include "server/auth/oidc.h"
#include "tests/support/issuer.h"
#include "tests/support/temp.h"

#include <stdatomic.h>
#include <unistd.h>

#define ISSUER "https://issuer.example"
#define HEADER(alg, kid) "{\"alg\":\"" alg "\",\"kid\":\"" kid "\",\"typ\":\"JWT\"}"
#define CLAIMS                                                                                                         \
	"\"iss\":\"" ISSUER "\",\"aud\":\"cache\",\"sub\":\"repo:acme/app:ref:refs/heads/main\","                      \
	"\"repository\":\"acme/app\",\"ref\":\"refs/heads/main\""
#define TIMES ",\"nbf\":1000,\"iat\":1000,\"exp\":2000"
#define PAYLOAD "{" CLAIMS TIMES "}"

static const char config[] =
    "[[oidc]]\nname = \"gh\"\nissuer = \"" ISSUER "\"\naudience = \"cache\"\nalgorithms = [\"RS256\", \"ES256\"]\n"
    "keys_interval = \"1s\"\n"
    "[[oidc.rules]]\nmatch = { repository = \"acme/app\", ref = \"refs/heads/main\" }\n"
    "can = \"read,write\"\nlanes = \"main\"\n"
    "[[oidc.rules]]\nmatch = { repository = \"acme/app\", ref = \"refs/pull/{pr}/merge\" }\n"
    "can = \"read,write\"\nlanes = \"pr/{pr}\"\nlane_parent = \"main\"\n"
    "[[oidc]]\nname = \"rsa\"\nissuer = \"https://rsa.example\"\naudience = \"cache\"\n"
    "[[oidc.rules]]\nmatch = { repository = \"acme/app\" }\n";

/* What the issuer publishes now, and how often it was asked; a fetch is a callback without a context. */
static struct {
	atomic_int asked;
	const char *_Atomic keys; /* NULL: it doesn't answer */
} published;

static struct jic_jwk_set *fetch(const struct jic_issuer *issuer, const _Atomic bool *stop, struct jic_error *err)
{
	const char *keys = published.keys;
	(void)stop;
	if (jic_view_is(issuer->url, ISSUER))
		atomic_fetch_add(&published.asked, 1);
	if (keys)
		return jic_jwk_set_read(jic_view_of(keys), err);
	(void)jic_fail(err, JIC_ENETWORK, "nobody answers");
	return NULL;
}

struct world {
	struct jic_arena arena;
	struct jic_issuers *issuers;
	struct jic_log log;
	struct jic_oidc oidc;
	struct signer rsa, ec;
	struct jic_buf keys;
};

static void world_clear(struct world *w)
{
	jic_keyring_free(w->oidc.keyring);
	jic_issuers_free(w->issuers);
	signer_clear(&w->rsa);
	signer_clear(&w->ec);
	jic_buf_clear(&w->keys);
	jic_arena_clear(&w->arena);
}

static void world_start(struct world *w)
{
	__attribute__((cleanup(temp_remove))) struct temp dir = temp_make();
	struct jic_error err = {0};
	put_file(at(dir.path, "c.toml"), config);
	w->issuers = jic_issuers_load(at(dir.path, "c.toml"), &err);
	cr_assert(w->issuers, "%s", err.text);
	w->log = (struct jic_log){.fd = -1, .level = JIC_LOG_ERROR};
	w->rsa = make_signer(JIC_JWS_RS256, "r1");
	w->ec = make_signer(JIC_JWS_ES256, "e1");
	jic_buf_puts(&w->keys, "{\"keys\":[");
	put_jwk(&w->keys, &w->rsa, ",\"use\":\"sig\",\"alg\":\"RS256\"");
	jic_buf_putc(&w->keys, ',');
	put_jwk(&w->keys, &w->ec, "");
	jic_buf_puts(&w->keys, ",{\"kty\":\"oct\",\"kid\":\"h1\",\"k\":\"AAAA\"}]}");
	published.keys = jic_buf_str(&w->keys);
	const struct jic_keyring_options options = {.issuers = w->issuers, .log = &w->log, .fetch = fetch};
	w->oidc = (struct jic_oidc){.issuers = w->issuers, .keyring = jic_keyring_new(&options, &err)};
	cr_assert(w->oidc.keyring, "%s", err.text);
}

struct verdict {
	bool known;
	struct jic_identity id;
	struct jic_error err;
};

static struct verdict judge(struct world *w, struct jic_view token, uint64_t now_s)
{
	struct verdict v = {0};
	for (int i = 0; i < 500; i++) {
		v.known = jic_oidc_identify(&w->oidc, token, now_s, &w->arena, &v.id, &v.err);
		if (v.known || v.err.code != JIC_EBUSY)
			return v;
		usleep(10000);
	}
	return v;
}

static void denied(struct world *w, struct jic_view token, uint64_t now_s, const char *why)
{
	struct verdict v = judge(w, token, now_s);
	cr_expect_not(v.known, "%s", why);
	cr_expect(v.err.code == JIC_EDENIED && strstr(v.err.text, why), "%s: %s", why, v.err.text);
}

#define SIGN(signer, header, payload) sign_token(&w.signer, header, payload, &w.arena)

Test(oidc, tokens_of_both_algorithms_are_believed_and_become_identities)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	struct verdict v = judge(&w, SIGN(rsa, HEADER("RS256", "r1"), PAYLOAD), 1500);
	cr_assert(v.known, "%s", v.err.text);
	cr_expect(v.id.kind == JIC_IDENTITY_JWT && v.id.scopes == (JIC_SCOPE_READ | JIC_SCOPE_WRITE));
	cr_expect(jic_view_is(v.id.name, "gh:repo:acme/app:ref:refs/heads/main"));
	cr_expect(jic_view_is(v.id.lanes, "main") && v.id.lane_parent.len == 0);
	v = judge(&w,
	          SIGN(ec, HEADER("ES256", "e1"),
	               "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"cache\"],\"sub\":\"s\",\"repository\":\"acme/app\","
	               "\"ref\":\"refs/pull/17/merge\"" TIMES "}"),
	          1500);
	cr_assert(v.known, "%s", v.err.text);
	cr_expect(jic_view_is(v.id.lanes, "pr/17") && jic_view_is(v.id.lane_parent, "main"));
	cr_expect_not(jic_identity_may_lane(&v.id, JIC_SCOPE_WRITE, JIC_VIEW("main")));
	cr_expect_not(jic_identity_may_lane(&v.id, JIC_SCOPE_WRITE, JIC_VIEW("pr/170")));
}

Test(oidc, times_are_kept_with_a_minute_of_leeway)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	const struct jic_view token = SIGN(ec, HEADER("ES256", "e1"), PAYLOAD);
	cr_expect(judge(&w, token, 940).known && judge(&w, token, 2059).known);
	denied(&w, token, 939, "not valid yet");
	denied(&w, token, 2060, "has expired");
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), "{" CLAIMS "}"), 1500, "exp");
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), "{" CLAIMS ",\"exp\":\"2000\"}"), 1500, "exp");
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), "{" CLAIMS ",\"exp\":-1}"), 1500, "exp");
	cr_expect(judge(&w, SIGN(ec, HEADER("ES256", "e1"), "{" CLAIMS ",\"exp\":2000}"), 1500).known);
}

Test(oidc, what_is_for_others_is_not_for_us)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
#define REST "\"sub\":\"s\",\"repository\":\"acme/app\",\"ref\":\"refs/heads/main\"" TIMES "}"
	static const struct {
		const char *payload, *why;
	} others[] = {
	    {"{\"iss\":\"https://evil.example\",\"aud\":\"cache\"," REST, "is not known here"},
	    {"{\"iss\":\"" ISSUER "/\",\"aud\":\"cache\"," REST, "is not known here"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":\"other\"," REST, "another audience"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":[]," REST, "another audience"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":[\"Cache\",\"cache/\"]," REST, "another audience"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":[1]," REST, "aud"},
	    {"{\"iss\":\"" ISSUER "\"," REST, "aud"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":\"cache\",\"sub\":\"s\",\"repository\":\"acme/app\",\"ref\":\"x\"" TIMES
	     "}",
	     "no rule"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":\"cache\",\"sub\":\"s\",\"repository\":[\"acme/app\"],"
	     "\"ref\":\"refs/heads/main\"" TIMES "}",
	     "no rule"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":\"cache\",\"sub\":\"a\\nb\",\"repository\":\"acme/app\","
	     "\"ref\":\"refs/heads/main\"" TIMES "}",
	     "unusual characters"},
	    {"{\"iss\":\"" ISSUER "\",\"aud\":\"cache\",\"repository\":\"acme/app\"" TIMES "}", "sub"},
	};
	for (size_t i = 0; i < JIC_COUNT(others); i++)
		denied(&w, SIGN(ec, HEADER("ES256", "e1"), others[i].payload), 1500, others[i].why);
}

/* ---- forgeries */

Test(oidc, a_claim_twice_is_no_claim)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), "{\"repository\":\"evil/app\"," CLAIMS TIMES "}"), 1500,
	       "duplicate");
	denied(&w, SIGN(ec, "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"e1\"}", PAYLOAD), 1500, "duplicate");
}

static struct jic_view with_signature(struct world *w, const char *header, struct jic_view signature)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_base64url_encode(jic_view_of(header), &out);
	jic_buf_putc(&out, '.');
	jic_base64url_encode(JIC_VIEW(PAYLOAD), &out);
	jic_buf_putc(&out, '.');
	jic_base64url_encode(signature, &out);
	return jic_arena_copy(&w->arena, jic_buf_view(&out));
}

Test(oidc, tokens_without_a_signature_are_nothing)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	denied(&w, with_signature(&w, HEADER("none", "r1"), JIC_VIEW("")), 1500, "three parts");
	denied(&w, with_signature(&w, HEADER("none", "r1"), JIC_VIEW("x")), 1500, "\"none\" is not accepted");
	denied(&w, with_signature(&w, HEADER("NONE", "r1"), JIC_VIEW("x")), 1500, "is not accepted");
	denied(&w, with_signature(&w, HEADER("rs256", "r1"), JIC_VIEW("x")), 1500, "is not accepted");
	denied(&w, with_signature(&w, "{\"kid\":\"r1\"}", JIC_VIEW("x")), 1500, "alg: is missing");
	denied(&w, with_signature(&w, HEADER("RS256", "r1"), JIC_VIEW("x")), 1500, "signature is wrong");
	denied(&w, with_signature(&w, HEADER("ES256", "e1"), JIC_VIEW("x")), 1500, "signature is wrong");
	const char zeros[64] = {0};
	denied(&w, with_signature(&w, HEADER("ES256", "e1"), jic_view_bytes(zeros, 64)), 1500, "signature is wrong");
}

/* An HMAC whose secret is what everybody can read: the issuer's public key. */
Test(oidc, a_public_key_is_no_hmac_secret)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	unsigned char mac[32];
	unsigned len = sizeof mac;
	const struct jic_view unsigned_token = with_signature(&w, HEADER("HS256", "r1"), JIC_VIEW("x"));
	const size_t signed_len = unsigned_token.len - 3;
	HMAC(EVP_sha256(), w.keys.ptr, (int)w.keys.len, (const void *)unsigned_token.ptr, signed_len, mac, &len);
	denied(&w, with_signature(&w, HEADER("HS256", "r1"), jic_view_bytes(mac, len)), 1500,
	       "\"HS256\" is not accepted");
	denied(&w, with_signature(&w, HEADER("RS256", "r1"), jic_view_bytes(mac, len)), 1500, "signature is wrong");
	denied(&w, with_signature(&w, HEADER("HS256", "h1"), jic_view_bytes(mac, len)), 1500,
	       "\"HS256\" is not accepted");
}

Test(oidc, a_key_signs_with_its_own_algorithm_only)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	denied(&w, SIGN(rsa, HEADER("ES256", "r1"), PAYLOAD), 1500, "no key \"r1\" for ES256");
	denied(&w, SIGN(ec, HEADER("RS256", "e1"), PAYLOAD), 1500, "no key \"e1\" for RS256");
	denied(&w, SIGN(ec, HEADER("RS256", "r1"), PAYLOAD), 1500, "signature is wrong");
	denied(&w, SIGN(rsa, HEADER("RS384", "r1"), PAYLOAD), 1500, "is not accepted");
	denied(&w, SIGN(rsa, HEADER("PS256", "r1"), PAYLOAD), 1500, "is not accepted");
	denied(&w,
	       SIGN(ec, HEADER("ES256", "e1"),
	            "{\"iss\":\"https://rsa.example\",\"aud\":\"cache\",\"sub\":\"s\",\"repository\":\"acme/app\"" TIMES
	            "}"),
	       1500, "does not accept the algorithm ES256");
}

Test(oidc, keys_that_the_token_brings_are_not_looked_at)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	JIC_CLEAR(signer) struct signer evil = make_signer(JIC_JWS_ES256, "e1");
	JIC_CLEAR(jic_buf) struct jic_buf header = {0};
	jic_buf_puts(&header, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"jku\":\"https://evil.example/keys\",\"jwk\":");
	put_jwk(&header, &evil, "");
	jic_buf_putc(&header, '}');
	denied(&w, sign_token(&evil, jic_buf_str(&header), PAYLOAD, &w.arena), 1500, "signature is wrong");
	static const char *const ids[] = {"../e1", "e1\\u0000", "", "E1", "e1 ", "'; DROP TABLE token;--", "/dev/null"};
	for (size_t i = 0; i < JIC_COUNT(ids); i++) {
		char text[128];
		snprintf(text, sizeof text, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", ids[i]);
		struct verdict v = judge(&w, sign_token(&w.ec, text, PAYLOAD, &w.arena), 1500);
		cr_expect(!v.known && v.err.code == JIC_EDENIED, "%s: %s", ids[i], v.err.text);
	}
	denied(&w, SIGN(ec, "{\"alg\":\"ES256\"}", PAYLOAD), 1500, "kid");
	denied(&w, SIGN(ec, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"crit\":[\"b64\"],\"b64\":false}", PAYLOAD), 1500,
	       "crit");
	denied(&w, SIGN(ec, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"typ\":\"JWE\"}", PAYLOAD), 1500, "typ");
}

Test(oidc, every_changed_byte_is_noticed)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	const struct jic_view token = SIGN(ec, HEADER("ES256", "e1"), PAYLOAD);
	cr_assert(judge(&w, token, 1500).known);
	for (size_t i = 0; i < token.len; i++) {
		struct jic_view copy = jic_arena_copy(&w.arena, token);
		char *bytes = (char *)(uintptr_t)copy.ptr;
		bytes[i] = bytes[i] == 'A' ? 'B' : 'A';
		struct verdict v = {0};
		v.known = jic_oidc_identify(&w.oidc, copy, 1500, &w.arena, &v.id, &v.err);
		cr_expect_not(v.known, "byte %zu", i);
	}
	for (size_t len = 0; len < token.len; len += 7)
		cr_expect_not(jic_oidc_identify(&w.oidc, jic_view_head(token, len), 1500, &w.arena,
		                                &(struct jic_identity){0}, NULL));
	const struct jic_view longer = jic_arena_printf(&w.arena, JIC_PRIv ".e30", JIC_ARGv(token));
	denied(&w, longer, 1500, "three parts");
	denied(&w, jic_arena_printf(&w.arena, JIC_PRIv "=", JIC_ARGv(token)), 1500, "three parts");
}

Test(oidc, a_token_over_the_limit_is_not_read)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	char *large = jic_arena_alloc(&w.arena, JIC_JWT_BYTES_MAX + 2);
	memset(large, 'e', JIC_JWT_BYTES_MAX + 1);
	denied(&w, jic_view_bytes(large, JIC_JWT_BYTES_MAX + 1), 1500, "more than");
	JIC_CLEAR(jic_buf) struct jic_buf deep = {0};
	jic_buf_puts(&deep, "{" CLAIMS TIMES ",\"x\":");
	for (int i = 0; i < 1000; i++)
		jic_buf_putc(&deep, '[');
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), jic_buf_str(&deep)), 1500, "nested deeper");
}

/* ---- keys */

static size_t usable(const char *keys)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_jwk_set) struct jic_jwk_set *s = jic_jwk_set_read(jic_view_of(keys), &err);
	return s ? jic_jwk_set_count(s) : SIZE_MAX;
}

Test(jwk, keys_that_can_not_be_used_are_left_out)
{
	JIC_CLEAR(signer) struct signer rsa = make_signer(JIC_JWS_RS256, "r"), ec = make_signer(JIC_JWS_ES256, "e");
	static const char *const ours[] = {"", ",\"use\":\"sig\"", ",\"x5t\":\"abc\",\"x5c\":[\"abc\"]"};
	static const char *const others[] = {",\"use\":\"enc\"", ",\"alg\":\"RS512\"", ",\"alg\":\"HS256\"",
	                                     ",\"use\":1"};
	for (size_t i = 0; i < JIC_COUNT(ours) + JIC_COUNT(others); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
		const bool good = i < JIC_COUNT(ours);
		jic_buf_puts(&keys, "{\"keys\":[");
		put_jwk(&keys, &rsa, good ? ours[i] : others[i - JIC_COUNT(ours)]);
		jic_buf_putc(&keys, ',');
		put_jwk(&keys, &ec, good ? ours[i] : others[i - JIC_COUNT(ours)]);
		jic_buf_puts(&keys, "]}");
		cr_expect_eq(usable(jic_buf_str(&keys)), good ? 2 : 0, "%s", jic_buf_str(&keys));
	}
	cr_expect_eq(usable("{\"keys\":[]}"), 0);
	cr_expect_eq(
	    usable("{\"keys\":[1,null,{},{\"kty\":\"RSA\"},{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\"}]}"), 0);
	/* weak: 512 bits; an exponent of 1; not on the curve; another curve */
	cr_expect_eq(usable("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\",\"n\":\"2_________________"
	                    "____________________________________________________________________8\"}]}"),
	             0);
	cr_expect_eq(
	    usable("{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	           "AAAAAAAAAAAAAAE\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}"),
	    0);
	cr_expect_eq(usable("{}"), SIZE_MAX);
	cr_expect_eq(usable("[]"), SIZE_MAX);
	cr_expect_eq(usable("{\"keys\":{}}"), SIZE_MAX);
	cr_expect_eq(usable("{\"keys\":[],\"keys\":[]}"), SIZE_MAX);
}

Test(jwk, two_keys_with_one_id_make_the_set_unusable)
{
	JIC_CLEAR(signer) struct signer a = make_signer(JIC_JWS_ES256, "same"), b = make_signer(JIC_JWS_ES256, "same");
	JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
	jic_buf_puts(&keys, "{\"keys\":[");
	put_jwk(&keys, &a, "");
	jic_buf_putc(&keys, ',');
	put_jwk(&keys, &b, "");
	jic_buf_puts(&keys, "]}");
	cr_expect_eq(usable(jic_buf_str(&keys)), SIZE_MAX);
}

Test(keyring, an_unknown_key_is_looked_for_once_in_an_interval)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	JIC_CLEAR(signer) struct signer later = make_signer(JIC_JWS_ES256, "e2");
	const struct jic_view token = sign_token(&later, HEADER("ES256", "e2"), PAYLOAD, &w.arena);
	cr_assert(judge(&w, SIGN(ec, HEADER("ES256", "e1"), PAYLOAD), 1500).known);
	usleep(1100000); /* an interval passes */
	denied(&w, token, 1500, "no key \"e2\"");
	const int asked = published.asked;
	for (int i = 0; i < 1000; i++)
		denied(&w, token, 1500, "no key \"e2\"");
	cr_expect_leq(published.asked, asked + 1, "%d tokens of nobody made %d fetches", 1000, published.asked - asked);
	JIC_CLEAR(jic_buf) struct jic_buf keys = {0};
	jic_buf_puts(&keys, "{\"keys\":[");
	put_jwk(&keys, &later, "");
	jic_buf_puts(&keys, "]}");
	published.keys = jic_buf_str(&keys);
	usleep(1100000);
	cr_expect(judge(&w, token, 1500).known, "the issuer's new key");
	denied(&w, SIGN(ec, HEADER("ES256", "e1"), PAYLOAD), 1500, "no key \"e1\"");
	jic_keyring_free(JIC_TAKE(w.oidc.keyring));
}

Test(keyring, known_keys_stay_good_while_the_issuer_is_away)
{
	JIC_CLEAR(world) struct world w = {0};
	world_start(&w);
	const struct jic_view token = SIGN(ec, HEADER("ES256", "e1"), PAYLOAD);
	cr_assert(judge(&w, token, 1500).known);
	published.keys = NULL;
	usleep(1100000);
	struct verdict v = judge(&w, SIGN(ec, HEADER("ES256", "e9"), PAYLOAD), 1500);
	cr_expect(!v.known && v.err.code == JIC_EDENIED, "%s", v.err.text);
	cr_expect(judge(&w, token, 1500).known);
}

Test(discovery, a_document_must_be_the_issuers_own_and_name_a_safe_url)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_view uri;
	const struct jic_issuer issuer = {.url = JIC_VIEW("https://a.example/x/")};
	cr_expect(
	    jic_view_is(jic_discovery_url(&issuer, &arena), "https://a.example/x/.well-known/openid-configuration"));
#define READS(json) jic_discovery_read(&issuer, JIC_VIEW(json), &arena, &uri, &err)
	cr_assert(READS("{\"issuer\":\"https://a.example/x/\",\"jwks_uri\":\"https://k.example/j\",\"more\":[1]}"));
	cr_expect(jic_view_is(uri, "https://k.example/j"));
	cr_expect_not(READS("{\"issuer\":\"https://a.example/x\",\"jwks_uri\":\"https://k.example/j\"}"));
	cr_expect_not(READS("{\"issuer\":\"https://a.example/x/\",\"jwks_uri\":\"http://127.0.0.1/j\"}"));
	cr_expect_not(READS("{\"issuer\":\"https://a.example/x/\",\"jwks_uri\":\"file:///etc/passwd\"}"));
	cr_expect_not(READS("{\"issuer\":\"https://a.example/x/\"}"));
	cr_expect_not(READS("null"));
}
