/* The `.ji` goes first: a Julia that starts in between finds no header that names an image which is gone. */
#include "client/lib/operation/recalled.h"

#include "client/lib/depot/cachefile.h"

#include <errno.h>
#include <unistd.h>

static bool remove_file(const struct jic_session *s, const struct jic_local *l, struct jic_arena *arena)
{
	const struct jic_view image = jic_cachefile_image_path(l->path, s->facts.uname, arena);
	jic_autofree char *ji = jic_strdup_view(l->path);
	if (!ji || (unlink(ji) != 0 && errno != ENOENT))
		return false;
	return !l->has_image || !image.len || unlink(image.ptr) == 0 || errno == ENOENT;
}

void jic_recalled_remove(const struct jic_session *s, const struct jic_offer *offer, struct jic_locals *locals,
                         struct jic_arena *arena, struct jic_report *report)
{
	uint32_t kept = 0;
	for (size_t i = 0; offer->recalled && i < s->graph.count; i++) {
		struct jic_local *l = &locals->items[i];
		if (!offer->recalled[i])
			continue;
		jic_report_name(report, "recalled_packages", jic_session_node_title(s, &s->graph.nodes[i], arena));
		if (l->ours && remove_file(s, l, arena))
			*l = (struct jic_local){0};
		else
			kept++;
	}
	if (kept)
		jic_report_warn(
		    report,
		    "%u package%s were recalled by the server's administrator, and jicache can't remove them: "
		    "`jicache verify` names the files",
		    kept, kept == 1 ? "" : "s");
}
