/* A `.ji` from its first byte to its last: lists in an arena, every view into the bytes that were given. */
#include "common/ji.h"

#include "common/digest.h"
#include "common/ji_layout.h"

#include <inttypes.h>

void jic_build_id_format(struct jic_build_id id, char text[JIC_BUILD_ID_TEXT + 1])
{
	if (id.hi)
		snprintf(text, JIC_BUILD_ID_TEXT + 1, "%016" PRIx64 "%016" PRIx64, id.hi, id.lo);
	else
		snprintf(text, JIC_BUILD_ID_TEXT + 1, "%016" PRIx64, id.lo);
}

static bool parse_u64_hex(struct jic_view hex, uint64_t *out)
{
	uint8_t bytes[8];
	if (!jic_unhex(hex, bytes, sizeof bytes))
		return false;
	uint64_t v = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		v = v << 8 | bytes[i];
	*out = v;
	return true;
}

bool jic_build_id_parse(struct jic_view text, struct jic_build_id *out)
{
	struct jic_build_id id = {0};
	if (text.len != JIC_BUILD_ID_TEXT && text.len != JIC_BUILD_ID_TEXT / 2)
		return false;
	if (text.len == JIC_BUILD_ID_TEXT && !parse_u64_hex(jic_view_head(text, 16), &id.hi))
		return false;
	if (!parse_u64_hex(jic_view_skip(text, text.len - 16), &id.lo))
		return false;
	*out = id;
	return true;
}

/* Digits at the front of `text`, at most nine, so that the number fits. */
static bool take_number(struct jic_view *text, unsigned *out)
{
	size_t n = 0;
	unsigned v = 0;
	while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
		if (n == 9)
			return false;
		v = v * 10 + (unsigned)(text->ptr[n++] - '0');
	}
	*text = jic_view_skip(*text, n);
	*out = v;
	return n > 0;
}

static bool take_dot(struct jic_view *text)
{
	if (!text->len || text->ptr[0] != '.')
		return false;
	*text = jic_view_skip(*text, 1);
	return true;
}

bool jic_julia_version_parse(struct jic_view text, struct jic_julia_version *out)
{
	struct jic_julia_version v;
	if (!take_number(&text, &v.major) || !take_dot(&text) || !take_number(&text, &v.minor) || !take_dot(&text) ||
	    !take_number(&text, &v.patch))
		return false;
	if (text.len && text.ptr[0] != '-' && text.ptr[0] != '+')
		return false;
	*out = v;
	return true;
}

/* A list of unknown length in an arena: doubles; what it outgrew stays until the arena is cleared. */
struct list {
	void *items;
	size_t count, room;
};

static void *list_add(struct list *l, struct jic_arena *arena, size_t item_bytes, struct jic_error *err)
{
	if (l->count >= JIC_JI_ENTRIES_MAX) {
		jic_fail(err, JIC_ELIMIT, "cache file: more than %d entries in a list", JIC_JI_ENTRIES_MAX);
		return NULL;
	}
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 8;
		void *grown = jic_arena_array(arena, room, item_bytes);
		if (!grown) {
			jic_fail(err, JIC_EMEMORY, "out of memory");
			return NULL;
		}
		if (l->count)
			memcpy(grown, l->items, l->count * item_bytes);
		l->items = grown;
		l->room = room;
	}
	return (char *)l->items + l->count++ * item_bytes;
}

static bool read_modules(struct jic_cursor *c, bool whole_id, struct jic_arena *arena, struct list *out,
                         struct jic_error *err)
{
	for (;;) {
		struct jic_ji_module m;
		if (!jic_ji_read_module(c, whole_id, &m, err))
			return false;
		if (!m.name.len)
			return true;
		struct jic_ji_module *slot = list_add(out, arena, sizeof *slot, err);
		if (!slot)
			return false;
		*slot = m;
	}
}

static bool read_worklist(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	struct list modules = {0};
	ji->at.worklist = c->pos;
	if (!read_modules(c, false, arena, &modules, err))
		return false;
	/* Julia 1.8 and later calls such a file empty; no version has a use for it. */
	if (!modules.count)
		return jic_ji_bad(c, "no module in the list of what the file provides", err);
	ji->modules = modules.items;
	ji->modules_count = modules.count;
	return true;
}

/* Names joined by "."; a single one, the usual case, is a view into the file. `strings` was read once: it is well
 * formed. */
static bool join_components(struct jic_view strings, struct jic_arena *arena, struct jic_view *out,
                            struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(strings);
	struct jic_view name = {0};
	*out = name;
	if (!strings.len)
		return true;
	if (!jic_ji_read_string(&c, "bad submodule name", &name, err))
		return false;
	*out = name;
	if (!jic_cursor_left(&c))
		return true;
	char *text = jic_arena_alloc(arena, strings.len); /* a 4-byte length each is more than a dot each */
	if (!text)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	size_t len = 0;
	for (;;) {
		memcpy(text + len, name.ptr, name.len);
		len += name.len;
		if (!jic_cursor_left(&c))
			break;
		text[len++] = '.';
		if (!jic_ji_read_string(&c, "bad submodule name", &name, err))
			return false;
	}
	*out = jic_view_bytes(text, len);
	return true;
}

static uint64_t u64le(const char *bytes)
{
	uint64_t v = 0;
	for (size_t i = 8; i-- > 0;)
		v = v << 8 | (uint8_t)bytes[i];
	return v;
}

static bool add_require(struct list *requires_, struct jic_arena *arena, const struct jic_ji_record *r,
                        const struct jic_cursor *c, struct jic_error *err)
{
	if (r->path.len <= JIC_JI_REQUIRE_HEAD_BYTES)
		return jic_ji_bad(c, "short name of a required package before the byte", err);
	struct jic_ji_require *slot = list_add(requires_, arena, sizeof *slot, err);
	if (!slot)
		return false;
	*slot = (struct jic_ji_require){
	    .module_index = r->module_index,
	    .uuid = {.lo = u64le(r->path.ptr + 1), .hi = u64le(r->path.ptr + 9)},
	    .name = jic_view_skip(r->path, JIC_JI_REQUIRE_HEAD_BYTES),
	};
	return true;
}

static bool add_include(struct list *includes, struct jic_arena *arena, const struct jic_ji_record *r, size_t offset,
                        struct jic_error *err)
{
	struct jic_ji_include *slot = list_add(includes, arena, sizeof *slot, err);
	if (!slot)
		return false;
	*slot = (struct jic_ji_include){
	    .path = r->path,
	    .size = r->size,
	    .crc32c = r->crc32c,
	    .mtime = r->mtime,
	    .module_index = r->module_index,
	    .record_offset = offset,
	};
	return join_components(r->components, arena, &slot->modpath, err);
}

static bool read_records(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	struct list includes = {0}, requires_ = {0};
	for (;;) {
		struct jic_ji_record r;
		size_t offset = c->pos;
		if (!jic_ji_read_record(c, ji->version, &r, err))
			return false;
		if (!r.path.len)
			break;
		if ((size_t)r.module_index > ji->modules_count)
			return jic_ji_bad(c, "module index out of range before the byte", err);
		if (jic_ji_is_require(&r) ? !add_require(&requires_, arena, &r, c, err)
		                          : !add_include(&includes, arena, &r, offset, err))
			return false;
	}
	ji->includes = includes.items;
	ji->includes_count = includes.count;
	ji->requires_ = requires_.items;
	ji->requires_count = requires_.count;
	return true;
}

static bool read_preferences(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	ji->has_preferences = jic_ji_has_preferences(ji->version);
	if (!ji->has_preferences)
		return true;
	struct list names = {0};
	for (;;) {
		struct jic_view name;
		if (!jic_ji_read_string(c, "bad name of a preference", &name, err))
			return false;
		if (!name.len)
			break;
		struct jic_view *slot = list_add(&names, arena, sizeof *slot, err);
		if (!slot)
			return false;
		*slot = name;
	}
	ji->preferences = names.items;
	ji->preferences_count = names.count;
	return jic_cursor_u64le(c, &ji->preferences_hash) || jic_ji_bad(c, "short hash of preferences", err);
}

static bool read_dependencies(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	uint64_t total;
	ji->at.dependencies = c->pos;
	if (!jic_cursor_u64le(c, &total))
		return jic_ji_bad(c, "short length of the dependencies", err);
	size_t start = c->pos;
	if (!read_records(c, arena, ji, err) || !read_preferences(c, arena, ji, err))
		return false;
	if (!jic_cursor_u64le(c, &ji->source_text_offset))
		return jic_ji_bad(c, "short offset of the source text", err);
	/* Julia counts what it reads and throws when the two disagree; its C reader skips by this number alone. */
	if (total != c->pos - start)
		return jic_ji_bad(c, "length of the dependencies does not agree with their end", err);
	return true;
}

static bool read_required(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	struct list modules = {0};
	ji->at.required = c->pos;
	if (!read_modules(c, ji->has_image_fields, arena, &modules, err))
		return false;
	ji->required = modules.items;
	ji->required_count = modules.count;
	ji->at.clone_targets = c->pos;
	return true;
}

static bool read_header(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	if (!jic_ji_read_prefix(c, ji, err))
		return false;
	ji->at.image_fields = c->pos;
	if (!jic_ji_read_image_fields(c, ji, err))
		return false;
	/* Base refuses a `.ji` that says it is the inside of an image (base/loading.jl:isvalid_cache_header). */
	if (ji->pkgimage)
		return jic_ji_bad(c, "an image's marker in the header before the byte", err);
	if (!read_worklist(c, arena, ji, err) || !read_dependencies(c, arena, ji, err) ||
	    !read_required(c, arena, ji, err))
		return false;
	if (ji->has_image_fields && !jic_ji_read_string(c, "bad clone targets", &ji->clone_targets, err))
		return false;
	ji->at.header_end = c->pos;
	return true;
}

bool jic_ji_parse_header(struct jic_view bytes, struct jic_arena *arena, struct jic_ji *out, struct jic_error *err)
{
	struct jic_ji ji = {.bytes = bytes};
	struct jic_cursor c = jic_cursor_over(bytes);
	if (bytes.len > JIC_JI_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "cache file: %zu bytes, at most %d are read", bytes.len,
		                JIC_JI_BYTES_MAX);
	if (!read_header(&c, arena, &ji, err))
		return false;
	*out = ji;
	return true;
}

/*
 * Where the data may lie. A file without an image: padding of zeros, data [start, end), source text. With one: nothing.
 * Up to 1.8 no offsets: all between header and source text is data.
 */
static bool check_data(const struct jic_ji *ji, const struct jic_cursor *c, struct jic_error *err)
{
	uint64_t end = ji->source_text_offset ? ji->source_text_offset : c->len;
	if (end < ji->at.header_end || end > c->len)
		return jic_ji_bad(c, "offset of the source text is out of range; header ends", err);
	if (!ji->has_image_fields)
		return true;
	if (ji->clone_targets.len)
		return (ji->data_start == 0 && ji->data_end == 0 && end == ji->at.header_end) ||
		       jic_ji_bad(c, "data in a file that has an image beside it; header ends", err);
	if (ji->data_start < ji->at.header_end || ji->data_start - ji->at.header_end >= JIC_JI_ALIGN_MAX ||
	    ji->data_end < ji->data_start || ji->data_end != end)
		return jic_ji_bad(c, "offsets of the data are out of place; header ends", err);
	for (size_t i = ji->at.header_end; i < ji->data_start; i++)
		if (c->ptr[i])
			return jic_ji_bad(c, "padding is not zero; header ends", err);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct jic_ji_source *x = *(const struct jic_ji_source *const *)a;
	const struct jic_ji_source *y = *(const struct jic_ji_source *const *)b;
	int order = jic_view_cmp(x->name, y->name);
	return order ? order : (x > y) - (x < y);
}

static const struct jic_ji_source *find_source(const struct jic_ji_source *const *sorted, size_t count,
                                               struct jic_view name)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (jic_view_cmp(sorted[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && jic_view_eq(sorted[low]->name, name) ? sorted[low] : NULL;
}

/* Which records came from include(): those whose path names a source text (base/loading.jl:srctext_files, 1.11). */
static bool attach_sources(struct jic_ji *ji, struct jic_arena *arena, struct jic_error *err)
{
	if (!ji->sources_count)
		return true;
	const struct jic_ji_source **sorted = jic_arena_array(arena, ji->sources_count, sizeof(void *));
	if (!sorted)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < ji->sources_count; i++)
		sorted[i] = &ji->sources[i];
	qsort(sorted, ji->sources_count, sizeof(void *), by_name);
	for (size_t i = 0; i < ji->includes_count; i++) {
		const struct jic_ji_source *s = find_source(sorted, ji->sources_count, ji->includes[i].path);
		ji->includes[i].has_source = s != NULL;
		ji->includes[i].source = s ? s->text : (struct jic_view){0};
	}
	return true;
}

static bool read_sources(struct jic_cursor *c, struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	struct list sources = {0};
	for (;;) {
		struct jic_ji_source s;
		if (!jic_ji_read_source(c, &s, err))
			return false;
		if (!s.name.len)
			break;
		struct jic_ji_source *slot = list_add(&sources, arena, sizeof *slot, err);
		if (!slot)
			return false;
		*slot = s;
	}
	ji->sources = sources.items;
	ji->sources_count = sources.count;
	return attach_sources(ji, arena, err);
}

/* Data, source text and trailer: from the end of the header to the last byte. */
static bool read_rest(struct jic_arena *arena, struct jic_ji *ji, struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(ji->bytes);
	size_t trailer_bytes = jic_ji_trailer_bytes(ji->version);
	if (!jic_cursor_seek(&c, ji->at.header_end) || jic_cursor_left(&c) < trailer_bytes)
		return jic_ji_bad(&c, "no trailing checksum", err);
	c.len -= trailer_bytes;
	if (!check_data(ji, &c, err))
		return false;
	c.pos = ji->source_text_offset ? (size_t)ji->source_text_offset : c.len;
	if (ji->source_text_offset && !read_sources(&c, arena, ji, err))
		return false;
	if (jic_cursor_left(&c))
		return jic_ji_bad(&c, "more bytes than the trailing checksum behind the source text", err);
	ji->at.trailer = c.pos;
	c.len += trailer_bytes;
	if ((ji->has_image_fields && !jic_cursor_u32le(&c, &ji->image_crc32c)) ||
	    !jic_cursor_u32le(&c, &ji->file_crc32c))
		return jic_ji_bad(&c, "short trailing checksum", err);
	return true;
}

bool jic_ji_parse(struct jic_view bytes, struct jic_arena *arena, struct jic_ji *out, struct jic_error *err)
{
	struct jic_ji ji = {0};
	if (!jic_ji_parse_header(bytes, arena, &ji, err) || !read_rest(arena, &ji, err))
		return false;
	*out = ji;
	return true;
}
