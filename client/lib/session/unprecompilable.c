#include "client/lib/session/unprecompilable.h"

#include "common/file.h"

#include <limits.h>

enum { SOURCE_BYTES_MAX = 4 * 1024 * 1024 };

static const char itself_says[] = "it says __precompile__(false), so Julia makes no cache of it";
static const char dependency_says[] = "it depends on a package that says __precompile__(false)";

bool jic_unprecompilable_text(struct jic_view source)
{
	static const char words[] = "__precompile__(false)";
	const char *from = source.ptr, *end = source.ptr + source.len;
	while (from < end) {
		const char *found = memmem(from, (size_t)(end - from), words, sizeof words - 1);
		if (!found)
			return false;
		if (found == source.ptr || found[-1] == '\n')
			return true;
		from = found + 1;
	}
	return false;
}

bool jic_unprecompilable_is(const struct jic_node *n)
{
	return n->state == JIC_STATE_UNSHARED &&
	       (jic_view_is(n->reason, itself_says) || jic_view_is(n->reason, dependency_says));
}

static bool says_so(const struct jic_node *n)
{
	char path[PATH_MAX];
	struct jic_map map = {0};
	int len = snprintf(path, sizeof path, JIC_PRIv, JIC_ARGv(n->entry_file));
	if (len <= 0 || (size_t)len >= sizeof path || !jic_map_open(path, SOURCE_BYTES_MAX, &map, NULL))
		return false;
	bool found = jic_unprecompilable_text(map.view);
	jic_map_clear(&map);
	return found;
}

static bool depends_on(const struct jic_node *n, const bool *marked)
{
	for (size_t i = 0; i < n->deps_count; i++) {
		if (marked[n->deps[i]])
			return true;
	}
	return false;
}

void jic_unprecompilable_mark(struct jic_graph *g, struct jic_locals *locals)
{
	jic_autofree bool *marked = calloc(g->count + 1, sizeof *marked);
	for (size_t i = 0; marked && i < g->count; i++) {
		struct jic_node *n = &g->nodes[i];
		if (n->state != JIC_STATE_SHARED || locals->items[i].path.len)
			continue;
		bool itself = n->inputs.kind != JIC_NODE_STDLIB && says_so(n);
		marked[i] = itself || depends_on(n, marked);
		if (!marked[i])
			continue;
		locals->wanted -= jic_node_is_wanted(n);
		n->state = JIC_STATE_UNSHARED;
		n->reason = jic_view_of(itself ? itself_says : dependency_says);
	}
}
