/**
 * What the four files of the TOML reader share; nobody else includes this.
 *
 *     toml.c         the grammar: lines, headers, keys, values; which table a line belongs to
 *     toml_table.c   the tree: nodes, appending, finding a key, limits
 *     toml_scalar.c  numbers, booleans, dates and times
 *     toml_scan.c    characters: positions and errors, white space, comments, keys, strings
 */
#ifndef JIC_COMMON_TOML_PRIVATE_H
#define JIC_COMMON_TOML_PRIVATE_H

#include "common/toml.h"

/** Two numbers that an author of a file cannot know: keys the hash of large tables. */
struct jic_toml_seed {
	uint64_t k0, k1;
};

/** One parse. `p` moves forward only; `mark` follows it, so that counting lines costs one pass over the text in all. */
struct jic_toml_scan {
	const char *start, *p, *end;
	const char *mark;       /**< position that `line` and `line_start` belong to */
	const char *line_start; /**< first byte of the line of `mark` */
	unsigned line;
	struct jic_arena *arena;
	struct jic_toml_seed *seed; /**< in the arena */
	size_t nodes;
	const char *what;
	struct jic_error *err;
};

/** How a table or array came to be decides who may add to it (TOML 1.0.0, "Table", "Inline Table", "Array of Tables").
 */
enum jic_toml_origin {
	JIC_TOML_IMPLICIT, /**< named only on the way to another header: a header or dotted keys may still define it */
	JIC_TOML_HEADER,   /**< defined by its own header: headers below it only */
	JIC_TOML_DOTTED,   /**< defined by dotted keys: more of them, and headers below it */
	JIC_TOML_CLOSED,   /**< an inline table or an array value: complete where it ends */
	JIC_TOML_LIST,     /**< an array of tables: its header appends another */
};

/** The private half of a table or array. */
struct jic_toml_index {
	struct jic_toml *last; /**< where the next entry is appended */
	enum jic_toml_origin origin;
	unsigned depth; /**< 0 for the root */
	const struct jic_toml_seed *seed;
	struct jic_toml **slots; /**< open addressing; NULL while the table is small */
	size_t slots_count;      /**< a power of two */
};

/* toml_scan.c: each reader begins at s->p and leaves s->p behind what it read; false has set the error */
void jic_toml_locate(struct jic_toml_scan *s, const char *at, unsigned *line, unsigned *column);
/** "what:line:column: message". @return false */
bool jic_toml_fail(struct jic_toml_scan *s, const char *at, enum jic_code code, const char *format, ...)
    jic_printf(4, 5);
void jic_toml_skip_space(struct jic_toml_scan *s);
/** White space, comments and line ends: what may stand between the elements of an array. */
bool jic_toml_skip_lines(struct jic_toml_scan *s);
/** The rest of a line after an expression. */
bool jic_toml_end_line(struct jic_toml_scan *s);
/** One part of a key: bare, or in quotes. */
bool jic_toml_scan_key(struct jic_toml_scan *s, struct jic_view *out);
/** A string of any of the four kinds; s->p stands on its first quote. */
bool jic_toml_scan_string(struct jic_toml_scan *s, struct jic_view *out);
/** The next byte; NUL at the end (a NUL in the text itself is no token of TOML either). */
static inline char jic_toml_peek(const struct jic_toml_scan *s)
{
	if (s->p == s->end)
		return '\0';
	return *s->p;
}

/* toml_scalar.c */
/** Number, boolean, date or time: sets type and value of `out`. */
bool jic_toml_scan_scalar(struct jic_toml_scan *s, struct jic_toml *out);

/* toml_table.c */
/** A node whose value begins at `at`; NULL has set the error. */
struct jic_toml *jic_toml_new(struct jic_toml_scan *s, const char *at, struct jic_view key);
/** Make `node` an empty table or array inside `parent` (NULL: the root). Refuses too deep nesting. */
bool jic_toml_make_items(struct jic_toml_scan *s, struct jic_toml *node, enum jic_toml_type type,
                         enum jic_toml_origin origin, const struct jic_toml *parent, const char *at);
/** Append to a table or array; the caller has made sure that the key is new. */
bool jic_toml_append(struct jic_toml_scan *s, struct jic_toml *parent, struct jic_toml *child);
struct jic_toml *jic_toml_find(const struct jic_toml *table, struct jic_view key);

#endif
