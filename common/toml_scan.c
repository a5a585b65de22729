/*
 * TOML's characters. The text is known to be UTF-8 when these run, so that only ASCII matters here. A string without
 * escapes is a view of the text; one with escapes is written into the arena, where it is never longer than it was.
 */
#include "common/toml_private.h"
#include "common/utf8.h"

#include <stdarg.h>

void jic_toml_locate(struct jic_toml_scan *s, const char *at, unsigned *line, unsigned *column)
{
	if (at < s->mark) {
		s->mark = s->line_start = s->start;
		s->line = 1;
	}
	const char *newline;
	while (at > s->mark && (newline = memchr(s->mark, '\n', (size_t)(at - s->mark)))) {
		s->mark = s->line_start = newline + 1;
		s->line++;
	}
	s->mark = at;
	*line = s->line;
	*column = (unsigned)(at - s->line_start) + 1;
}

bool jic_toml_fail(struct jic_toml_scan *s, const char *at, enum jic_code code, const char *format, ...)
{
	char message[256];
	unsigned line, column;
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	jic_toml_locate(s, at, &line, &column);
	return jic_fail(s->err, code, "%s:%u:%u: %s", s->what, line, column, message);
}

static size_t left(const struct jic_toml_scan *s)
{
	return (size_t)(s->end - s->p);
}

static bool at_text(const struct jic_toml_scan *s, const char *text, size_t len)
{
	return left(s) >= len && memcmp(s->p, text, len) == 0;
}

/** Take "\n" or "\r\n". */
static bool take_newline(struct jic_toml_scan *s)
{
	size_t len = at_text(s, "\n", 1) ? 1 : at_text(s, "\r\n", 2) ? 2 : 0;
	s->p += len;
	return len != 0;
}

void jic_toml_skip_space(struct jic_toml_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

/** Control characters other than tab are nowhere allowed, U+0080 to U+009F are. */
static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool fail_control(struct jic_toml_scan *s, const char *at, const char *where)
{
	return jic_toml_fail(s, at, JIC_EFORMAT, "control character 0x%02x in %s", (unsigned)(unsigned char)*at, where);
}

static bool skip_comment(struct jic_toml_scan *s)
{
	if (jic_toml_peek(s) != '#')
		return true;
	for (; s->p < s->end; s->p++) {
		if (at_text(s, "\n", 1) || at_text(s, "\r\n", 2))
			return true;
		if (is_control(*s->p))
			return fail_control(s, s->p, "a comment");
	}
	return true;
}

bool jic_toml_skip_lines(struct jic_toml_scan *s)
{
	do {
		jic_toml_skip_space(s);
		if (!skip_comment(s))
			return false;
	} while (take_newline(s));
	return true;
}

bool jic_toml_end_line(struct jic_toml_scan *s)
{
	jic_toml_skip_space(s);
	if (!skip_comment(s))
		return false;
	if (s->p == s->end || take_newline(s))
		return true;
	return jic_toml_fail(s, s->p, JIC_EFORMAT, "expected the end of the line");
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Where an escape is being undone: from `p` to `end` in the text, to `out` in the arena. */
struct unescape {
	const char *p, *end;
	char *out;
	bool multi_line;
};

/** `\u` and `\U`: so many hex digits, a Unicode scalar value. */
static bool unescape_code(struct jic_toml_scan *s, struct unescape *u, unsigned digits, const char *at)
{
	uint32_t code = 0;
	for (unsigned i = 0; i < digits; i++) {
		int digit = u->p < u->end ? hex_digit(*u->p) : -1;
		if (digit < 0)
			return jic_toml_fail(s, at, JIC_EFORMAT, "expected %u hexadecimal digits after \\%c", digits,
			                     digits == 4 ? 'u' : 'U');
		code = code << 4 | (uint32_t)digit;
		u->p++;
	}
	size_t len = jic_utf8_encode(code, u->out);
	if (!len)
		return jic_toml_fail(s, at, JIC_EFORMAT, "U+%04X is no Unicode scalar value", (unsigned)code);
	u->out += len;
	return true;
}

/** Spaces and line ends from `p`; tells whether there was a line end before anything else. */
static bool skip_folded(struct unescape *u)
{
	bool ended = false;
	for (; u->p < u->end; u->p++) {
		if (*u->p == '\n')
			ended = true;
		else if (*u->p != ' ' && *u->p != '\t' && !(*u->p == '\r' && u->p + 1 < u->end && u->p[1] == '\n'))
			break;
	}
	return ended;
}

/** After a backslash. `at` is where it stands. */
static bool unescape_one(struct jic_toml_scan *s, struct unescape *u, const char *at)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = *u->p;
	const char *simple = c ? strchr(names, c) : NULL;
	if (simple) {
		*u->out++ = values[simple - names];
		u->p++;
		return true;
	}
	if (c == 'u' || c == 'U') {
		u->p++;
		return unescape_code(s, u, c == 'u' ? 4 : 8, at);
	}
	if (u->multi_line && skip_folded(u))
		return true;
	return jic_toml_fail(s, at, JIC_EFORMAT, "unknown escape sequence in a string");
}

static bool unescape(struct jic_toml_scan *s, struct jic_view raw, bool multi_line, struct jic_view *out)
{
	char *text = jic_arena_alloc(s->arena, raw.len + 1);
	if (!text)
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	struct unescape u = {.p = raw.ptr, .end = raw.ptr + raw.len, .out = text, .multi_line = multi_line};
	while (u.p < u.end) {
		const char *backslash = memchr(u.p, '\\', (size_t)(u.end - u.p));
		size_t plain = (size_t)((backslash ? backslash : u.end) - u.p);
		memcpy(u.out, u.p, plain);
		u.out += plain;
		u.p += plain;
		if (!backslash)
			break;
		u.p++;
		if (!unescape_one(s, &u, backslash))
			return false;
	}
	*out = jic_view_bytes(text, (size_t)(u.out - text));
	return true;
}

/** A string within one line, s->p behind its first quote. Only a basic string (") knows escapes. */
static bool scan_line_string(struct jic_toml_scan *s, char quote, struct jic_view *out)
{
	const char *begin = s->p;
	bool escaped = false;
	for (; s->p < s->end && *s->p != quote; s->p++) {
		if (*s->p == '\n' || at_text(s, "\r\n", 2))
			return jic_toml_fail(s, begin - 1, JIC_EFORMAT, "the string is not closed on its line");
		if (is_control(*s->p))
			return fail_control(s, s->p, "a string");
		if (*s->p == '\\' && quote == '"') {
			escaped = true;
			s->p += left(s) > 1;
		}
	}
	if (s->p == s->end)
		return jic_toml_fail(s, begin - 1, JIC_EFORMAT, "the string is not closed");
	*out = jic_view_bytes(begin, (size_t)(s->p - begin));
	s->p++;
	return !escaped || unescape(s, *out, false, out);
}

/** How many quotes stand at s->p, at most 5: two that belong to the text, and three that close it. */
static size_t quotes_at(const struct jic_toml_scan *s, char quote)
{
	size_t count = 0;
	while (count < 5 && count < left(s) && s->p[count] == quote)
		count++;
	return count;
}

/** A multi-line string, s->p behind its three quotes. */
static bool scan_lines_string(struct jic_toml_scan *s, char quote, struct jic_view *out)
{
	const char *opening = s->p - 3;
	take_newline(s);
	const char *begin = s->p;
	bool escaped = false;
	while (s->p < s->end) {
		size_t quotes = quotes_at(s, quote);
		if (quotes >= 3) {
			*out = jic_view_bytes(begin, (size_t)(s->p - begin) + quotes - 3);
			s->p += quotes;
			return !escaped || unescape(s, *out, true, out);
		}
		if (quotes) {
			s->p += quotes;
			continue;
		}
		if (*s->p == '\\' && quote == '"') {
			/* What follows is checked by unescape(); a quote there closes nothing. */
			escaped = true;
			s->p += left(s) > 1 ? 2 : 1;
			continue;
		}
		if (take_newline(s))
			continue;
		if (is_control(*s->p))
			return fail_control(s, s->p, "a string");
		s->p++;
	}
	return jic_toml_fail(s, opening, JIC_EFORMAT, "the multi-line string is not closed");
}

bool jic_toml_scan_string(struct jic_toml_scan *s, struct jic_view *out)
{
	char quote = *s->p;
	if (quotes_at(s, quote) >= 3) {
		s->p += 3;
		return scan_lines_string(s, quote, out);
	}
	s->p++;
	return scan_line_string(s, quote, out);
}

bool jic_toml_scan_key(struct jic_toml_scan *s, struct jic_view *out)
{
	char first = jic_toml_peek(s);
	if (first == '"' || first == '\'') {
		s->p++;
		return scan_line_string(s, first, out);
	}
	const char *begin = s->p;
	while (s->p < s->end && is_bare(*s->p))
		s->p++;
	if (s->p == begin)
		return jic_toml_fail(s, s->p, JIC_EFORMAT, "expected a key");
	*out = jic_view_bytes(begin, (size_t)(s->p - begin));
	return true;
}
