/*
 *     jicache (as julia) ── pull ──▶ exec julia … ─────────────▶ ends
 *           └─ fork ▸ setsid ▸ fork ─▶ waits on its pidfd ──────▶ jicache push --quiet
 *
 * The publisher is started before the exec, when there is a token. It holds neither the terminal nor any of our
 * descriptors, and does nothing when the caches are afterwards what they were before. Nothing here may fail Julia:
 * every step is best effort but the exec.
 */
#include "client/cli/masquerade.h"

#include "client/cli/cli.h"
#include "client/cli/julia_command.h"
#include "client/cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, PUBLISHER_NICE = 10 };

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

bool jic_masquerade_is(const char *const *argv)
{
	return argv[0] && jic_julia_command_is(argv[0]);
}

/* ---- the publisher */

static void wait_for_end(int pidfd)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		continue;
}

static void leave_terminal(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, UINT_MAX, 0);
}

static void publisher(int pidfd, const char *real, const struct jic_julia_command *command, const char *state)
{
	const char *argv[] = {"jicache", "push", "--quiet", "--julia", real, "--if-changed", state,
	                      NULL,      NULL,   NULL,      NULL,      NULL, NULL,           NULL};
	size_t count = 7;
	if (command->project) {
		argv[count++] = "--project";
		argv[count++] = command->project;
	}
	if (*command->args) {
		argv[count++] = "--julia-args";
		argv[count++] = command->args;
	}
	if (command->script) {
		argv[count++] = "--script";
		argv[count++] = command->script;
	}
	leave_terminal(pidfd);
	wait_for_end(pidfd);
	setpriority(PRIO_PROCESS, 0, PUBLISHER_NICE);
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(EXIT_NOT_FOUND);
}

static void start_publisher(const char *real, const struct jic_julia_command *command, const char *state)
{
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		/* Twice, so that Julia has no child that it does not know, and the publisher no terminal. */
		if (setsid() >= 0 && fork() == 0)
			publisher(pidfd, real, command, state);
		_exit(0);
	}
	close(pidfd);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* ---- the pull */

static bool wants_caches(const char *const *argv)
{
	static const char *const informative[] = {"-v", "--version", "-h", "--help", "--help-hidden", "--lisp"};
	/* juliaup: `julia +1.10 …` */
	const char *first = argv[1] && argv[1][0] == '+' ? argv[2] : argv[1];
	for (size_t i = 0; first && i < JIC_COUNT(informative); i++)
		if (strcmp(first, informative[i]) == 0)
			return false;
	return !jic_cli_is_disabled();
}

static void tell(const struct jic_report *r)
{
	const struct jic_counts *c = jic_report_counts(r);
	if (c->fetched || (c->missing && isatty(STDERR_FILENO)))
		fprintf(stderr, "jicache: %s\n", jic_report_summary(r));
}

static struct jic_session *open_session(const char *real, const struct jic_julia_command *command,
                                        struct jic_progress_bar *bar, struct jic_error *err)
{
	struct jic_session_options o = {
	    .julia = real,
	    .project = command->project,
	    .julia_args = *command->args ? command->args : NULL,
	    .script = command->script,
	};
	if (jic_progress_bar_start(bar)) {
		o.progress = jic_progress_bar_show;
		o.progress_context = bar;
	}
	return jic_session_open(&o, err);
}

static void pull(const char *real, const struct jic_julia_command *command)
{
	struct jic_error err = {0};
	struct jic_progress_bar bar;
	JIC_AUTO(jic_session) struct jic_session *s = open_session(real, command, &bar, &err);
	JIC_AUTO(jic_report) struct jic_report *r = s ? jic_session_pull(s, &err) : NULL;
	jic_progress_bar_end(&bar);
	if (r)
		tell(r);
	else if (err.code != JIC_ENOTFOUND)
		fprintf(stderr, "jicache: warning: %s\n", err.text);
	/* A project that is not there yet: this Julia is about to make it. */
	const char *state = !s && err.code == JIC_ENOTFOUND ? "none" : NULL;
	if (r && jic_session_can_publish(s))
		state = jic_session_state(s, NULL);
	if (state)
		start_publisher(real, command, state);
}

int jic_masquerade_run(const char *const *argv)
{
	jic_autofree char *real = jic_program_find(argv[0]);
	if (!real) {
		fprintf(stderr,
		        "jicache: there is no other %s on PATH: put Julia's bin directory behind the link to jicache\n",
		        argv[0]);
		return EXIT_NOT_FOUND;
	}
	struct jic_arena arena = {0};
	struct jic_julia_command command;
	if (wants_caches(argv) && jic_julia_command_read(argv, &arena, &command))
		pull(real, &command);
	jic_arena_clear(&arena);
	execv(real, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "jicache: %s: %s\n", real, strerror(errno));
	return EXIT_NOT_FOUND;
}
