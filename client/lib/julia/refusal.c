#include "client/lib/julia/refusal.h"

const char *jic_refusal_words(enum jic_refusal r)
{
	static const char *const words[JIC_REFUSAL_COUNT] = {
	    [JIC_REFUSAL_NONE] = "",
	    [JIC_REFUSAL_UNREADABLE] = "unreadable",
	    [JIC_REFUSAL_HEADER] = "incompatible header",
	    [JIC_REFUSAL_FLAGS] = "mismatched flags",
	    [JIC_REFUSAL_NO_IMAGES] = "requires pkgimages",
	    [JIC_REFUSAL_TARGET] = "target mismatch",
	    [JIC_REFUSAL_IMAGE_MISSING] = "missing ocachefile",
	    [JIC_REFUSAL_PACKAGE] = "for different pkgid",
	    [JIC_REFUSAL_SYSIMAGE] = "wrong julia version",
	    [JIC_REFUSAL_LOADED] = "already loaded and incompatible",
	    [JIC_REFUSAL_DEP_SOURCE] = "dep missing source",
	    [JIC_REFUSAL_DEP_BUILD] = "wrong dep buildid",
	    [JIC_REFUSAL_SOURCE] = "wrong source",
	    [JIC_REFUSAL_DEP_UUID] = "dep uuid changed",
	    [JIC_REFUSAL_DEPOT] = "nonresolveable depot",
	    [JIC_REFUSAL_SOURCE_MISSING] = "missing sourcefile",
	    [JIC_REFUSAL_MTIME] = "include_dependency mtime change",
	    [JIC_REFUSAL_SIZE] = "include_dependency fsize change",
	    [JIC_REFUSAL_HASH] = "include_dependency fhash change",
	    [JIC_REFUSAL_CHECKSUM] = "invalid checksum",
	    [JIC_REFUSAL_IMAGE_CHECKSUM] = "ocachefile invalid checksum",
	    [JIC_REFUSAL_PREFERENCES] = "preferences hash mismatch",
	};
	return words[r];
}
