/**
 * The HTTP/1.1 server: connections, limits, and the way of a request through its route. Starting it returns at once; it
 * works in threads of its own until it is stopped.
 *
 *     acceptor ── too many? 503 and the end; else ──┐
 *            ┌──────────────────────────────────────┘
 *     connection threads ── read headers, find the route, ask the gate, take the body ──┐
 *            ▲                                                                          │ what may block
 *            └── send the answer ◀── resume ◀── workers: resolve, publish, finish… ◀────┘ (bounded queue, else 503)
 */
#ifndef JIC_SERVER_HTTP_SERVER_H
#define JIC_SERVER_HTTP_SERVER_H

#include "server/http/listeners.h"
#include "server/http/proxies.h"
#include "server/http/request.h"
#include "server/http/tls.h"

struct jic_http_server;

struct jic_http_options {
	const struct jic_http_service *service; /**< borrowed for the server's life, as all that follows */
	struct jic_listeners *listeners;        /**< closed by the server when it stops, or does not start */
	struct jic_tls *tls;                    /**< NULL: no listener has `tls` */
	const struct jic_proxies *proxies;
	unsigned threads;         /**< that serve connections */
	unsigned workers;         /**< that do what blocks */
	unsigned queue_max;       /**< jobs that wait for a worker, those that read and those that write */
	unsigned queue_timeout_s; /**< who waited longer for a worker is told to try again */
	unsigned connections_max;
	unsigned connections_per_peer_max; /**< of a trusted proxy's clients: requests */
	size_t connection_bytes;           /**< memory of one connection: headers and read buffer */
	unsigned header_timeout_s;         /**< for the first request's headers */
	unsigned idle_timeout_s;           /**< for any further one, and between two signs of life */
	uint64_t body_timeout_s;           /**< for a JSON body, and for the begin of any other */
	uint64_t transfer_rate_min;        /**< bytes a second that blobs move at least, on the average, after that */
};
struct jic_http_server *jic_http_server_start(const struct jic_http_options *options, struct jic_error *err);

/**
 * Whether acceptor, workers and connection threads get on, for a watchdog: asks them something and looks at what was
 * asked the last times. Does not wait. From one thread, several times within `patience_us`.
 * @param patience_us  how long an answer may take; that of the acceptor's clock takes a second
 */
bool jic_http_server_lives(struct jic_http_server *s, uint64_t patience_us);

/** Stop accepting, let requests finish for at most `timeout_s`, end all threads and free. @return how many were cut off
 */
size_t jic_http_server_stop(struct jic_http_server *s, unsigned timeout_s);

#endif
