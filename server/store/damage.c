#include "server/store/damage.h"

#include "common/zstream.h"
#include "server/store/internal.h"
#include "server/store/meter.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE_BYTES = 128 * 1024 };

struct reading {
	struct jic_store *store;
	jic_damage_pace_fn *pace; /* may be NULL */
	void *context;
	struct jic_meter meter;
};

static bool measure(void *context, struct jic_view bytes, struct jic_error *err)
{
	(void)err;
	jic_meter_put(context, bytes);
	return true;
}

static bool read_all(struct reading *r, int fd, struct jic_zdec *z, char *piece, struct jic_error *err)
{
	for (;;) {
		ssize_t n = read(fd, piece, PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jic_fail_errno(err, JIC_EIO, "read a blob");
		if (n == 0)
			return jic_zdec_finish(z, err);
		r->meter.blob.stored_size += (uint64_t)n;
		if (!jic_zdec_feed(z, jic_view_bytes(piece, (size_t)n), measure, &r->meter, err) ||
		    (r->pace && !r->pace(r->context, (uint64_t)n, err)))
			return false;
	}
}

static bool read_blob(struct reading *r, const struct jic_index_blob *row, struct jic_error *err)
{
	struct jic_store *s = r->store;
	/* Whatever the row says, it may be the row that is wrong. */
	uint64_t content_max = row->size > s->blob_bytes_max ? row->size : s->blob_bytes_max;
	uint64_t stored_size;
	jic_autoclose int fd = -1;
	jic_autofree char *piece = malloc(PIECE_BYTES);
	JIC_AUTO(jic_zdec) struct jic_zdec *z = jic_zdec_new(content_max, err);
	if (!z || !piece)
		return jic_fail(err, JIC_EMEMORY, "blob: out of memory");
	return s->blobs->ops->open(s->blobs, &row->digest, &fd, &stored_size, err) && read_all(r, fd, z, piece, err);
}

/* Too many open files, or no right to read, say nothing of the blob. */
static bool is_of_the_disk(const struct jic_error *why)
{
	return why->code == JIC_EIO && (why->sys == EIO || why->sys == EISDIR || why->sys == ELOOP ||
	                                why->sys == EBADMSG || why->sys == EUCLEAN);
}

static enum jic_damage damage_of(const struct jic_error *why)
{
	if (why->code == JIC_ENOTFOUND)
		return JIC_DAMAGE_MISSING;
	if (why->code == JIC_EFORMAT || why->code == JIC_ELIMIT)
		return JIC_DAMAGE_CONTENT;
	return is_of_the_disk(why) ? JIC_DAMAGE_UNREADABLE : JIC_DAMAGE_NONE;
}

static enum jic_damage compare(const struct jic_index_blob *row, const struct jic_index_blob *found,
                               const struct jic_digest *digest, struct jic_error *why)
{
	if (!jic_digest_eq(digest, &row->digest)) {
		char hex[JIC_DIGEST_HEX + 1];
		jic_digest_hex(digest, hex);
		(void)jic_fail(why, JIC_ECORRUPT, "the content is %s", hex);
		return JIC_DAMAGE_CONTENT;
	}
	if (found->size == row->size && found->stored_size == row->stored_size && found->crc32c == row->crc32c &&
	    found->crc32c_head == row->crc32c_head && memcmp(found->tail, row->tail, sizeof row->tail) == 0)
		return JIC_DAMAGE_NONE;
	(void)jic_fail(why, JIC_ECORRUPT,
	               "the index says %llu bytes, %llu stored, checksum %08x; there are %llu, %llu, %08x",
	               (unsigned long long)row->size, (unsigned long long)row->stored_size, row->crc32c,
	               (unsigned long long)found->size, (unsigned long long)found->stored_size, found->crc32c);
	return JIC_DAMAGE_FACTS;
}

static bool explain(const struct jic_error *failure, enum jic_damage *out, struct jic_error *why, struct jic_error *err)
{
	*out = damage_of(failure);
	struct jic_error *to = *out == JIC_DAMAGE_NONE ? err : why;
	if (to)
		*to = *failure;
	return *out != JIC_DAMAGE_NONE;
}

static void reading_clear(struct reading *r)
{
	jic_meter_clear(&r->meter);
}

bool jic_damage_find(struct jic_store *s, const struct jic_index_blob *row, jic_damage_pace_fn *pace, void *context,
                     enum jic_damage *out, struct jic_error *why, struct jic_error *err)
{
	JIC_CLEAR(reading) struct reading r = {.store = s, .pace = pace, .context = context};
	struct jic_error failure = {0};
	struct jic_digest digest;
	if (!jic_meter_begin(&r.meter, err))
		return false;
	if (!read_blob(&r, row, &failure))
		return explain(&failure, out, why, err);
	jic_meter_end(&r.meter, &digest);
	*out = compare(row, &r.meter.blob, &digest, why);
	return true;
}
