/*
 * libarchive knows many formats and tells problems in many words; this lets through one format and three kinds of
 * trouble. No filter is ever registered, as some of them start programs.
 */
#include "server/store/archive.h"

#include "common/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024, FILE_MODE = 0644 };

static bool fail(struct archive *a, const char *what, struct jic_error *err)
{
	const char *text = archive_error_string(a);
	const int number = archive_errno(a);
	/* Its own numbers are not in its header: EILSEQ stands for a bad format, −1 for what has no number. */
	enum jic_code code = number > 0 && number != EILSEQ ? JIC_EIO : JIC_EFORMAT;
	if (number == ENOMEM)
		code = JIC_EMEMORY;
	else if (number == ENOSPC || number == EDQUOT || number == EFBIG)
		code = JIC_ENOSPACE;
	return jic_fail(err, code, "%s: %s", what, text ? text : "the archive makes no sense");
}

void jic_archive_blob_name(const struct jic_digest *digest, char out[JIC_ARCHIVE_NAME_BYTES_MAX + 1])
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(digest, hex);
	snprintf(out, JIC_ARCHIVE_NAME_BYTES_MAX + 1, "blobs/%s.zst", hex);
}

bool jic_archive_blob_parse(const char *name, struct jic_digest *out)
{
	char expected[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
	const struct jic_view digits =
	    jic_view_head(jic_view_skip(jic_view_of(name), strlen("blobs/")), JIC_DIGEST_HEX);
	if (!jic_digest_parse(digits, out))
		return false;
	jic_archive_blob_name(out, expected);
	return strcmp(name, expected) == 0;
}

/* ---- writing */

struct jic_archive_writer {
	struct archive *archive;
	struct archive_entry *entry;
	int fd;
	bool dead;            /* nothing is written any more */
	struct jic_error why; /* of the first write that failed */
	char piece[PIECE_BYTES];
};

/* libarchive forgets some of its memory after a failure: it never hears of one. */
static la_ssize_t write_bytes(struct archive *a, void *context, const void *bytes, size_t len)
{
	struct jic_archive_writer *w = context;
	(void)a;
	w->dead = w->dead || !jic_write_all(w->fd, bytes, len, &w->why);
	return (la_ssize_t)len;
}

static bool is_written(const struct jic_archive_writer *w, const char *name, struct jic_error *err)
{
	if (!w->dead)
		return true;
	if (err)
		*err = w->why;
	return jic_wrap(err, "%s", name);
}

struct jic_archive_writer *jic_archive_writer_new(int fd, struct jic_error *err)
{
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = calloc(1, sizeof *w);
	if (w) {
		w->archive = archive_write_new();
		w->entry = archive_entry_new();
	}
	if (!w || !w->archive || !w->entry) {
		jic_fail(err, JIC_EMEMORY, "archive: out of memory");
		return NULL;
	}
	w->fd = fd;
	if (archive_write_set_format_pax_restricted(w->archive) != ARCHIVE_OK ||
	    archive_write_open(w->archive, w, NULL, write_bytes, NULL) != ARCHIVE_OK) {
		fail(w->archive, "begin an archive", err);
		return NULL;
	}
	return JIC_TAKE(w);
}

void jic_archive_writer_free(struct jic_archive_writer *w)
{
	if (!w)
		return;
	archive_entry_free(w->entry);
	/* Freed before it was finished it would write an end. */
	w->dead = true;
	archive_write_free(w->archive);
	free(w);
}

static bool begin(struct jic_archive_writer *w, const char *name, uint64_t size, struct jic_error *err)
{
	struct archive_entry *e = archive_entry_clear(w->entry);
	JIC_ASSERT(size <= INT64_MAX);
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, FILE_MODE);
	archive_entry_set_size(e, (int64_t)size);
	return (archive_write_header(w->archive, e) == ARCHIVE_OK || fail(w->archive, name, err)) &&
	       is_written(w, name, err);
}

/* It writes what it is given or fails, as the entry has room for it. */
static bool put(struct jic_archive_writer *w, const char *name, struct jic_view bytes, struct jic_error *err)
{
	if (archive_write_data(w->archive, bytes.ptr, bytes.len) != (la_ssize_t)bytes.len)
		return fail(w->archive, name, err);
	return is_written(w, name, err);
}

bool jic_archive_writer_put(struct jic_archive_writer *w, const char *name, struct jic_view bytes,
                            struct jic_error *err)
{
	return begin(w, name, bytes.len, err) && put(w, name, bytes, err);
}

bool jic_archive_writer_copy(struct jic_archive_writer *w, const char *name, int fd, uint64_t size,
                             struct jic_error *err)
{
	if (!begin(w, name, size, err))
		return false;
	while (size) {
		ssize_t n = read(fd, w->piece, size < PIECE_BYTES ? (size_t)size : PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jic_fail_errno(err, JIC_EIO, "read %s", name);
		if (n == 0)
			return jic_fail(err, JIC_EIO, "%s is shorter than it was", name);
		if (!put(w, name, jic_view_bytes(w->piece, (size_t)n), err))
			return false;
		size -= (uint64_t)n;
	}
	return true;
}

bool jic_archive_writer_finish(struct jic_archive_writer *w, struct jic_error *err)
{
	return (archive_write_close(w->archive) == ARCHIVE_OK || fail(w->archive, "end an archive", err)) &&
	       is_written(w, "end an archive", err);
}

/* ---- reading */

struct jic_archive_reader {
	struct archive *archive;
	struct jic_archive_entry now; /* what next() gave last */
};

struct jic_archive_reader *jic_archive_reader_new(int fd, struct jic_error *err)
{
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = calloc(1, sizeof *r);
	if (r)
		r->archive = archive_read_new();
	if (!r || !r->archive) {
		jic_fail(err, JIC_EMEMORY, "archive: out of memory");
		return NULL;
	}
	if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
	    archive_read_open_fd(r->archive, fd, PIECE_BYTES) != ARCHIVE_OK) {
		fail(r->archive, "open an archive", err);
		return NULL;
	}
	return JIC_TAKE(r);
}

void jic_archive_reader_free(struct jic_archive_reader *r)
{
	if (!r)
		return;
	archive_read_free(r->archive);
	free(r);
}

static bool is_name(struct jic_view name)
{
	struct jic_view segment;
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' &&
		    c != '_' && c != '-' && c != '/')
			return false;
	}
	while (jic_view_split(&name, '/', &segment))
		if (!segment.len || jic_view_is(segment, ".") || jic_view_is(segment, ".."))
			return false;
	return true;
}

static bool read_name(struct archive_entry *e, char out[JIC_ARCHIVE_NAME_BYTES_MAX + 1], struct jic_error *err)
{
	const char *text = archive_entry_pathname(e);
	const struct jic_view name = jic_view_of(text ? text : "");
	if (name.len == 0 || name.len > JIC_ARCHIVE_NAME_BYTES_MAX || !is_name(name))
		return jic_fail(err, JIC_EFORMAT, "the archive has an entry with a name that is none of ours");
	memcpy(out, name.ptr, name.len);
	out[name.len] = '\0';
	return true;
}

static bool read_entry(struct archive_entry *e, struct jic_archive_entry *out, struct jic_error *err)
{
	if (!read_name(e, out->name, err))
		return false;
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) || archive_entry_symlink(e) ||
	    archive_entry_sparse_count(e))
		return jic_fail(err, JIC_EFORMAT, "%s in the archive is not a plain file", out->name);
	if (!archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
		return jic_fail(err, JIC_EFORMAT, "%s in the archive has no size", out->name);
	out->size = (uint64_t)archive_entry_size(e);
	return true;
}

bool jic_archive_reader_next(struct jic_archive_reader *r, struct jic_archive_entry *out, bool *more,
                             struct jic_error *err)
{
	struct archive_entry *e;
	const int rc = archive_read_next_header(r->archive, &e);
	*more = rc != ARCHIVE_EOF;
	if (rc == ARCHIVE_EOF)
		return true;
	/* A warning is about something that we never write. */
	if (rc != ARCHIVE_OK)
		return fail(r->archive, "read the archive", err);
	if (!read_entry(e, &r->now, err))
		return false;
	*out = r->now;
	return true;
}

bool jic_archive_reader_each(struct jic_archive_reader *r, jic_archive_piece_fn *each, void *context,
                             struct jic_error *err)
{
	uint64_t total = 0;
	for (;;) {
		const void *bytes = NULL;
		size_t len = 0;
		la_int64_t offset = 0;
		const int rc = archive_read_data_block(r->archive, &bytes, &len, &offset);
		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return fail(r->archive, r->now.name, err);
		if (offset < 0 || (uint64_t)offset != total || len > r->now.size - total)
			return jic_fail(err, JIC_EFORMAT, "%s in the archive has holes", r->now.name);
		total += len;
		if (len && !each(context, jic_view_bytes(bytes, len), err))
			return false;
	}
	return total == r->now.size || jic_fail(err, JIC_EFORMAT, "%s in the archive is cut off", r->now.name);
}

static bool append(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct jic_buf *out = context;
	jic_buf_putv(out, bytes);
	return jic_buf_ok(out, err);
}

bool jic_archive_reader_text(struct jic_archive_reader *r, size_t bytes_max, struct jic_buf *out, struct jic_error *err)
{
	if (r->now.size > bytes_max)
		return jic_fail(err, JIC_ELIMIT, "%s in the archive has %llu bytes, %zu are taken", r->now.name,
		                (unsigned long long)r->now.size, bytes_max);
	return jic_archive_reader_each(r, append, out, err);
}
