/*
 * jicached serve. The main thread waits for signals and sweeps, others scrub and evict; everything else happens in the
 * server's threads, which are started with the signals blocked.
 */
#include "server/admin/commands.h"
#include "server/http/listen.h"
#include "server/http/server.h"
#include "server/store/keeper.h"
#include "server/store/scrub.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { SWEEP_INTERVAL_S = 3600, KEEP_INTERVAL_S = 60 };

/* All parts of a running server, built here and passed down. */
struct serve {
	const struct jic_config *config;
	struct jic_log log;
	struct jic_store *store;
	struct jic_gate *gate;
	struct jic_http_service service;
	struct jic_http_server *http;
	struct jic_scrub *scrub;
	struct jic_keeper *keeper;
};

static void serve_clear(struct serve *s)
{
	jic_keeper_stop(s->keeper);
	jic_scrub_stop(s->scrub);
	jic_gate_free(s->gate);
	jic_store_free(s->store);
}

static bool log_level(const struct jic_config *c, enum jic_log_level *out, struct jic_error *err)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	const char *text = jic_config_text(c, JIC_CONFIG_LOG_LEVEL);
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum jic_log_level)i;
			return true;
		}
	}
	return jic_fail(err, JIC_EUSAGE, "log_level must be error, warn, info or debug, not \"%s\"", text);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	/* A client that goes away is an error of one write, not the end of the server. */
	signal(SIGPIPE, SIG_IGN);
}

static bool open_parts(struct serve *s, struct jic_error *err)
{
	const struct jic_config *c = s->config;
	const uint64_t blob_bytes_max = jic_config_number(c, JIC_CONFIG_BLOB_BYTES_MAX);
	const struct jic_store_options options = {.data_dir = jic_config_text(c, JIC_CONFIG_DATA),
	                                          .blob_bytes_max = blob_bytes_max,
	                                          .store_bytes_max = jic_config_number(c, JIC_CONFIG_STORE_BYTES_MAX),
	                                          .free_bytes_min = jic_config_number(c, JIC_CONFIG_FREE_BYTES_MIN),
	                                          .log = &s->log};
	s->store = jic_store_open(&options, err);
	if (!s->store)
		return false;
	const struct jic_gate_options gate = {.index = jic_store_index(s->store),
	                                      .require_token = jic_config_is(c, JIC_CONFIG_REQUIRE_TOKEN),
	                                      .anonymous_read = jic_config_is(c, JIC_CONFIG_ANONYMOUS_READ)};
	s->gate = jic_gate_new(&gate, err);
	s->service = (struct jic_http_service){.store = s->store,
	                                       .gate = s->gate,
	                                       .log = &s->log,
	                                       .blob_bytes_max = blob_bytes_max,
	                                       .body_bytes_max = jic_config_number(c, JIC_CONFIG_BODY_BYTES_MAX),
	                                       .body_timeout_s = jic_config_number(c, JIC_CONFIG_BODY_TIMEOUT)};
	return s->gate != NULL;
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

static bool start_http(struct serve *s, char bound[JIC_LISTEN_TEXT], struct jic_error *err)
{
	const struct jic_config *c = s->config;
	int fd = jic_listen_open(jic_config_text(c, JIC_CONFIG_LISTEN), bound, err);
	if (fd < 0)
		return false;
	const struct jic_http_options options = {
	    .service = &s->service,
	    .listen_fd = fd,
	    .threads = count_or(c, JIC_CONFIG_THREADS, 1, 2),
	    .workers = count_or(c, JIC_CONFIG_WORKERS, 2, 4),
	    .queue_max = (unsigned)jic_config_number(c, JIC_CONFIG_QUEUE_MAX),
	    .connections_max = (unsigned)jic_config_number(c, JIC_CONFIG_CONNECTIONS_MAX),
	    .connections_per_peer_max = (unsigned)jic_config_number(c, JIC_CONFIG_CONNECTIONS_PER_PEER_MAX),
	    .connection_bytes = jic_config_number(c, JIC_CONFIG_CONNECTION_BYTES),
	    .idle_timeout_s = (unsigned)jic_config_number(c, JIC_CONFIG_IDLE_TIMEOUT),
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

static void sweep(struct serve *s)
{
	struct jic_error err = {0};
	uint64_t removed = 0;
	if (!jic_store_sweep(s->store, jic_config_number(s->config, JIC_CONFIG_UNUSED_BLOB_AGE), &removed, &err))
		jic_log_error(&s->log, "store.sweep", JIC_STR("error", err.text));
	else if (removed)
		jic_log_info(&s->log, "store.sweep", JIC_U64("removed", removed));
}

/* @return the signal that ends the server */
static int wait_for_signal(struct serve *s, const sigset_t *set)
{
	const struct timespec interval = {.tv_sec = SWEEP_INTERVAL_S};
	for (;;) {
		sweep(s);
		int got;
		do {
			got = sigtimedwait(set, NULL, &interval);
		} while (got < 0 && errno == EINTR);
		if (got > 0)
			return got;
	}
}

static void stop(struct serve *s, const sigset_t *set, int signal_number)
{
	const unsigned timeout_s = (unsigned)jic_config_number(s->config, JIC_CONFIG_SHUTDOWN_TIMEOUT);
	jic_log_info(&s->log, "server.stop", JIC_STR("signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"));
	/* Who asks twice does not want to wait. */
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
	size_t cut_off = jic_http_server_stop(JIC_TAKE(s->http), timeout_s);
	jic_log_info(&s->log, "server.stopped", JIC_U64("cut_off", cut_off));
}

bool jic_cmd_serve(const struct jic_admin *a, struct jic_error *err)
{
	JIC_CLEAR(serve) struct serve s = {.config = a->config, .log = {.fd = STDERR_FILENO}};
	char bound[JIC_LISTEN_TEXT];
	sigset_t signals;
	if (jic_options_has(a->options, "print-config")) {
		jic_config_print(a->config, a->out);
		return true;
	}
	if (!log_level(a->config, &s.log.level, err))
		return false;
	block_signals(&signals);
	if (!open_parts(&s, err) || !start_scrub(&s, err) || !start_keeper(&s, err) || !start_http(&s, bound, err))
		return false;
	printf("jicached listening on http://%s\n", bound);
	fflush(stdout);
	jic_log_info(&s.log, "server.start", JIC_STR("version", JIC_VERSION), JIC_STR("listen", bound),
	             JIC_STR("data", jic_config_text(a->config, JIC_CONFIG_DATA)));
	stop(&s, &signals, wait_for_signal(&s, &signals));
	return true;
}
