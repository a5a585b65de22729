/* One GET, whose answer is {"value": "<token>"}. */
#include "client/lib/session/ci_token.h"

#include "client/lib/session/libcurl.h"
#include "common/json.h"

#include <pthread.h>
#include <time.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 };

struct jic_ci_token {
	pthread_mutex_t lock; /* guards what follows, up to the audience */
	char text[JIC_CI_TOKEN_BYTES_MAX + 1];
	time_t got_s; /* monotonic; 0: not yet */

	const char *audience;
};

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

bool jic_ci_token_possible(void)
{
	return *from_environment("ACTIONS_ID_TOKEN_REQUEST_URL") && *from_environment("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
}

struct jic_ci_token *jic_ci_token_new(const char *audience, struct jic_arena *arena)
{
	struct jic_ci_token *t = JIC_ARENA_NEW(arena, struct jic_ci_token);
	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->audience = jic_arena_copy(arena, jic_view_of(audience)).ptr;
	return t;
}

/* ---- asking */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct jic_buf *answer = context;
	if (size * count > ANSWER_BYTES_MAX - answer->len)
		return 0;
	jic_buf_put(answer, bytes, size * count);
	return jic_buf_ok(answer, NULL) ? size * count : 0;
}

/* RFC 3986 §2.3: all but these are escaped. */
static void put_escaped(const char *text, struct jic_buf *out)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool plain =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
		if (plain)
			jic_buf_putc(out, (char)c);
		else
			jic_buf_printf(out, "%%%02X", c);
	}
}

#define set_option(option, value) lib->easy_setopt(curl, option, value)

static bool perform(const struct jic_libcurl *lib, CURL *curl, const char *url, struct curl_slist *headers,
                    struct jic_buf *answer, struct jic_error *err)
{
	long status = 0;
	set_option(CURLOPT_URL, url);
	set_option(CURLOPT_HTTPHEADER, headers);
	set_option(CURLOPT_NOSIGNAL, 1L);
	set_option(CURLOPT_TIMEOUT_MS, (long)JIC_CI_TOKEN_LIMIT_MS);
	set_option(CURLOPT_FOLLOWLOCATION, 0L);
	set_option(CURLOPT_PROTOCOLS_STR, "http,https");
	set_option(CURLOPT_USERAGENT, "jicache/" JIC_VERSION);
	set_option(CURLOPT_WRITEFUNCTION, on_bytes);
	set_option(CURLOPT_WRITEDATA, answer);
	CURLcode code = lib->easy_perform(curl);
	if (code != CURLE_OK)
		return jic_fail(err, JIC_ENETWORK, "%s", lib->easy_strerror(code));
	lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 || jic_fail(err, JIC_EDENIED, "HTTP status %ld", status);
}

static bool ask(const struct jic_libcurl *lib, CURL *curl, const char *audience, struct jic_buf *answer,
                struct jic_error *err)
{
	const char *base = from_environment("ACTIONS_ID_TOKEN_REQUEST_URL");
	JIC_CLEAR(jic_buf) struct jic_buf url = {0};
	jic_buf_printf(&url, "%s%caudience=", base, strchr(base, '?') ? '&' : '?');
	put_escaped(audience, &url);
	jic_autofree char *line =
	    jic_asprintf("Authorization: Bearer %s", from_environment("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
	struct curl_slist *headers = line ? lib->slist_append(NULL, line) : NULL;
	if (!headers)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	bool asked = jic_buf_ok(&url, err) && perform(lib, curl, jic_buf_str(&url), headers, answer, err);
	lib->slist_free_all(headers);
	return asked;
}

/* It becomes a header: nothing that could end the line. */
static bool is_plain(struct jic_view token)
{
	for (size_t i = 0; i < token.len; i++)
		if ((unsigned char)token.ptr[i] <= ' ' || (unsigned char)token.ptr[i] >= 0x7f)
			return false;
	return token.len > 0 && token.len <= JIC_CI_TOKEN_BYTES_MAX;
}

static bool take(struct jic_ci_token *t, const struct jic_buf *answer, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_json_doc doc;
	struct jic_view value;
	if (!jic_json_parse(jic_buf_view(answer), ANSWER_BYTES_MAX, &arena, &doc, err))
		return false;
	const struct jic_json root = jic_json_root(&doc);
	bool read = jic_json_get_text(&root, "value", JIC_CI_TOKEN_BYTES_MAX, &value);
	jic_json_doc_clear(&doc);
	if (!read)
		return false;
	if (!is_plain(value))
		return jic_fail(err, JIC_EPROTOCOL, "what it gave is no token");
	memcpy(t->text, value.ptr, value.len);
	t->text[value.len] = '\0';
	return true;
}

static bool renew_locked(struct jic_ci_token *t, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	const struct jic_libcurl *lib = jic_libcurl(err);
	CURL *curl = lib ? lib->easy_init() : NULL;
	if (!curl)
		return lib ? jic_fail(err, JIC_EMEMORY, "out of memory") : false;
	bool got = (ask(lib, curl, t->audience, &answer, err) && take(t, &answer, err)) ||
	           jic_wrap(err, "the CI system's token service");
	lib->easy_cleanup(curl);
	return got;
}

bool jic_ci_token_get(struct jic_ci_token *t, char text[JIC_CI_TOKEN_BYTES_MAX + 1], struct jic_error *err)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&t->lock);
	bool fresh = t->got_s && now.tv_sec - t->got_s < JIC_CI_TOKEN_KEPT_S;
	if (!fresh && renew_locked(t, err)) {
		t->got_s = now.tv_sec + 1; /* never 0 */
		fresh = true;
	}
	if (fresh)
		snprintf(text, JIC_CI_TOKEN_BYTES_MAX + 1, "%s", t->text);
	pthread_mutex_unlock(&t->lock);
	return fresh;
}
