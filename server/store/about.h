/**
 * One artefact with all that is known of it, for people: what it was made of and by whom, what it stands on and what
 * stands on it. Told also when it is hidden from the lane's readers.
 */
#ifndef JIC_SERVER_STORE_ABOUT_H
#define JIC_SERVER_STORE_ABOUT_H

#include "server/store/store.h"

enum { JIC_ABOUT_DEPENDENTS_MAX = 500 };

/** Another artefact that one has to do with. */
struct jic_about_other {
	struct jic_digest key;
	struct jic_view name, version; /**< empty: it is not in the lane any more */
};
struct jic_about {
	const struct jic_index_artefact *artefact;
	struct jic_index_origin origin;
	bool offered;                       /**< a reader of the lane gets it */
	const struct jic_about_other *deps; /**< direct dependencies */
	size_t deps_count;
	const struct jic_about_other *dependents; /**< that require it, directly or not: JIC_ABOUT_DEPENDENTS_MAX */
	size_t dependents_count;                  /**< of all of them */
};

/** @return false with JIC_ENOTFOUND for the lane, or when neither it nor those above hold the address */
jic_must_check bool jic_store_about(struct jic_store *s, struct jic_view lane, struct jic_view runtime,
                                    const struct jic_digest *sysimage, const struct jic_digest *key,
                                    struct jic_arena *arena, struct jic_about *out, struct jic_error *err);

#endif
