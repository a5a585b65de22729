/* From the published form to what Julia compares with this machine's source files. The comparison that Julia will make
 * (times up to 1.10) proves nothing about content, so content is compared here before a time is written. */
#include "client/lib/julia/facts_accept.h"
#include "client/lib/relocate/canonical_path.h"
#include "client/lib/relocate/fresh.h"
#include "client/lib/relocate/relocate.h"
#include "common/file.h"

struct work {
	const struct jic_graph *g;
	const struct jic_msg_input *inputs;
	size_t inputs_count;
	bool tracks_content; /* 1.11+ */
};

static const struct jic_msg_input *find_input(const struct work *w, struct jic_view canonical)
{
	for (size_t i = 0; i < w->inputs_count; i++)
		if (jic_view_eq(w->inputs[i].path, canonical))
			return &w->inputs[i];
	return NULL;
}

static bool differs(struct jic_error *err, struct jic_view path)
{
	return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": its content is not what the artefact was compiled from",
	                JIC_ARGv(path));
}

static bool check_input(const struct work *w, const struct jic_ji_include *r, const struct jic_path_here *here,
                        struct jic_error *err)
{
	struct jic_msg_input now = {0};
	const struct jic_msg_input *input = find_input(w, r->path);
	if (!input)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": the artefact does not say what its content was",
		                JIC_ARGv(r->path));
	if (!jic_fresh_input(here->file.ptr, &now, err))
		return false;
	return (now.type == input->type && jic_digest_eq(&now.sha256, &input->sha256)) || differs(err, here->file);
}

static bool check_crc(const struct jic_ji_include *r, const struct jic_path_here *here, const struct stat *st,
                      struct jic_error *err)
{
	uint32_t crc;
	if (!S_ISDIR(st->st_mode) && (uint64_t)st->st_size != r->size)
		return differs(err, here->file);
	if (!jic_fresh_crc(here->file.ptr, st, NULL, &crc, err))
		return false;
	return crc == r->crc32c || differs(err, here->file);
}

static bool check_content(const struct work *w, const struct jic_ji_include *r, const struct jic_path_here *here,
                          const struct stat *st, struct jic_error *err)
{
	if (w->tracks_content && r->mtime < 0)
		return check_crc(r, here, st, err) && (!S_ISDIR(st->st_mode) || check_input(w, r, here, err));
	if (!w->tracks_content && r->has_source)
		return jic_fresh_same_text(here->file.ptr, r->source) || differs(err, here->file);
	return check_input(w, r, here, err);
}

/* What was absent when it was compiled has to be absent here: 1.5 to 1.8 then take its time for 0, and 1.11+ records
 * so. */
static bool local_absent(const struct work *w, const struct jic_ji_include *r, const struct jic_path_here *here,
                         struct jic_ji_edit *out, struct jic_error *err)
{
	out->mtime = 0;
	return check_input(w, r, here, err);
}

static double local_time(const struct work *w, const struct jic_ji_include *r, const struct stat *st)
{
	if (w->tracks_content && r->mtime < 0)
		return -1.0;
	return jic_fresh_mtime_to_record(w->g->facts->version, jic_fresh_mtime(st));
}

static bool local_record(const struct work *w, const struct jic_node *n, const struct jic_ji_include *r,
                         struct jic_arena *arena, struct jic_ji_edit *out, struct jic_error *err)
{
	struct jic_path_here here;
	struct stat st;
	if (!jic_path_localise(w->g, n, r->path, arena, &here, err))
		return false;
	*out = (struct jic_ji_edit){.path = here.recorded, .size = r->size, .crc32c = r->crc32c};
	if (r->mtime == 0)
		return local_absent(w, r, &here, out, err);
	if (stat(here.file.ptr, &st) != 0)
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(here.file));
	if (!check_content(w, r, &here, &st, err))
		return false;
	out->mtime = local_time(w, r, &st);
	if (w->tracks_content && r->mtime < 0)
		out->size = (uint64_t)st.st_size;
	return true;
}

/* Julia compares the first record with the file that it found for the package, by device and inode. */
static bool check_entry(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                        struct jic_arena *arena, struct jic_error *err)
{
	struct jic_path_here here;
	struct jic_file_identity recorded, entry;
	if (!ji->includes_count)
		return jic_fail(err, JIC_EFORMAT, "the artefact names no source file");
	struct jic_view expected = jic_arena_copy(arena, n->entry_file);
	if (!jic_path_localise(g, n, ji->includes[0].path, arena, &here, err))
		return false;
	if (!jic_file_identify(here.file.ptr, &recorded, NULL) || !jic_file_identify(expected.ptr, &entry, NULL))
		return jic_fail(err, JIC_ECONFLICT, JIC_PRIv ": it is missing", JIC_ARGv(here.file));
	return (recorded.device == entry.device && recorded.inode == entry.inode) ||
	       jic_fail(err, JIC_ECONFLICT, "the artefact is of " JIC_PRIv ", not of " JIC_PRIv, JIC_ARGv(here.file),
	                JIC_ARGv(n->entry_file));
}

bool jic_localise(const struct jic_graph *g, const struct jic_node *n, const struct jic_ji *ji,
                  const struct jic_msg_input *inputs, size_t inputs_count, struct jic_arena *arena,
                  struct jic_ji_parts *out, struct jic_error *err)
{
	const struct work w = {.g = g,
	                       .inputs = inputs,
	                       .inputs_count = inputs_count,
	                       .tracks_content = jic_julia_at_least(g->facts->version, 1, 11, 0)};
	if (!jic_facts_made(g->facts, ji, err) || !check_entry(g, n, ji, arena, err))
		return false;
	struct jic_ji_edit *edits = jic_arena_array(arena, ji->includes_count, sizeof *edits);
	if (!edits)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < ji->includes_count; i++)
		if (!local_record(&w, n, &ji->includes[i], arena, &edits[i], err))
			return false;
	return jic_ji_rewrite_parts(ji, edits, out, err);
}
