/* The help texts of common/options.h. Lines are wrapped for a terminal of 80 columns. */
#include "common/options.h"

enum { HELP_COLUMNS = 80, HELP_INDENT_MAX = 32 };

/* "  -d, --data DIR" */
static void option_left(const struct jic_option *o, struct jic_buf *out)
{
	if (o->letter)
		jic_buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		jic_buf_printf(out, "      --%s", o->name);
	if (o->value)
		jic_buf_printf(out, " %s", o->value);
}

static size_t left_width(const struct jic_option *o)
{
	return 8 + strlen(o->name) + (o->value ? 1 + strlen(o->value) : 0);
}

static void put_spaces(struct jic_buf *out, size_t count)
{
	while (count-- > 0)
		jic_buf_putc(out, ' ');
}

/* Words of `text` from column `indent` on; further lines begin there too. */
static void put_wrapped(struct jic_buf *out, const char *text, size_t indent)
{
	size_t column = indent;
	struct jic_view rest = jic_view_of(text);
	while (rest.len > 0) {
		const char *space = memchr(rest.ptr, ' ', rest.len);
		struct jic_view word = jic_view_head(rest, space ? (size_t)(space - rest.ptr) : rest.len);
		if (column > indent && column + 1 + word.len > HELP_COLUMNS) {
			jic_buf_putc(out, '\n');
			put_spaces(out, indent);
			column = indent;
		} else if (column > indent) {
			jic_buf_putc(out, ' ');
			column++;
		}
		jic_buf_putv(out, word);
		column += word.len;
		rest = jic_view_skip(rest, word.len + 1);
	}
	jic_buf_putc(out, '\n');
}

static void put_option(struct jic_buf *out, const struct jic_option *o, size_t indent)
{
	option_left(o, out);
	size_t width = left_width(o);
	if (width + 2 > indent) {
		jic_buf_putc(out, '\n');
		width = 0;
	}
	put_spaces(out, indent - width);
	put_wrapped(out, o->help, indent);
}

void jic_command_help(const struct jic_command *command, const char *program, struct jic_buf *out)
{
	static const struct jic_option help = {.name = "help", .letter = 'h', .help = "show this text"};
	jic_buf_printf(out, "Usage: %s %s%s%s%s\n\n%s\n", program, command->name,
	               command->options_count ? " [OPTION]…" : "", command->positional ? " " : "",
	               command->positional ? command->positional : "", command->summary);
	if (command->details)
		jic_buf_printf(out, "\n%s\n", command->details);
	size_t indent = left_width(&help) + 2;
	for (size_t i = 0; i < command->options_count; i++) {
		size_t width = left_width(&command->options[i]) + 2;
		if (width > indent && width <= HELP_INDENT_MAX)
			indent = width;
	}
	jic_buf_puts(out, "\nOptions:\n");
	for (size_t i = 0; i < command->options_count; i++)
		put_option(out, &command->options[i], indent);
	put_option(out, &help, indent);
}

void jic_commands_help(const struct jic_command *commands, size_t count, const char *program, const char *tagline,
                       struct jic_buf *out)
{
	size_t indent = 0;
	for (size_t i = 0; i < count; i++)
		indent = strlen(commands[i].name) > indent ? strlen(commands[i].name) : indent;
	indent += 4;
	jic_buf_printf(out, "Usage: %s COMMAND [OPTION]…\n\n%s\n\nCommands:\n", program, tagline);
	for (size_t i = 0; i < count; i++) {
		jic_buf_printf(out, "  %s", commands[i].name);
		put_spaces(out, indent - 2 - strlen(commands[i].name));
		put_wrapped(out, commands[i].summary, indent);
	}
	jic_buf_printf(out, "\n%s COMMAND --help tells the options of a command.\n", program);
}
