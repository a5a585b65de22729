/* Nothing of a token is used before its signature was checked, but for which key that takes. */
#include "server/auth/oidc.h"

#include "server/auth/discovery.h"

bool jic_oidc_open(const char *file, const struct jic_log *log, struct jic_oidc *out, struct jic_error *err)
{
	*out = (struct jic_oidc){.issuers = jic_issuers_load(file, err)};
	if (!out->issuers)
		return false;
	const struct jic_keyring_options options = {.issuers = out->issuers, .log = log, .fetch = jic_discovery_fetch};
	out->keyring = jic_keyring_new(&options, err);
	return out->keyring != NULL;
}

void jic_oidc_close(struct jic_oidc *o)
{
	jic_keyring_free(o->keyring);
	jic_issuers_free(o->issuers);
	*o = (struct jic_oidc){0};
}

static bool find_issuer(const struct jic_issuers *s, struct jic_view url, size_t *out)
{
	for (*out = 0; *out < jic_issuers_count(s); ++*out)
		if (jic_view_eq(jic_issuers_get(s, *out)->url, url))
			return true;
	return false;
}

static bool is_for_us(const struct jic_jwt *token, const struct jic_issuer *issuer)
{
	for (size_t i = 0; i < token->audiences_count; i++)
		if (jic_view_eq(token->audiences[i], issuer->audience))
			return true;
	return false;
}

static bool check_times(const struct jic_jwt *token, uint64_t now_s, struct jic_error *err)
{
	if (now_s >= token->expires_s && now_s - token->expires_s >= JIC_OIDC_LEEWAY_S)
		return jic_fail(err, JIC_EDENIED, "the web token has expired");
	if (token->not_before_s > now_s && token->not_before_s - now_s > JIC_OIDC_LEEWAY_S)
		return jic_fail(err, JIC_EDENIED, "the web token is not valid yet (is a clock wrong?)");
	return true;
}

static bool judge(const struct jic_oidc *o, const struct jic_jwt *token, uint64_t now_s, struct jic_arena *arena,
                  struct jic_identity *out, struct jic_error *err)
{
	size_t at;
	if (!find_issuer(o->issuers, token->issuer, &at))
		return jic_fail(err, JIC_EDENIED, "the web token's issuer \"" JIC_PRIv "\" is not known here",
		                JIC_ARGv(jic_view_head(token->issuer, 200)));
	const struct jic_issuer *issuer = jic_issuers_get(o->issuers, at);
	if (!issuer->algorithms[token->algorithm])
		return jic_fail(err, JIC_EDENIED, "oidc \"" JIC_PRIv "\" does not accept the algorithm %s",
		                JIC_ARGv(issuer->name), jic_jws_algorithm_name(token->algorithm));
	if (!jic_keyring_verify(o->keyring, at, token, err))
		return false;
	if (!is_for_us(token, issuer))
		return jic_fail(err, JIC_EDENIED, "the web token is for another audience than \"" JIC_PRIv "\"",
		                JIC_ARGv(issuer->audience));
	return check_times(token, now_s, err) && jic_issuer_identify(issuer, token, arena, out, err);
}

bool jic_oidc_identify(const struct jic_oidc *o, struct jic_view token, uint64_t now_s, struct jic_arena *arena,
                       struct jic_identity *out, struct jic_error *err)
{
	struct jic_error why = {0};
	struct jic_jwt read;
	bool known = jic_jwt_read(token, arena, &read, &why) && judge(o, &read, now_s, arena, out, &why);
	jic_jwt_clear(&read);
	if (known)
		return true;
	const bool ours = why.code == JIC_EMEMORY || why.code == JIC_EBUSY;
	return jic_fail(err, ours ? why.code : JIC_EDENIED, "%s", why.text);
}
