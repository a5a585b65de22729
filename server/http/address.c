/* Sixteen bytes for every address (RFC 4291 §2.5.5.2 for those of IPv4), so that comparing is memcmp. */
#include "server/http/address.h"

#include "common/options.h"

#include <arpa/inet.h>

enum { V4_AT = 12, V4_BITS = 32 };

static const unsigned char v4_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct jic_address *a)
{
	return memcmp(a->bytes, v4_prefix, V4_AT) == 0;
}

static void set_v4(struct jic_address *a, const void *four)
{
	memcpy(a->bytes, v4_prefix, V4_AT);
	memcpy(a->bytes + V4_AT, four, sizeof a->bytes - V4_AT);
}

bool jic_address_of(const struct sockaddr *from, struct jic_address *out)
{
	if (from->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, from, sizeof v4);
		set_v4(out, &v4.sin_addr);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	struct sockaddr_in6 v6;
	memcpy(&v6, from, sizeof v6);
	memcpy(out->bytes, &v6.sin6_addr, sizeof out->bytes);
	return true;
}

bool jic_address_parse(struct jic_view text, struct jic_address *out)
{
	char copy[JIC_ADDRESS_TEXT];
	struct in_addr v4;
	if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1) {
		set_v4(out, &v4);
		return true;
	}
	return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

void jic_address_format(const struct jic_address *a, char text[JIC_ADDRESS_TEXT])
{
	bool v4 = is_v4(a);
	const char *done = inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->bytes + V4_AT : a->bytes, text, JIC_ADDRESS_TEXT);
	JIC_ASSERT(done);
}

bool jic_address_eq(const struct jic_address *a, const struct jic_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct jic_address masked(const struct jic_address *a, unsigned bits)
{
	struct jic_address out = {{0}};
	memcpy(out.bytes, a->bytes, bits / 8);
	if (bits % 8)
		out.bytes[bits / 8] = (unsigned char)(a->bytes[bits / 8] & (0xff00 >> bits % 8));
	return out;
}

bool jic_network_parse(struct jic_view text, struct jic_network *out, struct jic_error *err)
{
	const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
	const struct jic_view address = jic_view_head(text, slash ? (size_t)(slash - text.ptr) : text.len);
	if (!jic_address_parse(address, &out->address))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not an address or a network (10.0.0.0/8)",
		                JIC_ARGv(text));
	const unsigned width = is_v4(&out->address) ? V4_BITS : JIC_ADDRESS_BITS;
	uint64_t bits = width;
	if (slash && !jic_parse_u64(jic_view_skip(text, address.len + 1), width, &bits))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\": a prefix has 0 to %u bits", JIC_ARGv(text), width);
	out->bits = (unsigned)bits + JIC_ADDRESS_BITS - width;
	const struct jic_address network = masked(&out->address, out->bits);
	return jic_address_eq(&network, &out->address) ||
	       jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" has bits beyond its prefix", JIC_ARGv(text));
}

bool jic_network_has(const struct jic_network *n, const struct jic_address *a)
{
	const struct jic_address network = masked(a, n->bits);
	return jic_address_eq(&network, &n->address);
}
