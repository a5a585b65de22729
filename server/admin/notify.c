/* sd_notify(3) without libsystemd: its protocol is stable by promise (systemd's portability and stability chart). */
#include "server/admin/notify.h"

#include "common/clock.h"
#include "common/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or "@" and an abstract name. */
static bool socket_address(const char *text, struct sockaddr_un *out, socklen_t *len)
{
	const size_t bytes = strlen(text);
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((text[0] != '/' && text[0] != '@') || bytes < 2 || bytes >= sizeof out->sun_path)
		return false;
	memcpy(out->sun_path, text, bytes);
	if (text[0] == '@')
		out->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
	return true;
}

void jic_notify(const char *assignments)
{
	const char *where = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t len;
	if (!where || !socket_address(where, &address, &len))
		return;
	jic_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL, (struct sockaddr *)&address, len);
}

void jic_notify_reloading(void)
{
	char text[64];
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(jic_clock_ns() / 1000));
	jic_notify(text);
}

/* The variables may have been meant for another process, from which we inherited them. */
static bool is_for_us(const char *pid_variable, bool otherwise)
{
	const char *text = getenv(pid_variable);
	uint64_t pid;
	if (!text)
		return otherwise;
	return jic_parse_u64(jic_view_of(text), INT32_MAX, &pid) && (pid_t)pid == getpid();
}

static uint64_t number_of(const char *variable, uint64_t max)
{
	const char *text = getenv(variable);
	uint64_t number = 0;
	return text && jic_parse_u64(jic_view_of(text), max, &number) ? number : 0;
}

uint64_t jic_notify_watchdog_us(void)
{
	return is_for_us("WATCHDOG_PID", true) ? number_of("WATCHDOG_USEC", UINT64_MAX) : 0;
}

size_t jic_notify_listen_fds(void)
{
	const size_t count = is_for_us("LISTEN_PID", false) ? (size_t)number_of("LISTEN_FDS", JIC_NOTIFY_FDS_MAX) : 0;
	for (size_t i = 0; i < count; i++)
		(void)fcntl(JIC_NOTIFY_FD_FIRST + (int)i, F_SETFD, FD_CLOEXEC);
	return count;
}
