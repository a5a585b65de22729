/* The report is small, the archive is not: only the latter is worth a temporary name. */
#include "server/admin/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool jic_output_open(const char *path, struct jic_output *out, struct jic_error *err)
{
	struct stat st;
	*out = (struct jic_output){.fd = STDOUT_FILENO};
	if (strcmp(path, "-") == 0)
		return !isatty(STDOUT_FILENO) ||
		       jic_fail(err, JIC_EUSAGE, "an archive is nothing for a terminal: --output FILE");
	/* Said now and not after an hour; the commit looks again. */
	if (lstat(path, &st) == 0)
		return jic_fail(err, JIC_ECONFLICT, "%s is there already", path);
	out->writer = jic_writer_new(path, (struct jic_writer_options){.no_replace = true, .mode = 0600}, err);
	if (!out->writer)
		return false;
	out->fd = jic_writer_fd(out->writer);
	return true;
}

bool jic_output_commit(struct jic_output *o, struct jic_error *err)
{
	return !o->writer || jic_writer_commit(o->writer, err);
}

void jic_output_clear(struct jic_output *o)
{
	jic_writer_free(JIC_TAKE(o->writer));
}

void jic_output_report(const struct jic_output *o, const struct jic_buf *report, struct jic_buf *out)
{
	if (o->writer)
		jic_buf_putv(out, jic_buf_view(report));
	else
		fputs(jic_buf_str(report), stderr);
}

bool jic_input_open(const char *path, int *fd, struct jic_error *err)
{
	*fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	return *fd >= 0 || jic_fail_errno(err, JIC_EIO, "%s", path);
}
