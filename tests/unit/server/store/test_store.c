/* Opening, blobs as handlers see them, and the sweep. */
#include "server/store/store.h"

#include "server/store/internal.h"
#include "tests/support/forge.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};

static struct jic_store *try_open_at(const char *path, bool admin, struct jic_error *err)
{
	struct jic_store_options options = {.data_dir = path, .blob_bytes_max = 1 << 20, .admin = admin};
	return jic_store_open(&options, err);
}

static struct jic_store *try_open(const struct temp *dir, bool admin, struct jic_error *err)
{
	return try_open_at(dir->path, admin, err);
}

Test(store, makes_its_directory_and_is_ready)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	JIC_AUTO(jic_store) struct jic_store *s = try_open_at(at(dir.path, "a/b"), false, &err);
	cr_assert(s, "%s", err.text);
	cr_expect(jic_store_ready(s, &err), "%s", err.text);
}

Test(store, serves_once_for_each_directory)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	struct jic_store *s = try_open(&dir, false, &err);
	cr_assert(s);
	cr_expect_null(try_open(&dir, false, &err));
	cr_expect_eq(err.code, JIC_EBUSY, "%s", err.text);
	JIC_AUTO(jic_store) struct jic_store *admin = try_open(&dir, true, &err);
	cr_expect(admin, "an admin command beside it: %s", err.text);
	jic_store_free(s);
	s = try_open(&dir, false, &err);
	cr_expect(s, "after it has ended: %s", err.text);
	jic_store_free(s);
	jic_store_free(NULL);
}

Test(store, is_not_ready_when_the_disk_takes_no_writes)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	cr_assert(jic_remove_tree(at(dir.path, "tmp"), &err));
	cr_expect_not(jic_store_ready(s, &err));
	cr_expect(err.text[0]);
}

Test(store, says_which_digests_are_missing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_digest digests[3] = {{.bytes = {1}}, {.bytes = {2}}, {.bytes = {3}}};
	const struct jic_digest *missing;
	size_t count;
	cr_assert(forge_upload(s, JIC_VIEW("there"), &digests[1], &err));
	cr_assert(jic_store_blobs_missing(s, &(struct jic_viewer){0}, digests, 3, &arena, &missing, &count, &err));
	cr_assert_eq(count, 2);
	cr_expect(jic_digest_eq(&missing[0], &digests[0]));
	cr_expect(jic_digest_eq(&missing[1], &digests[2]));
}

Test(store, has_no_blob_that_was_not_uploaded)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_digest digest = {0};
	struct jic_store_blob blob;
	struct jic_error err = {0};
	cr_expect_not(jic_store_blob_open(s, &digest, &blob, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
}

static size_t missing_of(struct jic_store *s, const struct jic_digest *digest)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const struct jic_digest *missing;
	size_t count;
	cr_assert(jic_store_blobs_missing(s, &(struct jic_viewer){0}, digest, 1, &arena, &missing, &count, &err), "%s",
	          err.text);
	return count;
}

Test(store, sweeps_old_uploads_that_nothing_refers_to)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_publish_result result;
	struct jic_digest leftover;
	struct jic_store_blob blob;
	uint64_t removed = 99;
	cr_assert_eq(forge_publish(s, "main", FORGED_SET(&alpha), &arena, &result), JIC_PUBLISH_DONE);
	cr_assert(forge_upload(s, JIC_VIEW("leftover"), &leftover, &err));
	cr_assert(jic_store_sweep(s, 3600, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, 0, "it is young");
	cr_assert(jic_store_sweep(s, 0, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, 1);
	cr_expect_eq(missing_of(s, &leftover), 1);
	cr_expect_not(jic_store_blob_open(s, &leftover, &blob, &err));
	struct jic_msg_set set = forge_resolve(s, "main", FORGED_SET(&alpha), &arena);
	cr_assert_eq(set.records_count, 1);
	cr_assert(jic_store_blob_open(s, &set.records[0].ji.digest, &blob, &err), "%s", err.text);
	close(blob.fd);
}

Test(store, sweeps_bytes_without_a_row)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_error err = {0};
	struct jic_digest digest = {.bytes = {0xab}};
	uint64_t removed = 0, size;
	int fd;
	struct jic_blob_sink *k = s->blobs->ops->sink_new(s->blobs, &err);
	cr_assert(k && s->blobs->ops->sink_commit(k, &digest, &err));
	jic_blob_sink_free(k);
	cr_assert(jic_store_sweep(s, 3600, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, 0, "it may be on its way");
	cr_assert(jic_store_sweep(s, 0, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, 1);
	cr_expect_not(s->blobs->ops->open(s->blobs, &digest, &fd, &size, &err));
}

Test(store, does_not_sweep_beside_a_server)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	uint64_t removed;
	JIC_AUTO(jic_store) struct jic_store *s = try_open(&dir, true, &err);
	cr_assert(s);
	cr_expect_not(jic_store_sweep(s, 0, &removed, &err));
	cr_expect_eq(err.code, JIC_EUSAGE);
}

/* A small file system over the test's directory, seen by this test's process alone. */
static void mount_small(const struct temp *dir)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir->path, "tmpfs", 0, "size=8m") != 0)
		cr_skip_test("a small file system takes root to mount");
}

static bool upload_noise(struct jic_store *s, uint64_t seed, struct jic_error *err)
{
	static char noise[200000];
	struct jic_digest digest;
	uint64_t x = seed + 1;
	for (size_t i = 0; i < sizeof noise; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		noise[i] = (char)(x >> 56);
	}
	return forge_upload(s, jic_view_bytes(noise, sizeof noise), &digest, err);
}

Test(store, that_has_filled_its_disk_says_so_and_can_still_be_swept)
{
	CLEARED(temp) dir = temp_make();
	struct jic_error err = {0};
	uint64_t uploads = 0, removed = 0;
	mount_small(&dir);
	struct jic_store *s = forge_store(&dir);
	while (uploads < 100 && upload_noise(s, uploads, &err))
		uploads++;
	cr_expect(uploads > 20 && uploads < 50, "%llu", (unsigned long long)uploads);
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	cr_assert(jic_store_sweep(s, 0, &removed, &err), "%s", err.text);
	cr_expect_eq(removed, uploads);
	cr_expect(jic_store_ready(s, &err), "%s", err.text);
	cr_expect(upload_noise(s, 0, &err), "%s", err.text);
	jic_store_free(s);
	umount(dir.path);
}
