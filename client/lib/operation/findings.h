/**
 * What doctor finds: one sentence each, and what to do about it. Private to doctor*.c.
 */
#ifndef JIC_CLIENT_FINDINGS_H
#define JIC_CLIENT_FINDINGS_H

#include "client/lib/julia/facts.h"
#include "client/lib/session/report.h"
#include "client/lib/session/settings.h"

enum jic_level {
	JIC_FINE,
	JIC_ADVICE, /**< works, could be better */
	JIC_WRONG,  /**< keeps something from working */
};

struct jic_findings {
	struct jic_report *report;
	struct jic_arena arena;
	uint32_t advice, wrong;
};

/** @param topic one word for programs; part of the report. @param remedy what to do; "" when all is fine */
void jic_find(struct jic_findings *f, enum jic_level level, const char *topic, const char *remedy, const char *format,
              ...) jic_printf(5, 6);

/** Version, the place of its own caches, what images are compiled for. */
void jic_find_julia(struct jic_findings *f, const struct jic_facts *facts);
/** Writable, executable, room, how near Julia is to deleting files. @param extra may be NULL */
void jic_find_depot(struct jic_findings *f, const struct jic_facts *facts, const char *extra);
/** Reachable, speaking our protocol, what the token may do, its clock. */
void jic_find_server(struct jic_findings *f, const struct jic_settings *settings);

#endif
