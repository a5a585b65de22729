/* Reports are built as JSON while an operation runs, and are finished once. */
#include "client/lib/session/report.h"

#include "common/buf.h"
#include "common/clock.h"

#include <stdarg.h>

struct jic_report *jic_report_new(const char *command, struct jic_error *err)
{
	struct jic_report *r = calloc(1, sizeof *r);
	if (r) {
		r->started_s = jic_clock_s();
		r->json = json_object();
		r->warnings = json_array();
	}
	if (r && r->json && r->warnings && json_object_set_new(r->json, "command", json_string(command)) == 0)
		return r;
	jic_report_free(r);
	jic_fail(err, JIC_EMEMORY, "out of memory");
	return NULL;
}

void jic_report_free(struct jic_report *r)
{
	if (!r)
		return;
	json_decref(r->json);
	json_decref(r->warnings);
	free(r->text);
	free(r->summary);
	free(r);
}

void jic_report_warn(struct jic_report *r, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_array_append_new(r->warnings, jic_report_string(jic_view_of(text)));
}

json_t *jic_report_string(struct jic_view v)
{
	json_t *text = json_stringn(v.ptr ? v.ptr : "", v.len);
	if (text)
		return text;
	JIC_CLEAR(jic_buf) struct jic_buf ascii = {0};
	for (size_t i = 0; i < v.len; i++)
		jic_buf_putc(&ascii, (unsigned char)v.ptr[i] < 0x80 ? v.ptr[i] : '?');
	return json_stringn(jic_buf_str(&ascii), ascii.len);
}

static json_t *array_of(struct jic_report *r, const char *field)
{
	json_t *array = json_object_get(r->json, field);
	if (array)
		return array;
	json_object_set_new(r->json, field, json_array());
	return json_object_get(r->json, field);
}

void jic_report_note(struct jic_report *r, const char *field, struct jic_view name, const char *reason)
{
	json_t *note = json_object();
	json_object_set_new(note, "name", jic_report_string(name));
	json_object_set_new(note, "reason", jic_report_string(jic_view_of(reason)));
	json_array_append_new(array_of(r, field), note);
}

void jic_report_name(struct jic_report *r, const char *field, struct jic_view name)
{
	json_array_append_new(array_of(r, field), jic_report_string(name));
}

void jic_report_set(struct jic_report *r, const char *field, json_t *value)
{
	json_object_set_new(r->json, field, value);
}

bool jic_report_finish(struct jic_report *r, struct jic_error *err, const char *summary_format, ...)
{
	static const char *const server_names[] = {"unused", "reached", "away"};
	r->counts.seconds = jic_clock_s() - r->started_s;
	va_list args;
	va_start(args, summary_format);
	jic_autofree char *told = NULL;
	if (vasprintf(&told, summary_format, args) < 0)
		told = NULL;
	va_end(args);
	r->summary = told ? jic_asprintf("%s in %.2f s", told, r->counts.seconds) : NULL;
	jic_report_set(r, "seconds", json_real(r->counts.seconds));
	jic_report_set(r, "server", json_string(server_names[r->server]));
	json_object_set(r->json, "warnings", r->warnings);
	r->text = json_dumps(r->json, JSON_COMPACT | JSON_REAL_PRECISION(6));
	return r->summary && r->text ? true : jic_fail(err, JIC_EMEMORY, "out of memory");
}

const char *jic_report_json(const struct jic_report *r)
{
	return r->text;
}

const char *jic_report_summary(const struct jic_report *r)
{
	return r->summary;
}

const struct jic_counts *jic_report_counts(const struct jic_report *r)
{
	return &r->counts;
}

enum jic_server_state jic_report_server(const struct jic_report *r)
{
	return r->server;
}

const char *jic_report_warning(const struct jic_report *r, size_t index)
{
	return json_string_value(json_array_get(r->warnings, index));
}

const char *jic_bytes_text(uint64_t bytes, char text[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 999.5 && unit + 1 < JIC_COUNT(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(text, 32, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}
