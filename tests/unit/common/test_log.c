/* The event log: each line is one JSON object, whatever is in the fields. */
#include "common/log.h"
#include "common/buf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory_file(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
}

static void read_back(int fd, struct jic_buf *out)
{
	char piece[4096];
	ssize_t got;
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	while ((got = read(fd, piece, sizeof piece)) > 0)
		jic_buf_put(out, piece, (size_t)got);
}

/** The only line of a log. */
static json_t *only_line(int fd)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	json_error_t error;
	read_back(fd, &text);
	const char *newline = strchr(jic_buf_str(&text), '\n');
	cr_assert(newline && newline[1] == '\0', "%s", jic_buf_str(&text));
	json_t *line = json_loads(jic_buf_str(&text), 0, &error);
	cr_assert(line, "%s: %s", error.text, jic_buf_str(&text));
	return line;
}

static const char *text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));
	return text ? text : "(absent)";
}

Test(log, a_line_has_time_level_event_and_typed_fields)
{
	jic_autoclose int fd = memory_file();
	struct jic_log log = {.fd = fd, .level = JIC_LOG_INFO};
	jic_log_info(&log, "blob.put", JIC_STR("id", "9f86"), JIC_U64("bytes", 1u << 31), JIC_F64("seconds", 0.25),
	             JIC_BOOL("fresh", true), JIC_STRV("name", jic_view_bytes("abcdef", 3)));
	json_t *line = only_line(fd);
	const char *time = text_of(line, "time");
	cr_expect_eq(strlen(time), strlen("2026-01-31T09:15:02.123456Z"), "%s", time);
	cr_expect(time[4] == '-' && time[10] == 'T' && time[19] == '.' && time[26] == 'Z', "%s", time);
	cr_expect_str_eq(text_of(line, "level"), "info");
	cr_expect_str_eq(text_of(line, "event"), "blob.put");
	cr_expect_str_eq(text_of(line, "id"), "9f86");
	cr_expect_str_eq(text_of(line, "name"), "abc");
	cr_expect_eq(json_integer_value(json_object_get(line, "bytes")), 1ll << 31);
	cr_expect_eq(json_real_value(json_object_get(line, "seconds")), 0.25);
	cr_expect(json_is_true(json_object_get(line, "fresh")));
	json_decref(line);
}

Test(log, bytes_of_a_request_cannot_break_a_line)
{
	jic_autoclose int fd = memory_file();
	struct jic_log log = {.fd = fd, .level = JIC_LOG_WARN};
	jic_log_warn(&log, "request.bad", JIC_STR("path", "/\"}\n{\\\x01\x7f\xff\xc3"), JIC_F64("rate", (double)NAN));
	json_t *line = only_line(fd);
	cr_expect_str_eq(text_of(line, "path"), "/\"}\n{\\\x01\x7f\xef\xbf\xbd\xef\xbf\xbd");
	cr_expect(json_is_null(json_object_get(line, "rate")));
	json_decref(line);
}

Test(log, a_long_text_is_cut)
{
	jic_autoclose int fd = memory_file();
	struct jic_log log = {.fd = fd, .level = JIC_LOG_ERROR};
	static char text[100001];
	memset(text, 'x', sizeof text - 1);
	jic_log_error(&log, "request.bad", JIC_STR("path", text));
	json_t *line = only_line(fd);
	cr_expect_eq(strlen(text_of(line, "path")), 2048);
	json_decref(line);
}

static uint64_t count_up(uint64_t *counter)
{
	return ++*counter;
}

Test(log, fields_of_a_level_that_is_off_are_not_evaluated)
{
	jic_autoclose int fd = memory_file();
	struct jic_log log = {.fd = fd, .level = JIC_LOG_INFO};
	uint64_t evaluated = 0;
	jic_log_debug(&log, "step", JIC_U64("n", count_up(&evaluated)));
	cr_expect_eq(evaluated, 0);
	jic_log_event(&log, JIC_LOG_DEBUG, "step", NULL, 0);
	cr_expect_eq(lseek(fd, 0, SEEK_END), 0);
	log.level = JIC_LOG_DEBUG;
	jic_log_debug(&log, "step", JIC_U64("n", count_up(&evaluated)));
	cr_expect_eq(evaluated, 1);
	cr_expect_gt(lseek(fd, 0, SEEK_END), 0);
}

Test(log, nowhere_and_unwritable_are_fine_and_errno_is_kept)
{
	jic_autoclose int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct jic_log nowhere = {.fd = -1, .level = JIC_LOG_DEBUG},
		       unwritable = {.fd = read_only, .level = JIC_LOG_DEBUG};
	errno = ENOTDIR;
	jic_log_info(&nowhere, "event", JIC_U64("n", 1));
	jic_log_info(&unwritable, "event", JIC_U64("n", 1));
	cr_expect_eq(errno, ENOTDIR);
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *context)
{
	for (int i = 0; i < LINES; i++)
		jic_log_info((const struct jic_log *)context, "event", JIC_U64("n", i), JIC_STR("text", "some words"));
	return NULL;
}

Test(log, lines_of_several_threads_do_not_mix)
{
	jic_autoclose int fd = memory_file();
	cr_assert_eq(fcntl(fd, F_SETFL, O_APPEND), 0);
	struct jic_log log = {.fd = fd, .level = JIC_LOG_INFO};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_lines, &log), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	read_back(fd, &text);
	size_t lines = 0;
	for (const char *p = jic_buf_str(&text); *p; lines++) {
		const char *newline = strchr(p, '\n');
		json_t *line = json_loadb(p, (size_t)(newline - p), 0, NULL);
		cr_assert(line, "line %zu", lines + 1);
		json_decref(line);
		p = newline + 1;
	}
	cr_expect_eq(lines, THREADS * LINES);
}
