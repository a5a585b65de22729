/**
 * The first input in which an artefact made here would differ from one that is stored, in a user's words. Pure: texts
 * in, texts out. What differs below a node (its dependencies) is for the caller to walk: why.c.
 *
 * "Here" is this environment, "there" the stored artefact. Texts of there are foreign: any bytes, any length; what is
 * quoted of them is cut short.
 */
#ifndef JIC_CLIENT_DIFFERENCE_H
#define JIC_CLIENT_DIFFERENCE_H

#include "common/arena.h"
#include "common/message.h"

enum jic_difference_kind {
	JIC_DIFFERENCE_NONE,
	/* of the address: the same for all packages */
	JIC_DIFFERENCE_JULIA,
	JIC_DIFFERENCE_PLATFORM,
	JIC_DIFFERENCE_BUNDLED,
	JIC_DIFFERENCE_FLAGS,
	JIC_DIFFERENCE_CPU,
	JIC_DIFFERENCE_SYSIMAGE,
	/* of one package */
	JIC_DIFFERENCE_SOURCE,
	JIC_DIFFERENCE_BUILD,
	JIC_DIFFERENCE_PREFERENCE,
	JIC_DIFFERENCE_EXTENSIONS,
	JIC_DIFFERENCE_DEPENDENCIES,
	/* there is nothing to compare with, or nothing that differs */
	JIC_DIFFERENCE_NEVER,      /**< of this package nothing is stored */
	JIC_DIFFERENCE_SUPERSEDED, /**< it is stored, and not offered any more */
	JIC_DIFFERENCE_OTHER_SET,  /**< it is stored for another runtime that would do */
	JIC_DIFFERENCE_DISTRUSTED, /**< it is stored, and no trusted key signed it */
	JIC_DIFFERENCE_UNKNOWN,    /**< the server can't say */
};
/** "julia", "never-published", …: part of the report, so never changed. */
const char *jic_difference_kind_name(enum jic_difference_kind kind);

struct jic_difference {
	enum jic_difference_kind kind;
	/** The sentence around its subject: "preference `backend` of ", (FreeType), " is \"fast\" here, \"slow\" there"
	 */
	struct jic_view lead, rest;
	struct jic_view here, there; /**< the two values, short; may be empty */
	struct jic_view remedy;      /**< what would make it a hit */
};

/** The sentence about `subject`; where the difference is of the address there is no subject in it. In the arena. */
struct jic_view jic_difference_text(const struct jic_difference *d, struct jic_view subject, struct jic_arena *arena);

/** What an address begins with. */
struct jic_made_for {
	const struct jic_runtime *runtime; /**< `bundled` is not looked at */
	struct jic_digest bundled;         /**< jic_runtime_bundled_digest() */
	struct jic_digest sysimage;
};
/** @param[out] out NONE when both are the same. Out of memory shows in the arena. */
void jic_difference_of_address(const struct jic_made_for *here, const struct jic_made_for *there,
                               struct jic_arena *arena, struct jic_difference *out);

struct jic_made_of {
	const struct jic_node_inputs *inputs; /**< `deps` are not looked at */
	struct jic_view version;              /**< may be empty */
};
/** Of the same package: source, build, preferences, extensions, in this order. @param[out] out NONE: if there is a
 *  difference, then among the dependencies */
void jic_difference_of_inputs(const struct jic_made_of *here, const struct jic_made_of *there, struct jic_arena *arena,
                              struct jic_difference *out);

/** The first entry in which two canonical texts of preferences (schema/address.md) differ. */
struct jic_preference_difference {
	struct jic_view path;        /**< "backend", "nested.scale"; empty: a text that is not canonical */
	struct jic_view here, there; /**< values as the text has them; empty: not set */
};
/** @return false when there is no difference */
bool jic_preference_difference(struct jic_view here, struct jic_view there, struct jic_arena *arena,
                               struct jic_preference_difference *out);

/** At most `bytes` of a foreign text, without control characters, cut between characters and with "…" behind if cut. */
struct jic_view jic_shortened(struct jic_view text, size_t bytes, struct jic_arena *arena);

#endif
