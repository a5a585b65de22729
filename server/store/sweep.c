/*
 * What nobody refers to: blobs whose publish never came, and bytes without a row, which a crash between rename and
 * commit leaves. An artefact refers to a blob in the transaction that publishes it, so a row that is still unused can
 * go.
 */
#include "server/store/internal.h"

enum {
	BATCH = 256, /* blobs for which uploads have to wait at a time */
};

struct sweep {
	struct jic_store *store;
	uint64_t until_s; /* what came later stays */
	uint64_t removed;
};

static bool remove_bytes(struct sweep *w, const struct jic_digest *digests, size_t count, struct jic_error *err)
{
	struct jic_blobs *b = w->store->blobs;
	for (size_t i = 0; i < count; i++) {
		if (!b->ops->remove(b, &digests[i], err))
			return false;
		w->removed++;
	}
	return true;
}

/* Rows first: a crash in between leaves bytes without a row, which the next sweep finds. */
static bool sweep_rows_locked(struct sweep *w, size_t *count, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_index *ix = w->store->index;
	const struct jic_digest *digests = NULL;
	*count = 0;
	{
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
		if (!t || !t->ops->blobs_delete_unused(t, w->until_s, BATCH, &arena, &digests, count, err) ||
		    !t->ops->commit(t, err))
			return false;
	}
	return remove_bytes(w, digests, *count, err);
}

static bool sweep_rows(struct sweep *w, struct jic_error *err)
{
	size_t count = BATCH;
	bool ok = true;
	while (ok && count == BATCH) {
		jic_blobs_lock_exclusive(w->store);
		ok = sweep_rows_locked(w, &count, err);
		jic_blobs_unlock_exclusive(w->store);
	}
	return ok;
}

static bool sweep_orphan_locked(struct sweep *w, const struct jic_digest *digest, struct jic_error *err)
{
	struct jic_index *ix = w->store->index;
	struct jic_index_blob blob;
	struct jic_error why = {.code = JIC_OK};
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	if (!t || t->ops->blob_find(t, digest, &blob, &why))
		return t != NULL;
	if (why.code == JIC_ENOTFOUND)
		return remove_bytes(w, digest, 1, err);
	if (err)
		*err = why;
	return false;
}

static bool sweep_orphan(void *context, const struct jic_blobs_entry *entry, struct jic_error *err)
{
	struct sweep *w = context;
	if (entry->created_s > w->until_s)
		return true;
	jic_blobs_lock_exclusive(w->store);
	bool ok = sweep_orphan_locked(w, &entry->digest, err);
	jic_blobs_unlock_exclusive(w->store);
	return ok;
}

static bool sweep_uploads(const struct sweep *w, struct jic_error *err)
{
	struct jic_index *ix = w->store->index;
	size_t count = BATCH;
	while (count == BATCH) {
		JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_WRITE, err);
		if (!t || !t->ops->uploads_delete(t, w->until_s, BATCH, &count, err) || !t->ops->commit(t, err))
			return false;
	}
	return true;
}

bool jic_store_sweep(struct jic_store *s, uint64_t age_s, uint64_t *removed, struct jic_error *err)
{
	uint64_t now_s = jic_store_now_s();
	struct sweep w = {.store = s, .until_s = now_s > age_s ? now_s - age_s : 0};
	if (s->admin)
		return jic_fail(err, JIC_EUSAGE,
		                "sweep: only the serving process may, uploads of another are not seen");
	bool ok = sweep_rows(&w, err) && sweep_uploads(&w, err) && s->blobs->ops->each(s->blobs, sweep_orphan, &w, err);
	*removed = w.removed;
	if (w.removed)
		jic_log_info(s->log, "store.sweep", JIC_U64("removed", w.removed), JIC_U64("age_s", age_s));
	return ok || jic_wrap(err, "sweep");
}
