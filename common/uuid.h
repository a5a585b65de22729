/**
 * UUIDs as Julia keeps them: one 128-bit number, here in two halves.
 */
#ifndef JIC_COMMON_UUID_H
#define JIC_COMMON_UUID_H

#include "common/attr.h"
#include "common/view.h"

enum { JIC_UUID_TEXT = 36 };

struct jic_uuid {
	uint64_t hi, lo; /**< both 0: none */
};

static inline bool jic_uuid_is_nil(struct jic_uuid u)
{
	return u.hi == 0 && u.lo == 0;
}
static inline bool jic_uuid_eq(struct jic_uuid a, struct jic_uuid b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
static inline int jic_uuid_cmp(struct jic_uuid a, struct jic_uuid b)
{
	int hi = (a.hi > b.hi) - (a.hi < b.hi);
	return hi ? hi : (a.lo > b.lo) - (a.lo < b.lo);
}

/** The 8-4-4-4-12 form, digits of either case as Julia's UUID(string) takes them; false for anything else. */
jic_must_check bool jic_uuid_parse(struct jic_view text, struct jic_uuid *out);
/** Lower case and a NUL. */
void jic_uuid_format(struct jic_uuid u, char text[JIC_UUID_TEXT + 1]);

#endif
