/* Listening sockets. Names are resolved once, and the first address that can be bound is taken. */
#include "server/http/listen.h"

#include "common/options.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 512 };

bool jic_listen_parse(struct jic_view text, char host[JIC_LISTEN_HOST_BYTES_MAX + 1], uint16_t *port,
                      struct jic_error *err)
{
	const char *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	if (!colon)
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not HOST:PORT", JIC_ARGv(text));
	struct jic_view name = jic_view_head(text, (size_t)(colon - text.ptr));
	uint64_t number;
	if (!jic_parse_u64(jic_view_skip(text, name.len + 1), UINT16_MAX, &number))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" has no port from 0 to 65535", JIC_ARGv(text));
	bool bracketed = name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
	if (bracketed)
		name = jic_view_bytes(name.ptr + 1, name.len - 2);
	if (name.len == 0)
		name = JIC_VIEW("127.0.0.1");
	if (name.len > JIC_LISTEN_HOST_BYTES_MAX || memchr(name.ptr, '\0', name.len) ||
	    (!bracketed && memchr(name.ptr, ':', name.len)))
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not HOST:PORT (IPv6: [ADDRESS]:PORT)",
		                JIC_ARGv(text));
	memcpy(host, name.ptr, name.len);
	host[name.len] = '\0';
	*port = (uint16_t)number;
	return true;
}

static int listen_on(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;
	if (fd < 0)
		return -1;
	/* A restart must not wait for connections of the last run to time out. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

bool jic_listen_describe(int fd, char bound[JIC_LISTEN_TEXT], struct jic_error *err)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	char host[64], port[8];
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return jic_fail_errno(err, JIC_EIO, "getsockname");
	if (getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
	                NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return jic_fail(err, JIC_EIO, "the listening address has no text form");
	const bool v6 = address.ss_family == AF_INET6;
	snprintf(bound, JIC_LISTEN_TEXT, v6 ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

int jic_listen_open(const char *text, char bound[JIC_LISTEN_TEXT], struct jic_error *err)
{
	char host[JIC_LISTEN_HOST_BYTES_MAX + 1], service[8];
	uint16_t port;
	if (!jic_listen_parse(jic_view_of(text), host, &port, err))
		return -1;
	snprintf(service, sizeof service, "%u", port);
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(host, service, &hints, &found);
	if (code != 0) {
		(void)jic_fail(err, JIC_EIO, "listen on %s: %s", text, gai_strerror(code));
		return -1;
	}
	int fd = -1;
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = listen_on(a);
	if (fd < 0)
		(void)jic_fail_errno(err, JIC_EIO, "listen on %s", text);
	freeaddrinfo(found);
	if (fd >= 0 && !jic_listen_describe(fd, bound, err)) {
		close(fd);
		return -1;
	}
	return fd;
}
