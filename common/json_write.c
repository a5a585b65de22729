/* The writing half of common/json.h: straight into the buffer, no tree between. */
#include "common/json.h"
#include "common/utf8.h"

static void begin(struct jic_json_writer *w, const char *name)
{
	if (w->comma)
		jic_buf_putc(w->out, ',');
	w->comma = true;
	if (name)
		jic_buf_printf(w->out, "\"%s\":", name);
}

void jic_json_open(struct jic_json_writer *w, const char *name, char bracket)
{
	begin(w, name);
	jic_buf_putc(w->out, bracket);
	w->comma = false;
}

void jic_json_close(struct jic_json_writer *w, char bracket)
{
	jic_buf_putc(w->out, bracket);
	w->comma = true;
}

static void put_character(struct jic_json_writer *w, const char *bytes, size_t len)
{
	unsigned char c = (unsigned char)bytes[0];
	if (c == '"' || c == '\\')
		jic_buf_printf(w->out, "\\%c", c);
	else if (c < 0x20)
		jic_buf_printf(w->out, "\\u%04x", c);
	else
		jic_buf_put(w->out, bytes, len);
}

void jic_json_put_text(struct jic_json_writer *w, const char *name, struct jic_view text)
{
	begin(w, name);
	jic_buf_putc(w->out, '"');
	while (text.len > 0) {
		size_t len = jic_utf8_next(text);
		bool fits = len > 0 && text.ptr[0] != '\0';
		if (!fits && !w->lossy && !w->bad)
			w->bad = name ? name : "list element";
		if (fits)
			put_character(w, text.ptr, len);
		else
			jic_buf_puts(w->out, "\xef\xbf\xbd"); /* U+FFFD */
		text = jic_view_skip(text, len ? len : 1);
	}
	jic_buf_putc(w->out, '"');
}

void jic_json_put_u64(struct jic_json_writer *w, const char *name, uint64_t v)
{
	begin(w, name);
	if (v > INT64_MAX && !w->bad)
		w->bad = name ? name : "list element";
	jic_buf_printf(w->out, "%llu", (unsigned long long)v);
}

void jic_json_put_f64(struct jic_json_writer *w, const char *name, double v)
{
	char text[40] = "null";
	bool finite = v - v == 0;
	for (int digits = 15; finite && digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	begin(w, name);
	jic_buf_puts(w->out, text);
	if (finite && !strpbrk(text, ".e"))
		jic_buf_puts(w->out, ".0");
}

void jic_json_put_null(struct jic_json_writer *w, const char *name)
{
	begin(w, name);
	jic_buf_puts(w->out, "null");
}

void jic_json_put_bool(struct jic_json_writer *w, const char *name, bool v)
{
	begin(w, name);
	jic_buf_puts(w->out, v ? "true" : "false");
}

void jic_json_put_digest(struct jic_json_writer *w, const char *name, const struct jic_digest *d)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	jic_json_put_text(w, name, jic_view_of(hex));
}

void jic_json_put_digests(struct jic_json_writer *w, const char *name, const struct jic_digest *d, size_t count)
{
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++)
		jic_json_put_digest(w, NULL, &d[i]);
	jic_json_close(w, ']');
}

void jic_json_put_texts(struct jic_json_writer *w, const char *name, const struct jic_view *texts, size_t count)
{
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++)
		jic_json_put_text(w, NULL, texts[i]);
	jic_json_close(w, ']');
}

void jic_json_put_uuid(struct jic_json_writer *w, const char *name, struct jic_uuid u)
{
	char text[JIC_UUID_TEXT + 1];
	jic_uuid_format(u, text);
	jic_json_put_text(w, name, jic_view_of(text));
}

void jic_json_put_build_id(struct jic_json_writer *w, const char *name, struct jic_build_id id)
{
	char text[JIC_BUILD_ID_TEXT + 1];
	jic_build_id_format(id, text);
	jic_json_put_text(w, name, jic_view_of(text));
}

bool jic_json_finish(const struct jic_json_writer *w, struct jic_error *err)
{
	if (w->bad)
		return jic_fail(err, JIC_EFORMAT, "%s: can't be written as JSON", w->bad);
	return jic_buf_ok(w->out, err);
}
