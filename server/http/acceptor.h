/**
 * Accepts connections, in a thread of its own, so that who comes when there are too many is told so at once instead of
 * waiting in the kernel's queue for one to end. The same thread has a clock: once a second it calls tick().
 */
#ifndef JIC_SERVER_HTTP_ACCEPTOR_H
#define JIC_SERVER_HTTP_ACCEPTOR_H

#include "common/log.h"
#include "server/http/listeners.h"
#include "server/http/request.h"

#include <sys/socket.h>

struct jic_acceptor;

struct jic_acceptor_options {
	const struct jic_listeners *listeners; /**< borrowed for the acceptor's life */
	const struct jic_log *log;
	void *context;
	/** A connection came; not blocking. @return true: it is taken, or closed; false: there are too many */
	bool (*take)(void *context, const struct jic_listener *from, int fd, const struct sockaddr *address,
	             socklen_t address_len);
	void (*tick)(void *context);
	/** The next request's id: a refusal has one too. */
	void (*number)(void *context, char id[JIC_REQUEST_ID_TEXT + 1]);
};
struct jic_acceptor *jic_acceptor_start(const struct jic_acceptor_options *options, struct jic_error *err);
/** Ends the thread and frees. Takes NULL. The listeners stay open. */
void jic_acceptor_stop(struct jic_acceptor *a);

#endif
