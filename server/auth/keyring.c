/* Times are of the monotonic clock, in seconds. A set of keys is never changed, only replaced. */
#include "server/auth/keyring.h"

#include "common/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct shelf {
	struct jic_jwk_set *keys; /* NULL: none were fetched yet */
	uint64_t fetched_s;       /* when `keys` were */
	uint64_t tried_s;         /* when the last fetch began */
	bool tried, wanted, busy; /* busy: a fetch is under way */
};

struct jic_keyring {
	pthread_mutex_t lock; /* guards `shelves` */
	pthread_cond_t changed;
	struct shelf shelves[JIC_ISSUERS_MAX];

	atomic_bool stop;
	struct jic_keyring_options options;
	pthread_t thread;
	bool started;
};

static uint64_t now_s(void)
{
	return jic_clock_ms() / 1000;
}

/* ---- the thread */

/* When the issuer is to be asked next, whatever happens. */
static uint64_t due_s(const struct shelf *s, const struct jic_issuer *issuer)
{
	if (!s->tried)
		return 0;
	const uint64_t again_s = s->tried_s + issuer->keys_interval_s;
	if (s->wanted || !s->keys)
		return again_s;
	const uint64_t stale_s = s->fetched_s + issuer->keys_lifetime_s;
	return stale_s > again_s ? stale_s : again_s;
}

static void put_keys(struct shelf *s, struct jic_jwk_set *keys)
{
	s->busy = false;
	if (keys) {
		jic_jwk_set_unref(s->keys);
		s->keys = keys;
		s->fetched_s = now_s();
	} else if (s->keys && now_s() - s->fetched_s > JIC_KEYS_STALE_MAX_S) {
		jic_jwk_set_unref(JIC_TAKE(s->keys));
	}
}

static void report(const struct jic_keyring *k, const struct jic_issuer *issuer, const struct jic_jwk_set *keys,
                   const struct jic_error *err)
{
	if (keys)
		jic_log_info(k->options.log, "oidc.keys", JIC_STRV("issuer", issuer->name),
		             JIC_U64("keys", jic_jwk_set_count(keys)));
	else
		jic_log_warn(k->options.log, "oidc.keys", JIC_STRV("issuer", issuer->name),
		             JIC_STR("error", err->text));
}

/* With the lock held, which is given up for the time of the fetch. */
static void fetch_locked(struct jic_keyring *k, size_t i)
{
	struct shelf *s = &k->shelves[i];
	const struct jic_issuer *issuer = jic_issuers_get(k->options.issuers, i);
	struct jic_error err = {0};
	*s =
	    (struct shelf){.keys = s->keys, .fetched_s = s->fetched_s, .tried = true, .tried_s = now_s(), .busy = true};
	pthread_mutex_unlock(&k->lock);
	struct jic_jwk_set *keys = k->options.fetch(issuer, &k->stop, &err);
	if (keys || !atomic_load(&k->stop))
		report(k, issuer, keys, &err);
	pthread_mutex_lock(&k->lock);
	put_keys(s, keys);
}

/* @return when there is something to do next */
static uint64_t serve_locked(struct jic_keyring *k)
{
	uint64_t next_s = UINT64_MAX;
	for (size_t i = 0; i < jic_issuers_count(k->options.issuers) && !atomic_load(&k->stop); i++) {
		const struct jic_issuer *issuer = jic_issuers_get(k->options.issuers, i);
		if (due_s(&k->shelves[i], issuer) <= now_s())
			fetch_locked(k, i);
		const uint64_t then_s = due_s(&k->shelves[i], issuer);
		next_s = then_s < next_s ? then_s : next_s;
	}
	return next_s;
}

static void *run(void *context)
{
	struct jic_keyring *k = context;
	pthread_mutex_lock(&k->lock);
	while (!atomic_load(&k->stop)) {
		const struct timespec until = {.tv_sec = (time_t)serve_locked(k)};
		if (!atomic_load(&k->stop))
			pthread_cond_timedwait(&k->changed, &k->lock, &until);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* ---- from outside */

struct jic_keyring *jic_keyring_new(const struct jic_keyring_options *options, struct jic_error *err)
{
	struct jic_keyring *k = calloc(1, sizeof *k);
	if (!k) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&k->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&k->lock, NULL);
	k->options = *options;
	k->started = jic_issuers_count(options->issuers) == 0 || pthread_create(&k->thread, NULL, run, k) == 0;
	if (k->started)
		return k;
	jic_keyring_free(k);
	(void)jic_fail(err, JIC_EMEMORY, "can't start the thread that fetches keys");
	return NULL;
}

void jic_keyring_free(struct jic_keyring *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	atomic_store(&k->stop, true);
	pthread_cond_signal(&k->changed);
	pthread_mutex_unlock(&k->lock);
	if (k->started && jic_issuers_count(k->options.issuers) > 0)
		pthread_join(k->thread, NULL);
	for (size_t i = 0; i < JIC_ISSUERS_MAX; i++)
		jic_jwk_set_unref(k->shelves[i].keys);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/*
 * The keys to judge a token by. One that names an unknown key makes the thread look again, if it has not just done so:
 * tokens that somebody makes up can't make us ask the issuer more often than its interval.
 * @param[out] pending  an answer of the issuer may change the verdict
 */
static struct jic_jwk_set *take_keys(struct jic_keyring *k, size_t i, const struct jic_jwt *token, bool *pending)
{
	struct shelf *s = &k->shelves[i];
	const struct jic_issuer *issuer = jic_issuers_get(k->options.issuers, i);
	pthread_mutex_lock(&k->lock);
	struct jic_jwk_set *keys = s->keys ? jic_jwk_set_ref(s->keys) : NULL;
	const bool known = keys && jic_jwk_set_has(keys, token->algorithm, token->key_id);
	const bool allowed = !s->tried || now_s() >= s->tried_s + issuer->keys_interval_s;
	if (!known && allowed) {
		s->wanted = true;
		pthread_cond_signal(&k->changed);
	}
	*pending = !known && (allowed || s->busy || !keys);
	pthread_mutex_unlock(&k->lock);
	return keys;
}

bool jic_keyring_verify(struct jic_keyring *k, size_t i, const struct jic_jwt *token, struct jic_error *err)
{
	bool pending;
	struct jic_error why = {0};
	JIC_AUTO(jic_jwk_set) struct jic_jwk_set *keys = take_keys(k, i, token, &pending);
	if (pending)
		return jic_fail(err, JIC_EBUSY, "the keys of the token's issuer are being fetched, try again");
	if (jic_jwk_set_verify(keys, token, &why))
		return true;
	return jic_fail(err, why.code == JIC_ENOTFOUND ? JIC_EDENIED : why.code, "%s", why.text);
}
