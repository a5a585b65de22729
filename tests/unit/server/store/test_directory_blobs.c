/* The blob conformance on a directory, and what is a directory's own: names, leftovers, foreign files. */
#include "server/store/directory/directory_blobs.h"

#include "tests/conformance/blobs_conformance.h"
#include "tests/support/temp.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static struct jic_blobs *open_in(const struct temp *dir, bool owner)
{
	struct jic_error err = {0};
	struct jic_blobs *b = jic_directory_blobs_open(dir->path, owner, &err);
	cr_assert(b, "%s", err.text);
	return b;
}

#define CASE(name)                                                                                                     \
	Test(directory_blobs, name)                                                                                    \
	{                                                                                                              \
		CLEARED(temp) dir = temp_make();                                                                       \
		JIC_AUTO(jic_blobs) struct jic_blobs *b = open_in(&dir, true);                                         \
		blobs_conformance_##name(b);                                                                           \
	}
BLOBS_CONFORMANCE(CASE)

static void put_abc(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct jic_digest digest;
	jic_sha256_of(JIC_VIEW("abc"), &digest);
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *k = b->ops->sink_new(b, &err);
	cr_assert(k && b->ops->sink_put(k, JIC_VIEW("abc"), &err) && b->ops->sink_commit(k, &digest, &err), "%s",
	          err.text);
}

Test(directory_blobs, a_blob_is_a_file_under_its_digest)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_blobs) struct jic_blobs *b = open_in(&dir, true);
	struct stat st;
	put_abc(b);
	cr_assert_eq(stat(at(dir.path, "blobs/ba/"
	                               "7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.zst"),
	                  &st),
	             0);
	cr_expect_eq(st.st_mode & 07777, 0640);
}

static size_t entries_in(const char *path)
{
	size_t count = 0;
	DIR *d = opendir(path);
	cr_assert(d, "%s", path);
	while (readdir(d))
		count++;
	closedir(d);
	return count - 2;
}

Test(directory_blobs, the_owner_removes_what_a_crash_left_and_others_do_not)
{
	CLEARED(temp) dir = temp_make();
	jic_blobs_free(open_in(&dir, true));
	put_file(at(dir.path, "tmp/blob-left00"), "half");
	jic_blobs_free(open_in(&dir, false));
	cr_expect_eq(entries_in(at(dir.path, "tmp")), 1);
	jic_blobs_free(open_in(&dir, true));
	cr_expect_eq(entries_in(at(dir.path, "tmp")), 0);
}

static bool count_one(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	(void)entry;
	(void)err;
	++*(size_t *)context;
	return true;
}

Test(directory_blobs, names_that_are_not_its_own_are_left_alone)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_blobs) struct jic_blobs *b = open_in(&dir, true);
	struct jic_error err = {0};
	size_t count = 0;
	put_file(at(dir.path, "blobs/ba/README"), "x");
	put_file(at(dir.path, "blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015aX.zst"), "x");
	put_abc(b);
	cr_assert(b->ops->each(b, count_one, &count, &err), "%s", err.text);
	cr_expect_eq(count, 1);
}

Test(directory_blobs, a_full_disk_is_said_to_be_full_and_leaves_nothing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_blobs) struct jic_blobs *b = open_in(&dir, true);
	static const char piece[65536] = {1};
	struct jic_error err = {0};
	struct rlimit small = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct jic_blob_sink *k = b->ops->sink_new(b, &err);
	cr_assert(k, "%s", err.text);
	cr_expect(b->ops->sink_put(k, jic_view_bytes(piece, sizeof piece), &err), "%s", err.text);
	cr_expect_not(b->ops->sink_put(k, jic_view_bytes(piece, sizeof piece), &err));
	cr_expect(err.code == JIC_ENOSPACE || err.code == JIC_EIO, "%s", err.text);
	jic_blob_sink_free(k);
	cr_expect_eq(entries_in(at(dir.path, "tmp")), 0);
}

Test(directory_blobs, a_directory_that_cannot_be_made_is_an_error)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	put_file(at(dir.path, "blobs"), "in the way");
	cr_expect_null(jic_directory_blobs_open(dir.path, true, &err));
	cr_expect(err.text[0]);
}

Test(directory_blobs, bytes_are_shared_as_one_file_and_once)
{
	CLEARED(temp) dir = temp_make();
	CLEARED(temp) other = temp_make();
	struct jic_error err = {0};
	struct jic_digest digest, unknown;
	struct stat st;
	uint64_t fresh;
	JIC_AUTO(jic_blobs) struct jic_blobs *b = open_in(&dir, true);
	JIC_AUTO(jic_blobs) struct jic_blobs *to = open_in(&other, true);
	const char *path =
	    at(other.path, "blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.zst");
	put_abc(b);
	jic_sha256_of(JIC_VIEW("abc"), &digest);
	jic_sha256_of(JIC_VIEW("unknown"), &unknown);
	cr_assert(b->ops->share(b, &digest, to, &fresh, &err), "%s", err.text);
	cr_expect_eq(fresh, 3);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_nlink, 2);
	cr_assert(b->ops->share(b, &digest, to, &fresh, &err), "%s", err.text);
	cr_expect_eq(fresh, 0);
	/* Other bytes under the same digest, as another client compresses them. */
	cr_assert_eq(unlink(path), 0);
	put_file(path, "longer");
	cr_assert(b->ops->share(b, &digest, to, &fresh, &err), "%s", err.text);
	cr_expect_eq(fresh, 3);
	cr_expect(to->ops->sync(to, &err), "%s", err.text);
	cr_expect_not(b->ops->share(b, &unknown, to, &fresh, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_eq(entries_in(at(other.path, "tmp")), 0);
}
