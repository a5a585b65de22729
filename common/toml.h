/**
 * TOML 1.0.0 (https://toml.io/en/v1.0.0), read into a tree in an arena. Depth, size and count are limited; no recursion
 * on input beyond the depth limit. Errors name line and column, both from 1, columns in bytes.
 */
#ifndef JIC_COMMON_TOML_H
#define JIC_COMMON_TOML_H

#include "common/arena.h"
#include "common/view.h"

#include <jicache/error.h>

enum { JIC_TOML_BYTES_MAX = 64 * 1024 * 1024, JIC_TOML_DEPTH_MAX = 128, JIC_TOML_NODES_MAX = 1 << 20 };

enum jic_toml_type {
	JIC_TOML_STRING,
	JIC_TOML_INTEGER,
	JIC_TOML_FLOAT,
	JIC_TOML_BOOLEAN,
	JIC_TOML_DATETIME, /**< offset date-time */
	JIC_TOML_DATETIME_LOCAL,
	JIC_TOML_DATE_LOCAL,
	JIC_TOML_TIME_LOCAL,
	JIC_TOML_ARRAY,
	JIC_TOML_TABLE,
};

struct jic_toml {
	enum jic_toml_type type;
	unsigned line, column; /**< where the value begins */
	struct jic_view key;   /**< in a table: its key; else empty */
	struct jic_toml *next; /**< the next entry of the same table or array, in the order of the file */
	union {
		struct jic_view string; /**< unescaped; for dates and times the normalised RFC 3339 text */
		int64_t integer;
		double real;
		bool boolean;
		struct {
			struct jic_toml *first;
			size_t count;
			struct jic_toml_index *index; /**< private: finds a key of a large table quickly */
		} items;                              /**< of an array or a table */
	};
};

/**
 * @param text  borrowed for the call; strings are copied into the arena where they were escaped, else they point into
 * text, so `text` must live as long as the tree
 * @param what  named in errors, usually the path: "Manifest.toml:12:3: …"
 * @return the root table, in the arena; NULL with JIC_EFORMAT, JIC_ELIMIT or JIC_EMEMORY
 */
struct jic_toml *jic_toml_parse(struct jic_arena *arena, struct jic_view text, const char *what, struct jic_error *err);

/** The value of a key of a table; NULL when absent, or when `table` is NULL or no table. */
const struct jic_toml *jic_toml_get(const struct jic_toml *table, const char *key);
const struct jic_toml *jic_toml_getv(const struct jic_toml *table, struct jic_view key);
/** A string under a key; the fallback when absent or of another type. */
struct jic_view jic_toml_string(const struct jic_toml *table, const char *key, struct jic_view fallback);
bool jic_toml_is_table(const struct jic_toml *v); /**< false for NULL */
bool jic_toml_is_array(const struct jic_toml *v);
bool jic_toml_is_string(const struct jic_toml *v);

/** `for (const struct jic_toml *e = jic_toml_first(t); e; e = e->next)`; NULL for anything but a table or array. */
const struct jic_toml *jic_toml_first(const struct jic_toml *v);

#endif
