/* One event, one line, one write(2): {"time":"2026-01-31T09:15:02.123456Z","level":"info","event":"blob.put",…} */
#include "common/log.h"
#include "common/buf.h"
#include "common/json.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/** Texts come from requests too: one must not fill the disk. A longer one is cut. */
enum { LOG_TEXT_BYTES_MAX = 2048 };

static const char *level_name(enum jic_log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	return (unsigned)level < JIC_COUNT(names) ? names[level] : "debug";
}

/** RFC 3339 in UTC with microseconds. */
static void put_time(struct jic_json_writer *w)
{
	struct timespec now;
	struct tm parts;
	char text[48];
	clock_gettime(CLOCK_REALTIME, &now);
	size_t len = gmtime_r(&now.tv_sec, &parts) ? strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &parts) : 0;
	snprintf(text + len, sizeof text - len, ".%06ldZ", now.tv_nsec / 1000);
	jic_json_put_text(w, "time", jic_view_of(text));
}

static void put_field(struct jic_json_writer *w, const struct jic_log_field *f)
{
	switch (f->type) {
	case JIC_FIELD_TEXT:
		jic_json_put_text(w, f->name, jic_view_head(f->text, LOG_TEXT_BYTES_MAX));
		break;
	case JIC_FIELD_U64:
		jic_json_put_u64(w, f->name, f->u64);
		break;
	case JIC_FIELD_F64:
		jic_json_put_f64(w, f->name, f->f64);
		break;
	case JIC_FIELD_BOOL:
		jic_json_put_bool(w, f->name, f->u64 != 0);
		break;
	}
}

/** What cannot be written is lost: there is nobody to tell, and logging must not stop what is logged. */
static void write_line(int fd, struct jic_view line)
{
	while (line.len) {
		ssize_t put = write(fd, line.ptr, line.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return;
		line = jic_view_skip(line, (size_t)put);
	}
}

void jic_log_event(const struct jic_log *log, enum jic_log_level level, const char *event,
                   const struct jic_log_field *fields, size_t count)
{
	if (log->fd < 0 || !jic_log_is_on(log, level))
		return;
	/* A caller may log between a failed call and its look at errno. */
	int saved = errno;
	JIC_CLEAR(jic_buf) struct jic_buf line = {0};
	struct jic_json_writer w = {.out = &line, .lossy = true};
	jic_json_open(&w, NULL, '{');
	put_time(&w);
	jic_json_put_text(&w, "level", jic_view_of(level_name(level)));
	jic_json_put_text(&w, "event", jic_view_of(event));
	for (size_t i = 0; i < count; i++)
		put_field(&w, &fields[i]);
	jic_json_close(&w, '}');
	jic_buf_putc(&line, '\n');
	static const struct jic_view lost = JIC_VIEW("{\"level\":\"error\",\"event\":\"log.out-of-memory\"}\n");
	write_line(log->fd, line.failed ? lost : jic_buf_view(&line));
	errno = saved;
}
