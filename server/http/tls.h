/**
 * The server's certificate, and whose client certificates it believes. All of it is read from files, together, and can
 * be read again while serving: connections that exist keep what they began with, new ones get the new. What can't be
 * read or doesn't fit together changes nothing. The only module that knows GnuTLS, but for the types that the HTTP
 * library passes on. Callable from any thread.
 */
#ifndef JIC_SERVER_HTTP_TLS_H
#define JIC_SERVER_HTTP_TLS_H

#include "common/arena.h"
#include "common/log.h"
#include "server/auth/certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

/** TLS 1.2 and 1.3 with what GnuTLS takes for secure by default, in the server's order. */
#define JIC_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

struct jic_tls;

/** Paths, all in PEM; borrowed for the life of the jic_tls. */
struct jic_tls_options {
	const char *certificate; /**< the server's, then those between it and its root */
	const char *key;
	const char *client_ca;  /**< who signs client certificates; NULL: none are asked for */
	const char *client_crl; /**< which of them don't count any more; NULL: none */
	const char *rules;      /**< the configuration file with tls.clients (server/auth/certificate.h); NULL: none */
	const struct jic_log *log;
};
/** @return NULL with JIC_EFORMAT, JIC_EUSAGE (they don't fit together), JIC_EIO or JIC_EMEMORY */
struct jic_tls *jic_tls_open(const struct jic_tls_options *options, struct jic_error *err);
void jic_tls_free(struct jic_tls *t); /**< after all connections. Takes NULL. */
JIC_DEFINE_AUTO(jic_tls, jic_tls_free)

/** Read the files again. @return false: what was there stays. JIC_EUSAGE also for a certificate that has expired when
 * the present one has not */
jic_must_check bool jic_tls_reload(struct jic_tls *t, struct jic_error *err);
/** A file is another than when it was last read, successfully or not. */
bool jic_tls_changed(struct jic_tls *t);
/** Until when the server's certificate is valid, Unix time. */
uint64_t jic_tls_expires_s(struct jic_tls *t);
/** The same of a file, without a server. @return false with JIC_EFORMAT or JIC_EIO */
jic_must_check bool jic_tls_file_expires(const char *certificate, uint64_t *expires_s, struct jic_error *err);
/** Client certificates are asked for. */
bool jic_tls_asks_clients(const struct jic_tls *t);
/** The PEM text of who signs them, as it was at the start; for names in the request only, nothing is decided by it. */
const char *jic_tls_client_ca_text(const struct jic_tls *t);

/** What one handshake is made with. Counted. */
struct jic_tls_keys;
struct jic_tls_keys *jic_tls_keys_current(struct jic_tls *t);
void jic_tls_keys_unref(struct jic_tls_keys *keys); /**< takes NULL */
/** For gnutls_certificate_retrieve_function3; the outputs are borrowed from the keys. */
void jic_tls_keys_give(const struct jic_tls_keys *keys, gnutls_pcert_st **certificates, unsigned *count,
                       gnutls_privkey_t *key);

/** What a connection's certificate was found to be. */
struct jic_tls_client {
	struct jic_arena arena;
	uint64_t generation; /**< of the files that it was judged by */
	uint64_t until_s;    /**< it is judged anew then */
	bool presented;      /**< there is one */
	bool accepted;       /**< `id` is who it stands for; else `why` */
	struct jic_identity id;
	struct jic_error why;
};
/**
 * Judge the certificate that a client showed; again when the files were read again since, or when it has expired.
 * @param known  of the connection; NULL at first
 * @return false: out of memory
 */
jic_must_check bool jic_tls_judge(struct jic_tls *t, gnutls_session_t session, uint64_t now_s,
                                  struct jic_tls_client **known);
void jic_tls_client_free(struct jic_tls_client *c);

#endif
