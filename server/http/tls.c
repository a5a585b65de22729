/*
 * One generation of the files is one struct jic_tls_keys, constant once it is made; connections hold it by counting.
 * Whether a client's certificate is believed is asked of our own trust list and not of the HTTP library's, which can't
 * be changed after the start.
 */
#include "server/http/tls.h"

#include "common/file.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

enum { PEM_BYTES_MAX = 4 * 1024 * 1024, CHAIN_MAX = 16, NAMES_MAX = 64, DN_BYTES_MAX = 512, FILES = 5 };

struct jic_tls_keys {
	atomic_uint uses;
	uint64_t generation, expires_s;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_count;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t trust; /* NULL: client certificates are not asked for */
	struct jic_certificate_rules *rules;
};

/* What tells one file's content from another's. */
struct stamp {
	struct timespec modified;
	uint64_t size, inode;
};

struct jic_tls {
	pthread_mutex_t lock; /* guards what follows, up to the options */
	struct jic_tls_keys *current;
	uint64_t generation;
	struct stamp stamps[FILES]; /* when they were last read */

	struct jic_tls_options options;
	struct jic_buf client_ca;
};

static uint64_t now_s(void)
{
	return (uint64_t)time(NULL);
}

static bool fail_gnutls(struct jic_error *err, int code, const char *path)
{
	return jic_fail(err, code == GNUTLS_E_MEMORY_ERROR ? JIC_EMEMORY : JIC_EFORMAT, "%s: %s", path,
	                gnutls_strerror(code));
}

static bool read_pem(const char *path, struct jic_buf *text, gnutls_datum_t *out, struct jic_error *err)
{
	if (!jic_file_read(path, PEM_BYTES_MAX, text, err))
		return false;
	*out = (gnutls_datum_t){.data = (unsigned char *)text->ptr, .size = (unsigned)text->len};
	return text->len > 0 || jic_fail(err, JIC_EFORMAT, "%s: is empty", path);
}

/* ---- the server's certificate and key */

struct chain {
	gnutls_x509_crt_t *items;
	unsigned count;
};
static void chain_clear(struct chain *c)
{
	for (unsigned i = 0; i < c->count; i++)
		gnutls_x509_crt_deinit(c->items[i]);
	gnutls_free(c->items);
}

static bool read_chain(const char *path, struct chain *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	gnutls_datum_t pem;
	if (!read_pem(path, &text, &pem, err))
		return false;
	int code = gnutls_x509_crt_list_import2(&out->items, &out->count, &pem, GNUTLS_X509_FMT_PEM,
	                                        GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (code < 0)
		return fail_gnutls(err, code, path);
	return (out->count > 0 && out->count <= CHAIN_MAX) ||
	       jic_fail(err, JIC_EUSAGE, "%s: must have 1 to %d certificates", path, CHAIN_MAX);
}

static uint64_t expiration(gnutls_x509_crt_t certificate)
{
	const time_t end = gnutls_x509_crt_get_expiration_time(certificate);
	return end > 0 ? (uint64_t)end : 0;
}

bool jic_tls_file_expires(const char *certificate, uint64_t *expires_s, struct jic_error *err)
{
	JIC_CLEAR(chain) struct chain chain = {0};
	if (!read_chain(certificate, &chain, err))
		return false;
	*expires_s = expiration(chain.items[0]);
	return true;
}

static bool import_key(const char *path, gnutls_x509_privkey_t *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	gnutls_datum_t pem;
	if (!read_pem(path, &text, &pem, err))
		return false;
	int code = gnutls_x509_privkey_init(out);
	if (code == 0)
		code = gnutls_x509_privkey_import2(*out, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(text.ptr, text.len);
	return code == 0 || fail_gnutls(err, code, path);
}

static bool same_key(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	unsigned char ids[2][64];
	size_t sizes[2] = {sizeof ids[0], sizeof ids[1]};
	return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) == 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, ids[1], &sizes[1]) == 0 &&
	       sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
}

static bool take_key(struct jic_tls_keys *k, gnutls_x509_privkey_t key, struct jic_error *err)
{
	int code = gnutls_privkey_init(&k->key);
	if (code == 0)
		code = gnutls_privkey_import_x509(k->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
	if (code != 0)
		gnutls_x509_privkey_deinit(key);
	return code == 0 || fail_gnutls(err, code, "key");
}

static bool load_key(struct jic_tls_keys *k, const char *path, const struct chain *chain, struct jic_error *err)
{
	gnutls_x509_privkey_t key = NULL;
	if (!import_key(path, &key, err)) {
		gnutls_x509_privkey_deinit(key);
		return false;
	}
	if (!same_key(chain->items[0], key)) {
		gnutls_x509_privkey_deinit(key);
		return jic_fail(err, JIC_EUSAGE, "%s is not the key of the certificate", path);
	}
	return take_key(k, key, err);
}

static bool load_server(struct jic_tls_keys *k, const struct jic_tls_options *o, struct jic_error *err)
{
	JIC_CLEAR(chain) struct chain chain = {0};
	if (!read_chain(o->certificate, &chain, err) || !load_key(k, o->key, &chain, err))
		return false;
	k->expires_s = expiration(chain.items[0]);
	unsigned count = chain.count;
	int code = gnutls_pcert_import_x509_list(k->chain, chain.items, &count, 0);
	if (code != 0)
		return fail_gnutls(err, code, o->certificate);
	k->chain_count = count;
	return true;
}

/* ---- whose clients are believed */

static bool load_clients(struct jic_tls_keys *k, const struct jic_tls_options *o, struct jic_error *err)
{
	k->rules = jic_certificate_rules_load(o->rules, err);
	if (!k->rules)
		return false;
	if (!o->client_ca)
		return true;
	int code = gnutls_x509_trust_list_init(&k->trust, 0);
	if (code == 0)
		code = gnutls_x509_trust_list_add_trust_file(k->trust, o->client_ca, o->client_crl, GNUTLS_X509_FMT_PEM,
		                                             GNUTLS_TL_USE_IN_TLS | GNUTLS_TL_FAIL_ON_INVALID_CRL, 0);
	if (code < 0)
		return fail_gnutls(err, code, o->client_crl ? "tls.client_ca or tls.client_crl" : o->client_ca);
	return code > 0 || jic_fail(err, JIC_EFORMAT, "%s: has no certificate", o->client_ca);
}

/* ---- generations */

static void keys_free(struct jic_tls_keys *k)
{
	if (!k)
		return;
	for (unsigned i = 0; i < k->chain_count; i++)
		gnutls_pcert_deinit(&k->chain[i]);
	gnutls_privkey_deinit(k->key);
	if (k->trust)
		gnutls_x509_trust_list_deinit(k->trust, 1);
	jic_certificate_rules_free(k->rules);
	free(k);
}

void jic_tls_keys_unref(struct jic_tls_keys *k)
{
	if (k && atomic_fetch_sub(&k->uses, 1) == 1)
		keys_free(k);
}

static struct jic_tls_keys *keys_load(const struct jic_tls_options *o, struct jic_error *err)
{
	struct jic_tls_keys *k = calloc(1, sizeof *k);
	if (!k) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	atomic_init(&k->uses, 1);
	if (load_server(k, o, err) && load_clients(k, o, err))
		return k;
	keys_free(k);
	return NULL;
}

static void take_stamps(const struct jic_tls_options *o, struct stamp out[FILES])
{
	const char *const paths[FILES] = {o->certificate, o->key, o->client_ca, o->client_crl, o->rules};
	for (size_t i = 0; i < FILES; i++) {
		struct stat st;
		out[i] = (struct stamp){.size = 0};
		if (paths[i] && stat(paths[i], &st) == 0)
			out[i] = (struct stamp){
			    .modified = st.st_mtim, .size = (uint64_t)st.st_size, .inode = (uint64_t)st.st_ino};
	}
}

static bool stamps_eq(const struct stamp a[FILES], const struct stamp b[FILES])
{
	for (size_t i = 0; i < FILES; i++)
		if (a[i].size != b[i].size || a[i].inode != b[i].inode ||
		    a[i].modified.tv_sec != b[i].modified.tv_sec || a[i].modified.tv_nsec != b[i].modified.tv_nsec)
			return false;
	return true;
}

bool jic_tls_changed(struct jic_tls *t)
{
	struct stamp now[FILES];
	take_stamps(&t->options, now);
	pthread_mutex_lock(&t->lock);
	bool changed = !stamps_eq(now, t->stamps);
	pthread_mutex_unlock(&t->lock);
	return changed;
}

bool jic_tls_reload(struct jic_tls *t, struct jic_error *err)
{
	struct stamp stamps[FILES];
	/* Before reading: a file that changes meanwhile differs from its stamp, and is read again. */
	take_stamps(&t->options, stamps);
	struct jic_tls_keys *fresh = keys_load(&t->options, err);
	pthread_mutex_lock(&t->lock);
	memcpy(t->stamps, stamps, sizeof stamps);
	const struct jic_tls_keys *present = t->current;
	if (fresh && present && fresh->expires_s <= now_s() && present->expires_s > now_s()) {
		(void)jic_fail(err, JIC_EUSAGE, "%s: has expired", t->options.certificate);
		jic_tls_keys_unref(JIC_TAKE(fresh));
	}
	struct jic_tls_keys *old = NULL;
	if (fresh) {
		fresh->generation = ++t->generation;
		old = t->current;
		t->current = fresh;
	}
	pthread_mutex_unlock(&t->lock);
	jic_tls_keys_unref(old);
	return fresh != NULL;
}

static void warn_of_readers(const struct jic_tls_options *o)
{
	struct stat st;
	if (stat(o->key, &st) == 0 && (st.st_mode & S_IRWXO))
		jic_log_warn(o->log, "tls.key", JIC_STR("path", o->key),
		             JIC_STR("warning", "everybody on this machine may read it"));
}

struct jic_tls *jic_tls_open(const struct jic_tls_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_tls) struct jic_tls *t = calloc(1, sizeof *t);
	if (!t) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	t->options = *options;
	if (options->client_ca && !jic_file_read(options->client_ca, PEM_BYTES_MAX, &t->client_ca, err))
		return NULL;
	if (!jic_tls_reload(t, err)) {
		jic_wrap(err, "tls");
		return NULL;
	}
	warn_of_readers(options);
	return JIC_TAKE(t);
}

void jic_tls_free(struct jic_tls *t)
{
	if (!t)
		return;
	jic_tls_keys_unref(t->current);
	jic_buf_clear(&t->client_ca);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct jic_tls_keys *jic_tls_keys_current(struct jic_tls *t)
{
	pthread_mutex_lock(&t->lock);
	struct jic_tls_keys *k = t->current;
	atomic_fetch_add(&k->uses, 1);
	pthread_mutex_unlock(&t->lock);
	return k;
}

uint64_t jic_tls_expires_s(struct jic_tls *t)
{
	struct jic_tls_keys *k = jic_tls_keys_current(t);
	const uint64_t expires_s = k->expires_s;
	jic_tls_keys_unref(k);
	return expires_s;
}

bool jic_tls_asks_clients(const struct jic_tls *t)
{
	return t->options.client_ca != NULL;
}

const char *jic_tls_client_ca_text(const struct jic_tls *t)
{
	return jic_buf_str(&t->client_ca);
}

void jic_tls_keys_give(const struct jic_tls_keys *keys, gnutls_pcert_st **certificates, unsigned *count,
                       gnutls_privkey_t *key)
{
	/* The library only reads them; its types don't say so. */
	*certificates = (gnutls_pcert_st *)(uintptr_t)keys->chain;
	*count = keys->chain_count;
	*key = keys->key;
}

/* ---- a client's certificate */

struct names {
	struct jic_view items[NAMES_MAX];
	size_t count;
	struct jic_arena *arena;
};

/* A name with a control character (a NUL first of all) would match what somebody else signed for. */
static void add_name(struct names *n, const char *kind, const void *bytes, size_t len)
{
	const struct jic_view value = jic_view_bytes(bytes, len);
	if (n->count == NAMES_MAX || len == 0 || len > JIC_CERTIFICATE_NAME_BYTES_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
			return;
	n->items[n->count++] = jic_arena_printf(n->arena, "%s" JIC_PRIv, kind, JIC_ARGv(value));
}

static void add_subject(struct names *n, gnutls_x509_crt_t c)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char text[DN_BYTES_MAX];
		size_t len = sizeof text;
		if (gnutls_x509_crt_get_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, i, 0, text, &len) != 0)
			break;
		add_name(n, "CN=", text, len);
	}
	char text[DN_BYTES_MAX];
	size_t len = sizeof text;
	if (gnutls_x509_crt_get_dn(c, text, &len) == 0)
		add_name(n, "DN=", text, strnlen(text, len));
}

static void add_alternatives(struct names *n, gnutls_x509_crt_t c)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char text[DN_BYTES_MAX];
		size_t len = sizeof text;
		int kind = gnutls_x509_crt_get_subject_alt_name(c, i, text, &len, NULL);
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (kind == GNUTLS_SAN_DNSNAME)
			add_name(n, "DNS=", text, len);
		else if (kind == GNUTLS_SAN_RFC822NAME)
			add_name(n, "EMAIL=", text, len);
		else if (kind == GNUTLS_SAN_URI)
			add_name(n, "URI=", text, len);
	}
}

static bool import_shown(const gnutls_datum_t *shown, unsigned count, struct chain *out, struct jic_error *err)
{
	if (count > CHAIN_MAX)
		return jic_fail(err, JIC_EDENIED, "the client certificate comes with too many others");
	out->items = gnutls_malloc(CHAIN_MAX * sizeof(gnutls_x509_crt_t));
	if (!out->items)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (unsigned i = 0; i < count; i++) {
		if (gnutls_x509_crt_init(&out->items[i]) != 0)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		out->count++;
		if (gnutls_x509_crt_import(out->items[i], &shown[i], GNUTLS_X509_FMT_DER) != 0)
			return jic_fail(err, JIC_EDENIED, "the client certificate can't be read");
	}
	return true;
}

static bool verify(const struct jic_tls_keys *k, const struct chain *shown, struct jic_error *err)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
	unsigned status = 0;
	int code =
	    gnutls_x509_trust_list_verify_crt2(k->trust, shown->items, shown->count, &purpose, 1, 0, &status, NULL);
	if (code == 0 && status == 0)
		return true;
	gnutls_datum_t text = {0};
	if (code == 0)
		code = gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
	(void)jic_fail(err, JIC_EDENIED, "the client certificate is not accepted: %s",
	               text.data ? (const char *)text.data : gnutls_strerror(code));
	gnutls_free(text.data);
	return false;
}

static bool identify(const struct jic_tls_keys *k, const gnutls_datum_t *shown, unsigned count,
                     struct jic_tls_client *c)
{
	JIC_CLEAR(chain) struct chain chain = {0};
	if (!import_shown(shown, count, &chain, &c->why) || !verify(k, &chain, &c->why))
		return false;
	c->until_s = expiration(chain.items[0]);
	struct names names = {.arena = &c->arena};
	add_subject(&names, chain.items[0]);
	add_alternatives(&names, chain.items[0]);
	return jic_certificate_identify(k->rules, names.items, names.count, &c->arena, &c->id, &c->why);
}

static struct jic_tls_client *judge(const struct jic_tls_keys *k, gnutls_session_t session)
{
	unsigned count = 0;
	const gnutls_datum_t *shown = k->trust ? gnutls_certificate_get_peers(session, &count) : NULL;
	struct jic_tls_client *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->generation = k->generation;
	c->until_s = UINT64_MAX;
	c->presented = shown && count > 0;
	c->accepted = c->presented && identify(k, shown, count, c);
	return c;
}

bool jic_tls_judge(struct jic_tls *t, gnutls_session_t session, uint64_t now, struct jic_tls_client **known)
{
	struct jic_tls_keys *k = jic_tls_keys_current(t);
	struct jic_tls_client *c = *known;
	if (!c || c->generation != k->generation || now > c->until_s) {
		jic_tls_client_free(c);
		*known = c = judge(k, session);
	}
	jic_tls_keys_unref(k);
	return c != NULL;
}

void jic_tls_client_free(struct jic_tls_client *c)
{
	if (!c)
		return;
	jic_arena_clear(&c->arena);
	free(c);
}
