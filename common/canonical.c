/* Strings and lists of the canonical encodings. */
#include "common/canonical.h"

bool jic_canonical_string(struct jic_buf *b, const char *field, struct jic_view v, struct jic_error *err)
{
	if (v.len > JIC_CANONICAL_STRING_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "address: %s is %zu bytes long", field, v.len);
	jic_buf_u32le(b, (uint32_t)v.len);
	jic_buf_putv(b, v);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return jic_view_cmp(*(const struct jic_view *)a, *(const struct jic_view *)b);
}

bool jic_canonical_list(struct jic_buf *b, const char *field, struct jic_view *texts, size_t count,
                        struct jic_error *err)
{
	size_t distinct = 0;
	if (!jic_canonical_count(field, count, err))
		return false;
	if (count)
		qsort(texts, count, sizeof *texts, by_bytes);
	for (size_t i = 0; i < count; i++)
		if (!distinct || !jic_view_eq(texts[distinct - 1], texts[i]))
			texts[distinct++] = texts[i];
	jic_buf_u32le(b, (uint32_t)distinct);
	for (size_t i = 0; i < distinct; i++)
		if (!jic_canonical_string(b, field, texts[i], err))
			return false;
	return true;
}

bool jic_canonical_count(const char *field, size_t count, struct jic_error *err)
{
	return count <= JIC_CANONICAL_LIST_MAX || jic_fail(err, JIC_ELIMIT, "address: %zu entries in %s", count, field);
}

struct jic_view jic_canonical_uuid(struct jic_uuid u, char text[JIC_UUID_TEXT + 1])
{
	if (jic_uuid_is_nil(u))
		return JIC_VIEW("");
	jic_uuid_format(u, text);
	return jic_view_of(text);
}
