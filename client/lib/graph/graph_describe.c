/*
 * From a draft to what its key covers. A node of the system image is a leaf without preferences: it is what it is in
 * that image, whose content is part of every address. The key of a stdlib outside of it does not depend on whether this
 * session takes the bundled cache, so that sessions with other flags compute the same keys.
 */
#include "client/lib/graph/graph_build.h"

#include "client/lib/environment/source.h"
#include "client/lib/julia/facts_accept.h"
#include "common/file.h"

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

static const struct jic_draft *draft_at(const struct jic_builder *b, size_t position)
{
	return &b->drafts[b->order[position]];
}

/* ---- sources */

/* A cache of the installation; with `acceptable` only one that this session takes. */
static bool is_bundled(const struct jic_facts *f, const struct jic_package_id *id, bool acceptable)
{
	for (size_t i = 0; i < f->bundled_count; i++) {
		const struct jic_bundled_file *file = &f->bundled[i];
		if (jic_uuid_eq(file->cache.uuid, id->uuid) && jic_view_eq(file->cache.name, id->name) &&
		    (!acceptable || jic_facts_accept_bundled(f, file)))
			return true;
	}
	return false;
}

/* Whichever case the manifest has: one text for one tree. */
static struct jic_view tree_source(struct jic_builder *b, struct jic_view tree_hash)
{
	uint8_t tree[20];
	char hex[2 * sizeof(tree) + 1];
	if (!jic_unhex(tree_hash, tree, sizeof(tree)))
		return JIC_VIEW("");
	jic_hex(tree, sizeof(tree), hex);
	return jic_arena_printf(b->arena, "git-tree-sha1:%s", hex);
}

/* Where a stdlib of that name is, unseen: it is in the system image or came with a cache. */
static void assume_stdlib(struct jic_builder *b, const struct jic_package_id *id, struct jic_location *out)
{
	out->kind = JIC_SOURCE_STDLIB;
	out->root =
	    jic_arena_printf(b->arena, JIC_PRIv "/" JIC_PRIv, JIC_ARGv(b->facts->stdlib_dir), JIC_ARGv(id->name));
	out->entry_file =
	    jic_arena_printf(b->arena, JIC_PRIv "/src/" JIC_PRIv ".jl", JIC_ARGv(out->root), JIC_ARGv(id->name));
}

static void locate(struct jic_builder *b, const struct jic_draft *d, struct jic_location *out)
{
	const struct jic_package *p = d->found.package;
	bool plain = p && d->found.in == JIC_FOUND_MANIFEST && !p->path.len && !p->tree_hash.len;
	*out = (struct jic_location){0};
	if (d->in_sysimage || (plain && is_bundled(b->facts, &d->id, false)))
		assume_stdlib(b, &d->id, out);
	else
		jic_environment_locate(&b->env, &d->id, out);
}

static void refuse(struct jic_node *n, enum jic_node_state state, struct jic_view reason)
{
	n->state = state;
	n->reason = reason;
}

static bool describe_developed(struct jic_builder *b, const struct jic_draft *d, struct jic_node *n,
                               struct jic_error *err)
{
	struct jic_project project = {0};
	struct jic_view file;
	struct jic_source source;
	struct jic_error why;
	const struct jic_package *package = d->found.in == JIC_FOUND_PROJECT ? d->found.package : NULL;
	n->developed = true;
	if (!jic_is_file(n->entry_file.ptr)) {
		refuse(n, JIC_STATE_NO_SOURCE,
		       jic_arena_printf(b->arena, JIC_PRIv " does not exist", JIC_ARGv(n->entry_file)));
		return true;
	}
	if (!package && jic_project_in_dir(n->root, b->arena, &file)) {
		if (!jic_project_read(file.ptr, b->arena, &project, &why)) {
			refuse(n, JIC_STATE_UNSHARED, jic_arena_copy(b->arena, jic_view_of(why.text)));
			return true;
		}
		package = &project.package;
	}
	if (!jic_source_developed(n->root, package, n->entry_file, b->memory, b->arena, &source, err))
		return false;
	n->inputs.source = source.identity;
	n->covers_all = source.covers_all;
	if (source.reason.len)
		refuse(n, JIC_STATE_UNSHARED, source.reason);
	return true;
}

static bool describe_build(struct jic_builder *b, struct jic_node *n, struct jic_error *err)
{
	char path[4096];
	struct stat st;
	struct jic_source source;
	int len = snprintf(path, sizeof(path), JIC_PRIv "/deps/build.jl", JIC_ARGv(n->root));
	n->inputs.build = JIC_VIEW("");
	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return true;
	n->has_build = true;
	if (!jic_source_build(n->root, b->memory, b->arena, &source, err))
		return false;
	n->inputs.build = source.identity;
	if (source.reason.len)
		refuse(n, JIC_STATE_UNSHARED, source.reason);
	return true;
}

static bool describe_package(struct jic_builder *b, const struct jic_draft *d, struct jic_node *n,
                             struct jic_error *err)
{
	struct jic_location at;
	locate(b, d, &at);
	n->root = at.root;
	n->entry_file = at.entry_file;
	n->inputs.build = JIC_VIEW("");
	bool stdlib = at.kind == JIC_SOURCE_STDLIB || (at.kind == JIC_SOURCE_NONE && !at.tree_hash.len);
	n->inputs.kind = stdlib ? JIC_NODE_STDLIB : JIC_NODE_PACKAGE;
	switch (at.kind) {
	case JIC_SOURCE_NONE:
		n->inputs.source = at.tree_hash.len ? tree_source(b, at.tree_hash) : JIC_VIEW("julia");
		refuse(n, JIC_STATE_NO_SOURCE,
		       at.tree_hash.len ? JIC_VIEW("it is not installed in any depot")
		                        : JIC_VIEW("it is no package of this Julia's standard library"));
		return true;
	case JIC_SOURCE_STDLIB:
		n->inputs.source = JIC_VIEW("julia");
		n->covers_all = true;
		n->state = d->in_sysimage                       ? JIC_STATE_SYSIMAGE
		           : is_bundled(b->facts, &d->id, true) ? JIC_STATE_BUNDLED
		                                                : JIC_STATE_SHARED;
		return true;
	case JIC_SOURCE_TREE:
		n->inputs.source = tree_source(b, at.tree_hash);
		n->covers_all = true;
		return describe_build(b, n, err);
	case JIC_SOURCE_PATH:
		break;
	}
	return describe_developed(b, d, n, err) && describe_build(b, n, err);
}

static void describe_extension(struct jic_builder *b, const struct jic_draft *d, struct jic_node *n)
{
	const struct jic_node *parent = &b->out->nodes[n->deps[0]];
	n->inputs.kind = JIC_NODE_EXTENSION;
	n->inputs.source = JIC_VIEW("parent");
	n->inputs.build = JIC_VIEW("");
	n->root = parent->root;
	n->developed = parent->developed;
	n->covers_all = parent->covers_all;
	if (!parent->root.len)
		return; /* it has the state of its parent */
	n->entry_file = jic_environment_extension_file(&b->env, parent->root, d->id.name);
	if (d->in_sysimage)
		n->state = JIC_STATE_SYSIMAGE;
	else if (parent->inputs.kind == JIC_NODE_STDLIB && is_bundled(b->facts, &d->id, true))
		n->state = JIC_STATE_BUNDLED;
	else if (!jic_is_file(n->entry_file.ptr))
		refuse(n, JIC_STATE_NO_SOURCE,
		       jic_arena_printf(b->arena, JIC_PRIv " does not exist", JIC_ARGv(n->entry_file)));
}

/* What a node needs and lacks, it can't be compiled without; and what is not shared gives its dependents no key that
 * others have. */
static void inherit_state(struct jic_builder *b, struct jic_node *n)
{
	if (n->state != JIC_STATE_SHARED)
		return;
	for (size_t i = 0; i < n->deps_count; i++) {
		const struct jic_node *dep = &b->out->nodes[n->deps[i]];
		if (dep->state != JIC_STATE_NO_SOURCE && dep->state != JIC_STATE_UNSHARED)
			continue;
		refuse(n, dep->state,
		       jic_arena_printf(b->arena, "it needs " JIC_PRIv ": " JIC_PRIv, JIC_ARGv(dep->inputs.name),
		                        JIC_ARGv(dep->reason)));
		if (dep->state == JIC_STATE_NO_SOURCE)
			return;
	}
}

/* ---- preferences */

static bool describe_preferences(struct jic_builder *b, const struct jic_draft *d, struct jic_node *n,
                                 const struct jic_toml **merged, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	n->inputs.preferences = JIC_VIEW("");
	if (!jic_preferences_of(&b->index->preferences, d->id.uuid, b->arena, merged, err))
		return false;
	if (*merged && !d->in_sysimage) {
		jic_preferences_text(*merged, &text);
		if (!jic_buf_ok(&text, err))
			return false;
		n->inputs.preferences = jic_arena_copy(b->arena, jic_buf_view(&text));
	}
	jic_sha256_of(n->inputs.preferences, &n->preferences_digest);
	return true;
}

/* ---- keys */

static bool describe_links(struct jic_builder *b, struct jic_node *n, struct jic_error *err)
{
	struct jic_digest *deps = jic_arena_array(b->arena, n->deps_count + 1, sizeof(*deps));
	struct jic_view *extensions = jic_arena_array(b->arena, n->extensions_count + 1, sizeof(*extensions));
	if (!deps || !extensions)
		return no_memory(err);
	for (size_t i = 0; i < n->deps_count; i++)
		deps[i] = b->out->nodes[n->deps[i]].key;
	for (size_t i = 0; i < n->extensions_count; i++) {
		/* From the draft: of two extensions that load each other one is described before the other. */
		const struct jic_draft *x = draft_at(b, n->extensions[i]);
		char parent[JIC_UUID_TEXT + 1];
		jic_uuid_format(x->found.package->uuid, parent);
		extensions[i] = jic_arena_printf(b->arena, "%s/" JIC_PRIv, parent, JIC_ARGv(x->id.name));
	}
	n->inputs.deps = deps;
	n->inputs.deps_count = n->deps_count;
	n->inputs.extensions = extensions;
	n->inputs.extensions_count = n->extensions_count;
	return !b->arena->failed || no_memory(err);
}

static bool describe(struct jic_builder *b, size_t position, const struct jic_toml **merged, struct jic_error *err)
{
	const struct jic_draft *d = draft_at(b, position);
	struct jic_node *n = &b->out->nodes[position];
	n->inputs.name = d->id.name;
	n->inputs.uuid = d->id.uuid;
	n->version = d->found.package && !d->extension ? d->found.package->version : JIC_VIEW("");
	n->reason = JIC_VIEW("");
	n->optional = d->optional;
	if (d->extension)
		describe_extension(b, d, n);
	else if (!describe_package(b, d, n, err))
		return false;
	if (d->trouble.len && n->state != JIC_STATE_SYSIMAGE)
		refuse(n, JIC_STATE_UNSHARED, d->trouble);
	inherit_state(b, n);
	if (!describe_preferences(b, d, n, merged, err) || !describe_links(b, n, err))
		return false;
	/* Without a source there is nothing to make a key of, nor anything to share. */
	return !n->inputs.source.len || jic_node_key(&n->inputs, &n->key, err) ||
	       jic_wrap(err, JIC_PRIv, JIC_ARGv(d->id.name));
}

bool jic_graph_describe(struct jic_builder *b, struct jic_error *err)
{
	const struct jic_toml **merged = jic_arena_array(b->arena, b->count + 1, sizeof(*merged));
	if (!merged)
		return no_memory(err);
	b->index->merged = merged;
	for (size_t i = 0; i < b->count; i++) {
		if (!describe(b, i, &merged[i], err))
			return false;
	}
	return true;
}
