/* How long the client bears silence (a server that works is waited for by what it has to do, another is not), and what
 * it makes of a connection that is cut off. */
#include "client/lib/remote/transport.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_S = JIC_STALL_LIMIT_S + 2 };

struct server {
	int fd;
	void *(*serve)(void *);
	pthread_t thread;
	char url[64];
};

/* Reads a request, is silent, and answers "{}". */
static void *serve_late(void *context)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
	const struct server *s = context;
	char request[4096];
	jic_autoclose int fd = accept(s->fd, NULL, NULL);
	if (fd < 0 || recv(fd, request, sizeof request, 0) <= 0)
		return NULL;
	sleep(SILENCE_S);
	ssize_t sent = send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
	(void)sent;
	return NULL;
}

/* Cuts off who sends at once, as the network does when a server refuses; tells who asks first what is wrong. */
static void *refuse(void *context)
{
	static const char answer[] =
	    "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	const struct server *s = context;
	const struct linger at_once = {.l_onoff = 1};
	for (bool told = false; !told;) {
		char request[4096] = "";
		jic_autoclose int fd = accept(s->fd, NULL, NULL);
		if (fd < 0 || recv(fd, request, sizeof request - 1, 0) <= 0)
			return NULL;
		told = strstr(request, "Expect: 100-continue");
		if (!told)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		else if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
			return NULL;
	}
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s->fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(s->fd, 2), 0);
	cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
	cr_assert_eq(pthread_create(&s->thread, NULL, s->serve, s), 0);
}

static void server_end(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static struct jic_connection *connect_to(const struct server *s, struct jic_error *err)
{
	const struct jic_settings settings = {
	    .url = (char *)(uintptr_t)s->url, .token = "", .ca_file = "", .client_certificate = "", .client_key = ""};
	struct jic_connection *c = jic_connection_new(&settings, NULL, err);
	cr_assert_not_null(c);
	return c;
}

/* @return whether it was answered; @param[out] took_s how long that was */
static bool ask(uint64_t bytes, double *took_s, struct jic_error *err)
{
	struct server s = {.serve = serve_late};
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	struct timespec begin, end;
	server_start(&s);
	struct jic_connection *c = connect_to(&s, err);
	jic_connection_patience(c, bytes);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	bool done = jic_connection_json(c, "POST", "/v1/publish", JIC_VIEW("{}"), &answer, err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*took_s = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
	jic_connection_free(c);
	server_end(&s);
	return done;
}

Test(transport, a_server_that_was_given_much_to_do_may_be_silent_for_longer)
{
	struct jic_error err = {0};
	double took_s;
	cr_assert(ask(UINT64_C(10) * JIC_PATIENCE_BYTES_PER_S, &took_s, &err), "%s", err.text);
	cr_assert(took_s >= SILENCE_S - 0.5);
}

Test(transport, a_server_that_has_nothing_to_do_may_not)
{
	struct jic_error err = {0};
	double took_s;
	cr_assert_not(ask(0, &took_s, &err));
	cr_assert_eq(err.code, JIC_ENETWORK);
	cr_assert(strstr(err.text, "silent for 10 seconds"), "%s", err.text);
	cr_assert(took_s >= JIC_STALL_LIMIT_S - 1 && took_s < JIC_STALL_LIMIT_S + 2, "%f", took_s);
}

Test(transport, an_upload_that_is_cut_off_asks_why)
{
	struct server s = {.serve = refuse};
	struct jic_error err = {0};
	const struct jic_digest digest = {{0}};
	JIC_CLEAR(jic_buf) struct jic_buf content = {0};
	for (uint32_t i = 0; i < 1 << 18; i++)
		jic_buf_u32le(&content, i * 2654435761u);
	server_start(&s);
	struct jic_connection *c = connect_to(&s, &err);
	cr_assert_not(jic_connection_put_blob(c, &digest, jic_buf_view(&content), &err));
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	jic_connection_free(c);
	server_end(&s);
}
