/**
 * Manual pages and shell completions from the same tables that parse command lines and print --help. Pure: texts go
 * into a buffer.
 */
#ifndef JIC_COMMON_MANUAL_H
#define JIC_COMMON_MANUAL_H

#include "common/options.h"

/** A program as its tables describe it. */
struct jic_program {
	const char *name;
	const char *tagline; /**< what it is, half a sentence */
	unsigned section;    /**< of the manual: 1 or 8 */
	const struct jic_command *commands;
	size_t count;
};

/**
 * The beginning of a page in mdoc(7): title, NAME, SYNOPSIS, DESCRIPTION with all options. What only people can write
 * (docs/man) follows it when the page is built.
 * @param command  NULL: of the program as a whole, with its list of commands
 */
void jic_manual_page(const struct jic_program *p, const struct jic_command *command, struct jic_buf *out);
/** "jicache-pull", "jicached-token-create" */
void jic_manual_name(const struct jic_program *p, const struct jic_command *command, struct jic_buf *out);

/** Running text of mdoc(7): escaped, a line for each sentence, ends with a newline. An empty line begins a paragraph.
 */
void jic_manual_text(const char *text, struct jic_buf *out);
/** The title. @param name of the page, in any case */
void jic_manual_title(const char *name, unsigned section, struct jic_buf *out);

/** A completion script. @param shell "bash", "zsh" or "fish". @return false with JIC_EUSAGE for another */
jic_must_check bool jic_completion(const struct jic_program *p, struct jic_view shell, struct jic_buf *out,
                                   struct jic_error *err);

/**
 * The commands `manual` and `completion`, which every program has: the page of the command that `words` name (none: of
 * the program), or with `list` the names of all commands, a line each.
 */
jic_must_check bool jic_manual_command(const struct jic_program *p, const char *const *words, size_t count, bool list,
                                       struct jic_buf *out, struct jic_error *err);

#endif
