/**
 * Events, not sentences: a dotted name and typed fields, one JSON object a line. Fields are not evaluated when the
 * level is off. Writes with one write(2) a line, so lines of several threads do not mix.
 */
#ifndef JIC_COMMON_LOG_H
#define JIC_COMMON_LOG_H

#include "common/attr.h"
#include "common/view.h"

enum jic_log_level { JIC_LOG_ERROR, JIC_LOG_WARN, JIC_LOG_INFO, JIC_LOG_DEBUG };

struct jic_log {
	int fd;                   /**< where lines go; −1: nowhere */
	enum jic_log_level level; /**< what is less urgent than this is dropped */
};

struct jic_log_field {
	const char *name;
	enum { JIC_FIELD_TEXT, JIC_FIELD_U64, JIC_FIELD_F64, JIC_FIELD_BOOL } type;
	struct jic_view text;
	uint64_t u64;
	double f64;
};

#define JIC_STR(n, s) ((struct jic_log_field){.name = (n), .type = JIC_FIELD_TEXT, .text = jic_view_of(s)})
#define JIC_STRV(n, v) ((struct jic_log_field){.name = (n), .type = JIC_FIELD_TEXT, .text = (v)})
#define JIC_U64(n, v) ((struct jic_log_field){.name = (n), .type = JIC_FIELD_U64, .u64 = (uint64_t)(v)})
#define JIC_F64(n, v) ((struct jic_log_field){.name = (n), .type = JIC_FIELD_F64, .f64 = (v)})
#define JIC_BOOL(n, v) ((struct jic_log_field){.name = (n), .type = JIC_FIELD_BOOL, .u64 = (v) ? 1 : 0})

void jic_log_event(const struct jic_log *log, enum jic_log_level level, const char *event,
                   const struct jic_log_field *fields, size_t count);

/** Any thread at any time: a server may be told to say more. */
static inline void jic_log_set_level(struct jic_log *log, enum jic_log_level level)
{
	__atomic_store_n(&log->level, level, __ATOMIC_RELAXED);
}
static inline bool jic_log_is_on(const struct jic_log *log, enum jic_log_level level)
{
	return __atomic_load_n(&log->level, __ATOMIC_RELAXED) >= level;
}

#define JIC_LOG_AT(log_, level_, event_, ...)                                                                          \
	do {                                                                                                           \
		if (jic_log_is_on((log_), (level_))) {                                                                 \
			const struct jic_log_field fields_[] = {__VA_ARGS__};                                          \
			jic_log_event((log_), (level_), (event_), fields_, JIC_COUNT(fields_));                        \
		}                                                                                                      \
	} while (0)
#define jic_log_error(log, event, ...) JIC_LOG_AT(log, JIC_LOG_ERROR, event, __VA_ARGS__)
#define jic_log_warn(log, event, ...) JIC_LOG_AT(log, JIC_LOG_WARN, event, __VA_ARGS__)
#define jic_log_info(log, event, ...) JIC_LOG_AT(log, JIC_LOG_INFO, event, __VA_ARGS__)
#define jic_log_debug(log, event, ...) JIC_LOG_AT(log, JIC_LOG_DEBUG, event, __VA_ARGS__)

#endif
