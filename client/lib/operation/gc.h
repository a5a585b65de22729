/**
 * Which cache files nobody can use any more, and in which order they may go. The decision is pure (files, what is kept,
 * limits); finding out what is kept is gc.c's, removing gc_remove.h's.
 */
#ifndef JIC_CLIENT_GC_H
#define JIC_CLIENT_GC_H

#include "client/lib/depot/caches.h"

/** Why a file stays, the first that applies; or why it goes. */
enum jic_gc_fate {
	JIC_GC_UNDECIDED,
	/* stays */
	JIC_GC_NOT_OURS, /**< Julia's own, and those were not asked for */
	JIC_GC_FOREIGN,  /**< of another user, or of a layout that we don't know */
	JIC_GC_IN_USE,   /**< a running process has it open or mapped */
	JIC_GC_FITS,     /**< a known environment can use it */
	JIC_GC_OLDER,    /**< it lay there before environments were remembered, which is not long ago */
	JIC_GC_RECENT,   /**< used within `older_than_s` */
	JIC_GC_NEEDED,   /**< a file that stays was compiled against it */
	/* goes */
	JIC_GC_GOES,                 /**< first of those that go */
	JIC_GC_BROKEN = JIC_GC_GOES, /**< no environment will ever load it */
	JIC_GC_LEFTOVER,
	JIC_GC_UNUSABLE,   /**< by any known environment */
	JIC_GC_OVER_LIMIT, /**< usable, but least recently used beyond `bytes_max` */
	JIC_GC_DEPENDENT,  /**< was compiled against one of the latter */
};
const char *jic_gc_fate_words(enum jic_gc_fate fate);

struct jic_gc_limits {
	uint64_t older_than_s; /**< only what was not used for so long goes */
	uint64_t bytes_max;    /**< 0: no limit; else usable files go, too, least recently used first */
	bool julia;            /**< Julia's own files may go as well */
	uid_t owner;           /**< only files of this user go */
	int64_t now_s;
};

/** One file under judgement. The caller sets all but `fate`. */
struct jic_gc_file {
	const struct jic_cache *cache;
	bool in_use;
	bool fits;   /**< some known environment can use it, or remembers it */
	bool before; /**< it may be of an environment that nobody has told us of yet */
	enum jic_gc_fate fate;
};

/** Decide every fate. @return false with JIC_EMEMORY */
jic_must_check bool jic_gc_decide(struct jic_gc_file *files, size_t count, const struct jic_gc_limits *limits,
                                  struct jic_error *err);

/** Those that go, dependents before what they were compiled against. @param[out] order room for `count` indices */
size_t jic_gc_order(const struct jic_gc_file *files, size_t count, size_t *order);

#endif
