/* The JSON of a cache file holds all that Julia's own reader said of it, and is JSON whatever the bytes. */
#include "common/ji_json.h"

#include "tests/support/corpus.h"
#include "tests/support/ji_build.h"

#include <jansson.h>

static json_t *json_of(struct jic_view bytes, const char *name)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_ji ji;
	struct jic_error err = {0};
	cr_assert(jic_ji_parse(bytes, &arena, &ji, &err), "%s: %s", name, err.text);
	cr_assert(jic_ji_json(&ji, name, jic_ji_verify(&ji, NULL), &text, &err), "%s: %s", name, err.text);
	json_error_t why;
	json_t *value = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	cr_assert(value, "%s: %s in %s", name, why.text, jic_buf_str(&text));
	return value;
}

/* Every field of `golden` is in `ours` with an equal value; ours may have more fields. */
static void contains(const json_t *golden, const json_t *ours, const char *file, const char *field)
{
	cr_assert(ours, "%s: no %s", file, field);
	if (json_is_object(golden)) {
		const char *key;
		json_t *value;
		void *it = json_object_iter((json_t *)(uintptr_t)golden);
		for (; it; it = json_object_iter_next((json_t *)(uintptr_t)golden, it)) {
			key = json_object_iter_key(it);
			value = json_object_iter_value(it);
			contains(value, json_object_get(ours, key), file, key);
		}
		return;
	}
	if (json_is_array(golden)) {
		cr_assert_eq(json_array_size(golden), json_array_size(ours), "%s: length of %s", file, field);
		for (size_t i = 0; i < json_array_size(golden); i++)
			contains(json_array_get(golden, i), json_array_get(ours, i), file, field);
		return;
	}
	cr_assert(json_equal(golden, ours), "%s: %s differs", file, field);
}

static char *golden_of(const char *ji_path)
{
	/* …/julia/V/depot/compiled/vX/Name/slug.ji → …/julia/V/golden/Name-slug.json */
	const char *depot = strstr(ji_path, "/depot/compiled/"), *slug = strrchr(ji_path, '/') + 1;
	const char *name = slug - 1;
	while (name[-1] != '/')
		name--;
	return jic_asprintf("%.*s/golden/%.*s-%.*s.json", (int)(depot - ji_path), ji_path, (int)(slug - 1 - name), name,
	                    (int)strlen(slug) - 3, slug);
}

Test(ji_json, every_field_that_julia_read_is_there_and_equal)
{
	glob_t files = corpus_glob(CORPUS_JI, CORPUS_JI_LEAST);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		jic_autofree char *golden_path = golden_of(path);
		struct jic_view bytes = corpus_read(path), golden_text = corpus_read(golden_path);
		json_t *golden = json_loadb(golden_text.ptr, golden_text.len, 0, NULL);
		json_t *ours = json_of(bytes, strrchr(path, '/') + 1);
		cr_assert(golden && json_object_size(golden) >= 11, "%s", golden_path);
		contains(golden, ours, path, "");
		cr_assert_str_eq(json_string_value(json_object_get(ours, "arch")), "x86_64");
		cr_assert_gt(json_array_size(json_object_get(ours, "sources")), 0);
		json_decref(golden);
		json_decref(ours);
		view_free(bytes);
		view_free(golden_text);
	}
	globfree(&files);
}

Test(ji_json, fields_that_a_version_lacks_are_left_out)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	ji_build(&b, &(struct ji_recipe){.version = "1.5.3"});
	json_t *v = json_of(jic_buf_view(&b), "x.ji");
	static const char *const absent[] = {
	    "checksum",     "flags",      "preferences", "preferences_hash", "clone_targets_bytes",
	    "image_crc32c", "data_start", "data_end"};
	for (size_t i = 0; i < JIC_COUNT(absent); i++)
		cr_assert_null(json_object_get(v, absent[i]), "%s", absent[i]);
	json_t *module = json_array_get(json_object_get(v, "required_modules"), 0);
	cr_assert(json_is_null(json_object_get(module, "uuid")));
	cr_assert_str_eq(json_string_value(json_object_get(module, "build_id")), "0000000000000064");
	json_t *include = json_array_get(json_object_get(v, "includes"), 0);
	cr_assert_null(json_object_get(include, "size"));
	cr_assert_eq(json_real_value(json_object_get(include, "mtime")), 1700000000.25);
	json_decref(v);
}

Test(ji_json, a_path_that_is_not_utf8_is_still_json)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	ji_build(&b, &(struct ji_recipe){.version = "1.8.5", .folder = "/\xff\xfe\"\\\x01"});
	json_t *v = json_of(jic_buf_view(&b), "odd \"name\".ji");
	json_t *include = json_array_get(json_object_get(v, "includes"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(include, "path")),
	                 "/\xef\xbf\xbd\xef\xbf\xbd\"\\\x01/Alpha.jl");
	cr_assert_str_eq(json_string_value(json_object_get(v, "file")), "odd \"name\".ji");
	json_decref(v);
}

Test(ji_json, numbers_that_json_does_not_have_do_no_harm)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	ji_build(&b, &(struct ji_recipe){.version = "1.11.1"});
	cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, NULL));
	size_t size_at = ji.includes[0].record_offset + 4 + ji.includes[0].path.len;
	ji_build_set(&b, size_at, UINT64_MAX);
	ji_build_set(&b, size_at + 12, 0x7ff0000000000000u); /* infinity */
	ji_build_reseal(&b);
	json_t *v = json_of(jic_buf_view(&b), "x.ji");
	json_t *include = json_array_get(json_object_get(v, "includes"), 0);
	cr_assert_eq(json_real_value(json_object_get(include, "size")), 18446744073709551616.0);
	cr_assert(json_is_null(json_object_get(include, "mtime")));
	json_decref(v);
}

Test(ji_json, a_requires_from_outside_of_the_package_has_no_name)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	struct jic_ji ji = {0};
	struct jic_ji_require from_base = {.name = JIC_VIEW("Dates")};
	ji.requires_ = &from_base;
	ji.requires_count = 1;
	cr_assert(jic_ji_json(&ji, "x.ji", false, &b, NULL));
	cr_assert(
	    strstr(b.ptr,
	           "\"requires\":[{\"from\":{\"name\":\"\",\"uuid\":null},\"to\":{\"name\":\"Dates\",\"uuid\":null}}]"),
	    "%s", b.ptr);
	cr_assert(strstr(b.ptr, "\"crc_valid\":false"));
}
