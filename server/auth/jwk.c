/* Keys become OpenSSL's when the set is read, so that checking a signature parses nothing but the signature. */
#include "server/auth/jwk.h"

#include "common/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdatomic.h>

enum { P256_BYTES = 32, RSA_EXPONENT_BYTES_MAX = 8, KEY_PART_BYTES_MAX = 2048 };

struct jwk {
	enum jic_jws_algorithm algorithm;
	struct jic_view id;
	EVP_PKEY *key;
};

struct jic_jwk_set {
	atomic_uint references;
	struct jic_arena arena; /* ids */
	struct jwk keys[JIC_JWKS_KEYS_MAX];
	size_t count;
};

struct jic_jwk_set *jic_jwk_set_ref(struct jic_jwk_set *s)
{
	atomic_fetch_add(&s->references, 1);
	return s;
}

void jic_jwk_set_unref(struct jic_jwk_set *s)
{
	if (!s || atomic_fetch_sub(&s->references, 1) != 1)
		return;
	for (size_t i = 0; i < s->count; i++)
		EVP_PKEY_free(s->keys[i].key);
	jic_arena_clear(&s->arena);
	free(s);
}

size_t jic_jwk_set_count(const struct jic_jwk_set *s)
{
	return s->count;
}

static const struct jwk *find(const struct jic_jwk_set *s, enum jic_jws_algorithm algorithm, struct jic_view id)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->keys[i].algorithm == algorithm && jic_view_eq(s->keys[i].id, id))
			return &s->keys[i];
	return NULL;
}

bool jic_jwk_set_has(const struct jic_jwk_set *s, enum jic_jws_algorithm algorithm, struct jic_view key_id)
{
	return find(s, algorithm, key_id) != NULL;
}

/* ---- making OpenSSL's keys; NULL: unusable */

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *parts)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!params || !context || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

/* A point that is not on the curve would be an oracle, an even modulus nonsense. */
static EVP_PKEY *checked(EVP_PKEY *key)
{
	EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	bool good = context && EVP_PKEY_public_check(context) == 1;
	EVP_PKEY_CTX_free(context);
	if (good)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *rsa_key(struct jic_view modulus, struct jic_view exponent)
{
	if (exponent.len == 0 || exponent.len > RSA_EXPONENT_BYTES_MAX)
		return NULL;
	BIGNUM *n = BN_bin2bn((const void *)modulus.ptr, (int)modulus.len, NULL);
	BIGNUM *e = BN_bin2bn((const void *)exponent.ptr, (int)exponent.len, NULL);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	bool sane = n && e && parts && BN_num_bits(n) >= JIC_JWK_RSA_BITS_MIN &&
	            BN_num_bits(n) <= JIC_JWK_RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
	if (sane && OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e))
		key = key_from("RSA", parts);
	OSSL_PARAM_BLD_free(parts);
	BN_free(n);
	BN_free(e);
	return key;
}

static EVP_PKEY *p256_key(struct jic_view x, struct jic_view y)
{
	uint8_t point[1 + 2 * P256_BYTES] = {4}; /* not compressed: SEC 1 §2.3.3 */
	if (x.len != P256_BYTES || y.len != P256_BYTES)
		return NULL;
	memcpy(point + 1, x.ptr, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y.ptr, P256_BYTES);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (parts && OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
		key = key_from("EC", parts);
	OSSL_PARAM_BLD_free(parts);
	return checked(key);
}

/* ---- reading */

static bool get_bytes(const struct jic_json *at, const char *field, struct jic_view *out)
{
	struct jic_view text;
	return jic_json_get_text(at, field, KEY_PART_BYTES_MAX, &text) &&
	       jic_base64url_decode(text, at->doc->arena, out);
}

/* Absent, or that. */
static bool says_nothing_but(const struct jic_json *at, const char *field, const char *value)
{
	struct jic_view text;
	return jic_json_opt_text(at, field, JIC_JWT_KEY_ID_BYTES_MAX, &text) &&
	       (text.len == 0 || jic_view_is(text, value));
}

static bool is_for(const struct jic_json *at, enum jic_jws_algorithm algorithm)
{
	return says_nothing_but(at, "use", "sig") && says_nothing_but(at, "alg", jic_jws_algorithm_name(algorithm));
}

/* @return false: it can't be used here */
static bool read_key(const struct jic_json *at, struct jwk *out)
{
	struct jic_view type, curve, first, second;
	if (!jic_json_get_text(at, "kty", JIC_JWT_KEY_ID_BYTES_MAX, &type) ||
	    !jic_json_get_text(at, "kid", JIC_JWT_KEY_ID_BYTES_MAX, &out->id) || out->id.len == 0)
		return false;
	if (jic_view_is(type, "RSA") && is_for(at, JIC_JWS_RS256) && get_bytes(at, "n", &first) &&
	    get_bytes(at, "e", &second)) {
		out->algorithm = JIC_JWS_RS256;
		out->key = rsa_key(first, second);
	} else if (jic_view_is(type, "EC") && is_for(at, JIC_JWS_ES256) &&
	           jic_json_get_text(at, "crv", JIC_JWT_KEY_ID_BYTES_MAX, &curve) && jic_view_is(curve, "P-256") &&
	           get_bytes(at, "x", &first) && get_bytes(at, "y", &second)) {
		out->algorithm = JIC_JWS_ES256;
		out->key = p256_key(first, second);
	}
	return out->key != NULL;
}

static bool take_key(struct jic_jwk_set *s, struct jwk *key, struct jic_error *err)
{
	if (find(s, key->algorithm, key->id)) {
		EVP_PKEY_free(key->key);
		return jic_fail(err, JIC_EFORMAT, "two keys have the id \"" JIC_PRIv "\"", JIC_ARGv(key->id));
	}
	key->id = jic_arena_copy(&s->arena, key->id);
	s->keys[s->count++] = *key;
	return !s->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool take_keys(struct jic_jwk_set *s, const struct jic_json_doc *doc, struct jic_error *err)
{
	/* Why one key is left out is nobody's trouble. */
	const struct jic_json_doc quiet = {.root = doc->root, .arena = doc->arena};
	const struct jic_json root = jic_json_root(doc), quiet_root = jic_json_root(&quiet);
	struct jic_json list, keys;
	if (!jic_json_list(&root, "keys", JIC_JWKS_KEYS_MAX, &list) ||
	    !jic_json_list(&quiet_root, "keys", JIC_JWKS_KEYS_MAX, &keys))
		return false;
	for (size_t i = 0; i < jic_json_count(&keys); i++) {
		const struct jic_json element = jic_json_element(&keys, i);
		struct jwk key = {0};
		if (read_key(&element, &key) && !take_key(s, &key, err))
			return false;
	}
	ERR_clear_error();
	return true;
}

struct jic_jwk_set *jic_jwk_set_read(struct jic_view json, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	JIC_AUTO(jic_jwk_set) struct jic_jwk_set *s = calloc(1, sizeof *s);
	struct jic_json_doc doc;
	if (!s) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	atomic_init(&s->references, 1);
	if (!jic_json_parse(json, JIC_JWKS_BYTES_MAX, &scratch, &doc, err))
		return NULL;
	bool taken = take_keys(s, &doc, err);
	jic_json_doc_clear(&doc);
	return taken ? JIC_TAKE(s) : NULL;
}

/* ---- signatures */

/* JWS has r and s one after the other (RFC 7518 §3.4), OpenSSL wants them in DER. @return its length, −1: malformed */
static int der_of(struct jic_view signature, uint8_t **out)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int len = -1;
	if (pair && signature.len == 2 * P256_BYTES) {
		BIGNUM *r = BN_bin2bn((const void *)signature.ptr, P256_BYTES, NULL);
		BIGNUM *s = BN_bin2bn((const void *)(signature.ptr + P256_BYTES), P256_BYTES, NULL);
		if (r && s && ECDSA_SIG_set0(pair, r, s)) {
			len = i2d_ECDSA_SIG(pair, out);
		} else {
			BN_free(r);
			BN_free(s);
		}
	}
	ECDSA_SIG_free(pair);
	return len;
}

static bool check_signature(EVP_PKEY *key, const uint8_t *signature, size_t len, struct jic_view text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	            EVP_DigestVerify(context, signature, len, (const void *)text.ptr, text.len) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

static bool check_es256(EVP_PKEY *key, const struct jic_jwt *token)
{
	uint8_t *der = NULL;
	int len = der_of(token->signature, &der);
	bool good = len > 0 && check_signature(key, der, (size_t)len, token->signed_part);
	OPENSSL_free(der);
	return good;
}

bool jic_jwk_set_verify(const struct jic_jwk_set *s, const struct jic_jwt *token, struct jic_error *err)
{
	const struct jwk *key = find(s, token->algorithm, token->key_id);
	if (!key)
		return jic_fail(err, JIC_ENOTFOUND, "the issuer has no key \"" JIC_PRIv "\" for %s",
		                JIC_ARGv(jic_view_head(token->key_id, 64)), jic_jws_algorithm_name(token->algorithm));
	bool good = key->algorithm == JIC_JWS_ES256 ? check_es256(key->key, token)
	                                            : check_signature(key->key, (const void *)token->signature.ptr,
	                                                              token->signature.len, token->signed_part);
	return good || jic_fail(err, JIC_EDENIED, "the web token's signature is wrong");
}
