/*
 * Pull decompression. jic_zdec pushes: a small piece of input can become hundreds of megabytes of output, which would
 * have to wait in memory for a slow client. Here libzstd stops when the given room is full.
 */
#include "server/http/blob_reader.h"

#include "common/zstream.h"

#include <errno.h>
#include <unistd.h>
#include <zstd.h>

enum {
	INPUT_BYTES = 64 * 1024,
	SKIP_BYTES = 64 * 1024,
	SKIPS_PER_CALL = 64, /* 4 MiB: some milliseconds, in which other connections of the thread wait */
};

struct jic_blob_reader {
	int fd;
	uint64_t skip; /* content still to drop */
	ZSTD_DCtx *context;
	ZSTD_inBuffer in;
	char *input, *skipped;  /* INPUT_BYTES and SKIP_BYTES */
	struct jic_sha256 *sha; /* NULL: the digest is not compared */
	struct jic_digest digest;
	uint64_t left; /* of the content that is compared */
};

struct jic_blob_reader *jic_blob_reader_new(int fd, uint64_t first, struct jic_error *err)
{
	struct jic_blob_reader *r = calloc(1, sizeof *r);
	if (!r) {
		close(fd);
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	r->fd = fd;
	r->skip = first;
	return r;
}

bool jic_blob_reader_verify(struct jic_blob_reader *r, const struct jic_digest *digest, uint64_t size,
                            struct jic_error *err)
{
	r->digest = *digest;
	r->left = size;
	r->sha = jic_sha256_new();
	return r->sha || jic_fail(err, JIC_EMEMORY, "out of memory");
}

void jic_blob_reader_free(struct jic_blob_reader *r)
{
	if (!r)
		return;
	close(r->fd);
	ZSTD_freeDCtx(r->context);
	jic_sha256_free(r->sha);
	free(r->input);
	free(r->skipped);
	free(r);
}

static bool prepare(struct jic_blob_reader *r, struct jic_error *err)
{
	if (r->context)
		return true;
	r->input = malloc(INPUT_BYTES);
	r->skipped = r->skip ? malloc(SKIP_BYTES) : NULL;
	ZSTD_DCtx *context = ZSTD_createDCtx();
	bool ready = r->input && context && (!r->skip || r->skipped) &&
	             !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, JIC_ZSTD_WINDOW_LOG_MAX));
	r->context = context;
	r->in.src = r->input;
	return ready || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool refill(struct jic_blob_reader *r, struct jic_error *err)
{
	ssize_t got;
	do {
		got = read(r->fd, r->input, INPUT_BYTES);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return jic_fail_errno(err, JIC_EIO, "read blob");
	r->in.size = (size_t)got;
	r->in.pos = 0;
	return got > 0 || jic_fail(err, JIC_EFORMAT, "the stored blob ends early");
}

/* At least one byte of content. */
static bool decompress(struct jic_blob_reader *r, char *out, size_t room, size_t *len, struct jic_error *err)
{
	ZSTD_outBuffer to = {.dst = out, .size = room};
	/* The first call may have output left inside from before: it comes without new input. */
	for (;;) {
		size_t status = ZSTD_decompressStream(r->context, &to, &r->in);
		if (ZSTD_isError(status))
			return jic_fail(err, JIC_EFORMAT, "stored blob: %s", ZSTD_getErrorName(status));
		*len = to.pos;
		if (to.pos > 0)
			return true;
		if (r->in.pos == r->in.size && !refill(r, err))
			return false;
	}
}

static bool skip_some(struct jic_blob_reader *r, struct jic_error *err)
{
	for (int i = 0; i < SKIPS_PER_CALL && r->skip > 0; i++) {
		size_t len, room = r->skip < SKIP_BYTES ? (size_t)r->skip : SKIP_BYTES;
		if (!decompress(r, r->skipped, room, &len, err))
			return false;
		r->skip -= len;
	}
	return true;
}

/* The last piece is what makes an answer complete: it is held back from a reader of other bytes than the digest's. */
static bool compare(struct jic_blob_reader *r, const char *out, size_t len, struct jic_error *err)
{
	struct jic_digest found;
	if (!r->sha)
		return true;
	jic_sha256_update(r->sha, out, len);
	r->left -= len < r->left ? len : r->left;
	if (r->left)
		return true;
	jic_sha256_final(r->sha, &found);
	return jic_digest_eq(&found, &r->digest) ||
	       jic_fail(err, JIC_ECORRUPT, "the stored blob is not what its digest says");
}

bool jic_blob_reader_read(struct jic_blob_reader *r, char *out, size_t room, size_t *len, struct jic_error *err)
{
	*len = 0;
	if (!prepare(r, err) || !skip_some(r, err))
		return false;
	return r->skip > 0 || (decompress(r, out, room, len, err) && compare(r, out, *len, err));
}
