/* Reading cache files: all layouts, real and made, and what hostile bytes do. */
#include "common/ji.h"

#include "tests/support/corpus.h"
#include "tests/support/ji_build.h"

/* ---- small texts */

Test(ji, a_version_is_three_numbers_and_perhaps_a_tail)
{
	struct jic_julia_version v = {0};
	cr_assert(jic_julia_version_parse(JIC_VIEW("1.11.1"), &v));
	cr_assert(v.major == 1 && v.minor == 11 && v.patch == 1);
	cr_assert(jic_julia_version_parse(JIC_VIEW("1.12.0-rc1"), &v));
	cr_assert(jic_julia_version_parse(JIC_VIEW("10.20.999999999+5"), &v));
	cr_assert(v.major == 10 && v.minor == 20 && v.patch == 999999999);
	static const char *const bad[] = {"",        "1",    "1.",     "1.11",           "1.11.",  "1.11.1.2",
	                                  "1.11.1x", ".1.1", "v1.1.1", "1.1.9999999999", "-1.0.0", " 1.0.0"};
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_assert_not(jic_julia_version_parse(jic_view_of(bad[i]), &v), "%s", bad[i]);
	cr_assert_eq(v.major, 10, "a failure changes nothing");
}

Test(ji, versions_compare_by_number)
{
	struct jic_julia_version v = {1, 9, 4};
	cr_assert(jic_julia_at_least(v, 1, 9, 4));
	cr_assert(jic_julia_at_least(v, 1, 8, 9));
	cr_assert(jic_julia_at_least(v, 0, 10, 9));
	cr_assert_not(jic_julia_at_least(v, 1, 9, 5));
	cr_assert_not(jic_julia_at_least(v, 1, 10, 0));
	cr_assert_not(jic_julia_at_least(v, 2, 0, 0));
}

Test(ji, a_build_id_has_32_digits_or_16_without_a_high_half)
{
	char text[JIC_BUILD_ID_TEXT + 1];
	struct jic_build_id id = {0};
	cr_assert(jic_build_id_parse(JIC_VIEW("fafbfcfd81a667840000048bc9335fdf"), &id));
	cr_assert_eq(id.hi, 0xfafbfcfd81a66784u);
	cr_assert_eq(id.lo, 0x0000048bc9335fdfu);
	jic_build_id_format(id, text);
	cr_assert_str_eq(text, "fafbfcfd81a667840000048bc9335fdf");
	cr_assert(jic_build_id_parse(JIC_VIEW("0000048bc9335fdf"), &id));
	cr_assert(id.hi == 0 && id.lo == 0x0000048bc9335fdfu);
	jic_build_id_format(id, text);
	cr_assert_str_eq(text, "0000048bc9335fdf");
	cr_assert_not(jic_build_id_parse(JIC_VIEW(""), &id));
	cr_assert_not(jic_build_id_parse(JIC_VIEW("0000048bc9335fd"), &id));
	cr_assert_not(jic_build_id_parse(JIC_VIEW("0000048bc9335fdg"), &id));
	cr_assert_not(jic_build_id_parse(JIC_VIEW("fafbfcfd81a66784x000048bc9335fdf"), &id));
	cr_assert_not(jic_build_id_parse(JIC_VIEW("zafbfcfd81a667840000048bc9335fdf"), &id));
	cr_assert_eq(id.lo, 0x0000048bc9335fdfu);
}

/* ---- layouts */

static void check_dependencies(const struct jic_ji *ji, const struct ji_recipe *r)
{
	bool content = ji_build_since(r, 11);
	cr_assert_eq(ji->includes_count, 3);
	cr_assert(jic_view_is(ji->includes[0].path, "/src/Alpha/Alpha.jl"));
	cr_assert(jic_view_is(ji->includes[0].source, "module Alpha"));
	cr_assert_eq(ji->includes[0].modpath.len, 0);
	cr_assert_eq(ji->includes[0].module_index, 0);
	cr_assert(jic_view_is(ji->includes[1].modpath, "Inner.Deep"));
	cr_assert_eq(ji->includes[1].module_index, 1);
	cr_assert(ji->includes[1].has_source);
	cr_assert(jic_view_is(ji->includes[1].source, "inner() = 1"));
	cr_assert_not(ji->includes[2].has_source);
	cr_assert_eq(ji->includes[1].size, content ? 12 : 0);
	cr_assert_eq(ji->includes[1].crc32c, content ? 0x22222222 : 0);
	cr_assert_eq(ji->includes[1].mtime, content ? -1.0 : 1700000000.25);
	cr_assert_eq(ji->requires_count, 1);
	cr_assert(jic_view_is(ji->requires_[0].name, "Dates"));
	cr_assert_eq(ji->requires_[0].uuid.hi, 0xade2ca7038915945u);
	cr_assert_eq(ji->requires_[0].uuid.lo, 0x98fbdc099432e06au);
	cr_assert_eq(ji->requires_[0].module_index, 1);
	cr_assert_eq(ji->has_preferences, ji_build_since(r, 6));
	cr_assert_eq(ji->preferences_count, ji->has_preferences ? 2 : 0);
	if (ji->has_preferences)
		cr_assert(jic_view_is(ji->preferences[1], "depth") && ji->preferences_hash == 0x0123456789abcdefu);
}

static void check_layout(const struct jic_ji *ji, const struct ji_recipe *r)
{
	bool images = ji_build_since(r, 9);
	cr_assert(jic_view_is(ji->version_text, r->version));
	cr_assert(jic_view_is(ji->uname, "Linux") && jic_view_is(ji->arch, "x86_64"));
	cr_assert(jic_view_is(ji->branch, "release") && ji->commit.len == 40);
	cr_assert_eq(ji->modules_count, 1);
	cr_assert(jic_view_is(ji->modules[0].name, "Alpha"));
	cr_assert(ji->modules[0].uuid.hi == JI_BUILD_UUID_HI && ji->modules[0].uuid.lo == JI_BUILD_UUID_LO);
	cr_assert_eq(jic_ji_build_id(ji).lo, 0x77);
	cr_assert_eq(jic_ji_build_id(ji).hi >> 32, images ? 0xfafbfcfdu : 0);
	check_dependencies(ji, r);
	cr_assert_eq(ji->required_count, 3);
	cr_assert(jic_view_is(ji->required[2].name, "Dates"));
	cr_assert(ji->required[1].build_id.lo == 101 &&
	          ji->required[1].build_id.hi == (images ? 0xfdfcfbfa00000001u : 0));
	cr_assert_eq(ji->has_image_fields, images);
	cr_assert_eq(ji->clone_targets.len > 0, images && r->image);
	cr_assert_eq(ji->data_end - ji->data_start, images && !r->image ? JI_BUILD_DATA_BYTES : 0);
	cr_assert_eq(ji->flags, images ? 0xa3 : 0);
	cr_assert_eq(ji->image_crc32c, images && r->image ? JI_BUILD_IMAGE_CRC : 0);
	cr_assert_eq(ji->sources_count, 2);
}

Test(ji, every_layout_from_1_5_to_1_12_is_read)
{
	for (size_t i = 0; i < 2 * JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct ji_recipe r = {.version = JI_BUILD_VERSIONS[i / 2], .image = i % 2};
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_ji ji;
		struct jic_error err = {0};
		ji_build(&b, &r);
		cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, &err), "%s: %s", r.version, err.text);
		check_layout(&ji, &r);
		cr_assert(jic_ji_verify(&ji, &err), "%s: %s", r.version, err.text);
	}
}

Test(ji, a_file_without_source_text_is_read)
{
	for (size_t i = 0; i < 2 * JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct ji_recipe r = {.version = JI_BUILD_VERSIONS[i / 2], .image = i % 2, .no_sources = true};
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_ji ji;
		struct jic_error err = {0};
		ji_build(&b, &r);
		cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, &err), "%s: %s", r.version, err.text);
		cr_assert(ji.source_text_offset == 0 && ji.sources_count == 0 && !ji.includes[0].has_source);
		cr_assert(jic_ji_verify(&ji, &err), "%s", err.text);
	}
}

Test(ji, every_file_of_the_corpus_is_read_and_verified)
{
	glob_t files = corpus_glob(CORPUS_JI, CORPUS_JI_LEAST);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_view bytes = corpus_read(files.gl_pathv[i]);
		struct jic_ji ji;
		struct jic_error err = {0};
		cr_assert(jic_ji_parse(bytes, &arena, &ji, &err), "%s: %s", files.gl_pathv[i], err.text);
		cr_assert(jic_ji_verify(&ji, &err), "%s: %s", files.gl_pathv[i], err.text);
		cr_assert(ji.includes_count && ji.includes[0].has_source);
		view_free(bytes);
	}
	globfree(&files);
}

Test(ji, the_header_is_read_from_any_prefix_that_holds_it)
{
	struct ji_recipe r = {.version = "1.11.1"};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	ji_build(&b, &r);
	struct jic_ji whole;
	JIC_CLEAR(jic_arena) struct jic_arena keep = {0};
	cr_assert(jic_ji_parse(jic_buf_view(&b), &keep, &whole, NULL));
	for (size_t len = 0; len < b.len; len++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_view head = exact_copy(jic_buf_view(&b), len);
		struct jic_ji ji;
		bool read = jic_ji_parse_header(head, &arena, &ji, NULL);
		cr_assert_eq(read, len >= whole.at.header_end, "at %zu of %zu", len, whole.at.header_end);
		if (read)
			cr_assert(ji.includes_count == 3 && ji.sources_count == 0 && !ji.includes[0].has_source &&
			          ji.file_crc32c == 0 && ji.required_count == 3);
		view_free(head);
	}
}

/* ---- hostile bytes */

/* Fails with `code`, and says why. */
static void refuse(struct jic_view bytes, enum jic_code code, const char *what)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_view copy = exact_copy(bytes, bytes.len);
	struct jic_ji ji;
	struct jic_error err = {0};
	cr_assert_not(jic_ji_parse(copy, &arena, &ji, &err), "%s was accepted", what);
	cr_assert_eq(err.code, code, "%s: %s: %s", what, jic_code_name(err.code), err.text);
	cr_assert_neq(err.text[0], '\0');
	view_free(copy);
}

Test(ji, versions_and_formats_that_are_not_known_are_unsupported)
{
	static const struct ji_recipe unknown[] = {
	    {.version = "1.4.2"},
	    {.version = "1.13.0"},
	    {.version = "2.0.0"},
	    {.version = "1.8.5", .format = 12},
	    {.version = "1.9.0", .format = 11},
	    {.version = "1.12.0", .format = 13},
	};
	for (size_t i = 0; i < JIC_COUNT(unknown); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		ji_build(&b, &unknown[i]);
		refuse(jic_buf_view(&b), JIC_EUNSUPPORTED, unknown[i].version);
	}
	JIC_CLEAR(jic_buf) struct jic_buf big = {0};
	ji_build(&big, &(struct ji_recipe){.version = "1.11.1"});
	big.ptr[10] = '\xfe';
	big.ptr[11] = '\xff';
	refuse(jic_buf_view(&big), JIC_EUNSUPPORTED, "big-endian");
}

/* A file whose byte `at` (counted from a part's beginning) has another value. */
static void refuse_changed(const char *version, size_t (*part)(const struct jic_ji *), size_t at, uint8_t value,
                           enum jic_code code, const char *what)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	ji_build(&b, &(struct ji_recipe){.version = version});
	cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, NULL));
	at += part(&ji);
	cr_assert_neq((uint8_t)b.ptr[at], value, "%s: nothing to change", what);
	b.ptr[at] = (char)value;
	refuse(jic_buf_view(&b), code, what);
}

static size_t start(const struct jic_ji *ji)
{
	(void)ji;
	return 0;
}
static size_t image_fields(const struct jic_ji *ji)
{
	return ji->at.image_fields;
}
static size_t worklist(const struct jic_ji *ji)
{
	return ji->at.worklist;
}
static size_t dependencies(const struct jic_ji *ji)
{
	return ji->at.dependencies;
}
static size_t inner_tail(const struct jic_ji *ji)
{
	const struct jic_ji_include *f = &ji->includes[1];
	return f->record_offset + 4 + f->path.len + (jic_julia_at_least(ji->version, 1, 11, 0) ? 12 : 0) + 8;
}
static size_t source_text_offset(const struct jic_ji *ji)
{
	return ji->at.required - 8;
}
static size_t header_end(const struct jic_ji *ji)
{
	return ji->at.header_end;
}
static size_t sources(const struct jic_ji *ji)
{
	return (size_t)ji->source_text_offset;
}

Test(ji, a_wrong_field_is_named)
{
	refuse_changed("1.11.1", start, 0, 0, JIC_EFORMAT, "magic");
	refuse_changed("1.11.1", start, 12, 16, JIC_EFORMAT, "pointer size");
	refuse_changed("1.11.1", image_fields, 0, 1, JIC_EFORMAT, "marker of an image");
	refuse_changed("1.11.1", image_fields, 9, 1, JIC_EFORMAT, "start of data inside of the header");
	refuse_changed("1.11.1", image_fields, 10, 0xff, JIC_EFORMAT, "start of data behind its end");
	refuse_changed("1.11.1", image_fields, 17, 1, JIC_EFORMAT, "end of data before the source text");
	refuse_changed("1.11.1", worklist, 0, 0, JIC_EFORMAT, "no module");
	refuse_changed("1.11.1", worklist, 3, 0x80, JIC_EFORMAT, "negative length");
	refuse_changed("1.11.1", worklist, 2, 0xff, JIC_ELIMIT, "length of 16 MB");
	refuse_changed("1.11.1", dependencies, 0, 1, JIC_EFORMAT, "totbytes");
	refuse_changed("1.11.1", dependencies, 7, 1, JIC_EFORMAT, "totbytes beyond 2^56");
	refuse_changed("1.11.1", inner_tail, 0, 2, JIC_EFORMAT, "module index without a module");
	refuse_changed("1.11.1", inner_tail, 3, 0x80, JIC_EFORMAT, "negative module index");
	refuse_changed("1.11.1", inner_tail, 7, 0x80, JIC_EFORMAT, "negative length of a submodule");
	refuse_changed("1.8.5", inner_tail, 0, 2, JIC_EFORMAT, "module index without a module, 1.8");
	refuse_changed("1.8.5", source_text_offset, 0, 0xff, JIC_EFORMAT, "source text somewhere else");
	refuse_changed("1.8.5", source_text_offset, 7, 0xff, JIC_EFORMAT, "source text beyond the file");
	refuse_changed("1.11.1", header_end, 0, 1, JIC_EFORMAT, "padding");
	refuse_changed("1.11.1", sources, 3, 0x80, JIC_EFORMAT, "negative length of a source's name");
	refuse_changed("1.11.1", sources, 4 + 19 + 7, 0x80, JIC_EFORMAT, "source text beyond the file");
}

Test(ji, data_in_a_file_with_an_image_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	ji_build(&b, &(struct ji_recipe){.version = "1.11.1", .image = true});
	cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, NULL));
	ji_build_set(&b, ji.at.image_fields + 9, 64);
	refuse(jic_buf_view(&b), JIC_EFORMAT, "data start beside an image");
}

Test(ji, a_requires_record_needs_a_name)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	ji_build(&b, &(struct ji_recipe){.version = "1.8.5"});
	cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, NULL));
	b.ptr[ji.includes[1].record_offset + 4] = '\0';
	cr_assert_gt(ji.includes[1].path.len, 17);
	cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, NULL), "a path that begins with NUL is a requires");
	cr_assert(ji.includes_count == 2 && ji.requires_count == 2);
	JIC_CLEAR(jic_buf) struct jic_buf brief = {0};
	ji_build(&brief, &(struct ji_recipe){.version = "1.8.5", .folder = "/A"});
	cr_assert(jic_ji_parse(jic_buf_view(&brief), &arena, &ji, NULL));
	brief.ptr[ji.includes[1].record_offset + 4] = '\0';
	refuse(jic_buf_view(&brief), JIC_EFORMAT, "a requires of 11 bytes");
}

Test(ji, one_byte_more_or_less_at_the_end_is_refused)
{
	for (size_t i = 0; i < 2 * JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct ji_recipe r = {.version = JI_BUILD_VERSIONS[i / 2], .image = i % 2};
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		ji_build(&b, &r);
		refuse(jic_view_head(jic_buf_view(&b), b.len - 1), JIC_EFORMAT, "a byte less");
		jic_buf_u8(&b, 0);
		refuse(jic_buf_view(&b), JIC_EFORMAT, "a byte more");
	}
}

/* A list of one-letter preferences, `count` long. */
static void build_preferences(struct jic_buf *b, size_t count)
{
	struct ji_recipe r = {.version = "1.8.5"};
	ji_build_prefix(b, &r);
	ji_build_module(b, "Alpha", 1);
	jic_buf_u32le(b, 0);
	size_t total_at = b->len;
	jic_buf_u64le(b, 0);
	jic_buf_u32le(b, 0);
	for (size_t i = 0; i < count; i++)
		ji_build_s(b, "p");
	jic_buf_u32le(b, 0);
	jic_buf_u64le(b, 0);
	jic_buf_u64le(b, 0);
	ji_build_set(b, total_at, b->len - total_at - 8);
	jic_buf_u32le(b, 0);
	jic_buf_u32le(b, 0);
}

Test(ji, lists_and_strings_have_a_greatest_length)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf most = {0};
	struct jic_ji ji;
	struct jic_error err = {0};
	build_preferences(&most, JIC_JI_ENTRIES_MAX);
	cr_assert(jic_ji_parse(jic_buf_view(&most), &arena, &ji, &err), "%s", err.text);
	cr_assert_eq(ji.preferences_count, JIC_JI_ENTRIES_MAX);
	JIC_CLEAR(jic_buf) struct jic_buf over = {0};
	build_preferences(&over, JIC_JI_ENTRIES_MAX + 1);
	refuse(jic_buf_view(&over), JIC_ELIMIT, "one entry more");
	struct jic_view huge = {.ptr = over.ptr, .len = (size_t)JIC_JI_BYTES_MAX + 1};
	cr_assert_not(jic_ji_parse(huge, &arena, &ji, &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
}

/* The smallest file of each kind, so that every byte can be tried. */
static struct jic_view read_one(const char *pattern)
{
	glob_t files = corpus_glob(pattern, 1);
	struct jic_view bytes = corpus_read(files.gl_pathv[0]);
	globfree(&files);
	return bytes;
}

static const char *const SAMPLES[] = {
    "1.10.5/depot/compiled/*/GoldBase/Ah8jb_6ZiR1.ji",
    "1.11.1/depot/compiled/*/GoldMid/sBuKF_LIuXU.ji",
    "1.12.5/depot/compiled/*/GoldPrefs/*.ji",
    "1.12.5/depot/compiled/*/GoldBase/Ah8jb_sVVzp.ji",
};

Test(ji, no_truncation_of_a_real_file_is_a_file)
{
	for (size_t s = 0; s < JIC_COUNT(SAMPLES); s++) {
		struct jic_view whole = read_one(SAMPLES[s]);
		for (size_t len = 0; len < whole.len; len++) {
			JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
			struct jic_view part = exact_copy(whole, len);
			struct jic_ji ji;
			struct jic_error err = {0};
			cr_assert_not(jic_ji_parse(part, &arena, &ji, &err), "%s: %zu bytes", SAMPLES[s], len);
			cr_assert(err.code == JIC_EFORMAT || err.code == JIC_EUNSUPPORTED, "%s", err.text);
			view_free(part);
		}
		view_free(whole);
	}
}

/* CRC-32C finds every change of one byte, so what still parses must not verify. */
static void try_changed(struct jic_view bytes, const char *sample, size_t at)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_error err = {0};
	if (!jic_ji_parse(bytes, &arena, &ji, &err)) {
		cr_assert_neq(err.code, JIC_OK);
		return;
	}
	cr_assert_not(jic_ji_verify(&ji, &err), "%s: byte %zu", sample, at);
	cr_assert_eq(err.code, JIC_ECORRUPT);
}

Test(ji, no_changed_byte_of_a_real_file_goes_unnoticed)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	for (size_t s = 0; s < JIC_COUNT(SAMPLES); s++) {
		struct jic_view bytes = read_one(SAMPLES[s]);
		for (size_t i = 0; i < bytes.len * JIC_COUNT(masks); i++) {
			char *byte = byte_at(bytes, i / JIC_COUNT(masks));
			char before = *byte;
			*byte = (char)(before ^ (char)masks[i % JIC_COUNT(masks)]);
			try_changed(bytes, SAMPLES[s], i / JIC_COUNT(masks));
			*byte = before;
		}
		view_free(bytes);
	}
}

/* ---- what the checksums say */

static void refuse_verify(struct jic_buf *b, const char *what)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	struct jic_error err = {0};
	ji_build_reseal(b);
	cr_assert(jic_ji_parse(jic_buf_view(b), &arena, &ji, &err), "%s: %s", what, err.text);
	cr_assert_not(jic_ji_verify(&ji, &err), "%s", what);
	cr_assert_eq(err.code, JIC_ECORRUPT, "%s", err.text);
}

Test(ji, a_resealed_file_still_has_to_agree_with_itself)
{
	struct ji_recipe r = {.version = "1.10.5"};
	JIC_CLEAR(jic_buf) struct jic_buf data = {0}, mark = {0}, image = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_ji ji;
	ji_build(&data, &r);
	cr_assert(jic_ji_parse(jic_buf_view(&data), &arena, &ji, NULL));
	data.ptr[ji.data_start] ^= 1;
	refuse_verify(&data, "changed data");
	ji_build(&mark, &r);
	mark.ptr[ji.at.image_fields + 8] = 0;
	refuse_verify(&mark, "checksum without its mark");
	ji_build(&image, &r);
	image.ptr[image.len - 8] = 1;
	refuse_verify(&image, "an image's checksum without an image");
}
