/*
 * A connection of our own is one end of a pair of sockets, given to the library like any that was accepted. Which of
 * its threads gets it follows from the descriptor's number (MHD_add_connection: modulo their count), so descriptors are
 * chosen; should that change, threads are met by chance instead of in turn.
 *
 * Plain connections ask for /readyz, which a worker answers. With TLS there is no request without a handshake: the end
 * of the connection after a greeting that is none is as much a sign of life.
 */
#include "server/http/pulse.h"

#include "server/http/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

enum { THREADS_MAX = 256 }; /* descriptors that are tried for the right one */

void jic_pulse_accepting(struct jic_pulse *p)
{
	atomic_store(&p->accepted_us, jic_http_now_us());
}

void jic_pulse_clear(struct jic_pulse *p)
{
	for (size_t i = 0; i < JIC_PULSE_DAEMONS; i++)
		if (p->probes[i].fd > 0)
			close(p->probes[i].fd);
}

/* ---- workers */

static void job_done(void *context)
{
	atomic_store((atomic_bool *)context, false);
}

/* A full queue is no reason to believe that nobody works on it: then the last job's word counts. */
static bool worker_lives(struct jic_http_server *s, uint64_t now_us, uint64_t patience_us)
{
	struct jic_pulse *p = &s->pulse;
	if (atomic_load(&p->job_waits))
		return now_us - p->job_us < patience_us;
	atomic_store(&p->job_waits, true);
	p->job_us = now_us;
	if (!jic_work_submit(s->work, JIC_WORK_READ, job_done, &p->job_waits))
		atomic_store(&p->job_waits, false);
	return true;
}

/* ---- connection threads */

/* The same open file at a number that is for the thread whose turn it is. @return as fcntl(2), `fd` is closed */
static int for_thread(int fd, unsigned threads, unsigned turn)
{
	int tried[THREADS_MAX], found = -1;
	unsigned count = 0;
	while (found < 0 && count < threads && count < THREADS_MAX) {
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
		if (copy < 0)
			break;
		if ((unsigned)copy % threads == turn % threads)
			found = copy;
		else
			tried[count++] = copy;
	}
	while (count > 0)
		close(tried[--count]);
	close(fd);
	return found;
}

static bool give(struct jic_http_server *s, struct MHD_Daemon *daemon, int fd)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct sockaddr *from = (const struct sockaddr *)&address;
	fd = for_thread(fd, s->options.threads, s->pulse.turn);
	if (fd < 0)
		return false;
	if (!jic_connections_admit(s->connections, from)) {
		close(fd);
		return false;
	}
	if (MHD_add_connection(daemon, fd, from, sizeof address.sun_family) == MHD_YES)
		return true;
	jic_connections_dismiss(s->connections, from);
	return false;
}

/* What can't be asked for want of descriptors or connections says nothing of the threads. */
static void ask(struct jic_http_server *s, struct MHD_Daemon *daemon, struct jic_pulse_probe *probe, uint64_t now_us)
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: watchdog\r\nConnection: close\r\n\r\n";
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return;
	if (send(pair[0], request, sizeof request - 1, MSG_NOSIGNAL) < 0 || !give(s, daemon, pair[1])) {
		close(pair[0]);
		return;
	}
	*probe = (struct jic_pulse_probe){.fd = pair[0], .asked_us = now_us};
}

static bool is_answered(const struct jic_pulse_probe *probe)
{
	char byte;
	ssize_t got = recv(probe->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

static bool thread_lives(struct jic_http_server *s, struct MHD_Daemon *daemon, struct jic_pulse_probe *probe,
                         uint64_t now_us, uint64_t patience_us)
{
	if (!daemon)
		return true;
	if (probe->fd > 0 && !is_answered(probe))
		return now_us - probe->asked_us < patience_us;
	if (probe->fd > 0)
		close(probe->fd);
	*probe = (struct jic_pulse_probe){0};
	ask(s, daemon, probe, now_us);
	return true;
}

bool jic_http_server_lives(struct jic_http_server *s, uint64_t patience_us)
{
	struct jic_pulse *p = &s->pulse;
	const uint64_t now_us = jic_http_now_us();
	bool plain = thread_lives(s, s->plain, &p->probes[0], now_us, patience_us);
	bool secure = thread_lives(s, s->secure, &p->probes[1], now_us, patience_us);
	bool worker = worker_lives(s, now_us, patience_us);
	/* The acceptor may have looked at its clock after we did. */
	const uint64_t accepted_us = atomic_load(&p->accepted_us);
	bool acceptor = now_us < accepted_us + patience_us;
	p->turn++;
	if (plain && secure && worker && acceptor)
		return true;
	jic_log_error(s->service->log, "http.stuck",
	              JIC_STR("part", !acceptor ? "acceptor"
	                              : !worker ? "workers"
	                                        : "connections"));
	return false;
}
