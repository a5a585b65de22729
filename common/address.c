/* The canonical encoding of schema/address.md, and what it is a digest of. */
#include "common/address.h"

#include "common/canonical.h"

enum { GIT_TREE_HEX = 40 };

static void *allocate(size_t count, size_t bytes, struct jic_error *err)
{
	void *p = calloc(count + 1, bytes);
	if (!p)
		jic_fail(err, JIC_EMEMORY, "out of memory");
	return p;
}

static bool is_hex(struct jic_view v, size_t len)
{
	for (size_t i = 0; i < v.len; i++)
		if (!(v.ptr[i] >= '0' && v.ptr[i] <= '9') && !(v.ptr[i] >= 'a' && v.ptr[i] <= 'f'))
			return false;
	return v.len == len;
}

/* ---- runtime */

void jic_runtime_flags_text(struct jic_julia_version version, uint8_t flags, char text[64])
{
	if (!jic_julia_at_least(version, 1, 9, 0))
		text[0] = '\0';
	else if (!jic_ji_flags_pkgimages(flags))
		snprintf(text, 64, "pkgimages=0");
	else
		snprintf(text, 64, "pkgimages=1,debug=%u,check_bounds=%u,inline=%u,opt=%u", jic_ji_flags_debug(flags),
		         jic_ji_flags_check_bounds(flags), jic_ji_flags_inline(flags), jic_ji_flags_opt(flags));
}

/* "name/uuid/build id": built in one buffer, viewed once it no longer moves */
static bool put_bundled(struct jic_buf *out, const struct jic_runtime *r, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf texts = {0};
	jic_autofree struct jic_view *views = allocate(r->bundled_count, sizeof *views, err);
	if (!views)
		return false;
	for (size_t i = 0; i < r->bundled_count; i++) {
		const struct jic_bundled *m = &r->bundled[i];
		char uuid[JIC_UUID_TEXT + 1], id[JIC_BUILD_ID_TEXT + 1];
		size_t start = texts.len;
		jic_build_id_format(m->build_id, id);
		jic_buf_putv(&texts, m->name);
		jic_buf_putc(&texts, '/');
		jic_buf_putv(&texts, jic_canonical_uuid(m->uuid, uuid));
		jic_buf_putc(&texts, '/');
		jic_buf_puts(&texts, id);
		views[i].len = texts.len - start;
	}
	if (!jic_buf_ok(&texts, err))
		return false;
	for (size_t i = 0, at = 0; i < r->bundled_count; at += views[i++].len)
		views[i].ptr = texts.ptr + at;
	return jic_canonical_list(out, "bundled", views, r->bundled_count, err);
}

static bool encode_runtime(const struct jic_runtime *r, struct jic_buf *out, struct jic_error *err)
{
	char word_bits[16];
	snprintf(word_bits, sizeof word_bits, "%u", r->word_bits);
	return jic_canonical_count("bundled", r->bundled_count, err) &&
	       jic_canonical_string(out, "kind", JIC_VIEW("jicache-runtime-1"), err) &&
	       jic_canonical_string(out, "version", r->version, err) &&
	       jic_canonical_string(out, "branch", r->branch, err) &&
	       jic_canonical_string(out, "commit", r->commit, err) &&
	       jic_canonical_string(out, "uname", r->uname, err) && jic_canonical_string(out, "arch", r->arch, err) &&
	       jic_canonical_string(out, "triplet", r->triplet, err) &&
	       jic_canonical_string(out, "word_bits", jic_view_of(word_bits), err) &&
	       jic_canonical_string(out, "flags", r->flags, err) && jic_canonical_string(out, "cpu", r->cpu, err) &&
	       put_bundled(out, r, err) && jic_buf_ok(out, err);
}

/* An id is a part of URLs and may become a part of paths. */
static bool is_id_text(struct jic_view v)
{
	for (size_t i = 0; i < v.len; i++) {
		char c = v.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!plain && (c == '\0' || !strchr("._+-", c)))
			return false;
	}
	return v.len > 0;
}

bool jic_runtime_id_valid(struct jic_view id)
{
	struct jic_view prefix = JIC_VIEW("julia-");
	if (id.len >= JIC_RUNTIME_ID_BYTES_MAX || !jic_view_starts(id, prefix) || !is_id_text(id))
		return false;
	/* at least one character each of version and triplet, with their hyphens */
	size_t digest_at = id.len < JIC_DIGEST_HEX ? 0 : id.len - JIC_DIGEST_HEX;
	if (digest_at < prefix.len + 4 || id.ptr[digest_at - 1] != '-')
		return false;
	return is_hex(jic_view_skip(id, digest_at), JIC_DIGEST_HEX);
}

bool jic_runtime_id(const struct jic_runtime *r, char id[JIC_RUNTIME_ID_BYTES_MAX], struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf encoded = {0};
	if (!is_id_text(r->version) || !is_id_text(r->triplet))
		return jic_fail(err, JIC_EUSAGE,
		                "runtime: version " JIC_PRIv " or triplet " JIC_PRIv " can't be part of an address",
		                JIC_ARGv(r->version), JIC_ARGv(r->triplet));
	if (!encode_runtime(r, &encoded, err))
		return false;
	struct jic_digest digest;
	char hex[JIC_DIGEST_HEX + 1];
	jic_sha256_of(jic_buf_view(&encoded), &digest);
	jic_digest_hex(&digest, hex);
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	jic_buf_printf(&text, "julia-" JIC_PRIv "-" JIC_PRIv "-%s", JIC_ARGv(r->version), JIC_ARGv(r->triplet), hex);
	if (!jic_buf_ok(&text, err))
		return false;
	if (text.len >= JIC_RUNTIME_ID_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "runtime: its id is %zu bytes long", text.len);
	memcpy(id, text.ptr, text.len + 1);
	return true;
}

bool jic_runtime_bundled_digest(const struct jic_runtime *r, struct jic_digest *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf encoded = {0};
	if (!jic_canonical_count("bundled", r->bundled_count, err) || !put_bundled(&encoded, r, err) ||
	    !jic_buf_ok(&encoded, err))
		return false;
	jic_sha256_of(jic_buf_view(&encoded), out);
	return true;
}

/* ---- node */

static const char *const KIND_NAMES[] = {
    [JIC_NODE_PACKAGE] = "package",
    [JIC_NODE_EXTENSION] = "extension",
    [JIC_NODE_STDLIB] = "stdlib",
};

const char *jic_node_kind_name(enum jic_node_kind kind)
{
	return (size_t)kind < JIC_COUNT(KIND_NAMES) ? KIND_NAMES[kind] : "unknown";
}

bool jic_node_kind_parse(struct jic_view name, enum jic_node_kind *out)
{
	for (size_t i = 0; i < JIC_COUNT(KIND_NAMES); i++) {
		if (!jic_view_is(name, KIND_NAMES[i]))
			continue;
		*out = (enum jic_node_kind)i;
		return true;
	}
	return false;
}

static bool is_tagged_hex(struct jic_view v, struct jic_view tag, size_t digits)
{
	return jic_view_starts(v, tag) && is_hex(jic_view_skip(v, tag.len), digits);
}

/* The server computes keys from what a publisher says: a text that is none of the documented forms is refused. */
static bool check_inputs(const struct jic_node_inputs *n, struct jic_error *err)
{
	bool content = is_tagged_hex(n->source, JIC_VIEW("content:"), JIC_DIGEST_HEX);
	bool tree = is_tagged_hex(n->source, JIC_VIEW("git-tree-sha1:"), GIT_TREE_HEX);
	if ((size_t)n->kind >= JIC_COUNT(KIND_NAMES) || !n->name.len)
		return jic_fail(err, JIC_EUSAGE, "node: no kind or no name");
	if (!content && !tree && !jic_view_is(n->source, "julia") && !jic_view_is(n->source, "parent"))
		return jic_fail(err, JIC_EUSAGE, "node " JIC_PRIv ": source " JIC_PRIv " has no known form",
		                JIC_ARGv(n->name), JIC_ARGv(n->source));
	if (n->build.len && !is_tagged_hex(n->build, JIC_VIEW("content:"), JIC_DIGEST_HEX))
		return jic_fail(err, JIC_EUSAGE, "node " JIC_PRIv ": build " JIC_PRIv " has no known form",
		                JIC_ARGv(n->name), JIC_ARGv(n->build));
	return jic_canonical_count("deps", n->deps_count, err) &&
	       jic_canonical_count("extensions", n->extensions_count, err);
}

static bool put_deps(struct jic_buf *out, const struct jic_node_inputs *n, struct jic_error *err)
{
	jic_autofree char *texts = allocate(n->deps_count, JIC_DIGEST_HEX + 1, err);
	jic_autofree struct jic_view *views = texts ? allocate(n->deps_count, sizeof *views, err) : NULL;
	if (!views)
		return false;
	for (size_t i = 0; i < n->deps_count; i++) {
		char *hex = texts + i * (JIC_DIGEST_HEX + 1);
		jic_digest_hex(&n->deps[i], hex);
		views[i] = jic_view_bytes(hex, JIC_DIGEST_HEX);
	}
	return jic_canonical_list(out, "deps", views, n->deps_count, err);
}

static bool put_extensions(struct jic_buf *out, const struct jic_node_inputs *n, struct jic_error *err)
{
	jic_autofree struct jic_view *views = allocate(n->extensions_count, sizeof *views, err);
	if (!views)
		return false;
	if (n->extensions_count)
		memcpy(views, n->extensions, n->extensions_count * sizeof *views);
	return jic_canonical_list(out, "extensions", views, n->extensions_count, err);
}

bool jic_node_key(const struct jic_node_inputs *n, struct jic_digest *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf b = {0};
	char uuid[JIC_UUID_TEXT + 1];
	if (!check_inputs(n, err))
		return false;
	bool encoded = jic_canonical_string(&b, "kind", JIC_VIEW("jicache-node-1"), err) &&
	               jic_canonical_string(&b, "kind", jic_view_of(jic_node_kind_name(n->kind)), err) &&
	               jic_canonical_string(&b, "name", n->name, err) &&
	               jic_canonical_string(&b, "uuid", jic_canonical_uuid(n->uuid, uuid), err) &&
	               jic_canonical_string(&b, "source", n->source, err) &&
	               jic_canonical_string(&b, "build", n->build, err) &&
	               jic_canonical_string(&b, "preferences", n->preferences, err) && put_deps(&b, n, err) &&
	               put_extensions(&b, n, err) && jic_buf_ok(&b, err);
	if (!encoded)
		return false;
	jic_sha256_of(jic_buf_view(&b), out);
	return true;
}
