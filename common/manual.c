/* Pages in mdoc(7), which names what things are; clean by `mandoc -T lint`, which tests/install demands. */
#include "common/manual.h"

#include <ctype.h>

/* The pages change with the programs: one date for all, that of the release. */
#define PAGE_DATE "November 22, 2026"

enum { LINE_COLUMNS = 76 };

/* ---- text */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* The next word, and what is between it and the one after it: a paragraph's end has two newlines. */
static struct jic_view next_word(struct jic_view *rest, bool *paragraph)
{
	size_t len = 0, gap, lines = 0;
	while (len < rest->len && !is_blank(rest->ptr[len]))
		len++;
	for (gap = len; gap < rest->len && is_blank(rest->ptr[gap]); gap++)
		lines += rest->ptr[gap] == '\n';
	struct jic_view word = jic_view_head(*rest, len);
	*rest = jic_view_skip(*rest, gap);
	*paragraph = lines > 1;
	return word;
}

static bool ends_sentence(struct jic_view word)
{
	return word.len && memchr(".?!", word.ptr[word.len - 1], 3);
}

/* One character; a backslash and what is not ASCII as roff escapes. @return how many bytes it took */
static size_t put_character(struct jic_view text, struct jic_buf *out)
{
	const unsigned char c = (unsigned char)text.ptr[0];
	const size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
	if (c == '\\') {
		jic_buf_puts(out, "\\e");
	} else if (c < 0x80 || text.len < len) {
		jic_buf_putc(out, (char)c);
		return 1;
	} else {
		uint32_t point = c & (0xFFu >> (len + 1));
		for (size_t i = 1; i < len; i++)
			point = point << 6 | ((unsigned char)text.ptr[i] & 0x3Fu);
		jic_buf_printf(out, "\\[u%04X]", (unsigned)point);
	}
	return len;
}

static void put_escaped(const char *text, struct jic_buf *out)
{
	struct jic_view rest = jic_view_of(text);
	while (rest.len) {
		/* Two of them alone would be taken for a dash. */
		if (rest.ptr[0] == '-')
			jic_buf_putc(out, '\\');
		rest = jic_view_skip(rest, put_character(rest, out));
	}
}

void jic_manual_text(const char *text, struct jic_buf *out)
{
	struct jic_view rest = jic_view_of(text);
	size_t column = 0;
	while (rest.len) {
		bool paragraph;
		struct jic_view word = next_word(&rest, &paragraph);
		const bool ends = paragraph || ends_sentence(word);
		if (column && column + 1 + word.len > LINE_COLUMNS) {
			jic_buf_putc(out, '\n');
			column = 0;
		}
		/* What would be a control line. */
		if (column)
			jic_buf_putc(out, ' ');
		else if (word.len && (word.ptr[0] == '.' || word.ptr[0] == '\''))
			jic_buf_puts(out, "\\&");
		column += 1 + word.len;
		while (word.len)
			word = jic_view_skip(word, put_character(word, out));
		jic_buf_puts(out, paragraph && rest.len ? "\n.Pp\n" : ends || !rest.len ? "\n" : "");
		column = ends ? 0 : column;
	}
}

void jic_manual_title(const char *name, unsigned section, struct jic_buf *out)
{
	jic_buf_puts(out, ".Dd " PAGE_DATE "\n.Dt ");
	for (; *name; name++)
		jic_buf_putc(out, (char)toupper((unsigned char)*name));
	jic_buf_printf(out, " %u\n.Os\n", section);
}

/* ---- pages */

void jic_manual_name(const struct jic_program *p, const struct jic_command *command, struct jic_buf *out)
{
	jic_buf_puts(out, p->name);
	if (!command)
		return;
	jic_buf_putc(out, '-');
	for (const char *c = command->name; *c; c++)
		jic_buf_putc(out, *c == ' ' ? '-' : *c);
}

static void put_options(const struct jic_command *command, struct jic_buf *out)
{
	jic_buf_puts(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < command->options_count; i++) {
		const struct jic_option *o = &command->options[i];
		jic_buf_puts(out, ".It ");
		if (o->letter)
			jic_buf_printf(out, "Fl %c , ", o->letter);
		jic_buf_printf(out, "Fl Fl %s", o->name);
		if (o->value)
			jic_buf_printf(out, " Ar %s", o->value);
		jic_buf_putc(out, '\n');
		jic_manual_text(o->help, out);
	}
	jic_buf_puts(out, ".It Fl h , Fl Fl help\nprint a summary of the options\n.El\n");
}

static void put_command(const struct jic_program *p, const struct jic_command *command, struct jic_buf *out)
{
	jic_buf_printf(out, ".Sh SYNOPSIS\n.Nm %s\n.Cm %s\n.Op Ar option ...\n", p->name, command->name);
	if (command->positional) {
		jic_buf_puts(out, ".Ar ");
		put_escaped(command->positional, out);
		jic_buf_putc(out, '\n');
	}
	jic_buf_puts(out, ".Sh DESCRIPTION\n");
	jic_manual_text(command->summary, out);
	if (command->details) {
		jic_buf_puts(out, ".Pp\n");
		jic_manual_text(command->details, out);
	}
	jic_buf_puts(out, ".Pp\nThe options are:\n");
	put_options(command, out);
}

static void put_program(const struct jic_program *p, struct jic_buf *out)
{
	jic_buf_printf(out, ".Sh SYNOPSIS\n.Nm %s\n.Ar command\n.Op Ar option ...\n.Op Ar argument ...\n", p->name);
	jic_buf_printf(out, ".Sh DESCRIPTION\nThe commands of\n.Nm %s\nare:\n.Bl -tag -width Ds\n", p->name);
	for (size_t i = 0; i < p->count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf page = {0};
		jic_manual_name(p, &p->commands[i], &page);
		jic_buf_printf(out, ".It Cm %s\n", p->commands[i].name);
		jic_manual_text(p->commands[i].summary, out);
		jic_buf_printf(out, "See\n.Xr %s %u .\n", jic_buf_str(&page), p->section);
	}
	jic_buf_puts(out, ".El\n");
}

void jic_manual_page(const struct jic_program *p, const struct jic_command *command, struct jic_buf *out)
{
	JIC_CLEAR(jic_buf) struct jic_buf name = {0};
	jic_manual_name(p, command, &name);
	jic_manual_title(jic_buf_str(&name), p->section, out);
	jic_buf_printf(out, ".Sh NAME\n.Nm %s\n.Nd ", jic_buf_str(&name));
	put_escaped(command ? command->summary : p->tagline, out);
	jic_buf_putc(out, '\n');
	if (command)
		put_command(p, command, out);
	else
		put_program(p, out);
}

bool jic_manual_command(const struct jic_program *p, const char *const *words, size_t count, bool list,
                        struct jic_buf *out, struct jic_error *err)
{
	size_t used;
	for (size_t i = 0; list && i < p->count; i++)
		jic_buf_printf(out, "%s\n", p->commands[i].name);
	if (list)
		return jic_buf_ok(out, err);
	const struct jic_command *command = jic_command_find(p->commands, p->count, words, count, &used);
	if (count && (!command || used != count))
		return jic_fail(err, JIC_EUSAGE, "there is no command \"%s\"", words[0]);
	jic_manual_page(p, command, out);
	return jic_buf_ok(out, err);
}
