/* The cache of small blobs: what it gives, what it forgets, what it never exceeds. */
#include "server/http/blob_cache.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 1000 };

static int bytes_fd(char fill, size_t size)
{
	char bytes[SIZE];
	int fd = memfd_create("blob", MFD_CLOEXEC);
	cr_assert(fd >= 0);
	memset(bytes, fill, sizeof bytes);
	for (size_t left = size; left > 0; left -= left < SIZE ? left : SIZE)
		cr_assert(write(fd, bytes, left < SIZE ? left : SIZE) > 0);
	return fd;
}

static struct jic_blob_cache_key key(unsigned char viewer, unsigned char blob, uint64_t version)
{
	struct jic_blob_cache_key k = {.version = version};
	/* Each has a place of its own. */
	k.viewer.bytes[1] = viewer;
	k.blob.bytes[0] = blob;
	return k;
}

/* @return whether it was kept */
static bool put(struct jic_blob_cache *c, struct jic_blob_cache_key k, char fill)
{
	jic_autoclose int fd = bytes_fd(fill, SIZE);
	JIC_AUTO(jic_cached_blob) struct jic_cached_blob *b = jic_blob_cache_put(c, &k, fd, 7, SIZE);
	return b;
}

static char get(struct jic_blob_cache *c, struct jic_blob_cache_key k)
{
	JIC_AUTO(jic_cached_blob) struct jic_cached_blob *b = jic_blob_cache_get(c, &k);
	if (!b)
		return 0;
	cr_assert_eq(jic_cached_blob_size(b), 7);
	cr_assert_eq(jic_cached_blob_stored_size(b), SIZE);
	return jic_cached_blob_bytes(b)[SIZE - 1];
}

Test(blob_cache, gives_what_was_put_to_the_same_viewer_at_the_same_version_only)
{
	struct jic_blob_cache *c = jic_blob_cache_new(10 * SIZE, NULL);
	cr_assert_eq(get(c, key(1, 1, 5)), 0);
	cr_assert(put(c, key(1, 1, 5), 'a'));
	cr_assert_eq(get(c, key(1, 1, 5)), 'a');
	cr_assert_eq(get(c, key(2, 1, 5)), 0, "another viewer");
	cr_assert_eq(get(c, key(1, 2, 5)), 0, "another blob");
	cr_assert_eq(get(c, key(1, 1, 6)), 0, "something was committed");
	cr_assert_eq(get(c, key(1, 1, 4)), 0);
	cr_assert(put(c, key(1, 1, 6), 'b'));
	cr_assert_eq(get(c, key(1, 1, 6)), 'b');
	cr_assert_eq(get(c, key(1, 1, 5)), 0);
	jic_blob_cache_free(c);
}

Test(blob_cache, never_holds_more_than_its_limit)
{
	struct jic_blob_cache *c = jic_blob_cache_new(3 * SIZE, NULL);
	int kept = 0;
	for (unsigned char i = 0; i < 20; i++)
		cr_assert(put(c, key(1, i, 1), 'x'));
	for (unsigned char i = 0; i < 20; i++)
		kept += get(c, key(1, i, 1)) != 0;
	cr_assert_eq(kept, 3);
	jic_blob_cache_free(c);
}

Test(blob_cache, what_is_being_sent_counts_and_stays_whole)
{
	struct jic_blob_cache *c = jic_blob_cache_new(2 * SIZE, NULL);
	struct jic_cached_blob *sent[2];
	for (unsigned char i = 0; i < 2; i++) {
		const struct jic_blob_cache_key k = key(1, i, 1);
		cr_assert(put(c, k, (char)('a' + i)));
		sent[i] = jic_blob_cache_get(c, &k);
		cr_assert_not_null(sent[i]);
	}
	cr_assert_not(put(c, key(1, 9, 1), 'z'), "two are on their way");
	cr_assert_eq(jic_cached_blob_bytes(sent[0])[0], 'a');
	jic_cached_blob_unref(sent[0]);
	cr_assert(put(c, key(1, 9, 1), 'z'));
	jic_cached_blob_unref(sent[1]);
	jic_blob_cache_free(c);
}

Test(blob_cache, what_is_too_large_or_too_short_is_not_kept)
{
	struct jic_blob_cache *c = jic_blob_cache_new(JIC_CACHED_BLOB_BYTES_MAX * 2, NULL);
	jic_autoclose int large = bytes_fd('x', JIC_CACHED_BLOB_BYTES_MAX + 1), small = bytes_fd('x', SIZE);
	const struct jic_blob_cache_key k = key(1, 1, 1);
	cr_assert_null(jic_blob_cache_put(c, &k, large, 1, JIC_CACHED_BLOB_BYTES_MAX + 1));
	cr_assert_null(jic_blob_cache_put(c, &k, small, 1, SIZE + 1), "the file ends early");
	cr_assert_null(jic_blob_cache_get(c, &k));
	jic_blob_cache_free(c);
	struct jic_blob_cache *off = jic_blob_cache_new(0, NULL);
	cr_assert_not(put(off, k, 'x'));
	jic_blob_cache_free(off);
}
