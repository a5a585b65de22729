/* A walk over the lanes of a lookup. */
#include "server/store/declaration.h"

/* @param[out] out `ptr` is NULL when the lane has said nothing */
static bool find(const struct jic_lookup *lookup, size_t lane, struct jic_view *out, struct jic_error *err)
{
	struct jic_index_txn *t = lookup->txn;
	struct jic_error why;
	if (t->ops->declaration_find(t, lookup->lanes[lane].id, lookup->space, lookup->arena, out, &why))
		return true;
	*out = (struct jic_view){0};
	if (why.code == JIC_ENOTFOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

bool jic_declaration_nearest(const struct jic_lookup *lookup, struct jic_view *out, struct jic_error *err)
{
	*out = (struct jic_view){0};
	for (size_t i = lookup->lanes_count; i-- > 0 && !out->ptr;)
		if (!find(lookup, i, out, err))
			return false;
	return true;
}

bool jic_declaration_compare(const struct jic_lookup *lookup, struct jic_view modules, enum jic_declared *out,
                             struct jic_error *err)
{
	*out = JIC_DECLARED_NOTHING;
	for (size_t i = 0; i < lookup->lanes_count && *out != JIC_DECLARED_OTHER; i++) {
		struct jic_view said;
		if (!find(lookup, i, &said, err))
			return false;
		if (said.ptr)
			*out = jic_view_eq(said, modules) ? JIC_DECLARED_THIS : JIC_DECLARED_OTHER;
	}
	return true;
}
