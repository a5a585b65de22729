/**
 * The short names that Julia derives from a CRC-32C: of package directories and of cache files
 * (base/loading.jl:slug, version_slug, package_slug).
 */
#ifndef JIC_CLIENT_SLUG_H
#define JIC_CLIENT_SLUG_H

#include "common/attr.h"
#include "common/uuid.h"

enum { JIC_SLUG_CHARS_MAX = 8, JIC_TREE_HASH_BYTES = 20 };

/** `chars` base-62 digits of `x`, least significant first, and a NUL. @param chars at most JIC_SLUG_CHARS_MAX */
void jic_slug(uint32_t x, unsigned chars, char text[JIC_SLUG_CHARS_MAX + 1]);

/** Five characters: what the names of a package's cache files begin with. */
void jic_package_slug(struct jic_uuid uuid, char text[JIC_SLUG_CHARS_MAX + 1]);

/** The directory below packages/NAME/. @param chars 5, or 4 for what Pkg made before Julia 1.0 */
void jic_version_slug(struct jic_uuid uuid, const uint8_t tree_hash[JIC_TREE_HASH_BYTES], unsigned chars,
                      char text[JIC_SLUG_CHARS_MAX + 1]);

#endif
