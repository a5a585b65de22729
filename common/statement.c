/* The bytes that are signed, element by element as schema/signature.md lists them. */
#include "common/statement.h"

#include "common/canonical.h"

static bool put_text(struct jic_buf *b, const char *field, struct jic_view text, struct jic_error *err)
{
	return jic_canonical_string(b, field, text, err);
}

static bool put_digest(struct jic_buf *b, const char *field, const struct jic_digest *d, struct jic_error *err)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	return put_text(b, field, jic_view_bytes(hex, JIC_DIGEST_HEX), err);
}

static bool put_number(struct jic_buf *b, const char *field, uint64_t n, struct jic_error *err)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	return put_text(b, field, jic_view_of(text), err);
}

static bool put_blob(struct jic_buf *b, const char *field, bool has, const struct jic_msg_blob *blob,
                     struct jic_error *err)
{
	if (!has)
		return put_text(b, field, JIC_VIEW(""), err) && put_text(b, field, JIC_VIEW(""), err);
	return put_digest(b, field, &blob->digest, err) && put_number(b, field, blob->size, err);
}

static bool put_identity(struct jic_buf *b, const struct jic_msg_record *r, struct jic_error *err)
{
	char uuid[JIC_UUID_TEXT + 1], build_id[JIC_BUILD_ID_TEXT + 1];
	jic_build_id_format(r->build_id, build_id);
	return put_digest(b, "key", &r->key, err) && put_text(b, "name", r->name, err) &&
	       put_text(b, "uuid", jic_canonical_uuid(r->uuid, uuid), err) &&
	       put_text(b, "build_id", jic_view_of(build_id), err);
}

/* Texts of a list, built in one buffer and viewed once it no longer moves. */
struct texts {
	struct jic_buf bytes;
	struct jic_view *views; /* `ptr` is set by put_texts() */
	size_t count;
};

static void texts_clear(struct texts *t)
{
	jic_buf_clear(&t->bytes);
	free(t->views);
}

static bool texts_begin(struct texts *t, const char *field, size_t count, struct jic_error *err)
{
	if (!jic_canonical_count(field, count, err))
		return false;
	t->views = calloc(count + 1, sizeof *t->views);
	return t->views || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* What was appended since the last one is one text. */
static void texts_end_one(struct texts *t, size_t start)
{
	t->views[t->count++].len = t->bytes.len - start;
}

static bool put_texts(struct jic_buf *b, const char *field, struct texts *t, struct jic_error *err)
{
	if (!jic_buf_ok(&t->bytes, err))
		return false;
	for (size_t i = 0, at = 0; i < t->count; at += t->views[i++].len)
		t->views[i].ptr = t->bytes.ptr + at;
	return jic_canonical_list(b, field, t->views, t->count, err);
}

static bool put_inputs(struct jic_buf *b, const struct jic_msg_record *r, struct jic_error *err)
{
	static const char *const types[] = {
	    [JIC_INPUT_FILE] = "file", [JIC_INPUT_DIRECTORY] = "directory", [JIC_INPUT_ABSENT] = "absent"};
	JIC_CLEAR(texts) struct texts t = {0};
	if (!texts_begin(&t, "inputs", r->inputs_count, err))
		return false;
	for (size_t i = 0; i < r->inputs_count; i++) {
		const struct jic_msg_input *input = &r->inputs[i];
		const size_t start = t.bytes.len;
		char hex[JIC_DIGEST_HEX + 1] = "";
		if (input->type != JIC_INPUT_ABSENT)
			jic_digest_hex(&input->sha256, hex);
		jic_buf_puts(&t.bytes, types[input->type]);
		jic_buf_putc(&t.bytes, ':');
		jic_buf_puts(&t.bytes, hex);
		jic_buf_putc(&t.bytes, ':');
		jic_buf_putv(&t.bytes, input->path);
		texts_end_one(&t, start);
	}
	return put_texts(b, "inputs", &t, err);
}

static bool put_provenance(struct jic_buf *b, const struct jic_msg_provenance *p, struct jic_error *err)
{
	return put_text(b, "host", p->host, err) && put_text(b, "user", p->user, err) &&
	       put_text(b, "run", p->run, err) && put_text(b, "client", p->client, err) &&
	       put_number(b, "created_s", p->created_s, err);
}

bool jic_statement_write(const struct jic_statement_place *at, const struct jic_msg_record *r, struct jic_buf *out,
                         struct jic_error *err)
{
	return put_text(out, "kind", JIC_VIEW("jicache-record-1"), err) &&
	       put_digest(out, "signer", &r->signature.key, err) && put_text(out, "runtime", at->runtime, err) &&
	       put_digest(out, "sysimage", &at->sysimage, err) && put_identity(out, r, err) &&
	       put_blob(out, "ji", true, &r->ji, err) && put_blob(out, "image", r->has_image, &r->image, err) &&
	       put_digest(out, "requires", &r->signature.requires_, err) && put_inputs(out, r, err) &&
	       put_provenance(out, &r->provenance, err) && jic_buf_ok(out, err);
}

bool jic_statement_requires(const struct jic_ji_module *modules, size_t count, struct jic_digest *out,
                            struct jic_error *err)
{
	JIC_CLEAR(texts) struct texts t = {0};
	JIC_CLEAR(jic_buf) struct jic_buf encoded = {0};
	if (!texts_begin(&t, "requires", count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		char uuid[JIC_UUID_TEXT + 1], build_id[JIC_BUILD_ID_TEXT + 1];
		const size_t start = t.bytes.len;
		jic_build_id_format(modules[i].build_id, build_id);
		jic_buf_putv(&t.bytes, jic_canonical_uuid(modules[i].uuid, uuid));
		jic_buf_putc(&t.bytes, '/');
		jic_buf_puts(&t.bytes, build_id);
		texts_end_one(&t, start);
	}
	if (!put_texts(&encoded, "requires", &t, err) || !jic_buf_ok(&encoded, err))
		return false;
	jic_sha256_of(jic_buf_view(&encoded), out);
	return true;
}

bool jic_statement_sign(const struct jic_statement_place *at, const struct jic_signing_key *key,
                        struct jic_msg_record *record, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	record->signature.key = *jic_signing_key_public(key);
	if (!jic_statement_write(at, record, &bytes, err) ||
	    !jic_ed25519_sign(key, jic_buf_view(&bytes), record->signature.bytes, err))
		return false;
	record->has_signature = true;
	return true;
}

bool jic_statement_verify(const struct jic_statement_place *at, const struct jic_msg_record *record,
                          struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	if (!record->has_signature)
		return jic_fail(err, JIC_EDENIED, "it is not signed");
	if (!jic_statement_write(at, record, &bytes, err))
		return false;
	return jic_ed25519_verify(&record->signature.key, jic_buf_view(&bytes), record->signature.bytes) ||
	       jic_fail(err, JIC_EDENIED, "its signature is not one of what the record says");
}
