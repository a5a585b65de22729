/*
 * The same file with other include records:
 *
 *     … │ totbytes │ records │ preferences, srctextpos │ required, targets │ padding, data │ sources │ trailer
 *         adjusted   edited     copied     adjusted         copied           re-aligned      renamed   F anew
 *
 * No build id, image checksum or data byte changes: none of them covers what a rewrite touches.
 */
#include "common/ji.h"

#include "common/crc32c.h"
#include "common/ji_layout.h"

/* Include i was `from` and becomes `to`. */
struct rename {
	struct jic_view from, to;
};

static int by_old_path(const void *a, const void *b)
{
	return jic_view_cmp(((const struct rename *)a)->from, ((const struct rename *)b)->from);
}

static bool check_edits(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct jic_error *err)
{
	for (size_t i = 0; i < ji->includes_count; i++) {
		struct jic_view path = edits[i].path;
		if (!path.len || path.ptr[0] == '\0')
			return jic_fail(err, JIC_EUSAGE, "rewrite: new path %zu is empty or begins with a NUL", i);
		if (path.len > JIC_JI_STRING_BYTES_MAX)
			return jic_fail(err, JIC_ELIMIT, "rewrite: new path %zu is %zu bytes long", i, path.len);
	}
	return true;
}

/*
 * A source text is found by its name, and a name has one new name: two records of one included file (included twice)
 * must move together, or one of them would lose its text.
 */
static bool sort_renames(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct rename *renames,
                         struct jic_error *err)
{
	for (size_t i = 0; i < ji->includes_count; i++)
		renames[i] = (struct rename){.from = ji->includes[i].path, .to = edits[i].path};
	qsort(renames, ji->includes_count, sizeof *renames, by_old_path);
	for (size_t i = 1; i < ji->includes_count; i++) {
		if (jic_view_eq(renames[i - 1].from, renames[i].from) && !jic_view_eq(renames[i - 1].to, renames[i].to))
			return jic_fail(err, JIC_EUSAGE, "rewrite: one file " JIC_PRIv " to two places",
			                JIC_ARGv(renames[i].from));
	}
	return true;
}

static struct jic_view new_name(const struct rename *renames, size_t count, struct jic_view name)
{
	struct rename key = {.from = name};
	const struct rename *found = count ? bsearch(&key, renames, count, sizeof *renames, by_old_path) : NULL;
	return found ? found->to : name;
}

static void put_range(struct jic_buf *out, const struct jic_ji *ji, size_t from, size_t to)
{
	jic_buf_put(out, ji->bytes.ptr + from, to - from);
}

/* Reads the records once more, to keep the "requires" among them and every tail as they are. */
static bool put_records(struct jic_buf *out, const struct jic_ji *ji, const struct jic_ji_edit *edits,
                        struct jic_cursor *c, struct jic_error *err)
{
	for (size_t next = 0;;) {
		struct jic_ji_record r;
		size_t start = c->pos;
		if (!jic_ji_read_record(c, ji->version, &r, err))
			return false;
		if (!r.path.len || jic_ji_is_require(&r)) {
			put_range(out, ji, start, c->pos);
			if (!r.path.len)
				return true;
			continue;
		}
		JIC_ASSERT(next < ji->includes_count);
		const struct jic_ji_edit *e = &edits[next++];
		r.path = e->path;
		r.size = e->size;
		r.crc32c = e->crc32c;
		r.mtime = e->mtime;
		jic_ji_write_record(out, ji->version, &r);
	}
}

/* The counted block; @param source_text_at where srctextpos was put */
static bool put_dependencies(struct jic_buf *out, const struct jic_ji *ji, const struct jic_ji_edit *edits,
                             size_t *source_text_at, struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(ji->bytes);
	size_t total_at = out->len, records_at = ji->at.dependencies + 8;
	jic_buf_u64le(out, 0);
	if (!jic_cursor_seek(&c, records_at) || !put_records(out, ji, edits, &c, err))
		return false;
	put_range(out, ji, c.pos, ji->at.required);
	if (!jic_buf_ok(out, err))
		return false;
	jic_ji_patch_u64(out, total_at, out->len - total_at - 8);
	*source_text_at = out->len - 8;
	return true;
}

static void put_zeros(struct jic_buf *out, size_t count)
{
	while (count--)
		jic_buf_u8(out, 0);
}

/* All between the header and the source text: not copied, only its beginning is aligned. */
static bool put_data(struct jic_ji_parts *out, const struct jic_ji *ji, struct jic_error *err)
{
	size_t from = ji->at.header_end, to = ji->source_text_offset ? (size_t)ji->source_text_offset : ji->at.trailer;
	bool placed = ji->has_image_fields && !ji->clone_targets.len;
	if (placed) {
		size_t align = jic_ji_data_align(ji), used = out->head.len % align;
		put_zeros(&out->head, used ? align - used : 0);
		from = (size_t)ji->data_start;
		to = (size_t)ji->data_end;
	}
	out->data = jic_view_bytes(ji->bytes.ptr + from, to - from);
	if (!jic_buf_ok(&out->head, err))
		return false;
	if (placed)
		jic_ji_patch_data_offsets(&out->head, ji->at.image_fields, out->head.len,
		                          out->head.len + out->data.len);
	return true;
}

static void put_sources(struct jic_buf *out, const struct jic_ji *ji, const struct rename *renames)
{
	for (size_t i = 0; i < ji->sources_count; i++) {
		struct jic_ji_source s = ji->sources[i];
		s.name = new_name(renames, ji->includes_count, s.name);
		jic_ji_write_source(out, &s);
	}
	jic_ji_write_string(out, (struct jic_view){0});
}

static bool put_trailer(struct jic_ji_parts *out, const struct jic_ji *ji, struct jic_error *err)
{
	if (ji->has_image_fields)
		jic_buf_u32le(&out->tail, ji->image_crc32c);
	size_t bytes = out->head.len + out->data.len + out->tail.len;
	if (bytes + 4 > JIC_JI_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "rewrite: %zu bytes, at most %d are read", bytes, JIC_JI_BYTES_MAX);
	uint32_t crc = jic_crc32c(0, out->head.ptr, out->head.len);
	crc = jic_crc32c(crc, out->data.ptr, out->data.len);
	jic_buf_u32le(&out->tail, jic_crc32c(crc, out->tail.ptr, out->tail.len));
	return jic_buf_ok(&out->tail, err);
}

static bool rewrite(const struct jic_ji *ji, const struct jic_ji_edit *edits, const struct rename *renames,
                    struct jic_ji_parts *out, struct jic_error *err)
{
	size_t source_text_at;
	put_range(&out->head, ji, 0, ji->at.dependencies);
	if (!put_dependencies(&out->head, ji, edits, &source_text_at, err))
		return false;
	put_range(&out->head, ji, ji->at.required, ji->at.header_end);
	if (!put_data(out, ji, err))
		return false;
	if (ji->source_text_offset) {
		jic_ji_patch_u64(&out->head, source_text_at, out->head.len + out->data.len);
		put_sources(&out->tail, ji, renames);
	}
	return put_trailer(out, ji, err);
}

bool jic_ji_rewrite_parts(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct jic_ji_parts *out,
                          struct jic_error *err)
{
	JIC_ASSERT(ji->at.trailer);
	*out = (struct jic_ji_parts){0};
	jic_autofree struct rename *renames = calloc(ji->includes_count + 1, sizeof *renames);
	if (!renames)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (check_edits(ji, edits, err) && sort_renames(ji, edits, renames, err) &&
	    rewrite(ji, edits, renames, out, err))
		return true;
	jic_ji_parts_clear(out);
	return false;
}

void jic_ji_parts_clear(struct jic_ji_parts *p)
{
	jic_buf_clear(&p->head);
	jic_buf_clear(&p->tail);
	*p = (struct jic_ji_parts){0};
}

bool jic_ji_rewrite(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct jic_buf *out,
                    struct jic_error *err)
{
	JIC_CLEAR(jic_ji_parts) struct jic_ji_parts parts = {0};
	if (!jic_ji_rewrite_parts(ji, edits, &parts, err))
		return false;
	if (!jic_buf_reserve(out, parts.head.len + parts.data.len + parts.tail.len))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	jic_buf_putv(out, jic_buf_view(&parts.head));
	jic_buf_putv(out, parts.data);
	jic_buf_putv(out, jic_buf_view(&parts.tail));
	return true;
}
