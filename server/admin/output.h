/**
 * Where a command writes an archive: a file, which gets its name when it is whole and on disk and replaces none, or
 * standard output. What is to be said goes to the other of the two streams then.
 */
#ifndef JIC_SERVER_ADMIN_OUTPUT_H
#define JIC_SERVER_ADMIN_OUTPUT_H

#include "common/file.h"

struct jic_output {
	struct jic_writer *writer; /**< NULL: standard output */
	int fd;                    /**< to write to */
};

/** @param path "-": standard output, unless that is a terminal
 *  @return false with JIC_EUSAGE (a terminal), JIC_ECONFLICT (the file is there already) or JIC_EIO */
jic_must_check bool jic_output_open(const char *path, struct jic_output *out, struct jic_error *err);
jic_must_check bool jic_output_commit(struct jic_output *o, struct jic_error *err);
/** What was not committed leaves nothing behind. */
void jic_output_clear(struct jic_output *o);
/** Print a report: to standard error when the archive went to standard output, else append it to `out`. */
void jic_output_report(const struct jic_output *o, const struct jic_buf *report, struct jic_buf *out);

/** "-": standard input. @param[out] fd the caller's to close when it is not STDIN_FILENO */
jic_must_check bool jic_input_open(const char *path, int *fd, struct jic_error *err);

#endif
