/*
 * Cheap checks come first: those on the request, then on what the index remembers of the blobs, then the header, then
 * the image. Contents are decompressed into an unnamed file and mapped, so memory does not grow with them.
 */
#include "server/store/inspect.h"

#include "common/cursor.h"
#include "common/file.h"
#include "common/ji_flags.h"
#include "common/zstream.h"
#include "server/store/internal.h"

#include <unistd.h>

enum { PIECE_BYTES = 128 * 1024 };

static bool bad(struct jic_error *err, const char *what, struct jic_view found, struct jic_view wanted)
{
	return jic_fail(err, JIC_EFORMAT, "%s is \"" JIC_PRIv "\", the request says \"" JIC_PRIv "\"", what,
	                JIC_ARGv(jic_view_head(found, 120)), JIC_ARGv(jic_view_head(wanted, 120)));
}

/* ---- the request */

static int compare_modules(const void *pa, const void *pb)
{
	const struct jic_index_module *a = pa, *b = pb;
	int order = jic_uuid_cmp(a->uuid, b->uuid);
	if (!order)
		order = (a->build_id.hi > b->build_id.hi) - (a->build_id.hi < b->build_id.hi);
	return order ? order : (a->build_id.lo > b->build_id.lo) - (a->build_id.lo < b->build_id.lo);
}

/* Since 1.9 all modules of one system image carry its checksum, marked as one of a system image. */
static bool check_sysimage(const struct jic_inspection *in, struct jic_error *err)
{
	const struct jic_msg_publish *r = in->request;
	if (!r->sysimage_modules_count || r->sysimage_modules_count > JIC_SYSIMAGE_MODULES_MAX)
		return jic_fail(err, JIC_ELIMIT,
		                "the request declares %zu modules of the system image, 1 to %d are taken",
		                r->sysimage_modules_count, JIC_SYSIMAGE_MODULES_MAX);
	bool marked = jic_julia_at_least(in->version, 1, 9, 0);
	uint64_t first = r->sysimage_modules[0].build_id.hi;
	for (size_t i = 0; i < r->sysimage_modules_count; i++) {
		const struct jic_ji_module *m = &r->sysimage_modules[i];
		if (m->build_id.hi != first || (marked && m->build_id.hi >> 32 != JIC_JI_CHECKSUM_MARK_SYSIMAGE) ||
		    (!marked && m->build_id.hi))
			return jic_fail(err, JIC_EFORMAT,
			                "the build id of " JIC_PRIv " is not one of a module in the system image",
			                JIC_ARGv(m->name));
	}
	return true;
}

static bool gather_given(struct jic_inspection *in)
{
	const struct jic_msg_publish *r = in->request;
	size_t n = 0;
	in->given =
	    jic_arena_array(in->arena, r->sysimage_modules_count + r->runtime.bundled_count + 1, sizeof *in->given);
	if (!in->given)
		return false;
	for (size_t i = 0; i < r->sysimage_modules_count; i++, n++)
		in->given[n] = (struct jic_index_module){.uuid = r->sysimage_modules[i].uuid,
		                                         .build_id = r->sysimage_modules[i].build_id};
	for (size_t i = 0; i < r->runtime.bundled_count; i++, n++)
		in->given[n] = (struct jic_index_module){.uuid = r->runtime.bundled[i].uuid,
		                                         .build_id = r->runtime.bundled[i].build_id};
	qsort(in->given, n, sizeof *in->given, compare_modules);
	in->given_count = n;
	return true;
}

bool jic_inspection_begin(struct jic_inspection *out, struct jic_store *s, const struct jic_msg_publish *request,
                          struct jic_arena *arena, char runtime_id[JIC_RUNTIME_ID_BYTES_MAX], struct jic_error *err)
{
	*out = (struct jic_inspection){.store = s, .request = request, .arena = arena};
	if (!jic_julia_version_parse(request->runtime.version, &out->version))
		return jic_fail(err, JIC_EFORMAT, "\"" JIC_PRIv "\" is no version of Julia",
		                JIC_ARGv(jic_view_head(request->runtime.version, 120)));
	if (!jic_runtime_id(&request->runtime, runtime_id, err) || !check_sysimage(out, err))
		return false;
	return gather_given(out) || jic_fail(err, JIC_EMEMORY, "inspection: out of memory");
}

bool jic_inspect_key(const struct jic_msg_artefact *a, struct jic_error *err)
{
	struct jic_digest key;
	if (!jic_node_key(&a->node, &key, err))
		return false;
	return jic_digest_eq(&key, &a->key) || jic_fail(err, JIC_EFORMAT, "the key is not what the inputs give");
}

/* ---- bytes */

/* What goes wrong with bytes that were whole when they came is the disk's fault, not the artefact's. */
static bool blame_store(struct jic_error *err)
{
	if (err->code == JIC_EFORMAT || err->code == JIC_ECORRUPT || err->code == JIC_ELIMIT)
		err->code = JIC_EIO;
	return false;
}

static bool write_piece(void *context, struct jic_view bytes, struct jic_error *err)
{
	const int *fd = context;
	return jic_write_all(*fd, bytes.ptr, bytes.len, err);
}

static bool decompress(int from, int to, uint64_t size, struct jic_error *err)
{
	JIC_AUTO(jic_zdec) struct jic_zdec *z = jic_zdec_new(size, err);
	jic_autofree char *piece = malloc(PIECE_BYTES);
	if (!z || !piece)
		return jic_fail(err, JIC_EMEMORY, "inspection: out of memory");
	for (;;) {
		ssize_t n = read(from, piece, PIECE_BYTES);
		if (n < 0)
			return jic_fail_errno(err, JIC_EIO, "read a blob");
		if (n == 0)
			return jic_zdec_finish(z, err);
		if (!jic_zdec_feed(z, jic_view_bytes(piece, (size_t)n), write_piece, &to, err))
			return false;
	}
}

static bool map_blob(struct jic_store *s, const struct jic_index_blob *blob, struct jic_map *out, struct jic_error *err)
{
	uint64_t stored_size;
	jic_autoclose int from = -1;
	jic_autoclose int to = -1;
	if (!s->blobs->ops->open(s->blobs, &blob->digest, &from, &stored_size, err))
		return false;
	to = s->blobs->ops->scratch(s->blobs, err);
	if (to < 0)
		return false;
	if (!decompress(from, to, blob->size, err) || !jic_map_fd(to, (size_t)blob->size, out, err))
		return blame_store(err);
	return out->view.len == blob->size || jic_fail(err, JIC_EIO, "a blob is shorter than when it came");
}

static bool find_blob(struct jic_store *s, const struct jic_digest *digest, struct jic_index_blob *out,
                      struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	if (!t)
		return false;
	return t->ops->blob_find(t, digest, out, err) || blame_store(err);
}

/* The trailing checksum can be compared from what the index remembers, without reading the file again. */
static bool check_trailer(const struct jic_index_blob *ji, struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(jic_view_bytes(ji->tail, sizeof ji->tail));
	uint32_t trailer;
	if (ji->size > JIC_JI_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "the cache file has %llu bytes", (unsigned long long)ji->size);
	if (!jic_cursor_skip(&c, 4) || !jic_cursor_u32le(&c, &trailer) || trailer != ji->crc32c_head)
		return jic_fail(err, JIC_ECORRUPT, "the cache file's trailing checksum disagrees with its bytes");
	return true;
}

/* ---- header against request */

static bool check_text(const char *what, struct jic_view found, struct jic_view wanted, struct jic_error *err)
{
	return jic_view_eq(found, wanted) || bad(err, what, found, wanted);
}

static bool check_runtime(const struct jic_inspection *in, const struct jic_ji *ji, struct jic_error *err)
{
	const struct jic_runtime *r = &in->request->runtime;
	char flags[64];
	jic_runtime_flags_text(ji->version, ji->flags, flags);
	if (ji->pointer_bytes * 8u != r->word_bits)
		return jic_fail(err, JIC_EFORMAT, "the cache file is for %u bits, the request says %u",
		                ji->pointer_bytes * 8u, r->word_bits);
	if (ji->pkgimage)
		return jic_fail(err, JIC_EFORMAT, "the cache file is marked as the inside of an image");
	return check_text("the cache file's operating system", ji->uname, r->uname, err) &&
	       check_text("the cache file's architecture", ji->arch, r->arch, err) &&
	       check_text("the cache file's Julia version", ji->version_text, r->version, err) &&
	       check_text("the cache file's Julia branch", ji->branch, r->branch, err) &&
	       check_text("the cache file's Julia commit", ji->commit, r->commit, err) &&
	       (jic_ji_flags_serve(ji->version, r->flags, ji->flags) ||
	        bad(err, "the cache file's flags", jic_view_of(flags), r->flags));
}

static bool check_package(const struct jic_ji *ji, const struct jic_node_inputs *node, struct jic_error *err)
{
	char found[JIC_UUID_TEXT + 1], wanted[JIC_UUID_TEXT + 1];
	if (!ji->modules_count || ji->modules_count > JIC_PROVIDES_MAX)
		return jic_fail(err, JIC_ELIMIT, "the cache file provides %zu modules", ji->modules_count);
	jic_uuid_format(ji->modules[0].uuid, found);
	jic_uuid_format(node->uuid, wanted);
	return check_text("the cache file's package", ji->modules[0].name, node->name, err) &&
	       check_text("the package's UUID", jic_view_of(found), jic_view_of(wanted), err);
}

/* ---- paths: published bytes contain no path of the machine that made them */

static bool has_parent_segment(struct jic_view path)
{
	while (path.len) {
		const char *slash = memchr(path.ptr, '/', path.len);
		size_t len = slash ? (size_t)(slash - path.ptr) : path.len;
		if (jic_view_is(jic_view_head(path, len), ".."))
			return true;
		path = jic_view_skip(path, len + 1);
	}
	return false;
}

static bool check_path(const char *what, struct jic_view path, struct jic_error *err)
{
	bool canonical = (jic_view_starts(path, JIC_VIEW("@depot/")) || jic_view_starts(path, JIC_VIEW("@jicache/"))) &&
	                 !memchr(path.ptr, '\0', path.len) && !has_parent_segment(path);
	return canonical || jic_fail(err, JIC_EFORMAT, "%s \"" JIC_PRIv "\" is not canonical", what,
	                             JIC_ARGv(jic_view_head(path, 200)));
}

/* −1: tracked by content, 0: absent, 1: tracked by time, which means nothing elsewhere. */
static bool is_canonical_mtime(double mtime)
{
	return mtime == -1.0 || mtime == 0.0 || mtime == 1.0;
}

static bool check_includes(const struct jic_ji *ji, struct jic_error *err)
{
	for (size_t i = 0; i < ji->includes_count; i++) {
		const struct jic_ji_include *inc = &ji->includes[i];
		if (!check_path("include", inc->path, err))
			return false;
		if (!is_canonical_mtime(inc->mtime))
			return jic_fail(err, JIC_EFORMAT, "the time %.6f of include " JIC_PRIv " is not canonical",
			                inc->mtime, JIC_ARGv(jic_view_head(inc->path, 200)));
	}
	for (size_t i = 0; i < ji->sources_count; i++)
		if (!check_path("source text", ji->sources[i].name, err))
			return false;
	return true;
}

static bool check_inputs(const struct jic_msg_artefact *a, struct jic_error *err)
{
	for (size_t i = 0; i < a->inputs_count; i++)
		if (!check_path("input", a->inputs[i].path, err))
			return false;
	return true;
}

/* ---- modules */

static bool is_given(const struct jic_inspection *in, const struct jic_ji_module *m)
{
	struct jic_index_module key = {.uuid = m->uuid, .build_id = m->build_id};
	return bsearch(&key, in->given, in->given_count, sizeof *in->given, compare_modules) != NULL;
}

static void copy_module(struct jic_arena *arena, const struct jic_ji_module *from, struct jic_ji_module *to)
{
	*to = *from;
	to->name = jic_arena_copy(arena, from->name);
}

static bool copy_provides(const struct jic_inspection *in, const struct jic_ji *ji, struct jic_candidate *out,
                          struct jic_error *err)
{
	struct jic_ji_module *modules = jic_arena_array(in->arena, ji->modules_count, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "inspection: out of memory");
	out->build_id = jic_ji_build_id(ji);
	for (size_t i = 0; i < ji->modules_count; i++) {
		copy_module(in->arena, &ji->modules[i], &modules[i]);
		modules[i].build_id.hi = out->build_id.hi;
	}
	out->provides = modules;
	out->provides_count = ji->modules_count;
	return true;
}

static bool copy_requires(struct jic_inspection *in, const struct jic_ji *ji, struct jic_candidate *out,
                          struct jic_error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < ji->required_count; i++)
		count += !is_given(in, &ji->required[i]);
	in->requires_total += count;
	if (count > JIC_REQUIRES_MAX || in->requires_total > JIC_REQUIRES_TOTAL_MAX)
		return jic_fail(err, JIC_ELIMIT,
		                "the cache file requires %zu modules beyond runtime and system image, "
		                "the request so far %zu",
		                count, in->requires_total);
	struct jic_ji_module *modules = jic_arena_array(in->arena, count + 1, sizeof *modules);
	if (!modules)
		return jic_fail(err, JIC_EMEMORY, "inspection: out of memory");
	out->requires_count = 0;
	for (size_t i = 0; i < ji->required_count; i++)
		if (!is_given(in, &ji->required[i]))
			copy_module(in->arena, &ji->required[i], &modules[out->requires_count++]);
	out->requires_ = modules;
	return !in->arena->failed || jic_fail(err, JIC_EMEMORY, "inspection: out of memory");
}

/* ---- the image */

static bool check_image(const struct jic_inspection *in, const struct jic_msg_artefact *a, const struct jic_ji *ji,
                        struct jic_candidate *out, struct jic_error *err)
{
	struct jic_index_blob blob;
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	if (a->has_image != (ji->clone_targets.len > 0))
		return jic_fail(err, JIC_EFORMAT,
		                a->has_image ? "there is an image, but the cache file was made without"
		                             : "the cache file's image is missing");
	if (!a->has_image)
		return true;
	if (!find_blob(in->store, &a->image, &blob, err))
		return false;
	if (blob.crc32c != ji->image_crc32c)
		return jic_fail(err, JIC_ECORRUPT, "the image's checksum is %08x, the cache file wants %08x",
		                blob.crc32c, ji->image_crc32c);
	out->image_size = blob.size;
	return map_blob(in->store, &blob, &map, err) && jic_ji_verify_image(ji, map.view, &blob.crc32c, err);
}

bool jic_inspect(struct jic_inspection *in, const struct jic_msg_artefact *a, struct jic_candidate *out,
                 struct jic_error *err)
{
	struct jic_index_blob blob;
	struct jic_ji ji;
	JIC_CLEAR(jic_arena) struct jic_arena scratch = {0};
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	*out = (struct jic_candidate){.artefact = a};
	if (!check_inputs(a, err) || !find_blob(in->store, &a->ji, &blob, err) || !check_trailer(&blob, err) ||
	    !map_blob(in->store, &blob, &map, err))
		return false;
	out->ji_size = blob.size;
	return jic_ji_parse(map.view, &scratch, &ji, err) && jic_ji_verify(&ji, err) && check_runtime(in, &ji, err) &&
	       check_package(&ji, &a->node, err) && check_includes(&ji, err) && copy_provides(in, &ji, out, err) &&
	       copy_requires(in, &ji, out, err) && check_image(in, a, &ji, out, err);
}
