/*
 * Counters that outlive the process.
 */
#include "server/store/sqlite/internal.h"

const char *jic_counter_name(enum jic_counter counter)
{
	static const char *const names[] = {
#define JIC_COUNTER(NAME, name, text) [JIC_COUNTER_##NAME] = (name),
#include "server/tables/counters.def"
#undef JIC_COUNTER
	};
	return names[counter];
}

bool jic_sqlite_counters_get(struct jic_index *ix, uint64_t out[JIC_COUNTER_COUNT], struct jic_error *err)
{
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, err);
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!t || !jic_stmt_use(jic_txn_connection(t), JIC_SQL_COUNTER_GET, &s, err))
		return false;
	for (size_t i = 0; i < JIC_COUNTER_COUNT; i++) {
		bool row;
		jic_stmt_again(&s);
		jic_bind_text(&s, jic_view_of(jic_counter_name((enum jic_counter)i)));
		if (!jic_stmt_step(&s, &row, err))
			return false;
		out[i] = row ? jic_column_u64(&s) : 0;
	}
	return true;
}

bool jic_sqlite_counter_add(struct jic_index_txn *t, enum jic_counter counter, uint64_t n, struct jic_error *err)
{
	JIC_CLEAR(jic_stmt) struct jic_stmt s = {0};
	if (!jic_stmt_use(jic_txn_connection(t), JIC_SQL_COUNTER_ADD, &s, err))
		return false;
	jic_bind_text(&s, jic_view_of(jic_counter_name(counter)));
	jic_bind_u64(&s, n);
	return jic_stmt_run(&s, err);
}
