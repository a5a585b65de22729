/* The walk from the right: RFC 7239 §8.1 says why nothing else can be trusted. */
#include "server/http/proxies.h"

#include <strings.h>

static struct jic_view trim(struct jic_view v)
{
	while (v.len > 0 && (v.ptr[0] == ' ' || v.ptr[0] == '\t'))
		v = jic_view_skip(v, 1);
	while (v.len > 0 && (v.ptr[v.len - 1] == ' ' || v.ptr[v.len - 1] == '\t'))
		v.len--;
	return v;
}

bool jic_proxies_parse(struct jic_view list, struct jic_arena *arena, struct jic_proxies *out, struct jic_error *err)
{
	struct jic_network *networks = jic_arena_array(arena, JIC_PROXIES_MAX, sizeof *networks);
	struct jic_view item;
	*out = (struct jic_proxies){.networks = networks};
	if (!networks)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	while (jic_view_split(&list, ',', &item)) {
		item = trim(item);
		if (item.len == 0)
			continue;
		if (jic_view_is(item, "unix")) {
			out->unix_peers = true;
			continue;
		}
		if (out->count == JIC_PROXIES_MAX)
			return jic_fail(err, JIC_EUSAGE, "trusted_proxies: at most %d networks", JIC_PROXIES_MAX);
		if (!jic_network_parse(item, &networks[out->count], err))
			return jic_wrap(err, "trusted_proxies");
		out->count++;
	}
	return true;
}

bool jic_proxies_trust(const struct jic_proxies *p, const struct jic_address *peer)
{
	if (!peer)
		return p->unix_peers;
	for (size_t i = 0; i < p->count; i++)
		if (jic_network_has(&p->networks[i], peer))
			return true;
	return false;
}

/* Take the last element off. @return false when nothing is left */
static bool last_element(struct jic_view *list, struct jic_view *element)
{
	if (list->len == 0)
		return false;
	const char *comma = memrchr(list->ptr, ',', list->len);
	size_t rest = comma ? (size_t)(comma - list->ptr) : 0;
	*element = trim(jic_view_skip(*list, comma ? rest + 1 : 0));
	*list = jic_view_head(*list, rest);
	return true;
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711" */
static bool parse_element(struct jic_view text, struct jic_address *out)
{
	if (text.len > 0 && text.ptr[0] == '[') {
		const char *end = memchr(text.ptr, ']', text.len);
		return end && jic_address_parse(jic_view_bytes(text.ptr + 1, (size_t)(end - text.ptr) - 1), out);
	}
	const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	bool one_colon = colon && colon == memrchr(text.ptr, ':', text.len);
	return jic_address_parse(one_colon ? jic_view_head(text, (size_t)(colon - text.ptr)) : text, out);
}

bool jic_proxies_client(const struct jic_proxies *p, struct jic_view forwarded_for, struct jic_address *out)
{
	struct jic_view element;
	bool found = false;
	while (last_element(&forwarded_for, &element)) {
		/* Garbage was passed on by a proxy that is trusted: the last address before it is all that is known. */
		if (!parse_element(element, out))
			return false;
		found = true;
		if (!jic_proxies_trust(p, out))
			break;
	}
	return found;
}

bool jic_proxies_https(struct jic_view forwarded_proto)
{
	struct jic_view element;
	return last_element(&forwarded_proto, &element) && element.len == 5 &&
	       strncasecmp(element.ptr, "https", 5) == 0;
}
