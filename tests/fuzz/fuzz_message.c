/*
 * Foreign JSON into every reader of the protocol. The first byte picks the message. Property: what a reader accepts is
 * written, read again and written again as the same bytes.
 */
#include "common/message_lease.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads, writes into `out`; false when the reader refuses. What was read must be writable. */
#define DEFINE_COPY(name)                                                                                              \
	static bool copy_##name(struct jic_view json, struct jic_buf *out)                                             \
	{                                                                                                              \
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};                                                     \
		struct jic_msg_##name m;                                                                               \
		struct jic_error err = {0};                                                                            \
		if (!jic_msg_##name##_read(json, &arena, &m, &err)) {                                                  \
			JIC_ASSERT(err.code != JIC_OK && err.text[0]);                                                 \
			return false;                                                                                  \
		}                                                                                                      \
		JIC_ASSERT(jic_msg_##name##_write(&m, out, &err));                                                     \
		return true;                                                                                           \
	}

DEFINE_COPY(resolve)
DEFINE_COPY(resolved)
DEFINE_COPY(publish)
DEFINE_COPY(published)
DEFINE_COPY(info)
DEFINE_COPY(problem)
DEFINE_COPY(explain)
DEFINE_COPY(explained)
DEFINE_COPY(lease)
DEFINE_COPY(leased)

static bool copy_digests(struct jic_view json, struct jic_buf *out)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_digest *digests;
	size_t count;
	if (!jic_msg_digests_read(json, "digests", &arena, &digests, &count, NULL))
		return false;
	JIC_ASSERT(jic_msg_digests_write("digests", digests, count, out, NULL));
	return true;
}

typedef bool copy_fn(struct jic_view json, struct jic_buf *out);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static copy_fn *const copies[] = {copy_resolve,   copy_resolved, copy_publish, copy_published,
	                                  copy_info,      copy_problem,  copy_digests, copy_explain,
	                                  copy_explained, copy_lease,    copy_leased};
	if (size == 0)
		return 0;
	copy_fn *copy = copies[data[0] % JIC_COUNT(copies)];
	JIC_CLEAR(jic_buf) struct jic_buf once = {0};
	JIC_CLEAR(jic_buf) struct jic_buf twice = {0};
	if (!copy(jic_view_bytes(data + 1, size - 1), &once))
		return 0;
	JIC_ASSERT(copy(jic_buf_view(&once), &twice));
	JIC_ASSERT(jic_view_eq(jic_buf_view(&once), jic_buf_view(&twice)));
	return 0;
}
