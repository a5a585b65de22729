/**
 * Addresses of clients, and networks of them in CIDR form. IPv4 is kept as IPv6 has it (::ffff:192.0.2.1), so that one
 * address has one form however the connection came. Pure.
 */
#ifndef JIC_SERVER_HTTP_ADDRESS_H
#define JIC_SERVER_HTTP_ADDRESS_H

#include "common/attr.h"
#include "common/view.h"

#include <jicache/error.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { JIC_ADDRESS_BITS = 128, JIC_ADDRESS_TEXT = INET6_ADDRSTRLEN };

struct jic_address {
	unsigned char bytes[JIC_ADDRESS_BITS / 8]; /**< network order */
};

/** @return false: it is of another family, such as AF_UNIX */
bool jic_address_of(const struct sockaddr *from, struct jic_address *out);
/** "192.0.2.1", "2001:db8::1", without brackets, port or zone. */
bool jic_address_parse(struct jic_view text, struct jic_address *out);
/** An IPv4 address in its own form. */
void jic_address_format(const struct jic_address *a, char text[JIC_ADDRESS_TEXT]);
bool jic_address_eq(const struct jic_address *a, const struct jic_address *b);

struct jic_network {
	struct jic_address address;
	unsigned bits; /**< of it that count, from the left */
};
/** "10.0.0.0/8", "fd00::/8", or one address. @return false with JIC_EUSAGE; bits beyond the prefix must be 0 */
jic_must_check bool jic_network_parse(struct jic_view text, struct jic_network *out, struct jic_error *err);
bool jic_network_has(const struct jic_network *n, const struct jic_address *a);

#endif
