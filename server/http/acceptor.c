/*
 * Refusing takes care: closing a socket with unread bytes resets the connection, and the client loses the answer. So
 * refused connections are kept for a moment, and what they send is read away. There are few of them; beyond that they
 * are closed hard, because a refusal must not cost more than a connection.
 */
#include "server/http/acceptor.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	TICK_MS = 1000,
	ACCEPTS_AT_ONCE = 64,
	REFUSED_MAX = 64,
	REFUSED_LINGER_MS = 1000,
	REFUSED_PER_LOG_MS = 1000,
	EXHAUSTED_PAUSE_MS = 100,
	POLL_MAX = 1 + JIC_LISTENERS_MAX + REFUSED_MAX,
};

struct refused {
	int fd;
	uint64_t until_ms;
};

struct jic_acceptor {
	struct jic_acceptor_options options;
	int wake_fd; /* becomes readable at the end */
	atomic_bool ending;
	pthread_t thread;

	/* of the thread alone */
	struct refused refused[REFUSED_MAX];
	size_t refused_count;
	uint64_t refused_total, refused_logged, logged_ms, tick_ms, resume_ms;
};

/* ---- refusing */

static void forget_refused(struct jic_acceptor *a, size_t i)
{
	close(a->refused[i].fd);
	a->refused[i] = a->refused[--a->refused_count];
}

/* The same document as any other 503 (problem.c), without a request to answer. */
static void send_refusal(struct jic_acceptor *a, int fd)
{
	char id[JIC_REQUEST_ID_TEXT + 1], body[256], answer[640];
	a->options.number(a->options.context, id);
	int len = snprintf(body, sizeof body,
	                   "{\"status\":503,\"code\":\"overloaded\",\"detail\":\"too many connections, try again\","
	                   "\"request_id\":\"%s\"}",
	                   id);
	int size = snprintf(answer, sizeof answer,
	                    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\n"
	                    "Cache-Control: no-store\r\nX-Request-Id: %s\r\nContent-Type: application/problem+json\r\n"
	                    "Content-Length: %d\r\n\r\n%s",
	                    id, len, body);
	/* A fresh socket has room for this; if not, the client sees the end of the connection. */
	ssize_t sent = send(fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent;
	shutdown(fd, SHUT_WR);
}

static void refuse(struct jic_acceptor *a, const struct jic_listener *from, int fd)
{
	a->refused_total++;
	/* In TLS there is no answer without a handshake, which is what can't be afforded. */
	if (from->tls || a->refused_count == REFUSED_MAX) {
		close(fd);
		return;
	}
	send_refusal(a, fd);
	a->refused[a->refused_count++] = (struct refused){.fd = fd, .until_ms = jic_clock_ms() + REFUSED_LINGER_MS};
}

static void read_away(struct jic_acceptor *a, const struct pollfd *polled)
{
	char dropped[4096];
	/* From the last: forgetting one moves the last into its place. */
	for (size_t i = a->refused_count; i-- > 0;) {
		ssize_t got = -1;
		if (polled[i].revents) {
			got = recv(a->refused[i].fd, dropped, sizeof dropped, MSG_DONTWAIT);
			if (got > 0)
				continue;
		}
		bool ended = polled[i].revents && (got == 0 || (errno != EAGAIN && errno != EINTR));
		if (ended || jic_clock_ms() >= a->refused[i].until_ms)
			forget_refused(a, i);
	}
}

/* One line a second at most, whoever asks how often. */
static void log_refused(struct jic_acceptor *a)
{
	if (a->refused_total == a->refused_logged || jic_clock_ms() < a->logged_ms + REFUSED_PER_LOG_MS)
		return;
	jic_log_warn(a->options.log, "http.refused", JIC_U64("connections", a->refused_total - a->refused_logged));
	a->refused_logged = a->refused_total;
	a->logged_ms = jic_clock_ms();
}

/* ---- accepting */

/* Without descriptors the queue stays readable, and asking it again at once would be a busy loop. */
static void pause_accepting(struct jic_acceptor *a, int error)
{
	a->resume_ms = jic_clock_ms() + EXHAUSTED_PAUSE_MS;
	jic_log_warn(a->options.log, "http.accept", JIC_STR("error", strerror(error)));
}

static void accept_some(struct jic_acceptor *a, const struct jic_listener *from)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage address = {0};
		socklen_t len = sizeof address;
		int fd = accept4(from->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(a, errno);
			return;
		}
		if (!a->options.take(a->options.context, from, fd, (const struct sockaddr *)&address, len))
			refuse(a, from, fd);
	}
}

static size_t gather(const struct jic_acceptor *a, struct pollfd *fds)
{
	const struct jic_listeners *l = a->options.listeners;
	const bool paused = jic_clock_ms() < a->resume_ms;
	size_t count = 0;
	fds[count++] = (struct pollfd){.fd = a->wake_fd, .events = POLLIN};
	for (size_t i = 0; i < l->count; i++)
		fds[count++] = (struct pollfd){.fd = paused ? -1 : l->items[i].fd, .events = POLLIN};
	for (size_t i = 0; i < a->refused_count; i++)
		fds[count++] = (struct pollfd){.fd = a->refused[i].fd, .events = POLLIN};
	return count;
}

static void tick_when_due(struct jic_acceptor *a)
{
	if (jic_clock_ms() < a->tick_ms)
		return;
	a->tick_ms = jic_clock_ms() + TICK_MS;
	a->options.tick(a->options.context);
}

static void *run(void *context)
{
	struct jic_acceptor *a = context;
	const struct jic_listeners *l = a->options.listeners;
	struct pollfd fds[POLL_MAX];
	while (!atomic_load(&a->ending)) {
		size_t count = gather(a, fds);
		if (poll(fds, count, jic_clock_ms() < a->resume_ms ? EXHAUSTED_PAUSE_MS : TICK_MS) < 0 &&
		    errno != EINTR)
			pause_accepting(a, errno);
		/* What was refused before: accepting adds to the list that was polled. */
		read_away(a, fds + 1 + l->count);
		for (size_t i = 0; i < l->count; i++)
			if (fds[1 + i].revents & POLLIN)
				accept_some(a, &l->items[i]);
		log_refused(a);
		tick_when_due(a);
	}
	while (a->refused_count > 0)
		forget_refused(a, a->refused_count - 1);
	return NULL;
}

struct jic_acceptor *jic_acceptor_start(const struct jic_acceptor_options *options, struct jic_error *err)
{
	struct jic_acceptor *a = calloc(1, sizeof *a);
	if (!a) {
		(void)jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	a->options = *options;
	a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake_fd < 0 || pthread_create(&a->thread, NULL, run, a) != 0) {
		(void)jic_fail(err, JIC_EMEMORY, "can't start a thread");
		jic_autoclose_(&a->wake_fd);
		free(a);
		return NULL;
	}
	return a;
}

void jic_acceptor_stop(struct jic_acceptor *a)
{
	if (!a)
		return;
	atomic_store(&a->ending, true);
	eventfd_write(a->wake_fd, 1);
	pthread_join(a->thread, NULL);
	close(a->wake_fd);
	free(a);
}
