/*
 * jicached serve. The main thread waits for signals, sweeps and feeds the watchdog, others scrub and evict; everything
 * else happens in the server's threads, which are started with the signals blocked.
 */
#include "server/admin/commands.h"

#include "server/auth/token.h"
#include "server/admin/notify.h"
#include "server/admin/reload.h"
#include "server/http/listen.h"
#include "server/http/metrics.h"
#include "server/http/server.h"
#include "server/store/keeper.h"
#include "server/store/recorder.h"
#include "server/store/scrub.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
	SWEEP_INTERVAL_S = 3600,
	KEEP_INTERVAL_S = 60,
	EXPIRY_INTERVAL_S = 86400,
	CHORES_INTERVAL_S = 10,
	EXTEND_INTERVAL_S = 5,
	MIGRATED_PER_S = 5000, /* artefacts with 50 requirements each, by all migrations, with nothing else to do */
};

/* That a service manager gives us from each time that we ask. */
#define EXTEND_US 60000000ull

/* All parts of a running server, built here and passed down. */
struct serve {
	const struct jic_config *config;
	struct jic_log log;
	struct jic_admin_signatures signatures;
	struct jic_store *store;
	struct jic_oidc oidc;
	struct jic_gate *gate;
	struct jic_rate *rate;
	struct jic_load load;
	struct jic_tls *tls; /* NULL: plain HTTP */
	struct jic_proxies proxies;
	struct jic_listeners listeners;
	struct jic_http_service service;
	struct jic_http_server *http;
	struct jic_scrub *scrub;
	struct jic_keeper *keeper;
	struct jic_reload reload;
	struct jic_recorder *recorder;
	struct jic_metrics metrics;
	uint64_t extended_s; /* when a service manager was last asked for more time to start */
};

static void serve_clear(struct serve *s)
{
	jic_recorder_stop(s->recorder);
	jic_keeper_stop(s->keeper);
	jic_scrub_stop(s->scrub);
	jic_gate_free(s->gate);
	jic_rate_free(s->rate);
	jic_oidc_close(&s->oidc);
	jic_tls_free(s->tls);
	jic_blob_cache_free(s->service.blob_cache);
	jic_store_free(s->store);
	jic_reload_clear(&s->reload);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	/* A client that goes away is an error of one write, not the end of the server. */
	signal(SIGPIPE, SIG_IGN);
}

static struct jic_lease_limits read_lease_limits(const struct jic_config *c)
{
	return (struct jic_lease_limits){.term_s_max = jic_config_number(c, JIC_CONFIG_LEASE_TERM_MAX),
	                                 .age_s_max = jic_config_number(c, JIC_CONFIG_LEASE_AGE_MAX),
	                                 .per_writer_max = jic_config_number(c, JIC_CONFIG_LEASES_PER_WRITER_MAX)};
}

/* ---- a migration, which may take longer than a service manager waits */

static void extend_start(struct serve *s)
{
	char text[96];
	s->extended_s = jic_admin_now_s();
	snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=Migrating the index", EXTEND_US);
	jic_notify(text);
}

static void migration_begins(void *context, unsigned from, unsigned to, uint64_t artefacts)
{
	struct serve *s = context;
	jic_log_info(&s->log, "index.migrate", JIC_U64("from", from), JIC_U64("to", to),
	             JIC_U64("artefacts", artefacts), JIC_U64("about_s", 1 + artefacts / MIGRATED_PER_S));
	extend_start(s);
}

static void migration_goes_on(void *context)
{
	struct serve *s = context;
	if (jic_admin_now_s() - s->extended_s >= EXTEND_INTERVAL_S)
		extend_start(s);
}

static bool open_parts(struct serve *s, struct jic_error *err)
{
	const struct jic_migration_watch migration = {
	    .begins = migration_begins, .goes_on = migration_goes_on, .context = s};
	const struct jic_config *c = s->config;
	const uint64_t blob_bytes_max = jic_config_number(c, JIC_CONFIG_BLOB_BYTES_MAX);
	const struct jic_store_options options = {.data_dir = jic_config_text(c, JIC_CONFIG_DATA),
	                                          .blob_bytes_max = blob_bytes_max,
	                                          .store_bytes_max = jic_config_number(c, JIC_CONFIG_STORE_BYTES_MAX),
	                                          .free_bytes_min = jic_config_number(c, JIC_CONFIG_FREE_BYTES_MIN),
	                                          .signers = s->signatures.signers,
	                                          .signers_count = s->signatures.signers_count,
	                                          .migration = &migration,
	                                          .log = &s->log};
	s->store = jic_store_open(&options, err);
	if (!s->store || !jic_oidc_open(c->file, &s->log, &s->oidc, err))
		return false;
	const struct jic_gate_options gate = {.index = jic_store_index(s->store),
	                                      .oidc = &s->oidc,
	                                      .require_token = jic_config_is(c, JIC_CONFIG_REQUIRE_TOKEN),
	                                      .anonymous_read = jic_config_is(c, JIC_CONFIG_ANONYMOUS_READ)};
	s->gate = jic_gate_new(&gate, err);
	const struct jic_rate_options rate = {
	    .requests_per_minute = jic_config_number(c, JIC_CONFIG_REQUESTS_PER_MINUTE),
	    .anonymous_requests_per_minute = jic_config_number(c, JIC_CONFIG_ANONYMOUS_REQUESTS_PER_MINUTE),
	    .upload_bytes_per_day = jic_config_number(c, JIC_CONFIG_UPLOAD_BYTES_PER_DAY)};
	s->rate = jic_rate_new(&rate, err);
	if (!s->gate || !s->rate)
		return false;
	s->service = (struct jic_http_service){.store = s->store,
	                                       .gate = s->gate,
	                                       .rate = s->rate,
	                                       .log = &s->log,
	                                       .signed_lanes = s->signatures.lanes,
	                                       .blob_bytes_max = blob_bytes_max,
	                                       .body_bytes_max = jic_config_number(c, JIC_CONFIG_BODY_BYTES_MAX),
	                                       .keys_max = jic_config_number(c, JIC_CONFIG_KEYS_MAX),
	                                       .leases = read_lease_limits(c),
	                                       .load = &s->load,
	                                       .metrics_open = jic_config_is(c, JIC_CONFIG_METRICS_OPEN),
	                                       .metrics = &s->metrics};
	s->load.bodies_bytes_max = jic_config_number(c, JIC_CONFIG_BODIES_BYTES_MAX);
	s->load.uploads_max = (unsigned)jic_config_number(c, JIC_CONFIG_UPLOADS_MAX);
	s->service.blob_cache = jic_blob_cache_new(jic_config_number(c, JIC_CONFIG_BLOB_CACHE_BYTES), err);
	return s->gate != NULL && s->service.blob_cache != NULL;
}

static unsigned count_or(const struct jic_config *c, enum jic_config_name name, unsigned per_processor, unsigned least)
{
	enum { THREADS_MAX = 64 };
	uint64_t given = jic_config_number(c, name);
	if (given)
		return (unsigned)given;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count =
	    processors > 0 && processors < THREADS_MAX ? (unsigned)processors * per_processor : THREADS_MAX;
	return count < least ? least : count > THREADS_MAX ? THREADS_MAX : count;
}

static bool open_tls(struct serve *s, struct jic_error *err)
{
	const struct jic_config *c = s->config;
	const struct jic_tls_options options = {.certificate = jic_config_path(c, JIC_CONFIG_TLS_CERTIFICATE),
	                                        .key = jic_config_path(c, JIC_CONFIG_TLS_KEY),
	                                        .client_ca = jic_config_path(c, JIC_CONFIG_TLS_CLIENT_CA),
	                                        .client_crl = jic_config_path(c, JIC_CONFIG_TLS_CLIENT_CRL),
	                                        .rules = c->file,
	                                        .log = &s->log};
	if (!options.certificate)
		return true;
	s->tls = jic_tls_open(&options, err);
	return s->tls;
}

static bool open_listeners(struct serve *s, struct jic_error *err)
{
	enum { MODE_MAX = 0777 };
	const char *mode = jic_config_text(s->config, JIC_CONFIG_SOCKET_MODE);
	char *end;
	const unsigned long bits = strtoul(mode, &end, 8);
	if (*end || mode[0] < '0' || mode[0] > '7' || bits > MODE_MAX)
		return jic_fail(err, JIC_EUSAGE, "socket_mode must be octal, such as 0660, not \"%s\"", mode);
	const struct jic_listeners_options options = {.list =
	                                                  jic_view_of(jic_config_text(s->config, JIC_CONFIG_LISTEN)),
	                                              .has_certificate = s->tls != NULL,
	                                              .socket_mode = (unsigned)bits,
	                                              .inherited_first = JIC_NOTIFY_FD_FIRST,
	                                              .inherited_count = jic_notify_listen_fds()};
	return jic_listeners_open(&options, &s->listeners, err);
}

static bool start_http(struct serve *s, struct jic_error *err)
{
	const struct jic_config *c = s->config;
	const struct jic_http_options options = {
	    .service = &s->service,
	    .listeners = &s->listeners,
	    .tls = s->tls,
	    .proxies = &s->proxies,
	    .threads = count_or(c, JIC_CONFIG_THREADS, 1, 2),
	    .workers = count_or(c, JIC_CONFIG_WORKERS, 2, 4),
	    .queue_max = (unsigned)jic_config_number(c, JIC_CONFIG_QUEUE_MAX),
	    .queue_timeout_s = (unsigned)jic_config_number(c, JIC_CONFIG_QUEUE_TIMEOUT),
	    .connections_max = (unsigned)jic_config_number(c, JIC_CONFIG_CONNECTIONS_MAX),
	    .connections_per_peer_max = (unsigned)jic_config_number(c, JIC_CONFIG_CONNECTIONS_PER_PEER_MAX),
	    .connection_bytes = jic_config_number(c, JIC_CONFIG_CONNECTION_BYTES),
	    .header_timeout_s = (unsigned)jic_config_number(c, JIC_CONFIG_HEADER_TIMEOUT),
	    .idle_timeout_s = (unsigned)jic_config_number(c, JIC_CONFIG_IDLE_TIMEOUT),
	    .body_timeout_s = jic_config_number(c, JIC_CONFIG_BODY_TIMEOUT),
	    .transfer_rate_min = jic_config_number(c, JIC_CONFIG_TRANSFER_RATE_MIN),
	};
	s->http = jic_http_server_start(&options, err);
	return s->http != NULL;
}

static bool start_scrub(struct serve *s, struct jic_error *err)
{
	const struct jic_scrub_options options = {
	    .store = s->store,
	    .log = &s->log,
	    .bytes_per_second = jic_config_number(s->config, JIC_CONFIG_SCRUB_BYTES_PER_SECOND),
	    .bytes_per_day = jic_config_number(s->config, JIC_CONFIG_SCRUB_BYTES_PER_DAY),
	};
	s->scrub = jic_scrub_start(&options, err);
	return s->scrub != NULL;
}

static bool start_keeper(struct serve *s, struct jic_error *err)
{
	const struct jic_keeper_options options = {
	    .store = s->store,
	    .log = &s->log,
	    .unused_artefact_age_s = jic_config_number(s->config, JIC_CONFIG_UNUSED_ARTEFACT_AGE),
	    .interval_s = KEEP_INTERVAL_S,
	};
	s->keeper = jic_keeper_start(&options, err);
	return s->keeper != NULL;
}

static bool start_recorder(struct serve *s, struct jic_error *err)
{
	s->recorder = jic_recorder_start(s->store, &s->log, err);
	return s->recorder != NULL;
}

static void sweep(struct serve *s)
{
	struct jic_error err = {0};
	uint64_t removed = 0;
	if (!jic_store_sweep(s->store, jic_config_number(s->config, JIC_CONFIG_UNUSED_BLOB_AGE), &removed, &err))
		jic_log_error(&s->log, "store.sweep", JIC_STR("error", err.text));
	else if (removed)
		jic_log_info(&s->log, "store.sweep", JIC_U64("removed", removed));
}

/* ---- the certificate's upkeep */

static void warn_of_expiry(struct serve *s)
{
	const uint64_t expires_s = jic_tls_expires_s(s->tls), now_s = jic_admin_now_s();
	if (expires_s <= now_s)
		jic_log_error(&s->log, "tls.expired", JIC_U64("expired_s", expires_s));
	else if (expires_s - now_s < JIC_CERTIFICATE_WARN_S)
		jic_log_warn(&s->log, "tls.expires", JIC_U64("expires_s", expires_s),
		             JIC_U64("days", (expires_s - now_s) / 86400));
}

static void reload_tls(struct serve *s, const char *why)
{
	struct jic_error err = {0};
	if (!s->tls)
		return;
	if (jic_tls_reload(s->tls, &err))
		jic_log_info(&s->log, "tls.reload", JIC_STR("why", why),
		             JIC_U64("expires_s", jic_tls_expires_s(s->tls)));
	else
		jic_log_error(&s->log, "tls.reload", JIC_STR("why", why), JIC_STR("error", err.text),
		              JIC_STR("kept", "the certificate that was there"));
	warn_of_expiry(s);
}

static void reload(struct serve *s)
{
	struct jic_error err = {0};
	jic_notify_reloading();
	if (jic_reload_config(&s->reload, &err))
		jic_log_info(&s->log, "config.reload", JIC_STR("file", s->config->file ? s->config->file : "none"));
	else
		jic_log_error(&s->log, "config.reload", JIC_STR("error", err.text),
		              JIC_STR("kept", "the settings that were there"));
	s->config = jic_reload_current(&s->reload);
	reload_tls(s, "SIGHUP");
	jic_notify("READY=1");
}

/* ---- the main thread's life */

/* What has to be done now and then; each has its own interval in seconds. */
static void do_chores(struct serve *s, uint64_t *swept_s, uint64_t *warned_s)
{
	const uint64_t now_s = jic_admin_now_s();
	if (s->tls && jic_tls_changed(s->tls))
		reload_tls(s, "a file changed");
	if (s->tls && now_s - *warned_s >= EXPIRY_INTERVAL_S) {
		*warned_s = now_s;
		warn_of_expiry(s);
	}
	if (now_s - *swept_s >= SWEEP_INTERVAL_S) {
		*swept_s = now_s;
		sweep(s);
	}
}

/*
 * An index that hangs hangs us too: then the watchdog's word doesn't come, nor while the HTTP side is stuck. An index
 * that fails is not helped by a restart.
 */
static void feed_watchdog(struct serve *s, uint64_t watchdog_us)
{
	enum { PATIENCE_US_MIN = 2000000 }; /* the acceptor's clock goes once a second */
	const uint64_t patience_us = watchdog_us / 2 > PATIENCE_US_MIN ? watchdog_us / 2 : PATIENCE_US_MIN;
	struct jic_index *index = jic_store_index(s->store);
	unsigned version;
	(void)!index->ops->schema_version(index, &version, NULL);
	if (jic_http_server_lives(s->http, patience_us))
		jic_notify("WATCHDOG=1");
}

/* Four times as often as a watchdog demands, but not without end. */
static struct timespec chores_interval(uint64_t watchdog_us)
{
	enum { LEAST_US = 1000 };
	const uint64_t chores_us = CHORES_INTERVAL_S * 1000000ull;
	uint64_t us = watchdog_us && watchdog_us / 4 < chores_us ? watchdog_us / 4 : chores_us;
	us = us < LEAST_US ? LEAST_US : us;
	return (struct timespec){.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
}

/* @return the signal that ends the server */
static int wait_for_signal(struct serve *s, const sigset_t *set)
{
	const uint64_t watchdog_us = jic_notify_watchdog_us();
	const struct timespec interval = chores_interval(watchdog_us);
	uint64_t swept_s = 0, warned_s = 0;
	for (;;) {
		do_chores(s, &swept_s, &warned_s);
		if (watchdog_us)
			feed_watchdog(s, watchdog_us);
		int got;
		do {
			got = sigtimedwait(set, NULL, &interval);
		} while (got < 0 && errno == EINTR);
		if (got == SIGHUP)
			reload(s);
		else if (got > 0)
			return got;
	}
}

static void stop(struct serve *s, const sigset_t *set, int signal_number)
{
	const unsigned timeout_s = (unsigned)jic_config_number(s->config, JIC_CONFIG_SHUTDOWN_TIMEOUT);
	jic_log_info(&s->log, "server.stop", JIC_STR("signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"));
	jic_notify("STOPPING=1\nSTATUS=Finishing the requests that are under way");
	/* Who asks twice does not want to wait. */
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
	size_t cut_off = jic_http_server_stop(JIC_TAKE(s->http), timeout_s);
	jic_log_info(&s->log, "server.stopped", JIC_U64("cut_off", cut_off));
}

/* All that can be wrong with the settings without a look at the data. */
static bool read_settings(struct serve *s, struct jic_arena *arena, struct jic_error *err)
{
	const char *proxies = jic_config_path(s->config, JIC_CONFIG_TRUSTED_PROXIES);
	return jic_proxies_parse(jic_view_of(proxies ? proxies : ""), arena, &s->proxies, err) && open_tls(s, err) &&
	       jic_admin_signatures(s->config, &s->signatures, err);
}

static bool start(struct serve *s, struct jic_arena *arena, struct jic_error *err)
{
	return read_settings(s, arena, err) && open_parts(s, err) && start_scrub(s, err) && start_keeper(s, err) &&
	       start_recorder(s, err) && open_listeners(s, err) && start_http(s, err);
}

/* One line an address on stdout: who started us reads there that we are ready, and at which port. */
static void announce(const struct serve *s)
{
	for (size_t i = 0; i < s->listeners.count; i++) {
		const char *at = s->listeners.items[i].text;
		printf("jicached listening on %s\n", at);
		jic_log_info(&s->log, "server.start", JIC_STR("version", JIC_VERSION), JIC_STR("listen", at),
		             JIC_STR("data", jic_config_text(s->config, JIC_CONFIG_DATA)));
	}
	fflush(stdout);
	JIC_CLEAR(jic_buf) struct jic_buf ready = {0};
	jic_buf_puts(&ready, "READY=1\nSTATUS=Listening on");
	for (size_t i = 0; i < s->listeners.count; i++)
		jic_buf_printf(&ready, "%s %s", i ? "," : "", s->listeners.items[i].text);
	jic_notify(jic_buf_str(&ready));
}

static void prepare_reload(struct serve *s, const struct jic_options *options)
{
	s->reload = (struct jic_reload){.options = options,
	                                .started = s->config,
	                                .log = &s->log,
	                                .store = s->store,
	                                .gate = s->gate,
	                                .load = &s->load,
	                                .scrub = s->scrub,
	                                .keeper = s->keeper};
}

bool jic_serve_check(const struct jic_admin *a, struct jic_error *err)
{
	JIC_CLEAR(serve) struct serve s = {.config = a->config, .log = {.fd = -1}};
	s.oidc.issuers = jic_issuers_load(a->config->file, err);
	return s.oidc.issuers && jic_config_log_level(a->config, &s.log.level, err) && read_settings(&s, a->arena, err);
}

bool jic_cmd_serve(const struct jic_admin *a, struct jic_error *err)
{
	JIC_CLEAR(serve) struct serve s = {.config = a->config, .log = {.fd = STDERR_FILENO}};
	sigset_t signals;
	if (jic_options_has(a->options, "print-config")) {
		jic_config_print(a->config, a->out);
		return true;
	}
	if (!jic_config_log_level(a->config, &s.log.level, err))
		return false;
	block_signals(&signals);
	if (!start(&s, a->arena, err))
		return false;
	prepare_reload(&s, a->options);
	announce(&s);
	stop(&s, &signals, wait_for_signal(&s, &signals));
	return true;
}
