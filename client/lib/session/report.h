/**
 * What an operation reports: counters, a JSON object, a summary line, warnings. Private constructor side.
 */
#ifndef JIC_CLIENT_REPORT_H
#define JIC_CLIENT_REPORT_H

#include "common/attr.h"
#include "common/view.h"

#include <jansson.h>
#include <jicache/jicache.h>

struct jic_report {
	struct jic_counts counts;
	enum jic_server_state server;
	json_t *json;     /**< the object being built */
	json_t *warnings; /**< its array "warnings", borrowed from it */
	char *text;       /**< finished JSON */
	char *summary;
	double started_s; /**< monotonic clock */
};
JIC_DEFINE_AUTO(jic_report, jic_report_free)

/** @param command the value of the field "command" */
struct jic_report *jic_report_new(const char *command, struct jic_error *err);
void jic_report_warn(struct jic_report *r, const char *format, ...) jic_printf(2, 3);
/** Append {"name":…, "reason":…} to the array `field`, made on first use. */
void jic_report_note(struct jic_report *r, const char *field, struct jic_view name, const char *reason);
/** Append a string to the array `field`, made on first use. */
void jic_report_name(struct jic_report *r, const char *field, struct jic_view name);
void jic_report_set(struct jic_report *r, const char *field, json_t *value); /**< takes the value */
/** A JSON string of any bytes; what is not UTF-8 is replaced. */
json_t *jic_report_string(struct jic_view v);

/** Stop the clock, write the summary (" in 0.12 s" is appended) and the JSON text; nothing may be added afterwards. */
jic_must_check bool jic_report_finish(struct jic_report *r, struct jic_error *err, const char *summary_format, ...)
    jic_printf(3, 4);

/** "1.2 MB", "17 kB", "0 B": decimal units as file managers print them. */
const char *jic_bytes_text(uint64_t bytes, char text[32]);

#endif
