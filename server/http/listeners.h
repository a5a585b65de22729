/**
 * All sockets that a server listens on, from a list: "0.0.0.0:8787,[::]:8787,unix:/run/jicached.sock". A TCP address
 * may begin with http:// or https://; without, it is https when there is a certificate. A unix socket speaks plain
 * HTTP: who may open it is a matter of its mode.
 *
 * Beside a unix socket lies PATH.lock, held with flock(2) as long as the server lives: so a socket that a crash left is
 * told from one that is in use, and of two servers that start together one wins.
 */
#ifndef JIC_SERVER_HTTP_LISTENERS_H
#define JIC_SERVER_HTTP_LISTENERS_H

#include "common/attr.h"
#include "common/view.h"
#include "server/http/listen.h"

#include <jicache/error.h>
#include <sys/un.h>

enum { JIC_LISTENERS_MAX = 16, JIC_LISTENER_TEXT = sizeof((struct sockaddr_un *)0)->sun_path + 8 };

struct jic_listener {
	int fd; /**< not blocking */
	bool tls;
	char text[JIC_LISTENER_TEXT]; /**< "http://127.0.0.1:8787", "unix:///run/jicached.sock" */
	char path[sizeof((struct sockaddr_un *)0)->sun_path]; /**< of a unix socket; else empty */
	int lock_fd;                                          /**< of PATH.lock; −1: none */
};

struct jic_listeners {
	struct jic_listener items[JIC_LISTENERS_MAX];
	size_t count;
};

struct jic_listeners_options {
	struct jic_view list;   /**< joined by commas */
	bool has_certificate;   /**< https is possible, and what is meant when nothing is said */
	unsigned socket_mode;   /**< permissions of unix sockets */
	int inherited_first;    /**< sockets that somebody opened for us: descriptors from this one on, */
	size_t inherited_count; /**< so many. Not 0: these alone, the list doesn't count */
};

/** @return false with JIC_EUSAGE (the list makes no sense), JIC_EBUSY (another server listens there) or JIC_EIO; then
 *  nothing is open */
jic_must_check bool jic_listeners_open(const struct jic_listeners_options *options, struct jic_listeners *out,
                                       struct jic_error *err);
/** Close all, and remove the unix sockets. Once more is no harm. */
void jic_listeners_clear(struct jic_listeners *l);

#endif
