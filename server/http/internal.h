/**
 * The running server, as its two halves see it: server.c (connections, threads, start and stop) and exchange.c (one
 * request on its way). Both know libmicrohttpd, nobody else does.
 */
#ifndef JIC_SERVER_HTTP_INTERNAL_H
#define JIC_SERVER_HTTP_INTERNAL_H

#include "server/http/acceptor.h"
#include "server/http/connections.h"
#include "server/http/pulse.h"
#include "server/http/server.h"
#include "server/http/work.h"

#include <microhttpd.h>
#include <pthread.h>

struct jic_http_server {
	pthread_mutex_t lock; /* guards active */
	pthread_cond_t idle;  /* active became 0 */
	size_t active;        /* requests begun and not completed */

	atomic_bool stopping;
	atomic_uint_fast64_t requests; /* numbers them */
	uint32_t run;                  /* random: tells ids of this run from those of others */
	const struct jic_http_service *service;
	struct jic_http_options options;
	struct jic_work *work;
	struct jic_connections *connections;
	struct jic_acceptor *acceptor;
	struct MHD_Daemon *plain, *secure; /* NULL: nobody listens for it */
	struct jic_pulse pulse;
};

uint64_t jic_http_now_us(void); /**< monotonic */

/** The next request's id. @param cls the server */
void jic_http_number(void *cls, char id[JIC_REQUEST_ID_TEXT + 1]);

/** The connection of a request; NULL when there was no memory for it. */
struct jic_http_connection *jic_http_connection_of(struct MHD_Connection *c);

/* exchange.c: what libmicrohttpd calls for a request; `cls` is the server. */
enum MHD_Result jic_exchange_access(void *cls, struct MHD_Connection *c, const char *path, const char *method,
                                    const char *version, const char *bytes, size_t *len, void **context);
void jic_exchange_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code);

#endif
