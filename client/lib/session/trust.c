/*
 * A record is judged before anything of it is downloaded: key, signature over the canonical statement, then what it
 * requires. That the bytes are those of the statement is verified when they have arrived (verify.c).
 */
#include "client/lib/session/trust.h"

#include "common/file.h"

/* ---- keys */

static bool is_pem(const char *text)
{
	while (*text == ' ' || *text == '\n' || *text == '\t' || *text == '\r')
		text++;
	return strncmp(text, "-----BEGIN", 10) == 0;
}

static bool read_signing_key(const char *setting, struct jic_trust *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	const bool pem = is_pem(setting);
	if (pem)
		jic_buf_puts(&text, setting);
	else if (!jic_file_read(setting, JIC_SIGNING_KEY_BYTES_MAX, &text, err))
		return jic_wrap(err, "signing key");
	out->signing_key = jic_buf_ok(&text, err) ? jic_signing_key_read(jic_buf_view(&text), err) : NULL;
	if (text.ptr)
		explicit_bzero(text.ptr, text.len);
	return out->signing_key || jic_wrap(err, "%s", pem ? "JICACHE_SIGNING_KEY" : setting);
}

static void add(struct jic_public_key *keys, struct jic_trust *out, const struct jic_public_key *key)
{
	out->signers[out->count] = key->key;
	keys[out->count++] = *key;
}

bool jic_trust_load(const struct jic_settings *settings, struct jic_arena *arena, struct jic_trust *out,
                    struct jic_error *err)
{
	*out = (struct jic_trust){0};
	struct jic_public_key *keys = jic_arena_array(arena, settings->trusted_keys_count + 1, sizeof *keys);
	out->signers = jic_arena_array(arena, settings->trusted_keys_count + 1, sizeof *out->signers);
	if (!keys || !out->signers)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (*settings->signing_key && !read_signing_key(settings->signing_key, out, err))
		return false;
	for (size_t i = 0; i < settings->trusted_keys_count; i++)
		add(keys, out, &settings->trusted_keys[i]);
	out->keys = keys;
	if (!out->signing_key)
		return true;
	const struct jic_public_key own = {.name = JIC_VIEW("own"), .key = *jic_signing_key_public(out->signing_key)};
	if (!out->count || !jic_trust_has(out, &own.key))
		add(keys, out, &own);
	return true;
}

void jic_trust_clear(struct jic_trust *t)
{
	jic_signing_key_free(t->signing_key);
	*t = (struct jic_trust){0};
}

bool jic_trust_has(const struct jic_trust *t, const struct jic_digest *key)
{
	for (size_t i = 0; i < t->count; i++)
		if (jic_digest_eq(&t->signers[i], key))
			return true;
	return t->count == 0;
}

struct jic_view jic_trust_signer(const struct jic_trust *t, const struct jic_msg_record *record,
                                 struct jic_arena *arena)
{
	char id[JIC_KEY_ID_TEXT + 1];
	for (size_t i = 0; record->has_signature && i < t->count; i++) {
		if (!jic_digest_eq(&t->signers[i], &record->signature.key))
			continue;
		jic_key_id(&t->signers[i], id);
		return jic_arena_printf(arena, JIC_PRIv " (%s)", JIC_ARGv(t->keys[i].name), id);
	}
	return JIC_VIEW("");
}

/* ---- records */

static bool refuse_signer(const struct jic_digest *key, struct jic_error *err)
{
	char id[JIC_KEY_ID_TEXT + 1];
	jic_key_id(key, id);
	return jic_fail(err, JIC_EDENIED, "it is signed by the key %s, which is not among trusted_keys", id);
}

bool jic_trust_accepts(const struct jic_trust *t, const struct jic_statement_place *at,
                       const struct jic_msg_record *record, struct jic_error *err)
{
	if (!t->count)
		return true;
	if (record->has_signature && !jic_trust_has(t, &record->signature.key))
		return refuse_signer(&record->signature.key, err);
	return jic_statement_verify(at, record, err);
}

struct filter {
	const struct jic_trust *trust;
	const struct jic_digest *sysimage;
	struct jic_arena *arena;
	struct jic_distrusted *out;
	size_t count;
};

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

static void distrust(struct filter *f, const struct jic_digest *key, struct jic_view reason)
{
	f->out[f->count++] = (struct jic_distrusted){.key = *key, .reason = jic_arena_copy(f->arena, reason)};
}

enum { GONE = UINT32_MAX };

/* Requirements come before what requires them, so one pass settles everything. @param positions where each record is
 * now, or GONE @return false with JIC_EPROTOCOL */
static bool keep_requirements(struct filter *f, const struct jic_msg_set *set, size_t index, const uint32_t *positions,
                              struct jic_msg_record *record, bool *keep, struct jic_error *err)
{
	const struct jic_msg_record *was = &set->records[index];
	uint32_t *requires_ = jic_arena_array(f->arena, was->requires_count + 1, sizeof *requires_);
	if (!requires_)
		return out_of_memory(err);
	for (size_t i = 0; *keep && i < was->requires_count; i++) {
		if (was->requires_[i] >= index)
			return jic_fail(err, JIC_EPROTOCOL, "server's answer to resolve is not in order");
		requires_[i] = positions[was->requires_[i]];
		if (requires_[i] != GONE)
			continue;
		*keep = false;
		distrust(f, &was->key,
		         jic_arena_printf(f->arena, "it stands on " JIC_PRIv ", which is not accepted",
		                          JIC_ARGv(jic_view_head(set->records[was->requires_[i]].name, 120))));
	}
	record->requires_ = requires_;
	return true;
}

static bool filter_set(struct filter *f, struct jic_msg_set *set, struct jic_error *err)
{
	const struct jic_statement_place at = {.runtime = set->runtime, .sysimage = *f->sysimage};
	struct jic_msg_record *kept = jic_arena_array(f->arena, set->records_count + 1, sizeof *kept);
	uint32_t *positions = jic_arena_array(f->arena, set->records_count + 1, sizeof *positions);
	size_t count = 0;
	if (!kept || !positions)
		return out_of_memory(err);
	for (size_t i = 0; i < set->records_count; i++) {
		struct jic_error why = {0};
		bool keep = jic_trust_accepts(f->trust, &at, &set->records[i], &why);
		kept[count] = set->records[i];
		if (!keep)
			distrust(f, &set->records[i].key, jic_view_of(why.text));
		else if (!keep_requirements(f, set, i, positions, &kept[count], &keep, err))
			return false;
		positions[i] = keep ? (uint32_t)count++ : GONE;
	}
	set->records = kept;
	set->records_count = count;
	return !f->arena->failed || out_of_memory(err);
}

static void note_left_out(struct filter *f, const struct jic_msg_untrusted *u)
{
	struct jic_error why = {.text = "it is not signed"};
	if (u->is_signed)
		(void)refuse_signer(&u->signer, &why);
	distrust(f, &u->key, jic_view_of(why.text));
}

bool jic_trust_filter(const struct jic_trust *t, const struct jic_digest *sysimage, struct jic_arena *arena,
                      struct jic_msg_resolved *resolved, const struct jic_distrusted **out, size_t *count,
                      struct jic_error *err)
{
	struct filter f = {.trust = t, .sysimage = sysimage, .arena = arena};
	size_t total = resolved->untrusted_count;
	*out = NULL;
	*count = 0;
	if (!t->count)
		return true;
	for (size_t i = 0; i < resolved->sets_count; i++)
		total += resolved->sets[i].records_count;
	struct jic_msg_set *sets = jic_arena_array(arena, resolved->sets_count + 1, sizeof *sets);
	f.out = jic_arena_array(arena, total + 1, sizeof *f.out);
	if (!sets || !f.out)
		return out_of_memory(err);
	for (size_t i = 0; i < resolved->sets_count; i++) {
		sets[i] = resolved->sets[i];
		if (!filter_set(&f, &sets[i], err))
			return false;
	}
	for (size_t i = 0; i < resolved->untrusted_count; i++)
		note_left_out(&f, &resolved->untrusted[i]);
	resolved->sets = sets;
	*out = f.out;
	*count = f.count;
	return !arena->failed || out_of_memory(err);
}
