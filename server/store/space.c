#include "server/store/space.h"

#include "server/store/internal.h"

#include <stdatomic.h>

void jic_space_arriving(struct jic_store *s, uint64_t bytes)
{
	atomic_fetch_add(&s->space.arriving_bytes, bytes);
}

void jic_space_arrived(struct jic_store *s, uint64_t bytes)
{
	atomic_fetch_sub(&s->space.arriving_bytes, bytes);
}

void jic_space_stored(struct jic_store *s, uint64_t bytes)
{
	atomic_fetch_add(&s->space.stored_bytes, bytes);
}

bool jic_space_look(struct jic_store *s, struct jic_error *err)
{
	uint64_t stored;
	if (!s->space.store_bytes_max)
		return true;
	if (!s->index->ops->stored_bytes(s->index, &stored, err))
		return false;
	atomic_store(&s->space.stored_bytes, stored);
	return true;
}

void jic_space_wake(struct jic_store *s)
{
	pthread_mutex_lock(&s->space.lock);
	s->space.wanted = true;
	pthread_cond_signal(&s->space.wake);
	pthread_mutex_unlock(&s->space.lock);
}

static bool refuse(struct jic_store *s)
{
	jic_space_wake(s);
	return false;
}

/* What is stored may never have been looked up: the keeper does it first of all. */
void jic_store_set_limits(struct jic_store *s, uint64_t store_bytes_max, uint64_t free_bytes_min)
{
	s->space.store_bytes_max = store_bytes_max;
	s->space.free_bytes_min = free_bytes_min;
	jic_space_wake(s);
}

bool jic_space_check_disk(struct jic_store *s, struct jic_error *err)
{
	uint64_t left;
	if (!s->space.free_bytes_min)
		return true;
	if (!s->blobs->ops->free_bytes(s->blobs, &left, err))
		return false;
	if (left >= s->space.free_bytes_min)
		return true;
	(void)jic_fail(err, JIC_ENOSPACE, "the disk has %llu MiB left, which is less than limits.free_bytes_min",
	               (unsigned long long)(left >> 20));
	return refuse(s);
}

bool jic_space_check(struct jic_store *s, struct jic_error *err)
{
	const uint64_t max = s->space.store_bytes_max;
	if (max && atomic_load(&s->space.stored_bytes) + atomic_load(&s->space.arriving_bytes) > max) {
		(void)jic_fail(err, JIC_ENOSPACE, "the store is full: limits.store_bytes_max is %llu",
		               (unsigned long long)max);
		return refuse(s);
	}
	return jic_space_check_disk(s, err);
}

bool jic_space_wanted(struct jic_store *s, uint64_t *out, struct jic_error *err)
{
	const uint64_t max = s->space.store_bytes_max, floor = s->space.free_bytes_min;
	uint64_t left;
	*out = 0;
	if (!jic_space_look(s, err))
		return false;
	uint64_t held = atomic_load(&s->space.stored_bytes) + atomic_load(&s->space.arriving_bytes);
	if (max && held > max - max / 10)
		*out = held - (max - max / 10);
	if (!floor)
		return true;
	if (!s->blobs->ops->free_bytes(s->blobs, &left, err))
		return false;
	uint64_t missing = left < floor + floor / 10 ? floor + floor / 10 - left : 0;
	if (missing > *out)
		*out = missing;
	return true;
}
