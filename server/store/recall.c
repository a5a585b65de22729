/* Portion by portion, because publishers wait for the index's writer ten seconds at most. */
#include "server/store/recall.h"

#include "common/ed25519.h"
#include "server/store/internal.h"

enum { PORTION = 1024 };

/* ---- whom a text means */

static bool has_id(const struct jic_digest *key, struct jic_view id)
{
	char text[JIC_KEY_ID_TEXT + 1];
	jic_key_id(key, text);
	return jic_view_is(id, text);
}

/* Among the keys that signed something, and those that were recalled: of these nothing is stored any more. */
static bool key_by_id(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena, struct jic_digest *out,
                      bool *found, struct jic_error *err)
{
	const struct jic_index_recall *recalls;
	const struct jic_digest *signers;
	size_t signers_count, recalls_count;
	if (!t->ops->signers_list(t, arena, &signers, &signers_count, err) ||
	    !t->ops->recalls_list(t, arena, &recalls, &recalls_count, err))
		return false;
	for (size_t i = 0; i < signers_count && !*found; i++) {
		*out = signers[i];
		*found = has_id(out, id);
	}
	for (size_t i = 0; i < recalls_count && !*found; i++)
		*found = recalls[i].maker.kind == JIC_BY_KEY && jic_digest_parse(recalls[i].maker.who, out) &&
		         has_id(out, id);
	return true;
}

/* A whole key may have signed nothing that is stored: it is recalled all the same. */
static bool find_key(struct jic_index_txn *t, struct jic_view text, struct jic_arena *arena,
                     struct jic_index_maker *out, bool *found, struct jic_error *err)
{
	struct jic_public_key whole;
	char hex[JIC_DIGEST_HEX + 1];
	*found = jic_public_key_parse(text, &whole, NULL) || jic_digest_parse(text, &whole.key);
	if (!*found && !key_by_id(t, text, arena, &whole.key, found, err))
		return false;
	if (!*found)
		return true;
	jic_digest_hex(&whole.key, hex);
	*out = (struct jic_index_maker){.kind = JIC_BY_KEY, .who = jic_arena_copy(arena, jic_view_of(hex))};
	return !arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool find_other(struct jic_index_txn *t, enum jic_maker_kind kind, struct jic_view who, struct jic_arena *arena,
                       struct jic_index_maker *out, bool *found, struct jic_error *err)
{
	const struct jic_index_maker maker = {.kind = kind, .who = who};
	const struct jic_index_place *places;
	size_t count;
	uint64_t id;
	if (!t->ops->made_by_list(t, &maker, arena, &places, &count, err) || !t->ops->recall_find(t, &maker, &id, err))
		return false;
	*found = count || id;
	if (*found)
		*out = maker;
	return true;
}

static bool find_maker(struct jic_index_txn *t, struct jic_view text, struct jic_arena *arena,
                       struct jic_index_maker *out, struct jic_error *err)
{
	static const struct {
		enum jic_maker_kind kind;
		const char *prefix;
	} kinds[] = {{JIC_BY_KEY, "key:"}, {JIC_BY_TOKEN, "token:"}, {JIC_BY_RUN, "run:"}};
	bool found[JIC_COUNT(kinds)] = {false};
	for (size_t i = 0; i < JIC_COUNT(kinds); i++) {
		const struct jic_view prefix = jic_view_of(kinds[i].prefix);
		const struct jic_view rest = jic_view_skip(text, prefix.len);
		if (!jic_view_starts(text, prefix))
			continue;
		*out = (struct jic_index_maker){.kind = kinds[i].kind, .who = rest};
		if (kinds[i].kind != JIC_BY_KEY)
			return true;
		return find_key(t, rest, arena, out, &found[0], err) &&
		       (found[0] ||
		        jic_fail(err, JIC_ENOTFOUND, "no key " JIC_PRIv " signed anything", JIC_ARGv(rest)));
	}
	if (!find_key(t, text, arena, out, &found[0], err))
		return false;
	if (found[0])
		return true;
	if (!find_other(t, JIC_BY_TOKEN, text, arena, out, &found[1], err) ||
	    !find_other(t, JIC_BY_RUN, text, arena, out, &found[2], err))
		return false;
	if (found[1] && found[2])
		return jic_fail(err, JIC_EUSAGE, "a token and a run are called \"" JIC_PRIv "\": say token:… or run:…",
		                JIC_ARGv(text));
	return found[1] || found[2] ||
	       jic_fail(err, JIC_ENOTFOUND, "nothing here was made by a key, token or run \"" JIC_PRIv "\"",
	                JIC_ARGv(text));
}

bool jic_store_maker(struct jic_store *s, struct jic_view text, struct jic_arena *arena, struct jic_index_maker *out,
                     struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return t && find_maker(t, text, arena, out, err);
}

/* ---- recalling */

static bool remember(struct jic_store *s, const struct jic_index_maker *maker, uint64_t *id, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_WRITE, err);
	return t && t->ops->recall_put(t, maker, jic_store_now_s(), id, err) && t->ops->commit(t, err);
}

static bool list_made(struct jic_store *s, const struct jic_index_maker *maker, struct jic_arena *arena,
                      const struct jic_index_place **out, size_t *count, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return t && t->ops->made_by_list(t, maker, arena, out, count, err);
}

static void add(struct jic_withdrawn *sum, const struct jic_withdrawn *part)
{
	sum->artefacts += part->artefacts;
	sum->dependents += part->dependents;
}

bool jic_store_recall(struct jic_store *s, const struct jic_index_maker *maker, bool dry_run, struct jic_withdrawn *out,
                      struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	const struct jic_index_place *places;
	size_t count;
	uint64_t id = 0;
	*out = (struct jic_withdrawn){0};
	if ((!dry_run && !remember(s, maker, &id, err)) || !list_made(s, maker, &arena, &places, &count, err))
		return jic_wrap(err, "recall");
	/* A portion that changes nothing would not be seen by the next: all at once, then, which is exact. */
	const size_t portion = dry_run ? count : PORTION;
	for (size_t i = 0; i < count; i += portion) {
		struct jic_withdrawn part;
		const struct jic_withdrawal what = {.places = places + i,
		                                    .places_count = count - i < portion ? count - i : portion,
		                                    .rows_only = true,
		                                    .dry_run = dry_run,
		                                    .recall = id};
		if (!jic_store_withdraw(s, &what, &part, err))
			return jic_wrap(err, "recall");
		add(out, &part);
	}
	return true;
}

bool jic_store_unrecall(struct jic_store *s, const struct jic_index_maker *maker, struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_WRITE, err);
	return t && t->ops->recall_delete(t, maker, err) && t->ops->commit(t, err);
}

bool jic_store_recalls(struct jic_store *s, struct jic_arena *arena, const struct jic_index_recall **out, size_t *count,
                       struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = s->index->ops->begin(s->index, JIC_INDEX_READ, err);
	return t && t->ops->recalls_list(t, arena, out, count, err);
}
