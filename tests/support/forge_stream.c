/*
 * Packages that were never compiled, without end: forge_stream SEED
 *
 * A line for each set, to be uploaded and published as it stands:
 *
 *     {"keep": true, "publish": {…the body of a publish…}, "blobs": {"<digest>": "<hexadecimal bytes>", …}}
 *
 * The packages of a set require each other at random, and often one that is the same in all sets. Those of every fourth
 * set
 * ("keep") are called Kept, so that a pin can keep them from eviction, the others Loose. Ends when nobody reads on.
 */
#include "tests/support/forge.h"

#include <stdio.h>

enum { SET_MAX = 6, BUILD = 1000 };

struct stream {
	uint64_t random;
	uint64_t next_id;
	struct forged common;
};

static uint64_t draw(struct stream *s, uint64_t below)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (s->random >> 33) % below;
}

/* Those before it are what a package may require. @return how many packages there are */
static size_t make_set(struct stream *s, bool keep, struct forged packages[SET_MAX], const struct forged *set[SET_MAX])
{
	size_t count = 0;
	if (draw(s, 2))
		set[count++] = &s->common;
	const size_t wanted = count + 1 + draw(s, SET_MAX - 1);
	while (count < wanted && count < SET_MAX) {
		struct forged *f = &packages[count];
		size_t deps = 0;
		*f = (struct forged){.name = keep ? "Kept" : "Loose", .id = s->next_id, .build = BUILD + s->next_id};
		s->next_id++;
		for (size_t i = 0; i < count; i++)
			if (draw(s, 2))
				f->deps[deps++] = set[i];
		set[count++] = f;
	}
	return count;
}

static void put_blobs(const struct forged *const *set, size_t count, struct jic_buf *out)
{
	jic_buf_puts(out, ", \"blobs\": {");
	for (size_t i = 0; i < count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
		struct jic_digest digest;
		char hex[JIC_DIGEST_HEX + 1];
		forge_ji(set[i], &bytes);
		jic_sha256_of(jic_buf_view(&bytes), &digest);
		jic_digest_hex(&digest, hex);
		jic_buf_printf(out, "%s\"%s\": \"", i ? ", " : "", hex);
		for (size_t j = 0; j < bytes.len; j++)
			jic_buf_printf(out, "%02x", (unsigned char)bytes.ptr[j]);
		jic_buf_putc(out, '"');
	}
	jic_buf_puts(out, "}}\n");
}

static bool print_set(struct stream *s)
{
	JIC_CLEAR(jic_buf) struct jic_buf line = {0};
	struct forged packages[SET_MAX];
	const struct forged *set[SET_MAX];
	struct jic_error err = {0};
	const bool keep = draw(s, 4) == 0;
	size_t count = make_set(s, keep, packages, set);
	jic_autofree struct forged_request *r = forge_request("", set, count);
	for (size_t i = 0; i < count; i++)
		r->artefacts[i].compile_ms = 1 + draw(s, 10000);
	jic_buf_printf(&line, "{\"keep\": %s, \"publish\": ", keep ? "true" : "false");
	if (!jic_msg_publish_write(&r->message, &line, &err)) {
		fprintf(stderr, "forge_stream: %s\n", err.text);
		return false;
	}
	put_blobs(set, count, &line);
	return !line.failed && fwrite(line.ptr, 1, line.len, stdout) == line.len && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: forge_stream SEED\n", stderr);
		return 2;
	}
	struct stream s = {.next_id = 10, .common = {.name = "Kept", .id = 1, .build = BUILD + 1}};
	s.random = strtoull(argv[1], NULL, 10);
	s.next_id += s.random % 100000 * 1000000;
	while (print_set(&s))
		continue;
	return 0;
}
