/*
 * jic_ji_parse, jic_ji_parse_header, jic_ji_verify, jic_ji_verify_image, jic_ji_rewrite, jic_ji_json on foreign bytes.
 * Properties: every view lies in the input or the arena (ASan); what parses can be rewritten, moves there and back to
 * the same bytes, and is JSON that is not empty.
 */
#include "common/ji.h"
#include "common/ji_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jic_ji_edit *edits_of(const struct jic_ji *ji, struct jic_arena *arena, const char *folder)
{
	struct jic_ji_edit *edits = jic_arena_array(arena, ji->includes_count + 1, sizeof *edits);
	JIC_ASSERT(edits);
	for (size_t i = 0; i < ji->includes_count; i++) {
		const struct jic_ji_include *f = &ji->includes[i];
		char *path = jic_arena_alloc(arena, strlen(folder) + f->path.len + 1);
		JIC_ASSERT(path);
		memcpy(path, folder, strlen(folder));
		memcpy(path + strlen(folder), f->path.ptr, f->path.len);
		edits[i] = (struct jic_ji_edit){.path = jic_view_bytes(path, strlen(folder) + f->path.len),
		                                .size = f->size,
		                                .crc32c = f->crc32c,
		                                .mtime = f->mtime};
	}
	return edits;
}

/* `from` at another place, read back into `out`, whose bytes are `bytes`. */
static void move(const struct jic_ji *from, const struct jic_ji_edit *edits, struct jic_arena *arena,
                 struct jic_buf *bytes, struct jic_ji *out)
{
	struct jic_error err = {0};
	JIC_ASSERT(jic_ji_rewrite(from, edits, bytes, &err));
	JIC_ASSERT(jic_ji_parse(jic_buf_view(bytes), arena, out, &err));
	JIC_ASSERT(out->includes_count == from->includes_count && out->requires_count == from->requires_count);
	JIC_ASSERT(jic_build_id_eq(jic_ji_build_id(out), jic_ji_build_id(from)));
	JIC_ASSERT(out->image_crc32c == from->image_crc32c && out->sources_count == from->sources_count);
}

/*
 * The first rewrite normalises what a writer of Julia's never writes (wider padding, a wrong checksum); from then on
 * the way there and back must not change a byte. A source text named as a moved include would be is left out: it would
 * name two texts alike.
 */
static void round_trip(const struct jic_ji *ji, struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf normal = {0}, away = {0}, back = {0};
	struct jic_ji first, there, again;
	struct jic_error err = {0};
	move(ji, edits_of(ji, arena, ""), arena, &normal, &first);
	const struct jic_ji_edit *edits = edits_of(&first, arena, "/a folder that nobody has");
	for (size_t i = 0; i < first.includes_count; i++) {
		if (edits[i].path.len > JIC_JI_STRING_BYTES_MAX)
			return;
		for (size_t j = 0; j < first.sources_count; j++)
			if (jic_view_eq(edits[i].path, first.sources[j].name))
				return;
	}
	move(&first, edits, arena, &away, &there);
	move(&there, edits_of(&first, arena, ""), arena, &back, &again);
	JIC_ASSERT(jic_view_eq(jic_buf_view(&back), jic_buf_view(&normal)));
	/* The rewrite sealed it: what is left to be wrong is the checksum of the data, which it has no say in. */
	JIC_ASSERT(jic_ji_verify(&again, &err) || again.has_image_fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_view bytes = jic_view_bytes(data, size);
	struct jic_error err = {0};
	struct jic_ji ji, header;
	bool head = jic_ji_parse_header(bytes, &arena, &header, &err);
	if (!jic_ji_parse(bytes, &arena, &ji, &err)) {
		JIC_ASSERT(err.code != JIC_OK && err.text[0]);
		return 0;
	}
	JIC_ASSERT(head && header.at.header_end == ji.at.header_end && header.includes_count == ji.includes_count);
	bool valid = jic_ji_verify(&ji, &err);
	uint32_t told = ji.image_crc32c;
	bool own_image = jic_ji_verify_image(&ji, bytes, &told, &err);
	JIC_ASSERT(own_image ==
	           (ji.clone_targets.len && ji.checksum >> 32 == JIC_JI_CHECKSUM_MARK_PACKAGE &&
	            (ji.pointer_bytes == 4 || jic_view_is(ji.uname, "Darwin") || jic_view_is(ji.uname, "NT"))));
	JIC_ASSERT(jic_ji_json(&ji, "input.ji", valid, &json, &err) && json.len > 2);
	round_trip(&ji, &arena);
	return 0;
}
