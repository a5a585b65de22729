/**
 * Why a Julia would not take a cache file: the steps of base/loading.jl:stale_cachefile, each with the words that Julia
 * 1.12 itself collects (record_reason; 1.11 says "invalid header" for the first). Older versions have no such words,
 * but the same steps.
 */
#ifndef JIC_CLIENT_REFUSAL_H
#define JIC_CLIENT_REFUSAL_H

#include <stdbool.h>

enum jic_refusal {
	JIC_REFUSAL_NONE,
	JIC_REFUSAL_UNREADABLE,     /**< ours: truncated or no cache file; Julia may throw where it reads this */
	JIC_REFUSAL_HEADER,         /**< made by another Julia */
	JIC_REFUSAL_FLAGS,          /**< compiled with other options */
	JIC_REFUSAL_NO_IMAGES,      /**< has an image, and the session uses none */
	JIC_REFUSAL_TARGET,         /**< needs what this processor lacks */
	JIC_REFUSAL_IMAGE_MISSING,  /**< the image beside it is not there */
	JIC_REFUSAL_PACKAGE,        /**< is of another package */
	JIC_REFUSAL_SYSIMAGE,       /**< another Core: another system image */
	JIC_REFUSAL_LOADED,         /**< another build of what is loaded already, as part of the system image */
	JIC_REFUSAL_DEP_SOURCE,     /**< needs a package that this environment does not have */
	JIC_REFUSAL_DEP_BUILD,      /**< no acceptable file has the build of a dependency that it needs */
	JIC_REFUSAL_SOURCE,         /**< is of the same package somewhere else */
	JIC_REFUSAL_DEP_UUID,       /**< a name that it imports means another package now */
	JIC_REFUSAL_DEPOT,          /**< its sources are in no depot, or spread over several */
	JIC_REFUSAL_SOURCE_MISSING, /**< a file that it was compiled from is gone */
	JIC_REFUSAL_MTIME,          /**< a file has another time */
	JIC_REFUSAL_SIZE,           /**< another size */
	JIC_REFUSAL_HASH,           /**< other content */
	JIC_REFUSAL_CHECKSUM,       /**< the `.ji` is damaged */
	JIC_REFUSAL_IMAGE_CHECKSUM, /**< the image is damaged, or of another `.ji` */
	JIC_REFUSAL_PREFERENCES,    /**< compiled with other preferences */
	JIC_REFUSAL_COUNT
};

/** Julia's words, static storage; "" for JIC_REFUSAL_NONE. */
const char *jic_refusal_words(enum jic_refusal r);

/** Damage rather than age: no environment will ever load such a file. */
static inline bool jic_refusal_is_damage(enum jic_refusal r)
{
	return r == JIC_REFUSAL_UNREADABLE || r == JIC_REFUSAL_IMAGE_MISSING || r == JIC_REFUSAL_CHECKSUM ||
	       r == JIC_REFUSAL_IMAGE_CHECKSUM;
}

/** Set `*to` (may be NULL). */
static inline void jic_refuse(enum jic_refusal *to, enum jic_refusal r)
{
	if (to)
		*to = r;
}

#endif
