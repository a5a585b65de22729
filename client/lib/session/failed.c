#include "client/lib/session/failed.h"

#include "client/lib/graph/precompiled.h"
#include "common/digest.h"
#include "common/file.h"

#include <time.h>
#include <unistd.h>

/* ---- notes */

static char *note_path(const struct jic_session *s, const struct jic_node *n)
{
	JIC_CLEAR(jic_buf) struct jic_buf about = {0};
	struct jic_digest digest;
	char hex[JIC_DIGEST_HEX + 1];
	jic_buf_put(&about, n->key.bytes, sizeof n->key.bytes);
	jic_buf_put(&about, s->facts.sysimage.bytes, sizeof s->facts.sysimage.bytes);
	jic_buf_putv(&about, s->runtime_ids[0]);
	if (!jic_buf_ok(&about, NULL))
		return NULL;
	jic_sha256_of(jic_buf_view(&about), &digest);
	jic_digest_hex(&digest, hex);
	return jic_asprintf("%s/failed/%s", s->settings.memory_dir, hex);
}

/* @param[out] age_s since it was noted */
static bool is_noted(const struct jic_session *s, const struct jic_node *n, time_t *age_s)
{
	struct stat st;
	jic_autofree char *path = note_path(s, n);
	if (!path || stat(path, &st) != 0)
		return false;
	*age_s = time(NULL) - st.st_mtime;
	if (*age_s >= 0 && *age_s < JIC_FAILED_S)
		return true;
	(void)unlink(path);
	return false;
}

static void write_note(const struct jic_session *s, const struct jic_node *n)
{
	struct jic_error ignored;
	jic_autofree char *path = note_path(s, n);
	if (path)
		(void)!jic_file_write(path, JIC_VIEW(""), (struct jic_writer_options){.no_sync = true}, &ignored);
}

/* ---- which failed */

void jic_failed_note(const struct jic_session *s, const struct jic_locals *locals)
{
	const struct jic_graph *g = &s->graph;
	struct jic_error ignored;
	/* Pkg of 1.5 ends at the first package that fails, the others were not tried. */
	if (!jic_julia_at_least(s->facts.version, 1, 6, 0))
		return;
	jic_autofree bool *tried = calloc(g->count + 1, sizeof *tried);
	jic_autofree char *dir = jic_path_join(s->settings.memory_dir, "failed");
	if (!tried || !dir || !jic_precompiled_find(g, tried) || !jic_mkdirs(dir, &ignored))
		return;
	for (size_t i = 0; i < g->count; i++) {
		if (tried[i] && jic_node_is_wanted(&g->nodes[i]) && !locals->items[i].path.len)
			write_note(s, &g->nodes[i]);
	}
}

/* Nodes are ordered dependencies first, so these are marked already. */
static bool needs_failed(const struct jic_graph *g, const struct jic_node *n)
{
	for (size_t i = 0; i < n->deps_count; i++) {
		if (jic_failed_is(&g->nodes[n->deps[i]]))
			return true;
	}
	return false;
}

static struct jic_view reason_of(struct jic_session *s, const struct jic_node *n, time_t age_s)
{
	const char *who = needs_failed(&s->graph, n) ? "what it depends on" : "it";
	const int ago_min = (int)(age_s / 60), left_min = JIC_FAILED_S / 60 - ago_min;
	const struct jic_view ago =
	    ago_min ? jic_arena_printf(&s->arena, "%d minute%s ago", ago_min, ago_min == 1 ? "" : "s")
		    : JIC_VIEW("less than a minute ago");
	return jic_arena_printf(
	    &s->arena, "%s failed to compile " JIC_PRIv "; tried again in %d minute%s, or when something of it changes",
	    who, JIC_ARGv(ago), left_min, left_min == 1 ? "" : "s");
}

void jic_failed_mark(struct jic_session *s, struct jic_locals *locals)
{
	time_t age_s;
	for (size_t i = 0; i < s->graph.count; i++) {
		struct jic_node *n = &s->graph.nodes[i];
		if (!jic_node_is_wanted(n) || locals->items[i].path.len || !is_noted(s, n, &age_s))
			continue;
		locals->wanted--;
		n->optional = true;
		n->reason = reason_of(s, n, age_s);
	}
}

uint32_t jic_failed_tell(const struct jic_session *s, const struct jic_locals *locals, const bool *placed,
                         struct jic_report *r)
{
	struct jic_arena arena = {0};
	uint32_t failed = 0;
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (!jic_failed_is(n) || locals->items[i].path.len || (placed && placed[i]))
			continue;
		jic_autofree char *reason = jic_strdup_view(n->reason);
		failed++;
		jic_report_note(r, "failed_packages", jic_session_node_title(s, n, &arena), reason ? reason : "");
	}
	jic_arena_clear(&arena);
	return failed;
}
