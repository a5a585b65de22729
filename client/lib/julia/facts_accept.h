/**
 * What this session's Julia takes, as far as its facts alone decide it: who made a file, with which flags, and what
 * comes with the installation.
 */
#ifndef JIC_CLIENT_FACTS_ACCEPT_H
#define JIC_CLIENT_FACTS_ACCEPT_H

#include "client/lib/julia/facts.h"
#include "common/ji.h"

/** Made by this very Julia: every field of the fixed prefix agrees (src/staticdata_utils.c:jl_read_verify_header). */
jic_must_check bool jic_facts_made(const struct jic_facts *f, const struct jic_ji *ji, struct jic_error *err);

/** src/staticdata_utils.c:jl_match_cache_flags with the session as what is requested. Always true before 1.9. */
bool jic_facts_accept_flags(const struct jic_facts *f, uint8_t flags);

/** Would the session load this cache of the installation: flags, images, processor? */
bool jic_facts_accept_bundled(const struct jic_facts *f, const struct jic_bundled_file *file);

/** Is this exact build of a module part of the system image, or of a cache that came with the installation and that the
 * session takes? */
bool jic_facts_provide(const struct jic_facts *f, const struct jic_ji_module *required);

/** Does a package come with the installation, in the system image or with a bundled cache, whichever build of it? */
bool jic_facts_installed(const struct jic_facts *f, struct jic_view name, struct jic_uuid uuid);

#endif
