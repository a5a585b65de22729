/**
 * Packages that were never compiled: cache files with any name, build id and requirements, published into a store. The
 * bytes are made from the description of the format (ji_build.h), not by the code under test.
 *
 *     struct forged a = {.name = "Alpha", .id = 1, .build = 11};
 *     struct forged b = {.name = "Beta", .id = 2, .build = 12, .deps = {&a}};
 *
 * An id stands for UUID and source, so it decides the key together with those of the deps; a build for one run of the
 * compiler. The version is 1.10 style (128-bit build ids) unless it says "1.5.3".
 */
#ifndef JIC_TESTS_FORGE_H
#define JIC_TESTS_FORGE_H

#include "server/store/store.h"
#include "tests/support/ji_build.h"
#include "tests/support/temp.h"

enum { FORGED_DEPS_MAX = 8, FORGED_SET_MAX = 1024 };

/** Ways in which a cache file can be wrong, or odd. */
enum forged_flaw {
	FORGED_SOUND,
	FORGED_ABSOLUTE_PATH,
	FORGED_PARENT_PATH,
	FORGED_NUL_PATH,
	FORGED_REAL_MTIME,
	FORGED_ABSOLUTE_SOURCE,
	FORGED_BAD_TRAILER,
	FORGED_BAD_DATA,
	FORGED_CLONE_TARGETS, /**< says that an image belongs to it */
	FORGED_NOT_FROM_HERE, /**< requires a module that nobody provides */
	FORGED_OTHER_TEXT,    /**< sound, but other bytes than FORGED_SOUND gives */
	FORGED_TRUNCATED,
};

struct forged {
	const char *name;
	uint64_t id, build;
	const struct forged *deps[FORGED_DEPS_MAX]; /**< compiled against these, and what these require */
	const char *version;                        /**< NULL: 1.10.5 */
	enum forged_flaw flaw;
};

static inline const char *forged_version(const struct forged *f)
{
	return f->version ? f->version : "1.10.5";
}

static inline struct ji_recipe forged_recipe(const struct forged *f)
{
	return (struct ji_recipe){.version = forged_version(f)};
}

static inline void forged_data(const struct forged *f, char data[64])
{
	for (size_t i = 0; i < 64; i++)
		data[i] = (char)(f->build * 31 + f->id + i);
}

static inline struct jic_build_id forged_build_id(const struct forged *f)
{
	struct ji_recipe r = forged_recipe(f);
	char data[64];
	forged_data(f, data);
	return (struct jic_build_id){
	    .hi = ji_build_since(&r, 9) ? 0xfafbfcfd00000000u | jic_crc32c(0, data, sizeof data) : 0, .lo = f->build};
}

static inline struct jic_uuid forged_uuid(const struct forged *f)
{
	return (struct jic_uuid){.hi = 0x1234000000004000u, .lo = 0x8000000000000000u + f->id};
}

static inline void forged_module(struct jic_buf *b, const struct ji_recipe *r, const char *name, struct jic_uuid uuid,
                                 struct jic_build_id id, bool whole)
{
	ji_build_s(b, name);
	jic_buf_u64le(b, uuid.hi);
	jic_buf_u64le(b, uuid.lo);
	if (whole && ji_build_since(r, 9))
		jic_buf_u64le(b, id.hi);
	jic_buf_u64le(b, id.lo);
}

/** The modules of the pretended system image: Core and Base. */
static inline struct jic_build_id forged_sysimage_id(const char *version, uint64_t n)
{
	struct ji_recipe r = {.version = version};
	return (struct jic_build_id){.hi = ji_build_since(&r, 9) ? 0xfdfcfbfa00000001u : 0, .lo = 100 + n};
}

/** Everything below it in any order, each once. @return how many */
static inline size_t forged_closure(const struct forged *f, const struct forged **out, size_t count)
{
	for (size_t i = 0; i < FORGED_DEPS_MAX && f->deps[i]; i++) {
		bool seen = false;
		for (size_t j = 0; j < count; j++)
			seen = seen || out[j] == f->deps[i];
		if (seen)
			continue;
		out[count++] = f->deps[i];
		cr_assert_lt(count, (size_t)FORGED_SET_MAX);
		count = forged_closure(f->deps[i], out, count);
	}
	return count;
}

static inline void forged_path(const struct forged *f, bool source, char out[128])
{
	const char *root = f->flaw == FORGED_ABSOLUTE_PATH || (source && f->flaw == FORGED_ABSOLUTE_SOURCE)
	                       ? "/home/ann/depot"
	                   : f->flaw == FORGED_PARENT_PATH ? "@depot/../../etc"
	                                                   : "@depot";
	snprintf(out, 128, "%s/packages/%s/abcde/src/%s.jl", root, f->name, f->name);
}

static inline size_t forged_dependencies(struct jic_buf *b, const struct forged *f, const struct ji_recipe *r)
{
	char path[128];
	size_t total_at = b->len;
	jic_buf_u64le(b, 0);
	forged_path(f, false, path);
	size_t len = strlen(path);
	if (f->flaw == FORGED_NUL_PATH)
		path[len - 3] = '\0';
	jic_buf_u32le(b, (uint32_t)len);
	jic_buf_put(b, path, len);
	if (ji_build_since(r, 11)) {
		jic_buf_u64le(b, 12);
		jic_buf_u32le(b, 0x11111111);
	}
	jic_buf_f64le(b, f->flaw == FORGED_REAL_MTIME ? 1700000000.25 : ji_build_since(r, 11) ? -1.0 : 1.0);
	jic_buf_u32le(b, 0);
	jic_buf_u32le(b, 0); /* end of records */
	if (ji_build_since(r, 6)) {
		jic_buf_u32le(b, 0);
		jic_buf_u64le(b, 0);
	}
	jic_buf_u64le(b, 0);
	ji_build_set(b, total_at, b->len - total_at - 8);
	return b->len - 8;
}

static inline void forged_required(struct jic_buf *b, const struct forged *f, const struct ji_recipe *r)
{
	static const struct forged nobody = {.name = "Nobody", .id = 999, .build = 999};
	const struct forged *below[FORGED_SET_MAX];
	size_t count = forged_closure(f, below, 0);
	forged_module(b, r, "Core", (struct jic_uuid){0}, forged_sysimage_id(r->version, 0), true);
	forged_module(b, r, "Base", (struct jic_uuid){0}, forged_sysimage_id(r->version, 1), true);
	for (size_t i = 0; i < count; i++)
		forged_module(b, r, below[i]->name, forged_uuid(below[i]), forged_build_id(below[i]), true);
	if (f->flaw == FORGED_NOT_FROM_HERE)
		forged_module(b, r, nobody.name, forged_uuid(&nobody), forged_build_id(&nobody), true);
	jic_buf_u32le(b, 0);
}

static inline void forged_put_data(struct jic_buf *b, const struct forged *f, const struct ji_recipe *r, size_t fields)
{
	char data[64];
	forged_data(f, data);
	if (ji_build_since(r, 9)) {
		ji_build_set(b, fields + 1, forged_build_id(f).hi);
		if (f->flaw == FORGED_CLONE_TARGETS)
			return;
		while (b->len % 64)
			jic_buf_u8(b, 0);
		ji_build_set(b, fields + 9, b->len);
		ji_build_set(b, fields + 17, b->len + sizeof data);
	}
	if (f->flaw == FORGED_BAD_DATA)
		data[7] ^= 1;
	jic_buf_put(b, data, sizeof data);
}

static inline void forged_put_source(struct jic_buf *b, const struct forged *f)
{
	char path[128];
	forged_path(f, true, path);
	ji_build_s(b, path);
	const char *text = f->flaw == FORGED_OTHER_TEXT ? "module Other" : "module Alpha";
	jic_buf_u64le(b, strlen(text));
	jic_buf_puts(b, text);
	jic_buf_u32le(b, 0);
}

/** The cache file, appended to an empty buffer. */
static inline void forge_ji(const struct forged *f, struct jic_buf *b)
{
	struct ji_recipe r = forged_recipe(f);
	ji_build_prefix(b, &r);
	size_t fields = b->len;
	if (ji_build_since(&r, 9))
		ji_build_image_fields(b);
	forged_module(b, &r, f->name, forged_uuid(f), forged_build_id(f), false);
	jic_buf_u32le(b, 0);
	size_t source_text_at = forged_dependencies(b, f, &r);
	forged_required(b, f, &r);
	if (ji_build_since(&r, 9))
		ji_build_s(b, f->flaw == FORGED_CLONE_TARGETS ? "clone targets" : "");
	forged_put_data(b, f, &r, fields);
	ji_build_set(b, source_text_at, b->len);
	forged_put_source(b, f);
	if (ji_build_since(&r, 9))
		jic_buf_u32le(b, f->flaw == FORGED_CLONE_TARGETS ? JI_BUILD_IMAGE_CRC : 0);
	jic_buf_u32le(b, 0);
	ji_build_reseal(b);
	if (f->flaw == FORGED_BAD_TRAILER)
		b->ptr[b->len - 1] = (char)(b->ptr[b->len - 1] ^ 1);
	if (f->flaw == FORGED_TRUNCATED)
		b->len /= 2;
}

/* ---- addresses and requests */

static inline void forged_key(const struct forged *f, struct jic_digest *out);

/** Fill in the inputs; `deps` has room for FORGED_DEPS_MAX. */
static inline void forged_inputs(const struct forged *f, struct jic_digest *deps, char source[64],
                                 struct jic_node_inputs *out)
{
	size_t count = 0;
	snprintf(source, 64, "git-tree-sha1:%040llx", (unsigned long long)f->id);
	while (count < FORGED_DEPS_MAX && f->deps[count]) {
		forged_key(f->deps[count], &deps[count]);
		count++;
	}
	*out = (struct jic_node_inputs){.kind = JIC_NODE_PACKAGE,
	                                .name = jic_view_of(f->name),
	                                .uuid = forged_uuid(f),
	                                .source = jic_view_of(source),
	                                .deps = deps,
	                                .deps_count = count};
}

static inline void forged_key(const struct forged *f, struct jic_digest *out)
{
	struct jic_digest deps[FORGED_DEPS_MAX];
	char source[64];
	struct jic_node_inputs inputs;
	struct jic_error err = {0};
	forged_inputs(f, deps, source, &inputs);
	cr_assert(jic_node_key(&inputs, out, &err), "%s", err.text);
}

static inline struct jic_runtime forged_runtime(const char *version)
{
	struct ji_recipe r = {.version = version};
	return (struct jic_runtime){
	    .version = jic_view_of(version),
	    .branch = JIC_VIEW("release"),
	    .commit = JIC_VIEW("0123456789abcdef0123456789abcdef01234567"),
	    .uname = JIC_VIEW("Linux"),
	    .arch = JIC_VIEW("x86_64"),
	    .triplet = JIC_VIEW("x86_64-linux-gnu"),
	    .word_bits = 64,
	    .flags =
		ji_build_since(&r, 9) ? JIC_VIEW("pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2") : JIC_VIEW(""),
	};
}

/** A request and all that it points to. One version in a request. */
struct forged_request {
	struct jic_msg_publish message;
	struct jic_msg_artefact artefacts[FORGED_SET_MAX];
	struct jic_digest deps[FORGED_SET_MAX][FORGED_DEPS_MAX];
	char sources[FORGED_SET_MAX][64];
	struct jic_ji_module sysimage[2];
};

static inline struct jic_digest forged_sysimage(void)
{
	struct jic_digest d;
	jic_sha256_of(JIC_VIEW("system image"), &d);
	return d;
}

static inline struct forged_request *forge_request(const char *lane, const struct forged *const *set, size_t count)
{
	struct forged_request *r = calloc(1, sizeof *r);
	cr_assert(r && count <= FORGED_SET_MAX);
	const char *version = forged_version(set[0]);
	static const char *const names[] = {"Core", "Base"};
	for (size_t i = 0; i < 2; i++)
		r->sysimage[i] =
		    (struct jic_ji_module){.name = jic_view_of(names[i]), .build_id = forged_sysimage_id(version, i)};
	for (size_t i = 0; i < count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
		struct jic_msg_artefact *a = &r->artefacts[i];
		forge_ji(set[i], &bytes);
		jic_sha256_of(jic_buf_view(&bytes), &a->ji);
		forged_inputs(set[i], r->deps[i], r->sources[i], &a->node);
		forged_key(set[i], &a->key);
	}
	r->message = (struct jic_msg_publish){.lane = jic_view_of(lane),
	                                      .runtime = forged_runtime(version),
	                                      .sysimage = forged_sysimage(),
	                                      .sysimage_modules = r->sysimage,
	                                      .sysimage_modules_count = 2,
	                                      .artefacts = r->artefacts,
	                                      .artefacts_count = count,
	                                      .provenance = {.host = JIC_VIEW("builder"), .created_s = 1700000000}};
	return r;
}

/* ---- a store to put them into */

static inline struct jic_store *forge_store(const struct temp *dir)
{
	struct jic_error err = {0};
	struct jic_store_options options = {.data_dir = dir->path, .blob_bytes_max = 1 << 20};
	struct jic_store *s = jic_store_open(&options, &err);
	cr_assert(s, "%s", err.text);
	return s;
}

static inline bool forge_upload(struct jic_store *s, struct jic_view bytes, struct jic_digest *digest,
                                struct jic_error *err)
{
	bool created;
	jic_sha256_of(bytes, digest);
	JIC_AUTO(jic_store_upload)
	struct jic_store_upload *u = jic_store_upload_new(s, digest, false, JIC_VIEW(""), err);
	return u && jic_store_upload_put(u, bytes, err) && jic_store_upload_finish(u, &created, err);
}

static inline void forge_upload_all(struct jic_store *s, const struct forged *const *set, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
		struct jic_digest digest;
		struct jic_error err = {0};
		forge_ji(set[i], &bytes);
		cr_assert(forge_upload(s, jic_buf_view(&bytes), &digest, &err), "%s", err.text);
	}
}

static inline void forge_submit(struct jic_store *s, const struct jic_msg_publish *message, struct jic_arena *arena,
                                struct jic_publish_result *out)
{
	struct jic_error err = {0};
	cr_assert(jic_store_publish(s, message, JIC_VIEW("tester"), arena, out, &err), "%s", err.text);
}

/** Upload and publish in one go. */
static inline enum jic_publish_outcome forge_publish(struct jic_store *s, const char *lane,
                                                     const struct forged *const *set, size_t count,
                                                     struct jic_arena *arena, struct jic_publish_result *out)
{
	jic_autofree struct forged_request *r = forge_request(lane, set, count);
	forge_upload_all(s, set, count);
	forge_submit(s, &r->message, arena, out);
	return out->outcome;
}

#define FORGED_SET(...)                                                                                                \
	((const struct forged *const[]){__VA_ARGS__}), JIC_COUNT(((const struct forged *const[]){__VA_ARGS__}))

/** What a reader of the lane is offered of a set, for the version of the first. */
static inline struct jic_msg_set forge_resolve(struct jic_store *s, const char *lane, const struct forged *const *set,
                                               size_t count, struct jic_arena *arena)
{
	struct jic_error err = {0};
	struct jic_msg_resolved resolved;
	char id[JIC_RUNTIME_ID_BYTES_MAX];
	struct jic_runtime runtime = forged_runtime(forged_version(set[0]));
	struct jic_digest *keys = jic_arena_array(arena, count, sizeof *keys);
	cr_assert(keys && jic_runtime_id(&runtime, id, &err), "%s", err.text);
	for (size_t i = 0; i < count; i++)
		forged_key(set[i], &keys[i]);
	struct jic_view runtimes[] = {jic_arena_copy(arena, jic_view_of(id))};
	struct jic_msg_resolve request = {.lane = jic_view_of(lane),
	                                  .sysimage = forged_sysimage(),
	                                  .runtimes = runtimes,
	                                  .runtimes_count = 1,
	                                  .keys = keys,
	                                  .keys_count = count};
	cr_assert(jic_store_resolve(s, &request, arena, &resolved, &err), "%s", err.text);
	return resolved.sets_count ? resolved.sets[0] : (struct jic_msg_set){0};
}

/** The record of one package in a set, NULL when it is not offered. */
static inline const struct jic_msg_record *forged_record(const struct jic_msg_set *set, const struct forged *f)
{
	struct jic_digest key;
	forged_key(f, &key);
	for (size_t i = 0; i < set->records_count; i++)
		if (jic_digest_eq(&set->records[i].key, &key))
			return &set->records[i];
	return NULL;
}

#endif
