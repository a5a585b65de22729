/* An image belongs to its `.ji`, and to no other. */
#include "common/ji.h"

#include "tests/support/corpus.h"
#include "tests/support/ji_build.h"

#define MID "depot/compiled/*/GoldMid/sBuKF_"

struct pair {
	struct jic_view ji_bytes, image;
	struct jic_arena arena;
	struct jic_ji ji;
};

static void pair_clear(struct pair *p)
{
	view_free(p->ji_bytes);
	view_free(p->image);
	jic_arena_clear(&p->arena);
}

static struct jic_view image_beside(const char *ji_path)
{
	jic_autofree char *so = jic_asprintf("%.*s.so", (int)strlen(ji_path) - 3, ji_path);
	return corpus_read(so);
}

static void pair_read(struct pair *p, const char *ji_path)
{
	struct jic_error err = {0};
	*p = (struct pair){.ji_bytes = corpus_read(ji_path)};
	cr_assert(jic_ji_parse(p->ji_bytes, &p->arena, &p->ji, &err), "%s: %s", ji_path, err.text);
	if (p->ji.clone_targets.len)
		p->image = image_beside(ji_path);
}

static void pair_find(struct pair *p, const char *pattern)
{
	glob_t files = corpus_glob(pattern, 1);
	pair_read(p, files.gl_pathv[0]);
	globfree(&files);
}

/* Refused although its checksum is said to be right: by what is inside. */
static void refuse_inside(const struct pair *p, struct jic_view image, enum jic_code code, const char *what)
{
	struct jic_error err = {0};
	uint32_t told = p->ji.image_crc32c;
	cr_assert_not(jic_ji_verify_image(&p->ji, image, &told, &err), "%s was accepted", what);
	cr_assert_eq(err.code, code, "%s: %s", what, err.text);
}

Test(ji_verify, every_image_of_the_corpus_belongs_to_its_cache_file)
{
	glob_t files = corpus_glob(CORPUS_JI, CORPUS_JI_LEAST);
	size_t images = 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		JIC_CLEAR(pair) struct pair p;
		struct jic_error err = {0};
		pair_read(&p, files.gl_pathv[i]);
		if (!p.image.len)
			continue;
		images++;
		cr_assert(jic_ji_verify_image(&p.ji, p.image, NULL, &err), "%s: %s", files.gl_pathv[i], err.text);
		cr_assert(jic_ji_verify_image(&p.ji, p.image, &p.ji.image_crc32c, &err), "%s", err.text);
	}
	cr_assert_geq(images, 30);
	globfree(&files);
}

Test(ji_verify, an_image_with_another_checksum_is_corrupt)
{
	JIC_CLEAR(pair) struct pair p;
	struct jic_error err = {0};
	pair_find(&p, "1.11.1/" MID "uZCRG.ji");
	*byte_at(p.image, p.image.len - 1) ^= 1;
	cr_assert_not(jic_ji_verify_image(&p.ji, p.image, NULL, &err));
	cr_assert_eq(err.code, JIC_ECORRUPT);
}

Test(ji_verify, an_image_of_another_compilation_is_refused_by_what_is_inside)
{
	JIC_CLEAR(pair) struct pair mid, other_flags, other_package, other_version;
	pair_find(&mid, "1.11.1/" MID "uZCRG.ji");
	pair_find(&other_flags, "1.11.1/" MID "LIuXU.ji");
	pair_find(&other_package, "1.11.1/depot/compiled/*/GoldTop/*.ji");
	pair_find(&other_version, "1.12.5/" MID "8A165.ji");
	refuse_inside(&mid, other_flags.image, JIC_ECORRUPT, "other flags");
	refuse_inside(&mid, other_package.image, JIC_ECORRUPT, "other package");
	refuse_inside(&mid, other_version.image, JIC_ECORRUPT, "other Julia");
}

Test(ji_verify, changed_data_in_an_image_is_refused_by_its_own_checksum)
{
	JIC_CLEAR(pair) struct pair p;
	pair_find(&p, "1.11.1/" MID "uZCRG.ji");
	/* The blob ends with the data: look for its prefix, and go far behind it. */
	const char *blob = memmem(p.image.ptr, p.image.len, p.ji.bytes.ptr, p.ji.at.image_fields);
	cr_assert(blob);
	*byte_at(p.image, (size_t)(blob - p.image.ptr) + 4096) ^= 1;
	refuse_inside(&p, p.image, JIC_ECORRUPT, "changed data");
}

/* Each field of the blob's header is compared. */
Test(ji_verify, no_changed_byte_of_the_inner_header_goes_unnoticed)
{
	JIC_CLEAR(pair) struct pair p;
	pair_find(&p, "1.12.5/" MID "8A165.ji");
	const char *blob = memmem(p.image.ptr, p.image.len, p.ji.bytes.ptr, p.ji.at.image_fields);
	cr_assert(blob);
	size_t at = (size_t)(blob - p.image.ptr);
	size_t header = p.ji.at.worklist + p.ji.at.clone_targets - p.ji.at.required;
	uint32_t told = p.ji.image_crc32c;
	for (size_t i = 0; i < header; i++) {
		struct jic_error err = {0};
		char *byte = byte_at(p.image, at + i), before = *byte;
		*byte = (char)(before ^ 0x40);
		cr_assert_not(jic_ji_verify_image(&p.ji, p.image, &told, &err), "byte %zu", i);
		cr_assert(err.code == JIC_ECORRUPT || err.code == JIC_EFORMAT, "byte %zu: %s", i, err.text);
		*byte = before;
	}
	cr_assert(jic_ji_verify_image(&p.ji, p.image, &told, NULL));
}

Test(ji_verify, bytes_that_are_no_image_are_refused)
{
	JIC_CLEAR(pair) struct pair p;
	pair_find(&p, "1.10.5/" MID "6ZiR1.ji");
	refuse_inside(&p, JIC_VIEW(""), JIC_EFORMAT, "nothing");
	refuse_inside(&p, p.ji_bytes, JIC_EFORMAT, "the cache file itself");
	refuse_inside(&p, jic_view_head(p.image, p.image.len / 2), JIC_EFORMAT, "half of it");
}

Test(ji_verify, a_file_made_without_an_image_takes_none)
{
	JIC_CLEAR(pair) struct pair alone, other;
	pair_find(&alone, "1.10.5/" MID "kjOCw.ji");
	pair_find(&other, "1.10.5/" MID "6ZiR1.ji");
	refuse_inside(&alone, other.image, JIC_ECORRUPT, "an image for a stand-alone file");
}

Test(ji_verify, an_image_that_is_not_elf_is_known_by_its_checksum_alone)
{
	static const char *const names[] = {"Darwin", "NT"};
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf b = {0};
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_ji ji;
		struct jic_error err = {0};
		struct jic_view image = JIC_VIEW("some other kind of image");
		ji_build(&b, &(struct ji_recipe){.version = "1.11.1", .uname = names[i], .image = true});
		cr_assert(jic_ji_parse(jic_buf_view(&b), &arena, &ji, &err), "%s", err.text);
		cr_assert_not(jic_ji_verify_image(&ji, image, NULL, &err));
		cr_assert_eq(err.code, JIC_ECORRUPT);
		ji.image_crc32c = jic_crc32c(0, image.ptr, image.len);
		cr_assert(jic_ji_verify_image(&ji, image, NULL, &err), "%s", err.text);
		ji.checksum ^= 1ull << 40;
		cr_assert_not(jic_ji_verify_image(&ji, image, NULL, &err), "checksum without its mark");
	}
}
