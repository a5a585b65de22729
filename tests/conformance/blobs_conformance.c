/* Cases over the interface alone. */
#include "tests/conformance/blobs_conformance.h"

#include "common/file.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

static struct jic_digest digest_of(const char *text)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_of(text), &d);
	return d;
}

static struct jic_blob_sink *sink_with(struct jic_blobs *b, const char *content)
{
	struct jic_error err = {0};
	struct jic_blob_sink *k = b->ops->sink_new(b, &err);
	cr_assert(k, "%s", err.text);
	cr_assert(b->ops->sink_put(k, jic_view_of(content), &err), "%s", err.text);
	return k;
}

static void put(struct jic_blobs *b, const char *content)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of(content);
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *k = sink_with(b, content);
	cr_assert(b->ops->sink_commit(k, &digest, &err), "%s", err.text);
}

static bool count_one(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	(void)entry;
	(void)err;
	++*(size_t *)context;
	return true;
}

static size_t count_of(struct jic_blobs *b)
{
	struct jic_error err = {0};
	size_t count = 0;
	cr_assert(b->ops->each(b, count_one, &count, &err), "%s", err.text);
	return count;
}

static void expect_absent(struct jic_blobs *b, const char *content)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of(content);
	uint64_t size;
	int fd = -1;
	cr_assert_not(b->ops->open(b, &digest, &fd, &size, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
	cr_expect_eq(fd, -1);
}

static int open_blob(struct jic_blobs *b, const char *content, uint64_t *size)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of(content);
	int fd = -1;
	cr_assert(b->ops->open(b, &digest, &fd, size, &err), "%s", err.text);
	return fd;
}

static void expect_bytes(int fd, uint64_t size, const char *content)
{
	char bytes[64];
	cr_assert_eq(size, strlen(content));
	cr_assert_eq(read(fd, bytes, sizeof bytes), (ssize_t)strlen(content));
	cr_expect_eq(memcmp(bytes, content, strlen(content)), 0);
}

void blobs_conformance_fresh_blobs_are_ready_and_empty(struct jic_blobs *b)
{
	struct jic_error err = {0};
	cr_expect(b->ops->ready(b, &err), "%s", err.text);
	cr_expect_eq(count_of(b), 0);
	expect_absent(b, "a");
}

void blobs_conformance_a_committed_blob_is_read_as_it_was_put(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of("one two");
	JIC_AUTO(jic_blob_sink) struct jic_blob_sink *k = sink_with(b, "one ");
	cr_assert(b->ops->sink_put(k, JIC_VIEW("two"), &err));
	cr_assert(b->ops->sink_commit(k, &digest, &err), "%s", err.text);
	uint64_t size;
	jic_autoclose int fd = open_blob(b, "one two", &size);
	expect_bytes(fd, size, "one two");
}

void blobs_conformance_an_empty_blob_is_a_blob(struct jic_blobs *b)
{
	put(b, "");
	uint64_t size = 99;
	jic_autoclose int fd = open_blob(b, "", &size);
	expect_bytes(fd, size, "");
}

void blobs_conformance_nobody_sees_a_blob_before_its_commit(struct jic_blobs *b)
{
	struct jic_blob_sink *k = sink_with(b, "early");
	expect_absent(b, "early");
	cr_expect_eq(count_of(b), 0);
	jic_blob_sink_free(k);
}

void blobs_conformance_a_sink_without_a_commit_leaves_nothing(struct jic_blobs *b)
{
	jic_blob_sink_free(sink_with(b, "given up"));
	jic_blob_sink_free(NULL);
	expect_absent(b, "given up");
	cr_expect_eq(count_of(b), 0);
}

void blobs_conformance_committing_a_digest_twice_is_no_error(struct jic_blobs *b)
{
	put(b, "twice");
	put(b, "twice");
	cr_expect_eq(count_of(b), 1);
}

void blobs_conformance_a_removed_blob_is_gone_but_who_has_it_open_keeps_reading(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of("going");
	put(b, "going");
	uint64_t size;
	jic_autoclose int fd = open_blob(b, "going", &size);
	cr_assert(b->ops->remove(b, &digest, &err), "%s", err.text);
	expect_absent(b, "going");
	expect_bytes(fd, size, "going");
	cr_expect(b->ops->remove(b, &digest, &err), "removing again: %s", err.text);
}

void blobs_conformance_a_blob_in_quarantine_is_gone_for_readers(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct jic_digest digest = digest_of("suspect");
	put(b, "suspect");
	cr_assert(b->ops->quarantine(b, &digest, &err), "%s", err.text);
	expect_absent(b, "suspect");
	cr_expect_eq(count_of(b), 0);
	cr_expect(b->ops->quarantine(b, &digest, &err), "when it is gone: %s", err.text);
	put(b, "suspect");
	cr_expect(b->ops->quarantine(b, &digest, &err), "once more: %s", err.text);
	expect_absent(b, "suspect");
}

struct seen {
	struct jic_digest wanted;
	size_t matches, total;
};

static bool note(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	struct seen *s = context;
	(void)err;
	s->total++;
	if (jic_digest_eq(&entry->digest, &s->wanted)) {
		s->matches++;
		cr_expect_eq(entry->stored_size, 4);
		cr_expect_gt(entry->created_s, 1500000000);
	}
	return true;
}

static bool stop(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	(void)entry;
	++*(size_t *)context;
	return jic_fail(err, JIC_EBUSY, "enough");
}

void blobs_conformance_each_names_every_blob_and_passes_a_failure_up(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct seen seen = {.wanted = digest_of("four")};
	size_t calls = 0;
	put(b, "four");
	for (int i = 0; i < 40; i++) {
		char content[32];
		snprintf(content, sizeof content, "blob %d", i);
		put(b, content);
	}
	cr_assert(b->ops->each(b, note, &seen, &err), "%s", err.text);
	cr_expect_eq(seen.total, 41);
	cr_expect_eq(seen.matches, 1);
	cr_expect_not(b->ops->each(b, stop, &calls, &err));
	cr_expect_eq(err.code, JIC_EBUSY);
	cr_expect_eq(calls, 1);
}

void blobs_conformance_scratch_files_have_no_name(struct jic_blobs *b)
{
	struct jic_error err = {0};
	struct stat st;
	jic_autoclose int fd = b->ops->scratch(b, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	cr_expect(jic_write_all(fd, "scratch", 7, &err));
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(st.st_size, 7);
	cr_expect_eq(count_of(b), 0);
}
