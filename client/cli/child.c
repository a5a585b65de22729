/*
 * While the command runs we only wait: signals are blocked and taken one by one with sigwaitinfo(). What somebody sends
 * us is passed on; what the terminal sends has reached the command already, it is in the same process group.
 */
#include "client/cli/child.h"

#include "common/attr.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, EXIT_NOT_EXECUTABLE = 126, EXIT_SIGNAL_BASE = 128 };

extern char **environ;

static void watched_signals(sigset_t *set)
{
	static const int signals[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
	sigemptyset(set);
	for (size_t i = 0; i < JIC_COUNT(signals); i++)
		sigaddset(set, signals[i]);
}

static void set_depot_path(const char *value)
{
	if (value)
		setenv("JULIA_DEPOT_PATH", value, 1);
	else
		unsetenv("JULIA_DEPOT_PATH");
}

static int spawn(char *const *argv, const char *depot_path, const sigset_t *mask, pid_t *child)
{
	const char *own = getenv("JULIA_DEPOT_PATH");
	jic_autofree char *before = own ? strdup(own) : NULL;
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, mask);
	if (depot_path)
		set_depot_path(depot_path);
	int failed = posix_spawnp(child, argv[0], NULL, &attributes, argv, environ);
	if (depot_path)
		set_depot_path(before);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

static bool asks_to_end(int signal)
{
	return signal == SIGTERM || signal == SIGHUP || signal == SIGINT || signal == SIGQUIT;
}

static int wait_for(pid_t child, const sigset_t *watched, int *asked)
{
	for (;;) {
		siginfo_t info;
		int status, signal = sigwaitinfo(watched, &info);
		if (asked && asks_to_end(signal))
			*asked = signal;
		if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
			kill(child, signal);
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
	}
}

/* Dying of the same signal is the only exit status that tells a shell all. */
int jic_child_die_of(int signal)
{
	struct rlimit none = {0};
	sigset_t set;
	setrlimit(RLIMIT_CORE, &none);
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return EXIT_SIGNAL_BASE + signal;
}

bool jic_child_run(const char *const *command, const char *depot_path, int *status, int *asked)
{
	char *const *argv = (char *const *)(uintptr_t)command;
	sigset_t watched, before;
	pid_t child;
	watched_signals(&watched);
	sigprocmask(SIG_BLOCK, &watched, &before);
	int failed = spawn(argv, depot_path, &before, &child);
	if (!failed)
		*status = wait_for(child, &watched, asked);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return true;
	fprintf(stderr, "jicache: %s: %s\n", argv[0], strerror(failed));
	*status = failed == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	return false;
}
