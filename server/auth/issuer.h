/**
 * OIDC issuers that the configuration trusts, and what the claims of their tokens stand for. In the file:
 *
 *     [[oidc]]
 *     name = "github"
 *     issuer = "https://token.actions.githubusercontent.com"
 *     audience = "https://jicache.example.org"
 *
 *     [[oidc.rules]]
 *     match = { repository = "acme/widgets", ref = "refs/pull/{pr}/merge" }
 *     can = "read,write"
 *     lanes = "pr/{pr}"
 *     lane_parent = "main"
 *
 * The first rule whose claims all match counts (claim.h has the patterns). docs/access.md explains every key. Constant
 * once read, callable from any thread.
 */
#ifndef JIC_SERVER_AUTH_ISSUER_H
#define JIC_SERVER_AUTH_ISSUER_H

#include "server/auth/claim.h"
#include "server/auth/grant.h"
#include "server/auth/identity.h"
#include "server/auth/jwt.h"

enum {
	JIC_ISSUERS_MAX = 16,
	JIC_ISSUER_RULES_MAX = 256,
	JIC_ISSUER_CLAIMS_MAX = 16, /**< that one rule looks at */
	JIC_ISSUER_NAME_BYTES_MAX = 64,
};

struct jic_claim_rule {
	struct {
		struct jic_view name, pattern;
	} claims[JIC_ISSUER_CLAIMS_MAX];
	size_t claims_count;
	struct jic_grant grant; /**< `lanes` may name captures */
};

struct jic_issuer {
	struct jic_view name; /**< of the entry, begins the names of identities */
	struct jic_view url;  /**< what tokens have as `iss`, letter by letter; NUL-terminated */
	struct jic_view audience;
	bool algorithms[JIC_JWS_COUNT]; /**< accepted */
	bool loopback_http;             /**< keys may come by plain HTTP from this machine: for tests */
	struct jic_view ca_file;        /**< empty: the system's authorities; NUL-terminated */
	uint64_t keys_lifetime_s;       /**< after which keys are fetched again */
	uint64_t keys_interval_s;       /**< least time between two fetches */
	const struct jic_claim_rule *rules;
	size_t rules_count;
};

struct jic_issuers;
/** @param file  the configuration in TOML; NULL: there are none. Everything else in it is ignored.
 *  @return NULL with JIC_EFORMAT or JIC_EUSAGE, naming file and line, JIC_EIO or JIC_EMEMORY */
struct jic_issuers *jic_issuers_load(const char *file, struct jic_error *err);
void jic_issuers_free(struct jic_issuers *s);
JIC_DEFINE_AUTO(jic_issuers, jic_issuers_free)

size_t jic_issuers_count(const struct jic_issuers *s);
const struct jic_issuer *jic_issuers_get(const struct jic_issuers *s, size_t i); /**< borrowed */

/** A URL that keys may be fetched from: https, or plain http from a loopback address where that is allowed. */
bool jic_issuer_url_allowed(const struct jic_issuer *issuer, struct jic_view url);

/**
 * What the claims of a token stand for, whose signature, issuer, audience and times were checked.
 * @param[out] out views are in the arena
 * @return false with JIC_EDENIED: no rule matches
 */
jic_must_check bool jic_issuer_identify(const struct jic_issuer *issuer, const struct jic_jwt *token,
                                        struct jic_arena *arena, struct jic_identity *out, struct jic_error *err);

#endif
