/**
 * The configuration: server/tables/config.def, resolved as flag > environment > file > default. Each value knows where
 * it came from, and an error about it says so ("jicached.toml:12: limits.threads: …", "JICACHED_LISTEN: …").
 */
#ifndef JIC_SERVER_ADMIN_CONFIG_H
#define JIC_SERVER_ADMIN_CONFIG_H

#include "common/arena.h"
#include "common/message_lease.h"
#include "common/options.h"

enum jic_config_name {
#define JIC_CONFIG(name, ...) JIC_CONFIG_##name,
#include "server/tables/config.def"
#undef JIC_CONFIG
	JIC_CONFIG_COUNT
};

enum jic_config_source { JIC_SOURCE_DEFAULT, JIC_SOURCE_FILE, JIC_SOURCE_ENVIRONMENT, JIC_SOURCE_FLAG };

struct jic_config_value {
	const char *text; /**< as given; of numbers and booleans too */
	uint64_t number;  /**< of COUNT, BYTES and SECONDS; 0 or 1 of BOOL */
	enum jic_config_source source;
	unsigned line; /**< in the file */
};

struct jic_config {
	const char *file; /**< NULL: none was given */
	struct jic_config_value values[JIC_CONFIG_COUNT];
};

/**
 * @param options  parsed with the flags of the table; "--config FILE" names the file, else JICACHED_CONFIG does
 * @param getenv_fn  as getenv(3), so that tests need no environment
 * @param arena  owns the texts
 * @return false with JIC_EUSAGE (a value makes no sense, values contradict each other), JIC_EFORMAT (the file: syntax,
 * unknown keys), JIC_EIO or JIC_EMEMORY
 */
jic_must_check bool jic_config_load(const struct jic_options *options, char *(*getenv_fn)(const char *name),
                                    struct jic_arena *arena, struct jic_config *out, struct jic_error *err);

static inline const char *jic_config_text(const struct jic_config *c, enum jic_config_name name)
{
	return c->values[name].text;
}
static inline uint64_t jic_config_number(const struct jic_config *c, enum jic_config_name name)
{
	return c->values[name].number;
}
static inline bool jic_config_is(const struct jic_config *c, enum jic_config_name name)
{
	return c->values[name].number != 0;
}

/** A TEXT or LIST that may be absent. @return NULL: it is "none" */
static inline const char *jic_config_path(const struct jic_config *c, enum jic_config_name name)
{
	const char *text = jic_config_text(c, name);
	return strcmp(text, "none") == 0 ? NULL : text;
}

/** What the table says of a setting. All texts are constants. */
struct jic_setting {
	const char *key;      /**< in the file; a dot goes into a table */
	const char *flag;     /**< without the dashes */
	const char *type;     /**< "text", "list", "boolean", "number", "bytes", "seconds" */
	const char *fallback; /**< its default, as text */
	const char *help;
	uint64_t min, max; /**< of numbers, bytes and seconds */
	bool reloadable;   /**< SIGHUP changes it in a running server */
};
struct jic_setting jic_config_setting(enum jic_config_name name);
/** "JICACHED_LIMITS_THREADS" */
void jic_config_variable(enum jic_config_name name, struct jic_buf *out);
/** The value as the file would have it: text in quotes, numbers as they are, booleans as true and false. */
void jic_config_value_put(const struct jic_config *c, enum jic_config_name name, struct jic_buf *out);

/** "flag --listen", "environment JICACHED_LISTEN", "jicached.toml:12", "default" */
void jic_config_source(const struct jic_config *c, enum jic_config_name name, struct jic_buf *out);
/** One line for each value: key = text, and its source as a comment. Valid TOML. */
void jic_config_print(const struct jic_config *c, struct jic_buf *out);

#endif
