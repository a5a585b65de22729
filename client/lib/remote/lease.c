/*
 * The thread opens a connection for each renewal: there are seconds between them, and a token of a CI system lives no
 * longer than minutes. It takes no signals, so that these reach whoever waits for them.
 */
#include "client/lib/remote/lease.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

struct jic_lease {
	pthread_mutex_t lock; /* guards ending */
	pthread_cond_t changed;
	bool ending;

	atomic_bool cancel; /* for a request that is under way */
	const struct jic_session *session;
	struct jic_digest id;
	uint64_t term_s;
	pthread_t thread;
};

/* ---- what the server is asked */

static bool post(const struct jic_session *s, struct jic_connection *c, const struct jic_msg_lease *m,
                 struct jic_arena *arena, struct jic_msg_leased *out, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf body = {0}, answer = {0};
	if (!jic_msg_lease_write(m, &body, err) ||
	    !jic_connection_json(c, "POST", "/v1/leases", jic_buf_view(&body), &answer, err))
		return false;
	const struct jic_view kept = jic_arena_copy(arena, jic_buf_view(&answer));
	return jic_msg_leased_read(kept, arena, out, err) ||
	       jic_wrap(err, "server %s: answer to leases", s->settings.url);
}

bool jic_lease_ask(const struct jic_session *s, struct jic_connection *c, const struct jic_digest *keys, size_t count,
                   uint64_t seconds, struct jic_arena *arena, struct jic_msg_leased *out, struct jic_error *err)
{
	const struct jic_msg_lease m = {.lane = jic_view_of(s->settings.lane),
	                                .seconds = seconds,
	                                .runtime = s->runtime_ids[0],
	                                .sysimage = s->facts.sysimage,
	                                .keys = keys,
	                                .keys_count = count};
	return post(s, c, &m, arena, out, err);
}

void jic_lease_return(const struct jic_session *s, const struct jic_digest *id)
{
	static const char folder[] = "/v1/leases/";
	char path[sizeof folder + JIC_DIGEST_HEX];
	struct jic_error ignored = {0};
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->settings, NULL, &ignored);
	memcpy(path, folder, sizeof folder - 1);
	jic_digest_hex(id, path + sizeof folder - 1);
	if (c)
		(void)!jic_connection_json(c, "DELETE", path, JIC_VIEW(""), &answer, &ignored);
}

/* A server that is away may come back before the lease ends. @return false: it has ended, or nothing of it is left */
static bool renew(struct jic_lease *l)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_msg_leased leased = {.state = JIC_LEASE_STORED};
	const struct jic_msg_lease m = {.lane = jic_view_of(l->session->settings.lane),
	                                .seconds = JIC_LEASE_TERM_S,
	                                .renews = true,
	                                .lease = l->id};
	JIC_AUTO(jic_connection)
	struct jic_connection *c = jic_connection_new(&l->session->settings, &l->cancel, &err);
	if (!c || !post(l->session, c, &m, &arena, &leased, &err))
		return err.code == JIC_ENETWORK || err.code == JIC_EBUSY || err.code == JIC_EIO;
	return leased.state == JIC_LEASE_GRANTED;
}

/* ---- the thread */

/* @return false: the lease is to end */
static bool wait_to_renew(struct jic_lease *l)
{
	struct timespec until;
	int rc = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += l->term_s > 3 ? (time_t)(l->term_s / 3) : 1;
	pthread_mutex_lock(&l->lock);
	while (!l->ending && rc == 0)
		rc = pthread_cond_timedwait(&l->changed, &l->lock, &until);
	const bool go_on = !l->ending;
	pthread_mutex_unlock(&l->lock);
	return go_on;
}

static void *run(void *context)
{
	struct jic_lease *l = context;
	while (wait_to_renew(l) && renew(l))
		;
	return NULL;
}

static bool start_thread(struct jic_lease *l)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errno == 0;
}

static void init(struct jic_lease *l, const struct jic_session *s, const struct jic_msg_leased *granted)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	l->session = s;
	l->id = granted->lease;
	l->term_s = granted->seconds;
}

static void forget(struct jic_lease *l)
{
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct jic_lease *jic_lease_keep(const struct jic_session *s, const struct jic_msg_leased *granted,
                                 struct jic_error *err)
{
	struct jic_lease *l = calloc(1, sizeof *l);
	if (l) {
		init(l, s, granted);
		if (start_thread(l))
			return l;
		forget(l);
	}
	(void)jic_fail(err, JIC_EMEMORY, "lease: there is no thread to renew it");
	jic_lease_return(s, &granted->lease);
	return NULL;
}

void jic_lease_free(struct jic_lease *l)
{
	if (!l)
		return;
	atomic_store(&l->cancel, true);
	pthread_mutex_lock(&l->lock);
	l->ending = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	jic_lease_return(l->session, &l->id);
	forget(l);
}
