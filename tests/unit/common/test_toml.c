/* TOML: every case of toml-test for 1.0.0, real manifests, and what the header says beyond the format. */
#include "common/toml.h"
#include "common/buf.h"
#include "common/file.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>

static const char corpus[] = JIC_SHARED "/corpus/toml-test";

/** A document and its tree: the tree points into the text. */
struct doc {
	struct jic_buf text;
	struct jic_arena arena;
	struct jic_toml *root;
	struct jic_error err;
};

static void doc_clear(struct doc *d)
{
	jic_buf_clear(&d->text);
	jic_arena_clear(&d->arena);
}

static struct doc parse_view(struct jic_view text)
{
	struct doc d = {0};
	jic_buf_putv(&d.text, text);
	d.root = jic_toml_parse(&d.arena, jic_buf_view(&d.text), "doc.toml", &d.err);
	return d;
}

static struct doc parse(const char *text)
{
	return parse_view(jic_view_of(text));
}

static struct doc parse_file(const char *path)
{
	struct doc d = {0};
	cr_assert(jic_file_read(path, 1 << 24, &d.text, &d.err), "%s", d.err.text);
	d.root = jic_toml_parse(&d.arena, jic_buf_view(&d.text), path, &d.err);
	return d;
}

/* ---- toml-test: the tree against tagged JSON ---- */

static bool matches(const struct jic_toml *v, const json_t *expected);

/** jansson takes no NUL in a key, and one case has it: it is renamed where the JSON is loaded. */
static const char nul_key[] = "\"\\u0000\":", nul_alias[] = "\"(nul)\" :";
_Static_assert(sizeof nul_key == sizeof nul_alias, "replaced in place");

static const json_t *expected_entry(const json_t *table, struct jic_view key)
{
	if (jic_view_eq(key, JIC_VIEW("\0")))
		key = JIC_VIEW("(nul)");
	return json_object_getn(table, key.ptr, key.len);
}

static bool table_matches(const struct jic_toml *table, const json_t *expected)
{
	size_t seen = 0;
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next, seen++) {
		if (!matches(e, expected_entry(expected, e->key)))
			return false;
		if (jic_toml_getv(table, e->key) != e)
			return false;
	}
	return seen == json_object_size(expected) && seen == table->items.count;
}

static bool array_matches(const struct jic_toml *array, const json_t *expected)
{
	size_t i = 0;
	for (const struct jic_toml *e = jic_toml_first(array); e; e = e->next, i++) {
		if (!matches(e, json_array_get(expected, i)))
			return false;
	}
	return i == json_array_size(expected) && i == array->items.count;
}

static bool float_matches(double value, const char *expected)
{
	if (strcmp(expected, "nan") == 0)
		return isnan(value) != 0;
	return value == strtod(expected, NULL);
}

/** Fractions of seconds as toml-test writes them may have other trailing zeros. */
static void without_trailing_zeros(struct jic_view v, char out[64])
{
	size_t len = 0, zeros = 0;
	bool fraction = false;
	cr_assert_lt(v.len, 63);
	for (size_t i = 0; i < v.len; i++) {
		bool digit = v.ptr[i] >= '0' && v.ptr[i] <= '9';
		fraction = v.ptr[i] == '.' || (fraction && digit);
		if (!digit)
			len -= zeros;
		zeros = fraction && v.ptr[i] == '0' ? zeros + 1 : 0;
		out[len++] = v.ptr[i];
	}
	len -= zeros;
	out[len] = '\0';
}

static bool time_matches(struct jic_view value, const char *expected)
{
	char a[64], b[64];
	without_trailing_zeros(value, a);
	without_trailing_zeros(jic_view_of(expected), b);
	return strcmp(a, b) == 0;
}

static bool integer_matches(int64_t value, const char *expected)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)value);
	return strcmp(text, expected) == 0;
}

static bool scalar_matches(const struct jic_toml *v, const char *type, const json_t *expected)
{
	static const char *const tags[] = {
	    [JIC_TOML_STRING] = "string",         [JIC_TOML_INTEGER] = "integer",
	    [JIC_TOML_FLOAT] = "float",           [JIC_TOML_BOOLEAN] = "bool",
	    [JIC_TOML_DATETIME] = "datetime",     [JIC_TOML_DATETIME_LOCAL] = "datetime-local",
	    [JIC_TOML_DATE_LOCAL] = "date-local", [JIC_TOML_TIME_LOCAL] = "time-local",
	};
	const char *text = json_string_value(expected);
	if (v->type >= JIC_TOML_ARRAY || !text || strcmp(tags[v->type], type) != 0)
		return false;
	switch (v->type) {
	case JIC_TOML_STRING:
		return jic_view_eq(v->string, jic_view_bytes(text, json_string_length(expected)));
	case JIC_TOML_INTEGER:
		return integer_matches(v->integer, text);
	case JIC_TOML_FLOAT:
		return float_matches(v->real, text);
	case JIC_TOML_BOOLEAN:
		return strcmp(v->boolean ? "true" : "false", text) == 0;
	default:
		return time_matches(v->string, text);
	}
}

static bool matches(const struct jic_toml *v, const json_t *expected)
{
	const char *type = json_string_value(json_object_get(expected, "type"));
	if (type && json_object_size(expected) == 2)
		return scalar_matches(v, type, json_object_get(expected, "value"));
	if (json_is_array(expected))
		return jic_toml_is_array(v) && array_matches(v, expected);
	return json_is_object(expected) && jic_toml_is_table(v) && table_matches(v, expected);
}

static json_t *load_expected(const char *toml_path)
{
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_error err;
	json_error_t error;
	jic_buf_put(&path, toml_path, strlen(toml_path) - strlen("toml"));
	jic_buf_puts(&path, "json");
	cr_assert(jic_file_read(jic_buf_str(&path), 1 << 24, &text, &err), "%s", err.text);
	for (char *nul; (nul = strstr(text.ptr, nul_key));)
		memcpy(nul, nul_alias, strlen(nul_alias));
	json_t *expected = json_loads(jic_buf_str(&text), JSON_ALLOW_NUL, &error);
	cr_assert(expected, "%s: %s", jic_buf_str(&path), error.text);
	return expected;
}

static void check_valid(const char *path)
{
	JIC_CLEAR(doc) struct doc d = parse_file(path);
	json_t *expected = load_expected(path);
	cr_expect(d.root, "%s", d.err.text);
	cr_expect(d.root && matches(d.root, expected), "%s: another tree", path);
	json_decref(expected);
}

static void check_invalid(const char *path)
{
	unsigned line = 0, column = 0;
	JIC_CLEAR(doc) struct doc d = parse_file(path);
	cr_expect_null(d.root, "%s is accepted", path);
	if (d.root)
		return;
	cr_expect_eq(d.err.code, JIC_EFORMAT);
	cr_expect(strncmp(d.err.text, path, strlen(path)) == 0, "%s", d.err.text);
	cr_expect_eq(sscanf(d.err.text + strlen(path), ":%u:%u: ", &line, &column), 2, "%s", d.err.text);
	cr_expect(line >= 1 && column >= 1, "%s", d.err.text);
}

/** @return how many cases of the list begin with `prefix` */
static unsigned each_case(const char *prefix, void (*check)(const char *path))
{
	JIC_CLEAR(jic_buf) struct jic_buf list = {0};
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	struct jic_error err;
	unsigned count = 0;
	jic_buf_printf(&path, "%s/files-toml-1.0.0", corpus);
	cr_assert(jic_file_read(jic_buf_str(&path), 1 << 20, &list, &err), "%s", err.text);
	for (struct jic_view rest = jic_buf_view(&list); rest.len;) {
		size_t end = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) - rest.ptr);
		struct jic_view line = jic_view_head(rest, end);
		rest = jic_view_skip(rest, end + 1);
		if (!jic_view_starts(line, jic_view_of(prefix)) || !jic_view_ends(line, JIC_VIEW(".toml")))
			continue;
		jic_buf_reset(&path);
		jic_buf_printf(&path, "%s/" JIC_PRIv, corpus, JIC_ARGv(line));
		check(jic_buf_str(&path));
		count++;
	}
	return count;
}

Test(toml, reads_every_valid_case_of_toml_test_as_the_expected_tree)
{
	cr_expect_geq(each_case("valid/", check_valid), 200);
}

Test(toml, refuses_every_invalid_case_of_toml_test_with_line_and_column)
{
	cr_expect_geq(each_case("invalid/", check_invalid), 470);
}

/* ---- real manifests ---- */

static const char *const manifests[] = {
    "clima-buildkite-1.11/Manifest-v1.11.toml", "sciml-bayesian-1.10/Manifest.toml",  "sciml-mtk-1.11/Manifest.toml",
    "sciml-stiffode-1.11/Manifest.toml",        "sciml-symbolics-1.12/Manifest.toml",
};

Test(toml, reads_real_manifests_with_a_uuid_in_each_entry)
{
	for (size_t i = 0; i < JIC_COUNT(manifests); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf path = {0};
		jic_buf_printf(&path, "%s/corpus/manifests/%s", JIC_SHARED, manifests[i]);
		JIC_CLEAR(doc) struct doc d = parse_file(jic_buf_str(&path));
		cr_assert(d.root, "%s", d.err.text);
		const struct jic_toml *deps = jic_toml_get(d.root, "deps");
		cr_assert(jic_toml_is_table(deps));
		cr_expect_gt(deps->items.count, 100);
		for (const struct jic_toml *list = jic_toml_first(deps); list; list = list->next) {
			cr_assert(jic_toml_is_array(list));
			cr_expect_eq(jic_toml_string(jic_toml_first(list), "uuid", JIC_VIEW("")).len, 36);
		}
	}
}

/* ---- what toml.h says beyond the format ---- */

Test(toml, keeps_the_order_of_the_file_and_where_each_value_begins)
{
	JIC_CLEAR(doc) struct doc d = parse("b = 1\n\n[t]\n  a = [ 10,\n\t20 ]\n");
	const struct jic_toml *b = jic_toml_first(d.root);
	cr_assert(b && jic_view_is(b->key, "b"));
	cr_expect(b->line == 1 && b->column == 5);
	const struct jic_toml *t = b->next;
	cr_assert(t && jic_view_is(t->key, "t") && !t->next);
	cr_expect(t->line == 3 && t->column == 2);
	const struct jic_toml *a = jic_toml_first(t);
	cr_expect(a->line == 4 && a->column == 7);
	cr_expect(a->items.first->line == 4 && a->items.first->column == 9);
	cr_expect(a->items.first->next->line == 5 && a->items.first->next->column == 2);
}

Test(toml, a_string_without_escapes_points_into_the_text)
{
	JIC_CLEAR(doc) struct doc d = parse("plain = 'C:\\x'\nescaped = \"a\\tb\"\n");
	struct jic_view plain = jic_toml_string(d.root, "plain", JIC_VIEW("none"));
	struct jic_view escaped = jic_toml_string(d.root, "escaped", JIC_VIEW("none"));
	cr_expect_eq((const void *)plain.ptr, (const void *)(d.text.ptr + 9));
	cr_expect(jic_view_is(plain, "C:\\x"));
	cr_expect(jic_view_is(escaped, "a\tb"));
}

Test(toml, a_string_may_contain_nul_by_escape)
{
	JIC_CLEAR(doc) struct doc d = parse("k = \"a\\u0000b\"\n");
	cr_expect(jic_view_eq(jic_toml_string(d.root, "k", JIC_VIEW("")), JIC_VIEW("a\0b")));
}

Test(toml, dates_and_times_are_given_in_one_form)
{
	JIC_CLEAR(doc)
	struct doc d = parse("a = 1979-05-27 07:32:00z\nb = 1979-05-27t00:32:00.5-07:00\nc = 07:32:00\n");
	const struct jic_toml *a = jic_toml_get(d.root, "a"), *b = jic_toml_get(d.root, "b");
	cr_assert(a && b, "%s", d.err.text);
	cr_expect_eq(a->type, JIC_TOML_DATETIME);
	cr_expect(jic_view_is(a->string, "1979-05-27T07:32:00Z"));
	cr_expect(jic_view_is(b->string, "1979-05-27T00:32:00.5-07:00"));
	cr_expect_eq(jic_toml_get(d.root, "c")->type, JIC_TOML_TIME_LOCAL);
}

Test(toml, the_extremes_of_integers_are_exact_and_one_more_is_refused)
{
	JIC_CLEAR(doc)
	struct doc d = parse("a = -9223372036854775808\nb = 9223372036854775807\nc = 0x7fffffffffffffff\n");
	cr_assert(d.root, "%s", d.err.text);
	cr_expect_eq(jic_toml_get(d.root, "a")->integer, INT64_MIN);
	cr_expect_eq(jic_toml_get(d.root, "b")->integer, INT64_MAX);
	cr_expect_eq(jic_toml_get(d.root, "c")->integer, INT64_MAX);
	static const char *const over[] = {"a = -9223372036854775809", "a = 9223372036854775808",
	                                   "a = 0x8000000000000000"};
	for (size_t i = 0; i < JIC_COUNT(over); i++) {
		JIC_CLEAR(doc) struct doc e = parse(over[i]);
		cr_expect_null(e.root, "%s", over[i]);
		cr_expect_str_eq(e.err.text, "doc.toml:1:5: the integer does not fit into 64 bits");
	}
}

Test(toml, an_error_names_the_document_line_and_column)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"a = 1\nb = \n", "doc.toml:2:5: expected a value"},
	    {"a = 1\r\na = 2\r\n", "doc.toml:2:1: the key is defined already, in line 1"},
	    {"[t]\n[x]\n[t]\n", "doc.toml:3:2: the key is defined already, in line 1"},
	    {"x = 'y", "doc.toml:1:5: the string is not closed"},
	    {"x = \"y\\", "doc.toml:1:5: the string is not closed"},
	    {"\n\nx = '''\n y", "doc.toml:3:5: the multi-line string is not closed"},
	    {"x = \"a\\qb\"", "doc.toml:1:7: unknown escape sequence in a string"},
	    {"x = \"\\ud800\"", "doc.toml:1:6: U+D800 is no Unicode scalar value"},
	    {"x = \"\\U00110000\"", "doc.toml:1:6: U+110000 is no Unicode scalar value"},
	    {"a = 1 b = 2", "doc.toml:1:7: expected the end of the line"},
	    {"a = [1 2]", "doc.toml:1:8: expected ','"},
	    {"a = 2023-02-29", "doc.toml:1:5: not a valid date or time"},
	    {"a = 1\n# \x01", "doc.toml:2:3: control character 0x01 in a comment"},
	    {"a = 'x'\n\xff", "doc.toml:2:1: not UTF-8"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		JIC_CLEAR(doc) struct doc d = parse(cases[i].text);
		cr_assert_null(d.root, "%s", cases[i].text);
		cr_expect_eq(d.err.code, JIC_EFORMAT);
		cr_expect_str_eq(d.err.text, cases[i].message);
	}
}

Test(toml, refuses_text_that_ends_anywhere_inside_a_line)
{
	static const char text[] =
	    "[a.'b']\n\"k\\u00e9\" = { x = [1, 2.5e3, 1979-05-27 07:32:00Z], y = \"\"\"z\\\n \"\"\" }";
	struct jic_view whole =
	    JIC_VIEW("[a.'b']\n\"k\\u00e9\" = { x = [1, 2.5e3, 1979-05-27 07:32:00Z], y = \"\"\"z\\\n \"\"\" }");
	JIC_CLEAR(doc) struct doc complete = parse_view(whole);
	cr_assert(complete.root, "%s", complete.err.text);
	for (size_t len = 9; len < sizeof text - 1; len++) {
		JIC_CLEAR(doc) struct doc d = parse_view(jic_view_head(whole, len));
		cr_expect_null(d.root, "accepted after %zu bytes", len);
	}
}

static struct doc parse_repeated(const char *piece, size_t count, const char *tail)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	for (size_t i = 0; i < count; i++)
		jic_buf_puts(&text, piece);
	jic_buf_puts(&text, tail);
	return parse_view(jic_buf_view(&text));
}

Test(toml, refuses_nesting_beyond_the_limit_in_each_form)
{
	JIC_CLEAR(doc) struct doc dotted = parse_repeated("a.", JIC_TOML_DEPTH_MAX + 1, "a = 1");
	JIC_CLEAR(doc) struct doc deep = parse_repeated("a.", JIC_TOML_DEPTH_MAX, "a = 1");
	cr_expect(deep.root, "%s", deep.err.text);
	cr_expect_null(dotted.root);
	cr_expect_eq(dotted.err.code, JIC_ELIMIT);

	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	jic_buf_puts(&text, "a = ");
	for (int i = 0; i < 100000; i++)
		jic_buf_puts(&text, i % 2 ? "[" : "[{a=");
	JIC_CLEAR(doc) struct doc nested = parse_view(jic_buf_view(&text));
	cr_expect_null(nested.root);
	cr_expect_eq(nested.err.code, JIC_ELIMIT);
	cr_expect_str_eq(nested.err.text + strlen("doc.toml:1:345: "), "nested more than 128 levels deep");
}

Test(toml, refuses_more_values_than_the_limit)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	jic_buf_puts(&text, "a = [");
	for (int i = 0; i < JIC_TOML_NODES_MAX; i++)
		jic_buf_puts(&text, "1,");
	jic_buf_puts(&text, "]");
	JIC_CLEAR(doc) struct doc d = parse_view(jic_buf_view(&text));
	cr_expect_null(d.root);
	cr_expect_eq(d.err.code, JIC_ELIMIT);
}

Test(toml, finds_each_key_of_a_large_table_and_no_other)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	for (int i = 0; i < 20000; i++)
		jic_buf_printf(&text, "key%d = %d\n", i, i);
	JIC_CLEAR(doc) struct doc d = parse_view(jic_buf_view(&text));
	cr_assert(d.root, "%s", d.err.text);
	cr_expect_eq(d.root->items.count, 20000);
	for (int i = 0; i < 20000; i++) {
		char key[24];
		snprintf(key, sizeof key, "key%d", i);
		const struct jic_toml *v = jic_toml_get(d.root, key);
		cr_assert(v && v->integer == i, "%s", key);
	}
	cr_expect_null(jic_toml_get(d.root, "key20000"));
	cr_expect_null(jic_toml_get(d.root, ""));
}

Test(toml, a_duplicate_key_is_found_in_a_large_table_too)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	for (int i = 0; i < 500; i++)
		jic_buf_printf(&text, "key%d = %d\n", i, i);
	jic_buf_puts(&text, "key250 = 1\n");
	JIC_CLEAR(doc) struct doc d = parse_view(jic_buf_view(&text));
	cr_expect_null(d.root);
	cr_expect_str_eq(d.err.text, "doc.toml:501:1: the key is defined already, in line 251");
}

Test(toml, lookups_on_nothing_or_on_another_type_give_nothing)
{
	JIC_CLEAR(doc) struct doc d = parse("n = 1\na = [1]\ns = 'x'\n");
	const struct jic_toml *n = jic_toml_get(d.root, "n");
	cr_expect_null(jic_toml_get(NULL, "n"));
	cr_expect_null(jic_toml_get(n, "n"));
	cr_expect_null(jic_toml_get(jic_toml_get(d.root, "a"), ""));
	cr_expect_null(jic_toml_first(n));
	cr_expect_null(jic_toml_first(NULL));
	cr_expect(jic_view_is(jic_toml_string(d.root, "n", JIC_VIEW("fallback")), "fallback"));
	cr_expect(jic_view_is(jic_toml_string(d.root, "absent", JIC_VIEW("fallback")), "fallback"));
	cr_expect(jic_view_is(jic_toml_string(d.root, "s", JIC_VIEW("fallback")), "x"));
	cr_expect_not(jic_toml_is_table(NULL) || jic_toml_is_array(NULL) || jic_toml_is_string(NULL));
	cr_expect(jic_toml_is_table(d.root) && jic_toml_is_array(jic_toml_get(d.root, "a")));
}

Test(toml, an_empty_document_is_an_empty_table)
{
	struct jic_arena arena = {0};
	struct jic_error err;
	const struct jic_toml *root = jic_toml_parse(&arena, (struct jic_view){0}, "doc.toml", &err);
	cr_expect(root && root->type == JIC_TOML_TABLE && root->items.count == 0);
	jic_arena_clear(&arena);
}

Test(toml, an_arena_without_memory_is_reported)
{
	struct jic_arena arena = {.failed = true};
	struct jic_error err;
	cr_expect_null(jic_toml_parse(&arena, JIC_VIEW("a = 1"), "doc.toml", &err));
	cr_expect_eq(err.code, JIC_EMEMORY);
}
