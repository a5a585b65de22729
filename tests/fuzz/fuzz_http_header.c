/*
 * Foreign header fields and paths. The first byte picks the parser. Properties: a range lies inside the size; decoding
 * gives nothing longer and no control character; a tag matches itself.
 */
#include "server/http/header.h"
#include "server/http/listen.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(struct jic_view text)
{
	static const uint64_t sizes[] = {0, 1, 10, 1u << 20, UINT64_MAX};
	for (size_t i = 0; i < JIC_COUNT(sizes); i++) {
		struct jic_range r = jic_http_range(text, sizes[i]);
		if (r.kind == JIC_RANGE_ONE)
			JIC_ASSERT(r.len > 0 && r.first < sizes[i] && r.len <= sizes[i] - r.first);
	}
}

static void check_decode(struct jic_view text)
{
	char *out = malloc(text.len ? text.len : 1);
	size_t len;
	JIC_ASSERT(out);
	if (jic_http_percent_decode(text, out, &len)) {
		JIC_ASSERT(len <= text.len);
		for (size_t i = 0; i < len; i++)
			JIC_ASSERT((unsigned char)out[i] >= 0x20 && out[i] != '\\' && out[i] != 0x7f);
		/* What a path may say, a query may. */
		JIC_ASSERT(jic_http_query_decode(text, out, &len));
	}
	if (jic_http_query_decode(text, out, &len)) {
		JIC_ASSERT(len <= text.len);
		for (size_t i = 0; i < len; i++)
			JIC_ASSERT((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
	}
	free(out);
}

static void check_tags(struct jic_view text)
{
	(void)jic_http_none_match(text, JIC_VIEW("\"a\""));
	(void)jic_http_if_range(text, JIC_VIEW("\"a\""));
	(void)jic_http_media_type_is(text, "application/json");
	if (text.len > 2 && text.ptr[0] == '"' && !memchr(text.ptr, ',', text.len) && text.ptr[text.len - 1] == '"')
		JIC_ASSERT(jic_http_none_match(text, text));
}

static void check_listen(struct jic_view text)
{
	char host[JIC_LISTEN_HOST_BYTES_MAX + 1];
	uint16_t port;
	if (jic_listen_parse(text, host, &port, NULL))
		JIC_ASSERT(host[0] && strlen(host) <= JIC_LISTEN_HOST_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct jic_view text = jic_view_bytes(data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		check_range(text);
		break;
	case 1:
		check_decode(text);
		break;
	case 2:
		check_tags(text);
		break;
	case 3:
		check_listen(text);
		break;
	default:
		(void)jic_http_accepts_zstd(text);
		break;
	}
	return 0;
}
