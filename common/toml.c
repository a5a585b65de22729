/*
 * TOML's grammar, read line by line. `current` is the table that the last header opened; a dotted key walks on from
 * there. Which tables a line may add to is decided by their origin (toml_private.h) and nowhere else.
 */
#include "common/toml_private.h"
#include "common/utf8.h"

#include <sys/random.h>

static bool scan_value(struct jic_toml_scan *s, struct jic_toml *parent, struct jic_view key);

static bool fail_defined(struct jic_toml_scan *s, const char *at, const struct jic_toml *first)
{
	return jic_toml_fail(s, at, JIC_EFORMAT, "the key is defined already, in line %u", first->line);
}

/** A new table in a table, or as the next element of an array. */
static struct jic_toml *add_table(struct jic_toml_scan *s, struct jic_toml *parent, struct jic_view key,
                                  enum jic_toml_origin origin, const char *at)
{
	struct jic_toml *table = jic_toml_new(s, at, key);
	if (!table || !jic_toml_make_items(s, table, JIC_TOML_TABLE, origin, parent, at) ||
	    !jic_toml_append(s, parent, table))
		return NULL;
	return table;
}

/** One step of a header's path, before its last part. */
static struct jic_toml *step_of_header(struct jic_toml_scan *s, struct jic_toml *table, struct jic_view key,
                                       const char *at)
{
	struct jic_toml *next = jic_toml_find(table, key);
	if (!next)
		return add_table(s, table, key, JIC_TOML_IMPLICIT, at);
	if (next->type == JIC_TOML_TABLE && next->items.index->origin != JIC_TOML_CLOSED)
		return next;
	if (next->type == JIC_TOML_ARRAY && next->items.index->origin == JIC_TOML_LIST)
		return next->items.index->last;
	fail_defined(s, at, next);
	return NULL;
}

/** One step of a dotted key, before its last part. */
static struct jic_toml *step_of_key(struct jic_toml_scan *s, struct jic_toml *table, struct jic_view key,
                                    const char *at)
{
	struct jic_toml *next = jic_toml_find(table, key);
	if (!next)
		return add_table(s, table, key, JIC_TOML_DOTTED, at);
	enum jic_toml_origin origin = next->type == JIC_TOML_TABLE ? next->items.index->origin : JIC_TOML_CLOSED;
	if (origin == JIC_TOML_IMPLICIT || origin == JIC_TOML_DOTTED) {
		next->items.index->origin = JIC_TOML_DOTTED;
		return next;
	}
	fail_defined(s, at, next);
	return NULL;
}

typedef struct jic_toml *step_fn(struct jic_toml_scan *s, struct jic_toml *table, struct jic_view key, const char *at);

/** The last part of a path, and the table that it names an entry of. */
struct target {
	struct jic_toml *table;
	struct jic_view key;
	const char *at;
};

/** a.b.c: walk through all but the last part. Leaves s->p at what follows the path. */
static bool scan_path(struct jic_toml_scan *s, struct jic_toml *from, step_fn *step, struct target *out)
{
	out->table = from;
	for (;;) {
		jic_toml_skip_space(s);
		out->at = s->p;
		if (!jic_toml_scan_key(s, &out->key))
			return false;
		jic_toml_skip_space(s);
		if (jic_toml_peek(s) != '.')
			return true;
		s->p++;
		out->table = step(s, out->table, out->key, out->at);
		if (!out->table)
			return false;
	}
}

static bool expect(struct jic_toml_scan *s, char c)
{
	if (jic_toml_peek(s) != c)
		return jic_toml_fail(s, s->p, JIC_EFORMAT, "expected '%c'", c);
	s->p++;
	return true;
}

/** [a.b]: a table that is new, or was only implied so far. */
static struct jic_toml *open_table(struct jic_toml_scan *s, const struct target *t)
{
	struct jic_toml *found = jic_toml_find(t->table, t->key);
	if (!found)
		return add_table(s, t->table, t->key, JIC_TOML_HEADER, t->at);
	if (found->type == JIC_TOML_TABLE && found->items.index->origin == JIC_TOML_IMPLICIT) {
		found->items.index->origin = JIC_TOML_HEADER;
		return found;
	}
	fail_defined(s, t->at, found);
	return NULL;
}

/** [[a.b]]: the next element of an array of tables, which its first one makes. */
static struct jic_toml *open_element(struct jic_toml_scan *s, const struct target *t)
{
	struct jic_toml *list = jic_toml_find(t->table, t->key);
	if (!list) {
		list = jic_toml_new(s, t->at, t->key);
		if (!list || !jic_toml_make_items(s, list, JIC_TOML_ARRAY, JIC_TOML_LIST, t->table, t->at) ||
		    !jic_toml_append(s, t->table, list))
			return NULL;
	}
	if (list->type == JIC_TOML_ARRAY && list->items.index->origin == JIC_TOML_LIST)
		return add_table(s, list, JIC_VIEW(""), JIC_TOML_HEADER, t->at);
	fail_defined(s, t->at, list);
	return NULL;
}

/** A header line, s->p on its bracket. @return the table that it opens; NULL has set the error */
static struct jic_toml *scan_header(struct jic_toml_scan *s, struct jic_toml *root)
{
	struct target target;
	s->p++;
	bool element = jic_toml_peek(s) == '[';
	s->p += element;
	if (!scan_path(s, root, step_of_header, &target) || !expect(s, ']') || (element && !expect(s, ']')))
		return NULL;
	return element ? open_element(s, &target) : open_table(s, &target);
}

/** key = value, into `table`. */
static bool scan_entry(struct jic_toml_scan *s, struct jic_toml *table)
{
	struct target target;
	if (!scan_path(s, table, step_of_key, &target) || !expect(s, '='))
		return false;
	const struct jic_toml *found = jic_toml_find(target.table, target.key);
	if (found)
		return fail_defined(s, target.at, found);
	jic_toml_skip_space(s);
	return scan_value(s, target.table, target.key);
}

/** The elements of an array, s->p behind its bracket. Lines may end anywhere in it, and a last comma is allowed. */
static bool scan_array(struct jic_toml_scan *s, struct jic_toml *array)
{
	for (;;) {
		if (!jic_toml_skip_lines(s))
			return false;
		if (jic_toml_peek(s) == ']')
			break;
		if (!scan_value(s, array, JIC_VIEW("")) || !jic_toml_skip_lines(s))
			return false;
		if (jic_toml_peek(s) == ']')
			break;
		if (!expect(s, ','))
			return false;
	}
	s->p++;
	return true;
}

/** The entries of an inline table, s->p behind its brace. On one line, and without a last comma. */
static bool scan_inline_table(struct jic_toml_scan *s, struct jic_toml *table)
{
	jic_toml_skip_space(s);
	if (jic_toml_peek(s) == '}') {
		s->p++;
		return true;
	}
	for (;;) {
		if (!scan_entry(s, table))
			return false;
		jic_toml_skip_space(s);
		if (jic_toml_peek(s) != ',')
			return expect(s, '}');
		s->p++;
	}
}

/** Fill `node` from the value at s->p. Recursion ends at JIC_TOML_DEPTH_MAX, in jic_toml_make_items(). */
static bool fill_value(struct jic_toml_scan *s, struct jic_toml *node, const struct jic_toml *parent)
{
	switch (jic_toml_peek(s)) {
	case '"':
	case '\'':
		node->type = JIC_TOML_STRING;
		return jic_toml_scan_string(s, &node->string);
	case '[':
		s->p++;
		return jic_toml_make_items(s, node, JIC_TOML_ARRAY, JIC_TOML_CLOSED, parent, s->p - 1) &&
		       scan_array(s, node);
	case '{':
		s->p++;
		return jic_toml_make_items(s, node, JIC_TOML_TABLE, JIC_TOML_CLOSED, parent, s->p - 1) &&
		       scan_inline_table(s, node);
	default:
		return jic_toml_scan_scalar(s, node);
	}
}

static bool scan_value(struct jic_toml_scan *s, struct jic_toml *parent, struct jic_view key)
{
	struct jic_toml *node = jic_toml_new(s, s->p, key);
	return node && fill_value(s, node, parent) && jic_toml_append(s, parent, node);
}

static bool scan_document(struct jic_toml_scan *s, struct jic_toml *root)
{
	struct jic_toml *current = root;
	while (jic_toml_skip_lines(s)) {
		if (s->p == s->end)
			return true;
		if (jic_toml_peek(s) == '[')
			current = scan_header(s, root);
		else if (!scan_entry(s, current))
			return false;
		if (!current || !jic_toml_end_line(s))
			return false;
	}
	return false;
}

/** A document is UTF-8 as a whole; a byte order mark before it is passed over. */
static bool check_encoding(struct jic_toml_scan *s)
{
	struct jic_view text = jic_view_bytes(s->start, (size_t)(s->end - s->start));
	size_t valid = jic_utf8_valid_len(text);
	if (valid < text.len)
		return jic_toml_fail(s, s->start + valid, JIC_EFORMAT, "not UTF-8");
	if (jic_view_starts(text, JIC_VIEW("\xef\xbb\xbf")))
		s->p += 3;
	return true;
}

static bool make_seed(struct jic_toml_scan *s)
{
	s->seed = JIC_ARENA_NEW(s->arena, struct jic_toml_seed);
	if (!s->seed)
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	if (getrandom(s->seed, sizeof *s->seed, 0) != (ssize_t)sizeof *s->seed)
		return jic_fail_errno(s->err, JIC_EIO, "%s: random numbers", s->what);
	return true;
}

struct jic_toml *jic_toml_parse(struct jic_arena *arena, struct jic_view text, const char *what, struct jic_error *err)
{
	const char *start = text.ptr ? text.ptr : "";
	struct jic_toml_scan s = {.start = start,
	                          .p = start,
	                          .end = start + text.len,
	                          .mark = start,
	                          .line_start = start,
	                          .line = 1,
	                          .arena = arena,
	                          .what = what,
	                          .err = err};
	if (text.len > JIC_TOML_BYTES_MAX) {
		jic_fail(err, JIC_ELIMIT, "%s: longer than %d bytes", what, JIC_TOML_BYTES_MAX);
		return NULL;
	}
	if (!make_seed(&s) || !check_encoding(&s))
		return NULL;
	struct jic_toml *root = jic_toml_new(&s, s.start, JIC_VIEW(""));
	if (!root || !jic_toml_make_items(&s, root, JIC_TOML_TABLE, JIC_TOML_HEADER, NULL, s.start))
		return NULL;
	return scan_document(&s, root) ? root : NULL;
}
