/* Statements and signatures: the vectors of schema/signature-vectors.json, computed there by another implementation of
 * the encoding and of Ed25519; and that nothing that is signed can be changed. */
#include "common/statement.h"

#include "common/canonical.h"

#include <criterion/criterion.h>
#include <jansson.h>

static json_t *vectors(void)
{
	json_error_t why;
	json_t *v = json_load_file(JIC_SOURCE_DIR "/schema/signature-vectors.json", 0, &why);
	cr_assert(v, "%s at line %d", why.text, why.line);
	return v;
}

static struct jic_view text_of(const json_t *object, const char *field)
{
	const json_t *v = json_object_get(object, field);
	cr_assert(json_is_string(v), "no text %s", field);
	return jic_view_bytes(json_string_value(v), json_string_length(v));
}

static struct jic_digest digest_of(const json_t *object, const char *field)
{
	struct jic_digest d;
	cr_assert(jic_digest_parse(text_of(object, field), &d), "%s", field);
	return d;
}

static struct jic_uuid uuid_of(const json_t *object)
{
	struct jic_uuid u = {0};
	struct jic_view text = text_of(object, "uuid");
	cr_assert(text.len == 0 || jic_uuid_parse(text, &u));
	return u;
}

static struct jic_build_id build_id_of(const json_t *object)
{
	struct jic_build_id id;
	cr_assert(jic_build_id_parse(text_of(object, "build_id"), &id));
	return id;
}

static struct jic_msg_blob blob_of(const json_t *object)
{
	return (struct jic_msg_blob){.digest = digest_of(object, "digest"),
	                             .size = (uint64_t)json_integer_value(json_object_get(object, "size"))};
}

static enum jic_input_type type_of(struct jic_view name)
{
	return jic_view_is(name, "file")        ? JIC_INPUT_FILE
	       : jic_view_is(name, "directory") ? JIC_INPUT_DIRECTORY
	                                        : JIC_INPUT_ABSENT;
}

static void read_inputs(const json_t *list, struct jic_arena *arena, struct jic_msg_record *out)
{
	struct jic_msg_input *inputs = jic_arena_array(arena, json_array_size(list) + 1, sizeof *inputs);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		inputs[i] = (struct jic_msg_input){.type = type_of(text_of(v, "type")), .path = text_of(v, "path")};
		if (inputs[i].type != JIC_INPUT_ABSENT)
			inputs[i].sha256 = digest_of(v, "sha256");
	}
	out->inputs = inputs;
	out->inputs_count = json_array_size(list);
}

static struct jic_digest requires_of(const json_t *list)
{
	struct jic_ji_module modules[16];
	struct jic_digest d;
	cr_assert_leq(json_array_size(list), JIC_COUNT(modules));
	for (size_t i = 0; i < json_array_size(list); i++)
		modules[i] = (struct jic_ji_module){.uuid = uuid_of(json_array_get(list, i)),
		                                    .build_id = build_id_of(json_array_get(list, i))};
	cr_assert(jic_statement_requires(modules, json_array_size(list), &d, NULL));
	return d;
}

static struct jic_msg_record record_of(const json_t *v, struct jic_arena *arena)
{
	const json_t *image = json_object_get(v, "image"), *p = json_object_get(v, "provenance");
	struct jic_msg_record r = {
	    .key = digest_of(v, "key"),
	    .name = text_of(v, "name"),
	    .uuid = uuid_of(v),
	    .build_id = build_id_of(v),
	    .ji = blob_of(json_object_get(v, "ji")),
	    .has_image = json_is_object(image),
	    .provenance = {.host = text_of(p, "host"),
	                   .user = text_of(p, "user"),
	                   .run = text_of(p, "run"),
	                   .client = text_of(p, "client"),
	                   .created_s = (uint64_t)json_integer_value(json_object_get(p, "created_s"))},
	};
	if (r.has_image)
		r.image = blob_of(image);
	read_inputs(json_object_get(v, "inputs"), arena, &r);
	r.signature.requires_ = requires_of(json_object_get(v, "requires"));
	return r;
}

/* PKCS #8 (RFC 8410) of a secret: a fixed prefix and its 32 bytes. */
static struct jic_signing_key *key_of(struct jic_view secret)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t der[48] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf pem = {0};
	cr_assert(jic_unhex(secret, der + 16, 32));
	jic_buf_puts(&pem, "-----BEGIN PRIVATE KEY-----\n");
	for (size_t i = 0; i < sizeof der; i += 3) {
		unsigned bits = (unsigned)(der[i] << 16 | der[i + 1] << 8 | der[i + 2]);
		for (unsigned shift = 24; shift; shift -= 6)
			jic_buf_putc(&pem, alphabet[bits >> (shift - 6) & 63]);
	}
	jic_buf_puts(&pem, "\n-----END PRIVATE KEY-----\n");
	struct jic_signing_key *key = jic_signing_key_read(jic_buf_view(&pem), &err);
	cr_assert(key, "%s", err.text);
	return key;
}

static struct jic_statement_place place_of(const json_t *v)
{
	return (struct jic_statement_place){.runtime = text_of(v, "runtime"), .sysimage = digest_of(v, "sysimage")};
}

Test(statement, bytes_and_signatures_are_those_of_the_vectors)
{
	json_t *all = vectors(), *records = json_object_get(all, "records");
	cr_assert_geq(json_array_size(records), 2);
	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *v = json_array_get(records, i);
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
		JIC_AUTO(jic_signing_key) struct jic_signing_key *key = key_of(text_of(v, "secret"));
		struct jic_statement_place at = place_of(v);
		struct jic_msg_record r = record_of(v, &arena);
		struct jic_digest digest;
		char hex[2 * JIC_ED25519_BYTES + 1], id[JIC_KEY_ID_TEXT + 1];
		jic_digest_hex(&r.signature.requires_, hex);
		cr_expect(jic_view_is(text_of(v, "requires_digest"), hex), "requires of %zu", i);
		cr_assert(jic_statement_sign(&at, key, &r, NULL));
		jic_digest_hex(&r.signature.key, hex);
		cr_expect(jic_view_is(text_of(v, "public_key"), hex), "public key %zu", i);
		jic_key_id(&r.signature.key, id);
		cr_expect(jic_view_is(text_of(v, "key_id"), id), "id %zu", i);
		cr_assert(jic_statement_write(&at, &r, &bytes, NULL));
		cr_expect_eq(bytes.len, (size_t)json_integer_value(json_object_get(v, "statement_bytes")));
		jic_sha256_of(jic_buf_view(&bytes), &digest);
		jic_digest_hex(&digest, hex);
		cr_expect(jic_view_is(text_of(v, "statement_sha256"), hex), "statement %zu", i);
		jic_hex(r.signature.bytes, sizeof r.signature.bytes, hex);
		cr_expect(jic_view_is(text_of(v, "signature"), hex), "signature %zu", i);
		cr_expect(jic_statement_verify(&at, &r, NULL));
	}
	json_decref(all);
}

/* ---- tampering */

struct signed_record {
	json_t *all;
	struct jic_arena arena;
	struct jic_statement_place at;
	struct jic_msg_record record;
	struct jic_msg_input inputs[3];
};

static void signed_record_clear(struct signed_record *s)
{
	json_decref(s->all);
	jic_arena_clear(&s->arena);
}

static void make(struct signed_record *s)
{
	*s = (struct signed_record){.all = vectors()};
	const json_t *v = json_array_get(json_object_get(s->all, "records"), 1);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = key_of(text_of(v, "secret"));
	s->at = place_of(v);
	s->record = record_of(v, &s->arena);
	s->record.has_image = true;
	s->record.image.size = 7;
	cr_assert_eq(s->record.inputs_count, JIC_COUNT(s->inputs));
	memcpy(s->inputs, s->record.inputs, sizeof s->inputs);
	s->record.inputs = s->inputs;
	cr_assert(jic_statement_sign(&s->at, key, &s->record, NULL));
}

#define BROKEN_BY(change)                                                                                              \
	do {                                                                                                           \
		JIC_CLEAR(signed_record) struct signed_record s;                                                       \
		struct jic_error err = {0};                                                                            \
		make(&s);                                                                                              \
		cr_assert(jic_statement_verify(&s.at, &s.record, NULL));                                               \
		change;                                                                                                \
		cr_expect(!jic_statement_verify(&s.at, &s.record, &err), "%s", #change);                               \
		cr_expect_eq(err.code, JIC_EDENIED);                                                                   \
	} while (0)

Test(statement, every_signed_field_that_is_changed_breaks_the_signature)
{
	BROKEN_BY(s.at.runtime = JIC_VIEW("julia-other"));
	BROKEN_BY(s.at.sysimage.bytes[31] ^= 1);
	BROKEN_BY(s.record.key.bytes[0] ^= 1);
	BROKEN_BY(s.record.name = JIC_VIEW("Other"));
	BROKEN_BY(s.record.uuid.lo ^= 1);
	BROKEN_BY(s.record.build_id.lo ^= 1);
	BROKEN_BY(s.record.build_id.hi ^= 1);
	BROKEN_BY(s.record.ji.digest.bytes[5] ^= 1);
	BROKEN_BY(s.record.ji.size++);
	BROKEN_BY(s.record.image.digest.bytes[5] ^= 1);
	BROKEN_BY(s.record.image.size++);
	BROKEN_BY(s.record.has_image = false);
	BROKEN_BY(s.record.signature.requires_.bytes[3] ^= 1);
	BROKEN_BY(s.record.inputs_count--);
	BROKEN_BY(s.inputs[0].type = JIC_INPUT_DIRECTORY);
	BROKEN_BY(s.inputs[0].path = JIC_VIEW("@depot/other"));
	BROKEN_BY(s.inputs[0].sha256.bytes[0] ^= 1);
	BROKEN_BY(s.record.provenance.host = JIC_VIEW("x"));
	BROKEN_BY(s.record.provenance.user = JIC_VIEW("x"));
	BROKEN_BY(s.record.provenance.run = JIC_VIEW("x"));
	BROKEN_BY(s.record.provenance.client = JIC_VIEW("x"));
	BROKEN_BY(s.record.provenance.created_s++);
	BROKEN_BY(s.record.signature.key.bytes[1] ^= 1);
	BROKEN_BY(s.record.signature.bytes[0] ^= 1);
	BROKEN_BY(s.record.signature.bytes[63] ^= 1);
	BROKEN_BY(s.record.has_signature = false);
}

Test(statement, bytes_do_not_move_from_one_text_into_the_next)
{
	BROKEN_BY((s.record.provenance.host = JIC_VIEW("ab"), s.record.provenance.user = JIC_VIEW("")));
	JIC_CLEAR(jic_buf) struct jic_buf a = {0};
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	struct jic_statement_place at = {.runtime = JIC_VIEW("r")};
	struct jic_msg_record r = {.provenance = {.host = JIC_VIEW("ab")}};
	cr_assert(jic_statement_write(&at, &r, &a, NULL));
	r.provenance = (struct jic_msg_provenance){.host = JIC_VIEW("a"), .user = JIC_VIEW("b")};
	cr_assert(jic_statement_write(&at, &r, &b, NULL));
	cr_assert(!jic_view_eq(jic_buf_view(&a), jic_buf_view(&b)));
}

Test(statement, a_signature_survives_the_message)
{
	JIC_CLEAR(signed_record) struct signed_record s;
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_msg_resolved read;
	struct jic_error err = {0};
	make(&s);
	s.record.uuid = (struct jic_uuid){1, 2}; /* a record on the wire has one; the signature isn't looked at here */
	s.record.lane = JIC_VIEW("main");
	const struct jic_msg_set set = {.runtime = s.at.runtime, .records = &s.record, .records_count = 1};
	const struct jic_msg_resolved written = {.sets = &set, .sets_count = 1};
	cr_assert(jic_msg_resolved_write(&written, &json, &err), "%s", err.text);
	cr_assert(jic_msg_resolved_read(jic_buf_view(&json), &s.arena, &read, &err), "%s", err.text);
	const struct jic_msg_record *r = &read.sets[0].records[0];
	cr_assert(r->has_signature);
	cr_assert(jic_digest_eq(&r->signature.key, &s.record.signature.key));
	cr_assert(jic_digest_eq(&r->signature.requires_, &s.record.signature.requires_));
	cr_assert_arr_eq(r->signature.bytes, s.record.signature.bytes, JIC_ED25519_BYTES);
}

Test(statement, lists_and_texts_have_a_limit)
{
	struct jic_error err = {0};
	struct jic_digest d;
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_msg_record r = {.inputs_count = JIC_CANONICAL_LIST_MAX + 1};
	struct jic_statement_place at = {.runtime = JIC_VIEW("r")};
	cr_assert(!jic_statement_requires(NULL, JIC_CANONICAL_LIST_MAX + 1, &d, &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
	cr_assert(!jic_statement_write(&at, &r, &out, &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
	jic_autofree char *large = calloc(1, JIC_CANONICAL_STRING_BYTES_MAX + 1);
	r = (struct jic_msg_record){.name = jic_view_bytes(large, JIC_CANONICAL_STRING_BYTES_MAX + 1)};
	cr_assert(!jic_statement_write(&at, &r, &out, &err));
	cr_assert_eq(err.code, JIC_ELIMIT);
}
