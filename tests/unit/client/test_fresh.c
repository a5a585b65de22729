/* The rules for file times against the table of Julia's versions, and content against what it was. */
#include "client/lib/relocate/fresh.h"
#include "common/crc32c.h"
#include "common/digest.h"
#include "tests/support/temp.h"

#include <math.h>

static const struct jic_julia_version v153 = {1, 5, 3}, v160 = {1, 6, 0}, v165 = {1, 6, 5}, v182 = {1, 8, 2},
				      v183 = {1, 8, 3}, v184 = {1, 8, 4}, v1105 = {1, 10, 5}, v1111 = {1, 11, 1};
static const double recorded = 1795336758.0635116;

Test(fresh, equal_and_floored_and_truncated_times_are_fresh_in_every_version)
{
	const struct jic_julia_version all[] = {v153, v160, v183, v1105, v1111};
	for (size_t i = 0; i < JIC_COUNT(all); i++) {
		cr_expect(jic_fresh_mtime_accepted(all[i], recorded, recorded));
		cr_expect(jic_fresh_mtime_accepted(all[i], recorded, floor(recorded)));
		cr_expect(jic_fresh_mtime_accepted(all[i], recorded, trunc(recorded * 1e6) / 1e6));
		cr_expect_not(jic_fresh_mtime_accepted(all[i], recorded, recorded + 1));
		cr_expect_not(jic_fresh_mtime_accepted(all[i], recorded, recorded - 1e-3));
	}
}

Test(fresh, time_one_is_a_wildcard_since_1_6_5)
{
	cr_expect_not(jic_fresh_mtime_accepted(v153, recorded, 1.0));
	cr_expect_not(jic_fresh_mtime_accepted(v160, recorded, 1.0));
	cr_expect(jic_fresh_mtime_accepted(v165, recorded, 1.0));
	cr_expect(jic_fresh_mtime_accepted(v1105, recorded, 1.0));
}

Test(fresh, a_microsecond_older_is_fresh_since_1_8_3_and_rounded_up_since_1_8_4)
{
	const double older = nextafter(nextafter(recorded, 0), 0);
	cr_expect_not(jic_fresh_mtime_accepted(v182, recorded, older));
	cr_expect(jic_fresh_mtime_accepted(v183, recorded, older));
	cr_expect_not(jic_fresh_mtime_accepted(v183, recorded, nextafter(recorded, INFINITY)));
	cr_expect_not(jic_fresh_mtime_accepted(v183, recorded, ceil(recorded)));
	cr_expect(jic_fresh_mtime_accepted(v184, recorded, ceil(recorded)));
}

Test(fresh, what_is_recorded_is_accepted_whichever_way_the_sum_was_rounded)
{
	cr_expect_eq(jic_fresh_mtime_to_record(v182, recorded), recorded);
	const double r = jic_fresh_mtime_to_record(v1105, recorded);
	cr_expect(jic_fresh_mtime_accepted(v1105, r, recorded));
	cr_expect(jic_fresh_mtime_accepted(v1105, r, nextafter(recorded, INFINITY)));
	cr_expect(jic_fresh_mtime_accepted(v1105, r, nextafter(recorded, 0)));
}

Test(fresh, times_are_summed_as_julia_sums_them)
{
	struct stat st = {.st_mtim = {.tv_sec = 1795336758, .tv_nsec = 63511600}};
	cr_expect_eq(jic_fresh_mtime(&st), 1795336758.0 + 63511600 * 1e-9);
}

static struct jic_ji_include record_of(const char *path)
{
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	return (struct jic_ji_include){.mtime = jic_fresh_mtime(&st)};
}

Test(fresh, a_touched_file_is_stale_up_to_1_10)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "a.jl");
	struct jic_error err = {0};
	put_file(path, "text");
	set_mtime(path, 1000000, 250000);
	struct jic_ji_include r = record_of(path);
	cr_expect(jic_fresh_record(v1105, &r, path, NULL, &err), "%s", err.text);
	set_mtime(path, 1000002, 0);
	cr_expect_not(jic_fresh_record(v1105, &r, path, NULL, &err));
	cr_expect_eq(err.code, JIC_ECONFLICT);
	temp_remove(&t);
}

Test(fresh, content_counts_and_not_the_time_since_1_11)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "a.jl");
	struct jic_ji_include r = {.mtime = -1, .size = 4, .crc32c = jic_crc32c(0, "text", 4)};
	put_file(path, "text");
	set_mtime(path, 77, 0);
	cr_expect(jic_fresh_record(v1111, &r, path, NULL, NULL));
	put_file(path, "tExt");
	cr_expect_not(jic_fresh_record(v1111, &r, path, NULL, NULL));
	put_file(path, "texts");
	cr_expect_not(jic_fresh_record(v1111, &r, path, NULL, NULL));
	temp_remove(&t);
}

Test(fresh, an_absent_file_is_fresh_only_where_absence_was_recorded_up_to_1_8)
{
	struct jic_ji_include absent = {.mtime = 0}, there = {.mtime = recorded};
	cr_expect(jic_fresh_record(v153, &absent, "/nonexistent/x", NULL, NULL));
	cr_expect_not(jic_fresh_record(v153, &there, "/nonexistent/x", NULL, NULL));
	cr_expect_not(jic_fresh_record(v1105, &absent, "/nonexistent/x", NULL, NULL));
	cr_expect_not(jic_fresh_record(v1111, &absent, "/nonexistent/x", NULL, NULL));
}

Test(fresh, a_directory_is_its_sorted_names)
{
	struct temp t = temp_make();
	struct stat st;
	uint32_t crc;
	put_file(at(t.path, "x.txt"), "");
	put_file(at(t.path, "a.txt"), "");
	cr_assert_eq(stat(t.path, &st), 0);
	cr_assert(jic_fresh_crc(t.path, &st, NULL, &crc, NULL));
	cr_expect_eq(crc, jic_crc32c(0, "a.txtx.txt", 10));
	struct jic_msg_input input = {0};
	struct jic_digest expected;
	cr_assert(jic_fresh_input(t.path, &input, NULL));
	jic_sha256_of(JIC_VIEW("a.txt\nx.txt\n"), &expected);
	cr_expect_eq(input.type, JIC_INPUT_DIRECTORY);
	cr_expect(jic_digest_eq(&input.sha256, &expected));
	temp_remove(&t);
}

Test(fresh, inputs_tell_files_from_nothing)
{
	struct temp t = temp_make();
	struct jic_msg_input file = {0}, nothing = {0};
	struct jic_digest expected, zero = {0};
	put_file(at(t.path, "f"), "content");
	cr_assert(jic_fresh_input(at(t.path, "f"), &file, NULL));
	cr_assert(jic_fresh_input(at(t.path, "g"), &nothing, NULL));
	jic_sha256_of(JIC_VIEW("content"), &expected);
	cr_expect(file.type == JIC_INPUT_FILE && jic_digest_eq(&file.sha256, &expected));
	cr_expect(nothing.type == JIC_INPUT_ABSENT && jic_digest_eq(&nothing.sha256, &zero));
	temp_remove(&t);
}

Test(fresh, a_crc_is_remembered_until_the_file_changes)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "f");
	struct jic_memory *m = jic_memory_open(at(t.path, "memory"));
	struct jic_file_identity id;
	struct stat st;
	uint32_t crc;
	put_file(path, "one");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(jic_fresh_crc(path, &st, m, &crc, NULL));
	jic_file_identity_of(&st, &id);
	cr_expect(jic_memory_get(m, JIC_MEMORY_CRC, &id, sizeof id, &crc) && crc == jic_crc32c(0, "one", 3));
	put_file(path, "two");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(jic_fresh_crc(path, &st, m, &crc, NULL));
	cr_expect_eq(crc, jic_crc32c(0, "two", 3));
	jic_memory_free(m);
	temp_remove(&t);
}

Test(fresh, text_is_compared_whole)
{
	struct temp t = temp_make();
	put_file(at(t.path, "f"), "text");
	cr_expect(jic_fresh_same_text(at(t.path, "f"), JIC_VIEW("text")));
	cr_expect_not(jic_fresh_same_text(at(t.path, "f"), JIC_VIEW("texT")));
	cr_expect_not(jic_fresh_same_text(at(t.path, "f"), JIC_VIEW("tex")));
	cr_expect_not(jic_fresh_same_text(at(t.path, "g"), JIC_VIEW("")));
	temp_remove(&t);
}
