/* Uploads: what is measured, what is refused, and what is left behind. */
#include "common/crc32c.h"
#include "common/zstream.h"
#include "server/store/internal.h"
#include "tests/support/forge.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

enum { BLOB_BYTES_MAX = 1 << 20 }; /* of forge_store() */

/* Bytes that do not compress, the same each time. */
static void put_noise(struct jic_buf *b, size_t len)
{
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		jic_buf_u8(b, (uint8_t)x);
	}
}

static bool upload(struct jic_store *s, const struct jic_digest *digest, struct jic_view bytes, bool is_zstd,
                   size_t piece, bool *created, struct jic_error *err)
{
	JIC_AUTO(jic_store_upload)
	struct jic_store_upload *u = jic_store_upload_new(s, digest, is_zstd, JIC_VIEW(""), err);
	if (!u)
		return false;
	for (size_t i = 0; i < bytes.len; i += piece)
		if (!jic_store_upload_put(u, jic_view_head(jic_view_skip(bytes, i), piece), err))
			return false;
	return jic_store_upload_finish(u, created, err);
}

static struct jic_index_counts counts(struct jic_store *s)
{
	struct jic_error err = {0};
	struct jic_index_counts c;
	cr_assert(jic_store_index(s)->ops->counts(jic_store_index(s), &c, &err), "%s", err.text);
	return c;
}

static bool count_one(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	(void)entry;
	(void)err;
	++*(size_t *)context;
	return true;
}

static bool remember_name(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)dirfd;
	(void)name;
	(void)err;
	++*(size_t *)context;
	return true;
}

static void expect_nothing_left(struct jic_store *s, const struct temp *dir)
{
	struct jic_error err = {0};
	size_t files = 0;
	cr_assert(s->blobs->ops->each(s->blobs, count_one, &files, &err));
	cr_assert(jic_dir_each(at(dir->path, "tmp"), remember_name, &files, &err));
	cr_expect_eq(files, 0);
	cr_expect_eq(counts(s).blobs, 0);
}

static void expect_content(struct jic_store *s, const struct jic_digest *digest, struct jic_view content)
{
	struct jic_error err = {0};
	struct jic_store_blob blob;
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0};
	cr_assert(jic_store_blob_open(s, digest, &blob, &err), "%s", err.text);
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	cr_assert(jic_map_fd(blob.fd, SIZE_MAX, &map, &err), "%s", err.text);
	close(blob.fd);
	cr_expect_eq(map.view.len, blob.stored_size);
	cr_expect_eq(blob.size, content.len);
	cr_assert(jic_zstd_decompress(map.view, content.len, &plain, &err), "%s", err.text);
	cr_expect(jic_view_eq(jic_buf_view(&plain), content));
}

Test(upload, measures_content_of_every_length_however_it_is_cut)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_buf) struct jic_buf noise = {0};
	put_noise(&noise, 64);
	for (size_t len = 0; len <= 24; len++) {
		struct jic_view content = jic_view_head(jic_buf_view(&noise), len);
		struct jic_digest digest;
		struct jic_index_blob got;
		struct jic_error err = {0};
		bool created = false;
		jic_sha256_of(content, &digest);
		cr_assert(upload(s, &digest, content, false, len % 7 + 1, &created, &err), "%s", err.text);
		cr_expect(created);
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, &err);
		cr_assert(t && t->ops->blob_find(t, &digest, &got, &err), "%s", err.text);
		size_t head = len < 4 ? 0 : len - 4, tail = len < 8 ? len : 8;
		cr_expect_eq(got.size, len);
		cr_expect_eq(got.crc32c, jic_crc32c(0, content.ptr, len), "%zu", len);
		cr_expect_eq(got.crc32c_head, jic_crc32c(0, content.ptr, head), "%zu", len);
		cr_expect_eq(memcmp(got.tail + 8 - tail, content.ptr + len - tail, tail), 0, "%zu", len);
		expect_content(s, &digest, content);
	}
}

Test(upload, of_a_blob_that_is_there_is_no_error_and_creates_nothing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_digest digest;
	struct jic_error err = {0};
	bool created = false;
	jic_sha256_of(JIC_VIEW("abc"), &digest);
	cr_assert(upload(s, &digest, JIC_VIEW("abc"), false, 3, &created, &err));
	cr_expect(created);
	cr_assert(upload(s, &digest, JIC_VIEW("abc"), false, 3, &created, &err));
	cr_expect_not(created);
	cr_expect_eq(counts(s).blobs, 1);
}

Test(upload, keeps_the_clients_own_zstd_bytes)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_buf) struct jic_buf noise = {0};
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	struct jic_digest digest;
	struct jic_store_blob blob;
	struct jic_error err = {0};
	bool created;
	put_noise(&noise, 300000);
	jic_sha256_of(jic_buf_view(&noise), &digest);
	cr_assert(jic_zstd_compress(jic_buf_view(&noise), 1, &packed, &err));
	cr_assert(upload(s, &digest, jic_buf_view(&packed), true, 10007, &created, &err), "%s", err.text);
	expect_content(s, &digest, jic_buf_view(&noise));
	cr_assert(jic_store_blob_open(s, &digest, &blob, &err));
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	cr_assert(jic_map_fd(blob.fd, SIZE_MAX, &map, &err));
	close(blob.fd);
	cr_expect(jic_view_eq(map.view, jic_buf_view(&packed)));
}

struct refusal {
	const char *what;
	enum jic_code code;
	struct jic_view bytes;
	struct jic_digest digest;
	bool is_zstd;
};

static void expect_refused(const struct refusal *r)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_error err = {0};
	bool created;
	cr_assert_not(upload(s, &r->digest, r->bytes, r->is_zstd, 65536, &created, &err), "%s", r->what);
	cr_expect_eq(err.code, r->code, "%s: %s", r->what, err.text);
	expect_nothing_left(s, &dir);
}

Test(upload, of_other_bytes_than_the_digest_says_is_refused)
{
	struct refusal r = {.what = "digest", .code = JIC_ECORRUPT, .bytes = JIC_VIEW("abd")};
	jic_sha256_of(JIC_VIEW("abc"), &r.digest);
	expect_refused(&r);
}

Test(upload, over_the_limit_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf noise = {0};
	put_noise(&noise, BLOB_BYTES_MAX + 1);
	struct refusal r = {.what = "too big", .code = JIC_ELIMIT, .bytes = jic_buf_view(&noise)};
	jic_sha256_of(r.bytes, &r.digest);
	expect_refused(&r);
}

Test(upload, of_exactly_the_limit_is_taken)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_buf) struct jic_buf noise = {0};
	struct jic_digest digest;
	struct jic_error err = {0};
	bool created;
	put_noise(&noise, BLOB_BYTES_MAX);
	jic_sha256_of(jic_buf_view(&noise), &digest);
	cr_expect(upload(s, &digest, jic_buf_view(&noise), false, 65536, &created, &err), "%s", err.text);
}

Test(upload, of_a_small_frame_that_unpacks_over_the_limit_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf zeros = {0};
	JIC_CLEAR(jic_buf) struct jic_buf bomb = {0};
	struct jic_error err = {0};
	cr_assert(jic_buf_reserve(&zeros, 50 << 20));
	memset(zeros.ptr, 0, 50 << 20);
	zeros.len = 50 << 20;
	cr_assert(jic_zstd_compress(jic_buf_view(&zeros), 3, &bomb, &err));
	struct refusal r = {.what = "bomb", .code = JIC_ELIMIT, .bytes = jic_buf_view(&bomb), .is_zstd = true};
	jic_sha256_of(jic_buf_view(&zeros), &r.digest);
	expect_refused(&r);
}

Test(upload, of_padding_without_end_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf padding = {0};
	struct jic_digest empty;
	/* Skippable frames (RFC 8878 §3.1.2) of 64 KiB: content none, bytes many. */
	for (int i = 0; i < 20; i++) {
		jic_buf_u32le(&padding, 0x184d2a50);
		jic_buf_u32le(&padding, 65536);
		put_noise(&padding, 65536);
	}
	struct refusal r = {.what = "padding", .code = JIC_ELIMIT, .bytes = jic_buf_view(&padding), .is_zstd = true};
	jic_sha256_of(JIC_VIEW(""), &empty);
	r.digest = empty;
	expect_refused(&r);
}

Test(upload, of_bad_zstd_is_refused)
{
	struct refusal r = {
	    .what = "no zstd", .code = JIC_EFORMAT, .bytes = JIC_VIEW("this is not zstd at all"), .is_zstd = true};
	expect_refused(&r);
}

Test(upload, of_half_a_frame_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	struct jic_error err = {0};
	cr_assert(jic_zstd_compress(JIC_VIEW("some content"), 3, &packed, &err));
	struct refusal r = {.what = "half", .code = JIC_EFORMAT, .is_zstd = true};
	r.bytes = jic_view_head(jic_buf_view(&packed), packed.len - 3);
	jic_sha256_of(JIC_VIEW("some content"), &r.digest);
	expect_refused(&r);
}

Test(upload, that_is_given_up_leaves_nothing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	struct jic_error err = {0};
	struct jic_digest digest = {0};
	struct jic_store_upload *u = jic_store_upload_new(s, &digest, false, JIC_VIEW(""), &err);
	cr_assert(u && jic_store_upload_put(u, JIC_VIEW("abc"), &err));
	jic_store_upload_free(u);
	jic_store_upload_free(NULL);
	expect_nothing_left(s, &dir);
}

Test(upload, onto_a_full_disk_fails_and_leaves_nothing)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_buf) struct jic_buf noise = {0};
	struct jic_digest digest;
	struct jic_error err = {0};
	struct rlimit small = {.rlim_cur = 300000, .rlim_max = RLIM_INFINITY};
	struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	bool created;
	put_noise(&noise, 900000);
	jic_sha256_of(jic_buf_view(&noise), &digest);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_expect_not(upload(s, &digest, jic_buf_view(&noise), false, 65536, &created, &err));
	cr_expect(err.text[0]);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	expect_nothing_left(s, &dir);
	cr_expect(upload(s, &digest, jic_buf_view(&noise), false, 65536, &created, &err), "and goes on: %s", err.text);
}
