/*
 * Input: a project file, a NUL byte, a manifest. Whatever is read must hold together: every entry is found by its UUID,
 * names can be parts of paths, and reading the same text again gives the same.
 */
#include "client/lib/environment/manifest.h"
#include "common/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_package(const struct jic_package *p)
{
	JIC_ASSERT(p->name.len && !memchr(p->name.ptr, '/', p->name.len) && p->name.ptr[0] != '.');
	JIC_ASSERT(p->tree_hash.len == 0 || p->tree_hash.len == 40);
	for (size_t i = 0; i < p->deps.count; i++)
		JIC_ASSERT(jic_deps_find(&p->deps, p->deps.items[i].name));
}

static void check_manifest(const struct jic_manifest *m)
{
	JIC_ASSERT(m->format_major == 1 || m->format_major == 2);
	for (size_t i = 0; i < m->count; i++) {
		const struct jic_package *p = &m->packages[i];
		size_t count;
		check_package(p);
		JIC_ASSERT(jic_uuid_is_nil(p->uuid) || jic_manifest_find(m, p->uuid) == p);
		const struct jic_package *only = jic_manifest_named(m, p->name, &count);
		JIC_ASSERT(count >= 1 && (count > 1) == (only == NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t split = nul ? (size_t)(nul - data) : size;
	struct jic_view project_text = jic_view_bytes(data, split);
	struct jic_view manifest_text = jic_view_skip(jic_view_bytes(data, size), split + 1);
	struct jic_project project;
	struct jic_manifest manifest, again;
	struct jic_error err;
	if (jic_project_parse(project_text, JIC_VIEW("p/Project.toml"), &arena, &project, &err) &&
	    project.package.name.len)
		check_package(&project.package);
	bool ok = jic_manifest_parse(manifest_text, JIC_VIEW("p/Manifest.toml"), &arena, &manifest, &err);
	JIC_ASSERT(ok || err.code != JIC_OK);
	if (!ok)
		return 0;
	check_manifest(&manifest);
	JIC_ASSERT(jic_manifest_parse(manifest_text, JIC_VIEW("p/Manifest.toml"), &arena, &again, &err));
	JIC_ASSERT(again.count == manifest.count);
	return 0;
}
