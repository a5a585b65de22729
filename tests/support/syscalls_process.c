/*
 * Calls that are about no file, made to fail as syscalls.c describes: socket, connect, send, recv, poll, thread, spawn,
 * and with JIC_SYSCALLS_MEMORY set malloc, too (of which there are so many that each program would be slower).
 */
#include "syscalls.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* ---- sockets */

int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	return jic_syscall_fails("socket") ? -1 : next(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	NEXT(connect);
	return jic_syscall_fails("connect") ? -1 : next(fd, to, len);
}

static size_t len_done(size_t len, bool failed)
{
	return failed && errno == 0 && len > 1 ? len / 2 : len;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	NEXT(send);
	bool failed = jic_syscall_fails("send");
	return failed && errno ? -1 : next(fd, bytes, len_done(len, failed), flags);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	NEXT(recv);
	bool failed = jic_syscall_fails("recv");
	return failed && errno ? -1 : next(fd, bytes, len_done(len, failed), flags);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	NEXT(poll);
	return jic_syscall_fails("poll") ? -1 : next(fds, count, timeout_ms);
}

/* ---- threads and processes: these give their number back */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *context)
{
	NEXT(pthread_create);
	return jic_syscall_fails("thread") ? errno : next(thread, attributes, begin, context);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
	NEXT(posix_spawn);
	return jic_syscall_fails("spawn") ? errno : next(pid, path, actions, attributes, argv, env);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
	NEXT(posix_spawnp);
	return jic_syscall_fails("spawn") ? errno : next(pid, file, actions, attributes, argv, env);
}

pid_t fork(void)
{
	NEXT(fork);
	return jic_syscall_fails("spawn") ? -1 : next();
}

/* ---- memory: found without dlsym(), which needs some itself */

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *old, size_t len);
/* A sanitizer's, where one is loaded. */
void *__interceptor_malloc(size_t len) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t len) __attribute__((weak));
void *__interceptor_realloc(void *old, size_t len) __attribute__((weak));

static bool counts_memory;

__attribute__((constructor)) static void begin(void)
{
	counts_memory = getenv("JIC_SYSCALLS_MEMORY") != NULL;
}

void *malloc(size_t len)
{
	if (counts_memory && jic_syscall_fails("malloc"))
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(len) : __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
	if (counts_memory && jic_syscall_fails("malloc"))
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(count, len) : __libc_calloc(count, len);
}

void *realloc(void *old, size_t len)
{
	if (counts_memory && jic_syscall_fails("malloc"))
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(old, len) : __libc_realloc(old, len);
}
