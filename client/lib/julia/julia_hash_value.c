/* hash() of what Base.TOML's parser makes of a value: Int64, Float64, Bool, String, Vector, Dict, and structs for
 * dates. Which rules a Julia has is found by trying them on its own answers, not by its version. */
#include "client/lib/julia/julia_hash.h"

#include <math.h>

enum { ARRAY_HASHED_WHOLE = 8192, FIBONACCI_STEP = 4096 };

static const uint64_t ARRAY_SEED = 0x7e2d6fb6448beb77u; /* hash_abstractarray_seed */
static const uint64_t TABLE_SEED = 0x6d35bb51952d5539u; /* hasha_seed, base/abstractdict.jl */

static uint64_t hash_int(const struct jic_julia_hashing *rules, int64_t x, uint64_t h)
{
	return rules->old_numbers ? jic_julia_hash_old_int(x, h) : jic_julia_hash_int((uint64_t)x, h);
}

/* ---- isequal(), for arrays of which not every element enters */

static bool is_number(const struct jic_toml *v)
{
	return v->type == JIC_TOML_INTEGER || v->type == JIC_TOML_BOOLEAN || v->type == JIC_TOML_FLOAT;
}

static bool equal_numbers(const struct jic_toml *a, const struct jic_toml *b)
{
	const struct jic_toml *f = a->type == JIC_TOML_FLOAT ? a : b, *other = f == a ? b : a;
	const int64_t integer = other->type == JIC_TOML_BOOLEAN ? other->boolean : other->integer;
	if (f->type != JIC_TOML_FLOAT)
		return (f->type == JIC_TOML_BOOLEAN ? f->boolean : f->integer) == integer;
	if (other->type == JIC_TOML_FLOAT)
		return isnan(f->real) ? isnan(other->real)
		                      : f->real == other->real && !signbit(f->real) == !signbit(other->real);
	return f->real >= -0x1p63 && f->real < 0x1p63 && trunc(f->real) == f->real &&
	       !(f->real == 0 && signbit(f->real)) && (int64_t)f->real == integer;
}

static bool equal(const struct jic_toml *a, const struct jic_toml *b);

static const struct jic_toml *member(const struct jic_toml *table, struct jic_view key)
{
	const struct jic_toml *e = jic_toml_first(table);
	while (e && !jic_view_eq(e->key, key))
		e = e->next;
	return e;
}

static bool equal_items(const struct jic_toml *a, const struct jic_toml *b)
{
	const struct jic_toml *y = jic_toml_first(b);
	if (a->items.count != b->items.count)
		return false;
	for (const struct jic_toml *x = jic_toml_first(a); x; x = x->next) {
		const struct jic_toml *same = a->type == JIC_TOML_ARRAY ? y : member(b, x->key);
		if (!same || !equal(x, same))
			return false;
		y = y->next;
	}
	return true;
}

static bool equal(const struct jic_toml *a, const struct jic_toml *b)
{
	if (is_number(a) && is_number(b))
		return equal_numbers(a, b);
	if (a->type != b->type)
		return false;
	if (jic_toml_is_array(a) || jic_toml_is_table(a))
		return equal_items(a, b); /* depth: JIC_TOML_DEPTH_MAX */
	return jic_view_eq(a->string, b->string);
}

/* ---- arrays */

/*
 * base/abstractarray.jl: from the last element on each with its index, then to the next one before it that differs; of
 * long ones fewer and fewer, by steps of the Fibonacci sequence.
 */
static bool hash_sampled(const struct jic_julia_hashing *rules, const struct jic_toml *array, uint64_t h, uint64_t *out)
{
	size_t i = array->items.count, step = 1, previous = 1, fill = 0;
	jic_autofree const struct jic_toml **elements = calloc(i + 1, sizeof(*elements));
	if (!elements)
		return false;
	for (const struct jic_toml *e = jic_toml_first(array); e; e = e->next)
		elements[++fill] = e;
	for (size_t n = 1; i; n++) {
		const struct jic_toml *last = elements[i];
		if (!jic_julia_hash_value(rules, last, hash_int(rules, (int64_t)i, h), &h))
			return false;
		if (i < step + 1)
			break;
		i -= step;
		if (n % FIBONACCI_STEP == 0) {
			const size_t sum = step + previous;
			previous = step;
			step = sum;
		}
		while (i && equal(elements[i], last))
			i--;
	}
	*out = h;
	return true;
}

static bool hash_array(const struct jic_julia_hashing *rules, const struct jic_toml *array, uint64_t h, uint64_t *out)
{
	const size_t count = array->items.count;
	h = rules->arrays_by_type ? jic_julia_hash_object(rules->array_id, h) : h + ARRAY_SEED;
	h = hash_int(rules, 1, h + JIC_JULIA_TUPLE_SEED); /* the tuples of first and last indices */
	h = hash_int(rules, (int64_t)count, h + JIC_JULIA_TUPLE_SEED);
	if (rules->old_arrays || count >= ARRAY_HASHED_WHOLE)
		return hash_sampled(rules, array, h, out);
	for (const struct jic_toml *e = jic_toml_first(array); e; e = e->next) {
		if (!jic_julia_hash_value(rules, e, h, &h))
			return false;
	}
	*out = h;
	return true;
}

/* Pairs combine without order. */
static bool hash_table(const struct jic_julia_hashing *rules, const struct jic_toml *table, uint64_t h, uint64_t *out)
{
	uint64_t v = TABLE_SEED;
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next) {
		uint64_t value;
		if (!jic_julia_hash_value(rules, e, 0, &value))
			return false;
		v ^= jic_julia_hash_string(e->key, value);
	}
	*out = rules->old_numbers ? jic_julia_hash_old_uint(v, h) : jic_julia_hash_int(v, h);
	return true;
}

/* ---- dates and times: structs of Int64 without a hash of their own, so by their bytes and their type */

enum { DATE_FIELDS = 3, TIME_FIELDS = 4, MILLI_DIGITS = 3 };

/* The next digit, if there is one. */
static bool take_digit(struct jic_view *text, int64_t *digit)
{
	if (!text->len || *text->ptr < '0' || *text->ptr > '9')
		return false;
	*digit = *text->ptr - '0';
	*text = jic_view_skip(*text, 1);
	return true;
}

/* The next number of RFC 3339 text, of four digits at most: the scanner saw to that. */
static int64_t take_number(struct jic_view *text)
{
	int64_t n = 0, digit;
	while (take_digit(text, &digit))
		n = n * 10 + digit;
	return n;
}

static void take_numbers(struct jic_view *text, size_t count, int64_t *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = take_number(text);
		if (i + 1 < count && text->len)
			*text = jic_view_skip(*text, 1);
	}
}

/* Hour, minute, second, and milliseconds of what fraction there is. */
static void take_time(struct jic_view *text, int64_t *out)
{
	take_numbers(text, TIME_FIELDS - 1, out);
	int64_t *milli = &out[TIME_FIELDS - 1];
	*milli = 0;
	if (!text->len || *text->ptr != '.')
		return;
	*text = jic_view_skip(*text, 1);
	int64_t digit;
	for (unsigned i = 0; i < MILLI_DIGITS; i++)
		*milli = *milli * 10 + (take_digit(text, &digit) ? digit : 0);
	while (take_digit(text, &digit)) {
		/* Julia drops the rest, however long */
	}
}

static uint32_t type_of(const struct jic_julia_hashing *rules, const struct jic_toml *v)
{
	if (v->type == JIC_TOML_DATE_LOCAL)
		return rules->date_type;
	return v->type == JIC_TOML_TIME_LOCAL ? rules->time_type : rules->datetime_type;
}

static bool hash_date(const struct jic_julia_hashing *rules, const struct jic_toml *v, uint64_t h, uint64_t *out)
{
	int64_t fields[DATE_FIELDS + TIME_FIELDS];
	size_t count = 0;
	struct jic_view text = v->string;
	const uint32_t type = type_of(rules, v);
	if (v->type != JIC_TOML_TIME_LOCAL) {
		take_numbers(&text, DATE_FIELDS, fields);
		count = DATE_FIELDS;
		if (text.len)
			text = jic_view_skip(text, 1);
	}
	if (v->type != JIC_TOML_DATE_LOCAL) {
		take_time(&text, &fields[count]);
		count += TIME_FIELDS;
	}
	/* Julia knows no offset but UTC, and takes that for none. */
	if (!type || (text.len && !jic_view_is(text, "Z")))
		return false;
	const struct jic_view bytes = jic_view_bytes(fields, count * sizeof(*fields));
	*out = jic_julia_hash_object(jic_julia_hash_bytes(bytes) ^ type, h);
	return true;
}

/* ---- any value */

bool jic_julia_hash_value(const struct jic_julia_hashing *rules, const struct jic_toml *value, uint64_t h,
                          uint64_t *out)
{
	if (rules->unknown)
		return false;
	switch (value->type) {
	case JIC_TOML_STRING:
		*out = jic_julia_hash_string(value->string, h);
		return true;
	case JIC_TOML_INTEGER:
		*out = hash_int(rules, value->integer, h);
		return true;
	case JIC_TOML_BOOLEAN:
		*out = hash_int(rules, value->boolean, h);
		return true;
	case JIC_TOML_FLOAT:
		if (rules->old_numbers)
			return jic_julia_hash_old_float(value->real, h, out);
		*out = jic_julia_hash_float(value->real, h);
		return true;
	case JIC_TOML_ARRAY:
		return hash_array(rules, value, h, out); /* depth: JIC_TOML_DEPTH_MAX */
	case JIC_TOML_TABLE:
		return hash_table(rules, value, h, out);
	case JIC_TOML_DATETIME:
	case JIC_TOML_DATETIME_LOCAL:
	case JIC_TOML_DATE_LOCAL:
	case JIC_TOML_TIME_LOCAL:
		return hash_date(rules, value, h, out);
	}
	return false;
}

/* ---- which rules */

/* The arrays of the samples: empty, and ["a", 1, 1]. */
static bool arrays_agree(const struct jic_julia_hashing *rules, const struct jic_julia_samples *samples)
{
	struct jic_toml last = {.type = JIC_TOML_INTEGER, .integer = 1};
	struct jic_toml middle = {.type = JIC_TOML_INTEGER, .integer = 1, .next = &last};
	struct jic_toml first = {.type = JIC_TOML_STRING, .string = JIC_VIEW("a"), .next = &middle};
	const struct jic_toml empty = {.type = JIC_TOML_ARRAY};
	const struct jic_toml array = {.type = JIC_TOML_ARRAY, .items = {.first = &first, .count = 3}};
	uint64_t h;
	return hash_array(rules, &empty, 0, &h) && h == samples->no_element && hash_array(rules, &array, 0, &h) &&
	       h == samples->array;
}

struct jic_julia_hashing jic_julia_hashing_of(const struct jic_julia_samples *s)
{
	struct jic_julia_hashing rules = {
	    .old_numbers = jic_julia_hash_old_int(1, 0) == s->one,
	    .array_id = s->array_id,
	    .date_type = s->date_type,
	    .time_type = s->time_type,
	    .datetime_type = s->datetime_type,
	};
	if (!rules.old_numbers && jic_julia_hash_int(1, 0) != s->one) {
		rules.unknown = true;
		return rules;
	}
	for (unsigned way = 0; way < 4; way++) {
		rules.old_arrays = way & 1;
		rules.arrays_by_type = way & 2;
		if (arrays_agree(&rules, s))
			return rules;
	}
	rules.unknown = true;
	return rules;
}
