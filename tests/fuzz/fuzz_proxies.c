/*
 * X-Forwarded-For, and the list of trusted proxies; the first line of the input is the list, or a fixed one when it is
 * none. Properties: what stands to the left of an address that is not trusted changes nothing; who was found is the
 * last such address, or there is none in the whole list; an address reads back as it was written.
 */
#include "server/http/proxies.h"

#include "common/buf.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct jic_address *a)
{
	char text[JIC_ADDRESS_TEXT];
	struct jic_address again;
	jic_address_format(a, text);
	JIC_ASSERT(jic_address_parse(jic_view_of(text), &again) && jic_address_eq(a, &again));
}

static void check_prefix(const struct jic_proxies *p, struct jic_view list, const struct jic_address *found)
{
	static const char *const lies[] = {"127.0.0.1", "10.1.1.1", "garbage", "::1, 203.0.113.7", ","};
	for (size_t i = 0; i < JIC_COUNT(lies); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf longer = {0};
		struct jic_address other;
		jic_buf_printf(&longer, "%s,", lies[i]);
		jic_buf_putv(&longer, list);
		JIC_ASSERT(jic_proxies_client(p, jic_buf_view(&longer), &other) && jic_address_eq(found, &other));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_view text = jic_view_bytes(data, size), first, rest;
	struct jic_proxies p;
	struct jic_address found;
	if (!jic_view_split(&text, '\n', &first))
		return 0;
	rest = text.ptr ? text : JIC_VIEW("");
	if (!jic_proxies_parse(first, &arena, &p, NULL) &&
	    !jic_proxies_parse(JIC_VIEW("10.0.0.0/8,fd00::/8"), &arena, &p, NULL))
		return 0;
	(void)jic_proxies_https(rest);
	if (!jic_proxies_client(&p, rest, &found))
		return 0;
	check_text(&found);
	if (!jic_proxies_trust(&p, &found))
		check_prefix(&p, rest, &found);
	return 0;
}
