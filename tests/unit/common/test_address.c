/* Addresses: the vectors of schema/address-vectors.json, computed there by another implementation; and what is refused.
 */
#include "common/address.h"

#include "common/arena.h"

#include <criterion/criterion.h>
#include <jansson.h>

static json_t *vectors(void)
{
	json_error_t why;
	json_t *v = json_load_file(JIC_SOURCE_DIR "/schema/address-vectors.json", 0, &why);
	cr_assert(v, "%s at line %d", why.text, why.line);
	return v;
}

static struct jic_view text_of(const json_t *object, const char *field)
{
	const json_t *v = json_object_get(object, field);
	cr_assert(json_is_string(v), "no text %s", field);
	return jic_view_bytes(json_string_value(v), json_string_length(v));
}

static struct jic_uuid uuid_of(const json_t *object)
{
	struct jic_uuid u = {0};
	struct jic_view text = text_of(object, "uuid");
	cr_assert(text.len == 0 || jic_uuid_parse(text, &u));
	return u;
}

/* ---- nodes */

static struct jic_node_inputs node_of(const json_t *v, struct jic_arena *arena)
{
	json_t *deps = json_object_get(v, "deps"), *extensions = json_object_get(v, "extensions");
	struct jic_digest *keys = jic_arena_array(arena, json_array_size(deps) + 1, sizeof *keys);
	struct jic_view *names = jic_arena_array(arena, json_array_size(extensions) + 1, sizeof *names);
	struct jic_node_inputs n = {.name = text_of(v, "name"),
	                            .uuid = uuid_of(v),
	                            .source = text_of(v, "source"),
	                            .build = text_of(v, "build"),
	                            .preferences = text_of(v, "preferences"),
	                            .deps = keys,
	                            .deps_count = json_array_size(deps),
	                            .extensions = names,
	                            .extensions_count = json_array_size(extensions)};
	cr_assert(jic_node_kind_parse(text_of(v, "kind"), &n.kind));
	for (size_t i = 0; i < n.deps_count; i++)
		cr_assert(jic_digest_parse(jic_view_of(json_string_value(json_array_get(deps, i))), &keys[i]));
	for (size_t i = 0; i < n.extensions_count; i++)
		names[i] = jic_view_of(json_string_value(json_array_get(extensions, i)));
	return n;
}

Test(address, keys_of_nodes_are_those_of_the_vectors)
{
	json_t *all = vectors(), *nodes = json_object_get(all, "nodes");
	cr_assert_geq(json_array_size(nodes), 6);
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_node_inputs n = node_of(json_array_get(nodes, i), &arena);
		struct jic_digest key;
		struct jic_error err = {0};
		char hex[JIC_DIGEST_HEX + 1];
		cr_assert(jic_node_key(&n, &key, &err), "%s", err.text);
		jic_digest_hex(&key, hex);
		cr_assert(jic_view_is(text_of(json_array_get(nodes, i), "key"), hex), "node %zu", i);
	}
	json_decref(all);
}

static struct jic_node_inputs plain_node(void)
{
	return (struct jic_node_inputs){.kind = JIC_NODE_PACKAGE,
	                                .name = JIC_VIEW("A"),
	                                .uuid = {1, 2},
	                                .source = JIC_VIEW("git-tree-sha1:0123456789abcdef0123456789abcdef01234567")};
}

static struct jic_digest key_of(const struct jic_node_inputs *n)
{
	struct jic_digest key;
	struct jic_error err = {0};
	cr_assert(jic_node_key(n, &key, &err), "%s", err.text);
	return key;
}

Test(address, order_and_repetition_of_a_list_do_not_matter)
{
	struct jic_digest deps[] = {{{1}}, {{2}}, {{1}}}, reversed[] = {{{2}}, {{1}}};
	struct jic_view extensions[] = {JIC_VIEW("u/B"), JIC_VIEW("u/A"), JIC_VIEW("u/A")};
	struct jic_view sorted[] = {JIC_VIEW("u/A"), JIC_VIEW("u/B")};
	struct jic_node_inputs a = plain_node(), b = plain_node();
	a.deps = deps;
	a.deps_count = 3;
	a.extensions = extensions;
	a.extensions_count = 3;
	b.deps = reversed;
	b.deps_count = 2;
	b.extensions = sorted;
	b.extensions_count = 2;
	struct jic_digest x = key_of(&a), y = key_of(&b);
	cr_assert(jic_digest_eq(&x, &y));
	cr_assert(jic_view_is(extensions[0], "u/B"), "the caller's list is left alone");
}

Test(address, every_input_of_a_node_changes_its_key)
{
	struct jic_digest dep = {{9}};
	struct jic_view extension = JIC_VIEW("u/E");
	struct jic_node_inputs variants[9];
	for (size_t i = 0; i < JIC_COUNT(variants); i++)
		variants[i] = plain_node();
	variants[1].kind = JIC_NODE_STDLIB;
	variants[2].name = JIC_VIEW("B");
	variants[3].uuid.lo = 3;
	variants[4].source = JIC_VIEW("julia");
	variants[5].build = JIC_VIEW("content:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	variants[6].preferences = JIC_VIEW("{\"a\":1}");
	variants[7].deps = &dep;
	variants[7].deps_count = 1;
	variants[8].extensions = &extension;
	variants[8].extensions_count = 1;
	for (size_t i = 0; i < JIC_COUNT(variants); i++) {
		for (size_t j = 0; j < i; j++) {
			struct jic_digest a = key_of(&variants[i]), b = key_of(&variants[j]);
			cr_assert_not(jic_digest_eq(&a, &b), "%zu and %zu", i, j);
		}
	}
}

static void refuse_node(const struct jic_node_inputs *n, enum jic_code code, const char *what)
{
	struct jic_digest key;
	struct jic_error err = {0};
	cr_assert_not(jic_node_key(n, &key, &err), "%s was accepted", what);
	cr_assert_eq(err.code, code, "%s: %s", what, err.text);
}

Test(address, inputs_of_no_documented_form_are_refused)
{
	static const char *const sources[] = {"",
	                                      "git",
	                                      "git-tree-sha1:",
	                                      "git-tree-sha1:0123",
	                                      "git-tree-sha1:0123456789ABCDEF0123456789abcdef01234567",
	                                      "content:0123456789abcdef0123456789abcdef01234567",
	                                      "julia ",
	                                      "git-tree-sha1:0123456789abcdef0123456789abcdef012345678"};
	struct jic_node_inputs n;
	for (size_t i = 0; i < JIC_COUNT(sources); i++) {
		n = plain_node();
		n.source = jic_view_of(sources[i]);
		refuse_node(&n, JIC_EUSAGE, sources[i]);
	}
	n = plain_node();
	n.name = JIC_VIEW("");
	refuse_node(&n, JIC_EUSAGE, "no name");
	n = plain_node();
	n.build = JIC_VIEW("yes");
	refuse_node(&n, JIC_EUSAGE, "build");
	n = plain_node();
	n.kind = (enum jic_node_kind)7;
	refuse_node(&n, JIC_EUSAGE, "kind");
	n = plain_node();
	n.preferences = (struct jic_view){.ptr = "x", .len = (size_t)1 << 21};
	refuse_node(&n, JIC_ELIMIT, "preferences of 2 MiB");
	n = plain_node();
	n.deps_count = (size_t)1 << 20;
	refuse_node(&n, JIC_ELIMIT, "a million dependencies");
	n = plain_node();
	n.extensions_count = (size_t)1 << 20;
	refuse_node(&n, JIC_ELIMIT, "a million extensions");
}

Test(address, kinds_have_names)
{
	static const enum jic_node_kind kinds[] = {JIC_NODE_PACKAGE, JIC_NODE_EXTENSION, JIC_NODE_STDLIB};
	static const char *const names[] = {"package", "extension", "stdlib"};
	enum jic_node_kind kind;
	for (size_t i = 0; i < JIC_COUNT(kinds); i++) {
		cr_assert_str_eq(jic_node_kind_name(kinds[i]), names[i]);
		cr_assert(jic_node_kind_parse(jic_view_of(names[i]), &kind) && kind == kinds[i]);
	}
	cr_assert_not(jic_node_kind_parse(JIC_VIEW("Package"), &kind));
	cr_assert_not(jic_node_kind_parse(JIC_VIEW(""), &kind));
}

/* ---- runtimes */

static struct jic_runtime runtime_of(const json_t *v, struct jic_arena *arena)
{
	json_t *bundled = json_object_get(v, "bundled");
	struct jic_bundled *modules = jic_arena_array(arena, json_array_size(bundled) + 1, sizeof *modules);
	for (size_t i = 0; i < json_array_size(bundled); i++) {
		const json_t *m = json_array_get(bundled, i);
		modules[i] = (struct jic_bundled){.name = text_of(m, "name"), .uuid = uuid_of(m)};
		cr_assert(jic_build_id_parse(text_of(m, "build_id"), &modules[i].build_id));
	}
	return (struct jic_runtime){.version = text_of(v, "version"),
	                            .branch = text_of(v, "branch"),
	                            .commit = text_of(v, "commit"),
	                            .uname = text_of(v, "uname"),
	                            .arch = text_of(v, "arch"),
	                            .triplet = text_of(v, "triplet"),
	                            .word_bits = (unsigned)json_integer_value(json_object_get(v, "word_bits")),
	                            .flags = text_of(v, "flags"),
	                            .cpu = text_of(v, "cpu"),
	                            .bundled = modules,
	                            .bundled_count = json_array_size(bundled)};
}

Test(address, ids_of_runtimes_are_those_of_the_vectors)
{
	json_t *all = vectors(), *runtimes = json_object_get(all, "runtimes");
	cr_assert_geq(json_array_size(runtimes), 3);
	for (size_t i = 0; i < json_array_size(runtimes); i++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		struct jic_runtime r = runtime_of(json_array_get(runtimes, i), &arena);
		char id[JIC_RUNTIME_ID_BYTES_MAX];
		struct jic_error err = {0};
		cr_assert(jic_runtime_id(&r, id, &err), "%s", err.text);
		cr_assert(jic_view_is(text_of(json_array_get(runtimes, i), "id"), id), "runtime %zu: %s", i, id);
		cr_assert(jic_runtime_id_valid(jic_view_of(id)));
	}
	json_decref(all);
}

static void refuse_runtime(struct jic_runtime r, enum jic_code code, const char *what)
{
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_error err = {0};
	cr_assert_not(jic_runtime_id(&r, id, &err), "%s was accepted", what);
	cr_assert_eq(err.code, code, "%s: %s", what, err.text);
}

Test(address, a_runtime_that_makes_no_id_is_refused)
{
	struct jic_runtime good = {.version = JIC_VIEW("1.11.1"), .triplet = JIC_VIEW("x86_64-linux-gnu")}, r = good;
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	cr_assert(jic_runtime_id(&r, id, NULL));
	r.version = JIC_VIEW("1.11/1");
	refuse_runtime(r, JIC_EUSAGE, "a slash");
	r.version = JIC_VIEW("");
	refuse_runtime(r, JIC_EUSAGE, "no version");
	r = good;
	r.triplet = JIC_VIEW("a\0b");
	refuse_runtime(r, JIC_EUSAGE, "a NUL");
	char longest[JIC_RUNTIME_ID_BYTES_MAX];
	memset(longest, 'x', sizeof longest);
	r.triplet = jic_view_bytes(longest, 114); /* 6 + 6 + 1 + 114 + 1 + 64 = 192 */
	refuse_runtime(r, JIC_ELIMIT, "an id of 192 bytes");
	r.triplet.len--;
	cr_assert(jic_runtime_id(&r, id, NULL));
	cr_assert_eq(strlen(id), JIC_RUNTIME_ID_BYTES_MAX - 1);
	r = good;
	r.cpu = (struct jic_view){.ptr = "x", .len = (size_t)1 << 21};
	refuse_runtime(r, JIC_ELIMIT, "2 MiB of CPU features");
	r = good;
	r.bundled_count = (size_t)1 << 20;
	refuse_runtime(r, JIC_ELIMIT, "a million caches");
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(address, an_id_is_known_by_its_form)
{
	cr_assert(jic_runtime_id_valid(JIC_VIEW("julia-1.11.1-x86_64-linux-gnu-" HEX64)));
	cr_assert(jic_runtime_id_valid(JIC_VIEW("julia-1.12.0-DEV+5-x-" HEX64)));
	static const char *const bad[] = {
	    "",
	    "julia-",
	    HEX64,
	    "julia-" HEX64,
	    "julia--" HEX64,
	    "julia-1-" HEX64,
	    "Julia-1.11.1-x-" HEX64,
	    "julia-1.11.1-x-" HEX64 "0",
	    "julia-1.11.1-x" HEX64,
	    "julia-1.11.1-../x-" HEX64,
	    "julia-1.11.1-%2e-" HEX64,
	    "julia-1.11.1-x-A123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
	for (size_t i = 0; i < JIC_COUNT(bad); i++)
		cr_assert_not(jic_runtime_id_valid(jic_view_of(bad[i])), "%s", bad[i]);
	cr_assert_not(jic_runtime_id_valid(JIC_VIEW("julia-1.11.1-x\0y-" HEX64)));
	char large[JIC_RUNTIME_ID_BYTES_MAX + 1];
	memset(large, 'x', sizeof large);
	memcpy(large, "julia-", 6);
	memcpy(large + JIC_RUNTIME_ID_BYTES_MAX - 65, "-" HEX64, 65);
	cr_assert_not(jic_runtime_id_valid(jic_view_bytes(large, JIC_RUNTIME_ID_BYTES_MAX)));
}

Test(address, flags_are_spelled_as_far_as_julia_compares_them)
{
	char text[64];
	jic_runtime_flags_text((struct jic_julia_version){1, 11, 1}, 0xa3, text);
	cr_assert_str_eq(text, "pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2");
	jic_runtime_flags_text((struct jic_julia_version){1, 9, 0}, 0xab, text);
	cr_assert_str_eq(text, "pkgimages=1,debug=1,check_bounds=1,inline=1,opt=2");
	jic_runtime_flags_text((struct jic_julia_version){1, 12, 5}, 0x22, text);
	cr_assert_str_eq(text, "pkgimages=0");
	jic_runtime_flags_text((struct jic_julia_version){1, 8, 5}, 0xa3, text);
	cr_assert_str_eq(text, "");
	jic_runtime_flags_text((struct jic_julia_version){1, 10, 0}, 0xff, text);
	cr_assert_str_eq(text, "pkgimages=1,debug=3,check_bounds=3,inline=1,opt=3");
}
