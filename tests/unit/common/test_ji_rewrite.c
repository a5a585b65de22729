/* A rewritten file is the same file elsewhere: only what a rewrite may change differs, and the way back is exact. */
#include "common/ji.h"

#include "tests/support/corpus.h"
#include "tests/support/ji_build.h"

static struct jic_ji parse(struct jic_view bytes, struct jic_arena *arena, const char *name)
{
	struct jic_ji ji;
	struct jic_error err = {0};
	cr_assert(jic_ji_parse(bytes, arena, &ji, &err), "%s: %s", name, err.text);
	cr_assert(jic_ji_verify(&ji, &err), "%s: %s", name, err.text);
	return ji;
}

/* The edits that change nothing; in the arena. */
static struct jic_ji_edit *same(const struct jic_ji *ji, struct jic_arena *arena)
{
	struct jic_ji_edit *edits = jic_arena_array(arena, ji->includes_count, sizeof *edits);
	cr_assert(edits);
	for (size_t i = 0; i < ji->includes_count; i++) {
		const struct jic_ji_include *f = &ji->includes[i];
		edits[i] =
		    (struct jic_ji_edit){.path = f->path, .size = f->size, .crc32c = f->crc32c, .mtime = f->mtime};
	}
	return edits;
}

/* Every path below another folder, and other times. */
static struct jic_ji_edit *moved(const struct jic_ji *ji, struct jic_arena *arena, const char *folder)
{
	struct jic_ji_edit *edits = same(ji, arena);
	for (size_t i = 0; i < ji->includes_count; i++) {
		edits[i].path = jic_arena_printf(arena, "%s" JIC_PRIv, folder, JIC_ARGv(edits[i].path));
		edits[i].mtime = 1.5 + (double)i;
	}
	return edits;
}

static void rewrite(const struct jic_ji *ji, const struct jic_ji_edit *edits, struct jic_buf *out)
{
	struct jic_error err = {0};
	cr_assert(jic_ji_rewrite(ji, edits, out, &err), "%s", err.text);
}

static bool same_modules(const struct jic_ji_module *a, const struct jic_ji_module *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!jic_view_eq(a[i].name, b[i].name) || !jic_uuid_eq(a[i].uuid, b[i].uuid) ||
		    !jic_build_id_eq(a[i].build_id, b[i].build_id))
			return false;
	return true;
}

static struct jic_view data_of(const struct jic_ji *ji)
{
	if (ji->has_image_fields)
		return jic_view_bytes(ji->bytes.ptr + ji->data_start, (size_t)(ji->data_end - ji->data_start));
	size_t end = ji->source_text_offset ? (size_t)ji->source_text_offset : ji->at.trailer;
	return jic_view_bytes(ji->bytes.ptr + ji->at.header_end, end - ji->at.header_end);
}

/* What a rewrite must leave alone. */
static void check_kept(const struct jic_ji *a, const struct jic_ji *b, const char *name)
{
	cr_assert(a->checksum == b->checksum && a->flags == b->flags && a->image_crc32c == b->image_crc32c, "%s", name);
	cr_assert(a->modules_count == b->modules_count && same_modules(a->modules, b->modules, a->modules_count));
	cr_assert(a->required_count == b->required_count && same_modules(a->required, b->required, a->required_count));
	cr_assert_eq(a->requires_count, b->requires_count);
	for (size_t i = 0; i < a->requires_count; i++)
		cr_assert(jic_view_eq(a->requires_[i].name, b->requires_[i].name) &&
		          jic_uuid_eq(a->requires_[i].uuid, b->requires_[i].uuid));
	cr_assert_eq(a->preferences_count, b->preferences_count);
	cr_assert_eq(a->preferences_hash, b->preferences_hash);
	cr_assert(jic_view_eq(a->clone_targets, b->clone_targets));
	cr_assert(jic_view_eq(data_of(a), data_of(b)), "%s: data", name);
	cr_assert_eq(a->sources_count, b->sources_count);
	for (size_t i = 0; i < a->sources_count; i++)
		cr_assert(jic_view_eq(a->sources[i].text, b->sources[i].text));
}

static void check_edited(const struct jic_ji *before, const struct jic_ji *after, const struct jic_ji_edit *edits,
                         const char *name)
{
	cr_assert_eq(before->includes_count, after->includes_count);
	for (size_t i = 0; i < after->includes_count; i++) {
		const struct jic_ji_include *f = &after->includes[i], *old = &before->includes[i];
		cr_assert(jic_view_eq(f->path, edits[i].path), "%s", name);
		cr_assert_eq(f->mtime, edits[i].mtime);
		cr_assert(jic_view_eq(f->modpath, old->modpath) && f->module_index == old->module_index);
		cr_assert(f->has_source == old->has_source && jic_view_eq(f->source, old->source),
		          "%s: the text follows its file", name);
	}
}

/* Same edits: same bytes. Another place: only that differs. And back: the first bytes again. */
static void check_file(struct jic_view bytes, const char *name)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf equal = {0}, away = {0}, back = {0};
	struct jic_ji ji = parse(bytes, &arena, name);
	rewrite(&ji, same(&ji, &arena), &equal);
	cr_assert(jic_view_eq(jic_buf_view(&equal), bytes), "%s: equal edits changed bytes", name);
	const struct jic_ji_edit *edits = moved(&ji, &arena, "/another/and/much/longer/place");
	rewrite(&ji, edits, &away);
	struct jic_ji there = parse(jic_buf_view(&away), &arena, name);
	check_edited(&ji, &there, edits, name);
	check_kept(&ji, &there, name);
	rewrite(&there, same(&ji, &arena), &back);
	cr_assert(jic_view_eq(jic_buf_view(&back), bytes), "%s: the way back changed bytes", name);
}

Test(ji_rewrite, every_file_of_the_corpus_moves_and_comes_back)
{
	glob_t files = corpus_glob(CORPUS_JI, CORPUS_JI_LEAST);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct jic_view bytes = corpus_read(files.gl_pathv[i]);
		check_file(bytes, files.gl_pathv[i]);
		view_free(bytes);
	}
	globfree(&files);
}

Test(ji_rewrite, every_layout_moves_and_comes_back)
{
	for (size_t i = 0; i < 4 * JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct ji_recipe r = {.version = JI_BUILD_VERSIONS[i / 4], .image = i % 2, .no_sources = i / 2 % 2};
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		ji_build(&b, &r);
		check_file(jic_buf_view(&b), r.version);
	}
}

Test(ji_rewrite, data_stays_aligned_at_every_length_of_a_path)
{
	static const struct {
		struct ji_recipe recipe;
		size_t align;
	} kinds[] = {
	    {{.version = "1.9.4"}, 64},
	    {{.version = "1.11.1"}, 64},
	    {{.version = "1.11.1", .uname = "Darwin", .arch = "aarch64"}, 128},
	    {{.version = "1.12.5", .arch = "ppc64le"}, 128},
	    {{.version = "1.10.4", .arch = "ppc64le"}, 64},
	};
	char folder[200] = "/";
	for (size_t len = 1; len < 130; len++) {
		folder[len] = 'x';
		for (size_t k = 0; k < JIC_COUNT(kinds); k++) {
			JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
			JIC_CLEAR(jic_buf) struct jic_buf b = {0}, out = {0};
			ji_build(&b, &kinds[k].recipe);
			struct jic_ji ji = parse(jic_buf_view(&b), &arena, "made");
			rewrite(&ji, moved(&ji, &arena, folder), &out);
			struct jic_ji there = parse(jic_buf_view(&out), &arena, "moved");
			cr_assert_eq(there.data_start % kinds[k].align, 0);
			cr_assert_lt(there.data_start - there.at.header_end, kinds[k].align);
		}
	}
}

Test(ji_rewrite, size_and_checksum_of_a_file_change_only_where_they_are_recorded)
{
	for (size_t i = 0; i < JIC_COUNT(JI_BUILD_VERSIONS); i++) {
		struct ji_recipe r = {.version = JI_BUILD_VERSIONS[i]};
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		JIC_CLEAR(jic_buf) struct jic_buf b = {0}, out = {0};
		ji_build(&b, &r);
		struct jic_ji ji = parse(jic_buf_view(&b), &arena, r.version);
		struct jic_ji_edit *edits = same(&ji, &arena);
		edits[2].size = 4711;
		edits[2].crc32c = 0xfeedbeef;
		rewrite(&ji, edits, &out);
		struct jic_ji after = parse(jic_buf_view(&out), &arena, r.version);
		bool recorded = ji_build_since(&r, 11);
		cr_assert_eq(after.includes[2].size, recorded ? 4711 : 0);
		cr_assert_eq(after.includes[2].crc32c, recorded ? 0xfeedbeef : 0);
		cr_assert_eq(jic_view_eq(jic_buf_view(&out), jic_buf_view(&b)), !recorded);
	}
}

Test(ji_rewrite, what_is_in_the_buffer_already_stays_before_it)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0}, out = {0};
	ji_build(&b, &(struct ji_recipe){.version = "1.9.4"});
	struct jic_ji ji = parse(jic_buf_view(&b), &arena, "made");
	jic_buf_puts(&out, "before");
	rewrite(&ji, same(&ji, &arena), &out);
	cr_assert(jic_view_starts(jic_buf_view(&out), JIC_VIEW("before")));
	cr_assert(jic_view_eq(jic_view_skip(jic_buf_view(&out), 6), jic_buf_view(&b)));
}

static void refuse(struct jic_view path, enum jic_code code)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0}, out = {0};
	struct jic_error err = {0};
	ji_build(&b, &(struct ji_recipe){.version = "1.11.1"});
	struct jic_ji ji = parse(jic_buf_view(&b), &arena, "made");
	struct jic_ji_edit *edits = same(&ji, &arena);
	edits[1].path = path;
	cr_assert_not(jic_ji_rewrite(&ji, edits, &out, &err));
	cr_assert_eq(err.code, code, "%s", err.text);
}

Test(ji_rewrite, a_path_that_no_record_can_hold_is_refused)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	refuse(JIC_VIEW(""), JIC_EUSAGE);
	refuse(JIC_VIEW("\0abc"), JIC_EUSAGE);
	refuse(jic_arena_printf(&arena, "%*s", JIC_JI_STRING_BYTES_MAX + 1, "x"), JIC_ELIMIT);
}

/* A file included twice has two records and one text. */
Test(ji_rewrite, records_of_one_file_move_together)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0}, once = {0}, apart = {0}, together = {0};
	struct jic_error err = {0};
	ji_build(&b, &(struct ji_recipe){.version = "1.8.5"});
	struct jic_ji ji = parse(jic_buf_view(&b), &arena, "made");
	struct jic_ji_edit *edits = same(&ji, &arena);
	edits[1].path = edits[0].path;
	rewrite(&ji, edits, &once);
	struct jic_ji twice = parse(jic_buf_view(&once), &arena, "included twice");
	edits = same(&twice, &arena);
	edits[1].path = JIC_VIEW("/elsewhere.jl");
	cr_assert_not(jic_ji_rewrite(&twice, edits, &apart, &err));
	cr_assert_eq(err.code, JIC_EUSAGE, "%s", err.text);
	edits[0].path = JIC_VIEW("/elsewhere.jl");
	rewrite(&twice, edits, &together);
	struct jic_ji after = parse(jic_buf_view(&together), &arena, "moved");
	cr_assert(after.includes[0].has_source && after.includes[1].has_source);
}
