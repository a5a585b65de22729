/**
 * The HTTP/1.1 server: connections, limits, and the way of a request through its route. The only module that knows
 * libmicrohttpd. Starting it returns at once; it works in threads of its own until it is stopped.
 *
 *     connection threads ── read headers, find the route, ask the gate, take the body ──┐
 *            ▲                                                                          │ what may block
 *            └── send the answer ◀── resume ◀── workers: resolve, publish, finish… ◀────┘ (bounded queue, else 503)
 */
#ifndef JIC_SERVER_HTTP_SERVER_H
#define JIC_SERVER_HTTP_SERVER_H

#include "server/http/request.h"

struct jic_http_server;

struct jic_http_options {
	const struct jic_http_service *service; /**< borrowed for the server's life */
	int listen_fd;                          /**< taken, even on failure: jic_listen_open() */
	unsigned threads;                       /**< that serve connections */
	unsigned workers;                       /**< that do what blocks */
	unsigned queue_max;                     /**< jobs that wait for a worker */
	unsigned connections_max;
	unsigned connections_per_peer_max;
	size_t connection_bytes; /**< memory of one connection: headers and read buffer */
	unsigned idle_timeout_s; /**< a connection on which nothing happens for so long is closed */
};
struct jic_http_server *jic_http_server_start(const struct jic_http_options *options, struct jic_error *err);

/** Stop accepting, let requests finish for at most `timeout_s`, end all threads and free. @return how many were cut off
 */
size_t jic_http_server_stop(struct jic_http_server *s, unsigned timeout_s);

#endif
