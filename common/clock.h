/**
 * Time that only goes on, whatever happens to the time of day (CLOCK_MONOTONIC): for how long something takes. Its zero
 * is anywhere.
 */
#ifndef JIC_COMMON_CLOCK_H
#define JIC_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t jic_clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t jic_clock_ms(void)
{
	return jic_clock_ns() / 1000000;
}

static inline double jic_clock_s(void)
{
	return (double)jic_clock_ns() * 1e-9;
}

#endif
