/*
 * Who requires a module directly. An artefact's list names all that was loaded when it was compiled, so most of it is
 * below something else in it: rows for the rest alone are a few for each artefact instead of hundreds.
 *
 * The list is gone through from its end, where Julia names what it loaded last; what a module's own artefact requires
 * is marked and needs no row. In another order, or where the provider isn't stored yet, there are more rows than
 * needed; never too few, as only what is below a row is left out.
 */
#include "common/cursor.h"
#include "server/store/sqlite/internal.h"

struct entry {
	uint32_t module;
	bool below; /* something else in the list stands on it */
};

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	return (a->module > b->module) - (a->module < b->module);
}

static struct entry *find(struct entry *list, size_t count, uint32_t module)
{
	const struct entry wanted = {.module = module};
	return bsearch(&wanted, list, count, sizeof *list, compare_entries);
}

/* Marks what the provider of a module requires; nothing when there is none in the same lane: what the writer of another
 * lane says of a module with the same number must not decide here. */
static bool mark_below(struct jic_index_txn *t, const struct jic_requirer *who, uint32_t module, struct entry *list,
                       size_t count, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	uint32_t number;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_REQUIRES_OF_PROVIDER, &s, err))
		return false;
	jic_bind_u64(&s, module);
	jic_bind_u64(&s, who->lane);
	jic_bind_u64(&s, who->space);
	if (!jic_stmt_step(&s, &row, err))
		return false;
	struct jic_cursor c = jic_cursor_over(row ? jic_column_view(&s) : JIC_VIEW(""));
	while (jic_cursor_u32le(&c, &number)) {
		struct entry *e = find(list, count, number);
		if (e && number != module)
			e->below = true;
	}
	return true;
}

static bool put(struct jic_index_txn *t, uint32_t module, uint64_t artefact, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_REQUIRER_INSERT, &s, err))
		return false;
	jic_bind_u64(&s, module);
	jic_bind_u64(&s, artefact);
	return jic_stmt_run(&s, err);
}

bool jic_requirers_put(struct jic_index_txn *t, const struct jic_requirer *who, const uint32_t *modules, size_t count,
                       struct jic_error *err)
{
	jic_autofree struct entry *list = calloc(count + 1, sizeof *list);
	if (!list)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	for (size_t i = 0; i < count; i++)
		list[i].module = modules[i];
	if (count)
		qsort(list, count, sizeof *list, compare_entries);
	for (size_t i = count; i-- > 0;) {
		if (find(list, count, modules[i])->below)
			continue;
		if (!put(t, modules[i], who->artefact, err) || !mark_below(t, who, modules[i], list, count, err))
			return false;
	}
	return true;
}

bool jic_requirers_delete(struct jic_index_txn *t, uint64_t artefact, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_REQUIRER_DELETE, &s, err))
		return false;
	jic_bind_u64(&s, artefact);
	return jic_stmt_run(&s, err);
}

static bool append_requirers(struct jic_index_txn *t, uint64_t space, uint32_t module, struct jic_buf *out,
                             struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	bool row;
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_REQUIRERS_OF, &s, err))
		return false;
	jic_bind_u64(&s, module);
	jic_bind_u64(&s, space);
	while (jic_stmt_step(&s, &row, err)) {
		struct jic_index_place at = {.space = space};
		if (!row)
			return true;
		at.lane_id = jic_column_u64(&s);
		jic_column_digest(&s, &at.key);
		if (!jic_stmt_ok(&s, NULL, err))
			return false;
		jic_buf_put(out, &at, sizeof at);
	}
	return false;
}

static int compare_places(const void *pa, const void *pb)
{
	const struct jic_index_place *a = pa, *b = pb;
	int order = (a->lane_id > b->lane_id) - (a->lane_id < b->lane_id);
	return order ? order : jic_digest_cmp(&a->key, &b->key);
}

bool jic_sqlite_direct_requirers(struct jic_index_txn *t, uint64_t space, const uint32_t *modules, size_t count,
                                 struct jic_arena *arena, const struct jic_index_place **out, size_t *out_count,
                                 struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf places = {0};
	for (size_t i = 0; i < count; i++)
		if (!append_requirers(t, space, modules[i], &places, err))
			return false;
	if (!jic_buf_ok(&places, err))
		return false;
	const size_t total = places.len / sizeof(struct jic_index_place);
	struct jic_index_place *list = jic_arena_array(arena, total + 1, sizeof *list), *found = (void *)places.ptr;
	if (!list)
		return jic_fail(err, JIC_EMEMORY, "index: out of memory");
	if (total)
		qsort(found, total, sizeof *found, compare_places);
	*out_count = 0;
	for (size_t i = 0; i < total; i++)
		if (!i || compare_places(&found[i - 1], &found[i]))
			list[(*out_count)++] = found[i];
	*out = list;
	return true;
}
