/*
 * A table of fixed size: a caller's digest picks a row of WAYS slots; when the row is full the one goes that was not
 * seen for longest. The digest is keyed with random bytes, so that nobody can choose names that share another's row.
 *
 * Requests are a bucket that fills up with time. Credit is counted in 60,000ths of a request: each millisecond adds
 * as many as requests are allowed in a minute, so no fraction is lost.
 */
#include "server/http/rate.h"

#include "server/http/address.h"

#include <pthread.h>
#include <sys/random.h>

enum { ROWS = 1024, WAYS = 8, MINUTE_MS = 60000, DAY_MS = 86400000, SECOND_MS = 1000 };

struct slot {
	struct jic_digest caller;
	bool taken;
	uint64_t seen_ms;
	uint64_t credit;       /* 60,000 are one request */
	uint64_t day_began_ms; /* the first upload */
	uint64_t uploaded;     /* bytes since */
};

struct jic_rate {
	pthread_mutex_t lock; /* guards `slots` */
	struct slot slots[ROWS][WAYS];

	struct jic_rate_options options;
	uint8_t seed[16];
};

struct jic_rate *jic_rate_new(const struct jic_rate_options *options, struct jic_error *err)
{
	struct jic_rate *r = calloc(1, sizeof *r);
	if (!r || getrandom(r->seed, sizeof r->seed, 0) != (ssize_t)sizeof r->seed) {
		free(r);
		(void)jic_fail(err, JIC_EMEMORY, "out of memory, or of random bytes");
		return NULL;
	}
	r->options = *options;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void jic_rate_free(struct jic_rate *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- who */

/* "2001:db8::1" and all of its /64 are one caller; "uid 1000 pid 4711" is whoever the user is. */
static struct jic_view peer_key(struct jic_view peer, struct jic_address *address)
{
	static const unsigned char v4_half[8] = {0};
	/* Of IPv4 in IPv6 the first half is zeros: there the rest counts too. */
	if (jic_address_parse(peer, address))
		return jic_view_bytes(address->bytes, memcmp(address->bytes, v4_half, sizeof v4_half) == 0
		                                          ? sizeof address->bytes
		                                          : sizeof v4_half);
	const char *pid = peer.len ? memmem(peer.ptr, peer.len, " pid ", 5) : NULL;
	return pid ? jic_view_head(peer, (size_t)(pid - peer.ptr)) : peer;
}

static bool digest_of(const struct jic_rate *r, const struct jic_rate_caller *caller, struct jic_digest *out)
{
	JIC_AUTO(jic_sha256) struct jic_sha256 *h = jic_sha256_new();
	struct jic_address address;
	const bool named = caller->name.len > 0;
	const struct jic_view key = named ? caller->name : peer_key(caller->peer, &address);
	if (!h)
		return false;
	jic_sha256_update(h, r->seed, sizeof r->seed);
	jic_sha256_update(h, &named, sizeof named);
	jic_sha256_update(h, key.ptr, key.len);
	jic_sha256_final(h, out);
	return true;
}

/* The caller's slot, or one that is made its own, with a full bucket. */
static struct slot *find_locked(struct jic_rate *r, const struct jic_digest *caller, uint64_t per_minute,
                                uint64_t now_ms)
{
	struct slot *row = r->slots[(caller->bytes[0] << 8 | caller->bytes[1]) % ROWS], *oldest = row;
	for (size_t i = 0; i < WAYS; i++) {
		if (row[i].taken && jic_digest_eq(&row[i].caller, caller))
			return &row[i];
		if (oldest->taken && (!row[i].taken || row[i].seen_ms < oldest->seen_ms))
			oldest = &row[i];
	}
	*oldest = (struct slot){.caller = *caller,
	                        .taken = true,
	                        .seen_ms = now_ms,
	                        .credit = per_minute * MINUTE_MS,
	                        .day_began_ms = now_ms};
	return oldest;
}

static unsigned seconds(uint64_t ms)
{
	return (unsigned)((ms + SECOND_MS - 1) / SECOND_MS);
}

/* ---- how much */

static void refill(struct slot *s, uint64_t per_minute, uint64_t now_ms)
{
	/* After a minute it is full whatever was in it, so nothing here can overflow. */
	const uint64_t passed_ms = now_ms > s->seen_ms ? now_ms - s->seen_ms : 0;
	const uint64_t full = per_minute * MINUTE_MS;
	const uint64_t credit = s->credit + (passed_ms < MINUTE_MS ? passed_ms : MINUTE_MS) * per_minute;
	s->credit = credit < full ? credit : full;
	s->seen_ms = now_ms > s->seen_ms ? now_ms : s->seen_ms;
}

unsigned jic_rate_request(struct jic_rate *r, const struct jic_rate_caller *caller, uint64_t now_ms)
{
	const uint64_t per_minute =
	    caller->name.len ? r->options.requests_per_minute : r->options.anonymous_requests_per_minute;
	struct jic_digest digest;
	unsigned wait_s = 0;
	if (!per_minute || !digest_of(r, caller, &digest))
		return 0;
	pthread_mutex_lock(&r->lock);
	struct slot *s = find_locked(r, &digest, per_minute, now_ms);
	refill(s, per_minute, now_ms);
	if (s->credit >= MINUTE_MS)
		s->credit -= MINUTE_MS;
	else
		wait_s = seconds((MINUTE_MS - s->credit + per_minute - 1) / per_minute);
	pthread_mutex_unlock(&r->lock);
	return wait_s;
}

unsigned jic_rate_upload(struct jic_rate *r, const struct jic_rate_caller *caller, uint64_t bytes, uint64_t now_ms)
{
	const uint64_t per_day = r->options.upload_bytes_per_day;
	struct jic_digest digest;
	unsigned wait_s = 0;
	if (!per_day || !digest_of(r, caller, &digest))
		return 0;
	pthread_mutex_lock(&r->lock);
	struct slot *s = find_locked(r, &digest, r->options.requests_per_minute, now_ms);
	if (now_ms > s->day_began_ms && now_ms - s->day_began_ms >= DAY_MS) {
		s->day_began_ms = now_ms;
		s->uploaded = 0;
	}
	if (bytes <= per_day && s->uploaded <= per_day - bytes)
		s->uploaded += bytes;
	else
		wait_s = seconds(s->day_began_ms + DAY_MS - now_ms);
	pthread_mutex_unlock(&r->lock);
	return wait_s;
}
