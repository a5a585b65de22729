/**
 * Where the server is and who we are: flag over environment variable over configuration file over default.
 * The file is $XDG_CONFIG_HOME/jicache/config.toml, else ~/.config/jicache/config.toml.
 */
#ifndef JIC_CLIENT_SETTINGS_H
#define JIC_CLIENT_SETTINGS_H

#include "client/lib/session/ci_token.h"
#include "common/arena.h"
#include "common/ed25519.h"
#include "common/message.h"

#include <jicache/error.h>
#include <jicache/jicache.h>

#define JIC_URL_DEFAULT "http://127.0.0.1:8787"
/** In place of a token: have the CI system say who we are (ci_token.h). */
#define JIC_TOKEN_OIDC "oidc"

enum { JIC_TRUSTED_KEYS_MAX = JIC_MESSAGE_SIGNERS_MAX - 1 }; /**< the session's own key is one more */

struct jic_settings {
	const char *ca_file;            /**< who signs servers' certificates; "": the system's list */
	const char *client_certificate; /**< with those between it and its root; "": none is shown */
	const char *client_key;         /**< "": it is in the same file */
	const char *url;                /**< without a trailing slash */
	const char *token;              /**< "" when there is none, or when `ci_token` has it */
	struct jic_ci_token *ci_token;  /**< the CI system is asked for one; NULL: it is not */
	const char *lane;               /**< "" is the server's default */
	const char *signing_key;        /**< path of a PEM file, or its text; "" when there is none */
	const struct jic_public_key *trusted_keys;
	size_t trusted_keys_count;
	const char *memory_dir; /**< $XDG_CACHE_HOME/jicache or ~/.cache/jicache */
	const char *config;     /**< the file's path, whether it exists or not */
};

/** The server is told who we are, so it may let us write. */
static inline bool jic_settings_identify(const struct jic_settings *s)
{
	return *s->token || s->ci_token || *s->client_certificate;
}

/** @return false with JIC_EFORMAT (bad TOML, unknown key, wrong type, bad URL or lane), naming file and line or the
 * variable */
jic_must_check bool jic_settings_load(const struct jic_session_options *options, struct jic_arena *arena,
                                      struct jic_settings *out, struct jic_error *err);

#endif
