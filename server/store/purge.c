/* Every space is looked through, lane by lane: no index over names is worth its room for what is done once a year. */
#include "server/store/purge.h"

#include "common/buf.h"
#include "server/store/internal.h"

enum { PAGE = 256 };

struct purge {
	const struct jic_purge *what;
	struct jic_index_txn *t;
	struct jic_buf places; /* struct jic_index_place */
};

static void purge_clear(struct purge *p)
{
	jic_buf_clear(&p->places);
}

bool jic_purge_parse(struct jic_view text, struct jic_purge *out, struct jic_error *err)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	out->package = at ? jic_view_head(text, (size_t)(at - text.ptr)) : text;
	out->version = at ? jic_view_skip(text, out->package.len + 1) : JIC_VIEW("");
	return (out->package.len && (!at || out->version.len)) ||
	       jic_fail(err, JIC_EUSAGE, "what to purge is PACKAGE or PACKAGE@VERSION, not \"" JIC_PRIv "\"",
	                JIC_ARGv(text));
}

static bool is_meant(const struct jic_purge *what, const struct jic_msg_record *r)
{
	return jic_view_eq(what->package, r->name) &&
	       (what->version.len == 0 || jic_view_eq(what->version, r->version));
}

static bool look(struct purge *p, const struct jic_lane *lane, uint64_t space, struct jic_error *err)
{
	struct jic_digest after;
	size_t count = PAGE;
	for (bool first = true; count == PAGE; first = false) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		const struct jic_digest *keys;
		if (!p->t->ops->keys_list(p->t, lane->id, space, first ? NULL : &after, PAGE, &arena, &keys, &count,
		                          err))
			return false;
		const struct jic_index_artefact **rows = jic_arena_array(&arena, count + 1, sizeof *rows);
		if (!rows)
			return jic_fail(err, JIC_EMEMORY, "out of memory");
		if (!p->t->ops->artefacts_find(p->t, lane, space, keys, count, &arena, rows, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			const struct jic_index_place place = {.lane_id = lane->id, .space = space, .key = keys[i]};
			if (rows[i] && is_meant(p->what, &rows[i]->record))
				jic_buf_put(&p->places, &place, sizeof place);
		}
		if (count)
			after = keys[count - 1];
	}
	return jic_buf_ok(&p->places, err);
}

static bool look_everywhere(struct purge *p, struct jic_index *ix, struct jic_arena *arena, struct jic_error *err)
{
	const struct jic_index_space *spaces;
	const struct jic_lane *lanes;
	size_t spaces_count, lanes_count;
	if (!ix->ops->lane_list(ix, arena, &lanes, &lanes_count, err))
		return false;
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	if (!t || !t->ops->spaces_list(t, arena, &spaces, &spaces_count, err))
		return false;
	p->t = t;
	for (size_t i = 0; i < spaces_count; i++)
		for (size_t k = 0; k < lanes_count; k++)
			if (!look(p, &lanes[k], spaces[i].id, err))
				return false;
	return true;
}

bool jic_store_purge(struct jic_store *s, const struct jic_purge *what, struct jic_withdrawn *out,
                     struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(purge) struct purge p = {.what = what};
	if (!look_everywhere(&p, s->index, &arena, err))
		return jic_wrap(err, "purge");
	if (!p.places.len)
		return jic_fail(err, JIC_ENOTFOUND, "nothing of " JIC_PRIv "%s" JIC_PRIv " is stored",
		                JIC_ARGv(what->package), what->version.len ? " " : "", JIC_ARGv(what->version));
	const struct jic_withdrawal withdrawal = {.places = (const void *)p.places.ptr,
	                                          .places_count = p.places.len / sizeof(struct jic_index_place),
	                                          .rows_only = true,
	                                          .dry_run = what->dry_run};
	return jic_store_withdraw(s, &withdrawal, out, err) || jic_wrap(err, "purge");
}
