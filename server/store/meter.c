#include "server/store/meter.h"

#include "common/crc32c.h"

enum {
	TRAILER_BYTES = 4, /* what crc32c_head leaves out */
};

bool jic_meter_begin(struct jic_meter *m, struct jic_error *err)
{
	m->sha = jic_sha256_new();
	return m->sha || jic_fail(err, JIC_EMEMORY, "blob: out of memory");
}

void jic_meter_clear(struct jic_meter *m)
{
	jic_sha256_free(m->sha);
	m->sha = NULL;
}

static size_t held_back(const struct jic_index_blob *b)
{
	return b->size < TRAILER_BYTES ? (size_t)b->size : TRAILER_BYTES;
}

/* The last TRAILER_BYTES so far are held back from crc32c_head: only the end shows that they were the last. */
static void meter_crc(struct jic_index_blob *b, struct jic_view bytes)
{
	size_t held = held_back(b);
	size_t settled = bytes.len + held > TRAILER_BYTES ? bytes.len + held - TRAILER_BYTES : 0;
	size_t from_held = settled < held ? settled : held;
	b->crc32c_head = jic_crc32c(b->crc32c_head, b->tail + sizeof b->tail - held, from_held);
	b->crc32c_head = jic_crc32c(b->crc32c_head, bytes.ptr, settled - from_held);
}

static void meter_tail(struct jic_index_blob *b, struct jic_view bytes)
{
	size_t fresh = bytes.len < sizeof b->tail ? bytes.len : sizeof b->tail;
	memmove(b->tail, b->tail + fresh, sizeof b->tail - fresh);
	memcpy(b->tail + sizeof b->tail - fresh, bytes.ptr + bytes.len - fresh, fresh);
}

void jic_meter_put(struct jic_meter *m, struct jic_view content)
{
	if (!content.len)
		return;
	jic_sha256_update(m->sha, content.ptr, content.len);
	meter_crc(&m->blob, content);
	meter_tail(&m->blob, content);
	m->blob.size += content.len;
}

void jic_meter_end(struct jic_meter *m, struct jic_digest *digest)
{
	struct jic_index_blob *b = &m->blob;
	size_t held = held_back(b);
	b->crc32c = jic_crc32c(b->crc32c_head, b->tail + sizeof b->tail - held, held);
	jic_sha256_final(m->sha, digest);
}
