/*
 * The digests proved that the bytes are those of the record. Here the bytes prove that the record told the truth: rule
 * 3 does not trust the server. What Julia would reject must not be placed, since it would only take one of its places.
 */
#include "client/lib/remote/verify.h"

#include "client/lib/julia/targets.h"
#include "client/lib/remote/endorse.h"
#include "common/ji_flags.h"

static bool check_prefix(const struct jic_facts *f, const struct jic_ji *ji, struct jic_error *err)
{
	if (jic_view_eq(ji->version_text, f->version_text) && jic_view_eq(ji->branch, f->branch) &&
	    jic_view_eq(ji->commit, f->commit) && jic_view_eq(ji->uname, f->uname) && jic_view_eq(ji->arch, f->arch) &&
	    ji->pointer_bytes * 8u == f->word_bits)
		return true;
	return jic_fail(err, JIC_EPROTOCOL, "it was made by another Julia (" JIC_PRIv " on " JIC_PRIv ")",
	                JIC_ARGv(ji->version_text), JIC_ARGv(ji->arch));
}

static bool check_identity(const struct jic_node *n, const struct jic_msg_record *r, const struct jic_ji *ji,
                           struct jic_error *err)
{
	if (ji->modules_count == 0 || !jic_view_eq(ji->modules[0].name, n->inputs.name) ||
	    !jic_uuid_eq(ji->modules[0].uuid, n->inputs.uuid))
		return jic_fail(err, JIC_EPROTOCOL, "it is the cache of another package");
	if (!jic_build_id_eq(jic_ji_build_id(ji), r->build_id))
		return jic_fail(err, JIC_EPROTOCOL, "its build id is not the one in the record");
	if ((ji->clone_targets.len != 0) != r->has_image)
		return jic_fail(err, JIC_EPROTOCOL, "record and header disagree about an image");
	return true;
}

static bool check_flags(const struct jic_runtime *runtime, const struct jic_ji *ji, struct jic_error *err)
{
	char flags[64];
	if (jic_ji_flags_serve(ji->version, runtime->flags, ji->flags))
		return true;
	jic_runtime_flags_text(ji->version, ji->flags, flags);
	return jic_fail(err, JIC_EPROTOCOL, "it was compiled with other flags (%s)", flags);
}

/* What the address says of the processor is words; what the image needs is in its header. */
static bool check_targets(const struct jic_facts *f, const struct jic_ji *ji, struct jic_error *err)
{
	return jic_targets_usable(ji->clone_targets, f) ||
	       jic_fail(err, JIC_ECONFLICT, "its native code needs features that this processor lacks");
}

static bool is_bundled(const struct jic_facts *f, const struct jic_ji_module *m)
{
	for (size_t i = 0; i < f->bundled_count; i++)
		if (jic_uuid_eq(f->bundled[i].cache.uuid, m->uuid) &&
		    jic_build_id_eq(f->bundled[i].cache.build_id, m->build_id))
			return true;
	return false;
}

static bool is_required_record(const struct jic_offer *offer, const struct jic_msg_record *r,
                               const struct jic_ji_module *m)
{
	for (size_t i = 0; i < r->requires_count; i++) {
		const struct jic_msg_record *other = &offer->records[r->requires_[i]];
		if (jic_uuid_eq(other->uuid, m->uuid) && jic_build_id_eq(other->build_id, m->build_id))
			return true;
	}
	return false;
}

static bool check_requirement(const struct jic_session *s, const struct jic_offer *offer,
                              const struct jic_msg_record *r, const struct jic_ji_module *m, struct jic_error *err)
{
	const struct jic_ji_module *own = jic_facts_sysimage_module(&s->facts, m->name, m->uuid);
	if (own && jic_build_id_eq(own->build_id, m->build_id))
		return true;
	if (is_bundled(&s->facts, m) || is_required_record(offer, r, m))
		return true;
	return jic_fail(err, JIC_EPROTOCOL, "it requires a build of " JIC_PRIv " that is not in the set",
	                JIC_ARGv(m->name));
}

/* What was signed is what the file says. Without trusted keys a signature is nobody's business. */
static bool check_signature(const struct jic_session *s, const struct jic_offer *offer, const struct jic_msg_record *r,
                            const struct jic_ji *ji, struct jic_error *err)
{
	struct jic_digest found;
	if (!s->trust.count)
		return true;
	return jic_endorse_requires(&s->facts, offer->runtime, ji, &found, err) &&
	       (jic_digest_eq(&found, &r->signature.requires_) ||
	        jic_fail(err, JIC_EPROTOCOL, "what it requires is not what was signed"));
}

bool jic_verify_arrived(const struct jic_session *s, const struct jic_offer *offer, uint32_t record,
                        const struct jic_ji *ji, struct jic_view image, uint32_t image_crc32c, struct jic_error *err)
{
	const struct jic_msg_record *r = &offer->records[record];
	const struct jic_node *n = &s->graph.nodes[offer->node_of[record]];
	if (!check_prefix(&s->facts, ji, err) || !check_identity(n, r, ji, err) ||
	    !check_flags(offer->runtime, ji, err) || !check_targets(&s->facts, ji, err) || !jic_ji_verify(ji, err))
		return false;
	if (!check_signature(s, offer, r, ji, err))
		return false;
	if (r->has_image && !jic_ji_verify_image(ji, image, &image_crc32c, err))
		return false;
	for (size_t i = 0; i < ji->required_count; i++)
		if (!check_requirement(s, offer, r, &ji->required[i], err))
			return false;
	return true;
}
