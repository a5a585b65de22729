/**
 * What a system image has is what the first publish said, so that all artefacts of a lane are judged by the same. Each
 * lane keeps its own word: a writer is bound by what its lane and those above have said, and by no other.
 */
#ifndef JIC_SERVER_STORE_DECLARATION_H
#define JIC_SERVER_STORE_DECLARATION_H

#include "server/store/select.h"

/** The word of the nearest of the lookup's lanes, from its last one up. @param[out] out `ptr` is NULL when none has
 * said anything */
jic_must_check bool jic_declaration_nearest(const struct jic_lookup *lookup, struct jic_view *out,
                                            struct jic_error *err);

enum jic_declared {
	JIC_DECLARED_NOTHING, /**< by none of the lanes */
	JIC_DECLARED_THIS,    /**< by all that have said anything */
	JIC_DECLARED_OTHER,   /**< by some */
};
/** Compare with what the lookup's lanes have said. @param modules in the packed form of pack.h */
jic_must_check bool jic_declaration_compare(const struct jic_lookup *lookup, struct jic_view modules,
                                            enum jic_declared *out, struct jic_error *err);

#endif
