/*
 * Reader and writer of each packed list stand side by side. Counts are not trusted before the bytes behind them are
 * seen.
 */
#include "server/store/pack.h"

#include "common/cursor.h"

#include <endian.h>

enum {
	INPUT_BYTES_MIN = 1 + 4 + JIC_DIGEST_BYTES, /* of one packed input */
	WANT_BYTES_MIN = JIC_DIGEST_BYTES + 16 + 1 + 3 * 4,
};

static void put_view(struct jic_buf *out, struct jic_view v)
{
	JIC_ASSERT(v.len <= UINT32_MAX);
	jic_buf_u32le(out, (uint32_t)v.len);
	jic_buf_putv(out, v);
}

void jic_pack_inputs(const struct jic_msg_input *inputs, size_t count, struct jic_buf *out)
{
	JIC_ASSERT(count <= UINT32_MAX);
	jic_buf_u32le(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		jic_buf_u8(out, (uint8_t)inputs[i].type);
		put_view(out, inputs[i].path);
		jic_buf_put(out, inputs[i].sha256.bytes, JIC_DIGEST_BYTES);
	}
}

static bool read_input(struct jic_cursor *c, struct jic_arena *arena, struct jic_msg_input *out)
{
	uint8_t type;
	uint32_t len;
	struct jic_view path, digest;
	if (!jic_cursor_u8(c, &type) || type > JIC_INPUT_ABSENT || !jic_cursor_u32le(c, &len) ||
	    !jic_cursor_bytes(c, len, &path) || !jic_cursor_bytes(c, JIC_DIGEST_BYTES, &digest))
		return false;
	out->type = (enum jic_input_type)type;
	out->path = jic_arena_copy(arena, path);
	memcpy(out->sha256.bytes, digest.ptr, JIC_DIGEST_BYTES);
	return true;
}

bool jic_unpack_inputs(struct jic_view packed, struct jic_arena *arena, const struct jic_msg_input **out, size_t *count,
                       struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(packed);
	uint32_t announced;
	if (!jic_cursor_u32le(&c, &announced) || announced > jic_cursor_left(&c) / INPUT_BYTES_MIN)
		return jic_fail(err, JIC_ECORRUPT, "packed inputs: bad count");
	struct jic_msg_input *inputs = jic_arena_array(arena, announced, sizeof *inputs);
	if (announced && !inputs)
		return jic_fail(err, JIC_EMEMORY, "packed inputs: out of memory");
	for (uint32_t i = 0; i < announced; i++)
		if (!read_input(&c, arena, &inputs[i]))
			return jic_fail(err, JIC_ECORRUPT, "packed inputs: bad entry at byte %zu", c.pos);
	if (jic_cursor_left(&c) || arena->failed)
		return arena->failed ? jic_fail(err, JIC_EMEMORY, "packed inputs: out of memory")
		                     : jic_fail(err, JIC_ECORRUPT, "packed inputs: bytes left over");
	*out = inputs;
	*count = announced;
	return true;
}

static int compare_modules(const void *pa, const void *pb)
{
	const struct jic_ji_module *a = pa, *b = pb;
	int order = jic_uuid_cmp(a->uuid, b->uuid);
	if (!order)
		order = (a->build_id.hi > b->build_id.hi) - (a->build_id.hi < b->build_id.hi);
	if (!order)
		order = (a->build_id.lo > b->build_id.lo) - (a->build_id.lo < b->build_id.lo);
	return order ? order : jic_view_cmp(a->name, b->name);
}

static void put_module(struct jic_buf *out, const struct jic_ji_module *m)
{
	jic_buf_u64le(out, m->uuid.hi);
	jic_buf_u64le(out, m->uuid.lo);
	jic_buf_u64le(out, m->build_id.hi);
	jic_buf_u64le(out, m->build_id.lo);
	put_view(out, m->name);
}

bool jic_pack_modules(const struct jic_ji_module *modules, size_t count, struct jic_buf *out, struct jic_error *err)
{
	jic_autofree struct jic_ji_module *sorted = calloc(count + 1, sizeof *sorted);
	if (!sorted)
		return jic_fail(err, JIC_EMEMORY, "packed modules: out of memory");
	if (count)
		memcpy(sorted, modules, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_modules);
	size_t unique = 0;
	for (size_t i = 0; i < count; i++)
		if (!unique || compare_modules(&sorted[unique - 1], &sorted[i]) != 0)
			sorted[unique++] = sorted[i];
	jic_buf_u32le(out, (uint32_t)unique);
	for (size_t i = 0; i < unique; i++)
		put_module(out, &sorted[i]);
	return jic_buf_ok(out, err);
}

static bool read_module(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji_module *out)
{
	uint32_t len;
	struct jic_view name;
	if (!jic_cursor_u64le(c, &out->uuid.hi) || !jic_cursor_u64le(c, &out->uuid.lo) ||
	    !jic_cursor_u64le(c, &out->build_id.hi) || !jic_cursor_u64le(c, &out->build_id.lo) ||
	    !jic_cursor_u32le(c, &len) || !jic_cursor_bytes(c, len, &name))
		return false;
	out->name = jic_arena_copy(arena, name);
	return true;
}

bool jic_unpack_modules(struct jic_view packed, struct jic_arena *arena, const struct jic_ji_module **out,
                        size_t *count, struct jic_error *err)
{
	enum { MODULE_BYTES_MIN = 36 };
	struct jic_cursor c = jic_cursor_over(packed);
	uint32_t announced;
	if (!jic_cursor_u32le(&c, &announced) || announced > jic_cursor_left(&c) / MODULE_BYTES_MIN)
		return jic_fail(err, JIC_ECORRUPT, "packed modules: bad count");
	struct jic_ji_module *modules = jic_arena_array(arena, (size_t)announced + 1, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "packed modules: out of memory");
	for (uint32_t i = 0; i < announced; i++)
		if (!read_module(&c, arena, &modules[i]))
			return jic_fail(err, JIC_ECORRUPT, "packed modules: bad entry at byte %zu", c.pos);
	if (jic_cursor_left(&c))
		return jic_fail(err, JIC_ECORRUPT, "packed modules: bytes left over");
	*out = modules;
	*count = announced;
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "packed modules: out of memory");
}

void jic_pack_numbers(const uint32_t *numbers, size_t count, struct jic_buf *out)
{
	for (size_t i = 0; i < count; i++)
		jic_buf_u32le(out, numbers[i]);
}

bool jic_unpack_numbers(struct jic_view packed, struct jic_arena *arena, const uint32_t **out, size_t *count,
                        struct jic_error *err)
{
	if (packed.len % sizeof(uint32_t))
		return jic_fail(err, JIC_ECORRUPT, "packed numbers: %zu bytes", packed.len);
	size_t n = packed.len / sizeof(uint32_t);
	uint32_t *numbers = jic_arena_array(arena, n, sizeof *numbers);
	if (n && !numbers)
		return jic_fail(err, JIC_EMEMORY, "packed numbers: out of memory");
	if (n)
		memcpy(numbers, packed.ptr, packed.len);
	for (size_t i = 0; i < n; i++)
		numbers[i] = le32toh(numbers[i]);
	*out = numbers;
	*count = n;
	return true;
}

void jic_pack_texts(const struct jic_view *texts, size_t count, struct jic_buf *out)
{
	JIC_ASSERT(count <= UINT32_MAX);
	jic_buf_u32le(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_view(out, texts[i]);
}

bool jic_unpack_texts(struct jic_view packed, struct jic_arena *arena, const struct jic_view **out, size_t *count,
                      struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(packed);
	uint32_t announced, len;
	if (!jic_cursor_u32le(&c, &announced) || announced > jic_cursor_left(&c) / sizeof(uint32_t))
		return jic_fail(err, JIC_ECORRUPT, "packed texts: bad count");
	struct jic_view *texts = jic_arena_array(arena, announced, sizeof *texts);
	if (announced && !texts)
		return jic_fail(err, JIC_EMEMORY, "packed texts: out of memory");
	for (uint32_t i = 0; i < announced; i++) {
		struct jic_view text;
		if (!jic_cursor_u32le(&c, &len) || !jic_cursor_bytes(&c, len, &text))
			return jic_fail(err, JIC_ECORRUPT, "packed texts: bad entry at byte %zu", c.pos);
		texts[i] = jic_arena_copy(arena, text);
	}
	if (jic_cursor_left(&c) || arena->failed)
		return arena->failed ? jic_fail(err, JIC_EMEMORY, "packed texts: out of memory")
		                     : jic_fail(err, JIC_ECORRUPT, "packed texts: bytes left over");
	*out = texts;
	*count = announced;
	return true;
}

void jic_pack_wants(const struct jic_digest *keys, const struct jic_msg_want *wants, size_t count, struct jic_buf *out)
{
	JIC_ASSERT(count <= UINT32_MAX);
	jic_buf_u32le(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		const struct jic_msg_want want = wants ? wants[i] : (struct jic_msg_want){0};
		jic_buf_put(out, keys[i].bytes, JIC_DIGEST_BYTES);
		jic_buf_u64le(out, want.uuid.hi);
		jic_buf_u64le(out, want.uuid.lo);
		jic_buf_u8(out, want.optional);
		put_view(out, want.name);
		put_view(out, want.version);
		jic_buf_u32le(out, (uint32_t)want.deps_count);
		for (size_t j = 0; j < want.deps_count; j++)
			jic_buf_u32le(out, want.deps[j]);
	}
}

static bool read_deps(struct jic_cursor *c, size_t nodes_count, struct jic_arena *arena, struct jic_msg_want *out)
{
	uint32_t count;
	if (!jic_cursor_u32le(c, &count) || count > jic_cursor_left(c) / 4)
		return false;
	uint32_t *deps = jic_arena_array(arena, count + 1, sizeof *deps);
	for (uint32_t i = 0; deps && i < count; i++)
		if (!jic_cursor_u32le(c, &deps[i]) || deps[i] >= nodes_count)
			return false;
	out->deps = deps;
	out->deps_count = count;
	return deps != NULL;
}

static bool read_want(struct jic_cursor *c, size_t nodes_count, struct jic_arena *arena, struct jic_digest *key,
                      struct jic_msg_want *out)
{
	struct jic_view digest, name, version;
	uint32_t len;
	uint8_t optional;
	if (!jic_cursor_bytes(c, JIC_DIGEST_BYTES, &digest) || !jic_cursor_u64le(c, &out->uuid.hi) ||
	    !jic_cursor_u64le(c, &out->uuid.lo) || !jic_cursor_u8(c, &optional) || !jic_cursor_u32le(c, &len) ||
	    !jic_cursor_bytes(c, len, &name) || !jic_cursor_u32le(c, &len) || !jic_cursor_bytes(c, len, &version))
		return false;
	memcpy(key->bytes, digest.ptr, JIC_DIGEST_BYTES);
	out->optional = optional != 0;
	out->name = jic_arena_copy(arena, name);
	out->version = jic_arena_copy(arena, version);
	return read_deps(c, nodes_count, arena, out);
}

bool jic_unpack_wants(struct jic_view packed, struct jic_arena *arena, const struct jic_digest **keys,
                      const struct jic_msg_want **wants, size_t *count, struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(packed);
	uint32_t announced;
	if (!jic_cursor_u32le(&c, &announced) || announced > jic_cursor_left(&c) / WANT_BYTES_MIN)
		return jic_fail(err, JIC_ECORRUPT, "packed environment: bad count");
	struct jic_digest *digests = jic_arena_array(arena, announced + 1, sizeof *digests);
	struct jic_msg_want *list = jic_arena_array(arena, announced + 1, sizeof *list);
	if (!digests || !list)
		return jic_fail(err, JIC_EMEMORY, "packed environment: out of memory");
	for (uint32_t i = 0; i < announced; i++)
		if (!read_want(&c, announced, arena, &digests[i], &list[i]))
			return jic_fail(err, JIC_ECORRUPT, "packed environment: bad entry at byte %zu", c.pos);
	if (jic_cursor_left(&c) || arena->failed)
		return jic_fail(err, JIC_ECORRUPT, "packed environment: bytes behind the last entry");
	*keys = digests;
	*wants = list;
	*count = announced;
	return true;
}
