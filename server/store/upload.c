/*
 * One pass over what a client sends, in bounded memory:
 *
 *     content  → meter (size, SHA-256, CRCs) and → zstd → sink
 *     zstd     → sink as it is and → decompress → meter
 *
 * The client's own zstd bytes are kept when they decompress, in whole, to what the digest promises.
 */
#include "server/store/internal.h"

#include "common/zstream.h"
#include "server/store/meter.h"
#include "server/store/space.h"

#include <stdatomic.h>

struct jic_store_upload {
	struct jic_store *store;
	struct jic_meter meter;
	struct jic_zenc *zenc; /* content arrives */
	struct jic_zdec *zdec; /* zstd arrives */
	struct jic_blob_sink *sink;
	char *holder; /* NULL: nobody */
};

void jic_store_upload_free(struct jic_store_upload *u)
{
	if (!u)
		return;
	jic_meter_clear(&u->meter);
	jic_zenc_free(u->zenc);
	jic_zdec_free(u->zdec);
	jic_blob_sink_free(u->sink);
	jic_space_arrived(u->store, u->meter.blob.stored_size);
	atomic_fetch_sub(&u->store->space.uploads, 1);
	free(u->holder);
	free(u);
}

static bool prepare(struct jic_store_upload *u, bool is_zstd, struct jic_error *err)
{
	if (!jic_meter_begin(&u->meter, err))
		return false;
	if (is_zstd)
		u->zdec = jic_zdec_new(u->store->blob_bytes_max, err);
	else
		u->zenc = jic_zenc_new(JIC_ZSTD_LEVEL, err);
	if (!u->zdec && !u->zenc)
		return false;
	u->sink = u->store->blobs->ops->sink_new(u->store->blobs, err);
	return u->sink != NULL;
}

struct jic_store_upload *jic_store_upload_new(struct jic_store *s, const struct jic_digest *digest, bool is_zstd,
                                              struct jic_view holder, struct jic_error *err)
{
	JIC_AUTO(jic_store_upload) struct jic_store_upload *u = calloc(1, sizeof *u);
	if (!u) {
		jic_fail(err, JIC_EMEMORY, "upload: out of memory");
		return NULL;
	}
	u->store = s;
	atomic_fetch_add(&s->space.uploads, 1);
	u->meter.blob.digest = *digest;
	u->holder = holder.len ? jic_strdup_view(holder) : NULL;
	if (holder.len && !u->holder) {
		jic_fail(err, JIC_EMEMORY, "upload: out of memory");
		return NULL;
	}
	if (!jic_space_look(s, err) || !jic_space_check(s, err) || !prepare(u, is_zstd, err))
		return NULL;
	return JIC_TAKE(u);
}

static bool meter(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct jic_store_upload *u = context;
	if (bytes.len > u->store->blob_bytes_max - u->meter.blob.size)
		return jic_fail(err, JIC_ELIMIT, "upload: more than %llu bytes",
		                (unsigned long long)u->store->blob_bytes_max);
	jic_meter_put(&u->meter, bytes);
	return true;
}

static bool keep(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct jic_store_upload *u = context;
	/* zstd that is longer than its content can be by itself is padding, and would fill the disk beside the limit.
	 */
	uint64_t stored_max = u->store->blob_bytes_max + u->store->blob_bytes_max / 128 + 1024;
	u->meter.blob.stored_size += bytes.len;
	jic_space_arriving(u->store, bytes.len);
	if (u->meter.blob.stored_size > stored_max)
		return jic_fail(err, JIC_ELIMIT, "upload: more than %llu bytes of zstd",
		                (unsigned long long)stored_max);
	return jic_space_check(u->store, err) && u->sink->ops->sink_put(u->sink, bytes, err);
}

bool jic_store_upload_put(struct jic_store_upload *u, struct jic_view bytes, struct jic_error *err)
{
	if (u->zdec)
		return jic_zdec_feed(u->zdec, bytes, meter, u, err) && keep(u, bytes, err);
	return meter(u, bytes, err) && jic_zenc_feed(u->zenc, bytes, keep, u, err);
}

static bool check_digest(struct jic_store_upload *u, struct jic_error *err)
{
	struct jic_digest found;
	jic_meter_end(&u->meter, &found);
	if (jic_digest_eq(&found, &u->meter.blob.digest))
		return true;
	char promised_hex[JIC_DIGEST_HEX + 1], found_hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(&u->meter.blob.digest, promised_hex);
	jic_digest_hex(&found, found_hex);
	return jic_fail(err, JIC_ECORRUPT, "upload: the bytes are %s, not %s", found_hex, promised_hex);
}

static bool find_row(struct jic_store_upload *u, bool *there, struct jic_error *err)
{
	struct jic_index *ix = u->store->index;
	struct jic_index_blob blob;
	struct jic_error why;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	if (!t)
		return false;
	*there = t->ops->blob_find(t, &u->meter.blob.digest, &blob, &why);
	if (*there || why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool note_holder(const struct jic_store_upload *u, struct jic_index_txn *t, struct jic_error *err)
{
	const struct jic_index_blob *blob = &u->meter.blob;
	return !u->holder || t->ops->upload_put(t, &blob->digest, jic_view_of(u->holder), blob->created_s, err);
}

/* @param there the row is: only who sent the bytes is new */
static bool put_rows(struct jic_store_upload *u, bool there, bool *created, struct jic_error *err)
{
	struct jic_index *ix = u->store->index;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
	return t && (there || t->ops->blob_put(t, &u->meter.blob, created, err)) && note_holder(u, t, err) &&
	       t->ops->commit(t, err);
}

/* With blobs_lock held shared. The rows come after the bytes: what the index knows can be read. */
static bool make_visible_locked(struct jic_store_upload *u, bool *created, struct jic_error *err)
{
	bool there = false;
	*created = false;
	if (!find_row(u, &there, err))
		return false;
	if (there && !u->holder)
		return true;
	return (there || u->sink->ops->sink_commit(u->sink, &u->meter.blob.digest, err)) &&
	       put_rows(u, there, created, err);
}

bool jic_store_upload_finish(struct jic_store_upload *u, bool *created, struct jic_error *err)
{
	bool complete = u->zdec ? jic_zdec_finish(u->zdec, err) : jic_zenc_finish(u->zenc, keep, u, err);
	if (!complete || !check_digest(u, err))
		return false;
	u->meter.blob.created_s = jic_store_now_s();
	jic_blobs_lock_shared(u->store);
	bool ok = make_visible_locked(u, created, err);
	jic_blobs_unlock_shared(u->store);
	/* What came is right: it is the index that makes no sense. */
	if (!ok && err && err->code == JIC_ECORRUPT)
		err->code = JIC_EIO;
	if (ok && *created)
		jic_space_stored(u->store, u->meter.blob.stored_size);
	return ok;
}
