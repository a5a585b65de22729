/**
 * Whether the parts of the HTTP server still get on: the acceptor by its clock, the workers by a job, the threads that
 * serve connections by a request of our own, each time to another of them. Nothing waits here: what was asked before is
 * looked at, and asked again when it was answered. So that a watchdog is not fed by a server that answers nobody.
 */
#ifndef JIC_SERVER_HTTP_PULSE_H
#define JIC_SERVER_HTTP_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

struct jic_http_server;

enum { JIC_PULSE_DAEMONS = 2 }; /* plain and secure */

struct jic_pulse {
	atomic_uint_fast64_t accepted_us; /* when the acceptor's clock last went */

	/* of the thread that asks */
	struct jic_pulse_probe {
		int fd;            /* our end of a connection; 0: none is under way */
		uint64_t asked_us; /* 0: answered */
	} probes[JIC_PULSE_DAEMONS];
	uint64_t job_us; /* when it was submitted; 0: none is */
	unsigned turn;

	atomic_bool job_waits;
};

/** The acceptor's: its clock went. */
void jic_pulse_accepting(struct jic_pulse *p);
/** Not before workers and connection threads have ended. */
void jic_pulse_clear(struct jic_pulse *p);

#endif
