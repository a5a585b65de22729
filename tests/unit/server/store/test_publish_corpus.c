/* What real Julia compiled, made canonical as a client does, goes into the store; what was tampered with does not. */
#include "server/store/fsck.h"
#include "tests/support/corpus.h"
#include "tests/support/forge.h"

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

enum { CACHES_MAX = 16, DEFAULT_FLAGS = 0xa3 };

struct cache {
	struct jic_view original, image;
	struct jic_ji ji;
	struct jic_buf canonical;
};

/* The caches of one Julia with default flags, and a request that publishes them. */
struct family {
	struct temp dir;
	struct jic_store *store;
	struct jic_arena arena;
	struct cache caches[CACHES_MAX];
	size_t count;
	struct jic_ji_module sysimage[64];
	struct jic_bundled bundled[64];
	struct jic_msg_artefact artefacts[CACHES_MAX];
	struct jic_msg_publish message;
	struct jic_publish_result result;
};

static void family_remove(struct family *f)
{
	for (size_t i = 0; i < f->count; i++) {
		view_free(f->caches[i].original);
		view_free(f->caches[i].image);
		jic_buf_clear(&f->caches[i].canonical);
	}
	jic_store_free(f->store);
	jic_arena_clear(&f->arena);
	temp_remove(&f->dir);
}

static struct jic_view canonical_path(struct family *f, struct jic_view path)
{
	static const struct {
		const char *part, *instead;
	} rules[] = {{"/depot/", "@depot/"}, {"/GoldDev/", "@jicache/a1b2c3d4-0007-4000-8000-000000000010/"}};
	for (size_t i = 0; path.ptr[0] == '/' && i < JIC_COUNT(rules); i++) {
		size_t len = strlen(rules[i].part);
		const char *found = memmem(path.ptr, path.len, rules[i].part, len);
		if (found)
			return jic_arena_printf(&f->arena, "%s" JIC_PRIv, rules[i].instead,
			                        JIC_ARGv(jic_view_skip(path, (size_t)(found - path.ptr) + len)));
	}
	return path;
}

static void make_canonical(struct family *f, struct cache *c)
{
	struct jic_error err = {0};
	struct jic_ji_edit *edits = jic_arena_array(&f->arena, c->ji.includes_count, sizeof *edits);
	cr_assert(edits);
	for (size_t i = 0; i < c->ji.includes_count; i++) {
		const struct jic_ji_include *inc = &c->ji.includes[i];
		edits[i] = (struct jic_ji_edit){.path = canonical_path(f, inc->path),
		                                .size = inc->size,
		                                .crc32c = inc->crc32c,
		                                .mtime = inc->mtime > 1.0 ? 1.0 : inc->mtime};
	}
	cr_assert(jic_ji_rewrite(&c->ji, edits, &c->canonical, &err), "%s", err.text);
}

static void load(struct family *f, const char *path)
{
	struct jic_error err = {0};
	struct cache *c = &f->caches[f->count];
	*c = (struct cache){.original = corpus_read(path)};
	cr_assert(jic_ji_parse(c->original, &f->arena, &c->ji, &err), "%s: %s", path, err.text);
	if (c->ji.flags != DEFAULT_FLAGS) {
		view_free(c->original);
		return;
	}
	jic_autofree char *so = jic_asprintf("%.*s.so", (int)strlen(path) - 3, path);
	c->image = corpus_read(so);
	make_canonical(f, c);
	cr_assert_lt(++f->count, (size_t)CACHES_MAX);
}

/* Of the modules that a cache requires: those of the system image by their mark, the bundled ones by not being Gold. */
static void declare(struct family *f, const struct jic_ji *ji, size_t *sysimage, size_t *bundled)
{
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_ji_module *m = &ji->required[i];
		cr_assert(*sysimage < 64 && *bundled < 64);
		if (m->build_id.hi >> 32 == JIC_JI_CHECKSUM_MARK_SYSIMAGE)
			f->sysimage[(*sysimage)++] = *m;
		else if (!jic_view_starts(m->name, JIC_VIEW("Gold")))
			f->bundled[(*bundled)++] =
			    (struct jic_bundled){.name = m->name, .uuid = m->uuid, .build_id = m->build_id};
	}
}

static void describe(struct family *f)
{
	const struct jic_ji *ji = &f->caches[0].ji;
	size_t sysimage = 0, bundled = 0;
	for (size_t i = 0; i < f->count; i++)
		if (jic_view_is(f->caches[i].ji.modules[0].name, "GoldDev"))
			declare(f, &f->caches[i].ji, &sysimage, &bundled);
	f->message = (struct jic_msg_publish){
	    .lane = JIC_VIEW("main"),
	    .runtime = {.version = ji->version_text,
	                .branch = ji->branch,
	                .commit = ji->commit,
	                .uname = ji->uname,
	                .arch = ji->arch,
	                .triplet = JIC_VIEW("x86_64-linux-gnu"),
	                .word_bits = 64,
	                .flags = JIC_VIEW("pkgimages=1,debug=1,check_bounds=0,inline=1,opt=2"),
	                .cpu = JIC_VIEW("target:generic"),
	                .bundled = f->bundled,
	                .bundled_count = bundled},
	    .sysimage = forged_sysimage(),
	    .sysimage_modules = f->sysimage,
	    .sysimage_modules_count = sysimage,
	    .artefacts = f->artefacts,
	    .artefacts_count = f->count,
	};
}

static void send_blob(struct family *f, struct jic_view bytes, struct jic_digest *digest)
{
	struct jic_error err = {0};
	cr_assert(forge_upload(f->store, bytes, digest, &err), "%s", err.text);
}

static void fill_artefact(struct family *f, size_t i)
{
	struct jic_error err = {0};
	struct jic_msg_artefact *a = &f->artefacts[i];
	const struct jic_ji_module *m = &f->caches[i].ji.modules[0];
	a->node = (struct jic_node_inputs){
	    .name = m->name,
	    .uuid = m->uuid,
	    .source = jic_arena_printf(&f->arena, "git-tree-sha1:%040llx", (unsigned long long)m->uuid.lo)};
	a->has_image = true;
	cr_assert(jic_node_key(&a->node, &a->key, &err), "%s", err.text);
	send_blob(f, jic_buf_view(&f->caches[i].canonical), &a->ji);
	send_blob(f, f->caches[i].image, &a->image);
}

static void family_begin(struct family *f, const char *version)
{
	char pattern[64];
	snprintf(pattern, sizeof pattern, "%s/depot/compiled/*/*/*.ji", version);
	glob_t files = corpus_glob(pattern, 8);
	*f = (struct family){.dir = temp_make()};
	f->store = forge_store(&f->dir);
	for (size_t i = 0; i < files.gl_pathc; i++)
		load(f, files.gl_pathv[i]);
	globfree(&files);
	cr_assert_eq(f->count, 8);
	describe(f);
	for (size_t i = 0; i < f->count; i++)
		fill_artefact(f, i);
}

static size_t find(const struct family *f, const char *name)
{
	size_t i = 0;
	while (i < f->count && !jic_view_is(f->artefacts[i].node.name, name))
		i++;
	cr_assert_lt(i, f->count, "there is no %s", name);
	return i;
}

static void submit(struct family *f)
{
	forge_submit(f->store, &f->message, &f->arena, &f->result);
}

static struct jic_msg_set resolve(struct family *f)
{
	struct jic_error err = {0};
	struct jic_msg_resolved resolved;
	struct jic_digest keys[CACHES_MAX];
	static char id[JIC_RUNTIME_ID_BYTES_MAX];
	cr_assert(jic_runtime_id(&f->message.runtime, id, &err), "%s", err.text);
	for (size_t i = 0; i < f->count; i++)
		keys[i] = f->artefacts[i].key;
	struct jic_view runtime = jic_view_of(id);
	struct jic_msg_resolve request = {.sysimage = f->message.sysimage,
	                                  .runtimes = &runtime,
	                                  .runtimes_count = 1,
	                                  .keys = keys,
	                                  .keys_count = f->count};
	cr_assert(jic_store_resolve(f->store, &request, &f->arena, &resolved, &err), "%s", err.text);
	return resolved.sets_count ? resolved.sets[0] : (struct jic_msg_set){0};
}

static void expect_clean(struct family *f)
{
	struct jic_error err = {0};
	struct jic_fsck found;
	cr_assert(jic_store_fsck(f->store, &f->arena, &found, &err), "%s", err.text);
	cr_expect_eq(found.findings_total, 0);
	cr_expect_eq(found.artefacts, f->count);
	cr_expect_eq(found.blobs, 2 * f->count);
}

static const char *const versions[] = {"1.10.5", "1.11.1", "1.12.5"};

Test(publish_corpus, every_julia_publishes_and_is_offered_whole)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		CLEARED(family) f;
		family_begin(&f, versions[i]);
		submit(&f);
		cr_assert_eq(f.result.outcome, JIC_PUBLISH_DONE, "%s: " JIC_PRIv, versions[i],
		             JIC_ARGv(f.result.detail));
		struct jic_msg_set set = resolve(&f);
		cr_assert_eq(set.records_count, f.count);
		expect_clean(&f);
		const struct jic_msg_artefact *ext = &f.artefacts[find(&f, "GoldWeakMidExt")];
		for (size_t j = 0; j < set.records_count; j++) {
			const struct jic_msg_record *r = &set.records[j];
			cr_expect(r->has_image && r->image.size > 9000);
			if (jic_digest_eq(&r->key, &ext->key))
				cr_expect_eq(r->requires_count, 3);
		}
	}
}

/* @param at fault; nothing of the rest may be stored either */
static void expect_refused(struct family *f, size_t at, enum jic_publish_outcome outcome, const char *word)
{
	submit(f);
	cr_assert_eq(f->result.outcome, outcome, "%s: " JIC_PRIv, word, JIC_ARGv(f->result.detail));
	cr_assert_eq(f->result.keys_count, 1);
	cr_expect(jic_digest_eq(&f->result.keys[0], &f->artefacts[at].key), "%s", word);
	cr_expect(memmem(f->result.detail.ptr, f->result.detail.len, word, strlen(word)), "%s: " JIC_PRIv, word,
	          JIC_ARGv(f->result.detail));
	cr_expect_eq(resolve(f).records_count, 0);
}

Test(publish_corpus, what_was_not_made_canonical_is_refused)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		CLEARED(family) f;
		family_begin(&f, versions[i]);
		size_t dev = find(&f, "GoldDev");
		send_blob(&f, f.caches[dev].original, &f.artefacts[dev].ji);
		expect_refused(&f, dev, JIC_PUBLISH_BAD_ARTEFACT, "/home/ci/");
	}
}

Test(publish_corpus, an_image_of_another_package_is_refused)
{
	CLEARED(family) f;
	family_begin(&f, "1.11.1");
	size_t mid = find(&f, "GoldMid"), base = find(&f, "GoldBase");
	f.artefacts[mid].image = f.artefacts[base].image;
	expect_refused(&f, mid, JIC_PUBLISH_BAD_ARTEFACT, "image");
}

/* Whoever tampers with an image can recompute its checksum in the `.ji`; what is inside the image still disagrees. */
Test(publish_corpus, an_image_that_was_tampered_with_and_sealed_again_is_refused)
{
	CLEARED(family) f;
	family_begin(&f, "1.11.1");
	size_t mid = find(&f, "GoldMid"), base = find(&f, "GoldBase");
	struct jic_buf *ji = &f.caches[mid].canonical;
	uint32_t crc = jic_crc32c(0, f.caches[base].image.ptr, f.caches[base].image.len);
	ji->len -= 8;
	jic_buf_u32le(ji, crc);
	jic_buf_u32le(ji, 0);
	ji_build_reseal(ji);
	send_blob(&f, jic_buf_view(ji), &f.artefacts[mid].ji);
	f.artefacts[mid].image = f.artefacts[base].image;
	expect_refused(&f, mid, JIC_PUBLISH_BAD_ARTEFACT, "GoldMid");
}

Test(publish_corpus, a_cache_file_without_its_image_is_refused)
{
	CLEARED(family) f;
	family_begin(&f, "1.12.5");
	size_t top = find(&f, "GoldTop");
	f.artefacts[top].has_image = false;
	expect_refused(&f, top, JIC_PUBLISH_BAD_ARTEFACT, "image is missing");
}

Test(publish_corpus, an_image_that_was_never_uploaded_is_missing)
{
	CLEARED(family) f;
	family_begin(&f, "1.12.5");
	size_t top = find(&f, "GoldTop");
	f.artefacts[top].image.bytes[0] ^= 1;
	expect_refused(&f, top, JIC_PUBLISH_BLOB_MISSING, "GoldTop");
}

Test(publish_corpus, a_bundled_cache_that_the_runtime_does_not_name_makes_it_incoherent)
{
	CLEARED(family) f;
	family_begin(&f, "1.11.1");
	f.message.runtime.bundled_count = 0;
	submit(&f);
	cr_assert_eq(f.result.outcome, JIC_PUBLISH_INCOHERENT);
	cr_expect_eq(resolve(&f).records_count, 0);
}

/* Another compile of the same sources: the flags variants of the corpus are such, under other runtimes. */
Test(publish_corpus, flags_of_another_runtime_are_refused)
{
	CLEARED(family) f;
	family_begin(&f, "1.11.1");
	f.message.runtime.flags = JIC_VIEW("pkgimages=1,debug=1,check_bounds=1,inline=1,opt=2");
	expect_refused(&f, 0, JIC_PUBLISH_BAD_ARTEFACT, "flags");
}
