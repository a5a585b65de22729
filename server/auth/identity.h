/**
 * Who is asking, however that was found out (a token, a JSON web token of a CI system, a TLS certificate), and what
 * they may do. Everything behind the gate looks at this and at nothing else.
 */
#ifndef JIC_SERVER_AUTH_IDENTITY_H
#define JIC_SERVER_AUTH_IDENTITY_H

#include "server/store/index.h"

enum jic_identity_kind {
	JIC_IDENTITY_NONE,        /**< nobody in particular: `name` is empty, all lanes are seen, nothing is written */
	JIC_IDENTITY_TOKEN,       /**< jicached token create */
	JIC_IDENTITY_JWT,         /**< an OIDC issuer's token, mapped by the configuration */
	JIC_IDENTITY_CERTIFICATE, /**< a client certificate, mapped by the configuration */
};

enum { JIC_IDENTITY_NAME_BYTES_MAX = 384 };

/** Views are borrowed from wherever the identity came from: the request's arena. */
struct jic_identity {
	enum jic_identity_kind kind;
	/**
	 * Of the writer in records, logs and limits, at most JIC_IDENTITY_NAME_BYTES_MAX bytes. A token's name has no
	 * colon; every other kind begins with where it comes from and a colon ("github:repo:org/app:ref:…", "cert:ci"),
	 * so that none can be taken for another.
	 */
	struct jic_view name;
	struct jic_view lanes; /**< patterns (token.h); ignored for JIC_IDENTITY_NONE */
	unsigned scopes;       /**< enum jic_scope, or'ed */
	/** Lanes that it may write and that don't exist are made on first use, below this one. Empty: they are not. */
	struct jic_view lane_parent;
};

static inline bool jic_identity_may(const struct jic_identity *i, enum jic_scope scope)
{
	return (i->scopes & (unsigned)scope) != 0;
}
bool jic_identity_may_lane(const struct jic_identity *i, enum jic_scope scope, struct jic_view lane);

#endif
