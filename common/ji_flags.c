#include "common/ji_flags.h"

#include "common/address.h"

enum { LEVELS = 4, EXACT_WITH_DEBUG = 0x3f, EXACT_WITHOUT_DEBUG = 0x39 };

bool jic_ji_flags_taken(struct jic_julia_version version, uint8_t session, uint8_t file)
{
	if (!jic_julia_at_least(version, 1, 9, 0))
		return true;
	if (!jic_ji_flags_pkgimages(session) && !jic_ji_flags_pkgimages(file))
		return true;
	const bool debug_ordered = jic_julia_at_least(version, 1, 11, 2);
	const uint8_t exact = debug_ordered ? EXACT_WITHOUT_DEBUG : EXACT_WITH_DEBUG;
	return (session & exact) == (file & exact) && jic_ji_flags_opt(file) >= jic_ji_flags_opt(session) &&
	       (!debug_ordered || jic_ji_flags_debug(file) >= jic_ji_flags_debug(session));
}

bool jic_ji_flags_serve(struct jic_julia_version version, struct jic_view runtime_flags, uint8_t file)
{
	char text[64];
	/* Sessions that take this file differ from it in these two at most. */
	for (unsigned opt = 0; opt < LEVELS; opt++) {
		for (unsigned debug = 0; debug < LEVELS; debug++) {
			const uint8_t session = (uint8_t)((file & EXACT_WITHOUT_DEBUG) | debug << 1 | opt << 6);
			jic_runtime_flags_text(version, session, text);
			if (jic_view_is(runtime_flags, text))
				return jic_ji_flags_taken(version, session, file);
		}
	}
	return false;
}
