/* Elements of a `.ji`, read and written: src/staticdata_utils.c (≥ 1.9), src/dump.c (≤ 1.8), base/loading.jl. */
#include "common/ji_layout.h"

static const char JI_MAGIC[] = "\373jli\r\n\032\n";
enum {
	JI_MAGIC_BYTES = 8,
	JI_BOM = 0xFEFF,
	JI_FORMAT_DUMP = 11,       /* 1.5 to 1.8 */
	JI_FORMAT_STATICDATA = 12, /* 1.9 to 1.12 */
};

bool jic_ji_bad(const struct jic_cursor *c, const char *what, struct jic_error *err)
{
	return jic_fail(err, JIC_EFORMAT, "cache file: %s at byte %zu", what, c->pos);
}

static bool read_magic(struct jic_cursor *c, struct jic_ji *ji, struct jic_error *err)
{
	struct jic_view magic;
	uint16_t bom;
	if (!jic_cursor_bytes(c, JI_MAGIC_BYTES, &magic) || memcmp(magic.ptr, JI_MAGIC, JI_MAGIC_BYTES) != 0)
		return jic_ji_bad(c, "not a Julia cache file", err);
	if (!jic_cursor_u16le(c, &ji->format) || !jic_cursor_u16le(c, &bom))
		return jic_ji_bad(c, "bad format number", err);
	if (bom != JI_BOM)
		return jic_fail(err, JIC_EUNSUPPORTED, "cache file: byte order mark 0x%04x is not little-endian", bom);
	if (!jic_cursor_u8(c, &ji->pointer_bytes) || (ji->pointer_bytes != 4 && ji->pointer_bytes != 8))
		return jic_ji_bad(c, "bad pointer size", err);
	return true;
}

/* The format number alone does not tell the layout: 11 and 12 each cover several. The version's text does. */
static bool check_supported(const struct jic_ji *ji, struct jic_error *err)
{
	if (!jic_julia_at_least(ji->version, 1, 5, 0) || jic_julia_at_least(ji->version, 1, 13, 0))
		return jic_fail(err, JIC_EUNSUPPORTED, "cache file of Julia %u.%u: known are 1.5 to 1.12",
		                ji->version.major, ji->version.minor);
	unsigned expected = jic_ji_has_image_fields(ji->version) ? JI_FORMAT_STATICDATA : JI_FORMAT_DUMP;
	if (ji->format != expected)
		return jic_fail(err, JIC_EUNSUPPORTED, "cache file of Julia %u.%u has format %u instead of %u",
		                ji->version.major, ji->version.minor, ji->format, expected);
	return true;
}

bool jic_ji_read_prefix(struct jic_cursor *c, struct jic_ji *ji, struct jic_error *err)
{
	if (!read_magic(c, ji, err))
		return false;
	struct jic_view *const texts[] = {&ji->uname, &ji->arch, &ji->version_text, &ji->branch, &ji->commit};
	static const char *const names[] = {"bad system name", "bad architecture", "bad Julia version",
	                                    "bad git branch", "bad git commit"};
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		if (!jic_cursor_zstring(c, texts[i]) || texts[i]->len > JIC_JI_STRING_BYTES_MAX)
			return jic_ji_bad(c, names[i], err);
	}
	if (!jic_julia_version_parse(ji->version_text, &ji->version))
		return jic_ji_bad(c, "bad Julia version before the byte", err);
	return check_supported(ji, err);
}

bool jic_ji_read_image_fields(struct jic_cursor *c, struct jic_ji *ji, struct jic_error *err)
{
	ji->has_image_fields = jic_ji_has_image_fields(ji->version);
	if (!ji->has_image_fields)
		return true;
	/* A comment in Julia's writer names the two offsets the other way round; start comes first. */
	if (!jic_cursor_u8(c, &ji->pkgimage) || !jic_cursor_u64le(c, &ji->checksum) ||
	    !jic_cursor_u64le(c, &ji->data_start) || !jic_cursor_u64le(c, &ji->data_end) ||
	    !jic_cursor_u8(c, &ji->flags))
		return jic_ji_bad(c, "short image fields", err);
	return true;
}

void jic_ji_patch_u64(struct jic_buf *b, size_t at, uint64_t value)
{
	JIC_ASSERT(at <= b->len && b->len - at >= 8);
	for (size_t i = 0; i < 8; i++)
		b->ptr[at + i] = (char)(uint8_t)(value >> (8 * i));
}

void jic_ji_patch_data_offsets(struct jic_buf *b, size_t at, uint64_t start, uint64_t end)
{
	size_t start_at = at + 1 + 8; /* marker, checksum */
	jic_ji_patch_u64(b, start_at, start);
	jic_ji_patch_u64(b, start_at + 8, end);
}

bool jic_ji_read_string(struct jic_cursor *c, const char *what, struct jic_view *out, struct jic_error *err)
{
	int32_t len;
	if (!jic_cursor_i32le(c, &len) || len < 0)
		return jic_ji_bad(c, what, err);
	if (len > JIC_JI_STRING_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "cache file: %s at byte %zu: %d bytes long", what, c->pos, len);
	if (!jic_cursor_bytes(c, (size_t)len, out))
		return jic_ji_bad(c, what, err);
	return true;
}

void jic_ji_write_string(struct jic_buf *b, struct jic_view v)
{
	jic_buf_u32le(b, (uint32_t)v.len);
	jic_buf_putv(b, v);
}

bool jic_ji_read_module(struct jic_cursor *c, bool whole_id, struct jic_ji_module *out, struct jic_error *err)
{
	*out = (struct jic_ji_module){0};
	if (!jic_ji_read_string(c, "bad module name", &out->name, err))
		return false;
	if (!out->name.len)
		return true;
	if (!jic_cursor_u64le(c, &out->uuid.hi) || !jic_cursor_u64le(c, &out->uuid.lo) ||
	    (whole_id && !jic_cursor_u64le(c, &out->build_id.hi)) || !jic_cursor_u64le(c, &out->build_id.lo))
		return jic_ji_bad(c, "short module entry", err);
	return true;
}

/* module index, then, unless it is 0, the submodule names below it up to an empty one */
static bool read_record_tail(struct jic_cursor *c, struct jic_ji_record *r, struct jic_error *err)
{
	size_t start = c->pos;
	if (!jic_cursor_i32le(c, &r->module_index) || r->module_index < 0)
		return jic_ji_bad(c, "bad module index", err);
	size_t components = c->pos, end = c->pos;
	struct jic_view name = {.len = r->module_index ? 1 : 0};
	while (name.len) {
		end = c->pos;
		if (!jic_ji_read_string(c, "bad submodule name", &name, err))
			return false;
	}
	r->components = jic_view_bytes(c->ptr + components, end - components);
	r->tail = jic_view_bytes(c->ptr + start, c->pos - start);
	return true;
}

bool jic_ji_read_record(struct jic_cursor *c, struct jic_julia_version v, struct jic_ji_record *out,
                        struct jic_error *err)
{
	*out = (struct jic_ji_record){0};
	if (!jic_ji_read_string(c, "bad path of a dependency", &out->path, err))
		return false;
	if (!out->path.len)
		return true;
	if (jic_ji_has_content_fields(v) && (!jic_cursor_u64le(c, &out->size) || !jic_cursor_u32le(c, &out->crc32c)))
		return jic_ji_bad(c, "short dependency", err);
	if (!jic_cursor_f64le(c, &out->mtime))
		return jic_ji_bad(c, "short dependency", err);
	return read_record_tail(c, out, err);
}

void jic_ji_write_record(struct jic_buf *b, struct jic_julia_version v, const struct jic_ji_record *r)
{
	jic_ji_write_string(b, r->path);
	if (jic_ji_has_content_fields(v)) {
		jic_buf_u64le(b, r->size);
		jic_buf_u32le(b, r->crc32c);
	}
	jic_buf_f64le(b, r->mtime);
	jic_buf_putv(b, r->tail);
}

bool jic_ji_read_source(struct jic_cursor *c, struct jic_ji_source *out, struct jic_error *err)
{
	uint64_t len;
	*out = (struct jic_ji_source){0};
	if (!jic_ji_read_string(c, "bad name of a source text", &out->name, err))
		return false;
	if (!out->name.len)
		return true;
	if (!jic_cursor_u64le(c, &len) || len > jic_cursor_left(c) || !jic_cursor_bytes(c, (size_t)len, &out->text))
		return jic_ji_bad(c, "bad length of a source text", err);
	return true;
}

void jic_ji_write_source(struct jic_buf *b, const struct jic_ji_source *s)
{
	jic_ji_write_string(b, s->name);
	jic_buf_u64le(b, s->text.len);
	jic_buf_putv(b, s->text);
}

/* src/julia_internal.h up to 1.10.4; src/julia_atomics.h since, where it is the cache line of two processor families */
size_t jic_ji_data_align(const struct jic_ji *ji)
{
	bool powerpc = jic_view_starts(ji->arch, JIC_VIEW("ppc64")) || jic_view_starts(ji->arch, JIC_VIEW("powerpc64"));
	bool apple =
	    jic_view_is(ji->uname, "Darwin") && (jic_view_is(ji->arch, "aarch64") || jic_view_is(ji->arch, "arm64"));
	return jic_julia_at_least(ji->version, 1, 10, 5) && (powerpc || apple) ? JIC_JI_ALIGN_MAX : 64;
}
