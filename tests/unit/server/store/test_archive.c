/* What is written is read back; what is no tar of ours is refused. Foreign ones are made by libarchive itself. */
#include "server/store/archive.h"

#include "tests/support/temp.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int new_file(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	cr_assert(fd >= 0);
	return fd;
}

static struct jic_archive_reader *reader_of(int fd)
{
	struct jic_error err = {0};
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	struct jic_archive_reader *r = jic_archive_reader_new(fd, &err);
	cr_assert(r, "%s", err.text);
	return r;
}

Test(archive, is_read_as_it_was_written)
{
	jic_autoclose int fd = new_file(), content = new_file();
	JIC_CLEAR(jic_buf) struct jic_buf got = {0};
	struct jic_error err = {0};
	struct jic_archive_entry entry;
	bool more;
	cr_assert_eq(ftruncate(content, 1 << 20), 0);
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(fd, &err);
	cr_assert(w && jic_archive_writer_put(w, "a/b.json", JIC_VIEW("{}"), &err), "%s", err.text);
	cr_assert(jic_archive_writer_copy(w, "blob", content, 1 << 20, &err), "%s", err.text);
	cr_assert(jic_archive_writer_put(w, "empty", JIC_VIEW(""), &err), "%s", err.text);
	cr_assert(jic_archive_writer_finish(w, &err), "%s", err.text);
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = reader_of(fd);
	cr_assert(jic_archive_reader_next(r, &entry, &more, &err) && more, "%s", err.text);
	cr_expect_str_eq(entry.name, "a/b.json");
	cr_assert(jic_archive_reader_text(r, 2, &got, &err), "%s", err.text);
	cr_expect(jic_view_is(jic_buf_view(&got), "{}"));
	cr_assert(jic_archive_reader_next(r, &entry, &more, &err) && more, "%s", err.text);
	cr_expect_eq(entry.size, 1 << 20);
	cr_assert(jic_archive_reader_next(r, &entry, &more, &err) && more, "skipping: %s", err.text);
	cr_expect_str_eq(entry.name, "empty");
	cr_assert(jic_archive_reader_next(r, &entry, &more, &err), "%s", err.text);
	cr_expect_not(more);
}

Test(archive, a_file_that_shrinks_while_it_is_written_is_an_error)
{
	jic_autoclose int fd = new_file(), content = new_file();
	struct jic_error err = {0};
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(fd, &err);
	cr_assert_eq(ftruncate(content, 10), 0);
	cr_expect_not(jic_archive_writer_copy(w, "blob", content, 11, &err));
	cr_expect_eq(err.code, JIC_EIO, "%s", err.text);
}

Test(archive, that_finds_no_room_says_so)
{
	jic_autoclose int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct jic_error err = {0};
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(full, &err);
	cr_assert(full >= 0 && w);
	bool ok = jic_archive_writer_put(w, "a", JIC_VIEW("b"), &err) && jic_archive_writer_finish(w, &err);
	cr_expect_not(ok);
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
}

Test(archive, with_more_text_than_is_taken_is_refused_before_it_is_read)
{
	jic_autoclose int fd = new_file();
	JIC_CLEAR(jic_buf) struct jic_buf got = {0};
	struct jic_error err = {0};
	struct jic_archive_entry entry;
	bool more;
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(fd, &err);
	cr_assert(jic_archive_writer_put(w, "a", JIC_VIEW("four"), &err) && jic_archive_writer_finish(w, &err));
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = reader_of(fd);
	cr_assert(jic_archive_reader_next(r, &entry, &more, &err));
	cr_expect_not(jic_archive_reader_text(r, 3, &got, &err));
	cr_expect_eq(err.code, JIC_ELIMIT, "%s", err.text);
	cr_expect_eq(got.len, 0);
}

/* ---- what others write */

struct foreign {
	const char *name, *link;
	unsigned type;
	bool hard, sparse;
};

static void expect_refused(const struct foreign *f)
{
	jic_autoclose int fd = new_file();
	struct jic_error err = {0};
	struct jic_archive_entry entry;
	bool more;
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	cr_assert(archive_write_set_format_pax(a) == ARCHIVE_OK && archive_write_open_fd(a, fd) == ARCHIVE_OK);
	archive_entry_set_pathname(e, f->name);
	archive_entry_set_filetype(e, f->type ? f->type : AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, f->link || f->type ? 0 : 4096);
	if (f->link && f->hard)
		archive_entry_set_hardlink(e, f->link);
	else if (f->link)
		archive_entry_set_symlink(e, f->link);
	if (f->sparse)
		archive_entry_sparse_add_entry(e, 0, 512);
	cr_assert_eq(archive_write_header(a, e), ARCHIVE_OK, "%s", archive_error_string(a));
	archive_entry_free(e);
	archive_write_close(a);
	archive_write_free(a);
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = reader_of(fd);
	cr_expect_not(jic_archive_reader_next(r, &entry, &more, &err), "%s was taken", f->name);
	cr_expect_eq(err.code, JIC_EFORMAT, "%s: %s", f->name, err.text);
}

Test(archive, with_anything_but_plain_files_and_plain_names_is_refused)
{
	static const struct foreign list[] = {
	    {.name = "/etc/passwd"},
	    {.name = "../up"},
	    {.name = "a/../b"},
	    {.name = "./a"},
	    {.name = "a//b"},
	    {.name = "a b"},
	    {.name = "a\nb"},
	    {.name = "dir/", .type = AE_IFDIR},
	    {.name = "fifo", .type = AE_IFIFO},
	    {.name = "disk", .type = AE_IFBLK},
	    {.name = "tty", .type = AE_IFCHR},
	    {.name = "soft", .type = AE_IFLNK, .link = "/etc/passwd"},
	    {.name = "hard", .link = "jicache-export.json", .hard = true},
	    {.name = "holes", .sparse = true},
	    {.name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	             "aaaaaaaaaaaaaaaaaaaaa"},
	};
	for (size_t i = 0; i < JIC_COUNT(list); i++)
		expect_refused(&list[i]);
}

Test(archive, that_is_compressed_or_no_tar_is_refused)
{
	static const char texts[][48] = {"this is no archive, however long it may be",
	                                 "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", "\x28\xb5\x2f\xfd", "PK\3\4",
	                                 "!<arch>\n"};
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		jic_autoclose int fd = new_file();
		struct jic_error err = {0};
		struct jic_archive_entry entry;
		bool more = true;
		cr_assert(write(fd, texts[i], 20) > 0);
		cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
		JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = jic_archive_reader_new(fd, &err);
		cr_expect_not(r && jic_archive_reader_next(r, &entry, &more, &err), "%zu", i);
		cr_expect_eq(err.code, JIC_EFORMAT, "%zu: %s", i, err.text);
	}
}

/* Whatever is missing: the file is never taken for whole. */
Test(archive, that_is_cut_off_gives_no_whole_file)
{
	static const char content[3000];
	struct jic_error err = {0};
	for (off_t len = 1; len < 512 + 3000; len += 97) {
		jic_autoclose int fd = new_file();
		JIC_CLEAR(jic_buf) struct jic_buf got = {0};
		struct jic_archive_entry entry;
		bool more = false;
		JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(fd, &err);
		cr_assert(jic_archive_writer_put(w, "a", jic_view_bytes(content, sizeof content), &err) &&
		          jic_archive_writer_finish(w, &err));
		cr_assert(ftruncate(fd, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
		JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = jic_archive_reader_new(fd, &err);
		bool whole = r && jic_archive_reader_next(r, &entry, &more, &err) && more &&
		             jic_archive_reader_text(r, sizeof content, &got, &err);
		cr_expect_not(whole, "%ld bytes", (long)len);
	}
}
