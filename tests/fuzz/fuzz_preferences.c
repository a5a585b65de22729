/*
 * Input: a base, a NUL byte, an override. Merging nothing changes nothing, merging the override twice is merging it
 * once where nothing is cleared, and equal tables have equal canonical texts and hashes.
 */
#include "client/lib/environment/preferences.h"
#include "common/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_of(const struct jic_toml *table, struct jic_buf *out)
{
	jic_preferences_text(table, out);
	JIC_ASSERT(!out->failed);
}

static bool same_text(const struct jic_toml *a, const struct jic_toml *b)
{
	JIC_CLEAR(jic_buf) struct jic_buf x = {0};
	JIC_CLEAR(jic_buf) struct jic_buf y = {0};
	text_of(a, &x);
	text_of(b, &y);
	return jic_view_eq(jic_buf_view(&x), jic_buf_view(&y));
}

static void check_hash(const struct jic_toml *a, const struct jic_toml *b)
{
	const struct jic_preferences p = {
	    .hashing = {.old_arrays = true, .date_type = 1, .time_type = 2, .datetime_type = 3}};
	struct jic_view names[16];
	size_t count = 0;
	uint64_t x, y;
	for (const struct jic_toml *e = jic_toml_first(a); e && count < JIC_COUNT(names); e = e->next)
		names[count++] = e->key;
	bool hashed = jic_preferences_hash(&p, a, names, count, &x);
	JIC_ASSERT(hashed == jic_preferences_hash(&p, b, names, count, &y));
	JIC_ASSERT(!hashed || x == y);
}

/* Does any table of it have a list of keys to clear? */
static bool clears(const struct jic_toml *v)
{
	if (jic_toml_is_table(v) && jic_toml_get(v, "__clear__"))
		return true;
	for (const struct jic_toml *e = jic_toml_first(v); e; e = e->next) {
		if (clears(e))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t split = nul ? (size_t)(nul - data) : size;
	const struct jic_toml *base = jic_toml_parse(&arena, jic_view_bytes(data, split), "base", NULL);
	const struct jic_toml *over =
	    jic_toml_parse(&arena, jic_view_skip(jic_view_bytes(data, size), split + 1), "override", NULL);
	if (!base || !over)
		return 0;
	const struct jic_toml *copy = jic_preferences_merge(NULL, base, &arena);
	const struct jic_toml *merged = jic_preferences_merge(base, over, &arena);
	if (!copy || !merged)
		return 0; /* too many keys */
	JIC_ASSERT(same_text(copy, base));
	check_hash(copy, base);
	const struct jic_toml *again =
	    clears(over) || clears(base) ? NULL : jic_preferences_merge(merged, over, &arena);
	JIC_ASSERT(!again || same_text(again, merged));
	return 0;
}
