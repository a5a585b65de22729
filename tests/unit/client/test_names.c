/* Slugs and UUIDs against values that real Julias and registries show. */
#include "client/lib/julia/julia_hash.h"
#include "client/lib/julia/slug.h"
#include "common/buf.h"
#include "common/digest.h"

#include <criterion/criterion.h>

static struct jic_uuid uuid(const char *text)
{
	struct jic_uuid u;
	cr_assert(jic_uuid_parse(jic_view_of(text), &u));
	return u;
}

Test(slug, package_slugs_are_those_of_real_cache_files)
{
	static const struct {
		const char *uuid, *slug;
	} cases[] = {
	    {"44cfe95a-1eb2-52ea-b672-e2afdf69b78f", "tUTdb"}, {"8dfed614-e22c-5e08-85e1-65c5234f0b40", "JfdTE"},
	    {"9e88b42a-f829-5b0c-bbe9-9e923198166b", "zGad9"}, {"b77e0a4c-d291-57a0-90e8-8db25a27a240", "0TrXF"},
	    {"3bb67fe8-82b1-5028-8e26-92a6c54297fa", "eJQ7D"}, {"a1b2c3d4-0001-4000-8000-00000000000a", "Ah8jb"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		char text[JIC_SLUG_CHARS_MAX + 1];
		jic_package_slug(uuid(cases[i].uuid), text);
		cr_expect_str_eq(text, cases[i].slug);
	}
}

Test(slug, version_slugs_are_the_directories_that_pkg_makes)
{
	static const struct {
		const char *uuid, *tree, *slug;
	} cases[] = {
	    {"7876af07-990d-54b4-ab0e-23690620f79a", "46e44e869b4d90b96bd8ed1fdcf32244fddfb6cc", "aqsx3"},
	    {"682c06a0-de6a-54ab-a142-c8b1cf79cde6", "31e996f0a15c7b280ba9f76636b3ff9e2ae58c9a", "93Ea8"},
	    {"a1b2c3d4-0002-4000-8000-00000000000b", "3b401d4d7522f0359666689e8667fd5f3ba8b679", "8cA3z"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		uint8_t tree[JIC_TREE_HASH_BYTES];
		char five[JIC_SLUG_CHARS_MAX + 1], four[JIC_SLUG_CHARS_MAX + 1];
		cr_assert(jic_unhex(jic_view_of(cases[i].tree), tree, sizeof(tree)));
		jic_version_slug(uuid(cases[i].uuid), tree, 5, five);
		jic_version_slug(uuid(cases[i].uuid), tree, 4, four);
		cr_expect_str_eq(five, cases[i].slug);
		cr_expect(strncmp(four, five, 4) == 0 && strlen(four) == 4, "four characters begin the five");
	}
}

Test(julia_hash, integers_hash_as_in_julia)
{
	cr_expect_eq(jic_julia_hash_int(10, 0), 0x95ea2955abd45275u);
}

Test(julia_hash, isequal_numbers_hash_alike)
{
	cr_expect_eq(jic_julia_hash_float(3.0, 7), jic_julia_hash_int(3, 7));
	cr_expect_eq(jic_julia_hash_float(-3.0, 7), jic_julia_hash_int((uint64_t)-3, 7));
	cr_expect_eq(jic_julia_hash_float(0x1p63, 7), jic_julia_hash_int((uint64_t)1 << 63, 7));
	cr_expect_neq(jic_julia_hash_float(-0.0, 7), jic_julia_hash_int(0, 7), "-0.0 is not isequal to 0");
	cr_expect_neq(jic_julia_hash_float(2.5, 7), jic_julia_hash_int(2, 7));
}

Test(julia_hash, uuid5_gives_the_ids_of_real_extensions)
{
	static const struct {
		const char *parent, *name, *uuid;
	} cases[] = {
	    {"44cfe95a-1eb2-52ea-b672-e2afdf69b78f", "REPLExt", "e5eb5ef1-03cf-53a7-ae1d-5a66b08e832b"},
	    {"3bb67fe8-82b1-5028-8e26-92a6c54297fa", "TestExt", "29286dec-c893-52d1-88fe-e07e79eb4405"},
	    {"7d9f7c33-5ae7-4f3b-8dc6-eff91059b697", "AccessorsDatesExt", "308068fd-b978-57fd-b78f-2a52fb63dba4"},
	    {"fbd15aa5-315a-5a7d-a8a4-24992e37be05", "ApproxFunBaseSparseArraysExt",
	     "2448fcf3-777e-5e57-899e-a100cfbe46a1"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		char text[JIC_UUID_TEXT + 1];
		jic_uuid_format(jic_julia_uuid5(uuid(cases[i].parent), jic_view_of(cases[i].name)), text);
		cr_expect_str_eq(text, cases[i].uuid);
	}
}

/* The vector of a 1.11.1: names in the recorded order, `missing` unset. */
Test(julia_hash, a_preference_hash_of_every_kind_of_value_is_julias)
{
	static const char toml[] = "s = \"hello\"\ni = -42\nb = true\nf = 2.5\nf2 = 3.0\na = [1, 2, 3]\n"
				   "as = [\"x\", \"yy\"]\n[t]\nk = \"v\"\nn = 7\n";
	static const char *const recorded[] = {"f", "missing", "t", "b", "as", "f2", "s", "a", "i"};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err;
	const struct jic_toml *table = jic_toml_parse(&arena, jic_view_of(toml), "test", &err);
	cr_assert(table, "%s", err.text);
	uint64_t h = 0;
	for (size_t i = 0; i < JIC_COUNT(recorded); i++) {
		const struct jic_toml *value = jic_toml_get(table, recorded[i]);
		cr_assert(!value || jic_julia_hash_value(&(struct jic_julia_hashing){0}, value, h, &h));
	}
	cr_expect_eq(h, 0xf3c7964f6ce55212u, "%llx", (unsigned long long)h);
}

/* What these Julias answer: facts.jl:hashes. */
static const struct jic_julia_samples of_1_12 = {.one = 0x5bca7c69b794f8ce,
                                                 .no_element = 0xa2e6e5b3d2eee6b5,
                                                 .array = 0x5073b71d9d8c8929,
                                                 .array_id = 0x925790ef424fade2,
                                                 .date_type = 0xa47df7fe,
                                                 .time_type = 0xad643c81,
                                                 .datetime_type = 0x79d4f897};
static const struct jic_julia_samples of_1_5 = {.one = 0x02011ce34bce797f,
                                                .no_element = 0x8f3a5484024e9945,
                                                .array = 0x45f4c2c38c315fcc,
                                                .array_id = 0x740029c0cb4226fd};

/* hash(value, UInt(11)) of `n`. */
static uint64_t hash_of(const struct jic_julia_samples *samples, const char *toml)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_julia_hashing rules = jic_julia_hashing_of(samples);
	const struct jic_toml *table = jic_toml_parse(&arena, jic_view_of(toml), "test", NULL);
	uint64_t h;
	cr_assert(table);
	return jic_julia_hash_value(&rules, jic_toml_get(table, "n"), 11, &h) ? h : 0;
}

static const struct vector {
	const char *toml;
	uint64_t of_1_12, of_1_5;
} vectors[] = {
    {"n = -7", 0xa496228150f4b07, 0x6af1bd679719a629},
    {"n = 0", 0x77cfa1eef01bca6f, 0xc58016bf8b7cb440},
    {"n = true", 0x5bca7c69b794f8ad, 0xd0412cb86976295e},
    {"n = 2.5", 0x16b7f40fdbb2c55c, 0xfe1218a02a670ea6},
    {"n = -3.0", 0xa7140a8dcea49ba8, 0x43eb5cc1e3c077e1},
    {"n = nan", 0x15d7d083d04ecb9b, 0x15d7d083d04ecb9b},
    {"n = -0.0", 0x3be7d0f7780de527, 0x27962d474f6a9e2c},
    {"n = []", 0xa2e6e5b3d2eee718, 0xdba2b2c4e537ef36},
    {"n = [1, 2, 3]", 0x902ea5284b019518, 0xd515b6445a3f25dd},
    {"n = [1, 1.0, true, 'a', 'a', [1], [1.0], {k = 1}, {k = 1.0}, 2]", 0x343e9adcd5078142, 0xcbd8083d9febec66},
    {"n = {a = [5, 5], b = 'x'}", 0xb6f41e1e2e7c3743, 0x49bae6602a4886c7},
};

Test(julia_hash, values_hash_as_in_a_1_12_and_in_a_1_5)
{
	for (size_t i = 0; i < JIC_COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];
		cr_expect_eq(hash_of(&of_1_12, v->toml), v->of_1_12, "1.12: %s", v->toml);
		cr_expect_eq(hash_of(&of_1_5, v->toml), v->of_1_5, "1.5: %s", v->toml);
	}
}

/* [mod(i * i, 1009) for i in 1:10000] */
Test(julia_hash, of_a_long_array_a_sample_enters)
{
	JIC_CLEAR(jic_buf) struct jic_buf toml = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	jic_buf_puts(&toml, "n = [");
	for (unsigned i = 1; i <= 10000; i++)
		jic_buf_printf(&toml, "%u,", i * i % 1009);
	jic_buf_puts(&toml, "]");
	const struct jic_toml *n = jic_toml_get(jic_toml_parse(&arena, jic_buf_view(&toml), "test", NULL), "n");
	const struct jic_julia_hashing late = jic_julia_hashing_of(&of_1_12), early = jic_julia_hashing_of(&of_1_5);
	uint64_t h;
	cr_assert(n && jic_julia_hash_value(&late, n, 0, &h));
	cr_expect_eq(h, 0x9ab275a6017ca21e);
	cr_assert(jic_julia_hash_value(&early, n, 0, &h));
	cr_expect_eq(h, 0xe05e2b15be58eaf5);
}

Test(julia_hash, dates_hash_by_the_types_of_the_system_image)
{
	cr_expect_eq(hash_of(&of_1_12, "n = 2020-01-02"), 0xff18712922f5fbf7);
	cr_expect_eq(hash_of(&of_1_12, "n = 12:13:14.12"), 0xf972f1981337c022);
	cr_expect_eq(hash_of(&of_1_12, "n = 12:13:14.1209"), 0xf972f1981337c022,
	             "Julia drops what is below milliseconds");
	cr_expect_eq(hash_of(&of_1_12, "n = 2020-01-02T03:04:05"), 0xf2125152c265ffdf);
	cr_expect_eq(hash_of(&of_1_12, "n = 2020-01-02 03:04:05Z"), 0xf2125152c265ffdf);
}

Test(julia_hash, what_julia_can_not_read_or_nobody_knows_has_no_hash)
{
	struct jic_julia_samples of_another = of_1_12;
	of_another.array = 1;
	cr_expect_eq(hash_of(&of_1_12, "n = 2020-01-02T03:04:05+01:00"), 0);
	cr_expect_eq(hash_of(&of_1_5, "n = [2020-01-02]"), 0);
	cr_expect_eq(hash_of(&of_1_5, "n = 1e300"), 0);
	cr_expect_eq(hash_of(&of_another, "n = 1"), 0);
}
