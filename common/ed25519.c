/* Keys as OpenSSL's EVP_PKEY; nothing here is secret but what is inside of one. */
#include "common/ed25519.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* ---- public keys */

void jic_key_id(const struct jic_digest *key, char id[JIC_KEY_ID_TEXT + 1])
{
	struct jic_digest digest;
	jic_sha256_of(jic_view_bytes(key->bytes, sizeof key->bytes), &digest);
	jic_hex(digest.bytes, JIC_KEY_ID_TEXT / 2, id);
}

bool jic_key_name_valid(struct jic_view name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && (c == '\0' || !strchr("._@-", c)))
			return false;
	}
	return name.len > 0 && name.len <= JIC_KEY_NAME_BYTES_MAX;
}

static struct jic_view cut(struct jic_view *text)
{
	const char *colon = text->len ? memchr(text->ptr, ':', text->len) : NULL;
	struct jic_view part = jic_view_head(*text, colon ? (size_t)(colon - text->ptr) : text->len);
	*text = jic_view_skip(*text, part.len + 1);
	return part;
}

bool jic_public_key_parse(struct jic_view text, struct jic_public_key *out, struct jic_error *err)
{
	char wanted[JIC_KEY_ID_TEXT + 1];
	struct jic_view rest = text;
	struct jic_view name = cut(&rest), id = cut(&rest);
	struct jic_digest key;
	if (!jic_key_name_valid(name) || !jic_digest_parse(rest, &key))
		return jic_fail(err, JIC_EFORMAT,
		                "\"" JIC_PRIv "\" is no public key: NAME:ID:HEX, as `jicache keygen` prints it",
		                JIC_ARGv(jic_view_head(text, JIC_KEY_TEXT_BYTES_MAX)));
	jic_key_id(&key, wanted);
	if (!jic_view_is(id, wanted))
		return jic_fail(err, JIC_EFORMAT,
		                "the public key \"" JIC_PRIv "\" has a mistake: its id would be %s, not " JIC_PRIv,
		                JIC_ARGv(name), wanted, JIC_ARGv(jic_view_head(id, JIC_DIGEST_HEX)));
	*out = (struct jic_public_key){.name = name, .key = key};
	return true;
}

void jic_public_key_format(const struct jic_public_key *key, struct jic_buf *out)
{
	char id[JIC_KEY_ID_TEXT + 1], hex[JIC_DIGEST_HEX + 1];
	jic_key_id(&key->key, id);
	jic_digest_hex(&key->key, hex);
	jic_buf_printf(out, JIC_PRIv ":%s:%s", JIC_ARGv(key->name), id, hex);
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

bool jic_public_keys_parse(struct jic_view text, size_t max, struct jic_public_key *out, size_t *count,
                           struct jic_error *err)
{
	*count = 0;
	while (text.len) {
		size_t len = 0;
		while (len < text.len && !is_separator(text.ptr[len]))
			len++;
		struct jic_view word = jic_view_head(text, len);
		text = jic_view_skip(text, len + 1);
		if (!len)
			continue;
		if (*count == max)
			return jic_fail(err, JIC_ELIMIT, "there are more than %zu public keys", max);
		if (!jic_public_key_parse(word, &out[*count], err))
			return false;
		++*count;
	}
	return true;
}

/* ---- signing */

struct jic_signing_key {
	EVP_PKEY *pkey;
	struct jic_digest public_half;
};

/* Takes `pkey`. */
static struct jic_signing_key *key_of(EVP_PKEY *pkey, struct jic_error *err)
{
	struct jic_signing_key *key = calloc(1, sizeof *key);
	size_t len = sizeof key->public_half.bytes;
	if (!key) {
		EVP_PKEY_free(pkey);
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	key->pkey = pkey;
	if (EVP_PKEY_get_raw_public_key(pkey, key->public_half.bytes, &len) == 1 && len == JIC_DIGEST_BYTES)
		return key;
	jic_signing_key_free(key);
	jic_fail(err, JIC_EFORMAT, "signing key: it has no public half");
	return NULL;
}

struct jic_signing_key *jic_signing_key_new(struct jic_error *err)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pkey)
		return key_of(pkey, err);
	jic_fail(err, JIC_EIO, "signing key: OpenSSL could not make one");
	return NULL;
}

/* Without it OpenSSL would ask the terminal for a passphrase. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
	(void)text, (void)size, (void)writing, (void)context;
	return -1;
}

struct jic_signing_key *jic_signing_key_read(struct jic_view pem, struct jic_error *err)
{
	BIO *bio = pem.len <= JIC_SIGNING_KEY_BYTES_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	if (pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519)
		return key_of(pkey, err);
	jic_fail(err, JIC_EFORMAT,
	         pkey ? "signing key: it is not one of Ed25519"
	              : "signing key: not a private key in PEM without a passphrase (`jicache keygen` makes one)");
	EVP_PKEY_free(pkey);
	return NULL;
}

void jic_signing_key_free(struct jic_signing_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

bool jic_signing_key_pem(const struct jic_signing_key *key, struct jic_buf *out, struct jic_error *err)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	bool written = bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
	long len = written ? BIO_get_mem_data(bio, &text) : 0;
	if (len > 0)
		jic_buf_put(out, text, (size_t)len);
	BIO_free(bio);
	return len > 0 ? jic_buf_ok(out, err) : jic_fail(err, JIC_EMEMORY, "signing key: can't be written");
}

const struct jic_digest *jic_signing_key_public(const struct jic_signing_key *key)
{
	return &key->public_half;
}

bool jic_ed25519_sign(const struct jic_signing_key *key, struct jic_view message, uint8_t signature[JIC_ED25519_BYTES],
                      struct jic_error *err)
{
	size_t len = JIC_ED25519_BYTES;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	            EVP_DigestSign(ctx, signature, &len, (const uint8_t *)message.ptr, message.len) == 1 &&
	            len == JIC_ED25519_BYTES;
	EVP_MD_CTX_free(ctx);
	return done || jic_fail(err, JIC_EMEMORY, "OpenSSL could not sign");
}

bool jic_ed25519_verify(const struct jic_digest *key, struct jic_view message,
                        const uint8_t signature[JIC_ED25519_BYTES])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);
	EVP_MD_CTX *ctx = pkey ? EVP_MD_CTX_new() : NULL;
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	            EVP_DigestVerify(ctx, signature, JIC_ED25519_BYTES, (const uint8_t *)message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return good;
}
