/* Two GETs with libcurl; the only place where the server asks somebody else for something. */
#include "server/auth/discovery.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { CONNECT_TIMEOUT_MS = 5 * 1000 };

struct jic_view jic_discovery_url(const struct jic_issuer *issuer, struct jic_arena *arena)
{
	struct jic_view base = issuer->url;
	while (base.len && base.ptr[base.len - 1] == '/')
		base.len--;
	return jic_arena_printf(arena, JIC_PRIv "/.well-known/openid-configuration", JIC_ARGv(base));
}

static bool take_document(const struct jic_issuer *issuer, const struct jic_json *root, struct jic_view *jwks_uri,
                          struct jic_error *err)
{
	struct jic_view name;
	if (!jic_json_get_text(root, "issuer", JIC_JWT_CLAIM_BYTES_MAX, &name) ||
	    !jic_json_get_text(root, "jwks_uri", JIC_JWT_CLAIM_BYTES_MAX, jwks_uri))
		return false;
	if (!jic_view_eq(name, issuer->url))
		return jic_fail(err, JIC_EDENIED, "it is the document of another issuer, \"" JIC_PRIv "\"",
		                JIC_ARGv(jic_view_head(name, 200)));
	return jic_issuer_url_allowed(issuer, *jwks_uri) ||
	       jic_fail(err, JIC_EDENIED, "its jwks_uri is not an https:// URL");
}

bool jic_discovery_read(const struct jic_issuer *issuer, struct jic_view json, struct jic_arena *arena,
                        struct jic_view *jwks_uri, struct jic_error *err)
{
	struct jic_json_doc doc;
	if (!jic_json_parse(json, JIC_DISCOVERY_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json root = jic_json_root(&doc);
	bool taken = take_document(issuer, &root, jwks_uri, err);
	jic_json_doc_clear(&doc);
	return taken;
}

/* ---- fetching */

struct answer {
	struct jic_buf bytes;
	size_t bytes_max;
	const _Atomic bool *stop;
};

static void answer_clear(struct answer *a)
{
	jic_buf_clear(&a->bytes);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct answer *a = context;
	if (size * count > a->bytes_max - a->bytes.len)
		return 0;
	jic_buf_put(&a->bytes, bytes, size * count);
	return jic_buf_ok(&a->bytes, NULL) ? size * count : 0;
}

static int on_progress(void *context, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	const struct answer *a = context;
	(void)dt, (void)dn, (void)ut, (void)un;
	return atomic_load(a->stop);
}

static void set_options(CURL *curl, const struct jic_issuer *issuer, const char *url, struct answer *a,
                        char message[CURL_ERROR_SIZE])
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, issuer->loopback_http ? "https,http" : "https");
	/* Who may be redirected may be sent to a service of our own network. */
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)JIC_FETCH_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "jicached/" JIC_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, a);
	if (issuer->ca_file.len)
		curl_easy_setopt(curl, CURLOPT_CAINFO, issuer->ca_file.ptr);
}

static bool get(CURL *curl, const struct jic_issuer *issuer, const char *url, struct answer *a, struct jic_error *err)
{
	char message[CURL_ERROR_SIZE] = "";
	long status = 0;
	set_options(curl, issuer, url, a, message);
	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_WRITE_ERROR)
		return jic_fail(err, JIC_ELIMIT, "%s: the answer has more than %zu bytes", url, a->bytes_max);
	if (code != CURLE_OK)
		return jic_fail(err, JIC_ENETWORK, "%s: %s", url, message[0] ? message : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 || jic_fail(err, JIC_ENETWORK, "%s: HTTP status %ld", url, status);
}

static struct jic_jwk_set *fetch(CURL *curl, const struct jic_issuer *issuer, const _Atomic bool *stop,
                                 struct jic_arena *arena, struct jic_error *err)
{
	JIC_CLEAR(answer) struct answer document = {.bytes_max = JIC_DISCOVERY_BYTES_MAX, .stop = stop};
	JIC_CLEAR(answer) struct answer keys = {.bytes_max = JIC_JWKS_BYTES_MAX, .stop = stop};
	struct jic_view jwks_uri;
	const struct jic_view url = jic_discovery_url(issuer, arena);
	if (!get(curl, issuer, url.ptr, &document, err))
		return NULL;
	if (!jic_discovery_read(issuer, jic_buf_view(&document.bytes), arena, &jwks_uri, err)) {
		(void)jic_wrap(err, JIC_PRIv, JIC_ARGv(url));
		return NULL;
	}
	if (!get(curl, issuer, jwks_uri.ptr, &keys, err))
		return NULL;
	struct jic_jwk_set *set = jic_jwk_set_read(jic_buf_view(&keys.bytes), err);
	if (!set)
		(void)jic_wrap(err, JIC_PRIv, JIC_ARGv(jwks_uri));
	return set;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct jic_jwk_set *jic_discovery_fetch(const struct jic_issuer *issuer, const _Atomic bool *stop,
                                        struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	pthread_once(&curl_once, curl_begin);
	CURL *curl = curl_easy_init();
	if (!curl) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	struct jic_jwk_set *set = fetch(curl, issuer, stop, &arena, err);
	curl_easy_cleanup(curl);
	return set;
}
