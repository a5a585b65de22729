/* See common/ji_json.h. */
#include "common/ji_json.h"

#include "common/ji_layout.h"
#include "common/json.h"

#include <inttypes.h>

static void put_hex(struct jic_json_writer *w, const char *name, int digits, uint64_t v)
{
	char text[17];
	snprintf(text, sizeof text, "%0*" PRIx64, digits, v);
	jic_json_put_text(w, name, jic_view_of(text));
}

/* Foreign numbers may be beyond what JSON readers keep as integers; none that means anything is. */
static void put_u64(struct jic_json_writer *w, const char *name, uint64_t v)
{
	if (v > INT64_MAX)
		jic_json_put_f64(w, name, (double)v);
	else
		jic_json_put_u64(w, name, v);
}

static void put_uuid(struct jic_json_writer *w, const char *name, struct jic_uuid u)
{
	if (jic_uuid_is_nil(u))
		jic_json_put_null(w, name);
	else
		jic_json_put_uuid(w, name, u);
}

static void put_modules(struct jic_json_writer *w, const char *name, const struct jic_ji_module *m, size_t count)
{
	jic_json_open(w, name, '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(w, NULL, '{');
		jic_json_put_text(w, "name", m[i].name);
		put_uuid(w, "uuid", m[i].uuid);
		jic_json_put_build_id(w, "build_id", m[i].build_id);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
}

static void put_include(struct jic_json_writer *w, const struct jic_ji *ji, const struct jic_ji_include *f)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "path", f->path);
	if (jic_ji_has_content_fields(ji->version)) {
		put_u64(w, "size", f->size);
		put_hex(w, "crc32c", 8, f->crc32c);
	}
	jic_json_put_f64(w, "mtime", f->mtime);
	jic_json_put_text(w, "modpath", f->modpath);
	jic_json_put_u64(w, "module_index", (uint64_t)f->module_index);
	jic_json_put_bool(w, "has_source", f->has_source);
	jic_json_close(w, '}');
}

static void put_package(struct jic_json_writer *w, const char *name, struct jic_view package, struct jic_uuid uuid)
{
	jic_json_open(w, name, '{');
	jic_json_put_text(w, "name", package);
	put_uuid(w, "uuid", uuid);
	jic_json_close(w, '}');
}

/* A "requires" of no module of this file (index 0) is Base's: its `from` has no name. */
static void put_require(struct jic_json_writer *w, const struct jic_ji *ji, const struct jic_ji_require *r)
{
	struct jic_ji_module from = {0};
	if (r->module_index > 0)
		from = ji->modules[r->module_index - 1];
	jic_json_open(w, NULL, '{');
	put_package(w, "from", from.name, from.uuid);
	put_package(w, "to", r->name, r->uuid);
	jic_json_close(w, '}');
}

static void put_dependencies(struct jic_json_writer *w, const struct jic_ji *ji)
{
	jic_json_open(w, "includes", '[');
	for (size_t i = 0; i < ji->includes_count; i++)
		put_include(w, ji, &ji->includes[i]);
	jic_json_close(w, ']');
	jic_json_open(w, "requires", '[');
	for (size_t i = 0; i < ji->requires_count; i++)
		put_require(w, ji, &ji->requires_[i]);
	jic_json_close(w, ']');
	put_modules(w, "required_modules", ji->required, ji->required_count);
	if (ji->has_preferences) {
		jic_json_put_texts(w, "preferences", ji->preferences, ji->preferences_count);
		put_hex(w, "preferences_hash", 16, ji->preferences_hash);
	}
}

static void put_origin(struct jic_json_writer *w, const struct jic_ji *ji)
{
	jic_json_put_text(w, "julia_version", ji->version_text);
	jic_json_put_u64(w, "format", ji->format);
	jic_json_put_text(w, "branch", ji->branch);
	jic_json_put_text(w, "commit", ji->commit);
	jic_json_put_text(w, "uname", ji->uname);
	jic_json_put_text(w, "arch", ji->arch);
	jic_json_put_u64(w, "pointer_bytes", ji->pointer_bytes);
}

static void put_extent(struct jic_json_writer *w, const struct jic_ji *ji)
{
	jic_json_put_u64(w, "bytes", ji->bytes.len);
	if (ji->has_image_fields) {
		put_u64(w, "data_start", ji->data_start);
		put_u64(w, "data_end", ji->data_end);
		put_hex(w, "image_crc32c", 8, ji->image_crc32c);
	}
	put_hex(w, "file_crc32c", 8, ji->file_crc32c);
	jic_json_open(w, "sources", '[');
	for (size_t i = 0; i < ji->sources_count; i++)
		jic_json_put_text(w, NULL, ji->sources[i].name);
	jic_json_close(w, ']');
}

bool jic_ji_json(const struct jic_ji *ji, const char *file_name, bool crc_valid, struct jic_buf *out,
                 struct jic_error *err)
{
	struct jic_json_writer w = {.out = out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "file", jic_view_of(file_name));
	if (ji->has_image_fields) {
		put_hex(&w, "checksum", 16, ji->checksum);
		put_hex(&w, "flags", 2, ji->flags);
	}
	put_modules(&w, "modules", ji->modules, ji->modules_count);
	put_dependencies(&w, ji);
	put_u64(&w, "source_text_offset", ji->source_text_offset);
	if (ji->has_image_fields)
		jic_json_put_u64(&w, "clone_targets_bytes", ji->clone_targets.len);
	jic_json_put_bool(&w, "crc_valid", crc_valid);
	put_origin(&w, ji);
	put_extent(&w, ji);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}
