/**
 * Command lines from tables: one static table of commands and options drives parsing, `--help` and the tests of both.
 * Pure: nothing is printed and nothing exits; texts go into a buffer.
 *
 *     --name VALUE   --name=VALUE   -n VALUE   -nVALUE   --flag   --   (options end)
 *
 * Options and positional arguments may be mixed. `--help` and `-h` are known everywhere.
 */
#ifndef JIC_COMMON_OPTIONS_H
#define JIC_COMMON_OPTIONS_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/view.h"

#include <jicache/error.h>

struct jic_option {
	const char *name;  /**< without the dashes */
	char letter;       /**< of the short form; 0: none */
	const char *value; /**< what its value is called in the help, "FILE"; NULL: a flag, without a value */
	const char *help;  /**< one sentence or half of one; wrapped when printed */
};

struct jic_command {
	const char *name;       /**< one or more words: "token create" */
	const char *summary;    /**< one line for the list of commands */
	const char *details;    /**< further text for --help, lines as they are; may be NULL */
	const char *positional; /**< as shown in the usage line, "[FILE]…"; NULL: none */
	size_t positional_min, positional_max;
	/** Everything from the first positional argument or "--" on is taken as it is: "run -- julia --project" */
	bool verbatim_tail;
	const struct jic_option *options;
	size_t options_count;
	int id; /**< for the caller's switch */
};

struct jic_option_given {
	const struct jic_option *option;
	const char *value; /**< NULL for a flag; borrowed from argv */
};

/** One parsed command line. Lists are in the arena, texts in argv. */
struct jic_options {
	const struct jic_command *command;
	bool help;                            /**< --help was given: nothing else was checked */
	const struct jic_option_given *given; /**< in the order of the command line */
	size_t given_count;
	const char *const *positional;
	size_t positional_count;
};

/**
 * Find the command that the arguments begin with; the longest name wins.
 * @param argv  what follows the program's name
 * @param[out] used  how many arguments its name took
 * @return NULL when there is none
 */
const struct jic_command *jic_command_find(const struct jic_command *commands, size_t count, const char *const *argv,
                                           size_t argc, size_t *used);

/** Parse what follows the command's name. @return false with JIC_EUSAGE or JIC_EMEMORY */
jic_must_check bool jic_options_parse(const struct jic_command *command, const char *const *argv, size_t argc,
                                      struct jic_arena *arena, struct jic_options *out, struct jic_error *err);

bool jic_options_has(const struct jic_options *o, const char *name);
/** The last value given; the fallback when it was not given. */
const char *jic_options_text(const struct jic_options *o, const char *name, const char *fallback);
/** As many as were given. @return the value of the i-th --name, NULL after the last */
const char *jic_options_nth(const struct jic_options *o, const char *name, size_t i);
/** A decimal number from 0 to `max`. Not given: leaves `out` alone. @return false with JIC_EUSAGE */
jic_must_check bool jic_options_u64(const struct jic_options *o, const char *name, uint64_t max, uint64_t *out,
                                    struct jic_error *err);

/** The help of one command. */
void jic_command_help(const struct jic_command *command, const char *program, struct jic_buf *out);
/** The list of all commands. @param tagline what the program is, one line */
void jic_commands_help(const struct jic_command *commands, size_t count, const char *program, const char *tagline,
                       struct jic_buf *out);

/** A decimal number, all of the text, no sign, no more than `max`. */
jic_must_check bool jic_parse_u64(struct jic_view text, uint64_t max, uint64_t *out);
/** A number of bytes: decimal digits and an optional k, M, G or T for powers of 1024 ("64M"). */
jic_must_check bool jic_parse_bytes(struct jic_view text, uint64_t max, uint64_t *out);
/** A duration in seconds: decimal digits and an optional s, m, h, d or w ("90d"). */
jic_must_check bool jic_parse_duration(struct jic_view text, uint64_t max_s, uint64_t *out_s);

#endif
