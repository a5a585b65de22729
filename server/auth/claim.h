/**
 * Patterns for claims, and the lanes that are made of what they capture.
 *
 * A pattern is matched part by part, parts being what slashes separate:
 *
 *     *        in a part: any run of characters; it never takes a slash
 *     {name}   a part of its own: one part that can stand in a lane's name, captured
 *     **       the last part: all that is left, at least one part
 *     {name…}  the last part, written with three dots: likewise, captured
 *
 * So "acme/" + "*" is a repository of acme, "refs/pull/{pr}/merge" captures 17 of refs/pull/17/merge, and a branch
 * named "x,main" can't be captured into a list of lanes.
 */
#ifndef JIC_SERVER_AUTH_CLAIM_H
#define JIC_SERVER_AUTH_CLAIM_H

#include "common/arena.h"

#include <jicache/error.h>

enum { JIC_CLAIM_PATTERN_BYTES_MAX = 512, JIC_CAPTURES_MAX = 16 };

struct jic_captures {
	struct {
		struct jic_view name, value; /**< borrowed from pattern and claim */
	} list[JIC_CAPTURES_MAX];
	size_t count;
};

/** @param[in,out] captures  the names of the pattern are added, with the value "x"
 *  @return false with JIC_EUSAGE: malformed, a name captured before, or too many */
jic_must_check bool jic_claim_pattern_check(struct jic_view pattern, struct jic_captures *captures,
                                            struct jic_error *err);
/** Whether its first part says something: no wildcard in it, no capture. */
bool jic_claim_pattern_begins_fixed(struct jic_view pattern);

/** @param pattern one that was checked
 *  @param[in,out] captures  what was captured is added; after a failure its content is of no use */
bool jic_claim_match(struct jic_view pattern, struct jic_view value, struct jic_captures *captures);

/** Put values in place of "{name}". @return false with JIC_EUSAGE for a name that nothing captures, JIC_EMEMORY */
jic_must_check bool jic_captures_expand(const struct jic_captures *captures, struct jic_view text,
                                        struct jic_arena *arena, struct jic_view *out, struct jic_error *err);

#endif
