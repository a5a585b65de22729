/*
 * Open addressing, half empty at the most, deleted from by moving back what follows (Knuth 6.4 R). Clients choose their
 * addresses, so the place of one depends on a random seed.
 */
#include "server/http/tally.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>

struct entry {
	struct jic_address address;
	unsigned count; /* 0: free */
};

struct jic_tally {
	pthread_mutex_t lock; /* guards entries and total */
	struct entry *entries;
	size_t total;

	size_t mask; /* of places; their number is a power of two */
	size_t total_max;
	unsigned each_max;
	uint64_t seed;
};

struct jic_tally *jic_tally_new(size_t total_max, unsigned each_max, struct jic_error *err)
{
	struct jic_tally *t = calloc(1, sizeof *t);
	size_t places = 2;
	while (places < 2 * total_max)
		places *= 2;
	if (t)
		t->entries = calloc(places, sizeof *t->entries);
	if (!t || !t->entries) {
		free(t);
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	t->mask = places - 1;
	t->total_max = total_max;
	t->each_max = each_max;
	if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) < 0)
		t->seed = (uint64_t)time(NULL);
	return t;
}

void jic_tally_free(struct jic_tally *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->entries);
	free(t);
}

/* Of IPv4 in IPv6 the first half is zeros: there the rest counts too. */
static struct jic_address whole(const struct jic_address *a)
{
	static const struct jic_address none = {{0}};
	struct jic_address out = *a;
	if (memcmp(a->bytes, none.bytes, sizeof a->bytes / 2) != 0)
		memset(out.bytes + sizeof out.bytes / 2, 0, sizeof out.bytes / 2);
	return out;
}

/* The finaliser of splitmix64: every bit of the input moves half of the output's. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static size_t home(const struct jic_tally *t, const struct jic_address *a)
{
	uint64_t half[2];
	memcpy(half, a->bytes, sizeof half);
	return (size_t)mix(mix(half[0] ^ t->seed) ^ half[1]) & t->mask;
}

static struct entry *find_locked(struct jic_tally *t, const struct jic_address *a)
{
	size_t i = home(t, a);
	while (t->entries[i].count && !jic_address_eq(&t->entries[i].address, a))
		i = (i + 1) & t->mask;
	return &t->entries[i];
}

bool jic_tally_take(struct jic_tally *t, const struct jic_address *address)
{
	const struct jic_address key = whole(address);
	pthread_mutex_lock(&t->lock);
	struct entry *e = find_locked(t, &key);
	bool fits = e->count < t->each_max && t->total < t->total_max;
	if (fits) {
		e->address = key;
		e->count++;
		t->total++;
	}
	pthread_mutex_unlock(&t->lock);
	return fits;
}

/* What follows a hole and belongs before it moves into it, or it would not be found any more. */
static void close_hole_locked(struct jic_tally *t, size_t hole)
{
	for (size_t i = (hole + 1) & t->mask; t->entries[i].count; i = (i + 1) & t->mask) {
		size_t wanted = home(t, &t->entries[i].address);
		if (((i - wanted) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->entries[hole] = t->entries[i];
		t->entries[i].count = 0;
		hole = i;
	}
}

void jic_tally_give(struct jic_tally *t, const struct jic_address *address)
{
	const struct jic_address key = whole(address);
	pthread_mutex_lock(&t->lock);
	struct entry *e = find_locked(t, &key);
	JIC_ASSERT(e->count > 0);
	t->total--;
	if (--e->count == 0)
		close_hole_locked(t, (size_t)(e - t->entries));
	pthread_mutex_unlock(&t->lock);
}
