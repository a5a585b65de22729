#include "client/lib/environment/manifest.h"

#include "tests/support/corpus.h"

static bool parse(const char *text, struct jic_arena *arena, struct jic_manifest *m, struct jic_error *err)
{
	return jic_manifest_parse(jic_view_of(text), JIC_VIEW("M.toml"), arena, m, err);
}

#define UUID_X "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_Y "aaaaaaaa-0000-4000-8000-000000000002"

Test(manifest, format_1_has_its_packages_at_the_top_level)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_manifest m;
	struct jic_error err;
	cr_assert(parse("[[X]]\nuuid = \"" UUID_X "\"\ndeps = [\"Y\"]\nversion = \"1.2.3\"\n[[Y]]\nuuid = \"" UUID_Y
	                "\"\n",
	                &arena, &m, &err),
	          "%s", err.text);
	cr_assert_eq(m.count, 2);
	cr_expect_eq(m.format_major, 1);
	cr_expect(jic_view_is(m.packages[0].name, "X") && jic_view_is(m.packages[0].version, "1.2.3"));
	cr_expect(jic_view_is(m.packages[0].deps.items[0].name, "Y"));
	cr_expect(jic_uuid_is_nil(m.packages[0].deps.items[0].uuid), "by name");
}

Test(manifest, format_2_has_its_packages_below_deps)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_manifest m;
	struct jic_error err;
	cr_assert(parse("julia_version = \"1.11.1\"\nmanifest_format = \"2.1\"\n[[deps.X]]\nuuid = \"" UUID_X "\"\n"
	                "path = \"../X\"\nentryfile = \"a/b.jl\"\n[deps.X.deps]\nY = \"" UUID_Y "\"\n"
	                "[deps.X.weakdeps]\nZ = \"" UUID_Y "\"\n[deps.X.extensions]\nE = \"Z\"\nF = [\"Z\", \"Y\"]\n",
	                &arena, &m, &err),
	          "%s", err.text);
	cr_assert_eq(m.count, 1);
	const struct jic_package *x = &m.packages[0];
	cr_expect(m.format_major == 2 && m.format_minor == 1);
	cr_expect(jic_view_is(m.julia_version, "1.11.1"));
	cr_expect(jic_view_is(x->path, "../X") && jic_view_is(x->entryfile, "a/b.jl"));
	cr_expect_not(jic_uuid_is_nil(x->deps.items[0].uuid));
	cr_expect_eq(x->weakdeps.count, 1);
	cr_assert_eq(x->extensions.count, 2);
	cr_expect_eq(x->extensions.items[0].triggers_count, 1);
	cr_expect_eq(x->extensions.items[1].triggers_count, 2);
}

Test(manifest, several_packages_may_have_one_name)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_manifest m;
	size_t count;
	cr_assert(parse("[[X]]\nuuid = \"" UUID_X "\"\n[[X]]\nuuid = \"" UUID_Y "\"\n", &arena, &m, NULL));
	cr_expect_null(jic_manifest_named(&m, JIC_VIEW("X"), &count));
	cr_expect_eq(count, 2);
	struct jic_uuid y;
	cr_assert(jic_uuid_parse(JIC_VIEW(UUID_Y), &y));
	cr_expect_eq(jic_manifest_find(&m, y), &m.packages[1]);
}

Test(manifest, errors_name_the_file_and_the_line)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
	    {"manifest_format = \"3.0\"\n", "M.toml:1: manifest_format 3.0 is newer than 2"},
	    {"manifest_format = 2\n", "M.toml:1: manifest_format must be a version such as \"2.0\""},
	    {"\n[[X]]\nuuid = \"nonsense\"\n", "M.toml:3: uuid: must be a UUID"},
	    {"[[X]]\nuuid = \"" UUID_X "\"\ngit-tree-sha1 = \"12\"\n",
	     "M.toml:1: git-tree-sha1 must be 40 hexadecimal digits"},
	    {"[[X]]\nuuid = \"" UUID_X "\"\n[[Y]]\nuuid = \"" UUID_X "\"\n",
	     "M.toml:3: package Y has the UUID of another one"},
	    {"manifest_format = \"2.0\"\n[deps.X]\nuuid = \"" UUID_X "\"\n",
	     "M.toml:2: packages must be arrays of tables, [[deps.Name]]"},
	    {"[[\"../X\"]]\nuuid = \"" UUID_X "\"\n", "M.toml:1: can't be the name of a package"},
	    {"[[X]]\ndeps = 7\n", "M.toml:2: deps: must be a table or an array"},
	    {"[[X]]\ndeps = [7]\n", "M.toml:2: deps: must be names"},
	    {"[[X]]\ndeps = [\"a/b\"]\n", "M.toml:2: deps: has what can't be the name of a package"},
	    {"[[X]]\npath = 7\n", "M.toml:2: path: must be a string"},
	    {"[[X]]\n[X.extensions]\nE = 7\n", "M.toml:3: extensions: must be a string or an array of strings"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_manifest m;
		struct jic_error err;
		cr_assert_not(parse(cases[i].text, &arena, &m, &err), "%s", cases[i].text);
		cr_expect_eq(err.code, JIC_EFORMAT);
		cr_expect_str_eq(err.text, cases[i].error);
	}
}

static size_t count_entries(struct jic_view text, const char *opening)
{
	size_t count = 0, len = strlen(opening);
	for (size_t i = 0; i + len < text.len; i++)
		count += (i == 0 || text.ptr[i - 1] == '\n') && memcmp(text.ptr + i, opening, len) == 0;
	return count;
}

Test(manifest, every_entry_of_real_manifests_is_read)
{
	static const char *const files[] = {
	    "sciml-sde-format1/Manifest.toml",    "sciml-bayesian-1.10/Manifest.toml",
	    "sciml-mtk-1.11/Manifest.toml",       "sciml-stiffode-1.11/Manifest.toml",
	    "sciml-symbolics-1.12/Manifest.toml", "clima-buildkite-1.11/Manifest-v1.11.toml"};
	for (size_t i = 0; i < JIC_COUNT(files); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		char path[512];
		struct jic_manifest m;
		struct jic_error err;
		snprintf(path, sizeof path, "%s/corpus/manifests/%s", corpus_root(), files[i]);
		struct jic_view text = corpus_read(path);
		cr_assert(jic_manifest_read(path, &arena, &m, &err), "%s", err.text);
		size_t expected = count_entries(text, m.format_major == 1 ? "[[" : "[[deps.");
		cr_expect(expected > 100);
		cr_expect_eq(m.count, expected, "%s: %zu instead of %zu", files[i], m.count, expected);
		for (size_t p = 0; p < m.count; p++)
			cr_expect_eq(jic_manifest_find(&m, m.packages[p].uuid), &m.packages[p]);
		free((void *)(uintptr_t)text.ptr);
	}
}

Test(lookup, candidates_come_in_the_order_in_which_they_were_added)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_lookup l = {0};
	for (uint32_t i = 0; i < 3000; i++)
		cr_assert(jic_lookup_add(&l, &arena, i % 7 ? i : UINT32_MAX - 3, i));
	size_t cursor = 0;
	uint32_t index, expected = 0;
	while (jic_lookup_next(&l, UINT32_MAX - 3, &cursor, &index)) {
		cr_expect_eq(index, expected);
		expected += 7;
	}
	cr_expect_eq(expected, 3003);
	cursor = 0;
	cr_expect_not(jic_lookup_next(&l, 123456, &cursor, &index));
}
