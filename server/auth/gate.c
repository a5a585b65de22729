/*
 * Identification by token. The time of a token's last use is written at most once a minute; which tokens were written
 * lately is remembered in a small table, because asking the index would see the old time until the write is through.
 */
#include "server/auth/gate.h"
#include "server/auth/token.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

enum { TOUCH_INTERVAL_S = 60, TOUCHED_SLOTS = 64 };

struct touched {
	struct jic_digest hash;
	uint64_t at_s;
};

struct jic_gate {
	pthread_mutex_t lock; /* guards touched */
	struct touched touched[TOUCHED_SLOTS];

	struct jic_gate_options options;
	atomic_bool require_token, anonymous_read; /* begin as the options say */
};

struct jic_gate *jic_gate_new(const struct jic_gate_options *options, struct jic_error *err)
{
	struct jic_gate *g = calloc(1, sizeof *g);
	if (!g) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	g->options = *options;
	jic_gate_set_readers(g, options->require_token, options->anonymous_read);
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void jic_gate_set_readers(struct jic_gate *g, bool require_token, bool anonymous_read)
{
	atomic_store(&g->require_token, require_token);
	atomic_store(&g->anonymous_read, anonymous_read);
}

void jic_gate_free(struct jic_gate *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* "Bearer" and a token68 (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1). */
static bool bearer_secret(struct jic_view authorization, struct jic_view *secret)
{
	const struct jic_view scheme = JIC_VIEW("bearer ");
	if (authorization.len <= scheme.len || strncasecmp(authorization.ptr, scheme.ptr, scheme.len) != 0)
		return false;
	*secret = jic_view_skip(authorization, scheme.len);
	while (secret->len > 0 && secret->ptr[0] == ' ')
		*secret = jic_view_skip(*secret, 1);
	while (secret->len > 0 && secret->ptr[secret->len - 1] == ' ')
		secret->len--;
	return true;
}

/* A slot belongs to a hash by its first byte: two busy tokens in one slot cost some writes more, nothing else. */
static bool touch_due(struct jic_gate *g, const struct jic_token *token, uint64_t now_s)
{
	if (now_s < token->last_used_s + TOUCH_INTERVAL_S)
		return false;
	struct touched *slot = &g->touched[token->hash.bytes[0] % TOUCHED_SLOTS];
	pthread_mutex_lock(&g->lock);
	bool due = !jic_digest_eq(&slot->hash, &token->hash) || now_s >= slot->at_s + TOUCH_INTERVAL_S;
	if (due)
		*slot = (struct touched){.hash = token->hash, .at_s = now_s};
	pthread_mutex_unlock(&g->lock);
	return due;
}

/* The index searched by comparing digests of secrets; these constant-time comparisons decide. */
static bool secret_is_of(const struct jic_token *t, const struct jic_digest *hash, uint64_t now_s)
{
	return jic_digest_eq(hash, &t->hash) ||
	       (t->has_old && now_s < t->old_until_s && jic_digest_eq(hash, &t->old_hash));
}

static bool identify_token(struct jic_gate *g, struct jic_view secret, uint64_t now_s, struct jic_arena *arena,
                           struct jic_caller *out, struct jic_error *err)
{
	struct jic_digest hash;
	struct jic_token token;
	struct jic_error why = {0};
	if (!jic_token_secret_hash(secret, &hash))
		return jic_fail(err, JIC_EDENIED, "Authorization must be \"Bearer jic_…\"");
	bool found = g->options.index->ops->token_find_by_hash(g->options.index, &hash, arena, &token, &why);
	if (!found && why.code != JIC_ENOTFOUND) {
		if (err)
			*err = why;
		return false;
	}
	if (!found || !secret_is_of(&token, &hash, now_s))
		return jic_fail(err, JIC_EDENIED, "the token is unknown or was revoked");
	if (jic_token_expired(&token, now_s))
		return jic_fail(err, JIC_EDENIED, "the token \"" JIC_PRIv "\" has expired", JIC_ARGv(token.name));
	*out = (struct jic_caller){.id = {.kind = JIC_IDENTITY_TOKEN,
	                                  .name = token.name,
	                                  .lanes = token.lanes,
	                                  .scopes = token.scopes,
	                                  .lane_parent = token.lane_parent},
	                           .hash = hash,
	                           .touch_due = touch_due(g, &token, now_s)};
	return true;
}

static bool identify_bearer(struct jic_gate *g, struct jic_view authorization, uint64_t now_s, struct jic_arena *arena,
                            struct jic_caller *out, struct jic_error *err)
{
	struct jic_view secret;
	if (!bearer_secret(authorization, &secret))
		return jic_fail(err, JIC_EDENIED, "Authorization must be \"Bearer jic_…\"");
	if (!g->options.oidc || !jic_jwt_looks_like(secret))
		return identify_token(g, secret, now_s, arena, out, err);
	*out = (struct jic_caller){0};
	return jic_oidc_identify(g->options.oidc, secret, now_s, arena, &out->id, err);
}

bool jic_gate_identify(struct jic_gate *g, const struct jic_credentials *c, uint64_t now_s, struct jic_arena *arena,
                       struct jic_caller *out, struct jic_error *err)
{
	if (c->authorization.len > 0)
		return identify_bearer(g, c->authorization, now_s, arena, out, err);
	if (c->certificate) {
		*out = (struct jic_caller){.id = *c->certificate};
		return true;
	}
	bool may_read = atomic_load(&g->anonymous_read) || (c->local && !atomic_load(&g->require_token));
	*out = (struct jic_caller){.id.scopes = may_read ? JIC_SCOPE_READ : 0};
	return true;
}

bool jic_gate_touch(struct jic_gate *g, const struct jic_digest *hash, uint64_t now_s, struct jic_error *err)
{
	return g->options.index->ops->token_touch(g->options.index, hash, now_s, err);
}

bool jic_identity_may_lane(const struct jic_identity *i, enum jic_scope scope, struct jic_view lane)
{
	return jic_identity_may(i, scope) && (i->kind == JIC_IDENTITY_NONE || jic_lane_patterns_match(i->lanes, lane));
}

bool jic_peer_is_local(const struct sockaddr *peer)
{
	if (peer->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, peer, sizeof v4);
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (peer->sa_family != AF_INET6)
		return false;
	struct sockaddr_in6 v6;
	memcpy(&v6, peer, sizeof v6);
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
}
