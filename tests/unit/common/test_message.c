/* The protocol's messages: what is written is read back the same, and what is foreign is refused with the field's path.
 */
#include "common/message.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define RUNTIME "julia-1.11.1-x86_64-linux-gnu-" HEX_A
#define UUID "7876af07-990d-54b4-ab0e-23690620f79a"

static struct jic_digest digest_of(const char *text)
{
	struct jic_digest d;
	jic_sha256_of(jic_view_of(text), &d);
	return d;
}

static bool view_is(struct jic_view v, const char *text)
{
	return jic_view_is(v, text);
}

/* ---- lanes */

Test(message, lane_names_are_segments_joined_by_slashes)
{
	cr_assert(jic_lane_name_valid(JIC_VIEW("main")));
	cr_assert(jic_lane_name_valid(JIC_VIEW("pr/1234")));
	cr_assert(jic_lane_name_valid(JIC_VIEW("a.b_c-D/9")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("/main")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("main/")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("a//b")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("a/../b")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW(".")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("a b")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("pr/*")));
	cr_assert_not(jic_lane_name_valid(JIC_VIEW("a\0"
	                                           "b")));
}

Test(message, a_lane_name_has_a_greatest_length)
{
	char name[JIC_LANE_NAME_BYTES_MAX + 1];
	memset(name, 'x', sizeof name);
	cr_assert(jic_lane_name_valid(jic_view_bytes(name, JIC_LANE_NAME_BYTES_MAX)));
	cr_assert_not(jic_lane_name_valid(jic_view_bytes(name, sizeof name)));
}

/* ---- round trips */

Test(message, resolve_reads_back_what_was_written)
{
	const struct jic_view runtimes[] = {JIC_VIEW(RUNTIME), JIC_VIEW("julia-1.5.3-x86_64-linux-gnu-" HEX_B)};
	const struct jic_digest keys[] = {digest_of("1"), digest_of("2"), digest_of("3")};
	const struct jic_msg_resolve in = {.lane = JIC_VIEW("pr/7"),
	                                   .sysimage = digest_of("s"),
	                                   .runtimes = runtimes,
	                                   .runtimes_count = 2,
	                                   .keys = keys,
	                                   .keys_count = 3};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolve out;
	cr_assert(jic_msg_resolve_write(&in, &json, &err), "%s", err.text);
	cr_assert(jic_msg_resolve_read(jic_buf_view(&json), &arena, &out, &err), "%s", err.text);
	cr_assert(view_is(out.lane, "pr/7"));
	cr_assert(jic_digest_eq(&out.sysimage, &in.sysimage));
	cr_assert_eq(out.runtimes_count, 2);
	cr_assert(view_is(out.runtimes[0], RUNTIME));
	cr_assert_eq(out.keys_count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert(jic_digest_eq(&out.keys[i], &keys[i]));
}

Test(message, resolve_without_a_lane_means_the_default)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolve out;
	struct jic_view json = JIC_VIEW("{\"sysimage\":\"" HEX_A "\",\"runtimes\":[],\"keys\":[],\"lane\":null}");
	cr_assert(jic_msg_resolve_read(json, &arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.lane.len, 0);
	cr_assert_eq(out.keys_count, 0);
}

static struct jic_msg_record sample_record(const struct jic_msg_input *inputs, const uint32_t *requires_)
{
	struct jic_msg_record r = {
	    .key = digest_of("key"),
	    .name = JIC_VIEW("Exa\"mple\n\\ü"),
	    .build_id = {.hi = 0xfafbfcfd12345678, .lo = 42},
	    .ji = {.digest = digest_of("ji"), .size = 123456789012},
	    .has_image = true,
	    .image = {.digest = digest_of("so"), .size = 7},
	    .inputs = inputs,
	    .inputs_count = 3,
	    .requires_ = requires_,
	    .requires_count = 1,
	    .compile_ms = 1234,
	    .lane = JIC_VIEW("main"),
	    .provenance = {.host = JIC_VIEW("h"),
	                   .user = JIC_VIEW("u"),
	                   .client = JIC_VIEW("jicache 0"),
	                   .created_s = 17},
	};
	cr_assert(jic_uuid_parse(JIC_VIEW(UUID), &r.uuid));
	return r;
}

static const struct jic_msg_input sample_inputs[] = {
    {.type = JIC_INPUT_FILE, .path = {.ptr = "@depot/a", .len = 8}, .sha256 = {.bytes = {1}}},
    {.type = JIC_INPUT_DIRECTORY, .path = {.ptr = "@depot/b", .len = 8}, .sha256 = {.bytes = {2}}},
    {.type = JIC_INPUT_ABSENT, .path = {.ptr = "@depot/c", .len = 8}},
};

static void assert_same_record(const struct jic_msg_record *a, const struct jic_msg_record *b)
{
	cr_assert(jic_digest_eq(&a->key, &b->key));
	cr_assert(jic_view_eq(a->name, b->name));
	cr_assert(jic_uuid_eq(a->uuid, b->uuid));
	cr_assert(jic_build_id_eq(a->build_id, b->build_id));
	cr_assert(jic_digest_eq(&a->ji.digest, &b->ji.digest));
	cr_assert_eq(a->ji.size, b->ji.size);
	cr_assert_eq(a->has_image, b->has_image);
	cr_assert_eq(a->image.size, b->image.size);
	cr_assert_eq(a->inputs_count, b->inputs_count);
	for (size_t i = 0; i < a->inputs_count; i++) {
		cr_assert_eq(a->inputs[i].type, b->inputs[i].type);
		cr_assert(jic_view_eq(a->inputs[i].path, b->inputs[i].path));
		cr_assert(jic_digest_eq(&a->inputs[i].sha256, &b->inputs[i].sha256));
	}
	cr_assert_eq(a->requires_count, b->requires_count);
	cr_assert_eq(a->requires_[0], b->requires_[0]);
	cr_assert_eq(a->compile_ms, b->compile_ms);
	cr_assert(jic_view_eq(a->lane, b->lane));
	cr_assert(jic_view_eq(a->provenance.host, b->provenance.host));
	cr_assert(jic_view_eq(a->provenance.client, b->provenance.client));
	cr_assert_eq(a->provenance.created_s, b->provenance.created_s);
}

Test(message, resolved_reads_back_what_was_written)
{
	const uint32_t second[] = {1}, first[] = {0};
	const struct jic_msg_record records[] = {sample_record(sample_inputs, second),
	                                         sample_record(sample_inputs, first)};
	const struct jic_msg_set sets[] = {{.runtime = JIC_VIEW(RUNTIME), .records = records, .records_count = 2}};
	const struct jic_msg_resolved in = {.sets = sets, .sets_count = 1};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolved out;
	cr_assert(jic_msg_resolved_write(&in, &json, &err), "%s", err.text);
	cr_assert(jic_msg_resolved_read(jic_buf_view(&json), &arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.sets_count, 1);
	cr_assert(view_is(out.sets[0].runtime, RUNTIME));
	cr_assert_eq(out.sets[0].records_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_same_record(&out.sets[0].records[i], &records[i]);
}

Test(message, a_single_record_names_build_ids)
{
	const uint32_t positions[] = {0};
	const struct jic_build_id ids[] = {{.hi = 0xfafbfcfd00000001, .lo = 2}};
	const struct jic_msg_record record = sample_record(sample_inputs, positions);
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_error err = {0};
	cr_assert(jic_msg_record_write(&record, ids, &json, &err), "%s", err.text);
	cr_assert(strstr(jic_buf_str(&json), "\"requires_ids\":[\"fafbfcfd000000010000000000000002\"]"));
	cr_assert_null(strstr(jic_buf_str(&json), "\"requires\":"));
}

static struct jic_msg_publish sample_publish(const struct jic_msg_artefact *artefacts)
{
	static const struct jic_bundled bundled[] = {
	    {.name = {.ptr = "Test", .len = 4}, .uuid = {.hi = 1, .lo = 2}, .build_id = {.hi = 3, .lo = 4}}};
	static const struct jic_ji_module modules[] = {{.name = {.ptr = "Core", .len = 4}, .build_id = {.lo = 5}}};
	return (struct jic_msg_publish){
	    .lane = JIC_VIEW("main"),
	    .runtime = {.version = JIC_VIEW("1.11.1"),
	                .uname = JIC_VIEW("Linux"),
	                .arch = JIC_VIEW("x86_64"),
	                .triplet = JIC_VIEW("x86_64-linux-gnu"),
	                .word_bits = 64,
	                .flags = JIC_VIEW("pkgimages=0"),
	                .cpu = JIC_VIEW("target:generic"),
	                .bundled = bundled,
	                .bundled_count = 1},
	    .sysimage = digest_of("sysimage"),
	    .sysimage_modules = modules,
	    .sysimage_modules_count = 1,
	    .artefacts = artefacts,
	    .artefacts_count = 1,
	    .provenance = {.host = JIC_VIEW("h"), .created_s = 3},
	};
}

Test(message, publish_reads_back_what_was_written)
{
	const struct jic_digest deps[] = {digest_of("d1"), digest_of("d2")};
	const struct jic_view extensions[] = {JIC_VIEW(UUID "/AExt")};
	const struct jic_msg_artefact artefact = {
	    .key = digest_of("k"),
	    .node = {.kind = JIC_NODE_EXTENSION,
	             .name = JIC_VIEW("AExt"),
	             .uuid = {.hi = 8, .lo = 9},
	             .source = JIC_VIEW("parent"),
	             .preferences = JIC_VIEW("x = 1\n"),
	             .deps = deps,
	             .deps_count = 2,
	             .extensions = extensions,
	             .extensions_count = 1},
	    .ji = digest_of("ji"),
	    .inputs = sample_inputs,
	    .inputs_count = 2,
	};
	const struct jic_msg_publish in = sample_publish(&artefact);
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_publish out;
	cr_assert(jic_msg_publish_write(&in, &json, &err), "%s", err.text);
	cr_assert(jic_msg_publish_read(jic_buf_view(&json), &arena, &out, &err), "%s", err.text);
	cr_assert(view_is(out.runtime.triplet, "x86_64-linux-gnu"));
	cr_assert_eq(out.runtime.word_bits, 64);
	cr_assert_eq(out.runtime.branch.len, 0);
	cr_assert(jic_build_id_eq(out.runtime.bundled[0].build_id, in.runtime.bundled[0].build_id));
	cr_assert(view_is(out.sysimage_modules[0].name, "Core"));
	cr_assert(jic_uuid_is_nil(out.sysimage_modules[0].uuid));
	cr_assert_eq(out.artefacts_count, 1);
	cr_assert_eq(out.artefacts[0].node.kind, JIC_NODE_EXTENSION);
	cr_assert(view_is(out.artefacts[0].node.preferences, "x = 1\n"));
	cr_assert_eq(out.artefacts[0].node.deps_count, 2);
	cr_assert(view_is(out.artefacts[0].node.extensions[0], UUID "/AExt"));
	cr_assert_not(out.artefacts[0].has_image);
	cr_assert_eq(out.artefacts[0].inputs_count, 2);
	cr_assert_eq(out.provenance.created_s, 3);
}

Test(message, info_published_problem_and_digests_read_back)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const struct jic_view lanes[] = {JIC_VIEW("main"), JIC_VIEW("pr/1")};
	const struct jic_msg_info info = {.server = JIC_VIEW("jicached 0"),
	                                  .protocol = 1,
	                                  .keys_max = 2,
	                                  .blob_bytes_max = 3,
	                                  .body_bytes_max = 4,
	                                  .lanes = lanes,
	                                  .lanes_count = 2,
	                                  .can_write = true};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_msg_info info_out;
	cr_assert(jic_msg_info_write(&info, &json, &err));
	cr_assert(jic_msg_info_read(jic_buf_view(&json), &arena, &info_out, &err), "%s", err.text);
	cr_assert(info_out.can_write && info_out.lanes_count == 2 && view_is(info_out.lanes[1], "pr/1"));

	const struct jic_digest keys[] = {digest_of("a"), digest_of("b")};
	const struct jic_msg_published published = {.published = keys, .published_count = 2};
	struct jic_msg_published published_out;
	jic_buf_reset(&json);
	cr_assert(jic_msg_published_write(&published, &json, &err));
	cr_assert(jic_msg_published_read(jic_buf_view(&json), &arena, &published_out, &err), "%s", err.text);
	cr_assert(published_out.published_count == 2 && published_out.existing_count == 0);

	const struct jic_msg_problem problem = {
	    .status = 409, .code = JIC_VIEW("superseded"), .detail = JIC_VIEW("d"), .keys = keys, .keys_count = 2};
	struct jic_msg_problem problem_out;
	jic_buf_reset(&json);
	cr_assert(jic_msg_problem_write(&problem, &json, &err));
	cr_assert(jic_msg_problem_read(jic_buf_view(&json), &arena, &problem_out, &err), "%s", err.text);
	cr_assert(problem_out.status == 409 && view_is(problem_out.code, "superseded") && problem_out.keys_count == 2);

	const struct jic_digest *digests;
	size_t count;
	jic_buf_reset(&json);
	cr_assert(jic_msg_digests_write("missing", keys, 2, &json, &err));
	cr_assert(jic_msg_digests_read(jic_buf_view(&json), "missing", &arena, &digests, &count, &err));
	cr_assert(count == 2 && jic_digest_eq(&digests[1], &keys[1]));
}

/* ---- foreign bytes */

static void refuse(const char *json, enum jic_code code, const char *text)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolve out;
	cr_assert_not(jic_msg_resolve_read(jic_view_of(json), &arena, &out, &err), "accepted %s", json);
	cr_assert_eq(err.code, code, "%s: %s", json, err.text);
	cr_assert(strstr(err.text, text), "\"%s\" does not contain \"%s\"", err.text, text);
}

#define RESOLVE(sysimage, runtimes, keys) "{\"sysimage\":" sysimage ",\"runtimes\":" runtimes ",\"keys\":" keys "}"

Test(message, unknown_fields_are_ignored)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_resolve out;
	struct jic_view json = JIC_VIEW("{\"future\":{\"a\":[1,2.5,null]},\"sysimage\":\"" HEX_A
	                                "\",\"runtimes\":[\"" RUNTIME "\"],\"keys\":[]}");
	cr_assert(jic_msg_resolve_read(json, &arena, &out, NULL));
}

Test(message, errors_name_the_field_as_a_path)
{
	refuse(RESOLVE("\"" HEX_A "\"", "[]", "[\"" HEX_A "\",\"AAAA\"]"), JIC_EFORMAT, "keys[1]: must be 64");
	refuse(RESOLVE("\"" HEX_A "\"", "[\"../../etc\"]", "[]"), JIC_EFORMAT, "runtimes[0]: is not a runtime id");
	refuse(RESOLVE("7", "[]", "[]"), JIC_EFORMAT, "sysimage: must be a string");
	refuse(RESOLVE("\"" HEX_A "\"", "{}", "[]"), JIC_EFORMAT, "runtimes: must be a list");
	refuse("{\"runtimes\":[],\"keys\":[]}", JIC_EFORMAT, "sysimage: is missing");
	refuse("{\"lane\":\"../x\"}", JIC_EFORMAT, "lane: is not a lane's name");
	refuse("[]", JIC_EFORMAT, "document: must be an object");
	refuse("null", JIC_EFORMAT, "document: must be an object");
}

Test(message, a_path_reaches_into_nested_objects)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolved out;
	struct jic_view json = JIC_VIEW("{\"sets\":[{\"runtime\":\"" RUNTIME "\",\"records\":[{\"key\":\"" HEX_A
	                                "\",\"name\":\"A\",\"uuid\":\"" UUID
	                                "\",\"build_id\":\"0000000000000001\",\"ji\":{\"digest\":\"x\"}}]}]}");
	cr_assert_not(jic_msg_resolved_read(json, &arena, &out, &err));
	cr_assert_str_eq(err.text, "sets[0].records[0].ji.digest: must be 64 lower-case hex digits");
}

Test(message, upper_case_digests_are_refused)
{
	refuse(RESOLVE("\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "[]", "[]"), JIC_EFORMAT,
	       "sysimage: must be 64 lower-case hex digits");
}

Test(message, broken_json_is_refused_with_its_place)
{
	refuse("", JIC_EFORMAT, "line 1");
	refuse("{\"sysimage\":", JIC_EFORMAT, "line 1");
	refuse("{}trailing", JIC_EFORMAT, "JSON");
	refuse("{\"a\":1,\"a\":2}", JIC_EFORMAT, "duplicate");
	refuse("{\"a\":\"\\u0000\"}", JIC_EFORMAT, "JSON");
	refuse("{\"a\":\"\xff\"}", JIC_EFORMAT, "unable to decode byte");
	refuse("{\"a\":99999999999999999999}", JIC_EFORMAT, "JSON");
}

Test(message, deep_nesting_is_refused_before_parsing)
{
	char deep[200];
	memset(deep, '[', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	refuse(deep, JIC_ELIMIT, "nested deeper");
}

Test(message, brackets_in_strings_do_not_nest)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_resolve out;
	struct jic_view json = JIC_VIEW("{\"x\":\"[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\",\"sysimage\":\"" HEX_A
	                                "\",\"runtimes\":[],\"keys\":[]}");
	cr_assert(jic_msg_resolve_read(json, &arena, &out, NULL));
}

Test(message, too_many_values_are_refused_before_parsing)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	jic_buf_puts(&json, "{\"x\":[0");
	for (int i = 0; i < 1 << 20; i++)
		jic_buf_puts(&json, ",0");
	jic_buf_puts(&json, "]}");
	refuse(jic_buf_str(&json), JIC_ELIMIT, "values");
}

Test(message, a_body_over_the_limit_is_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	for (size_t i = 0; i <= JIC_MESSAGE_BYTES_MAX; i++)
		jic_buf_putc(&json, ' ');
	refuse(jic_buf_str(&json), JIC_ELIMIT, "more than");
}

Test(message, more_keys_than_the_limit_are_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	jic_buf_puts(&json, "{\"sysimage\":\"" HEX_A "\",\"runtimes\":[],\"keys\":[\"" HEX_A "\"");
	for (int i = 0; i < JIC_MESSAGE_KEYS_MAX; i++)
		jic_buf_puts(&json, ",\"" HEX_A "\"");
	jic_buf_puts(&json, "]}");
	refuse(jic_buf_str(&json), JIC_ELIMIT, "keys: has too many elements");
}

Test(message, a_required_position_outside_of_the_set_is_refused)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_resolved out;
	const uint32_t positions[] = {1};
	const struct jic_msg_record record = sample_record(sample_inputs, positions);
	const struct jic_msg_set set = {.runtime = JIC_VIEW(RUNTIME), .records = &record, .records_count = 1};
	const struct jic_msg_resolved in = {.sets = &set, .sets_count = 1};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	cr_assert(jic_msg_resolved_write(&in, &json, &err));
	cr_assert_not(jic_msg_resolved_read(jic_buf_view(&json), &arena, &out, &err));
	cr_assert_str_eq(err.text, "sets[0].records[0].requires[0]: is too large");
}

static bool read_problem(const char *json, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_problem out;
	return jic_msg_problem_read(jic_view_of(json), &arena, &out, err);
}

Test(message, numbers_must_be_whole_and_in_range)
{
	struct jic_error err = {0};
	cr_assert(read_problem("{\"status\":404,\"code\":\"not-found\"}", &err));
	cr_assert_not(read_problem("{\"status\":404.0,\"code\":\"x\"}", &err));
	cr_assert(strstr(err.text, "status: must be a whole number"));
	cr_assert_not(read_problem("{\"status\":-1,\"code\":\"x\"}", &err));
	cr_assert_not(read_problem("{\"status\":1000,\"code\":\"x\"}", &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
}

Test(message, bytes_that_are_not_utf8_can_not_be_written)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_error err = {0};
	const struct jic_msg_resolve m = {.lane = JIC_VIEW("a\xff")};
	cr_assert_not(jic_msg_resolve_write(&m, &json, &err));
	cr_assert_eq(err.code, JIC_EFORMAT);
	cr_assert(strstr(err.text, "lane"));
}

Test(message, a_problem_replaces_what_is_not_utf8)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_error err = {0};
	const struct jic_msg_problem m = {
	    .status = 400, .code = JIC_VIEW("bad-request"), .detail = JIC_VIEW("x\xed\xa0\x80y")};
	cr_assert(jic_msg_problem_write(&m, &json, &err));
	cr_assert(read_problem(jic_buf_str(&json), &err), "%s", err.text);
}
