/*
 * Taking turns with the machines that want to compile the same: pull ▸ anything left that Julia would compile? ▸ ask
 * for a lease on it ▸ granted: it is ours; held: wait, and ask again; stored meanwhile: pull again.
 *
 * Nothing here may be in the way. Who doesn't get on (no leases there, no server, too long) compiles, as without all
 * this. And nobody waits twice for the same: what a holder gave back without publishing it (it failed to compile, or
 * can't be shared) the next one would give back as well, so such keys are no longer asked for.
 */
#include "client/lib/graph/precompiled.h"
#include "client/lib/remote/lease.h"
#include "client/lib/session/report.h"
#include "common/clock.h"

#include <time.h>

enum {
	POLL_MS_MIN = 2000, /* between two questions, drawn anew each time, so that those who wait come apart */
	POLL_MS_MAX = 5000,
	FAILURES_MAX = 2, /* in a row, of a server that answered before */
	EARLY_S = 2, /* how much before its time a lease must end to have been given back: clocks are cut to seconds */
};

enum verdict { VERDICT_COMPILE, VERDICT_PULL, VERDICT_ASK };

struct turn {
	struct jic_session *session;
	const struct jic_turn_options *options;
	struct jic_arena *arena;
	struct jic_connection *connection;
	double end_s;            /* monotonic: until when we wait at the most */
	bool may_take;           /* a token was not refused yet */
	bool waited;             /* it was said that we do */
	bool *futile;            /* for each node: given back without having been published */
	struct jic_digest *keys; /* asked for; room for all nodes, as in those below */
	size_t *nodes;           /* whose keys these are */
	size_t keys_count, pulled_count;
	struct jic_digest *held; /* by others, when last asked */
	size_t held_count;
	double held_end_s; /* when the last of their leases would end */
	unsigned failures;
	struct jic_lease *lease; /* ours */
};

static bool among(const struct jic_digest *keys, size_t count, const struct jic_digest *key)
{
	for (size_t i = 0; i < count; i++)
		if (jic_digest_eq(&keys[i], key))
			return true;
	return false;
}

/* ---- what is left to be compiled */

static bool is_left(const struct turn *t, const struct jic_locals *locals, const bool *tried, size_t i)
{
	const struct jic_node *n = &t->session->graph.nodes[i];
	return tried[i] && !t->futile[i] && jic_node_is_wanted(n) && !locals->items[i].path.len;
}

/* Keys of what Pkg.precompile() would compile here. Without a project everything might be. */
static bool find_left(struct turn *t, struct jic_error *err)
{
	const struct jic_graph *g = &t->session->graph;
	struct jic_locals locals;
	bool *tried = jic_arena_array(t->arena, g->count + 1, sizeof *tried);
	if (!tried)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_depot_scan(g, &t->session->depot, t->arena, &locals, err))
		return false;
	if (!jic_precompiled_find(g, tried))
		memset(tried, true, g->count);
	t->keys_count = 0;
	for (size_t i = 0; i < g->count; i++)
		if (is_left(t, &locals, tried, i)) {
			t->nodes[t->keys_count] = i;
			t->keys[t->keys_count++] = g->nodes[i].key;
		}
	return true;
}

/* ---- what was given back */

/* A lease that nobody renews ends in its time; what is free before was given back. @return were there any such keys? */
static bool forget_futile(struct turn *t, const struct jic_msg_leased *answer)
{
	const bool early = t->held_count && jic_clock_s() + EARLY_S < t->held_end_s;
	size_t left = 0;
	for (size_t i = 0; i < t->keys_count; i++) {
		const struct jic_digest key = t->keys[i];
		const bool futile =
		    early && among(t->held, t->held_count, &key) && among(answer->keys, answer->keys_count, &key);
		t->futile[t->nodes[i]] = futile;
		t->nodes[left] = t->nodes[i];
		t->keys[left] = key;
		left += !futile;
	}
	const bool any = left < t->keys_count;
	t->keys_count = left;
	t->held_count = 0;
	return any;
}

/* ---- waiting */

static void sleep_a_while(const struct turn *t)
{
	const long ms = POLL_MS_MIN + (long)(jic_clock_ns() / 1000 % (POLL_MS_MAX - POLL_MS_MIN + 1));
	const double left_ms = (t->end_s - jic_clock_s()) * 1000;
	const long wait_ms = left_ms < (double)ms ? (long)left_ms : ms;
	if (wait_ms <= 0)
		return;
	const struct timespec pause = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
}

static void say_waiting(struct turn *t, const struct jic_msg_leased *answer)
{
	jic_autofree char *who = jic_strdup_view(answer->by);
	const struct jic_waiting w = {
	    .packages = (uint32_t)answer->keys_count, .who = who ? who : "", .wait_s = t->options->wait_s};
	if (!t->waited && t->options->waiting)
		t->options->waiting(t->options->context, &w);
	t->waited = true;
}

static enum verdict wait_for_others(struct turn *t, const struct jic_msg_leased *answer)
{
	size_t count = 0;
	if (jic_clock_s() >= t->end_s)
		return VERDICT_COMPILE;
	say_waiting(t, answer);
	for (size_t i = 0; i < answer->keys_count && count < t->session->graph.count; i++)
		t->held[count++] = answer->keys[i];
	t->held_count = count;
	t->held_end_s = jic_clock_s() + (double)answer->seconds;
	sleep_a_while(t);
	return VERDICT_ASK;
}

/* ---- asking */

static enum verdict take(struct turn *t, const struct jic_msg_leased *answer)
{
	const bool complete = answer->keys_count >= t->keys_count;
	if (forget_futile(t, answer)) {
		jic_lease_return(t->session, &answer->lease);
		return VERDICT_ASK;
	}
	t->lease = jic_lease_keep(t->session, answer, NULL);
	return complete ? VERDICT_COMPILE : VERDICT_PULL;
}

static enum verdict judge(struct turn *t, const struct jic_msg_leased *answer)
{
	t->failures = 0;
	switch (answer->state) {
	case JIC_LEASE_GRANTED:
		return take(t, answer);
	case JIC_LEASE_HELD:
		return wait_for_others(t, answer);
	case JIC_LEASE_FREE:
		return answer->keys_count < t->keys_count ? VERDICT_PULL : VERDICT_COMPILE;
	case JIC_LEASE_STORED:
	case JIC_LEASE_STATES:
		break;
	}
	return VERDICT_PULL;
}

/* A token that may not write may still ask. While others compile, a server may be away for a moment. */
static enum verdict judge_failure(struct turn *t, enum jic_code code)
{
	if (code == JIC_EDENIED && t->may_take) {
		t->may_take = false;
		return VERDICT_ASK;
	}
	if (!t->waited || code != JIC_ENETWORK || ++t->failures >= FAILURES_MAX || jic_clock_s() >= t->end_s)
		return VERDICT_COMPILE;
	sleep_a_while(t);
	return VERDICT_ASK;
}

static enum verdict ask(struct turn *t)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_leased answer;
	struct jic_error err = {0};
	if (t->keys_count == 0)
		return VERDICT_COMPILE;
	if (!t->connection)
		t->connection = jic_connection_new(&t->session->settings, NULL, &err);
	if (t->connection && jic_lease_ask(t->session, t->connection, t->keys, t->keys_count,
	                                   t->may_take ? JIC_LEASE_TERM_S : 0, &arena, &answer, &err))
		return judge(t, &answer);
	/* Whoever waits for long shows the token of a CI system that is new. */
	jic_connection_free(t->connection);
	t->connection = NULL;
	return judge_failure(t, err.code);
}

/* What the server has, and can't be had (it is not signed as we want it), is no reason to pull for ever. */
static bool agree(struct turn *t, enum verdict *out, struct jic_error *err)
{
	*out = VERDICT_COMPILE;
	if (!find_left(t, err))
		return false;
	if (t->pulled_count && t->keys_count >= t->pulled_count)
		return true;
	do {
		*out = ask(t);
	} while (*out == VERDICT_ASK);
	t->pulled_count = t->keys_count;
	return true;
}

/* ---- the whole */

static void turn_clear(struct turn *t)
{
	jic_lease_free(t->lease);
	jic_connection_free(t->connection);
	jic_arena_clear(t->arena);
}

static bool begin(struct turn *t, struct jic_error *err)
{
	const size_t count = t->session->graph.count + 1;
	t->end_s = jic_clock_s() + t->options->wait_s;
	t->may_take = jic_settings_identify(&t->session->settings);
	t->futile = jic_arena_array(t->arena, count, sizeof *t->futile);
	t->keys = jic_arena_array(t->arena, count, sizeof *t->keys);
	t->nodes = jic_arena_array(t->arena, count, sizeof *t->nodes);
	t->held = jic_arena_array(t->arena, count, sizeof *t->held);
	return !t->arena->failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* @param[out] last whether no further pull is to come */
static struct jic_report *pull(struct turn *t, bool *last, struct jic_error *err)
{
	enum verdict verdict = VERDICT_COMPILE;
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_pull(t->session, err);
	const bool alone = !t->options->wait_s || t->lease;
	if (r && !alone && r->server != JIC_SERVER_AWAY && !agree(t, &verdict, err))
		return NULL;
	*last = verdict == VERDICT_COMPILE;
	return JIC_TAKE(r);
}

struct jic_report *jic_session_turn(struct jic_session *s, const struct jic_turn_options *options,
                                    struct jic_lease **lease, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_CLEAR(turn) struct turn t = {.session = s, .options = options, .arena = &arena};
	bool last = false;
	*lease = NULL;
	if (!begin(&t, err))
		return NULL;
	for (;;) {
		JIC_AUTO(jic_report) struct jic_report *r = pull(&t, &last, err);
		if (r && last)
			*lease = JIC_TAKE(t.lease);
		if (!r || last)
			return JIC_TAKE(r);
		if (options->pulled)
			options->pulled(options->context, r);
	}
}
