/*
 * Two canonical texts, walked side by side: keys are sorted, so it is a merge. Tables inside are entered in a loop, not
 * by recursion. A text that breaks the rules ends the walk; the caller then knows that, not where, they differ.
 */
#include "client/lib/operation/difference.h"

#include "common/buf.h"

enum { DEPTH_MAX = 16, PATH_BYTES_MAX = 120 };

/* Where a string that begins at `at` ends, behind its quote; 0: it does not. */
static size_t string_end(struct jic_view v, size_t at)
{
	for (size_t i = at + 1; i < v.len; i++) {
		if (v.ptr[i] == '\\')
			i++;
		else if (v.ptr[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Where a value that begins at `at` ends: before the comma or bracket that is not its own. 0: it does not. */
static size_t value_end(struct jic_view v, size_t at)
{
	size_t depth = 0;
	for (size_t i = at; i < v.len; i++) {
		char c = v.ptr[i];
		if (c == '"') {
			size_t end = string_end(v, i);
			if (!end)
				return 0;
			i = end - 1;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
			return i > at ? i : 0;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

struct entry {
	struct jic_view key, value; /* the key without its quotes */
};

enum next { ENTRY, END, BAD };

/* `rest` begins with `{` or `,` before an entry, and with `}` at the end; an empty text is an empty table. */
static enum next next_entry(struct jic_view *rest, struct entry *out)
{
	if (rest->len == 0 || rest->ptr[0] == '}' || (rest->len >= 2 && memcmp(rest->ptr, "{}", 2) == 0))
		return END;
	if (rest->len < 2 || (rest->ptr[0] != '{' && rest->ptr[0] != ',') || rest->ptr[1] != '"')
		return BAD;
	size_t key_end = string_end(*rest, 1);
	if (!key_end || key_end >= rest->len || rest->ptr[key_end] != ':')
		return BAD;
	size_t end = value_end(*rest, key_end + 1);
	if (!end)
		return BAD;
	out->key = jic_view_bytes(rest->ptr + 2, key_end - 3);
	out->value = jic_view_bytes(rest->ptr + key_end + 1, end - key_end - 1);
	*rest = jic_view_skip(*rest, end);
	return ENTRY;
}

/* The first entry that differs. @return END: none, BAD: can't say */
static enum next first_different(struct jic_view here, struct jic_view there, struct entry *mine, struct entry *theirs)
{
	for (;;) {
		enum next a = next_entry(&here, mine), b = next_entry(&there, theirs);
		if (a == BAD || b == BAD)
			return BAD;
		if (a == END)
			*mine = (struct entry){0};
		if (b == END)
			*theirs = (struct entry){0};
		if (a == END && b == END)
			return END;
		if (a == END || b == END)
			return ENTRY;
		int order = jic_view_cmp(mine->key, theirs->key);
		if (order < 0)
			*theirs = (struct entry){0};
		if (order > 0)
			*mine = (struct entry){0};
		if (order != 0 || !jic_view_eq(mine->value, theirs->value))
			return ENTRY;
	}
}

static bool is_table(struct jic_view v)
{
	return v.len && v.ptr[0] == '{';
}

bool jic_preference_difference(struct jic_view here, struct jic_view there, struct jic_arena *arena,
                               struct jic_preference_difference *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	struct entry mine = {.value = here}, theirs = {.value = there};
	*out = (struct jic_preference_difference){0};
	if (jic_view_eq(here, there))
		return false;
	for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
		if (depth && (!is_table(mine.value) || !is_table(theirs.value)))
			break;
		if (first_different(mine.value, theirs.value, &mine, &theirs) != ENTRY)
			return true;
		struct jic_view key = mine.key.ptr ? mine.key : theirs.key;
		jic_buf_puts(&path, depth ? "." : "");
		jic_buf_putv(&path, jic_shortened(key, PATH_BYTES_MAX, arena));
	}
	out->path = jic_arena_copy(arena, jic_buf_view(&path));
	out->here = mine.value;
	out->there = theirs.value;
	return true;
}
