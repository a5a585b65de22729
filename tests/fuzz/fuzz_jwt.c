/*
 * What strangers send as a token, and what an issuer answers. The first byte picks the parser. Properties: what a token
 * signs is its beginning and ends before its last dot; decoding and encoding give the same text; a captured value can
 * stand in a lane's name; a discovery document gives a URL that may be asked.
 */
#include "common/base64url.h"
#include "common/message.h"
#include "server/auth/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(struct jic_view text)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_jwt token;
	struct jic_view value;
	if (jic_jwt_read(text, &arena, &token, NULL)) {
		JIC_ASSERT(token.signed_part.ptr == text.ptr && token.signed_part.len + 1 < text.len);
		JIC_ASSERT(text.ptr[token.signed_part.len] == '.' && token.signature.len > 0);
		JIC_ASSERT(token.algorithm < JIC_JWS_COUNT && token.audiences_count <= JIC_JWT_AUDIENCES_MAX);
		if (jic_jwt_claim(&token, "sub", &value))
			JIC_ASSERT(jic_view_eq(value, token.subject));
		if (jic_jwt_claim(&token, "run_id", &value))
			JIC_ASSERT(value.len <= JIC_JWT_CLAIM_BYTES_MAX);
	}
	jic_jwt_clear(&token);
}

/* The payload alone, so that mutations need not find their way through base64. */
static void check_payload(struct jic_view text)
{
	JIC_CLEAR(jic_buf) struct jic_buf token = {0};
	jic_base64url_encode(JIC_VIEW("{\"alg\":\"ES256\",\"kid\":\"k\"}"), &token);
	jic_buf_putc(&token, '.');
	jic_base64url_encode(text, &token);
	jic_buf_puts(&token, ".AAAA");
	check_token(jic_buf_view(&token));
}

static void check_keys(struct jic_view text)
{
	JIC_AUTO(jic_jwk_set) struct jic_jwk_set *keys = jic_jwk_set_read(text, NULL);
	if (keys)
		JIC_ASSERT(jic_jwk_set_count(keys) <= JIC_JWKS_KEYS_MAX);
}

static void check_base64(struct jic_view text)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf again = {0};
	struct jic_view bytes;
	if (!jic_base64url_decode(text, &arena, &bytes))
		return;
	jic_base64url_encode(bytes, &again);
	JIC_ASSERT(jic_view_eq(jic_buf_view(&again), text));
}

/* A pattern, a line feed, a value. */
static void check_claim(struct jic_view text)
{
	struct jic_captures checked = {0}, found = {0};
	struct jic_view pattern;
	if (!jic_view_split(&text, '\n', &pattern) || !text.ptr || !jic_claim_pattern_check(pattern, &checked, NULL))
		return;
	if (!jic_claim_match(pattern, text, &found))
		return;
	JIC_ASSERT(found.count == checked.count);
	for (size_t i = 0; i < found.count; i++)
		JIC_ASSERT(jic_lane_name_valid(found.list[i].value));
}

static void check_discovery(struct jic_view text)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_issuer issuer = {.url = JIC_VIEW("https://issuer.example"), .loopback_http = true};
	struct jic_view uri;
	if (jic_discovery_read(&issuer, text, &arena, &uri, NULL))
		JIC_ASSERT(jic_issuer_url_allowed(&issuer, uri) && !memchr(uri.ptr, '\0', uri.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct jic_view) = {check_token,  check_payload, check_keys,
	                                                  check_base64, check_claim,   check_discovery};
	if (size == 0)
		return 0;
	checks[data[0] % JIC_COUNT(checks)](jic_view_bytes(data + 1, size - 1));
	return 0;
}
