/**
 * The open connections: how many there may be, of one address too, and until when each has to get on. A client that
 * sends or reads a byte now and then never is idle; so each stage of a request has an end as a whole, and who misses it
 * is cut off. Callable from any thread; one connection belongs to one thread at a time, but for its deadline.
 */
#ifndef JIC_SERVER_HTTP_CONNECTIONS_H
#define JIC_SERVER_HTTP_CONNECTIONS_H

#include "common/log.h"
#include "server/http/proxies.h"
#include "server/http/request.h"
#include "server/http/tls.h"

#include <stdatomic.h>

struct jic_connections;

struct jic_http_connection {
	struct jic_connections *all; /* private, as are the next four */
	struct jic_http_connection *previous, *next;
	int fd;
	atomic_uint_fast64_t deadline_ms; /* 0: none */
	atomic_bool overdue;

	bool is_unix;
	struct jic_address address; /**< not of a unix socket */
	char peer[JIC_PEER_TEXT];   /**< for the log: the address, or "uid 1000 pid 4711" */

	/** Plain HTTP: all are NULL. */
	struct jic_tls *tls;
	struct jic_tls_keys *keys;     /**< that the handshake was made with; held as long as the connection lives */
	struct jic_tls_client *client; /**< what its certificate was found to be */
};

struct jic_connections_options {
	unsigned total_max;
	unsigned per_address_max;          /**< not of trusted proxies and unix sockets: these have many clients */
	unsigned header_timeout_s;         /**< for the first request's headers, from the connection's begin */
	const struct jic_proxies *proxies; /**< borrowed for the life of this */
	const struct jic_log *log;
};
struct jic_connections *jic_connections_new(const struct jic_connections_options *options, struct jic_error *err);
/** There must be no connection left. Takes NULL. */
void jic_connections_free(struct jic_connections *c);

/** Count one that came. @return false: there are too many, nothing was counted */
jic_must_check bool jic_connections_admit(struct jic_connections *c, const struct sockaddr *address);
/** Count one less, that came to nothing. */
void jic_connections_dismiss(struct jic_connections *c, const struct sockaddr *address);

/** Of one that was admitted. @param fd  stays its owner's. @return NULL: out of memory, dismiss it */
struct jic_http_connection *jic_connections_add(struct jic_connections *c, int fd, const struct sockaddr *address);
/** Before its descriptor is closed. Dismisses it. */
void jic_connections_remove(struct jic_http_connection *connection);

/** From now on it has `within_ms` for what comes next; 0: as long as it takes. */
void jic_connection_expect(struct jic_http_connection *connection, uint64_t within_ms);
/** It missed its deadline and was cut off. */
bool jic_connection_overdue(const struct jic_http_connection *connection);

/** Cut off who missed the deadline: the connection ends as if the client had closed it. To be called every second. */
void jic_connections_check(struct jic_connections *c);

/**
 * One more request in work for a client behind a proxy, which has no connection of its own to be counted by.
 * @return false: it has as many as it may
 */
jic_must_check bool jic_connections_request_begin(struct jic_connections *c, const struct jic_address *client);
void jic_connections_request_end(struct jic_connections *c, const struct jic_address *client);

#endif
