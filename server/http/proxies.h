/**
 * Proxies in front of this server, and what is believed of what they say. Each proxy appends the address that it was
 * asked from to X-Forwarded-For; whatever stands to the left of what a trusted proxy wrote may be invented. So the list
 * is walked from the right, as long as the address that wrote it is trusted. Constant after the start, callable from
 * any thread.
 */
#ifndef JIC_SERVER_HTTP_PROXIES_H
#define JIC_SERVER_HTTP_PROXIES_H

#include "common/arena.h"
#include "server/http/address.h"

enum { JIC_PROXIES_MAX = 64 };

struct jic_proxies {
	const struct jic_network *networks; /**< in the arena of jic_proxies_parse() */
	size_t count;
	bool unix_peers; /**< whoever comes by a unix socket is a proxy: "unix" */
};

/** @param list networks, addresses and "unix", joined by commas; empty: nobody is trusted. @return false with
 * JIC_EUSAGE or JIC_EMEMORY */
jic_must_check bool jic_proxies_parse(struct jic_view list, struct jic_arena *arena, struct jic_proxies *out,
                                      struct jic_error *err);

/** @param peer NULL: it came by a unix socket */
bool jic_proxies_trust(const struct jic_proxies *p, const struct jic_address *peer);

/**
 * Who asked the outermost trusted proxy. Only for a peer that is trusted.
 * @param forwarded_for all X-Forwarded-For fields of the request in their order, joined by commas
 * @return false: the list doesn't say, or is not one of addresses where it matters
 */
bool jic_proxies_client(const struct jic_proxies *p, struct jic_view forwarded_for, struct jic_address *out);

/** The last element of X-Forwarded-Proto, which the nearest proxy wrote, is "https". */
bool jic_proxies_https(struct jic_view forwarded_proto);

#endif
