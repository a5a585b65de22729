/**
 * Purge: withdraw a package, in all lanes, for all runtimes, with everything that was built on it. Works beside a
 * running server: only the index is changed, the bytes go with the sweep. Nothing is remembered: who compiles it
 * publishes it anew.
 */
#ifndef JIC_SERVER_STORE_PURGE_H
#define JIC_SERVER_STORE_PURGE_H

#include "server/store/store.h"
#include "server/store/withdraw.h"

struct jic_purge {
	struct jic_view package; /**< its name */
	struct jic_view version; /**< empty: all */
	bool dry_run;            /**< change nothing, and count what would go */
};

/** "PACKAGE" or "PACKAGE@VERSION"; views of `text`. JIC_EUSAGE */
jic_must_check bool jic_purge_parse(struct jic_view text, struct jic_purge *out, struct jic_error *err);
/** One transaction: readers see all of it or nothing. @return false with JIC_ENOTFOUND when there is no such package */
jic_must_check bool jic_store_purge(struct jic_store *s, const struct jic_purge *what, struct jic_withdrawn *out,
                                    struct jic_error *err);

#endif
