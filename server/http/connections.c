/*
 * A list under one lock. Deadlines are written without it, many times in a connection's life; they are read once a
 * second. Cutting off is shutdown(2): the thread that serves the connection sees its end and closes it. That the
 * descriptor is still this connection's is certain under the lock, because it is removed from the list before.
 */
#include "server/http/connections.h"

#include "common/clock.h"
#include "server/http/tally.h"

#include <pthread.h>
#include <stdio.h>

struct jic_connections {
	pthread_mutex_t lock; /* guards first and the links */
	struct jic_http_connection *first;

	atomic_uint total;
	struct jic_tally *connections, *requests;
	struct jic_connections_options options;
};

struct jic_connections *jic_connections_new(const struct jic_connections_options *options, struct jic_error *err)
{
	struct jic_connections *c = calloc(1, sizeof *c);
	if (!c) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	c->options = *options;
	pthread_mutex_init(&c->lock, NULL);
	c->connections = jic_tally_new(options->total_max, options->per_address_max, err);
	/* Each connection has one request at a time. */
	c->requests = jic_tally_new(options->total_max, options->per_address_max, err);
	if (!c->connections || !c->requests) {
		jic_connections_free(c);
		return NULL;
	}
	return c;
}

void jic_connections_free(struct jic_connections *c)
{
	if (!c)
		return;
	JIC_ASSERT(!c->first);
	jic_tally_free(c->connections);
	jic_tally_free(c->requests);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- counting */

/* @return true: by this address its connections are counted */
static bool counted_by(const struct jic_connections *c, const struct sockaddr *from, struct jic_address *address)
{
	return jic_address_of(from, address) && !jic_proxies_trust(c->options.proxies, address);
}

bool jic_connections_admit(struct jic_connections *c, const struct sockaddr *address)
{
	struct jic_address key;
	bool fits = atomic_fetch_add(&c->total, 1) < c->options.total_max;
	if (fits && counted_by(c, address, &key))
		fits = jic_tally_take(c->connections, &key);
	if (!fits)
		atomic_fetch_sub(&c->total, 1);
	return fits;
}

void jic_connections_dismiss(struct jic_connections *c, const struct sockaddr *address)
{
	struct jic_address key;
	if (counted_by(c, address, &key))
		jic_tally_give(c->connections, &key);
	atomic_fetch_sub(&c->total, 1);
}

bool jic_connections_request_begin(struct jic_connections *c, const struct jic_address *client)
{
	return jic_tally_take(c->requests, client);
}

void jic_connections_request_end(struct jic_connections *c, const struct jic_address *client)
{
	jic_tally_give(c->requests, client);
}

/* ---- the list */

static void describe_peer(struct jic_http_connection *n)
{
	struct ucred who;
	socklen_t len = sizeof who;
	if (!n->is_unix)
		jic_address_format(&n->address, n->peer);
	else if (getsockopt(n->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		snprintf(n->peer, sizeof n->peer, "uid %u pid %d", who.uid, who.pid);
}

struct jic_http_connection *jic_connections_add(struct jic_connections *c, int fd, const struct sockaddr *address)
{
	struct jic_http_connection *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->all = c;
	n->fd = fd;
	n->is_unix = !jic_address_of(address, &n->address);
	describe_peer(n);
	jic_connection_expect(n, (uint64_t)c->options.header_timeout_s * 1000);
	pthread_mutex_lock(&c->lock);
	n->next = c->first;
	if (n->next)
		n->next->previous = n;
	c->first = n;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void jic_connections_remove(struct jic_http_connection *n)
{
	struct jic_connections *c = n->all;
	pthread_mutex_lock(&c->lock);
	if (n->previous)
		n->previous->next = n->next;
	else
		c->first = n->next;
	if (n->next)
		n->next->previous = n->previous;
	pthread_mutex_unlock(&c->lock);
	if (!n->is_unix && !jic_proxies_trust(c->options.proxies, &n->address))
		jic_tally_give(c->connections, &n->address);
	atomic_fetch_sub(&c->total, 1);
	jic_tls_client_free(n->client);
	jic_tls_keys_unref(n->keys);
	free(n);
}

/* ---- deadlines */

void jic_connection_expect(struct jic_http_connection *n, uint64_t within_ms)
{
	atomic_store_explicit(&n->deadline_ms, within_ms ? jic_clock_ms() + within_ms : 0, memory_order_relaxed);
}

bool jic_connection_overdue(const struct jic_http_connection *n)
{
	return atomic_load(&n->overdue);
}

void jic_connections_check(struct jic_connections *c)
{
	const uint64_t now = jic_clock_ms();
	pthread_mutex_lock(&c->lock);
	for (struct jic_http_connection *n = c->first; n; n = n->next) {
		uint64_t deadline = atomic_load_explicit(&n->deadline_ms, memory_order_relaxed);
		if (!deadline || now < deadline || atomic_exchange(&n->overdue, true))
			continue;
		jic_log_info(c->options.log, "http.overdue", JIC_STR("peer", n->peer));
		shutdown(n->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&c->lock);
}
