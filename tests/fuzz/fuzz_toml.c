/*
 * jic_toml_parse(). Properties: an error has a place; every entry is found under its key and has a position in the
 * text; a tree that is written as TOML and read again is the same tree.
 */
#include "common/buf.h"
#include "common/toml.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Recursion is bounded by the reader's own depth limit. */
static void print_value(struct jic_buf *out, const struct jic_toml *v);

static void print_string(struct jic_buf *out, struct jic_view text)
{
	jic_buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
			jic_buf_printf(out, "\\u%04x", (unsigned)c);
		else
			jic_buf_putc(out, (char)c);
	}
	jic_buf_putc(out, '"');
}

static void print_float(struct jic_buf *out, double v)
{
	char text[40];
	if (isnan(v)) {
		jic_buf_puts(out, signbit(v) ? "-nan" : "nan");
		return;
	}
	snprintf(text, sizeof text, "%.17g", v);
	jic_buf_puts(out, text);
	if (!isinf(v) && !strpbrk(text, ".e"))
		jic_buf_puts(out, ".0");
}

static void print_items(struct jic_buf *out, const struct jic_toml *v, bool keys)
{
	for (const struct jic_toml *e = jic_toml_first(v); e; e = e->next) {
		if (keys) {
			print_string(out, e->key);
			jic_buf_puts(out, " = ");
		}
		print_value(out, e);
		if (e->next)
			jic_buf_puts(out, ", ");
	}
}

static void print_value(struct jic_buf *out, const struct jic_toml *v)
{
	switch (v->type) {
	case JIC_TOML_STRING:
		print_string(out, v->string);
		break;
	case JIC_TOML_INTEGER:
		jic_buf_printf(out, "%lld", (long long)v->integer);
		break;
	case JIC_TOML_FLOAT:
		print_float(out, v->real);
		break;
	case JIC_TOML_BOOLEAN:
		jic_buf_puts(out, v->boolean ? "true" : "false");
		break;
	case JIC_TOML_ARRAY:
		jic_buf_putc(out, '[');
		print_items(out, v, false);
		jic_buf_putc(out, ']');
		break;
	case JIC_TOML_TABLE:
		jic_buf_putc(out, '{');
		print_items(out, v, true);
		jic_buf_putc(out, '}');
		break;
	default:
		jic_buf_putv(out, v->string);
	}
}

static void print_document(struct jic_buf *out, const struct jic_toml *root)
{
	for (const struct jic_toml *e = jic_toml_first(root); e; e = e->next) {
		print_string(out, e->key);
		jic_buf_puts(out, " = ");
		print_value(out, e);
		jic_buf_putc(out, '\n');
	}
}

static void check_tree(const struct jic_toml *v, size_t size)
{
	size_t count = 0;
	JIC_ASSERT(v->line >= 1 && v->line <= size + 1 && v->column >= 1 && v->column <= size + 1);
	for (const struct jic_toml *e = jic_toml_first(v); e; e = e->next, count++) {
		JIC_ASSERT(v->type != JIC_TOML_TABLE || jic_toml_getv(v, e->key) == e);
		check_tree(e, size);
	}
	JIC_ASSERT(v->type < JIC_TOML_ARRAY || v->items.count == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf first = {0}, second = {0};
	struct jic_error err = {0};
	const struct jic_toml *root = jic_toml_parse(&arena, jic_view_bytes(data, size), "in", &err);
	if (!root) {
		unsigned line, column;
		JIC_ASSERT(sscanf(err.text, "in:%u:%u: ", &line, &column) == 2 && line >= 1 && column >= 1);
		return 0;
	}
	check_tree(root, size);
	print_document(&first, root);
	const struct jic_toml *again = jic_toml_parse(&arena, jic_buf_view(&first), "out", &err);
	JIC_ASSERT(again);
	print_document(&second, again);
	JIC_ASSERT(jic_view_eq(jic_buf_view(&first), jic_buf_view(&second)));
	return 0;
}
