/*
 * TOML's numbers, booleans, dates and times. A scalar is first cut out as one word, then must match a grammar to its
 * end: nothing is accepted in part.
 */
#include "common/toml_private.h"

#include <locale.h>
#include <math.h>

/** A word that is being matched. */
struct word {
	const char *p, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("+-._:", c));
}

static bool take(struct word *w, char c)
{
	bool here = w->p < w->end && *w->p == c;
	w->p += here;
	return here;
}

static bool take_either(struct word *w, char a, char b)
{
	return take(w, a) || take(w, b);
}

/** Exactly `count` digits. */
static bool take_number(struct word *w, int count, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < count; i++, w->p++) {
		if (w->p >= w->end || !is_digit(*w->p))
			return false;
		*out = *out * 10 + (unsigned)(*w->p - '0');
	}
	return true;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/** RFC 3339 full-date. */
static bool take_date(struct word *w)
{
	unsigned year, month, day;
	return take_number(w, 4, &year) && take(w, '-') && take_number(w, 2, &month) && take(w, '-') &&
	       take_number(w, 2, &day) && month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
}

/** RFC 3339 partial-time; a leap second is allowed in any minute, as there is no table of them. */
static bool take_time(struct word *w)
{
	unsigned hour, minute, second;
	if (!take_number(w, 2, &hour) || !take(w, ':') || !take_number(w, 2, &minute) || !take(w, ':') ||
	    !take_number(w, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (!take(w, '.'))
		return true;
	const char *fraction = w->p;
	while (w->p < w->end && is_digit(*w->p))
		w->p++;
	return w->p > fraction;
}

/** RFC 3339 time-offset. */
static bool take_offset(struct word *w)
{
	unsigned hour, minute;
	if (take_either(w, 'Z', 'z'))
		return true;
	return take_either(w, '+', '-') && take_number(w, 2, &hour) && take(w, ':') && take_number(w, 2, &minute) &&
	       hour <= 23 && minute <= 59;
}

/** Match the whole word as one of the four kinds. */
static bool match_datetime(struct word w, enum jic_toml_type *type)
{
	if (w.end - w.p > 2 && w.p[2] == ':') {
		*type = JIC_TOML_TIME_LOCAL;
		return take_time(&w) && w.p == w.end;
	}
	if (!take_date(&w))
		return false;
	*type = JIC_TOML_DATE_LOCAL;
	if (w.p == w.end)
		return true;
	if (!(take_either(&w, 'T', 't') || take(&w, ' ')) || !take_time(&w))
		return false;
	*type = JIC_TOML_DATETIME_LOCAL;
	if (w.p == w.end)
		return true;
	*type = JIC_TOML_DATETIME;
	return take_offset(&w) && w.p == w.end;
}

/** RFC 3339 lets "T" and "Z" be lower case and the "T" a space; the tree has them one way. */
static char normal_letter(char c)
{
	if (c == 't' || c == ' ')
		return 'T';
	if (c == 'z')
		return 'Z';
	return c;
}

static bool scan_datetime(struct jic_toml_scan *s, struct word w, struct jic_toml *out)
{
	if (!match_datetime(w, &out->type))
		return jic_toml_fail(s, w.p, JIC_EFORMAT, "not a valid date or time");
	size_t len = (size_t)(w.end - w.p);
	char *text = jic_arena_alloc(s->arena, len + 1);
	if (!text)
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	for (size_t i = 0; i < len; i++)
		text[i] = normal_letter(w.p[i]);
	out->string = jic_view_bytes(text, len);
	return true;
}

static int digit_value(char c, unsigned base)
{
	int v = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
	return v >= 0 && (unsigned)v < base ? v : -1;
}

/** One or more digits, an underscore only between two of them. */
static bool take_digits(struct word *w, unsigned base)
{
	bool after_digit = false;
	for (; w->p < w->end; w->p++) {
		bool digit = digit_value(*w->p, base) >= 0;
		if (!digit && !(*w->p == '_' && after_digit))
			break;
		after_digit = digit;
	}
	return after_digit;
}

/** The value of digits that take_digits() has matched. */
static bool accumulate(struct word digits, unsigned base, bool negative, int64_t *out)
{
	*out = 0;
	for (; digits.p < digits.end; digits.p++) {
		int digit = digit_value(*digits.p, base);
		if (digit < 0)
			continue;
		/* Towards the sign from the start: −2⁶³ has no positive counterpart. */
		if (__builtin_mul_overflow(*out, (int64_t)base, out) ||
		    __builtin_add_overflow(*out, negative ? -(int64_t)digit : (int64_t)digit, out))
			return false;
	}
	return true;
}

static bool set_integer(struct jic_toml_scan *s, const char *at, struct word digits, unsigned base,
                        struct jic_toml *out)
{
	out->type = JIC_TOML_INTEGER;
	if (!accumulate(digits, base, *at == '-', &out->integer))
		return jic_toml_fail(s, at, JIC_EFORMAT, "the integer does not fit into 64 bits");
	return true;
}

/** strtod() on the word without its underscores, in the C locale: elsewhere the point may be a comma. */
static bool scan_float(struct jic_toml_scan *s, struct word w, struct jic_toml *out)
{
	char *text = jic_arena_alloc(s->arena, (size_t)(w.end - w.p) + 1);
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!text || !c_locale) {
		if (c_locale)
			freelocale(c_locale);
		return jic_fail(s->err, JIC_EMEMORY, "%s: out of memory", s->what);
	}
	size_t len = 0;
	for (; w.p < w.end; w.p++) {
		if (*w.p != '_')
			text[len++] = *w.p;
	}
	out->type = JIC_TOML_FLOAT;
	out->real = strtod_l(text, NULL, c_locale);
	freelocale(c_locale);
	return true;
}

/** frac and exp after the integer part; false when neither is there or one is malformed. */
static bool match_fraction(struct word w)
{
	bool fraction = take(&w, '.');
	if (fraction && !take_digits(&w, 10))
		return false;
	bool exponent = take_either(&w, 'e', 'E');
	if (exponent) {
		(void)take_either(&w, '+', '-');
		if (!take_digits(&w, 10))
			return false;
	}
	return (fraction || exponent) && w.p == w.end;
}

static unsigned base_of_prefix(struct word w)
{
	if (w.end - w.p < 2 || w.p[0] != '0')
		return 10;
	return w.p[1] == 'x' ? 16 : w.p[1] == 'o' ? 8 : w.p[1] == 'b' ? 2 : 10;
}

/** inf and nan, with a sign or without. */
static bool scan_special(struct word w, bool negative, struct jic_toml *out)
{
	struct jic_view name = jic_view_bytes(w.p, (size_t)(w.end - w.p));
	bool infinite = jic_view_is(name, "inf");
	if (!infinite && !jic_view_is(name, "nan"))
		return false;
	out->type = JIC_TOML_FLOAT;
	out->real = copysign(infinite ? (double)INFINITY : (double)NAN, negative ? -1.0 : 1.0);
	return true;
}

static bool scan_number(struct jic_toml_scan *s, struct word whole, struct jic_toml *out)
{
	struct word w = whole;
	bool negative = take(&w, '-');
	bool is_signed = negative || take(&w, '+');
	if (scan_special(w, negative, out))
		return true;
	unsigned base = base_of_prefix(w);
	if (base != 10) {
		w.p += 2;
		struct word digits = w;
		if (is_signed || !take_digits(&w, base) || w.p != w.end)
			return jic_toml_fail(s, whole.p, JIC_EFORMAT, "not a valid number");
		return set_integer(s, whole.p, digits, base, out);
	}
	struct word digits = w;
	if (!take_digits(&w, 10) || (*digits.p == '0' && w.p - digits.p > 1))
		return jic_toml_fail(s, whole.p, JIC_EFORMAT, "not a valid value");
	if (w.p == w.end)
		return set_integer(s, whole.p, digits, 10, out);
	if (!match_fraction(w))
		return jic_toml_fail(s, whole.p, JIC_EFORMAT, "not a valid number");
	return scan_float(s, whole, out);
}

static bool looks_like_date(struct word w)
{
	return w.end - w.p >= 5 && is_digit(w.p[0]) && is_digit(w.p[3]) && w.p[4] == '-';
}

static bool looks_like_time(struct word w)
{
	return w.end - w.p >= 3 && is_digit(w.p[0]) && is_digit(w.p[1]) && w.p[2] == ':';
}

static struct word cut(struct jic_toml_scan *s)
{
	struct word w = {.p = s->p, .end = s->p};
	while (w.end < s->end && is_word(*w.end))
		w.end++;
	/* A date and a time may be parted by one space: it belongs to the word when a digit follows. */
	bool date = looks_like_date(w) && w.end - w.p == 10;
	if (date && s->end - w.end > 1 && w.end[0] == ' ' && is_digit(w.end[1])) {
		w.end++;
		while (w.end < s->end && is_word(*w.end))
			w.end++;
	}
	return w;
}

bool jic_toml_scan_scalar(struct jic_toml_scan *s, struct jic_toml *out)
{
	struct word w = cut(s);
	struct jic_view text = jic_view_bytes(w.p, (size_t)(w.end - w.p));
	if (!text.len)
		return jic_toml_fail(s, s->p, JIC_EFORMAT, "expected a value");
	s->p = w.end;
	if (jic_view_is(text, "true") || jic_view_is(text, "false")) {
		out->type = JIC_TOML_BOOLEAN;
		out->boolean = text.len == 4;
		return true;
	}
	if (looks_like_date(w) || looks_like_time(w))
		return scan_datetime(s, w, out);
	return scan_number(s, w, out);
}
