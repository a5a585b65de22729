/*
 * Connections and threads. The acceptor hands what comes to libmicrohttpd, which serves it in threads of its own: one
 * set for plain HTTP, one for TLS.
 *
 * The library's own decoding of paths is switched off (keep_escaped): route.c decodes once and strictly. So are its
 * limits to connections: it would leave who comes too many waiting in the kernel's queue.
 */
#include "server/http/internal.h"

#include "common/clock.h"
#include "server/http/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t jic_http_now_us(void)
{
	return jic_clock_ns() / 1000;
}

void jic_http_number(void *cls, char id[JIC_REQUEST_ID_TEXT + 1])
{
	struct jic_http_server *s = cls;
	snprintf(id, JIC_REQUEST_ID_TEXT + 1, "%08x-%llu", s->run,
	         (unsigned long long)atomic_fetch_add(&s->requests, 1));
}

/* ---- connections */

struct jic_http_connection *jic_http_connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

static void connection_started(struct jic_http_server *s, struct MHD_Connection *c, void **context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *address = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct jic_http_connection *n = jic_connections_add(s->connections, fd->connect_fd, address->client_addr);
	if (n && s->options.tls) {
		const union MHD_ConnectionInfo *session =
		    MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		n->tls = session && session->tls_session ? s->options.tls : NULL;
	}
	*context = n;
}

static void connection_closed(struct jic_http_server *s, struct MHD_Connection *c, void **context)
{
	if (*context)
		jic_connections_remove(JIC_TAKE(*context));
	else
		jic_connections_dismiss(s->connections,
		                        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct jic_http_server *s = cls;
	atomic_fetch_add(&s->service->metrics->connections, code == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connection_started(cls, c, context);
	else
		connection_closed(cls, c, context);
}

/* The acceptor's: see acceptor.h. */
static bool take_connection(void *cls, const struct jic_listener *from, int fd, const struct sockaddr *address,
                            socklen_t address_len)
{
	struct jic_http_server *s = cls;
	if (!jic_connections_admit(s->connections, address))
		return false;
	/* When it fails the library has closed the descriptor. */
	if (MHD_add_connection(from->tls ? s->secure : s->plain, fd, address, address_len) != MHD_YES) {
		jic_log_warn(s->service->log, "http.accept", JIC_STR("error", strerror(errno)));
		jic_connections_dismiss(s->connections, address);
	}
	return true;
}

static void check_connections(void *cls)
{
	struct jic_http_server *s = cls;
	jic_pulse_accepting(&s->pulse);
	jic_connections_check(s->connections);
}

/*
 * Asked at the beginning of a handshake, sometimes more than once; what was given has to live as long as the
 * connection. The names of those who sign are not sent: they would be those of the start, and clients choose by what
 * they are configured with.
 */
static int give_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                            gnutls_pcert_st **certificates, unsigned *count, gnutls_ocsp_data_st **ocsp,
                            unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
	struct jic_http_connection *n = jic_http_connection_of(gnutls_session_get_ptr(session));
	(void)info;
	if (!n || !n->tls)
		return -1;
	if (!n->keys)
		n->keys = jic_tls_keys_current(n->tls);
	jic_tls_keys_give(n->keys, certificates, count, key);
	gnutls_certificate_send_x509_rdn_sequence(session, 1);
	*ocsp = NULL;
	*ocsp_count = 0;
	*flags = 0;
	return 0;
}

static size_t keep_escaped(void *cls, struct MHD_Connection *c, char *text)
{
	(void)cls;
	(void)c;
	return strlen(text);
}

static void on_library_log(void *cls, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_library_log(void *cls, const char *format, va_list args)
{
	const struct jic_http_server *s = cls;
	char text[512];
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	jic_log_debug(s->service->log, "http.library", JIC_STR("text", text));
}

/* ---- start and stop */

static struct MHD_Daemon *start_daemon(struct jic_http_server *s, bool secure)
{
	const struct jic_http_options *o = &s->options;
	const char *trust = secure && jic_tls_asks_clients(o->tls) ? jic_tls_client_ca_text(o->tls) : NULL;
	const struct MHD_OptionItem plain[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, s},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)jic_exchange_completed, s},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escaped, NULL},
	    {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->threads, NULL},
	    /* The library divides it by the threads; the limit is the acceptor's to keep. */
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(o->connections_max * o->threads), NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)o->connection_bytes, NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_timeout_s, NULL},
	    {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
	    {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(intptr_t)give_certificate},
	    {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)JIC_TLS_PRIORITIES},
	    {trust ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, (void *)(uintptr_t)trust},
	    {MHD_OPTION_END, 0, NULL},
	};
	/*
	 * poll(2), not epoll: the library uses epoll edge-triggered and loses the end of a connection that arrives
	 * together with its last bytes (two of three times in 300 tries), which then is held until the idle timeout.
	 * With some hundred connections a thread the difference in cost can't be measured.
	 */
	const unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
	                       MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET | (secure ? MHD_USE_TLS : 0);
	return MHD_start_daemon(flags, 0, NULL, NULL, jic_exchange_access, s, MHD_OPTION_ARRAY, plain,
	                        secure ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
}

static bool start_daemons(struct jic_http_server *s, struct jic_error *err)
{
	for (size_t i = 0; i < s->options.listeners->count; i++) {
		const bool secure = s->options.listeners->items[i].tls;
		struct MHD_Daemon **daemon = secure ? &s->secure : &s->plain;
		if (!*daemon)
			*daemon = start_daemon(s, secure);
		if (!*daemon)
			return jic_fail_errno(err, JIC_EIO, "start the HTTP server");
	}
	return true;
}

static void server_free(struct jic_http_server *s)
{
	jic_acceptor_stop(s->acceptor);
	/* Workers resume suspended connections; the library must not be stopped with any left. */
	if (s->work)
		jic_work_end(s->work);
	if (s->plain)
		MHD_stop_daemon(s->plain);
	if (s->secure)
		MHD_stop_daemon(s->secure);
	jic_work_free(s->work);
	jic_pulse_clear(&s->pulse);
	jic_connections_free(s->connections);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static size_t jobs_waiting(void *work)
{
	return jic_work_waiting(work);
}

/* Before there is a connection. */
static void prepare_metrics(const struct jic_http_server *s, const struct jic_http_options *o)
{
	struct jic_metrics *m = s->service->metrics;
	m->work = s->work;
	m->queued = jobs_waiting;
	m->connections_max = o->connections_max;
	m->queue_max = o->queue_max;
	m->started_s = jic_store_now_s();
}

static struct jic_http_server *server_new(const struct jic_http_options *o, struct jic_error *err)
{
	struct jic_http_server *s = calloc(1, sizeof *s);
	if (!s) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&s->lock, NULL);
	s->service = o->service;
	s->options = *o;
	jic_pulse_accepting(&s->pulse);
	/* Not a secret: without random bytes ids of two runs look alike, no more. */
	if (getrandom(&s->run, sizeof s->run, GRND_NONBLOCK) < 0)
		s->run = (uint32_t)jic_http_now_us();
	return s;
}

static bool start_parts(struct jic_http_server *s, struct jic_error *err)
{
	const struct jic_http_options *o = &s->options;
	const struct jic_connections_options connections = {.total_max = o->connections_max,
	                                                    .per_address_max = o->connections_per_peer_max,
	                                                    .header_timeout_s = o->header_timeout_s,
	                                                    .proxies = o->proxies,
	                                                    .log = o->service->log};
	const struct jic_acceptor_options acceptor = {.listeners = o->listeners,
	                                              .log = o->service->log,
	                                              .context = s,
	                                              .take = take_connection,
	                                              .tick = check_connections,
	                                              .number = jic_http_number};
	s->work = jic_work_new(o->workers, o->queue_max, err);
	s->connections = s->work ? jic_connections_new(&connections, err) : NULL;
	if (!s->connections)
		return false;
	prepare_metrics(s, o);
	if (!start_daemons(s, err))
		return false;
	s->acceptor = jic_acceptor_start(&acceptor, err);
	return s->acceptor;
}

struct jic_http_server *jic_http_server_start(const struct jic_http_options *options, struct jic_error *err)
{
	struct jic_http_server *s = server_new(options, err);
	if (s && !start_parts(s, err)) {
		server_free(s);
		s = NULL;
	}
	if (!s)
		jic_listeners_clear(options->listeners);
	return s;
}

static size_t wait_idle(struct jic_http_server *s, unsigned timeout_s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&s->lock);
	while (s->active > 0 && pthread_cond_timedwait(&s->idle, &s->lock, &until) != ETIMEDOUT)
		;
	size_t active = s->active;
	pthread_mutex_unlock(&s->lock);
	return active;
}

size_t jic_http_server_stop(struct jic_http_server *s, unsigned timeout_s)
{
	atomic_store(&s->stopping, true);
	jic_acceptor_stop(JIC_TAKE(s->acceptor));
	jic_listeners_clear(s->options.listeners);
	size_t cut_off = wait_idle(s, timeout_s);
	server_free(s);
	return cut_off;
}
