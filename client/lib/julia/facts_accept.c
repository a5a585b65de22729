#include "client/lib/julia/facts_accept.h"

#include "client/lib/julia/targets.h"
#include "common/ji_flags.h"

bool jic_facts_made(const struct jic_facts *f, const struct jic_ji *ji, struct jic_error *err)
{
	if (jic_view_eq(ji->version_text, f->version_text) && jic_view_eq(ji->commit, f->commit) &&
	    jic_view_eq(ji->branch, f->branch) && jic_view_eq(ji->uname, f->uname) && jic_view_eq(ji->arch, f->arch) &&
	    ji->pointer_bytes * 8u == f->word_bits && ji->pkgimage == 0)
		return true;
	return jic_fail(err, JIC_ECONFLICT, "it was made by another Julia (" JIC_PRIv " " JIC_PRIv ")",
	                JIC_ARGv(ji->version_text), JIC_ARGv(ji->commit));
}

bool jic_facts_accept_flags(const struct jic_facts *f, uint8_t file)
{
	/* With --pkgimages=existing an image is taken for its other flags, as if the session had images. */
	const bool as_image = f->existing_images && jic_ji_flags_pkgimages(file);
	return jic_ji_flags_taken(f->version, as_image ? f->flags | 1 : f->flags, file);
}

static bool same_module(const struct jic_ji_module *a, struct jic_view name, struct jic_uuid uuid,
                        struct jic_build_id id)
{
	return jic_build_id_eq(a->build_id, id) && jic_uuid_eq(a->uuid, uuid) && jic_view_eq(a->name, name);
}

bool jic_facts_provide(const struct jic_facts *f, const struct jic_ji_module *required)
{
	const struct jic_ji_module *m = jic_facts_sysimage_module(f, required->name, required->uuid);
	if (m)
		return jic_build_id_eq(m->build_id, required->build_id);
	for (size_t i = 0; i < f->bundled_count; i++) {
		const struct jic_bundled *b = &f->bundled[i].cache;
		if (same_module(required, b->name, b->uuid, b->build_id))
			return jic_facts_accept_bundled(f, &f->bundled[i]);
	}
	return false;
}

bool jic_facts_accept_bundled(const struct jic_facts *f, const struct jic_bundled_file *file)
{
	return jic_facts_accept_flags(f, file->flags) && (!file->clone_targets.len || jic_facts_loads_images(f)) &&
	       jic_targets_usable(file->clone_targets, f);
}

bool jic_facts_installed(const struct jic_facts *f, struct jic_view name, struct jic_uuid uuid)
{
	if (jic_facts_sysimage_module(f, name, uuid))
		return true;
	for (size_t i = 0; i < f->bundled_count; i++) {
		const struct jic_bundled *b = &f->bundled[i].cache;
		if (jic_uuid_eq(b->uuid, uuid) && jic_view_eq(b->name, name))
			return true;
	}
	return false;
}
