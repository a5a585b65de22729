/* jicached recall: take back what one maker made. Says what would happen, until it is told to do it. */
#include "server/admin/commands.h"

#include "common/ed25519.h"
#include "common/json.h"
#include "server/store/recall.h"

static const char *kind_name(enum jic_maker_kind kind)
{
	static const char *const names[] = {[JIC_BY_KEY] = "key", [JIC_BY_TOKEN] = "token", [JIC_BY_RUN] = "run"};
	return names[kind];
}

/* ---- --list */

static bool list_json(const struct jic_admin *a, const struct jic_index_recall *list, size_t count,
                      struct jic_error *err)
{
	struct jic_json_writer w = {.out = a->out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "recalls", '[');
	for (size_t i = 0; i < count; i++) {
		jic_json_open(&w, NULL, '{');
		jic_json_put_text(&w, "kind", jic_view_of(kind_name(list[i].maker.kind)));
		jic_json_put_text(&w, "who", list[i].maker.who);
		jic_json_put_u64(&w, "created_s", list[i].created_s);
		jic_json_put_u64(&w, "artefacts", list[i].artefacts);
		jic_json_close(&w, '}');
	}
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_recalls(const struct jic_admin *a, struct jic_error *err)
{
	const struct jic_index_recall *list;
	size_t count;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_recalls(store, a->arena, &list, &count, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return list_json(a, list, count, err);
	for (size_t i = 0; i < count; i++) {
		jic_admin_time(list[i].created_s, "", a->out);
		jic_buf_printf(a->out, "  %-5s " JIC_PRIv "  %llu artefacts\n", kind_name(list[i].maker.kind),
		               JIC_ARGv(list[i].maker.who), (unsigned long long)list[i].artefacts);
	}
	return true;
}

/* ---- recalling */

static void put_who(const struct jic_index_maker *maker, struct jic_buf *out)
{
	struct jic_digest key;
	char id[JIC_KEY_ID_TEXT + 1];
	if (maker->kind != JIC_BY_KEY || !jic_digest_parse(maker->who, &key)) {
		jic_buf_printf(out, "%s " JIC_PRIv, kind_name(maker->kind), JIC_ARGv(maker->who));
		return;
	}
	jic_key_id(&key, id);
	jic_buf_printf(out, "key %s", id);
}

static bool tell(const struct jic_admin *a, const struct jic_index_maker *maker, const struct jic_withdrawn *w,
                 bool done, struct jic_error *err)
{
	if (jic_options_has(a->options, "json")) {
		struct jic_json_writer json = {.out = a->out, .lossy = true};
		jic_json_open(&json, NULL, '{');
		jic_json_put_text(&json, "kind", jic_view_of(kind_name(maker->kind)));
		jic_json_put_text(&json, "who", maker->who);
		jic_json_put_u64(&json, "artefacts", w->artefacts);
		jic_json_put_u64(&json, "dependents", w->dependents);
		jic_json_put_bool(&json, "done", done);
		jic_json_close(&json, '}');
		jic_buf_putc(a->out, '\n');
		return jic_json_finish(&json, err);
	}
	put_who(maker, a->out);
	jic_buf_printf(a->out, ": %llu artefacts and %llu that were built on them %s\n",
	               (unsigned long long)w->artefacts, (unsigned long long)w->dependents,
	               done ? "were recalled" : "would be recalled; --yes does it");
	return true;
}

static bool undo(const struct jic_admin *a, struct jic_store *store, const struct jic_index_maker *maker,
                 struct jic_error *err)
{
	if (!jic_store_unrecall(store, maker, err))
		return false;
	put_who(maker, a->out);
	jic_buf_puts(a->out, ": may publish again, and so may anybody what was recalled\n");
	return true;
}

bool jic_cmd_recall(const struct jic_admin *a, struct jic_error *err)
{
	const char *by = jic_admin_required(a, "by", err);
	const bool yes = jic_options_has(a->options, "yes");
	struct jic_index_maker maker;
	struct jic_withdrawn withdrawn;
	JIC_AUTO(jic_store) struct jic_store *store = by ? jic_admin_open(a, false, err) : NULL;
	if (!store || !jic_store_maker(store, jic_view_of(by), a->arena, &maker, err))
		return false;
	if (jic_options_has(a->options, "undo"))
		return undo(a, store, &maker, err);
	return jic_store_recall(store, &maker, !yes, &withdrawn, err) && tell(a, &maker, &withdrawn, yes, err);
}
