/* header.payload.signature, each in base64url. */
#include "server/auth/jwt.h"

#include "common/base64url.h"

#include <strings.h>

static const char *const algorithm_names[JIC_JWS_COUNT] = {[JIC_JWS_RS256] = "RS256", [JIC_JWS_ES256] = "ES256"};

const char *jic_jws_algorithm_name(enum jic_jws_algorithm a)
{
	return algorithm_names[a];
}

bool jic_jws_algorithm_parse(struct jic_view name, enum jic_jws_algorithm *out)
{
	for (size_t i = 0; i < JIC_JWS_COUNT; i++) {
		if (jic_view_is(name, algorithm_names[i])) {
			*out = (enum jic_jws_algorithm)i;
			return true;
		}
	}
	return false;
}

bool jic_jwt_looks_like(struct jic_view token)
{
	/* '{"' in base64url, which every header begins with. */
	return jic_view_starts(token, JIC_VIEW("ey"));
}

void jic_jwt_clear(struct jic_jwt *j)
{
	jic_json_doc_clear(&j->payload);
}

/* ---- the header */

static bool check_type(struct jic_view type, struct jic_error *err)
{
	bool fits = type.len == 0 || (type.len == 3 && strncasecmp(type.ptr, "JWT", 3) == 0);
	return fits || jic_fail(err, JIC_EUNSUPPORTED, "typ is not JWT");
}

static bool take_header(const struct jic_json *header, struct jic_jwt *out, struct jic_error *err)
{
	struct jic_view algorithm, type;
	struct jic_json critical;
	if (!jic_json_get_text(header, "alg", JIC_JWT_KEY_ID_BYTES_MAX, &algorithm) ||
	    !jic_json_opt_text(header, "typ", JIC_JWT_KEY_ID_BYTES_MAX, &type) ||
	    !jic_json_get_text(header, "kid", JIC_JWT_KEY_ID_BYTES_MAX, &out->key_id) ||
	    !jic_json_list_optional(header, "crit", JIC_JWT_AUDIENCES_MAX, &critical))
		return false;
	if (critical.value)
		return jic_fail(err, JIC_EUNSUPPORTED, "extensions that must be understood (crit) are not");
	if (!jic_jws_algorithm_parse(algorithm, &out->algorithm))
		return jic_fail(err, JIC_EUNSUPPORTED, "the algorithm \"" JIC_PRIv "\" is not accepted",
		                JIC_ARGv(jic_view_head(algorithm, 32)));
	return check_type(type, err);
}

static bool read_header(struct jic_view text, struct jic_arena *arena, struct jic_jwt *out, struct jic_error *err)
{
	struct jic_json_doc doc;
	if (!jic_json_parse(text, JIC_JWT_BYTES_MAX, arena, &doc, err))
		return jic_wrap(err, "the web token's header");
	const struct jic_json root = jic_json_root(&doc);
	bool taken = take_header(&root, out, err);
	jic_json_doc_clear(&doc);
	return taken || jic_wrap(err, "the web token's header");
}

/* ---- the payload */

/* One text, or a list of them (RFC 7519 §4.1.3). */
static bool take_audiences(const struct jic_json *payload, struct jic_jwt *out)
{
	struct jic_json_doc quiet = *payload->doc;
	quiet.err = NULL;
	const struct jic_json place = {.doc = &quiet, .value = payload->value};
	if (jic_json_get_text(&place, "aud", JIC_JWT_CLAIM_BYTES_MAX, &out->audiences[0])) {
		out->audiences_count = 1;
		return true;
	}
	struct jic_json list;
	if (!jic_json_list(payload, "aud", JIC_JWT_AUDIENCES_MAX, &list))
		return false;
	for (size_t i = 0; i < jic_json_count(&list); i++) {
		const struct jic_json element = jic_json_element(&list, i);
		if (!jic_json_text(&element, JIC_JWT_CLAIM_BYTES_MAX, &out->audiences[i]))
			return false;
		out->audiences_count++;
	}
	return true;
}

static bool read_payload(struct jic_view text, struct jic_arena *arena, struct jic_jwt *out, struct jic_error *err)
{
	if (!jic_json_parse(text, JIC_JWT_BYTES_MAX, arena, &out->payload, err))
		return jic_wrap(err, "the web token's payload");
	const struct jic_json root = jic_json_root(&out->payload);
	bool taken = jic_json_get_text(&root, "iss", JIC_JWT_CLAIM_BYTES_MAX, &out->issuer) &&
	             jic_json_get_text(&root, "sub", JIC_JWT_CLAIM_BYTES_MAX, &out->subject) &&
	             jic_json_get_u64(&root, "exp", INT64_MAX, &out->expires_s) &&
	             jic_json_opt_u64(&root, "nbf", INT64_MAX, &out->not_before_s) && take_audiences(&root, out);
	/* The caller's error does not live as long as the document. */
	out->payload.err = NULL;
	return taken || jic_wrap(err, "the web token's payload");
}

bool jic_jwt_claim(const struct jic_jwt *j, const char *name, struct jic_view *out)
{
	const struct jic_json root = jic_json_root(&j->payload);
	bool truth;
	uint64_t number;
	if (jic_json_get_text(&root, name, JIC_JWT_CLAIM_BYTES_MAX, out))
		return true;
	if (jic_json_get_bool(&root, name, &truth)) {
		*out = truth ? JIC_VIEW("true") : JIC_VIEW("false");
		return true;
	}
	if (!jic_json_get_u64(&root, name, INT64_MAX, &number))
		return false;
	*out = jic_arena_printf(j->payload.arena, "%llu", (unsigned long long)number);
	return !j->payload.arena->failed;
}

/* ---- the whole */

static bool decode(struct jic_view part, struct jic_arena *arena, struct jic_view *out, struct jic_error *err)
{
	return (part.len > 0 && jic_base64url_decode(part, arena, out)) ||
	       jic_fail(err, JIC_EFORMAT, "the web token is not three parts of base64url");
}

/* The part up to the next dot, without which nothing is left. */
static struct jic_view next_part(struct jic_view *rest)
{
	const char *dot = rest->len ? memchr(rest->ptr, '.', rest->len) : NULL;
	const struct jic_view part = dot ? jic_view_head(*rest, (size_t)(dot - rest->ptr)) : *rest;
	*rest = dot ? jic_view_skip(*rest, part.len + 1) : (struct jic_view){0};
	return part;
}

bool jic_jwt_read(struct jic_view token, struct jic_arena *arena, struct jic_jwt *out, struct jic_error *err)
{
	struct jic_view rest = token, header, payload;
	*out = (struct jic_jwt){0};
	if (token.len > JIC_JWT_BYTES_MAX)
		return jic_fail(err, JIC_ELIMIT, "the web token has more than %d bytes", JIC_JWT_BYTES_MAX);
	const struct jic_view first = next_part(&rest), second = next_part(&rest);
	/* A fourth part is a dot in the third, which is no base64url. */
	if (!decode(first, arena, &header, err) || !decode(second, arena, &payload, err) ||
	    !decode(rest, arena, &out->signature, err))
		return false;
	out->signed_part = jic_view_head(token, first.len + 1 + second.len);
	return read_header(header, arena, out, err) && read_payload(payload, arena, out, err);
}
