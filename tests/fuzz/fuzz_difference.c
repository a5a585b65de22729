/*
 * Foreign preferences beside ours: the first line is one text, the rest the other. Properties: equal texts do not
 * differ; the answer is the same from the other side; what is said to differ does.
 */
#include "client/lib/operation/difference.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_view all = jic_view_bytes(data, size);
	const char *end = size ? memchr(all.ptr, '\n', size) : NULL;
	struct jic_view a = end ? jic_view_head(all, (size_t)(end - all.ptr)) : all;
	struct jic_view b = jic_view_skip(all, a.len + 1);
	struct jic_preference_difference p, q;
	JIC_ASSERT(!jic_preference_difference(a, a, &arena, &p));
	bool differs = jic_preference_difference(a, b, &arena, &p);
	JIC_ASSERT(differs == !jic_view_eq(a, b));
	JIC_ASSERT(jic_preference_difference(b, a, &arena, &q) == differs);
	JIC_ASSERT(jic_view_eq(p.path, q.path) && jic_view_eq(p.here, q.there) && jic_view_eq(p.there, q.here));
	JIC_ASSERT(!p.path.len || !jic_view_eq(p.here, p.there));

	const struct jic_node_inputs mine = {
	    .name = b, .source = a, .preferences = b, .extensions = &a, .extensions_count = 1};
	const struct jic_node_inputs theirs = {
	    .name = b, .source = a, .preferences = a, .extensions = &b, .extensions_count = 1};
	const struct jic_made_of here = {&mine, a}, there = {&theirs, b};
	struct jic_difference d;
	jic_difference_of_inputs(&here, &there, &arena, &d);
	JIC_ASSERT((d.kind != JIC_DIFFERENCE_NONE) == differs);

	const struct jic_runtime r = {.version = b, .flags = a, .cpu = b}, s = {.version = b, .flags = b, .cpu = a};
	const struct jic_made_for for_here = {.runtime = &r}, for_there = {.runtime = &s};
	jic_difference_of_address(&for_here, &for_there, &arena, &d);
	JIC_ASSERT((d.kind != JIC_DIFFERENCE_NONE) == differs);
	return 0;
}
